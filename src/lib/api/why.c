/* SPDX-License-Identifier: MIT */
/* Why something is installed: the shortest chains from what was asked for down to it. */
#include "lib/api/api.h"

#include "lib/model/name.h"
#include "lib/txn/inventory.h"
#include "lib/txn/marks.h"

#include <stdlib.h>
#include <string.h>

/* Graphs of diamonds have chains without number; a person reads a few. */
#define MAX_CHAINS 16
#define NOWHERE    SIZE_MAX

/* `from` asks for `to`; both are places in the inventory. */
struct edge {
	size_t from, to;
	const struct pp_dep *dep;
	const char *kind;
};

/* What counts as a start, in this order: the first kind that leads to the plugin answers. */
enum start {
	START_WANTED,
	START_HELD,
	START_LINKED,
	N_STARTS,
};
static const char *const start_names[] = { "manual", "held", "linked" };

struct why {
	plugpkg_context *ctx;
	struct pp_inventory inv;
	struct pp_vec(size_t) providers; /* of the inventory: those that provide something */
	struct pp_edges pp_vec(struct edge) edges; /* sorted by from, as they were found */
	/*
	 * Of each plugin: its first edge (one more at the end); the steps from it down to the
	 * target, NOWHERE when it does not lead there; and in how many ways, MAX_CHAINS + 1
	 * standing for all that is more.
	 */
	size_t *first, *steps, *ways;
	size_t target;
	struct pp_path pp_vec(size_t) path; /* edges of the chain that is being walked */
	size_t n_chains;
	bool is_cut;
	enum start start;
	plugpkg_row_fn row;
	void *user;
};

static void
why_fini(struct why *w)
{
	pp_inventory_fini(&w->inv);
	pp_vec_free(&w->providers);
	pp_vec_free(&w->edges);
	pp_vec_free(&w->path);
	free(w->first);
	free(w->steps);
	free(w->ways);
}

/* ---- the graph ---- */

static size_t
place_of(const struct why *w, const char *key)
{
	return pp_installeds_index(&w->inv.set, key);
}

static void
add_edge(struct why *w, size_t from, size_t to, const struct pp_dep *dep, const char *kind)
{
	struct edge e = { .from = from, .to = to, .dep = dep, .kind = kind };

	if (to == NOWHERE || to == from || !pp_installed_is_usable(w->inv.set.at[to]) ||
	    !pp_release_satisfies(w->inv.releases.at[to], dep))
		return;
	/* One edge between two plugins is enough, and requirements come first. */
	for (size_t i = w->first[from]; i < w->edges.n; i++)
		if (w->edges.at[i].to == to)
			return;
	pp_vec_push(&w->edges, e);
}

static void
add_edges(struct why *w, size_t from, const struct pp_deps *deps, const char *kind)
{
	pp_vec_foreach (dep, deps) {
		size_t named = place_of(w, dep->name);
		if (named == NOWHERE) /* one of several majors, or only provided */
			named = pp_inventory_bound(&w->inv, dep);
		add_edge(w, from, named, dep, kind);
		pp_vec_foreach (p, &w->providers)
			add_edge(w, from, *p, dep, kind);
	}
}

static void
build_graph(struct why *w)
{
	size_t n = w->inv.set.n;

	w->first = pp_xcalloc(n + 1, sizeof(*w->first));
	w->steps = pp_xcalloc(n + 1, sizeof(*w->steps));
	w->ways = pp_xcalloc(n + 1, sizeof(*w->ways));
	for (size_t i = 0; i < n; i++)
		if (w->inv.releases.at[i]->provides.n > 0)
			pp_vec_push(&w->providers, i);
	for (size_t i = 0; i < n; i++) {
		w->first[i] = w->edges.n;
		if (!pp_installed_is_usable(w->inv.set.at[i]))
			continue;
		add_edges(w, i, &w->inv.releases.at[i]->requires, "requires");
		add_edges(w, i, &w->inv.releases.at[i]->recommends, "recommends");
	}
	w->first[n] = w->edges.n;
}

static size_t
at_most_one_more(size_t n)
{
	return n > MAX_CHAINS ? MAX_CHAINS + 1 : n;
}

/* Level by level upwards from the target; a cycle only meets what has its number already. */
static void
count_steps(struct why *w)
{
	bool is_new = true;

	for (size_t i = 0; i < w->inv.set.n; i++)
		w->steps[i] = NOWHERE;
	w->steps[w->target] = 0;
	w->ways[w->target] = 1;
	for (size_t level = 0; is_new; level++) {
		is_new = false;
		pp_vec_foreach (e, &w->edges) {
			if (w->steps[e->to] != level || w->steps[e->from] <= level)
				continue;
			w->steps[e->from] = level + 1;
			w->ways[e->from] = at_most_one_more(w->ways[e->from] + w->ways[e->to]);
			is_new = true;
		}
	}
}

/* ---- where chains start ---- */

