/* SPDX-License-Identifier: MIT */
/*
 * Which job each verb, target, hold and range becomes (the table of libsolv's pitfalls decides
 * which one).
 */
#include "lib/solve/jobs.h"

#include "lib/solve/majors.h"

#include <solv/solver.h>
#include <string.h>

void
pp_jobs_push(struct pp_jobs *j, Id how, Id what, struct pp_job job)
{
	queue_push2(&j->queue, how, what);
	pp_vec_push(&j->list, job);
}

void
pp_jobs_truncate(struct pp_jobs *j, size_t n)
{
	queue_truncate(&j->queue, (int)(2 * n));
	j->list.n = n;
}

void
pp_jobs_fini(struct pp_jobs *j)
{
	queue_free(&j->queue);
	pp_vec_free(&j->list);
}

static void
push_policy(struct pp_jobs *j, Id how, Id what)
{
	pp_jobs_push(j, how, what, (struct pp_job){ .kind = PP_JOB_POLICY, .cand = PP_NO_CAND });
}

/* ---- order among the providers of a virtual name ---- */

struct provider {
	const char *name;
	int priority;
	bool is_namesake;                 /* the plugin that has the name itself */
	const struct pp_version *version; /* highest version of the virtual name; NULL: without */
};
struct providers pp_vec(struct provider);

static int
cmp_versions(const struct pp_version *a, const struct pp_version *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return pp_version_cmp(a, b);
}

/* Worst first: later jobs of this kind count more. */
static int
worst_first(const void *a, const void *b)
{
	const struct provider *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->is_namesake != y->is_namesake)
		return x->is_namesake ? 1 : -1;
	int d = cmp_versions(x->version, y->version);
	return d != 0 ? d : strcmp(y->name, x->name);
}

static void
add_provider(struct pp_pool *p, const struct pp_known *k, const char *name, struct providers *out)
{
	struct provider best = { .name = name, .is_namesake = strcmp(name, k->name) == 0 };
	bool has_any = false;

	for (size_t i = pp_load_first_cand(p->load, name); pp_load_is_cand_of(p->load, i, name);
	     i++) {
		const struct pp_cand *c = &p->load->cands.at[i];
		if (c->origin != PP_FROM_SOURCE)
			continue;
		const struct pp_dep *d = pp_deps_get(&c->release->provides, k->name);
		if (d == NULL && !best.is_namesake)
			continue;
		const struct pp_version *v = best.is_namesake          ? &c->release->version
					     : d->version.text != NULL ? &d->version
								       : NULL;
		int priority = p->load->world->sources[c->source].priority;
		if (!has_any || cmp_versions(v, best.version) > 0)
			best.version = v;
		best.priority = !has_any || priority > best.priority ? priority : best.priority;
		has_any = true;
	}
	if (has_any)
		pp_vec_push(out, best);
}

/* All versions of the name, so that preferring it never means an older version of it. */
static void
favour(struct pp_jobs *j, struct pp_pool *p, const char *name)
{
	size_t first = pp_load_first_cand(p->load, name), end = first;

	while (pp_load_is_cand_of(p->load, end, name))
		end++;
	for (size_t i = end; i-- > first;)
		if (p->load->cands.at[i].origin == PP_FROM_SOURCE)
			push_policy(j, SOLVER_FAVOR | SOLVER_SOLVABLE, p->solvables[i]);
}

/* ranked: the names that have their rank already. */
static void
rank_providers_of(
    struct pp_jobs *j, struct pp_pool *p, const struct pp_known *k, struct pp_map *ranked)
{
	struct providers list = { 0 };

	add_provider(p, k, k->name, &list);
	pp_vec_foreach (provider, &k->providers)
		if (strcmp(*provider, k->name) != 0)
			add_provider(p, k, *provider, &list);
	pp_vec_sort(&list, worst_first);
	pp_vec_foreach (x, &list) {
		void **is_ranked = pp_map_put(ranked, x->name);
		if (list.n > 1 && *is_ranked == NULL)
			favour(j, p, x->name);
		*is_ranked = p;
	}
	pp_vec_free(&list);
}

/* libsolv compares versions of one name only; parallel majors have different ones there. */
static void
rank_majors(struct pp_jobs *j, struct pp_pool *p)
{
	const char *last = NULL;

	pp_vec_foreach (c, &p->load->cands) {
		if (!c->release->is_parallel ||
		    (last != NULL && strcmp(last, c->release->name) == 0))
			continue;
		last = c->release->name;
		favour(j, p, last);
	}
}

