/* SPDX-License-Identifier: MIT */
/* The grammar of times that people ask for log lines with. */
#include "lib/model/log_time.h"

#include "lib/model/log_rules.h"
#include "tap.h"

#define NOW      1795269600LL /* 2026-11-21T14:00:00Z, a Saturday */
#define DAY      86400LL
#define MIDNIGHT (NOW - 14 * 3600)

static void
a_period_is_read(void)
{
	static const struct {
		const char *text;
		int64_t since, until; /* seconds */
	} rows[] = {
		{ "last 5 mins", NOW - 300, NOW + 1 },
		{ "last 5 min", NOW - 300, NOW + 1 },
		{ "Last  5\tMinutes", NOW - 300, NOW + 1 },
		{ "last 5mins", NOW - 300, NOW + 1 },
		{ "last minute", NOW - 60, NOW + 1 },
		{ "last 90 secs", NOW - 90, NOW + 1 },
		{ "last 1 second", NOW - 1, NOW + 1 },
		{ "last 2h", NOW - 7200, NOW + 1 },
		{ "last 2 hours", NOW - 7200, NOW + 1 },
		{ "last day", NOW - DAY, NOW + 1 },
		{ "last 3 days", NOW - 3 * DAY, NOW + 1 },
		{ "last 2 weeks", NOW - 14 * DAY, NOW + 1 },
		{ " today ", MIDNIGHT, NOW + 1 },
		{ "yesterday", MIDNIGHT - DAY, MIDNIGHT },
		{ "2026-11-20", MIDNIGHT - DAY, MIDNIGHT },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		struct pp_log_period p = PP_LOG_PERIOD_ALL;
		CHECK_INT(pp_log_time_period(rows[i].text, NOW, &p, NULL), PLUGPKG_OK);
		CHECK_INT(p.since_ms, rows[i].since * 1000);
		CHECK_INT(p.until_ms, rows[i].until * 1000);
	}
}

static void
a_point_is_read(void)
{
	static const struct {
		const char *text;
		int64_t at_ms;
	} rows[] = {
		{ "now", NOW * 1000 },
		{ "today", MIDNIGHT * 1000 },
		{ "YESTERDAY", (MIDNIGHT - DAY) * 1000 },
		{ "5 mins ago", (NOW - 300) * 1000 },
		{ "hour ago", (NOW - 3600) * 1000 },
		{ "2days ago", (NOW - 2 * DAY) * 1000 },
		{ "@1795269600", NOW * 1000 },
		{ "2026-11-21", MIDNIGHT * 1000 },
		{ "2026-11-21T14:00:00Z", NOW * 1000 },
		{ "2026-11-21t14:00:00z", NOW * 1000 },
		{ "2026-11-21 14:00:00", NOW * 1000 },
		{ "2026-11-21 14:00", NOW * 1000 },
		{ "2026-11-21T15:00:00+01:00", NOW * 1000 },
		{ "2026-11-21T08:30:00-05:30", NOW * 1000 },
		{ "2026-11-21T14:00:00.123Z", NOW * 1000 + 123 },
		{ "2026-11-21T14:00:00.5Z", NOW * 1000 + 500 },
		{ "2026-11-21T14:00:00.123456Z", NOW * 1000 + 123 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		int64_t at = 0;
		CHECK_INT(pp_log_time_point(rows[i].text, NOW, &at, NULL), PLUGPKG_OK);
		CHECK_INT(at, rows[i].at_ms);
	}
}

static void
what_is_no_time_is_refused_with_examples(void)
{
	static const char *const texts[] = { "", " ", "soon", "last", "last 0 mins", "last -5 mins",
		"last 5", "last five mins", "last 5 parsecs", "last 5 mins ago", "5 mins", "5",
		"2026-13-01", "2026-02-30", "2026-11-21T25:00:00Z", "2026-11-21T14:00:00+1:00",
		"2026-11-21x14:00:00Z", "ago", "last 99999999999999999999 days", "last 40000 weeks",
		"last 5 mins or so", "a b c d e", "@", "@-1", "tomorrow",
		"2026-11-21T14:00:00Z and more text than fits into any time that there is" };

	for (size_t i = 0; i < PP_LEN(texts); i++) {
		struct pp_log_period p;
		PP_AUTO_ERROR plugpkg_error *e1 = NULL, *e2 = NULL;
		int64_t at;
		CHECK_INT(pp_log_time_period(texts[i], NOW, &p, &e1), PLUGPKG_E_USAGE);
		CHECK_HAS(plugpkg_error_hint(e1), "'last 5 mins'");
		CHECK_INT(pp_log_time_point(texts[i], NOW, &at, &e2), PLUGPKG_E_USAGE);
		CHECK_HAS(plugpkg_error_hint(e2), "'5 mins ago'");
	}
}

static void
a_time_is_written_as_it_is_read(void)
{
	char text[PP_LOG_TIME_TEXT];

	pp_log_time_format(NOW * 1000 + 7, text);
	CHECK_STR(text, "2026-11-21T14:00:00.007Z");
	pp_log_time_format(-1, text);
	CHECK_STR(text, "1969-12-31T23:59:59.999Z");
}

static void
the_rules_of_the_log_are_read_or_refused(void)
{
	static const struct {
		const char *json;
		uint64_t bytes; /* 0: refused */
		int64_t age;
	} rows[] = {
		{ "{}", PP_LOG_MAX_BYTES_USUAL, PP_LOG_MAX_AGE_USUAL_S },
		{ "{\"log\":{\"max-size\":\"2 MB\",\"max-age\":\"3 days\"}}", 2000000, 3 * DAY },
		{ "{\"log\":{\"max-size\":100000,\"level\":\"debug\"}}", 100000,
		    PP_LOG_MAX_AGE_USUAL_S },
		{ "{\"log\":{\"max-size\":\"2 bananas\"}}", 0, 0 },
		{ "{\"log\":{\"max-size\":5}}", 0, 0 },
		{ "{\"log\":{\"max-size\":-5}}", 0, 0 },
		{ "{\"log\":{\"max-age\":\"soon\"}}", 0, 0 },
		{ "{\"log\":{\"max-age\":3}}", 0, 0 },
		{ "{\"log\":{\"level\":\"loud\"}}", 0, 0 },
		{ "{\"log\":[]}", 0, 0 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_JSON pp_json *j = pp_json_parse(rows[i].json, strlen(rows[i].json), NULL);
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_fields f = { .json = j,
			.where = "plugpkg.json",
			.code = PLUGPKG_E_BAD_CONFIG,
			.err = &err };
		struct pp_log_rules rules;
		bool is_good = rows[i].bytes != 0;
		CHECK_INT(
		    pp_log_rules_read(&f, &rules), is_good ? PLUGPKG_OK : PLUGPKG_E_BAD_CONFIG);
		CHECK_INT(is_good ? rules.max_bytes : 0, rows[i].bytes);
		CHECK_INT(is_good ? rules.max_age_s : 0, rows[i].age);
	}
}

TAP_MAIN(CASE(a_period_is_read) CASE(a_point_is_read) CASE(what_is_no_time_is_refused_with_examples)
	CASE(a_time_is_written_as_it_is_read) CASE(the_rules_of_the_log_are_read_or_refused))
