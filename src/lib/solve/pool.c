/* SPDX-License-Identifier: MIT */
/*
 * Translation into libsolv's pool. Every plugin provides its name twice: NAME for all of its
 * versions and NAME@stable for releases only (no name holds an "@" after its first character).
 * A plugin with parallel majors bears its key, NAME@MAJOR, as its name in the pool and provides
 * NAME besides, so that libsolv keeps one of each major; a release of such a name without that
 * declaration conflicts with NAME@parallel, which those with it provide.
 * Ranges become comparators joined by WITH (one plugin must fulfil all), alternatives joined by
 * OR.
 */
#include "lib/solve/pool.h"

#include "lib/solve/evr.h"
#include "lib/solve/majors.h"

#include <solv/poolarch.h>
#include <string.h>

#define STABLE          "@stable"
#define PARALLEL        "@parallel"
#define TEXT_MAX        (PP_NAME_MAX_BYTES + PP_RANGE_MAX_BYTES + PP_EVR_MAX_BYTES)
#define VENDOR_MAX      128
#define VENDOR_OF_LINKS "link"

static Id
name_id(struct pp_pool *p, const char *name, enum pp_reach reach)
{
	if (reach == PP_REACH_ALL)
		return pool_str2id(p->pool, name, 1);
	pp_buf_clear(&p->text);
	pp_buf_adds(&p->text, name);
	pp_buf_adds(&p->text, STABLE);
	return pool_str2id(p->pool, pp_buf_cstr(&p->text), 1);
}

static Id
evr_id(struct pp_pool *p, const struct pp_version *v, bool is_floor)
{
	pp_buf_clear(&p->text);
	if (is_floor)
		pp_evr_encode_floor(&p->text, v);
	else
		pp_evr_encode(&p->text, v);
	return pool_str2id(p->pool, pp_buf_cstr(&p->text), 1);
}

/* ---- ranges ---- */

static const int rel_of_op[] = {
	[PP_OP_LT] = REL_LT,
	[PP_OP_LE] = REL_LT | REL_EQ,
	[PP_OP_EQ] = REL_EQ,
	[PP_OP_GE] = REL_GT | REL_EQ,
	[PP_OP_GT] = REL_GT,
};

static Id
join(struct pp_pool *p, Id a, Id b, int how)
{
	return a == 0 ? b : pool_rel2id(p->pool, a, b, how, 1);
}

static Id
bound_id(struct pp_pool *p, const struct pp_comparator *c)
{
	struct pp_pool_bound *b =
	    &p->bounds[(uintptr_t)c->version.parts / sizeof(void *) % PP_POOL_BOUNDS];

	if (c->version.pre != NULL)
		return evr_id(p, &c->version, c->below_prereleases);
	if (b->parts != c->version.parts || b->is_floor != c->below_prereleases)
		*b = (struct pp_pool_bound){ c->version.parts, c->below_prereleases,
			evr_id(p, &c->version, c->below_prereleases) };
	return b->id;
}

static Id
all_of(struct pp_pool *p, Id name, const struct pp_alternative *alt)
{
	Id id = 0;

	pp_vec_foreach (c, &alt->all) {
		Id evr = bound_id(p, c);
		Id rel = pool_rel2id(p->pool, name, evr, rel_of_op[c->op], 1);
		id = join(p, id, rel, REL_WITH);
	}
	return id == 0 ? name : id;
}

/*
 * npm's rule: a comparator that names a prerelease opens the prereleases of its own numbers, and
 * of no others. They lie above the numbers' floor and below their release.
 */
static Id
prereleases_of(struct pp_pool *p, Id name, const struct pp_alternative *alt, Id id)
{
	pp_vec_foreach (c, &alt->all) {
		if (!pp_version_is_prerelease(&c->version) || c->below_prereleases)
			continue;
		struct pp_version numbers = { .parts = c->version.parts };
		Id opened = all_of(p, name, alt);
		opened = join(p, opened,
		    pool_rel2id(p->pool, name, evr_id(p, &numbers, true), REL_GT, 1), REL_WITH);
		opened = join(p, opened,
		    pool_rel2id(p->pool, name, evr_id(p, &numbers, false), REL_LT, 1), REL_WITH);
		id = join(p, id, opened, REL_OR);
	}
	return id;
}

/* The dependency's range on another name: that of a major. */
static Id
range_id(struct pp_pool *p, const struct pp_dep *dep, const char *on, enum pp_reach reach)
{
	Id name = name_id(p, on, reach), id = 0;

	if (dep->range == NULL || pp_range_is_any(dep->range))
		return name;
	pp_vec_foreach (alt, &dep->range->any)
		id = join(p, id, all_of(p, name, alt), REL_OR);
	if (reach == PP_REACH_ALL)
		return id;
	pp_vec_foreach (alt, &dep->range->any)
		id = prereleases_of(p, name_id(p, on, PP_REACH_ALL), alt, id);
	return id;
}

