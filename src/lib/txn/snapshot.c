/* SPDX-License-Identifier: MIT */
/*
 * Ops of plugins that want their data to follow their version: `snapshot` keeps data/KEY before
 * another version touches it, `restore` brings that of a former generation back. The level of a
 * restore is that generation.
 */
#include "lib/txn/steps.h"

#include "base/path.h"
#include "lib/store/snapshot.h"

#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

/* ---- which are needed ---- */

static bool
says_snapshot(const pp_json *manifest)
{
	return pp_json_get_bool(pp_json_get(manifest, "data"), "snapshot");
}

static bool
has_data(const struct pp_txn *t, const struct pp_task *task)
{
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", task->step->key);
	PP_AUTO_FREE char *old = pp_asprintf("data/%s", pp_step_old_key(task->step));

	return pp_exists_at(t->ctx->root_fd, dir) == 1 || pp_exists_at(t->ctx->root_fd, old) == 1;
}

bool
pp_task_takes_snapshot(const struct pp_txn *t, const struct pp_task *task)
{
	bool is_change = task->step->action == PP_UPGRADE || task->step->action == PP_DOWNGRADE;

	bool says = is_change && task->old != NULL &&
		    (says_snapshot(task->old->manifest) || says_snapshot(task->manifest->json));

	return (task->step->data_from > 0 || says) && has_data(t, task);
}

/* ---- can they be taken? ---- */

static bool
may_be_kept(const struct pp_step *step)
{
	return step->data_from > 0 || step->action == PP_UPGRADE || step->action == PP_DOWNGRADE;
}

static bool
has_kept(const struct pp_plan *plan)
{
	pp_vec_foreach (step, &plan->steps)
		if (may_be_kept(step))
			return true;
	return false;
}

enum plugpkg_code
pp_step_check_snapshot(plugpkg_context *ctx, const struct pp_step *step,
    const struct pp_installed *old, plugpkg_error **err)
{
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", pp_step_old_key(step));
	bool is_kept = step->data_from > 0 ||
		       (may_be_kept(step) && old != NULL && says_snapshot(old->manifest));

	if (!is_kept || pp_exists_at(ctx->root_fd, dir) != 1)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_snapshot_check(ctx, dir, err);
	return rc == PLUGPKG_OK ? rc : pp_subject(err, rc, step->key);
}

enum plugpkg_code
pp_txn_check_snapshots(plugpkg_context *ctx, const struct pp_plan *plan, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	struct pp_state *state = NULL;
	if (!has_kept(plan))
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);

	if (rc == PLUGPKG_OK)
		rc = pp_state_installed(state, &set, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < plan->steps.n; i++) {
		const struct pp_step *step = &plan->steps.at[i];
		rc = pp_step_check_snapshot(
		    ctx, step, pp_installeds_get(&set, pp_step_old_key(step)), err);
	}
	return rc;
}

/* ---- room for them ---- */

static enum plugpkg_code
cost_of(struct pp_txn *t, const struct pp_txn_op *op, uint64_t *out, plugpkg_error **err)
{
	const struct pp_step *step = pp_txn_task(t, op->key)->step;
	PP_AUTO_FREE char *now = pp_asprintf("data/%s", step->key);
	PP_AUTO_FREE char *before = pp_asprintf("data/%s", pp_step_old_key(step));
	PP_AUTO_FREE char *kept = pp_asprintf(PP_SNAPSHOTS_DIR "/%s/%u", op->key, op->level);

	if (op->type == &pp_op_restore)
		return pp_snapshot_cost(t->ctx, kept, out, err);
	return pp_snapshot_cost(
	    t->ctx, pp_exists_at(t->ctx->root_fd, now) == 1 ? now : before, out, err);
}

enum plugpkg_code
pp_snapshot_check_space(struct pp_txn *t, plugpkg_error **err)
{
	struct statvfs fs;
	uint64_t need = 0;

	pp_vec_foreach (op, &t->ops) {
		uint64_t bytes = 0;
		if (op->type != &pp_op_snapshot && op->type != &pp_op_restore)
			continue;
		enum plugpkg_code rc = cost_of(t, op, &bytes, err);
		if (rc != PLUGPKG_OK)
			return rc;
		need += bytes;
	}
	if (need == 0 || fstatvfs(t->ctx->root_fd, &fs) < 0)
		return PLUGPKG_OK;
	uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (need <= free_bytes)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_NO_SPACE, 0,
	    "no space for snapshots of data: they need %" PRIu64 " bytes, '%s' has %" PRIu64
	    " free",
	    need, t->ctx->root, free_bytes);
	return pp_hint(err, PLUGPKG_E_NO_SPACE,
	    "plugpkg clean deletes old generations, and the snapshots that belong to them");
}

/* ---- snapshot ---- */

static enum plugpkg_code
run_snapshot(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	const struct pp_step *step = pp_txn_task(t, op->key)->step;

	t->is_unsynced = true;
	return pp_snapshot_take(t->ctx, op->key, pp_step_old_key(step), t->old_generation, err);
}

enum plugpkg_code
pp_txn_return_data(struct pp_txn *t, const struct pp_task *task, plugpkg_error **err)
{
	pp_vec_foreach (op, &t->ops)
		if (op->type == &pp_op_snapshot && strcmp(op->key, task->step->key) == 0 &&
		    op->status != PP_STEP_PLANNED && op->status != PP_STEP_UNDONE)
			return pp_snapshot_return(
			    t->ctx, pp_step_old_key(task->step), t->old_generation, op->key, err);
	return PLUGPKG_OK;
}

/* Its script may have been given its data back already; then there is no snapshot any more. */
static enum plugpkg_code
undo_snapshot(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	return pp_txn_return_data(t, pp_txn_task(t, op->key), err);
}

const struct pp_op_type pp_op_snapshot = { "snapshot", run_snapshot, undo_snapshot, false };

/* ---- restore ---- */

/* Taken back by the snapshot before it, or by the directory that was made for it. */
static enum plugpkg_code
run_restore(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	t->is_unsynced = true;
	return pp_snapshot_restore(t->ctx, op->key, op->level, op->key, err);
}

const struct pp_op_type pp_op_restore = { "restore", run_restore, NULL, false };
