/* SPDX-License-Identifier: MIT */
/* What is installed, what could be: the rows of list. */
#include "lib/api/again.h"
#include "lib/api/api.h"
#include "lib/api/listed.h"

#include "lib/model/name.h"
#include "lib/txn/broken.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define LISTED_FILE "var/listed"
#define PLAIN       "list" /* the request that is remembered */

struct listing {
	plugpkg_context *ctx;
	const struct plugpkg_list_spec *spec;
	struct pp_web web;
	struct pp_depths depths;
	struct pp_vec(size_t) places; /* of installed plugins, in the order of rows */
	struct pp_sources_open open;
	struct pp_offers offers;
	plugpkg_listed_fn each; /* or NULL: rows are wanted */
	bool is_kept;           /* what is shown is remembered */
	struct pp_buf kept;
	plugpkg_row_fn row;
	void *user;
};

static void
listing_fini(struct listing *l)
{
	pp_web_fini(&l->web);
	pp_depths_fini(&l->depths);
	pp_vec_free(&l->places);
	pp_sources_open_fini(&l->open);
	pp_offers_fini(&l->offers);
	pp_buf_fini(&l->kept);
}

static bool
wants(const struct listing *l, unsigned flag)
{
	return (l->spec->flags & flag) != 0;
}

const char *
pp_plugin_type(const pp_json *manifest)
{
	const char *type = pp_json_get_str(manifest, "type");

	return type != NULL ? type : "plugin";
}

static bool
is_of_type(const struct plugpkg_list_spec *spec, const pp_json *manifest)
{
	return spec->type == NULL || strcmp(spec->type, pp_plugin_type(manifest)) == 0;
}

/* ---- installed ---- */

static const struct pp_dep *
wish_of(const struct listing *l, const struct pp_installed *p)
{
	return pp_installed_wish(&l->web.inv.set, p, &l->ctx->config->plugins);
}

/* In the wanted range, of the same major where majors stand side by side. */
static bool
is_update(const struct listing *l, const struct pp_installed *p, const struct pp_release *r)
{
	const struct pp_dep *wanted = wish_of(l, p);

	return pp_version_cmp_text(r->version.text, p->version) > 0 &&
	       strcmp(pp_release_key(r), p->key) == 0 && pp_release_fits_here(r, NULL) &&
	       (wanted == NULL || wanted->range == NULL ||
		   pp_range_match(wanted->range, &r->version, false));
}

static bool
is_prerelease(const char *version)
{
	struct pp_version v = { 0 };
	bool is_pre = pp_version_parse(pp_str_of(version), &v, NULL) == PLUGPKG_OK &&
		      pp_version_is_prerelease(&v);

	pp_version_fini(&v);
	return is_pre;
}

