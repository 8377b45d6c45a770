/* SPDX-License-Identifier: MIT */
/* `help` and `version` of every program. */
#include "term/help.h"
#include "term/program.h"

static enum plugpkg_code
help_run(struct cli *cli)
{
	const char *name = cli_operand(cli, 0);
	const struct cmd *cmd = name != NULL ? cmd_find(name) : NULL, *sub = NULL;
	const char *sub_name = cmd != NULL ? cli_operand(cli, 1) : NULL;

	if (name != NULL && cmd == NULL)
		return cli_unknown_command(cli, NULL, name);
	if (sub_name != NULL && cmd->subs != NULL)
		sub = cmd_find_sub(cmd, sub_name);
	if (sub_name != NULL && cmd->subs == NULL)
		return cli_usage(cli, "'%s' has no commands of its own", name);
	if (sub_name != NULL && sub == NULL)
		return cli_unknown_command(cli, cmd, sub_name);
	help_show(cli, sub != NULL ? cmd : NULL, sub != NULL ? sub : cmd);
	return PLUGPKG_OK;
}

const struct cmd cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "show how to use the program or a command",
	.flags = CMD_NO_ROOT,
	.max_operands = 2,
	.operand = CMD_OPERAND_COMMAND,
	.run = help_run,
};

static void
show_version(struct cli *cli)
{
	out_line(&cli->out, "%s %s", program.name, plugpkg_version());
}

static enum plugpkg_code
version_run(struct cli *cli)
{
	PP_AUTO_JSON pp_json *row = pp_json_object();

	pp_json_set_int(row, "v", 1);
	pp_json_set_str(row, "type", "version");
	pp_json_set_str(row, "version", plugpkg_version());
	PP_AUTO_FREE char *line = pp_json_line(row);
	cli_row(line, cli);
	cli_show(cli, show_version);
	return PLUGPKG_OK;
}

const struct cmd cmd_version = {
	.name = "version",
	.summary = "show the version",
	.flags = CMD_NO_ROOT,
	.run = version_run,
};
