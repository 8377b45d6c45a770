/* SPDX-License-Identifier: MIT */
/*
 * Steps of a plan. Works on names and versions only; digests and sizes are filled in by the
 * caller.
 */
#include "lib/solve/steps.h"

#include "lib/solve/majors.h"
#include "lib/solve/missing.h"
#include "lib/solve/order.h"

#include <string.h>

#define TEXT_MAX 4096

/* A chosen candidate that requires or recommends. */
struct asker {
	size_t cand;
	const struct pp_dep *dep;
	bool is_requirement;
};
struct askers pp_vec(struct asker);

struct result {
	const struct pp_load *load;
	const struct pp_chosen *chosen;
	bool *is_chosen;      /* by candidate */
	struct pp_map askers; /* name -> struct askers, in order of candidates */
};

static const struct pp_cand *
cand_at(const struct result *r, size_t i)
{
	return &r->load->cands.at[i];
}

static bool
is_new(const struct pp_cand *c)
{
	return c->origin == PP_FROM_SOURCE || c->origin == PP_FROM_LINK;
}

static void
index_askers(struct result *r, size_t cand, const struct pp_deps *deps, bool is_requirement)
{
	pp_vec_foreach (d, deps) {
		void **at = pp_map_put(&r->askers, d->name);
		if (*at == NULL)
			*at = pp_xcalloc(1, sizeof(struct askers));
		struct askers *list = *at;
		pp_vec_push(list, ((struct asker){ cand, d, is_requirement }));
	}
}

static void
free_askers(void *p)
{
	struct askers *list = p;

	pp_vec_free(list);
	free(list);
}

static void
result_init(struct result *r, const struct pp_load *l, const struct pp_chosen *chosen)
{
	*r = (struct result){
		.load = l,
		.chosen = chosen,
		.is_chosen = pp_xcalloc(l->cands.n + 1, sizeof(bool)),
	};
	pp_vec_foreach (i, chosen) {
		r->is_chosen[*i] = true;
		index_askers(r, *i, &cand_at(r, *i)->release->requires, true);
		index_askers(r, *i, &cand_at(r, *i)->release->recommends, false);
	}
}

static void
result_fini(struct result *r)
{
	free(r->is_chosen);
	pp_map_fini(&r->askers, free_askers);
}

/* ---- why ---- */

static const struct pp_cand *
chosen_named(const struct result *r, const char *name)
{
	for (size_t i = pp_load_first_cand(r->load, name); pp_load_is_cand_of(r->load, i, name);
	     i++)
		if (r->is_chosen[i])
			return cand_at(r, i);
	return NULL;
}

/* A chosen candidate that cannot stand beside this release, or NULL. */
static const struct pp_cand *
chosen_instead_of(const struct result *r, const struct pp_release *rel)
{
	for (size_t i = pp_load_first_cand(r->load, rel->name);
	     pp_load_is_cand_of(r->load, i, rel->name); i++)
		if (r->is_chosen[i] && pp_excludes(cand_at(r, i)->release, rel))
			return cand_at(r, i);
	return NULL;
}

/* Has x a better claim to take the place of old than c: going up, by its major, by its version? */
static bool
is_nearer(const struct pp_cand *x, const struct pp_cand *c, const struct pp_solve_installed *old)
{
	const struct pp_release *r = old->release;
	bool x_is_older = pp_version_cmp(&x->release->version, &r->version) < 0;
	bool c_is_older = pp_version_cmp(&c->release->version, &r->version) < 0;
	bool x_same = pp_same_major(x->release, r), c_same = pp_same_major(c->release, r);

	if (x_is_older != c_is_older)
		return c_is_older;
	if (x_same != c_same)
		return x_same;
	return pp_version_cmp(&x->release->version, &c->release->version) > 0;
}

/*
 * The installed plugin that the new c takes the place of, or NULL. One that gives way to several
 * majors at once goes on in the nearest of them.
 */
