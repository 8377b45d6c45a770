/* SPDX-License-Identifier: MIT */
/* Versions: what is one, precedence (SemVer 2.0.0, section 11), any number of parts, limits. */
#include "base/buf.h"
#include "base/mem.h"
#include "lib/model/semver.h"
#include "tap.h"

static void
versions_are_read(void)
{
	static const struct {
		const char *text, *parts, *pre;
	} rows[] = {
		{ "1.2.3", "1.2.3", NULL },
		{ "0.0.0", "0.0.0", NULL },
		{ "1.2", "1.2", NULL },
		{ "7", "7", NULL },
		{ "5.3.1.2", "5.3.1.2", NULL },
		{ "2020.11.21", "2020.11.21", NULL },
		{ "1.0.0-alpha.1", "1.0.0", "alpha.1" },
		{ "1.0.0-x-y-z.--", "1.0.0", "x-y-z.--" },
		{ "1.0.0-0.3.7", "1.0.0", "0.3.7" },
		{ "1.0.0+001", "1.0.0", NULL },
		{ "1.0.0-rc.1+exp.sha.5114f85", "1.0.0", "rc.1" },
		{ "1.2-beta", "1.2", "beta" },
		{ "1.0.0-0a", "1.0.0", "0a" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_CLEANUP(pp_version_fini) struct pp_version v = { 0 };
		PP_CLEANUP(pp_version_fini) struct pp_version copy = { 0 };

		CHECK_INT(pp_version_parse(pp_str_of(rows[i].text), &v, NULL), PLUGPKG_OK);
		CHECK_STR(v.text, rows[i].text);
		CHECK_STR(v.parts, rows[i].parts);
		CHECK_STR(v.pre, rows[i].pre);
		CHECK_INT(pp_version_is_prerelease(&v), rows[i].pre != NULL);
		pp_version_copy(&v, &copy);
		CHECK_STR(copy.text, rows[i].text);
		CHECK_STR(copy.pre, rows[i].pre);
	}
}

static void
what_is_no_version_is_refused_with_the_position(void)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "", "'' is no version: it is empty at position 1" },
		{ "v1.2.3",
		    "'v1.2.3' is no version: a leading 'v' or '=' is no part of a version at "
		    "position 1" },
		{ "=1.2.3",
		    "'=1.2.3' is no version: a leading 'v' or '=' is no part of a version at "
		    "position 1" },
		{ "1.2.", "'1.2.' is no version: expected a number at position 5" },
		{ "1..2", "'1..2' is no version: expected a number at position 3" },
		{ ".1", "'.1' is no version: expected a number at position 1" },
		{ "1.02.3", "'1.02.3' is no version: the number has a leading zero at position 3" },
		{ "1.2.3-",
		    "'1.2.3-' is no version: expected a letter, digit or '-' at position 7" },
		{ "1.2.3-a..b",
		    "'1.2.3-a..b' is no version: expected a letter, digit or '-' at position 9" },
		{ "1.2.3-rc.01",
		    "'1.2.3-rc.01' is no version: the number in the prerelease has a leading zero "
		    "at position 10" },
		{ "1.2.3+",
		    "'1.2.3+' is no version: expected a letter, digit or '-' at position 7" },
		{ "1.2.3+a+b",
		    "'1.2.3+a+b' is no version: expected '.', '-', '+' or the end at position 8" },
		{ "1.2.3 ",
		    "'1.2.3 ' is no version: expected '.', '-', '+' or the end at position 6" },
		{ "1.2.x", "'1.2.x' is no version: expected a number at position 5" },
		{ "^1.2.3", "'^1.2.3' is no version: expected a number at position 1" },
		{ "1.2.3-be_ta", "'1.2.3-be_ta' is no version: expected '.', '-', '+' or the end "
				 "at position 9" },
		{ "1\n2",
		    "'1\\x0a2' is no version: expected '.', '-', '+' or the end at position 2" },
		{ "latest", "'latest' is no version: expected a number at position 1" },
		{ "-1.2", "'-1.2' is no version: expected a number at position 1" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_version v;

		CHECK_INT(
		    pp_version_parse(pp_str_of(rows[i].text), &v, &err), PLUGPKG_E_BAD_VERSION);
		CHECK(v.text == NULL);
		CHECK_STR(plugpkg_error_message(err), rows[i].message);
		CHECK_HAS(plugpkg_error_hint(err), "MAJOR.MINOR.PATCH");
	}
}

static int
sign(int d)
{
	return (d > 0) - (d < 0);
}

