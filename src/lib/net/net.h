/* SPDX-License-Identifier: MIT */
/* The inside of struct pp_net, for the files of this directory. */
#ifndef PP_NET_NET_H
#define PP_NET_NET_H

#include "base/map.h"
#include "lib/net/fetch.h"
#include "lib/net/helper.h"

struct pp_net {
	plugpkg_context *ctx;
	int cache_fd;
	int to_fd; /* what is fetched goes there; the cache itself, but for a dry run */
	struct pp_helper helper;
	int64_t last_id;
	unsigned patience;    /* seconds that a mirror may be silent */
	struct pp_map faults; /* base URL -> number of faults, as (void *)(uintptr_t) */
	uint64_t done, total; /* bytes of all files since pp_net_new() */
};

/* One attempt's outcome in words of the helper, also for what needs no helper. */
void pp_net_blame(struct pp_net *net, const char *base_url);
uintptr_t pp_net_faults(const struct pp_net *net, const char *base_url);

/*
 * Copies a file:// file into fd, which is empty. A failure is told as an answer of the helper
 * would be. Errors: INTERRUPTED only.
 */
enum plugpkg_code pp_file_fetch(plugpkg_context *ctx, const char *base_url, const char *path,
    const struct pp_ask *ask, struct pp_answer *out, plugpkg_error **err);

#endif
