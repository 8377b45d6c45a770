/* SPDX-License-Identifier: MIT */
/*
 * The versions of the application: what plugpkg.json says, and what the command of "provides-from"
 * answers. Its answer is remembered in var/host.json, with the digest of the command.
 */
#ifndef PP_TXN_HOST_H
#define PP_TXN_HOST_H

#include "lib/model/context.h"

/*
 * What is known without running anything: plugpkg.json and the remembered answer, or what
 * pp_host_ask() heard since the context was opened. Never NULL; view, until plugpkg.json is read
 * again or asked for anew. Where it is less than all, a warning says so, once a context.
 */
const struct pp_deps *pp_host_known(plugpkg_context *ctx);
/* The command was never asked, or it is another one now: names that it provides are not known. */
bool pp_host_is_partial(plugpkg_context *ctx);
/*
 * Runs the command, if there is one; pp_host_known() then tells what it said. Whoever plans a
 * change asks: a version that changed while nobody looked must not let a plugin in.
 * Errors: HOST (no answer, or none that can be read), BAD_CONFIG (it contradicts plugpkg.json),
 * REFUSED (the command itself called), INTERRUPTED.
 */
enum plugpkg_code pp_host_ask(plugpkg_context *ctx, plugpkg_error **err);
/*
 * pp_host_ask() for who only looks: not done on the word of another user's files. A failure is
 * remembered for later queries; they go on with the last answer.
 */
enum plugpkg_code pp_host_refresh(plugpkg_context *ctx, plugpkg_error **err);
/* Writes what was heard into var/host.json, if it was. A root that cannot be written stays. */
void pp_host_remember(plugpkg_context *ctx);
/* Where the version of a known name comes from: "plugpkg.json" or the command's path. View. */
const char *pp_host_origin(plugpkg_context *ctx, const char *name);
/* Adds to err, which says that no version of the name is known, how to declare one. Its code. */
enum plugpkg_code pp_host_hint(const char *name, enum plugpkg_code code, plugpkg_error **err);

/* plugpkg.json was read again. */
void pp_host_config_read(plugpkg_context *ctx);
void pp_host_free(struct pp_host *h);

#endif
