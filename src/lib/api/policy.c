/* SPDX-License-Identifier: MIT */
/*
 * What could be installed here and why, or why not: the releases of a name one by one, and a
 * request that is planned to see what becomes of it.
 */
#include "lib/api/making.h"

#include "lib/model/name.h"
#include "lib/solve/policy.h"
#include "lib/txn/host.h"

#include <string.h>

struct asking {
	struct pp_making m;
	struct pp_world world;
	struct pp_solve_request request;
	plugpkg_row_fn row;
	void *user;
};

static void
asking_fini(struct asking *a)
{
	pp_world_fini(&a->world);
	pp_making_fini(&a->m);
}

static enum plugpkg_code
asking_init(struct asking *a, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_inventory_load(a->m.ctx, &a->m.inv, err);

	if (rc == PLUGPKG_OK)
		rc = pp_sources_load(a->m.ctx, true, &a->m.open, err);
	if (rc != PLUGPKG_OK)
		return rc;
	/* Who only looks is answered by what is known; a warning says where that is less. */
	PP_IGNORE(pp_host_refresh(a->m.ctx, NULL));
	pp_world_init(&a->m, &a->world);
	pp_world_request(&a->m, &a->world, &a->request);
	return PLUGPKG_OK;
}

/* ---- rows of one name ---- */

struct answer {
	pp_json *offers, *candidates; /* arrays */
};

static void
take_line(const struct pp_policy_line *line, void *user)
{
	struct answer *a = user;
	const struct pp_release *r = line->release;
	pp_json *one = pp_row_new("offer");

	pp_json_set_str(one, "name", r->name);
	pp_json_set_str(one, "version", r->version.text);
	pp_json_set_str(one, "key", pp_release_key(r));
	pp_json_set_str(one, "source", line->source);
	if (line->source != NULL)
		pp_json_set_int(one, "priority", line->priority);
	if (r->published > 0)
		pp_json_set_int(one, "published", r->published);
	pp_json_set_str(one, "provides", line->provides);
	pp_json_set_str(one, "state", line->state);
	pp_json_set_str(one, "reason", line->reason);
	pp_json_set_bool(one, "installed", line->is_installed);
	pp_json_set_bool(one, "candidate", line->is_choice);
	pp_json_push(a->offers, one);
	if (!line->is_choice)
		return;
	pp_json *candidate = pp_json_object();
	pp_json_set_str(candidate, "name", r->name);
	pp_json_set_str(candidate, "version", r->version.text);
	pp_json_set_str(candidate, "key", pp_release_key(r));
	pp_json_set_str(candidate, "source", line->source);
	pp_json_push(a->candidates, candidate);
}

static pp_json *
installed_of(const struct asking *a, const char *name)
{
	const struct pp_installeds *set = &a->m.inv.set;
	pp_json *list = pp_json_array();

	pp_vec_foreach (at, set) {
		const struct pp_installed *p = *at;
		if (strcmp(p->name, name) != 0 || !pp_installed_is_usable(p))
			continue;
		const struct pp_dep *wish = pp_installed_wish(set, p, &a->m.ctx->config->plugins);
		pp_json *one = pp_json_object();
		pp_json_set_str(one, "version", p->version);
		pp_json_set_str(one, "key", p->key);
		pp_json_set_str(one, "source", p->source);
		pp_json_set_bool(one, "manual", wish != NULL);
		pp_json_set_str(one, "range", wish != NULL ? wish->text : NULL);
		pp_row_add_hold(a->m.ctx, p, one);
		pp_json_set_str(one, "linked_from", p->link_dir);
		pp_json_push(list, one);
	}
	return list;
}

static void
send(const struct asking *a, const char *name, struct answer *answer,
    const struct pp_strs *providers)
{
	pp_json *head = pp_row_new("policy"), *names = pp_json_array();

	pp_vec_foreach (provider, providers)
		pp_json_push_str(names, *provider);
	pp_json_set_str(head, "name", name);
	pp_json_set(head, "installed", installed_of(a, name));
	pp_json_set(head, "candidates", pp_json_copy(answer->candidates));
	pp_json_set(head, "providers", names);
	pp_row(a->row, a->user, head);
	for (size_t i = 0; i < pp_json_len(answer->offers); i++)
		pp_row(a->row, a->user, pp_json_copy(pp_json_at(answer->offers, i)));
}

static enum plugpkg_code
tell(struct asking *a, const struct pp_target *target, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs providers = { 0 };
	PP_AUTO_JSON pp_json *offers = pp_json_array();
	PP_AUTO_JSON pp_json *candidates = pp_json_array();
	struct answer answer = { offers, candidates };

	a->request.targets = target;
	a->request.n_targets = 1;
	enum plugpkg_code rc = pp_policy_of(
	    a->m.ctx, &a->world.world, &a->request, &providers, take_line, &answer, err);
	if (rc == PLUGPKG_OK)
		send(a, target->name, &answer, &providers);
	else if (rc == PLUGPKG_E_NOT_FOUND && a->world.sources.n == 0)
		rc = pp_hint(err, rc, "this root has no source yet: plugpkg source add NAME URL");
	return rc;
}

