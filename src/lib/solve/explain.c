/* SPDX-License-Identifier: MIT */
/*
 * From facts to sentences. Facts that say the same of several versions of one plugin become one
 * sentence; sentences are told from the leaves to what was asked for.
 */
#include "lib/solve/explain.h"

#include "lib/solve/majors.h"
#include "lib/solve/missing.h"
#include "lib/solve/versions.h"

#include <string.h>

#define SENTENCE_MAX  4096
#define MAX_SENTENCES 40

struct sentence {
	const char *name; /* of the plugin that it is about */
	enum pp_fact_kind kind;
	char *tail;               /* "tls ^1; no source has it" */
	const char *reason;       /* PP_FACT_MISSING: word of it */
	const struct pp_dep *dep; /* what it needs, conflicts with or replaces */
	struct indices pp_vec(size_t) cands;
	bool is_told;
};
struct story {
	const struct pp_load *load;
	const struct pp_facts *facts;
	struct sentences pp_vec(struct sentence) sentences;
	pp_json *out;
};

static const struct {
	const char *one, *many; /* verb after one version, after several */
	const char *kind;       /* as programs read it */
} words[] = {
	[PP_FACT_KEEP] = { "", "", "installed" },
	[PP_FACT_HELD] = { "", "", "held" },
	[PP_FACT_WANTED] = { "", "", "wanted" },
	[PP_FACT_ASKED] = { "", "", "asked" },
	[PP_FACT_REQUIRES] = { "needs", "need", "requires" },
	[PP_FACT_MISSING] = { "needs", "need", "missing" },
	[PP_FACT_CONFLICTS] = { "conflicts with", "conflict with", "conflicts" },
	[PP_FACT_REPLACES] = { "replaces", "replace", "replaces" },
	[PP_FACT_ALONE] = { "", "", "single" },
};

/* ---- what is told ---- */

static bool
is_told_already(const struct story *st, const char *text)
{
	for (size_t i = 0; i < pp_json_len(st->out); i++)
		if (strcmp(pp_json_get_str(pp_json_at(st->out, i), "text"), text) == 0)
			return true;
	return false;
}

/* The cause to fill in further; NULL when it stands there already. */
static pp_json *
add_cause(struct story *st, const char *text, const char *kind, const char *plugin)
{
	pp_json *cause = pp_json_object();

	if (is_told_already(st, text)) {
		pp_json_free(cause);
		return NULL;
	}
	pp_json_set_str(cause, "text", text);
	pp_json_set_str(cause, "kind", kind);
	pp_json_set_str(cause, "plugin", plugin);
	pp_json_push(st->out, cause);
	return cause;
}

static void
set_needs(pp_json *cause, const struct pp_dep *dep)
{
	pp_json *needs = pp_json_object();

	pp_json_set_str(needs, "name", dep->name);
	pp_json_set_str(needs, "range", dep->text != NULL ? dep->text : "*");
	pp_json_set(cause, "needs", needs);
}

static const struct pp_release *
release_of(const struct pp_load *l, size_t cand)
{
	return l->cands.at[cand].release;
}

/* ---- collecting sentences ---- */

static bool
is_edge(enum pp_fact_kind kind)
{
	return kind == PP_FACT_REQUIRES || kind == PP_FACT_MISSING || kind == PP_FACT_CONFLICTS ||
	       kind == PP_FACT_REPLACES;
}

static char *
tail_of(const struct story *st, const struct pp_fact *f, const char **out_reason)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(SENTENCE_MAX);

	pp_missing_add_need(&b, f->dep);
	if (f->kind == PP_FACT_MISSING) {
		pp_buf_adds(&b, "; ");
		*out_reason = pp_missing_add(&b, st->load, f->dep);
	}
	if (f->kind == PP_FACT_CONFLICTS || f->kind == PP_FACT_REPLACES) {
		const struct pp_release *to = release_of(st->load, f->to);
		if (pp_name_is_host(f->dep->name))
			pp_buf_addf(&b, "; this application has %s", to->version.text);
		else if (strcmp(f->dep->name, to->name) != 0)
			pp_buf_addf(&b, ", which %s provides", to->name);
	}
	if (f->kind == PP_FACT_REPLACES)
		pp_buf_adds(&b, " and cannot stand beside it");
	return pp_buf_steal(&b);
}

