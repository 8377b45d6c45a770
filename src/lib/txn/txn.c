/* SPDX-License-Identifier: MIT */
/*
 * A transaction from its lock to its last record. This file only orders steps: prepare, write down
 * what will be done, do it op by op. Before the point of no return a failure undoes everything;
 * after it, removal stops where it is consistent.
 */
#include "lib/txn/steps.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/index/kept.h"
#include "lib/state/history.h"
#include "lib/store/generation.h"
#include "lib/store/snapshot.h"
#include "lib/store/store.h"
#include "lib/txn/event.h"
#include "lib/txn/keeper.h"
#include "lib/txn/lock.h"
#include "lib/txn/signature.h"
#include "lib/txn/skip.h"

#include <string.h>

void
pp_txn_fini(struct pp_txn *t)
{
	pp_vec_foreach (task, &t->tasks) {
		pp_manifest_free(task->manifest);
		free(task->staging);
		pp_auto_fd(&task->staging_fd);
	}
	pp_vec_free(&t->tasks);
	pp_vec_foreach (op, &t->ops)
		free(op->key);
	pp_vec_free(&t->ops);
	pp_map_fini(&t->by_key, NULL);
	pp_installeds_fini(&t->set);
	pp_inventory_fini(&t->old);
}

void
pp_txn_step(struct pp_txn *t, const struct pp_step *step, const char *what)
{
	PP_AUTO_FREE char *text = pp_asprintf("%s %s %s", what, step->name, step->version);
	struct plugpkg_event ev = {
		.type = PLUGPKG_EVENT_STEP,
		.plugin = step->name,
		.subject = what,
		.text = text,
		.done = t->n_done++,
		.total = t->n_steps,
	};

	pp_event(t->ctx, &ev);
	pp_log_step(t->state, t->id, step->name, what, step->version);
}

void
pp_txn_log(struct pp_txn *t, const char *level, const char *how, plugpkg_error *const *why)
{
	const char *message = why != NULL && *why != NULL ? plugpkg_error_message(*why) : "";
	/* Further lines are what the script said; these are there already. */
	PP_AUTO_FREE char *text = pp_asprintf("transaction %lld: %s%s%.*s", (long long)t->id, how,
	    *message != '\0' ? ": " : "", (int)strcspn(message, "\n"), message);

	pp_log_write(t->state, t->id, NULL, level, "transaction", text);
}

/* Scripts need not sync what they write below the root: one sync for all of them. */
enum plugpkg_code
pp_txn_sync(struct pp_txn *t, plugpkg_error **err)
{
	int r = t->is_unsynced ? pp_sync_tree_at(t->ctx->root_fd, ".") : 0;

	if (r < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -r, "cannot make the changes of '%s' durable", t->ctx->root);
	t->is_unsynced = false;
	return PLUGPKG_OK;
}

/* ---- beginning ---- */

/* Under the lock, which has read plugpkg.json again. */
static enum plugpkg_code
check_unchanged(plugpkg_context *ctx, const struct pp_plan *plan, plugpkg_error **err)
{
	PP_AUTO_FREE char *basis = pp_marks_basis(ctx);
	struct pp_state *state = NULL;
	int64_t generation = 0;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);

	if (rc == PLUGPKG_OK)
		rc = pp_state_generation(state, &generation, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (generation != plan->generation)
		rc = pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "the root changed since the plan was made (generation %lld, planned against "
		    "%lld)",
		    (long long)generation, (long long)plan->generation);
	else if (plan->basis != NULL && strcmp(plan->basis, basis) != 0)
		rc = pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "plugpkg.json wants other plugins, or provides other versions of the "
		    "application, than when the plan was made");
	return rc == PLUGPKG_OK ? rc : pp_hint(err, rc, "run the command again");
}

enum plugpkg_code
pp_txn_next_generation(struct pp_txn *t, plugpkg_error **err)
{
	int64_t last = 0, highest = 0;
	enum plugpkg_code rc = pp_state_last_generation(t->state, &last, err);

	/* A directory that the state knows nothing of is nobody's, and stays. */
	if (rc == PLUGPKG_OK)
		rc = pp_generation_highest(t->ctx, &highest, err);
	t->generation = (highest > last ? highest : last) + 1;
	return rc;
}

