/* SPDX-License-Identifier: MIT */
/*
 * Reads a plan's text, carries it out on paper, and looks at every rule. Shares no code with the
 * solver.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORD 300

/* One plugin after the plan. */
struct member {
	const struct pp_release *release;
	size_t step; /* position in the plan; 0: untouched */
	unsigned depth;
};
struct members pp_vec(struct member);

static const struct pp_release *
find(const struct scenario *c, const char *name, const char *version)
{
	if (c->link != NULL && strcmp(c->link->name, name) == 0 &&
	    strcmp(c->link->version.text, version) == 0)
		return c->link;
	pp_vec_foreach (s, &c->sources)
		pp_vec_foreach (r, &(*s)->releases)
			if (strcmp((*r)->name, name) == 0 &&
			    strcmp((*r)->version.text, version) == 0)
				return *r;
	return NULL;
}

static void
drop(struct members *set, const char *name, const char *version)
{
	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->at[i].release->name, name) != 0 ||
		    strcmp(set->at[i].release->version.text, version) != 0)
			continue;
		set->at[i] = set->at[--set->n];
		return;
	}
}

/* "install NAME VERSION …, depth N" or "upgrade NAME OLD -> VERSION …". */
static char *
apply(const struct scenario *c, struct members *set, const char *line, size_t step)
{
	char action[MAX_WORD], name[MAX_WORD], version[MAX_WORD], arrow[MAX_WORD], after[MAX_WORD];
	int n = sscanf(line, "%299s %299s %299s %299s %299s", action, name, version, arrow, after);

	if (n < 3 || strcmp(action, "kept") == 0 || strcmp(action, "broken") == 0 ||
	    strcmp(action, "suggested") == 0 || strcmp(action, "nothing") == 0 ||
	    strcmp(action, "with") == 0)
		return NULL;
	version[strcspn(version, ",")] = '\0';
	name[1 + strcspn(name + 1, "@")] = '\0'; /* of NAME@MAJOR the version tells the rest */
	if (strcmp(action, "install") != 0)
		drop(set, name, version);
	if (strcmp(action, "remove") == 0)
		return NULL;
	if (n == 5 && strcmp(arrow, "->") == 0)
		memcpy(version, after, sizeof(version));
	version[strcspn(version, ",")] = '\0';
	const struct pp_release *r = find(c, name, version);
	if (r == NULL)
		return pp_asprintf("%s %s is in no source", name, version);
	const char *depth = strstr(line, ", depth ");
	pp_vec_push(
	    set, ((struct member){ .release = r,
		     .step = step,
		     .depth = depth != NULL ? (unsigned)strtoul(depth + 8, NULL, 10) : 0 }));
	return NULL;
}

static bool
host_satisfies(const struct scenario *c, const struct pp_dep *d)
{
	const struct pp_dep *h = pp_deps_get(&c->host, d->name);

	return h != NULL && (d->range == NULL || pp_range_match(d->range, &h->version, true));
}

static bool
satisfied(const struct scenario *c, const struct members *set, const struct pp_dep *d)
{
	if (host_satisfies(c, d))
		return true;
	pp_vec_foreach (m, set)
		if (pp_release_satisfies(m->release, d))
			return true;
	return false;
}

/* What was broken before may stay broken; what the plan touches may not. */
static char *
check_member(const struct scenario *c, const struct members *before, const struct members *set,
    const struct member *m)
{
	pp_vec_foreach (d, &m->release->requires)
		if (!satisfied(c, set, d) && (m->step > 0 || satisfied(c, before, d)))
			return pp_asprintf("%s misses %s %s", m->release->name, d->name, d->text);
	pp_vec_foreach (d, &m->release->conflicts)
		pp_vec_foreach (other, set)
			if (other != m && pp_release_satisfies(other->release, d) &&
			    (m->step > 0 || other->step > 0))
				return pp_asprintf(
				    "%s conflicts with %s", m->release->name, other->release->name);
	pp_vec_foreach (d, &m->release->requires)
		pp_vec_foreach (other, set)
			if (m->step > 0 && other->step > m->step && other->depth != m->depth &&
			    pp_release_satisfies(other->release, d))
				return pp_asprintf("%s comes before its dependency %s",
				    m->release->name, other->release->name);
	return NULL;
}

static char *
check_held(const struct scenario *c, const struct members *set)
{
	pp_vec_foreach (i, &c->marks) {
		bool is_there = false;
		pp_vec_foreach (m, set)
			is_there |= m->step == 0 &&
				    strcmp(m->release->name, i->release->name) == 0 &&
				    strcmp(m->release->version.text, i->release->version.text) == 0;
		if (i->hold && !is_there)
			return pp_asprintf("%s is held and changes", i->release->name);
	}
	return NULL;
}

/* Two of one name only when both declare it, and then one of each major. */
static bool
may_be_beside(const struct pp_release *a, const struct pp_release *b)
{
	return strcmp(a->name, b->name) != 0 ||
	       (a->is_parallel && b->is_parallel &&
		   strtoul(a->version.text, NULL, 10) != strtoul(b->version.text, NULL, 10));
}

static char *
check_set(const struct scenario *c, const struct members *before, const struct members *set)
{
	char *why = check_held(c, set);

	pp_vec_foreach (m, set) {
		if (why == NULL)
			why = check_member(c, before, set, m);
		pp_vec_foreach (other, set)
			if (why == NULL && other != m && !may_be_beside(other->release, m->release))
				why = pp_asprintf("%s is there twice", m->release->name);
	}
	return why;
}

char *
check_rules(const struct scenario *c, const char *text)
{
	struct members before = { 0 }, set = { 0 };
	struct pp_str rest = pp_str_of(text), line;
	size_t step = 0;
	char *why = NULL;

	if (pp_starts_with(text, "error "))
		return NULL;
	pp_vec_foreach (i, &c->marks) {
		pp_vec_push(&before, ((struct member){ .release = i->release }));
		pp_vec_push(&set, ((struct member){ .release = i->release }));
	}
	while (why == NULL && pp_str_cut(&rest, '\n', &line)) {
		PP_AUTO_FREE char *s = pp_xstrndup(line.p, line.n);
		why = apply(c, &set, s, ++step);
	}
	if (why == NULL)
		why = check_set(c, &before, &set);
	pp_vec_free(&before);
	pp_vec_free(&set);
	return why;
}
