/* SPDX-License-Identifier: MIT */
/*
 * Rows as text. Each view takes the rows that cli_row() kept and prints what a person wants to
 * know.
 */
#ifndef PP_CLI_VIEW_H
#define PP_CLI_VIEW_H

#include "cli/cmds.h"

void view_plan(struct cli *cli);
void view_transaction(struct cli *cli);
void view_found(struct cli *cli);
void view_show(struct cli *cli);
void view_scripts(struct cli *cli);
void view_edges(struct cli *cli);
void view_tree_down(struct cli *cli);
void view_tree_up(struct cli *cli);
void view_sources(struct cli *cli);
void view_updates(struct cli *cli);
void view_problems(struct cli *cli);
void view_findings(struct cli *cli);
void view_cleaned(struct cli *cli);
void view_created(struct cli *cli);
void view_built(struct cli *cli);
void view_holds(struct cli *cli);
void view_marks(struct cli *cli);
void view_why(struct cli *cli);
void view_why_not(struct cli *cli);
void view_policy(struct cli *cli);
void view_log(struct cli *cli);
void view_materialized(struct cli *cli);
void view_installed(struct cli *cli);
void view_repaired(struct cli *cli);
void view_denied(struct cli *cli);
void view_history(struct cli *cli);
void view_transaction_shown(struct cli *cli);
void view_differences(struct cli *cli);
void view_lock(struct cli *cli);
void view_signed(struct cli *cli);
void view_owners(struct cli *cli);
void view_owner(struct cli *cli);

/* What a plugin is known by: its key, NAME or NAME@MAJOR; else its name. View. */
const char *view_key(const pp_json *row);
/* What became of an edge: "user 2.1.0 is here", "not installed", … Owned. */
char *view_fate(const pp_json *edge);
/* "held" or "held until …" of a row with "hold"; NULL when it is not held. Owned. */
char *view_held(const pp_json *row);

/* "needs base and mid": text around the names of what blocks a plugin; NULL: nothing. Owned. */
char *view_blockers(const pp_json *row, const char *before, const char *after);

#endif
