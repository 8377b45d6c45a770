/* SPDX-License-Identifier: MIT */
/* `plugpkg show`. */
#include "cli/cmds.h"
#include "cli/view.h"

static enum plugpkg_code
show_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_show(cli->ctx, cli_operand(cli, 0), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_show);
	return rc;
}

const struct cmd cmd_show = {
	.name = "show",
	.args = "NAME[@RANGE]",
	.summary = "tell everything about a plugin",
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_AVAILABLE,
	.run = show_run,
};
