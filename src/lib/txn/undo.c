/* SPDX-License-Identifier: MIT */
/*
 * The way back: ops before `commit`, newest first, whether this process did them or one that was
 * killed. Then what stays installed is bound again where undoing took bindings away, then what was
 * only prepared goes. Everything here can be cut off and begun anew.
 */
#include "lib/txn/steps.h"

#include "lib/store/generation.h"

#include <string.h>

void
pp_op_note(struct pp_txn *t, struct pp_txn_op *op, enum pp_step_status status)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	op->status = status;
	if (!op->is_quiet && t->is_armed &&
	    pp_journal_mark(t->state, t->id, (size_t)(op - t->ops.at), status, &why) != PLUGPKG_OK)
		pp_debug(t->ctx, op->key, "%s", plugpkg_error_message(why));
}

struct undoing {
	struct pp_buf failures; /* "uninstall of user 2.1.3, …" */
};

static void
note_stuck(struct pp_txn *t, struct pp_txn_op *op, const plugpkg_error *why, struct undoing *u)
{
	struct pp_task *task = op->key != NULL ? pp_txn_task(t, op->key) : NULL;
	const char *what = op->type->name;

	if (task != NULL && op->type == &pp_op_core)
		what = task->step->action == PP_INSTALL ? "uninstall" : "upgrade back";
	pp_buf_addf(&u->failures, "%s%s of %s%s%s", u->failures.n > 0 ? ", " : "", what,
	    op->key != NULL ? op->key : "the transaction", task != NULL ? " " : "",
	    task != NULL ? task->step->version : "");
	pp_warn(t->ctx, op->key, "%s", plugpkg_error_message(why));
	if (task != NULL && op->type == &pp_op_core)
		task->is_stuck = true;
	pp_op_note(t, op, PP_STEP_STUCK);
}

static bool
needs_undo(const struct pp_txn_op *op)
{
	if (op->type->undo == NULL)
		return false;
	/* Its status may never have been written. */
	if (op->is_quiet)
		return op->status != PP_STEP_STUCK;
	return op->status == PP_STEP_BEGUN || op->status == PP_STEP_DONE ||
	       op->status == PP_STEP_UNDOING;
}

static enum plugpkg_code
undo_op(struct pp_txn *t, struct pp_txn_op *op, struct undoing *u, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	if (!needs_undo(op))
		return PLUGPKG_OK;
	pp_op_note(t, op, PP_STEP_UNDOING);
	enum plugpkg_code rc = op->type->undo(t, op, &why);
	if (rc == PLUGPKG_OK) {
		pp_op_note(t, op, PP_STEP_UNDONE);
		return rc;
	}
	if (rc == PLUGPKG_E_SCRIPT || rc == PLUGPKG_E_INTERRUPTED) {
		note_stuck(t, op, why, u);
		return PLUGPKG_OK;
	}
	return pp_fail(err, rc, 0, "%s", plugpkg_error_message(why));
}

/* ---- what stays ---- */

/*
 * Post-uninstall scripts of this way back may have taken away bindings that were there before:
 * those of plugins that stay in their old version. They get them back, level by level.
 */
static enum plugpkg_code
rebind(struct pp_txn *t, struct pp_installeds *set, struct undoing *u, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->ops.n; i++) {
		const struct pp_txn_op *op = &t->ops.at[i];
		if (op->type != &pp_op_post_install ||
		    (op->status != PP_STEP_UNDONE && op->status != PP_STEP_STUCK))
			continue;
		const struct pp_task *task = pp_txn_task(t, op->key);
		struct pp_rebind r = {
			.set = set,
			.old_version = task != NULL ? task->step->version : NULL,
			.failures = &u->failures,
		};
		if (task == NULL || (pp_task_had_old(task) && task->step->action != PP_REINSTALL))
			rc = pp_txn_rebind(t, op, &r, err);
	}
	return rc;
}

