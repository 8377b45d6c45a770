/* SPDX-License-Identifier: MIT */
/*
 * Translation into libsolv's pool. Every plugin provides its name twice: NAME for all of its
 * versions and NAME@stable for releases only (no name holds an "@" after its first character).
 * Ranges become comparators joined by WITH (one plugin must fulfil all), alternatives joined by
 * OR.
 */
#include "lib/solve/pool.h"

#include "lib/solve/evr.h"

#include <solv/poolarch.h>
#include <string.h>

#define STABLE          "@stable"
#define ID_KEY_MAX      (PP_NAME_MAX_BYTES + PP_RANGE_MAX_BYTES + 64)
#define VENDOR_MAX      128
#define VENDOR_OF_LINKS "link"

static Id
name_id(struct pp_pool *p, const char *name, enum pp_reach reach)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(ID_KEY_MAX);

	pp_buf_adds(&b, name);
	if (reach == PP_REACH_RELEASES)
		pp_buf_adds(&b, STABLE);
	return pool_str2id(p->pool, pp_buf_cstr(&b), 1);
}

static Id
evr_id(struct pp_pool *p, const struct pp_version *v, bool is_floor)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(PP_EVR_MAX_BYTES);

	if (is_floor)
		pp_evr_encode_floor(&b, v);
	else
		pp_evr_encode(&b, v);
	return pool_str2id(p->pool, pp_buf_cstr(&b), 1);
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
all_of(struct pp_pool *p, Id name, const struct pp_alternative *alt)
{
	Id id = 0;

	pp_vec_foreach (c, &alt->all) {
		Id evr = evr_id(p, &c->version, c->below_prereleases);
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

static Id
range_id(struct pp_pool *p, const struct pp_dep *dep, enum pp_reach reach)
{
	Id name = name_id(p, dep->name, reach), id = 0;

	if (dep->range == NULL || pp_range_is_any(dep->range))
		return name;
	pp_vec_foreach (alt, &dep->range->any)
		id = join(p, id, all_of(p, name, alt), REL_OR);
	if (reach == PP_REACH_ALL)
		return id;
	pp_vec_foreach (alt, &dep->range->any)
		id = prereleases_of(p, name_id(p, dep->name, PP_REACH_ALL), alt, id);
	return id;
}

Id
pp_pool_dep(struct pp_pool *p, const struct pp_dep *dep, enum pp_reach reach)
{
	PP_AUTO_BUF struct pp_buf key = PP_BUF_INIT(ID_KEY_MAX);

	pp_buf_addf(&key, "%d %s %s", (int)reach, dep->name, dep->text != NULL ? dep->text : "*");
	void **at = pp_map_put(&p->ids, pp_buf_cstr(&key));
	if (*at != NULL)
		return (Id)(intptr_t)*at;

	Id id = range_id(p, dep, reach);
	*at = (void *)(intptr_t)id;
	pp_vec_push(&p->deps, ((struct pp_pool_dep){ .id = id, .dep = dep }));
	return id;
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

/*
 * Nothing changes its origin by itself, except the plugin that the request links or takes back
 * from a link.
 */
static Id
vendor_of(struct pp_pool *p, const struct pp_cand *c)
{
	const struct pp_solve_request *request = p->load->request;
	const struct pp_known *k = pp_load_known(p->load, c->release->name);
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(VENDOR_MAX);
	const char *source = NULL;

	if (c->origin == PP_FROM_HOST)
		return 0;
	if (c->origin == PP_FROM_SOURCE)
		source = p->load->world->sources[c->source].name;
	if (c->origin == PP_FROM_INSTALLED && !c->installed->linked)
		source = c->installed->source;
	if (c->origin == PP_FROM_INSTALLED && request->link != NULL &&
	    strcmp(request->link->name, c->release->name) == 0)
		source = NULL;
	else if (c->origin == PP_FROM_INSTALLED && c->installed->linked && k->slots.n > 0 &&
		 (request->flags & PLUGPKG_REINSTALL) != 0 &&
		 pp_load_ask(p->load, c->release->name) != NULL)
		source = p->load->world->sources[k->slots.at[0].source].name;
	if (source == NULL)
		return pool_str2id(p->pool, VENDOR_OF_LINKS, 1);
	pp_buf_addf(&b, "source:%s", source);
	return pool_str2id(p->pool, pp_buf_cstr(&b), 1);
}

static Offset
add_deps(struct pp_pool *p, Repo *repo, const struct pp_deps *deps, enum pp_reach reach)
{
	Offset at = 0;

	pp_vec_foreach (d, deps)
		at = repo_addid_dep(repo, at, pp_pool_dep(p, d, reach), 0);
	return at;
}

static Offset
add_replaces(struct pp_pool *p, Repo *repo, const struct pp_cand *c)
{
	Offset at = 0;

	pp_vec_foreach (d, &c->release->replaces)
		if (strcmp(d->name, c->release->name) != 0 &&
		    pp_cand_may_speak_for(p->load, c, d->name))
			at = repo_addid_dep(repo, at, pp_pool_dep(p, d, PP_REACH_ALL), 0);
	return at;
}

static Offset
provide(struct pp_pool *p, Repo *repo, Offset at, const char *name, Id evr, enum pp_reach reach)
{
	Id id = name_id(p, name, reach);

	if (evr != 0)
		id = pool_rel2id(p->pool, id, evr, REL_EQ, 1);
	return repo_addid_dep(repo, at, id, 0);
}

static Offset
add_provides(struct pp_pool *p, Repo *repo, const struct pp_cand *c, Id evr)
{
	const struct pp_release *r = c->release;
	Offset at = provide(p, repo, 0, r->name, evr, PP_REACH_ALL);

	if (c->is_loose || !pp_version_is_prerelease(&r->version))
		at = provide(p, repo, at, r->name, evr, PP_REACH_RELEASES);
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
	Offset provides = add_provides(p, repo, c, evr);
	Offset requires = add_deps(p, repo, &c->release->requires, PP_REACH_RELEASES);
	Offset recommends = add_deps(p, repo, &c->release->recommends, PP_REACH_RELEASES);
	Offset suggests = add_deps(p, repo, &c->release->suggests, PP_REACH_RELEASES);
	Offset conflicts = add_deps(p, repo, &c->release->conflicts, PP_REACH_ALL);
	Offset obsoletes = add_replaces(p, repo, c);
	Id vendor = vendor_of(p, c), name = pool_str2id(p->pool, c->release->name, 1);

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

void
pp_pool_init(struct pp_pool *p, const struct pp_load *load)
{
	const struct pp_solve_world *world = load->world;

	*p = (struct pp_pool){ .load = load, .pool = pool_create() };
	pool_setdebugmask(p->pool, 0);
	pool_setdisttype(p->pool, DISTTYPE_DEB);
	p->installed = repo_create(p->pool, "installed");
	p->link = repo_create(p->pool, VENDOR_OF_LINKS);
	p->sources = pp_xcalloc(world->n_sources + 1, sizeof(*p->sources));
	for (size_t i = 0; i < world->n_sources; i++) {
		p->sources[i] = repo_create(p->pool, world->sources[i].name);
		p->sources[i]->priority = world->sources[i].priority;
	}
	pool_set_installed(p->pool, p->installed);

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
	pp_map_fini(&p->ids, NULL);
	pp_vec_free(&p->deps);
	free(p->solvables);
	free(p->cands);
	free(p->sources);
	pool_free(p->pool);
}

size_t
pp_pool_cand(const struct pp_pool *p, Id solvable)
{
	return solvable > 0 && solvable < p->pool->nsolvables ? p->cands[solvable] : PP_NO_CAND;
}
