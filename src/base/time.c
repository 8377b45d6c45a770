/* SPDX-License-Identifier: MIT */
/* Clocks and RFC 3339. */
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

int64_t
pp_time_now(void)
{
	return (int64_t)time(NULL);
}

int64_t
pp_time_now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) < 0)
		return pp_time_now() * 1000;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
pp_time_mono_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * The calendar of the years 0 to 9999, by itself: the C library's functions for UTC first read the
 * local time zone from its file.
 */
#define DAY_SECONDS  86400
#define FIRST_SECOND INT64_C(-62167219200)
#define LAST_SECOND  INT64_C(253402300799)

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Since the first day of the year 0; month and day from 1. */
static int64_t
days_of_date(int64_t year, int64_t month, int64_t day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t leap_days = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;

	return 365 * year + leap_days + before[month - 1] + (month > 2 && is_leap(year)) + day - 1;
}

void
pp_time_format(int64_t t, char out[PP_TIME_TEXT])
{
	if (t < FIRST_SECOND || t > LAST_SECOND) {
		(void)snprintf(out, PP_TIME_TEXT, "@%lld", (long long)t);
		return;
	}
	int64_t days = (t - FIRST_SECOND) / DAY_SECONDS, second = (t - FIRST_SECOND) % DAY_SECONDS;
	int64_t year = days / 365, month = 12;

	/* Too late by the leap days, at most seven years. */
	while (days < days_of_date(year, 1, 1))
		year--;
	while (days < days_of_date(year, month, 1))
		month--;
	(void)snprintf(out, PP_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, (int)month,
	    (int)(days - days_of_date(year, month, 1)) + 1, (int)(second / 3600),
	    (int)(second / 60 % 60), (int)(second % 60));
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* n digits at s.p + at as a number, or -1. */
static int
digits(struct pp_str s, size_t at, size_t n)
{
	uint64_t value;

	if (pp_parse_u64((struct pp_str){ s.p + at, n }, 9999, &value) < 0)
		return -1;
	return (int)value;
}

static bool
has_form(struct pp_str s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";

	if (s.n < sizeof(form) || s.p[s.n - 1] != 'Z')
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? s.p[i] < '0' || s.p[i] > '9' : s.p[i] != form[i])
			return false;
	/* A fraction of a second may follow; it does not count. */
	for (size_t i = sizeof(form) - 1; i < s.n - 1; i++)
		if (i == sizeof(form) - 1 ? s.p[i] != '.' : s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

int
pp_time_parse(struct pp_str s, int64_t *out)
{
	uint64_t seconds;

	if (pp_parse_u64(s, INT64_MAX, &seconds) == 0) {
		*out = (int64_t)seconds;
		return 0;
	}
	if (!has_form(s))
		return -EINVAL;
	int year = digits(s, 0, 4), month = digits(s, 5, 2), day = digits(s, 8, 2);
	int hour = digits(s, 11, 2), minute = digits(s, 14, 2), second = digits(s, 17, 2);
	if (month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 ||
	    minute > 59 || second > 59)
		return -EINVAL;
	*out = FIRST_SECOND + days_of_date(year, month, day) * DAY_SECONDS + hour * 3600 +
	       minute * 60 + second;
	return 0;
}

#define DATE_LEN (sizeof("2026-12-24") - 1)
#define ZONE_LEN (sizeof("+01:00") - 1)

/* "+01:00" or "-05:30" as seconds east of UTC. False when it is no zone. */
static bool
zone_of(struct pp_str s, int64_t *out)
{
	if (s.n != ZONE_LEN || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':')
		return false;
	int hours = digits(s, 1, 2), minutes = digits(s, 4, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*out = (s.p[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

int
pp_time_parse_date(struct pp_str s, int64_t *out)
{
	char text[64];
	int64_t east = 0;
	bool is_date = s.n == DATE_LEN;
	struct pp_str zone = { s.n > ZONE_LEN ? s.p + s.n - ZONE_LEN : "", ZONE_LEN };
	bool has_zone = s.n > DATE_LEN + ZONE_LEN && zone_of(zone, &east);
	size_t n = has_zone ? s.n - ZONE_LEN : s.n;

	if (n < DATE_LEN || n > sizeof(text) / 2)
		return -EINVAL;
	int len = snprintf(text, sizeof(text), "%.*s%s", (int)n, s.p,
	    is_date    ? "T00:00:00Z"
	    : has_zone ? "Z"
		       : "");
	struct pp_str utc = { text, (size_t)len };
	if (!has_form(utc) || pp_time_parse(utc, out) < 0)
		return -EINVAL;
	*out -= east;
	return 0;
}