static const struct pp_solve_installed *
old_of(const struct result *r, const struct pp_cand *c)
{
	const struct pp_release *rel = c->release;
	const struct pp_solve_installed *old = pp_majors_old(r->load, rel);

	if (old == NULL || pp_same_key(old->release, rel))
		return old;
	for (size_t i = pp_load_first_cand(r->load, rel->name);
	     pp_load_is_cand_of(r->load, i, rel->name); i++)
		if (r->is_chosen[i] && is_new(cand_at(r, i)) && is_nearer(cand_at(r, i), c, old))
			return NULL;
	return old;
}

/* Of several chosen majors a target without a version means the highest that fits. */
static bool
is_answer(const struct result *r, const struct pp_cand *c, const struct pp_ask *a)
{
	const char *name = a->dep.name;

	if (!c->release->is_parallel)
		return true;
	if (r->load->request->verb == PLUGPKG_UPGRADE)
		return pp_ask_means(a, c->release) && old_of(r, c) != NULL;
	if (!pp_cand_satisfies(r->load, c, &a->dep))
		return false;
	for (size_t i = pp_load_first_cand(r->load, name); pp_load_is_cand_of(r->load, i, name);
	     i++)
		if (r->is_chosen[i] && pp_cand_satisfies(r->load, cand_at(r, i), &a->dep) &&
		    pp_version_cmp(&cand_at(r, i)->release->version, &c->release->version) > 0)
			return false;
	return true;
}

/* A target means the plugin of that name; when there is none, what was chosen to provide it. */
static bool
is_asked_for(const struct result *r, const struct pp_cand *c)
{
	const struct pp_solve_request *request = r->load->request;

	if (request->link != NULL)
		return c->origin == PP_FROM_LINK;
	if (request->verb == PLUGPKG_UPGRADE && r->load->asks.n == 0)
		return old_of(r, c) != NULL;
	if (c->release->provides.n == 0 && !c->release->is_parallel &&
	    pp_load_ask(r->load, c->release->name) == NULL)
		return false;
	pp_vec_foreach (a, &r->load->asks) {
		if (a->is_removal)
			continue;
		if (strcmp(a->dep.name, c->release->name) == 0 && is_answer(r, c, a))
			return true;
		if (is_new(c) && pp_cand_answers(r->load, c, a) &&
		    chosen_named(r, a->dep.name) == NULL)
			return true;
	}
	return false;
}

struct best_asker {
	const char *name;
	int rank;
};

static void
look_at_askers(const struct result *r, const struct pp_cand *c, const char *name,
    bool is_requirement, struct best_asker *best)
{
	const struct askers *list = pp_map_get(&r->askers, name);

	if (list == NULL)
		return;
	pp_vec_foreach (a, list) {
		const struct pp_cand *p = cand_at(r, a->cand);
		int rank = !is_new(p) ? 1 : !is_asked_for(r, p) ? 2 : 3;
		if (a->is_requirement != is_requirement || p == c || rank <= best->rank ||
		    !pp_cand_satisfies(r->load, c, a->dep))
			continue;
		best->rank = rank;
		best->name = pp_release_key(p->release);
	}
}

/*
 * Who asks for c: what was asked for itself before other new plugins, these before installed
 * ones, then by name.
 */
static const char *
who_asks(const struct result *r, const struct pp_cand *c, bool is_requirement)
{
	struct best_asker best = { 0 };

	look_at_askers(r, c, c->release->name, is_requirement, &best);
	pp_vec_foreach (d, &c->release->provides)
		look_at_askers(r, c, d->name, is_requirement, &best);
	return best.name;
}

/* The installed plugin that c replaces and that goes, or NULL. */
static const struct pp_solve_installed *
replaced_by(const struct result *r, const struct pp_cand *c)
{
	pp_vec_foreach (d, &c->release->replaces) {
		const struct pp_known *k = pp_load_known(r->load, d->name);
		if (k == NULL)
			continue;
		pp_vec_foreach (old, &k->majors)
			if (chosen_instead_of(r, (*old)->release) == NULL &&
			    (d->range == NULL ||
				pp_range_match(d->range, &(*old)->release->version, true)))
				return *old;
	}
	return NULL;
}

