/* SPDX-License-Identifier: MIT */
/* The verbs: checks what was asked for, has it decided, and puts the answer into the plan. */
#include "lib/solve/solve.h"

#include "lib/solve/explain.h"
#include "lib/solve/majors.h"
#include "lib/solve/remove.h"
#include "lib/solve/run.h"
#include "lib/solve/steps.h"

#include <string.h>

#define NEAR_MOST   3
#define MESSAGE_MAX 32768
#define TEXT_MAX    4096

/* ---- targets ---- */

/* "lib@2 lib@1-": whether they are two, the installed plugins will tell. */
static bool
name_two_majors(const struct pp_ask *a, const struct pp_ask *b)
{
	return a->dep.range != NULL && b->dep.range != NULL &&
	       strcmp(a->dep.text, b->dep.text) != 0;
}

static enum plugpkg_code
check_twice(const struct pp_load *l, const struct pp_ask *ask, plugpkg_error **err)
{
	for (const struct pp_ask *other = l->asks.at; other < ask; other++)
		if (strcmp(other->dep.name, ask->dep.name) == 0 &&
		    other->is_removal != ask->is_removal && !name_two_majors(other, ask))
			return pp_fail(err, PLUGPKG_E_USAGE, 0,
			    "'%s' is to be both installed and removed", ask->dep.name);
	return PLUGPKG_OK;
}

/* What can be said without the sources. */
static enum plugpkg_code
check_target(const struct pp_load *l, const struct pp_ask *ask, plugpkg_error **err)
{
	const char *name = ask->dep.name;
	enum plugpkg_code rc = check_twice(l, ask, err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (pp_name_is_host(name)) {
		rc = pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "'%s' belongs to the application and can be neither installed nor removed",
		    name);
		return pp_subject(err, rc, name);
	}
	const struct pp_solve_installed *leaving = NULL;
	if (ask->is_removal)
		return pp_majors_leaving(l, ask, &leaving, err);
	if (pp_load_installed(l, name) == NULL && l->request->verb == PLUGPKG_UPGRADE) {
		rc = pp_fail(err, PLUGPKG_E_NOT_INSTALLED, 0, "plugin '%s' is not installed", name);
		return pp_subject(err, rc, name);
	}
	return PLUGPKG_OK;
}

/* Every name that anybody could mean. */
static enum plugpkg_code
add_near_hint(const struct pp_load *l, const char *name, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	const char *near[NEAR_MOST];

	for (size_t i = 0; i < l->world->n_installed; i++)
		pp_strs_add(&names, l->world->installed[i].release->name);
	for (size_t i = 0; i < l->world->n_sources; i++) {
		const struct pp_solve_source *s = &l->world->sources[i];
		if (s->names != NULL && s->names(s->user, &names, NULL) != PLUGPKG_OK)
			continue; /* a hint is no reason to fail in another way */
	}
	if (pp_name_near(name, &names, near, NEAR_MOST) > 0)
		return pp_hint(err, PLUGPKG_E_NOT_FOUND, "did you mean '%s'?", near[0]);
	return PLUGPKG_E_NOT_FOUND;
}

static enum plugpkg_code
unknown_plugin(const struct pp_load *l, const char *name, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "unknown plugin '%s'", name);

	rc = pp_subject(err, rc, name);
	(void)add_near_hint(l, name, err);
	return rc;
}

static bool
has_release_in(const struct pp_known *k, const struct pp_dep *dep)
{
	pp_vec_foreach (s, &k->slots)
		if (dep->range == NULL || pp_range_match(dep->range, &s->release->version, true))
			return true;
	return false;
}

static enum plugpkg_code
unknown_version(const struct pp_known *k, const struct pp_dep *dep, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_MAX);
	const struct pp_version *exact = pp_range_exact(dep->range);

	pp_explain_add_existing(&b, k);
	enum plugpkg_code rc =
	    exact != NULL
		? pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "plugin '%s' has no version %s; %s", k->name,
		      exact->text, pp_buf_cstr(&b))
		: pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
		      "plugin '%s' has no version in the range '%s'; %s", k->name, dep->text,
		      pp_buf_cstr(&b));
	return pp_subject(err, rc, k->name);
}

