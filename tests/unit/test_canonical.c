/* SPDX-License-Identifier: MIT */
/* The canonical form over which TUF signs, as other implementations write it. */
#include "base/json.h"

#include <errno.h>

#include "base/str.h"
#include "tap.h"

static void
canonical_text_is_sorted_raw_and_without_blanks(void)
{
	static const struct {
		const char *json, *want;
	} rows[] = {
		{ "{}", "{}" },
		{ "[ ]", "[]" },
		{ " { \"b\" : 1, \"a\" : [ true , false , null ] } ",
		    "{\"a\":[true,false,null],\"b\":1}" },
		{ "{\"aa\":1,\"a\":2,\"B\":3,\"\":4}", "{\"\":4,\"B\":3,\"a\":2,\"aa\":1}" },
		{ "[0, -0, -5, 9223372036854775807]", "[0,0,-5,9223372036854775807]" },
		/*
		 * Only the quote and the backslash are escaped; a slash, controls and newlines are
		 * not.
		 */
		{ "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\"]",
		    "[\"\\\"\\\\/\b\f\n\r\t\x01\x7f\"]" },
		{ "[\"\\u00e9\\u20ac\\ud83d\\ude00\"]",
		    "[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]" },
		/* By code point, which is not the order of UTF-16: U+FF61 stands before U+1F600. */
		{ "{\"\\ud83d\\ude00\":1,\"\\uff61\":2,\"z\":3}",
		    "{\"z\":3,\"\xef\xbd\xa1\":2,\"\xf0\x9f\x98\x80\":1}" },
		{ "{\"o\":{\"y\":{\"b\":[],\"a\":{}},\"x\":\"\"}}",
		    "{\"o\":{\"x\":\"\",\"y\":{\"a\":{},\"b\":[]}}}" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		struct pp_json_error why;
		PP_AUTO_JSON pp_json *j = pp_json_parse(rows[i].json, strlen(rows[i].json), &why);
		PP_AUTO_BUF struct pp_buf got = PP_BUF_INIT(1000);
		if (!CHECK(j != NULL))
			continue;
		CHECK_INT(pp_json_canonical(j, &got), 0);
		CHECK_STR(pp_buf_cstr(&got), rows[i].want);
		CHECK(got.n <= strlen(rows[i].json));
	}
}

static void
a_fraction_has_no_canonical_form(void)
{
	static const char *const rows[] = { "[1.5]", "{\"a\":{\"b\":[1.0]}}", "[1e2]" };

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_JSON pp_json *j = pp_json_parse(rows[i], strlen(rows[i]), NULL);
		PP_AUTO_BUF struct pp_buf got = PP_BUF_INIT(1000);
		/* Refusing it at parsing would be just as good. */
		CHECK(j == NULL || pp_json_canonical(j, &got) == -EINVAL);
	}
}

static void
what_two_readers_could_take_differently_is_no_json(void)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = {
		{ "{\"a\":1,\"a\":2}", 13 },
		{ "[\"\\u0000\"]", 10 },
		{ "{\"\\u0000\":1}", 12 },
		{ "[\"\xff\"]", 5 },
		{ "[\"\xc0\x80\"]", 6 },
		{ "[\"\xed\xa0\x80\"]", 7 },
		{ "[\"\\ud800\"]", 10 },
		{ "[9223372036854775808]", 21 },
		{ "[01]", 4 },
		{ "{} {}", 5 },
		{ "{}\0", 3 },
		{ "[NaN]", 5 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		struct pp_json_error why;
		PP_AUTO_JSON pp_json *j = pp_json_parse(rows[i].text, rows[i].n, &why);
		if (!CHECK(j == NULL))
			printf("# row %zu was accepted\n", i);
	}
}

/* clang-format off */
TAP_MAIN(
	CASE(canonical_text_is_sorted_raw_and_without_blanks)
	CASE(a_fraction_has_no_canonical_form)
	CASE(what_two_readers_could_take_differently_is_no_json))
/* clang-format on */
