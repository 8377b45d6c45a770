/* SPDX-License-Identifier: MIT */
/*
 * `rollback` and `undo`: a plan of what differs between the current generation and a former one.
 * Nothing is solved: what stood together once may stand together again. What the former one held is
 * known from the history; a source is asked only for files that neither store nor cache has.
 */
#include "lib/api/rollback.h"

#include "base/path.h"
#include "lib/model/name.h"
#include "lib/state/history.h"
#include "lib/store/generation.h"
#include "lib/store/snapshot.h"
#include "lib/txn/host.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void
going_fini(struct pp_going *g)
{
	pp_inventory_fini(&g->now);
	pp_inventory_fini(&g->then);
}

/* ---- which generation ---- */

/* "1, 2, 5", without the current one; at most so many of the newest. Owned. */
static char *
list_of(const int64_t *all, size_t n, int64_t current)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
	size_t first = n > 21 ? n - 21 : 0;

	for (size_t i = first; i < n; i++)
		if (all[i] != current)
			pp_buf_addf(&text, "%s%" PRId64, text.n > 0 ? ", " : "", all[i]);
	return pp_buf_steal(&text);
}

static enum plugpkg_code
no_such(const struct pp_going *g, const int64_t *all, size_t n, plugpkg_error **err)
{
	PP_AUTO_FREE char *list = list_of(all, n, g->plan->generation);
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
	    "there is no generation %" PRId64 " to go back to", g->target);

	if (*list == '\0')
		return pp_hint(
		    err, rc, "there is none but the current one, %" PRId64, g->plan->generation);
	return pp_hint(err, rc, "these are there: %s", list);
}

/* The one before the current one, or the one that was named; it has to be there still. */
static enum plugpkg_code
choose(struct pp_going *g, plugpkg_error **err)
{
	PP_AUTO_FREE int64_t *all = NULL;
	size_t n = 0;
	enum plugpkg_code rc = pp_generation_list(g->ctx, &all, &n, err);

	if (rc != PLUGPKG_OK)
		return rc;
	for (size_t i = 0; g->target < 0 && i < n; i++)
		if (all[n - 1 - i] < g->plan->generation)
			g->target = all[n - 1 - i];
	if (g->target < 0) {
		(void)pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
		    "there is no generation before the current one, %" PRId64, g->plan->generation);
		return pp_hint(err, PLUGPKG_E_NOT_FOUND, "plugpkg history lists what there was");
	}
	for (size_t i = 0; i < n; i++)
		if (all[i] == g->target)
			return PLUGPKG_OK;
	return no_such(g, all, n, err);
}

static enum plugpkg_code
load(struct pp_going *g, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_inventory_load(g->ctx, &g->now, err);

	g->then.host = g->now.host;
	g->then.is_host_partial = g->now.is_host_partial;
	if (rc == PLUGPKG_OK)
		rc = pp_history_set(g->state, g->target, &g->then.set, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < g->then.set.n; i++) {
		const struct pp_installed *p = g->then.set.at[i];
		struct pp_release *r = NULL;
		rc = pp_release_parse(
		    p->manifest, p->name, "var/state.db", PLUGPKG_E_BAD_STATE, &r, err);
		if (rc == PLUGPKG_OK)
			pp_vec_push(&g->then.releases, r);
	}
	return rc;
}

/* ---- what differs ---- */

static bool
is_same(const struct pp_installed *a, const struct pp_installed *b)
{
	bool is_linked = a->link_dir != NULL, was_linked = b->link_dir != NULL;

	return pp_installed_is_usable(a) && strcmp(a->version, b->version) == 0 &&
	       is_linked == was_linked && (!is_linked || strcmp(a->link_dir, b->link_dir) == 0);
}

/*
 * What is there in the place of a plugin that comes: the one of its key or, where the author began
 * or ceased to declare parallel majors in between, the one that goes on under another key.
 */
