/* SPDX-License-Identifier: MIT */
/*
 * From a decision to the steps of a plan: their order, why each is there, and what is only
 * suggested.
 */
#ifndef PP_SOLVE_STEPS_H
#define PP_SOLVE_STEPS_H

#include "lib/solve/load.h"

/* What stands in the root afterwards. */
struct pp_chosen pp_vec(size_t); /* indices of candidates, ascending */

/*
 * New and changed plugins dependencies first, then those that go dependents first. Errors:
 * NOT_FOUND.
 */
enum plugpkg_code pp_steps_add(const struct pp_load *l, const struct pp_chosen *chosen,
    struct pp_plan *plan, plugpkg_error **err);

/* Whether and why an installed plugin goes. */
struct pp_leaving {
	bool leaves;
	enum pp_why why;
	const char *because; /* borrowed; what it misses, or what replaces it */
};
/* leaving: by candidate. */
void pp_steps_add_removals(
    const struct pp_load *l, const struct pp_leaving *leaving, struct pp_plan *plan);

#endif
