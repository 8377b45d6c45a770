/* SPDX-License-Identifier: MIT */
/* `plugpkg check`. */
#include "cli/cmds.h"
#include "cli/view.h"

static enum plugpkg_code
check_run(struct cli *cli)
{
	size_t problems = 0;
	enum plugpkg_code rc = plugpkg_check(cli->ctx, &problems, cli_row, cli, &cli->err);

	if (rc != PLUGPKG_OK)
		return rc;
	cli_show(cli, view_problems);
	if (problems > 0)
		return cli_fail(cli, PLUGPKG_E_BAD_STATE,
		    "remove a damaged plugin, run plugpkg clean, and install it again",
		    "%zu %s found", problems, problems == 1 ? "problem" : "problems");
	cli_say(cli, "Everything is as it should be.");
	return PLUGPKG_OK;
}

const struct cmd cmd_check = {
	.name = "check",
	.summary = "compare the root with itself: files, links, requirements",
	.run = check_run,
};
