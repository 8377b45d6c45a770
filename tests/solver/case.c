/* SPDX-License-Identifier: MIT */
/* Reads scenarios and runs their command through the solver's public door. */
#include "case.h"

#include "base/time.h"
#include "lib/solve/decide.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX  (256 * 1024)
#define MAX_WORDS 64

/* ---- releases ---- */

/* A release while its lines are read. */
struct draft {
	char *name;
	pp_json *json;
	struct pp_strs words; /* of its first line */
	bool has_relations;
};

struct reader {
	struct scenario *c;
	char *section;
	struct case_source *source; /* of the section */
	struct draft draft;
	char *why;
};

static void
fail(struct reader *r, char *why)
{
	if (r->why == NULL)
		r->why = why;
	else
		free(why);
}

/* Words between blanks; one in '…' may hold some. */
static void
split(const char *line, struct pp_strs *out)
{
	for (const char *p = line; *p != '\0' && out->n < MAX_WORDS;) {
		bool is_quoted = *p == '\'';
		p += is_quoted;
		size_t n = strcspn(p, is_quoted ? "'" : " \t");
		if (n > 0)
			pp_strs_take(out, pp_xstrndup(p, n));
		p += n;
		p += is_quoted && *p == '\'';
		p += strspn(p, " \t");
	}
}

static const struct pp_release *
find_release(const struct scenario *c, const struct pp_release *like)
{
	pp_vec_foreach (s, &c->sources)
		pp_vec_foreach (r, &(*s)->releases)
			if (strcmp((*r)->name, like->name) == 0 &&
			    pp_version_cmp(&(*r)->version, &like->version) == 0)
				return *r;
	return NULL;
}

/*
 * Installed releases without relations borrow them: the same release is parsed again from its
 * text.
 */
static void
add_installed(struct reader *r, struct pp_release *release)
{
	struct pp_solve_installed mark = { .release = release, .source = "main" };
	const struct draft *d = &r->draft;

	for (size_t i = 2; i < d->words.n; i++) {
		const char *w = d->words.at[i];
		mark.manual |= strcmp(w, "manual") == 0;
		mark.hold |= strcmp(w, "hold") == 0;
		mark.linked |= strcmp(w, "linked") == 0;
		if (strcmp(w, "from") != 0)
			continue;
		pp_vec_foreach (s, &r->c->sources)
			if (i + 1 < d->words.n && strcmp((*s)->name, d->words.at[i + 1]) == 0)
				mark.source = (*s)->name;
	}
	const struct pp_release *same = d->has_relations ? NULL : find_release(r->c, release);
	if (same != NULL)
		mark.release = same;
	pp_vec_push(&r->c->installed, release);
	pp_vec_push(&r->c->marks, mark);
}

static void
finish_release(struct reader *r)
{
	struct draft d = r->draft;
	plugpkg_error *err = NULL;
	struct pp_release *release = NULL;

	if (d.json == NULL)
		return;
	if (pp_release_parse(d.json, d.name, d.name, PLUGPKG_E_BAD_METADATA, &release, &err) !=
	    PLUGPKG_OK) {
		fail(r, pp_xstrdup(plugpkg_error_message(err)));
		plugpkg_error_free(err);
	} else if (strcmp(r->section, "@installed") == 0) {
		add_installed(r, release);
	} else if (strcmp(r->section, "@link") == 0 && r->c->link == NULL) {
		r->c->link = release;
	} else if (r->source != NULL) {
		pp_vec_push(&r->source->releases, release);
	} else {
		pp_release_free(release);
	}
	free(d.name);
	pp_json_free(d.json);
	pp_strs_fini(&d.words);
	r->draft = (struct draft){ 0 };
}

static void
start_release(struct reader *r, const char *line)
{
	finish_release(r);
	split(line, &r->draft.words);
	if (r->draft.words.n < 2) {
		pp_strs_fini(&r->draft.words);
		fail(r, pp_asprintf("no NAME VERSION: '%s'", line));
		return;
	}
	r->draft.name = pp_xstrdup(r->draft.words.at[0]);
	r->draft.json = pp_json_object();
	pp_json_set_str(r->draft.json, "version", r->draft.words.at[1]);
}

static bool
is_relation(const char *word)
{
	static const char *const relations[] = { "requires", "recommends", "suggests", "conflicts",
		"provides", "replaces", "os", "arch", "min-client", "parallel", "published" };

	for (size_t i = 0; i < PP_LEN(relations); i++)
		if (strcmp(relations[i], word) == 0)
			return true;
	return false;
}

