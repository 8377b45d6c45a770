/* SPDX-License-Identifier: MIT */
/*
 * Random small worlds: the solver finds a plan exactly when trying every set finds one, and every
 * plan obeys the rules. The first names may have parallel majors, in all of their releases or in
 * some. The worlds are the same on every machine; a failing one is printed as a
 * scenario.
 */
#include "random.h"

#include "case.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES    6
#define VERSIONS 3
#define PARALLEL 2              /* names that may have parallel majors */
#define CHOICES  (VERSIONS + 3) /* none, each version, and 1.x beside 2.0.0 in two ways */

static const char *const versions[VERSIONS] = { "1.0.0", "1.1.0", "2.0.0" };
static const char *const ranges[] = { "*", "^1", "^2", "1.0.0", ">=1.1", "<2", "~1.1" };

/* A small generator of our own: the same worlds on every machine. */
static uint32_t
next(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % below;
}

static void
add_relation(struct pp_strs *lines, uint64_t *state, const char *what, uint32_t self)
{
	uint32_t name = next(state, NAMES);

	if (name != self)
		pp_strs_take(lines, pp_asprintf("  %s n%u %s", what, (unsigned)name,
					ranges[next(state, PP_LEN(ranges))]));
}

static void
add_world(struct pp_strs *lines, uint64_t *state)
{
	pp_strs_add(lines, "@repo main 500");
	for (uint32_t n = 0; n < NAMES; n++) {
		uint32_t declares = n < PARALLEL ? next(state, 3) : 0; /* none, some, all */
		for (uint32_t v = 0; v < VERSIONS; v++) {
			if (next(state, 4) == 0)
				continue;
			pp_strs_take(lines, pp_asprintf("n%u %s", (unsigned)n, versions[v]));
			if (declares == 2 || (declares == 1 && next(state, 2) == 0))
				pp_strs_add(lines, "  parallel major");
			if (next(state, 3) > 0)
				add_relation(lines, state, "requires", n);
			if (next(state, 3) == 0)
				add_relation(lines, state, "requires", n);
			if (next(state, 4) == 0)
				add_relation(lines, state, "conflicts", n);
			if (next(state, 8) == 0)
				pp_strs_take(lines,
				    pp_asprintf("  provides n%u %s", (unsigned)(n + 1) % NAMES,
					versions[next(state, VERSIONS)]));
		}
	}
	pp_strs_add(lines, "@run");
	pp_strs_take(lines, pp_asprintf("install n%u n%u@%s", (unsigned)next(state, NAMES),
				(unsigned)next(state, NAMES), ranges[next(state, PP_LEN(ranges))]));
}

/* ---- larger worlds: too large to try every set, with things installed and other verbs ---- */

#define MIXED_NAMES 14

static void
add_mixed_relation(struct pp_strs *lines, uint64_t *state, const char *what, uint32_t self)
{
	uint32_t name = next(state, MIXED_NAMES);

	if (name != self)
		pp_strs_take(lines, pp_asprintf("  %s m%u %s", what, (unsigned)name,
					ranges[next(state, PP_LEN(ranges))]));
}

static void
add_mixed_releases(struct pp_strs *lines, uint64_t *state, bool *is_there)
{
	for (uint32_t n = 0; n < MIXED_NAMES; n++) {
		for (uint32_t v = 0; v < VERSIONS; v++) {
			is_there[n * VERSIONS + v] = next(state, 5) > 0;
			if (!is_there[n * VERSIONS + v])
				continue;
			pp_strs_take(lines, pp_asprintf("m%u %s", (unsigned)n, versions[v]));
			for (uint32_t k = next(state, 3); k > 0; k--)
				add_mixed_relation(lines, state, "requires", n);
			if (next(state, 5) == 0)
				add_mixed_relation(lines, state, "recommends", n);
			if (next(state, 10) == 0)
				add_mixed_relation(lines, state, "suggests", n);
			if (next(state, 12) == 0)
				add_mixed_relation(lines, state, "conflicts", n);
			if (next(state, 12) == 0)
				pp_strs_take(lines, pp_asprintf("  provides m%u %s",
							(unsigned)(n + 1) % MIXED_NAMES,
							versions[next(state, VERSIONS)]));
		}
	}
}

