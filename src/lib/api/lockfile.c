/* SPDX-License-Identifier: MIT */
/* `lock`: plugpkg.lock written anew of what is installed, shown, or compared with it. */
#include "lib/api/sync.h"

#include "base/path.h"
#include "lib/txn/lock.h"
#include "lib/txn/root.h"

#include <string.h>

enum plugpkg_code
plugpkg_lock_text(plugpkg_context *ctx, char **out_text, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_installed(state, &set, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO(lockfile) struct pp_lockfile *lock = pp_root_lock(ctx, &set);
	*out_text = pp_lockfile_text(lock);
	return PLUGPKG_OK;
}

static bool
is_written(plugpkg_context *ctx, const char *text)
{
	PP_AUTO_BUF struct pp_buf there = PP_BUF_INIT(PP_LOCKFILE_MAX_BYTES);

	return pp_read_file_at(ctx->root_fd, PP_LOCKFILE, &there) == 0 &&
	       strcmp(pp_buf_cstr(&there), text) == 0;
}

enum plugpkg_code
plugpkg_lock_write(plugpkg_context *ctx, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	PP_AUTO_FREE char *text = NULL;
	enum plugpkg_code rc = pp_lock(ctx, "lock", err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	rc = plugpkg_lock_text(ctx, &text, err);
	if (rc != PLUGPKG_OK)
		return rc;

	bool is_same = is_written(ctx, text);
	int r = is_same ? 0 : pp_rewrite_file_at(ctx->root_fd, PP_LOCKFILE, text, strlen(text));
	PP_AUTO_FREE char *file = pp_asprintf("%s/" PP_LOCKFILE, ctx->root);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", file);
	pp_json *one = pp_row_new("lock");
	pp_json_set_str(one, "file", file);
	pp_json_set_bool(one, "changed", !is_same);
	pp_row(row, user, one);
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_lock_check(plugpkg_context *ctx, size_t *out_differences, plugpkg_row_fn row, void *user,
    plugpkg_error **err)
{
	PP_CLEANUP(pp_sync_fini) struct pp_sync s;
	enum plugpkg_code rc = pp_sync_begin(ctx, 0, &s, err);

	*out_differences = 0;
	if (rc != PLUGPKG_OK)
		return rc;
	if (s.lock == NULL) {
		(void)pp_fail(
		    err, PLUGPKG_E_LOCK_MISMATCH, 0, "there is no '%s/" PP_LOCKFILE "'", ctx->root);
		return pp_hint(err, PLUGPKG_E_LOCK_MISMATCH, "plugpkg lock writes it");
	}
	pp_sync_compare_lock(&s);
	pp_diffs_rows(&s.diffs, row, user);
	*out_differences = s.diffs.n;
	return PLUGPKG_OK;
}
