/* SPDX-License-Identifier: MIT */
/* `plugpkg mark auto|manual`. */
#include "cli/cmds.h"
#include "cli/view.h"

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

const struct cmd cmd_mark = {
	.name = "mark",
	.args = "auto | manual",
	.summary = "count plugins as come along, or as asked for",
	.subs = mark_subs,
};
