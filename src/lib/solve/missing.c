/* SPDX-License-Identifier: MIT */
/* Words for what cannot be had. Knows what the walk left out, and nothing of the solver. */
#include "lib/solve/missing.h"

#include "base/time.h"
#include "lib/solve/admit.h"
#include "lib/solve/versions.h"

#include <string.h>

#define LIST_MAX 4096
#define DAY_S    86400

void
pp_missing_add_dep(struct pp_buf *b, const struct pp_dep *dep)
{
	pp_buf_adds(b, dep->name);
	if (dep->range != NULL && !pp_range_is_any(dep->range))
		pp_buf_addf(b, "@%s", dep->text);
}

void
pp_missing_add_existing(struct pp_buf *b, const struct pp_known *k)
{
	PP_AUTO_BUF struct pp_buf list = PP_BUF_INIT(LIST_MAX);
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

/* ---- releases that are left out ---- */

static void
add_age(struct pp_buf *b, const struct pp_load *l, const struct pp_slot *s)
{
	char published[PP_TIME_TEXT], at[PP_TIME_TEXT];
	long long days = (long long)(l->request->min_age_s / DAY_S);
	const char *plural = days == 1 ? "" : "s";

	pp_buf_addf(b, "%s ", s->release->version.text);
	if (s->release->published <= 0) {
		pp_buf_addf(b, "does not tell when it was published, and has to be %lld day%s old",
		    days, plural);
		return;
	}
	pp_time_format(s->release->published, published);
	pp_time_format(pp_admit_old_enough_at(l, s->release), at);
	pp_buf_addf(b,
	    "was published on %s and has to be %lld day%s old; it can be taken from %s on",
	    published, days, plural, at);
}

static const char *
add_unfit(struct pp_buf *b, const struct pp_release *r)
{
	const char *why = NULL;

	(void)pp_release_fits_here(r, &why);
	switch (pp_release_unfit(r)) {
	case PP_UNFIT_NOT:
		return "candidate";
	case PP_UNFIT_OS:
		pp_buf_addf(b, "%s %s", r->version.text, why);
		return "os";
	case PP_UNFIT_ARCH:
		pp_buf_addf(b, "%s %s", r->version.text, why);
		return "arch";
	case PP_UNFIT_CLIENT:
		pp_buf_addf(b, "%s needs plugpkg %s; this is %s", r->version.text, r->min_client,
		    PACKAGE_VERSION);
		return "min-client";
	}
	return "candidate";
}

static void
add_source(
    struct pp_buf *b, const struct pp_load *l, const struct pp_known *k, const struct pp_slot *s)
{
	const struct pp_ask *ask = pp_load_ask(l, k->name);
	const char *version = s->release->version.text, *source = l->world->sources[s->source].name;

	if (ask != NULL && ask->source != NULL && strcmp(ask->source, source) != 0)
		pp_buf_addf(b, "%s is in source '%s', not in '%s'", version, source, ask->source);
	else if (k->owner != s->source && k->owner != PP_NO_SOURCE)
		pp_buf_addf(b,
		    "%s from source '%s' is not taken, because '%s' has plugins of that name",
		    version, source, l->world->sources[k->owner].name);
	else
		pp_buf_addf(b, "%s from source '%s' is not taken, because it is in another one too",
		    version, source);
}

const char *
pp_missing_add_slot(
    struct pp_buf *b, const struct pp_load *l, const struct pp_known *k, const struct pp_slot *s)
{
	const char *version = s->release->version.text;

	switch (s->state) {
	case PP_SLOT_CANDIDATE:
		return "candidate";
	case PP_SLOT_PRERELEASE:
		pp_buf_addf(b, "%s is a prerelease", version);
		return "prerelease";
	case PP_SLOT_OLD:
		pp_buf_addf(b, "%s is one of very many versions; to allow it, name it: %s@%s",
		    version, k->name, version);
		return "old";
	case PP_SLOT_PLATFORM:
		return add_unfit(b, s->release);
	case PP_SLOT_SOURCE:
		add_source(b, l, k, s);
		return "source";
	case PP_SLOT_AGE:
		add_age(b, l, s);
		return "min-age";
	case PP_SLOT_TWIN:
		pp_buf_addf(b, "%s is installed", version);
		return "installed";
	}
	return "candidate";
}

const struct pp_slot *
pp_missing_hidden(const struct pp_known *k, const struct pp_dep *dep)
{
	static const enum pp_slot_state nearest_first[] = {
		PP_SLOT_AGE,
		PP_SLOT_PRERELEASE,
		PP_SLOT_OLD,
		PP_SLOT_PLATFORM,
		PP_SLOT_SOURCE,
	};

	for (size_t i = 0; i < PP_LEN(nearest_first); i++)
		pp_vec_foreach (s, &k->slots)
			if (s->state == nearest_first[i] &&
			    (dep->range == NULL ||
				pp_range_match(dep->range, &s->release->version, true)))
				return s;
	return NULL;
}

/* ---- dependencies ---- */

/* Which way the application's version misses the range: its first alternative tells. */
static bool
is_below(const struct pp_range *range, const struct pp_version *v)
{
	if (range->any.n == 0)
		return false;
	pp_vec_foreach (c, &range->any.at[0].all) {
		int d = pp_version_cmp(v, &c->version);
		if ((c->op == PP_OP_GE && d < 0) || (c->op == PP_OP_GT && d <= 0) ||
		    (c->op == PP_OP_EQ && d < 0))
			return true;
	}
	return false;
}

static const char *
add_host(struct pp_buf *b, const struct pp_known *k, const struct pp_dep *dep)
{
	if (k == NULL || k->host == NULL) {
		pp_buf_adds(b, "this application does not say its version of it (\"provides\" in "
			       "plugpkg.json)");
		return "host-none";
	}
	pp_buf_addf(b, "this application has %s", k->host->text);
	return dep->range != NULL && is_below(dep->range, k->host) ? "host-too-old"
								   : "host-too-new";
}

const char *
pp_missing_add(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep)
{
	const struct pp_known *k = pp_load_known(l, dep->name);

	if (pp_name_is_host(dep->name))
		return add_host(b, k, dep);
	const struct pp_slot *hidden = k != NULL ? pp_missing_hidden(k, dep) : NULL;
	if (hidden != NULL) {
		if (hidden->state != PP_SLOT_PRERELEASE)
			return pp_missing_add_slot(b, l, k, hidden);
		pp_buf_addf(b, "only a prerelease fits: %s", hidden->release->version.text);
		return "prerelease";
	}
	if (k != NULL && has_existing(k)) {
		pp_missing_add_existing(b, k);
		return "version";
	}
	if (k != NULL && k->providers.n > 0) {
		pp_buf_adds(b, "no plugin that provides it fits");
		return "provider";
	}
	pp_buf_adds(b, "no source has it");
	return "unknown";
}

void
pp_missing_add_need(struct pp_buf *b, const struct pp_dep *dep)
{
	pp_buf_adds(b, dep->name);
	if (dep->range != NULL && !pp_range_is_any(dep->range))
		pp_buf_addf(b, " %s", dep->text);
}

void
pp_missing_add_unmet(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep)
{
	pp_buf_adds(b, "needs ");
	pp_missing_add_need(b, dep);
	pp_buf_adds(b, "; ");
	(void)pp_missing_add(b, l, dep); /* the word for it is of no use here */
}

void
pp_missing_add_clash(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep)
{
	pp_buf_adds(b, "conflicts with ");
	pp_missing_add_need(b, dep);
	pp_buf_adds(b, "; ");
	(void)pp_missing_add(b, l, dep); /* the word for it is of no use here */
}
