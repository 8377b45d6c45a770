/* SPDX-License-Identifier: MIT */
/* The process plugpkg-fetch: started at the first request, ended with its pp_net. */
#ifndef PP_NET_HELPER_H
#define PP_NET_HELPER_H

#include "base/proc.h"
#include "lib/model/context.h"
#include "lib/net/answer.h"

struct pp_helper {
	struct pp_child child;
	int sock; /* -1 = not running */
};
#define PP_HELPER_INIT                                                                             \
	{                                                                                          \
		.child = { .pid = -1 }, .sock = -1                                                 \
	}

struct pp_ask {
	int64_t id;
	const char *url;
	int fd; /* where the bytes go; borrowed */
	uint64_t max, offset;
	bool is_exact;
	unsigned patience; /* seconds */
};

/* Starts the helper where needed. Errors: IO, and FAILED when it broke down. */
enum plugpkg_code pp_helper_ask(struct pp_helper *h, const struct pp_ask *ask, plugpkg_error **err);
/* Waits for the next answer. A cancelled wait kills the helper: INTERRUPTED within 100 ms. */
enum plugpkg_code pp_helper_answer(
    struct pp_helper *h, plugpkg_context *ctx, struct pp_answer *out, plugpkg_error **err);
void pp_helper_end(struct pp_helper *h); /* may be started again by the next request */

#endif
