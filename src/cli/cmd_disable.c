/* SPDX-License-Identifier: MIT */
/* `plugpkg disable` and `plugpkg enable`. */
#include "cli/change.h"
#include "cli/cmds.h"
#include "term/help.h"

static const struct opt switch_opts[] = {
	CHANGE_OPTS,
	OPT_END,
};

static enum plugpkg_code
disable_run(struct cli *cli)
{
	return change_run(cli, PLUGPKG_DISABLE, 0);
}

const struct cmd cmd_disable = {
	.name = "disable",
	.args = "NAME...",
	.summary = "switch plugins off; they stay installed, what needs them is blocked",
	.opts = switch_opts,
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = disable_run,
};

static enum plugpkg_code
enable_run(struct cli *cli)
{
	return change_run(cli, PLUGPKG_ENABLE, 0);
}

const struct cmd cmd_enable = {
	.name = "enable",
	.args = "NAME...",
	.summary = "switch disabled plugins on again",
	.opts = switch_opts,
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = enable_run,
};
