/* SPDX-License-Identifier: MIT */
/*
 * Ops of what comes: its data directory, its core script, its post levels; and their undoing. A
 * script that was killed is undone like one that was done, because nobody knows how far it came.
 */
#include "lib/txn/steps.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/store/store.h"
#include "lib/txn/skip.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* What the manual page promises. */
#define VERIFY_SAYS_NO 1

/* ---- scripts ---- */

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

/*
 * An author who deleted his directory must not be stuck with what was linked from it, nor whoever
 * lost a stored version and says --force; txn.c asks for that before anything begins.
 */
static bool
is_lost(struct pp_txn *t, const struct pp_txn_script *s)
{
	const struct pp_release *r = s->manifest->release;
	int is_there = s->link_dir != NULL ? pp_exists_at(AT_FDCWD, s->link_dir)
					   : pp_store_has(t->ctx, r->name, r->version.text);

	if (strstr(s->kind, "uninstall") == NULL || is_there != 0)
		return false;
	PP_AUTO_FREE char *path = s->link_dir != NULL
				      ? pp_xstrdup(s->link_dir)
				      : pp_asprintf("store/%s/%s", r->name, r->version.text);
	pp_warn(t->ctx, r->name, "'%s' is gone, and its %s script with it", path, s->kind);
	return true;
}

/* Is this the version that will be there, rather than one that leaves or comes back? */
static bool
is_of_new_set(const struct pp_txn *t, const struct pp_release *r)
{
	const struct pp_installed *p = pp_installeds_get(&t->set, pp_release_key(r));

	return p != NULL && pp_installed_is_usable(p) && strcmp(p->version, r->version.text) == 0;
}

/* As they are bound where the plugin belongs. */
static void
add_dependencies(struct pp_txn *t, const struct pp_release *r, struct pp_strs *out)
{
	PP_AUTO_BINDABLES struct pp_bindables all = { 0 };

	if (r->requires.n + r->recommends.n == 0)
		return;
	if (is_of_new_set(t, r))
		pp_txn_bindables(t, &all);
	else
		pp_inventory_bindables(&t->old, &all);
	pp_bind_env(t->ctx->root, &all, r, out);
}

enum plugpkg_code
pp_txn_script(struct pp_txn *t, const struct pp_txn_script *s, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = NULL;
	PP_AUTO_FD int fd = -1;
	t->was_killed = false;
	if (s->path == NULL || is_lost(t, s))
		return PLUGPKG_OK;
	enum plugpkg_code rc = open_plugin(t, s, &path, &fd, err);
	if (rc != PLUGPKG_OK)
		return rc;

	t->is_unsynced = true;
	PP_CLEANUP(pp_strs_fini) struct pp_strs dependencies = { 0 };
	add_dependencies(t, s->manifest->release, &dependencies);
	struct pp_script_run run = {
		.dependencies = &dependencies,
		.manifest = s->manifest,
		.dir_fd = fd,
		.store_path = path,
		.kind = s->kind,
		.path = s->path,
		.level = s->level,
		.reason = s->reason,
		.old_version = s->old_version,
		.transaction = t->id,
		.next_generation = t->generation,
		.is_undo = s->is_undo,
		.out_killed = &t->was_killed,
		.out_status = s->out_status,
		.event = s->event,
		.out_answer = s->out_answer,
	};
	return pp_script_run(t->ctx, &run, err);
}

bool
pp_levels_have(const struct pp_levels *levels, uint32_t level)
{
	pp_vec_foreach (l, levels)
		if (l->level == level)
			return true;
	return false;
}

enum plugpkg_code
pp_txn_level(struct pp_txn *t, const struct pp_txn_script *s, const struct pp_levels *levels,
    plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;
	bool is_first = true;

	for (size_t i = 0; rc == PLUGPKG_OK && i < levels->n; i++) {
		if (levels->at[i].level != s->level)
			continue;
		struct pp_txn_script one = *s;
		one.path = levels->at[i].run;
		rc = pp_txn_script(t, &one, err);
		/* What ran before it in this level is there, and has to be undone. */
		if (rc != PLUGPKG_OK && !is_first)
			t->was_killed = true;
		is_first = false;
	}
	return rc;
}

