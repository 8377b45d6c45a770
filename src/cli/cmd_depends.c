/* SPDX-License-Identifier: MIT */
/* `plugpkg depends` and `plugpkg rdepends`. */
#include "cli/cmds.h"
#include "cli/view.h"

static const struct opt depends_opts[] = {
	{ 0, "recursive", NULL, "follow the edges to their end" },
	{ 0, "tree", NULL, "follow them, and show what led where" },
	OPT_END,
};

static unsigned
flags_of(const struct cli *cli)
{
	unsigned flags = 0;

	flags |= opts_has(&cli->opts, "recursive") ? PLUGPKG_DEPENDS_RECURSIVE : 0;
	flags |= opts_has(&cli->opts, "tree") ? PLUGPKG_DEPENDS_TREE : 0;
	return flags;
}

static enum plugpkg_code
depends_run(struct cli *cli)
{
	enum plugpkg_code rc =
	    plugpkg_depends(cli->ctx, cli_operand(cli, 0), flags_of(cli), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, opts_has(&cli->opts, "tree") ? view_tree_down : view_edges);
	return rc;
}

const struct cmd cmd_depends = {
	.name = "depends",
	.args = "NAME",
	.summary = "show what a plugin asks for, and what of it is installed",
	.opts = depends_opts,
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_AVAILABLE,
	.run = depends_run,
};

static enum plugpkg_code
rdepends_run(struct cli *cli)
{
	enum plugpkg_code rc =
	    plugpkg_rdepends(cli->ctx, cli_operand(cli, 0), flags_of(cli), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, opts_has(&cli->opts, "tree") ? view_tree_up : view_edges);
	return rc;
}

const struct cmd cmd_rdepends = {
	.name = "rdepends",
	.args = "NAME",
	.summary = "show which installed plugins ask for a plugin",
	.opts = depends_opts,
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_INSTALLED,
	.run = rdepends_run,
};
