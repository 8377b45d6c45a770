/* SPDX-License-Identifier: MIT */
/* The index root: there and back, each member checked, and the names that follow from it. */
#include "lib/index/index.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tap.h"

#define HEX  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define REF  "{\"sha256\":\"" HEX "\",\"size\":10,\"unpacked\":20}"
#define HEAD "{\"_type\":\"plugpkg-index\",\"format\":1,\"name\":\"main\","
#define TAIL "\"search\":" REF "}"

PP_DEFINE_AUTO(root, struct pp_index_root, pp_index_root_free);

static enum plugpkg_code
parse(const char *text, struct pp_index_root **out, plugpkg_error **err)
{
	return pp_index_root_parse(pp_str_of(text), "index root", out, err);
}

static void
a_root_is_read_and_written(void)
{
	PP_AUTO(root) struct pp_index_root *r = NULL;
	const char *text =
	    HEAD "\"later\":[],\"planning\":[" REF "],\"details\":[" REF "," REF "]," TAIL;

	if (!CHECK_INT(parse(text, &r, NULL), PLUGPKG_OK))
		return;
	CHECK_STR(r->name, "main");
	CHECK_INT(r->planning.n, 1);
	CHECK_INT(r->details.n, 2);
	CHECK_STR(r->search.sha256, HEX);
	CHECK_INT(r->details.at[1].size, 10);
	CHECK_INT(r->details.at[1].unpacked, 20);

	PP_AUTO(root) struct pp_index_root *again = NULL;
	PP_AUTO_FREE char *written = pp_index_root_text(r);
	CHECK_INT(parse(written, &again, NULL), PLUGPKG_OK);
	PP_AUTO_FREE char *twice = pp_index_root_text(again);
	CHECK_STR(twice, written);
}

static void
a_layer_of_many_is_written_short_and_read_in_both_forms(void)
{
	PP_AUTO(root) struct pp_index_root *r = NULL;
	PP_AUTO(root) struct pp_index_root *again = NULL;
	const char *text =
	    HEAD "\"planning\":[" REF "],\"details\":[" REF ",\"" HEX " 11 22\"]," TAIL;

	if (!CHECK_INT(parse(text, &r, NULL), PLUGPKG_OK))
		return;
	PP_AUTO_FREE char *written = pp_index_root_text(r);
	CHECK_HAS(written, "\"details\":[\"" HEX " 10 20\",\"" HEX " 11 22\"]");
	CHECK_HAS(written, "\"planning\":[{");
	if (!CHECK_INT(parse(written, &again, NULL), PLUGPKG_OK))
		return;
	CHECK_STR(again->details.at[1].sha256, HEX);
	CHECK_INT(again->details.at[1].size, 11);
	CHECK_INT(again->details.at[1].unpacked, 22);
	CHECK_INT(again->details.at[1].table.size, 0);
}