static enum plugpkg_code
find_candidate(struct listing *l, const struct pp_installed *p, char **out, plugpkg_error **err)
{
	PP_CLEANUP(pp_releases_fini) struct pp_releases releases = { 0 };
	/* A prerelease is offered only to who has one already, and only when nothing else is. */
	bool takes_prereleases = is_prerelease(p->version);
	struct pp_catalog *from = NULL;

	if (p->link_dir != NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_sources_releases(&l->open, p->name, &from, &releases, err);
	if (rc != PLUGPKG_OK)
		return rc;
	/* An installed plugin stays with its source. */
	if (from == NULL || strcmp(pp_catalog_source(from)->name, p->source) != 0)
		return PLUGPKG_OK;
	const struct pp_release *best = NULL;
	pp_vec_foreach (r, &releases) {
		bool is_pre = pp_version_is_prerelease(&(*r)->version);
		if (!is_update(l, p, *r) || (is_pre && (!takes_prereleases || best != NULL)))
			continue;
		best = *r;
		if (!is_pre)
			break;
	}
	*out = best != NULL ? pp_xstrdup(best->version.text) : NULL;
	return PLUGPKG_OK;
}

static bool
is_manual(const struct listing *l, const struct pp_installed *p)
{
	return wish_of(l, p) != NULL;
}

static bool
is_listed(const struct listing *l, const struct pp_installed *p)
{
	const char *pattern = l->spec->pattern;

	if (pattern != NULL && fnmatch(pattern, p->name, 0) != 0 &&
	    fnmatch(pattern, p->key, 0) != 0)
		return false;
	if (!is_of_type(l->spec, p->manifest))
		return false;
	if (wants(l, PLUGPKG_LIST_HELD) && !pp_installed_is_held(p, l->ctx->now))
		return false;
	if (wants(l, PLUGPKG_LIST_DISABLED) && pp_installed_is_active(p))
		return false;
	if (wants(l, PLUGPKG_LIST_MANUAL) && !is_manual(l, p))
		return false;
	return !wants(l, PLUGPKG_LIST_AUTO) || !is_manual(l, p);
}

static void
row_of_installed(const struct listing *l, size_t place, const char *candidate)
{
	const struct pp_installed *p = l->web.inv.set.at[place];
	bool manual = is_manual(l, p);
	pp_json *row = pp_row_new("plugin");

	pp_json_set_str(row, "name", p->name);
	pp_json_set_str(row, "version", p->version);
	pp_json_set_str(row, "key", p->key);
	pp_json_set_str(row, "candidate", candidate);
	pp_json_set_str(row, "source", p->source);
	pp_json_set_bool(row, "manual", manual);
	pp_json_set_str(row, "reason", manual ? "manual" : "automatic");
	pp_row_add_state(p, row);
	pp_json_set_str(row, "kind", pp_plugin_type(p->manifest));
	if (wants(l, PLUGPKG_LIST_LEVELS))
		pp_json_set_int(row, "depth", l->depths.depth[place]);
	pp_row_add_hold(l->ctx, p, row);
	pp_row_add_detached(p, row);
	pp_row_add_skipped(p, row);
	pp_row_add_broken(&l->web, place, row);
	pp_json_set_str(row, "linked_from", p->link_dir);
	pp_json_set_str(row, "summary", pp_json_get_str(p->manifest, "summary"));
	pp_row(l->row, l->user, row);
}

static void
show_installed(struct listing *l, size_t place, const char *candidate)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs complaints = { 0 };
	const struct pp_installed *p = l->web.inv.set.at[place];

	pp_broken_complaints(&l->web, place, &complaints);
	const struct plugpkg_listed one = {
		.name = p->name,
		.version = p->version,
		.source = p->source,
		.summary = pp_json_get_str(p->manifest, "summary"),
		.key = p->key,
		.candidate = candidate,
		.reason = is_manual(l, p) ? "manual" : "automatic",
		.state = pp_installed_state(p),
		.blocked_by = p->blocked_by,
		.linked_from = p->link_dir,
		.held_until = p->hold_until,
		.is_held = pp_installed_is_held(p, l->ctx->now),
		.is_broken = complaints.n > 0,
		.depth = wants(l, PLUGPKG_LIST_LEVELS) ? l->depths.depth[place] : 0,
	};
	l->each(&one, l->user);
	if (l->is_kept)
		pp_listed_add(&one, &l->kept);
}

static enum plugpkg_code
send_installed(struct listing *l, size_t place, plugpkg_error **err)
{
	PP_AUTO_FREE char *candidate = NULL;
	enum plugpkg_code rc = PLUGPKG_OK;

	/* Only these questions need the sources; a plain list stays a look into one file. */
	if (wants(l, PLUGPKG_LIST_UPGRADABLE | PLUGPKG_LIST_ALL))
		rc = find_candidate(l, l->web.inv.set.at[place], &candidate, err);
	if (rc != PLUGPKG_OK || (wants(l, PLUGPKG_LIST_UPGRADABLE) && candidate == NULL))
		return rc;
	if (l->each != NULL)
		show_installed(l, place, candidate);
	else
		row_of_installed(l, place, candidate);
	return PLUGPKG_OK;
}

