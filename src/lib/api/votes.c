/* SPDX-License-Identifier: MIT */
/*
 * Dependents decide: those that a plan would take along are asked, and so are those whose
 * dependency it would upgrade. All answers are there before anything follows from one; then the
 * plan is made again with what follows, until nobody new is asked. A plan that says itself what the
 * root will be, as that of a rollback, is not made again: there they can only forbid it, for good
 * or for a time.
 */
#include "lib/api/making.h"

#include "base/time.h"
#include "lib/txn/event.h"

#include <stdlib.h>
#include <string.h>

struct voting {
	struct pp_making *m;
	struct pp_asking asking;
	bool is_again; /* something follows that changes the plan */
};

/* Places in the inventory. */
struct asked pp_vec(size_t);

static const struct pp_step *
step_of(const struct pp_plan *plan, const char *key)
{
	pp_vec_foreach (step, &plan->steps)
		if (strcmp(pp_step_old_key(step), key) == 0)
			return step;
	return NULL;
}

static bool
is_forced(const struct pp_making *m)
{
	return m->request != NULL && (m->request->flags & PLUGPKG_FORCE) != 0;
}

static bool
is_gone_along(const struct pp_step *step)
{
	return step->action == PP_REMOVE &&
	       (step->why == PP_WHY_BROKEN || step->why == PP_WHY_CONFLICT);
}

/* ---- who requires whom ---- */

static bool
is_staying(const struct pp_making *m, size_t i)
{
	return pp_installed_is_usable(m->inv.set.at[i]) &&
	       step_of(m->plan, m->inv.set.at[i]->key) == NULL;
}

static bool
has_other(const struct pp_making *m, const struct pp_dep *dep, bool is_leaving)
{
	for (size_t i = 0; i < m->inv.releases.n; i++)
		if (pp_release_satisfies(m->inv.releases.at[i], dep) && is_staying(m, i))
			return true;
	/* What comes is another one only to who asks what is left when the plugin is gone. */
	for (size_t i = 0; is_leaving && m->after != NULL && i < m->after->n; i++)
		if (pp_release_satisfies(m->after->at[i], dep))
			return true;
	return false;
}

/* What the dependent requires of the plugin and nobody else has; NULL: nothing. */
static const struct pp_dep *
tie(const struct pp_making *m, const struct pp_release *dependent, const struct pp_release *plugin,
    bool is_leaving)
{
	pp_vec_foreach (dep, &dependent->requires)
		if (pp_release_satisfies(plugin, dep) && !has_other(m, dep, is_leaving))
			return dep;
	return NULL;
}

/* ---- asking ---- */

static enum plugpkg_code
ask(struct voting *v, const struct pp_vote *about, plugpkg_error **err)
{
	struct pp_vote *vote = pp_votes_add(&v->m->asked, about);
	enum plugpkg_code rc = pp_event_ask(&v->asking, vote, err);

	vote->is_forced =
	    is_forced(v->m) && (vote->said == PP_SAID_VETO || vote->said == PP_SAID_DELAY);
	return rc;
}

static enum plugpkg_code
ask_who_goes(struct voting *v, const struct pp_step *leaving, const struct pp_step *along,
    const struct pp_dep *dep, plugpkg_error **err)
{
	if (pp_votes_get(&v->m->asked, along->key, leaving->key) != NULL)
		return PLUGPKG_OK;
	return ask(v,
	    &(struct pp_vote){
		.event = PP_ON_UNINSTALL_BEFORE,
		.key = along->key,
		.version = along->version,
		.plugin = leaving->key,
		.plugin_version = leaving->version,
		.requirement = dep->name,
	    },
	    err);
}

/* Of each step the release that is installed, or NULL. */
static const struct pp_release **
releases_of(const struct pp_making *m)
{
	const struct pp_steps *steps = &m->plan->steps;
	const struct pp_release **out = pp_xcalloc(steps->n + 1, sizeof(const struct pp_release *));

	for (size_t i = 0; i < steps->n; i++)
		out[i] = pp_inventory_release(&m->inv, steps->at[i].key);
	return out;
}

