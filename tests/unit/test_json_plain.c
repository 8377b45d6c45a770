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

TAP_MAIN(CASE(plain_text_is_read_as_the_library_reads_it) CASE(
    anything_unusual_is_left_to_the_library) CASE(deep_lists_and_long_keys_are_left_to_the_library))