static void
add_relation(struct reader *r, const char *line)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs words = { 0 };
	pp_json *j = r->draft.json;

	split(line, &words);
	if (j == NULL || words.n < 2 || !is_relation(words.at[0])) {
		fail(r, pp_asprintf("no relation: '%s'", line));
		return;
	}
	r->draft.has_relations = true;
	const char *key = words.at[0];
	int64_t when;
	if (strcmp(key, "published") == 0) {
		if (pp_time_parse(pp_str_of(words.at[1]), &when) < 0)
			fail(r, pp_asprintf("no time: '%s'", words.at[1]));
		else
			pp_json_set_int(j, key, when);
		return;
	}
	if (strcmp(key, "min-client") == 0 || strcmp(key, "parallel") == 0) {
		pp_json_set_str(j, key, words.at[1]);
		return;
	}
	bool is_list = strcmp(key, "os") == 0 || strcmp(key, "arch") == 0;
	if (pp_json_get(j, key) == NULL)
		pp_json_set(j, key, is_list ? pp_json_array() : pp_json_object());
	if (is_list) {
		pp_json_push_str(pp_json_get(j, key), words.at[1]);
		return;
	}
	const char *range = strstr(line, words.at[1]) + strlen(words.at[1]);
	range += strspn(range, " ");
	bool is_empty = *range == '\0' && strcmp(key, "provides") != 0;
	pp_json_set_str(pp_json_get(j, key), words.at[1], is_empty ? "*" : range);
}

/* ---- other sections ---- */

static void
add_dep(struct reader *r, const char *line)
{
	bool is_host = strcmp(r->section, "@host") == 0;
	PP_CLEANUP(pp_strs_fini) struct pp_strs words = { 0 };
	plugpkg_error *err = NULL;

	split(line, &words);
	if (words.n < 2) {
		fail(r, pp_asprintf("no NAME and version or range: '%s'", line));
		return;
	}
	const char *text = strstr(line, words.at[1]);
	struct pp_dep *d = pp_vec_new(is_host ? &r->c->host : &r->c->wanted);
	d->name = is_host ? pp_asprintf("host:%s", words.at[0]) : pp_xstrdup(words.at[0]);
	d->text = pp_xstrdup(text);
	enum plugpkg_code rc = is_host ? pp_version_parse(pp_str_of(text), &d->version, &err)
				       : pp_range_parse(pp_str_of(text), &d->range, &err);
	if (rc != PLUGPKG_OK) {
		fail(r, pp_xstrdup(plugpkg_error_message(err)));
		plugpkg_error_free(err);
	}
}

static void
start_source(struct reader *r, const struct pp_strs *words)
{
	uint64_t priority = 500;

	if (words->n < 2 ||
	    (words->n > 2 && pp_parse_u64(pp_str_of(words->at[2]), 10000, &priority) < 0)) {
		fail(r, pp_xstrdup("no @repo SOURCE PRIORITY"));
		return;
	}
	r->source = NULL;
	pp_vec_foreach (s, &r->c->sources)
		if (strcmp((*s)->name, words->at[1]) == 0)
			r->source = *s;
	if (r->source != NULL)
		return;
	r->source = pp_xcalloc(1, sizeof(*r->source));
	r->source->name = pp_xstrdup(words->at[1]);
	r->source->priority = (int)priority;
	pp_vec_push(&r->c->sources, r->source);
}

static void
start_section(struct reader *r, const char *line)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs words = { 0 };

	finish_release(r);
	split(line, &words);
	free(r->section);
	r->section = pp_xstrdup(words.at[0]);
	r->source = NULL;
	if (strcmp(r->section, "@repo") == 0)
		start_source(r, &words);
}

/* A scoped plugin begins with an "@" too, but has a "/". */
bool
scenario_is_section(const char *line)
{
	return line[0] == '@' && line[1 + strcspn(line + 1, " /")] != '/';
}

