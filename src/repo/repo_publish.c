/* SPDX-License-Identifier: MIT */
/* `plugpkg-repo publish` and `refresh`: new content, and new signatures over the old. */
#include "repo/repo_cli.h"

static const struct opt signing_opts[] = {
	{ 0, "accept-public", NULL, "go on from public/, older or newer than signed here" },
	OPT_END,
};

static plugpkg_repo *
repo_for(const struct cli *cli)
{
	plugpkg_repo *repo = repo_cli_repo(cli);

	if (opts_has(&cli->opts, "accept-public"))
		plugpkg_repo_accept_public(repo);
	return repo;
}

static void
view_published(struct cli *cli)
{
	size_t at = 0;
	const pp_json *row = view_next(cli, "published", &at);
	long long added = (long long)pp_json_get_int(row, "added", 0);
	long long removed = (long long)pp_json_get_int(row, "removed", 0);

	const pp_json *renewed = pp_json_get(row, "renewed");

	for (size_t i = 0; i < pp_json_len(renewed); i++)
		out_line(&cli->out, "Published: a new %s.", pp_json_string(pp_json_at(renewed, i)));
	if (added + removed == 0 && renewed == NULL)
		out_line(&cli->out, "Nothing is staged; nothing is published.");
	else if (added + removed > 0)
		out_line(&cli->out, "Published: %lld added, %lld removed (version %lld).", added,
		    removed, (long long)pp_json_get_int(row, "version", 0));
	repo_view_signing(cli);
	repo_warn_expiry(cli);
}

static enum plugpkg_code
publish_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_repo_publish(repo_for(cli), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_published);
	return rc;
}

const struct cmd repo_publish = {
	.name = "publish",
	.summary = "put what is staged into the index and sign it",
	.opts = signing_opts,
	.run = publish_run,
};

static void
view_refreshed(struct cli *cli)
{
	size_t at = 0;
	const pp_json *row = view_next(cli, "refreshed", &at);

	out_line(&cli->out, "Signed anew (version %lld); refresh again before %s.",
	    (long long)pp_json_get_int(row, "version", 0), view_str(row, "expires"));
	repo_warn_expiry(cli);
}

static enum plugpkg_code
refresh_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_repo_refresh(repo_for(cli), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_refreshed);
	return rc;
}

const struct cmd repo_refresh = {
	.name = "refresh",
	.summary = "renew the signatures before they expire",
	.opts = signing_opts,
	.run = refresh_run,
};
