/* SPDX-License-Identifier: MIT */
/*
 * data/KEY of a plugin that is known by another key from then on, because it begins to declare
 * parallel majors, or ceases to; or that another one replaces, as whose data it goes on. The op's
 * key is that of the step that says so.
 *
 * `move` comes before the script of what comes, while the old version is in use: it leaves a link
 * at the old place, in one step with the move. `leave` takes that away when the change is
 * committed.
 */
#include "lib/txn/steps.h"

#include "base/path.h"
#include "base/sys.h"
#include "lib/store/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* "data/@acme" of "@acme/animal"; "data" of what has no scope. Owned. */
static char *
parent_of(const char *key)
{
	const char *slash = strchr(key, '/');

	return slash != NULL ? pp_asprintf("data/%.*s", (int)(slash - key), key)
			     : pp_xstrdup("data");
}

/* Where data moves, and the link that leads on from its old place until the change is committed. */
struct way {
	int fd; /* of the root */
	char *from, *to, *from_parent, *to_parent;
	char *text; /* of that link; no link of anybody else says the same */
};

static void
way_fini(struct way *w)
{
	free(w->from);
	free(w->to);
	free(w->from_parent);
	free(w->to_parent);
	free(w->text);
}

static void
way_init(struct way *w, int fd, const char *from, const char *to)
{
	*w = (struct way){
		.fd = fd,
		.from = pp_asprintf("data/%s", from),
		.to = pp_asprintf("data/%s", to),
		.from_parent = parent_of(from),
		.to_parent = parent_of(to),
		.text = pp_asprintf("%s%s", strchr(from, '/') != NULL ? "../" : "", to),
	};
}

static bool
is_link(const struct way *w, const char *path)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PATH_MAX);

	return pp_readlink_at(w->fd, path, &text) == 0 && strcmp(pp_buf_cstr(&text), w->text) == 0;
}

static int
unlink_at(const struct way *w, const char *path)
{
	return pp_unlinkat(w->fd, path, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* The application may look at any moment; it finds its data at one place or the other. */
static int
change_places(const struct way *w)
{
	if (pp_rename_exchange(w->fd, w->from, w->fd, w->to) == 0)
		return 1;
	return errno == EINVAL || errno == ENOSYS ? 0 : -errno;
}

static int
sync_parents(const struct way *w)
{
	int r = pp_sync_dir_at(w->fd, w->to_parent);

	return r == 0 && strcmp(w->from_parent, w->to_parent) != 0
		   ? pp_sync_dir_at(w->fd, w->from_parent)
		   : r;
}

/* Done already, or with nothing to do, it is no mistake: the op may be called again. */
static int
move_on(const struct way *w)
{
	bool is_prepared = is_link(w, w->to);

	if (is_link(w, w->from) || pp_exists_at(w->fd, w->from) == 0 ||
	    (!is_prepared && pp_exists_at(w->fd, w->to) == 1))
		return 0;
	int r = pp_mkdirs_at(w->fd, w->to_parent, 0755);
	if (r == 0 && !is_prepared && pp_symlinkat(w->text, w->fd, w->to) < 0)
		r = -errno;
	if (r == 0)
		r = change_places(w);
	if (r < 0)
		return r;
	/* A file system that cannot do it in one step: for a moment the old place is empty. */
	if (r == 0)
		r = unlink_at(w, w->to);
	if (r == 0 && (pp_renameat(w->fd, w->from, w->fd, w->to) < 0 ||
			  pp_symlinkat(w->text, w->fd, w->from) < 0))
		r = -errno;
	if (r < 0)
		return r;
	return sync_parents(w);
}

/* What was never moved is none of its business, nor are directories that were never made. */
static int
move_back(const struct way *w)
{
	bool is_moved = is_link(w, w->from);
	int r = 0;

	if (!is_moved && pp_exists_at(w->fd, w->from) == 1)
		return is_link(w, w->to) ? unlink_at(w, w->to) : 0;
	if (pp_exists_at(w->fd, w->to) == 0)
		return is_moved ? unlink_at(w, w->from) : 0;
	if (is_moved)
		r = change_places(w);
	if (r == 1)
		r = unlink_at(w, w->to);
	else if (r == 0) {
		r = is_moved ? unlink_at(w, w->from) : pp_mkdirs_at(w->fd, w->from_parent, 0755);
		if (r == 0 && pp_renameat(w->fd, w->to, w->fd, w->from) < 0)
			r = -errno;
	}
	return r < 0 ? r : sync_parents(w);
}

static int
leave(const struct way *w)
{
	return is_link(w, w->from) ? unlink_at(w, w->from) : 0;
}

/* Of "@scope/name" the scope's directory, unless other plugins are in it. */
static void
remove_scope(const struct way *w, const char *parent)
{
	if (strcmp(parent, "data") != 0)
		PP_IGNORE(pp_unlinkat(w->fd, parent, AT_REMOVEDIR)); /* not empty, usually */
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
end_lift(struct pp_txn *t, const char *key, plugpkg_error **err)
{
	return pp_snapshot_return(t->ctx, key, t->generation, key, err);
}

/*
 * What came with a lower layer of an overlay cannot be renamed; its copy can, which takes its place
 * as a snapshot does, under the number of the generation that nothing has left yet.
 */
static enum plugpkg_code
lift(struct pp_txn *t, const char *key, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("data/%s", key);
	enum plugpkg_code rc = pp_snapshot_check(t->ctx, path, err);

	if (rc == PLUGPKG_OK)
		rc = pp_snapshot_take(t->ctx, key, key, t->generation, err);
	return rc == PLUGPKG_OK ? end_lift(t, key, err) : rc;
}

static enum plugpkg_code
go(struct pp_txn *t, const struct pp_txn_op *op, int (*how)(const struct way *w),
    plugpkg_error **err)
{
	const struct pp_step *s = pp_txn_task(t, op->key)->step;
	PP_CLEANUP(way_fini) struct way w;
	enum plugpkg_code rc = PLUGPKG_OK;

	way_init(&w, t->ctx->root_fd, old_home(s), new_home(s));
	t->is_unsynced = true;
	int r = how(&w);
	if (r == -EXDEV) {
		rc = lift(t, how == move_back ? new_home(s) : old_home(s), err);
		r = rc == PLUGPKG_OK ? how(&w) : 0;
	}
	if (rc != PLUGPKG_OK)
		return rc;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot move '%s/%s' to '%s/%s'",
		    t->ctx->root, how == move_back ? w.to : w.from, t->ctx->root,
		    how == move_back ? w.from : w.to);
	if (how != move_on)
		remove_scope(&w, how == move_back ? w.to_parent : w.from_parent);
	return PLUGPKG_OK;
}

static enum plugpkg_code
run_move(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	return go(t, op, move_on, err);
}

static enum plugpkg_code
undo_move(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	const struct pp_step *s = pp_txn_task(t, op->key)->step;
	enum plugpkg_code rc = end_lift(t, old_home(s), err); /* that was cut off */

	if (rc == PLUGPKG_OK)
		rc = end_lift(t, new_home(s), err);
	return rc == PLUGPKG_OK ? go(t, op, move_back, err) : rc;
}

const struct pp_op_type pp_op_move = { "move", run_move, undo_move, false };

/* Before scripts of what leaves find somebody else's data behind the link. */
static enum plugpkg_code
run_leave(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	return go(t, op, leave, err);
}

const struct pp_op_type pp_op_leave = { "leave", run_leave, NULL, false };
