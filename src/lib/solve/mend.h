/* SPDX-License-Identifier: MIT */
/*
 * Installed plugins whose requirements are not met, mostly because the application changed. libsolv
 * keeps them as they are unless it is told to verify them.
 */
#ifndef PP_SOLVE_MEND_H
#define PP_SOLVE_MEND_H

#include "lib/solve/decide.h"
#include "lib/solve/jobs.h"

/* One that no plan can mend, and why. */
struct pp_unmended {
	size_t cand;
	char *why; /* NULL: nobody tried */
};
struct pp_unmendeds pp_vec(struct pp_unmended);

/*
 * Adds jobs to j that make the plan bring versions that fit: `install NAME` insists on it,
 * `upgrade` tries it for each broken plugin and leaves those as they are for which it cannot be.
 */
void pp_mend(struct pp_jobs *j, struct pp_pool *p, struct pp_unmendeds *out);
void pp_unmendeds_fini(struct pp_unmendeds *list);
/* Is the candidate installed, chosen to stay, and lacks something in what was chosen? */
bool pp_stays_broken(struct pp_pool *p, const bool *chosen, size_t cand);
/* One line {"broken":NAME,"version":…,"reason":TEXT} for each that stays so. */
void pp_mend_say(struct pp_pool *p, const bool *chosen, const struct pp_unmendeds *list,
    pp_decide_say say, void *user);

#endif
