/* SPDX-License-Identifier: MIT */
/*
 * Which candidate depends on which, as links between numbers; the depths of these give the order.
 * Which cycles cannot be because of scripts, cycle.h tells once the scripts are known.
 */
#include "lib/solve/order.h"

#include "lib/model/depth.h"

#include <string.h>

struct nodes pp_vec(size_t);

struct graph {
	const struct pp_load *load;
	struct nodes nodes;    /* cands, ascending */
	struct pp_map by_name; /* name or provided name -> struct nodes of node numbers */
	struct pp_links links; /* by `from` */
	struct pp_depths depths;
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
				pp_vec_push(&g->links, ((struct pp_link){ from, *to, is_weak }));
	}
}

static void
find_edges(struct graph *g)
{
	for (size_t i = 0; i < g->nodes.n; i++) {
		const struct pp_release *r = cand_of(g, i)->release;
		add_edges(g, i, &r->requires, false);
		add_edges(g, i, &r->recommends, true);
		add_edges(g, i, &r->suggests, true);
	}
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
	pp_depths_find(&g->depths, g->nodes.n, &g->links);
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
	pp_vec_free(&g->links);
	pp_depths_fini(&g->depths);
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
	const struct pp_depths *d = &g.depths;
	size_t *smallest = pp_xcalloc(d->n_components + 1, sizeof(*smallest));
	size_t *n_members = pp_xcalloc(d->n_components + 1, sizeof(*n_members));
	for (size_t i = g.nodes.n; i-- > 0;)
		smallest[d->component[i]] = g.nodes.at[i];
	for (size_t i = 0; i < g.nodes.n; i++)
		n_members[d->component[i]]++;
	for (size_t i = 0; i < g.nodes.n; i++)
		pp_vec_push(out, ((struct pp_ordered){ g.nodes.at[i], d->depth[i],
				     smallest[d->component[i]], n_members[d->component[i]] > 1 }));
	pp_vec_sort(out, by_depth);
	free(smallest);
	free(n_members);
	graph_fini(&g);
}