/* Steps are in order: dependents of dependents leave first, and are asked first. */
static enum plugpkg_code
ask_removals(struct voting *v, plugpkg_error **err)
{
	const struct pp_making *m = v->m;
	const struct pp_step *steps = m->plan->steps.at;
	PP_AUTO_FREE const struct pp_release **releases = releases_of(m);
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; i < m->plan->steps.n; i++) {
		if (steps[i].action != PP_REMOVE || releases[i] == NULL)
			continue;
		for (size_t k = 0; rc == PLUGPKG_OK && k < m->plan->steps.n; k++) {
			if (k == i || releases[k] == NULL || !is_gone_along(&steps[k]))
				continue;
			const struct pp_dep *dep = tie(m, releases[k], releases[i], true);
			if (dep != NULL)
				rc = ask_who_goes(v, &steps[i], &steps[k], dep, err);
		}
	}
	return rc;
}

/* ---- what follows from the answers to a removal ---- */

struct leaver {
	const struct pp_step *step;
	bool goes; /* whatever anybody says */
	bool has_say;
};

/* Whom an answer is from, and whose removal it is about; false where one of them does not leave. */
static bool
find_both(const struct pp_map *leavers, const struct pp_vote *vote, struct leaver **out_along,
    struct leaver **out_left)
{
	*out_along = pp_map_get(leavers, vote->key);
	*out_left = pp_map_get(leavers, vote->plugin);
	return *out_along != NULL && *out_left != NULL;
}

static void
find_going(const struct voting *v, const struct pp_map *leavers)
{
	struct leaver *along, *left;
	bool has_grown = true;

	pp_vec_foreach (vote, &v->m->asked)
		if (find_both(leavers, vote, &along, &left))
			along->has_say = true;
	/* Who was not asked goes for another reason. */
	pp_map_foreach (e, leavers) {
		struct leaver *l = e->value;
		l->goes = !is_gone_along(l->step) || !l->has_say;
	}
	/* The last ones asked are nearest to what was named: one round does for a chain. */
	while (has_grown) {
		has_grown = false;
		for (size_t i = v->m->asked.n; i-- > 0;) {
			const struct pp_vote *vote = &v->m->asked.at[i];
			if (!find_both(leavers, vote, &along, &left) || along->goes ||
			    !left->goes || vote->said == PP_SAID_STAY)
				continue;
			along->goes = has_grown = true;
		}
	}
}

/* It stays without what really leaves; of what stays itself, nothing follows. */
static void
detach(struct voting *v, const struct pp_vote *vote)
{
	struct pp_making *m = v->m;
	size_t at = pp_installeds_index(&m->inv.set, vote->key);

	if (at >= m->inv.releases.n)
		return;
	pp_release_detach(m->inv.releases.at[at], vote->requirement);
	(void)pp_votes_add(&m->plan->votes, vote);
	v->is_again = true;
}

static void
follow(struct voting *v)
{
	const struct pp_steps *steps = &v->m->plan->steps;
	PP_AUTO_FREE struct leaver *all = pp_xcalloc(steps->n + 1, sizeof(*all));
	PP_CLEANUP(pp_auto_map) struct pp_map leavers = { .n = 0 };
	struct leaver *along, *left;

	for (size_t i = 0; i < steps->n; i++) {
		all[i].step = &steps->at[i];
		if (all[i].step->action == PP_REMOVE)
			*pp_map_put(&leavers, all[i].step->key) = &all[i];
	}
	find_going(v, &leavers);
	pp_vec_foreach (vote, &v->m->asked)
		if (find_both(&leavers, vote, &along, &left) && !along->goes && left->goes &&
		    vote->said == PP_SAID_STAY)
			detach(v, vote);
}

/* ---- upgrades ---- */

static struct pp_state_put_off
put_off_of(const struct pp_vote *vote)
{
	return (struct pp_state_put_off){ vote->key, vote->plugin, vote->new_version };
}

