/* SPDX-License-Identifier: MIT */
/* The publisher's directory and the passphrase of its keys. */
#include "repo/repo_cli.h"

#include "term/passphrase.h"

#include <stdlib.h>

const char *
repo_cli_dir(const struct cli *cli)
{
	const char *dir = opts_value(&cli->opts, "repo");

	if (dir == NULL)
		dir = secure_getenv("PLUGPKG_REPO");
	return dir != NULL && *dir != '\0' ? dir : NULL;
}

plugpkg_repo *
repo_cli_repo(const struct cli *cli)
{
	return cli->subject;
}

int
repo_cli_passphrase(const char *key, char *buf, size_t size, void *user)
{
	struct cli *cli = user;

	/* What takes --encrypt makes the keys that it asks for. */
	return opts_find(&cli->opts, PP_STR("encrypt")) != NULL
		   ? passphrase_new(key, buf, size, cli)
		   : passphrase_old(key, buf, size, cli);
}
