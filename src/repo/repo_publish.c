/* SPDX-License-Identifier: MIT */
/* `plugpkg-repo publish` and `refresh`: new content, and new signatures over the old. */
#include "repo/repo_cli.h"

static void
view_published(struct cli *cli)
{
	size_t at = 0;
	const pp_json *row = view_next(cli, "published", &at);
	long long added = (long long)pp_json_get_int(row, "added", 0);
	long long removed = (long long)pp_json_get_int(row, "removed", 0);

	if (added + removed == 0)
		out_line(&cli->out, "Nothing is staged; nothing is published.");
	else
		out_line(&cli->out, "Published: %lld added, %lld removed (version %lld).", added,
		    removed, (long long)pp_json_get_int(row, "version", 0));
}

static enum plugpkg_code
publish_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_repo_publish(repo_cli_repo(cli), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_published);
	return rc;
}

const struct cmd repo_publish = {
	.name = "publish",
	.summary = "put what is staged into the index and sign it",
	.run = publish_run,
};

static void
view_refreshed(struct cli *cli)
{
	size_t at = 0;
	const pp_json *row = view_next(cli, "refreshed", &at);

	out_line(&cli->out, "Signed anew (version %lld); refresh again before %s.",
	    (long long)pp_json_get_int(row, "version", 0), view_str(row, "expires"));
}

static enum plugpkg_code
refresh_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_repo_refresh(repo_cli_repo(cli), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_refreshed);
	return rc;
}

const struct cmd repo_refresh = {
	.name = "refresh",
	.summary = "renew the signatures before they expire",
	.run = refresh_run,
};