enum pp_verdict
pp_txn_ask(struct pp_txn *t, const struct pp_txn_script *s, char **out_why)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	struct pp_txn_script asked = *s;
	int status = -1;

	asked.kind = pp_script_names[PP_SCRIPT_VERIFY];
	asked.path = s->manifest->scripts[PP_SCRIPT_VERIFY];
	asked.level = -1;
	asked.out_status = &status;
	if (asked.path == NULL)
		return PP_VERDICT_NONE;
	if (pp_txn_script(t, &asked, &why) == PLUGPKG_OK)
		return PP_VERDICT_THERE;
	if (out_why != NULL)
		*out_why = pp_xstrdup(plugpkg_error_message(why));
	return status == VERIFY_SAYS_NO ? PP_VERDICT_NOT_THERE : PP_VERDICT_UNKNOWN;
}

/* The state that a script was cut off in is one more reason to act as if it had done something. */
enum pp_verdict
pp_txn_verify(
    struct pp_txn *t, const struct pp_manifest *m, const char *link_dir, const char *old_version)
{
	PP_AUTO_FREE char *why = NULL;
	struct pp_txn_script s = {
		.manifest = m,
		.link_dir = link_dir,
		.reason = "rollback",
		.old_version = old_version,
		.is_undo = true,
	};
	enum pp_verdict verdict = pp_txn_ask(t, &s, &why);

	if (verdict == PP_VERDICT_UNKNOWN)
		pp_warn(t->ctx, pp_release_key(m->release),
		    "cannot tell how far it came, so its script runs: %s", why);
	return verdict;
}

enum plugpkg_code
pp_installed_manifest(const struct pp_installed *p, struct pp_manifest **out, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = pp_asprintf("%s %s: plugin.json", p->name, p->version);
	enum plugpkg_code rc = pp_manifest_of(p->manifest, file, out, err);

	pp_vec_foreach (name, &p->detached)
		if (rc == PLUGPKG_OK)
			pp_release_detach((*out)->release, *name);
	return rc;
}

static void
tell_undo(struct pp_txn *t, const char *key, const char *version, const char *what)
{
	PP_AUTO_FREE char *text = pp_asprintf("undoing: %s %s %s", what, key, version);
	struct plugpkg_event ev = {
		.type = PLUGPKG_EVENT_UNDO,
		.plugin = key,
		.text = text,
	};

	pp_event(t->ctx, &ev);
	pp_log_write(t->state, t->id, key, "warning", "transaction", text);
}

/* ---- data ---- */

static enum plugpkg_code
run_data(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", op->key);
	int r = pp_mkdirs_at(t->ctx->root_fd, dir, 0755);

	t->is_unsynced = true;
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot make '%s/%s'", t->ctx->root, dir)
		     : PLUGPKG_OK;
}

/*
 * Made a moment ago by this transaction, so nobody's data is in it; kept for a look where the
 * plugin could not be undone.
 */
static enum plugpkg_code
undo_data(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	if (pp_txn_task(t, op->key)->is_stuck)
		return PLUGPKG_OK;
	return pp_txn_try_remove_data(t, op->key, err);
}

const struct pp_op_type pp_op_data = { "data", run_data, undo_data, false };

/* ---- core ---- */

/* Over what was never installed, it is installed now. */
static bool
is_upgrade(const struct pp_task *task)
{
	if (pp_skip_is_install(task->old))
		return false;
	return task->step->action == PP_UPGRADE || task->step->action == PP_DOWNGRADE;
}

