/* SPDX-License-Identifier: MIT */
/* Admission of releases. Decides nothing: what it leaves out could not be chosen at all. */
#include "lib/solve/admit.h"

#include <fnmatch.h>
#include <string.h>

/* Beyond so many versions of a name the solver gets slow: each pair of them is a rule. */
#define MANY_VERSIONS   300
#define KEEP_OF_A_MAJOR 40
#define KEEP_OF_A_RANGE 16

size_t
pp_admit_source(const struct pp_load *l, const char *name)
{
	for (size_t i = 0; name != NULL && i < l->world->n_sources; i++)
		if (strcmp(l->world->sources[i].name, name) == 0)
			return i;
	return PP_NO_SOURCE;
}

/* ---- age ---- */

static bool
is_excepted(const struct pp_load *l, const char *name)
{
	const struct pp_strs *except = l->request->min_age_except;

	if (except == NULL)
		return false;
	pp_vec_foreach (pattern, except)
		if (fnmatch(*pattern, name, 0) == 0)
			return true;
	return false;
}

static bool
is_exactly(const struct pp_dep *dep, const struct pp_version *v)
{
	const struct pp_version *exact =
	    dep != NULL && dep->range != NULL ? pp_range_exact(dep->range) : NULL;

	return exact != NULL && pp_version_cmp(exact, v) == 0;
}

/* Who names a version exactly has looked at it. */
static bool
is_named_exactly(const struct pp_load *l, const struct pp_release *r)
{
	pp_vec_foreach (a, &l->asks)
		if (!a->is_removal && strcmp(a->dep.name, r->name) == 0 &&
		    is_exactly(&a->dep, &r->version))
			return true;
	return is_exactly(pp_world_wanted(l->world, r), &r->version);
}

int64_t
pp_admit_old_enough_at(const struct pp_load *l, const struct pp_release *r)
{
	return r->published > 0 ? r->published + l->request->min_age_s : 0;
}

static bool
is_too_young(const struct pp_load *l, const struct pp_release *r)
{
	if (l->request->min_age_s <= 0 || is_excepted(l, r->name))
		return false;
	int64_t at = pp_admit_old_enough_at(l, r);
	return (at == 0 || at > l->request->now) && !is_named_exactly(l, r);
}

/* ---- sources ---- */

static int
newest_first(const void *a, const void *b)
{
	struct pp_release *const *x = a, *const *y = b;

	return pp_version_cmp(&(*y)->version, &(*x)->version);
}

/* As a source's index is; a sort would compare far more. */
static bool
is_sorted(const struct pp_releases *list)
{
	for (size_t i = 1; i < list->n; i++)
		if (newest_first(&list->at[i - 1], &list->at[i]) > 0)
			return false;
	return true;
}

/* Did the installed plugin come from there? */
static bool
is_from(const struct pp_load *l, const struct pp_solve_installed *inst, size_t source)
{
	return inst->source != NULL && !inst->linked &&
	       strcmp(inst->source, l->world->sources[source].name) == 0;
}

