/* SPDX-License-Identifier: MIT */
/* The process plugpkg-unpack: started for a job, asked one job after the other, ended. */
#ifndef PP_STORE_UNPACKER_H
#define PP_STORE_UNPACKER_H

#include "base/json.h"
#include "base/proc.h"
#include "lib/model/context.h"

struct pp_unpacker {
	struct pp_child child;
	int sock;         /* -1 = not running */
	int64_t id;       /* of the newest request */
	int64_t answered; /* of the newest one that has its answer; they come in order */
};
#define PP_UNPACKER_INIT                                                                           \
	{                                                                                          \
		.child = { .pid = -1 }, .sock = -1                                                 \
	}

/* digests: it gets ready for that while nobody waits for it. */
enum plugpkg_code pp_unpacker_start(struct pp_unpacker *u, bool digests, plugpkg_error **err);
/*
 * request: moved; gets its id. fds: borrowed; two, and the directory that those of all requests are
 * below, or -1 where this one is the only one: outside it the helper can do nothing afterwards.
 */
enum plugpkg_code pp_unpacker_ask(
    struct pp_unpacker *u, pp_json *request, const int fds[3], plugpkg_error **err);
/* Waits until one of n helpers has an answer. A cancelled wait: INTERRUPTED within 100 ms. */
enum plugpkg_code pp_unpacker_wait(
    plugpkg_context *ctx, struct pp_unpacker *u, size_t n, size_t *out_which, plugpkg_error **err);
/* The first of n helpers whose answer is there, without waiting; n: none. */
size_t pp_unpacker_ready(const struct pp_unpacker *u, size_t n);
/*
 * The answer (owned) to the oldest request that has none yet. Errors: FAILED when the helper broke
 * down or answers something else.
 */
enum plugpkg_code pp_unpacker_answer(struct pp_unpacker *u, pp_json **out, plugpkg_error **err);
void pp_unpacker_dismiss(struct pp_unpacker *u); /* it ends by itself, while others are told */
/* Ends the helper in peace and looks at its status. */
enum plugpkg_code pp_unpacker_end(struct pp_unpacker *u, plugpkg_error **err);
void pp_unpacker_fini(struct pp_unpacker *u); /* kills what still runs */

#endif
