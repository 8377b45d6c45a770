/* SPDX-License-Identifier: MIT */
/* Votes as values; events and handlers of a manifest. */
#include "base/mem.h"
#include "lib/model/release.h"
#include "lib/model/vote.h"
#include "tap.h"

#include <string.h>

static void
votes_come_back_from_the_journal_as_they_were(void)
{
	PP_CLEANUP(pp_votes_fini) struct pp_votes votes = { 0 };
	PP_CLEANUP(pp_votes_fini) struct pp_votes back = { 0 };

	(void)pp_votes_add(&votes, &(struct pp_vote){
				       .event = PP_ON_UNINSTALL_BEFORE,
				       .said = PP_SAID_VETO,
				       .key = (char[]){ "d3" },
				       .version = (char[]){ "1.0.0" },
				       .plugin = (char[]){ "base" },
				       .requirement = (char[]){ "base" },
				       .text = (char[]){ "no" },
				       .is_forced = true,
				   });
	PP_AUTO_JSON pp_json *j = pp_votes_to_json(&votes);
	pp_json_push(j, pp_json_str("damaged"));
	pp_votes_from_json(j, &back);
	CHECK_INT(back.n, 1);
	CHECK_STR(back.at[0].key, "d3");
	CHECK_STR(back.at[0].text, "no");
	CHECK_INT(back.at[0].said, PP_SAID_VETO);
	CHECK(back.at[0].is_forced);
	CHECK(pp_votes_get(&back, "d3", "base") != NULL);
	CHECK(pp_votes_get(&back, "d3", "user") == NULL);
}

static void
events_of_a_manifest_have_their_handlers_and_unknown_ones_are_left_alone(void)
{
	static const char text[] = "{\"name\":\"a\",\"version\":\"1.0.0\",\"summary\":\"s\","
				   "\"license\":\"MIT\",\"on\":{\"uninstall-before\":\"a.sh\","
				   "\"upgrade-after\":\"b.sh\",\"moon-rise\":\"c.sh\"}}";
	PP_AUTO(manifest) struct pp_manifest *m = NULL;

	CHECK_INT(pp_manifest_parse(pp_str_of(text), "plugin.json", &m, NULL), PLUGPKG_OK);
	CHECK_STR(m->on[PP_ON_UNINSTALL_BEFORE], "a.sh");
	CHECK_STR(m->on[PP_ON_UPGRADE_AFTER], "b.sh");
	CHECK(m->on[PP_ON_ENABLE] == NULL);
	for (size_t i = 1; i < PP_N_ON; i++)
		CHECK(strcmp(pp_on_names[i - 1], pp_on_names[i]) < 0);
}

static void
what_a_release_is_detached_from_it_does_not_require(void)
{
	static const char text[] = "{\"name\":\"a\",\"version\":\"1.0.0\",\"summary\":\"s\","
				   "\"license\":\"MIT\",\"requires\":{\"base\":\"^1\","
				   "\"user\":\"*\"}}";
	PP_AUTO(manifest) struct pp_manifest *m = NULL;

	CHECK_INT(pp_manifest_parse(pp_str_of(text), "plugin.json", &m, NULL), PLUGPKG_OK);
	pp_release_detach(m->release, "base");
	CHECK_INT(m->release->requires.n, 1);
	CHECK_STR(m->release->requires.at[0].name, "user");
	pp_release_detach(m->release, "base");
	CHECK_INT(m->release->requires.n, 1);
}

TAP_MAIN(CASE(votes_come_back_from_the_journal_as_they_were)
	CASE(events_of_a_manifest_have_their_handlers_and_unknown_ones_are_left_alone)
	    CASE(what_a_release_is_detached_from_it_does_not_require))
