/* SPDX-License-Identifier: MIT */
/* Words about time, read: at most four of them, small letters or capitals. */
#include "lib/model/log_time.h"

#include "base/mem.h"
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_S       86400
#define WORDS_MAX   4
#define TEXT_MAX    64
#define DATE_LEN    (sizeof("2026-12-24") - 1)
#define POINT_HINT  "write 2026-11-21T14:00:00Z, 2026-11-21, '5 mins ago', today or yesterday"
#define PERIOD_HINT "write 'last 5 mins', 'last 2 hours', today, yesterday or 2026-11-21"

struct words {
	char text[TEXT_MAX];
	const char *at[WORDS_MAX];
	size_t n;
};

static const struct {
	const char *name;
	int64_t seconds;
} units[] = {
	{ "d", DAY_S },
	{ "day", DAY_S },
	{ "days", DAY_S },
	{ "h", 3600 },
	{ "hour", 3600 },
	{ "hours", 3600 },
	{ "hr", 3600 },
	{ "hrs", 3600 },
	{ "m", 60 },
	{ "min", 60 },
	{ "mins", 60 },
	{ "minute", 60 },
	{ "minutes", 60 },
	{ "s", 1 },
	{ "sec", 1 },
	{ "second", 1 },
	{ "seconds", 1 },
	{ "secs", 1 },
	{ "w", 7 * DAY_S },
	{ "week", 7 * DAY_S },
	{ "weeks", 7 * DAY_S },
};

/* False for what is too long or has too many words; no word is empty. */
static bool
split(const char *text, struct words *w)
{
	size_t n = strlen(text);

	*w = (struct words){ 0 };
	if (n >= sizeof(w->text))
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		bool is_blank = c == ' ' || c == '\t';
		w->text[i] = (char)(is_blank ? '\0' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
		if (is_blank || (i > 0 && w->text[i - 1] != '\0'))
			continue;
		if (w->n == WORDS_MAX)
			return false;
		w->at[w->n++] = &w->text[i];
	}
	return true;
}

static int64_t
unit_of(const char *word)
{
	for (size_t i = 0; i < PP_LEN(units); i++)
		if (strcmp(units[i].name, word) == 0)
			return units[i].seconds;
	return 0;
}

/* "5 mins" in two words, "5mins" or, as one of it, "minute" in one. */
static int
span_of(const char *const *words, size_t n, int64_t *out_s)
{
	if (n != 1 && n != 2)
		return -EINVAL;
	size_t digits = strspn(words[0], "0123456789");
	uint64_t amount = 1;
	if (digits > 0 &&
	    pp_parse_u64((struct pp_str){ words[0], digits }, PP_LOG_TIME_MAX_SPAN_S, &amount) < 0)
		return -EINVAL;
	bool is_apart = n == 2;
	if (is_apart && (digits == 0 || words[0][digits] != '\0'))
		return -EINVAL;
	int64_t unit = unit_of(is_apart ? words[1] : words[0] + digits);
	if (unit == 0 || amount == 0 || (int64_t)amount > PP_LOG_TIME_MAX_SPAN_S / unit)
		return -EINVAL;
	*out_s = (int64_t)amount * unit;
	return 0;
}

static int64_t
day_of(int64_t now)
{
	int64_t into = now % DAY_S;

	return now - (into < 0 ? into + DAY_S : into);
}

/* Thousandths of "….123Z"; what stands behind them is too fine. */
static int64_t
fraction_of(struct pp_str clock)
{
	int64_t ms = 0, weight = 100;
	const char *dot = memchr(clock.p, '.', clock.n);

	if (dot == NULL)
		return 0;
	for (const char *p = dot + 1; p < clock.p + clock.n && *p >= '0' && *p <= '9'; p++) {
		ms += (*p - '0') * weight;
		weight /= 10;
	}
	return ms;
}

/* RFC 3339; a blank for its T, no seconds, and no zone (UTC) are allowed too. */
static int
moment_of(const char *text, int64_t *out_ms)
{
	struct pp_str all = pp_str_trim(pp_str_of(text));
	char full[TEXT_MAX + 16];
	int64_t seconds = 0;

	if (all.n < DATE_LEN || all.n >= TEXT_MAX)
		return -EINVAL;
	if (all.n == DATE_LEN) {
		if (pp_time_parse_date(all, &seconds) < 0)
			return -EINVAL;
		*out_ms = seconds * 1000;
		return 0;
	}
	struct pp_str clock = { all.p + DATE_LEN + 1, all.n - DATE_LEN - 1 };
	size_t n = 0;
	while (n < clock.n && strchr("0123456789:.", clock.p[n]) != NULL)
		n++;
	if (strchr("Tt ", all.p[DATE_LEN]) == NULL)
		return -EINVAL;
	struct pp_str zone = { clock.p + n, clock.n - n };
	bool is_utc = zone.n == 0 || pp_str_eq(zone, "z");
	(void)snprintf(full, sizeof(full), "%.*sT%.*s%s%.*s", (int)DATE_LEN, all.p, (int)n, clock.p,
	    n == 5 ? ":00" : "", is_utc ? 1 : (int)zone.n, is_utc ? "Z" : zone.p);
	if (pp_time_parse_date(pp_str_of(full), &seconds) < 0)
		return -EINVAL;
	*out_ms = seconds * 1000 + fraction_of((struct pp_str){ clock.p, n });
	return 0;
}

