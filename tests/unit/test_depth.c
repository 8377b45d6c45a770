/* SPDX-License-Identifier: MIT */
/* Depths over numbers: leaves, cycles, weak links. */
#include "lib/model/depth.h"
#include "tap.h"

struct graph {
	struct pp_links links;
	struct pp_depths depths;
};

static void
find(struct graph *g, size_t n, const struct pp_link *links, size_t n_links)
{
	for (size_t i = 0; i < n_links; i++)
		pp_vec_push(&g->links, links[i]);
	pp_depths_find(&g->depths, n, &g->links);
}

static void
graph_fini(struct graph *g)
{
	pp_vec_free(&g->links);
	pp_depths_fini(&g->depths);
}

static void
depth_is_the_longest_way_to_a_leaf(void)
{
	struct graph g = { 0 };

	find(&g, 4, (const struct pp_link[]){ { 0, 1, false }, { 0, 3, false }, { 1, 2, false } },
	    3);
	CHECK_INT(g.depths.depth[0], 2);
	CHECK_INT(g.depths.depth[1], 1);
	CHECK_INT(g.depths.depth[2], 0);
	CHECK_INT(g.depths.depth[3], 0);
	CHECK_INT(g.depths.n_components, 4);
	graph_fini(&g);
}

static void
a_cycle_has_one_depth_above_what_it_needs(void)
{
	struct graph g = { 0 };

	find(&g, 4,
	    (const struct pp_link[]){
		{ 0, 1, false }, { 1, 0, false }, { 1, 2, false }, { 3, 0, false } },
	    4);
	CHECK_INT(g.depths.depth[0], 1);
	CHECK_INT(g.depths.depth[1], 1);
	CHECK_INT(g.depths.depth[2], 0);
	CHECK_INT(g.depths.depth[3], 2);
	CHECK_INT(g.depths.component[0], g.depths.component[1]);
	CHECK_INT(g.depths.n_components, 3);
	graph_fini(&g);
}

static void
a_weak_link_that_closes_a_cycle_is_left_out(void)
{
	struct graph g = { 0 };

	find(&g, 3, (const struct pp_link[]){ { 0, 1, false }, { 1, 0, true }, { 1, 2, true } }, 3);
	CHECK_INT(g.links.n, 2);
	CHECK_INT(g.depths.depth[0], 2);
	CHECK_INT(g.depths.depth[1], 1);
	CHECK_INT(g.depths.depth[2], 0);
	graph_fini(&g);
}

static void
no_node_is_no_trouble(void)
{
	struct graph g = { 0 };

	find(&g, 0, NULL, 0);
	CHECK_INT(g.depths.n_components, 0);
	graph_fini(&g);
}

TAP_MAIN(CASE(depth_is_the_longest_way_to_a_leaf) CASE(a_cycle_has_one_depth_above_what_it_needs)
	CASE(a_weak_link_that_closes_a_cycle_is_left_out) CASE(no_node_is_no_trouble))
