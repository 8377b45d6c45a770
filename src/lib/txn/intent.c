/* SPDX-License-Identifier: MIT */
/*
 * What a transaction is about to do, for the journal: enough for another process to finish it or to
 * take it back. First without, then with what comes, once that is unpacked and staged.
 *
 *	{"from":6,"to":7,"purge":false,"rollback":false,"forced":false,"wishes":[{"name","range"}],
 *	 "left_data":[NAME],"wanted":{NAME:RANGE} of plugpkg.json before it, in the first only
 *	 (which is the only one where nothing is unpacked),
 *	 "votes":[as rows of type "vote"],
 *	 "tasks":[{"action","why","key","old_key","because","version","link","old_state","new"}],
 *	 "coming":[plugins as pp_installed_text() writes them]}
 *
 * All other plugins of the new generation are those that are installed now.
 */
#include "lib/txn/steps.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static pp_json *
task_json(const struct pp_task *task)
{
	const struct pp_step *s = task->step;
	pp_json *j = pp_json_object();

	pp_json_set_str(j, "action", pp_action_names[s->action]);
	pp_json_set_str(j, "why", pp_why_names[s->why]);
	pp_json_set_str(j, "key", s->key);
	pp_json_set_str(j, "old_key", s->old_key);
	pp_json_set_str(j, "because", s->because);
	pp_json_set_str(j, "version", s->version);
	pp_json_set_str(j, "link", s->link_dir);
	pp_json_set_str(j, "old_state", task->old != NULL ? task->old->state : NULL);
	pp_json_set_bool(j, "new", task->is_new);
	return j;
}

static pp_json *
wishes_json(const struct pp_wishes *wishes)
{
	pp_json *all = pp_json_array();

	if (wishes == NULL)
		return all;
	pp_vec_foreach (w, wishes) {
		pp_json *j = pp_json_object();
		pp_json_set_str(j, "name", w->name);
		pp_json_set_str(j, "range", w->range);
		pp_json_push(all, j);
	}
	return all;
}

static pp_json *
wanted_json(const struct pp_deps *wanted)
{
	pp_json *j = pp_json_object();

	pp_vec_foreach (dep, wanted)
		pp_json_set_str(j, dep->name, dep->text);
	return j;
}

void
pp_intent_coming(const struct pp_txn *t, struct pp_installeds *out)
{
	pp_vec_foreach (task, &t->tasks) {
		size_t i = pp_installeds_index(&t->set, task->step->key);
		if (!pp_task_is_removal(task) && i != SIZE_MAX)
			pp_vec_push(out, t->set.at[i]);
	}
}

pp_json *
pp_intent_write(const struct pp_txn *t)
{
	const struct pp_plan *plan = t->spec->plan;
	pp_json *intent = pp_json_object();
	pp_json *tasks = pp_json_array(), *left = pp_json_array();

	pp_json_set_int(intent, "from", t->old_generation);
	pp_json_set_int(intent, "to", t->generation);
	pp_json_set_bool(intent, "purge", plan->is_purge);
	pp_json_set_bool(intent, "rollback", plan->is_rollback);
	pp_json_set_bool(intent, "forced", plan->is_forced);
	pp_json_set(intent, "wishes", wishes_json(t->spec->wishes));
	for (size_t i = 0; i < plan->left_data.n; i++)
		pp_json_push_str(left, plan->left_data.at[i]);
	pp_json_set(intent, "left_data", left);
	pp_vec_foreach (task, &t->tasks)
		pp_json_push(tasks, task_json(task));
	pp_json_set(intent, "votes", pp_votes_to_json(&plan->votes));
	pp_json_set(intent, "tasks", tasks);
	if (!t->is_begun)
		pp_json_set(intent, "wanted", wanted_json(&t->ctx->config->plugins));
	return intent;
}

/* ---- reading ---- */

static int
index_of(const char *text, const char *const *names, int n)
{
	for (int i = 0; text != NULL && i < n; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	return -1;
}

static enum plugpkg_code
damaged(const struct pp_txn *t, const char *what, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
	    "var/state.db holds a damaged record of transaction %lld (%s)", (long long)t->id, what);

	return pp_hint(err, rc, "restore var/state.db from a backup");
}