static void
each_wrong_member_is_named(void)
{
	static const char *const rows[][2] = {
		{ "", "index root" },
		{ "[]", "a list, not an object" },
		{ "{\"_type\":\"targets\"}", "\"_type\"" },
		{ "{\"_type\":\"plugpkg-index\"}", "\"format\"" },
		{ "{\"_type\":\"plugpkg-index\",\"format\":2}", "this plugpkg reads 1" },
		{ "{\"_type\":\"plugpkg-index\",\"format\":1,\"name\":\"../x\"}", "\"name\"" },
		{ HEAD "\"planning\":{}}", "\"planning\" is an object" },
		{ HEAD "\"planning\":[]}", "lists 0 shards" },
		{ HEAD "\"planning\":[" REF "," REF "," REF "]}", "lists 3 shards" },
		{ HEAD "\"planning\":[7]}", "\"sha256\" of planning shard 0" },
		{ HEAD "\"planning\":[{\"sha256\":\"" HEX " \",\"size\":1,\"unpacked\":1}]}",
		    "\"sha256\" of planning" },
		{ HEAD "\"planning\":[{\"sha256\":\"" HEX "\",\"size\":0,\"unpacked\":1}]}",
		    "\"size\" of planning" },
		{ HEAD "\"planning\":[{\"sha256\":\"" HEX "\",\"size\":1.0,\"unpacked\":1}]}",
		    "\"size\" of planning" },
		{ HEAD "\"planning\":[{\"sha256\":\"" HEX "\",\"size\":1}]}",
		    "\"unpacked\" of planning" },
		{ HEAD "\"planning\":[{\"sha256\":\"" HEX
		       "\",\"size\":1,\"unpacked\":999999999999}]}",
		    "\"unpacked\" of planning" },
		{ HEAD "\"planning\":[\"\"]}", "is not \"SHA256 SIZE UNPACKED\"" },
		{ HEAD "\"planning\":[\"" HEX " 1\"]}", "is not \"SHA256 SIZE UNPACKED\"" },
		{ HEAD "\"planning\":[\"" HEX " 1 1 1\"]}", "is not \"SHA256 SIZE UNPACKED\"" },
		{ HEAD "\"planning\":[\"" HEX " 1 -1\"]}", "is not \"SHA256 SIZE UNPACKED\"" },
		{ HEAD "\"planning\":[\"" HEX "0 1 1\"]}", "is not \"SHA256 SIZE UNPACKED\"" },
		{ HEAD "\"planning\":[\"" HEX " 0 1\"]}", "\"size\" of planning" },
		{ HEAD "\"planning\":[\"" HEX " 1 999999999999\"]}", "\"unpacked\" of planning" },
		{ HEAD "\"planning\":[" REF "]}", "\"details\" is" },
		{ HEAD "\"planning\":[" REF "],\"details\":[" REF "]}", "search shard" },
		{ HEAD "\"name\":\"other\"," TAIL, "index root" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_index_root *r = NULL;

		CHECK_INT(parse(rows[i][0], &r, &err), PLUGPKG_E_BAD_METADATA);
		CHECK_HAS(plugpkg_error_message(err), rows[i][1]);
		CHECK(r == NULL);
	}
}

/* An upper-case digest would be another file name on half of the world's disks. */
static void
upper_case_digests_are_refused(void)
{
	struct pp_index_root *r = NULL;
	PP_AUTO_FREE char *text =
	    pp_xstrdup(HEAD "\"planning\":[" REF "],\"details\":[" REF "]," TAIL);

	*strstr(text, "abcdef") = 'A';
	CHECK_INT(parse(text, &r, NULL), PLUGPKG_E_BAD_METADATA);
}

static void
a_table_is_inside_its_shard(void)
{
	static const struct {
		const char *table;
		bool is_sound;
	} rows[] = {
		{ "{\"sha256\":\"" HEX "\",\"size\":9}", true },
		{ "{\"sha256\":\"" HEX "\",\"size\":10}", false },
		{ "{\"sha256\":\"" HEX "\",\"size\":0}", false },
		{ "{\"sha256\":\"x\",\"size\":5}", false },
		{ "7", false },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(root) struct pp_index_root *r = NULL;
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		PP_AUTO_FREE char *text =
		    pp_asprintf(HEAD "\"planning\":[{\"sha256\":\"" HEX
				     "\",\"size\":10,\"unpacked\":20,\"table\":%s}"
				     "],\"details\":[" REF "]," TAIL,
			rows[i].table);
		CHECK_INT(
		    parse(text, &r, &err), rows[i].is_sound ? PLUGPKG_OK : PLUGPKG_E_BAD_METADATA);
		if (!rows[i].is_sound) {
			CHECK_HAS(plugpkg_error_message(err), "\"table\" of planning shard 0");
			continue;
		}
		PP_AUTO_FREE char *written = pp_index_root_text(r);
		CHECK_INT(r->planning.at[0].table.size, 9);
		CHECK_HAS(written, "\"table\":{\"sha256\":\"" HEX "\",\"size\":9}");
	}
}

static void
shards_are_chosen_by_the_leading_bits(void)
{
	/* sha256("user") = 04f8996da763b7a9… */
	CHECK_INT(pp_index_shard_of(1, "user"), 0);
	CHECK_INT(pp_index_shard_of(16, "user"), 0x0);
	CHECK_INT(pp_index_shard_of(256, "user"), 0x04);
	CHECK_INT(pp_index_shard_of(4096, "user"), 0x04f);
}

static void
paths_follow_from_digests_and_names(void)
{
	struct pp_shard_ref ref = { .sha256 = HEX };
	PP_AUTO_FREE char *shard = pp_index_shard_path(PP_LAYER_DETAILS, &ref);
	PP_AUTO_FREE char *plain = pp_index_archive_path("user", "1.2.3", HEX);
	PP_AUTO_FREE char *scoped = pp_index_archive_path("@babel/core", "1.0.0-rc.1+b.7", HEX);

	CHECK_STR(shard, "index/" HEX ".details.zst");
	CHECK_STR(plain, "pool/user/1.2.3/" HEX ".plug");
	CHECK_STR(scoped, "pool/@babel/core/1.0.0-rc.1%2Bb.7/" HEX ".plug");
}

TAP_MAIN(CASE(a_root_is_read_and_written) CASE(
    a_layer_of_many_is_written_short_and_read_in_both_forms) CASE(each_wrong_member_is_named)
	CASE(upper_case_digests_are_refused) CASE(shards_are_chosen_by_the_leading_bits)
	    CASE(a_table_is_inside_its_shard) CASE(paths_follow_from_digests_and_names))