/* A plugin whose install could not be undone: no longer usable, but not gone either. */
static void
keep_leftovers(struct pp_txn *t, struct pp_installeds *set)
{
	pp_vec_foreach (task, &t->tasks) {
		const struct pp_installed *p = pp_installeds_get(&t->set, task->step->key);
		if (!task->is_stuck || task->step->action != PP_INSTALL || p == NULL ||
		    pp_installeds_get(set, p->key) != NULL)
			continue;
		struct pp_installed *leftover = pp_installed_copy(p);
		pp_installed_set_state(leftover, "leftover");
		leftover->manual = false;
		pp_vec_push(set, leftover);
		pp_txn_sort_set(set);
	}
}

static void
copy_old(const struct pp_txn *t, struct pp_installeds *out)
{
	pp_vec_foreach (p, &t->old.set)
		pp_vec_push(out, pp_installed_copy(*p));
}

static bool
has_changed(const struct pp_txn *t, const struct pp_installeds *set)
{
	if (set->n != t->old.set.n)
		return true;
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->at[i]->state, t->old.set.at[i]->state) != 0)
			return true;
	return false;
}

/* ---- all of it ---- */

static enum plugpkg_code
undo_ops(struct pp_txn *t, struct undoing *u, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	/* All ops are gone through, though some are stuck: the rest of the way is worth it. */
	for (size_t i = t->is_armed ? pp_ops_commit(t) : 0; rc == PLUGPKG_OK && i-- > 0;)
		rc = undo_op(t, &t->ops.at[i], u, err);
	if (rc != PLUGPKG_OK || !t->is_armed)
		return rc;
	copy_old(t, &set);
	rc = rebind(t, &set, u, err);
	if (rc != PLUGPKG_OK)
		return rc;
	keep_leftovers(t, &set);
	return has_changed(t, &set)
		   ? pp_state_commit_set(t->state, &set, t->old_generation, 0, NULL, err)
		   : PLUGPKG_OK;
}

/* The files come last: scripts of the way back still ran in them. */
static enum plugpkg_code
undo_all(struct pp_txn *t, struct undoing *u, plugpkg_error **err)
{
	enum plugpkg_code rc = undo_ops(t, u, err);

	t->is_unsynced = true;
	if (rc == PLUGPKG_OK)
		rc = pp_generation_remove(t->ctx, t->generation, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_unprepare(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_sync(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_journal_end(t->state, t->id, u->failures.n == 0 ? "undone" : "failed",
		    t->old_generation, t->ctx->now, err);
	pp_log_flush(t->state);
	return rc;
}

static bool
had_scripts(const struct pp_txn *t, enum plugpkg_code failed)
{
	bool had = failed == PLUGPKG_E_SCRIPT || failed == PLUGPKG_E_UNHEALTHY;

	pp_vec_foreach (op, &t->ops)
		had = had || (!op->is_quiet && op->status != PP_STEP_PLANNED);
	return had;
}

enum plugpkg_code
pp_txn_take_back(struct pp_txn *t, char **out_failures, plugpkg_error **err)
{
	struct undoing u = { .failures = PP_BUF_INIT(65536) };
	enum plugpkg_code rc = undo_all(t, &u, err);

	*out_failures = pp_buf_steal(&u.failures);
	return rc;
}

enum plugpkg_code
pp_txn_undo(struct pp_txn *t, enum plugpkg_code failed, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	PP_AUTO_FREE char *failures = NULL;
	bool had = had_scripts(t, failed);

	if (pp_txn_take_back(t, &failures, &why) != PLUGPKG_OK) {
		pp_txn_log(t, "error", "failed, and is not undone yet", err);
		(void)pp_hint(err, failed, "plugpkg recover goes on with it");
		return pp_wrap(
		    err, failed, "it could not be undone now (%s)", plugpkg_error_message(why));
	}
	pp_txn_log(t, "error",
	    *failures != '\0' ? "failed, and was not wholly undone" : "failed and undone", err);
	if (*failures != '\0')
		return pp_wrap(err, failed, "not everything could be undone (%s)", failures);
	return pp_wrap(err, failed, "%s", had ? "everything was undone" : "nothing was changed");
}
