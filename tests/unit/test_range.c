/* SPDX-License-Identifier: MIT */
/* Ranges: read as npm does (a table made by its package), four-part versions, messages, limits. */
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "lib/model/range.h"
#include "tap.h"

#include <fcntl.h>

PP_DEFINE_AUTO(range, struct pp_range, pp_range_free);

static bool
match(const struct pp_range *r, const char *text, bool include_pre)
{
	PP_CLEANUP(pp_version_fini) struct pp_version v = { 0 };

	if (!CHECK_INT(pp_version_parse(pp_str_of(text), &v, NULL), PLUGPKG_OK))
		return false;
	return pp_range_match(r, &v, include_pre);
}

static bool
matches(const char *range, const char *version, bool include_pre)
{
	PP_AUTO(range) struct pp_range *r = NULL;

	if (!CHECK_INT(pp_range_parse(pp_str_of(range), &r, NULL), PLUGPKG_OK))
		return false;
	return match(r, version, include_pre);
}

/* One row of the table: what npm matches, and nothing else. */
static void
check_row(struct pp_str range, struct pp_str want, struct pp_str versions)
{
	PP_AUTO(range) struct pp_range *r = NULL;
	PP_AUTO_BUF struct pp_buf got = PP_BUF_INIT(65536);
	PP_AUTO_FREE char *text = pp_xstrndup(range.p, range.n);
	PP_AUTO_FREE char *wanted = pp_xstrndup(want.p, want.n);
	struct pp_str one;

	if (pp_range_parse(range, &r, NULL) != PLUGPKG_OK) {
		pp_buf_adds(&got, "!");
	} else {
		while (pp_str_cut(&versions, ' ', &one)) {
			PP_AUTO_FREE char *version = pp_xstrndup(one.p, one.n);

			if (match(r, version, false))
				pp_buf_addf(&got, "%s%s", got.n > 0 ? " " : "", version);
		}
	}
	if (!CHECK_STR(pp_buf_cstr(&got), wanted))
		printf("#   range: '%s'\n", text);
}

static void
ranges_mean_what_npm_takes_them_for(void)
{
	const char *src = getenv("top_srcdir");
	PP_AUTO_FREE char *path =
	    pp_asprintf("%s/tests/data/semver-ranges.tsv", src != NULL ? src : ".");
	PP_AUTO_FD int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(1 << 22);
	struct pp_str rest, line, versions = { "", 0 };
	size_t rows = 0;

	if (fd < 0)
		SKIP("no table: top_srcdir is not set");
	if (!CHECK_INT(pp_fd_read_all(fd, &text), 0))
		return;
	rest = (struct pp_str){ text.s, text.n };
	while (pp_str_cut(&rest, '\n', &line) && line.n > 0) {
		struct pp_str range;
		/* The range may begin with a tab of its own: its column ends at the last one. */
		size_t tab = line.n;

		while (tab > 0 && line.p[tab - 1] != '\t')
			tab--;
		range = (struct pp_str){ line.p, tab - 1 };
		line = (struct pp_str){ line.p + tab, line.n - tab };
		if (pp_str_eq(range, "versions"))
			versions = line;
		else
			check_row(range, line, versions);
		rows++;
	}
	CHECK(rows > 400);
}

static void
versions_of_any_number_of_parts_fit_in(void)
{
	static const struct {
		const char *range, *version;
		bool want;
	} rows[] = {
		{ "^5.3.1.2", "5.3.1.2", true },
		{ "^5.3.1.2", "5.3.1.1", false },
		{ "^5.3.1.2", "5.99", true },
		{ "^5.3.1.2", "6.0.0", false },
		{ "^5.3.1.2", "6.0.0-rc.1", false },
		{ "~5.3.1.2", "5.3.9", true },
		{ "~5.3.1.2", "5.4", false },
		{ "1.2.3.4", "1.2.3.4", true },
		{ "1.2.3.4", "1.2.3.4.0", true },
		{ "1.2.3.4", "1.2.3.5", false },
		{ "1.2.3.4", "1.2.3", false },
		{ "1.2.3", "1.2.3.4", false },
		{ "1.2.3.x", "1.2.3.4", true },
		{ "1.2.3.x", "1.2.4", false },
		{ "1.2", "1.2.0.7", true },
		{ ">1.2.3", "1.2.3.1", true },
		{ "<=1.2.3", "1.2.3.1", false },
		{ ">1.2.3.x", "1.2.3.9", false },
		{ "^0.0.3.1", "0.0.3.2", true },
		{ "^0.0.3.1", "0.0.4", false },
		{ "^0.0.0.2", "0.0.0.2", true },
		{ "^0.0.0.2", "0.0.0.3", false },
		{ "1.2.3.4 - 1.2.3.6", "1.2.3.5", true },
		{ "1.2.3.4 - 1.2.3.6", "1.2.3.7", false },
		{ "~1", "1.9", true },
		{ "^1.2-beta", "1.2.0-beta.2", true },
		{ "^1.2-beta", "1.3.0-beta.2", false },
		{ "1.2-beta", "1.2.0-beta", true },
		{ ">=1.2, <2", "1.9.9", true },
		{ ">=1.2,<2", "2.0", false },
		{ "^9.9", "10.0", false },
		{ "^9.9", "9.10", true },
		{ "~9.99", "9.100", false },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		if (!CHECK_INT(matches(rows[i].range, rows[i].version, false), rows[i].want))
			printf("#   '%s' and %s\n", rows[i].range, rows[i].version);
	}
}

