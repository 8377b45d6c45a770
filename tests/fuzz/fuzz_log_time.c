/* SPDX-License-Identifier: MIT */
/* Times of the log: whatever is read lies in the calendar, and what is written reads back. */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/model/log_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1795269600 /* 2026-11-21T14:00:00Z */

static void
check_point(int64_t at_ms)
{
	char text[PP_LOG_TIME_TEXT];
	int64_t again = 0;

	pp_log_time_format(at_ms, text);
	if (at_ms < 0 || text[0] == '@' || at_ms > 253402300799999)
		return; /* beyond what four digits of a year can say */
	if (pp_log_time_point(text, NOW, &again, NULL) != PLUGPKG_OK || again != at_ms)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_FREE char *text = pp_xstrndup((const char *)data, size);
	struct pp_log_period period;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	int64_t at_ms = 0, span = 0;

	if (pp_log_time_period(text, NOW, &period, &err) == PLUGPKG_OK &&
	    period.since_ms >= period.until_ms)
		abort();
	if (pp_log_time_point(text, NOW, &at_ms, NULL) == PLUGPKG_OK)
		check_point(at_ms);
	if (pp_log_time_span(text, &span) == 0 && (span < 1 || span > PP_LOG_TIME_MAX_SPAN_S))
		abort();
	return 0;
}
