/* SPDX-License-Identifier: MIT */
/* `plugpkg list`. */
#include "cli/cmds.h"
#include "cli/view.h"
#include "term/help.h"

#define EXIT_UPGRADES_EXIST 100

static const struct opt list_opts[] = {
	{ 0, "available", NULL, "list what the sources offer" },
	{ 0, "upgradable", NULL, "list only what has a newer version" },
	{ 0, "manual", NULL, "list only what was asked for" },
	{ 0, "auto", NULL, "list only what came along" },
	{ 0, "held", NULL, "list only what is held" },
	{ 0, "check", NULL, "with --upgradable: exit 100 when there is any" },
	OPT_END,
};

struct counting {
	struct cli *cli;
	size_t n;
};

static void
count_row(const char *json, void *user)
{
	struct counting *counting = user;

	counting->n++;
	cli_row(json, counting->cli);
}

static enum plugpkg_code
list_run(struct cli *cli)
{
	struct counting counting = { .cli = cli };
	const struct opts *o = &cli->opts;
	unsigned flags = 0;

	flags |= opts_has(o, "available") ? PLUGPKG_LIST_AVAILABLE : 0;
	flags |= opts_has(o, "upgradable") ? PLUGPKG_LIST_UPGRADABLE : 0;
	flags |= opts_has(o, "manual") ? PLUGPKG_LIST_MANUAL : 0;
	flags |= opts_has(o, "auto") ? PLUGPKG_LIST_AUTO : 0;
	flags |= opts_has(o, "held") ? PLUGPKG_LIST_HELD : 0;
	if (flags != PLUGPKG_LIST_AVAILABLE && opts_has(o, "available"))
		return cli_usage(cli, "'--available' goes with none of the other choices");
	if (opts_has(o, "manual") && opts_has(o, "auto"))
		return cli_usage(cli, "'--manual' and '--auto' exclude each other");
	if (opts_has(o, "check") && !opts_has(o, "upgradable"))
		return cli_usage(cli, "'--check' goes with '--upgradable'");

	enum plugpkg_code rc =
	    plugpkg_list(cli->ctx, flags, cli_operand(cli, 0), count_row, &counting, &cli->err);
	if (rc != PLUGPKG_OK)
		return rc;
	cli_show(cli, view_list);
	if (opts_has(o, "check") && counting.n > 0)
		cli->exit_status = EXIT_UPGRADES_EXIST;
	return PLUGPKG_OK;
}

const struct cmd cmd_list = {
	.name = "list",
	.args = "[PATTERN]",
	.summary = "list plugins: installed, available, or with newer versions",
	.opts = list_opts,
	.max_operands = 1,
	.operand = CMD_OPERAND_INSTALLED,
	.run = list_run,
};
