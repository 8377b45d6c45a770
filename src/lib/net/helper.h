/* SPDX-License-Identifier: MIT */
/*
 * The process plugpkg-fetch: started at the first request, ended with its pp_net. It never holds a
 * file of ours: what it downloads comes through a pipe and is written here.
 */
#ifndef PP_NET_HELPER_H
#define PP_NET_HELPER_H

#include "base/msg.h"
#include "base/proc.h"
#include "lib/model/context.h"
#include "lib/net/answer.h"
#include "lib/net/login.h"

#define PP_HELPER_GUESTS 8

/* A packet of requests that the socket had no room for yet. */
struct pp_letter {
	struct pp_buf packet;
	int fd; /* goes with it; -1: none */
};

struct pp_helper {
	struct pp_child child;
	int sock;               /* -1 = not running */
	const char *user;       /* whom it becomes when we are root; NULL: it stays */
	char *chunk;            /* what was read of a pipe */
	struct pp_buf requests; /* that go together, before the next wait */
	struct pp_vec(struct pp_letter) letters; /* to be sent, in order */
	char *packet;                            /* the last one that came */
	struct pp_str answers;                   /* in it, not looked at yet */
	/* Others' descriptors, for which pp_helper_pump() ends its wait. */
	int guests[PP_HELPER_GUESTS];
	size_t n_guests;
	bool has_guest; /* one of them can be read */
	unsigned n_starts;
	/* Told of last answers to requests of which no stream is waited for; or NULL. */
	void (*heard)(void *user, const struct pp_answer *a);
	void *user_of_heard;
};
#define PP_HELPER_INIT                                                                             \
	{                                                                                          \
		.child = { .pid = -1 }, .sock = -1, .requests = PP_BUF_INIT(PP_MSG_MAX_BYTES)      \
	}

/* Where the bytes of one download go. Each function: 0, or -errno, which ends the download. */
struct pp_sink {
	/* The bytes that come next begin there in the file: at 0, or at the offset asked for. */
	int (*begin)(void *user, uint64_t offset);
	int (*add)(void *user, const char *p, size_t n);
	void *user;
};

struct pp_ask {
	int64_t id;
	const char *url;
	const struct pp_login *login; /* of the URL's origin, or NULL */
	struct pp_sink sink;
	uint64_t max, offset;
	bool is_exact;
	bool is_held;      /* few bytes, which come with the last answer and not through a pipe */
	unsigned patience; /* seconds */
};

/* A download under way. */
struct pp_stream {
	int64_t id;
	struct pp_sink sink;
	int fd;          /* the pipe's end; -1 = at its end */
	int local_errno; /* the sink refused */
	int64_t wait_ms; /* that are left to wait for its end */
	bool has_begun;
	bool is_held;
};

/* Where it does not run yet. Errors: IO, BAD_CONFIG for a user that is none. */
enum plugpkg_code pp_helper_start(struct pp_helper *h, plugpkg_error **err);
/*
 * Starts the helper where needed. Errors: IO, BAD_CONFIG for a user that is none, and FAILED when
 * it broke down.
 */
enum plugpkg_code pp_helper_ask(
    struct pp_helper *h, const struct pp_ask *ask, struct pp_stream *out, plugpkg_error **err);
/*
 * Lets bytes flow into the sinks of the n streams until one of them has its last answer, whose
 * stream is closed then. out->id is 0 after timeout_ms at most, whenever bytes came, and when a
 * guest can be read. A cancelled wait kills the helper: INTERRUPTED within 100 ms. So does a stream
 * whose end does not come, long after its deadline: FAILED.
 */
enum plugpkg_code pp_helper_pump(struct pp_helper *h, plugpkg_context *ctx,
    struct pp_stream *const *streams, size_t n, int timeout_ms, struct pp_answer *out,
    plugpkg_error **err);
void pp_stream_close(struct pp_stream *s);
/* It ends by itself; pp_helper_end() waits for that. */
void pp_helper_dismiss(struct pp_helper *h);
void pp_helper_end(struct pp_helper *h); /* may be started again by the next request */

#endif
