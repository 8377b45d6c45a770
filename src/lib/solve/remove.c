/* SPDX-License-Identifier: MIT */
/*
 * Removal looks at the installed plugins only (with sources at hand a solver would rather upgrade
 * dependents than let them go). What has to go along is then the least fixed point, unique, and
 * needs no search.
 */
#include "lib/solve/remove.h"

#include "lib/solve/majors.h"
#include "lib/solve/steps.h"

#include <string.h>

struct need {
	size_t dependent; /* candidate */
	const struct pp_dep *dep;
};
struct needs pp_vec(struct need);
struct cand_list pp_vec(size_t);

struct removal {
	const struct pp_load *load;
	struct pp_leaving *leaving; /* by candidate */
	struct pp_map needs;        /* name -> struct needs: who requires it */
	struct pp_map providers;    /* name -> struct cand_list: installed plugins that have it */
	struct cand_list queue;
};

static void
index_need(struct removal *r, size_t cand, const struct pp_dep *d)
{
	void **at = pp_map_put(&r->needs, d->name);

	if (*at == NULL)
		*at = pp_xcalloc(1, sizeof(struct needs));
	struct needs *list = *at;
	pp_vec_push(list, ((struct need){ cand, d }));
}

static void
index_provider(struct removal *r, size_t cand, const char *name)
{
	void **at = pp_map_put(&r->providers, name);

	if (*at == NULL)
		*at = pp_xcalloc(1, sizeof(struct cand_list));
	struct cand_list *list = *at;
	pp_vec_push(list, cand);
}

static void
removal_init(struct removal *r, const struct pp_load *l)
{
	*r = (struct removal){
		.load = l,
		.leaving = pp_xcalloc(l->cands.n + 1, sizeof(struct pp_leaving)),
	};
	for (size_t i = 0; i < l->cands.n; i++) {
		const struct pp_release *rel = l->cands.at[i].release;
		index_provider(r, i, rel->name);
		if (rel->is_parallel)
			index_provider(r, i, pp_release_key(rel)); /* for wishes */
		pp_vec_foreach (d, &rel->provides)
			if (strcmp(d->name, rel->name) != 0)
				index_provider(r, i, d->name);
		pp_vec_foreach (d, &rel->requires)
			index_need(r, i, d);
	}
}

static void
free_needs(void *p)
{
	struct needs *list = p;

	pp_vec_free(list);
	free(list);
}

static void
free_list(void *p)
{
	struct cand_list *list = p;

	pp_vec_free(list);
	free(list);
}

static void
removal_fini(struct removal *r)
{
	free(r->leaving);
	pp_map_fini(&r->needs, free_needs);
	pp_map_fini(&r->providers, free_list);
	pp_vec_free(&r->queue);
}

static bool
is_still_satisfied(const struct removal *r, const struct pp_dep *d)
{
	const struct cand_list *list = pp_map_get(&r->providers, d->name);

	pp_vec_foreach (i, list)
		if (!r->leaving[*i].leaves && pp_cand_satisfies(r->load, &r->load->cands.at[*i], d))
			return true;
	return false;
}

static void
let_go(struct removal *r, size_t cand, enum pp_why why, const char *because)
{
	if (r->leaving[cand].leaves)
		return;
	r->leaving[cand] = (struct pp_leaving){ .leaves = true, .why = why, .because = because };
	pp_vec_push(&r->queue, cand);
}

/* Dependents that this one kept whole and nothing else does. */
static void
follow(struct removal *r, size_t cand, const char *name)
{
	const struct needs *list = pp_map_get(&r->needs, name);
	const struct pp_cand *gone = &r->load->cands.at[cand];

	if (list == NULL)
		return;
	pp_vec_foreach (n, list)
		if (!r->leaving[n->dependent].leaves && pp_cand_satisfies(r->load, gone, n->dep) &&
		    !is_still_satisfied(r, n->dep))
			let_go(r, n->dependent, PP_WHY_BROKEN, pp_release_key(gone->release));
}

static void
follow_all(struct removal *r)
{
	for (size_t i = 0; i < r->queue.n; i++) {
		const struct pp_release *rel = r->load->cands.at[r->queue.at[i]].release;
		follow(r, r->queue.at[i], rel->name);
		pp_vec_foreach (d, &rel->provides)
			if (strcmp(d->name, rel->name) != 0)
				follow(r, r->queue.at[i], d->name);
	}
}

/* ---- remove ---- */

