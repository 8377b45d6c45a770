/* SPDX-License-Identifier: MIT */
/*
 * A transaction from its lock to its last record. This file only orders steps: expand, switch,
 * contract. Before the switch a failure undoes everything; after it, removal stops where it is
 * consistent.
 */
#include "lib/txn/steps.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/store/generation.h"
#include "lib/store/store.h"
#include "lib/txn/lock.h"
#include "lib/txn/root.h"

#include <string.h>

static void
txn_fini(struct pp_txn *t)
{
	pp_vec_foreach (task, &t->tasks) {
		pp_manifest_free(task->manifest);
		free(task->staging);
		pp_auto_fd(&task->staging_fd);
	}
	pp_vec_free(&t->tasks);
	pp_installeds_fini(&t->set);
	pp_inventory_fini(&t->old);
}

void
pp_txn_step(struct pp_txn *t, const struct pp_task *task, const char *what)
{
	PP_AUTO_FREE char *text =
	    pp_asprintf("%s %s %s", what, task->step->name, task->step->version);
	struct plugpkg_event ev = {
		.type = PLUGPKG_EVENT_STEP,
		.plugin = task->step->name,
		.subject = what,
		.text = text,
		.done = t->n_done++,
		.total = t->n_steps,
	};

	pp_event(t->ctx, &ev);
	pp_log_step(t->state, t->id, task->step->name, what, task->step->version);
}

/* ---- beginning ---- */

static enum plugpkg_code
check_unchanged(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_state_generation(t->state, &t->old_generation, err);

	if (rc != PLUGPKG_OK || t->old_generation == t->spec->plan->generation)
		return rc;
	(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
	    "the root changed since the plan was made (generation %lld, planned against %lld)",
	    (long long)t->old_generation, (long long)t->spec->plan->generation);
	return pp_hint(err, PLUGPKG_E_REFUSED, "run the command again");
}

static enum plugpkg_code
next_generation(struct pp_txn *t, plugpkg_error **err)
{
	PP_AUTO_FREE int64_t *all = NULL;
	size_t n = 0;
	enum plugpkg_code rc = pp_generation_list(t->ctx, &all, &n, err);

	/* Above every number that was ever used, so that no two generations share one. */
	t->generation = t->old_generation + 1;
	if (rc == PLUGPKG_OK && n > 0 && all[n - 1] >= t->generation)
		t->generation = all[n - 1] + 1;
	return rc;
}

/* The manifest of what leaves, as it was installed. */
static enum plugpkg_code
installed_manifest(const struct pp_installed *p, struct pp_manifest **out, plugpkg_error **err)
{
	PP_AUTO_FREE char *text = pp_json_line(p->manifest);
	PP_AUTO_FREE char *file = pp_asprintf("%s %s: plugin.json", p->name, p->version);

	return pp_manifest_parse(pp_str_of(text), file, out, err);
}

/* A hold makes no generation, so one that came after the plan has to be looked for. */
static enum plugpkg_code
check_not_held(const struct pp_txn *t, const struct pp_task *task, plugpkg_error **err)
{
	if (task->old == NULL || task->step->action == PP_REINSTALL ||
	    !pp_installed_is_held(task->old, t->ctx->now))
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
	    "%s was held at %s after the plan was made; run the command again", task->old->key,
	    task->old->version);
	return pp_hint(
	    err, PLUGPKG_E_REFUSED, "release the hold first: plugpkg unhold %s", task->old->key);
}

/* The same of what plugpkg.json wants meanwhile: nothing that was asked for goes as unneeded. */
static enum plugpkg_code
check_not_wanted(const struct pp_txn *t, const struct pp_step *step, plugpkg_error **err)
{
	if (step->action != PP_REMOVE || step->why != PP_WHY_UNNEEDED ||
	    pp_deps_get(&t->ctx->config->plugins, step->key) == NULL)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_REFUSED, 0,
	    "%s was asked for after the plan was made; run the command again", step->key);
}

