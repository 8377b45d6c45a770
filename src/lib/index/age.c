/* SPDX-License-Identifier: MIT */
/* How long metadata is good for, in words. */
#include "lib/index/age.h"

#include "base/mem.h"
#include "base/time.h"

#include <fcntl.h>
#include <sys/stat.h>

#define HOUR_S 3600
#define DAY_S  (24 * HOUR_S)

/* "2 days", rounded down: rather too early than too late. Owned. */
static char *
in_words(int64_t seconds)
{
	int64_t n = seconds / DAY_S;
	const char *unit = "day";

	if (n < 2) {
		n = seconds / HOUR_S;
		unit = "hour";
	}
	if (n < 1)
		return pp_xstrdup("less than an hour");
	return pp_asprintf("%lld %s%s", (long long)n, unit, n == 1 ? "" : "s");
}

void
pp_age_warn(plugpkg_context *ctx, const char *source, const struct pp_updater *u, bool is_fresh)
{
	int64_t expires = 0;

	if (!pp_updater_is_due(u, &expires))
		return;
	PP_AUTO_FREE char *left = in_words(expires - ctx->now);
	pp_warn(ctx, NULL, "source '%s': metadata expires in %s: %s", source, left,
	    is_fresh ? "its publisher has to renew it" : "run plugpkg update");
}

void
pp_age_check_clock(plugpkg_context *ctx, const char *source, int view_fd)
{
	int64_t clock = ctx->now - ctx->clock_skew_s;
	char now[PP_TIME_TEXT], updated[PP_TIME_TEXT];
	struct stat st;

	if (fstatat(view_fd, "timestamp.json", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_mtim.tv_sec - clock < DAY_S)
		return;
	pp_time_format(clock, now);
	pp_time_format(st.st_mtim.tv_sec, updated);
	pp_warn(ctx, NULL,
	    "the clock says %s, but source '%s' was updated on %s: by this clock old metadata does "
	    "not "
	    "expire",
	    now, source, updated);
}
