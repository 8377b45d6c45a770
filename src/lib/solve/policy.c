/* SPDX-License-Identifier: MIT */
/* Walks as an installation would, and tells what the walk saw. */
#include "lib/solve/policy.h"

#include "base/time.h"
#include "lib/solve/majors.h"
#include "lib/solve/missing.h"
#include "lib/solve/refuse.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096

/* A line on its way: the choice is known when all of them are. */
struct told {
	struct pp_policy_line line;
	const struct pp_solve_installed
	    *rival; /* installed, and it would take its place; or NULL */
	char *reason;
};
struct telling {
	const struct pp_load *l;
	const char *name; /* what was asked about */
	struct pp_tolds pp_vec(struct told) lines;
};

static void
telling_fini(struct telling *t)
{
	pp_vec_foreach (line, &t->lines)
		free(line->reason);
	pp_vec_free(&t->lines);
}

/* ---- why not: each adds its words and returns the word for it, or NULL ---- */

static bool
is_from(const struct pp_solve_installed *inst, const char *source)
{
	return !inst->linked && inst->source != NULL && strcmp(inst->source, source) == 0;
}

static void
add_place(struct pp_buf *b, const struct pp_release *r, const struct pp_solve_installed *rival)
{
	pp_buf_addf(b, "%s would take the place of %s, which ", r->version.text,
	    rival->release->version.text);
}

static const char *
add_hold(struct pp_buf *b, const struct pp_release *r, const struct pp_solve_installed *rival)
{
	char until[PP_TIME_TEXT];

	if (!rival->hold)
		return NULL;
	add_place(b, r, rival);
	pp_buf_adds(b, "is held");
	if (rival->hold_until != 0) {
		pp_time_format(rival->hold_until, until);
		pp_buf_addf(b, " until %s", until);
	}
	return "hold";
}

static const char *
add_origin(struct pp_buf *b, const struct pp_load *l, const struct pp_slot *s,
    const struct pp_solve_installed *rival)
{
	const char *source = l->world->sources[s->source].name;

	if ((l->request->flags & PLUGPKG_ALLOW_ORIGIN_CHANGE) != 0 || is_from(rival, source))
		return NULL;
	add_place(b, s->release, rival);
	if (rival->linked || rival->source == NULL) {
		pp_buf_adds(b, "is linked from a directory and stays so");
		return "linked";
	}
	if (strcmp(rival->source, PP_SOURCE_FILE) == 0)
		pp_buf_adds(b, "was installed from a file and stays so");
	else
		pp_buf_addf(b, "came from source '%s' and stays with it", rival->source);
	return "origin";
}

static const char *
add_direction(struct pp_buf *b, const struct pp_load *l, const struct pp_release *r,
    const struct pp_solve_installed *rival)
{
	const struct pp_ask *ask = pp_load_ask(l, r->name);
	const struct pp_dep *wanted = pp_world_wanted(l->world, rival->release);
	const struct pp_version *now = &rival->release->version;

	if ((l->request->flags & PLUGPKG_DOWNGRADE) == 0 && pp_version_cmp(&r->version, now) < 0) {
		pp_buf_addf(
		    b, "%s is older than %s, which is installed", r->version.text, now->text);
		return "downgrade";
	}
	/* A range that is broken already binds nobody, and neither does it who names another. */
	if (wanted == NULL || !pp_range_match(wanted->range, now, true) ||
	    (ask != NULL && ask->dep.range != NULL) ||
	    pp_range_match(wanted->range, &r->version, true))
		return NULL;
	pp_buf_addf(
	    b, "%s is outside of %s, which plugpkg.json wants", r->version.text, wanted->text);
	return "wanted";
}

static const char *
add_host_need(struct pp_buf *b, const struct pp_load *l, const struct pp_release *r)
{
	pp_vec_foreach (d, &r->requires) {
		const struct pp_known *k = pp_load_known(l, d->name);
		if (!pp_name_is_host(d->name) ||
		    (k != NULL && k->host != NULL &&
			(d->range == NULL || pp_range_match(d->range, k->host, true))))
			continue;
		pp_buf_addf(b, "%s needs ", r->version.text);
		pp_missing_add_need(b, d);
		pp_buf_adds(b, "; ");
		return pp_missing_add(b, l, d);
	}
	return NULL;
}

