/* SPDX-License-Identifier: MIT */
/*
 * Carries a plan out: orders the steps of design.md section 6; each step lives in its own module.
 */
#ifndef PP_TXN_TXN_H
#define PP_TXN_TXN_H

#include "lib/model/context.h"
#include "lib/model/plan.h"
#include "lib/txn/marks.h"

struct pp_txn_spec {
	const struct pp_plan *plan;
	const struct pp_wishes *wishes; /* what the plan removes leaves the wanted set by itself */
	const char *command;            /* "install photos", for history and lock */
	plugpkg_row_fn row;
	void *user;
};
/*
 * Takes the lock, runs, releases it. A plan without steps only records its wishes. Errors: as
 * plugpkg_plan_commit().
 */
enum plugpkg_code pp_txn_run(
    plugpkg_context *ctx, const struct pp_txn_spec *spec, plugpkg_error **err);
/*
 * Can snapshots be taken of the data that the plan is known to change? pp_txn_run() looks again;
 * where only the version that comes wants one, it finds out before any script runs. Errors: REFUSED
 * IO BAD_STATE.
 */
enum plugpkg_code pp_txn_check_snapshots(
    plugpkg_context *ctx, const struct pp_plan *plan, plugpkg_error **err);

#endif
