/* SPDX-License-Identifier: MIT */
/* `sync`: what differs, and the plan that ends it. */
#include "lib/api/sync.h"

#include "lib/state/journal.h"
#include "lib/txn/host.h"
#include "lib/txn/lock.h"
#include "lib/txn/root.h"

#include <string.h>

enum plugpkg_code
pp_sync_begin(plugpkg_context *ctx, unsigned flags, struct pp_sync *out, plugpkg_error **err)
{
	*out = (struct pp_sync)PP_SYNC_INIT(ctx, flags);
	enum plugpkg_code rc = pp_root_read_lockfile(ctx, &out->lock, err);
	return rc == PLUGPKG_OK ? pp_inventory_load(ctx, &out->making.inv, err) : rc;
}

void
pp_sync_fini(struct pp_sync *s)
{
	pp_making_fini(&s->making);
	pp_lockfile_free(s->lock);
	pp_diffs_fini(&s->diffs);
}

enum plugpkg_code
plugpkg_sync_check(plugpkg_context *ctx, unsigned flags, size_t *out_differences,
    plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_sync_fini) struct pp_sync s = PP_SYNC_INIT(ctx, flags);
	enum plugpkg_code rc = PLUGPKG_OK;

	*out_differences = 0;
	/* The lock of an application whose versions nobody knows yet cannot be compared. */
	if ((flags & PLUGPKG_SYNC_LOCKED) != 0 && pp_host_is_partial(ctx))
		rc = pp_host_ask(ctx, err);
	if (rc == PLUGPKG_OK)
		rc = pp_sync_begin(ctx, flags, &s, err);
	if (rc == PLUGPKG_OK)
		rc = pp_sync_compare(&s, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_diffs_rows(&s.diffs, row, user);
	*out_differences = s.diffs.n;
	return PLUGPKG_OK;
}

/* ---- the plan ---- */

unsigned
pp_sync_request_flags(const struct pp_sync *s)
{
	return ((s->flags & PLUGPKG_SYNC_FORCE) != 0 ? PLUGPKG_FORCE : 0U) |
	       ((s->flags & PLUGPKG_SYNC_NO_UPDATE) != 0 ? PLUGPKG_LOOK : 0U);
}

void
pp_sync_ask(struct pp_sync *s, const char *key, const char *range)
{
	struct pp_target *t = pp_vec_new(&s->making.targets);

	t->name = pp_key_name(key);
	t->range = pp_xstrdup(range);
}

/* What leaves is named by its key: NAME, or NAME and the major as its range. */
void
pp_sync_take_off(struct pp_targets *targets, const char *key, bool is_removal)
{
	struct pp_target *t = pp_vec_new(targets);

	t->name = pp_key_name(key);
	if (pp_key_has_major(key))
		t->range = pp_xstrdup(key + pp_key_name_bytes(key) + 1);
	t->is_removal = is_removal;
}

enum plugpkg_code
pp_sync_sources(struct pp_sync *s, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_sources_load(s->ctx, false, &s->making.open, err);

	s->must_update = rc == PLUGPKG_E_NOT_FOUND || rc == PLUGPKG_E_EXPIRED;
	return rc;
}

/* A lock that was reviewed and a source that says otherwise: neither is simply believed. */
static enum plugpkg_code
check_digest(const struct pp_sync *s, const struct pp_step *step, plugpkg_error **err)
{
	const struct pp_locked *row = s->lock != NULL ? pp_lockfile_get(s->lock, step->key) : NULL;

	if (row == NULL || row->sha256 == NULL || *step->sha256 == '\0' ||
	    strcmp(row->version.text, step->version) != 0 ||
	    strcmp(row->source, step->source) != 0 || strcmp(row->sha256, step->sha256) == 0)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_DIGEST, 0,
	    "source '%s' offers other content as %s %s than plugpkg.lock says", step->source,
	    step->key, step->version);
	(void)pp_subject(err, PLUGPKG_E_DIGEST, step->key);
	return pp_hint(err, PLUGPKG_E_DIGEST,
	    "a published version never changes: ask the publisher, or who wrote plugpkg.lock");
}