static const char *
add_host_conflict(struct pp_buf *b, const struct pp_load *l, const struct pp_release *r)
{
	pp_vec_foreach (d, &r->conflicts) {
		const struct pp_known *k = pp_load_known(l, d->name);
		if (!pp_name_is_host(d->name) || k == NULL || k->host == NULL ||
		    (d->range != NULL && !pp_range_match(d->range, k->host, true)))
			continue;
		pp_buf_addf(b, "%s ", r->version.text);
		pp_missing_add_clash(b, l, d);
		return "host-conflict";
	}
	return NULL;
}

/* Nothing stands in its way; yet by itself it does not come where another major is. */
static const char *
add_beside(struct pp_buf *b, const struct pp_known *k, const struct pp_release *r)
{
	if (k->majors.n == 0)
		return NULL;
	pp_buf_addf(b, "%s is another major, and comes beside the installed one: %s",
	    r->version.text, pp_release_key(r));
	return "beside";
}

static const char *
judge(struct pp_buf *b, const struct pp_load *l, const struct pp_known *k, const struct pp_slot *s,
    const struct pp_solve_installed *rival)
{
	const char *word = pp_missing_add_slot(b, l, k, s);

	if (s->state != PP_SLOT_CANDIDATE)
		return word;
	word = rival != NULL ? add_hold(b, s->release, rival) : NULL;
	if (word == NULL && rival != NULL)
		word = add_origin(b, l, s, rival);
	if (word == NULL && rival != NULL)
		word = add_direction(b, l, s->release, rival);
	if (word == NULL)
		word = add_host_need(b, l, s->release);
	if (word == NULL)
		word = add_host_conflict(b, l, s->release);
	if (word == NULL && rival == NULL)
		word = add_beside(b, k, s->release);
	return word != NULL ? word : "candidate";
}

/* ---- lines ---- */

static struct told *
add_line(struct telling *t, const struct pp_release *r)
{
	struct told *told = pp_vec_new(&t->lines);

	told->line.release = r;
	told->rival = pp_majors_old(t->l, r);
	if (strcmp(r->name, t->name) != 0) {
		const struct pp_dep *d = pp_deps_get(&r->provides, t->name);
		told->line.provides = d != NULL && d->version.text != NULL ? d->version.text : "";
	}
	return told;
}

static void
add_slot(struct telling *t, const struct pp_known *k, const struct pp_slot *s)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_MAX);
	const struct pp_solve_source *source = &t->l->world->sources[s->source];
	struct told *told = add_line(t, s->release);
	const struct pp_solve_installed *rival = told->rival;

	told->line.source = source->name;
	told->line.priority = source->priority;
	told->line.is_installed =
	    rival != NULL && is_from(rival, source->name) &&
	    pp_version_cmp(&rival->release->version, &s->release->version) == 0;
	told->line.state = judge(&b, t->l, k, s, rival);
	if (told->line.is_installed)
		told->line.state = "installed"; /* also where it could not come any more */
	if (b.n > 0)
		told->reason = pp_buf_steal(&b);
	told->line.reason = told->reason;
}

/* Installed, but its source is gone, or has that version no more. */
static void
add_installed(struct telling *t, const struct pp_solve_installed *inst)
{
	struct told *told = add_line(t, inst->release);
	const char *what = inst->linked || inst->source == NULL ? "is linked from a directory"
			   : strcmp(inst->source, PP_SOURCE_FILE) == 0
			       ? "was installed from a file"
			       : "is installed; its source has it no more";

	told->line.is_installed = true;
	told->line.state = "installed";
	told->reason = pp_asprintf("%s %s", inst->release->version.text, what);
	told->line.reason = told->reason;
}

static bool
is_in_source(
    const struct pp_load *l, const struct pp_known *k, const struct pp_solve_installed *inst)
{
	pp_vec_foreach (s, &k->slots)
		if (is_from(inst, l->world->sources[s->source].name) &&
		    pp_version_cmp(&inst->release->version, &s->release->version) == 0)
			return true;
	return false;
}

