/* SPDX-License-Identifier: MIT */
/* `plugpkg materialize`. */
#include "cli/cmds.h"
#include "cli/view.h"

static const struct opt materialize_opts[] = {
	{ 0, "copy", NULL, "share no file with the store" },
	OPT_END,
};

static enum plugpkg_code
materialize_run(struct cli *cli)
{
	struct plugpkg_materialize_spec spec = {
		.dir = cli_operand(cli, 0),
		.copy = opts_has(&cli->opts, "copy"),
	};
	enum plugpkg_code rc = plugpkg_materialize(cli->ctx, &spec, cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK && !cli->is_quiet)
		cli_show(cli, view_materialized);
	return rc;
}

const struct cmd cmd_materialize = {
	.name = "materialize",
	.args = "[DIR]",
	.summary = "write the current generation as plain files",
	.opts = materialize_opts,
	.max_operands = 1,
	.operand = CMD_OPERAND_DIR,
	.run = materialize_run,
};
