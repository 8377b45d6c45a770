/* SPDX-License-Identifier: MIT */
/* Who asks for whom: edges from a plugin to what it needs, and from its dependents to it. */
#include "lib/api/api.h"

#include "base/map.h"
#include "lib/model/name.h"
#include "lib/txn/inventory.h"

#include <string.h>

/*
 * Kinds of edges in the order of rows. Only what a plugin cannot or should not be without is
 * followed.
 */
static const struct kind {
	const char *name;
	size_t offset; /* of the relation in struct pp_release */
	bool is_followed;
} kinds[] = {
	{ "requires", offsetof(struct pp_release, requires), true },
	{ "recommends", offsetof(struct pp_release, recommends), true },
	{ "suggests", offsetof(struct pp_release, suggests), false },
	{ "conflicts", offsetof(struct pp_release, conflicts), false },
};

static const struct pp_deps *
relation(const struct pp_release *r, const struct kind *k)
{
	return (const struct pp_deps *)(const void *)((const char *)r + k->offset);
}

struct walk {
	plugpkg_context *ctx;
	struct pp_inventory inv;
	struct pp_sources_open open;
	bool is_open, is_recursive;
	struct pp_strs todo; /* names; those of one level stand together */
	struct pp_map seen;
	size_t level;
	plugpkg_row_fn row;
	void *user;
};

static void
walk_fini(struct walk *w)
{
	pp_inventory_fini(&w->inv);
	pp_sources_open_fini(&w->open);
	pp_strs_fini(&w->todo);
	pp_map_fini(&w->seen, NULL);
}

static void
visit_later(struct walk *w, const char *name)
{
	if (pp_map_has(&w->seen, name))
		return;
	*pp_map_put(&w->seen, name) = w;
	pp_strs_add(&w->todo, name);
}

static void
edge(struct walk *w, const char *from, const struct pp_dep *dep, const struct kind *k)
{
	PP_AUTO_FREE char *by = pp_inventory_satisfier(&w->inv, dep);
	pp_json *one = pp_row_new("edge");

	pp_json_set_str(one, "from", from);
	pp_json_set_str(one, "to", dep->name);
	pp_json_set_str(one, "range", dep->text);
	pp_json_set_str(one, "kind", k->name);
	pp_json_set_str(one, "satisfied_by", by);
	pp_json_set_int(one, "level", (int64_t)w->level);
	pp_row(w->row, w->user, one);
}

/* The whole list is walked level by level; todo grows while it is read. */
static enum plugpkg_code
walk_levels(struct walk *w,
    enum plugpkg_code (*visit)(struct walk *w, const char *name, plugpkg_error **err),
    plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0, end = 0; rc == PLUGPKG_OK && i < w->todo.n; i++) {
		if (i == end) {
			end = w->todo.n;
			w->level++;
		}
		if (w->level > 1 && !w->is_recursive)
			break;
		PP_AUTO_FREE char *name = pp_xstrdup(w->todo.at[i]);
		rc = visit(w, name, err);
	}
	return rc;
}

/* ---- depends ---- */

static void
edges_of(struct walk *w, const struct pp_release *r)
{
	for (size_t i = 0; i < PP_LEN(kinds); i++)
		pp_vec_foreach (dep, relation(r, &kinds[i])) {
			edge(w, r->name, dep, &kinds[i]);
			if (!kinds[i].is_followed || pp_name_is_host(dep->name))
				continue;
			/* A virtual name is followed to who provides it here. */
			PP_AUTO_FREE char *by = pp_inventory_satisfier(&w->inv, dep);
			char *blank = by != NULL ? strchr(by, ' ') : NULL;
			if (blank != NULL)
				*blank = '\0';
			visit_later(w, by != NULL ? by : dep->name);
		}
}

