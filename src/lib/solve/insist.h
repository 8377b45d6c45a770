/* SPDX-License-Identifier: MIT */
/* `upgrade` with leave to remove: newest versions come first, and what stands in their way goes. */
#ifndef PP_SOLVE_INSIST_H
#define PP_SOLVE_INSIST_H

#include "lib/solve/jobs.h"

/*
 * Adds a job for each newest version that is possible beside those added before, by name. Nothing
 * for other requests.
 */
void pp_insist(struct pp_jobs *j, struct pp_pool *p);

#endif
