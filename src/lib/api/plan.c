/* SPDX-License-Identifier: MIT */
/*
 * From a request to a plan, and from a plan to a transaction. Making a plan changes nothing but the
 * cache, and in a dry run not even that.
 */
#include "lib/api/making.h"

#include "lib/txn/host.h"

#include <stdlib.h>
#include <string.h>

enum plugpkg_code
pp_plan_begin(plugpkg_context *ctx, char *command, plugpkg_plan **out, plugpkg_error **err)
{
	PP_AUTO(plan) plugpkg_plan *plan = pp_xcalloc(1, sizeof(*plan));
	struct pp_state *state = NULL;

	plan->ctx = ctx;
	plan->plan = pp_plan_new();
	plan->command = command;
	plan->plan->basis = pp_marks_basis(ctx);
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_generation(state, &plan->plan->generation, err);
	if (rc == PLUGPKG_OK)
		*out = pp_steal(&plan);
	return rc;
}

void
pp_making_fini(struct pp_making *m)
{
	pp_inventory_fini(&m->inv);
	pp_sources_open_fini(&m->open);
	pp_pins_fini(&m->owners);
	pp_votes_fini(&m->asked);
	pp_strs_fini(&m->delayed);
	pp_kepts_fini(&m->strangers);
	pp_vec_foreach (t, &m->targets)
		pp_target_fini(t);
	pp_vec_free(&m->targets);
	pp_locals_fini(&m->locals);
	pp_manifest_free(m->link);
	free(m->link_dir);
}

bool
pp_making_is_removal(const struct pp_making *m)
{
	enum plugpkg_verb verb = m->request->verb;

	return verb == PLUGPKG_REMOVE || verb == PLUGPKG_PURGE || verb == PLUGPKG_AUTOREMOVE;
}

/* Nothing but data and wishes is left to go. */
static bool
is_settled(const struct pp_making *m)
{
	return m->targets.n == 0 && (m->plan->left_data.n > 0 || m->wishes->n > 0);
}

/* What leaves asks nobody: plugins can go while the application is down. */
static enum plugpkg_code
ask_host(struct pp_making *m, plugpkg_error **err)
{
	return pp_making_is_removal(m) ? PLUGPKG_OK : pp_host_ask(m->ctx, err);
}

/* Who signed what was chosen is known by its details; an upgrade of everything goes on without. */
static enum plugpkg_code
choose(struct pp_making *m, plugpkg_error **err)
{
	enum plugpkg_code rc = is_settled(m) ? PLUGPKG_OK : pp_making_solve(m, err);

	if (rc == PLUGPKG_OK)
		rc = pp_making_details(m, err);
	while (rc == PLUGPKG_OK && pp_making_delay_strangers(m)) {
		pp_plan_clear(m->plan);
		rc = pp_making_solve(m, err);
		if (rc == PLUGPKG_OK)
			rc = pp_making_details(m, err);
	}
	if (rc == PLUGPKG_OK)
		pp_making_explain_strangers(m);
	return rc;
}

static enum plugpkg_code
make(struct pp_making *m, plugpkg_error **err)
{
	enum plugpkg_code rc =
	    m->request->verb == PLUGPKG_LINK ? pp_making_link(m, err) : pp_making_targets(m, err);
	if (rc == PLUGPKG_OK)
		rc = ask_host(m, err);
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(m->ctx, &m->inv, err);
	if (rc == PLUGPKG_OK)
		rc = pp_making_check_locals(m, err);
	/* What leaves needs no source: a root can be emptied without network and after expiry. */
	if (rc == PLUGPKG_OK && !pp_making_is_removal(m))
		rc = pp_sources_load(m->ctx, false, &m->open, err);
	if (rc == PLUGPKG_OK)
		rc = pp_making_left_data(m, err);
	if (rc == PLUGPKG_OK)
		pp_making_left_wishes(m);
	if (rc == PLUGPKG_OK)
		rc = choose(m, err);
	if (rc == PLUGPKG_OK)
		rc = pp_making_cycles(m, err);
	if (rc == PLUGPKG_OK)
		rc = pp_making_blocks(m, err);
	if (rc == PLUGPKG_OK)
		pp_making_wishes(m);
	return rc;
}

