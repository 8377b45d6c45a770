/* SPDX-License-Identifier: MIT */
/* `plugpkg why-not`. */
#include "cli/change.h"
#include "cli/cmds.h"
#include "cli/view.h"

static const struct opt why_not_opts[] = {
	{ 0, "downgrade", NULL, "let NAME@RANGE go back to an older version" },
	{ 0, "only-upgrade", NULL, "bring up what is installed, and skip the rest" },
	{ 0, "reinstall", NULL, "install again what is there in the same version" },
	CHANGE_VERSION_OPTS,
	CHANGE_LEAVE_OPT,
	OPT_END,
};

static enum plugpkg_code
answer(struct cli *cli, const struct plugpkg_request *request)
{
	enum plugpkg_code rc = plugpkg_why_not(cli->ctx, request, cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_why_not);
	return rc;
}

static enum plugpkg_code
why_not_run(struct cli *cli)
{
	static const struct change_flag own[] = {
		{ "downgrade", PLUGPKG_DOWNGRADE },
		{ "only-upgrade", PLUGPKG_ONLY_UPGRADE },
		{ "reinstall", PLUGPKG_REINSTALL },
	};
	unsigned flags = 0;

	for (size_t i = 0; i < PP_LEN(own); i++)
		if (opts_has(&cli->opts, own[i].option))
			flags |= own[i].flag;
	return change_ask(cli, PLUGPKG_INSTALL, flags, answer);
}

const struct cmd cmd_why_not = {
	.name = "why-not",
	.args = "NAME[@RANGE]...",
	.summary = "show what stands in the way of installing a plugin",
	.opts = why_not_opts,
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_AVAILABLE,
	.run = why_not_run,
};
