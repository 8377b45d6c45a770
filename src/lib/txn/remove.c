/* SPDX-License-Identifier: MIT */
/*
 * What leaves, dependents first, after the new generation is visible. Every prefix of a removal is
 * consistent, so a plugin whose uninstall fails comes back with those that were to leave after it.
 */
#include "lib/txn/steps.h"

#include "base/path.h"
#include "base/sys.h"
#include "lib/store/generation.h"
#include "lib/txn/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static bool
has_handler(const struct pp_task *task)
{
	return pp_json_get(pp_json_get(task->old->manifest, "on"), "uninstall-before") != NULL;
}

static enum plugpkg_code
run_uninstall(struct pp_txn *t, struct pp_task *task, plugpkg_error **err)
{
	struct pp_txn_script s = {
		.manifest = task->manifest,
		.link_dir = task->old->link_dir,
		.script = PP_SCRIPT_UNINSTALL,
		.reason = t->spec->plan->is_purge ? "purge" : "remove",
	};

	pp_txn_step(t, task, "uninstall");
	/*
	 * Here `uninstall-before` will be called with "do", then the post-uninstall levels
	 * downwards.
	 */
	if (has_handler(task))
		pp_warn(t->ctx, task->step->name,
		    "its uninstall-before handler is not called: this plugpkg does not call "
		    "handlers yet");
	return pp_txn_script(t, &s, err);
}

void
pp_txn_remove_data(plugpkg_context *ctx, const char *key)
{
	const char *slash = strchr(key, '/');
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", key);
	int r = pp_rm_rf_at(ctx->root_fd, dir);

	if (r < 0)
		pp_warn(ctx, key, "cannot delete '%s/%s': %s", ctx->root, dir, pp_errno_text(-r));
	if (slash == NULL)
		return;
	PP_AUTO_FREE char *scope = pp_asprintf("data/%.*s", (int)(slash - key), key);
	PP_IGNORE(pp_unlinkat(ctx->root_fd, scope, AT_REMOVEDIR)); /* other plugins may be in it */
}

static void
drop_from_set(struct pp_installeds *set, const char *key)
{
	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->at[i]->key, key) != 0)
			continue;
		pp_installed_free(set->at[i]);
		memmove(set->at + i, set->at + i + 1, (set->n - i - 1) * sizeof(*set->at));
		set->n--;
		return;
	}
}

static void
set_state(struct pp_installed *p, const char *state)
{
	free(p->state);
	p->state = pp_xstrdup(state);
}

/*
 * Until its uninstall is done, a leaving plugin is on record as a leftover: if plugpkg dies in
 * between, the root knows whose script still has to run.
 */
static enum plugpkg_code
record_leaving(struct pp_txn *t, plugpkg_error **err)
{
	bool is_needed = false;

	pp_vec_foreach (task, &t->tasks) {
		if (!pp_task_is_removal(task))
			continue;
		is_needed = is_needed || task->manifest->scripts[PP_SCRIPT_UNINSTALL] != NULL;
		struct pp_installed *p = pp_installed_copy(task->old);
		set_state(p, "leftover");
		pp_vec_push(&t->set, p);
	}
	pp_txn_sort_set(&t->set);
	if (!is_needed)
		return PLUGPKG_OK;
	return pp_state_commit_set(t->state, &t->set, t->generation, t->id, err);
}

/* ---- coming back ---- */

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
		if (pp_release_parse((*p)->manifest, (*p)->name, "var/state.db",
			PLUGPKG_E_BAD_STATE, &r, NULL) == PLUGPKG_OK)
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

	pp_vec_foreach (dep, &r->requires)
		if (!is_satisfied(t, dep))
			return false;
	pp_vec_foreach (dep, &r->conflicts)
		if (is_satisfied(t, dep))
			return false;
	return true;
}

/*
 * Dependencies first, which is the reverse of the removal: who cannot be used again stays a
 * leftover.
 */
static void
bring_back(struct pp_txn *t, struct pp_buf *back, struct pp_buf *leftover)
{
	for (size_t i = t->tasks.n; i-- > 0;) {
		const struct pp_task *task = &t->tasks.at[i];
		if (!pp_task_is_removal(task) || task->is_gone)
			continue;
		bool may = task->step->why != PP_WHY_REPLACED && may_come_back(t, task);
		pp_vec_foreach (p, &t->set)
			if (strcmp((*p)->key, task->step->key) == 0)
				set_state(*p, may ? task->old->state : "leftover");
		struct pp_buf *list = may ? back : leftover;
		pp_buf_addf(list, "%s%s", list->n > 0 ? ", " : "", task->step->key);
	}
}

static enum plugpkg_code
show_what_stays(struct pp_txn *t, plugpkg_error **err)
{
	int64_t generation = t->generation + 1;
	enum plugpkg_code rc = pp_txn_make_generation(t, generation, err);

	if (rc == PLUGPKG_OK)
		rc = pp_generation_switch(t->ctx, generation, err);
	if (rc != PLUGPKG_OK)
		return rc;
	t->generation = generation;
	struct plugpkg_event ev = { .type = PLUGPKG_EVENT_SWITCH, .done = (uint64_t)generation };
	pp_event(t->ctx, &ev);
	return PLUGPKG_OK;
}

static enum plugpkg_code
stop_removal(struct pp_txn *t, enum plugpkg_code failed, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf back = PP_BUF_INIT(65536);
	PP_AUTO_BUF struct pp_buf leftover = PP_BUF_INIT(65536);
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	bring_back(t, &back, &leftover);
	enum plugpkg_code rc = back.n > 0 ? show_what_stays(t, &why) : PLUGPKG_OK;
	if (rc == PLUGPKG_OK)
		rc = pp_state_commit_set(t->state, &t->set, t->generation, t->id, &why);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, failed, "cannot show what stays installed (%s)",
		    plugpkg_error_message(why));
	if (leftover.n > 0)
		(void)pp_hint(err, failed,
		    "what is left over: plugpkg check; try again: plugpkg remove %s",
		    pp_buf_cstr(&leftover));
	if (back.n > 0)
		return pp_wrap(err, failed, "stays installed: %s", pp_buf_cstr(&back));
	return pp_wrap(err, failed, "left over: %s", pp_buf_cstr(&leftover));
}

enum plugpkg_code
pp_txn_remove(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = record_leaving(t, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->tasks.n; i++) {
		struct pp_task *task = &t->tasks.at[i];
		if (!pp_task_is_removal(task))
			continue;
		rc = pp_check_cancel(t->ctx, err);
		if (rc == PLUGPKG_OK)
			rc = run_uninstall(t, task, err);
		if (rc != PLUGPKG_OK)
			return stop_removal(t, rc, err);
		task->is_gone = true;
		drop_from_set(&t->set, task->step->key);
		if (t->spec->plan->is_purge)
			pp_txn_remove_data(t->ctx, task->step->key);
	}
	if (rc != PLUGPKG_OK)
		return rc;
	return pp_state_commit_set(t->state, &t->set, t->generation, t->id, err);
}
