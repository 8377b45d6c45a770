/* SPDX-License-Identifier: MIT */
/* `plugpkg hold` and `plugpkg unhold`. */
#include "cli/cmds.h"
#include "cli/view.h"

#include "base/time.h"
#include "term/help.h"

static const struct opt hold_opts[] = {
	{ 0, "until", "DATE", "release the hold on DATE, such as 2026-12-24" },
	OPT_END,
};

static enum plugpkg_code
hold_run(struct cli *cli)
{
	struct plugpkg_hold_spec spec = {
		.names = cli->opts.operands.at,
		.n_names = cli->opts.operands.n,
	};
	const char *until = opts_value(&cli->opts, "until");

	if (until != NULL && pp_time_parse_date(pp_str_of(until), &spec.until) < 0)
		return cli_usage(cli,
		    "option '--until' is '%s', which is no date like 2026-12-24 and no time like "
		    "2026-12-24T18:00:00Z",
		    until);
	enum plugpkg_code rc = plugpkg_hold(cli->ctx, &spec, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show(cli, view_holds);
	return rc;
}

const struct cmd cmd_hold = {
	.name = "hold",
	.args = "NAME...",
	.summary = "keep plugins at their installed versions",
	.opts = hold_opts,
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = hold_run,
};

static enum plugpkg_code
unhold_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_unhold(
	    cli->ctx, cli->opts.operands.at, cli->opts.operands.n, cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_holds);
	return rc;
}

const struct cmd cmd_unhold = {
	.name = "unhold",
	.args = "NAME...",
	.summary = "let plugins that were held change again",
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = unhold_run,
};