static Id
dep_on(struct pp_pool *p, const struct pp_dep *dep, const char *on, enum pp_reach reach)
{
	Id id = range_id(p, dep, on, reach);

	pp_vec_push(&p->deps, ((struct pp_pool_dep){ .id = id, .dep = dep }));
	return id;
}

Id
pp_pool_dep(struct pp_pool *p, const struct pp_dep *dep, enum pp_reach reach)
{
	return dep_on(p, dep, dep->name, reach);
}

const struct pp_dep *
pp_pool_dep_of(const struct pp_pool *p, Id id)
{
	pp_vec_foreach (d, &p->deps)
		if (d->id == id)
			return d->dep;
	return NULL;
}

/* ---- solvables ---- */

static bool
is_new(const struct pp_cand *c)
{
	return c->origin == PP_FROM_SOURCE || c->origin == PP_FROM_LINK;
}

static Repo *
repo_of(const struct pp_pool *p, const struct pp_cand *c)
{
	switch (c->origin) {
	case PP_FROM_HOST:
	case PP_FROM_INSTALLED:
		return p->installed;
	case PP_FROM_LINK:
		return p->link;
	case PP_FROM_SOURCE:
		return p->sources[c->source];
	}
	return NULL;
}

/* Whoever names a file has said where the plugin shall come from. */
static bool
is_taken_from_file(const struct pp_pool *p, const struct pp_cand *c, const struct pp_known *k)
{
	return c->origin == PP_FROM_INSTALLED && k->slots.n > 0 &&
	       strcmp(p->load->world->sources[k->owner].name, PP_SOURCE_FILE) == 0;
}

/* Where what is installed comes from; NULL: from a link. */
static const char *
origin_of_installed(const struct pp_pool *p, const struct pp_cand *c)
{
	const struct pp_solve_request *request = p->load->request;
	const struct pp_known *k = pp_load_known(p->load, c->release->name);
	const struct pp_ask *ask = pp_load_ask(p->load, c->release->name);

	if (is_taken_from_file(p, c, k))
		return PP_SOURCE_FILE;
	if (request->link != NULL && strcmp(request->link->name, c->release->name) == 0)
		return NULL;
	if (!c->installed->linked)
		return c->installed->source;
	if (k->slots.n == 0 || (request->flags & PLUGPKG_REINSTALL) == 0 || ask == NULL)
		return NULL;
	return ask->source != NULL ? ask->source : p->load->world->sources[k->owner].name;
}

static Id
vendor_named(struct pp_pool *p, const char *source)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(VENDOR_MAX);

	if (source == NULL)
		return pool_str2id(p->pool, VENDOR_OF_LINKS, 1);
	pp_buf_addf(&b, "source:%s", source);
	return pool_str2id(p->pool, pp_buf_cstr(&b), 1);
}

/*
 * Nothing changes its origin by itself, except the plugin that the request links or takes back
 * from a link.
 */
static Id
vendor_of(struct pp_pool *p, const struct pp_cand *c)
{
	switch (c->origin) {
	case PP_FROM_HOST:
		return 0;
	case PP_FROM_SOURCE:
		return p->vendors[c->source];
	case PP_FROM_LINK:
		return vendor_named(p, NULL);
	case PP_FROM_INSTALLED:
		break;
	}
	return vendor_named(p, origin_of_installed(p, c));
}

/* Of a candidate's dependency, which others share with their release's text and range. */
static Id
shared_dep(struct pp_pool *p, const struct pp_dep *dep, enum pp_reach reach)
{
	struct pp_pool_recent *r =
	    &p->recent[(uintptr_t)dep->range / sizeof(*dep->range) % PP_POOL_RECENT];

	if (dep->range != NULL && r->range == dep->range && r->name == dep->name &&
	    r->reach == reach)
		return r->id;
	*r = (struct pp_pool_recent){ dep->name, dep->range, reach, pp_pool_dep(p, dep, reach) };
	return r->id;
}

static Offset
add_deps(struct pp_pool *p, Repo *repo, const struct pp_deps *deps, enum pp_reach reach)
{
	Offset at = 0;

	pp_vec_foreach (d, deps)
		at = repo_addid_dep(repo, at, shared_dep(p, d, reach), 0);
	return at;
}

/* libsolv looks for what is replaced by its name in the pool, which has the major in it. */
static Offset
add_replaced_majors(struct pp_pool *p, Repo *repo, const struct pp_dep *d, Offset at)
{
	const struct pp_load *l = p->load;

	for (size_t i = pp_load_first_cand(l, d->name); pp_load_is_cand_of(l, i, d->name); i++) {
		const struct pp_release *r = l->cands.at[i].release;
		if (r->is_parallel)
			at = repo_addid_dep(
			    repo, at, dep_on(p, d, pp_release_key(r), PP_REACH_ALL), 0);
	}
	return at;
}

