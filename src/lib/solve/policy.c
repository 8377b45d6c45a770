/* SPDX-License-Identifier: MIT */
/* Walks as an installation would, and tells what the walk saw. */
#include "lib/solve/policy.h"

#include "lib/solve/missing.h"
#include "lib/solve/refuse.h"

#include <string.h>

#define TEXT_MAX 4096

/* ---- releases ---- */

static bool
is_installed(
    const struct pp_known *k, const struct pp_solve_source *source, const struct pp_slot *s)
{
	return k->installed != NULL && !k->installed->linked && k->installed->source != NULL &&
	       strcmp(k->installed->source, source->name) == 0 &&
	       pp_version_cmp(&k->installed->release->version, &s->release->version) == 0;
}

/* The newest that may be chosen; the installed version counts where nothing newer is there. */
static const struct pp_slot *
choice_of(const struct pp_known *k)
{
	const struct pp_slot *best = NULL;

	pp_vec_foreach (s, &k->slots)
		if ((s->state == PP_SLOT_CANDIDATE || s->state == PP_SLOT_TWIN) &&
		    (best == NULL ||
			pp_version_cmp(&s->release->version, &best->release->version) > 0))
			best = s;
	return best;
}

static void
tell_slot(const struct pp_load *l, const struct pp_known *k, const struct pp_slot *s,
    pp_policy_fn fn, void *user)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_MAX);
	const struct pp_solve_source *source = &l->world->sources[s->source];
	struct pp_policy_line line = {
		.release = s->release,
		.source = source->name,
		.priority = source->priority,
		.is_installed = is_installed(k, source, s),
		.is_choice = s == choice_of(k),
		.state = pp_missing_add_slot(&b, l, k, s),
	};

	line.reason = b.n > 0 ? pp_buf_cstr(&b) : NULL;
	fn(&line, user);
}

/* Installed, but its source is gone, or has that version no more. */
static void
tell_installed(const struct pp_known *k, pp_policy_fn fn, void *user)
{
	struct pp_policy_line line = {
		.release = k->installed->release,
		.is_installed = true,
		.state = "installed",
	};

	line.reason =
	    k->installed->linked ? "linked from a directory" : "no source has it any more";
	fn(&line, user);
}

static void
tell_all(const struct pp_load *l, const struct pp_known *k, pp_policy_fn fn, void *user)
{
	bool is_in_source = k->installed == NULL;

	pp_vec_foreach (s, &k->slots)
		is_in_source |= is_installed(k, &l->world->sources[s->source], s);
	if (!is_in_source)
		tell_installed(k, fn, user);
	pp_vec_foreach (s, &k->slots)
		tell_slot(l, k, s, fn, user);
}

enum plugpkg_code
pp_policy_of(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request, pp_policy_fn fn, void *user, plugpkg_error **err)
{
	struct pp_load l;
	enum plugpkg_code rc = pp_load_init(&l, world, request, err);

	if (rc == PLUGPKG_OK)
		rc = pp_load_walk(&l, ctx, err);
	if (rc == PLUGPKG_OK && l.asks.n > 0) {
		const struct pp_known *k = pp_load_known(&l, l.asks.at[0].dep.name);
		rc = pp_refuse_source(&l, &l.asks.at[0], err);
		if (rc == PLUGPKG_OK && (k->slots.n > 0 || k->installed != NULL))
			tell_all(&l, k, fn, user);
		else if (rc == PLUGPKG_OK)
			rc = pp_refuse_hopeless(ctx, &l, err);
	}
	pp_load_fini(&l);
	return rc;
}

/* ---- what stands in the way ---- */

enum plugpkg_code
pp_policy_why_not(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request, struct pp_plan *plan, pp_json **out,
    plugpkg_error **err)
{
	struct pp_plan *own = plan == NULL ? pp_plan_new() : NULL;
	plugpkg_error *why = NULL;
	pp_json *answer = NULL;

	enum plugpkg_code rc = pp_solve(ctx, world, request, plan != NULL ? plan : own, &why);
	pp_plan_free(own);
	if (rc != PLUGPKG_OK && (rc != PLUGPKG_E_NO_SOLUTION || why == NULL)) {
		if (err != NULL)
			*err = why;
		else
			plugpkg_error_free(why);
		return rc;
	}
	const char *details = plugpkg_error_details(why);
	if (details != NULL)
		answer = pp_json_parse(details, strlen(details), NULL);
	if (answer == NULL)
		answer = pp_json_object();
	pp_json_set_bool(answer, "possible", rc == PLUGPKG_OK);
	if (rc != PLUGPKG_OK)
		pp_json_set_str(answer, "message", plugpkg_error_message(why));
	plugpkg_error_free(why);
	*out = answer;
	return PLUGPKG_OK;
}