static const char *
reason_of(const struct pp_txn *t, bool is_change)
{
	if (t->spec->plan->is_rollback)
		return "rollback";
	return is_change ? "upgrade" : "install";
}

static struct pp_txn_script
core_script(const struct pp_txn *t, const struct pp_task *task)
{
	enum pp_script which = is_upgrade(task) ? PP_SCRIPT_UPGRADE : PP_SCRIPT_INSTALL;

	return (struct pp_txn_script){
		.manifest = task->manifest,
		.link_dir = task->step->link_dir,
		.kind = pp_script_names[which],
		.path = task->manifest->scripts[which],
		.level = -1,
		.reason = reason_of(t, is_upgrade(task)),
		.old_version = task->old != NULL ? pp_skip_version(task->old) : NULL,
	};
}

static enum plugpkg_code
run_core(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	const struct pp_task *task = pp_txn_task(t, op->key);
	struct pp_txn_script s = core_script(t, task);

	pp_txn_step(t, task->step, s.kind);
	return pp_txn_script(t, &s, err);
}

/*
 * Cut off in the middle, its `verify` decides what a failure of `uninstall` means: where nothing
 * was there yet, there was nothing that had to be undone.
 */
static enum plugpkg_code
undo_install(
    struct pp_txn *t, const struct pp_txn_op *op, const struct pp_task *task, plugpkg_error **err)
{
	struct pp_txn_script s = {
		.manifest = task->manifest,
		.link_dir = task->step->link_dir,
		.kind = pp_script_names[PP_SCRIPT_UNINSTALL],
		.path = task->manifest->scripts[PP_SCRIPT_UNINSTALL],
		.level = -1,
		.reason = "rollback",
		.is_undo = true,
	};

	bool is_there =
	    !op->was_cut || pp_txn_verify(t, s.manifest, s.link_dir, NULL) != PP_VERDICT_NOT_THERE;
	tell_undo(t, op->key, task->step->version, "uninstall");
	if (is_there)
		return pp_txn_script(t, &s, err);
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	if (pp_txn_script(t, &s, &why) != PLUGPKG_OK)
		pp_warn(t->ctx, op->key, "%s", plugpkg_error_message(why));
	return PLUGPKG_OK;
}

