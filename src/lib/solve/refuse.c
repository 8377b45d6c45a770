/* SPDX-License-Identifier: MIT */
/* Puts together what the decision found out, what the walk left out, and what helps. */
#include "lib/solve/refuse.h"

#include "lib/solve/admit.h"
#include "lib/solve/missing.h"
#include "lib/solve/retry.h"
#include "lib/solve/run.h"

#include <string.h>

#define NEAR_MOST   3
#define MESSAGE_MAX 32768
#define TEXT_MAX    4096
#define MAX_TRIALS  4

/* ---- near names ---- */

/* The name that was probably meant, out of all that are known. Owned; NULL: there is none. */
static char *
near_name(const struct pp_load *l, const char *name)
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
	return pp_name_near(name, &names, near, NEAR_MOST) > 0 ? pp_xstrdup(near[0]) : NULL;
}

/* A dependency may be misspelt as well. */
static void
add_near(const struct pp_load *l, pp_json *cause)
{
	const char *reason = pp_json_get_str(cause, "reason");
	const char *name = pp_json_get_str(pp_json_get(cause, "needs"), "name");

	if (reason == NULL || strcmp(reason, "unknown") != 0 || name == NULL)
		return;
	PP_AUTO_FREE char *near = near_name(l, name);
	if (near == NULL)
		return;
	PP_AUTO_FREE char *text =
	    pp_asprintf("%s; there is a plugin '%s'", pp_json_get_str(cause, "text"), near);
	pp_json_set_str(cause, "text", text);
	pp_json_set_str(cause, "near", near);
}

/* ---- ways out that the solver cannot know: what the walk left out ---- */

struct retry_targets pp_vec(struct pp_target);

static bool
has_answers(const struct pp_load *l)
{
	pp_vec_foreach (ask, &l->asks) {
		const struct pp_cand_run run = pp_load_answers(l, ask);
		bool has_one = ask->is_removal;
		for (size_t i = run.first; i < run.end && !has_one; i++)
			has_one = pp_cand_answers(l, &l->cands.at[i], ask);
		if (!has_one)
			return false;
	}
	return true;
}

static bool
is_decided(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request)
{
	struct pp_load l;
	PP_AUTO_RUN struct pp_run run = PP_RUN_INIT;

	bool ok = pp_load_init(&l, world, request, NULL) == PLUGPKG_OK &&
		  pp_load_walk(&l, ctx, NULL) == PLUGPKG_OK && has_answers(&l) &&
		  pp_run_decide(ctx, &l, &run, NULL) == PLUGPKG_OK &&
		  pp_json_is(pp_json_get(pp_json_at(run.lines, 0), "chosen"), PP_JSON_ARRAY);
	pp_load_fini(&l);
	return ok;
}

/* Would the changed request go through? */
static bool
works(plugpkg_context *ctx, const struct pp_retry *r)
{
	struct pp_solve_request request = *r->load->request;
	struct retry_targets targets = { 0 };
	bool ok = true;

	for (size_t i = 0; ok && i < r->targets.n; i++)
		ok = pp_target_parse(r->targets.at[i], pp_vec_new(&targets), NULL) == PLUGPKG_OK;
	request.flags = r->flags;
	request.targets = targets.at;
	request.n_targets = targets.n;
	request.is_trial = true;
	ok = ok && is_decided(ctx, r->load->world, &request);
	pp_vec_foreach (t, &targets)
		pp_target_fini(t);
	pp_vec_free(&targets);
	return ok;
}

/* What to ask for, so that the release becomes a candidate. Words for it, owned; NULL: nothing. */
static char *
ask_for_hidden(struct pp_retry *r, const struct pp_known *k, const struct pp_slot *s)
{
	const struct pp_ask *ask = pp_load_ask(r->load, k->name);
	const char *version = s->release->version.text;
	const char *source = r->load->world->sources[s->source].name;
	bool has_range = ask != NULL && ask->dep.range != NULL;
	char *exact = pp_asprintf("%s@%s", k->name, version), *words = NULL;

	switch (s->state) {
	case PP_SLOT_PRERELEASE:
		words = pp_asprintf("take the prerelease %s %s", k->name, version);
		break;
	case PP_SLOT_AGE:
		words = pp_asprintf("take %s %s, young as it is", k->name, version);
		break;
	case PP_SLOT_OLD:
		words = pp_asprintf("take %s %s", k->name, version);
		break;
	case PP_SLOT_SOURCE:
		if (k->installed != NULL)
			r->flags |= PLUGPKG_ALLOW_ORIGIN_CHANGE;
		words = pp_asprintf("take %s from source '%s'", k->name, source);
		free(exact);
		exact = pp_asprintf("%s%s%s/%s", k->name, has_range ? "@" : "",
		    has_range ? ask->dep.text : "", source);
		break;
	case PP_SLOT_CANDIDATE:
	case PP_SLOT_PLATFORM:
	case PP_SLOT_TWIN:
		break;
	}
	if (words != NULL)
		pp_retry_take(r, k->name, exact);
	else
		free(exact);
	return words;
}