static void
read_line(struct reader *r, const char *line)
{
	if (scenario_is_section(line)) {
		start_section(r, line);
	} else if (r->section == NULL) {
		fail(r, pp_asprintf("text before the first section: '%s'", line));
	} else if (strcmp(r->section, "@expect") == 0) {
		char *longer = pp_asprintf("%s%s\n", r->c->expect, line);
		free(r->c->expect);
		r->c->expect = longer;
	} else if (strcmp(r->section, "@now") == 0) {
		if (pp_time_parse(pp_str_of(line), &r->c->now) < 0)
			fail(r, pp_asprintf("no time: '%s'", line));
	} else if (strcmp(r->section, "@run") == 0) {
		split(line, &r->c->run);
	} else if (strcmp(r->section, "@host") == 0 || strcmp(r->section, "@wanted") == 0) {
		add_dep(r, line);
	} else if (isblank((unsigned char)line[0])) {
		add_relation(r, line + strspn(line, " \t"));
	} else {
		start_release(r, line);
	}
}

struct scenario *
scenario_parse(const char *name, const struct pp_strs *lines, char **out_why)
{
	struct reader r = { .c = pp_xcalloc(1, sizeof(struct scenario)) };

	r.c->name = pp_xstrdup(name);
	r.c->expect = pp_xstrdup("");
	pp_vec_foreach (line, lines)
		if (r.why == NULL)
			read_line(&r, *line);
	finish_release(&r);
	free(r.section);
	if (r.why == NULL && r.c->run.n == 0)
		fail(&r, pp_xstrdup("no @run"));
	if (r.why == NULL)
		return r.c;
	*out_why = r.why;
	scenario_free(r.c);
	return NULL;
}

void
scenario_free(struct scenario *c)
{
	pp_vec_foreach (s, &c->sources) {
		free((*s)->name);
		pp_releases_fini(&(*s)->releases);
		free(*s);
	}
	pp_vec_free(&c->sources);
	pp_releases_fini(&c->installed);
	pp_vec_free(&c->marks);
	pp_deps_fini(&c->host);
	pp_deps_fini(&c->wanted);
	if (c->link != NULL)
		pp_release_free(c->link);
	pp_strs_fini(&c->run);
	free(c->name);
	free(c->expect);
	free(c);
}

/* ---- sources ---- */

/* Sources hand out owned releases: a copy by way of the planning row's text is the honest way. */
static struct pp_release *
copy_release(const struct pp_release *r)
{
	struct pp_release *copy = pp_xcalloc(1, sizeof(*copy));
	const struct pp_deps *from[] = { &r->requires, &r->recommends, &r->suggests, &r->conflicts,
		&r->provides, &r->replaces };
	struct pp_deps *to[] = { &copy->requires, &copy->recommends, &copy->suggests,
		&copy->conflicts, &copy->provides, &copy->replaces };

	copy->name = pp_xstrdup(r->name);
	pp_version_copy(&r->version, &copy->version);
	for (size_t i = 0; i < PP_LEN(from); i++) {
		pp_vec_foreach (d, from[i]) {
			struct pp_dep *x = pp_vec_new(to[i]);
			x->name = pp_xstrdup(d->name);
			x->text = pp_xstrdup(d->text);
			if (d->version.text != NULL)
				pp_version_copy(&d->version, &x->version);
			if (d->range != NULL)
				(void)pp_range_parse(
				    pp_str_of(d->text), &x->range, NULL); /* parsed before */
		}
	}
	pp_vec_foreach (s, &r->os)
		pp_strs_add(&copy->os, *s);
	pp_vec_foreach (s, &r->arch)
		pp_strs_add(&copy->arch, *s);
	copy->min_client = pp_xstrdup(r->min_client);
	copy->is_parallel = r->is_parallel;
	copy->key = pp_xstrdup(r->key);
	copy->published = r->published;
	return copy;
}

