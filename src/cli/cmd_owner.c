/* SPDX-License-Identifier: MIT */
/*
 * `plugpkg owner`: for authors new and rotate, for roots list, show, accept and forget.
 */
#include "cli/author.h"
#include "cli/view.h"
#include "term/help.h"
#include "term/passphrase.h"

/* ---- authors ---- */

static const struct opt new_opts[] = {
	{ 0, "encrypt", NULL, "protect the key with a passphrase" },
	OPT_PASSPHRASE_FD,
	OPT_END,
};

static enum plugpkg_code
new_run(struct cli *cli)
{
	const struct plugpkg_key_file key = {
		.path = cli_operand(cli, 0),
		.passphrase = passphrase_new,
		.user = cli,
	};
	enum plugpkg_code rc =
	    plugpkg_owner_new(&key, opts_has(&cli->opts, "encrypt"), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_signed);
	return rc;
}

static const struct cmd owner_new = {
	.name = "new",
	.args = "FILE",
	.summary = "make a key to sign plugins with",
	.opts = new_opts,
	.flags = CMD_NO_ROOT,
	.min_operands = 1,
	.max_operands = 1,
	.run = new_run,
};

static const struct opt rotate_opts[] = {
	{ 0, "from", "FILE", "the key that the owner had so far" },
	{ 0, "to", "FILE", "the key that takes its place" },
	{ 'o', "output", "FILE", "write the statement to FILE; default: NAME.rotation" },
	OPT_PASSPHRASE_FD,
	OPT_END,
};

/* NAME.rotation, the / of a scope as - and without its @: as archives are called. Owned. */
static char *
statement_name(const char *name)
{
	char *file = pp_asprintf("%s.rotation", *name == '@' ? name + 1 : name);

	for (char *c = file; *c != '\0'; c++)
		if (*c == '/')
			*c = '-';
	return file;
}

static enum plugpkg_code
rotate_run(struct cli *cli)
{
	const char *name = cli_operand(cli, 0), *from = opts_value(&cli->opts, "from");
	const char *to = opts_value(&cli->opts, "to"), *given = opts_value(&cli->opts, "output");

	if (from == NULL || to == NULL)
		return cli_usage(cli, "'rotate' needs both keys: --from FILE --to FILE");
	PP_AUTO_FREE char *out = given != NULL ? pp_xstrdup(given) : statement_name(name);
	const struct plugpkg_key_file old = author_key(cli, from);
	enum plugpkg_code rc = plugpkg_owner_rotate(name, &old, to, out, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show(cli, view_signed);
	return rc;
}

static const struct cmd owner_rotate = {
	.name = "rotate",
	.args = "NAME",
	.summary = "state that another key signs a plugin from now on",
	.opts = rotate_opts,
	.flags = CMD_NO_ROOT,
	.min_operands = 1,
	.max_operands = 1,
	.run = rotate_run,
};

/* ---- roots ---- */

static enum plugpkg_code
show_run(struct cli *cli)
{
	enum plugpkg_code rc =
	    plugpkg_owner_list(cli->ctx, cli_operand(cli, 0), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, cli_operand(cli, 0) != NULL ? view_owner : view_owners);
	return rc;
}

static const struct cmd owner_list = {
	.name = "list",
	.summary = "list the plugins whose owner's key is known here",
	.run = show_run,
};

static const struct cmd owner_show = {
	.name = "show",
	.args = "NAME",
	.summary = "show the owner's key of a plugin, here and in its source",
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_INSTALLED_NAME,
	.run = show_run,
};

static const struct opt accept_opts[] = {
	{ 0, "key", "ID", "accept this key only, without being asked" },
	OPT_END,
};

static enum plugpkg_code
accept_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_owner_accept(
	    cli->ctx, cli_operand(cli, 0), opts_value(&cli->opts, "key"), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_owner);
	return rc;
}

static const struct cmd owner_accept = {
	.name = "accept",
	.args = "NAME",
	.summary = "expect the owner's key that the source names now",
	.opts = accept_opts,
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_INSTALLED_NAME,
	.run = accept_run,
};

static enum plugpkg_code
forget_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_owner_forget(cli->ctx, cli_operand(cli, 0), &cli->err);

	if (rc == PLUGPKG_OK)
		cli_say(
		    cli, "No key of the owner of '%s' is expected any more.", cli_operand(cli, 0));
	return rc;
}

static const struct cmd owner_forget = {
	.name = "forget",
	.args = "NAME",
	.summary = "expect no key of a plugin's owner until one comes again",
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_INSTALLED_NAME,
	.run = forget_run,
};

static const struct cmd *const owner_subs[] = {
	&owner_list,
	&owner_show,
	&owner_accept,
	&owner_forget,
	&owner_new,
	&owner_rotate,
	NULL,
};

const struct cmd cmd_owner = {
	.name = "owner",
	.args = "list | show | accept | forget | new | rotate",
	.summary = "keys with which authors sign their plugins",
	.subs = owner_subs,
};
