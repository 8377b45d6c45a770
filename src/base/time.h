/* SPDX-License-Identifier: MIT */
/* Clocks and the two notations of time. Times are Unix seconds, UTC. */
#ifndef PP_BASE_TIME_H
#define PP_BASE_TIME_H

#include "base/str.h"

#define PP_TIME_TEXT 32

int64_t pp_time_now(void);                              /* wall clock */
int64_t pp_time_now_ms(void);                           /* the same, in milliseconds */
int64_t pp_time_mono_ms(void);                          /* monotonic, for time limits */
void pp_time_format(int64_t t, char out[PP_TIME_TEXT]); /* 2026-11-21T14:00:00Z */
/* RFC 3339 in UTC ("…Z", as TUF writes it) or plain Unix seconds. 0 or -EINVAL. */
int pp_time_parse(struct pp_str s, int64_t *out) PP_MUSTUSE;
/* As people write it: 2026-12-24 (its first second in UTC), or RFC 3339, any zone. 0 or -EINVAL. */
int pp_time_parse_date(struct pp_str s, int64_t *out) PP_MUSTUSE;

#endif
