/* SPDX-License-Identifier: MIT */
/* `plugpkg init`. */
#include "cli/cmds.h"

static const struct opt init_opts[] = {
	{ 0, "name", "NAME", "name of the application; default: the directory's" },
	OPT_END,
};

static enum plugpkg_code
init_run(struct cli *cli)
{
	const char *dir = cli_operand(cli, 0);

	if (dir == NULL)
		dir = cli_root(cli);
	if (dir == NULL)
		dir = ".";
	enum plugpkg_code rc = plugpkg_init(dir, opts_value(&cli->opts, "name"), &cli->err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_JSON pp_json *row = pp_json_object();
	pp_json_set_int(row, "v", 1);
	pp_json_set_str(row, "type", "initialised");
	pp_json_set_str(row, "directory", dir);
	PP_AUTO_FREE char *line = pp_json_line(row);
	cli_row(line, cli);
	cli_say(cli, "'%s' is a plugpkg root now; 'plugpkg source add' names a repository.", dir);
	return PLUGPKG_OK;
}

const struct cmd cmd_init = {
	.name = "init",
	.args = "[DIR]",
	.summary = "make a directory the root of an application's plugins",
	.opts = init_opts,
	.flags = CMD_NO_ROOT,
	.max_operands = 1,
	.operand = CMD_OPERAND_DIR,
	.run = init_run,
};