static void
add_fact(struct story *st, const struct pp_fact *f)
{
	const char *reason = NULL;

	if (!is_edge(f->kind) || st->load->cands.at[f->from].origin == PP_FROM_HOST)
		return;
	PP_AUTO_FREE char *tail = tail_of(st, f, &reason);

	const char *name = release_of(st->load, f->from)->name;
	pp_vec_foreach (s, &st->sentences) {
		if (s->kind != f->kind || strcmp(s->name, name) != 0 || strcmp(s->tail, tail) != 0)
			continue;
		pp_vec_push(&s->cands, f->from);
		return;
	}
	struct sentence *s = pp_vec_new(&st->sentences);
	s->name = name;
	s->kind = f->kind;
	s->tail = pp_steal(&tail);
	s->reason = reason;
	s->dep = f->dep;
	pp_vec_push(&s->cands, f->from);
}

static bool
is_meant(const struct sentence *s, size_t cand)
{
	pp_vec_foreach (i, &s->cands)
		if (*i == cand)
			return true;
	return false;
}

static void
set_versions(const struct story *st, const struct sentence *s, pp_json *cause)
{
	pp_json *versions = pp_json_array();

	for (size_t i = pp_load_first_cand(st->load, s->name);
	     pp_load_is_cand_of(st->load, i, s->name); i++)
		if (is_meant(s, i))
			pp_json_push_str(versions, release_of(st->load, i)->version.text);
	pp_json_set(cause, "versions", versions);
}

static void
say(struct story *st, const struct sentence *s)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(SENTENCE_MAX);
	struct pp_version_marks marks = { 0 };

	for (size_t i = pp_load_first_cand(st->load, s->name);
	     pp_load_is_cand_of(st->load, i, s->name); i++) {
		const struct pp_cand *c = &st->load->cands.at[i];
		pp_vec_push(&marks, ((struct pp_version_mark){ .version = &c->release->version,
					.is_meant = is_meant(s, i),
					.is_installed = c->origin == PP_FROM_INSTALLED }));
	}
	pp_buf_addf(&b, "%s ", s->name);
	bool is_one = pp_versions_add(&b, &marks, PP_VERSIONS_RUNS) == 1;
	pp_buf_addf(&b, " %s %s", is_one ? words[s->kind].one : words[s->kind].many, s->tail);
	pp_vec_free(&marks);

	pp_json *cause = add_cause(st, pp_buf_cstr(&b), words[s->kind].kind, s->name);
	if (cause == NULL)
		return;
	set_versions(st, s, cause);
	set_needs(cause, s->dep);
	pp_json_set_str(cause, "reason", s->reason);
}

/* ---- telling ---- */

static bool
is_about_one_of(const struct story *st, const struct sentence *s, const struct pp_dep *dep)
{
	pp_vec_foreach (i, &s->cands)
		if (pp_cand_satisfies(st->load, &st->load->cands.at[*i], dep))
			return true;
	return false;
}

static void tell(struct story *st, struct sentence *s);

static void
tell_under(struct story *st, const struct pp_dep *dep)
{
	pp_vec_foreach (s, &st->sentences)
		if (is_about_one_of(st, s, dep))
			tell(st, s);
}

/* Depth is bounded by the number of sentences, and that by MAX_SENTENCES. */
static void
tell(struct story *st, struct sentence *s)
{
	if (s->is_told)
		return;
	s->is_told = true;
	if (s->kind == PP_FACT_REQUIRES)
		tell_under(st, s->dep);
	say(st, s);
}

/* A wish: "you asked for tls ^1". */
static void
say_wish(struct story *st, const struct pp_fact *f)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(SENTENCE_MAX);

	pp_buf_adds(&b, f->kind == PP_FACT_WANTED ? "plugpkg.json wants " : "you asked for ");
	pp_missing_add_need(&b, f->dep);
	pp_json *cause = add_cause(st, pp_buf_cstr(&b), words[f->kind].kind, f->dep->name);
	if (cause != NULL)
		set_needs(cause, f->dep);
}

static void
say_of_installed(struct story *st, const struct pp_fact *f, const char *what, const char *reason)
{
	const struct pp_release *r = release_of(st->load, f->from);
	PP_AUTO_FREE char *text =
	    pp_asprintf("%s %s (installed) %s", r->name, r->version.text, what);
	pp_json *cause = add_cause(st, text, words[f->kind].kind, r->name);

	if (cause == NULL)
		return;
	pp_json *versions = pp_json_array();
	pp_json_push_str(versions, r->version.text);
	pp_json_set(cause, "versions", versions);
	pp_json_set_str(cause, "reason", reason);
}

