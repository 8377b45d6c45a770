/* SPDX-License-Identifier: MIT */
/*
 * Ways out of a refusal: what to ask for instead. Each one has been solved before it is offered.
 */
#ifndef PP_SOLVE_WAYS_H
#define PP_SOLVE_WAYS_H

#include "lib/solve/jobs.h"

#include <solv/solver.h>

/*
 * Appends {"text":"remove forum as well","command":"plugpkg install wiki forum-","argv":[…],
 * "dropped":0} to the array: dropped counts the targets that are given up.
 */
void pp_ways_find(struct pp_pool *p, const struct pp_jobs *jobs, Solver *refused, pp_json *out);
/* A solver with the flags of the request, owned (decide.c); may_remove: as far as these say so. */
Solver *pp_decide_solver(const struct pp_pool *p, bool may_remove);
/* decide.c: why the solver could not, as causes appended to the array (explain.h). */
void pp_decide_explain(
    const struct pp_pool *p, const struct pp_jobs *jobs, Solver *s, pp_json *out);

#endif
