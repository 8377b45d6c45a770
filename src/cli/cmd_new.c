/* SPDX-License-Identifier: MIT */
/* `plugpkg new`. */
#include "cli/cmds.h"
#include "cli/view.h"

static enum plugpkg_code
new_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_new(".", cli_operand(cli, 0), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_created);
	return rc;
}

const struct cmd cmd_new = {
	.name = "new",
	.args = "NAME",
	.summary = "write the skeleton of a plugin into the directory NAME",
	.flags = CMD_NO_ROOT,
	.min_operands = 1,
	.max_operands = 1,
	.run = new_run,
};
