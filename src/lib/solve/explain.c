/* SPDX-License-Identifier: MIT */
/*
 * From facts to sentences. Facts that say the same of several versions of one plugin become one
 * sentence; sentences are told from the leaves to what was asked for.
 */
#include "lib/solve/explain.h"

#include "lib/solve/versions.h"

#include <string.h>

#define SENTENCE_MAX  4096
#define MAX_SENTENCES 40

struct sentence {
	const char *name; /* of the plugin that it is about */
	char *tail;       /* "needs tls ^1" */
	const struct pp_dep *dep;
	struct indices pp_vec(size_t) cands;
	bool is_told;
};
struct story {
	const struct pp_load *load;
	const struct pp_facts *facts;
	struct sentences pp_vec(struct sentence) sentences;
	struct pp_strs *out;
};

static const struct pp_release *
release_of(const struct pp_load *l, size_t cand)
{
	return l->cands.at[cand].release;
}

void
pp_explain_add_dep(struct pp_buf *b, const struct pp_dep *dep)
{
	pp_buf_adds(b, dep->name);
	if (dep->range != NULL && !pp_range_is_any(dep->range))
		pp_buf_addf(b, "@%s", dep->text);
}

static void
add_need(struct pp_buf *b, const struct pp_dep *dep)
{
	pp_buf_adds(b, dep->name);
	if (dep->range != NULL && !pp_range_is_any(dep->range))
		pp_buf_addf(b, " %s", dep->text);
}

/* ---- why nothing satisfies a dependency ---- */

static bool
could_match(const struct pp_slot *s, const struct pp_dep *dep)
{
	return dep->range == NULL || pp_range_match(dep->range, &s->release->version, true);
}

static const struct pp_slot *
first_matching(const struct pp_known *k, const struct pp_dep *dep, enum pp_slot_state state)
{
	pp_vec_foreach (s, &k->slots)
		if (s->state == state && could_match(s, dep))
			return s;
	return NULL;
}

void
pp_explain_add_existing(struct pp_buf *b, const struct pp_known *k)
{
	PP_AUTO_BUF struct pp_buf list = PP_BUF_INIT(SENTENCE_MAX);
	struct pp_version_marks marks = { 0 };

	if (k->installed != NULL)
		pp_vec_push(
		    &marks, ((struct pp_version_mark){ .version = &k->installed->release->version,
				.is_meant = true,
				.is_installed = true }));
	pp_vec_foreach (s, &k->slots)
		pp_vec_push(&marks,
		    ((struct pp_version_mark){ .version = &s->release->version,
			.is_meant = s->state != PP_SLOT_SOURCE && s->state != PP_SLOT_TWIN }));
	size_t n = pp_versions_add(&list, &marks, PP_VERSIONS_EACH);
	pp_buf_addf(b, "there %s %s", n == 1 ? "is only" : "are", pp_buf_cstr(&list));
	pp_vec_free(&marks);
}

static bool
has_existing(const struct pp_known *k)
{
	if (k->installed != NULL)
		return true;
	pp_vec_foreach (s, &k->slots)
		if (s->state != PP_SLOT_SOURCE && s->state != PP_SLOT_TWIN)
			return true;
	return false;
}

static void
add_missing_host(struct pp_buf *b, const struct pp_known *k)
{
	if (k == NULL || k->host == NULL)
		pp_buf_adds(b, "this application does not say its version of it (\"provides\" in "
			       "plugpkg.json)");
	else
		pp_buf_addf(b, "this application has %s", k->host->text);
}

/* The name exists, in other versions or under a condition. */
static void
add_missing_known(
    struct pp_buf *b, const struct pp_load *l, const struct pp_known *k, const struct pp_dep *dep)
{
	const struct pp_slot *s = first_matching(k, dep, PP_SLOT_PLATFORM);

