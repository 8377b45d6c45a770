/* SPDX-License-Identifier: MIT */
/*
 * Scripts and links of installed plugins outside of a transaction. Every step of it can be done
 * again, so it needs no journal: the state says what is still to do.
 */
#include "lib/txn/mend.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/store/generation.h"
#include "lib/store/place.h"
#include "lib/txn/root.h"
#include "lib/txn/steps.h"

#include <stdlib.h>
#include <string.h>

static enum plugpkg_code
begin(plugpkg_context *ctx, struct pp_txn *t, plugpkg_error **err)
{
	*t = (struct pp_txn){ .ctx = ctx };
	enum plugpkg_code rc = pp_state_get(ctx, &t->state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_generation(t->state, &t->old_generation, err);
	t->generation = t->old_generation; /* what scripts find at PLUGPKG_NEXT */
	return rc;
}

static struct pp_txn_script
script_of(const struct pp_installed *p, const struct pp_manifest *m, enum pp_script script,
    const char *reason)
{
	return (struct pp_txn_script){
		.manifest = m,
		.link_dir = p->link_dir,
		.kind = pp_script_names[script],
		.path = m->scripts[script],
		.level = -1,
		.reason = reason,
	};
}

static enum plugpkg_code
run(struct pp_txn *t, const struct pp_installed *p, enum pp_script script, const char *reason,
    plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	enum plugpkg_code rc = pp_installed_manifest(p, &m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	struct pp_txn_script s = script_of(p, m, script, reason);
	return pp_txn_script(t, &s, err);
}

enum plugpkg_code
pp_mend_ask(plugpkg_context *ctx, const struct pp_installed *p, enum pp_mend_answer *out,
    char **out_why, plugpkg_error **err)
{
	static const enum pp_mend_answer answers[] = {
		[PP_VERDICT_NONE] = PP_MEND_NOT_ASKED,
		[PP_VERDICT_THERE] = PP_MEND_YES,
		[PP_VERDICT_NOT_THERE] = PP_MEND_NO,
		[PP_VERDICT_UNKNOWN] = PP_MEND_UNKNOWN,
	};
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	struct pp_txn t;
	enum plugpkg_code rc = begin(ctx, &t, err);

	*out = PP_MEND_NOT_ASKED;
	if (rc != PLUGPKG_OK || pp_json_get(pp_json_get(p->manifest, "scripts"), "verify") == NULL)
		return rc;
	rc = pp_installed_manifest(p, &m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	struct pp_txn_script s = script_of(p, m, PP_SCRIPT_VERIFY, "install");
	*out = answers[pp_txn_ask(&t, &s, out_why)];
	return pp_check_cancel(ctx, err);
}

static enum plugpkg_code
set_state(struct pp_txn *t, const struct pp_installed *p, const char *state, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_txn_sync(t, err);

	return rc == PLUGPKG_OK ? pp_state_set_state(t->state, p->key, state, err) : rc;
}

enum plugpkg_code
pp_mend_install(plugpkg_context *ctx, const struct pp_installed *p, plugpkg_error **err)
{
	PP_AUTO_FREE char *data = pp_asprintf("data/%s", p->key);
	PP_AUTO_FREE char *why = NULL;
	enum pp_mend_answer answer = PP_MEND_NOT_ASKED;
	struct pp_txn t;
	enum plugpkg_code rc = begin(ctx, &t, err);
	if (rc == PLUGPKG_OK)
		rc = set_state(&t, p, PP_STATE_NOT_INSTALLED, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_mkdirs_at(ctx->root_fd, data, 0755);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make '%s/%s'", ctx->root, data);
	pp_log_step(t.state, 0, p->key, "install", p->version);
	rc = run(&t, p, PP_SCRIPT_INSTALL, "install", err);
	if (rc == PLUGPKG_OK)
		rc = pp_mend_ask(ctx, p, &answer, &why, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (answer == PP_MEND_NO || answer == PP_MEND_UNKNOWN)
		return pp_fail(err, PLUGPKG_E_SCRIPT, 0, "%s %s was installed again, and %s: %s",
		    p->key, p->version, answer == PP_MEND_NO ? "still says no" : "cannot tell",
		    why);
	return set_state(&t, p, "installed", err);
}

enum plugpkg_code
pp_mend_leftover(plugpkg_context *ctx, const struct pp_installed *p, plugpkg_error **err)
{
	struct pp_txn t;
	enum plugpkg_code rc = begin(ctx, &t, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_log_step(t.state, 0, p->key, "uninstall", p->version);
	rc = run(&t, p, PP_SCRIPT_UNINSTALL, "remove", err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_sync(&t, err);
	return rc == PLUGPKG_OK ? pp_state_drop(t.state, p->key, err) : rc;
}

enum plugpkg_code
pp_mend_generation(
    plugpkg_context *ctx, const struct pp_installeds *set, int64_t *out, plugpkg_error **err)
{
	struct pp_txn t;
	PP_AUTO_FD int all = -1; /* all of them may be gone, with the directory */
	enum plugpkg_code rc = begin(ctx, &t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_place_make(ctx, PP_GENERATIONS_DIR, &all, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_next_generation(&t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(ctx, &t.old, err);
	t.set = *set; /* borrowed */
	if (rc == PLUGPKG_OK)
		rc = pp_txn_make_generation(&t, t.generation, err);
	pp_inventory_fini(&t.old);
	if (rc == PLUGPKG_OK)
		rc = pp_state_take_generation(t.state, t.generation, err);
	if (rc == PLUGPKG_OK)
		rc = pp_generation_switch(ctx, t.generation, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_commit_set(t.state, set, t.generation, 0, NULL, err);
	*out = t.generation;
	return rc;
}
