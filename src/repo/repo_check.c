/* SPDX-License-Identifier: MIT */
/* `plugpkg-repo check`: can every version be installed? */
#include "repo/repo_cli.h"

static void
view_checked(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "uninstallable", &i)) != NULL;) {
		out_text(&cli->out, "%s %s: ", view_str(row, "name"), view_str(row, "version"));
		out_lines(&cli->out, 2, view_str(row, "text"));
	}
	for (size_t i = 0; (row = view_next(cli, "checked", &i)) != NULL;)
		out_line(&cli->out, "Checked: %lld plugins, %lld versions, %lld problems.",
		    (long long)pp_json_get_int(row, "plugins", 0),
		    (long long)pp_json_get_int(row, "versions", 0),
		    (long long)pp_json_get_int(row, "problems", 0));
}

static enum plugpkg_code
check_run(struct cli *cli)
{
	size_t n = 0;

	enum plugpkg_code rc = plugpkg_repo_check(repo_cli_repo(cli), &n, cli_row, cli, &cli->err);
	cli_show(cli, view_checked);
	if (rc == PLUGPKG_OK && n > 0)
		rc = cli_fail(cli, PLUGPKG_E_FAILED,
		    "add what is missing, or take the versions out: plugpkg-repo remove "
		    "NAME@VERSION",
		    "%zu version%s cannot be installed", n, n == 1 ? "" : "s");
	return rc;
}

const struct cmd repo_check = {
	.name = "check",
	.summary = "see whether every version can be installed",
	.run = check_run,
};
