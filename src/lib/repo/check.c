/* SPDX-License-Identifier: MIT */
/*
 * `check`: can every version be installed into an empty root, from this repository alone? Most
 * answers come cheaply, by taking the newest that fits of all that is required; what that fails
 * for is given to the solver. A set that holds answers for each of its members.
 */
#include "base/mem.h"
#include "lib/model/context.h"
#include "lib/model/name.h"
#include "lib/repo/census.h"
#include "lib/repo/metadata.h"
#include "lib/repo/publish.h"
#include "lib/repo/staged.h"
#include "lib/solve/cycle.h"
#include "lib/solve/solve.h"

#include <stdlib.h>
#include <string.h>

struct checking {
	struct pp_book *book;
	struct pp_staged_list staged;
	struct pp_census census;
	struct pp_strs names;
	plugpkg_row_fn row;
	void *user;
	struct pp_map askers; /* required name -> struct pp_counted_ptrs that require it */
	size_t n_plugins, n_versions, n_findings;
	size_t round; /* of greedy choice: marks what is in the set */
};

static void
free_askers(void *p)
{
	struct pp_counted_ptrs *list = p;

	pp_vec_free(list);
	free(list);
}

static void
checking_fini(struct checking *c)
{
	pp_map_fini(&c->askers, free_askers);
	pp_census_fini(&c->census);
	if (c->book != NULL)
		pp_book_free(c->book);
	pp_staged_list_fini(&c->staged);
	pp_strs_fini(&c->names);
}

static void
report(struct checking *c, const struct pp_counted *r, const char *kind, const char *text)
{
	pp_json *j = pp_row_new("uninstallable");

	pp_json_set_str(j, "name", r->release->name);
	pp_json_set_str(j, "version", r->release->version.text);
	pp_json_set_str(j, "kind", kind); /* "missing", "broken", "conflict", "script-ring" */
	pp_json_set_str(j, "text", text);
	pp_row(c->row, c->user, j);
	c->n_findings++;
}

/* ---- requirements that nothing fulfils ---- */

enum lack {
	LACKS_NOTHING,
	LACKS_ALL, /* nothing fulfils it */
	LACKS_GOOD /* nothing that can be installed does */
};

static enum plugpkg_code
look_for(struct checking *c, const struct pp_dep *d, enum lack *out, plugpkg_error **err)
{
	struct pp_counted_ptrs all = { 0 };
	enum plugpkg_code rc = pp_census_fulfilling(&c->census, d, &all, err);

	*out = all.n == 0 ? LACKS_ALL : LACKS_GOOD;
	for (size_t i = 0; i < all.n; i++)
		if (all.at[i]->verdict != PP_VERDICT_BAD)
			*out = LACKS_NOTHING;
	pp_vec_free(&all);
	return rc;
}

static enum plugpkg_code
look_at_requirements(struct checking *c, struct pp_counted *r, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; r->verdict != PP_VERDICT_BAD && i < r->release->requires.n; i++) {
		const struct pp_dep *d = &r->release->requires.at[i];
		enum lack lack = LACKS_NOTHING;
		rc = look_for(c, d, &lack, err);
		if (rc != PLUGPKG_OK)
			return rc;
		if (lack == LACKS_NOTHING)
			continue;
		PP_AUTO_FREE char *text = pp_asprintf(
		    lack == LACKS_ALL ? "requires %s %s, which nothing in this repository fulfils"
				      : "requires %s %s, of which no version can be installed",
		    d->name, d->text);
		report(c, r, lack == LACKS_ALL ? "missing" : "broken", text);
		r->verdict = PP_VERDICT_BAD;
	}
	return rc;
}

static enum plugpkg_code
look_at_askers(
    struct checking *c, const char *name, struct pp_counted_ptrs *todo, plugpkg_error **err)
{
	const struct pp_counted_ptrs *askers = pp_map_get(&c->askers, name);
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; askers != NULL && rc == PLUGPKG_OK && i < askers->n; i++) {
		struct pp_counted *r = askers->at[i];
		if (r->verdict != PP_VERDICT_OPEN)
			continue;
		rc = look_at_requirements(c, r, err);
		if (r->verdict == PP_VERDICT_BAD)
			pp_vec_push(todo, r);
	}
	return rc;
}

