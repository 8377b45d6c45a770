/* SPDX-License-Identifier: MIT */
/* `plugpkg recover`, `plugpkg configure` and `plugpkg is-installing`. */
#include "cli/cmds.h"
#include "cli/view.h"

#include "term/help.h"

static void
view_recovered(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "recovered", &i)) != NULL;)
		cli_say(cli, "Transaction %llu (%s): %s.",
		    (unsigned long long)view_bytes(row, "transaction"), view_str(row, "command"),
		    view_str(row, "text"));
}

static enum plugpkg_code
recover_run(struct cli *cli)
{
	size_t i = 0;
	enum plugpkg_code rc = plugpkg_recover(cli->ctx, cli_row, cli, &cli->err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (!cli->is_json && view_next(cli, "recovered", &i) == NULL)
		cli_say(cli, "Nothing to do: every transaction came to its end.");
	cli_show(cli, view_recovered);
	return PLUGPKG_OK;
}

const struct cmd cmd_recover = {
	.name = "recover",
	.summary = "finish or undo a change that was cut off",
	.run = recover_run,
};

/* ---- configure ---- */

static const struct opt configure_opts[] = {
	{ 0, "pending", NULL, "all plugins that have steps pending" },
	OPT_END,
};

static void
view_configured(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "configured", &i)) != NULL;)
		cli_say(cli, "%s %s is %s.", view_str(row, "key"), view_str(row, "version"),
		    view_str(row, "state"));
}

static enum plugpkg_code
configure_run(struct cli *cli)
{
	size_t i = 0, n = cli->opts.operands.n;

	if (opts_has(&cli->opts, "pending") == (n > 0))
		return cli_usage(cli, "name plugins, or say '--pending' for all");
	enum plugpkg_code rc =
	    plugpkg_configure(cli->ctx, cli->opts.operands.at, n, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK && !cli->is_json && view_next(cli, "configured", &i) == NULL)
		cli_say(cli, "Nothing to do: no step is pending.");
	cli_show(cli, view_configured);
	return rc;
}

const struct cmd cmd_configure = {
	.name = "configure",
	.args = "--pending | NAME...",
	.summary = "run the post-install steps that are still pending",
	.opts = configure_opts,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = configure_run,
};

/* ---- is-installing ---- */

static void
view_installing(struct cli *cli)
{
	size_t i = 0;
	const pp_json *row = view_next(cli, "installing", &i);

	if (row != NULL)
		cli_say(cli, "Transaction %llu (%s) runs in process %llu.",
		    (unsigned long long)view_bytes(row, "transaction"), view_str(row, "command"),
		    (unsigned long long)view_bytes(row, "pid"));
}

static enum plugpkg_code
is_installing_run(struct cli *cli)
{
	int yes = 0;
	enum plugpkg_code rc = plugpkg_is_installing(cli->ctx, &yes, cli_row, cli, &cli->err);

	if (rc != PLUGPKG_OK)
		return rc;
	cli_show(cli, view_installing);
	cli->exit_status = yes != 0 ? 0 : 1;
	return PLUGPKG_OK;
}

const struct cmd cmd_is_installing = {
	.name = "is-installing",
	.summary = "exit 0 while plugins are being changed, else 1",
	.run = is_installing_run,
};
