/* SPDX-License-Identifier: MIT */
/* `plugpkg why`. */
#include "cli/cmds.h"
#include "cli/view.h"

static enum plugpkg_code
why_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_why(cli->ctx, cli_operand(cli, 0), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_why);
	return rc;
}

const struct cmd cmd_why = {
	.name = "why",
	.args = "NAME",
	.summary = "show why a plugin is installed",
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_INSTALLED,
	.run = why_run,
};
