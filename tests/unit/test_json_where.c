/* SPDX-License-Identifier: MIT */
/* Lines and columns of members, named as messages name them. */
#include "base/json_where.h"

#include "tap.h"

static const char text[] =
    "\n"
    "{\n"
    "  \"name\": \"demo\",\n"
    "  \"plugins\": {\"user\": \"*\",\n"
    "\t\"@acme/a.b\": \"^1\", \"@acme/a\": {\"b\": [1, [2, 3]]}},\n"
    "  \"sources\": [{\"name\": \"x\"},\n"
    "    {\"urls\": [\"a\",\n"
    "      \"]},{\\\"\\\\\"\n"
    "    ]}, true , null, -1.5e3],\n"
    "  \"\\u00e9\\ud83d\\ude00\\n\": {},  \"\xc3\xa9\": {\"\": 1}, \"end\":7\n"
    "}\n";

static void
members_and_elements_are_found(void)
{
	static const struct {
		const char *path;
		int line, column;
	} rows[] = {
		{ "", 2, 1 },
		{ "name", 3, 3 },
		{ "plugins", 4, 3 },
		{ "plugins.user", 4, 15 },
		/* Dots in names need no quotes, and hide nobody. */
		{ "plugins.@acme/a.b", 5, 2 },
		{ "plugins.@acme/a", 5, 21 },
		{ "plugins.@acme/a.b[1]", 5, 42 },
		{ "plugins.@acme/a.b[1][1]", 5, 46 },
		{ "sources[0]", 6, 15 },
		{ "sources[0].name", 6, 16 },
		{ "sources[1]", 7, 5 },
		{ "sources[1].urls[0]", 7, 15 },
		{ "sources[1].urls[1]", 8, 7 },
		{ "sources[2]", 9, 9 },
		{ "sources[3]", 9, 16 },
		{ "sources[4]", 9, 22 },
		{ "\xc3\xa9\xf0\x9f\x98\x80\n", 10, 3 },
		{ "\xc3\xa9", 10, 32 },
		{ "\xc3\xa9.", 10, 38 },
		{ "end", 10, 46 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		struct pp_json_pos pos;

		CHECK(pp_json_where(PP_STR(text), rows[i].path, &pos));
		CHECK_INT(pos.line, rows[i].line);
		CHECK_INT(pos.column, rows[i].column);
	}
}

static void
what_is_missing_is_missed_where_it_should_be(void)
{
	static const struct {
		const char *path;
		int line, column;
	} rows[] = {
		{ "none", 2, 1 },
		{ "nam", 2, 1 },
		{ "names", 2, 1 },
		{ "name.x", 3, 3 },
		{ "plugins.use", 4, 3 },
		{ "plugins[0]", 4, 3 },
		{ "sources[0].urls", 6, 15 },
		{ "sources[5]", 6, 3 },
		{ "sources[-1]", 6, 3 },
		{ "sources[0", 6, 3 },
		{ "sources[]", 6, 3 },
		{ "sources[99999999999999999999999]", 6, 3 },
		{ "sources.name", 6, 3 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		struct pp_json_pos pos;

		CHECK(!pp_json_where(PP_STR(text), rows[i].path, &pos));
		CHECK_INT(pos.line, rows[i].line);
		CHECK_INT(pos.column, rows[i].column);
	}
}

static void
text_that_is_no_json_ends_the_walk(void)
{
	static const char *const texts[] = { "", " ", "{", "[", "\"", "\"\\", "\"\\u", "\"\\ud800",
		"{\"a", "{\"a\"", "{\"a\":", "{\"a\":{\"b\\u12", "]", "}", ",", "{\"a\" 1}",
		"{\"a\":[,]}", "{\"a\":]}", "{{{{", "[[[[", "{\"a\":[1 2 3]}" };

	for (size_t i = 0; i < PP_LEN(texts); i++) {
		/* Every cut of the good one too. */
		for (const char *const *path = (const char *const[]){ "", "a.b", "a[0].b", NULL };
		     *path != NULL; path++) {
			struct pp_json_pos pos;

			(void)pp_json_where(pp_str_of(texts[i]), *path, &pos);
			CHECK_INT(pos.line, 1);
		}
	}
	for (size_t n = 0; n < sizeof(text); n++) {
		struct pp_json_pos pos;
		struct pp_str cut = { text, n };

		(void)pp_json_where(cut, "sources[1].urls[1]", &pos);
		CHECK(pos.line >= 1 && pos.line <= 11);
	}
}

TAP_MAIN(CASE(members_and_elements_are_found) CASE(what_is_missing_is_missed_where_it_should_be)
	CASE(text_that_is_no_json_ends_the_walk))