static const struct pp_installed *
predecessor(const struct pp_going *g, const struct pp_installed *p)
{
	const struct pp_installed *old = pp_installeds_get(&g->now.set, p->key);

	if (old != NULL)
		return pp_installed_is_usable(old) ? old : NULL;
	pp_vec_foreach (q, &g->now.set)
		if (strcmp((*q)->name, p->name) == 0 && pp_installed_is_usable(*q) &&
		    pp_key_has_major((*q)->key) != pp_key_has_major(p->key) &&
		    pp_installeds_get(&g->then.set, (*q)->key) == NULL)
			old = *q;
	return old;
}

/* Those that come are the first steps of the plan. */
static bool
is_taken_over(const struct pp_going *g, size_t n_coming, const struct pp_installed *p)
{
	if (pp_installeds_get(&g->then.set, p->key) != NULL)
		return true;
	for (size_t i = 0; i < n_coming; i++)
		if (pp_step_concerns(&g->plan->steps.at[i], p->key))
			return true;
	return false;
}

static enum pp_action
action_of(const struct pp_installed *p, const struct pp_installed *old)
{
	if (old == NULL)
		return PP_INSTALL;
	int d = pp_version_cmp_text(p->version, old->version);
	return d > 0 ? PP_UPGRADE : d < 0 ? PP_DOWNGRADE : PP_REINSTALL;
}

static struct pp_step *
add_step(struct pp_going *g, enum pp_action action, const struct pp_installed *p, uint32_t depth)
{
	struct pp_step *s = pp_plan_add(g->plan, action, p->key, p->version);

	s->why = PP_WHY_ROLLBACK;
	s->depth = depth;
	s->manual = p->manual;
	return s;
}

/*
 * Data as it was when the root left the span of generations that had this version: the first
 * snapshot from the target on. Another version there means that the data is not this one's.
 */
static enum plugpkg_code
find_data(struct pp_going *g, struct pp_step *s, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	PP_AUTO_FREE int64_t *all = NULL;
	size_t n = 0, i = 0;
	enum plugpkg_code rc = pp_snapshot_list(g->ctx, s->key, &all, &n, err);

	while (rc == PLUGPKG_OK && i < n && all[i] < g->target)
		i++;
	if (rc != PLUGPKG_OK || i == n || all[i] > UINT32_MAX)
		return rc;
	rc = pp_history_set(g->state, all[i], &set, err);
	const struct pp_installed *p = pp_installeds_get(&set, s->key);
	if (rc == PLUGPKG_OK && p != NULL && strcmp(p->version, s->version) == 0)
		s->data_from = all[i];
	return rc;
}

static enum plugpkg_code
add_arrival(struct pp_going *g, const struct pp_installed *p, uint32_t depth, plugpkg_error **err)
{
	const struct pp_installed *old = predecessor(g, p);

	if (old != NULL && strcmp(old->key, p->key) == 0 && is_same(old, p))
		return PLUGPKG_OK;
	struct pp_step *s = add_step(g, action_of(p, old), p, depth);
	s->source = pp_xstrdup(p->source);
	s->hold = p->hold;
	s->hold_until = p->hold_until;
	if (old != NULL) {
		s->old_version = pp_xstrdup(old->version);
		if (strcmp(old->key, p->key) != 0)
			s->old_key = pp_xstrdup(old->key);
	}
	enum plugpkg_code rc = find_data(g, s, err);
	return rc == PLUGPKG_OK ? pp_going_supply(g, s, p, err) : rc;
}

/* ---- in which order ---- */

/* What it said then counts again, and its handler has its part to do. */
static void
add_detached(struct pp_going *g, const struct pp_installed *p)
{
	const struct pp_installed *now = pp_installeds_get(&g->now.set, p->key);

	pp_vec_foreach (name, &p->detached) {
		const struct pp_installed *left = pp_installeds_highest(&g->now.set, *name);
		if (now != NULL && pp_strs_has(&now->detached, *name))
			continue;
		(void)pp_votes_add(
		    &g->plan->votes, &(struct pp_vote){
					 .event = PP_ON_UNINSTALL_BEFORE,
					 .said = PP_SAID_STAY,
					 .key = p->key,
					 .version = p->version,
					 .plugin = left != NULL ? left->key : *name,
					 .plugin_version = left != NULL ? left->version : NULL,
					 .requirement = *name,
				     });
	}
}

