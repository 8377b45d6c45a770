/* SPDX-License-Identifier: MIT */
/* Archives of a served repository, read whole as by who installs them. */
#ifndef PP_REPO_INSIDE_H
#define PP_REPO_INSIDE_H

#include "lib/repo/walk.h"

struct pp_inside {
	plugpkg_context *ctx;
	int targets_fd, work_fd; /* borrowed; work_fd: a private directory */
	/* Its bytes are the signed ones. Asked of each in order, and once; others are left out. */
	bool (*is_sound)(void *user, const struct pp_walk_file *file);
	/* Its plugin.json, once, as soon as it was read. */
	void (*judge)(void *user, const struct pp_walk_file *file, struct pp_str manifest);
	/* What is wrong with one of them; after the last question. */
	void (*problem)(void *user, const struct pp_walk_file *file, const char *text);
	void *user;
};
/*
 * A problem is what the policy refuses, and a stated digest of the tree that is another one.
 * Errors: IO, INTERRUPTED, FAILED.
 */
enum plugpkg_code pp_inside_check(
    const struct pp_inside *inside, const struct pp_walk_files *files, plugpkg_error **err);

#endif
