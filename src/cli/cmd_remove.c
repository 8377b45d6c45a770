/* SPDX-License-Identifier: MIT */
/* `plugpkg remove` and `plugpkg purge`. */
#include "cli/change.h"
#include "cli/cmds.h"
#include "term/help.h"

static const struct opt remove_opts[] = {
	{ 0, "all", NULL, "remove every plugin, deepest dependents first" },
	CHANGE_REMOVE_OPTS,
	OPT_END,
};

static enum plugpkg_code
run(struct cli *cli, enum plugpkg_verb verb)
{
	bool is_all = opts_has(&cli->opts, "all");

	if (is_all && cli->opts.operands.n > 0)
		return cli_usage(cli, "'--all' and names exclude each other");
	if (!is_all && cli->opts.operands.n == 0)
		return cli_usage(cli, "'%s' needs more: NAME... or --all", cli->cmd->name);
	return change_run(cli, verb, is_all ? PLUGPKG_ALL : 0);
}

static enum plugpkg_code
remove_run(struct cli *cli)
{
	return run(cli, PLUGPKG_REMOVE);
}

const struct cmd cmd_remove = {
	.name = "remove",
	.args = "NAME...",
	.summary = "remove plugins and what depends on them; their data stays",
	.opts = remove_opts,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = remove_run,
};

static enum plugpkg_code
purge_run(struct cli *cli)
{
	return run(cli, PLUGPKG_PURGE);
}

const struct cmd cmd_purge = {
	.name = "purge",
	.args = "NAME...",
	.summary = "remove plugins together with their data",
	.opts = remove_opts,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = purge_run,
};
