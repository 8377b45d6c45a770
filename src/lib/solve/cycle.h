/* SPDX-License-Identifier: MIT */
/*
 * Cycles of scripts: where plugins require each other in a ring, two of them cannot both have their
 * scripts run after those of all that they require. Pure: releases in, words out.
 */
#ifndef PP_SOLVE_CYCLE_H
#define PP_SOLVE_CYCLE_H

#include "lib/model/depth.h"
#include "lib/model/release.h"

struct pp_cycle_member {
	const struct pp_release *release; /* borrowed */
	bool has_script;                  /* one that has to run after all that it requires */
	bool is_in_ring;                  /* found: its script waits for itself */
};
struct pp_cycle_members pp_vec(struct pp_cycle_member);

/*
 * The first ring of requirements, by name, that leads through two members with scripts, as
 * "a -> b -> c -> a" (owned; of very long ones the ends), or NULL when there is none. A requirement
 * leads to every member that fulfils it. Time grows with members and requirements alone.
 */
char *pp_cycle_of_scripts(struct pp_cycle_members *members);

/* The same over plain numbers. */
struct pp_cycle_graph {
	size_t n;
	const char *const *names; /* in order */
	const bool *has_script;
	const struct pp_links *links; /* sorted by `from`; none is weak */
	bool *out_in_ring;            /* by node; or NULL */
};
char *pp_cycle_in(const struct pp_cycle_graph *g);

#endif