static void
set_why(const struct result *r, const struct pp_cand *c, struct pp_step *s)
{
	const struct pp_solve_installed *old = old_of(r, c);
	const struct pp_solve_installed *replaced = replaced_by(r, c);
	const char *because = NULL;

	s->manual = old != NULL && old->manual;
	if (is_asked_for(r, c)) {
		s->why = PP_WHY_REQUESTED;
		s->manual |= r->load->request->verb != PLUGPKG_UPGRADE &&
			     (r->load->request->flags & PLUGPKG_ONLY_UPGRADE) == 0;
	} else if (replaced != NULL) {
		/*
		 * A new name for what was there: part of the upgrade, as a new version would be.
		 */
		s->why = PP_WHY_REQUESTED;
		s->manual = replaced->manual;
	} else if ((because = who_asks(r, c, true)) == NULL &&
		   (because = who_asks(r, c, false)) != NULL) {
		s->why = PP_WHY_RECOMMENDED;
	} else {
		s->why = PP_WHY_REQUIRED;
	}
	s->because = pp_xstrdup(because);
}

/* ---- new and changed plugins ---- */

static enum pp_action
action_of(const struct pp_cand *c, const struct pp_solve_installed *old)
{
	if (old == NULL)
		return PP_INSTALL;
	int d = pp_version_cmp(&c->release->version, &old->release->version);
	return d > 0 ? PP_UPGRADE : d < 0 ? PP_DOWNGRADE : PP_REINSTALL;
}

static struct pp_step *
add_step(const struct result *r, const struct pp_cand *c, enum pp_action action, uint32_t depth,
    struct pp_plan *plan)
{
	const struct pp_release *rel = c->release;
	const struct pp_solve_installed *old = old_of(r, c);
	struct pp_step *s = pp_plan_add(plan, action, pp_release_key(rel), rel->version.text);

	s->old_version = old != NULL ? pp_xstrdup(old->release->version.text) : NULL;
	if (old != NULL && !pp_same_key(old->release, rel))
		s->old_key = pp_xstrdup(pp_release_key(old->release));
	s->depth = depth;
	set_why(r, c, s);
	return s;
}

/* Another source's copy of the version is a change of origin. */
static bool
may_reinstall_from(const struct pp_load *l, const struct pp_cand *c, const struct pp_slot *slot)
{
	const char *source = c->installed->source;

	return c->installed->linked || source == NULL ||
	       strcmp(source, l->world->sources[slot->source].name) == 0 ||
	       (l->request->flags & PLUGPKG_ALLOW_ORIGIN_CHANGE) != 0;
}

/* The installed version as its source has it, for a reinstall. */
static enum plugpkg_code
add_reinstall(const struct result *r, const struct pp_cand *c, const struct pp_ordered *o,
    struct pp_plan *plan, plugpkg_error **err)
{
	const struct pp_known *k = pp_load_known(r->load, c->release->name);

	pp_vec_foreach (slot, &k->slots) {
		if (slot->state != PP_SLOT_TWIN ||
		    pp_version_cmp(&slot->release->version, &c->release->version) != 0 ||
		    !may_reinstall_from(r->load, c, slot))
			continue;
		struct pp_step *s = add_step(r, c, PP_REINSTALL, o->depth, plan);
		s->cycle = o->is_in_cycle ? o->component + 1 : 0;
		s->source = pp_xstrdup(r->load->world->sources[slot->source].name);
		return PLUGPKG_OK;
	}
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_MAX);
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
	    "cannot reinstall %s: %s has no version %s", k->name,
	    k->home == PP_NO_SOURCE ? "no source" : "its source", c->release->version.text);
	pp_missing_add_existing(&b, k);
	return pp_hint(err, rc, "%s", pp_buf_cstr(&b));
}

static bool
wants_reinstall(const struct result *r, const struct pp_cand *c)
{
	return c->origin == PP_FROM_INSTALLED &&
	       (r->load->request->flags & PLUGPKG_REINSTALL) != 0 &&
	       pp_majors_ask(r->load, c->release) != NULL;
}

