/* SPDX-License-Identifier: MIT */
/*
 * data/KEY of a plugin that is known by another key from then on, because it begins to declare
 * parallel majors, or ceases to; or that another one replaces, as whose data it goes on. Before the
 * script of what comes runs. The op's key is that of the step that says so.
 */
#include "lib/txn/steps.h"

#include "base/path.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* "data/@acme" of "@acme/animal"; "data" of what has no scope. Owned. */
static char *
parent_of(const char *key)
{
	const char *slash = strchr(key, '/');

	return slash != NULL ? pp_asprintf("data/%.*s", (int)(slash - key), key)
			     : pp_xstrdup("data");
}

static int
rename_data(int fd, const char *from, const char *to)
{
	PP_AUTO_FREE char *a = pp_asprintf("data/%s", from);
	PP_AUTO_FREE char *b = pp_asprintf("data/%s", to);
	PP_AUTO_FREE char *a_parent = parent_of(from);
	PP_AUTO_FREE char *b_parent = parent_of(to);

	if (pp_exists_at(fd, a) == 0 || pp_exists_at(fd, b) == 1)
		return 0;
	int r = pp_mkdirs_at(fd, b_parent, 0755);
	if (r == 0 && pp_renameat(fd, a, fd, b) < 0)
		r = -errno;
	if (r == 0)
		r = pp_sync_dir_at(fd, b_parent);
	return r == 0 && strcmp(a_parent, b_parent) != 0 ? pp_sync_dir_at(fd, a_parent) : r;
}

/* Done already, or never begun, it is no mistake: the op may be called again. */
static enum plugpkg_code
move(struct pp_txn *t, const char *from, const char *to, plugpkg_error **err)
{
	PP_AUTO_FREE char *scope = parent_of(from);
	int r = rename_data(t->ctx->root_fd, from, to);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot move '%s/data/%s' to '%s/data/%s'",
		    t->ctx->root, from, t->ctx->root, to);
	if (strcmp(scope, "data") != 0)
		PP_IGNORE(pp_unlinkat(
		    t->ctx->root_fd, scope, AT_REMOVEDIR)); /* other plugins may be in it */
	return PLUGPKG_OK;
}

bool
pp_step_moves(const struct pp_step *s)
{
	return s->action == PP_REMOVE ? s->because != NULL : s->old_key != NULL;
}

static const char *
old_home(const struct pp_step *s)
{
	return s->action == PP_REMOVE ? s->key : pp_step_old_key(s);
}

static const char *
new_home(const struct pp_step *s)
{
	return s->action == PP_REMOVE ? s->because : s->key;
}

static enum plugpkg_code
run_move(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	const struct pp_step *s = pp_txn_task(t, op->key)->step;

	return move(t, old_home(s), new_home(s), err);
}

static enum plugpkg_code
undo_move(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	const struct pp_step *s = pp_txn_task(t, op->key)->step;

	return move(t, new_home(s), old_home(s), err);
}

const struct pp_op_type pp_op_move = { "move", run_move, undo_move, false };