static bool
speaks_for(const struct telling *t, const struct pp_release *r)
{
	return strcmp(r->name, t->name) == 0 || pp_deps_get(&r->provides, t->name) != NULL;
}

static void
add_lines_of(struct telling *t, const struct pp_known *k)
{
	pp_vec_foreach (i, &k->majors)
		if (speaks_for(t, (*i)->release) && !is_in_source(t->l, k, *i))
			add_installed(t, *i);
	pp_vec_foreach (s, &k->slots)
		if (speaks_for(t, s->release))
			add_slot(t, k, s);
}

/* ---- the choice ---- */

static bool
is_open(const struct told *told)
{
	return told->line.is_installed || strcmp(told->line.state, "candidate") == 0;
}

/* Of which plugin, when several provide the name: as the solver ranks them (jobs.c). */
static int
cmp_providers(const struct told *a, const struct told *b)
{
	struct pp_version x = { 0 }, y = { 0 };
	int d = (a->rival != NULL) - (b->rival != NULL);

	if (d != 0 || a->line.provides == NULL || b->line.provides == NULL)
		return d;
	d = (a->line.priority > b->line.priority) - (a->line.priority < b->line.priority);
	if (d != 0)
		return d;
	bool has_x = pp_version_parse(pp_str_of(a->line.provides), &x, NULL) == PLUGPKG_OK;
	bool has_y = pp_version_parse(pp_str_of(b->line.provides), &y, NULL) == PLUGPKG_OK;
	d = has_x && has_y ? pp_version_cmp(&x, &y) : has_x - has_y;
	pp_version_fini(&x);
	pp_version_fini(&y);
	return d != 0 ? d : strcmp(b->line.release->name, a->line.release->name);
}

static int
cmp_told(const struct told *a, const struct told *b)
{
	int d = cmp_providers(a, b);

	return d != 0 ? d : pp_version_cmp(&a->line.release->version, &b->line.release->version);
}

/* The best of those that would take the place of rival; NULL: of all. */
static void
choose(struct telling *t, const struct pp_solve_installed *rival)
{
	struct told *best = NULL;

	pp_vec_foreach (told, &t->lines)
		if (is_open(told) && told->rival == rival &&
		    (best == NULL || cmp_told(told, best) > 0))
			best = told;
	if (best != NULL)
		best->line.is_choice = true;
}

static void
choose_all(struct telling *t)
{
	bool is_installed = false;

	pp_vec_foreach (told, &t->lines) {
		if (!told->line.is_installed)
			continue;
		is_installed = true;
		choose(t, told->rival);
	}
	if (!is_installed)
		choose(t, NULL);
}

enum plugpkg_code
pp_policy_of(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request, struct pp_strs *out_providers, pp_policy_fn fn,
    void *user, plugpkg_error **err)
{
	struct pp_load l;
	enum plugpkg_code rc = pp_load_init(&l, world, request, err);

	if (rc == PLUGPKG_OK)
		rc = pp_load_walk(&l, ctx, err);
	if (rc == PLUGPKG_OK && l.asks.n > 0)
		rc = pp_refuse_source(&l, &l.asks.at[0], err);
	if (rc == PLUGPKG_OK && l.asks.n > 0) {
		PP_CLEANUP(telling_fini)
		struct telling t = { .l = &l, .name = l.asks.at[0].dep.name };
		const struct pp_known *k = pp_load_known(&l, t.name);
		bool is_plugin = k->slots.n > 0 || k->majors.n > 0;

		add_lines_of(&t, k);
		pp_vec_foreach (name, &k->providers) {
			pp_strs_add(out_providers, *name);
			if (!is_plugin && pp_load_known(&l, *name) != NULL)
				add_lines_of(&t, pp_load_known(&l, *name));
		}
		choose_all(&t);
		pp_vec_foreach (told, &t.lines)
			fn(&told->line, user);
		if (t.lines.n == 0)
			rc = pp_refuse_hopeless(ctx, &l, err);
	}
	pp_load_fini(&l);
	return rc;
}
