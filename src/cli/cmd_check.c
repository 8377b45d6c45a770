/* SPDX-License-Identifier: MIT */
/* `plugpkg check`. */
#include "cli/cmds.h"
#include "cli/view.h"

#include <string.h>

struct checking {
	struct cli *cli;
	bool has_damaged_plugin, has_wrong_links;
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
	cli_row(json, checking->cli);
}

static const char *
way_out(const struct checking *checking)
{
	if (checking->has_damaged_plugin)
		return "remove a damaged plugin, run plugpkg clean, and install it again";
	if (checking->has_wrong_links)
		return "the next change of plugins makes all links anew";
	return NULL;
}

static enum plugpkg_code
check_run(struct cli *cli)
{
	struct checking checking = { .cli = cli };
	size_t problems = 0;
	enum plugpkg_code rc =
	    plugpkg_check(cli->ctx, &problems, problem_row, &checking, &cli->err);

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
	.summary = "compare the root with itself: files, links, requirements",
	.run = check_run,
};