static void
add_mixed_world(struct pp_strs *lines, uint64_t *state)
{
	bool is_there[MIXED_NAMES * VERSIONS];
	uint32_t one = next(state, MIXED_NAMES), other = (one + 1) % MIXED_NAMES;

	pp_strs_add(lines, "@repo main 500");
	add_mixed_releases(lines, state, is_there);
	pp_strs_add(lines, "@installed");
	for (uint32_t n = 0; n < MIXED_NAMES; n++) {
		uint32_t v = next(state, VERSIONS);
		if (!is_there[n * VERSIONS + v] || next(state, 2) == 0)
			continue;
		const char *manual = next(state, 2) == 0 ? " manual" : "";
		const char *hold = next(state, 6) == 0 ? " hold" : "";
		pp_strs_take(
		    lines, pp_asprintf("m%u %s%s%s", (unsigned)n, versions[v], manual, hold));
	}
	pp_strs_add(lines, "@run");
	switch (next(state, 7)) {
	case 0:
		pp_strs_take(lines, pp_asprintf("install m%u m%u", one, other));
		break;
	case 1:
		pp_strs_take(lines, pp_asprintf("install m%u m%u@2", one, other));
		break;
	case 2:
		pp_strs_take(lines, pp_asprintf("install m%u --no-recommends", one));
		break;
	case 3:
		pp_strs_take(lines, pp_asprintf("remove m%u", one));
		break;
	case 4:
		pp_strs_add(lines, "autoremove");
		break;
	case 5:
		pp_strs_take(lines, pp_asprintf("upgrade m%u", one));
		break;
	default:
		pp_strs_add(lines, "upgrade");
	}
}

/* ---- every set ---- */

struct set {
	const struct pp_release *at[NAMES + PARALLEL]; /* behind the names: their second majors */
};

static bool
satisfies(const struct set *s, const struct pp_dep *d)
{
	for (size_t i = 0; i < PP_LEN(s->at); i++)
		if (s->at[i] != NULL && pp_release_satisfies(s->at[i], d))
			return true;
	return false;
}

static bool
is_allowed(const struct set *s)
{
	for (size_t i = 0; i < PP_LEN(s->at); i++) {
		if (s->at[i] == NULL)
			continue;
		pp_vec_foreach (d, &s->at[i]->requires)
			if (!satisfies(s, d))
				return false;
		pp_vec_foreach (d, &s->at[i]->conflicts)
			for (size_t k = 0; k < PP_LEN(s->at); k++)
				if (k != i && s->at[k] != NULL && pp_release_satisfies(s->at[k], d))
					return false;
	}
	return true;
}

/* A target means the plugin of the name; who provides it counts only where there is none. */
static bool
answers(const struct scenario *c, const struct set *s, const struct pp_dep *d)
{
	bool is_plugin = false;

	pp_vec_foreach (r, &c->sources.at[0]->releases)
		is_plugin |= strcmp((*r)->name, d->name) == 0;
	if (!is_plugin)
		return satisfies(s, d);
	/* Either of two majors will do. */
	for (size_t k = 0; k < PP_LEN(s->at); k++)
		if (s->at[k] != NULL && strcmp(s->at[k]->name, d->name) == 0 &&
		    pp_release_satisfies(s->at[k], d))
			return true;
	return false;
}

static bool
meets_wishes(const struct scenario *c, const struct set *s)
{
	for (size_t i = 1; i < c->run.n; i++) {
		struct pp_target t;
		struct pp_dep d = { 0 };
		if (pp_target_parse(c->run.at[i], &t, NULL) != PLUGPKG_OK)
			abort();
		d.name = t.name;
		if (t.range != NULL &&
		    pp_range_parse(pp_str_of(t.range), &d.range, NULL) != PLUGPKG_OK)
			abort();
		bool is_met = answers(c, s, &d);
		pp_range_free(d.range);
		pp_target_fini(&t);
		if (!is_met)
			return false;
	}
	return true;
}