static bool
has_candidate(const struct pp_load *l, const struct pp_dep *dep)
{
	pp_vec_foreach (c, &l->cands)
		if (pp_cand_satisfies(l, c, dep))
			return true;
	return false;
}

/* There must be something to decide about: a release, and one that could be chosen. */
static enum plugpkg_code
check_known(const struct pp_load *l, const struct pp_ask *ask, plugpkg_error **err)
{
	const struct pp_known *k = pp_load_known(l, ask->dep.name);
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_MAX);

	if (ask->is_removal || has_candidate(l, &ask->dep))
		return PLUGPKG_OK;
	if (k == NULL || (k->slots.n == 0 && k->providers.n == 0 && k->installed == NULL))
		return unknown_plugin(l, ask->dep.name, err);
	if (ask->dep.range != NULL && k->slots.n + (k->installed != NULL) > 0 &&
	    !has_release_in(k, &ask->dep))
		return unknown_version(k, &ask->dep, err);

	pp_buf_adds(&b, "cannot install ");
	pp_explain_add_dep(&b, &ask->dep);
	pp_buf_adds(&b, ": ");
	pp_explain_add_missing(&b, l, &ask->dep);
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NO_SOLUTION, 0, "%s", pp_buf_cstr(&b));
	return pp_subject(err, rc, ask->dep.name);
}

