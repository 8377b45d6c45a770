/* SPDX-License-Identifier: MIT */
/*
 * Refuses a plan in which scripts wait for each other. Planning rows tell nothing of scripts, so
 * this is looked at when the details of what was chosen are there.
 */
#include "lib/api/making.h"

#include "lib/solve/cycle.h"

#include <stdlib.h>
#include <string.h>

static bool
is_planned(const struct pp_making *m, const char *key)
{
	pp_vec_foreach (step, &m->plan->steps)
		if (strcmp(step->key, key) == 0)
			return true;
	return false;
}

/* Cheap for the usual plan: is there a ring at all with two scripts in it? */
static bool
may_wait(const struct pp_plan *plan)
{
	pp_vec_foreach (a, &plan->steps) {
		if (a->cycle == 0 || !a->runs_script)
			continue;
		for (const struct pp_step *b = a + 1; b < plan->steps.at + plan->steps.n; b++)
			if (b->cycle == a->cycle && b->runs_script)
				return true;
	}
	return false;
}

/* release: borrowed */
static void
add_member(struct pp_cycle_members *members, const struct pp_release *release, bool runs_script)
{
	pp_vec_push(members, ((struct pp_cycle_member){ release, runs_script, false }));
}

/*
 * All that will be there, whether it changes or not: the ring may lead through both. Only what
 * changes runs a script.
 */
static enum plugpkg_code
collect(const struct pp_making *m, struct pp_cycle_members *out, struct pp_releases *owned,
    plugpkg_error **err)
{
	pp_vec_foreach (step, &m->plan->steps) {
		const struct pp_release *link = m->link != NULL ? m->link->release : NULL;
		struct pp_release *r = NULL;
		if (step->cycle == 0)
			continue;
		if (step->link_dir != NULL && link != NULL) {
			add_member(out, link, step->runs_script);
			continue;
		}
		enum plugpkg_code rc = pp_release_parse(
		    step->row, step->name, step->name, PLUGPKG_E_BAD_METADATA, &r, err);
		if (rc != PLUGPKG_OK)
			return rc;
		pp_vec_push(owned, r);
		add_member(out, r, step->runs_script);
	}
	pp_vec_foreach (r, &m->inv.releases)
		if (!is_planned(m, pp_release_key(*r)))
			add_member(out, *r, false);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_making_cycles(const struct pp_making *m, plugpkg_error **err)
{
	PP_CLEANUP(pp_releases_fini) struct pp_releases owned = { 0 };
	struct pp_cycle_members members = { 0 };

	if (!may_wait(m->plan))
		return PLUGPKG_OK;
	enum plugpkg_code rc = collect(m, &members, &owned, err);
	PP_AUTO_FREE char *ring = rc == PLUGPKG_OK ? pp_cycle_of_scripts(&members) : NULL;
	pp_vec_free(&members);
	if (rc != PLUGPKG_OK || ring == NULL)
		return rc;
	rc = pp_fail(
	    err, PLUGPKG_E_NO_SOLUTION, 0, "these plugins' scripts wait for each other: %s", ring);
	return pp_hint(err, rc,
	    "each script runs after those of all that its plugin requires; ask the authors to "
	    "break "
	    "the ring, or ask for a version before it was closed");
}
