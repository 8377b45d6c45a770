/* SPDX-License-Identifier: MIT */
/*
 * data/KEY of a plugin that begins to declare parallel majors, or ceases to: it is known by another
 * key from then on, and its data goes along, before its script runs.
 */
#include "lib/txn/steps.h"

#include "base/path.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>

/* Done already, or never begun, it is no mistake: the op may be called again. */
static enum plugpkg_code
move(struct pp_txn *t, const char *from, const char *to, plugpkg_error **err)
{
	PP_AUTO_FREE char *a = pp_asprintf("data/%s", from);
	PP_AUTO_FREE char *b = pp_asprintf("data/%s", to);
	int fd = t->ctx->root_fd, r = 0;

	if (pp_exists_at(fd, a) == 0 || pp_exists_at(fd, b) == 1)
		return PLUGPKG_OK;
	if (pp_renameat(fd, a, fd, b) < 0)
		r = -errno;
	if (r == 0)
		r = pp_sync_dir_at(fd, "data");
	return r < 0 ? pp_fail(
			   err, PLUGPKG_E_IO, -r, "cannot move '%s/%s' to '%s'", t->ctx->root, a, b)
		     : PLUGPKG_OK;
}

static enum plugpkg_code
run_move(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	return move(t, pp_step_old_key(pp_txn_task(t, op->key)->step), op->key, err);
}

static enum plugpkg_code
undo_move(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	return move(t, op->key, pp_step_old_key(pp_txn_task(t, op->key)->step), err);
}

const struct pp_op_type pp_op_move = { "move", run_move, undo_move, false };