static const struct pp_release *
find(const struct scenario *c, uint32_t name, uint32_t version)
{
	PP_AUTO_FREE char *wanted = pp_asprintf("n%u", (unsigned)name);

	if (version == VERSIONS)
		return NULL;
	pp_vec_foreach (r, &c->sources.at[0]->releases)
		if (strcmp((*r)->name, wanted) == 0 &&
		    strcmp((*r)->version.text, versions[version]) == 0)
			return *r;
	return NULL;
}

/*
 * The choice for one name: a version, none (VERSIONS), or above that 2.0.0 with one of the others
 * beside it. False: there is no such choice.
 */
static bool
choose(const struct pp_release *const all[VERSIONS + 1], uint32_t name, uint32_t choice,
    struct set *out)
{
	const struct pp_release *first = all[choice <= VERSIONS ? choice : choice - VERSIONS - 1];
	const struct pp_release *second = choice <= VERSIONS ? NULL : all[VERSIONS - 1];

	out->at[name] = first;
	if (name < PARALLEL)
		out->at[NAMES + name] = second;
	if (choice <= VERSIONS)
		return true;
	return first != NULL && second != NULL && first->is_parallel && second->is_parallel;
}

static bool
some_set_is_allowed(const struct scenario *c)
{
	const struct pp_release *all[NAMES][VERSIONS + 1];
	uint32_t n_sets = 1;

	for (uint32_t n = 0; n < NAMES; n++) {
		n_sets *= n < PARALLEL ? CHOICES : VERSIONS + 1;
		for (uint32_t v = 0; v <= VERSIONS; v++)
			all[n][v] = find(c, n, v);
	}
	for (uint32_t i = 0; i < n_sets; i++) {
		struct set s = { 0 };
		uint32_t rest = i;
		bool is_one = true;
		for (uint32_t n = 0; n < NAMES; n++) {
			uint32_t choices = n < PARALLEL ? CHOICES : VERSIONS + 1;
			is_one = choose(all[n], n, rest % choices, &s) && is_one;
			rest /= choices;
		}
		if (is_one && is_allowed(&s) && meets_wishes(c, &s))
			return true;
	}
	return false;
}

/* ---- one world ---- */

static char *
why_wrong(struct scenario *c)
{
	PP_AUTO_FREE char *text = scenario_run(c, &c->run, false);
	bool is_refused = pp_starts_with(text, "error ");
	bool is_possible = some_set_is_allowed(c);

	if (is_refused == is_possible)
		return pp_asprintf("%s, but:\n%s", is_possible ? "possible" : "impossible", text);
	return check_rules(c, text);
}

/* ---- the same world later ---- */

/* The world before its last versions came, or its releases alone. */
static void
copy_world(const struct pp_strs *lines, bool is_young, bool with_run, struct pp_strs *out)
{
	bool is_left_out = false;

	for (size_t i = 0; i < lines->n; i++) {
		const char *line = lines->at[i];
		if (strcmp(line, "@run") == 0 && !with_run)
			return;
		if (line[0] != ' ')
			is_left_out = is_young && line[0] == 'n' && strstr(line, " 2.0.0") != NULL;
		if (!is_left_out)
			pp_strs_add(out, line);
	}
}

/* What "install NAME VERSION from …" lines brought, as lines of @installed. */
static void
add_installed(const char *plan, struct pp_strs *out)
{
	struct pp_str rest = pp_str_of(plan), line;

	pp_strs_add(out, "@installed");
	while (pp_str_cut(&rest, '\n', &line)) {
		PP_AUTO_FREE char *s = pp_xstrndup(line.p, line.n);
		char name[16], version[16];
		if (sscanf(s, "install %15[^@ ]%*[^ ] %15s", name, version) == 2 ||
		    sscanf(s, "install %15s %15s", name, version) == 2)
			pp_strs_take(out, pp_asprintf("%s %s", name, version));
	}
}

