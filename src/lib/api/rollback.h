/* SPDX-License-Identifier: MIT */
/* What the parts of `rollback` share: the way to a former generation, on its way to a plan. */
#ifndef PP_API_ROLLBACK_H
#define PP_API_ROLLBACK_H

#include "lib/api/making.h"

struct pp_going {
	plugpkg_context *ctx;
	struct pp_state *state;
	struct pp_plan *plan;     /* borrowed */
	struct pp_wishes *wishes; /* borrowed */
	int64_t target;           /* -1: not known yet */
	struct pp_inventory now, then;
};

/* ---- rollback_supply.c: where the files of what comes are ---- */

/*
 * Finds the files of p, which step s brings: as a linked directory, in the store or in the cache;
 * else only its source may have them.
 */
enum plugpkg_code pp_going_supply(
    struct pp_going *g, struct pp_step *s, const struct pp_installed *p, plugpkg_error **err);
/*
 * Asks the index for what has to be fetched, expired or not: the digest is known. Errors: NOT_FOUND
 * naming all that nobody has any more.
 */
enum plugpkg_code pp_going_fetch(struct pp_going *g, plugpkg_error **err);

#endif