static bool
has_changes(const struct result *r)
{
	pp_vec_foreach (i, r->chosen)
		if (is_new(cand_at(r, *i)) || wants_reinstall(r, cand_at(r, *i)))
			return true;
	return false;
}

static enum plugpkg_code
add_changes(const struct result *r, struct pp_plan *plan, plugpkg_error **err)
{
	struct pp_order order = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	if (!has_changes(r))
		return PLUGPKG_OK;
	pp_order_sort(r->load, r->chosen->at, r->chosen->n, &order);
	pp_vec_foreach (o, &order) {
		const struct pp_cand *c = cand_at(r, o->cand);
		if (is_new(c)) {
			struct pp_step *s =
			    add_step(r, c, action_of(c, old_of(r, c)), o->depth, plan);
			s->source = pp_xstrdup(c->origin == PP_FROM_LINK
						   ? "link"
						   : r->load->world->sources[c->source].name);
			s->cycle = o->is_in_cycle ? o->component + 1 : 0;
		} else if (rc == PLUGPKG_OK && wants_reinstall(r, c)) {
			rc = add_reinstall(r, c, o, plan, err);
		}
	}
	pp_vec_free(&order);
	return rc;
}

/* ---- what goes ---- */

static bool
does_any_leave(const struct pp_load *l, const struct pp_leaving *leaving)
{
	for (size_t i = 0; i < l->cands.n; i++)
		if (leaving[i].leaves)
			return true;
	return false;
}

void
pp_steps_add_removals(
    const struct pp_load *l, const struct pp_leaving *leaving, struct pp_plan *plan)
{
	struct pp_chosen old = { 0 };
	struct pp_order order = { 0 };

	if (!does_any_leave(l, leaving))
		return;
	for (size_t i = 0; i < l->cands.n; i++)
		if (l->cands.at[i].origin == PP_FROM_INSTALLED)
			pp_vec_push(&old, i);
	pp_order_sort(l, old.at, old.n, &order);
	for (size_t i = order.n; i-- > 0;) {
		const struct pp_ordered *o = &order.at[i];
		const struct pp_cand *c = &l->cands.at[o->cand];
		if (!leaving[o->cand].leaves)
			continue;
		struct pp_step *s = pp_plan_add(
		    plan, PP_REMOVE, pp_release_key(c->release), c->release->version.text);
		s->old_version = pp_xstrdup(c->release->version.text);
		s->depth = o->depth;
		s->manual = c->installed->manual;
		s->why = leaving[o->cand].why;
		s->because = pp_xstrdup(leaving[o->cand].because);
	}
	pp_vec_free(&old);
	pp_vec_free(&order);
}

static bool
hits(const struct result *r, const struct pp_deps *deps, const struct pp_cand *c)
{
	pp_vec_foreach (d, deps)
		if (pp_cand_satisfies(r->load, c, d))
			return true;
	return false;
}

/* What comes and cannot stand beside c, by what either of them says; or NULL. */
static const struct pp_cand *
conflict_of(const struct result *r, const struct pp_cand *c)
{
	pp_vec_foreach (i, r->chosen) {
		const struct pp_cand *new = cand_at(r, *i);
		if (is_new(new) &&
		    (hits(r, &new->release->conflicts, c) || hits(r, &new->release->replaces, c) ||
			hits(r, &c->release->conflicts, new)))
			return new;
	}
	return NULL;
}

/* What goes without a successor, and c requires it; or NULL. */
static const struct pp_cand *
missed_by(const struct result *r, const struct pp_cand *c)
{
	pp_vec_foreach (d, &c->release->requires) {
		const struct pp_cand *gone = NULL;
		bool is_met = false;
		for (size_t i = 0; i < r->load->cands.n && !is_met; i++) {
			const struct pp_cand *other = cand_at(r, i);
			bool is_gone = other->origin == PP_FROM_INSTALLED && !r->is_chosen[i] &&
				       chosen_instead_of(r, other->release) == NULL;
			if ((!is_gone && !r->is_chosen[i]) || other == c ||
			    !pp_cand_satisfies(r->load, other, d))
				continue;
			is_met = r->is_chosen[i];
			gone = other;
		}
		if (gone != NULL && !is_met)
			return gone;
	}
	return NULL;
}

