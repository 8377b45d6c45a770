/* SPDX-License-Identifier: MIT */
/* `plugpkg sign`. */
#include "cli/author.h"

#include "cli/view.h"
#include "term/help.h"
#include "term/passphrase.h"

struct plugpkg_key_file
author_key(struct cli *cli, const char *path)
{
	return (struct plugpkg_key_file){
		.path = path,
		.passphrase = passphrase_old,
		.user = cli,
	};
}

static const struct opt sign_opts[] = {
	{ 'k', "key", "FILE", "sign with the key in FILE; plugpkg owner new makes one" },
	OPT_PASSPHRASE_FD,
	OPT_END,
};

static enum plugpkg_code
sign_run(struct cli *cli)
{
	const char *file = opts_value(&cli->opts, "key");
	enum plugpkg_code rc = PLUGPKG_OK;

	if (file == NULL)
		return cli_usage(cli, "'sign' needs the key to sign with: --key FILE");
	const struct plugpkg_key_file key = author_key(cli, file);
	for (size_t i = 0; rc == PLUGPKG_OK && i < cli->opts.operands.n; i++)
		rc = plugpkg_sign(cli_operand(cli, i), &key, cli_row, cli, &cli->err);
	cli_show(cli, view_signed);
	return rc;
}

const struct cmd cmd_sign = {
	.name = "sign",
	.args = "ARCHIVE...",
	.summary = "sign archives of plugins with the key of their owner",
	.opts = sign_opts,
	.flags = CMD_NO_ROOT,
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.run = sign_run,
};