/* The first date that it named for this version is the last one. */
static enum plugpkg_code
ask_about_upgrade(struct voting *v, const struct pp_vote *about, plugpkg_error **err)
{
	struct pp_making *m = v->m;
	struct pp_state *state = pp_state_of(m->ctx);
	const struct pp_state_put_off what = put_off_of(about);
	int64_t end = pp_state_delayed(state, &what);
	bool is_look =
	    m->ctx->is_dry_run || m->request == NULL || (m->request->flags & PLUGPKG_LOOK) != 0;

	if (end != 0 && end <= m->ctx->now)
		return PLUGPKG_OK;
	enum plugpkg_code rc = ask(v, about, err);
	struct pp_vote *vote = &m->asked.at[m->asked.n - 1];
	if (rc != PLUGPKG_OK || vote->said != PP_SAID_DELAY)
		return rc;
	pp_state_delay(state, &what, is_look, &vote->until);
	if (vote->is_forced)
		return rc;
	if (!pp_strs_has(&m->delayed, vote->plugin))
		pp_strs_add(&m->delayed, vote->plugin);
	pp_strs_sort(&m->delayed);
	v->is_again = true;
	return rc;
}

static bool
has_vote(const struct pp_votes *votes, const struct pp_vote *about)
{
	const char *version = about->new_version != NULL ? about->new_version : "";

	pp_vec_foreach (vote, votes)
		if (vote->event == about->event && strcmp(vote->key, about->key) == 0 &&
		    strcmp(vote->plugin, about->plugin) == 0 &&
		    strcmp(vote->new_version != NULL ? vote->new_version : "", version) == 0)
			return true;
	return false;
}

/* Few plugins want to be asked, so they are picked out once and not for every upgrade. */
static void
find_asked(const struct pp_making *m, struct asked *out)
{
	for (size_t i = 0; i < m->inv.set.n; i++) {
		const struct pp_installed *p = m->inv.set.at[i];
		if (!pp_event_is_handled(p->manifest, PP_ON_UPGRADE_BEFORE) ||
		    !pp_installed_is_usable(p))
			continue;
		const struct pp_step *own = step_of(m->plan, p->key);
		if (own == NULL || own->action != PP_REMOVE)
			pp_vec_push(out, i);
	}
}

static enum plugpkg_code
ask_dependents(
    struct voting *v, const struct asked *asked, const struct pp_step *upgrade, plugpkg_error **err)
{
	const struct pp_making *m = v->m;
	const struct pp_release *old = pp_inventory_release(&m->inv, pp_step_old_key(upgrade));
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && old != NULL && i < asked->n; i++) {
		const struct pp_installed *p = m->inv.set.at[asked->at[i]];
		const struct pp_dep *dep = tie(m, m->inv.releases.at[asked->at[i]], old, false);
		struct pp_vote about = {
			.event = PP_ON_UPGRADE_BEFORE,
			.key = p->key,
			.version = p->version,
			.plugin = (char *)(uintptr_t)pp_step_old_key(upgrade),
			.plugin_version = upgrade->old_version,
			.new_version = upgrade->version,
			.requirement = dep != NULL ? dep->name : NULL,
		};
		if (dep != NULL && !has_vote(&m->asked, &about))
			rc = ask_about_upgrade(v, &about, err);
	}
	return rc;
}

static enum plugpkg_code
ask_upgrades(struct voting *v, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;
	struct asked asked = { 0 };

	find_asked(v->m, &asked);
	pp_vec_foreach (step, &v->m->plan->steps)
		if (rc == PLUGPKG_OK && step->action == PP_UPGRADE)
			rc = ask_dependents(v, &asked, step, err);
	pp_vec_free(&asked);
	return rc;
}

/* ---- telling ---- */

static char *
delay_text(const struct pp_vote *vote)
{
	char until[PP_TIME_TEXT];

	pp_time_format(vote->until, until);
	return pp_asprintf("%s delays it until %s%s%s", vote->key, until,
	    vote->text != NULL ? ": " : "", vote->text != NULL ? vote->text : "");
}

/* The solver calls it held; who asks why wants to know by whom. */
static void
explain_delays(struct pp_making *m)
{
	pp_vec_foreach (vote, &m->asked) {
		if (vote->said != PP_SAID_DELAY || vote->is_forced)
			continue;
		struct pp_kept *kept =
		    pp_plan_keep(m->plan, vote->plugin, vote->plugin_version, vote->new_version);
		free(kept->reason);
		kept->reason = delay_text(vote);
	}
}

