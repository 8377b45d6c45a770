/* SPDX-License-Identifier: MIT */
/* What the sources offer: the search lines of all of them, and those that hold some words. */
#include "lib/api/api.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* ---- offers ---- */

struct gathering {
	struct pp_offers *offers;
	struct pp_map seen; /* names: the first source that has one answers for it */
	const char *source;
	bool (*takes)(const pp_json *line, const void *user);
	const void *user;
};

static void
gather(const pp_json *line, void *user)
{
	struct gathering *g = user;
	const char *name = pp_json_get_str(line, "name");

	if (name == NULL || pp_map_has(&g->seen, name))
		return;
	*pp_map_put(&g->seen, name) = g;
	if (!g->takes(line, g->user))
		return;
	struct pp_offer *offer = pp_vec_new(g->offers);
	offer->line = pp_json_ref(line);
	offer->source = g->source;
}

static int
by_name(const void *a, const void *b)
{
	const struct pp_offer *x = a, *y = b;

	return strcmp(pp_json_get_str(x->line, "name"), pp_json_get_str(y->line, "name"));
}

enum plugpkg_code
pp_offers_gather(struct pp_sources_open *s, bool (*takes)(const pp_json *line, const void *user),
    const void *user, struct pp_offers *out, plugpkg_error **err)
{
	struct gathering g = { .offers = out, .takes = takes, .user = user };
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < s->catalogs.n; i++) {
		g.source = pp_catalog_source(s->catalogs.at[i])->name;
		rc = pp_catalog_search(s->catalogs.at[i], gather, &g, err);
	}
	pp_map_fini(&g.seen, NULL);
	pp_vec_sort(out, by_name);
	return rc;
}

void
pp_offers_fini(struct pp_offers *o)
{
	pp_vec_foreach (offer, o)
		pp_json_free(offer->line);
	pp_vec_free(o);
}

pp_json *
pp_offer_row(const struct pp_offer *o, const char *type, const struct pp_installed *installed)
{
	pp_json *row = pp_row_new(type);

	pp_json_set_str(row, "name", pp_json_get_str(o->line, "name"));
	pp_json_set_str(row, "version", pp_json_get_str(o->line, "version"));
	pp_json_set_str(row, "source", o->source);
	pp_json_set_str(row, "kind", pp_plugin_type(o->line));
	pp_json_set_str(row, "installed", installed != NULL ? installed->version : NULL);
	pp_json_set_str(row, "summary", pp_json_get_str(o->line, "summary"));
	return row;
}

/* ---- search ---- */

struct words {
	const char *const *at;
	size_t n;
};

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

static bool
holds_all(const pp_json *line, const void *user)
{
	const struct words *words = user;

	for (size_t i = 0; i < words->n; i++)
		if (!holds_word(line, words->at[i]))
			return false;
	return true;
}

enum plugpkg_code
plugpkg_search(plugpkg_context *ctx, const char *const *words, size_t n_words, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_AUTO_SOURCES struct pp_sources_open open = PP_SOURCES_OPEN_INIT;
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	PP_CLEANUP(pp_offers_fini) struct pp_offers offers = { 0 };
	const struct words all = { words, n_words };
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_installed(state, &set, err);
	if (rc == PLUGPKG_OK)
		rc = pp_sources_load(ctx, true, &open, err);
	if (rc == PLUGPKG_OK)
		rc = pp_offers_gather(&open, holds_all, &all, &offers, err);
	if (rc != PLUGPKG_OK)
		return rc;

	pp_vec_foreach (offer, &offers) {
		const char *name = pp_json_get_str(offer->line, "name");
		pp_row(row, user, pp_offer_row(offer, "found", pp_installeds_highest(&set, name)));
	}
	return PLUGPKG_OK;
}
