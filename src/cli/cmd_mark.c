/* SPDX-License-Identifier: MIT */
/* `plugpkg mark auto|manual`, `plugpkg mark --not-installed`. */
#include "cli/cmds.h"
#include "cli/view.h"
#include "term/help.h"

static enum plugpkg_code
mark(struct cli *cli, int manual)
{
	struct plugpkg_mark_spec spec = {
		.names = cli->opts.operands.at,
		.n_names = cli->opts.operands.n,
		.manual = manual,
	};
	enum plugpkg_code rc = plugpkg_mark(cli->ctx, &spec, cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_marks);
	return rc;
}

static enum plugpkg_code
auto_run(struct cli *cli)
{
	return mark(cli, 0);
}

static const struct cmd mark_auto = {
	.name = "auto",
	.args = "NAME...",
	.summary = "count plugins as come along: autoremove may remove them",
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = auto_run,
};

static enum plugpkg_code
manual_run(struct cli *cli)
{
	return mark(cli, 1);
}

static const struct cmd mark_manual = {
	.name = "manual",
	.args = "NAME...",
	.summary = "count plugins as asked for: they stay",
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = manual_run,
};

static const struct cmd *const mark_subs[] = {
	&mark_auto,
	&mark_manual,
	NULL,
};

static const struct opt mark_opts[] = {
	{ 0, "not-installed", NULL, "say of plugins that what their install did is gone" },
	OPT_END,
};

static enum plugpkg_code
mark_run(struct cli *cli)
{
	const struct opts *o = &cli->opts;

	if (!opts_has(o, "not-installed") && o->operands.n > 0)
		return cli_unknown_command(cli, cli->cmd, o->operands.at[0]);
	if (!opts_has(o, "not-installed") || o->operands.n == 0)
		return cli_usage(cli, "'mark' needs one of: %s", cli->cmd->args);
	enum plugpkg_code rc = plugpkg_mark_not_installed(
	    cli->ctx, o->operands.at, o->operands.n, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show(cli, view_denied);
	return rc;
}

const struct cmd cmd_mark = {
	.name = "mark",
	.args = "auto NAME... | manual NAME... | --not-installed NAME...",
	.summary = "count plugins as come along, as asked for, or as not installed",
	.opts = mark_opts,
	.subs = mark_subs,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = mark_run,
};
