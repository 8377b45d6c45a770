/* SPDX-License-Identifier: MIT */
/* Post-install steps of plugins that stand at `core-installed`. */
#ifndef PP_TXN_CONFIGURE_H
#define PP_TXN_CONFIGURE_H

#include "lib/model/context.h"

/*
 * Runs the post levels of the plugins of these keys that have them pending, of all such plugins
 * when n is 0; level by level over all of them. Under the lock. Each plugin whose levels all ran is
 * installed from then on, whatever becomes of the others. Rows of type "configured". Errors: SCRIPT
 * (names those that are still pending) NOT_INSTALLED INTERRUPTED IO.
 */
struct pp_configure {
	const char *const *keys;
	size_t n;
	const char *command; /* for the history */
	plugpkg_row_fn row;
	void *user;
};
enum plugpkg_code pp_configure(
    plugpkg_context *ctx, const struct pp_configure *c, plugpkg_error **err);

#endif
