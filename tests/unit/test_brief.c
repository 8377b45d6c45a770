/* SPDX-License-Identifier: MIT */
/* What planning rows say of archives: written from the details, read by clients. */
#include "lib/index/brief.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tap.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static pp_json *
json(const char *text)
{
	return pp_json_parse(text, strlen(text), NULL);
}

/* The planning line after it took over what the details say. */
static char *
written(const char *planning, const char *details)
{
	PP_AUTO_JSON pp_json *line = json(planning);
	PP_AUTO_JSON pp_json *from = json(details);

	pp_brief_write(line, from);
	return pp_json_line(line);
}

static void
a_row_says_what_the_details_say(void)
{
	PP_AUTO_FREE char *text = written(
	    "{\"name\":\"a\",\"versions\":[{\"version\":\"2\",\"archive\":\"old\"},"
	    "{\"version\":\"1\"}]}",
	    "{\"name\":\"a\",\"versions\":[{\"version\":\"2\",\"sha256\":\"" HEX
	    "\",\"size\":7,\"unpacked\":0,\"files\":3,\"summary\":\"A\",\"scripts\":[\"install\"],"
	    "\"signed\":true},"
	    "{\"version\":\"1\",\"sha256\":\"" HEX "\",\"size\":1,\"unpacked\":2,\"files\":0}],"
	    "\"owner\":{\"key\":\"k\"}}");

	CHECK_STR(text,
	    "{\"name\":\"a\",\"versions\":[{\"version\":\"2\",\"archive\":\"" HEX
	    " 7 0 3\",\"scripts\":[\"install\"],\"signed\":true},"
	    "{\"version\":\"1\",\"archive\":\"" HEX " 1 2 0\"}],\"owner\":{\"key\":\"k\"}}");
}

static void
what_the_details_do_not_say_goes(void)
{
	static const char full[] =
	    "{\"name\":\"a\",\"versions\":[{\"version\":\"2\",\"archive\":\"old\",\"tables\":[],"
	    "\"signed\":true}],\"owner\":{}}";
	static const char *const details[] = {
		"{\"name\":\"a\",\"versions\":[]}",
		"{\"name\":\"a\",\"versions\":[{\"version\":\"1\",\"sha256\":\"" HEX
		"\",\"size\":7,\"unpacked\":0,\"files\":3}]}",
		"{\"name\":\"a\",\"versions\":[{\"version\":\"2\",\"sha256\":\"" HEX
		"\",\"size\":7,\"signed\":true}]}",
	};

	for (size_t i = 0; i < PP_LEN(details); i++) {
		PP_AUTO_FREE char *text = written(full, details[i]);
		CHECK_STR(text, "{\"name\":\"a\",\"versions\":[{\"version\":\"2\"}]}");
	}
}

static void
only_the_exact_form_is_read(void)
{
	static const char *const bad[] = {
		"",
		HEX,
		HEX " 1 2",
		HEX " 1 2 3 4",
		HEX " 1 2 3 ",
		HEX " 1  2 3",
		HEX " 0 2 3",
		HEX " -1 2 3",
		HEX " 1 2 99999999999999999999",
		HEX "0 1 2 3",
		"X123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef 1 2 3",
	};
	struct pp_brief b;

	if (CHECK(pp_brief_read(HEX " 1 2 3", &b))) {
		CHECK_STR(b.sha256, HEX);
		CHECK_INT(b.size, 1);
		CHECK_INT(b.unpacked, 2);
		CHECK_INT(b.files, 3);
	}
	for (size_t i = 0; i < PP_LEN(bad); i++)
		CHECK(!pp_brief_read(bad[i], &b));
}

TAP_MAIN(CASE(a_row_says_what_the_details_say) CASE(what_the_details_do_not_say_goes)
	CASE(only_the_exact_form_is_read))
