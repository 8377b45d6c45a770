/* SPDX-License-Identifier: MIT */
/* A program: finds its command in the table, runs it, and says how it ended. */
#include "term/program.h"
#include "base/errno_text.h"
#include "base/mem.h"
#include "base/time.h"
#include "term/help.h"
#include "term/passphrase.h"
#include "term/prompt.h"
#include "term/render.h"
#include "term/start.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static enum plugpkg_code
check_operands(struct cli *cli)
{
	size_t n = cli->opts.operands.n;
	const struct cmd *cmd = cli->cmd;

	if (n < cmd->min_operands)
		return cli_usage(cli, "'%s' needs more: %s", cmd->name, cmd->args);
	if (n > cmd->max_operands)
		return cli_usage(cli, "'%s' has no use for '%s'", cmd->name,
		    cli->opts.operands.at[cmd->max_operands]);
	return PLUGPKG_OK;
}

static void
choose_renderer(struct cli *cli)
{
	const char *term = getenv("TERM");
	bool is_dumb = term == NULL || *term == '\0' || strcmp(term, "dumb") == 0;

	cli->is_json = cli->is_json || opts_has(&cli->opts, "json");
	cli->is_quiet = opts_has(&cli->opts, "quiet");
	cli->is_yes = opts_find(&cli->opts, PP_STR("yes")) != NULL && opts_has(&cli->opts, "yes");
	cli->is_debug = opts_has(&cli->opts, "debug");
	cli->verbose = opts_count(&cli->opts, "verbose");
	cli->renderer = &render_plain;
	if (cli->is_json)
		cli->renderer = &render_json;
	else if (cli->talk.is_terminal && !is_dumb && !cli->is_quiet)
		cli->renderer = &render_tty;
}

static enum plugpkg_code
run(struct cli *cli, const char *const *argv)
{
	enum plugpkg_code rc = cli_read(cli, argv);

	choose_renderer(cli);
	if (rc != PLUGPKG_OK)
		return rc;
	if (opts_has(&cli->opts, "version")) {
		cli->cmd = &cmd_version;
		return cmd_version.run(cli);
	}
	if (opts_has(&cli->opts, "help")) {
		help_show(cli, cli->group, cli->cmd);
		return PLUGPKG_OK;
	}
	if (cli->cmd == NULL)
		return cli_usage(cli, "no command given");
	if (cli->cmd->subs != NULL && cli->cmd->run == NULL)
		return cli_usage(cli, "'%s' needs one of: %s", cli->cmd->name, cli->cmd->args);
	rc = check_operands(cli);
	if (rc == PLUGPKG_OK)
		rc = passphrase_check(cli);
	if (rc != PLUGPKG_OK)
		return rc;
	return (cli->cmd->flags & CMD_NO_ROOT) != 0 ? cli->cmd->run(cli) : program.run(cli);
}

/* A result in JSON is due for usage errors as well, and those may stand before --json. */
static bool
asks_for_json(const char *const *argv)
{
	for (size_t i = 1; argv[0] != NULL && argv[i] != NULL && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static int
report(struct cli *cli, enum plugpkg_code code)
{
	PP_AUTO_JSON pp_json *details = NULL;
	struct result result = {
		.code = code,
		.exit_status =
		    code == PLUGPKG_OK ? cli->exit_status : plugpkg_code_exit_status(code),
		.message = cli->message,
		.hint = cli->hint,
	};

	if (cli->err != NULL && cli->message == NULL) {
		result.message = plugpkg_error_message(cli->err);
		result.where = plugpkg_error_where(cli->err);
		if (cli->hint == NULL)
			result.hint = plugpkg_error_hint(cli->err);
		const char *text = plugpkg_error_details(cli->err);
		if (text != NULL)
			details = pp_json_parse(text, strlen(text), NULL);
		result.details = details;
	}
	if (code != PLUGPKG_OK && result.message == NULL)
		result.message = "it did not work, and nobody knows why";
	cli->renderer->result(cli, &result);
	return result.exit_status;
}

/* The answer is an answer only when it arrived. A reader that went away has seen enough. */
static int
close_streams(struct cli *cli, int exit_status)
{
	out_flush(&cli->out);
	if (cli->out.error == 0 || cli->out.error == EPIPE)
		return exit_status;
	if (exit_status == 0)
		exit_status = plugpkg_code_exit_status(PLUGPKG_E_IO);
	out_line(&cli->talk, "error: cannot write to standard output: %s [%s]",
	    pp_errno_text(cli->out.error), plugpkg_code_name(PLUGPKG_E_IO));
	return exit_status;
}

static int
cannot_start(struct cli *cli, int errnum)
{
	out_line(&cli->talk, "error: cannot open '/dev/null': %s [%s]", pp_errno_text(errnum),
	    plugpkg_code_name(PLUGPKG_E_IO));
	out_flush(&cli->talk);
	return plugpkg_code_exit_status(PLUGPKG_E_IO);
}

int
main(int argc, char **argv)
{
	const char *const *words = (const char *const *)argv;
	struct cli cli = { .opts.common = program.common };

	(void)argc; /* argv ends with NULL */
	int r = start_process();
	out_init(&cli.out, STDOUT_FILENO);
	out_init(&cli.talk, STDERR_FILENO);
	if (r < 0)
		return cannot_start(&cli, -r);
	cli.is_json = asks_for_json(words);

	enum plugpkg_code code = argv[0] == NULL ? PLUGPKG_E_USAGE : run(&cli, words);
	int exit_status = close_streams(&cli, report(&cli, code));
	cli_fini(&cli);
	return exit_status;
}
