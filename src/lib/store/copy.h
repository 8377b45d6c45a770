/* SPDX-License-Identifier: MIT */
/* Trees as plain files elsewhere: sharing blocks or files with the store where that is possible. */
#ifndef PP_STORE_COPY_H
#define PP_STORE_COPY_H

#include "lib/model/error.h"

struct pp_copied {
	uint64_t files, bytes;
	uint64_t cloned, linked; /* of the files: sharing blocks, being the same file */
};
/*
 * Makes path below to_fd a copy of the tree at from_fd. may_link: files may be hard links to the
 * original. Not durable on return. Errors: IO NO_SPACE BAD_STATE.
 */
enum plugpkg_code pp_copy_tree(int from_fd, int to_fd, const char *path, bool may_link,
    struct pp_copied *out, plugpkg_error **err);

#endif