/* Nobody asked for it, and nothing takes its place. */
static void
set_unnamed(const struct result *r, const struct pp_cand *c, struct pp_leaving *out)
{
	const struct pp_cand *other = conflict_of(r, c);

	out->why = other != NULL ? PP_WHY_CONFLICT : PP_WHY_BROKEN;
	if (other == NULL)
		other = missed_by(r, c);
	if (other != NULL)
		out->because = pp_release_key(other->release);
}

static void
set_leaving(const struct result *r, const struct pp_cand *c, struct pp_leaving *out)
{
	const struct pp_ask *ask = pp_majors_ask(r->load, c->release);
	const struct pp_cand *instead = chosen_instead_of(r, c->release);

	out->leaves = true;
	if (ask != NULL && ask->is_removal) {
		out->why = PP_WHY_REQUESTED;
		return;
	}
	if (instead != NULL) { /* which goes on from another major */
		out->why = PP_WHY_REPLACED;
		out->because = pp_release_key(instead->release);
		return;
	}
	pp_vec_foreach (i, r->chosen) {
		const struct pp_solve_installed *old =
		    is_new(cand_at(r, *i)) ? replaced_by(r, cand_at(r, *i)) : NULL;
		if (old != c->installed)
			continue;
		out->why = PP_WHY_REPLACED;
		out->because = pp_release_key(cand_at(r, *i)->release);
		return;
	}
	set_unnamed(r, c, out);
}

/* Another version takes its place. */
static bool
goes_on(const struct result *r, const struct pp_cand *c)
{
	const char *name = c->release->name;

	for (size_t i = pp_load_first_cand(r->load, name); pp_load_is_cand_of(r->load, i, name);
	     i++)
		if (r->is_chosen[i] && is_new(cand_at(r, i)) &&
		    old_of(r, cand_at(r, i)) == c->installed)
			return true;
	return false;
}

static void
add_gone(const struct result *r, struct pp_plan *plan)
{
	struct pp_leaving *leaving = pp_xcalloc(r->load->cands.n + 1, sizeof(*leaving));

	for (size_t i = 0; i < r->load->cands.n; i++) {
		const struct pp_cand *c = cand_at(r, i);
		if (c->origin == PP_FROM_INSTALLED && !r->is_chosen[i] && !goes_on(r, c))
			set_leaving(r, c, &leaving[i]);
	}
	pp_steps_add_removals(r->load, leaving, plan);
	free(leaving);
}

/* ---- suggestions ---- */

static bool
is_satisfied(const struct result *r, const struct pp_dep *dep)
{
	pp_vec_foreach (i, r->chosen)
		if (pp_cand_satisfies(r->load, cand_at(r, *i), dep))
			return true;
	return false;
}

static void
add_suggestions(const struct result *r, struct pp_plan *plan)
{
	pp_vec_foreach (i, r->chosen) {
		const struct pp_cand *c = cand_at(r, *i);
		if (!is_new(c))
			continue;
		pp_vec_foreach (d, &c->release->suggests)
			if (!is_satisfied(r, d))
				pp_strs_take(
				    &plan->suggested, pp_asprintf("%s (suggested by %s)", d->name,
							  pp_release_key(c->release)));
	}
	pp_strs_sort(&plan->suggested);
}

enum plugpkg_code
pp_steps_add(const struct pp_load *l, const struct pp_chosen *chosen, struct pp_plan *plan,
    plugpkg_error **err)
{
	struct result r;

	result_init(&r, l, chosen);
	enum plugpkg_code rc = add_changes(&r, plan, err);
	if (rc == PLUGPKG_OK) {
		add_gone(&r, plan);
		add_suggestions(&r, plan);
	}
	result_fini(&r);
	return rc;
}