static enum plugpkg_code
read_step(struct pp_txn *t, const pp_json *j, struct pp_plan *plan, plugpkg_error **err)
{
	int action = index_of(pp_json_get_str(j, "action"), pp_action_names, PP_REMOVE + 1);
	int why = index_of(pp_json_get_str(j, "why"), pp_why_names, PP_N_WHYS);
	const char *key = pp_json_get_str(j, "key"), *version = pp_json_get_str(j, "version");

	if (action < 0 || why < 0 || key == NULL || version == NULL)
		return damaged(t, "tasks", err);
	struct pp_step *s = pp_plan_add(plan, (enum pp_action)action, key, version);
	s->why = (enum pp_why)why;
	s->old_key = pp_xstrdup(pp_json_get_str(j, "old_key"));
	s->because = pp_xstrdup(pp_json_get_str(j, "because"));
	s->link_dir = pp_xstrdup(pp_json_get_str(j, "link"));
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_plan(struct pp_txn *t, const pp_json *intent, struct pp_plan *plan, plugpkg_error **err)
{
	const pp_json *tasks = pp_json_get(intent, "tasks");
	const pp_json *left = pp_json_get(intent, "left_data");
	enum plugpkg_code rc = PLUGPKG_OK;

	t->old_generation = plan->generation = pp_json_get_int(intent, "from", -1);
	t->generation = pp_json_get_int(intent, "to", -1);
	if (t->old_generation < 0 || t->generation < 0)
		return damaged(t, "generations", err);
	plan->is_purge = pp_json_get_bool(intent, "purge");
	plan->is_rollback = pp_json_get_bool(intent, "rollback");
	plan->is_forced = pp_json_get_bool(intent, "forced");
	for (size_t i = 0; i < pp_json_len(left); i++)
		if (pp_json_string(pp_json_at(left, i)) != NULL)
			pp_strs_add(&plan->left_data, pp_json_string(pp_json_at(left, i)));
	pp_votes_from_json(pp_json_get(intent, "votes"), &plan->votes);
	for (size_t i = 0; rc == PLUGPKG_OK && i < pp_json_len(tasks); i++)
		rc = read_step(t, pp_json_at(tasks, i), plan, err);
	return rc;
}

static void
give_old_state(struct pp_txn *t, const struct pp_task *task, const char *state)
{
	size_t i = pp_installeds_index(&t->old.set, pp_step_old_key(task->step));

	/* After `commit` the state calls it a leftover; this is what it was before. */
	if (i != SIZE_MAX && state != NULL)
		pp_installed_set_state(t->old.set.at[i], state);
}

/* t->old is loaded. Without what comes, which the set gives later. */
static enum plugpkg_code
make_tasks(struct pp_txn *t, const pp_json *intent, plugpkg_error **err)
{
	const pp_json *tasks = pp_json_get(intent, "tasks");
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->spec->plan->steps.n; i++) {
		const pp_json *j = pp_json_at(tasks, i);
		struct pp_task *task = pp_vec_new(&t->tasks);
		task->step = &t->spec->plan->steps.at[i];
		task->staging_fd = -1;
		task->is_new = pp_json_get_bool(j, "new");
		task->old = pp_installeds_get(&t->old.set, pp_step_old_key(task->step));
		if (!pp_task_is_removal(task))
			continue;
		give_old_state(t, task, pp_json_get_str(j, "old_state"));
		task->is_gone = task->old == NULL;
		if (task->old != NULL)
			rc = pp_installed_manifest(task->old, &task->manifest, err);
	}
	return rc;
}

static enum plugpkg_code
read_ops(struct pp_txn *t, const struct pp_journal_open *open, plugpkg_error **err)
{
	pp_vec_foreach (step, &open->steps) {
		struct pp_txn_op *op = pp_vec_new(&t->ops);
		op->type = pp_op_type_named(step->kind);
		op->key = pp_xstrdup(step->plugin);
		op->level = step->level;
		op->status = step->status;
		op->was_cut = step->status == PP_STEP_BEGUN;
		if (op->type == NULL)
			return damaged(t, step->kind, err);
		struct pp_task *task = op->key != NULL ? pp_txn_task(t, op->key) : NULL;
		if ((op->type == &pp_op_move || op->type == &pp_op_leave) &&
		    (task == NULL || !pp_step_moves(task->step)))
			return damaged(t, step->kind, err);
		if (task != NULL)
			task->is_stuck = task->is_stuck || op->status == PP_STEP_STUCK;
	}
	return pp_ops_commit(t) < t->ops.n ? PLUGPKG_OK : damaged(t, PP_STEP_COMMIT, err);
}

