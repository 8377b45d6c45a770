/* SPDX-License-Identifier: MIT */
/*
 * Who asks for whom: edges from a plugin to what it needs, and from its dependents to it, level by
 * level or as a tree. The way down is a list of our own, so a chain of any length fits.
 */
#include "lib/api/api.h"

#include "base/map.h"
#include "lib/model/name.h"
#include "lib/txn/marks.h"
#include "lib/txn/web.h"

#include <stdlib.h>
#include <string.h>

/* A name that was met: of an installed plugin, of one that a source has, or of neither. */
struct node {
	char *name;
	size_t place;                     /* of the installed plugin, or PP_NOBODY */
	const struct pp_release *release; /* NULL before it is looked up, and for unknown names */
	bool is_looked_up, is_met, is_open, has_branches;
};

/* One edge away from a node. */
struct branch {
	const struct pp_dep *dep;
	enum pp_tie tie;
	struct node *from, *next; /* next: where it leads on, or NULL */
	size_t by;                /* the installed plugin that satisfies it, or PP_NOBODY */
};
struct branches pp_vec(struct branch);

/* A node on the way down, or in line to be looked at. */
struct stop {
	struct node *node;
	struct branches branches;
	size_t next;  /* branch to look at */
	size_t row;   /* number of the row that led here; 0 = none did */
	size_t depth; /* of its branches */
};

struct walk {
	plugpkg_context *ctx;
	struct pp_web web;
	struct pp_sources_open open;
	bool is_open, is_recursive;
	struct pp_map nodes; /* name -> struct node */
	struct pp_vec(struct pp_releases) offers;
	struct stops pp_vec(struct stop) stops;
	size_t n_rows;
	/* rdepends: the threads of the web by where they lead to; first[i] .. first[i + 1] */
	size_t *first, *sorted;
	bool has_broken; /* somebody is not content with the plugin of the name he asks for */
	enum plugpkg_code (*branch)(
	    struct walk *w, struct node *node, struct branches *out, plugpkg_error **err);
	plugpkg_row_fn row;
	void *user;
};

static void
free_node(void *p)
{
	struct node *node = p;

	free(node->name);
	free(node);
}

static void
walk_fini(struct walk *w)
{
	pp_vec_foreach (stop, &w->stops)
		pp_vec_free(&stop->branches);
	pp_vec_free(&w->stops);
	pp_vec_foreach (list, &w->offers)
		pp_releases_fini(list);
	pp_vec_free(&w->offers);
	pp_map_fini(&w->nodes, free_node);
	free(w->first);
	free(w->sorted);
	pp_web_fini(&w->web);
	pp_sources_open_fini(&w->open);
}

static struct node *
node_of(struct walk *w, const char *name, size_t place)
{
	void **at = pp_map_put(&w->nodes, name);

	if (*at == NULL) {
		struct node *node = pp_xcalloc(1, sizeof(*node));
		node->name = pp_xstrdup(name);
		node->place = place;
		node->release = place != PP_NOBODY ? w->web.inv.releases.at[place] : NULL;
		node->is_looked_up = place != PP_NOBODY;
		*at = node;
	}
	return *at;
}

static struct node *
node_at(struct walk *w, size_t place)
{
	return node_of(w, w->web.inv.set.at[place]->key, place);
}

/* ---- rows ---- */

static void
add_fate(const struct walk *w, const struct branch *b, pp_json *row)
{
	const struct pp_installeds *set = &w->web.inv.set;
	const char *host = pp_inventory_host_version(&w->web.inv, b->dep);
	PP_AUTO_FREE char *host_by = pp_inventory_satisfier(&w->web.inv, b->dep);

	if (host != NULL) {
		pp_json_set_str(row, "satisfied_by", host_by);
		pp_json_set_str(row, "installed", host_by == NULL ? host : NULL);
		return;
	}
	if (b->by != PP_NOBODY) {
		PP_AUTO_FREE char *by =
		    pp_asprintf("%s %s", set->at[b->by]->name, set->at[b->by]->version);
		pp_json_set_str(row, "satisfied_by", by);
		if (!pp_installed_is_active(set->at[b->by]))
			pp_json_set_str(row, "state", pp_installed_state(set->at[b->by]));
		return;
	}
	size_t place = pp_web_place(&w->web, b->dep->name);
	if (place != PP_NOBODY)
		pp_json_set_str(row, "installed", set->at[place]->version);
}

