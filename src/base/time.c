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

void
pp_time_format(int64_t t, char out[PP_TIME_TEXT])
{
	struct tm tm;
	time_t when = (time_t)t;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(out, PP_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(out, PP_TIME_TEXT, "@%lld", (long long)t); /* out of the calendar */
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
	struct tm tm = {
		.tm_year = digits(s, 0, 4) - 1900,
		.tm_mon = digits(s, 5, 2) - 1,
		.tm_mday = digits(s, 8, 2),
		.tm_hour = digits(s, 11, 2),
		.tm_min = digits(s, 14, 2),
		.tm_sec = digits(s, 17, 2),
	};
	struct tm given = tm;
	time_t t = timegm(&tm);
	/* timegm() carries over 30 February and 25 o'clock; they are no times. */
	if (tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday ||
	    tm.tm_hour != given.tm_hour || tm.tm_min != given.tm_min || tm.tm_sec != given.tm_sec)
		return -EINVAL;
	*out = (int64_t)t;
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
