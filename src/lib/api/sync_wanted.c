/* SPDX-License-Identifier: MIT */
/*
 * From differences to steps, by the wanted set of plugpkg.json: what is missing comes, in the
 * version of plugpkg.lock where that fits, and what nothing wants any more goes.
 */
#include "lib/api/sync.h"

#include <stdlib.h>
#include <string.h>

/* In which ways it is tried, until one has a solution. */
struct attempt {
	bool is_pinned; /* by plugpkg.lock */
	bool takes_off; /* what nothing wants goes in the same decision: it may be in the way */
};

/* ---- what to ask for ---- */

/* "2.x" for a wanted auth@2 in any version; else the range as it was written. Owned. */
static char *
range_of(const struct pp_diff *d)
{
	if (strcmp(d->there, "*") == 0 && pp_key_has_major(d->key))
		return pp_xstrdup(d->key + pp_key_name_bytes(d->key) + 1);
	return pp_xstrdup(strcmp(d->there, "*") == 0 ? NULL : d->there);
}

static void
ask_for(struct pp_sync *s, const struct pp_diff *d, const struct attempt *a)
{
	const struct pp_dep *wish = pp_deps_get(&s->ctx->config->plugins, d->key);
	const struct pp_locked *row = NULL;

	if (s->lock != NULL && a->is_pinned)
		row = wish != NULL ? pp_sync_row_of(s, wish) : pp_lockfile_get(s->lock, d->key);
	if (row == NULL && d->is_from_lock)
		return;
	bool is_locked = row != NULL && pp_sync_lock_fits(s, row);
	PP_AUTO_FREE char *range = is_locked ? pp_asprintf("=%s", row->version.text) : range_of(d);
	pp_sync_ask(s, is_locked ? row->key : d->key, range);
}

static void
ask_all(struct pp_sync *s, const struct attempt *a)
{
	pp_vec_foreach (t, &s->making.targets)
		pp_target_fini(t);
	s->making.targets.n = 0;
	pp_vec_foreach (d, &s->diffs) {
		if (d->kind == PP_DIFF_MISSING || d->kind == PP_DIFF_VERSION)
			ask_for(s, d, a);
		if (d->kind == PP_DIFF_FILES) {
			PP_AUTO_FREE char *range = pp_asprintf("=%s", d->here);
			pp_sync_ask(s, d->key, range);
		}
		if (d->kind == PP_DIFF_EXTRA && a->takes_off)
			pp_sync_take_off(&s->making.targets, d->key, true);
	}
}

static bool
has(const struct pp_sync *s, enum pp_diff_kind kind)
{
	pp_vec_foreach (d, &s->diffs)
		if (d->kind == kind)
			return true;
	return false;
}

/* What comes goes without what it did without where the lock was made; it never had it here. */
static void
record_detached(const struct pp_sync *s, struct pp_plan *plan)
{
	pp_vec_foreach (step, &plan->steps) {
		PP_CLEANUP(pp_version_fini) struct pp_version version = { 0 };
		const struct pp_locked *row = NULL;
		if (step->action == PP_INSTALL &&
		    pp_version_parse(pp_str_of(step->version), &version, NULL) == PLUGPKG_OK)
			row = pp_making_detached_row(&s->making, step->key, &version);
		for (size_t i = 0; row != NULL && i < row->detached.n; i++)
			(void)pp_votes_add(&plan->votes, &(struct pp_vote){
							     .event = PP_ON_UNINSTALL_BEFORE,
							     .said = PP_SAID_STAY,
							     .key = step->key,
							     .version = step->version,
							     .plugin = row->detached.at[i],
							     .requirement = row->detached.at[i],
							 });
	}
}

static enum plugpkg_code
try(struct pp_sync *s, const struct attempt *a, struct pp_plan *plan, plugpkg_error **err)
{
	const struct plugpkg_request request = {
		.verb = PLUGPKG_INSTALL,
		.flags =
		    ((s->flags & PLUGPKG_SYNC_NO_RECOMMENDS) != 0 ? PLUGPKG_NO_RECOMMENDS : 0) |
		    (has(s, PP_DIFF_FILES) ? PLUGPKG_REINSTALL : 0) | pp_sync_request_flags(s) |
		    PLUGPKG_DOWNGRADE, /* what plugpkg.json says holds, up and down */
	};

	ask_all(s, a);
	s->making.request = &request;
	s->making.plan = plan;
	s->making.pins = a->is_pinned ? s->lock : NULL;
	/* Nothing may be left of it: only the lock asked, and it cannot be followed. */
	enum plugpkg_code rc =
	    s->making.targets.n > 0 ? pp_making_solve(&s->making, err) : PLUGPKG_OK;
	if (rc == PLUGPKG_OK)
		rc = pp_sync_details(s, err);
	if (rc == PLUGPKG_OK)
		record_detached(s, plan);
	s->making.request = NULL;
	return rc;
}

