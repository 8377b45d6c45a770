/* SPDX-License-Identifier: MIT */
/* Messages between plugpkg and its helpers: one JSON object a packet, descriptors beside it. */
#ifndef PP_BASE_MSG_H
#define PP_BASE_MSG_H

#include "base/json.h"

#define PP_MSG_MAX_BYTES 65536
#define PP_MSG_MAX_FDS   4

/* A SOCK_SEQPACKET pair, close-on-exec. */
int pp_msg_pair(int out_fds[2]) PP_MUSTUSE;
/* Sends j (borrowed) and n_fds descriptors (borrowed). */
int pp_msg_send(int sock, const pp_json *j, const int *fds, size_t n_fds) PP_MUSTUSE;
/*
 * Receives one packet. *out_fds gets up to PP_MSG_MAX_FDS owned descriptors, the rest -1. 0; -EPIPE
 * when
 * the other side is gone; -EBADMSG for a packet that is no JSON object or too large.
 */
int pp_msg_recv(int sock, pp_json **out, int out_fds[PP_MSG_MAX_FDS]) PP_MUSTUSE;
/* The same without waiting: -EAGAIN when there is none. */
int pp_msg_recv_now(int sock, pp_json **out, int out_fds[PP_MSG_MAX_FDS]) PP_MUSTUSE;

#endif
