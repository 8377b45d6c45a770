/* SPDX-License-Identifier: MIT */
/*
 * The order of a set of plugins: dependencies first, then depth, then name; the same for the same
 * set.
 */
#ifndef PP_SOLVE_ORDER_H
#define PP_SOLVE_ORDER_H

#include "lib/solve/load.h"

struct pp_ordered {
	size_t cand;      /* index into load->cands */
	uint32_t depth;   /* longest way to a leaf; the same for all members of a cycle */
	size_t component; /* smallest cand of the cycle that it is in, or its own */
	bool is_in_cycle; /* of requirements */
};
struct pp_order pp_vec(struct pp_ordered);

/*
 * Orders `cands` (ascending indices; names of the application are left out). A recommendation or
 * suggestion that is in the set orders like a requirement, except inside a cycle.
 */
void pp_order_sort(const struct pp_load *l, const size_t *cands, size_t n, struct pp_order *out);

#endif
