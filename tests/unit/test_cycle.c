/* SPDX-License-Identifier: MIT */
#include "lib/solve/cycle.h"
#include "tap.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>

#define N_LONG 10000

struct ring {
	struct pp_releases releases;
	struct pp_cycle_members members;
};

static void
add(struct ring *r, const char *name, const char *relations, bool has_script)
{
	PP_AUTO_FREE char *text =
	    pp_asprintf("{\"name\":\"%s\",\"version\":\"1.0.0\",%s}", name, relations);
	PP_AUTO_JSON pp_json *j = pp_json_parse(text, strlen(text), NULL);
	struct pp_release *release = NULL;

	if (!CHECK_INT(pp_release_parse(j, NULL, "test", PLUGPKG_E_BAD_MANIFEST, &release, NULL),
		PLUGPKG_OK))
		return;
	pp_vec_push(&r->releases, release);
	pp_vec_push(&r->members, ((struct pp_cycle_member){ release, has_script, false }));
}

static void
ring_fini(struct ring *r)
{
	pp_vec_free(&r->members);
	pp_releases_fini(&r->releases);
}

static void
two_scripts_in_a_ring_are_named(void)
{
	PP_CLEANUP(ring_fini) struct ring r = { 0 };

	add(&r, "c", "\"requires\":{\"a\":\"*\"}", false);
	add(&r, "b", "\"requires\":{\"c\":\"*\"}", true);
	add(&r, "a", "\"requires\":{\"b\":\"^1\",\"leaf\":\"*\"}", true);
	add(&r, "leaf", "\"requires\":{}", true);
	PP_AUTO_FREE char *text = pp_cycle_of_scripts(&r.members);
	CHECK_STR(text, "a -> b -> c -> a");
}

static void
one_script_in_a_ring_is_fine(void)
{
	PP_CLEANUP(ring_fini) struct ring r = { 0 };

	add(&r, "a", "\"requires\":{\"b\":\"*\"}", true);
	add(&r, "b", "\"requires\":{\"a\":\"*\"}", false);
	add(&r, "d", "\"requires\":{\"a\":\"*\"}", true);
	CHECK(pp_cycle_of_scripts(&r.members) == NULL);
}

static void
a_ring_leads_through_what_is_provided(void)
{
	PP_CLEANUP(ring_fini) struct ring r = { 0 };

	add(&r, "shop", "\"requires\":{\"payment\":\"^2\"}", true);
	add(&r, "pay", "\"requires\":{\"shop\":\"*\"},\"provides\":{\"payment\":\"2.1\"}", true);
	PP_AUTO_FREE char *text = pp_cycle_of_scripts(&r.members);
	CHECK_STR(text, "pay -> shop -> pay");
}

static void
a_recommendation_closes_no_ring(void)
{
	PP_CLEANUP(ring_fini) struct ring r = { 0 };

	add(&r, "a", "\"requires\":{\"b\":\"*\"}", true);
	add(&r, "b", "\"recommends\":{\"a\":\"*\"}", true);
	CHECK(pp_cycle_of_scripts(&r.members) == NULL);
}

static void
a_range_that_does_not_fit_closes_no_ring(void)
{
	PP_CLEANUP(ring_fini) struct ring r = { 0 };

	add(&r, "a", "\"requires\":{\"b\":\"*\"}", true);
	add(&r, "b", "\"requires\":{\"a\":\"^2\"}", true);
	CHECK(pp_cycle_of_scripts(&r.members) == NULL);
}

static void
two_rings_that_meet_are_one(void)
{
	PP_CLEANUP(ring_fini) struct ring r = { 0 };

	add(&r, "a", "\"requires\":{\"hub\":\"*\"}", true);
	add(&r, "b", "\"requires\":{\"hub\":\"*\"}", true);
	add(&r, "hub", "\"requires\":{\"a\":\"*\",\"b\":\"*\"}", false);
	PP_AUTO_FREE char *text = pp_cycle_of_scripts(&r.members);
	CHECK_STR(text, "a -> hub -> b -> hub -> a");
}

static void
a_ring_of_ten_thousand_is_shortened(void)
{
	PP_CLEANUP(ring_fini) struct ring r = { 0 };

	for (unsigned i = 0; i < N_LONG; i++) {
		PP_AUTO_FREE char *name = pp_asprintf("n%05u", i);
		PP_AUTO_FREE char *next =
		    pp_asprintf("\"requires\":{\"n%05u\":\"*\"}", (i + 1) % N_LONG);
		add(&r, name, next, i == 0 || i == N_LONG / 2);
	}
	PP_AUTO_FREE char *text = pp_cycle_of_scripts(&r.members);
	CHECK_STR(text, "n00000 -> n00001 -> n00002 -> n00003 -> n00004 -> n00005 -> n00006 -> "
			"n00007 -> (9990 more) -> n09998 -> n09999 -> n00000");
}

TAP_MAIN(CASE(two_scripts_in_a_ring_are_named) CASE(one_script_in_a_ring_is_fine)
	CASE(a_ring_leads_through_what_is_provided) CASE(a_recommendation_closes_no_ring)
	    CASE(a_range_that_does_not_fit_closes_no_ring) CASE(two_rings_that_meet_are_one)
		CASE(a_ring_of_ten_thousand_is_shortened))
