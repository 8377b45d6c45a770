/* SPDX-License-Identifier: MIT */
/*
 * Ways out of a refusal: what to ask for instead. Each one has been solved before it is offered.
 */
#ifndef PP_SOLVE_WAYS_H
#define PP_SOLVE_WAYS_H

#include "lib/solve/jobs.h"

#include <solv/solver.h>

/* Lines such as "remove forum as well: plugpkg install wiki forum-". */
void pp_ways_find(
    struct pp_pool *p, const struct pp_jobs *jobs, Solver *refused, struct pp_strs *out);
/* A solver with the flags of the request, owned (decide.c). */
Solver *pp_decide_solver(const struct pp_pool *p);
/* decide.c: why the solver could not, in sentences, causes first. */
void pp_decide_explain(
    const struct pp_pool *p, const struct pp_jobs *jobs, Solver *s, struct pp_strs *out);

#endif