static size_t
send_edge(struct walk *w, const struct branch *b, const struct stop *stop, const char *mark)
{
	pp_json *one = pp_row_new("edge");

	pp_json_set_str(one, "from", b->from->name);
	if (b->from->release != NULL)
		pp_json_set_str(one, "from_version", b->from->release->version.text);
	pp_json_set_str(one, "to", b->dep->name);
	pp_json_set_str(one, "range", b->dep->text);
	pp_json_set_str(one, "kind", pp_tie_names[b->tie]);
	add_fate(w, b, one);
	pp_json_set_int(one, "id", (int64_t)++w->n_rows);
	if (stop->row != 0)
		pp_json_set_int(one, "parent", (int64_t)stop->row);
	pp_json_set_int(one, "depth", (int64_t)stop->depth);
	if (mark != NULL)
		pp_json_set_bool(one, mark, true);
	pp_row(w->row, w->user, one);
	return w->n_rows;
}

static void
send_start(struct walk *w, const struct node *node)
{
	pp_json *one = pp_row_new("tree");

	pp_json_set_str(one, "name", node->name);
	if (node->release != NULL)
		pp_json_set_str(one, "version", node->release->version.text);
	pp_json_set_bool(one, "installed", node->place != PP_NOBODY);
	pp_row(w->row, w->user, one);
}

/* ---- the walk ---- */

static enum plugpkg_code
add_stop(struct walk *w, struct node *node, size_t row, size_t depth, plugpkg_error **err)
{
	struct stop *stop = pp_vec_new(&w->stops);

	stop->node = node;
	stop->row = row;
	stop->depth = depth;
	node->is_met = true;
	enum plugpkg_code rc = pp_check_cancel(w->ctx, err);
	if (rc == PLUGPKG_OK)
		rc = w->branch(w, node, &stop->branches, err);
	node->has_branches = stop->branches.n > 0;
	return rc;
}

/* Level by level: the list of stops grows while it is read. */
static enum plugpkg_code
walk_levels(struct walk *w, struct node *start, plugpkg_error **err)
{
	enum plugpkg_code rc = add_stop(w, start, 0, 1, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < w->stops.n; i++)
		for (size_t b = 0; rc == PLUGPKG_OK && b < w->stops.at[i].branches.n; b++) {
			struct stop stop = w->stops.at[i]; /* the list may move */
			struct node *next = stop.branches.at[b].next;
			size_t row = send_edge(w, &stop.branches.at[b], &stop, NULL);
			if (w->is_recursive && next != NULL && !next->is_met)
				rc = add_stop(w, next, row, stop.depth + 1, err);
		}
	return rc;
}

static void
go_back(struct walk *w)
{
	struct stop *last = &w->stops.at[--w->stops.n];

	last->node->is_open = false;
	pp_vec_free(&last->branches);
}

/* Into the depth: what was shown above is marked, and what leads to itself is a cycle. */
static enum plugpkg_code
walk_tree(struct walk *w, struct node *start, plugpkg_error **err)
{
	enum plugpkg_code rc = add_stop(w, start, 0, 1, err);

	if (rc == PLUGPKG_OK)
		send_start(w, start);
	start->is_open = true;
	while (rc == PLUGPKG_OK && w->stops.n > 0) {
		struct stop *stop = &w->stops.at[w->stops.n - 1];
		if (stop->next == stop->branches.n) {
			go_back(w);
			continue;
		}
		const struct branch *b = &stop->branches.at[stop->next++];
		struct node *next = b->next;
		const char *mark = NULL;
		if (next != NULL && next->is_open)
			mark = "cycle";
		else if (next != NULL && next->is_met && next->has_branches)
			mark = "repeated";
		size_t row = send_edge(w, b, stop, mark);
		if (next == NULL || next->is_met)
			continue;
		next->is_open = true;
		rc = add_stop(w, next, row, stop->depth + 1, err);
	}
	return rc;
}

