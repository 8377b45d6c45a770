/* SPDX-License-Identifier: MIT */
/* What is installed, what is offered: list and search. */
#include "lib/api/api.h"

#include "base/map.h"
#include "lib/model/name.h"
#include "lib/txn/inventory.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* ---- list: installed ---- */

static enum plugpkg_code
find_candidate(plugpkg_context *ctx, struct pp_sources_open *s, const struct pp_installed *p,
    char **out, plugpkg_error **err)
{
	PP_CLEANUP(pp_releases_fini) struct pp_releases releases = { 0 };
	const struct pp_dep *wanted = pp_deps_get(&ctx->config->plugins, p->name);
	struct pp_catalog *from = NULL;

	if (p->link_dir != NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_sources_releases(s, p->name, &from, &releases, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const struct pp_release *best =
	    pp_releases_best(&releases, wanted != NULL ? wanted->range : NULL);
	if (best == NULL || pp_version_cmp_text(best->version.text, p->version) <= 0)
		return PLUGPKG_OK;
	/* A prerelease is offered only to who has one already. */
	struct pp_version mine = { 0 };
	if (pp_version_is_prerelease(&best->version) &&
	    pp_version_parse(pp_str_of(p->version), &mine, NULL) == PLUGPKG_OK &&
	    !pp_version_is_prerelease(&mine))
		best = NULL;
	pp_version_fini(&mine);
	*out = best != NULL ? pp_xstrdup(best->version.text) : NULL;
	return PLUGPKG_OK;
}

static pp_json *
installed_row(
    const plugpkg_context *ctx, const struct pp_installed *p, bool manual, const char *candidate)
{
	pp_json *row = pp_row_new("plugin");

	pp_json_set_str(row, "name", p->name);
	pp_json_set_str(row, "version", p->version);
	pp_json_set_str(row, "key", p->key);
	pp_json_set_str(row, "candidate", candidate);
	pp_json_set_str(row, "source", p->source);
	pp_json_set_bool(row, "manual", manual);
	pp_json_set_str(row, "reason", manual ? "manual" : "automatic");
	pp_json_set_str(row, "state", p->state);
	pp_row_add_hold(ctx, p, row);
	pp_json_set_str(row, "linked_from", p->link_dir);
	pp_json_set_str(row, "summary", pp_json_get_str(p->manifest, "summary"));
	return row;
}

static bool
is_matched(const char *pattern, const struct pp_installed *p)
{
	return pattern == NULL || fnmatch(pattern, p->name, 0) == 0 ||
	       fnmatch(pattern, p->key, 0) == 0;
}

static bool
is_listed(const plugpkg_context *ctx, unsigned flags, const struct pp_installed *p, bool manual)
{
	if ((flags & PLUGPKG_LIST_MANUAL) != 0 && !manual)
		return false;
	if ((flags & PLUGPKG_LIST_HELD) != 0 && !pp_installed_is_held(p, ctx->now))
		return false;
	return (flags & PLUGPKG_LIST_AUTO) == 0 || !manual;
}

static enum plugpkg_code
list_installed(plugpkg_context *ctx, unsigned flags, const char *pattern, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	PP_AUTO_SOURCES struct pp_sources_open open = PP_SOURCES_OPEN_INIT;
	struct pp_state *state = NULL;
	bool upgradable = (flags & PLUGPKG_LIST_UPGRADABLE) != 0;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_installed(state, &set, err);
	/* Only this question needs the sources; a plain list stays a look into one file. */
	if (rc == PLUGPKG_OK && upgradable)
		rc = pp_sources_load(ctx, true, &open, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < set.n; i++) {
		const struct pp_installed *p = set.at[i];
		PP_AUTO_FREE char *candidate = NULL;
		bool manual = pp_installed_wish(&set, p, &ctx->config->plugins) != NULL;
		if (!is_matched(pattern, p) || !is_listed(ctx, flags, p, manual))
			continue;
		if (upgradable)
			rc = find_candidate(ctx, &open, p, &candidate, err);
		if (rc == PLUGPKG_OK && (!upgradable || candidate != NULL))
			pp_row(row, user, installed_row(ctx, p, manual, candidate));
	}
	return rc;
}

/* ---- list --available, search: the search lines of all sources ---- */

struct found {
	pp_json *line;
	const char *source; /* view into the context's configuration */
};
struct gathering {
	struct pp_founds pp_vec(struct found) found;
	struct pp_map seen; /* names: the first source that has one answers for it */
	const char *source;
	const char *pattern; /* list: glob on names, or NULL */
	const char *const *words;
	size_t n_words;
};

static void
gathering_fini(struct gathering *g)
{
	pp_vec_foreach (f, &g->found)
		pp_json_free(f->line);
	pp_vec_free(&g->found);
	pp_map_fini(&g->seen, NULL);
}

static bool
holds_word(const pp_json *line, const char *word)
{
	const char *name = pp_json_get_str(line, "name");
	const char *summary = pp_json_get_str(line, "summary");
	const pp_json *keywords = pp_json_get(line, "keywords");

	if (name != NULL && strcasestr(name, word) != NULL)
		return true;
	if (summary != NULL && strcasestr(summary, word) != NULL)
		return true;
	for (size_t i = 0; i < pp_json_len(keywords); i++) {
		const char *keyword = pp_json_string(pp_json_at(keywords, i));
		if (keyword != NULL && strcasestr(keyword, word) != NULL)
			return true;
	}
	return false;
}

static void
gather(const pp_json *line, void *user)
{
	struct gathering *g = user;
	const char *name = pp_json_get_str(line, "name");

	if (name == NULL || pp_map_has(&g->seen, name))
		return;
	*pp_map_put(&g->seen, name) = g;
	if (g->pattern != NULL && fnmatch(g->pattern, name, 0) != 0)
		return;
	for (size_t i = 0; i < g->n_words; i++)
		if (!holds_word(line, g->words[i]))
			return;
	struct found *f = pp_vec_new(&g->found);
	f->line = pp_json_ref(line);
	f->source = g->source;
}

static int
by_name(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return strcmp(pp_json_get_str(x->line, "name"), pp_json_get_str(y->line, "name"));
}

static enum plugpkg_code
gather_all(plugpkg_context *ctx, struct gathering *g, plugpkg_error **err)
{
	PP_AUTO_SOURCES struct pp_sources_open open = PP_SOURCES_OPEN_INIT;
	enum plugpkg_code rc = pp_sources_load(ctx, true, &open, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < open.catalogs.n; i++) {
		g->source = pp_catalog_source(open.catalogs.at[i])->name;
		rc = pp_catalog_search(open.catalogs.at[i], gather, g, err);
	}
	pp_vec_sort(&g->found, by_name);
	return rc;
}

/* What the sources offer, as rows of one type; those of `list` say the state as well. */
static enum plugpkg_code
send_offers(plugpkg_context *ctx, struct gathering *g, bool is_list, plugpkg_row_fn row, void *user,
    plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_installed(state, &set, err);
	if (rc == PLUGPKG_OK)
		rc = gather_all(ctx, g, err);
	if (rc != PLUGPKG_OK)
		return rc;

	pp_vec_foreach (f, &g->found) {
		const char *name = pp_json_get_str(f->line, "name");
		const struct pp_installed *p = pp_installeds_highest(&set, name);
		pp_json *one = pp_row_new(is_list ? "plugin" : "found");
		pp_json_set_str(one, "name", name);
		pp_json_set_str(one, "version", pp_json_get_str(f->line, "version"));
		pp_json_set_str(one, "source", f->source);
		if (is_list)
			pp_json_set_str(one, "state", p != NULL ? p->state : "available");
		pp_json_set_str(one, "installed", p != NULL ? p->version : NULL);
		pp_json_set_str(one, "summary", pp_json_get_str(f->line, "summary"));
		pp_row(row, user, one);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_list(plugpkg_context *ctx, unsigned flags, const char *pattern, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(gathering_fini) struct gathering g = { .pattern = pattern };

	if ((flags & PLUGPKG_LIST_AVAILABLE) != 0)
		return send_offers(ctx, &g, true, row, user, err);
	return list_installed(ctx, flags, pattern, row, user, err);
}

enum plugpkg_code
plugpkg_search(plugpkg_context *ctx, const char *const *words, size_t n_words, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(gathering_fini) struct gathering g = { .words = words, .n_words = n_words };

	return send_offers(ctx, &g, false, row, user, err);
}
