/* SPDX-License-Identifier: MIT */
/* `plugpkg history`, `history list`, `history show`. */
#include "cli/cmds.h"
#include "cli/view.h"
#include "term/help.h"

#include <string.h>

static enum plugpkg_code
list_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_history(cli->ctx, cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show_long(cli, view_history);
	return rc;
}

static const struct cmd history_list = {
	.name = "list",
	.summary = "list transactions and other changes, newest first",
	.run = list_run,
};

static const struct opt show_opts[] = {
	{ 0, "tree", NULL, "show its generation: who is there because of whom" },
	{ 0, "log", NULL, "show what was said while it ran" },
	OPT_END,
};

static enum plugpkg_code
show_run(struct cli *cli)
{
	const char *text = cli_operand(cli, 0);
	bool is_last = strcmp(text, "last") == 0;
	uint64_t id = 0;

	if (!is_last && (pp_parse_u64(pp_str_of(text), INT64_MAX, &id) < 0 || id == 0))
		return cli_usage(cli, "'%s' is no number of a transaction, nor last", text);
	struct plugpkg_history_spec spec = {
		.transaction = is_last ? -1 : (int64_t)id,
		.tree = opts_has(&cli->opts, "tree"),
		.log = opts_has(&cli->opts, "log"),
	};
	enum plugpkg_code rc = plugpkg_history_show(cli->ctx, &spec, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show_long(cli, view_transaction_shown);
	return rc;
}

static const struct cmd history_show = {
	.name = "show",
	.args = "N",
	.summary = "show what transaction N, or the last, changed",
	.opts = show_opts,
	.min_operands = 1,
	.max_operands = 1,
	.run = show_run,
};

static const struct cmd *const history_subs[] = {
	&history_list,
	&history_show,
	NULL,
};

const struct cmd cmd_history = {
	.name = "history",
	.args = "[list | show N]",
	.summary = "show what happened to the root",
	.subs = history_subs,
	.run = list_run,
};
