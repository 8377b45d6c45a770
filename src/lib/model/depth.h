/* SPDX-License-Identifier: MIT */
/*
 * How far each plugin is from the leaves of a graph of dependencies, and which ones form cycles.
 * Knows numbers only; what a plugin is and what links two of them is the caller's.
 */
#ifndef PP_MODEL_DEPTH_H
#define PP_MODEL_DEPTH_H

#include "base/vec.h"

/* `from` depends on `to`; a weak link may be left out where it closes a cycle. */
struct pp_link {
	size_t from, to;
	bool is_weak;
};
struct pp_links pp_vec(struct pp_link);

struct pp_depths {
	uint32_t *depth;     /* of each node: longest way to a leaf, the same in a cycle */
	uint32_t *component; /* of each node: which cycle it is in; alone in one when in none */
	uint32_t n_components;
};

/*
 * links: sorted by `from`, between the nodes 0 … n - 1; weak ones that close a cycle are taken
 * out of them.
 */
void pp_depths_find(struct pp_depths *d, size_t n, struct pp_links *links);
void pp_depths_fini(struct pp_depths *d);

#endif