/* The first step of that kind, without a reason yet, whose plugin the release replaces; or NULL. */
static struct pp_step *
replaced_in(const struct pp_going *g, enum pp_action action, const struct pp_release *by)
{
	const struct pp_inventory *inv = action == PP_REMOVE ? &g->now : &g->then;

	pp_vec_foreach (dep, &by->replaces)
		pp_vec_foreach (s, &g->plan->steps) {
			if (s->action != action || s->because != NULL ||
			    strcmp(s->name, dep->name) != 0)
				continue;
			const struct pp_release *r = pp_inventory_release(inv, s->key);
			if (dep->range == NULL || pp_range_match(dep->range, &r->version, true))
				return s;
		}
	return NULL;
}

/*
 * What took the place of another plugin gives it back, and the data with it; what comes and takes
 * such a place does that as it did when it was installed.
 */
static void
say_replaced(const struct pp_going *g)
{
	struct pp_step *at = g->plan->steps.at;

	for (size_t i = 0; i < g->plan->steps.n; i++) {
		bool goes = at[i].action == PP_REMOVE;
		const struct pp_release *r =
		    pp_inventory_release(goes ? &g->now : &g->then, at[i].key);
		if (r == NULL || (!goes && at[i].action != PP_INSTALL))
			continue;
		struct pp_step *other = replaced_in(g, goes ? PP_INSTALL : PP_REMOVE, r);
		struct pp_step *gone = goes ? &at[i] : other;
		if (other == NULL || gone->because != NULL)
			continue;
		gone->why = PP_WHY_REPLACED;
		gone->because = pp_xstrdup(goes ? other->key : at[i].key);
	}
}

/* What comes, dependencies first; then what goes, dependents first. */
static enum plugpkg_code
add_steps(struct pp_going *g, plugpkg_error **err)
{
	struct pp_ranks then = { 0 }, now = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_inventory_order(&g->then, &then);
	pp_inventory_order(&g->now, &now);
	for (size_t i = 0; rc == PLUGPKG_OK && i < then.n; i++)
		rc = add_arrival(g, g->then.set.at[then.at[i].index], then.at[i].depth, err);
	size_t n_coming = g->plan->steps.n;
	for (size_t i = now.n; rc == PLUGPKG_OK && i-- > 0;) {
		const struct pp_installed *p = g->now.set.at[now.at[i].index];
		if (pp_installed_is_usable(p) && !is_taken_over(g, n_coming, p))
			(void)add_step(g, PP_REMOVE, p, now.at[i].depth);
	}
	say_replaced(g);
	pp_vec_foreach (p, &g->then.set)
		add_detached(g, *p);
	pp_vec_free(&then);
	pp_vec_free(&now);
	return rc;
}

/* Switches stand as they stood then; who comes back disabled is not in use either. */
static void
add_switches(struct pp_going *g)
{
	pp_vec_foreach (p, &g->then.set) {
		const struct pp_installed *old = predecessor(g, *p);
		bool is_disabled = old != NULL && old->is_disabled;
		const char *blocker = old != NULL ? old->blocked_by : NULL;
		struct pp_switch *s = NULL;
		if ((*p)->is_disabled != is_disabled)
			s = pp_plan_switch(g->plan, is_disabled ? PP_ENABLE : PP_DISABLE, (*p)->key,
			    (*p)->version);
		else if (old != NULL && !is_disabled &&
			 ((*p)->blocked_by != NULL) != (blocker != NULL))
			s = pp_plan_switch(g->plan, blocker != NULL ? PP_UNBLOCK : PP_BLOCK,
			    (*p)->key, (*p)->version);
		if (s != NULL && s->action != PP_DISABLE)
			s->because =
			    pp_xstrdup(s->action == PP_UNBLOCK ? blocker : (*p)->blocked_by);
	}
}

/* ---- what stands in the way ---- */