enum plugpkg_code
pp_sync_details(struct pp_sync *s, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_making_details(&s->making, err);

	pp_vec_foreach (step, &s->making.plan->steps)
		if (rc == PLUGPKG_OK && step->action != PP_REMOVE)
			rc = check_digest(s, step, err);
	if (rc == PLUGPKG_OK)
		rc = pp_making_cycles(&s->making, err);
	return rc == PLUGPKG_OK ? pp_making_blocks(&s->making, err) : rc;
}

static void
add_remarks(const struct pp_sync *s, plugpkg_plan *plan)
{
	pp_vec_foreach (d, &s->diffs) {
		const struct pp_installed *p = pp_installeds_get(&s->making.inv.set, d->key);
		if (d->kind != PP_DIFF_MARK || p == NULL)
			continue;
		struct pp_remark *mark = pp_vec_new(&plan->remarks);
		mark->name = pp_xstrdup(d->key);
		mark->version = pp_xstrdup(p->version);
		mark->manual = !p->manual;
	}
}

static enum plugpkg_code
look(struct pp_sync *s, plugpkg_context *ctx, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_sync_begin(ctx, s->flags, s, err);

	return rc == PLUGPKG_OK ? pp_sync_compare(s, err) : rc;
}

/*
 * One look at the root, and one plan. Where something is to change, the application is asked for
 * its versions, and the root looked at again with what it says.
 */
static enum plugpkg_code
try_plan(struct pp_sync *s, plugpkg_plan *plan, plugpkg_error **err)
{
	enum plugpkg_code rc = look(s, plan->ctx, err);

	if (rc == PLUGPKG_OK && s->diffs.n > 0 && s->ctx->config->provides_from.n > 0) {
		rc = pp_host_ask(s->ctx, err);
		if (rc == PLUGPKG_OK) {
			pp_sync_fini(s);
			rc = look(s, plan->ctx, err);
		}
	}
	if (rc != PLUGPKG_OK || s->diffs.n == 0)
		return rc;
	rc = (s->flags & PLUGPKG_SYNC_LOCKED) != 0 ? pp_sync_plan_locked(s, plan, err)
						   : pp_sync_plan_wanted(s, plan, err);
	if (rc == PLUGPKG_OK)
		add_remarks(s, plan);
	return rc;
}

/* Of two failures the one that the administrator can do something about. */
static enum plugpkg_code
update(struct pp_sync *s, plugpkg_error **first, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = plugpkg_update(s->ctx, NULL, NULL, &why);

	if (rc == PLUGPKG_OK)
		return PLUGPKG_OK;
	if (!s->must_update && rc != PLUGPKG_E_INTERRUPTED) {
		pp_warn(s->ctx, NULL, "the sources could not be brought up to date: %s",
		    plugpkg_error_message(why));
		rc = plugpkg_error_code(*first);
		why = pp_steal(first);
	}
	if (err != NULL)
		*err = pp_steal(&why);
	return rc;
}

/*
 * What a crash cut off comes first, or a boot would call a root right that is half way to another.
 * While somebody is at work there is nothing of that kind: what is open is his.
 */
static enum plugpkg_code
end_cut_off(plugpkg_context *ctx, plugpkg_error **err)
{
	PP_AUTO_FREE char *command = NULL;
	struct pp_state *state = NULL;
	int64_t txn = 0;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_journal_open_transaction(state, &txn, &command, err);
	if (rc != PLUGPKG_OK || txn == 0 || pp_lock_is_held(ctx))
		return rc;
	rc = pp_lock(ctx, "sync", err);
	pp_unlock(ctx);
	return rc;
}

/* What could be otherwise with the same files is left out: what is taken, and who may be asked. */
static bool
is_plain(unsigned flags)
{
	return (flags & ~(unsigned)(PLUGPKG_SYNC_LOCKED | PLUGPKG_SYNC_NO_UPDATE)) == 0;
}

