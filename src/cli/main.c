/* SPDX-License-Identifier: MIT */
/* plugpkg: its table of commands, and how a root is opened for them. */
#include "cli/cmds.h"

#include "term/help.h"
#include "term/program.h"
#include "term/prompt.h"
#include "term/render.h"
#include "term/start.h"

#include <stdlib.h>

#define MAX_JOBS 32

static const struct cmd_entry table[] = {
	{ "Change what is installed", NULL },
	{ NULL, &cmd_install },
	{ NULL, &cmd_remove },
	{ NULL, &cmd_purge },
	{ NULL, &cmd_upgrade },
	{ NULL, &cmd_autoremove },
	{ NULL, &cmd_sync },
	{ NULL, &cmd_rollback },
	{ NULL, &cmd_undo },
	{ NULL, &cmd_lock },
	{ NULL, &cmd_hold },
	{ NULL, &cmd_unhold },
	{ NULL, &cmd_disable },
	{ NULL, &cmd_enable },
	{ NULL, &cmd_mark },
	{ "Look", NULL },
	{ NULL, &cmd_list },
	{ NULL, &cmd_show },
	{ NULL, &cmd_search },
	{ NULL, &cmd_depends },
	{ NULL, &cmd_rdepends },
	{ NULL, &cmd_graph },
	{ NULL, &cmd_why },
	{ NULL, &cmd_why_not },
	{ NULL, &cmd_policy },
	{ NULL, &cmd_is_installed },
	{ NULL, &cmd_history },
	{ NULL, &cmd_log },
	{ "Repositories", NULL },
	{ NULL, &cmd_source },
	{ NULL, &cmd_update },
	{ NULL, &cmd_owner },
	{ "The root", NULL },
	{ NULL, &cmd_init },
	{ NULL, &cmd_check },
	{ NULL, &cmd_repair },
	{ NULL, &cmd_clean },
	{ NULL, &cmd_recover },
	{ NULL, &cmd_configure },
	{ NULL, &cmd_is_installing },
	{ NULL, &cmd_materialize },
	{ "For authors of plugins", NULL },
	{ NULL, &cmd_new },
	{ NULL, &cmd_lint },
	{ NULL, &cmd_build },
	{ NULL, &cmd_sign },
	{ NULL, &cmd_link },
	{ "Help", NULL },
	{ NULL, &cmd_help },
	{ NULL, &cmd_version },
	{ NULL, &cmd_completion },
	{ NULL, NULL },
};

static const struct opt common_opts[] = {
	{ 0, "root", "DIR", "work on the root DIR" },
	{ 'y', "yes", NULL,
	    "go on without asking; new repository keys are asked for all the same" },
	{ 'q', "quiet", NULL, "say only answers, warnings and errors" },
	{ 'v', "verbose", NULL, "say more about what goes on" },
	{ 0, "debug", NULL, "log more, and say where in the program errors come from" },
	{ 0, "json", NULL, "answer in JSON Lines on standard output" },
	{ 0, "no-wait", NULL, "stop at once when another plugpkg works on the root" },
	{ 0, "wait", "SECONDS", "wait for another plugpkg that long; default: for ever" },
	{ 0, "no-sandbox", NULL, "let scripts of plugins do all that you may do" },
	{ 0, "offline", NULL, "fetch nothing: take what was downloaded before" },
	{ 0, "jobs", "N", "download N files at once; default: as plugpkg.json says, or 8" },
	{ 'h', "help", NULL, "show this help" },
	{ 0, "version", NULL, "show the version" },
	OPT_END,
};

const char *
cli_root(const struct cli *cli)
{
	const char *root = opts_value(&cli->opts, "root");

	if (root == NULL)
		root = secure_getenv("PLUGPKG_ROOT");
	return root != NULL && *root != '\0' ? root : NULL;
}

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

	if (!opts_number(
		&cli->opts, "wait", (struct opt_range){ 0, 10 * 365 * 86400 }, 0, &seconds))
		return cli_bad_option(cli);
	if (opts_has(&cli->opts, "no-wait") && opts_has(&cli->opts, "wait"))
		return cli_usage(cli, "'--wait' and '--no-wait' exclude each other");
	if (opts_has(&cli->opts, "no-wait"))
		plugpkg_set_lock_wait(cli->ctx, 0);
	else if (opts_has(&cli->opts, "wait"))
		plugpkg_set_lock_wait(cli->ctx, (int64_t)seconds * 1000);
	return PLUGPKG_OK;
}

