/* SPDX-License-Identifier: MIT */
/* plugpkg-repo: its table of commands, and how a publisher's directory is opened for them. */
#include "repo/repo_cli.h"
#include "term/program.h"
#include "term/render.h"
#include "term/start.h"

static const struct cmd_entry table[] = {
	{ "Publish", NULL },
	{ NULL, &repo_init },
	{ NULL, &repo_add },
	{ NULL, &repo_remove },
	{ NULL, &repo_check },
	{ NULL, &repo_publish },
	{ NULL, &repo_refresh },
	{ NULL, &repo_list },
	{ "Keys", NULL },
	{ NULL, &repo_key },
	{ NULL, &repo_sign },
	{ NULL, &repo_expire_check },
	{ "Copies", NULL },
	{ NULL, &repo_mirror },
	{ NULL, &repo_verify },
	{ "Help", NULL },
	{ NULL, &cmd_help },
	{ NULL, &cmd_version },
	{ NULL, &cmd_completion },
	{ NULL, NULL },
};

static const struct opt common_opts[] = {
	{ 0, "repo", "DIR", "work on the publisher's directory DIR" },
	{ 0, "passphrase-fd", "N", "read the keys' passphrase from descriptor N" },
	{ 'q', "quiet", NULL, "say only answers, warnings and errors" },
	{ 'v', "verbose", NULL, "say more about what goes on" },
	{ 0, "debug", NULL, "say where in the program errors come from" },
	{ 0, "json", NULL, "answer in JSON Lines on standard output" },
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

static void
cancel_repo(void *repo)
{
	plugpkg_repo_cancel(repo);
}

/* Repo moved. */
static enum plugpkg_code
run_on(struct cli *cli, plugpkg_repo *repo, int64_t now, enum plugpkg_code (*run)(struct cli *cli))
{
	plugpkg_repo_set_time(repo, now);
	plugpkg_repo_set_passphrase_fn(repo, repo_cli_passphrase, cli);
	plugpkg_repo_set_event_fn(repo, on_event, cli);
	cli->subject = repo;
	start_signals_for(cancel_repo, repo);
	enum plugpkg_code rc = run(cli);
	stop_signals();
	plugpkg_repo_close(repo);
	return rc;
}

enum plugpkg_code
repo_cli_run_in_repo(struct cli *cli, enum plugpkg_code (*run)(struct cli *cli))
{
	plugpkg_repo *repo = NULL;
	int64_t now = 0;

	enum plugpkg_code rc = cli_now(cli, &now);
	if (rc == PLUGPKG_OK)
		rc = plugpkg_repo_open(repo_cli_dir(cli), &repo, &cli->err);
	if (rc != PLUGPKG_OK)
		return rc;
	return run_on(cli, repo, now, run);
}

enum plugpkg_code
repo_cli_run_without(struct cli *cli, enum plugpkg_code (*run)(struct cli *cli))
{
	int64_t now = 0;

	enum plugpkg_code rc = cli_now(cli, &now);
	return rc == PLUGPKG_OK ? run_on(cli, plugpkg_repo_new(), now, run) : rc;
}

static enum plugpkg_code
run_in_repo(struct cli *cli)
{
	return repo_cli_run_in_repo(cli, cli->cmd->run);
}

static const struct synonym synonyms[] = {
	{ "build", "plugpkg build" },
	{ "delete", "remove" },
	{ "lint", "plugpkg lint" },
	{ "ls", "list" },
	{ "rm", "remove" },
	{ "unpublish", "remove" },
	{ NULL, NULL },
};

const struct program program = {
	.name = "plugpkg-repo",
	.summary = "make, publish and mirror signed repositories of plugins",
	.table = table,
	.synonyms = synonyms,
	.common = common_opts,
	.has_one_page = true,
	.run = run_in_repo,
};
