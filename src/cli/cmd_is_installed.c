/* SPDX-License-Identifier: MIT */
/* `plugpkg is-installed`. */
#include "cli/cmds.h"
#include "cli/view.h"

#define EXIT_NOT_INSTALLED 1

static const struct opt is_installed_opts[] = {
	{ 0, "ask", NULL, "ask the plugins themselves too" },
	OPT_END,
};

static enum plugpkg_code
is_installed_run(struct cli *cli)
{
	struct plugpkg_is_installed_spec spec = {
		.targets = cli->opts.operands.at,
		.n_targets = cli->opts.operands.n,
		.ask = opts_has(&cli->opts, "ask"),
	};
	size_t missing = 0;
	enum plugpkg_code rc =
	    plugpkg_is_installed(cli->ctx, &spec, &missing, cli_row, cli, &cli->err);

	/* Who cannot tell says so after what is known of all. */
	if (!cli->is_quiet && (rc == PLUGPKG_OK || rc == PLUGPKG_E_SCRIPT))
		cli_show(cli, view_installed);
	if (rc != PLUGPKG_OK)
		return rc;
	cli->exit_status = missing > 0 ? EXIT_NOT_INSTALLED : 0;
	return PLUGPKG_OK;
}

const struct cmd cmd_is_installed = {
	.name = "is-installed",
	.args = "NAME[@RANGE]...",
	.summary = "exit 0 when the plugins are installed, 1 when not",
	.opts = is_installed_opts,
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = is_installed_run,
};
