/* SPDX-License-Identifier: MIT */
/* Finds by name who satisfies what, and spins the threads between the installed plugins. */
#include "lib/txn/web.h"

#include "lib/model/name.h"

#include <stdlib.h>
#include <string.h>

struct pp_places pp_vec(size_t);

static const struct {
	size_t offset; /* of the relation in struct pp_release */
	bool is_followed;
} ties[PP_N_TIES] = {
	[PP_TIE_REQUIRES] = { offsetof(struct pp_release, requires), true },
	[PP_TIE_RECOMMENDS] = { offsetof(struct pp_release, recommends), true },
	[PP_TIE_SUGGESTS] = { offsetof(struct pp_release, suggests), false },
	[PP_TIE_CONFLICTS] = { offsetof(struct pp_release, conflicts), false },
};
const char *const pp_tie_names[PP_N_TIES] = { "requires", "recommends", "suggests", "conflicts" };

bool
pp_tie_is_followed(enum pp_tie tie)
{
	return ties[tie].is_followed;
}

const struct pp_deps *
pp_tie_deps(const struct pp_release *r, enum pp_tie tie)
{
	return (const struct pp_deps *)(const void *)((const char *)r + ties[tie].offset);
}

static void
add_name(struct pp_web *w, const char *name, size_t place)
{
	void **at = pp_map_put(&w->by_name, name);

	if (*at == NULL)
		*at = pp_xcalloc(1, sizeof(struct pp_places));
	struct pp_places *list = *at;
	pp_vec_push(list, place);
}

/* Own names first, so that a plugin is found before those that provide its name. */
static void
index_names(struct pp_web *w)
{
	for (size_t i = 0; i < w->inv.set.n; i++)
		add_name(w, w->inv.set.at[i]->name, i);
	for (size_t i = 0; i < w->inv.set.n; i++)
		pp_vec_foreach (dep, &w->inv.releases.at[i]->provides)
			if (strcmp(dep->name, w->inv.set.at[i]->name) != 0)
				add_name(w, dep->name, i);
}

static bool
does_satisfy(const struct pp_web *w, size_t place, const struct pp_dep *dep)
{
	return pp_installed_is_usable(w->inv.set.at[place]) &&
	       pp_release_satisfies(w->inv.releases.at[place], dep);
}

static const char *
host_of(const struct pp_web *w, const struct pp_dep *dep)
{
	const struct pp_dep *host = NULL;

	if (pp_name_is_host(dep->name))
		host = pp_deps_get(w->inv.host, dep->name);
	if (host == NULL || host->version.text == NULL ||
	    (dep->range != NULL && !pp_range_match(dep->range, &host->version, true)))
		return NULL;
	return host->version.text;
}

static bool
is_named(const struct pp_web *w, size_t place, const struct pp_dep *dep)
{
	return strcmp(w->inv.set.at[place]->name, dep->name) == 0;
}

/* As bindings are: who is in use comes before who is not. */
static bool
is_better(const struct pp_web *w, size_t a, size_t b)
{
	bool x = pp_installed_is_active(w->inv.set.at[a]);
	bool y = pp_installed_is_active(w->inv.set.at[b]);

	return x != y ? x
		      : pp_version_cmp(
			    &w->inv.releases.at[a]->version, &w->inv.releases.at[b]->version) > 0;
}

/* Of several majors of one name the highest that will do; they stand first in the list. */
static size_t
find_named(const struct pp_web *w, const struct pp_places *list, const struct pp_dep *dep)
{
	size_t best = PP_NOBODY;

	for (size_t i = 0; list != NULL && i < list->n && is_named(w, list->at[i], dep); i++) {
		size_t at = list->at[i];
		if (does_satisfy(w, at, dep) && (best == PP_NOBODY || is_better(w, at, best)))
			best = at;
	}
	return best;
}

static void
spin(struct pp_web *w, size_t from, enum pp_tie tie, const struct pp_dep *dep)
{
	const struct pp_places *list = pp_map_get(&w->by_name, dep->name);
	struct pp_thread t = { .from = from, .tie = tie, .dep = dep };
	size_t n = w->threads.n;

	t.to = find_named(w, list, dep);
	if (t.to != PP_NOBODY)
		pp_vec_push(&w->threads, t);
	for (size_t i = 0; list != NULL && i < list->n; i++) {
		t.to = list->at[i];
		if (!is_named(w, t.to, dep) && does_satisfy(w, t.to, dep))
			pp_vec_push(&w->threads, t);
	}
	if (w->threads.n > n)
		return;
	t.to = PP_NOBODY;
	t.host = host_of(w, dep);
	pp_vec_push(&w->threads, t);
}

