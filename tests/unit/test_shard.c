/* SPDX-License-Identifier: MIT */
/* Shards: written sorted, opened only in order, questions answered by one line. */
#include "lib/index/index.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tap.h"

static enum plugpkg_code
open_text(const char *text, struct pp_shard *out, plugpkg_error **err)
{
	return pp_shard_open(pp_str_of(text), "shard", out, err);
}

static void
lines_are_written_in_order_and_found(void)
{
	static const char *const names[] = { "user", "@a/b", "animal", "user-group", "a", "zebra" };
	pp_json *lines[PP_LEN(names)];
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
	struct pp_shard s;

	for (size_t i = 0; i < PP_LEN(names); i++) {
		lines[i] = pp_json_object();
		pp_json_set_str(lines[i], "name", names[i]);
		pp_json_set_int(lines[i], "n", (int64_t)i);
	}
	pp_shard_write((const pp_json *const *)lines, PP_LEN(lines), &text);
	CHECK_HAS(text.s, "{\"name\":\"@a/b\",\"n\":1}\n{\"name\":\"a\",\"n\":4}\n");
	CHECK_INT(pp_shard_open((struct pp_str){ text.s, text.n }, "shard", &s, NULL), PLUGPKG_OK);
	CHECK_INT(s.lines.n, PP_LEN(names));
	for (size_t i = 0; i < PP_LEN(names); i++) {
		PP_AUTO_JSON pp_json *j = NULL;

		CHECK_INT(pp_shard_line(&s, names[i], &j, NULL), PLUGPKG_OK);
		CHECK_INT(pp_json_get_int(j, "n", -1), i);
		pp_json_free(lines[i]);
	}
	PP_AUTO_FREE char *last = pp_shard_line_name(s.lines.at[5]);
	CHECK_STR(last, "zebra");
	pp_shard_fini(&s);
}

static void
unknown_names_have_no_line(void)
{
	static const char *const names[] = { "", "a", "b", "c", "bb", "\"", "../b" };
	struct pp_shard s;

	CHECK_INT(open_text("{\"name\":\"aa\"}\n{\"name\":\"ba\"}\n", &s, NULL), PLUGPKG_OK);
	for (size_t i = 0; i < PP_LEN(names); i++) {
		pp_json *j = NULL;

		CHECK_INT(pp_shard_line(&s, names[i], &j, NULL), PLUGPKG_OK);
		CHECK(j == NULL);
	}
	pp_shard_fini(&s);
}

static void
an_empty_shard_is_fine(void)
{
	struct pp_shard s;
	pp_json *j = NULL;

	CHECK_INT(open_text("", &s, NULL), PLUGPKG_OK);
	CHECK_INT(pp_shard_line(&s, "a", &j, NULL), PLUGPKG_OK);
	CHECK(j == NULL);
	pp_shard_fini(&s);
}

static void
malformed_shards_are_refused(void)
{
	static const char *const texts[] = {
		"\n",
		"{\"name\":\"a\"}",
		"{\"name\":\"a\"}\n\n",
		"{\"name\":\"b\"}\n{\"name\":\"a\"}\n",
		"{\"name\":\"a\"}\n{\"name\":\"a\"}\n",
		"{\"version\":\"1\",\"name\":\"a\"}\n",
		"{ \"name\":\"a\"}\n",
		"{\"name\":\"A\"}\n",
		"{\"name\":\"a\\u0062\"}\n",
		"{\"name\":\"../a\"}\n",
		"{\"name\":\"a\n",
		"{\"name\":\"a\"\n",
		"{\"name\":\n",
		"[]\n",
	};

	for (size_t i = 0; i < PP_LEN(texts); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_shard s;

		if (!CHECK_INT(open_text(texts[i], &s, &err), PLUGPKG_E_BAD_METADATA))
			printf("# row %zu\n", i);
		CHECK_HAS(plugpkg_error_message(err), "shard: ");
	}
}

static void
a_broken_line_is_named(void)
{
	static const char *const texts[] = {
		"{\"name\":\"a\",\"versions\":}\n",
		"{\"name\":\"a\",\"name\":\"a\"}\n",
		"{\"name\":\"a\"}}\n",
	};

	for (size_t i = 0; i < PP_LEN(texts); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_shard s;
		pp_json *j = NULL;

		CHECK_INT(open_text(texts[i], &s, NULL), PLUGPKG_OK);
		CHECK_INT(pp_shard_line(&s, "a", &j, &err), PLUGPKG_E_BAD_METADATA);
		CHECK_HAS(plugpkg_error_message(err), "'a'");
		pp_shard_fini(&s);
	}
}

static void
too_many_versions_are_refused(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(1 << 20);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_shard s;
	pp_json *j = NULL;

	pp_buf_adds(&text, "{\"name\":\"a\",\"versions\":[0");
	for (int i = 0; i < PP_INDEX_MAX_VERSIONS; i++)
		pp_buf_adds(&text, ",0");
	pp_buf_adds(&text, "]}\n");
	CHECK_INT(open_text(text.s, &s, NULL), PLUGPKG_OK);
	CHECK_INT(pp_shard_line(&s, "a", &j, &err), PLUGPKG_E_BAD_METADATA);
	CHECK_HAS(plugpkg_error_message(err), "1001 versions");
	pp_shard_fini(&s);
}

static void
versions_that_are_no_list_are_refused(void)
{
	struct pp_shard s;
	PP_AUTO_JSON pp_json *j = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	CHECK_INT(
	    open_text("{\"name\":\"a\",\"versions\":{\"1.0.0\":{}}}\n", &s, NULL), PLUGPKG_OK);
	CHECK_INT(pp_shard_line(&s, "a", &j, &err), PLUGPKG_E_BAD_METADATA);
	CHECK_HAS(plugpkg_error_message(err), "'versions' has to be a list");
	pp_shard_fini(&s);
}

TAP_MAIN(CASE(lines_are_written_in_order_and_found) CASE(unknown_names_have_no_line)
	CASE(an_empty_shard_is_fine) CASE(malformed_shards_are_refused) CASE(a_broken_line_is_named)
	    CASE(too_many_versions_are_refused) CASE(versions_that_are_no_list_are_refused))
