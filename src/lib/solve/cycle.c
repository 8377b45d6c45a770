/* SPDX-License-Identifier: MIT */
/* Components with two scripts in them, and a short way from the one to the other and back. */
#include "lib/solve/cycle.h"

#include "base/map.h"

#include <string.h>

#define NO_NODE     SIZE_MAX
#define SHOWN_FIRST 8
#define SHOWN_LAST  3
#define TEXT_MAX    8192

struct nodes pp_vec(size_t);

/* ---- the way ---- */

struct ring {
	const struct pp_cycle_graph *graph;
	const uint32_t *component;
	size_t *first;    /* links of node i: first[i] .. first[i + 1] */
	struct nodes way; /* the first node stands at both ends */
};

static bool
is_goal(const struct ring *r, size_t node, size_t from, size_t goal)
{
	return goal != NO_NODE ? node == goal : node != from && r->graph->has_script[node];
}

static void
append_way(struct ring *r, const size_t *before, size_t from, size_t to)
{
	struct nodes back = { 0 };

	for (size_t node = to; node != from; node = before[node])
		pp_vec_push(&back, node);
	while (back.n > 0)
		pp_vec_push(&r->way, back.at[--back.n]);
	pp_vec_free(&back);
}

/* One step on from node, to all that was not seen: the goal when it is among them, else NO_NODE. */
static size_t
step(const struct ring *r, size_t node, size_t from, size_t goal, size_t *before,
    struct nodes *queue)
{
	for (size_t e = r->first[node]; e < r->first[node + 1]; e++) {
		size_t to = r->graph->links->at[e].to;
		if (before[to] != NO_NODE || r->component[to] != r->component[from])
			continue;
		before[to] = node;
		pp_vec_push(queue, to);
		if (is_goal(r, to, from, goal))
			return to;
	}
	return NO_NODE;
}

/*
 * A shortest way inside the component of `from`: to goal, or (NO_NODE) to the nearest other node
 * with a script. There is one: in a component every node leads to every other.
 */
static size_t
go(struct ring *r, size_t from, size_t goal)
{
	size_t *before = pp_xcalloc(r->graph->n, sizeof(*before)), found = NO_NODE;
	struct nodes queue = { 0 };

	for (size_t i = 0; i < r->graph->n; i++)
		before[i] = NO_NODE;
	pp_vec_push(&queue, from);
	before[from] = from;
	for (size_t i = 0; found == NO_NODE && i < queue.n; i++)
		found = step(r, queue.at[i], from, goal, before, &queue);
	if (found != NO_NODE)
		append_way(r, before, from, found);
	free(before);
	pp_vec_free(&queue);
	return found;
}

static char *
ring_text(const struct nodes *way, const char *const *names)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_MAX);
	size_t n = way->n;

	for (size_t i = 0; i < n; i++) {
		if (n > SHOWN_FIRST + SHOWN_LAST + 1 && i == SHOWN_FIRST) {
			pp_buf_addf(&b, " -> (%zu more)", n - SHOWN_FIRST - SHOWN_LAST);
			i = n - SHOWN_LAST;
		}
		pp_buf_addf(&b, "%s%s", i > 0 ? " -> " : "", names[way->at[i]]);
	}
	return pp_buf_steal(&b);
}

/* The first node with a script in whose component there is another one. */
static size_t
find_start(const struct pp_cycle_graph *g, const struct pp_depths *d)
{
	PP_AUTO_FREE size_t *n_scripts = pp_xcalloc(d->n_components + 1, sizeof(*n_scripts));

	for (size_t i = 0; i < g->n; i++)
		n_scripts[d->component[i]] += g->has_script[i];
	for (size_t i = 0; i < g->n; i++)
		if (g->has_script[i] && n_scripts[d->component[i]] > 1)
			return i;
	return NO_NODE;
}

static size_t *
first_links(const struct pp_cycle_graph *g)
{
	size_t *first = pp_xcalloc(g->n + 1, sizeof(*first)), at = 0;

	for (size_t i = 0; i <= g->n; i++) {
		while (at < g->links->n && g->links->at[at].from < i)
			at++;
		first[i] = at;
	}
	return first;
}

