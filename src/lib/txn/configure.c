/* SPDX-License-Identifier: MIT */
/*
 * Resuming plugins at `core-installed`. It is a transaction without a generation: the levels are
 * run again from the first, as scripts may be, and nothing is taken back when one of them fails.
 * Cut off, everybody stands where he stood.
 */
#include "lib/txn/configure.h"

#include "lib/txn/lock.h"
#include "lib/txn/steps.h"

#include <string.h>

struct configuring {
	const struct pp_configure *spec;
	struct pp_txn t;
	struct pp_strs failed; /* keys */
};

static void
configuring_fini(struct configuring *c)
{
	pp_txn_fini(&c->t);
	pp_strs_fini(&c->failed);
}

static bool
is_pending(const struct pp_installed *p)
{
	return strcmp(p->state, "core-installed") == 0;
}

static enum plugpkg_code
add_task(struct configuring *c, struct pp_plan *plan, const char *operand, plugpkg_error **err)
{
	struct pp_installed *p = NULL;
	enum plugpkg_code rc = pp_marks_find(&c->t.old.set, operand, &p, err);

	if (rc != PLUGPKG_OK || !is_pending(p))
		return rc;
	pp_vec_foreach (step, &plan->steps)
		if (strcmp(step->key, p->key) == 0)
			return rc; /* named twice */
	(void)pp_plan_add(plan, PP_REINSTALL, p->key, p->version);
	return rc;
}

static enum plugpkg_code
find_tasks(struct configuring *c, struct pp_plan *plan, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_inventory_load(c->t.ctx, &c->t.old, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < c->spec->n; i++)
		rc = add_task(c, plan, c->spec->keys[i], err);
	if (rc == PLUGPKG_OK && c->spec->n == 0)
		pp_vec_foreach (p, &c->t.old.set)
			if (is_pending(*p))
				(void)pp_plan_add(plan, PP_REINSTALL, (*p)->key, (*p)->version);
	for (size_t i = 0; rc == PLUGPKG_OK && i < plan->steps.n; i++) {
		struct pp_task *task = pp_vec_new(&c->t.tasks);
		task->staging_fd = -1;
		task->step = &plan->steps.at[i];
		task->old = pp_installeds_get(&c->t.old.set, task->step->key);
		plan->steps.at[i].link_dir = pp_xstrdup(task->old->link_dir);
		rc = pp_installed_manifest(task->old, &task->manifest, err);
	}
	pp_vec_foreach (p, &c->t.old.set)
		pp_vec_push(&c->t.set, pp_installed_copy(*p));
	return rc;
}

/* One plugin's failure is no reason to keep another one waiting. */
static enum plugpkg_code
run_level(struct configuring *c, struct pp_txn_op *op, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	if (pp_strs_has(&c->failed, op->key) || pp_txn_task(&c->t, op->key) == NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = op->type->run(&c->t, op, &why);

	if (rc == PLUGPKG_OK)
		return rc;
	if (rc != PLUGPKG_E_SCRIPT)
		return pp_fail(err, rc, 0, "%s", plugpkg_error_message(why));
	pp_strs_add(&c->failed, op->key);
	pp_strs_sort(&c->failed);
	pp_warn(c->t.ctx, op->key, "%s", plugpkg_error_message(why));
	return PLUGPKG_OK;
}

static enum plugpkg_code
run_levels(struct configuring *c, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_ops_plan(&c->t, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < c->t.ops.n; i++) {
		if (c->t.ops.at[i].type != &pp_op_post_install)
			continue;
		rc = pp_check_cancel(c->t.ctx, err);
		if (rc == PLUGPKG_OK)
			rc = run_level(c, &c->t.ops.at[i], err);
	}
	return rc;
}

static void
send_rows(const struct configuring *c)
{
	pp_vec_foreach (task, &c->t.tasks) {
		const struct pp_installed *p = pp_installeds_get(&c->t.set, task->step->key);
		pp_json *row = pp_row_new("configured");
		pp_json_set_str(row, "name", p->name);
		pp_json_set_str(row, "version", p->version);
		pp_json_set_str(row, "key", p->key);
		pp_json_set_str(row, "state", p->state);
		pp_row(c->spec->row, c->spec->user, row);
	}
}

static enum plugpkg_code
record(struct configuring *c, plugpkg_error **err)
{
	pp_vec_foreach (task, &c->t.tasks) {
		size_t i = pp_installeds_index(&c->t.set, task->step->key);
		if (!pp_strs_has(&c->failed, task->step->key))
			pp_installed_set_state(c->t.set.at[i], "installed");
	}
	enum plugpkg_code rc = pp_txn_sync(&c->t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_commit_set(c->t.state, &c->t.set, c->t.old_generation, 0, NULL, err);
	if (rc == PLUGPKG_OK)
		send_rows(c);
	return rc;
}

static enum plugpkg_code
configure(struct configuring *c, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *intent = pp_json_object();
	struct pp_txn *t = &c->t;
	enum plugpkg_code rc = pp_state_generation(t->state, &t->old_generation, err);

	t->generation = t->old_generation;
	pp_json_set_bool(intent, "configure", true);
	if (rc == PLUGPKG_OK)
		rc = pp_journal_begin(t->state, c->spec->command, intent, t->ctx->now, &t->id, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_lock_note_transaction(t->ctx, c->spec->command, t->id);
	pp_txn_log(t, "info", c->spec->command, NULL);
	rc = run_levels(c, err);
	enum plugpkg_code recorded = rc == PLUGPKG_OK ? record(c, err)
						      : pp_journal_end(t->state, t->id, "failed",
							    t->generation, t->ctx->now, NULL);
	if (rc != PLUGPKG_OK || recorded != PLUGPKG_OK)
		pp_txn_log(t, "error", "failed", err);
	if (rc != PLUGPKG_OK || recorded != PLUGPKG_OK)
		return rc != PLUGPKG_OK ? rc : recorded;
	rc = pp_journal_end(
	    t->state, t->id, c->failed.n == 0 ? "done" : "failed", t->generation, t->ctx->now, err);
	pp_txn_log(t, c->failed.n == 0 ? "info" : "error",
	    c->failed.n == 0 ? "done" : "failed; who is pending still is", err);
	if (rc != PLUGPKG_OK || c->failed.n == 0)
		return rc;
	(void)pp_fail(err, PLUGPKG_E_SCRIPT, 0, "%zu %s still pending", c->failed.n,
	    c->failed.n == 1 ? "plugin is" : "plugins are");
	return pp_subject(err, PLUGPKG_E_SCRIPT, c->failed.at[0]);
}

static void
auto_plan(struct pp_plan **plan)
{
	pp_plan_free(*plan);
}

enum plugpkg_code
pp_configure(plugpkg_context *ctx, const struct pp_configure *spec, plugpkg_error **err)
{
	PP_CLEANUP(auto_plan) struct pp_plan *plan = pp_plan_new();
	struct pp_txn_spec txn = { .plan = plan, .command = spec->command };
	PP_CLEANUP(configuring_fini)
	struct configuring c = { .spec = spec, .t = { .ctx = ctx, .spec = &txn } };
	enum plugpkg_code rc = pp_state_get(ctx, &c.t.state, err);

	if (rc == PLUGPKG_OK)
		rc = pp_script_check_settings(ctx->config, err);
	if (rc == PLUGPKG_OK)
		rc = find_tasks(&c, plan, err);
	return rc == PLUGPKG_OK && plan->steps.n > 0 ? configure(&c, err) : rc;
}
