/* SPDX-License-Identifier: MIT */
/*
 * Recovery: reads the transaction that was cut off back from its journal and goes the way that it
 * would have gone itself. Past the point of no return that is forward, before it back.
 */
#include "lib/txn/recover.h"

#include "lib/txn/lock.h"
#include "lib/txn/steps.h"

#include <stdlib.h>

void
pp_recovered_fini(struct pp_recovered *r)
{
	free(r->command);
	free(r->text);
}

static bool
is_committed(const struct pp_txn *t)
{
	return t->is_armed && t->ops.at[pp_ops_commit(t)].status == PP_STEP_DONE;
}

static enum plugpkg_code
take_back(struct pp_txn *t, struct pp_recovered *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *failures = NULL;
	enum plugpkg_code rc = pp_txn_take_back(t, &failures, err);

	if (rc != PLUGPKG_OK)
		return rc;
	out->result = *failures == '\0' ? "undone" : "failed";
	out->text = *failures == '\0'
			? pp_xstrdup("it was undone")
			: pp_asprintf("not everything could be undone (%s)", failures);
	return rc;
}

static enum plugpkg_code
carry_on(struct pp_txn *t, struct pp_recovered *out, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	PP_AUTO_FREE char *command = NULL;
	int64_t open = 0;
	enum plugpkg_code rc = pp_txn_finish(t, &why);

	if (rc == PLUGPKG_OK) {
		out->result = "done";
		out->text = pp_xstrdup("it was carried to its end");
		return rc;
	}
	/* It may have ended all the same: with a plugin that did not go. */
	enum plugpkg_code seen = pp_journal_open_transaction(t->state, &open, &command, err);
	if (seen != PLUGPKG_OK)
		return seen;
	if (open != 0)
		return pp_fail(err, rc, 0, "%s", plugpkg_error_message(why));
	out->result = "failed";
	out->text = pp_xstrdup(plugpkg_error_message(why));
	return PLUGPKG_OK;
}

/*
 * Nothing can be read from it, so nothing can be done for it; it must not block the root for ever.
 */
static enum plugpkg_code
give_up(struct pp_txn *t, struct pp_recovered *out, const plugpkg_error *why, plugpkg_error **err)
{
	int64_t generation = 0;
	enum plugpkg_code rc = pp_state_generation(t->state, &generation, err);

	if (rc == PLUGPKG_OK)
		rc = pp_journal_end(t->state, out->id, "failed", generation, t->ctx->now, err);
	out->result = "failed";
	out->text = pp_asprintf("%s; plugpkg check shows what it left",
	    why != NULL ? plugpkg_error_message(why) : "its scripts can run again at any time");
	return rc;
}

static enum plugpkg_code
recover(struct pp_txn *t, struct pp_journal_open *open, struct pp_plan *plan,
    struct pp_recovered *out, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	/* `configure` has nothing to take back: who stood at `core-installed` still does. */
	if (pp_json_get_bool(open->intent, "configure"))
		return give_up(t, out, NULL, err);
	enum plugpkg_code rc = pp_intent_read(t, open, plan, &why);
	if (rc == PLUGPKG_E_BAD_STATE || rc == PLUGPKG_E_BAD_MANIFEST)
		return give_up(t, out, why, err);
	if (rc != PLUGPKG_OK)
		return pp_fail(err, rc, 0, "%s", plugpkg_error_message(why));
	rc = pp_script_check_settings(t->ctx->config, err);
	if (rc != PLUGPKG_OK)
		return rc;
	return is_committed(t) ? carry_on(t, out, err) : take_back(t, out, err);
}

static void
auto_plan(struct pp_plan **plan)
{
	pp_plan_free(*plan);
}

static enum plugpkg_code
recover_open(plugpkg_context *ctx, struct pp_state *state, struct pp_journal_open *open,
    struct pp_recovered *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_wishes_fini) struct pp_wishes wishes = { 0 };
	PP_CLEANUP(auto_plan) struct pp_plan *plan = pp_plan_new();
	struct pp_txn_spec spec = { .plan = plan, .wishes = &wishes, .command = open->command };
	PP_CLEANUP(pp_txn_fini)
	struct pp_txn t = {
		.ctx = ctx, .spec = &spec, .state = state, .id = open->id, .is_unsynced = true
	};

	pp_intent_wishes(open->intent, &wishes);
	pp_lock_note_transaction(ctx, open->command, open->id);
	out->id = open->id;
	out->command = pp_xstrdup(open->command);
	enum plugpkg_code rc = recover(&t, open, plan, out, err);
	return rc == PLUGPKG_OK
		   ? rc
		   : pp_wrap(err, rc, "transaction %lld (%s) was cut off, and cannot be ended",
			 (long long)open->id, open->command);
}

enum plugpkg_code
pp_recover(plugpkg_context *ctx, struct pp_recovered *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_journal_open_fini) struct pp_journal_open open = { 0 };
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);

	if (rc == PLUGPKG_OK)
		rc = pp_journal_read_open(state, &open, err);
	if (rc != PLUGPKG_OK || open.id == 0)
		return rc;
	return recover_open(ctx, state, &open, out, err);
}