/* The plan gets what it leads to. */
static enum plugpkg_code
attempt(struct pp_sync *s, const struct attempt *a, plugpkg_plan *plan, plugpkg_error **err)
{
	PP_AUTO(steps) struct pp_plan *steps = pp_plan_new();

	steps->generation = plan->plan->generation;
	enum plugpkg_code rc = try(s, a, steps, err);
	if (rc != PLUGPKG_OK)
		return rc;
	steps->basis = pp_steal(&plan->plan->basis);
	if (!a->is_pinned && s->lock != NULL)
		pp_warn(s->ctx, NULL, "plugpkg.lock cannot be followed everywhere");
	pp_plan_free(plan->plan);
	plan->plan = pp_steal(&steps);
	return PLUGPKG_OK;
}

/* The first attempt that has a solution; of none, the words of the plainest one. */
static enum plugpkg_code
solve(struct pp_sync *s, plugpkg_plan *plan, plugpkg_error **err)
{
	static const struct attempt attempts[] = {
		{ true, false },
		{ true, true },
		{ false, false },
		{ false, true },
	};
	PP_AUTO_ERROR plugpkg_error *plainest = NULL;
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; i < PP_LEN(attempts); i++) {
		const struct attempt *a = &attempts[i];
		if ((a->is_pinned && s->lock == NULL) || (a->takes_off && !has(s, PP_DIFF_EXTRA)))
			continue;
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		rc = attempt(s, a, plan, &why);
		if (rc == PLUGPKG_OK)
			return rc;
		bool is_no_way = rc == PLUGPKG_E_NO_SOLUTION || rc == PLUGPKG_E_NOT_FOUND;
		if (plainest == NULL || (!a->is_pinned && !a->takes_off) || !is_no_way)
			pp_error_replace(&plainest, &why);
		if (!is_no_way)
			break;
	}
	if (plainest == NULL)
		return rc;
	rc = plugpkg_error_code(plainest);
	s->may_update = rc == PLUGPKG_E_NO_SOLUTION || rc == PLUGPKG_E_NOT_FOUND;
	if (err != NULL)
		*err = pp_steal(&plainest);
	return rc;
}

/* ---- what goes ---- */

/* What is installed once the steps are done, as far as the question who needs whom goes. */
struct after {
	struct pp_inventory inv;
	const struct pp_plan *plan;
};

static bool
is_taken(const struct pp_plan *plan, const char *key)
{
	pp_vec_foreach (step, &plan->steps)
		if (strcmp(pp_step_old_key(step), key) == 0 || strcmp(step->key, key) == 0)
			return true;
	return false;
}

static struct pp_installed *
installed_by(
    const struct pp_inventory *before, const struct pp_plan *plan, const struct pp_step *step)
{
	const struct pp_installed *old = pp_installeds_get(&before->set, pp_step_old_key(step));
	struct pp_installed *p = pp_xcalloc(1, sizeof(*p));

	p->key = pp_xstrdup(step->key);
	p->name = pp_xstrdup(step->name);
	p->version = pp_xstrdup(step->version);
	p->source = pp_xstrdup(step->source);
	p->state = pp_xstrdup("installed");
	p->sha256 = pp_xstrdup("");
	p->tree_sha256 = pp_xstrdup("");
	p->hold = old != NULL && old->hold;
	p->hold_until = p->hold ? old->hold_until : 0;
	p->manifest = pp_json_copy(step->row);
	pp_vec_foreach (vote, &plan->votes)
		if (vote->said == PP_SAID_STAY && strcmp(vote->key, p->key) == 0)
			pp_strs_add(&p->detached, vote->requirement);
	return p;
}