/* What was found bad may have been the last hope of those that require it, and so on. */
static enum plugpkg_code
spread(struct checking *c, struct pp_counted *bad, plugpkg_error **err)
{
	struct pp_counted_ptrs todo = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_vec_push(&todo, bad);
	for (size_t i = 0; rc == PLUGPKG_OK && i < todo.n; i++) {
		const struct pp_release *r = todo.at[i]->release;
		rc = look_at_askers(c, r->name, &todo, err);
		for (size_t k = 0; rc == PLUGPKG_OK && k < r->provides.n; k++)
			rc = look_at_askers(c, r->provides.at[k].name, &todo, err);
	}
	pp_vec_free(&todo);
	return rc;
}

/* ---- the cheap way: the newest that fits of everything ---- */

static bool
is_release_or_named(const struct pp_counted *r, const struct pp_dep *d)
{
	return !pp_version_is_prerelease(&r->release->version) ||
	       (d->range != NULL && pp_range_match(d->range, &r->release->version, false));
}

/* What the set has already, else the newest that may be good; *out_ok false when there is none. */
static enum plugpkg_code
choose(struct checking *c, const struct pp_dep *d, struct pp_counted_ptrs *set, bool *out_ok,
    plugpkg_error **err)
{
	struct pp_counted_ptrs all = { 0 };
	struct pp_counted *best = NULL;
	bool is_there = false;
	enum plugpkg_code rc = pp_census_fulfilling(&c->census, d, &all, err);

	for (size_t i = 0; i < all.n; i++) {
		is_there |= all.at[i]->seen == c->round;
		if (best == NULL && all.at[i]->verdict != PP_VERDICT_BAD &&
		    is_release_or_named(all.at[i], d))
			best = all.at[i];
	}
	pp_vec_free(&all);
	*out_ok = is_there || best != NULL;
	if (rc == PLUGPKG_OK && !is_there && best != NULL) {
		best->seen = c->round;
		pp_vec_push(set, best);
	}
	return rc;
}

static bool
is_taken_beside(
    const struct checking *c, const struct pp_counted *other, const struct pp_release *r)
{
	return other->seen == c->round && other->release != r;
}

static enum plugpkg_code
clashes_with_taken(struct checking *c, const struct pp_release *r, bool *out, plugpkg_error **err)
{
	struct pp_counted_name *n = NULL;
	enum plugpkg_code rc = pp_census_get(&c->census, r->name, &n, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < n->releases.n; i++)
		*out |= is_taken_beside(c, &n->releases.at[i], r);
	for (size_t i = 0; rc == PLUGPKG_OK && i < r->conflicts.n; i++) {
		struct pp_counted_ptrs all = { 0 };
		rc = pp_census_fulfilling(&c->census, &r->conflicts.at[i], &all, err);
		pp_vec_foreach (other, &all)
			*out |= is_taken_beside(c, *other, r);
		pp_vec_free(&all);
	}
	*out |= r->replaces.n > 0; /* who replaces whom, the solver knows */
	return rc;
}

static enum plugpkg_code
has_clash(struct checking *c, const struct pp_counted_ptrs *set, bool *out, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < set->n && !*out; i++)
		rc = clashes_with_taken(c, set->at[i]->release, out, err);
	return rc;
}

/* *out_ok: the set holds. */
static enum plugpkg_code
take_newest(struct checking *c, struct pp_counted *r, struct pp_counted_ptrs *set, bool *out_ok,
    plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;
	bool clashes = false;

	c->round++;
	r->seen = c->round;
	pp_vec_push(set, r);
	*out_ok = true;
	for (size_t i = 0; rc == PLUGPKG_OK && *out_ok && i < set->n; i++) {
		const struct pp_deps *requires = &set->at[i]->release->requires;
		for (size_t k = 0; rc == PLUGPKG_OK && *out_ok && k < requires->n; k++)
			rc = choose(c, &requires->at[k], set, out_ok, err);
	}
	if (rc == PLUGPKG_OK && *out_ok)
		rc = has_clash(c, set, &clashes, err);
	*out_ok = *out_ok && !clashes;
	return rc;
}

/* ---- the solver ---- */

static void
add_plugins(const pp_json *list, struct pp_strs *out)
{
	for (size_t i = 0; i < pp_json_len(list); i++)
		if (pp_json_string(pp_json_at(list, i)) != NULL)
			pp_strs_add(out, pp_json_string(pp_json_at(list, i)));
}

