/* SPDX-License-Identifier: MIT */
/* The verbs: checks what was asked for, has it decided, and puts the answer into the plan. */
#include "lib/solve/solve.h"

#include "base/library.h"
#include "lib/solve/libsolv.h"
#include "lib/solve/majors.h"
#include "lib/solve/refuse.h"
#include "lib/solve/remove.h"
#include "lib/solve/run.h"
#include "lib/solve/steps.h"

#include <string.h>

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
	if (pp_load_installed(l, name) == NULL && l->request->verb == PLUGPKG_UPGRADE)
		return pp_majors_not_installed(l, ask, err);
	return PLUGPKG_OK;
}

static enum plugpkg_code
check_targets(const struct pp_load *l, plugpkg_error **err)
{
	pp_vec_foreach (ask, &l->asks) {
		enum plugpkg_code rc = check_target(l, ask, err);
		if (rc == PLUGPKG_OK)
			rc = pp_refuse_source(l, ask, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

/* ---- the answer ---- */

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
read_answer(plugpkg_context *ctx, const struct pp_load *l, pp_json *lines, struct pp_plan *plan,
    plugpkg_error **err)
{
	const pp_json *list = pp_json_get(pp_json_at(lines, 0), "chosen");
	struct pp_chosen chosen = { 0 };

	if (!pp_json_is(list, PP_JSON_ARRAY))
		return pp_refuse(ctx, l, pp_json_at(lines, 0), err);
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
	enum plugpkg_code rc = check_targets(l, err);
	if (rc == PLUGPKG_OK)
		rc = pp_load_walk(l, ctx, err);
	if (rc == PLUGPKG_OK)
		rc = pp_refuse_hopeless(ctx, l, err);
	if (rc != PLUGPKG_OK)
		return rc;

	PP_AUTO_RUN struct pp_run run = PP_RUN_INIT;
	rc = pp_run_decide(ctx, l, &run, err);
	return rc == PLUGPKG_OK ? read_answer(ctx, l, run.lines, plan, err) : rc;
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
	case PLUGPKG_DISABLE:
	case PLUGPKG_ENABLE:
		break; /* nothing to be solved */
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

	if (!pp_libsolv_is_there())
		return pp_fail(err, PLUGPKG_E_IO, 0, "cannot plan: %s", pp_library_error());
	if (!needs_sources(request->verb))
		seen.n_sources = 0;
	enum plugpkg_code rc = pp_load_init(&l, &seen, request, err);
	if (rc == PLUGPKG_OK)
		rc = run_verb(ctx, &l, plan, err);
	pp_vec_foreach (name, &l.skipped)
		pp_strs_add(&plan->skipped, *name);
	pp_load_fini(&l);
	return rc;
}
