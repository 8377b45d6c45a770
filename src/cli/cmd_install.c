/* SPDX-License-Identifier: MIT */
/* `plugpkg install`. */
#include "cli/change.h"
#include "cli/cmds.h"

static const struct opt install_opts[] = {
	{ 0, "no-recommends", NULL, "leave out what is only recommended" },
	{ 0, "pre", NULL, "take prereleases as well" },
	{ 0, "reinstall", NULL, "install again what is there in the same version" },
	{ 0, "dry-run", NULL, "show the plan and stop" },
	OPT_END,
};

static enum plugpkg_code
install_run(struct cli *cli)
{
	unsigned flags = 0;

	if (opts_has(&cli->opts, "no-recommends"))
		flags |= PLUGPKG_NO_RECOMMENDS;
	if (opts_has(&cli->opts, "pre"))
		flags |= PLUGPKG_PRE;
	if (opts_has(&cli->opts, "reinstall"))
		flags |= PLUGPKG_REINSTALL;
	return change_run(cli, PLUGPKG_INSTALL, flags);
}

const struct cmd cmd_install = {
	.name = "install",
	.args = "TARGET...",
	.summary = "install plugins and what they need",
	.opts = install_opts,
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_AVAILABLE,
	.run = install_run,
};
