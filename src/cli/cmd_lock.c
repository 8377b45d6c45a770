/* SPDX-License-Identifier: MIT */
/* `plugpkg lock`. */
#include "base/mem.h"
#include "cli/cmds.h"
#include "cli/view.h"
#include "term/help.h"

#include <string.h>

static const struct opt lock_opts[] = {
	{ 0, "check", NULL, "only say whether plugpkg.lock is right: exit 1 when it is not" },
	{ 0, "print", NULL, "print it instead of writing it" },
	OPT_END,
};

static enum plugpkg_code
check(struct cli *cli)
{
	size_t differences = 0;
	enum plugpkg_code rc = plugpkg_lock_check(cli->ctx, &differences, cli_row, cli, &cli->err);

	if (rc == PLUGPKG_E_LOCK_MISMATCH)
		cli->exit_status = 1;
	if (rc != PLUGPKG_OK)
		return rc;
	cli_show(cli, view_differences);
	if (differences == 0)
		cli_say(cli, "plugpkg.lock says what is installed.");
	cli->exit_status = differences > 0 ? 1 : 0;
	return PLUGPKG_OK;
}

/* A line at a time: to print a text takes the ends of its lines out as well. */
static void
print_lines(struct cli *cli, const char *text)
{
	struct pp_str rest = pp_str_of(text), line;

	while (pp_str_cut(&rest, '\n', &line) && rest.p != NULL)
		out_line(&cli->out, "%.*s", (int)line.n, line.p);
}

/* In --json mode one row, so that the lock does not end the lines. */
static enum plugpkg_code
print(struct cli *cli)
{
	PP_AUTO_FREE char *text = NULL;
	enum plugpkg_code rc = plugpkg_lock_text(cli->ctx, &text, &cli->err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (!cli->is_json) {
		print_lines(cli, text);
		return PLUGPKG_OK;
	}
	PP_AUTO_JSON pp_json *row = pp_json_object();
	pp_json_set_int(row, "v", 1);
	pp_json_set_str(row, "type", "lock");
	pp_json_set(row, "lock", pp_json_parse(text, strlen(text), NULL));
	PP_AUTO_FREE char *line = pp_json_line(row);
	cli_row(line, cli);
	return PLUGPKG_OK;
}

static enum plugpkg_code
lock_run(struct cli *cli)
{
	if (opts_has(&cli->opts, "check") && opts_has(&cli->opts, "print"))
		return cli_usage(cli, "'--check' and '--print' exclude each other");
	if (opts_has(&cli->opts, "check"))
		return check(cli);
	if (opts_has(&cli->opts, "print"))
		return print(cli);
	enum plugpkg_code rc = plugpkg_lock_write(cli->ctx, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show(cli, view_lock);
	return rc;
}

const struct cmd cmd_lock = {
	.name = "lock",
	.summary = "write plugpkg.lock of what is installed",
	.opts = lock_opts,
	.run = lock_run,
};
