/* SPDX-License-Identifier: MIT */
/*
 * Scripts that did not run because --no-scripts said so: what is remembered of them, and running
 * them later.
 */
#ifndef PP_TXN_SKIP_H
#define PP_TXN_SKIP_H

#include "lib/state/history.h"
#include "lib/txn/steps.h"

/*
 * What pp_installed.skipped of the version that comes will be: "install", or "upgrade VERSION" with
 * the version that its scripts last ran of; either stands for the post levels too. NULL: nothing
 * was left out. Owned.
 */
char *pp_skip_of(const struct pp_txn *t, const struct pp_task *task);
/* Its install was left out, so the plugin was never anything but files. */
bool pp_skip_is_install(const struct pp_installed *p);
/* Which version its scripts last ran of: its own where none was left out, NULL: of none. View. */
const char *pp_skip_version(const struct pp_installed *p);
/* Will the scripts and handlers of this plugin not run in the transaction? */
bool pp_skip_leaves_out(const struct pp_txn *t, const struct pp_task *task);
/* Writes down, plugin by plugin, that scripts do not run. */
void pp_skip_note(const struct pp_txn *t, struct pp_notes *notes);

/* Kinds of the scripts that were left out, as in plugin.json; NULL: none. Owned. */
pp_json *pp_skip_kinds(const struct pp_installed *p);
/*
 * Under the lock, outside of a transaction: runs what was left out of these plugins, dependencies
 * first: install or upgrade of all, then level by level; then asks `verify` and forgets. Cut off,
 * all of it runs again. Errors: SCRIPT IO INTERRUPTED.
 */
enum plugpkg_code pp_skip_run(
    plugpkg_context *ctx, const struct pp_installeds *in_order, plugpkg_error **err);

#endif