static void
try_hidden(plugpkg_context *ctx, const struct pp_load *l, const struct pp_dep *dep, pp_json *ways)
{
	const struct pp_known *k = pp_load_known(l, dep->name);
	const struct pp_slot *s = k != NULL ? pp_missing_hidden(k, dep) : NULL;
	struct pp_retry r;

	if (s == NULL || l->request->verb != PLUGPKG_INSTALL || l->request->is_trial)
		return;
	pp_retry_init(&r, l);
	PP_AUTO_FREE char *words = ask_for_hidden(&r, k, s);
	if (words != NULL && works(ctx, &r)) {
		pp_json *way = pp_retry_way(&r, words);
		pp_json_set_int(way, "dropped", 0);
		pp_json_push(ways, way);
	}
	pp_retry_fini(&r);
}

/* ---- putting it together ---- */

/* n: how many of them are told already. */
static void
add_asks(struct pp_buf *b, const struct pp_load *l, bool is_removal, const char *verb, size_t *n)
{
	pp_vec_foreach (ask, &l->asks) {
		if (ask->is_removal != is_removal)
			continue;
		PP_AUTO_FREE char *word = pp_retry_word(ask);
		pp_buf_adds(b, *n == 0 ? " " : *n + 1 == l->asks.n ? " and " : ", ");
		pp_buf_addf(b, "%s%s", verb, is_removal ? ask->dep.name : word);
		++*n;
	}
}

static void
add_headline(struct pp_buf *b, const struct pp_load *l)
{
	bool is_upgrade = l->request->verb == PLUGPKG_UPGRADE;

	if (l->request->link != NULL) {
		pp_buf_addf(b, "cannot link %s", l->request->link->name);
		return;
	}
	size_t n = 0, n_removals = 0;
	pp_vec_foreach (ask, &l->asks)
		n_removals += ask->is_removal;
	bool is_removal = n_removals > 0 && n_removals == l->asks.n;
	pp_buf_addf(b, "cannot %s", is_removal ? "remove" : is_upgrade ? "upgrade" : "install");
	add_asks(b, l, false, "", &n);
	add_asks(b, l, true, is_removal ? "" : "remove ", &n);
}

/* Named by its path: the solver knows what it holds, but not how it was written. */
static bool
is_of_file(const struct pp_load *l, const struct pp_ask *ask)
{
	const struct pp_known *k = pp_load_known(l, ask->dep.name);

	return k != NULL && k->owner != PP_NO_SOURCE &&
	       strcmp(l->world->sources[k->owner].name, PP_SOURCE_FILE) == 0;
}

/* Where to read on: NULL when it is not about plugins of sources. Owned. */
static char *
more_command(const struct pp_load *l)
{
	struct pp_retry r;
	bool has_one = false;

	pp_vec_foreach (ask, &l->asks) {
		if (is_of_file(l, ask))
			return NULL;
		has_one |= !ask->is_removal;
	}
	if (!has_one)
		return NULL;
	pp_retry_init(&r, l);
	char *command = pp_retry_command(&r, "why-not");
	pp_retry_fini(&r);
	return command;
}

static void
add_way(struct pp_buf *b, size_t number, const pp_json *way)
{
	const char *command = pp_json_get_str(way, "command");

	pp_buf_addf(b, "\n%zu. %s%s%s", number, pp_json_get_str(way, "text"),
	    command != NULL ? ": " : "", command != NULL ? command : "");
}

/* To want nothing is no advice, unless it stands beside another one. */
static bool
is_advice(const struct pp_load *l, const pp_json *ways)
{
	int64_t dropped = pp_json_get_int(pp_json_at(ways, 0), "dropped", 0);

	return pp_json_len(ways) > 1 ||
	       (pp_json_len(ways) == 1 && (dropped == 0 || dropped < (int64_t)l->asks.n));
}

