/* SPDX-License-Identifier: MIT */
/* Inside lib/txn only: what owners signed of the archives that come. */
#ifndef PP_TXN_SIGNATURE_H
#define PP_TXN_SIGNATURE_H

#include "lib/state/owners.h"
#include "lib/txn/steps.h"

/*
 * Fetches the signature of each fetched archive that has to have one, and compares. Errors: OWNER
 * (no mirror has a right one), NETWORK, INTERRUPTED.
 */
enum plugpkg_code pp_txn_check_signatures(struct pp_txn *t, plugpkg_error **err);
/* The keys that the root expects from now on, by the plan. */
void pp_txn_pins(const struct pp_txn *t, struct pp_pins *out);

/*
 * Purged: nothing is expected of the owner of what this key stood for, unless another major of it
 * is in the set (NULL: what is installed now).
 */
enum plugpkg_code pp_txn_forget_owner(
    plugpkg_context *ctx, const char *key, const struct pp_installeds *set, plugpkg_error **err);

#endif