static int
point_of(const char *text, int64_t now, int64_t *out_ms)
{
	struct words w;
	uint64_t stamp;
	int64_t span;

	if (!split(text, &w) || w.n == 0)
		return -EINVAL;
	if (w.n == 1 && strcmp(w.at[0], "now") == 0)
		*out_ms = now * 1000;
	else if (w.n == 1 && strcmp(w.at[0], "today") == 0)
		*out_ms = day_of(now) * 1000;
	else if (w.n == 1 && strcmp(w.at[0], "yesterday") == 0)
		*out_ms = (day_of(now) - DAY_S) * 1000;
	else if (w.n == 1 && w.at[0][0] == '@' &&
		 pp_parse_u64(pp_str_of(w.at[0] + 1), INT64_MAX / 1000, &stamp) == 0)
		*out_ms = (int64_t)stamp * 1000;
	else if (w.n > 1 && strcmp(w.at[w.n - 1], "ago") == 0 && span_of(w.at, w.n - 1, &span) == 0)
		*out_ms = (now - span) * 1000;
	else
		return moment_of(text, out_ms);
	return 0;
}

static int
period_of(const char *text, int64_t now, struct pp_log_period *out)
{
	struct words w;
	int64_t span, today = day_of(now);

	if (!split(text, &w) || w.n == 0)
		return -EINVAL;
	*out = (struct pp_log_period){ today * 1000, (now + 1) * 1000 };
	if (w.n == 1 && strcmp(w.at[0], "today") == 0)
		return 0;
	if (w.n == 1 && strcmp(w.at[0], "yesterday") == 0) {
		*out = (struct pp_log_period){ (today - DAY_S) * 1000, today * 1000 };
		return 0;
	}
	if (strcmp(w.at[0], "last") == 0 && span_of(w.at + 1, w.n - 1, &span) == 0) {
		out->since_ms = (now - span) * 1000;
		return 0;
	}
	if (w.n != 1 || strlen(w.at[0]) != DATE_LEN || moment_of(w.at[0], &out->since_ms) < 0)
		return -EINVAL;
	out->until_ms = out->since_ms + DAY_S * 1000LL;
	return 0;
}

enum plugpkg_code
pp_log_time_period(const char *text, int64_t now, struct pp_log_period *out, plugpkg_error **err)
{
	if (period_of(text, now, out) == 0)
		return PLUGPKG_OK;
	PP_AUTO_FREE char *shown = pp_shown(text, strlen(text));
	(void)pp_fail(err, PLUGPKG_E_USAGE, 0, "'%s' is no period of time", shown);
	return pp_hint(err, PLUGPKG_E_USAGE, PERIOD_HINT);
}

enum plugpkg_code
pp_log_time_point(const char *text, int64_t now, int64_t *out_ms, plugpkg_error **err)
{
	if (point_of(text, now, out_ms) == 0)
		return PLUGPKG_OK;
	PP_AUTO_FREE char *shown = pp_shown(text, strlen(text));
	(void)pp_fail(err, PLUGPKG_E_USAGE, 0, "'%s' is no time", shown);
	return pp_hint(err, PLUGPKG_E_USAGE, POINT_HINT);
}

int
pp_log_time_span(const char *text, int64_t *out_s)
{
	struct words w;

	return split(text, &w) && w.n > 0 ? span_of(w.at, w.n, out_s) : -EINVAL;
}

void
pp_log_time_format(int64_t at_ms, char out[PP_LOG_TIME_TEXT])
{
	char seconds[PP_TIME_TEXT];
	int64_t ms = at_ms % 1000 < 0 ? at_ms % 1000 + 1000 : at_ms % 1000;

	pp_time_format((at_ms - ms) / 1000, seconds);
	(void)snprintf(out, PP_LOG_TIME_TEXT, "%.*s.%03dZ",
	    (int)(sizeof("2026-11-21T14:00:00") - 1), seconds, (int)ms);
}