/* ---- depends ---- */

/* What is installed can be asked without any source; then their failure only ends the way. */
static enum plugpkg_code
open_sources(struct walk *w, const struct node *node, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	bool is_start = w->stops.n == 1;

	if (w->is_open)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_sources_load(w->ctx, true, &w->open, is_start ? err : &why);
	w->is_open = true;
	if (rc == PLUGPKG_OK || is_start)
		return rc;
	pp_warn(w->ctx, node->name, "%s", plugpkg_error_message(why));
	return PLUGPKG_OK;
}

static enum plugpkg_code
look_up(struct walk *w, struct node *node, plugpkg_error **err)
{
	struct pp_catalog *from = NULL;

	if (node->is_looked_up)
		return PLUGPKG_OK;
	node->is_looked_up = true;
	enum plugpkg_code rc = open_sources(w, node, err);
	struct pp_releases *list = pp_vec_new(&w->offers);
	if (rc == PLUGPKG_OK)
		rc = pp_sources_releases(&w->open, node->name, &from, list, err);
	if (rc != PLUGPKG_OK)
		return rc;
	node->release = pp_releases_best(list, NULL);
	if (node->release == NULL && w->stops.n == 1)
		return pp_sources_unknown(w->ctx, &w->open, node->name, err);
	return PLUGPKG_OK;
}

/* What bears the name, whether or not it does; else what a source may know of it. */
static struct node *
next_named(struct walk *w, const char *name)
{
	size_t place = pp_web_place(&w->web, name);

	return place != PP_NOBODY ? node_at(w, place) : node_of(w, name, PP_NOBODY);
}

static enum plugpkg_code
branch_down(struct walk *w, struct node *node, struct branches *out, plugpkg_error **err)
{
	enum plugpkg_code rc = look_up(w, node, err);
	if (rc != PLUGPKG_OK || node->release == NULL)
		return rc;

	for (enum pp_tie tie = 0; tie < PP_N_TIES; tie++)
		pp_vec_foreach (dep, pp_tie_deps(node->release, tie)) {
			struct branch b = { .dep = dep, .tie = tie, .from = node };
			b.by = pp_web_find(&w->web, dep);
			/* A virtual name is followed to who provides it here. */
			if (pp_tie_is_followed(tie) && b.by != PP_NOBODY)
				b.next = node_at(w, b.by);
			else if (pp_tie_is_followed(tie) && !pp_name_is_host(dep->name))
				b.next = node_of(w, dep->name, pp_web_place(&w->web, dep->name));
			pp_vec_push(out, b);
		}
	return PLUGPKG_OK;
}

static enum plugpkg_code
go(struct walk *w, const char *name, unsigned flags, plugpkg_error **err)
{
	struct node *start = next_named(w, name);

	w->is_recursive = (flags & PLUGPKG_DEPENDS_RECURSIVE) != 0;
	if ((flags & PLUGPKG_DEPENDS_TREE) != 0)
		return walk_tree(w, start, err);
	return walk_levels(w, start, err);
}

enum plugpkg_code
plugpkg_depends(plugpkg_context *ctx, const char *name, unsigned flags, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(walk_fini)
	struct walk w = {
		.ctx = ctx,
		.open = PP_SOURCES_OPEN_INIT,
		.branch = branch_down,
		.row = row,
		.user = user,
	};
	enum plugpkg_code rc = pp_marks_check(name, err);
	if (rc == PLUGPKG_OK)
		rc = pp_web_load(ctx, &w.web, err);
	return rc == PLUGPKG_OK ? go(&w, name, flags, err) : rc;
}

/* ---- rdepends ---- */

