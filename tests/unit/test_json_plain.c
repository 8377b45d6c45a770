/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/json_plain.h"
#include "base/mem.h"
#include "tap.h"

static void
check_same(const char *text, bool is_plain)
{
	PP_AUTO_JSON pp_json *plain = pp_json_read_plain(text, strlen(text));
	PP_AUTO_JSON pp_json *any = pp_json_read_any(text, strlen(text), NULL);

	CHECK_INT(plain != NULL, is_plain);
	if (plain == NULL || !CHECK(any != NULL))
		return;
	PP_AUTO_FREE char *a = pp_json_line(plain);
	PP_AUTO_FREE char *b = pp_json_line(any);
	CHECK_STR(a, b);
}

static void
plain_text_is_read_as_the_library_reads_it(void)
{
	static const char *const texts[] = {
		"{}",
		" [ ] \n",
		"{\"name\":\"a\",\"versions\":[{\"version\":\"1.0\",\"requires\":{\"b\":\"^1\"}}]}",
		"{\"z\":1,\"a\":-2,\"\":[true,false,0,-0,999999999999999999]}",
		"\t{ \"a\" : [ 1 , \"x y\" ] }\r\n",
	};

	for (size_t i = 0; i < PP_LEN(texts); i++)
		check_same(texts[i], true);
}

static void
anything_unusual_is_left_to_the_library(void)
{
	static const char *const texts[] = {
		"",
		"1",
		"\"a\"",
		"null",
		"[null]",
		"[1.5]",
		"[1e3]",
		"[01]",
		"[-]",
		"[1 2]",
		"[1,]",
		"[,1]",
		"[truer]",
		"[1000000000000000000]",
		"[\"\\n\"]",
		"[\"\xc3\xa9\"]",
		"[\"\x01\"]",
		"{\"a\":1,\"a\":1}",
		"{\"a\"}",
		"{\"a\":1} x",
		"{\"a\":[1}",
		"[\"a",
		"[1",
		"{",
	};

	for (size_t i = 0; i < PP_LEN(texts); i++)
		check_same(texts[i], false);
}

static void
deep_lists_and_long_keys_are_left_to_the_library(void)
{
	char deep[80], key[400];

	memset(deep, '[', 40);
	memset(deep + 40, ']', 40);
	PP_AUTO_JSON pp_json *a = pp_json_read_plain(deep, sizeof(deep));
	CHECK(a == NULL);

	memset(key, 'k', sizeof(key));
	memcpy(key, "{\"", 2);
	memcpy(key + sizeof(key) - 4, "\":1}", 4);
	PP_AUTO_JSON pp_json *b = pp_json_read_plain(key, sizeof(key));
	CHECK(b == NULL);
	PP_AUTO_JSON pp_json *c = pp_json_parse(key, sizeof(key), NULL);
	CHECK(c != NULL);
}

static void
both_writers_write_the_same_bytes(void)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"[[],{},[[]],{\"a\":{}}]",
		"{\"z\":1,\"a\":-9223372036854775808,\"\":[true,false,null,9223372036854775807]}",
		"[\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0001 \\u001f \\u007f\"]",
		"{\"\\u0009k\\\"\":\"\xc3\xa9 \xe2\x80\xa8 \xf0\x9f\x90\x98\"}",
	};

	for (size_t i = 0; i < 2 * PP_LEN(texts); i++) {
		PP_AUTO_JSON pp_json *j =
		    pp_json_read_any(texts[i / 2], strlen(texts[i / 2]), NULL);
		if (!CHECK(j != NULL))
			continue;
		PP_AUTO_FREE char *quick = pp_json_write_plain(j, i % 2 == 1);
		PP_AUTO_FREE char *slow = pp_json_write_any(j, i % 2 == 1);
		CHECK_STR(quick, slow);
	}
}

static void
a_fraction_is_left_to_the_library(void)
{
	PP_AUTO_JSON pp_json *j = pp_json_read_any("[{\"a\":0.5}]", 11, NULL);
	PP_AUTO_FREE char *quick = pp_json_write_plain(j, false);
	PP_AUTO_FREE char *line = pp_json_line(j);

	CHECK(quick == NULL);
	CHECK_STR(line, "[{\"a\":0.5}]");
}

TAP_MAIN(CASE(plain_text_is_read_as_the_library_reads_it) CASE(
    anything_unusual_is_left_to_the_library) CASE(deep_lists_and_long_keys_are_left_to_the_library)
	CASE(both_writers_write_the_same_bytes) CASE(a_fraction_is_left_to_the_library))
