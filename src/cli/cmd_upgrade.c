/* SPDX-License-Identifier: MIT */
/* `plugpkg upgrade` and `plugpkg autoremove`. */
#include "cli/change.h"
#include "cli/cmds.h"

static const struct opt upgrade_opts[] = {
	CHANGE_CHOICE_OPTS,
	OPT_END,
};

static enum plugpkg_code
upgrade_run(struct cli *cli)
{
	return change_choose(cli, PLUGPKG_UPGRADE, 0);
}

const struct cmd cmd_upgrade = {
	.name = "upgrade",
	.args = "[NAME...]",
	.summary = "bring all plugins, or those named, to their newest versions",
	.opts = upgrade_opts,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = upgrade_run,
};

static const struct opt autoremove_opts[] = {
	CHANGE_DUMP_OPT,
	CHANGE_OPTS,
	OPT_END,
};

static enum plugpkg_code
autoremove_run(struct cli *cli)
{
	return change_run(cli, PLUGPKG_AUTOREMOVE, 0);
}

const struct cmd cmd_autoremove = {
	.name = "autoremove",
	.summary = "remove what came along automatically and nobody needs any more",
	.opts = autoremove_opts,
	.run = autoremove_run,
};
