/* SPDX-License-Identifier: MIT */
/* `plugpkg lint`. */
#include "cli/cmds.h"
#include "cli/view.h"

static enum plugpkg_code
lint_run(struct cli *cli)
{
	const char *dir = cli_operand(cli, 0) != NULL ? cli_operand(cli, 0) : ".";
	size_t errors = 0, warnings = 0;
	enum plugpkg_code rc = plugpkg_lint(dir, &errors, &warnings, cli_row, cli, &cli->err);

	if (rc != PLUGPKG_OK)
		return rc;
	cli_show(cli, view_findings);
	if (errors > 0)
		return cli_fail(cli, PLUGPKG_E_BAD_MANIFEST, NULL, "%zu %s and %zu %s in '%s'",
		    errors, errors == 1 ? "error" : "errors", warnings,
		    warnings == 1 ? "warning" : "warnings", dir);
	if (warnings > 0)
		cli_say(
		    cli, "No errors, %zu %s.", warnings, warnings == 1 ? "warning" : "warnings");
	else
		cli_say(cli, "Nothing to complain about.");
	return PLUGPKG_OK;
}

const struct cmd cmd_lint = {
	.name = "lint",
	.args = "[DIR]",
	.summary = "check the source directory of a plugin",
	.flags = CMD_NO_ROOT,
	.max_operands = 1,
	.operand = CMD_OPERAND_DIR,
	.run = lint_run,
};