/* causes, ways: moved. Completes *err. */
static enum plugpkg_code
finish(const struct pp_load *l, enum plugpkg_code rc, pp_json *causes, pp_json *ways,
    plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf hint = PP_BUF_INIT(MESSAGE_MAX);
	PP_AUTO_FREE char *more = more_command(l);
	pp_json *details = pp_json_object();

	if (!is_advice(l, ways)) {
		pp_json_free(ways);
		ways = pp_json_array();
	}
	if (pp_json_len(ways) > 0)
		pp_buf_adds(&hint, "ways out:");
	for (size_t i = 0; i < pp_json_len(ways); i++)
		add_way(&hint, i + 1, pp_json_at(ways, i));
	if (more != NULL)
		pp_buf_addf(&hint, "%smore: %s", hint.n > 0 ? "\n" : "", more);
	pp_json_set(details, "causes", causes);
	pp_json_set(details, "ways", ways);
	pp_json_set_str(details, "more", more);
	if (hint.n > 0)
		rc = pp_hint(err, rc, "%s", pp_buf_cstr(&hint));
	return pp_details(err, rc, details);
}

enum plugpkg_code
pp_refuse(plugpkg_context *ctx, const struct pp_load *l, pp_json *answer, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf message = PP_BUF_INIT(MESSAGE_MAX);
	pp_json *causes = pp_json_copy(pp_json_get(answer, "causes")), *ways = pp_json_array();
	const pp_json *found = pp_json_get(answer, "ways");

	add_headline(&message, l);
	for (size_t i = 0; i < pp_json_len(causes); i++) {
		pp_json *cause = pp_json_at(causes, i), *needs = pp_json_get(cause, "needs");
		struct pp_dep dep = { 0 };
		add_near(l, cause);
		pp_buf_addf(&message, "\n%s", pp_json_get_str(cause, "text"));
		if (pp_json_get(cause, "reason") == NULL || needs == NULL || i >= MAX_TRIALS)
			continue;
		PP_AUTO_FREE char *name = pp_xstrdup(pp_json_get_str(needs, "name"));
		dep.name = name;
		(void)pp_range_parse(pp_str_of(pp_json_get_str(needs, "range")), &dep.range, NULL);
		try_hidden(ctx, l, &dep, ways);
		pp_range_free(dep.range);
	}
	for (size_t i = 0; i < pp_json_len(found); i++)
		pp_json_push(ways, pp_json_copy(pp_json_at(found, i)));
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NO_SOLUTION, 0, "%s", pp_buf_cstr(&message));
	if (l->asks.n > 0)
		rc = pp_subject(err, rc, l->asks.at[0].dep.name);
	return finish(l, rc, causes, ways, err);
}

/* ---- targets without any candidate ---- */

static enum plugpkg_code
unknown_plugin(const struct pp_load *l, const char *name, plugpkg_error **err)
{
	PP_AUTO_FREE char *near = near_name(l, name);
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "unknown plugin '%s'", name);

	if (near != NULL)
		rc = pp_hint(err, rc, "did you mean '%s'?", near);
	else if (strspn(name, "0123456789.") == strlen(name))
		rc = pp_hint(err, rc, "a version is written behind the name: NAME@%s", name);
	return pp_subject(err, rc, name);
}

static bool
has_release_in(const struct pp_known *k, const struct pp_dep *dep)
{
	pp_vec_foreach (s, &k->slots)
		if (dep->range == NULL || pp_range_match(dep->range, &s->release->version, true))
			return true;
	return false;
}

/* Another plugin speaks for the name, but was not asked for. */
static enum plugpkg_code
hint_provider(const struct pp_load *l, const struct pp_ask *ask, plugpkg_error **err)
{
	pp_vec_foreach (c, &l->cands)
		if (strcmp(c->release->name, ask->dep.name) != 0 &&
		    pp_cand_satisfies(l, c, &ask->dep))
			return pp_hint(err, PLUGPKG_E_NOT_FOUND,
			    "%s %s provides it: plugpkg install %s", c->release->name,
			    c->release->version.text, c->release->name);
	return PLUGPKG_E_NOT_FOUND;
}