/*
 * Installed providers win by themselves. The rank of a plugin is that among the providers of the
 * first virtual name it has, in order of names: one rank a plugin is all that libsolv can be
 * told.
 */
static void
rank_providers(struct pp_jobs *j, struct pp_pool *p)
{
	struct pp_map ranked = { 0 };
	struct pp_strs names = { 0 };

	rank_majors(j, p);
	pp_map_foreach (e, &p->load->known)
		if (((const struct pp_known *)e->value)->providers.n > 0)
			pp_strs_add(&names, e->key);
	pp_strs_sort(&names);
	pp_vec_foreach (name, &names)
		rank_providers_of(j, p, pp_load_known(p->load, *name), &ranked);
	pp_strs_fini(&names);
	pp_map_fini(&ranked, NULL);
}

/* ---- standing wishes ---- */

/* Of this very plugin: of a major of a parallel one only when it can be the answer. */
static bool
speaks_of(const struct pp_load *l, const struct pp_ask *ask, const struct pp_release *r)
{
	if (!r->is_parallel || ask->is_removal)
		return pp_ask_means(ask, r);
	for (size_t i = pp_load_first_cand(l, r->name); pp_load_is_cand_of(l, i, r->name); i++)
		if (pp_excludes(l->cands.at[i].release, r) &&
		    pp_cand_satisfies(l, &l->cands.at[i], &ask->dep))
			return true;
	return false;
}

/*
 * A range that the installed version breaks already is no wish of this request: `sync` sees to
 * it.
 */
static void
keep_wanted(struct pp_jobs *j, struct pp_pool *p, const struct pp_cand *c)
{
	const struct pp_dep *wanted = pp_world_wanted(p->load->world, c->release);

	if (wanted == NULL || !pp_cand_satisfies(p->load, c, wanted))
		return;
	pp_vec_foreach (ask, &p->load->asks)
		if (speaks_of(p->load, ask, c->release) &&
		    (ask->is_removal || ask->dep.range != NULL))
			return;
	if (p->load->request->link != NULL &&
	    strcmp(p->load->request->link->name, c->release->name) == 0)
		return;
	pp_jobs_push(j, SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES,
	    pp_pool_dep(p, wanted, PP_REACH_RELEASES),
	    (struct pp_job){ .kind = PP_JOB_WANTED, .dep = wanted, .cand = PP_NO_CAND });
}

static void
keep_installed(struct pp_jobs *j, struct pp_pool *p, size_t i)
{
	const struct pp_cand *c = &p->load->cands.at[i];
	Id id = p->solvables[i];

	if (c->origin == PP_FROM_HOST) {
		push_policy(j, SOLVER_LOCK | SOLVER_ESSENTIAL | SOLVER_SOLVABLE, id);
		push_policy(j, SOLVER_USERINSTALLED | SOLVER_SOLVABLE, id);
		return;
	}
	if (c->installed->manual)
		push_policy(j, SOLVER_USERINSTALLED | SOLVER_SOLVABLE, id);
	if (c->installed->hold)
		pp_jobs_push(j, SOLVER_LOCK | SOLVER_SOLVABLE, id,
		    (struct pp_job){ .kind = PP_JOB_HOLD, .cand = i });
	else
		keep_wanted(j, p, c);
}

void
pp_jobs_init(struct pp_jobs *j, struct pp_pool *p)
{
	*j = (struct pp_jobs){ 0 };
	queue_init(&j->queue);
	for (size_t i = 0; i < p->load->cands.n; i++)
		if (p->load->cands.at[i].installed != NULL ||
		    p->load->cands.at[i].origin == PP_FROM_HOST)
			keep_installed(j, p, i);
	rank_providers(j, p);
}

/* ---- the request ---- */

static Id
installed_solvable(struct pp_pool *p, const struct pp_ask *ask)
{
	const char *name = ask->dep.name;

	for (size_t i = pp_load_first_cand(p->load, name); pp_load_is_cand_of(p->load, i, name);
	     i++)
		if (p->load->cands.at[i].origin == PP_FROM_INSTALLED &&
		    speaks_of(p->load, ask, p->load->cands.at[i].release))
			return p->solvables[i];
	return 0;
}