static enum plugpkg_code
let_one_go(struct removal *r, const struct pp_ask *ask, plugpkg_error **err)
{
	const struct pp_solve_installed *inst = NULL;
	enum plugpkg_code rc = pp_majors_leaving(r->load, ask, &inst, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < r->load->cands.n; i++)
		if (r->load->cands.at[i].installed == inst)
			let_go(r, i, PP_WHY_REQUESTED, NULL);
	return rc;
}

static enum plugpkg_code
let_asked_go(struct removal *r, plugpkg_error **err)
{
	const struct pp_load *l = r->load;

	if ((l->request->flags & PLUGPKG_ALL) != 0)
		for (size_t i = 0; i < l->cands.n; i++)
			if (l->cands.at[i].origin == PP_FROM_INSTALLED)
				let_go(r, i, PP_WHY_REQUESTED, NULL);
	pp_vec_foreach (ask, &l->asks) {
		enum plugpkg_code rc = let_one_go(r, ask, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
check_holds(const struct removal *r, plugpkg_error **err)
{
	pp_vec_foreach (i, &r->queue) {
		const struct pp_cand *c = &r->load->cands.at[*i];
		const char *name = pp_release_key(c->release);
		if (!c->installed->hold)
			continue;
		const char *because = r->leaving[*i].because;
		enum plugpkg_code rc =
		    because == NULL
			? pp_fail(err, PLUGPKG_E_REFUSED, 0, "cannot remove %s: it is held", name)
			: pp_fail(err, PLUGPKG_E_REFUSED, 0,
			      "cannot remove %s: %s needs it, and %s is held", because, name, name);
		rc = pp_hint(err, rc, "release the hold first: plugpkg unhold %s", name);
		return pp_subject(err, rc, name);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_remove(const struct pp_load *l, struct pp_plan *plan, plugpkg_error **err)
{
	struct removal r;

	removal_init(&r, l);
	enum plugpkg_code rc = let_asked_go(&r, err);
	if (rc == PLUGPKG_OK) {
		follow_all(&r);
		rc = check_holds(&r, err);
	}
	if (rc == PLUGPKG_OK)
		pp_steps_add_removals(l, r.leaving, plan);
	removal_fini(&r);
	return rc;
}

/* ---- autoremove ---- */

/* Of several majors that would do, a dependent is bound to the highest. */
static bool
has_higher(
    const struct removal *r, const struct cand_list *list, size_t cand, const struct pp_dep *d)
{
	const struct pp_release *mine = r->load->cands.at[cand].release;

	pp_vec_foreach (i, list) {
		const struct pp_release *other = r->load->cands.at[*i].release;
		if (strcmp(mine->name, d->name) == 0 && strcmp(other->name, d->name) == 0 &&
		    pp_version_cmp(&other->version, &mine->version) > 0 &&
		    pp_cand_satisfies(r->load, &r->load->cands.at[*i], d))
			return true;
	}
	return false;
}

/* Marks what is needed: here `leaves` means "was reached", and is turned around at the end. */
static void
reach(struct removal *r, const struct pp_deps *deps)
{
	pp_vec_foreach (d, deps) {
		const struct cand_list *list = pp_map_get(&r->providers, d->name);
		if (list == NULL)
			continue;
		pp_vec_foreach (i, list)
			if (pp_cand_satisfies(r->load, &r->load->cands.at[*i], d) &&
			    !has_higher(r, list, *i, d))
				let_go(r, *i, PP_WHY_UNNEEDED, NULL);
	}
}

void
pp_autoremove(const struct pp_load *l, struct pp_plan *plan)
{
	struct removal r;

	removal_init(&r, l);
	for (size_t i = 0; i < l->cands.n; i++) {
		const struct pp_solve_installed *inst = l->cands.at[i].installed;
		if (inst == NULL || inst->manual || inst->hold || inst->linked)
			let_go(&r, i, PP_WHY_UNNEEDED, NULL);
	}
	if (l->world->wanted != NULL)
		reach(&r, l->world->wanted);
	for (size_t i = 0; i < r.queue.n; i++) {
		const struct pp_release *rel = l->cands.at[r.queue.at[i]].release;
		reach(&r, &rel->requires);
		reach(&r, &rel->recommends);
	}
	for (size_t i = 0; i < l->cands.n; i++)
		r.leaving[i] = (struct pp_leaving){
			.leaves = !r.leaving[i].leaves,
			.why = PP_WHY_UNNEEDED,
		};
	pp_steps_add_removals(l, r.leaving, plan);
	removal_fini(&r);
}
