/* SPDX-License-Identifier: MIT */
/* The list of what a source directory holds, in the order of an archive. */
#ifndef PP_UNPACK_TREE_H
#define PP_UNPACK_TREE_H

#include "unpack/ignore.h"
#include "unpack/policy.h"

struct pp_tree_item {
	char *path, *target; /* owned; target of links */
	enum pp_entry_kind kind;
	unsigned mode; /* 07777, as on disk */
	uint64_t size; /* of files */
};

struct pp_tree {
	struct pp_tree_items pp_vec(struct pp_tree_item) items;
};

/* plugin.json first, then by bytes of the path. Stops at max_items. 0 or -1 reported. */
int pp_tree_read(struct pp_tree *t, int dir_fd, const struct pp_ignore *ig, uint64_t max_items,
    struct pp_report *report) PP_MUSTUSE;
void pp_tree_fini(struct pp_tree *t);

#endif
