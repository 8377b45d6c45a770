/* SPDX-License-Identifier: MIT */
/*
 * A removal that cannot go on. Every prefix of it is consistent, so what left stays gone; the
 * plugin that failed and those that were to leave after it come back into a generation of their
 * own, with the bindings that they had. Who cannot be used again is a leftover.
 */
#include "lib/txn/steps.h"

#include "lib/store/generation.h"
#include "lib/txn/event.h"
#include "lib/txn/host.h"

#include <string.h>

/* ---- bindings ---- */

enum plugpkg_code
pp_txn_rebind(
    struct pp_txn *t, const struct pp_txn_op *op, const struct pp_rebind *r, plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	const struct pp_task *task = pp_txn_task(t, op->key);
	const char *key = task != NULL ? pp_step_old_key(task->step) : op->key;
	size_t i = pp_installeds_index(r->set, key);
	if (i == SIZE_MAX)
		return PLUGPKG_OK;
	struct pp_installed *p = r->set->at[i];
	enum plugpkg_code rc = pp_installed_manifest(p, &m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	struct pp_txn_script s = {
		.manifest = m,
		.link_dir = p->link_dir,
		.kind = "post-install",
		.level = op->level,
		.reason = "rollback",
		.old_version = r->old_version,
		.is_undo = true,
	};
	rc = pp_txn_level(t, &s, &m->post_install, &why);
	if (rc == PLUGPKG_OK)
		return rc;
	if (rc != PLUGPKG_E_SCRIPT)
		return pp_fail(err, rc, 0, "%s", plugpkg_error_message(why));
	pp_installed_set_state(p, "core-installed");
	pp_buf_addf(r->failures, "%spost-install %u of %s %s", r->failures->n > 0 ? ", " : "",
	    op->level, p->name, p->version);
	pp_warn(t->ctx, key, "%s", plugpkg_error_message(why));
	return PLUGPKG_OK;
}

/* ---- who may come back ---- */

static bool
is_satisfied(const struct pp_txn *t, const struct pp_dep *dep)
{
	struct pp_inventory now = { .set = t->set, .host = pp_host_known(t->ctx) };
	bool satisfied = false;

	/*
	 * The set changes while plugins come back, so its releases are read anew; this is the rare
	 * path.
	 */
	pp_vec_foreach (p, &t->set) {
		struct pp_release *r = NULL;
		if (pp_installed_release(*p, &r, NULL) == PLUGPKG_OK)
			pp_vec_push(&now.releases, r);
	}
	PP_AUTO_FREE char *by =
	    now.releases.n == t->set.n ? pp_inventory_satisfier(&now, dep) : NULL;
	satisfied = by != NULL;
	pp_releases_fini(&now.releases);
	return satisfied;
}

static bool
may_come_back(const struct pp_txn *t, const struct pp_task *task)
{
	const struct pp_release *r = task->manifest->release;

	if (task->step->why == PP_WHY_REPLACED)
		return false;
	pp_vec_foreach (dep, &r->requires)
		if (!is_satisfied(t, dep))
			return false;
	pp_vec_foreach (dep, &r->conflicts)
		if (is_satisfied(t, dep))
			return false;
	return true;
}

struct coming_back {
	struct pp_buf back, leftover, failures; /* names, and what went wrong on the way */
};

/*
 * Dependencies first, which is the reverse of the removal: who cannot be used again stays a
 * leftover.
 */
static void
decide(struct pp_txn *t, struct coming_back *c)
{
	for (size_t i = t->tasks.n; i-- > 0;) {
		const struct pp_task *task = &t->tasks.at[i];
		if (!pp_task_is_removal(task) || task->is_gone)
			continue;
		size_t at = pp_installeds_index(&t->set, task->step->key);
		bool may = at != SIZE_MAX && may_come_back(t, task);
		if (at != SIZE_MAX)
			pp_installed_set_state(t->set.at[at], may ? task->old->state : "leftover");
		struct pp_buf *list = may ? &c->back : &c->leftover;
		pp_buf_addf(list, "%s%s", list->n > 0 ? ", " : "", task->step->key);
	}
}

/* Their post-uninstall scripts may have run already; upwards again, the lowest level first. */
static enum plugpkg_code
rebind_back(struct pp_txn *t, struct coming_back *c, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;
	struct pp_rebind r = { .set = &t->set, .failures = &c->failures };

	for (size_t i = t->ops.n; rc == PLUGPKG_OK && i-- > 0;) {
		const struct pp_txn_op *op = &t->ops.at[i];
		if (op->type != &pp_op_post_uninstall || op->status == PP_STEP_PLANNED)
			continue;
		const struct pp_installed *p = pp_installeds_get(&t->set, op->key);
		if (p != NULL && pp_installed_is_usable(p))
			rc = pp_txn_rebind(t, op, &r, err);
	}
	return rc;
}

static enum plugpkg_code
show_what_stays(struct pp_txn *t, plugpkg_error **err)
{
	int64_t next = t->generation + 1, current = 0;
	enum plugpkg_code rc = pp_generation_current(t->ctx, &current, err);

	/* Cut off after it was shown, it is shown once more, in the same place. */
	if (rc == PLUGPKG_OK && current != next)
		rc = pp_txn_make_generation(t, next, err);
	if (rc == PLUGPKG_OK && current != next)
		rc = pp_state_take_generation(t->state, next, err);
	if (rc == PLUGPKG_OK && current != next)
		rc = pp_generation_switch(t->ctx, next, err);
	if (rc != PLUGPKG_OK)
		return rc;
	t->generation = next;
	struct plugpkg_event ev = { .type = PLUGPKG_EVENT_SWITCH, .done = (uint64_t)next };
	pp_event(t->ctx, &ev);
	return pp_txn_hook_or_warn(t, PP_HOOK_ACTIVATE, err);
}

/* Ops whose turn was before the one that failed, and that left no record of their own. */
static void
drop_gone(struct pp_txn *t)
{
	for (size_t i = pp_ops_commit(t); i < t->ops.n; i++) {
		struct pp_txn_op *op = &t->ops.at[i];
		if (op->status == PP_STEP_FAILED)
			return;
		if (op->type != &pp_op_uninstall)
			continue;
		pp_txn_task(t, op->key)->is_gone = true;
		pp_txn_drop(&t->set, op->key);
	}
}

static enum plugpkg_code
come_back(struct pp_txn *t, struct coming_back *c, plugpkg_error **err)
{
	drop_gone(t);
	decide(t, c);
	enum plugpkg_code rc = rebind_back(t, c, err);
	if (rc == PLUGPKG_OK && c->back.n > 0)
		rc = show_what_stays(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_settle(t, false, err);
	if (rc == PLUGPKG_OK)
		pp_tell_after(t);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_hook_or_warn(t, PP_HOOK_POST_TRANSACTION, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_end(t, "failed", err);
	pp_log_flush(t->state);
	return rc;
}

enum plugpkg_code
pp_txn_stop_removal(struct pp_txn *t, enum plugpkg_code failed, plugpkg_error **err)
{
	struct coming_back c = {
		.back = PP_BUF_INIT(65536),
		.leftover = PP_BUF_INIT(65536),
		.failures = PP_BUF_INIT(65536),
	};
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	pp_txn_log(t, "error", "failed; what has not left yet stays", err);
	enum plugpkg_code rc = come_back(t, &c, &why);
	PP_AUTO_FREE char *back = pp_buf_steal(&c.back);
	PP_AUTO_FREE char *leftover = pp_buf_steal(&c.leftover);
	PP_AUTO_FREE char *failures = pp_buf_steal(&c.failures);

	if (rc != PLUGPKG_OK) {
		(void)pp_hint(err, failed, "plugpkg recover goes on with it");
		return pp_wrap(err, failed, "cannot show what stays installed (%s)",
		    plugpkg_error_message(why));
	}
	if (*failures != '\0') {
		(void)pp_hint(err, failed, "try again: plugpkg configure --pending");
		(void)pp_wrap(err, failed, "pending: %s", failures);
	}
	if (*leftover != '\0')
		(void)pp_hint(err, failed,
		    "what is left over: plugpkg check; try again: plugpkg remove %s", leftover);
	if (*back != '\0')
		return pp_wrap(err, failed, "stays installed: %s", back);
	return *leftover != '\0' ? pp_wrap(err, failed, "left over: %s", leftover) : failed;
}
