/* SPDX-License-Identifier: MIT */
/* Plugins that came with --no-scripts are files and a word in the state, which is kept here. */
#include "lib/txn/skip.h"

#include "base/path.h"
#include "base/str.h"
#include "lib/txn/mend.h"

#include <stdlib.h>
#include <string.h>

#define INSTALL "install"
#define UPGRADE "upgrade "

/* ---- what is remembered ---- */

bool
pp_skip_is_install(const struct pp_installed *p)
{
	return p != NULL && p->skipped != NULL && strcmp(p->skipped, INSTALL) == 0;
}

const char *
pp_skip_version(const struct pp_installed *p)
{
	if (pp_skip_is_install(p))
		return NULL;
	if (p->skipped == NULL || !pp_starts_with(p->skipped, UPGRADE))
		return p->version;
	return p->skipped + strlen(UPGRADE);
}

bool
pp_skip_leaves_out(const struct pp_txn *t, const struct pp_task *task)
{
	return t->spec->plan->skips_scripts && task != NULL && !pp_task_is_removal(task);
}

char *
pp_skip_of(const struct pp_txn *t, const struct pp_task *task)
{
	const struct pp_manifest *m = task->manifest;
	bool is_new = task->old == NULL || pp_skip_is_install(task->old);
	enum pp_script core = is_new ? PP_SCRIPT_INSTALL : PP_SCRIPT_UPGRADE;

	if (!pp_skip_leaves_out(t, task))
		return NULL;
	if (task->step->action == PP_REINSTALL && task->old != NULL)
		return pp_xstrdup(task->old->skipped);
	if (m->scripts[core] == NULL && m->post_install.n == 0)
		return NULL;
	if (is_new)
		return pp_xstrdup(INSTALL);
	const char *ran = pp_skip_version(task->old);
	return strcmp(ran, task->step->version) != 0 ? pp_asprintf(UPGRADE "%s", ran) : NULL;
}

static void
push_if(pp_json *kinds, const pp_json *scripts, const char *kind)
{
	if (pp_json_get(scripts, kind) != NULL)
		pp_json_push_str(kinds, kind);
}

pp_json *
pp_skip_kinds(const struct pp_installed *p)
{
	const pp_json *scripts = pp_json_get(p->manifest, "scripts");

	if (p->skipped == NULL)
		return NULL;
	pp_json *kinds = pp_json_array();
	push_if(kinds, scripts, pp_skip_is_install(p) ? "install" : "upgrade");
	push_if(kinds, scripts, "post-install");
	return kinds;
}

void
pp_skip_note(const struct pp_txn *t, struct pp_notes *notes)
{
	pp_vec_foreach (task, &t->tasks)
		if (pp_skip_leaves_out(t, task))
			pp_notes_add(notes, task->step->key,
			    "its scripts did not run, as --no-scripts asked");
}

/* ---- run later ---- */

static enum plugpkg_code
make_data(plugpkg_context *ctx, const struct pp_installed *p, plugpkg_error **err)
{
	PP_AUTO_FREE char *data = pp_asprintf("data/%s", p->key);
	int r = pp_mkdirs_at(ctx->root_fd, data, 0755);

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot make '%s/%s'", ctx->root, data)
		     : PLUGPKG_OK;
}

static struct pp_txn_script
script_of(const struct pp_installed *p, const struct pp_manifest *m)
{
	bool is_new = pp_skip_is_install(p);
	enum pp_script core = is_new ? PP_SCRIPT_INSTALL : PP_SCRIPT_UPGRADE;

	return (struct pp_txn_script){
		.manifest = m,
		.link_dir = p->link_dir,
		.kind = pp_script_names[core],
		.path = m->scripts[core],
		.level = -1,
		.reason = is_new ? "install" : "upgrade",
		.old_version = is_new ? NULL : pp_skip_version(p),
	};
}

static enum plugpkg_code
run_core(struct pp_txn *t, const struct pp_installed *p, plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	enum plugpkg_code rc = pp_installed_manifest(p, &m, err);
	if (rc == PLUGPKG_OK)
		rc = make_data(t->ctx, p, err);
	if (rc != PLUGPKG_OK)
		return rc;
	struct pp_txn_script s = script_of(p, m);
	pp_log_step(t->state, 0, p->key, s.kind, p->version);
	return pp_txn_script(t, &s, err);
}

/* *next: the lowest level of the plugin that is above `level`, where it is lower than *next. */
static enum plugpkg_code
run_level(struct pp_txn *t, const struct pp_installed *p, int64_t level, int64_t *next,
    plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	enum plugpkg_code rc = pp_installed_manifest(p, &m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (l, &m->post_install)
		if ((int64_t)l->level > level && (*next < 0 || (int64_t)l->level < *next))
			*next = l->level;
	if (level < 0 || !pp_levels_have(&m->post_install, (uint32_t)level))
		return PLUGPKG_OK;
	struct pp_txn_script s = script_of(p, m);
	s.kind = "post-install";
	s.level = level;
	return pp_txn_level(t, &s, &m->post_install, err);
}

/* Levels are barriers over all plugins. */
static enum plugpkg_code
run_levels(struct pp_txn *t, const struct pp_installeds *in_order, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;
	int64_t level = -1, next = -1;

	do {
		next = -1;
		for (size_t i = 0; rc == PLUGPKG_OK && i < in_order->n; i++)
			rc = run_level(t, in_order->at[i], level, &next, err);
		level = next;
	} while (rc == PLUGPKG_OK && next >= 0);
	return rc;
}

static enum plugpkg_code
forget(struct pp_txn *t, const struct pp_installed *p, plugpkg_error **err)
{
	PP_AUTO_FREE char *why = NULL;
	enum pp_mend_answer answer = PP_MEND_NOT_ASKED;
	enum plugpkg_code rc = pp_mend_ask(t->ctx, p, &answer, &why, err);

	if (rc == PLUGPKG_OK && (answer == PP_MEND_NO || answer == PP_MEND_UNKNOWN))
		return pp_fail(err, PLUGPKG_E_SCRIPT, 0, "the scripts of %s %s ran, and it %s: %s",
		    p->key, p->version,
		    answer == PP_MEND_NO ? "says that it is not installed" : "cannot tell", why);
	return rc == PLUGPKG_OK ? pp_state_forget_skipped(t->state, p->key, err) : rc;
}

static enum plugpkg_code
run_all(struct pp_txn *t, const struct pp_installeds *in_order, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < in_order->n; i++)
		rc = run_core(t, in_order->at[i], err);
	if (rc == PLUGPKG_OK)
		rc = run_levels(t, in_order, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_sync(t, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < in_order->n; i++)
		rc = forget(t, in_order->at[i], err);
	return rc;
}

enum plugpkg_code
pp_skip_run(plugpkg_context *ctx, const struct pp_installeds *in_order, plugpkg_error **err)
{
	struct pp_txn t = { .ctx = ctx };
	enum plugpkg_code rc = pp_state_get(ctx, &t.state, err);

	if (rc == PLUGPKG_OK)
		rc = pp_state_generation(t.state, &t.old_generation, err);
	t.generation = t.old_generation; /* what scripts find at PLUGPKG_NEXT */
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(ctx, &t.old, err);
	if (rc == PLUGPKG_OK)
		rc = run_all(&t, in_order, err);
	pp_inventory_fini(&t.old);
	return rc;
}