/* Somebody wanted these kept as they are. */
static enum plugpkg_code
check_holds(struct pp_going *g, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf held = PP_BUF_INIT(65536);
	PP_AUTO_BUF struct pp_buf keys = PP_BUF_INIT(65536);

	pp_vec_foreach (step, &g->plan->steps) {
		const struct pp_installed *p =
		    pp_installeds_get(&g->now.set, pp_step_old_key(step));
		if (p == NULL || !pp_installed_is_held(p, g->ctx->now))
			continue;
		pp_buf_addf(&held, "%s%s %s", held.n > 0 ? ", " : "", p->key, p->version);
		pp_buf_addf(&keys, " %s", p->key);
	}
	if (held.n == 0 || g->plan->overrides_holds)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
	    "generation %" PRId64 " is without what is held now: %s", g->target,
	    pp_buf_cstr(&held));
	return pp_hint(
	    err, PLUGPKG_E_REFUSED, "plugpkg unhold%s, or add --force", pp_buf_cstr(&keys));
}

/* The application may have moved on since; that is said, and no reason to refuse. */
static void
note_broken(struct pp_going *g)
{
	for (size_t i = 0; i < g->then.releases.n; i++)
		pp_vec_foreach (dep, &g->then.releases.at[i]->requires) {
			const char *host = pp_inventory_host_version(&g->then, dep);
			if (!pp_starts_with(dep->name, "host:") || g->then.is_host_partial)
				continue;
			PP_AUTO_FREE char *by = pp_inventory_satisfier(&g->then, dep);
			if (by != NULL)
				continue;
			struct pp_kept *k = pp_vec_new(&g->plan->broken);
			k->name = pp_xstrdup(g->then.set.at[i]->key);
			k->version = pp_xstrdup(g->then.set.at[i]->version);
			k->reason = pp_asprintf("needs %s %s; this application has %s", dep->name,
			    dep->text, host != NULL ? host : "none of it");
		}
}

/* Dependents of what leaves or is upgraded are asked as ever; they cannot change the plan. */
static enum plugpkg_code
ask_dependents(struct pp_going *g, plugpkg_error **err)
{
	const struct plugpkg_request request = {
		.verb = PLUGPKG_REMOVE,
		.flags = (g->plan->is_forced ? PLUGPKG_FORCE : 0U) |
			 (g->ctx->is_dry_run ? PLUGPKG_LOOK : 0U),
	};
	PP_AUTO_FREE char *whither = pp_asprintf("generation %" PRId64, g->target);
	struct pp_making m = {
		.ctx = g->ctx,
		.request = &request,
		.plan = g->plan,
		.inv = g->now, /* borrowed: m is never finished */
		.open = PP_SOURCES_OPEN_INIT,
		.after = &g->then.releases,
	};
	enum plugpkg_code rc = pp_making_vote(&m, whither, err);

	pp_votes_fini(&m.asked);
	pp_strs_fini(&m.delayed);
	return rc;
}

/* ---- plugpkg.json ---- */

static void
wish(struct pp_going *g, const char *name, const char *range)
{
	struct pp_wish *w = pp_vec_new(g->wishes);

	w->name = pp_xstrdup(name);
	w->range = pp_xstrdup(range);
}

static bool
is_installed_now(const struct pp_going *g, const struct pp_dep *dep)
{
	const struct pp_deps one = { .at = (struct pp_dep *)(uintptr_t)dep, .n = 1 };

	if (pp_installeds_get(&g->now.set, dep->name) != NULL)
		return true;
	pp_vec_foreach (p, &g->now.set)
		if (pp_installed_wish(&g->now.set, *p, &one) != NULL)
			return true;
	return false;
}

/* As it stood when the root left that generation; what was written since and not done yet stays. */
static void
wish_as_recorded(struct pp_going *g, const pp_json *wanted)
{
	const struct pp_deps *present = &g->ctx->config->plugins;

	for (void *it = pp_json_iter(wanted); it != NULL; it = pp_json_next(wanted, it)) {
		const char *name = pp_json_iter_key(it);
		const char *range = pp_json_string(pp_json_iter_value(it));
		const struct pp_dep *dep = pp_deps_get(present, name);
		if (range != NULL && (dep == NULL || strcmp(dep->text, range) != 0))
			wish(g, name, range);
	}
	pp_vec_foreach (dep, present)
		if (pp_json_get(wanted, dep->name) == NULL && is_installed_now(g, dep))
			wish(g, dep->name, NULL);
}

