/* SPDX-License-Identifier: MIT */
/* Inside lib/txn only: what owners signed of the archives that come. */
#ifndef PP_TXN_SIGNATURE_H
#define PP_TXN_SIGNATURE_H

#include "lib/net/fetch.h"
#include "lib/state/owners.h"
#include "lib/txn/steps.h"

/* Does its archive come only with what its owner signed? */
bool pp_txn_needs_signature(const struct pp_step *s);
/* What tells a right signature of it; s and texts, which get its name, outlive it. */
void pp_txn_signature_proof(const struct pp_step *s, struct pp_strs *texts, struct pp_proof *out);
/* The keys that the root expects from now on, by the plan. */
void pp_txn_pins(const struct pp_txn *t, struct pp_pins *out);

/*
 * Purged: nothing is expected of the owner of what this key stood for, unless another major of it
 * is in the set (NULL: what is installed now).
 */
enum plugpkg_code pp_txn_forget_owner(
    plugpkg_context *ctx, const char *key, const struct pp_installeds *set, plugpkg_error **err);

#endif
