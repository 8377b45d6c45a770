/* SPDX-License-Identifier: MIT */
/* One download: from the request to its last answer. */
#ifndef PP_FETCH_TRANSFER_H
#define PP_FETCH_TRANSFER_H

#include "policy.h"
#include "post.h"

struct transfer;

/* Transfers with bytes that are not in their pipes yet, and those that wait for a request. */
struct outbox {
	struct transfer *first, *idle;
};
/* After each round of libcurl. */
void outbox_send(struct outbox *o);

/* What all transfers share; borrowed. */
struct wires {
	struct post *post;
	struct outbox *outbox;
	const struct trust_store *trust;
};

/*
 * req and fd are moved; fd: the pipe, -1 where it is held. NULL when libcurl refuses; nothing is
 * moved then.
 */
struct transfer *transfer_new(const struct request *req, int fd, const struct wires *wires);
CURL *transfer_easy(const struct transfer *t);
struct transfer *transfer_of(CURL *easy);
/*
 * Takes libcurl's verdict. True: the last answer was sent. False: the transfer starts again from
 * zero, add it to the multi handle once more.
 */
bool transfer_finish(struct transfer *t, CURLcode result);
void transfer_free(struct transfer *t); /* or keeps it for another request */
/* Answers that the request `id` cannot be served. */
void transfer_refuse(struct post *post, int64_t id, const char *text);

#endif
