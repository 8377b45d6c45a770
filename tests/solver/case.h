/* SPDX-License-Identifier: MIT */
/*
 * Scenarios for the solver as text: a world, a command, and the plan or refusal that must come
 * out. Format: tests/solver/README.
 */
#ifndef CASE_H
#define CASE_H

#include "base/map.h"
#include "lib/solve/solve.h"

struct case_source {
	char *name;
	int priority;
	bool is_reversed; /* hands its releases out in the other order */
	struct pp_releases releases;
};

struct scenario {
	char *name;
	struct case_list pp_vec(struct case_source *) sources;
	struct pp_releases installed;
	struct marks pp_vec(struct pp_solve_installed) marks; /* beside installed */
	struct pp_deps host, wanted;
	struct pp_release *link;
	int64_t now;
	struct pp_strs run; /* words of the command */
	char *expect;       /* lines, each ended */
};

/* Is it "@repo …", not the release "@scope/name …"? */
bool scenario_is_section(const char *line);
/* NULL and a text in *out_why (owned) when the lines are no scenario. */
struct scenario *scenario_parse(const char *name, const struct pp_strs *lines, char **out_why);
void scenario_free(struct scenario *c);
/* The command, as words, in this world; the plan or refusal as text, owned. */
char *scenario_run(struct scenario *c, const struct pp_strs *words, bool is_reversed);
/* The same as far as the decision, within this process: for fuzzing. */
void scenario_decide_here(struct scenario *c);

#endif
