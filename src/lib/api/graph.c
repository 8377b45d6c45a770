/* SPDX-License-Identifier: MIT */
/* The installed plugins and what holds them together, as nodes and edges for drawing. */
#include "lib/api/api.h"

#include "base/map.h"
#include "lib/model/name.h"
#include "lib/txn/marks.h"
#include "lib/txn/web.h"

#include <stdlib.h>
#include <string.h>

struct drawing {
	plugpkg_context *ctx;
	struct pp_web web;
	struct pp_depths depths;
	bool *is_drawn; /* by place */
	plugpkg_row_fn row;
	void *user;
};

static void
drawing_fini(struct drawing *d)
{
	pp_web_fini(&d->web);
	pp_depths_fini(&d->depths);
	free(d->is_drawn);
}

/* ---- which plugins ---- */

static bool
is_followed(const struct pp_thread *t)
{
	return t->to != PP_NOBODY && pp_tie_is_followed(t->tie);
}

/* The named ones and all that they lead to. A plugin is looked at once, so cycles end. */
static enum plugpkg_code
choose(struct drawing *d, const char *const *names, size_t n_names, plugpkg_error **err)
{
	const struct pp_threads *threads = &d->web.threads;
	struct pp_vec(size_t) todo = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < n_names; i++) {
		size_t place = pp_web_place(&d->web, names[i]);
		rc = pp_marks_check(names[i], err);
		if (rc == PLUGPKG_OK && place == PP_NOBODY)
			rc = pp_marks_not_installed(&d->web.inv.set, names[i], err);
		if (rc == PLUGPKG_OK)
			pp_vec_push(&todo, place);
	}
	for (size_t i = 0; n_names == 0 && i < d->web.inv.set.n; i++)
		d->is_drawn[i] = true;
	for (size_t i = 0; rc == PLUGPKG_OK && i < todo.n; i++) {
		size_t place = todo.at[i];
		if (d->is_drawn[place])
			continue;
		d->is_drawn[place] = true;
		for (size_t t = pp_web_first(&d->web, place);
		     t < threads->n && threads->at[t].from == place; t++)
			if (is_followed(&threads->at[t]) && !d->is_drawn[threads->at[t].to])
				pp_vec_push(&todo, threads->at[t].to);
	}
	pp_vec_free(&todo);
	return rc;
}

/* ---- rows ---- */

static void
send_plugin(const struct drawing *d, size_t place)
{
	const struct pp_installed *p = d->web.inv.set.at[place];
	bool manual = pp_installed_wish(&d->web.inv.set, p, &d->ctx->config->plugins) != NULL;
	pp_json *one = pp_row_new("node");

	pp_json_set_str(one, "id", p->key);
	pp_json_set_str(one, "kind", "plugin");
	pp_json_set_str(one, "name", p->name);
	pp_json_set_str(one, "version", p->version);
	pp_row_add_state(p, one);
	pp_json_set_bool(one, "manual", manual);
	pp_json_set_int(one, "depth", d->depths.depth[place]);
	pp_row(d->row, d->user, one);
}

/* What is no plugin here: a name of the application, or one that is missing. */
static void
send_other(const struct drawing *d, const char *name)
{
	const struct pp_dep *host = pp_deps_get(&d->ctx->config->provides, name);
	pp_json *one = pp_row_new("node");

	pp_json_set_str(one, "id", name);
	pp_json_set_str(one, "kind", host != NULL ? "host" : "missing");
	pp_json_set_str(one, "name", name);
	pp_json_set_str(one, "version", host != NULL ? host->version.text : NULL);
	pp_row(d->row, d->user, one);
}

/* A conflict with nothing, and a recommendation that nobody followed, are no lines. */
static bool
is_line(const struct drawing *d, const struct pp_thread *t)
{
	if (!d->is_drawn[t->from] || !pp_installed_is_usable(d->web.inv.set.at[t->from]) ||
	    t->to == t->from)
		return false;
	switch (t->tie) {
	case PP_TIE_REQUIRES:
		return true;
	case PP_TIE_RECOMMENDS:
	case PP_TIE_CONFLICTS:
		return t->to != PP_NOBODY || t->host != NULL;
	case PP_TIE_SUGGESTS:
	case PP_N_TIES:
		break;
	}
	return false;
}

/* Where the line ends: at what satisfies it, else at what bears the name and does not do. */
static const char *
end_of(const struct drawing *d, const struct pp_thread *t)
{
	const struct pp_installeds *set = &d->web.inv.set;
	size_t place = t->to;

	if (place == PP_NOBODY)
		place = pp_web_place(&d->web, t->dep->name);
	return place != PP_NOBODY && d->is_drawn[place] ? set->at[place]->key : t->dep->name;
}

static void
send_line(const struct drawing *d, const struct pp_thread *t)
{
	bool is_met = t->to != PP_NOBODY || t->host != NULL;
	pp_json *one = pp_row_new("line");

	pp_json_set_str(one, "from", d->web.inv.set.at[t->from]->key);
	pp_json_set_str(one, "to", end_of(d, t));
	pp_json_set_str(one, "kind", pp_tie_names[t->tie]);
	pp_json_set_str(one, "name", t->dep->name);
	pp_json_set_str(one, "range", t->dep->text);
	pp_json_set_bool(one, "broken", t->tie == PP_TIE_CONFLICTS ? is_met : !is_met);
	pp_row(d->row, d->user, one);
}

/* The ends of lines that are no drawn plugins, each once, in order of names. */
static void
send_others(const struct drawing *d)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };

	pp_vec_foreach (t, &d->web.threads) {
		if (!is_line(d, t))
			continue;
		const char *end = end_of(d, t);
		size_t place = pp_installeds_index(&d->web.inv.set, end);
		if (place == PP_NOBODY || !d->is_drawn[place])
			pp_strs_add(&names, end);
	}
	pp_strs_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		if (i == 0 || strcmp(names.at[i], names.at[i - 1]) != 0)
			send_other(d, names.at[i]);
}

enum plugpkg_code
plugpkg_graph(plugpkg_context *ctx, const char *const *names, size_t n_names, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(drawing_fini) struct drawing d = { .ctx = ctx, .row = row, .user = user };
	enum plugpkg_code rc = pp_web_load(ctx, &d.web, err);
	if (rc != PLUGPKG_OK)
		return rc;
	d.is_drawn = pp_xcalloc(d.web.inv.set.n + 1, sizeof(*d.is_drawn));
	rc = choose(&d, names, n_names, err);
	if (rc != PLUGPKG_OK)
		return rc;

	pp_web_depths(&d.web, &d.depths);
	for (size_t i = 0; i < d.web.inv.set.n; i++)
		if (d.is_drawn[i])
			send_plugin(&d, i);
	send_others(&d);
	pp_vec_foreach (t, &d.web.threads)
		if (is_line(&d, t))
			send_line(&d, t);
	return PLUGPKG_OK;
}