static void
keep_votes(struct pp_making *m)
{
	pp_vec_foreach (vote, &m->asked) {
		const struct pp_step *along = step_of(m->plan, vote->key);
		const struct pp_step *leaving = step_of(m->plan, vote->plugin);
		bool concerns = vote->event == PP_ON_UPGRADE_BEFORE ||
				(along != NULL && is_gone_along(along) && leaving != NULL &&
				    leaving->action == PP_REMOVE);
		/* What made the solver begin again, the plan has already. */
		if (concerns && !has_vote(&m->plan->votes, vote))
			(void)pp_votes_add(&m->plan->votes, vote);
	}
}

static enum plugpkg_code
refuse_veto(const struct pp_making *m, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf all = PP_BUF_INIT(65536);
	const struct pp_vote *first = NULL;

	pp_vec_foreach (vote, &m->plan->votes) {
		if (vote->said != PP_SAID_VETO || vote->is_forced)
			continue;
		first = first != NULL ? first : vote;
		pp_buf_addf(&all, "\n  %s %s does not let %s go: %s", vote->key, vote->version,
		    vote->plugin, vote->text != NULL ? vote->text : "it gives no reason");
	}
	if (first == NULL)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_REFUSED, 0, "a dependent refuses; nothing was changed%s",
	    pp_buf_cstr(&all));
	(void)pp_subject(err, PLUGPKG_E_REFUSED, first->key);
	return pp_hint(err, PLUGPKG_E_REFUSED,
	    "--force takes it along all the same, and the history keeps what it said");
}

static bool
is_target(const struct pp_making *m, const struct pp_vote *vote)
{
	PP_AUTO_FREE char *name = pp_key_name(vote->plugin);

	pp_vec_foreach (t, &m->targets)
		if (!t->is_removal && strcmp(t->name, name) == 0)
			return true;
	return m->link != NULL && strcmp(m->link->release->name, name) == 0;
}

/*
 * Who asks for it by name gets an answer, not a plan without it. is_any: so does who makes a plan
 * that is fixed.
 */
static enum plugpkg_code
refuse_delay(const struct pp_making *m, bool is_any, plugpkg_error **err)
{
	pp_vec_foreach (vote, &m->asked) {
		if (vote->said != PP_SAID_DELAY || vote->is_forced ||
		    (!is_any && !is_target(m, vote)))
			continue;
		PP_AUTO_FREE char *text = delay_text(vote);
		(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "%s stays at %s instead of %s; nothing was changed\n  %s", vote->plugin,
		    vote->plugin_version, vote->new_version, text);
		(void)pp_subject(err, PLUGPKG_E_REFUSED, vote->key);
		return pp_hint(err, PLUGPKG_E_REFUSED,
		    "--force upgrades it all the same, and the history keeps what it said");
	}
	return PLUGPKG_OK;
}

/* ---- a plan that is fixed ---- */

/*
 * Nobody named it: what it leaves for was written down at another time or place, when what it knows
 * now was not known.
 */
static bool
is_taken_off(const struct pp_making *m, const struct pp_step *step)
{
	const struct pp_installed *p = pp_installeds_get(&m->inv.set, step->key);

	return step->action == PP_REMOVE && p != NULL &&
	       (step->why == PP_WHY_ROLLBACK || step->why == PP_WHY_LOCKED) &&
	       pp_event_is_handled(p->manifest, PP_ON_UNINSTALL_BEFORE);
}

static enum plugpkg_code
ask_taken_off(struct voting *v, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_vec_foreach (along, &v->m->plan->steps) {
		if (!is_taken_off(v->m, along))
			continue;
		const struct pp_release *dependent = pp_inventory_release(&v->m->inv, along->key);
		pp_vec_foreach (leaving, &v->m->plan->steps) {
			const struct pp_release *plugin =
			    pp_inventory_release(&v->m->inv, leaving->key);
			if (rc != PLUGPKG_OK || leaving == along || leaving->action != PP_REMOVE ||
			    plugin == NULL || dependent == NULL)
				continue;
			const struct pp_dep *dep = tie(v->m, dependent, plugin, true);
			if (dep != NULL)
				rc = ask_who_goes(v, leaving, along, dep, err);
		}
	}
	return rc;
}