/* A hold makes no generation, so one that came after the plan has to be looked for. */
static enum plugpkg_code
check_not_held(const struct pp_txn *t, const struct pp_task *task, plugpkg_error **err)
{
	if (task->old == NULL || task->step->action == PP_REINSTALL ||
	    t->spec->plan->overrides_holds || !pp_installed_is_held(task->old, t->ctx->now))
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

/* Its tables would stay for ever; whoever takes it out without the script has to say so. */
static enum plugpkg_code
check_script_is_there(const struct pp_txn *t, const struct pp_task *task, plugpkg_error **err)
{
	const struct pp_manifest *m = task->manifest;

	if (t->spec->plan->is_forced || task->old->link_dir != NULL ||
	    (m->scripts[PP_SCRIPT_UNINSTALL] == NULL && m->post_uninstall.n == 0) ||
	    pp_store_has(t->ctx, task->old->name, task->old->version) != 0)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
	    "the files of %s %s are gone, and with them the scripts that clean up after it; "
	    "nothing was changed",
	    task->old->key, task->old->version);
	(void)pp_subject(err, PLUGPKG_E_REFUSED, task->old->key);
	return pp_hint(err, PLUGPKG_E_REFUSED,
	    "plugpkg repair %s brings them back; --force removes it without", task->old->key);
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
		t->n_steps +=
		    step->action == PP_REMOVE || step->link_dir != NULL || step->is_stored ? 1 : 2;
		rc = check_not_held(t, task, err);
		if (rc == PLUGPKG_OK)
			rc = check_not_wanted(t, step, err);
		if (rc == PLUGPKG_OK)
			rc = pp_step_check_snapshot(t->ctx, step, task->old, err);
		task->is_new = step->action != PP_REMOVE && step->link_dir == NULL &&
			       pp_store_has(t->ctx, step->name, step->version) == 0;
		if (rc != PLUGPKG_OK || step->action != PP_REMOVE)
			continue;
		if (task->old == NULL)
			return pp_fail(err, PLUGPKG_E_REFUSED, 0,
			    "'%s' is no longer installed; run the command again", step->key);
		rc = pp_installed_manifest(task->old, &task->manifest, err);
		if (rc == PLUGPKG_OK)
			rc = check_script_is_there(t, task, err);
	}
	return rc;
}

/* What dependents said, and whether somebody overrode it; and who comes without scripts. */
static enum plugpkg_code
note_terms(struct pp_txn *t, plugpkg_error **err)
{
	PP_CLEANUP(pp_notes_fini) struct pp_notes notes = { 0 };

	pp_vec_foreach (v, &t->spec->plan->votes) {
		const char *reason = v->text != NULL ? v->text : "it gives no reason";
		if (v->is_forced && v->event == PP_ON_UNINSTALL_BEFORE)
			pp_notes_add(&notes, v->key,
			    "its veto to the removal of %s was overridden: %s", v->plugin, reason);
		else if (v->is_forced)
			pp_notes_add(&notes, v->key,
			    "its delay of the upgrade of %s to %s was overridden: %s", v->plugin,
			    v->new_version, reason);
		if (v->said == PP_SAID_STAY)
			pp_notes_add(&notes, v->key, "stays without %s", v->requirement);
	}
	pp_skip_note(t, &notes);
	return notes.n == 0 ? PLUGPKG_OK
			    : pp_history_note(t->state, t->id, NULL, t->ctx->now, &notes, err);
}

static enum plugpkg_code
write_begin(struct pp_txn *t, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *intent = pp_intent_write(t);
	enum plugpkg_code rc =
	    pp_journal_begin(t->state, t->spec->command, intent, t->ctx->now, &t->id, err);

	t->is_begun = rc == PLUGPKG_OK;
	return rc == PLUGPKG_OK ? note_terms(t, err) : rc;
}

