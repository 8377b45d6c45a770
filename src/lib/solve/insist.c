/* SPDX-License-Identifier: MIT */
/* By themselves upgrades rather stay behind than remove; each is asked for outright, and tried. */
#include "lib/solve/insist.h"

#include "lib/solve/majors.h"
#include "lib/solve/ways.h"

#include <string.h>

/* One attempt each: of very many, the last ones go without. */
#define MAX_TRIED 200

static bool
may_come(const struct pp_load *l, const struct pp_cand *c, const struct pp_solve_installed *inst)
{
	bool any_origin = (l->request->flags & PLUGPKG_ALLOW_ORIGIN_CHANGE) != 0;
	const struct pp_dep *wanted = pp_world_wanted(l->world, inst->release);

	if (c->origin != PP_FROM_SOURCE || !pp_excludes(inst->release, c->release) ||
	    pp_version_cmp(&c->release->version, &inst->release->version) <= 0)
		return false;
	if (pp_version_is_prerelease(&c->release->version) && !c->is_loose)
		return false;
	if (!any_origin &&
	    (inst->source == NULL || strcmp(inst->source, l->world->sources[c->source].name) != 0))
		return false;
	return wanted == NULL || pp_cand_satisfies(l, c, wanted);
}

static size_t
newest(const struct pp_load *l, size_t installed)
{
	const struct pp_solve_installed *inst = l->cands.at[installed].installed;
	const char *name = inst->release->name;
	size_t best = PP_NO_CAND;

	for (size_t i = pp_load_first_cand(l, name); pp_load_is_cand_of(l, i, name); i++)
		if (may_come(l, &l->cands.at[i], inst) &&
		    (best == PP_NO_CAND || pp_version_cmp(&l->cands.at[i].release->version,
					       &l->cands.at[best].release->version) > 0))
			best = i;
	return best;
}

static bool
is_possible(const struct pp_pool *p, struct pp_jobs *j)
{
	Solver *s = pp_decide_solver(p, true);
	bool ok = solver_solve(s, &j->queue) == 0;

	solver_free(s);
	return ok;
}

void
pp_insist(struct pp_jobs *j, struct pp_pool *p)
{
	const struct pp_load *l = p->load;
	size_t n_tried = 0;

	if (l->request->verb != PLUGPKG_UPGRADE || (l->request->flags & PLUGPKG_ALLOW_REMOVE) == 0)
		return;
	for (size_t i = 0; i < l->cands.n && n_tried < MAX_TRIED; i++) {
		const struct pp_solve_installed *inst = l->cands.at[i].installed;
		if (inst == NULL || inst->hold || inst->linked ||
		    (l->asks.n > 0 && pp_majors_ask(l, inst->release) == NULL))
			continue;
		size_t best = newest(l, i), n = j->list.n;
		if (best == PP_NO_CAND)
			continue;
		pp_jobs_push(j, SOLVER_INSTALL | SOLVER_SOLVABLE, p->solvables[best],
		    (struct pp_job){ .kind = PP_JOB_POLICY, .cand = PP_NO_CAND });
		if (!is_possible(p, j))
			pp_jobs_truncate(j, n);
		n_tried++;
	}
}
