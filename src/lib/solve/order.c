/* SPDX-License-Identifier: MIT */
/*
 * Strongly connected components (Tarjan, without recursion: chains may be long), once over all
 * edges to find the cycles, then again without the weak edges inside them. Depth follows in the
 * order of their discovery, because a component is complete only after all that it depends on.
 *
 * A cycle whose members have `install` scripts is refused here once releases tell which scripts
 * they have.
 */
#include "lib/solve/order.h"

#include <string.h>

#define UNSEEN UINT32_MAX

struct edge {
	size_t from, to;
	bool is_weak;
};
struct edges pp_vec(struct edge);
struct nodes pp_vec(size_t);

struct graph {
	const struct pp_load *load;
	struct nodes nodes;          /* cands, ascending */
	struct pp_map by_name;       /* name or provided name -> struct nodes of node numbers */
	struct edges edges;          /* by `from` */
	size_t *first;               /* edges of node i: first[i] .. first[i + 1] */
	uint32_t *component, *depth; /* by node */
	uint32_t n_components;
};

/* ---- the graph ---- */

static const struct pp_cand *
cand_of(const struct graph *g, size_t node)
{
	return &g->load->cands.at[g->nodes.at[node]];
}

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
add_edges(struct graph *g, size_t from, const struct pp_deps *deps, bool is_weak)
{
	pp_vec_foreach (d, deps) {
		const struct nodes *list = pp_map_get(&g->by_name, d->name);
		if (list == NULL)
			continue;
		pp_vec_foreach (to, list)
			if (*to != from && pp_cand_satisfies(g->load, cand_of(g, *to), d))
				pp_vec_push(&g->edges, ((struct edge){ from, *to, is_weak }));
	}
}

static void
find_edges(struct graph *g)
{
	g->first = pp_xcalloc(g->nodes.n + 1, sizeof(*g->first));
	for (size_t i = 0; i < g->nodes.n; i++) {
		const struct pp_release *r = cand_of(g, i)->release;
		g->first[i] = g->edges.n;
		add_edges(g, i, &r->requires, false);
		add_edges(g, i, &r->recommends, true);
		add_edges(g, i, &r->suggests, true);
	}
	g->first[g->nodes.n] = g->edges.n;
}

static void
graph_init(struct graph *g, const struct pp_load *l, const size_t *cands, size_t n)
{
	*g = (struct graph){ .load = l };
	for (size_t i = 0; i < n; i++)
		if (l->cands.at[cands[i]].origin != PP_FROM_HOST)
			pp_vec_push(&g->nodes, cands[i]);
	for (size_t i = 0; i < g->nodes.n; i++) {
		const struct pp_release *r = cand_of(g, i)->release;
		index_name(g, r->name, i);
		pp_vec_foreach (d, &r->provides)
			if (strcmp(d->name, r->name) != 0)
				index_name(g, d->name, i);
	}
	find_edges(g);
	g->component = pp_xcalloc(g->nodes.n + 1, sizeof(*g->component));
	g->depth = pp_xcalloc(g->nodes.n + 1, sizeof(*g->depth));
}

static void
free_nodes(void *p)
{
	struct nodes *list = p;

	pp_vec_free(list);
	free(list);
}

static void
graph_fini(struct graph *g)
{
	pp_vec_free(&g->nodes);
	pp_map_fini(&g->by_name, free_nodes);
	pp_vec_free(&g->edges);
	free(g->first);
	free(g->component);
	free(g->depth);
}

/* Cycles that only a recommendation or suggestion closes are none. */
static void
drop_weak_edges_in_cycles(struct graph *g)
{
	size_t kept = 0, end = 0;

	for (size_t i = 0; i < g->nodes.n; i++) {
		size_t e = end;
		end = g->first[i + 1];
		g->first[i] = kept;
		for (; e < end; e++) {
			struct edge x = g->edges.at[e];
			if (!x.is_weak || g->component[x.from] != g->component[x.to])
				g->edges.at[kept++] = x;
		}
	}
	g->first[g->nodes.n] = g->edges.n = kept;
}

/* ---- components ---- */