/* An upgrade of what a root got before the last versions came breaks nothing and is not refused. */
static char *
why_upgrade_is_wrong(struct scenario *c)
{
	PP_AUTO_FREE char *text = scenario_run(c, &c->run, false);
	PP_AUTO_FREE char *again = scenario_run(c, &c->run, true);

	if (pp_starts_with(text, "error "))
		return pp_asprintf("an upgrade is refused:\n%s", text);
	if (strstr(text, "downgrade ") != NULL)
		return pp_asprintf("an upgrade goes back:\n%s", text);
	if (strcmp(text, again) != 0)
		return pp_asprintf("another order gives another plan:\n%s%s", text, again);
	char *why = check_rules(c, text);
	if (why == NULL)
		return NULL;
	PP_AUTO_FREE char *broken = why;
	return pp_asprintf("%s:\n%s", broken, text);
}

/* Runs a scenario and tells what is wrong with it; *out_plan: what came out, when asked for. */
static char *
run_lines(const struct pp_strs *lines, char *(*check)(struct scenario *c), char **out_plan)
{
	char *why = NULL;
	struct scenario *c = scenario_parse("random", lines, &why);

	if (c == NULL)
		return why;
	if (out_plan != NULL)
		*out_plan = scenario_run(c, &c->run, false);
	if (check != NULL)
		why = check(c);
	scenario_free(c);
	return why;
}

static bool
tell(const struct pp_strs *lines, uint64_t seed, const char *why)
{
	if (why == NULL)
		return true;
	pp_vec_foreach (line, lines)
		printf("# %s\n", *line);
	printf("# seed %llu: %s\n", (unsigned long long)seed, why);
	return false;
}

static bool
upgrade_world(const struct pp_strs *lines, uint64_t seed)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs young = { 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs later = { 0 };
	PP_AUTO_FREE char *plan = NULL;

	copy_world(lines, true, true, &young);
	PP_AUTO_FREE char *why = run_lines(&young, NULL, &plan);
	if (why != NULL || pp_starts_with(plan, "error "))
		return tell(&young, seed, why);
	copy_world(lines, false, false, &later);
	add_installed(plan, &later);
	pp_strs_add(&later, "@run");
	pp_strs_add(&later, "upgrade");
	PP_AUTO_FREE char *wrong = run_lines(&later, why_upgrade_is_wrong, NULL);
	return tell(&later, seed, wrong);
}

/* No rule broken, and the same plan when everything is handed over in the other order. */
static char *
why_mixed_wrong(struct scenario *c)
{
	PP_AUTO_FREE char *again = scenario_run(c, &c->run, true);
	PP_AUTO_FREE char *text = scenario_run(c, &c->run, false);

	if (strcmp(text, again) != 0)
		return pp_asprintf("another order gives another plan:\n%s\n%s", text, again);
	return check_rules(c, text);
}

static bool
run_world(uint64_t seed)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs lines = { 0 };
	uint64_t state = seed;

	add_world(&lines, &state);
	PP_AUTO_FREE char *why = run_lines(&lines, why_wrong, NULL);
	return tell(&lines, seed, why) && upgrade_world(&lines, seed);
}

uint64_t
random_worlds_wrong(uint64_t n)
{
	uint64_t wrong = 0;

	for (uint64_t seed = 1; seed <= n; seed++)
		wrong += !run_world(seed);
	return wrong;
}

uint64_t
random_mixed_wrong(uint64_t n)
{
	uint64_t wrong = 0;

	for (uint64_t seed = 1; seed <= n; seed++) {
		PP_CLEANUP(pp_strs_fini) struct pp_strs lines = { 0 };
		uint64_t state = seed;
		add_mixed_world(&lines, &state);
		PP_AUTO_FREE char *why = run_lines(&lines, why_mixed_wrong, NULL);
		wrong += !tell(&lines, seed, why);
	}
	return wrong;
}
