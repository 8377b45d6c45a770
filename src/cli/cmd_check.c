/* SPDX-License-Identifier: MIT */
/* `plugpkg check`. */
#include "cli/cmds.h"
#include "cli/view.h"

#include <string.h>

struct checking {
	struct cli *cli;
	bool has_damaged_plugin, has_wrong_links, has_lost_install, has_left_out;
};

static void
problem_row(const char *json, void *user)
{
	struct checking *checking = user;
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *row = pp_json_parse(json, strlen(json), &why);

	if (strcmp(view_str(row, "kind"), "store") == 0)
		checking->has_damaged_plugin = true;
	if (strcmp(view_str(row, "kind"), "generation") == 0)
		checking->has_wrong_links = true;
	if (strcmp(view_str(row, "kind"), "verify") == 0)
		checking->has_lost_install = true;
	if (strcmp(view_str(row, "kind"), "scripts") == 0)
		checking->has_left_out = true;
	cli_row(json, checking->cli);
}

static const char *
way_out(const struct checking *checking)
{
	if (checking->has_damaged_plugin)
		return "plugpkg repair brings damaged plugins back";
	if (checking->has_wrong_links)
		return "plugpkg repair makes all links anew";
	if (checking->has_lost_install)
		return "plugpkg repair installs again what is gone";
	if (checking->has_left_out)
		return "plugpkg repair runs the scripts that were left out";
	return NULL;
}

static const struct opt check_opts[] = {
	{ 0, "no-scripts", NULL, "do not ask the plugins themselves" },
	OPT_END,
};

static enum plugpkg_code
check_run(struct cli *cli)
{
	struct checking checking = { .cli = cli };
	unsigned flags = opts_has(&cli->opts, "no-scripts") ? PLUGPKG_CHECK_NO_SCRIPTS : 0;
	size_t problems = 0;
	enum plugpkg_code rc =
	    plugpkg_check(cli->ctx, flags, &problems, problem_row, &checking, &cli->err);

	if (rc != PLUGPKG_OK)
		return rc;
	cli_show(cli, view_problems);
	if (problems > 0)
		return cli_fail(cli, PLUGPKG_E_BAD_STATE, way_out(&checking), "%zu %s found",
		    problems, problems == 1 ? "problem" : "problems");
	cli_say(cli, "Everything is as it should be.");
	return PLUGPKG_OK;
}

const struct cmd cmd_check = {
	.name = "check",
	.summary = "compare the root with itself, and ask the plugins",
	.opts = check_opts,
	.run = check_run,
};