struct walk {
	uint32_t *found, *low; /* UNSEEN, or in order of discovery */
	size_t *next;          /* edge to look at next */
	bool *is_open;         /* on the stack */
	struct nodes path, stack;
	uint32_t n_found;
};

static void
enter(struct walk *w, const struct graph *g, size_t node)
{
	w->found[node] = w->low[node] = w->n_found++;
	w->next[node] = g->first[node];
	w->is_open[node] = true;
	pp_vec_push(&w->path, node);
	pp_vec_push(&w->stack, node);
}

static void
close_component(struct walk *w, struct graph *g, size_t root)
{
	uint32_t depth = 0;
	size_t start = w->stack.n, node;

	do {
		node = w->stack.at[--start];
		g->component[node] = g->n_components;
		w->is_open[node] = false;
	} while (node != root);
	for (size_t i = start; i < w->stack.n; i++) {
		node = w->stack.at[i];
		for (size_t e = g->first[node]; e < g->first[node + 1]; e++) {
			size_t to = g->edges.at[e].to;
			if (g->component[to] != g->n_components && g->depth[to] + 1 > depth)
				depth = g->depth[to] + 1;
		}
	}
	for (size_t i = start; i < w->stack.n; i++)
		g->depth[w->stack.at[i]] = depth;
	w->stack.n = start;
	g->n_components++;
}

static void
leave(struct walk *w, struct graph *g, size_t node)
{
	w->path.n--;
	if (w->low[node] == w->found[node])
		close_component(w, g, node);
	if (w->path.n == 0)
		return;
	size_t before = w->path.at[w->path.n - 1];
	if (w->low[node] < w->low[before])
		w->low[before] = w->low[node];
}

static void
walk_from(struct walk *w, struct graph *g, size_t start)
{
	enter(w, g, start);
	while (w->path.n > 0) {
		size_t node = w->path.at[w->path.n - 1];
		if (w->next[node] == g->first[node + 1]) {
			leave(w, g, node);
			continue;
		}
		size_t to = g->edges.at[w->next[node]++].to;
		if (w->found[to] == UNSEEN)
			enter(w, g, to);
		else if (w->is_open[to] && w->found[to] < w->low[node])
			w->low[node] = w->found[to];
	}
}

static void
find_components(struct graph *g)
{
	size_t n = g->nodes.n;
	struct walk w = {
		.found = pp_xcalloc(n + 1, sizeof(*w.found)),
		.low = pp_xcalloc(n + 1, sizeof(*w.low)),
		.next = pp_xcalloc(n + 1, sizeof(*w.next)),
		.is_open = pp_xcalloc(n + 1, sizeof(*w.is_open)),
	};

	g->n_components = 0;
	for (size_t i = 0; i < n; i++) {
		w.found[i] = UNSEEN;
		g->component[i] = UNSEEN;
	}
	for (size_t i = 0; i < n; i++)
		if (w.found[i] == UNSEEN)
			walk_from(&w, g, i);
	free(w.found);
	free(w.low);
	free(w.next);
	free(w.is_open);
	pp_vec_free(&w.path);
	pp_vec_free(&w.stack);
}

/* ---- the order ---- */

static int
by_depth(const void *a, const void *b)
{
	const struct pp_ordered *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	if (x->component != y->component)
		return x->component < y->component ? -1 : 1;
	return x->cand < y->cand ? -1 : x->cand > y->cand;
}

void
pp_order_sort(const struct pp_load *l, const size_t *cands, size_t n, struct pp_order *out)
{
	struct graph g;

	graph_init(&g, l, cands, n);
	find_components(&g);
	drop_weak_edges_in_cycles(&g);
	find_components(&g);

	size_t *smallest = pp_xcalloc(g.n_components + 1, sizeof(*smallest));
	for (size_t i = g.nodes.n; i-- > 0;)
		smallest[g.component[i]] = g.nodes.at[i];
	for (size_t i = 0; i < g.nodes.n; i++)
		pp_vec_push(out,
		    ((struct pp_ordered){ g.nodes.at[i], g.depth[i], smallest[g.component[i]] }));
	pp_vec_sort(out, by_depth);
	free(smallest);
	graph_fini(&g);
}
