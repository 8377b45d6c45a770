/* SPDX-License-Identifier: MIT */
/* The index root: there and back, each member checked, and the names that follow from it. */
#include "lib/index/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/index/zstd.h"
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
a_layer_of_many_is_written_short_and_read_in_all_forms(void)
{
	PP_AUTO(root) struct pp_index_root *r = NULL;
	PP_AUTO(root) struct pp_index_root *again = NULL;
	const char *text =
	    HEAD "\"planning\":[" REF "],\"details\":[" REF ",\"" HEX " 11 22\"]," TAIL;

	if (!CHECK_INT(parse(text, &r, NULL), PLUGPKG_OK))
		return;
	PP_AUTO_FREE char *written = pp_index_root_text(r);
	CHECK_HAS(written, "\"details\":\"" HEX " 10 20," HEX " 11 22\"");
	CHECK_HAS(written, "\"planning\":[{");
	if (!CHECK_INT(parse(written, &again, NULL), PLUGPKG_OK))
		return;
	CHECK_STR(again->details.at[1].sha256, HEX);
	CHECK_INT(again->details.at[1].size, 11);
	CHECK_INT(again->details.at[1].unpacked, 22);
	CHECK_INT(again->details.at[1].table.size, 0);
}

/* A root of so many planning shards as it is served, appended. */
static void
serve(size_t n_shards, struct pp_buf *out)
{
	struct pp_index_root r = { .name = (char[]){ "main" } };

	for (size_t i = 0; i < n_shards; i++) {
		struct pp_shard_ref ref = { .sha256 = HEX, .size = 10 + i, .unpacked = 20 };
		pp_vec_push(&r.planning, ref);
	}
	pp_vec_push(&r.details, r.planning.at[0]);
	r.search = r.planning.at[0];
	CHECK_INT(pp_index_root_write(&r, out), 0);
	pp_vec_free(&r.planning);
	pp_vec_free(&r.details);
}

static enum plugpkg_code
parse_bytes(const struct pp_buf *b, size_t n, struct pp_index_root **out, plugpkg_error **err)
{
	return pp_index_root_parse((struct pp_str){ b->s, n }, "index root", out, err);
}

static void
a_long_root_is_served_packed_and_a_short_one_as_it_is(void)
{
	PP_AUTO_BUF struct pp_buf small = PP_BUF_INIT(1 << 20);
	PP_AUTO_BUF struct pp_buf large = PP_BUF_INIT(1 << 20);
	PP_AUTO(root) struct pp_index_root *r = NULL;

	serve(4, &small);
	CHECK(small.s[0] == '{' && small.s[small.n - 1] == '\n');
	serve(PP_INDEX_MAX_SHARDS, &large);
	CHECK(large.s[0] != '{' && large.n < PP_INDEX_MAX_SHARDS * 40);
	if (!CHECK_INT(parse_bytes(&large, large.n, &r, NULL), PLUGPKG_OK))
		return;
	CHECK_INT(r->planning.n, PP_INDEX_MAX_SHARDS);
	CHECK_INT(r->planning.at[4095].size, 4105);
	CHECK_STR(r->search.sha256, HEX);
}

static void
a_packed_root_that_is_cut_or_longer_or_grows_too_large_is_refused(void)
{
	PP_AUTO_BUF struct pp_buf root = PP_BUF_INIT(1 << 20);
	PP_AUTO_BUF struct pp_buf bomb = PP_BUF_INIT(1 << 20);
	PP_AUTO_FREE char *blanks = pp_xmalloc(PP_INDEX_MAX_ROOT_BYTES + 1);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_index_root *r = NULL;

	serve(1024, &root);
	CHECK_INT(parse_bytes(&root, root.n - 1, &r, NULL), PLUGPKG_E_BAD_METADATA);
	CHECK_INT(parse_bytes(&root, 4, &r, NULL), PLUGPKG_E_BAD_METADATA);
	pp_buf_addc(&root, '\n');
	CHECK_INT(parse_bytes(&root, root.n, &r, &err), PLUGPKG_E_BAD_METADATA);
	CHECK_STR(plugpkg_error_message(err), "index root is no single zstd frame");
	memset(blanks, ' ', PP_INDEX_MAX_ROOT_BYTES + 1);
	CHECK_INT(pp_zstd_pack(blanks, PP_INDEX_MAX_ROOT_BYTES + 1, &bomb), 0);
	plugpkg_error_free(pp_steal(&err));
	CHECK_INT(parse_bytes(&bomb, bomb.n, &r, &err), PLUGPKG_E_BAD_METADATA);
	CHECK_STR(plugpkg_error_message(err), "index root: unpacks to more than 4194304 bytes");
	CHECK(r == NULL);
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
		{ HEAD "\"planning\":\"\"}", "is not \"SHA256 SIZE UNPACKED\"" },
		{ HEAD "\"planning\":\"" HEX " 1 1,\"}", "shard 1 is not \"SHA256" },
		{ HEAD "\"planning\":\"" HEX " 1 1," HEX " 1 1," HEX " 1 1\"}", "lists 3 shards" },
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

static void
a_text_of_one_shard_is_read_at_once_and_one_of_several_when_it_is_asked_for(void)
{
	static const char text[] =
	    HEAD "\"planning\":\"" HEX " 11 22\",\"details\":\"" HEX " 33 44," HEX " 55 66\"," TAIL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_index_root *r = NULL;

	if (!CHECK_INT(pp_index_root_open(pp_str_of(text), "index", &r, &err), PLUGPKG_OK))
		return;
	CHECK_INT(r->planning.at[0].size, 11);
	CHECK_INT(r->details.n, 2);
	CHECK_INT(r->details.at[1].size, 0);
	CHECK_INT(pp_index_root_look(r, PP_LAYER_DETAILS, 1, "index", &err), PLUGPKG_OK);
	CHECK_INT(r->details.at[1].size, 55);
	pp_index_root_free(r);
}

TAP_MAIN(CASE(a_text_of_one_shard_is_read_at_once_and_one_of_several_when_it_is_asked_for) CASE(
    a_root_is_read_and_written) CASE(a_layer_of_many_is_written_short_and_read_in_all_forms)
	CASE(a_long_root_is_served_packed_and_a_short_one_as_it_is)
	    CASE(a_packed_root_that_is_cut_or_longer_or_grows_too_large_is_refused)
		CASE(each_wrong_member_is_named) CASE(upper_case_digests_are_refused)
		    CASE(shards_are_chosen_by_the_leading_bits) CASE(a_table_is_inside_its_shard)
			CASE(paths_follow_from_digests_and_names))