static enum plugpkg_code
set_network(struct cli *cli)
{
	uint64_t jobs = 0;

	if (!opts_number(&cli->opts, "jobs", (struct opt_range){ 1, MAX_JOBS }, 0, &jobs))
		return cli_bad_option(cli);
	plugpkg_set_jobs(cli->ctx, (unsigned)jobs);
	plugpkg_set_sandbox(cli->ctx, opts_has(&cli->opts, "no-sandbox") ? 0 : 1);
	plugpkg_set_offline(cli->ctx, opts_has(&cli->opts, "offline") ? 1 : 0);
	return PLUGPKG_OK;
}

static bool
makes_root(const struct cli *cli)
{
	return (cli->cmd->flags & CMD_MAKES_ROOT) != 0 && !opts_has(&cli->opts, "check") &&
	       !opts_has(&cli->opts, "dry-run");
}

/* Not every command has the option. */
static bool
is_dry_run(const struct cli *cli)
{
	return opts_find(&cli->opts, pp_str_of("dry-run")) != NULL &&
	       opts_has(&cli->opts, "dry-run");
}

static enum plugpkg_code
run_in_root(struct cli *cli)
{
	const char *named = opts_value(&cli->opts, "root");
	int64_t now = 0;

	/* An empty variable in somebody's script must not lead to another root further up. */
	if (named != NULL && *named == '\0')
		return cli_usage(cli, "option '--root' needs a directory");
	enum plugpkg_code rc = cli_now(cli, &now);
	if (rc == PLUGPKG_OK && makes_root(cli))
		rc = plugpkg_prepare(cli_root(cli), &cli->err);
	if (rc == PLUGPKG_OK)
		rc = plugpkg_open(cli_root(cli), &cli->ctx, &cli->err);
	if (rc != PLUGPKG_OK)
		return rc;
	plugpkg_set_time(cli->ctx, now);
	plugpkg_set_reaper(cli->ctx);
	plugpkg_set_log_debug(cli->ctx, cli->is_debug ? 1 : 0);
	plugpkg_set_event_fn(cli->ctx, on_event, cli);
	plugpkg_set_ask_fn(cli->ctx, prompt_answer, cli);
	rc = set_wait(cli);
	if (rc == PLUGPKG_OK)
		rc = set_network(cli);
	if (rc == PLUGPKG_OK && is_dry_run(cli))
		rc = plugpkg_set_dry_run(cli->ctx, &cli->err);
	if (rc != PLUGPKG_OK)
		return rc;
	start_signals(cli->ctx);
	rc = cli->cmd->run(cli);
	stop_signals();
	return rc;
}

static enum plugpkg_code
complete_names(struct cli *typed, enum cmd_operand kind, struct offers *offers)
{
	enum plugpkg_code rc = plugpkg_open(cli_root(typed), &typed->ctx, &typed->err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (kind == CMD_OPERAND_SOURCE)
		return plugpkg_source_list(typed->ctx, offer_row, offers, &typed->err);
	const struct plugpkg_list_spec spec = {
		.flags = kind == CMD_OPERAND_AVAILABLE ? PLUGPKG_LIST_AVAILABLE : 0,
	};
	return plugpkg_list(typed->ctx, &spec, offer_row, offers, &typed->err);
}

/* In apt, npm, pip and git. */
static const struct synonym synonyms[] = {
	{ "add", "install" },
	{ "delete", "remove" },
	{ "dist-upgrade", "upgrade" },
	{ "erase", "remove" },
	{ "full-upgrade", "upgrade" },
	{ "info", "show" },
	{ "ls", "list" },
	{ "outdated", "list --upgradable" },
	{ "pack", "build" },
	{ "publish", "plugpkg-repo publish" },
	{ "revert", "undo" },
	{ "rm", "remove" },
	{ "uninstall", "remove" },
	{ "unlink", "remove" },
	{ "view", "show" },
	{ NULL, NULL },
};

const struct program program = {
	.name = "plugpkg",
	.summary = "packages for the plugins of a running application",
	.table = table,
	.synonyms = synonyms,
	.common = common_opts,
	.run = run_in_root,
	.complete = complete_names,
};