static enum plugpkg_code
begin(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_state_get(t->ctx, &t->state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_generation_check_switch(t->ctx, err);
	if (rc == PLUGPKG_OK)
		rc = pp_staging_clear(t->ctx, err);
	if (rc == PLUGPKG_OK)
		rc = check_unchanged(t->ctx, t->spec->plan, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_generation(t->state, &t->old_generation, err);
	if (rc == PLUGPKG_OK)
		rc = pp_script_check_settings(t->ctx->config, err);
	if (rc == PLUGPKG_OK)
		rc = make_tasks(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_next_generation(t, err);
	if (rc != PLUGPKG_OK)
		return rc;
	/* What changes nothing before it is armed begins by that: one record, made durable once. */
	rc = pp_txn_unpacks(t) ? write_begin(t, err) : pp_journal_next(t->state, &t->id, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_lock_note_transaction(t->ctx, t->spec->command, t->id);
	pp_txn_log(t, "info", t->spec->command, NULL);
	return PLUGPKG_OK;
}

/* ---- before the point of no return ---- */

static enum plugpkg_code
write_armed(struct pp_txn *t, const struct pp_journal_steps *steps, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *intent = pp_intent_write(t);
	struct pp_installeds coming = { 0 };
	const struct pp_journal_new begun = {
		.id = t->id,
		.command = t->spec->command,
		.now = t->ctx->now,
	};
	const struct pp_journal_armed armed = {
		.intent = intent,
		.coming = &coming,
		.steps = steps,
	};

	pp_intent_coming(t, &coming);
	enum plugpkg_code rc = t->is_begun ? pp_journal_arm(t->state, t->id, &armed, err)
					   : pp_journal_begin_armed(t->state, &begun, &armed, err);
	pp_vec_free(&coming);
	if (rc != PLUGPKG_OK || t->is_begun)
		return rc;
	t->is_begun = true;
	return note_terms(t, err);
}

/* From here on whatever has an effect outside the root is known to recovery before it begins. */
static enum plugpkg_code
arm(struct pp_txn *t, plugpkg_error **err)
{
	struct pp_journal_steps steps = { 0 }; /* of borrowed strings */
	enum plugpkg_code rc = pp_ops_plan(t, err);
	if (rc != PLUGPKG_OK)
		return rc;

	pp_vec_foreach (op, &t->ops) {
		struct pp_journal_step *step = pp_vec_new(&steps);
		step->kind = (char *)(uintptr_t)op->type->name;
		step->plugin = op->key;
		step->level = op->level;
	}
	rc = write_armed(t, &steps, err);
	t->is_armed = rc == PLUGPKG_OK;
	pp_vec_free(&steps);
	return rc;
}

/* One sync makes durable what was put into the store, with the generation that leads to it. */
static enum plugpkg_code
prepare(struct pp_txn *t, plugpkg_error **err)
{
	bool is_begun = t->is_begun;
	enum plugpkg_code rc = pp_txn_bring(t, err);

	if (rc == PLUGPKG_OK)
		rc = pp_txn_stage(t, err);
	if (rc == PLUGPKG_OK && is_begun)
		rc = pp_txn_make_generation(t, t->generation, err);
	if (rc == PLUGPKG_OK)
		rc = arm(t, err);
	/* A generation that no record knows of would stay for ever. */
	if (rc == PLUGPKG_OK && !is_begun)
		rc = pp_txn_make_generation(t, t->generation, err);
	return rc;
}

static enum plugpkg_code
mark(struct pp_txn *t, struct pp_txn_op *op, enum pp_step_status status, plugpkg_error **err)
{
	if (op->is_quiet)
		return PLUGPKG_OK;
	return pp_journal_mark(t->state, t->id, (size_t)(op - t->ops.at), status, err);
}

/*
 * Durable before the world outside changes. A script that failed by itself has nothing left to be
 * undone; one that was killed has: it stays "begun". Of an op that is done and cannot be noted,
 * this process still knows.
 */
static enum plugpkg_code
run_op(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	enum plugpkg_code rc =
	    op->type->marks_itself ? PLUGPKG_OK : mark(t, op, PP_STEP_BEGUN, err);
	if (rc != PLUGPKG_OK)
		return rc;
	t->was_killed = false;
	op->status = PP_STEP_BEGUN;
	rc = op->type->run(t, op, err);
	if (rc == PLUGPKG_OK) {
		op->status = PP_STEP_DONE;
		return op->type->marks_itself ? rc : mark(t, op, PP_STEP_DONE, err);
	}
	op->was_cut = rc != PLUGPKG_E_SCRIPT || t->was_killed;
	if (!op->was_cut && !op->is_quiet)
		pp_op_note(t, op, PP_STEP_FAILED);
	return rc;
}

static enum plugpkg_code
expand(struct pp_txn *t, plugpkg_error **err)
{
	size_t end = pp_ops_commit(t) + 1;
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < end; i++) {
		rc = pp_check_cancel(t->ctx, err);
		if (rc == PLUGPKG_OK)
			rc = run_op(t, &t->ops.at[i], err);
	}
	return rc;
}

/* ---- after it ---- */

static bool
is_stopped(const struct pp_txn *t)
{
	for (size_t i = pp_ops_commit(t); i < t->ops.n; i++)
		if (t->ops.at[i].status == PP_STEP_FAILED)
			return true;
	return false;
}

/*
 * An uninstall is announced by itself, though it records its own end: a second run of it has to
 * know that it is one.
 */
static enum plugpkg_code
contract_op(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	/* Nobody waits for what runs no script, and a stop there would only bring plugins back. */
	if (!op->is_quiet && !pp_op_is_told(op->type) && op->type != &pp_op_post_transaction)
		rc = pp_check_cancel(t->ctx, err);
	if (rc == PLUGPKG_OK && op->type->marks_itself)
		rc = mark(t, op, PP_STEP_BEGUN, err);
	if (rc == PLUGPKG_OK)
		rc = run_op(t, op, err);
	/* Whoever was asked and does not go is not asked again by recovery. */
	if (rc == PLUGPKG_E_SCRIPT || rc == PLUGPKG_E_INTERRUPTED) {
		op->is_quiet = false;
		pp_op_note(t, op, PP_STEP_FAILED);
	}
	return rc;
}

enum plugpkg_code
pp_txn_end(struct pp_txn *t, const char *status, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	/* It only takes room, and the next one tries again. */
	if (pp_staging_clear(t->ctx, &why) != PLUGPKG_OK)
		pp_warn(t->ctx, NULL, "%s", plugpkg_error_message(why));
	enum plugpkg_code rc = pp_txn_sync(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_journal_end(t->state, t->id, status, t->generation, t->ctx->now, err);
	return rc;
}

enum plugpkg_code
pp_txn_finish(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	if (is_stopped(t))
		return pp_txn_stop_removal(t,
		    pp_fail(err, PLUGPKG_E_SCRIPT, 0, "a plugin that was to leave did not go"),
		    err);
	for (size_t i = pp_ops_commit(t) + 1; rc == PLUGPKG_OK && i < t->ops.n; i++)
		if (t->ops.at[i].status != PP_STEP_DONE)
			rc = contract_op(t, &t->ops.at[i], err);
	if (rc == PLUGPKG_E_SCRIPT || rc == PLUGPKG_E_INTERRUPTED)
		return pp_txn_stop_removal(t, rc, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_end(t, "done", err);
	pp_txn_log(t, rc == PLUGPKG_OK ? "info" : "error",
	    rc == PLUGPKG_OK ? "done" : "not finished yet", err);
	pp_log_flush(t->state);
	if (rc == PLUGPKG_OK)
		return rc;
	/* The disk is the matter, not a plugin: the way is still forward, once it works again. */
	(void)pp_hint(err, rc, "plugpkg recover goes on with it");
	return pp_wrap(err, rc, "the new plugins are in use, but the change is not finished");
}

static void
send_row(struct pp_txn *t)
{
	int64_t counts[PP_REMOVE + 1] = { 0 }, switches[PP_UNBLOCK + 1] = { 0 };
	pp_json *row = pp_row_new("transaction");

	pp_vec_foreach (task, &t->tasks)
		counts[task->step->action]++;
	pp_vec_foreach (s, &t->spec->plan->switches)
		switches[s->action]++;
	pp_json_set_int(row, "id", t->id);
	pp_json_set_str(row, "command", t->spec->command);
	pp_json_set_str(row, "status", "done");
	pp_json_set_int(row, "generation", t->generation);
	for (size_t i = 0; i < PP_LEN(counts); i++)
		pp_json_set_int(row, pp_action_names[i], counts[i]);
	for (size_t i = 0; i < PP_LEN(switches); i++)
		pp_json_set_int(row, pp_switch_names[i], switches[i]);
	pp_row(t->spec->row, t->spec->user, row);
}

static enum plugpkg_code
run_locked(plugpkg_context *ctx, const struct pp_txn_spec *spec, struct pp_supply *supply,
    plugpkg_error **err)
{
	PP_CLEANUP(pp_txn_fini)
	struct pp_txn t = { .ctx = ctx, .spec = spec, .supply = supply };
	enum plugpkg_code rc = begin(&t, err);
	if (rc != PLUGPKG_OK)
		return rc;
	rc = prepare(&t, err);
	if (rc == PLUGPKG_OK)
		rc = expand(&t, err);
	if (rc != PLUGPKG_OK)
		return pp_txn_undo(&t, rc, err);
	rc = pp_txn_finish(&t, err);
	if (rc == PLUGPKG_OK) {
		pp_cache_trim(ctx);
		send_row(&t);
	}
	return rc;
}

/* Data of what is no longer installed. */
static enum plugpkg_code
purge_left(plugpkg_context *ctx, const struct pp_txn_spec *spec, plugpkg_error **err)
{
	const struct pp_strs *keys = &spec->plan->left_data;
	struct pp_txn t = { .ctx = ctx, .is_unsynced = keys->n > 0 };
	PP_CLEANUP(pp_notes_fini) struct pp_notes notes = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < keys->n; i++) {
		const char *key = keys->at[i];
		bool is_pin = pp_strs_has(&spec->plan->left_pins, key);
		rc = pp_txn_remove_data(ctx, key, err);
		if (rc == PLUGPKG_OK)
			rc = pp_snapshots_drop(ctx, key, err);
		if (rc == PLUGPKG_OK)
			rc = pp_txn_forget_owner(ctx, key, NULL, err);
		if (rc == PLUGPKG_OK)
			pp_notes_add(&notes, key,
			    is_pin ? "the expected owner key of %s was forgotten"
				   : "the data that %s had left was deleted",
			    key);
	}
	if (rc == PLUGPKG_OK)
		rc = pp_txn_sync(&t, err);
	pp_history_note_done(ctx, spec->command, &notes);
	return rc;
}

struct early {
	const struct pp_plan *plan;
	struct pp_supply supply;
};

static void
early_fini(struct early *e)
{
	pp_supply_fini(&e->supply);
}

static void
start_early(plugpkg_context *ctx, void *user)
{
	struct early *e = user;

	pp_supply_expect(ctx, e->plan, &e->supply);
}

enum plugpkg_code
pp_txn_run(plugpkg_context *ctx, const struct pp_txn_spec *spec, plugpkg_error **err)
{
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	PP_CLEANUP(early_fini) struct early early = { spec->plan, PP_SUPPLY_INIT };
	const struct pp_aside aside = { start_early, &early };
	enum plugpkg_code rc = pp_lock_aside(ctx, spec->command, &aside, err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	bool has_steps = spec->plan->steps.n + spec->plan->switches.n > 0;
	if (has_steps)
		return pp_keeper_hint(ctx, run_locked(ctx, spec, &early.supply, err), err);
	rc = check_unchanged(ctx, spec->plan, err);
	if (rc == PLUGPKG_OK)
		rc = pp_marks_want(ctx, spec->wishes, NULL, err);
	/* With steps, it is one of their ops. */
	return rc == PLUGPKG_OK ? purge_left(ctx, spec, err) : rc;
}
