/* SPDX-License-Identifier: MIT */
/* `plugpkg link`. */
#include "cli/change.h"
#include "cli/cmds.h"

static const struct opt link_opts[] = {
	CHANGE_SCRIPTS_OPT,
	CHANGE_FORCE_OPT,
	{ 0, "dry-run", NULL, "show the plan and stop" },
	OPT_END,
};

static enum plugpkg_code
link_run(struct cli *cli)
{
	return change_run(cli, PLUGPKG_LINK, 0);
}

const struct cmd cmd_link = {
	.name = "link",
	.args = "DIR",
	.summary = "use the plugin in DIR in place, while it is being written",
	.opts = link_opts,
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_DIR,
	.run = link_run,
};
