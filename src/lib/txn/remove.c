/* SPDX-License-Identifier: MIT */
/*
 * Ops of what leaves, dependents first, after the new generation is visible: post levels downwards,
 * uninstall, data; and the last records of a transaction. What happens when one of them fails is
 * back.c's business.
 */
#include "lib/txn/signature.h"
#include "lib/txn/steps.h"

#include "base/path.h"
#include "base/sys.h"
#include "lib/model/name.h"
#include "lib/state/history.h"
#include "lib/store/snapshot.h"
#include "lib/txn/event.h"
#include "lib/txn/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum plugpkg_code
pp_txn_remove_data(plugpkg_context *ctx, const char *key, plugpkg_error **err)
{
	const char *slash = strchr(key, '/');
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", key);
	int r = pp_rm_rf_at(ctx->root_fd, dir);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot delete '%s/%s'", ctx->root, dir);
	if (slash == NULL)
		return PLUGPKG_OK;
	PP_AUTO_FREE char *scope = pp_asprintf("data/%.*s", (int)(slash - key), key);
	PP_IGNORE(pp_unlinkat(ctx->root_fd, scope, AT_REMOVEDIR)); /* other plugins may be in it */
	return PLUGPKG_OK;
}

/*
 * A disk that fails once is worth another try by recovery; data that cannot be deleted at all must
 * not keep the root shut.
 */
enum plugpkg_code
pp_txn_try_remove_data(struct pp_txn *t, const char *key, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	if (!t->is_recovery)
		return pp_txn_remove_data(t->ctx, key, err);
	if (pp_txn_remove_data(t->ctx, key, &why) != PLUGPKG_OK)
		pp_warn(t->ctx, key, "%s", plugpkg_error_message(why));
	return PLUGPKG_OK;
}

void
pp_txn_drop(struct pp_installeds *set, const char *key)
{
	size_t i = pp_installeds_index(set, key);

	if (i == SIZE_MAX)
		return;
	pp_installed_free(set->at[i]);
	memmove(set->at + i, set->at + i + 1, (set->n - i - 1) * sizeof(*set->at));
	set->n--;
}

static struct pp_txn_script
leaving_script(const struct pp_txn *t, const struct pp_task *task, const char *kind)
{
	return (struct pp_txn_script){
		.manifest = task->manifest,
		.link_dir = task->old != NULL ? task->old->link_dir : NULL,
		.kind = kind,
		.level = -1,
		.reason = t->spec->plan->is_rollback ? "rollback"
			  : t->spec->plan->is_purge  ? "purge"
						     : "remove",
	};
}

/*
 * Who names a plugin and says --force wants it gone, whether its scripts can clean up or not. What
 * they leave behind is nobody's then, so the log and the history say it.
 */
static enum plugpkg_code
give_up(struct pp_txn *t, const struct pp_task *task, const char *script, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = err != NULL ? pp_steal(err) : NULL;
	PP_CLEANUP(pp_notes_fini) struct pp_notes notes = { 0 };
	const struct pp_step *step = task->step;

	PP_AUTO_FREE char *text =
	    pp_asprintf("%s %s goes although its %s script failed; what it made may still be there",
		step->key, step->version, script);
	pp_warn(t->ctx, step->key, "%s: %s", text, plugpkg_error_message(why));
	pp_log_write(t->state, t->id, step->name, "warning", "transaction", text);
	pp_notes_add(&notes, step->key,
	    "its %s script failed, and --force removed it all the same; what it made may still be "
	    "there",
	    script);
	return pp_history_note(t->state, t->id, NULL, t->ctx->now, &notes, err);
}

/* Interrupted, or on a disk that fails, it is not given up. */
static bool
may_give_up(const struct pp_txn *t, const struct pp_task *task, enum plugpkg_code failed)
{
	return failed == PLUGPKG_E_SCRIPT && t->spec->plan->is_forced &&
	       task->step->why == PP_WHY_REQUESTED;
}

/* ---- post levels ---- */

static enum plugpkg_code
run_post_uninstall(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	const struct pp_task *task = pp_txn_task(t, op->key);
	struct pp_txn_script s = leaving_script(t, task, "post-uninstall");
	PP_AUTO_FREE char *text = pp_asprintf("%s %u", s.kind, op->level);

	pp_txn_step(t, task->step, text);
	s.level = op->level;
	enum plugpkg_code rc = pp_txn_level(t, &s, &task->manifest->post_uninstall, err);
	return may_give_up(t, task, rc) ? give_up(t, task, s.kind, err) : rc;
}

const struct pp_op_type pp_op_post_uninstall = {
	"post-uninstall",
	run_post_uninstall,
	NULL,
	false,
};

/* ---- uninstall ---- */

/*
 * Cut off in the middle it runs once more, as scripts may. Where `verify` says that nothing is left
 * of the plugin, a failure of that second run means nothing.
 */
