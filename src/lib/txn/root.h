/* SPDX-License-Identifier: MIT */
/* The application's own files at the top of a root: plugpkg.json and plugpkg.lock. */
#ifndef PP_TXN_ROOT_H
#define PP_TXN_ROOT_H

#include "lib/model/context.h"
#include "lib/model/lockfile.h"
#include "lib/state/state.h"

/* Reads plugpkg.json anew into ctx->config. Errors: BAD_CONFIG NO_ROOT IO. */
enum plugpkg_code pp_root_reload_config(plugpkg_context *ctx, plugpkg_error **err);
/* Writes ctx->config, atomically, with the mode that the file had. Under the lock only. */
enum plugpkg_code pp_root_write_config(plugpkg_context *ctx, plugpkg_error **err);
/* Deletes what somebody who was killed had begun to write, beside plugpkg.json and its like. */
void pp_root_tidy(plugpkg_context *ctx);
/* What plugpkg.lock says of a set of installed plugins, leftovers left out. Owned. */
struct pp_lockfile *pp_root_lock(plugpkg_context *ctx, const struct pp_installeds *set);
/* Writes plugpkg.lock of the set; the same set gives the same bytes. */
enum plugpkg_code pp_root_write_lockfile(
    plugpkg_context *ctx, const struct pp_installeds *set, plugpkg_error **err);
/* *out is NULL when there is none. Errors: BAD_LOCK IO. */
enum plugpkg_code pp_root_read_lockfile(
    plugpkg_context *ctx, struct pp_lockfile **out, plugpkg_error **err);

#endif
