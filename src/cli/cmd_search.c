/* SPDX-License-Identifier: MIT */
/* `plugpkg search`. */
#include "cli/cmds.h"
#include "cli/view.h"

static enum plugpkg_code
search_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_search(
	    cli->ctx, cli->opts.operands.at, cli->opts.operands.n, cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show_long(cli, view_found);
	if (rc == PLUGPKG_OK)
		say_if_no_source(cli);
	return rc;
}

const struct cmd cmd_search = {
	.name = "search",
	.args = "WORD...",
	.summary = "find plugins whose name, summary or keywords hold every word",
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.run = search_run,
};