/* Ties keep the order of keys. */
static void
sort_by_depth(struct listing *l)
{
	struct pp_vec(size_t) sorted = { 0 };
	uint32_t deepest = 0;

	pp_web_depths(&l->web, &l->depths);
	for (size_t i = 0; i < l->places.n; i++)
		if (l->depths.depth[l->places.at[i]] > deepest)
			deepest = l->depths.depth[l->places.at[i]];
	for (uint32_t depth = 0; depth <= deepest; depth++)
		pp_vec_foreach (place, &l->places)
			if (l->depths.depth[*place] == depth)
				pp_vec_push(&sorted, *place);
	for (size_t i = 0; i < sorted.n; i++)
		l->places.at[i] = sorted.at[i];
	pp_vec_free(&sorted);
}

/* ---- offers ---- */

static bool
is_offer_listed(const pp_json *line, const void *user)
{
	const struct plugpkg_list_spec *spec = user;

	return (spec->pattern == NULL ||
		   fnmatch(spec->pattern, pp_json_get_str(line, "name"), 0) == 0) &&
	       is_of_type(spec, line);
}

static void
send_offer(const struct listing *l, const struct pp_offer *offer)
{
	const char *name = pp_json_get_str(offer->line, "name");
	const struct pp_installed *p = pp_installeds_highest(&l->web.inv.set, name);
	const struct plugpkg_listed one = {
		.name = name,
		.version = pp_json_get_str(offer->line, "version"),
		.source = offer->source,
		.summary = pp_json_get_str(offer->line, "summary"),
		.state = p != NULL ? pp_installed_state(p) : "available",
		.installed = p != NULL ? p->version : NULL,
	};

	if (l->each != NULL) {
		l->each(&one, l->user);
		return;
	}
	pp_json *row = pp_offer_row(offer, "plugin", p);
	pp_json_set_str(row, "state", one.state);
	pp_row(l->row, l->user, row);
}

/* ---- all of it ---- */

/* Of two lists in order of names; an installed plugin stands for its offer. */
static enum plugpkg_code
send_both(struct listing *l, plugpkg_error **err)
{
	const struct pp_installeds *set = &l->web.inv.set;
	enum plugpkg_code rc = PLUGPKG_OK;
	size_t o = 0;

	for (size_t i = 0; rc == PLUGPKG_OK && i <= l->places.n; i++) {
		const char *next = i < l->places.n ? set->at[l->places.at[i]]->name : NULL;
		for (; o < l->offers.n; o++) {
			const char *name = pp_json_get_str(l->offers.at[o].line, "name");
			if (next != NULL && strcmp(name, next) > 0)
				break;
			if (pp_installeds_highest(set, name) == NULL)
				send_offer(l, &l->offers.at[o]);
		}
		if (next != NULL)
			rc = send_installed(l, l->places.at[i], err);
	}
	return rc;
}

/* The web tells who is broken; nobody is where all of it is whole. */
static enum plugpkg_code
load_installed(struct listing *l, plugpkg_error **err)
{
	bool is_whole = false;

	return wants(l, PLUGPKG_LIST_LEVELS) ? pp_web_load(l->ctx, &l->web, err)
					     : pp_web_load_if_torn(l->ctx, &l->web, &is_whole, err);
}

