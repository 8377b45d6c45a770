/* SPDX-License-Identifier: MIT */
/*
 * Whose root it is: who made its state goes on to change it. What root makes there is root's, and
 * no longer his to change.
 */
#ifndef PP_TXN_KEEPER_H
#define PP_TXN_KEEPER_H

#include "lib/model/context.h"

/* Warns root, once for each context, in a root that is another user's. */
void pp_keeper_warn(plugpkg_context *ctx);
/* A place of plugpkg's own that he cannot change, and the way out; owned. NULL: there is none. */
char *pp_keeper_complaint(const plugpkg_context *ctx);
/* The same as the hint of an error that is PERMISSION. Returns rc. */
enum plugpkg_code pp_keeper_hint(
    const plugpkg_context *ctx, enum plugpkg_code rc, plugpkg_error **err);

#endif
