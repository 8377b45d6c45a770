/* SPDX-License-Identifier: MIT */
/*
 * Ops that call handlers: `uninstall-before` with "do", before the first script of what leaves; and
 * what is told when all is done. The former can stop a removal, the latter only warn. Both may be
 * called again after a crash.
 */
#include "lib/txn/event.h"
#include "lib/txn/skip.h"

#include <stdlib.h>
#include <string.h>

/* ---- who ---- */

/* A dependent on its way out, or any plugin that stays. */
struct hearer {
	struct pp_manifest *parsed; /* owned, or NULL */
	const struct pp_manifest *manifest;
	const char *link_dir;
};

static void
hearer_fini(struct hearer *h)
{
	pp_manifest_free(h->parsed);
}

/* manifest NULL: it is not there any more. */
static enum plugpkg_code
find_hearer(struct pp_txn *t, const char *key, struct hearer *out, plugpkg_error **err)
{
	const struct pp_task *task = pp_txn_task(t, key);
	const struct pp_installed *p = pp_installeds_get(&t->set, key);

	if (task != NULL && pp_task_is_removal(task)) {
		out->manifest = task->is_gone ? NULL : task->manifest;
		out->link_dir = task->old != NULL ? task->old->link_dir : NULL;
		return PLUGPKG_OK;
	}
	if (p == NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_installed_manifest(p, &out->parsed, err);
	out->manifest = out->parsed;
	out->link_dir = p->link_dir;
	return rc;
}

static enum plugpkg_code
call(struct pp_txn *t, const struct hearer *h, enum pp_on which, const char *reason,
    const struct pp_script_event *event, plugpkg_error **err)
{
	struct pp_txn_script s = {
		.manifest = h->manifest,
		.link_dir = h->link_dir,
		.kind = pp_on_names[which],
		.path = h->manifest->on[which],
		.level = -1,
		.reason = reason,
		.event = event,
	};

	return pp_txn_script(t, &s, err);
}

static pp_json *
event_json(enum pp_on which, const char *phase, const char *reason)
{
	pp_json *j = pp_json_object();

	pp_json_set_int(j, "v", 1);
	pp_json_set_str(j, "event", pp_on_names[which]);
	pp_json_set_str(j, "phase", phase);
	pp_json_set_str(j, "reason", reason);
	return j;
}

/* ---- before ---- */

/* What was never here, as a lock file may have it, does not leave. */
static bool
is_told_before(const struct pp_vote *v)
{
	return v->event == PP_ON_UNINSTALL_BEFORE && v->said != PP_SAID_NONE &&
	       v->plugin_version != NULL;
}

static enum plugpkg_code
tell_do(struct pp_txn *t, const struct hearer *h, const struct pp_vote *v, plugpkg_error **err)
{
	const char *reason = t->spec->plan->is_rollback ? "rollback"
			     : t->spec->plan->is_purge  ? "purge"
							: "remove";
	const char *answer = pp_said_names[v->said == PP_SAID_STAY ? PP_SAID_STAY : PP_SAID_GO];
	PP_AUTO_JSON pp_json *j = event_json(v->event, "do", reason);

	pp_json_set_str(j, "plugin", v->plugin);
	pp_json_set_str(j, "version", v->plugin_version);
	pp_json_set_str(j, "requirement", v->requirement);
	pp_json_set_str(j, "answer", answer);
	pp_json_set_bool(j, "forced", v->is_forced);
	PP_AUTO_FREE char *input = pp_json_line(j);
	struct pp_script_event event = {
		.phase = "do",
		.plugin = v->plugin,
		.version = v->plugin_version,
		.answer = answer,
		.is_forced = v->is_forced,
		.input = input,
	};
	return call(t, h, v->event, reason, &event, err);
}

/*
 * Who says --force wants the plugin gone, whatever its dependents do. What they had to do with it
 * is nobody's then, so the log and the history say it.
 */
static enum plugpkg_code
go_on_without(struct pp_txn *t, const struct pp_vote *v, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = err != NULL ? pp_steal(err) : NULL;
	PP_CLEANUP(pp_notes_fini) struct pp_notes notes = { 0 };

	PP_AUTO_FREE char *text = pp_asprintf(
	    "%s goes although the uninstall-before handler of %s failed", v->plugin, v->key);
	pp_warn(t->ctx, v->key, "%s: %s", text, plugpkg_error_message(why));
	pp_log_write(t->state, t->id, v->key, "warning", "transaction", text);
	pp_notes_add(&notes, v->key,
	    "its uninstall-before handler failed, and --force removed %s all the same", v->plugin);
	return pp_history_note(t->state, t->id, NULL, t->ctx->now, &notes, err);
}

static enum plugpkg_code
run_before(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	PP_CLEANUP(hearer_fini) struct hearer h = { 0 };
	enum plugpkg_code rc = find_hearer(t, op->key, &h, err);

	if (rc != PLUGPKG_OK || h.manifest == NULL)
		return rc;
	struct pp_step step = {
		.name = op->key,
		.version = h.manifest->release->version.text,
	};
	pp_txn_step(t, &step, op->type->name);
	pp_vec_foreach (v, &t->spec->plan->votes) {
		if (rc != PLUGPKG_OK || !is_told_before(v) || strcmp(v->key, op->key) != 0)
			continue;
		rc = tell_do(t, &h, v, err);
		if (rc == PLUGPKG_E_SCRIPT && t->spec->plan->is_forced)
			rc = go_on_without(t, v, err);
	}
	return rc;
}

const struct pp_op_type pp_op_uninstall_before = {
	.name = "uninstall-before",
	.run = run_before,
};

static bool
has_op(const struct pp_txn *t, const struct pp_op_type *type, const char *key)
{
	pp_vec_foreach (op, &t->ops)
		if (op->type == type && op->key != NULL && strcmp(op->key, key) == 0)
			return true;
	return false;
}

void
pp_tell_plan_before(struct pp_txn *t)
{
	/* In the order in which they were asked: dependents of dependents first. */
	pp_vec_foreach (v, &t->spec->plan->votes) {
		if (!is_told_before(v) || has_op(t, &pp_op_uninstall_before, v->key))
			continue;
		(void)pp_ops_add(t, &pp_op_uninstall_before, v->key);
		t->n_steps++;
	}
}

/* ---- after ---- */

static bool
is_change(const struct pp_txn *t, const struct pp_task *task, enum pp_on which)
{
	switch (task->step->action) {
	case PP_INSTALL:
		return which == PP_ON_INSTALL_AFTER;
	case PP_UPGRADE:
	case PP_DOWNGRADE:
		return which == PP_ON_UPGRADE_AFTER;
	case PP_REMOVE: /* planned, or gone */
		return which == PP_ON_UNINSTALL_AFTER &&
		       (task->is_gone || pp_installeds_get(&t->set, task->step->key) == NULL);
	case PP_REINSTALL:
		break;
	}
	return false;
}

/* "base photos", and the same as JSON; what the hearer itself went through is no news to it. */
static pp_json *
changes_json(const struct pp_txn *t, const char *key, enum pp_on which, struct pp_buf *keys)
{
	pp_json *all = pp_json_array();

	pp_vec_foreach (task, &t->tasks) {
		const struct pp_step *s = task->step;
		if (!is_change(t, task, which) || strcmp(s->key, key) == 0)
			continue;
		pp_json *one = pp_json_object();
		pp_json_set_str(one, "name", s->name);
		pp_json_set_str(one, "key", s->key);
		pp_json_set_str(one, "version", s->version);
		if (which == PP_ON_UPGRADE_AFTER && task->old != NULL)
			pp_json_set_str(one, "old_version", task->old->version);
		pp_json_push(all, one);
		pp_buf_addf(keys, "%s%s", keys->n > 0 ? " " : "", s->key);
	}
	return all;
}

static enum plugpkg_code
tell_after(struct pp_txn *t, const char *key, enum pp_on which, plugpkg_error **err)
{
	static const char *const reasons[PP_N_ON] = {
		[PP_ON_INSTALL_AFTER] = "install",
		[PP_ON_UPGRADE_AFTER] = "upgrade",
		[PP_ON_UNINSTALL_AFTER] = "remove",
	};
	PP_CLEANUP(hearer_fini) struct hearer h = { 0 };
	PP_AUTO_BUF struct pp_buf keys = PP_BUF_INIT(65536);
	PP_AUTO_JSON pp_json *j = event_json(which, "after", reasons[which]);
	pp_json *plugins = changes_json(t, key, which, &keys);
	size_t n = pp_json_len(plugins);

	pp_json_set(j, "plugins", plugins);
	PP_AUTO_FREE char *input = pp_json_line(j);
	enum plugpkg_code rc = find_hearer(t, key, &h, err);
	if (rc != PLUGPKG_OK || h.manifest == NULL || n == 0)
		return rc;
	struct pp_script_event event = {
		.phase = "after",
		.plugin = pp_buf_cstr(&keys), /* "" when it is too long: the JSON has it all */
		.input = input,
	};
	return call(t, &h, which, reasons[which], &event, err);
}

static enum plugpkg_code
run_after(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err PP_UNUSED)
{
	static const struct {
		const struct pp_op_type *type;
		enum pp_on which;
	} events[] = {
		{ &pp_op_install_after, PP_ON_INSTALL_AFTER },
		{ &pp_op_upgrade_after, PP_ON_UPGRADE_AFTER },
		{ &pp_op_uninstall_after, PP_ON_UNINSTALL_AFTER },
	};
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	for (size_t i = 0; i < PP_LEN(events); i++)
		if (op->type == events[i].type &&
		    tell_after(t, op->key, events[i].which, &why) != PLUGPKG_OK)
			pp_warn(t->ctx, op->key, "%s", plugpkg_error_message(why));
	return PLUGPKG_OK;
}

const struct pp_op_type pp_op_install_after = {
	.name = "install-after",
	.run = run_after,
};
const struct pp_op_type pp_op_upgrade_after = {
	.name = "upgrade-after",
	.run = run_after,
};
const struct pp_op_type pp_op_uninstall_after = {
	.name = "uninstall-after",
	.run = run_after,
};

bool
pp_op_is_told(const struct pp_op_type *type)
{
	return type->run == run_after;
}

static bool
is_leaving(struct pp_txn *t, const char *key)
{
	const struct pp_task *task = pp_txn_task(t, key);

	return task != NULL && pp_task_is_removal(task);
}

/* Whatever changes besides the plugin itself, by what the plan says. */
static bool
will_hear(const struct pp_txn *t, const char *key, enum pp_on which)
{
	pp_vec_foreach (task, &t->tasks)
		if (strcmp(task->step->key, key) != 0 &&
		    (is_change(t, task, which) ||
			(which == PP_ON_UNINSTALL_AFTER && pp_task_is_removal(task))))
			return true;
	return false;
}

static void
plan_after(struct pp_txn *t, const struct pp_op_type *type, enum pp_on which)
{
	pp_vec_foreach (p, &t->set)
		if (pp_installed_is_usable(*p) && pp_event_is_handled((*p)->manifest, which) &&
		    !is_leaving(t, (*p)->key) &&
		    !pp_skip_leaves_out(t, pp_txn_task(t, (*p)->key)) &&
		    will_hear(t, (*p)->key, which))
			(void)pp_ops_add(t, type, (*p)->key);
}

void
pp_tell_plan_after(struct pp_txn *t)
{
	plan_after(t, &pp_op_install_after, PP_ON_INSTALL_AFTER);
	plan_after(t, &pp_op_upgrade_after, PP_ON_UPGRADE_AFTER);
	plan_after(t, &pp_op_uninstall_after, PP_ON_UNINSTALL_AFTER);
}

void
pp_tell_after(struct pp_txn *t)
{
	for (size_t i = pp_ops_commit(t); i < t->ops.n; i++) {
		struct pp_txn_op *op = &t->ops.at[i];
		if (!pp_op_is_told(op->type) || op->status == PP_STEP_DONE)
			continue;
		PP_IGNORE(op->type->run(t, op, NULL)); /* it only warns */
		pp_op_note(t, op, PP_STEP_DONE);
	}
}