/* By its own name, or as what provides a name that is wanted. */
static bool
is_wanted(const struct why *w, size_t i)
{
	const struct pp_deps *wanted = &w->ctx->config->plugins;

	if (pp_installed_wish(&w->inv.set, w->inv.set.at[i], wanted) != NULL)
		return true;
	if (w->inv.releases.at[i]->provides.n == 0)
		return false;
	pp_vec_foreach (dep, wanted)
		if (pp_release_satisfies(w->inv.releases.at[i], dep))
			return true;
	return false;
}

static bool
is_start(const struct why *w, size_t i)
{
	const struct pp_installed *p = w->inv.set.at[i];

	if (w->steps[i] == NOWHERE)
		return false;
	switch (w->start) {
	case START_WANTED:
		return is_wanted(w, i);
	case START_HELD:
		return pp_installed_is_held(p, w->ctx->now);
	case START_LINKED:
		return p->link_dir != NULL;
	case N_STARTS:
		break;
	}
	return false;
}

/* ---- rows ---- */

static void
add_link(const struct why *w, pp_json *chain, size_t i, const struct edge *by)
{
	const struct pp_installed *p = w->inv.set.at[i];
	pp_json *link = pp_json_object();

	pp_json_set_str(link, "name", p->name);
	pp_json_set_str(link, "version", p->version);
	pp_json_set_str(link, "key", p->key);
	if (!pp_installed_is_active(p))
		pp_row_add_state(p, link);
	if (by != NULL) {
		pp_json_set_str(link, "kind", by->kind);
		pp_json_set_str(link, "range", by->dep->text);
		if (strcmp(by->dep->name, p->name) != 0)
			pp_json_set_str(link, "as", by->dep->name);
	}
	pp_json_push(chain, link);
}

static void
send(const struct why *w, const char *reason, pp_json *chain)
{
	pp_json *one = pp_row_new("why");

	pp_json_set_str(one, "name", w->inv.set.at[w->target]->name);
	pp_json_set_str(one, "version", w->inv.set.at[w->target]->version);
	pp_json_set_str(one, "key", w->inv.set.at[w->target]->key);
	pp_json_set_str(one, "reason", reason);
	pp_json_set(one, "chain", chain);
	if (w->is_cut)
		pp_json_set_bool(one, "more", true);
	pp_row(w->row, w->user, one);
}

static void
send_chain(const struct why *w, size_t start)
{
	pp_json *chain = pp_json_array();

	add_link(w, chain, start, NULL);
	pp_vec_foreach (e, &w->path)
		add_link(w, chain, w->edges.at[*e].to, &w->edges.at[*e]);
	send(w, start_names[w->start], chain);
}

/* The next edge of a plugin that comes one step nearer to the target, or NOWHERE. */
static size_t
next_edge(const struct why *w, size_t at, size_t from)
{
	for (size_t i = from; i < w->first[at + 1]; i++)
		if (w->steps[w->edges.at[i].to] < w->steps[at])
			return i;
	return NOWHERE;
}

/* Every way down comes to the target. */
static void
send_chains_from(struct why *w, size_t start)
{
	size_t at = start, from = w->first[start];

	for (;;) {
		if (at == w->target) {
			send_chain(w, start);
			if (++w->n_chains == MAX_CHAINS)
				return;
		}
		size_t e = next_edge(w, at, from);
		while (e == NOWHERE && w->path.n > 0) {
			size_t back = w->path.at[--w->path.n];
			e = next_edge(w, w->edges.at[back].from, back + 1);
		}
		if (e == NOWHERE)
			return;
		pp_vec_push(&w->path, e);
		at = w->edges.at[e].to;
		from = w->first[at];
	}
}

/* The chains of the nearest starts of one kind. False when there is none. */
static bool
send_chains(struct why *w)
{
	size_t nearest = NOWHERE, n = 0;

	for (size_t i = 0; i < w->inv.set.n; i++)
		if (is_start(w, i) && w->steps[i] < nearest)
			nearest = w->steps[i];
	for (size_t i = 0; i < w->inv.set.n; i++)
		if (is_start(w, i) && w->steps[i] == nearest)
			n = at_most_one_more(n + w->ways[i]);
	w->is_cut = n > MAX_CHAINS;
	for (size_t i = 0; i < w->inv.set.n && w->n_chains < MAX_CHAINS; i++) {
		w->path.n = 0;
		if (is_start(w, i) && w->steps[i] == nearest)
			send_chains_from(w, i);
	}
	return n > 0;
}

enum plugpkg_code
plugpkg_why(
    plugpkg_context *ctx, const char *name, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(why_fini) struct why w = { .ctx = ctx, .row = row, .user = user };
	struct pp_installed *target = NULL;
	enum plugpkg_code rc = pp_marks_check(name, err);
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(ctx, &w.inv, err);
	if (rc == PLUGPKG_OK)
		rc = pp_marks_find(&w.inv.set, name, &target, err);
	if (rc != PLUGPKG_OK)
		return rc;
	w.target = place_of(&w, target->key);
	if (!pp_installed_is_usable(target))
		return pp_marks_not_installed(&w.inv.set, name, err);

	build_graph(&w);
	count_steps(&w);
	for (w.start = START_WANTED; w.start < N_STARTS; w.start++)
		if (send_chains(&w))
			return PLUGPKG_OK;
	send(&w, "unneeded", pp_json_array());
	return PLUGPKG_OK;
}