/* ---- policy ---- */

static enum plugpkg_code
parse_names(struct asking *a, const char *const *names, size_t n, plugpkg_error **err)
{
	for (size_t i = 0; i < n; i++) {
		struct pp_target *t = pp_vec_new(&a->m.targets);
		enum plugpkg_code rc = pp_target_parse(names[i], t, err);
		if (rc != PLUGPKG_OK)
			return rc;
		if (t->is_removal || t->range != NULL)
			return pp_fail(err, PLUGPKG_E_USAGE, 0,
			    "'%s': policy takes names without a version", names[i]);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_policy(plugpkg_context *ctx, const char *const *names, size_t n_names, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	const struct plugpkg_request nothing = { .verb = PLUGPKG_INSTALL };
	PP_CLEANUP(asking_fini)
	struct asking a = {
		.m = { .ctx = ctx, .request = &nothing, .open = PP_SOURCES_OPEN_INIT },
		.row = row,
		.user = user,
	};

	enum plugpkg_code rc = parse_names(&a, names, n_names, err);
	if (rc == PLUGPKG_OK)
		rc = asking_init(&a, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < a.m.targets.n; i++)
		rc = tell(&a, &a.m.targets.at[i], err);
	return rc;
}

/* ---- why-not ---- */

/* Names of plugins in the request, each once, as policy shows them. */
static enum plugpkg_code
tell_targets(plugpkg_context *ctx, const struct plugpkg_request *request, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(asking_fini)
	struct asking a = {
		.m = { .ctx = ctx, .request = request, .open = PP_SOURCES_OPEN_INIT },
		.row = row,
		.user = user,
	};
	PP_CLEANUP(pp_strs_fini) struct pp_strs told = { 0 };

	enum plugpkg_code rc = asking_init(&a, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < request->n_targets; i++) {
		struct pp_target *t = pp_vec_new(&a.m.targets);
		if (pp_local_is_path(request->targets[i]))
			continue;
		rc = pp_target_parse(request->targets[i], t, err);
		if (rc != PLUGPKG_OK || t->is_removal || pp_strs_has(&told, t->name))
			continue;
		pp_strs_add(&told, t->name);
		rc = tell(&a, t, err);
	}
	return rc;
}

/* why: the refusal, or NULL when there is none. */
static void
send_answer(
    const struct plugpkg_request *request, const plugpkg_error *why, plugpkg_row_fn row, void *user)
{
	const char *text = plugpkg_error_details(why);
	PP_AUTO_JSON pp_json *details =
	    text != NULL ? pp_json_parse(text, strlen(text), NULL) : NULL;
	pp_json *one = pp_row_new("why-not"), *targets = pp_json_array();

	for (size_t i = 0; i < request->n_targets; i++)
		pp_json_push_str(targets, request->targets[i]);
	pp_json_set(one, "targets", targets);
	pp_json_set_bool(one, "possible", why == NULL);
	if (why != NULL) {
		const pp_json *causes = pp_json_get(details, "causes");
		const pp_json *ways = pp_json_get(details, "ways");

		pp_json_set_str(one, "code", plugpkg_code_name(plugpkg_error_code(why)));
		pp_json_set_str(one, "message", plugpkg_error_message(why));
		if (details == NULL)
			pp_json_set_str(one, "hint", plugpkg_error_hint(why));
		pp_json_set(one, "causes", causes != NULL ? pp_json_copy(causes) : pp_json_array());
		pp_json_set(one, "ways", ways != NULL ? pp_json_copy(ways) : pp_json_array());
	}
	pp_row(row, user, one);
}

PP_DEFINE_AUTO(refusal, plugpkg_error, plugpkg_error_free);

enum plugpkg_code
plugpkg_why_not(plugpkg_context *ctx, const struct plugpkg_request *request, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_AUTO(plan) plugpkg_plan *plan = NULL;
	PP_AUTO(refusal) plugpkg_error *why = NULL;

	if (request->verb != PLUGPKG_INSTALL)
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "why-not answers about installations only");
	enum plugpkg_code rc = plugpkg_plan_make(ctx, request, &plan, &why);
	if (rc == PLUGPKG_OK)
		rc = plugpkg_plan_check(plan, &why);
	if (rc == PLUGPKG_OK) {
		send_answer(request, NULL, row, user);
		plugpkg_plan_rows(plan, row, user);
		return PLUGPKG_OK;
	}
	if (rc != PLUGPKG_E_NO_SOLUTION && rc != PLUGPKG_E_REFUSED && rc != PLUGPKG_E_OWNER) {
		if (err != NULL)
			*err = pp_steal(&why);
		return rc;
	}
	send_answer(request, why, row, user);
	return tell_targets(ctx, request, row, user, err);
}