static void
auto_installed(struct pp_installed **p)
{
	pp_installed_free(*p);
}

/* The manifest of what comes; and into the set with it, where the state does not hold it yet. */
static enum plugpkg_code
read_one_coming(struct pp_txn *t, const pp_json *entry, bool is_committed, plugpkg_error **err)
{
	PP_CLEANUP(auto_installed) struct pp_installed *p = NULL;
	enum plugpkg_code rc = pp_installed_from_json(entry, &p, err);

	if (rc != PLUGPKG_OK)
		return rc;
	struct pp_task *task = pp_txn_task(t, p->key);
	rc = task != NULL ? pp_installed_manifest(p, &task->manifest, err)
			  : damaged(t, "coming", err);
	if (rc == PLUGPKG_OK && !is_committed)
		pp_vec_push(&t->set, pp_steal(&p));
	return rc;
}

static enum plugpkg_code
read_coming(struct pp_txn *t, const pp_json *coming, bool is_committed, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < pp_json_len(coming); i++)
		rc = read_one_coming(t, pp_json_at(coming, i), is_committed, err);
	pp_txn_sort_set(&t->set);
	return rc;
}

/* Before `commit` the state holds what was; after it, what is. */
static enum plugpkg_code
read_set(struct pp_txn *t, const pp_json *intent, plugpkg_error **err)
{
	bool is_committed = t->ops.at[pp_ops_commit(t)].status == PP_STEP_DONE;

	pp_vec_foreach (p, &t->old.set)
		pp_vec_push(&t->set, pp_installed_copy(*p));
	pp_vec_foreach (task, &t->tasks) {
		size_t i = pp_installeds_index(&t->set, task->step->key);
		if (!is_committed)
			pp_txn_drop(&t->set, pp_step_old_key(task->step));
		else if (pp_task_is_removal(task) && i != SIZE_MAX)
			pp_installed_set_state(t->set.at[i], "leftover");
	}
	return read_coming(t, pp_json_get(intent, "coming"), is_committed, err);
}

static enum plugpkg_code
check_tasks(const struct pp_txn *t, plugpkg_error **err)
{
	pp_vec_foreach (task, &t->tasks)
		if (task->manifest == NULL && !task->is_gone)
			return damaged(t, task->step->key, err);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_intent_read(
    struct pp_txn *t, const struct pp_journal_open *open, struct pp_plan *plan, plugpkg_error **err)
{
	t->id = open->id;
	t->is_recovery = t->is_begun = true;
	t->is_armed = pp_json_get(open->intent, "coming") != NULL;
	enum plugpkg_code rc = read_plan(t, open->intent, plan, err);
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(t->ctx, &t->old, err);
	if (rc == PLUGPKG_OK)
		rc = make_tasks(t, open->intent, err);
	if (rc != PLUGPKG_OK || !t->is_armed)
		return rc;
	rc = read_ops(t, open, err);
	if (rc == PLUGPKG_OK)
		rc = read_set(t, open->intent, err);
	if (rc == PLUGPKG_OK)
		rc = check_tasks(t, err);
	if (rc == PLUGPKG_OK)
		pp_txn_mark_wanted(t);
	if (rc == PLUGPKG_OK)
		pp_vec_foreach (op, &t->ops)
			op->is_quiet = pp_op_is_quiet(t, op);
	return rc;
}

void
pp_intent_wishes(const pp_json *intent, struct pp_wishes *out)
{
	const pp_json *wishes = pp_json_get(intent, "wishes");

	for (size_t i = 0; i < pp_json_len(wishes); i++) {
		const pp_json *j = pp_json_at(wishes, i);
		const char *name = pp_json_get_str(j, "name"), *range = pp_json_get_str(j, "range");
		if (name == NULL)
			continue;
		struct pp_wish *w = pp_vec_new(out);
		w->name = pp_xstrdup(name);
		w->range = pp_xstrdup(range);
	}
}