static enum plugpkg_code
check_all(const struct pp_load *l,
    enum plugpkg_code (*check)(const struct pp_load *, const struct pp_ask *, plugpkg_error **),
    plugpkg_error **err)
{
	pp_vec_foreach (ask, &l->asks) {
		enum plugpkg_code rc = check(l, ask, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

/* ---- the answer ---- */

static void
add_headline(struct pp_buf *b, const struct pp_load *l)
{
	bool is_upgrade = l->request->verb == PLUGPKG_UPGRADE;

	if (l->request->link != NULL) {
		pp_buf_addf(b, "cannot link %s", l->request->link->name);
		return;
	}
	pp_buf_adds(b, is_upgrade ? "cannot upgrade" : "cannot install");
	size_t n = 0;
	for (int removals = 0; removals < 2; removals++) {
		pp_vec_foreach (ask, &l->asks) {
			if (ask->is_removal != (removals == 1))
				continue;
			bool is_last = ask + 1 == l->asks.at + l->asks.n;
			pp_buf_adds(b, n == 0 ? " " : is_last ? " and " : ", ");
			pp_buf_adds(b, ask->is_removal ? "remove " : "");
			pp_explain_add_dep(b, &ask->dep);
			n++;
		}
	}
}

static enum plugpkg_code
refuse(const struct pp_load *l, const pp_json *answer, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf message = PP_BUF_INIT(MESSAGE_MAX);
	PP_AUTO_BUF struct pp_buf ways = PP_BUF_INIT(MESSAGE_MAX);
	const pp_json *list = pp_json_get(answer, "sentences");

	add_headline(&message, l);
	for (size_t i = 0; i < pp_json_len(list); i++)
		pp_buf_addf(&message, "\n%s", pp_json_string(pp_json_at(list, i)));
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NO_SOLUTION, 0, "%s", pp_buf_cstr(&message));
	if (l->asks.n > 0)
		rc = pp_subject(err, rc, l->asks.at[0].dep.name);

	list = pp_json_get(answer, "ways");
	for (size_t i = 0; i < pp_json_len(list); i++)
		pp_buf_addf(&ways, "\n%zu. %s", i + 1, pp_json_string(pp_json_at(list, i)));
	if (pp_json_len(list) > 0)
		rc = pp_hint(err, rc, "ways out:%s", pp_buf_cstr(&ways));
	return rc;
}

static void
add_kept(struct pp_plan *plan, const pp_json *line)
{
	const char *broken = pp_json_get_str(line, "broken");
	struct pp_kept *k = pp_vec_new(broken != NULL ? &plan->broken : &plan->kept);

	k->name = pp_xstrdup(broken != NULL ? broken : pp_json_get_str(line, "kept"));
	k->version = pp_xstrdup(pp_json_get_str(line, "version"));
	k->candidate = pp_xstrdup(pp_json_get_str(line, "candidate"));
	k->reason = pp_xstrdup(pp_json_get_str(line, "reason"));
}

static enum plugpkg_code
read_answer(
    const struct pp_load *l, const pp_json *lines, struct pp_plan *plan, plugpkg_error **err)
{
	const pp_json *list = pp_json_get(pp_json_at(lines, 0), "chosen");
	struct pp_chosen chosen = { 0 };

	if (!pp_json_is(list, PP_JSON_ARRAY))
		return refuse(l, pp_json_at(lines, 0), err);
	for (size_t i = 0; i < pp_json_len(list); i++) {
		int64_t cand = pp_json_integer(pp_json_at(list, i), -1);
		if (cand >= 0 && (uint64_t)cand < l->cands.n)
			pp_vec_push(&chosen, (size_t)cand);
	}
	enum plugpkg_code rc = pp_steps_add(l, &chosen, plan, err);
	pp_vec_free(&chosen);
	for (size_t i = 1; i < pp_json_len(lines); i++)
		add_kept(plan, pp_json_at(lines, i));
	return rc;
}

/* ---- verbs ---- */

static enum plugpkg_code
decide(plugpkg_context *ctx, struct pp_load *l, struct pp_plan *plan, plugpkg_error **err)
{
	enum plugpkg_code rc = check_all(l, check_target, err);
	if (rc == PLUGPKG_OK)
		rc = pp_load_walk(l, ctx, err);
	if (rc == PLUGPKG_OK)
		rc = check_all(l, check_known, err);
	if (rc != PLUGPKG_OK)
		return rc;

	PP_AUTO_JSON pp_json *lines = NULL;
	rc = pp_run_decide(ctx, l, &lines, err);
	if (rc != PLUGPKG_OK)
		return rc;
	return read_answer(l, lines, plan, err);
}

static enum plugpkg_code
run_verb(plugpkg_context *ctx, struct pp_load *l, struct pp_plan *plan, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	switch (l->request->verb) {
	case PLUGPKG_INSTALL:
	case PLUGPKG_UPGRADE:
	case PLUGPKG_LINK:
		return decide(ctx, l, plan, err);
	case PLUGPKG_REMOVE:
	case PLUGPKG_PURGE:
		rc = pp_load_walk(l, ctx, err);
		if (rc == PLUGPKG_OK)
			rc = pp_remove(l, plan, err);
		plan->is_purge = l->request->verb == PLUGPKG_PURGE;
		return rc;
	case PLUGPKG_AUTOREMOVE:
		rc = pp_load_walk(l, ctx, err);
		if (rc == PLUGPKG_OK)
			pp_autoremove(l, plan);
		return rc;
	}
	return pp_fail(err, PLUGPKG_E_USAGE, 0, "no such verb");
}

static bool
needs_sources(enum plugpkg_verb verb)
{
	return verb == PLUGPKG_INSTALL || verb == PLUGPKG_UPGRADE || verb == PLUGPKG_LINK;
}

enum plugpkg_code
pp_solve(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request, struct pp_plan *plan, plugpkg_error **err)
{
	struct pp_solve_world seen = *world;
	struct pp_load l;

	if (!needs_sources(request->verb))
		seen.n_sources = 0;
	enum plugpkg_code rc = pp_load_init(&l, &seen, request, err);
	if (rc == PLUGPKG_OK)
		rc = run_verb(ctx, &l, plan, err);
	pp_load_fini(&l);
	return rc;
}