static Offset
add_replaces(struct pp_pool *p, Repo *repo, const struct pp_cand *c)
{
	Offset at = 0;

	pp_vec_foreach (d, &c->release->replaces)
		if (strcmp(d->name, c->release->name) != 0 &&
		    pp_cand_may_speak_for(p->load, c, d->name)) {
			at = repo_addid_dep(repo, at, pp_pool_dep(p, d, PP_REACH_ALL), 0);
			at = add_replaced_majors(p, repo, d, at);
		}
	return at;
}

/*
 * Releases with and without parallel majors follow each other like versions: a newer one replaces
 * the older ones of the other kind, and any of them when it was asked for by its version.
 */
static Offset
add_other_kind(struct pp_pool *p, Repo *repo, const struct pp_cand *c, Id evr, Offset at)
{
	if (!is_new(c) || !pp_map_has(&p->mixed, c->release->name))
		return at;
	const struct pp_known *k = pp_load_known(p->load, c->release->name);
	const struct pp_ask *ask = pp_majors_ask(p->load, c->release);
	bool takes_any = c->origin == PP_FROM_LINK ||
			 (ask != NULL && ask->dep.range != NULL && !ask->is_removal &&
			     pp_cand_satisfies(p->load, c, &ask->dep));
	pp_vec_foreach (i, &k->majors) {
		const struct pp_release *old = (*i)->release;
		if (old->is_parallel && c->release->is_parallel)
			continue;
		if (pp_same_key(old, c->release))
			continue;
		Id id = pool_str2id(p->pool, pp_release_key(old), 1);
		if (!takes_any)
			id = pool_rel2id(p->pool, id, evr, REL_LT, 1);
		at = repo_addid_dep(repo, at, id, 0);
	}
	return at;
}

static Offset
add_conflicts(struct pp_pool *p, Repo *repo, const struct pp_release *r)
{
	Offset at = add_deps(p, repo, &r->conflicts, PP_REACH_ALL);

	if (r->is_parallel || !pp_map_has(&p->mixed, r->name))
		return at;
	PP_AUTO_FREE char *others = pp_asprintf("%s" PARALLEL, r->name);
	return repo_addid_dep(repo, at, pool_str2id(p->pool, others, 1), 0);
}

static Offset
provide_id(struct pp_pool *p, Repo *repo, Offset at, Id name, Id evr)
{
	Id id = evr != 0 ? pool_rel2id(p->pool, name, evr, REL_EQ, 1) : name;

	return repo_addid_dep(repo, at, id, 0);
}

static Offset
provide(struct pp_pool *p, Repo *repo, Offset at, const char *name, Id evr, enum pp_reach reach)
{
	return provide_id(p, repo, at, name_id(p, name, reach), evr);
}

/* Candidates of one name follow each other. */
static void
find_own(struct pp_pool *p, const char *name)
{
	if (p->own.name == NULL || strcmp(p->own.name, name) != 0)
		p->own = (struct pp_pool_own){ name, name_id(p, name, PP_REACH_ALL), 0 };
}

static Offset
provide_own(struct pp_pool *p, Repo *repo, const struct pp_cand *c, Id evr)
{
	Offset at = provide_id(p, repo, 0, p->own.all, evr);

	if (!c->is_loose && pp_version_is_prerelease(&c->release->version))
		return at;
	if (p->own.stable == 0)
		p->own.stable = name_id(p, c->release->name, PP_REACH_RELEASES);
	return provide_id(p, repo, at, p->own.stable, evr);
}

/* What only plugins with parallel majors are known by besides. */
static Offset
provide_key(struct pp_pool *p, Repo *repo, Offset at, const struct pp_cand *c, Id evr)
{
	PP_AUTO_FREE char *any = pp_asprintf("%s" PARALLEL, c->release->name);
	const char *key = pp_release_key(c->release);

	at = provide(p, repo, at, key, evr, PP_REACH_ALL);
	if (c->is_loose || !pp_version_is_prerelease(&c->release->version))
		at = provide(p, repo, at, key, evr, PP_REACH_RELEASES);
	return provide(p, repo, at, any, evr, PP_REACH_ALL);
}