static enum plugpkg_code
visit_dependencies(struct walk *w, const char *name, plugpkg_error **err)
{
	const struct pp_release *r = pp_inventory_release(&w->inv, name);
	if (r != NULL) {
		edges_of(w, r);
		return PLUGPKG_OK;
	}
	enum plugpkg_code rc = PLUGPKG_OK;
	if (!w->is_open)
		rc = pp_sources_load(w->ctx, true, &w->open, err);
	w->is_open = true;

	PP_CLEANUP(pp_releases_fini) struct pp_releases releases = { 0 };
	struct pp_catalog *from = NULL;
	if (rc == PLUGPKG_OK)
		rc = pp_sources_releases(&w->open, name, &from, &releases, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const struct pp_release *best = pp_releases_best(&releases, NULL);
	if (best != NULL)
		edges_of(w, best);
	else if (w->level == 1)
		return pp_sources_unknown(w->ctx, &w->open, name, err);
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_depends(plugpkg_context *ctx, const char *name, int recursive, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(walk_fini)
	struct walk w = {
		.ctx = ctx,
		.open = PP_SOURCES_OPEN_INIT,
		.is_recursive = recursive != 0,
		.row = row,
		.user = user,
	};
	enum plugpkg_code rc = pp_name_check(pp_str_of(name), err);
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(ctx, &w.inv, err);
	if (rc != PLUGPKG_OK)
		return rc;
	visit_later(&w, name);
	return walk_levels(&w, visit_dependencies, err);
}

/* ---- rdepends ---- */

static bool
asks_for(const struct pp_dep *dep, const char *name, const struct pp_release *release)
{
	if (strcmp(dep->name, name) == 0)
		return true;
	return release != NULL && pp_release_satisfies(release, dep);
}

static enum plugpkg_code
visit_dependents(struct walk *w, const char *name, plugpkg_error **err)
{
	const struct pp_release *release = pp_inventory_release(&w->inv, name);

	(void)err; /* everything is known already; the form is walk_levels()'s */
	for (size_t i = 0; i < w->inv.releases.n; i++) {
		const struct pp_release *r = w->inv.releases.at[i];
		for (size_t k = 0; k < PP_LEN(kinds); k++)
			pp_vec_foreach (dep, relation(r, &kinds[k])) {
				if (!asks_for(dep, name, release))
					continue;
				edge(w, r->name, dep, &kinds[k]);
				if (kinds[k].is_followed)
					visit_later(w, r->name);
			}
	}
	return PLUGPKG_OK;
}

/* No edge leads to a misspelt name; whether it is one can only be told by the sources. */
static enum plugpkg_code
check_known(struct walk *w, const char *name, plugpkg_error **err)
{
	if (w->todo.n > 1 || pp_name_is_host(name) || pp_inventory_release(&w->inv, name) != NULL)
		return PLUGPKG_OK;
	PP_CLEANUP(pp_releases_fini) struct pp_releases releases = { 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs providers = { 0 };
	enum plugpkg_code rc = pp_sources_load(w->ctx, true, &w->open, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < w->open.catalogs.n; i++)
		rc = pp_catalog_releases(w->open.catalogs.at[i], name, &releases, &providers, err);
	if (rc != PLUGPKG_OK || releases.n > 0 || providers.n > 0)
		return rc;
	return pp_sources_unknown(w->ctx, &w->open, name, err);
}

enum plugpkg_code
plugpkg_rdepends(plugpkg_context *ctx, const char *name, int recursive, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(walk_fini)
	struct walk w = {
		.ctx = ctx,
		.open = PP_SOURCES_OPEN_INIT,
		.is_recursive = recursive != 0,
		.row = row,
		.user = user,
	};
	enum plugpkg_code rc =
	    pp_name_is_host(name) ? PLUGPKG_OK : pp_name_check(pp_str_of(name), err);
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(ctx, &w.inv, err);
	if (rc != PLUGPKG_OK)
		return rc;
	visit_later(&w, name);
	rc = walk_levels(&w, visit_dependents, err);
	return rc == PLUGPKG_OK ? check_known(&w, name, err) : rc;
}