	if (s != NULL) {
		pp_buf_addf(b, "version %s %s", s->release->version.text, s->note);
	} else if ((s = first_matching(k, dep, PP_SLOT_PRERELEASE)) != NULL) {
		pp_buf_addf(b, "only a prerelease fits; to allow it, name it: %s@%s", k->name,
		    s->release->version.text);
	} else if ((s = first_matching(k, dep, PP_SLOT_SOURCE)) != NULL) {
		const struct pp_slot *owner = &k->slots.at[0];
		pp_buf_addf(b,
		    "%s from source '%s' is not taken, because '%s' has plugins of that name",
		    s->release->version.text, l->world->sources[s->source].name,
		    l->world->sources[owner->source].name);
	} else if (has_existing(k)) {
		pp_explain_add_existing(b, k);
	} else if (k->providers.n > 0) {
		pp_buf_adds(b, "no plugin that provides it fits");
	} else {
		pp_buf_adds(b, "no source has it");
	}
}

void
pp_explain_add_missing(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep)
{
	const struct pp_known *k = pp_load_known(l, dep->name);

	if (pp_name_is_host(dep->name))
		add_missing_host(b, k);
	else if (k == NULL)
		pp_buf_adds(b, "no source has it");
	else
		add_missing_known(b, l, k, dep);
}

void
pp_explain_add_unmet(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep)
{
	pp_buf_adds(b, "needs ");
	add_need(b, dep);
	pp_buf_adds(b, "; ");
	pp_explain_add_missing(b, l, dep);
}

void
pp_explain_add_clash(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep)
{
	pp_buf_adds(b, "conflicts with ");
	add_need(b, dep);
	pp_buf_adds(b, "; ");
	pp_explain_add_missing(b, l, dep);
}

/* ---- collecting sentences ---- */

static char *
tail_of(const struct story *st, const struct pp_fact *f)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(SENTENCE_MAX);

	switch (f->kind) {
	case PP_FACT_REQUIRES:
		pp_buf_adds(&b, "needs ");
		add_need(&b, f->dep);
		break;
	case PP_FACT_MISSING:
		pp_explain_add_unmet(&b, st->load, f->dep);
		break;
	case PP_FACT_CONFLICTS:
	case PP_FACT_REPLACES:
		pp_buf_adds(&b, f->kind == PP_FACT_CONFLICTS ? "conflicts with " : "replaces ");
		add_need(&b, f->dep);
		if (pp_name_is_host(f->dep->name))
			pp_buf_addf(&b, "; this application has %s",
			    release_of(st->load, f->to)->version.text);
		else if (strcmp(f->dep->name, release_of(st->load, f->to)->name) != 0)
			pp_buf_addf(&b, ", which %s provides", release_of(st->load, f->to)->name);
		break;
	case PP_FACT_KEEP:
	case PP_FACT_HELD:
	case PP_FACT_WANTED:
	case PP_FACT_ASKED:
	case PP_FACT_ALONE:
		return NULL;
	}
	return pp_buf_steal(&b);
}

static void
add_fact(struct story *st, const struct pp_fact *f)
{
	PP_AUTO_FREE char *tail = tail_of(st, f);
	if (tail == NULL || st->load->cands.at[f->from].origin == PP_FROM_HOST)
		return;

	const char *name = release_of(st->load, f->from)->name;
	pp_vec_foreach (s, &st->sentences) {
		if (strcmp(s->name, name) != 0 || strcmp(s->tail, tail) != 0)
			continue;
		pp_vec_push(&s->cands, f->from);
		return;
	}
	struct sentence *s = pp_vec_new(&st->sentences);
	s->name = name;
	s->tail = pp_steal(&tail);
	s->dep = f->kind == PP_FACT_REQUIRES ? f->dep : NULL;
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
	(void)pp_versions_add(&b, &marks, PP_VERSIONS_RUNS); /* at least one */
	pp_buf_addf(&b, " %s", s->tail);
	pp_strs_take(st->out, pp_buf_steal(&b));
	pp_vec_free(&marks);
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
	if (s->dep != NULL)
		tell_under(st, s->dep);
	say(st, s);
}

static void
sayf(struct story *st, const char *before, const struct pp_dep *dep)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(SENTENCE_MAX);

	pp_buf_adds(&b, before);
	add_need(&b, dep);
	if (!pp_strs_has(st->out, pp_buf_cstr(&b)))
		pp_strs_take(st->out, pp_buf_steal(&b));
}

