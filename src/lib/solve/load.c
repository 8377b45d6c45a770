/* SPDX-License-Identifier: MIT */
/*
 * The walk over names, breadth first, and the admission of releases. Owns the releases that the
 * sources' callbacks hand out. Decides nothing: what it leaves out could not be chosen at all.
 */
#include "lib/solve/load.h"

#include "lib/solve/admit.h"

#include <string.h>

#define MAX_NAMES_IN_WALK 100000

const struct pp_dep *
pp_world_wanted(const struct pp_solve_world *world, const struct pp_release *r)
{
	const struct pp_dep *d = NULL;

	if (world->wanted != NULL)
		d = pp_deps_get(world->wanted, pp_release_key(r));
	if (world->wanted != NULL && d == NULL)
		d = pp_deps_get(world->wanted, r->name);

	return d != NULL && d->range != NULL && !pp_range_is_any(d->range) ? d : NULL;
}

const struct pp_known *
pp_load_known(const struct pp_load *l, const char *name)
{
	if (!pp_key_has_major(name))
		return pp_map_get(&l->known, name);
	PP_AUTO_FREE char *plain = pp_key_name(name);
	return pp_map_get(&l->known, plain);
}

const struct pp_solve_installed *
pp_load_installed(const struct pp_load *l, const char *name)
{
	const struct pp_known *k = pp_load_known(l, name);

	return k != NULL ? k->installed : NULL;
}

bool
pp_load_is_cand_of(const struct pp_load *l, size_t cand, const char *name)
{
	return cand < l->cands.n && strcmp(l->cands.at[cand].release->name, name) == 0;
}

