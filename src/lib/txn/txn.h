/* SPDX-License-Identifier: MIT */
/* Carries a plan out: orders the steps of design.md section 6; each step lives in its own module. */
#ifndef PP_TXN_TXN_H
#define PP_TXN_TXN_H

#include "lib/index/catalog.h"
#include "lib/model/plan.h"

struct pp_txn_spec {
	const struct pp_plan *plan;
	const char *command; /* "install photos", for history and lock */
	plugpkg_row_fn row;
	void *user;
};
enum plugpkg_code pp_txn_run(
    plugpkg_context *ctx, const struct pp_txn_spec *spec, plugpkg_error **err);

#endif
