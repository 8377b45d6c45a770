/* SPDX-License-Identifier: MIT */
/*
 * The command line as a whole: options of every command, the command, its own options and operands.
 */
#include "term/help.h"

/* Reads up to the next operand with the options of cmd. False after a bad option. */
static bool
read_options(struct cli *cli, const struct cmd *cmd, const char *const *argv, int *i)
{
	cli->opts.own = cmd != NULL ? cmd->opts : NULL;
	*i = opts_parse(&cli->opts, argv, *i, OPTS_FIRST_OPERAND);
	return *i >= 0;
}

enum plugpkg_code
cli_read(struct cli *cli, const char *const *argv)
{
	int i = 1;

	if (!read_options(cli, NULL, argv, &i))
		return cli_bad_option(cli);
	if (argv[i] == NULL)
		return PLUGPKG_OK;
	cli->cmd = cmd_find(argv[i]);
	if (cli->cmd == NULL)
		return cli_unknown_command(cli, NULL, argv[i]);
	i++;
	if (cli->cmd->subs != NULL) {
		if (!read_options(cli, cli->cmd, argv, &i))
			return cli_bad_option(cli);
		if (argv[i] == NULL)
			return PLUGPKG_OK;
		const struct cmd *sub = cmd_find_sub(cli->cmd, argv[i]);
		if (sub == NULL && cli->cmd->max_operands > 0)
			return opts_parse(&cli->opts, argv, i, OPTS_ALL) < 0 ? cli_bad_option(cli)
									     : PLUGPKG_OK;
		if (sub == NULL)
			return cli_unknown_command(cli, cli->cmd, argv[i]);
		cli->group = cli->cmd;
		cli->cmd = sub;
		i++;
	}
	cli->opts.own = cli->cmd->opts;
	return opts_parse(&cli->opts, argv, i, OPTS_ALL) < 0 ? cli_bad_option(cli) : PLUGPKG_OK;
}