/* What the old version says to going back from the new one. */
static enum plugpkg_code
upgrade_back(
    struct pp_txn *t, const struct pp_txn_op *op, const struct pp_task *task, plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *old = NULL;
	enum plugpkg_code rc = pp_installed_manifest(task->old, &old, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_return_data(t, task, err);
	if (rc != PLUGPKG_OK)
		return rc;
	struct pp_txn_script s = {
		.manifest = old,
		.link_dir = task->old->link_dir,
		.kind = pp_script_names[PP_SCRIPT_UPGRADE],
		.path = old->scripts[PP_SCRIPT_UPGRADE],
		.level = -1,
		.reason = "rollback",
		.old_version = task->step->version,
		.is_undo = true,
	};
	if (op->was_cut &&
	    pp_txn_verify(t, old, s.link_dir, task->step->version) == PP_VERDICT_THERE)
		return PLUGPKG_OK;
	tell_undo(t, op->key, task->step->version, "upgrade back from");
	return pp_txn_script(t, &s, err);
}

/* It was installed before, and still is, unless a new run of its script was cut off half way. */
static enum plugpkg_code
undo_reinstall(
    struct pp_txn *t, const struct pp_txn_op *op, const struct pp_task *task, plugpkg_error **err)
{
	struct pp_txn_script s = core_script(t, task);

	s.reason = "rollback";
	s.is_undo = true;
	if (!op->was_cut || pp_txn_verify(t, s.manifest, s.link_dir, NULL) == PP_VERDICT_THERE)
		return PLUGPKG_OK;
	tell_undo(t, op->key, task->step->version, "install again");
	return pp_txn_script(t, &s, err);
}

static enum plugpkg_code
undo_core(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	const struct pp_task *task = pp_txn_task(t, op->key);

	switch (task->step->action) {
	case PP_INSTALL:
		return undo_install(t, op, task, err);
	case PP_UPGRADE:
	case PP_DOWNGRADE:
		return is_upgrade(task) ? upgrade_back(t, op, task, err)
					: undo_install(t, op, task, err);
	case PP_REINSTALL:
		return undo_reinstall(t, op, task, err);
	case PP_REMOVE:
		break;
	}
	return PLUGPKG_OK;
}

const struct pp_op_type pp_op_core = { "core", run_core, undo_core, false };

/* ---- post levels ---- */

/* Who runs it: a plugin of the plan, or an installed one that wants to see all that comes. */
struct actor {
	const struct pp_task *task; /* or NULL */
	const struct pp_installed *installed;
	struct pp_manifest *parsed; /* owned, or NULL */
	const struct pp_manifest *manifest;
	const char *link_dir;
};

static void
actor_fini(struct actor *a)
{
	pp_manifest_free(a->parsed);
}

static enum plugpkg_code
find_actor(struct pp_txn *t, const struct pp_txn_op *op, struct actor *out, plugpkg_error **err)
{
	out->task = pp_txn_task(t, op->key);
	if (out->task != NULL) {
		out->manifest = out->task->manifest;
		out->link_dir = out->task->step->link_dir;
		return PLUGPKG_OK;
	}
	out->installed = pp_installeds_get(&t->old.set, op->key);
	if (out->installed == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
		    "var/state.db: a step names '%s', which is not installed", op->key);
	enum plugpkg_code rc = pp_installed_manifest(out->installed, &out->parsed, err);
	out->manifest = out->parsed;
	out->link_dir = out->installed->link_dir;
	return rc;
}

static void
tell_level(struct pp_txn *t, const struct pp_txn_op *op, const char *version, const char *what)
{
	struct pp_step step = { .name = op->key, .version = (char *)(uintptr_t)version };
	PP_AUTO_FREE char *text = pp_asprintf("%s %u", what, op->level);

	pp_txn_step(t, &step, text);
}

static enum plugpkg_code
run_post_install(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	PP_CLEANUP(actor_fini) struct actor a = { 0 };
	enum plugpkg_code rc = find_actor(t, op, &a, err);
	if (rc != PLUGPKG_OK)
		return rc;
	bool was_old = a.task != NULL && pp_task_had_old(a.task);
	struct pp_txn_script s = {
		.manifest = a.manifest,
		.link_dir = a.link_dir,
		.kind = "post-install",
		.level = op->level,
		.reason = reason_of(t, was_old && is_upgrade(a.task)),
		.old_version = was_old ? pp_skip_version(a.task->old) : NULL,
	};
	tell_level(t, op, a.manifest->release->version.text, s.kind);
	return pp_txn_level(t, &s, &a.manifest->post_install, err);
}

/* The answer to a post-install is the plugin's post-uninstall of the same level, if it has one. */
static enum plugpkg_code
undo_post_install(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	PP_CLEANUP(actor_fini) struct actor a = { 0 };
	enum plugpkg_code rc = find_actor(t, op, &a, err);
	if (rc != PLUGPKG_OK || !pp_levels_have(&a.manifest->post_uninstall, op->level))
		return rc;
	if (a.task != NULL && a.task->step->action == PP_REINSTALL)
		return PLUGPKG_OK;
	struct pp_txn_script s = {
		.manifest = a.manifest,
		.link_dir = a.link_dir,
		.kind = "post-uninstall",
		.level = op->level,
		.reason = "rollback",
		.is_undo = true,
	};
	tell_undo(t, op->key, a.manifest->release->version.text, "post-install of");
	return pp_txn_level(t, &s, &a.manifest->post_uninstall, err);
}

const struct pp_op_type pp_op_post_install = {
	"post-install",
	run_post_install,
	undo_post_install,
	false,
};