static enum plugpkg_code
releases_of(void *user, const char *name, struct pp_releases *out, struct pp_strs *out_providers,
    plugpkg_error **err)
{
	struct checking *c = user;
	PP_AUTO_JSON pp_json *line = NULL;
	enum plugpkg_code rc = pp_book_line(c->book, PP_LAYER_PLANNING, name, &line, err);
	const pp_json *rows = pp_json_get(line, "versions");

	for (size_t i = 0; rc == PLUGPKG_OK && i < pp_json_len(rows); i++) {
		pp_json *row = pp_json_at(rows, i);
		struct pp_release *r = NULL;
		pp_census_strip(row);
		rc =
		    pp_release_parse(row, name, "published index", PLUGPKG_E_BAD_METADATA, &r, err);
		if (rc == PLUGPKG_OK)
			pp_vec_push(out, r);
	}
	add_plugins(pp_json_get(line, "providers"), out_providers);
	add_plugins(pp_json_get(line, "replacers"), out_providers);
	return rc;
}

static enum plugpkg_code
take_planned(struct checking *c, const struct pp_plan *plan, struct pp_counted_ptrs *set,
    plugpkg_error **err)
{
	set->n = 0;
	pp_vec_foreach (step, &plan->steps) {
		struct pp_counted_name *n = NULL;
		enum plugpkg_code rc = pp_census_get(&c->census, step->name, &n, err);
		if (rc != PLUGPKG_OK)
			return rc;
		pp_vec_foreach (r, &n->releases)
			if (strcmp(r->release->version.text, step->version) == 0)
				pp_vec_push(set, r);
	}
	return PLUGPKG_OK;
}

/* A finding, or the set of the plan. */
static enum plugpkg_code
ask_solver(struct checking *c, struct pp_counted *r, struct pp_counted_ptrs *set, bool *out_ok,
    plugpkg_error **err)
{
	PP_CLEANUP(pp_target_fini) struct pp_target target = { 0 };
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	const struct pp_solve_source source = {
		.name = "repository",
		.user = c,
		.releases = releases_of,
	};
	const struct pp_solve_world world = { .sources = &source, .n_sources = 1 };
	const struct pp_solve_request request = {
		.verb = PLUGPKG_INSTALL,
		.flags = PLUGPKG_NO_RECOMMENDS,
		.targets = &target,
		.n_targets = 1,
	};
	struct pp_plan *plan = pp_plan_new();

	target.name = pp_xstrdup(r->release->name);
	target.range = pp_xstrdup(r->release->version.text);
	enum plugpkg_code rc = pp_solve(NULL, &world, &request, plan, &why);
	*out_ok = rc == PLUGPKG_OK;
	if (rc == PLUGPKG_OK)
		rc = take_planned(c, plan, set, err);
	else if (rc == PLUGPKG_E_NO_SOLUTION) {
		report(c, r, "conflict", plugpkg_error_message(why));
		rc = PLUGPKG_OK;
	} else if (err != NULL)
		*err = pp_steal(&why);
	pp_plan_free(plan);
	return rc;
}

/* ---- one version ---- */

/* One finding speaks for all that wait in the ring. */
static bool
has_ring(struct checking *c, struct pp_counted *r, const struct pp_counted_ptrs *set)
{
	struct pp_cycle_members members = { 0 };

	pp_vec_foreach (m, set)
		pp_vec_push(&members, ((struct pp_cycle_member){ .release = (*m)->release,
					  .has_script = (*m)->has_script }));
	PP_AUTO_FREE char *ring = pp_cycle_of_scripts(&members);
	for (size_t i = 0; ring != NULL && i < set->n; i++)
		if (members.at[i].is_in_ring)
			set->at[i]->verdict = PP_VERDICT_BAD;
	pp_vec_free(&members);
	if (ring == NULL)
		return false;
	PP_AUTO_FREE char *text = pp_asprintf("scripts wait for each other: %s", ring);
	report(c, r, "script-ring", text);
	return true;
}