static enum plugpkg_code
source_releases(void *user, const char *name, struct pp_releases *out, struct pp_strs *providers,
    plugpkg_error **err)
{
	const struct case_source *s = user;

	(void)err; /* nothing can fail here */
	for (size_t i = 0; i < s->releases.n; i++) {
		const struct pp_release *r =
		    s->releases.at[s->is_reversed ? s->releases.n - 1 - i : i];
		if (strcmp(r->name, name) == 0)
			pp_vec_push(out, copy_release(r));
		bool is_led_to = pp_deps_get(&r->provides, name) != NULL ||
				 pp_deps_get(&r->replaces, name) != NULL;
		if (is_led_to && !pp_strs_has(providers, r->name))
			pp_strs_add(providers, r->name);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
source_names(void *user, struct pp_strs *out, plugpkg_error **err)
{
	const struct case_source *s = user;

	(void)err; /* nothing can fail here */
	pp_vec_foreach (r, &s->releases)
		if (!pp_strs_has(out, (*r)->name))
			pp_strs_add(out, (*r)->name);
	return PLUGPKG_OK;
}

/* ---- running ---- */

struct command {
	struct pp_solve_request request;
	struct targets pp_vec(struct pp_target) targets;
	struct pp_solve_world world;
	struct sources pp_vec(struct pp_solve_source) sources;
	struct turned pp_vec(struct pp_solve_installed) installed;
	struct pp_strs age_except, age_words;
};

static bool
read_option(struct pp_solve_request *q, const char *word)
{
	static const struct {
		const char *word;
		unsigned flag;
	} options[] = {
		{ "--all", PLUGPKG_ALL },
		{ "--no-recommends", PLUGPKG_NO_RECOMMENDS },
		{ "--pre", PLUGPKG_PRE },
		{ "--reinstall", PLUGPKG_REINSTALL },
		{ "--downgrade", PLUGPKG_DOWNGRADE },
		{ "--only-upgrade", PLUGPKG_ONLY_UPGRADE },
		{ "--allow-origin-change", PLUGPKG_ALLOW_ORIGIN_CHANGE },
		{ "--allow-remove", PLUGPKG_ALLOW_REMOVE },
	};
	uint64_t seconds;

	if (pp_starts_with(word, "--cpu=") &&
	    pp_parse_u64(pp_str_of(word + strlen("--cpu=")), 60, &seconds) == 0) {
		q->cpu_s = (unsigned)seconds;
		return true;
	}
	for (size_t i = 0; i < PP_LEN(options); i++) {
		if (strcmp(options[i].word, word) != 0)
			continue;
		q->flags |= options[i].flag;
		return true;
	}
	return false;
}

/* --min-age=DAYS, --min-age-except=GLOB */
static bool
read_age(struct command *m, const char *word)
{
	static const char age[] = "--min-age=", except[] = "--min-age-except=";
	uint64_t days;

	if (pp_starts_with(word, except)) {
		pp_strs_add(&m->age_except, word + strlen(except));
	} else if (pp_starts_with(word, age) &&
		   pp_parse_u64(pp_str_of(word + strlen(age)), 36500, &days) == 0) {
		m->request.min_age_s = (int64_t)days * 86400;
	} else {
		return false;
	}
	pp_strs_add(&m->age_words, word);
	m->request.min_age_except = &m->age_except;
	m->request.min_age_words = &m->age_words;
	return true;
}

static bool
read_verb(struct pp_solve_request *q, const char *word)
{
	static const struct {
		const char *word;
		enum plugpkg_verb verb;
	} verbs[] = {
		{ "install", PLUGPKG_INSTALL },
		{ "remove", PLUGPKG_REMOVE },
		{ "purge", PLUGPKG_PURGE },
		{ "upgrade", PLUGPKG_UPGRADE },
		{ "autoremove", PLUGPKG_AUTOREMOVE },
		{ "link", PLUGPKG_LINK },
	};

	for (size_t i = 0; i < PP_LEN(verbs); i++) {
		if (strcmp(verbs[i].word, word) != 0)
			continue;
		q->verb = verbs[i].verb;
		return true;
	}
	return false;
}

static void
fill_world(struct command *m, struct scenario *c, bool is_reversed)
{
	for (size_t i = 0; i < c->sources.n; i++) {
		struct case_source *s = c->sources.at[i];
		s->is_reversed = is_reversed;
		pp_vec_push(&m->sources, ((struct pp_solve_source){ .name = s->name,
					     .priority = s->priority,
					     .user = s,
					     .releases = source_releases,
					     .names = source_names }));
	}
	for (size_t i = 0; i < c->marks.n; i++)
		pp_vec_push(&m->installed, c->marks.at[is_reversed ? c->marks.n - 1 - i : i]);
	m->world = (struct pp_solve_world){
		.installed = m->installed.at,
		.n_installed = m->installed.n,
		.host = &c->host,
		.sources = m->sources.at,
		.n_sources = m->sources.n,
		.wanted = &c->wanted,
	};
}

static enum plugpkg_code
read_command(
    struct command *m, struct scenario *c, const struct pp_strs *words, plugpkg_error **err)
{
	pp_vec_foreach (w, words) {
		if (w == words->at && read_verb(&m->request, *w))
			continue;
		if (w == words->at)
			return pp_fail(err, PLUGPKG_E_USAGE, 0, "no verb: '%s'", *w);
		if (read_option(&m->request, *w) || read_age(m, *w))
			continue;
		enum plugpkg_code rc = pp_target_parse(*w, pp_vec_new(&m->targets), err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	if (m->request.verb == PLUGPKG_LINK && c->link == NULL)
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "no @link");
	m->request.now = c->now;
	m->request.targets = m->targets.at;
	m->request.n_targets = m->targets.n;
	m->request.link = m->request.verb == PLUGPKG_LINK ? c->link : NULL;
	return PLUGPKG_OK;
}

static void
command_fini(struct command *m)
{
	pp_vec_foreach (t, &m->targets)
		pp_target_fini(t);
	pp_vec_free(&m->targets);
	pp_vec_free(&m->sources);
	pp_vec_free(&m->installed);
	pp_strs_fini(&m->age_except);
	pp_strs_fini(&m->age_words);
}

/* ---- text of what came out ---- */

static void
add_step(struct pp_buf *b, const struct pp_step *s)
{
	pp_buf_addf(b, "%s %s ", pp_action_names[s->action], s->key);
	if (s->action == PP_UPGRADE || s->action == PP_DOWNGRADE)
		pp_buf_addf(b, "%s -> ", s->old_version);
	pp_buf_addf(b, "%s", s->version);
	if (s->source != NULL)
		pp_buf_addf(b, " from %s", s->source);
	pp_buf_addf(b, ", %s", pp_why_names[s->why]);
	if (s->because != NULL)
		pp_buf_addf(b, " by %s", s->because);
	pp_buf_addf(b, ", depth %u%s\n", (unsigned)s->depth, s->manual ? ", manual" : "");
}

static char *
text_of_plan(const struct pp_plan *plan)
{
	struct pp_buf b = PP_BUF_INIT(TEXT_MAX);

	pp_vec_foreach (s, &plan->steps)
		add_step(&b, s);
	pp_vec_foreach (k, &plan->kept)
		pp_buf_addf(
		    &b, "kept %s %s, not %s: %s\n", k->name, k->version, k->candidate, k->reason);
	pp_vec_foreach (k, &plan->broken)
		pp_buf_addf(&b, "broken %s %s: %s\n", k->name, k->version, k->reason);
	pp_vec_foreach (s, &plan->suggested)
		pp_buf_addf(&b, "suggested %s\n", *s);
	pp_vec_foreach (s, &plan->skipped)
		pp_buf_addf(&b, "skipped %s\n", *s);
	if (plan->is_purge)
		pp_buf_adds(&b, "with data\n");
	if (b.n == 0)
		pp_buf_adds(&b, "nothing to do\n");
	return pp_buf_steal(&b);
}

static char *
text_of_error(const plugpkg_error *err)
{
	const char *hint = plugpkg_error_hint(err);

	return pp_asprintf("error %s\n%s\n%s%s%s", plugpkg_code_name(plugpkg_error_code(err)),
	    plugpkg_error_message(err), hint != NULL ? "hint: " : "", hint != NULL ? hint : "",
	    hint != NULL ? "\n" : "");
}

char *
scenario_run(struct scenario *c, const struct pp_strs *words, bool is_reversed)
{
	struct command m = { 0 };
	plugpkg_error *err = NULL;
	struct pp_plan *plan = pp_plan_new();
	char *text;

	fill_world(&m, c, is_reversed);
	enum plugpkg_code rc = read_command(&m, c, words, &err);
	if (rc == PLUGPKG_OK)
		rc = pp_solve(NULL, &m.world, &m.request, plan, &err);
	text = rc == PLUGPKG_OK ? text_of_plan(plan) : text_of_error(err);
	plugpkg_error_free(err);
	pp_plan_free(plan);
	command_fini(&m);
	return text;
}

static void
drop_line(pp_json *line, void *user)
{
	(void)user; /* nobody listens */
	pp_json_free(line);
}

void
scenario_decide_here(struct scenario *c)
{
	struct command m = { 0 };
	struct pp_load l = { 0 };

	fill_world(&m, c, false);
	if (read_command(&m, c, &c->run, NULL) == PLUGPKG_OK) {
		if (pp_load_init(&l, &m.world, &m.request, NULL) == PLUGPKG_OK &&
		    pp_load_walk(&l, NULL, NULL) == PLUGPKG_OK)
			pp_decide(&l, drop_line, NULL);
		pp_load_fini(&l);
	}
	command_fini(&m);
}