static enum plugpkg_code
make_tasks(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_inventory_load(t->ctx, &t->old, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->spec->plan->steps.n; i++) {
		const struct pp_step *step = &t->spec->plan->steps.at[i];
		struct pp_task *task = pp_vec_new(&t->tasks);
		task->step = step;
		task->staging_fd = -1;
		task->old = pp_installeds_get(&t->old.set, pp_step_old_key(step));
		t->n_steps += step->action == PP_REMOVE || step->link_dir != NULL ? 1 : 2;
		rc = check_not_held(t, task, err);
		if (rc == PLUGPKG_OK)
			rc = check_not_wanted(t, step, err);
		if (rc != PLUGPKG_OK || step->action != PP_REMOVE)
			continue;
		if (task->old == NULL)
			return pp_fail(err, PLUGPKG_E_REFUSED, 0,
			    "'%s' is no longer installed; run the command again", step->key);
		rc = installed_manifest(task->old, &task->manifest, err);
	}
	return rc;
}

static enum plugpkg_code
begin(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_state_get(t->ctx, &t->state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_staging_clear(t->ctx, err);
	if (rc == PLUGPKG_OK)
		rc = check_unchanged(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_script_check_settings(t->ctx->config, err);
	if (rc == PLUGPKG_OK)
		rc = make_tasks(t, err);
	if (rc == PLUGPKG_OK)
		rc = next_generation(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_journal_begin(t->state, t->spec->command, t->ctx->now, &t->id, err);
	if (rc == PLUGPKG_OK)
		pp_lock_note_transaction(t->ctx, t->spec->command, t->id);
	return rc;
}

/* ---- before the switch ---- */

/* The generation to come and every plugin that will be touched, in one durable write. */
static enum plugpkg_code
journal_plan(struct pp_txn *t, plugpkg_error **err)
{
	struct pp_vec(struct pp_journal_entry) entries = { 0 };
	PP_AUTO_FREE char *number = pp_asprintf("%lld", (long long)t->generation);
	struct pp_journal_entry stage = { "stage", NULL, number, "planned" };

	pp_vec_push(&entries, stage);
	pp_vec_foreach (task, &t->tasks) {
		struct pp_journal_entry e = {
			.kind = pp_action_names[task->step->action],
			.plugin = task->step->key,
			.version = task->step->version,
			.status = "planned",
		};
		pp_vec_push(&entries, e);
	}
	enum plugpkg_code rc = pp_journal_steps(t->state, t->id, entries.at, entries.n, err);
	pp_vec_free(&entries);
	return rc;
}

static enum plugpkg_code
expand(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = journal_plan(t, err);

	if (rc == PLUGPKG_OK)
		rc = pp_txn_fetch(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_unpack(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_stage(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_run_installs(t, err);
	/*
	 * Here the post-install levels will run, level by level over all plugins of the
	 * transaction.
	 */
	if (rc == PLUGPKG_OK)
		rc = pp_check_cancel(t->ctx, err);
	return rc;
}

static enum plugpkg_code
switch_over(struct pp_txn *t, plugpkg_error **err)
{
	PP_AUTO_FREE char *number = pp_asprintf("%lld", (long long)t->generation);
	enum plugpkg_code rc =
	    pp_journal_step(t->state, t->id, "switch", NULL, number, "begin", err);

	if (rc == PLUGPKG_OK)
		rc = pp_generation_switch(t->ctx, t->generation, err);
	if (rc != PLUGPKG_OK) {
		/*
		 * The rename may have happened and only its durability failed: back, before
		 * anything is undone.
		 */
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		if (pp_generation_switch(t->ctx, t->old_generation, &why) != PLUGPKG_OK)
			pp_warn(t->ctx, NULL, "%s", plugpkg_error_message(why));
		return rc;
	}
	struct plugpkg_event ev = { .type = PLUGPKG_EVENT_SWITCH, .done = (uint64_t)t->generation };
	pp_event(t->ctx, &ev);
	/*
	 * Here the host's `activate` and `health` hooks will be called; unhealthy means back and
	 * undo.
	 */
	return PLUGPKG_OK;
}

static enum plugpkg_code
undo(struct pp_txn *t, enum plugpkg_code failed, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf failures = PP_BUF_INIT(65536);
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	bool had_scripts = failed == PLUGPKG_E_SCRIPT;

	pp_vec_foreach (task, &t->tasks)
		had_scripts = had_scripts || task->is_script_done;
	pp_txn_undo_installs(t, &failures);
	if (pp_generation_remove(t->ctx, t->generation, &why) != PLUGPKG_OK)
		pp_warn(t->ctx, NULL, "%s", plugpkg_error_message(why));
	pp_txn_unprepare(t);
	/*
	 * If even this record cannot be written, the transaction stays open, and the next command
	 * says so.
	 */
	PP_IGNORE(pp_journal_end(t->state, t->id, failures.n == 0 ? "undone" : "failed",
	    t->old_generation, t->ctx->now, NULL));
	if (failures.n > 0)
		return pp_wrap(
		    err, failed, "not everything could be undone (%s)", pp_buf_cstr(&failures));
	return pp_wrap(
	    err, failed, "%s", had_scripts ? "everything was undone" : "nothing was changed");
}

/* ---- after the switch ---- */

/*
 * The wanted set follows what really happened: what came back from a failed removal is still
 * wanted.
 */
static enum plugpkg_code
record_wishes(struct pp_txn *t, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs gone = { 0 };

	pp_vec_foreach (task, &t->tasks)
		if (task->is_gone)
			pp_strs_add(&gone, task->step->key);
	return pp_marks_edit_wanted(t->ctx, t->spec->wishes, &gone, err);
}

/*
 * Facts first (in pp_txn_remove), then wishes, then what is derived, then the journal's last word.
 */
static enum plugpkg_code
finish(struct pp_txn *t, const char *status, plugpkg_error **err)
{
	struct pp_installeds usable = { 0 };

	pp_vec_foreach (p, &t->set)
		if (pp_installed_is_usable(*p))
			pp_vec_push(&usable, *p);
	enum plugpkg_code rc = record_wishes(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_root_write_lockfile(t->ctx, &usable, err);
	pp_vec_free(&usable);
	if (rc == PLUGPKG_OK)
		rc = pp_journal_end(t->state, t->id, status, t->generation, t->ctx->now, err);
	pp_log_flush(t->state);
	if (rc != PLUGPKG_OK)
		return pp_wrap(
		    err, rc, "the plugins were changed, but not everything was recorded");
	return PLUGPKG_OK;
}

static void
send_row(struct pp_txn *t)
{
	int64_t counts[PP_REMOVE + 1] = { 0 };
	pp_json *row = pp_row_new("transaction");

	pp_vec_foreach (task, &t->tasks)
		counts[task->step->action]++;
	pp_json_set_int(row, "id", t->id);
	pp_json_set_str(row, "command", t->spec->command);
	pp_json_set_str(row, "status", "done");
	pp_json_set_int(row, "generation", t->generation);
	for (size_t i = 0; i < PP_LEN(counts); i++)
		pp_json_set_int(row, pp_action_names[i], counts[i]);
	pp_row(t->spec->row, t->spec->user, row);
}

static enum plugpkg_code
run_locked(plugpkg_context *ctx, const struct pp_txn_spec *spec, plugpkg_error **err)
{
	PP_CLEANUP(txn_fini) struct pp_txn t = { .ctx = ctx, .spec = spec };
	enum plugpkg_code rc = begin(&t, err);
	if (rc != PLUGPKG_OK)
		return rc;
	rc = expand(&t, err);
	if (rc == PLUGPKG_OK)
		rc = switch_over(&t, err);
	if (rc != PLUGPKG_OK)
		return undo(&t, rc, err);

	rc = pp_txn_remove(&t, err);
	if (rc != PLUGPKG_OK) {
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		if (finish(&t, "failed", &why) != PLUGPKG_OK)
			pp_warn(ctx, NULL, "%s", plugpkg_error_message(why));
		return rc;
	}
	rc = finish(&t, "done", err);
	if (rc == PLUGPKG_OK)
		send_row(&t);
	return rc;
}

enum plugpkg_code
pp_txn_run(plugpkg_context *ctx, const struct pp_txn_spec *spec, plugpkg_error **err)
{
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	enum plugpkg_code rc = pp_lock(ctx, spec->command, err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	rc = spec->plan->steps.n == 0 ? pp_marks_want(ctx, spec->wishes, NULL, err)
				      : run_locked(ctx, spec, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < spec->plan->left_data.n; i++)
		pp_txn_remove_data(ctx, spec->plan->left_data.at[i]);
	return rc;
}