static bool
is_switch(const struct plugpkg_request *request)
{
	return request->verb == PLUGPKG_DISABLE || request->verb == PLUGPKG_ENABLE;
}

enum plugpkg_code
plugpkg_plan_make(plugpkg_context *ctx, const struct plugpkg_request *request,
    plugpkg_plan **out_plan, plugpkg_error **err)
{
	PP_CLEANUP(pp_again_fini) struct pp_again again = { .request = NULL };
	PP_AUTO(plan) plugpkg_plan *plan = NULL;

	*out_plan = NULL;
	pp_plan_settled(ctx, request, out_plan);
	if (*out_plan == NULL)
		pp_plan_again(ctx, request, &again, out_plan);
	if (*out_plan != NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_plan_begin(ctx, pp_making_command(request), &plan, err);
	if (rc != PLUGPKG_OK)
		return rc;
	plan->plan->is_purge = request->verb == PLUGPKG_PURGE;
	plan->plan->is_forced = (request->flags & PLUGPKG_FORCE) != 0;
	plan->plan->skips_scripts = (request->flags & PLUGPKG_NO_SCRIPTS) != 0;
	plan->allows_unsigned = (request->flags & PLUGPKG_ALLOW_UNSIGNED) != 0;

	PP_CLEANUP(pp_making_fini)
	struct pp_making m = {
		.ctx = ctx,
		.request = request,
		.plan = plan->plan,
		.wishes = &plan->wishes,
		.open = PP_SOURCES_OPEN_INIT,
	};
	rc = is_switch(request) ? pp_making_switch(&m, err) : make(&m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_plan_remember(&m, &again);
	if (rc == PLUGPKG_OK)
		*out_plan = pp_steal(&plan);
	return rc;
}

void
plugpkg_plan_rows(const plugpkg_plan *plan, plugpkg_row_fn row, void *user)
{
	/* What will stand in plugpkg.json as asked for. */
	pp_vec_foreach (w, &plan->wishes) {
		pp_json *one = pp_row_new(w->range != NULL ? "wanted" : "unwanted");
		pp_json_set_str(one, "name", w->name);
		pp_json_set_str(one, "range", w->range);
		pp_row(row, user, one);
	}
	pp_vec_foreach (mark, &plan->remarks) {
		pp_json *one = pp_row_new("mark");
		pp_json_set_str(one, "name", mark->name);
		pp_json_set_str(one, "version", mark->version);
		pp_json_set_bool(one, "manual", mark->manual);
		pp_json_set_str(one, "reason", mark->manual ? "manual" : "automatic");
		pp_row(row, user, one);
	}
	pp_plan_to_rows(plan->plan, row, user);
}

size_t
plugpkg_plan_count(const plugpkg_plan *plan)
{
	/* To mark what is installed as asked for is something to do as well. */
	size_t n = plan->plan->steps.n + plan->plan->switches.n + plan->plan->left_data.n;

	return n > 0 ? n : plan->wishes.n + plan->remarks.n;
}

/* A local file, unless its owner signed it and the root knows his key. */
static bool
is_unsigned(const struct pp_step *step)
{
	return step->file != NULL && step->owner.state != PP_OWNER_UNCHANGED;
}

size_t
plugpkg_plan_count_dangerous(const plugpkg_plan *plan)
{
	size_t n = plan->plan->left_data.n;

	pp_vec_foreach (step, &plan->plan->steps)
		if (step->action == PP_DOWNGRADE || is_unsigned(step) ||
		    (step->action == PP_REMOVE && step->why != PP_WHY_REQUESTED))
			n++;
	pp_vec_foreach (s, &plan->plan->switches)
		n += s->action == PP_BLOCK;
	return n;
}

size_t
plugpkg_plan_count_unnamed(const plugpkg_plan *plan)
{
	size_t n = 0;

	pp_vec_foreach (step, &plan->plan->steps)
		n += step->action == PP_REMOVE &&
		     (step->why == PP_WHY_BROKEN || step->why == PP_WHY_CONFLICT);
	return n;
}

static const struct pp_step *
first_unsigned(const plugpkg_plan *plan)
{
	pp_vec_foreach (step, &plan->plan->steps)
		if (is_unsigned(step))
			return step;
	return NULL;
}

/* Nothing unsigned gets in by itself: somebody says so in the request, or is asked. */
static enum plugpkg_code
check_unsigned(const plugpkg_plan *plan, plugpkg_error **err)
{
	const struct pp_step *step = first_unsigned(plan);

	if (step == NULL || plan->allows_unsigned)
		return PLUGPKG_OK;
	PP_AUTO_FREE char *text =
	    pp_asprintf("'%s' is a local file that nobody signed.", step->file);
	struct plugpkg_question q = {
		.type = PLUGPKG_ASK_UNSIGNED,
		.subject = step->file,
		.text = text,
	};
	switch (pp_ask(plan->ctx, &q)) {
	case PLUGPKG_ANSWER_YES:
		return PLUGPKG_OK;
	case PLUGPKG_ANSWER_NO:
		return pp_fail(err, PLUGPKG_E_DECLINED, 0, "nothing was changed");
	case PLUGPKG_ANSWER_NOBODY:
		break;
	}
	(void)pp_fail(err, PLUGPKG_E_CONFIRM, 0,
	    "'%s' is a local file that nobody signed; nothing was changed", step->file);
	(void)pp_subject(err, PLUGPKG_E_CONFIRM, step->name);
	return pp_hint(err, PLUGPKG_E_CONFIRM, "look at what is in it, then add --allow-unsigned");
}

enum plugpkg_code
plugpkg_plan_check(const plugpkg_plan *plan, plugpkg_error **err)
{
	if (plugpkg_plan_count(plan) == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_plan_check_owners(plan->plan, err);
	return rc == PLUGPKG_OK ? pp_txn_check_snapshots(plan->ctx, plan->plan, err) : rc;
}

enum plugpkg_code
plugpkg_plan_commit(plugpkg_plan *plan, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	struct pp_txn_spec spec = {
		.plan = plan->plan,
		.wishes = &plan->wishes,
		.command = plan->command,
		.row = row,
		.user = user,
	};

	if (plan->ctx->is_dry_run)
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "a plan of a dry run cannot be committed");
	enum plugpkg_code rc = pp_plan_check_owners(plan->plan, err);
	if (rc == PLUGPKG_OK)
		rc = check_unsigned(plan, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_run(plan->ctx, &spec, err);
	if (rc == PLUGPKG_OK)
		pp_host_remember(plan->ctx);
	return rc;
}

int
plugpkg_plan_is_stale(const plugpkg_plan *plan)
{
	PP_AUTO_FREE char *basis = pp_marks_basis(plan->ctx);
	struct pp_state *state = NULL;
	int64_t generation = 0;

	return strcmp(basis, plan->plan->basis) != 0 ||
	       (pp_state_get(plan->ctx, &state, NULL) == PLUGPKG_OK &&
		   pp_state_generation(state, &generation, NULL) == PLUGPKG_OK &&
		   generation != plan->plan->generation);
}

void
plugpkg_plan_free(plugpkg_plan *plan)
{
	if (plan == NULL)
		return;
	pp_plan_free(plan->plan);
	pp_wishes_fini(&plan->wishes);
	pp_vec_foreach (mark, &plan->remarks) {
		free(mark->name);
		free(mark->version);
	}
	pp_vec_free(&plan->remarks);
	free(plan->command);
	free(plan);
}