size_t
pp_load_first_cand(const struct pp_load *l, const char *name)
{
	size_t low = l->n_hosts, high = l->cands.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(l->cands.at[middle].release->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return pp_load_is_cand_of(l, low, name) ? low : l->cands.n;
}

const struct pp_ask *
pp_load_ask(const struct pp_load *l, const char *name)
{
	return pp_map_get(&l->asked, name);
}

bool
pp_cand_may_speak_for(const struct pp_load *l, const struct pp_cand *c, const char *name)
{
	const struct pp_known *k = pp_load_known(l, name);

	if (pp_name_is_host(name))
		return c->origin == PP_FROM_HOST;
	if (c->origin != PP_FROM_SOURCE || k == NULL || k->owner == PP_NO_SOURCE)
		return true;
	return l->world->sources[c->source].priority >= l->world->sources[k->owner].priority;
}

static bool
matches(const struct pp_dep *dep, const struct pp_version *v, bool is_loose)
{
	if (dep->range == NULL)
		return is_loose || !pp_version_is_prerelease(v);
	return pp_range_match(dep->range, v, is_loose);
}

bool
pp_cand_satisfies(const struct pp_load *l, const struct pp_cand *c, const struct pp_dep *dep)
{
	if (strcmp(c->release->name, dep->name) == 0 ||
	    strcmp(pp_release_key(c->release), dep->name) == 0)
		return matches(dep, &c->release->version, c->is_loose);

	const struct pp_dep *p = pp_deps_get(&c->release->provides, dep->name);
	if (p == NULL || !pp_cand_may_speak_for(l, c, dep->name))
		return false;
	if (p->version.text == NULL)
		return dep->range == NULL || pp_range_is_any(dep->range);
	return matches(dep, &p->version, false);
}

bool
pp_cand_answers(const struct pp_load *l, const struct pp_cand *c, const struct pp_ask *ask)
{
	bool is_namesake = strcmp(c->release->name, ask->dep.name) == 0;

	/* Nearly every candidate ends here, for nearly every target. */
	if (!is_namesake && c->release->provides.n == 0 && !c->release->is_parallel)
		return false;
	const struct pp_known *k = pp_load_known(l, ask->dep.name);
	if (!is_namesake && k != NULL && (k->slots.n > 0 || k->installed != NULL))
		return false;
	if (ask->source != NULL && c->origin == PP_FROM_SOURCE &&
	    strcmp(l->world->sources[c->source].name, ask->source) != 0)
		return false;
	if (ask->source != NULL && c->origin == PP_FROM_INSTALLED &&
	    (c->installed->source == NULL || strcmp(c->installed->source, ask->source) != 0))
		return false;
	return pp_cand_satisfies(l, c, &ask->dep);
}

struct pp_cand_run
pp_load_answers(const struct pp_load *l, const struct pp_ask *ask)
{
	const struct pp_known *k = pp_load_known(l, ask->dep.name);
	struct pp_cand_run run = { 0, l->cands.n };

	if (k == NULL || (k->slots.n == 0 && k->installed == NULL))
		return run; /* any may provide it */
	run.first = run.end = pp_load_first_cand(l, ask->dep.name);
	while (pp_load_is_cand_of(l, run.end, ask->dep.name))
		run.end++;
	return run;
}

/* ---- setting up ---- */

/* Only what is installed shall come up. */
static bool
is_skipped(const struct pp_load *l, const struct pp_target *t)
{
	return (l->request->flags & PLUGPKG_ONLY_UPGRADE) != 0 && !t->is_removal &&
	       pp_load_installed(l, t->name) == NULL;
}

static enum plugpkg_code
add_asks(struct pp_load *l, plugpkg_error **err)
{
	for (size_t i = 0; i < l->request->n_targets; i++) {
		const struct pp_target *t = &l->request->targets[i];
		if (is_skipped(l, t)) {
			pp_strs_add(&l->skipped, t->name);
			continue;
		}
		struct pp_ask *a = pp_vec_new(&l->asks);
		a->is_removal = t->is_removal;
		a->source = t->source;
		a->dep.name = pp_xstrdup(t->name);
		a->dep.text = pp_xstrdup(t->range != NULL ? t->range : "*");
		if (t->range == NULL)
			continue;
		enum plugpkg_code rc = pp_range_parse(pp_str_of(t->range), &a->dep.range, err);
		if (rc != PLUGPKG_OK) {
			PP_AUTO_FREE char *shown = pp_shown(t->range, strlen(t->range));
			return pp_wrap(err, rc, "'%s@%s'", t->name, shown);
		}
	}
	pp_vec_foreach (a, &l->asks) {
		void **first = pp_map_put(&l->asked, a->dep.name);
		if (*first == NULL)
			*first = a;
	}
	return PLUGPKG_OK;
}

static void
order_sources(struct pp_load *l)
{
	for (size_t i = 0; i < l->world->n_sources; i++) {
		pp_vec_push(&l->by_priority, i);
		for (size_t j = i; j > 0; j--) {
			size_t *a = &l->by_priority.at[j - 1], *b = &l->by_priority.at[j];
			if (l->world->sources[*a].priority >= l->world->sources[*b].priority)
				break;
			size_t moved = *a;
			*a = *b;
			*b = moved;
		}
	}
}

static struct pp_known *
known_named(struct pp_load *l, const char *name)
{
	void **at = pp_map_put(&l->known, name);

	if (*at == NULL) {
		struct pp_known *k = pp_xcalloc(1, sizeof(*k));
		k->name = pp_xstrdup(name);
		k->owner = k->home = PP_NO_SOURCE;
		*at = k;
		pp_vec_push(&l->todo, k);
	}
	return *at;
}

static void
add_host(struct pp_load *l)
{
	if (l->world->host == NULL)
		return;
	pp_vec_foreach (d, l->world->host) {
		struct pp_release *r = pp_xcalloc(1, sizeof(*r));
		r->name = pp_xstrdup(d->name);
		pp_version_copy(&d->version, &r->version);
		pp_vec_push(&l->host, r);
		known_named(l, d->name)->host = &r->version;
	}
}

static void
add_installed(struct pp_known *k, const struct pp_solve_installed *inst)
{
	struct pp_majors *m = &k->majors;

	pp_vec_push(m, inst);
	for (size_t i = m->n - 1; i > 0; i--) {
		const struct pp_solve_installed *above = m->at[i - 1];
		if (pp_version_cmp(&above->release->version, &m->at[i]->release->version) >= 0)
			break;
		m->at[i - 1] = m->at[i];
		m->at[i] = above;
	}
	k->installed = m->at[0];
}

enum plugpkg_code
pp_load_init(struct pp_load *l, const struct pp_solve_world *world,
    const struct pp_solve_request *request, plugpkg_error **err)
{
	*l = (struct pp_load){ .world = world, .request = request };
	order_sources(l);
	add_host(l);
	for (size_t i = 0; i < world->n_installed; i++)
		add_installed(
		    known_named(l, world->installed[i].release->name), &world->installed[i]);
	return add_asks(l, err);
}

static void
known_free(void *p)
{
	struct pp_known *k = p;

	free(k->name);
	pp_vec_free(&k->majors);
	pp_vec_free(&k->slots);
	pp_strs_fini(&k->providers);
	pp_vec_free(&k->ranges);
	free(k);
}

void
pp_load_fini(struct pp_load *l)
{
	pp_vec_foreach (a, &l->asks) {
		free(a->dep.name);
		free(a->dep.text);
		pp_range_free(a->dep.range);
	}
	pp_vec_free(&l->asks);
	pp_map_fini(&l->asked, NULL);
	pp_strs_fini(&l->skipped);
	pp_vec_free(&l->by_priority);
	pp_vec_free(&l->todo);
	pp_vec_free(&l->cands);
	pp_map_fini(&l->known, known_free);
	pp_vec_foreach (r, &l->lists)
		pp_releases_fini(r);
	pp_vec_free(&l->lists);
	pp_releases_fini(&l->host);
}

static enum plugpkg_code
load_name(struct pp_load *l, struct pp_known *k, plugpkg_error **err)
{
	k->is_loaded = true;
	/* Host names are the application's alone; a linked directory stands for all versions. */
	if (pp_name_is_host(k->name) ||
	    (l->request->link != NULL && strcmp(l->request->link->name, k->name) == 0))
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_admit_load(l, k, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (name, &k->providers)
		known_named(l, *name);
	return PLUGPKG_OK;
}

/* ---- the walk ---- */

static void
see(struct pp_load *l, const struct pp_dep *d)
{
	PP_AUTO_FREE char *name = pp_key_name(d->name); /* wishes are known by their keys */
	struct pp_known *k = known_named(l, name);

	if (d->range == NULL || pp_range_is_any(d->range) || (k->is_loaded && k->n_waiting == 0))
		return;
	pp_vec_foreach (seen, &k->ranges)
		if (strcmp((*seen)->text, d->text) == 0)
			return;
	pp_vec_push(&k->ranges, d);
	if (k->is_loaded)
		pp_vec_push(&l->todo, k);
}

static void
see_release(struct pp_load *l, const struct pp_release *r)
{
	pp_vec_foreach (d, &r->requires)
		see(l, d);
	pp_vec_foreach (d, &r->recommends)
		see(l, d);
}

static enum plugpkg_code
visit(struct pp_load *l, struct pp_known *k, plugpkg_error **err)
{
	if (!k->is_loaded) {
		enum plugpkg_code rc = load_name(l, k, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	pp_vec_foreach (d, &k->ranges)
		if (k->n_waiting > 0)
			pp_admit_by_range(k, *d);
	pp_vec_foreach (s, &k->slots) {
		if (s->state != PP_SLOT_CANDIDATE || s->is_walked)
			continue;
		s->is_walked = true;
		see_release(l, s->release);
	}
	return PLUGPKG_OK;
}

static void
see_beginnings(struct pp_load *l)
{
	pp_vec_foreach (a, &l->asks)
		see(l, &a->dep);
	for (size_t i = 0; i < l->world->n_installed; i++) {
		const struct pp_release *r = l->world->installed[i].release;
		const struct pp_dep *wanted = pp_world_wanted(l->world, r);
		see_release(l, r);
		if (wanted != NULL)
			see(l, wanted);
	}
	if (l->request->link != NULL) {
		known_named(l, l->request->link->name);
		see_release(l, l->request->link);
	}
}

/* Tells the sources of all names that the walk knows and has not come to. */
static enum plugpkg_code
announce(struct pp_load *l, size_t from, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = from; i < l->todo.n; i++)
		if (!l->todo.at[i]->is_loaded && !pp_name_is_host(l->todo.at[i]->name))
			pp_strs_add(&names, l->todo.at[i]->name);
	for (size_t i = 0; names.n > 0 && rc == PLUGPKG_OK && i < l->world->n_sources; i++) {
		const struct pp_solve_source *s = &l->world->sources[i];
		if (s->expect != NULL)
			rc = s->expect(s->user, &names, err);
	}
	return rc;
}

/* ---- candidates ---- */

/*
 * Who asks for a prerelease by its name means it for the others too, as if it were installed
 * already.
 */
static bool
is_loose(const struct pp_load *l, const struct pp_known *k, const struct pp_slot *s)
{
	if (k->takes_prereleases || !pp_version_is_prerelease(&s->release->version))
		return k->takes_prereleases;
	pp_vec_foreach (a, &l->asks)
		if (strcmp(a->dep.name, k->name) == 0 && !a->is_removal &&
		    matches(&a->dep, &s->release->version, false))
			return true;
	return false;
}

static void
add_cands_of(struct pp_load *l, const struct pp_known *k)
{
	const struct pp_release *link = l->request->link;

	pp_vec_foreach (i, &k->majors)
		pp_vec_push(&l->cands, ((struct pp_cand){ .release = (*i)->release,
					   .origin = PP_FROM_INSTALLED,
					   .installed = *i,
					   .is_loose = true }));
	if (link != NULL && strcmp(link->name, k->name) == 0)
		pp_vec_push(
		    &l->cands, ((struct pp_cand){
				   .release = link, .origin = PP_FROM_LINK, .is_loose = true }));
	pp_vec_foreach (s, &k->slots)
		if (s->state == PP_SLOT_CANDIDATE)
			pp_vec_push(&l->cands, ((struct pp_cand){ .release = s->release,
						   .origin = PP_FROM_SOURCE,
						   .source = s->source,
						   .is_loose = is_loose(l, k, s) }));
}

static int
by_name(const void *a, const void *b)
{
	struct pp_known *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Sorted, so that the same world gives the same ids, however the walk came by its names. */
static void
collect_cands(struct pp_load *l)
{
	struct pp_todo all = { 0 };

	pp_map_foreach (e, &l->known)
		pp_vec_push(&all, e->value);
	pp_vec_sort(&all, by_name);
	pp_vec_foreach (r, &l->host)
		pp_vec_push(&l->cands,
		    ((struct pp_cand){ .release = *r, .origin = PP_FROM_HOST, .is_loose = true }));
	l->n_hosts = l->cands.n;
	pp_vec_foreach (k, &all)
		add_cands_of(l, *k);
	pp_vec_free(&all);
}

static bool
provides(const struct pp_known *plugin, const char *name)
{
	if (plugin == NULL)
		return false;
	pp_vec_foreach (slot, &plugin->slots)
		if (pp_deps_get(&slot->release->provides, name) != NULL)
			return true;
	return false;
}

/* Who only replaces the name had to be seen, and answers for it nowhere. */
static void
keep_providers(const struct pp_load *l, struct pp_known *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->providers.n; i++) {
		if (provides(pp_load_known(l, k->providers.at[i]), k->name))
			k->providers.at[n++] = k->providers.at[i];
		else
			free(k->providers.at[i]);
	}
	k->providers.n = n;
}

enum plugpkg_code
pp_load_walk(struct pp_load *l, plugpkg_context *ctx, plugpkg_error **err)
{
	size_t n_announced = 0;

	see_beginnings(l);
	for (size_t i = 0; i < l->todo.n; i++) {
		enum plugpkg_code rc = pp_check_cancel(ctx, err);
		if (rc == PLUGPKG_OK && i == n_announced) {
			n_announced = l->todo.n;
			rc = announce(l, i, err);
		}
		if (rc == PLUGPKG_OK && l->known.n > MAX_NAMES_IN_WALK)
			rc = pp_fail(err, PLUGPKG_E_NO_SOLUTION, 0,
			    "the request reaches more than %d plugins", MAX_NAMES_IN_WALK);
		if (rc == PLUGPKG_OK)
			rc = visit(l, l->todo.at[i], err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	pp_map_foreach (e, &l->known)
		keep_providers(l, e->value);
	collect_cands(l);
	return PLUGPKG_OK;
}
