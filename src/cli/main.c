/* SPDX-License-Identifier: MIT */
/* plugpkg: finds the command in the table, opens the root, runs it, and says how it ended. */
#include "base/mem.h"
#include "base/time.h"
#include "cli/help.h"
#include "cli/prompt.h"
#include "cli/render.h"
#include "cli/start.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct cmd_entry cmd_table[] = {
	{ "Change what is installed", NULL },
	{ NULL, &cmd_install },
	{ NULL, &cmd_remove },
	{ NULL, &cmd_purge },
	{ NULL, &cmd_upgrade },
	{ NULL, &cmd_autoremove },
	{ "Look", NULL },
	{ NULL, &cmd_list },
	{ NULL, &cmd_show },
	{ NULL, &cmd_search },
	{ NULL, &cmd_depends },
	{ NULL, &cmd_rdepends },
	{ "Repositories", NULL },
	{ NULL, &cmd_source },
	{ NULL, &cmd_update },
	{ "The root", NULL },
	{ NULL, &cmd_init },
	{ NULL, &cmd_check },
	{ NULL, &cmd_clean },
	{ "For authors of plugins", NULL },
	{ NULL, &cmd_new },
	{ NULL, &cmd_lint },
	{ NULL, &cmd_build },
	{ NULL, &cmd_link },
	{ "Help", NULL },
	{ NULL, &cmd_help },
	{ NULL, &cmd_version },
	{ NULL, &cmd_completion },
	{ NULL, NULL },
};

const struct opt cli_common_opts[] = {
	{ 0, "root", "DIR", "work on the root DIR" },
	{ 'y', "yes", NULL,
	    "go on without asking; new repository keys are asked for all the same" },
	{ 'q', "quiet", NULL, "say only answers, warnings and errors" },
	{ 'v', "verbose", NULL, "say more about what goes on" },
	{ 0, "debug", NULL, "say where in the program errors come from" },
	{ 0, "json", NULL, "answer in JSON Lines on standard output" },
	{ 0, "no-wait", NULL, "stop at once when another plugpkg works on the root" },
	{ 0, "wait", "SECONDS", "wait for another plugpkg that long; default: for ever" },
	{ 'h', "help", NULL, "show this help" },
	{ 0, "version", NULL, "show the version" },
	OPT_END,
};

static void
on_event(const struct plugpkg_event *ev, void *user)
{
	struct cli *cli = user;

	cli->renderer->event(cli, ev);
}

static enum plugpkg_code
set_wait(struct cli *cli)
{
	uint64_t seconds = 0;

	if (!opts_number(&cli->opts, "wait", 10 * 365 * 86400, 0, &seconds))
		return cli_bad_option(cli);
	if (opts_has(&cli->opts, "no-wait"))
		plugpkg_set_lock_wait(cli->ctx, 0);
	else if (opts_has(&cli->opts, "wait"))
		plugpkg_set_lock_wait(cli->ctx, (int64_t)seconds * 1000);
	return PLUGPKG_OK;
}

static enum plugpkg_code
run_in_root(struct cli *cli)
{
	int64_t now = 0;
	enum plugpkg_code rc = cli_now(cli, &now);

	if (rc == PLUGPKG_OK)
		rc = plugpkg_open(cli_root(cli), &cli->ctx, &cli->err);
	if (rc != PLUGPKG_OK)
		return rc;
	plugpkg_set_time(cli->ctx, now);
	plugpkg_set_event_fn(cli->ctx, on_event, cli);
	plugpkg_set_ask_fn(cli->ctx, prompt_answer, cli);
	rc = set_wait(cli);
	if (rc != PLUGPKG_OK)
		return rc;
	start_signals(cli->ctx);
	rc = cli->cmd->run(cli);
	stop_signals();
	return rc;
}

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
	cli->is_yes = opts_has(&cli->opts, "yes");
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
	if (cli->cmd->subs != NULL)
		return cli_usage(cli, "'%s' needs one of: %s", cli->cmd->name, cli->cmd->args);
	rc = check_operands(cli);
	if (rc != PLUGPKG_OK)
		return rc;
	return (cli->cmd->flags & CMD_NO_ROOT) != 0 ? cli->cmd->run(cli) : run_in_root(cli);
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
	errno = 0;
	bool is_lost = fflush(stdout) != 0 || ferror(stdout) != 0;
	if (!is_lost || errno == EPIPE)
		return exit_status;
	if (exit_status == 0)
		exit_status = plugpkg_code_exit_status(PLUGPKG_E_IO);
	out_line(&cli->talk, "error: cannot write to standard output [%s]",
	    plugpkg_code_name(PLUGPKG_E_IO));
	return exit_status;
}

int
main(int argc, char **argv)
{
	const char *const *words = (const char *const *)argv;
	struct cli cli = { .opts.common = cli_common_opts };

	(void)argc; /* argv ends with NULL */
	if (start_process() < 0)
		return plugpkg_code_exit_status(PLUGPKG_E_IO);
	out_init(&cli.out, stdout);
	out_init(&cli.talk, stderr);
	cli.is_json = asks_for_json(words);

	enum plugpkg_code code = argv[0] == NULL ? PLUGPKG_E_USAGE : run(&cli, words);
	int exit_status = close_streams(&cli, report(&cli, code));
	cli_fini(&cli);
	return exit_status;
}
