/* SPDX-License-Identifier: MIT */
/* `plugpkg install`. */
#include "cli/change.h"
#include "cli/cmds.h"

static const struct opt install_opts[] = {
	{ 0, "downgrade", NULL, "let NAME@RANGE go back to an older version" },
	{ 0, "only-upgrade", NULL, "bring up what is installed, and skip the rest" },
	{ 0, "reinstall", NULL, "install again what is there in the same version" },
	{ 0, "allow-unsigned", NULL, "take local files, which nobody signed, without asking" },
	CHANGE_CHOICE_OPTS,
	OPT_END,
};

static enum plugpkg_code
install_run(struct cli *cli)
{
	static const struct change_flag own[] = {
		{ "downgrade", PLUGPKG_DOWNGRADE },
		{ "only-upgrade", PLUGPKG_ONLY_UPGRADE },
		{ "reinstall", PLUGPKG_REINSTALL },
		{ "allow-unsigned", PLUGPKG_ALLOW_UNSIGNED },
	};
	unsigned flags = 0;

	for (size_t i = 0; i < PP_LEN(own); i++)
		if (opts_has(&cli->opts, own[i].option))
			flags |= own[i].flag;
	return change_choose(cli, PLUGPKG_INSTALL, flags);
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