char *
pp_cycle_in(const struct pp_cycle_graph *g)
{
	PP_CLEANUP(pp_depths_fini) struct pp_depths depths = { 0 };
	struct pp_links links = { 0 };
	char *text = NULL;

	pp_vec_foreach (l, g->links)
		pp_vec_push(&links, *l);
	pp_depths_find(&depths, g->n, &links);
	pp_vec_free(&links);
	size_t start = find_start(g, &depths);
	if (start == NO_NODE)
		return NULL;

	struct ring r = {
		.graph = g,
		.component = depths.component,
		.first = first_links(g),
	};
	for (size_t i = 0; g->out_in_ring != NULL && i < g->n; i++)
		g->out_in_ring[i] = depths.component[i] == depths.component[start];
	pp_vec_push(&r.way, start);
	size_t other = go(&r, start, NO_NODE);
	if (other != NO_NODE)
		(void)go(&r, other, start); /* there is a way: both are in one component */
	text = ring_text(&r.way, g->names);
	pp_vec_free(&r.way);
	free(r.first);
	return text;
}

/* ---- the graph of releases ---- */

struct member_ptrs pp_vec(struct pp_cycle_member *);

struct graph {
	const struct member_ptrs *members; /* sorted by name */
	struct pp_map by_name;             /* name or provided name -> struct nodes */
	struct pp_links links;
};

static void
index_name(struct graph *g, const char *name, size_t node)
{
	void **at = pp_map_put(&g->by_name, name);

	if (*at == NULL)
		*at = pp_xcalloc(1, sizeof(struct nodes));
	struct nodes *list = *at;
	pp_vec_push(list, node);
}

static void
free_nodes(void *p)
{
	struct nodes *list = p;

	pp_vec_free(list);
	free(list);
}

static void
add_links(struct graph *g, size_t from, const struct pp_dep *dep)
{
	const struct nodes *list = pp_map_get(&g->by_name, dep->name);

	if (list == NULL)
		return;
	pp_vec_foreach (to, list)
		if (*to != from && pp_release_satisfies(g->members->at[*to]->release, dep))
			pp_vec_push(&g->links, ((struct pp_link){ from, *to, false }));
}

static void
graph_init(struct graph *g, const struct member_ptrs *members)
{
	*g = (struct graph){ .members = members };
	for (size_t i = 0; i < members->n; i++) {
		const struct pp_release *r = members->at[i]->release;
		index_name(g, r->name, i);
		pp_vec_foreach (d, &r->provides)
			if (strcmp(d->name, r->name) != 0)
				index_name(g, d->name, i);
	}
	for (size_t i = 0; i < members->n; i++)
		pp_vec_foreach (d, &members->at[i]->release->requires)
			add_links(g, i, d);
}

static void
graph_fini(struct graph *g)
{
	pp_map_fini(&g->by_name, free_nodes);
	pp_vec_free(&g->links);
}

static int
by_name(const void *a, const void *b)
{
	const struct pp_cycle_member *const *x = a, *const *y = b;
	int c = strcmp((*x)->release->name, (*y)->release->name);

	return c != 0 ? c : pp_version_cmp(&(*x)->release->version, &(*y)->release->version);
}

char *
pp_cycle_of_scripts(struct pp_cycle_members *members)
{
	struct member_ptrs sorted = { 0 };
	struct graph g;

	pp_vec_foreach (m, members)
		pp_vec_push(&sorted, m);
	pp_vec_sort(&sorted, by_name);
	graph_init(&g, &sorted);

	PP_AUTO_FREE const char **names = pp_xcalloc(sorted.n + 1, sizeof(*names));
	PP_AUTO_FREE bool *has_script = pp_xcalloc(sorted.n + 1, sizeof(*has_script));
	PP_AUTO_FREE bool *in_ring = pp_xcalloc(sorted.n + 1, sizeof(*in_ring));
	for (size_t i = 0; i < sorted.n; i++) {
		names[i] = sorted.at[i]->release->name;
		has_script[i] = sorted.at[i]->has_script;
	}
	const struct pp_cycle_graph plain = { sorted.n, names, has_script, &g.links, in_ring };
	char *text = pp_cycle_in(&plain);
	for (size_t i = 0; i < sorted.n; i++)
		sorted.at[i]->is_in_ring = in_ring[i];
	graph_fini(&g);
	pp_vec_free(&sorted);
	return text;
}
