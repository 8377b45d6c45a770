/* SPDX-License-Identifier: MIT */
/*
 * Rows as text. Each view takes the rows that cli_row() kept and prints what a person wants to
 * know.
 */
#ifndef PP_CLI_VIEW_H
#define PP_CLI_VIEW_H

#include "cli/cli.h"

/* Walks the rows of one type: for (i = 0; (row = view_next(cli, "plugin", &i)) != NULL;) */
const pp_json *view_next(const struct cli *cli, const char *type, size_t *i);
const char *view_str(const pp_json *row, const char *key); /* "" when missing */
uint64_t view_bytes(const pp_json *row, const char *key);  /* 0 when missing */

void view_plan(struct cli *cli);
void view_transaction(struct cli *cli);
void view_list(struct cli *cli);
void view_found(struct cli *cli);
void view_show(struct cli *cli);
void view_edges(struct cli *cli);
void view_sources(struct cli *cli);
void view_updates(struct cli *cli);
void view_problems(struct cli *cli);
void view_findings(struct cli *cli);
void view_cleaned(struct cli *cli);
void view_created(struct cli *cli);
void view_built(struct cli *cli);

#endif