/* A veto counts, and a delay, and nothing else: where it could stay, it is not to be. */
static void
keep_taken_off(struct pp_making *m, size_t from, const char *whither)
{
	for (size_t i = from; i < m->asked.n; i++) {
		struct pp_vote *vote = pp_votes_add(&m->plan->votes, &m->asked.at[i]);
		if (vote->said != PP_SAID_STAY)
			continue;
		char *said = vote->text;
		vote->said = PP_SAID_GO;
		vote->text = pp_asprintf("it would stay, but %s is without it%s%s", whither,
		    said != NULL ? ": " : "", said != NULL ? said : "");
		free(said);
	}
}

/*
 * It stays without what leaves, as it said at that time or place. Asked again it can only forbid
 * it; of an answer that was overridden it stays without all the same.
 */
static enum plugpkg_code
ask_who_stays(struct voting *v, struct pp_vote *vote, plugpkg_error **err)
{
	const struct pp_installed *p = pp_installeds_get(&v->m->inv.set, vote->key);
	const struct pp_step *leaving = step_of(v->m->plan, vote->plugin);

	if (vote->said != PP_SAID_STAY || p == NULL || strcmp(p->version, vote->version) != 0 ||
	    leaving == NULL || leaving->action != PP_REMOVE)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_event_ask(&v->asking, vote, err);
	vote->is_forced = vote->said == PP_SAID_VETO && is_forced(v->m);
	if (vote->said != PP_SAID_VETO || vote->is_forced)
		vote->said = PP_SAID_STAY;
	return rc;
}

enum plugpkg_code
pp_making_vote(struct pp_making *m, const char *whither, plugpkg_error **err)
{
	struct voting v = { .m = m, .asking = { m->ctx, &m->inv, m->plan } };
	size_t n_asked = m->asked.n, n_votes = m->plan->votes.n;
	enum plugpkg_code rc = ask_taken_off(&v, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < n_votes; i++)
		rc = ask_who_stays(&v, &m->plan->votes.at[i], err);
	if (rc == PLUGPKG_OK)
		rc = ask_upgrades(&v, err);
	if (rc != PLUGPKG_OK)
		return rc;
	keep_taken_off(m, n_asked, whither);
	rc = refuse_veto(m, err);
	return rc == PLUGPKG_OK ? refuse_delay(m, true, err) : rc;
}

/* ---- all of it ---- */

static enum plugpkg_code
vote(struct voting *v, plugpkg_error **err)
{
	enum plugpkg_code rc = ask_removals(v, err);

	if (rc == PLUGPKG_OK)
		rc = ask_upgrades(v, err);
	if (rc == PLUGPKG_OK)
		follow(v);
	if (rc == PLUGPKG_OK && v->is_again)
		rc = refuse_delay(v->m, false, err);
	return rc;
}

static enum plugpkg_code
solve_again(struct pp_making *m, plugpkg_error **err)
{
	pp_plan_clear(m->plan);
	enum plugpkg_code rc = pp_making_solve_once(m, err);

	pp_vec_foreach (said, &m->asked)
		if (rc != PLUGPKG_OK && said->said == PP_SAID_DELAY && !said->is_forced) {
			PP_AUTO_FREE char *text = delay_text(said);
			rc = pp_wrap(err, rc, "%s %s is kept back (%s)", said->plugin,
			    said->plugin_version, text);
		}
	return rc;
}

enum plugpkg_code
pp_making_solve(struct pp_making *m, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_making_solve_once(m, err);

	for (bool is_again = true; rc == PLUGPKG_OK && is_again;) {
		struct voting v = { .m = m, .asking = { m->ctx, &m->inv, m->plan } };
		rc = vote(&v, err);
		is_again = v.is_again;
		if (rc == PLUGPKG_OK && is_again)
			rc = solve_again(m, err);
	}
	if (rc != PLUGPKG_OK)
		return rc;
	keep_votes(m);
	explain_delays(m);
	return refuse_veto(m, err);
}