/* What one source says of the name. */
static enum plugpkg_code
ask_source(struct pp_load *l, struct pp_known *k, size_t source, plugpkg_error **err)
{
	const struct pp_solve_source *s = &l->world->sources[source];
	struct pp_releases *list = pp_vec_new(&l->lists);
	enum plugpkg_code rc = s->releases(s->user, k->name, list, &k->providers, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (list->n > 0 && k->owner == PP_NO_SOURCE)
		k->owner = source;
	if (list->n > 0 && k->installed != NULL && is_from(l, k->installed, source))
		k->home = source;
	if (!is_sorted(list))
		pp_vec_sort(list, newest_first);
	k->is_shared |= list->n > 0 && k->slots.n > 0;
	pp_vec_foreach (r, list)
		pp_vec_push(&k->slots, ((struct pp_slot){ .release = *r, .source = source }));
	return PLUGPKG_OK;
}

/* ---- states ---- */

static bool
takes_prereleases(const struct pp_load *l, const struct pp_known *k)
{
	if ((l->request->flags & PLUGPKG_PRE) == 0)
		return false;
	return l->asks.n > 0 ? pp_load_ask(l, k->name) != NULL : k->installed != NULL;
}

/* The installed version again: never a choice of its own, but what a reinstall would take. */
static bool
is_twin(
    const struct pp_load *l, const struct pp_known *k, const struct pp_slot *s, size_t asked_source)
{
	pp_vec_foreach (i, &k->majors)
		if (pp_version_cmp(&(*i)->release->version, &s->release->version) == 0)
			return asked_source == PP_NO_SOURCE || (*i)->linked ||
			       is_from(l, *i, s->source);
	return false;
}

/* Of one version in several sources, only one is a choice. */
static bool
is_had_elsewhere(const struct pp_known *k, const struct pp_slot *s)
{
	if (!k->is_shared)
		return false;
	pp_vec_foreach (other, &k->slots)
		if (other->source != s->source && other->is_judged &&
		    other->state != PP_SLOT_SOURCE &&
		    pp_version_cmp(&other->release->version, &s->release->version) == 0)
			return true;
	return false;
}

/* Whose turn is it to answer for the name? */
static bool
is_in_charge(const struct pp_load *l, const struct pp_known *k, size_t source, size_t asked_source)
{
	bool may_change = (l->request->flags & PLUGPKG_ALLOW_ORIGIN_CHANGE) != 0;

	if (asked_source != PP_NO_SOURCE)
		return source == asked_source;
	/* A link is an origin too, and it is left only by name. */
	if (may_change && k->installed != NULL && k->installed->linked &&
	    pp_load_ask(l, k->name) == NULL)
		return false;
	return source == k->home ||
	       l->world->sources[source].priority >= l->world->sources[k->owner].priority;
}

static enum pp_slot_state
judge(const struct pp_load *l, const struct pp_known *k, struct pp_slot *s, size_t asked_source)
{
	if (!is_in_charge(l, k, s->source, asked_source) || is_had_elsewhere(k, s))
		return PP_SLOT_SOURCE;
	if (pp_release_unfit(s->release) != PP_UNFIT_NOT)
		return PP_SLOT_PLATFORM;
	if (is_twin(l, k, s, asked_source))
		return PP_SLOT_TWIN;
	if (is_too_young(l, s->release))
		return PP_SLOT_AGE;
	if (pp_version_is_prerelease(&s->release->version) && !k->takes_prereleases)
		return PP_SLOT_PRERELEASE;
	return PP_SLOT_CANDIDATE;
}

/* The installed plugin's own source first: it is asked before others that have the same version. */
static void
judge_all(const struct pp_load *l, struct pp_known *k)
{
	const struct pp_ask *ask = pp_load_ask(l, k->name);
	size_t asked = ask != NULL ? pp_admit_source(l, ask->source) : PP_NO_SOURCE;

	for (int round = 0; round < 2; round++) {
		pp_vec_foreach (s, &k->slots) {
			if ((s->source == k->home) != (round == 0))
				continue;
			s->state = judge(l, k, s, asked);
			s->is_judged = true;
		}
	}
}

static size_t
major_length(const struct pp_slot *s)
{
	return strcspn(s->release->version.parts, ".");
}

/*
 * Of very many versions only the newest of each major are candidates until a range needs others.
 */
static void
thin_out(struct pp_known *k)
{
	size_t run = 0;

	if (k->slots.n <= MANY_VERSIONS)
		return;
	for (size_t i = 0; i < k->slots.n; i++) {
		struct pp_slot *s = &k->slots.at[i];
		size_t n = major_length(s);
		bool is_same =
		    i > 0 && n == major_length(s - 1) &&
		    memcmp(s->release->version.parts, (s - 1)->release->version.parts, n) == 0;
		run = is_same ? run + 1 : 0;
		if (run >= KEEP_OF_A_MAJOR && s->state == PP_SLOT_CANDIDATE)
			s->state = PP_SLOT_OLD;
	}
}

enum plugpkg_code
pp_admit_load(struct pp_load *l, struct pp_known *k, plugpkg_error **err)
{
	k->takes_prereleases = takes_prereleases(l, k);
	pp_vec_foreach (source, &l->by_priority) {
		enum plugpkg_code rc = ask_source(l, k, *source, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	if ((l->request->flags & PLUGPKG_ALLOW_ORIGIN_CHANGE) != 0)
		k->home = PP_NO_SOURCE;
	judge_all(l, k);
	thin_out(k);
	pp_vec_foreach (s, &k->slots)
		k->n_waiting += s->state == PP_SLOT_PRERELEASE || s->state == PP_SLOT_OLD;
	pp_strs_sort(&k->providers);
	return PLUGPKG_OK;
}

void
pp_admit_by_range(struct pp_known *k, const struct pp_dep *d)
{
	size_t taken = 0;

	pp_vec_foreach (s, &k->slots) {
		bool is_pre = s->state == PP_SLOT_PRERELEASE;
		if (!is_pre && (s->state != PP_SLOT_OLD || taken >= KEEP_OF_A_RANGE))
			continue;
		if (!pp_range_match(d->range, &s->release->version, false))
			continue;
		s->state = PP_SLOT_CANDIDATE;
		k->n_waiting--;
		taken += !is_pre;
	}
}
