/* SPDX-License-Identifier: MIT */
/*
 * Times as people ask for log lines with: "last 5 mins", "yesterday", "2026-11-21T14:00:00Z". Pure:
 * the present comes from the caller. The grammar stands in plugpkg-log(1).
 */
#ifndef PP_MODEL_LOG_TIME_H
#define PP_MODEL_LOG_TIME_H

#include "base/str.h"
#include "lib/model/error.h"

#define PP_LOG_TIME_MAX_SPAN_S (100LL * 366 * 86400)

/* From since_ms up to, and without, until_ms; milliseconds since 1970 in UTC. */
struct pp_log_period {
	int64_t since_ms, until_ms;
};
#define PP_LOG_PERIOD_ALL                                                                          \
	{                                                                                          \
		INT64_MIN, INT64_MAX                                                               \
	}

/*
 * A period: last [N] UNIT, today, yesterday, or a date. now: Unix seconds. Errors: USAGE, with
 * examples.
 */
enum plugpkg_code pp_log_time_period(
    const char *text, int64_t now, struct pp_log_period *out, plugpkg_error **err);
/*
 * A point: now, today or yesterday (their first moment), N UNIT ago, a date, RFC 3339, @UNIX.
 * Errors: USAGE, with examples.
 */
enum plugpkg_code pp_log_time_point(
    const char *text, int64_t now, int64_t *out_ms, plugpkg_error **err);
/* "90 days", "2h": seconds, 1 to PP_LOG_TIME_MAX_SPAN_S. 0 or -EINVAL. */
int pp_log_time_span(const char *text, int64_t *out_s) PP_MUSTUSE;
/* 2026-11-21T14:00:00.123Z, which pp_log_time_point() reads. */
#define PP_LOG_TIME_TEXT 40
void pp_log_time_format(int64_t at_ms, char out[PP_LOG_TIME_TEXT]);

#endif