static void
prereleases_get_in_when_asked_for(void)
{
	CHECK(!matches(">=1", "2.0.0-rc.1", false));
	CHECK(matches(">=1", "2.0.0-rc.1", true));
	CHECK(matches("*", "2.0.0-rc.1", true));
	CHECK(!matches("^1.2", "2.0.0-rc.1", true));
	CHECK(!matches("<2", "2.0.0-rc.1", true));
	CHECK(matches("<2.0.0", "2.0.0-rc.1", true));
	CHECK(matches("^1.2.0-beta.2", "1.2.0-beta.10", false));
	CHECK(!matches("^1.2.0-beta.2", "1.3.0-beta.10", false));
}

static void
exact_and_any_ranges_are_known(void)
{
	static const struct {
		const char *range, *exact;
		bool any;
	} rows[] = {
		{ "1.2.3", "1.2.3", false },
		{ "=1.2.3-rc.1", "1.2.3-rc.1", false },
		{ " v1.2.3.4 ", "1.2.3.4", false },
		{ "1.2", NULL, false },
		{ "1.2.3 || 2.0.0", NULL, false },
		{ "*", NULL, true },
		{ "", NULL, true },
		{ ">=0", NULL, true },
		{ "1 || *", NULL, true },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(range) struct pp_range *r = NULL;

		if (!CHECK_INT(pp_range_parse(pp_str_of(rows[i].range), &r, NULL), PLUGPKG_OK))
			continue;
		const struct pp_version *exact = pp_range_exact(r);

		CHECK_STR(exact != NULL ? exact->text : NULL, rows[i].exact);
		CHECK_INT(pp_range_is_any(r), rows[i].any);
	}
}

static void
the_text_is_kept_as_written(void)
{
	PP_AUTO(range) struct pp_range *r = NULL;
	PP_AUTO(range) struct pp_range *empty = NULL;

	CHECK_INT(pp_range_parse(PP_STR("  ~1.2 ||  3.x "), &r, NULL), PLUGPKG_OK);
	CHECK_STR(r->text, "~1.2 ||  3.x");
	CHECK_INT(pp_range_parse(PP_STR("  "), &empty, NULL), PLUGPKG_OK);
	CHECK_STR(empty->text, "*");
}

static void
messages_say_where_and_what_was_expected(void)
{
	static const struct {
		const char *range, *message;
	} rows[] = {
		{ "^^2", "'^^2' is no range: expected a version after '^' at position 2" },
		{ ">=", "'>=' is no range: expected a version after '>=' at position 3" },
		{ "latest", "'latest' is no range: expected a version at position 1" },
		{ "1.2.x.4",
		    "'1.2.x.4' is no range: expected x, as after an x there is no number at "
		    "position 7" },
		{ "1..2", "'1..2' is no range: expected a number at position 3" },
		{ "01.2", "'01.2' is no range: the number has a leading zero at position 1" },
		{ "1 | 2", "'1 | 2' is no range: expected '||' at position 3" },
		{ "1 - 2 3",
		    "'1 - 2 3' is no range: expected '||' or the end after 'A - B' at position 7" },
		{ ">1,", "'>1,' is no range: expected a version after ',' at position 4" },
		{ "1.2<2", "'1.2<2' is no range: expected a blank, '||' or the end at position 4" },
		{ "\x1b[31m", "'\\x1b[31m' is no range: expected a version at position 1" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_range *r = NULL;

		CHECK_INT(pp_range_parse(pp_str_of(rows[i].range), &r, &err), PLUGPKG_E_BAD_RANGE);
		CHECK(r == NULL);
		CHECK_STR(plugpkg_error_message(err), rows[i].message);
		CHECK_HAS(plugpkg_error_hint(err), "^1.2");
	}
}

static void
hostile_ranges_are_refused_at_once(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(1 << 21);
	struct pp_range *r = NULL;

	for (int i = 0; i < 1 << 20; i++)
		pp_buf_addc(&text, '1');
	CHECK_INT(pp_range_parse((struct pp_str){ text.s, text.n }, &r, NULL), PLUGPKG_E_BAD_RANGE);
	pp_buf_clear(&text);
	for (int i = 0; i < 10000; i++)
		pp_buf_adds(&text, "1||");
	CHECK_INT(pp_range_parse((struct pp_str){ text.s, text.n }, &r, NULL), PLUGPKG_E_BAD_RANGE);
	pp_buf_clear(&text);
	for (int i = 0; i < 33; i++)
		pp_buf_adds(&text, "1||");
	CHECK_INT(pp_range_parse((struct pp_str){ text.s, text.n }, &r, NULL), PLUGPKG_E_BAD_RANGE);
	pp_buf_clear(&text);
	for (int i = 0; i < 17; i++)
		pp_buf_adds(&text, " >1");
	CHECK_INT(pp_range_parse((struct pp_str){ text.s, text.n }, &r, NULL), PLUGPKG_E_BAD_RANGE);
	CHECK_INT(pp_range_parse(PP_STR("1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8"), &r, NULL),
	    PLUGPKG_E_BAD_RANGE);
	CHECK_INT(pp_range_parse((struct pp_str){ "1\0002", 3 }, &r, NULL), PLUGPKG_E_BAD_RANGE);
}

static void
a_bound_may_be_one_digit_longer_than_any_version(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(256);

	pp_buf_adds(&text, "^");
	for (int i = 0; i < 64; i++)
		pp_buf_addc(&text, '9');
	CHECK(matches(text.s, text.s + 1, false));
	CHECK(!matches(text.s, "9", false));
}

TAP_MAIN(CASE(ranges_mean_what_npm_takes_them_for) CASE(versions_of_any_number_of_parts_fit_in)
	CASE(prereleases_get_in_when_asked_for) CASE(exact_and_any_ranges_are_known)
	    CASE(the_text_is_kept_as_written) CASE(messages_say_where_and_what_was_expected)
		CASE(hostile_ranges_are_refused_at_once)
		    CASE(a_bound_may_be_one_digit_longer_than_any_version))