static enum plugpkg_code
check_version(struct checking *c, struct pp_counted *r, plugpkg_error **err)
{
	struct pp_counted_ptrs set = { 0 };
	bool is_good = false;

	enum plugpkg_code rc = take_newest(c, r, &set, &is_good, err);
	if (rc == PLUGPKG_OK && !is_good)
		rc = ask_solver(c, r, &set, &is_good, err);
	is_good = rc == PLUGPKG_OK && is_good && !has_ring(c, r, &set);
	r->verdict = is_good ? PP_VERDICT_GOOD : PP_VERDICT_BAD;
	for (size_t i = 0; is_good && i < set.n; i++)
		set.at[i]->verdict = PP_VERDICT_GOOD;
	for (size_t i = 0; rc == PLUGPKG_OK && i < set.n; i++)
		if (set.at[i]->verdict == PP_VERDICT_BAD)
			rc = spread(c, set.at[i], err);
	if (rc == PLUGPKG_OK && !is_good)
		rc = spread(c, r, err);
	pp_vec_free(&set);
	return rc;
}

/* ---- all of them ---- */

static enum plugpkg_code
each_release(struct checking *c,
    enum plugpkg_code (*fn)(struct checking *, struct pp_counted *, plugpkg_error **),
    plugpkg_error **err)
{
	pp_vec_foreach (name, &c->names) {
		struct pp_counted_name *n = NULL;
		enum plugpkg_code rc = pp_census_get(&c->census, *name, &n, err);
		for (size_t i = 0; rc == PLUGPKG_OK && i < n->releases.n; i++)
			if (n->releases.at[i].verdict == PP_VERDICT_OPEN)
				rc = fn(c, &n->releases.at[i], err);
		if (rc == PLUGPKG_OK)
			rc = pp_check_cancel(&c->book->repo->ctx, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
open_all(struct checking *c, plugpkg_repo *repo, plugpkg_error **err)
{
	struct pp_published was;
	enum plugpkg_code rc = pp_published_read(repo, NULL, &was, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_open(repo, &was, &c->book, err);
	if (rc == PLUGPKG_OK)
		rc = pp_staged_read(repo, &c->staged, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_names(c->book, PP_LAYER_DETAILS, &c->names, err);
	if (rc == PLUGPKG_OK)
		rc = pp_publish_merge(c->book, &c->staged, err);
	if (rc != PLUGPKG_OK)
		return rc;
	c->census.book = c->book;
	pp_vec_foreach (s, &c->staged)
		pp_strs_add(&c->names, s->name);
	pp_strs_sort(&c->names);
	return PLUGPKG_OK;
}

/* Notes who asks for what; a name that is published and staged stands twice. */
static enum plugpkg_code
count(struct checking *c, struct pp_counted *r, plugpkg_error **err)
{
	(void)err; /* nothing is read here */
	if (r->seen > 0)
		return PLUGPKG_OK;
	r->seen = 1;
	c->n_versions++;
	pp_vec_foreach (d, &r->release->requires) {
		void **at = pp_map_put(&c->askers, d->name);
		if (*at == NULL)
			*at = pp_xcalloc(1, sizeof(struct pp_counted_ptrs));
		struct pp_counted_ptrs *list = *at;
		pp_vec_push(list, r);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
find_missing(struct checking *c, struct pp_counted *r, plugpkg_error **err)
{
	enum plugpkg_code rc = look_at_requirements(c, r, err);

	return rc == PLUGPKG_OK && r->verdict == PP_VERDICT_BAD ? spread(c, r, err) : rc;
}

enum plugpkg_code
plugpkg_repo_check(
    plugpkg_repo *repo, size_t *out_findings, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(checking_fini) struct checking c = { .row = row, .user = user, .round = 1 };

	*out_findings = 0;
	enum plugpkg_code rc = open_all(&c, repo, err);
	if (rc == PLUGPKG_OK)
		rc = each_release(&c, count, err);
	if (rc == PLUGPKG_OK)
		rc = each_release(&c, find_missing, err);
	if (rc == PLUGPKG_OK)
		rc = each_release(&c, check_version, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_map_foreach (e, &c.census.names)
		c.n_plugins += ((struct pp_counted_name *)e->value)->releases.n > 0;
	pp_json *j = pp_row_new("checked");
	pp_json_set_int(j, "plugins", (int64_t)c.n_plugins);
	pp_json_set_int(j, "versions", (int64_t)c.n_versions);
	pp_json_set_int(j, "problems", (int64_t)c.n_findings);
	pp_row(row, user, j);
	*out_findings = c.n_findings;
	return PLUGPKG_OK;
}
