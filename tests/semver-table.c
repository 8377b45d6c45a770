/* SPDX-License-Identifier: MIT */
/*
 * Reads a table of semver-table.js on standard input and compares it with what lib/model says:
 * every pair of neighbours in the order of versions, and every range on every version.
 */
#include "base/mem.h"
#include "lib/model/range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 20

struct versions pp_vec(struct pp_version);

static unsigned long n_cells, n_wrong;

static void
wrong(const char *what, const char *a, const char *b, const char *npm)
{
	if (n_wrong++ < SHOWN)
		printf("%s: '%s' '%s': npm says %s\n", what, a, b, npm);
}

static void
read_versions(struct versions *out, struct pp_str rest)
{
	bool is_equal = false;

	while (rest.n > 0) {
		size_t n = 0;
		while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != '=')
			n++;
		struct pp_version *v = pp_vec_new(out);
		if (pp_version_parse((struct pp_str){ rest.p, n }, v, NULL) != PLUGPKG_OK) {
			printf("no version: '%.*s'\n", (int)n, rest.p);
			exit(1);
		}
		if (out->n > 1) {
			int d = pp_version_cmp(v - 1, v);
			n_cells++;
			if (is_equal ? d != 0 : d >= 0)
				wrong("order", (v - 1)->text, v->text, is_equal ? "equal" : "less");
		}
		is_equal = n < rest.n && rest.p[n] == '=';
		n += n < rest.n;
		rest = (struct pp_str){ rest.p + n, rest.n - n };
	}
}

/* Is the version the next one of those that npm lists? Both stand in the same order. */
static bool
is_listed(struct pp_str *list, const char *version)
{
	size_t n = strlen(version);

	if (list->n < n || memcmp(list->p, version, n) != 0 || (list->n > n && list->p[n] != ' '))
		return false;
	n += n < list->n;
	*list = (struct pp_str){ list->p + n, list->n - n };
	return true;
}

static void
check_range(const struct versions *versions, struct pp_str text, struct pp_str list)
{
	PP_AUTO_FREE char *shown = pp_xstrndup(text.p, text.n);
	struct pp_range *range = NULL;
	bool is_range = pp_range_parse(text, &range, NULL) == PLUGPKG_OK;

	n_cells++;
	if (is_range == pp_str_eq(list, "!"))
		wrong("parse", shown, "", is_range ? "no range" : "a range");
	else if (is_range)
		pp_vec_foreach (v, versions) {
			bool want = is_listed(&list, v->text);
			n_cells++;
			if (pp_range_match(range, v, false) != want)
				wrong("match", shown, v->text, want ? "yes" : "no");
		}
	pp_range_free(range);
}

int
main(void)
{
	PP_AUTO_FREE char *line = NULL;
	struct versions versions = { 0 };
	size_t room = 0, n_ranges = 0;
	ssize_t n;

	for (bool is_first = true; (n = getline(&line, &room, stdin)) > 0; is_first = false) {
		struct pp_str rest = { line, (size_t)n - 1 }, text;
		if (is_first) {
			read_versions(&versions, rest);
		} else if (pp_str_cut(&rest, '\t', &text)) {
			check_range(&versions, text, rest);
			n_ranges++;
		}
	}
	printf("%zu versions, %zu ranges, %lu comparisons, %lu wrong\n", versions.n, n_ranges,
	    n_cells, n_wrong);
	pp_vec_foreach (v, &versions)
		pp_version_fini(v);
	pp_vec_free(&versions);
	return n_wrong > 0 || n_ranges == 0;
}
