/* SPDX-License-Identifier: MIT */
/* The rows of a plan: what --dry-run, the prompt and --json all show. */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/model/plan.h"
#include "tap.h"

PP_DEFINE_AUTO(plan, struct pp_plan, pp_plan_free);

static void
collect(const char *json, void *user)
{
	pp_strs_add(user, json);
}

static void
an_empty_plan_is_a_summary_of_nothing(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs rows = { 0 };
	PP_AUTO(plan) struct pp_plan *p = pp_plan_new();

	pp_plan_to_rows(p, collect, &rows);
	CHECK_INT(rows.n, 1);
	CHECK_STR(rows.at[0],
	    "{\"v\":1,\"type\":\"summary\",\"install\":0,\"upgrade\":0,\"downgrade\":0,"
	    "\"reinstall\":0,\"remove\":0,\"disable\":0,\"enable\":0,\"block\":0,\"unblock\":0,"
	    "\"kept\":0,\"download_bytes\":0,\"unpacked_bytes\":0}");
}

static void
rows_stand_in_the_order_of_execution(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs rows = { 0 };
	PP_AUTO(plan) struct pp_plan *p = pp_plan_new();
	struct pp_step *s = pp_plan_add(p, PP_INSTALL, "user", "2.1.3");

	s->why = PP_WHY_REQUIRED;
	s->because = pp_xstrdup("@acme/animal");
	s->source = pp_xstrdup("main");
	s->size_bytes = 100;
	s->unpacked_bytes = 400;
	s = pp_plan_add(p, PP_UPGRADE, "@acme/animal", "1.4.0");
	s->old_version = pp_xstrdup("1.3.0");
	s->source = pp_xstrdup("main");
	s->manual = true;
	s->depth = 1;
	s->size_bytes = 7;
	s->unpacked_bytes = 9;
	s = pp_plan_add(p, PP_REMOVE, "zoo", "1.0");
	s->why = PP_WHY_BROKEN;

	struct pp_kept *k = pp_vec_new(&p->kept);

	k->name = pp_xstrdup("forum");
	k->version = pp_xstrdup("1.0.0");
	k->candidate = pp_xstrdup("2.0.0");
	k->reason = pp_xstrdup("needs user >= 3");
	pp_strs_add(&p->suggested, "exif (suggested by photos)");

	pp_plan_to_rows(p, collect, &rows);
	if (!CHECK_INT(rows.n, 6))
		return;
	CHECK_STR(rows.at[0], "{\"v\":1,\"type\":\"step\",\"action\":\"install\",\"name\":\"user\","
			      "\"version\":\"2.1.3\",\"key\":\"user\","
			      "\"source\":\"main\",\"why\":\"required\",\"because\":\"@acme/"
			      "animal\",\"manual\":false,"
			      "\"depth\":0,\"download_bytes\":100,\"unpacked_bytes\":400}");
	CHECK_STR(rows.at[1],
	    "{\"v\":1,\"type\":\"step\",\"action\":\"upgrade\",\"name\":\"@acme/animal\","
	    "\"version\":\"1.4.0\",\"key\":\"@acme/"
	    "animal\",\"old_version\":\"1.3.0\",\"source\":\"main\",\"why\":"
	    "\"requested\","
	    "\"manual\":true,\"depth\":1,\"download_bytes\":7,\"unpacked_bytes\":9}");
	CHECK_HAS(rows.at[2], "\"action\":\"remove\",\"name\":\"zoo\",\"version\":\"1.0\",\"key\":"
			      "\"zoo\",\"why\":\"broken\"");
	CHECK_STR(rows.at[3], "{\"v\":1,\"type\":\"kept\",\"name\":\"forum\",\"version\":\"1.0.0\","
			      "\"candidate\":\"2.0.0\",\"reason\":\"needs user >= 3\"}");
	CHECK_STR(
	    rows.at[4], "{\"v\":1,\"type\":\"suggested\",\"text\":\"exif (suggested by photos)\"}");
	CHECK_STR(rows.at[5],
	    "{\"v\":1,\"type\":\"summary\",\"install\":1,\"upgrade\":1,\"downgrade\":0,"
	    "\"reinstall\":0,\"remove\":1,\"disable\":0,\"enable\":0,\"block\":0,\"unblock\":0,"
	    "\"kept\":1,\"download_bytes\":107,\"unpacked_bytes\":"
	    "409}");
}

TAP_MAIN(CASE(an_empty_plan_is_a_summary_of_nothing) CASE(rows_stand_in_the_order_of_execution))
