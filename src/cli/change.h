/* SPDX-License-Identifier: MIT */
/* What every command that changes plugins does: plan, show, ask, carry out. */
#ifndef PP_CLI_CHANGE_H
#define PP_CLI_CHANGE_H

#include "cli/cmds.h"

/* The operands are the targets. */
enum plugpkg_code change_run(struct cli *cli, enum plugpkg_verb verb, unsigned flags);
/* All of that but the planning. */
enum plugpkg_code change_show(struct cli *cli, plugpkg_plan *plan);

#endif