static void
check_order(const char *a, const char *b, int want)
{
	PP_CLEANUP(pp_version_fini) struct pp_version va = { 0 };
	PP_CLEANUP(pp_version_fini) struct pp_version vb = { 0 };

	CHECK_INT(pp_version_parse(pp_str_of(a), &va, NULL), PLUGPKG_OK);
	CHECK_INT(pp_version_parse(pp_str_of(b), &vb, NULL), PLUGPKG_OK);
	if (!CHECK_INT(sign(pp_version_cmp(&va, &vb)), want))
		printf("#   %s and %s\n", a, b);
	CHECK_INT(sign(pp_version_cmp(&vb, &va)), -want);
	CHECK_INT(sign(pp_version_cmp_text(a, b)), want);
}

static void
precedence_is_total(void)
{
	/* Each below all that follow. */
	static const char *const rising[] = {
		"0.0.0-0",
		"0.0.0",
		"0.0.0.1",
		"0.0.1",
		"0.2",
		"0.10",
		"1.0.0-0",
		"1.0.0-0.3.7",
		"1.0.0-1",
		"1.0.0-2",
		"1.0.0-10",
		"1.0.0-99999999999999999999999",
		"1.0.0--",
		"1.0.0-A",
		"1.0.0-a",
		"1.0.0-alpha",
		"1.0.0-alpha.1",
		"1.0.0-alpha.beta",
		"1.0.0-beta",
		"1.0.0-beta.2",
		"1.0.0-beta.11",
		"1.0.0-rc.1",
		"1.0.0",
		"1.0.0.0.1",
		"1.0.1",
		"2",
		"2.0.1-a",
		"10.0",
		"99999999999999999999.0.0",
		"100000000000000000000.0.0",
	};

	for (size_t i = 0; i < PP_LEN(rising); i++) {
		for (size_t k = 0; k < PP_LEN(rising); k++)
			check_order(rising[i], rising[k], i < k ? -1 : i > k);
	}
}

static void
missing_parts_count_as_zero_and_build_metadata_not_at_all(void)
{
	check_order("1.2", "1.2.0", 0);
	check_order("1", "1.0.0.0.0", 0);
	check_order("1.2-rc", "1.2.0-rc", 0);
	check_order("1.0.0+a", "1.0.0+b", 0);
	check_order("1.0.0+a", "1.0.0", 0);
	check_order("1.2.3.4", "1.2.3", 1);
}

static void
hostile_versions_are_refused_at_once(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(1 << 21);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_version v;

	for (int i = 0; i < 1 << 20; i++)
		pp_buf_addc(&text, '1');
	CHECK_INT(
	    pp_version_parse((struct pp_str){ text.s, text.n }, &v, &err), PLUGPKG_E_BAD_VERSION);
	CHECK_HAS(plugpkg_error_message(err), "longer than 256 bytes");
	CHECK(strlen(plugpkg_error_message(err)) < 300);
	PP_AUTO_ERROR plugpkg_error *of_pre = NULL;
	text.s[1] = '-';
	CHECK_INT(
	    pp_version_parse((struct pp_str){ text.s, 131 }, &v, &of_pre), PLUGPKG_E_BAD_VERSION);
	CHECK_HAS(plugpkg_error_message(of_pre), "the prerelease is longer than 128 bytes");
	CHECK_INT(pp_version_parse((struct pp_str){ text.s, 130 }, &v, NULL), PLUGPKG_OK);
	pp_version_fini(&v);
	text.s[1] = '1';
	CHECK_INT(pp_version_parse((struct pp_str){ text.s, 64 }, &v, NULL), PLUGPKG_OK);
	pp_version_fini(&v);
	CHECK_INT(pp_version_parse((struct pp_str){ text.s, 65 }, &v, NULL), PLUGPKG_E_BAD_VERSION);
	CHECK_INT(
	    pp_version_parse(PP_STR("1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6"), &v, NULL), PLUGPKG_OK);
	pp_version_fini(&v);
	CHECK_INT(pp_version_parse(PP_STR("1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7"), &v, NULL),
	    PLUGPKG_E_BAD_VERSION);
	CHECK_INT(pp_version_parse((struct pp_str){ "1\0", 2 }, &v, NULL), PLUGPKG_E_BAD_VERSION);
}

TAP_MAIN(CASE(versions_are_read) CASE(what_is_no_version_is_refused_with_the_position)
	CASE(precedence_is_total) CASE(missing_parts_count_as_zero_and_build_metadata_not_at_all)
	    CASE(hostile_versions_are_refused_at_once))
