/* SPDX-License-Identifier: MIT */
/*
 * Scripts of what comes, dependencies first, and their undoing in reverse; each with its journal
 * records.
 */
#include "lib/txn/steps.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static enum plugpkg_code
open_plugin(struct pp_txn *t, const struct pp_txn_script *s, char **out_path, int *out_fd,
    plugpkg_error **err)
{
	const struct pp_release *r = s->manifest->release;

	if (s->link_dir == NULL) {
		*out_path = pp_asprintf("%s/store/%s/%s", t->ctx->root, r->name, r->version.text);
		return pp_store_open(t->ctx, r->name, r->version.text, out_fd, err);
	}
	*out_path = pp_xstrdup(s->link_dir);
	*out_fd = openat(AT_FDCWD, s->link_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *out_fd < 0 ? pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '%s'", s->link_dir)
			   : PLUGPKG_OK;
}

enum plugpkg_code
pp_txn_script(struct pp_txn *t, const struct pp_txn_script *s, plugpkg_error **err)
{
	const struct pp_release *r = s->manifest->release;
	const char *kind = pp_script_names[s->script];
	if (s->manifest->scripts[s->script] == NULL)
		return PLUGPKG_OK;
	PP_AUTO_FREE char *path = NULL;
	PP_AUTO_FD int fd = -1;
	/* An author who deleted his directory must not be stuck with what was linked from it. */
	if (s->script == PP_SCRIPT_UNINSTALL && s->link_dir != NULL &&
	    pp_exists_at(AT_FDCWD, s->link_dir) == 0) {
		pp_warn(
		    t->ctx, r->name, "'%s' is gone, and its uninstall script with it", s->link_dir);
		return PLUGPKG_OK;
	}
	enum plugpkg_code rc = open_plugin(t, s, &path, &fd, err);
	/* Durable before the world outside changes, so that recovery can ask what became of it. */
	if (rc == PLUGPKG_OK)
		rc = pp_journal_step(t->state, t->id, kind, pp_release_key(r), r->version.text,
		    s->is_undo ? "undoing" : "begin", err);
	if (rc != PLUGPKG_OK)
		return rc;

	struct pp_script_run run = {
		.manifest = s->manifest,
		.dir_fd = fd,
		.store_path = path,
		.script = s->script,
		.reason = s->reason,
		.old_version = s->old_version,
		.transaction = t->id,
		.next_generation = t->generation,
		.is_undo = s->is_undo,
	};
	rc = pp_script_run(t->ctx, &run, err);
	enum plugpkg_code noted = pp_journal_step(t->state, t->id, kind, pp_release_key(r),
	    r->version.text, rc == PLUGPKG_OK ? "done" : "failed", rc == PLUGPKG_OK ? err : NULL);
	return rc == PLUGPKG_OK ? noted : rc;
}

/* ---- install ---- */

static bool
has_scripts(const struct pp_manifest *m)
{
	for (size_t i = 0; i < PP_N_SCRIPTS; i++)
		if (m->scripts[i] != NULL)
			return true;
	return false;
}

/*
 * The plugin's own data: survives upgrades and removal. Without scripts it is the application's
 * affair.
 */
static enum plugpkg_code
make_data(struct pp_txn *t, struct pp_task *task, plugpkg_error **err)
{
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", task->step->key);

	if (!has_scripts(task->manifest) || pp_exists_at(t->ctx->root_fd, dir) == 1)
		return PLUGPKG_OK;
	int r = pp_mkdirs_at(t->ctx->root_fd, dir, 0755);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make '%s/%s'", t->ctx->root, dir);
	task->is_data_made = true;
	return PLUGPKG_OK;
}

static enum plugpkg_code
run_install(struct pp_txn *t, struct pp_task *task, plugpkg_error **err)
{
	enum pp_action action = task->step->action;
	bool is_upgrade = action == PP_UPGRADE || action == PP_DOWNGRADE;
	struct pp_txn_script s = {
		.manifest = task->manifest,
		.link_dir = task->step->link_dir,
		.script = is_upgrade ? PP_SCRIPT_UPGRADE : PP_SCRIPT_INSTALL,
		.reason = is_upgrade ? "upgrade" : "install",
		.old_version = task->old != NULL ? task->old->version : NULL,
	};

	pp_txn_step(t, task, is_upgrade ? "upgrade" : "install");
	enum plugpkg_code rc = make_data(t, task, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_script(t, &s, err);
	task->is_script_done = rc == PLUGPKG_OK;
	return rc;
}

enum plugpkg_code
pp_txn_run_installs(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->tasks.n; i++) {
		if (pp_task_is_removal(&t->tasks.at[i]))
			continue;
		rc = pp_check_cancel(t->ctx, err);
		if (rc == PLUGPKG_OK)
			rc = run_install(t, &t->tasks.at[i], err);
	}
	return rc;
}

/* ---- undo ---- */

static void
note_failure(struct pp_buf *failures, const char *what, const struct pp_release *r)
{
	pp_buf_addf(
	    failures, "%s%s of %s %s", failures->n > 0 ? ", " : "", what, r->name, r->version.text);
}

static void
tell_undo(struct pp_txn *t, const struct pp_task *task, const char *what)
{
	PP_AUTO_FREE char *text =
	    pp_asprintf("undoing: %s %s %s", what, task->step->name, task->step->version);
	struct plugpkg_event ev = {
		.type = PLUGPKG_EVENT_UNDO,
		.plugin = task->step->name,
		.text = text,
	};

	pp_event(t->ctx, &ev);
	pp_log_write(t->state, t->id, task->step->name, "warning", "transaction", text);
}

/*
 * What the old version says to going back from the new one; a failing manifest counts as a failure.
 */
static enum plugpkg_code
upgrade_back(struct pp_txn *t, const struct pp_task *task, plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *old = NULL;
	PP_AUTO_FREE char *text = pp_json_line(task->old->manifest);
	enum plugpkg_code rc =
	    pp_manifest_parse(pp_str_of(text), "var/state.db: plugin.json", &old, err);
	if (rc != PLUGPKG_OK)
		return rc;
	struct pp_txn_script s = {
		.manifest = old,
		.link_dir = task->old->link_dir,
		.script = PP_SCRIPT_UPGRADE,
		.reason = "rollback",
		.old_version = task->step->version,
		.is_undo = true,
	};
	return pp_txn_script(t, &s, err);
}

static enum plugpkg_code
undo_one(struct pp_txn *t, const struct pp_task *task, plugpkg_error **err)
{
	struct pp_txn_script s = {
		.manifest = task->manifest,
		.link_dir = task->step->link_dir,
		.script = PP_SCRIPT_UNINSTALL,
		.reason = "rollback",
		.is_undo = true,
	};

	switch (task->step->action) {
	case PP_INSTALL:
		tell_undo(t, task, "uninstall");
		return pp_txn_script(t, &s, err);
	case PP_UPGRADE:
	case PP_DOWNGRADE:
		tell_undo(t, task, "upgrade back from");
		return upgrade_back(t, task, err);
	case PP_REINSTALL: /* it was installed before, and still is */
	case PP_REMOVE:
		break;
	}
	return PLUGPKG_OK;
}

void
pp_txn_undo_installs(struct pp_txn *t, struct pp_buf *out_failures)
{
	for (size_t i = t->tasks.n; i-- > 0;) {
		struct pp_task *task = &t->tasks.at[i];
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		bool is_undone = true;
		if (task->is_script_done && undo_one(t, task, &why) != PLUGPKG_OK) {
			is_undone = false;
			note_failure(out_failures,
			    task->step->action == PP_INSTALL ? "uninstall" : "upgrade back",
			    task->manifest->release);
			pp_warn(t->ctx, task->step->name, "%s", plugpkg_error_message(why));
		}
		task->is_script_done = false;
		/*
		 * Made a moment ago by this transaction, so nobody's data is in it; kept for a look
		 * on failure.
		 */
		if (task->is_data_made && is_undone)
			pp_txn_remove_data(t->ctx, task->step->key);
	}
}
