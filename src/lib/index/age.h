/* SPDX-License-Identifier: MIT */
/* Warnings before metadata expires, and of a clock by which nothing ever would. */
#ifndef PP_INDEX_AGE_H
#define PP_INDEX_AGE_H

#include "lib/model/context.h"
#include "lib/trust/updater.h"

/*
 * What a user hears of a source whose metadata is loaded. is_fresh: just fetched, so that only its
 * publisher can renew it.
 */
void pp_age_warn(
    plugpkg_context *ctx, const char *source, const struct pp_updater *u, bool is_fresh);
/*
 * view_fd: var/trust/NAME/view. Whoever sets the clock back keeps old metadata from expiring, so a
 * clock that is behind the last update is told.
 */
void pp_age_check_clock(plugpkg_context *ctx, const char *source, int view_fd);

#endif
