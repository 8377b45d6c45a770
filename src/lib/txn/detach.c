/* SPDX-License-Identifier: MIT */
/*
 * Dependents that stay without what leaves. What they are detached from stands with the installed
 * plugin and counts in this root only; it is over when something installed satisfies the
 * requirement again, or when the dependent itself comes in another version.
 */
#include "lib/txn/event.h"

#include <stdlib.h>
#include <string.h>

void
pp_txn_detach(struct pp_txn *t)
{
	pp_vec_foreach (vote, &t->spec->plan->votes) {
		size_t i = pp_installeds_index(&t->set, vote->key);
		if (vote->said != PP_SAID_STAY || i == SIZE_MAX)
			continue;
		struct pp_strs *names = &t->set.at[i]->detached;
		if (!pp_strs_has(names, vote->requirement))
			pp_strs_add(names, vote->requirement);
		pp_strs_sort(names);
	}
}

/* ---- again ---- */

static bool
has_detached(const struct pp_installeds *set)
{
	pp_vec_foreach (p, set)
		if ((*p)->detached.n > 0)
			return true;
	return false;
}

static void
read_usable(const struct pp_installeds *set, struct pp_releases *out)
{
	pp_vec_foreach (p, set) {
		struct pp_release *r = NULL;
		if (pp_installed_is_usable(*p) && pp_installed_release(*p, &r, NULL) == PLUGPKG_OK)
			pp_vec_push(out, r);
	}
}

static bool
is_satisfied(const struct pp_releases *all, const struct pp_dep *dep)
{
	pp_vec_foreach (r, all)
		if (pp_release_satisfies(*r, dep))
			return true;
	return false;
}

/* A name that it does not require at all is nothing to be detached from. */
static bool
is_over(const struct pp_release *whole, const struct pp_releases *all, const char *name)
{
	const struct pp_dep *dep = pp_deps_get(&whole->requires, name);

	return dep == NULL || is_satisfied(all, dep);
}

/* Bindings are made of the releases in t->old, where the plugin itself does not change. */
static void
renew_release(struct pp_txn *t, const struct pp_installed *p)
{
	size_t i = pp_installeds_index(&t->old.set, p->key);
	struct pp_release *r = NULL;

	if (i >= t->old.releases.n || strcmp(t->old.set.at[i]->version, p->version) != 0 ||
	    pp_installed_release(p, &r, NULL) != PLUGPKG_OK)
		return;
	pp_release_free(t->old.releases.at[i]);
	t->old.releases.at[i] = r;
}

static void
reattach(struct pp_txn *t, struct pp_installed *p, const struct pp_releases *all)
{
	PP_AUTO(release) struct pp_release *whole = NULL;
	size_t n = 0, before = p->detached.n;

	if (pp_release_parse(p->manifest, p->name, "var/state.db", PLUGPKG_E_BAD_STATE, &whole,
		NULL) != PLUGPKG_OK)
		return;
	for (size_t i = 0; i < before; i++) {
		if (is_over(whole, all, p->detached.at[i]))
			free(p->detached.at[i]);
		else
			p->detached.at[n++] = p->detached.at[i];
	}
	p->detached.n = n;
	if (n != before)
		renew_release(t, p);
}

void
pp_txn_reattach(struct pp_txn *t)
{
	struct pp_releases all = { 0 };

	if (!has_detached(&t->set))
		return;
	read_usable(&t->set, &all);
	pp_vec_foreach (p, &t->set)
		if (pp_installed_is_usable(*p) && (*p)->detached.n > 0)
			reattach(t, *p, &all);
	pp_releases_fini(&all);
}
