/* SPDX-License-Identifier: MIT */
/* Transactions that did not come to their end: whether one runs, finishing one, pending steps. */
#include "lib/api/api.h"

#include "lib/state/log.h"
#include "lib/store/store.h"
#include "lib/txn/configure.h"
#include "lib/txn/lock.h"
#include "lib/txn/recover.h"
#include "lib/txn/root.h"

#include <stdlib.h>

enum plugpkg_code
plugpkg_recover(plugpkg_context *ctx, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	PP_CLEANUP(pp_recovered_fini) struct pp_recovered r = { 0 };
	enum plugpkg_code rc = pp_lock_bare(ctx, "recover", err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	rc = pp_recover(ctx, &r, err);
	if (ctx->state != NULL)
		pp_log_mend(ctx->state);
	/* Of who was cut off before his transaction began, too; a loss of power left no name. */
	pp_root_tidy(ctx);
	if (rc == PLUGPKG_OK)
		rc = pp_staging_clear(ctx, err);
	if (rc != PLUGPKG_OK || r.id == 0)
		return rc;
	pp_json *one = pp_row_new("recovered");
	pp_json_set_int(one, "transaction", r.id);
	pp_json_set_str(one, "command", r.command);
	pp_json_set_str(one, "result", r.result);
	pp_json_set_str(one, "text", r.text);
	pp_row(row, user, one);
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_is_installing(
    plugpkg_context *ctx, int *out, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	struct pp_lock_holder h = { 0 };
	enum plugpkg_code rc = pp_lock_look(ctx, &h, err);
	PP_AUTO_FREE char *command = h.command;

	*out = rc == PLUGPKG_OK && h.is_held && h.transaction != 0;
	if (*out == 0)
		return rc;
	pp_json *one = pp_row_new("installing");
	pp_json_set_int(one, "transaction", h.transaction);
	pp_json_set_str(one, "command", command);
	pp_json_set_int(one, "pid", h.pid);
	pp_json_set_int(one, "since", h.since);
	pp_row(row, user, one);
	return rc;
}

enum plugpkg_code
plugpkg_configure(plugpkg_context *ctx, const char *const *names, size_t n_names,
    plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	PP_AUTO_FREE char *command =
	    n_names == 1 ? pp_asprintf("configure %s", names[0]) : pp_xstrdup("configure");
	struct pp_configure spec = {
		.keys = names,
		.n = n_names,
		.command = command,
		.row = row,
		.user = user,
	};
	enum plugpkg_code rc = pp_lock(ctx, command, err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	return pp_configure(ctx, &spec, err);
}
