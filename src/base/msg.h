/* SPDX-License-Identifier: MIT */
/*
 * Messages between plugpkg and its helpers: one JSON object a packet, descriptors beside it. A
 * packet of parts holds several, each with a line end behind it, and then as many bytes as its
 * member "body" says.
 */
#ifndef PP_BASE_MSG_H
#define PP_BASE_MSG_H

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

#define PP_MSG_MAX_BYTES 65536
#define PP_MSG_MAX_FDS   4

/* A SOCK_SEQPACKET pair, close-on-exec. */
int pp_msg_pair(int out_fds[2]) PP_MUSTUSE;
/* Sends j (borrowed) and n_fds descriptors (borrowed). -EPIPE when the other side is gone. */
int pp_msg_send(int sock, const pp_json *j, const int *fds, size_t n_fds) PP_MUSTUSE;
/*
 * Receives one packet. *out_fds gets up to PP_MSG_MAX_FDS owned descriptors, the rest -1. 0; -EPIPE
 * when the other side is gone; -EBADMSG for a packet that is no JSON object or too large.
 */
int pp_msg_recv(int sock, pp_json **out, int out_fds[PP_MSG_MAX_FDS]) PP_MUSTUSE;
/* The same without waiting: -EAGAIN when there is none. */
int pp_msg_recv_now(int sock, pp_json **out, int out_fds[PP_MSG_MAX_FDS]) PP_MUSTUSE;

/* Appends a part; body: n bytes, of which j (borrowed) is told. False: not all of it fits. */
bool pp_msg_add_part(struct pp_buf *packet, pp_json *j, const void *body, size_t n) PP_MUSTUSE;
/* Cuts off the first part; *out_body is a view. 0, or -EBADMSG when it is none. */
int pp_msg_cut_part(struct pp_str *packet, pp_json **out, struct pp_str *out_body) PP_MUSTUSE;
/* Sends a packet as it is. */
int pp_msg_send_packet(int sock, const struct pp_buf *packet) PP_MUSTUSE;
/* The same without waiting, with a descriptor (borrowed; -1: none). -EAGAIN: it has no room. */
int pp_msg_send_packet_now(int sock, const struct pp_buf *packet, int fd) PP_MUSTUSE;
/*
 * Receives one into room for PP_MSG_MAX_BYTES, without waiting. Returns and descriptors as
 * pp_msg_recv_now().
 */
int pp_msg_recv_packet(int sock, char *room, size_t *out_n, int out_fds[PP_MSG_MAX_FDS]) PP_MUSTUSE;

#endif
