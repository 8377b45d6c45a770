/* SPDX-License-Identifier: MIT */
/* `plugpkg policy`. */
#include "cli/cmds.h"
#include "cli/view.h"

static enum plugpkg_code
policy_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_policy(
	    cli->ctx, cli->opts.operands.at, cli->opts.operands.n, cli_row, cli, &cli->err);

	cli_show(cli, view_policy); /* what came before a name that nobody knows */
	return rc;
}

const struct cmd cmd_policy = {
	.name = "policy",
	.args = "NAME...",
	.summary = "show what could be installed of a plugin, and why the rest could not",
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_AVAILABLE,
	.run = policy_run,
};
