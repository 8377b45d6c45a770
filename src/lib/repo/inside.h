/* SPDX-License-Identifier: MIT */
/* Archives of a served repository, read whole as by who installs them. */
#ifndef PP_REPO_INSIDE_H
#define PP_REPO_INSIDE_H

#include "lib/repo/walk.h"

struct pp_inside {
	plugpkg_context *ctx;
	int targets_fd, work_fd; /* borrowed; work_fd: a private directory */
	/* What is wrong with one of them. */
	void (*problem)(void *user, const struct pp_walk_file *file, const char *text);
	void *user;
};
/*
 * Their bytes were compared with the signed digests before. A problem is what the policy refuses,
 * and a stated digest of the tree that is another one. Errors: IO, INTERRUPTED, FAILED.
 */
enum plugpkg_code pp_inside_check(const struct pp_inside *inside,
    const struct pp_walk_file *const *files, size_t n, plugpkg_error **err);

#endif
