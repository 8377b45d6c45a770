/* SPDX-License-Identifier: MIT */
/*
 * Help from the tables of commands and options, and the words for a command line that makes no
 * sense.
 */
#ifndef PP_TERM_HELP_H
#define PP_TERM_HELP_H

#include "term/cli.h"

/* group NULL: cmd is no subcommand; cmd NULL: help of the program. */
void help_show(struct cli *cli, const struct cmd *group, const struct cmd *cmd);

/* USAGE, with a hint at the help that fits. */
enum plugpkg_code cli_usage(struct cli *cli, const char *fmt, ...) PP_PRINTF(2, 3);
/* USAGE, with near names. group NULL: commands of the program. */
enum plugpkg_code cli_unknown_command(struct cli *cli, const struct cmd *group, const char *name);

#endif
