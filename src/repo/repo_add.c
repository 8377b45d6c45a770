/* SPDX-License-Identifier: MIT */
/* `plugpkg-repo add` and `remove`: what the next publish shall change. */
#include "repo/repo_cli.h"

#include <string.h>

static void
view_staged(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "finding", &i)) != NULL;)
		out_line(&cli->talk, "%s: %s", view_str(row, "level"), view_str(row, "text"));
	for (size_t i = 0; (row = view_next(cli, "staged", &i)) != NULL;) {
		const char *status = view_str(row, "status");
		if (strcmp(status, "leaves") == 0)
			status = "leaves with the next publish";
		if (!cli->is_quiet)
			out_line(&cli->out, "%s %s: %s", view_str(row, "name"),
			    view_str(row, "version"), status);
	}
}

static enum plugpkg_code
add_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_repo_add(repo_cli_repo(cli), cli->opts.operands.at,
	    cli->opts.operands.n, cli_row, cli, &cli->err);

	/* What lint found belongs to a refusal too. */
	cli_show(cli, view_staged);
	return rc;
}

const struct cmd repo_add = {
	.name = "add",
	.args = "ARCHIVE...",
	.summary = "check archives and stage them for the next publish",
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.run = add_run,
};

static enum plugpkg_code
remove_run(struct cli *cli)
{
	enum plugpkg_code rc =
	    plugpkg_repo_remove(repo_cli_repo(cli), cli_operand(cli, 0), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_staged);
	return rc;
}

const struct cmd repo_remove = {
	.name = "remove",
	.args = "NAME@VERSION",
	.summary = "take a version out with the next publish",
	.min_operands = 1,
	.max_operands = 1,
	.run = remove_run,
};