static Offset
add_provides(struct pp_pool *p, Repo *repo, const struct pp_cand *c, Id evr)
{
	const struct pp_release *r = c->release;
	Offset at = provide_own(p, repo, c, evr);

	if (r->is_parallel)
		at = provide_key(p, repo, at, c, evr);
	pp_vec_foreach (d, &r->provides) {
		if (strcmp(d->name, r->name) == 0 || !pp_cand_may_speak_for(p->load, c, d->name))
			continue;
		bool has_version = d->version.text != NULL;
		Id version = has_version ? evr_id(p, &d->version, false) : 0;
		at = provide(p, repo, at, d->name, version, PP_REACH_ALL);
		if (!has_version || !pp_version_is_prerelease(&d->version))
			at = provide(p, repo, at, d->name, version, PP_REACH_RELEASES);
	}
	return at;
}

/*
 * One array after the other: libsolv keeps them in one block and moves an array that grows again
 * later.
 */
static Id
add_solvable(struct pp_pool *p, const struct pp_cand *c)
{
	Repo *repo = repo_of(p, c);
	Id id = repo_add_solvable(repo), evr = evr_id(p, &c->release->version, false);

	find_own(p, c->release->name);
	Offset provides = add_provides(p, repo, c, evr);
	Offset requires = add_deps(p, repo, &c->release->requires, PP_REACH_RELEASES);
	Offset recommends = add_deps(p, repo, &c->release->recommends, PP_REACH_RELEASES);
	Offset suggests = add_deps(p, repo, &c->release->suggests, PP_REACH_RELEASES);
	Offset conflicts = add_conflicts(p, repo, c->release);
	Offset obsoletes = add_other_kind(p, repo, c, evr, add_replaces(p, repo, c));
	Id vendor = vendor_of(p, c);
	Id name = c->release->is_parallel ? pool_str2id(p->pool, pp_release_key(c->release), 1)
					  : p->own.all;

	Solvable *s = pool_id2solvable(p->pool, id);
	s->name = name;
	s->evr = evr;
	s->arch = pool_id2solvable(p->pool, SYSTEMSOLVABLE)->arch;
	s->vendor = vendor;
	s->provides = provides;
	s->requires = requires;
	s->recommends = recommends;
	s->suggests = suggests;
	s->conflicts = conflicts;
	s->obsoletes = obsoletes;
	return id;
}

/* Names whose releases do not all declare the same. */
static void
find_mixed(struct pp_pool *p)
{
	const struct pp_cands *cands = &p->load->cands;

	for (size_t i = 1; i < cands->n; i++) {
		const struct pp_release *a = cands->at[i - 1].release, *b = cands->at[i].release;
		if (a->is_parallel != b->is_parallel && strcmp(a->name, b->name) == 0)
			*pp_map_put(&p->mixed, a->name) = p;
	}
}

void
pp_pool_init(struct pp_pool *p, const struct pp_load *load)
{
	const struct pp_solve_world *world = load->world;

	*p = (struct pp_pool){ .load = load, .pool = pool_create(), .text = PP_BUF_INIT(TEXT_MAX) };
	pool_setdebugmask(p->pool, 0);
	pool_setdisttype(p->pool, DISTTYPE_DEB);
	p->installed = repo_create(p->pool, "installed");
	p->link = repo_create(p->pool, VENDOR_OF_LINKS);
	p->sources = pp_xcalloc(world->n_sources + 1, sizeof(*p->sources));
	p->vendors = pp_xcalloc(world->n_sources + 1, sizeof(*p->vendors));
	for (size_t i = 0; i < world->n_sources; i++) {
		p->vendors[i] = vendor_named(p, world->sources[i].name);
		p->sources[i] = repo_create(p->pool, world->sources[i].name);
		p->sources[i]->priority = world->sources[i].priority;
	}
	pool_set_installed(p->pool, p->installed);

	find_mixed(p);
	p->solvables = pp_xcalloc(load->cands.n + 1, sizeof(*p->solvables));
	for (size_t i = 0; i < load->cands.n; i++)
		p->solvables[i] = add_solvable(p, &load->cands.at[i]);
	p->cands = pp_xcalloc((size_t)p->pool->nsolvables, sizeof(*p->cands));
	for (Id id = 0; id < p->pool->nsolvables; id++)
		p->cands[id] = PP_NO_CAND;
	for (size_t i = 0; i < load->cands.n; i++)
		p->cands[p->solvables[i]] = i;
	pool_addfileprovides(p->pool);
	pool_createwhatprovides(p->pool);
}

void
pp_pool_fini(struct pp_pool *p)
{
	pp_map_fini(&p->mixed, NULL);
	pp_vec_free(&p->deps);
	free(p->solvables);
	free(p->cands);
	pp_buf_fini(&p->text);
	free(p->sources);
	free(p->vendors);
	pool_free(p->pool);
}

size_t
pp_pool_cand(const struct pp_pool *p, Id solvable)
{
	return solvable > 0 && solvable < p->pool->nsolvables ? p->cands[solvable] : PP_NO_CAND;
}
