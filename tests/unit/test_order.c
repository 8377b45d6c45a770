/* SPDX-License-Identifier: MIT */
/* Depth, cycles and ties of the order, without any solver. */
#include "lib/solve/order.h"
#include "tap.h"

#define LONG 10000

struct world {
	struct pp_load load;
	struct pp_releases releases;
	struct all pp_vec(size_t) all;
};

static struct pp_release *
add(struct world *w, char *name)
{
	struct pp_release *r = pp_xcalloc(1, sizeof(*r));

	r->name = name;
	if (pp_version_parse(PP_STR("1.0.0"), &r->version, NULL) != PLUGPKG_OK)
		abort();
	pp_vec_push(&w->releases, r);
	pp_vec_push(&w->all, w->load.cands.n);
	pp_vec_push(&w->load.cands, ((struct pp_cand){ .release = r, .origin = PP_FROM_SOURCE }));
	return r;
}

static void
need(struct pp_deps *deps, const char *name)
{
	struct pp_dep *d = pp_vec_new(deps);

	d->name = pp_xstrdup(name);
	d->text = pp_xstrdup("*");
}

static void
world_fini(struct world *w)
{
	pp_releases_fini(&w->releases);
	pp_vec_free(&w->load.cands);
	pp_vec_free(&w->all);
}

/* "leaf/0 a/1": names and depths in order. */
static char *
ordered(struct world *w)
{
	struct pp_buf b = PP_BUF_INIT(4096);
	struct pp_order order = { 0 };

	pp_order_sort(&w->load, w->all.at, w->all.n, &order);
	pp_vec_foreach (o, &order)
		pp_buf_addf(&b, "%s%s/%u", b.n > 0 ? " " : "",
		    w->load.cands.at[o->cand].release->name, (unsigned)o->depth);
	pp_vec_free(&order);
	return pp_buf_steal(&b);
}

static void
dependencies_come_first_then_depth_then_name(void)
{
	struct world w = { 0 };

	need(&add(&w, pp_xstrdup("a"))->requires, "z");
	add(&w, pp_xstrdup("b"));
	need(&add(&w, pp_xstrdup("c"))->requires, "a");
	add(&w, pp_xstrdup("z"));
	PP_AUTO_FREE char *got = ordered(&w);
	CHECK_STR(got, "b/0 z/0 a/1 c/2");
	world_fini(&w);
}

static void
cycles_share_a_depth_and_stay_together(void)
{
	struct world w = { 0 };

	need(&add(&w, pp_xstrdup("a"))->requires, "c");
	need(&add(&w, pp_xstrdup("b"))->requires, "d");
	need(&add(&w, pp_xstrdup("c"))->requires, "a");
	need(&add(&w, pp_xstrdup("d"))->requires, "b");
	need(&add(&w, pp_xstrdup("e"))->requires, "d");
	PP_AUTO_FREE char *got = ordered(&w);
	CHECK_STR(got, "a/0 c/0 b/0 d/0 e/1");
	world_fini(&w);
}

static void
weak_edges_order_outside_of_cycles_only(void)
{
	struct world w = { 0 };

	need(&add(&w, pp_xstrdup("a"))->recommends, "b");
	need(&add(&w, pp_xstrdup("b"))->requires, "a");
	need(&add(&w, pp_xstrdup("c"))->suggests, "d");
	add(&w, pp_xstrdup("d"));
	PP_AUTO_FREE char *got = ordered(&w);
	CHECK_STR(got, "a/0 d/0 b/1 c/1");
	world_fini(&w);
}

static void
every_provider_in_the_set_comes_first(void)
{
	struct world w = { 0 };

	need(&add(&w, pp_xstrdup("app"))->requires, "db");
	need(&add(&w, pp_xstrdup("mysql"))->provides, "db");
	need(&add(&w, pp_xstrdup("sqlite"))->provides, "db");
	PP_AUTO_FREE char *got = ordered(&w);
	CHECK_STR(got, "mysql/0 sqlite/0 app/1");
	world_fini(&w);
}

static void
long_chains_and_cycles_end(void)
{
	for (int is_cycle = 0; is_cycle < 2; is_cycle++) {
		struct world w = { 0 };
		struct pp_order order = { 0 };

		for (int i = 0; i < LONG; i++) {
			PP_AUTO_FREE char *next = pp_asprintf("p%05d", (i + 1) % LONG);
			struct pp_release *r = add(&w, pp_asprintf("p%05d", i));
			if (i + 1 < LONG || is_cycle == 1)
				need(&r->requires, next);
		}
		pp_order_sort(&w.load, w.all.at, w.all.n, &order);
		if (CHECK_INT(order.n, LONG)) {
			CHECK_INT(order.at[0].cand, is_cycle == 1 ? 0 : LONG - 1);
			CHECK_INT(order.at[LONG - 1].depth, is_cycle == 1 ? 0 : LONG - 1);
		}
		pp_vec_free(&order);
		world_fini(&w);
	}
}

TAP_MAIN(CASE(dependencies_come_first_then_depth_then_name)
	CASE(cycles_share_a_depth_and_stay_together) CASE(weak_edges_order_outside_of_cycles_only)
	    CASE(every_provider_in_the_set_comes_first) CASE(long_chains_and_cycles_end))