/* The root as it should be, or not; what a crash cut off is more to it. */
static bool
is_as_it_should_be(plugpkg_context *ctx, unsigned flags, struct pp_sync *s)
{
	PP_AUTO_FREE char *running = NULL;
	int64_t txn = 0;

	return pp_journal_open_transaction(ctx->state, &txn, &running, NULL) == PLUGPKG_OK &&
	       txn == 0 && pp_sync_begin(ctx, flags, s, NULL) == PLUGPKG_OK &&
	       pp_sync_compare(s, NULL) == PLUGPKG_OK && s->diffs.n == 0;
}

/*
 * A root that is as it should be, in one look at it: *out is its plan, in which nothing stands.
 * Left NULL where there may be more to it, and where it fails: the long way finds out.
 */
static void
plan_nothing(plugpkg_context *ctx, unsigned flags, const char *command, plugpkg_plan **out)
{
	PP_CLEANUP(pp_again_fini) struct pp_again again = { .request = NULL };
	PP_CLEANUP(pp_sync_fini) struct pp_sync s = PP_SYNC_INIT(ctx, flags);
	PP_AUTO(plan) plugpkg_plan *plan = NULL;
	PP_AUTO_LOOK struct pp_state *look = NULL;

	if (pp_state_look(ctx, &look, NULL) != PLUGPKG_OK ||
	    pp_plan_begin(ctx, pp_xstrdup(command), &plan, NULL) != PLUGPKG_OK)
		return;
	bool is_known = is_plain(flags) && pp_again_is_known(ctx, command, PP_AGAIN_STORE, &again);
	if (!is_known && !is_as_it_should_be(ctx, flags, &s))
		return;
	*out = pp_steal(&plan);
	pp_state_look_end(&look);
	if (!is_known && !s.is_solved)
		pp_again_remember(ctx, &again, pp_again_end(ctx, &s.making.inv.set));
}

/* One plan of what is known now; s keeps whether an update may help. */
static enum plugpkg_code
plan_once(struct pp_sync *s, const char *command, plugpkg_plan **out_plan, plugpkg_error **err)
{
	PP_AUTO(plan) plugpkg_plan *plan = NULL;
	enum plugpkg_code rc = pp_plan_begin(s->ctx, pp_xstrdup(command), &plan, err);

	if (rc == PLUGPKG_OK)
		rc = try_plan(s, plan, err);
	if (rc != PLUGPKG_OK)
		return rc;
	plan->plan->is_forced = (s->flags & PLUGPKG_SYNC_FORCE) != 0;
	plan->plan->skips_scripts = (s->flags & PLUGPKG_SYNC_NO_SCRIPTS) != 0;
	*out_plan = pp_steal(&plan);
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_sync_plan(
    plugpkg_context *ctx, unsigned flags, plugpkg_plan **out_plan, plugpkg_error **err)
{
	const char *command = (flags & PLUGPKG_SYNC_LOCKED) != 0 ? "sync --locked" : "sync";

	*out_plan = NULL;
	if (ctx->is_dry_run)
		flags |= PLUGPKG_SYNC_NO_UPDATE;
	plan_nothing(ctx, flags, command, out_plan);
	if (*out_plan != NULL)
		return PLUGPKG_OK;
	if ((flags & PLUGPKG_SYNC_NO_UPDATE) == 0) {
		enum plugpkg_code rc = end_cut_off(ctx, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	for (bool is_updated = (flags & PLUGPKG_SYNC_NO_UPDATE) != 0;; is_updated = true) {
		PP_CLEANUP(pp_sync_fini) struct pp_sync s = PP_SYNC_INIT(ctx, flags);
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		enum plugpkg_code rc = plan_once(&s, command, out_plan, &why);
		if (rc == PLUGPKG_OK)
			return rc;
		if (is_updated || !(s.may_update || s.must_update)) {
			pp_error_replace(err, &why);
			return rc;
		}
		rc = update(&s, &why, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
}
