/* SPDX-License-Identifier: MIT */
/* var/lock: one mutating plugpkg a root. The holder writes who it is; the kernel releases it when it dies. */
#ifndef PP_TXN_LOCK_H
#define PP_TXN_LOCK_H

#include "lib/model/context.h"

/* Waits as ctx->lock_wait_ms says. what: "install photos". Errors: LOCKED (names process, command and since when), REFUSED inside a script of this root, PERMISSION. */
enum plugpkg_code pp_lock(plugpkg_context *ctx, const char *what, plugpkg_error **err);
void pp_unlock(plugpkg_context *ctx);

#endif
