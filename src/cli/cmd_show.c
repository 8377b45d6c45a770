/* SPDX-License-Identifier: MIT */
/* `plugpkg show`. */
#include "cli/cmds.h"
#include "cli/view.h"

static const struct opt show_opts[] = {
	{ 0, "scripts", NULL, "print its scripts, to be read before they run" },
	OPT_END,
};

static enum plugpkg_code
show_scripts(struct cli *cli)
{
	enum plugpkg_code rc =
	    plugpkg_show_scripts(cli->ctx, cli_operand(cli, 0), cli_row, cli, &cli->err);
	size_t i = 0;

	if (rc != PLUGPKG_OK)
		return rc;
	bool has_some = view_next(cli, "script", &i) != NULL;
	cli_show(cli, view_scripts);
	if (!has_some)
		cli_say(cli, "'%s' has no scripts.", cli_operand(cli, 0));
	return PLUGPKG_OK;
}

static enum plugpkg_code
show_run(struct cli *cli)
{
	if (opts_has(&cli->opts, "scripts"))
		return show_scripts(cli);
	enum plugpkg_code rc = plugpkg_show(cli->ctx, cli_operand(cli, 0), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_show);
	return rc;
}

const struct cmd cmd_show = {
	.name = "show",
	.args = "NAME[@RANGE]",
	.summary = "tell everything about a plugin",
	.opts = show_opts,
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_AVAILABLE,
	.run = show_run,
};