static int
by_key(const void *a, const void *b)
{
	const struct pp_installed *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static enum plugpkg_code
look_ahead(const struct pp_sync *s, const struct pp_plan *plan, struct pp_inventory *out,
    plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	out->host = s->making.inv.host;
	pp_vec_foreach (p, &s->making.inv.set)
		if (!is_taken(plan, (*p)->key))
			pp_vec_push(&out->set, pp_installed_copy(*p));
	pp_vec_foreach (step, &plan->steps)
		if (step->action != PP_REMOVE)
			pp_vec_push(&out->set, installed_by(&s->making.inv, plan, step));
	pp_vec_sort(&out->set, by_key);
	for (size_t i = 0; rc == PLUGPKG_OK && i < out->set.n; i++) {
		const struct pp_installed *p = out->set.at[i];
		struct pp_release *r = NULL;
		rc = pp_installed_release(p, &r, err);
		if (rc == PLUGPKG_OK)
			pp_vec_push(&out->releases, r);
	}
	return rc;
}

/* A removal by its own rules, over an inventory that stays the caller's. */
static enum plugpkg_code
solve_removal(const struct pp_sync *s, const struct pp_inventory *inv, enum plugpkg_verb verb,
    const struct pp_plan *leaving, struct pp_plan *out, plugpkg_error **err)
{
	const struct plugpkg_request request = { .verb = verb, .flags = pp_sync_request_flags(s) };
	struct pp_making m = {
		.ctx = s->ctx,
		.request = &request,
		.plan = out,
		.inv = *inv, /* borrowed */
		.open = PP_SOURCES_OPEN_INIT,
	};

	if (leaving != NULL)
		pp_vec_foreach (step, &leaving->steps)
			if (step->action == PP_REMOVE)
				pp_sync_take_off(&m.targets, step->key, false);
	enum plugpkg_code rc = pp_making_solve(&m, err);
	m.inv = (struct pp_inventory){ 0 };
	pp_making_fini(&m);
	return rc;
}

/* Moves a step to the end of another plan. */
static void
move_step(struct pp_step *from, struct pp_plan *to)
{
	*pp_vec_new(&to->steps) = *from;
	*from = (struct pp_step){ 0 };
}

/*
 * Removals that were found in two ways have to stand in one order: that of a removal of all of
 * them. Where that cannot be had (a hold), they stay as they are.
 */
static void
order_removals(const struct pp_sync *s, struct pp_plan *plan)
{
	PP_AUTO(steps) struct pp_plan *ordered = pp_plan_new();
	PP_AUTO(steps) struct pp_plan *result = pp_plan_new();

	if (solve_removal(s, &s->making.inv, PLUGPKG_REMOVE, plan, ordered, NULL) != PLUGPKG_OK)
		return;
	pp_vec_foreach (step, &plan->steps)
		if (step->action != PP_REMOVE)
			move_step(step, result);
	pp_vec_foreach (o, &ordered->steps)
		pp_vec_foreach (step, &plan->steps)
			if (step->key != NULL && strcmp(step->key, o->key) == 0)
				move_step(step, result);
	/* What is left here has been moved, or is no removal that the root knows. */
	struct pp_steps swapped = plan->steps;
	plan->steps = result->steps;
	result->steps = swapped;
}

static enum plugpkg_code
add_unneeded(struct pp_sync *s, struct pp_plan *plan, plugpkg_error **err)
{
	PP_AUTO_INVENTORY struct pp_inventory inv = { 0 };
	PP_AUTO(steps) struct pp_plan *unneeded = pp_plan_new();
	bool has_removals = false, has_more = false;
	enum plugpkg_code rc = look_ahead(s, plan, &inv, err);
	if (rc == PLUGPKG_OK)
		rc = solve_removal(s, &inv, PLUGPKG_AUTOREMOVE, NULL, unneeded, err);
	if (rc != PLUGPKG_OK)
		return rc;

	pp_vec_foreach (step, &plan->steps)
		has_removals = has_removals || step->action == PP_REMOVE;
	pp_vec_foreach (step, &unneeded->steps) {
		const struct pp_installed *p = pp_installeds_get(&s->making.inv.set, step->key);
		if (p == NULL || !pp_installed_is_usable(p))
			continue;
		move_step(step, plan);
		has_more = true;
	}
	if (has_removals && has_more)
		order_removals(s, plan);
	return PLUGPKG_OK;
}

/* ---- words ---- */

/* Who asked is plugpkg.json or plugpkg.lock, never a person just now. */
static void
say_why(const struct pp_sync *s, struct pp_step *step)
{
	const struct pp_locked *row = s->lock != NULL ? pp_lockfile_get(s->lock, step->key) : NULL;

	if (step->action == PP_REMOVE) {
		if (step->why == PP_WHY_REQUESTED)
			step->why = PP_WHY_UNNEEDED;
		return;
	}
	step->manual = pp_sync_is_wished(s, step->key);
	if (step->why != PP_WHY_REQUESTED || step->manual)
		return;
	bool is_locked = row != NULL && strcmp(row->version.text, step->version) == 0;
	step->why = is_locked ? PP_WHY_LOCKED : PP_WHY_REQUIRED;
}

enum plugpkg_code
pp_sync_plan_wanted(struct pp_sync *s, plugpkg_plan *plan, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	if (has(s, PP_DIFF_MISSING) || has(s, PP_DIFF_VERSION) || has(s, PP_DIFF_FILES)) {
		rc = pp_sync_sources(s, err);
		if (rc == PLUGPKG_OK)
			rc = solve(s, plan, err);
	}
	if (rc == PLUGPKG_OK && (s->flags & PLUGPKG_SYNC_NO_REMOVE) == 0)
		rc = add_unneeded(s, plan->plan, err);
	if (rc == PLUGPKG_OK)
		pp_vec_foreach (step, &plan->plan->steps)
			say_why(s, step);
	return rc;
}