static enum plugpkg_code
send_rows(struct listing *l, plugpkg_error **err)
{
	bool is_offered = wants(l, PLUGPKG_LIST_AVAILABLE | PLUGPKG_LIST_ALL);
	enum plugpkg_code rc = PLUGPKG_OK;
	if (is_offered || wants(l, PLUGPKG_LIST_UPGRADABLE))
		rc = pp_sources_load(l->ctx, true, &l->open, err);
	if (rc == PLUGPKG_OK && is_offered)
		rc = pp_offers_gather(&l->open, is_offer_listed, l->spec, &l->offers, err);
	if (rc != PLUGPKG_OK)
		return rc;

	for (size_t i = 0; i < l->web.inv.set.n; i++)
		if (is_listed(l, l->web.inv.set.at[i]))
			pp_vec_push(&l->places, i);
	if (wants(l, PLUGPKG_LIST_ALL))
		return send_both(l, err);
	if (is_offered) {
		pp_vec_foreach (offer, &l->offers)
			send_offer(l, offer);
		return PLUGPKG_OK;
	}
	if (wants(l, PLUGPKG_LIST_LEVELS))
		sort_by_depth(l);
	for (size_t i = 0; rc == PLUGPKG_OK && i < l->places.n; i++)
		rc = send_installed(l, l->places.at[i], err);
	return rc;
}

static enum plugpkg_code
list(struct listing *l, plugpkg_error **err)
{
	enum plugpkg_code rc = load_installed(l, err);

	return rc == PLUGPKG_OK ? send_rows(l, err) : rc;
}

/* ---- again ---- */

static bool
is_plain(const struct plugpkg_list_spec *spec)
{
	return spec->flags == 0 && spec->pattern == NULL && spec->type == NULL;
}

/* What it showed before, while nothing has changed since. */
static bool
show_known(struct listing *l)
{
	PP_CLEANUP(pp_again_fini) struct pp_again again = { .request = NULL };
	PP_AUTO_LOOK struct pp_state *look = NULL;
	struct pp_listed_rows rows = { 0 };
	struct pp_str text = { NULL, 0 };
	bool is_known = pp_state_glance(l->ctx, &look, NULL) == PLUGPKG_OK &&
			pp_again_has_answer(l->ctx, PLAIN, LISTED_FILE, &again, &text) &&
			pp_listed_read(text, &rows);

	pp_state_look_end(&look);
	for (size_t i = 0; is_known && i < rows.n; i++)
		l->each(&rows.at[i], l->user);
	pp_vec_free(&rows);
	return is_known;
}

static enum plugpkg_code
list_plainly(struct listing *l, plugpkg_error **err)
{
	PP_CLEANUP(pp_again_fini) struct pp_again again = { .request = NULL };
	PP_AUTO_LOOK struct pp_state *look = NULL;

	if (show_known(l))
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_state_look(l->ctx, &look, err);
	if (rc != PLUGPKG_OK)
		return rc;
	l->is_kept = pp_again_begin(l->ctx, PLAIN, 0, &again);
	rc = load_installed(l, err);
	pp_state_look_end(&look);
	if (rc == PLUGPKG_OK)
		rc = send_rows(l, err);
	pp_listed_end(&l->kept);
	if (rc == PLUGPKG_OK && !l->kept.overflow)
		pp_again_keep_answer(l->ctx, &again, LISTED_FILE,
		    (struct pp_str){ l->kept.s, l->kept.n }, pp_again_end(l->ctx, &l->web.inv.set));
	return rc;
}

enum plugpkg_code
plugpkg_list(plugpkg_context *ctx, const struct plugpkg_list_spec *spec, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(listing_fini)
	struct listing l = {
		.ctx = ctx,
		.spec = spec,
		.open = PP_SOURCES_OPEN_INIT,
		.row = row,
		.user = user,
	};

	return list(&l, err);
}

enum plugpkg_code
plugpkg_list_each(plugpkg_context *ctx, const struct plugpkg_list_spec *spec,
    plugpkg_listed_fn each, void *user, plugpkg_error **err)
{
	PP_CLEANUP(listing_fini)
	struct listing l = {
		.ctx = ctx,
		.spec = spec,
		.open = PP_SOURCES_OPEN_INIT,
		.each = each,
		.kept = PP_BUF_INIT(PP_AGAIN_ANSWER_MAX_BYTES),
		.user = user,
	};

	return is_plain(spec) ? list_plainly(&l, err) : list(&l, err);
}