/* The releases that answer the target, as one thing to choose from; 0: there is none. */
static Id
answers_of(struct pp_pool *p, const struct pp_ask *ask, bool with_installed)
{
	const struct pp_cand_run run = pp_load_answers(p->load, ask);
	Queue found;
	Id id = 0;

	queue_init(&found);
	for (size_t i = run.first; i < run.end; i++) {
		const struct pp_cand *c = &p->load->cands.at[i];
		if (c->origin != PP_FROM_HOST && (with_installed || c->origin == PP_FROM_SOURCE) &&
		    pp_cand_answers(p->load, c, ask))
			queue_push(&found, p->solvables[i]);
	}
	if (found.count > 0)
		id = pool_queuetowhatprovides(p->pool, &found);
	queue_free(&found);
	return id;
}

/* Each installed major that the target speaks of, within its major. */
static void
push_updates(struct pp_jobs *j, struct pp_pool *p, const struct pp_ask *ask, struct pp_job job)
{
	const char *name = ask->dep.name;

	for (size_t i = pp_load_first_cand(p->load, name); pp_load_is_cand_of(p->load, i, name);
	     i++)
		if (p->load->cands.at[i].origin == PP_FROM_INSTALLED &&
		    pp_ask_means(ask, p->load->cands.at[i].release))
			pp_jobs_push(j, SOLVER_UPDATE | SOLVER_SOLVABLE, p->solvables[i], job);
}

/* Does the target reinstall a linked plugin from its source in another version? */
static bool
leaves_link(const struct pp_load *l, const struct pp_ask *ask)
{
	const struct pp_known *k = pp_load_known(l, ask->dep.name);

	if ((l->request->flags & PLUGPKG_REINSTALL) == 0 || k->installed == NULL ||
	    !k->installed->linked)
		return false;
	pp_vec_foreach (s, &k->slots)
		if (s->state == PP_SLOT_TWIN)
			return false; /* the same version: no matter of choice */
	return true;
}

/* How free the choice is where the plugin is installed in another version or origin. */
static Id
how_to_install(const struct pp_load *l, const struct pp_ask *ask)
{
	Id how = SOLVER_INSTALL | SOLVER_SOLVABLE_ONE_OF;

	if (ask->dep.range != NULL && (l->request->flags & PLUGPKG_DOWNGRADE) != 0)
		how |= SOLVER_SETEV | SOLVER_SETEVR;
	return how;
}

static void
add_ask(struct pp_jobs *j, struct pp_pool *p, const struct pp_ask *ask)
{
	struct pp_job job = { .kind = PP_JOB_ASK, .ask = ask, .cand = PP_NO_CAND };
	const struct pp_load *l = p->load;
	Id installed = installed_solvable(p, ask), what = 0;

	if (installed == 0 && (ask->is_removal || l->request->verb == PLUGPKG_UPGRADE))
		return; /* was refused before; here it means nothing */
	if (ask->is_removal) {
		pp_jobs_push(j, SOLVER_ERASE | SOLVER_SOLVABLE, installed, job);
		return;
	}
	job.dep = &ask->dep;
	if (leaves_link(l, ask))
		what = answers_of(p, ask, false);
	if (what != 0) {
		pp_jobs_push(j, SOLVER_INSTALL | SOLVER_SOLVABLE_ONE_OF, what, job);
		return;
	}
	bool is_only_upgrade = (l->request->flags & PLUGPKG_ONLY_UPGRADE) != 0;
	if (l->request->verb == PLUGPKG_UPGRADE || (is_only_upgrade && installed != 0))
		push_updates(j, p, ask, job);
	if (l->request->verb == PLUGPKG_UPGRADE && ask->dep.range == NULL)
		return;
	what = answers_of(p, ask, true);
	if (what != 0)
		pp_jobs_push(j, how_to_install(l, ask), what, job);
}

void
pp_jobs_add_request(struct pp_jobs *j, struct pp_pool *p)
{
	struct pp_job all = { .kind = PP_JOB_ASK, .cand = PP_NO_CAND };

	pp_vec_foreach (ask, &p->load->asks)
		add_ask(j, p, ask);
	if (p->load->request->verb == PLUGPKG_UPGRADE && p->load->asks.n == 0)
		pp_jobs_push(j, SOLVER_UPDATE | SOLVER_SOLVABLE_ALL, 0, all);
	for (size_t i = 0; i < p->load->cands.n; i++)
		if (p->load->cands.at[i].origin == PP_FROM_LINK)
			pp_jobs_push(j, SOLVER_INSTALL | SOLVER_SOLVABLE, p->solvables[i], all);
}