static void
say_of_installed(struct story *st, const struct pp_fact *f, const char *what)
{
	const struct pp_release *r = release_of(st->load, f->from);

	pp_strs_take(st->out, pp_asprintf("%s %s (installed) %s", r->name, r->version.text, what));
}

/* What stays where it is although another origin offers the name. */
static void
say_origin(struct story *st, const struct pp_fact *f)
{
	const struct pp_cand *c = &st->load->cands.at[f->from];
	const struct pp_known *k = pp_load_known(st->load, c->release->name);

	if (c->installed == NULL || k == NULL || k->slots.n == 0)
		return;
	const char *owner = st->load->world->sources[k->slots.at[0].source].name;
	if (c->installed->linked) {
		say_of_installed(st, f, "is linked from a directory, and stays so");
	} else if (c->installed->source != NULL && strcmp(c->installed->source, owner) != 0) {
		PP_AUTO_FREE char *what =
		    pp_asprintf("came from source '%s'; source '%s' has other plugins of that name",
			c->installed->source, owner);
		say_of_installed(st, f, what);
	}
}

static void
tell_kind(struct story *st, enum pp_fact_kind kind)
{
	pp_vec_foreach (f, st->facts) {
		if (f->kind != kind)
			continue;
		if (kind == PP_FACT_HELD)
			say_of_installed(st, f, "is held");
		else if (kind == PP_FACT_WANTED)
			sayf(st, "plugpkg.json wants ", f->dep);
		if (kind == PP_FACT_KEEP || kind == PP_FACT_HELD) {
			if (kind == PP_FACT_KEEP)
				say_origin(st, f);
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
	size_t n = 0;

	pp_buf_addf(&b, "%s ", name);
	for (size_t i = pp_load_first_cand(st->load, name); pp_load_is_cand_of(st->load, i, name);
	     i++) {
		const struct pp_cand *c = &st->load->cands.at[i];
		n += !c->release->is_parallel;
		pp_vec_push(&marks, ((struct pp_version_mark){ .version = &c->release->version,
					.is_meant = !c->release->is_parallel,
					.is_installed = c->origin == PP_FROM_INSTALLED }));
	}
	n = pp_versions_add(&b, &marks, PP_VERSIONS_RUNS);
	pp_buf_addf(&b,
	    " %s not declare parallel majors, so no other version of %s can be beside it",
	    n == 1 ? "does" : "do", name);
	pp_strs_take(st->out, pp_buf_steal(&b));
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
		const char *name = release_of(st->load, f->from)->name;
		if (f->kind != PP_FACT_ALONE || (last != NULL && strcmp(last, name) == 0))
			continue;
		last = name;
		if (!is_wanted_twice(st, name))
			continue;
		if (!release_of(st->load, f->from)->is_parallel &&
		    !release_of(st->load, f->to)->is_parallel)
			pp_strs_take(st->out,
			    pp_asprintf("%s does not declare parallel majors, so only one version "
					"of it can be installed",
				name));
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
		sayf(st, "you asked for ", f->dep);
		if (last != NULL && strcmp(last->name, f->dep->name) == 0 &&
		    !is_alone(st, last->name))
			pp_strs_take(st->out,
			    pp_asprintf("only one version of %s can be installed", last->name));
		last = f->dep;
	}
	pp_vec_foreach (f, st->facts)
		if (f->kind == PP_FACT_KEEP)
			say_of_installed(st, f, "has to stay");
	if (st->out->n == 0)
		pp_strs_add(st->out, "the wishes exclude each other");
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
pp_explain(const struct pp_load *l, const struct pp_facts *facts, struct pp_strs *out)
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
	if (out->n == 0)
		tell_wishes(&st);
	tell_alone(&st);
	pp_vec_foreach (s, &st.sentences) {
		free(s->tail);
		pp_vec_free(&s->cands);
	}
	pp_vec_free(&st.sentences);
	pp_vec_free(&sorted);
}