/* By the marks alone, of a generation that no transaction led away from. */
static void
wish_as_marked(struct pp_going *g)
{
	const struct pp_deps *present = &g->ctx->config->plugins;

	pp_vec_foreach (p, &g->then.set)
		if ((*p)->manual && pp_installed_wish(&g->then.set, *p, present) == NULL)
			wish(g, (*p)->key, "*");
	pp_vec_foreach (p, &g->now.set) {
		const struct pp_dep *dep = pp_installed_wish(&g->now.set, *p, present);
		const struct pp_installed *old = pp_installeds_get(&g->then.set, (*p)->key);
		if (dep != NULL && (old == NULL || !old->manual))
			wish(g, dep->name, NULL);
	}
}

static enum plugpkg_code
add_wishes(struct pp_going *g, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *wanted = NULL;
	enum plugpkg_code rc = pp_history_wanted(g->state, g->target, &wanted, err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (wanted != NULL)
		wish_as_recorded(g, wanted);
	else
		wish_as_marked(g);
	return rc;
}

/* ---- the plan ---- */

static enum plugpkg_code
make(struct pp_going *g, plugpkg_error **err)
{
	enum plugpkg_code rc = choose(g, err);

	if (rc != PLUGPKG_OK || g->target == g->plan->generation)
		return rc;
	rc = load(g, err);
	if (rc == PLUGPKG_OK)
		rc = add_steps(g, err);
	if (rc == PLUGPKG_OK)
		add_switches(g);
	if (rc == PLUGPKG_OK)
		rc = check_holds(g, err);
	if (rc == PLUGPKG_OK)
		rc = pp_going_fetch(g, err);
	if (rc == PLUGPKG_OK)
		rc = ask_dependents(g, err);
	if (rc == PLUGPKG_OK)
		rc = add_wishes(g, err);
	if (rc == PLUGPKG_OK)
		note_broken(g);
	return rc;
}

static enum plugpkg_code
plan_to(plugpkg_context *ctx, int64_t target, unsigned flags, const char *command,
    plugpkg_plan **out_plan, plugpkg_error **err)
{
	PP_AUTO(plan) plugpkg_plan *plan = NULL;
	PP_CLEANUP(going_fini) struct pp_going g = { .ctx = ctx, .target = target };
	enum plugpkg_code rc = pp_plan_begin(ctx, pp_xstrdup(command), &plan, err);

	if (rc == PLUGPKG_OK)
		rc = pp_state_get(ctx, &g.state, err);
	if (rc != PLUGPKG_OK)
		return rc;
	g.plan = plan->plan;
	g.wishes = &plan->wishes;
	g.plan->is_rollback = true;
	g.plan->is_forced = g.plan->overrides_holds = (flags & PLUGPKG_ROLLBACK_FORCE) != 0;
	g.plan->skips_scripts = (flags & PLUGPKG_ROLLBACK_NO_SCRIPTS) != 0;
	rc = make(&g, err);
	if (rc == PLUGPKG_OK)
		*out_plan = pp_steal(&plan);
	return rc;
}

enum plugpkg_code
plugpkg_rollback_plan(plugpkg_context *ctx, int64_t generation, unsigned flags,
    plugpkg_plan **out_plan, plugpkg_error **err)
{
	PP_AUTO_FREE char *command =
	    generation < 0 ? pp_xstrdup("rollback") : pp_asprintf("rollback %" PRId64, generation);

	return plan_to(ctx, generation, flags, command, out_plan, err);
}

enum plugpkg_code
plugpkg_undo_plan(
    plugpkg_context *ctx, unsigned flags, plugpkg_plan **out_plan, plugpkg_error **err)
{
	struct pp_state *state = NULL;
	int64_t before = -1;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);

	if (rc == PLUGPKG_OK)
		rc = pp_history_last_change(state, &before, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (before >= 0)
		return plan_to(ctx, before, flags, "undo", out_plan, err);
	(void)pp_fail(
	    err, PLUGPKG_E_REFUSED, 0, "nothing was changed here yet, so nothing can be undone");
	return pp_hint(err, PLUGPKG_E_REFUSED, "plugpkg history lists what happened");
}
