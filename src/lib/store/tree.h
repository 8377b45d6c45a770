/* SPDX-License-Identifier: MIT */
/*
 * What a directory tree holds, read without following a link: to check what was unpacked, and to
 * digest it.
 */
#ifndef PP_STORE_TREE_H
#define PP_STORE_TREE_H

#include "base/vec.h"
#include "lib/store/archive.h"

#include <sys/stat.h>

struct pp_tree_node {
	char *path;   /* owned, relative */
	char *target; /* of a symbolic link, owned */
	mode_t mode;  /* with the kind */
	nlink_t links;
	uint64_t size;
};

struct pp_tree {
	struct pp_tree_nodes pp_vec(struct pp_tree_node) nodes; /* sorted by bytes of the path */
};

/* Errors: IO; BAD_STATE for a tree beyond the limits of the archive policy. */
enum plugpkg_code pp_tree_read(int dir_fd, struct pp_tree *out, plugpkg_error **err);
void pp_tree_fini(struct pp_tree *t);
/*
 * Is this a tree that the archive policy lets come into being? Files of mode 0444 or 0555 with one
 * name, directories of mode 0755, links that stay inside. Counts it. Errors: BAD_STATE IO.
 */
enum plugpkg_code pp_tree_check(int dir_fd, struct pp_unpacked *out, plugpkg_error **err);

#endif
