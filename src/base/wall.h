/* SPDX-License-Identifier: MIT */
/*
 * What a process may still do, once it has gone behind a wall. There is no way back. Where the
 * kernel lacks a part of it, the rest stands.
 */
#ifndef PP_BASE_WALL_H
#define PP_BASE_WALL_H

#include "base/filter.h"
#include "base/landlock.h"

struct pp_wall {
	int landlock_fd;          /* -1: none */
	struct pp_filter *filter; /* NULL: none */
};
#define PP_WALL_INIT                                                                               \
	{                                                                                          \
		.landlock_fd = -1                                                                  \
	}
void pp_wall_fini(struct pp_wall *w);

/*
 * A helper's wall is made by who starts it, while the helper loads its libraries: the first packet
 * over its socket brings it. Both descriptors are borrowed; -1: there is no such part.
 */
int pp_wall_send(int sock, int landlock_fd, int filter_fd) PP_MUSTUSE;
/* Waits for it. -EBADMSG when something else came. */
int pp_wall_receive(int sock, struct pp_wall *out) PP_MUSTUSE;

/* Goes behind it, with no_new_privs. Async-signal-safe. */
int pp_wall_enter(const struct pp_wall *w) PP_MUSTUSE;

/* No core files, so that no image of the memory is left, and nothing gained by exec. */
int pp_wall_begin(void) PP_MUSTUSE;
/* Soft and hard limit of a RLIMIT_… */
int pp_wall_limit(int resource, uint64_t most) PP_MUSTUSE;
/* Gives up all capabilities but the one of this number; -1: all of them. */
int pp_wall_drop_capabilities(int but) PP_MUSTUSE;

/*
 * Builds that watch themselves have more to do than their program has: sanitizers map terabytes,
 * read /proc and trace their own process, coverage writes files at the end. Helpers of such builds
 * stay outside the walls.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(PP_COVERAGE)
#define PP_IS_WATCHED_BUILD true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PP_IS_WATCHED_BUILD true
#endif
#endif
#ifndef PP_IS_WATCHED_BUILD
#define PP_IS_WATCHED_BUILD false
#endif

#endif