static void
spin_all(struct pp_web *w)
{
	index_names(w);
	for (size_t i = 0; i < w->inv.set.n; i++)
		for (enum pp_tie tie = 0; tie < PP_N_TIES; tie++)
			pp_vec_foreach (dep, pp_tie_deps(w->inv.releases.at[i], tie))
				spin(w, i, tie, dep);
}

enum plugpkg_code
pp_web_load(plugpkg_context *ctx, struct pp_web *out, plugpkg_error **err)
{
	PP_AUTO_LOOK struct pp_state *look = NULL;
	enum plugpkg_code rc = pp_state_look(ctx, &look, err);

	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(ctx, &out->inv, err);
	if (rc == PLUGPKG_OK)
		spin_all(out);
	return rc;
}

enum plugpkg_code
pp_web_load_if_torn(
    plugpkg_context *ctx, struct pp_web *out, bool *out_is_whole, plugpkg_error **err)
{
	PP_AUTO_LOOK struct pp_state *look = NULL;
	enum plugpkg_code rc = pp_state_look(ctx, &look, err);

	*out_is_whole = false;
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load_set(ctx, NULL, &out->inv, err);
	if (rc != PLUGPKG_OK)
		return rc;
	*out_is_whole = pp_set_is_whole(ctx, &out->inv.set);
	if (*out_is_whole)
		return rc;
	rc = pp_inventory_load_releases(ctx, &out->inv, err);
	if (rc == PLUGPKG_OK)
		spin_all(out);
	return rc;
}

/* The name itself and what plugins of that name require, each once. */
static enum plugpkg_code
names_around(plugpkg_context *ctx, const char *name, struct pp_strs *out, plugpkg_error **err)
{
	PP_AUTO_INVENTORY struct pp_inventory inv = { .host = NULL };

	pp_strs_add(out, name);
	enum plugpkg_code rc = pp_inventory_load_named(ctx, out, &inv, err);
	pp_vec_foreach (r, &inv.releases)
		pp_vec_foreach (dep, &(*r)->requires)
			if (!pp_strs_has(out, dep->name))
				pp_strs_add(out, dep->name);
	return rc;
}

enum plugpkg_code
pp_web_load_around(plugpkg_context *ctx, const char *name, struct pp_web *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_LOOK struct pp_state *look = NULL;
	enum plugpkg_code rc = pp_state_look(ctx, &look, err);

	if (rc == PLUGPKG_OK)
		rc = names_around(ctx, name, &names, err);
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load_named(ctx, &names, &out->inv, err);
	if (rc == PLUGPKG_OK)
		spin_all(out);
	return rc;
}

static void
free_places(void *p)
{
	struct pp_places *list = p;

	pp_vec_free(list);
	free(list);
}

void
pp_web_fini(struct pp_web *w)
{
	pp_vec_free(&w->threads);
	pp_map_fini(&w->by_name, free_places);
	pp_inventory_fini(&w->inv);
}

size_t
pp_web_find(const struct pp_web *w, const struct pp_dep *dep)
{
	const struct pp_places *list = pp_map_get(&w->by_name, dep->name);
	size_t named = find_named(w, list, dep);

	for (size_t i = 0; named == PP_NOBODY && list != NULL && i < list->n; i++)
		if (does_satisfy(w, list->at[i], dep))
			return list->at[i];
	return named;
}

size_t
pp_web_place(const struct pp_web *w, const char *name)
{
	size_t place = pp_installeds_index(&w->inv.set, name);
	const struct pp_installed *p = NULL;

	if (place == PP_NOBODY)
		p = pp_installeds_highest(&w->inv.set, name);
	return p != NULL ? pp_installeds_index(&w->inv.set, p->key) : place;
}

size_t
pp_web_first(const struct pp_web *w, size_t place)
{
	size_t low = 0, high = w->threads.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (w->threads.at[mid].from < place)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void
pp_web_depths(const struct pp_web *w, struct pp_depths *out)
{
	struct pp_links links = { 0 };

	pp_vec_foreach (t, &w->threads)
		if (t->to != PP_NOBODY && t->to != t->from && t->tie != PP_TIE_CONFLICTS)
			pp_vec_push(&links,
			    ((struct pp_link){ t->from, t->to, t->tie != PP_TIE_REQUIRES }));
	pp_depths_find(out, w->inv.set.n, &links);
	pp_vec_free(&links);
}
