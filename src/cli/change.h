/* SPDX-License-Identifier: MIT */
/* What every command that changes plugins does: plan, show, ask, carry out. */
#ifndef PP_CLI_CHANGE_H
#define PP_CLI_CHANGE_H

#include "cli/cmds.h"

/* Options of every command that makes a plan. */
#define CHANGE_OPTS                                                                                \
	{                                                                                          \
		0, "dry-run", NULL, "show the plan and stop"                                       \
	}
/* Of those that may remove more than what is named. */
#define CHANGE_DUMP_OPT                                                                            \
	{                                                                                          \
		0, "dump-case", "FILE", "write the request and what it reaches, for a report"      \
	}
#define CHANGE_LEAVE_OPT                                                                           \
	{                                                                                          \
		0, "allow-remove", NULL, "agree to the removal of plugins that are not named"      \
	}
#define CHANGE_FORCE_OPT                                                                           \
	{                                                                                          \
		0, "force", NULL, "override what dependents say; the history keeps it"             \
	}
#define CHANGE_SCRIPTS_OPT                                                                         \
	{                                                                                          \
		0, "no-scripts", NULL, "bring files only; repair runs the scripts later"           \
	}
#define CHANGE_REMOVE_OPTS CHANGE_LEAVE_OPT, CHANGE_FORCE_OPT, CHANGE_DUMP_OPT, CHANGE_OPTS
/* Of those that choose versions. */
#define CHANGE_VERSION_OPTS                                                                        \
	{ 0, "no-recommends", NULL, "leave out what is only recommended" },                        \
	    { 0, "pre", NULL, "take prereleases of what is named as well" },                       \
	    { 0, "min-age", "DAYS", "take only what was published so many days ago" },             \
	    { 0, "min-age-except", "NAME", "but this one at any age; may hold a *" },              \
	{                                                                                          \
		0, "allow-origin-change", NULL, "let installed plugins come from another source"   \
	}
#define CHANGE_CHOICE_OPTS CHANGE_VERSION_OPTS, CHANGE_SCRIPTS_OPT, CHANGE_REMOVE_OPTS

struct change_flag {
	const char *option;
	unsigned flag;
};

/* The operands are the targets. Reads CHANGE_OPTS, or CHANGE_REMOVE_OPTS. */
enum plugpkg_code change_run(struct cli *cli, enum plugpkg_verb verb, unsigned flags);
/* All of that but the planning. */
enum plugpkg_code change_show(struct cli *cli, plugpkg_plan *plan);
/* The same for a command that has CHANGE_CHOICE_OPTS. */
enum plugpkg_code change_choose(struct cli *cli, enum plugpkg_verb verb, unsigned flags);
/* What the operands and CHANGE_VERSION_OPTS ask for, handed to `with` instead of being planned. */
typedef enum plugpkg_code (*change_fn)(struct cli *cli, const struct plugpkg_request *request);
enum plugpkg_code change_ask(
    struct cli *cli, enum plugpkg_verb verb, unsigned flags, change_fn with);

#endif