/* What stays where it is although another origin offers the name. True when that was it. */
static bool
say_origin(struct story *st, const struct pp_fact *f)
{
	const struct pp_cand *c = &st->load->cands.at[f->from];
	const struct pp_known *k = pp_load_known(st->load, c->release->name);

	if (c->installed == NULL || k == NULL || k->owner == PP_NO_SOURCE)
		return false;
	if (c->installed->linked) {
		say_of_installed(st, f, "is linked from a directory, and stays so", "linked");
		return true;
	}
	const struct pp_ask *ask = pp_load_ask(st->load, c->release->name);
	const char *other = ask != NULL && ask->source != NULL
				? ask->source
				: st->load->world->sources[k->owner].name;
	if (c->installed->source == NULL || strcmp(c->installed->source, other) == 0)
		return false;
	PP_AUTO_FREE char *what =
	    pp_asprintf("came from source '%s' and stays with it; source '%s' has other plugins "
			"of that name",
		c->installed->source, other);
	say_of_installed(st, f, what, "origin");
	return true;
}

/* The older version that somebody here wants instead of the installed one, or NULL. */
static const struct pp_release *
older_wanted(const struct story *st, size_t installed)
{
	const struct pp_load *l = st->load;
	const struct pp_cand *c = &l->cands.at[installed];

	pp_vec_foreach (f, st->facts) {
		if ((f->kind != PP_FACT_REQUIRES && f->kind != PP_FACT_ASKED) ||
		    pp_cand_satisfies(l, c, f->dep))
			continue;
		for (size_t i = installed + 1; pp_load_is_cand_of(l, i, c->release->name); i++) {
			const struct pp_release *r = l->cands.at[i].release;
			if (pp_cand_satisfies(l, &l->cands.at[i], f->dep) &&
			    pp_excludes(r, c->release) &&
			    pp_version_cmp(&r->version, &c->release->version) < 0)
				return r;
		}
	}
	return NULL;
}

static void
say_only_one(struct story *st, const char *name, const char *why)
{
	PP_AUTO_FREE char *text =
	    pp_asprintf("%s%s%sonly one version of %s can be installed", why != NULL ? name : "",
		why != NULL ? why : "", why != NULL ? ", so " : "", why != NULL ? "it" : name);

	(void)add_cause(st, text, "single", name);
}

static void
say_kept(struct story *st, const struct pp_fact *f)
{
	const char *name = release_of(st->load, f->from)->name;

	if (say_origin(st, f))
		return;
	/* Its own needs are the reason where there are some. */
	pp_vec_foreach (s, &st->sentences)
		if (strcmp(s->name, name) == 0)
			return;
	const struct pp_release *older = older_wanted(st, f->from);
	if (older == NULL)
		return;
	say_of_installed(st, f, "is newer, and goes back only when told so", "downgrade");
	if (!older->is_parallel && !pp_same_major(older, release_of(st->load, f->from)))
		say_only_one(st, name, " does not declare parallel majors");
}

static void
tell_kind(struct story *st, enum pp_fact_kind kind)
{
	pp_vec_foreach (f, st->facts) {
		if (f->kind != kind)
			continue;
		if (kind == PP_FACT_HELD)
			say_of_installed(st, f, "is held", "hold");
		else if (kind == PP_FACT_WANTED)
			say_wish(st, f);
		if (kind == PP_FACT_KEEP || kind == PP_FACT_HELD) {
			if (kind == PP_FACT_KEEP)
				say_kept(st, f);
			pp_vec_foreach (s, &st->sentences)
				if (strcmp(s->name, release_of(st->load, f->from)->name) == 0)
					tell(st, s);
		} else {
			tell_under(st, f->dep);
		}
	}
}

static void
say_only_one_kind(struct story *st, const char *name)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(SENTENCE_MAX);
	struct pp_version_marks marks = { 0 };

	pp_buf_addf(&b, "%s ", name);
	for (size_t i = pp_load_first_cand(st->load, name); pp_load_is_cand_of(st->load, i, name);
	     i++) {
		const struct pp_cand *c = &st->load->cands.at[i];
		pp_vec_push(&marks, ((struct pp_version_mark){ .version = &c->release->version,
					.is_meant = !c->release->is_parallel,
					.is_installed = c->origin == PP_FROM_INSTALLED }));
	}
	size_t n = pp_versions_add(&b, &marks, PP_VERSIONS_RUNS);
	pp_buf_addf(&b,
	    " %s not declare parallel majors, so no other version of %s can be beside it",
	    n == 1 ? "does" : "do", name);
	(void)add_cause(st, pp_buf_cstr(&b), "single", name);
	pp_vec_free(&marks);
}

