/* SPDX-License-Identifier: MIT */
/* Answers on their way to the near side. */
#ifndef PP_FETCH_POST_H
#define PP_FETCH_POST_H

#include "base/msg.h"

/* Those that wait for nothing else go together in one packet. */
struct post {
	int sock;
	struct pp_buf packet;
};

/* j moved; body: n bytes that come with it. What does not fit any more goes first. */
void post_add(struct post *p, pp_json *j, const char *body, size_t n);
/* After each round of libcurl, and where the near side has to hear of it first. */
void post_send(struct post *p);

#endif