static enum plugpkg_code
run_script(struct pp_txn *t, const struct pp_txn_op *op, const struct pp_txn_script *s,
    plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	if (!op->was_cut ||
	    pp_txn_verify(t, s->manifest, s->link_dir, NULL) != PP_VERDICT_NOT_THERE)
		return pp_txn_script(t, s, err);
	if (pp_txn_script(t, s, &why) != PLUGPKG_OK)
		pp_warn(t->ctx, op->key, "%s", plugpkg_error_message(why));
	return PLUGPKG_OK;
}

static enum plugpkg_code
run_uninstall(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	struct pp_task *task = pp_txn_task(t, op->key);
	struct pp_txn_script s = leaving_script(t, task, pp_script_names[PP_SCRIPT_UNINSTALL]);

	if (task->is_gone)
		return PLUGPKG_OK;
	s.path = task->manifest->scripts[PP_SCRIPT_UNINSTALL];
	pp_txn_step(t, task->step, s.kind);
	enum plugpkg_code rc = run_script(t, op, &s, err);
	if (may_give_up(t, task, rc))
		rc = give_up(t, task, s.kind, err);
	if (rc != PLUGPKG_OK)
		return rc;
	task->is_gone = true;
	pp_txn_drop(&t->set, op->key);
	if (op->is_quiet)
		return PLUGPKG_OK; /* recorded with all others at the end */
	return pp_journal_mark_gone(t->state, t->id, (size_t)(op - t->ops.at), op->key, err);
}

const struct pp_op_type pp_op_uninstall = { "uninstall", run_uninstall, NULL, true };

static enum plugpkg_code
run_purge(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_txn_try_remove_data(t, op->key, err);

	t->is_unsynced = true;
	if (rc == PLUGPKG_OK)
		rc = pp_snapshots_drop(t->ctx, op->key, err);
	return rc == PLUGPKG_OK ? pp_txn_forget_owner(t->ctx, op->key, &t->set, err) : rc;
}

const struct pp_op_type pp_op_purge = { "purge", run_purge, NULL, false };

/* ---- the last records ---- */

/* It was to leave, and can neither leave nor be used. */
static bool
is_left_over(const struct pp_txn *t, const struct pp_task *task)
{
	const struct pp_installed *p = pp_installeds_get(&t->set, task->step->key);

	return pp_task_is_removal(task) && p != NULL && !pp_installed_is_usable(p);
}

/*
 * The wanted set follows what really happened: what came back from a failed removal is still
 * wanted.
 */
static enum plugpkg_code
record_wishes(struct pp_txn *t, plugpkg_error **err)
{
	PP_CLEANUP(pp_auto_map) struct pp_map wishes = { .n = 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs gone = { 0 };

	pp_wishes_index(t->spec->wishes, &wishes);
	pp_vec_foreach (task, &t->tasks) {
		const struct pp_dep *wish =
		    task->old != NULL
			? pp_installed_wish(&t->old.set, task->old, &t->ctx->config->plugins)
			: NULL;
		/*
		 * A wish for a key that is no more: its plugin goes on under another one. A plain
		 * name may mean that one, unless it is asked for itself.
		 */
		bool has_moved =
		    task->step->old_key != NULL && wish != NULL &&
		    (pp_key_has_major(wish->name) || pp_map_has(&wishes, task->step->key));
		const char *name = wish != NULL ? wish->name : task->step->key;
		if ((task->is_gone || is_left_over(t, task) || has_moved) &&
		    !pp_map_has(&wishes, name))
			pp_strs_add(&gone, name);
	}
	return pp_marks_edit_wanted(t->ctx, t->spec->wishes, &gone, err);
}

/* `commit` recorded the set with what has to leave yet; the history holds it without. */
static enum plugpkg_code
record_gone(struct pp_txn *t, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs gone = { 0 };

	if (pp_ops_leave_at_once(t))
		return PLUGPKG_OK;
	pp_vec_foreach (task, &t->tasks)
		if (task->is_gone)
			pp_strs_add(&gone, task->step->key);
	return pp_state_drop_all(t->state, &gone, err);
}

static enum plugpkg_code
record_set(struct pp_txn *t, plugpkg_error **err)
{
	pp_txn_reattach(t); /* what was to leave may have come back */
	return pp_state_commit_set(t->state, &t->set, t->generation, t->id, NULL, err);
}

/* Facts first, then wishes, then what is derived. */
enum plugpkg_code
pp_txn_settle(struct pp_txn *t, bool is_as_planned, plugpkg_error **err)
{
	struct pp_installeds usable = { 0 };
	enum plugpkg_code rc = is_as_planned ? record_gone(t, err) : record_set(t, err);

	pp_vec_foreach (p, &t->set)
		if (pp_installed_is_usable(*p))
			pp_vec_push(&usable, *p);
	if (rc == PLUGPKG_OK)
		rc = record_wishes(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_root_write_lockfile(t->ctx, &usable, err);
	pp_vec_free(&usable);
	return rc;
}

static enum plugpkg_code
run_settle(struct pp_txn *t, struct pp_txn_op *op PP_UNUSED, plugpkg_error **err)
{
	return pp_txn_settle(t, !t->is_recovery, err);
}

const struct pp_op_type pp_op_settle = { "settle", run_settle, NULL, false };
