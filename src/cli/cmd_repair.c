/* SPDX-License-Identifier: MIT */
/* `plugpkg repair`. */
#include "cli/cmds.h"
#include "cli/view.h"

struct counting {
	struct cli *cli;
	size_t n;
};

static void
count_row(const char *json, void *user)
{
	struct counting *counting = user;

	counting->n++;
	cli_row(json, counting->cli);
}

static enum plugpkg_code
repair_run(struct cli *cli)
{
	struct counting counting = { .cli = cli };
	enum plugpkg_code rc = plugpkg_repair(
	    cli->ctx, cli->opts.operands.at, cli->opts.operands.n, count_row, &counting, &cli->err);

	cli_show(cli, view_repaired); /* also what was repaired before a failure */
	if (rc == PLUGPKG_OK && counting.n == 0)
		cli_say(cli, "Nothing to repair.");
	return rc;
}

const struct cmd cmd_repair = {
	.name = "repair",
	.args = "[NAME...]",
	.summary = "make files, links and effects of plugins what they should be",
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = repair_run,
};