static enum plugpkg_code
unknown_version(const struct pp_load *l, const struct pp_known *k, const struct pp_ask *ask,
    plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_MAX);
	const struct pp_version *exact = pp_range_exact(ask->dep.range);

	pp_missing_add_existing(&b, k);
	enum plugpkg_code rc =
	    exact != NULL
		? pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "plugin '%s' has no version %s; %s", k->name,
		      exact->text, pp_buf_cstr(&b))
		: pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
		      "plugin '%s' has no version in the range '%s'; %s", k->name, ask->dep.text,
		      pp_buf_cstr(&b));
	(void)hint_provider(l, ask, err);
	return pp_subject(err, rc, k->name);
}

enum plugpkg_code
pp_refuse_source(const struct pp_load *l, const struct pp_ask *ask, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	const char *near[NEAR_MOST];

	if (ask->source == NULL || pp_admit_source(l, ask->source) != PP_NO_SOURCE)
		return PLUGPKG_OK;
	for (size_t i = 0; i < l->world->n_sources; i++)
		pp_strs_add(&names, l->world->sources[i].name);
	enum plugpkg_code rc =
	    pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "this root has no source '%s'", ask->source);
	if (pp_name_near(ask->source, &names, near, NEAR_MOST) > 0)
		return pp_hint(err, rc, "did you mean '%s/%s'?", ask->dep.name, near[0]);
	return pp_hint(err, rc, "plugpkg source list shows them");
}

/* The source that was named has nothing of it; others may. */
static enum plugpkg_code
not_in_source(const struct pp_load *l, const struct pp_known *k, const struct pp_ask *ask,
    plugpkg_error **err)
{
	size_t asked = pp_admit_source(l, ask->source);

	if (ask->source == NULL)
		return PLUGPKG_OK;
	pp_vec_foreach (s, &k->slots)
		if (s->source == asked)
			return PLUGPKG_OK;
	if (k->slots.n == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc =
	    pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "source '%s' has no plugin '%s'; source '%s' has",
		ask->source, k->name, l->world->sources[k->owner].name);
	return pp_subject(err, rc, k->name);
}

static enum plugpkg_code
refuse_hidden(
    plugpkg_context *ctx, const struct pp_load *l, const struct pp_ask *ask, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_MAX);
	PP_AUTO_FREE char *word = pp_retry_word(ask);
	pp_json *causes = pp_json_array(), *ways = pp_json_array(), *cause = pp_json_object();
	const char *reason = pp_missing_add(&b, l, &ask->dep);

	pp_json_set_str(cause, "text", pp_buf_cstr(&b));
	pp_json_set_str(cause, "kind", "missing");
	pp_json_set_str(cause, "plugin", ask->dep.name);
	pp_json_set_str(cause, "reason", reason);
	pp_json_push(causes, cause);
	enum plugpkg_code rc =
	    pp_fail(err, PLUGPKG_E_NO_SOLUTION, 0, "cannot install %s: %s", word, pp_buf_cstr(&b));
	rc = pp_subject(err, rc, ask->dep.name);
	try_hidden(ctx, l, &ask->dep, ways);
	return finish(l, rc, causes, ways, err);
}

static enum plugpkg_code
check_answers(
    plugpkg_context *ctx, const struct pp_load *l, const struct pp_ask *ask, plugpkg_error **err)
{
	const struct pp_known *k = pp_load_known(l, ask->dep.name);
	const struct pp_cand_run run = pp_load_answers(l, ask);

	if (ask->is_removal)
		return PLUGPKG_OK;
	for (size_t i = run.first; i < run.end; i++)
		if (pp_cand_answers(l, &l->cands.at[i], ask))
			return PLUGPKG_OK;
	if (k == NULL || (k->slots.n == 0 && k->providers.n == 0 && k->installed == NULL))
		return unknown_plugin(l, ask->dep.name, err);
	if (ask->dep.range != NULL && k->slots.n + (k->installed != NULL) > 0 &&
	    !has_release_in(k, &ask->dep))
		return unknown_version(l, k, ask, err);
	enum plugpkg_code rc = not_in_source(l, k, ask, err);
	return rc == PLUGPKG_OK ? refuse_hidden(ctx, l, ask, err) : rc;
}

enum plugpkg_code
pp_refuse_hopeless(plugpkg_context *ctx, const struct pp_load *l, plugpkg_error **err)
{
	pp_vec_foreach (ask, &l->asks) {
		enum plugpkg_code rc = check_answers(ctx, l, ask, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}