/* Counts, then places: the threads stay in the order of their dependents. */
static void
sort_by_target(struct walk *w)
{
	const struct pp_threads *threads = &w->web.threads;
	size_t n = w->web.inv.set.n;

	w->first = pp_xcalloc(n + 2, sizeof(*w->first));
	w->sorted = pp_xcalloc(threads->n + 1, sizeof(*w->sorted));
	pp_vec_foreach (t, threads) {
		if (t->to != PP_NOBODY)
			w->first[t->to + 2]++;
		else if (pp_web_place(&w->web, t->dep->name) != PP_NOBODY)
			w->has_broken = true;
	}
	for (size_t i = 2; i < n + 2; i++)
		w->first[i] += w->first[i - 1];
	/* first[i + 1] counts up to its end, which is where first[i + 2] began. */
	for (size_t i = 0; i < threads->n; i++)
		if (threads->at[i].to != PP_NOBODY)
			w->sorted[w->first[threads->at[i].to + 1]++] = i;
}

static void
add_dependent(struct walk *w, const struct pp_thread *t, struct branches *out)
{
	struct branch b = { .dep = t->dep, .tie = t->tie, .by = t->to };

	b.from = node_at(w, t->from);
	if (pp_tie_is_followed(t->tie))
		b.next = b.from;
	pp_vec_push(out, b);
}

/* Who asks for the name and is not content with what is here, or for a name nobody bears. */
static void
add_by_name(struct walk *w, const struct node *node, struct branches *out)
{
	const struct pp_dep *last = NULL;

	pp_vec_foreach (t, &w->web.threads) {
		if ((t->to != PP_NOBODY && node->place != PP_NOBODY) || t->dep == last ||
		    strcmp(t->dep->name, node->name) != 0)
			continue;
		add_dependent(w, t, out);
		last = t->dep; /* several plugins may satisfy it */
	}
}

static enum plugpkg_code
branch_up(struct walk *w, struct node *node, struct branches *out, plugpkg_error **err)
{
	size_t place = node->place;

	(void)err; /* everything is known already; the form is that of branch_down() */
	if (place == PP_NOBODY || w->has_broken)
		add_by_name(w, node, out);
	for (size_t i = place != PP_NOBODY ? w->first[place] : 0;
	     place != PP_NOBODY && i < w->first[place + 1]; i++)
		add_dependent(w, &w->web.threads.at[w->sorted[i]], out);
	return PLUGPKG_OK;
}

/* No edge leads to a misspelt name; whether it is one can only be told by the sources. */
static enum plugpkg_code
check_known(struct walk *w, const char *name, plugpkg_error **err)
{
	if (w->n_rows > 0 || pp_name_is_host(name) || pp_web_place(&w->web, name) != PP_NOBODY)
		return PLUGPKG_OK;
	PP_CLEANUP(pp_releases_fini) struct pp_releases releases = { 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs providers = { 0 };
	enum plugpkg_code rc = pp_sources_load(w->ctx, true, &w->open, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < w->open.catalogs.n; i++)
		rc = pp_catalog_releases(
		    w->open.catalogs.at[i], name, &releases, &providers, NULL, err);
	if (rc != PLUGPKG_OK || releases.n > 0 || providers.n > 0)
		return rc;
	return pp_sources_unknown(w->ctx, &w->open, name, err);
}

enum plugpkg_code
plugpkg_rdepends(plugpkg_context *ctx, const char *name, unsigned flags, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(walk_fini)
	struct walk w = {
		.ctx = ctx,
		.open = PP_SOURCES_OPEN_INIT,
		.branch = branch_up,
		.row = row,
		.user = user,
	};
	enum plugpkg_code rc = pp_name_is_host(name) ? PLUGPKG_OK : pp_marks_check(name, err);
	if (rc == PLUGPKG_OK)
		rc = pp_web_load(ctx, &w.web, err);
	if (rc != PLUGPKG_OK)
		return rc;
	sort_by_target(&w);
	rc = go(&w, name, flags, err);
	return rc == PLUGPKG_OK ? check_known(&w, name, err) : rc;
}
