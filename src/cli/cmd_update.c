/* SPDX-License-Identifier: MIT */
/* `plugpkg update`. */
#include "cli/cmds.h"
#include "cli/view.h"

static enum plugpkg_code
update_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_update(cli->ctx, cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		say_if_no_source(cli);
	/* Sources that were reached are worth telling even when another one failed. */
	if (!cli->is_quiet)
		cli_show(cli, view_updates);
	return rc;
}

const struct cmd cmd_update = {
	.name = "update",
	.summary = "fetch and verify what the sources offer",
	.run = update_run,
};
