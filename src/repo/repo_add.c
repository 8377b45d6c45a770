/* SPDX-License-Identifier: MIT */
/* `plugpkg-repo add` and `remove`: what the next publish shall change. */
#include "repo/repo_cli.h"

#include <string.h>

/* What is worth a word about the owner of what was added. */
static const char *
view_owner(const pp_json *row)
{
	static const struct {
		const char *owner, *text;
	} words[] = {
		{ "new", ", signed by its owner from now on" },
		{ "unchanged", ", signed by its owner" },
		{ "rotated", ", signed by the new key of its owner" },
		{ "accepted", ", signed by ANOTHER owner" },
	};

	for (size_t i = 0; i < PP_LEN(words); i++)
		if (strcmp(words[i].owner, view_str(row, "owner")) == 0)
			return words[i].text;
	return "";
}

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
			out_line(&cli->out, "%s %s: %s%s", view_str(row, "name"),
			    view_str(row, "version"), status, view_owner(row));
	}
}

static const struct opt add_opts[] = {
	{ 0, "rotation", "FILE", "statement of a plugin's owner that another key is his now" },
	{ 0, "accept-owner", NULL, "take another owner's key without such a statement" },
	OPT_END,
};

static enum plugpkg_code
add_run(struct cli *cli)
{
	const struct plugpkg_repo_add_spec spec = {
		.archives = cli->opts.operands.at,
		.n_archives = cli->opts.operands.n,
		.rotation = opts_value(&cli->opts, "rotation"),
		.accept_owner = opts_has(&cli->opts, "accept-owner"),
	};
	enum plugpkg_code rc = plugpkg_repo_add(repo_cli_repo(cli), &spec, cli_row, cli, &cli->err);

	/* What lint found belongs to a refusal too. */
	cli_show(cli, view_staged);
	return rc;
}

const struct cmd repo_add = {
	.name = "add",
	.args = "ARCHIVE...",
	.summary = "check archives and stage them for the next publish",
	.opts = add_opts,
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