/* By different ranges; who upgrades, links or holds it does not want a second major. */
static bool
is_wanted_twice(const struct story *st, const char *name)
{
	const char *first = NULL;
	bool is_twice = false;

	pp_vec_foreach (f, st->facts) {
		if (f->kind == PP_FACT_HELD || f->kind == PP_FACT_WANTED)
			return false;
		if ((f->kind != PP_FACT_REQUIRES && f->kind != PP_FACT_ASKED) ||
		    strcmp(f->dep->name, name) != 0)
			continue;
		is_twice = is_twice || (first != NULL && strcmp(first, f->dep->text) != 0);
		first = f->dep->text;
	}
	return is_twice && st->load->request->verb == PLUGPKG_INSTALL;
}

static bool
is_alone(const struct story *st, const char *name)
{
	pp_vec_foreach (f, st->facts)
		if (f->kind == PP_FACT_ALONE &&
		    strcmp(release_of(st->load, f->from)->name, name) == 0)
			return is_wanted_twice(st, name);
	return false;
}

/* Why two majors of a plugin are one too many, once a name. */
static void
tell_alone(struct story *st)
{
	const char *last = NULL;

	pp_vec_foreach (f, st->facts) {
		/* Wishes come from no release. */
		if (f->kind != PP_FACT_ALONE)
			continue;
		const char *name = release_of(st->load, f->from)->name;
		if (last != NULL && strcmp(last, name) == 0)
			continue;
		last = name;
		if (!is_wanted_twice(st, name))
			continue;
		if (!release_of(st->load, f->from)->is_parallel &&
		    !release_of(st->load, f->to)->is_parallel)
			say_only_one(st, name, " does not declare parallel majors");
		else
			say_only_one_kind(st, name);
	}
}

/* Without any edge it is the wishes themselves that exclude each other. */
static void
tell_wishes(struct story *st)
{
	const struct pp_dep *last = NULL;

	pp_vec_foreach (f, st->facts) {
		if (f->kind != PP_FACT_ASKED)
			continue;
		say_wish(st, f);
		if (last != NULL && strcmp(last->name, f->dep->name) == 0 &&
		    !is_alone(st, last->name))
			say_only_one(st, last->name, NULL);
		last = f->dep;
	}
	pp_vec_foreach (f, st->facts)
		if (f->kind == PP_FACT_KEEP)
			say_of_installed(st, f, "has to stay", NULL);
	if (pp_json_len(st->out) == 0)
		(void)add_cause(st, "the wishes exclude each other", "wishes", NULL);
}

static int
cmp_facts(const void *a, const void *b)
{
	const struct pp_fact *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	int d = x->dep == NULL || y->dep == NULL ? 0 : strcmp(x->dep->name, y->dep->name);
	if (d == 0 && x->dep != NULL && y->dep != NULL)
		d = strcmp(x->dep->text, y->dep->text);
	return d != 0 ? d : x->to < y->to ? -1 : x->to > y->to;
}

void
pp_explain(const struct pp_load *l, const struct pp_facts *facts, pp_json *out)
{
	struct pp_facts sorted = { 0 };
	struct story st = { .load = l, .facts = &sorted, .out = out };

	pp_vec_foreach (f, facts)
		pp_vec_push(&sorted, *f);
	/* Candidates are sorted by name and version, so are the sentences then. */
	pp_vec_sort(&sorted, cmp_facts);
	pp_vec_foreach (f, &sorted)
		if (st.sentences.n < MAX_SENTENCES)
			add_fact(&st, f);
	tell_kind(&st, PP_FACT_HELD);
	tell_kind(&st, PP_FACT_WANTED);
	tell_kind(&st, PP_FACT_KEEP);
	tell_kind(&st, PP_FACT_ASKED);
	pp_vec_foreach (s, &st.sentences)
		tell(&st, s);
	if (pp_json_len(out) == 0)
		tell_wishes(&st);
	tell_alone(&st);
	pp_vec_foreach (s, &st.sentences) {
		free(s->tail);
		pp_vec_free(&s->cands);
	}
	pp_vec_free(&st.sentences);
	pp_vec_free(&sorted);
}
