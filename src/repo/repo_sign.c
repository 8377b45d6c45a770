/* SPDX-License-Identifier: MIT */
/* `plugpkg-repo sign` and `expire-check`: what offline keys sign, and when it is due. */
#include "base/mem.h"
#include "repo/repo_cli.h"

#include <string.h>

#define EXIT_DUE        100
#define MAX_WITHIN_DAYS 3650
#define SECONDS_AN_HOUR 3600
#define SECONDS_A_DAY   86400

struct names pp_vec(const char *);

static void
names_fini(struct names *names)
{
	pp_vec_free(names);
}

static const struct opt sign_opts[] = {
	{ 0, "key", "KEY", "sign with this key only; may be repeated; with FILE a key file" },
	{ 0, "signer", "COMMAND", "sign for that key by a command: bytes in, signature out" },
	{ 0, "renew", "ROLE", "sign root or targets for another year" },
	{ 0, "export", "FILE", "write what waits to FILE, to be carried to offline keys" },
	{ 0, "import", "FILE", "take over the signatures from FILE" },
	OPT_END,
};

static void
read_spec(struct cli *cli, struct names *keys, struct plugpkg_repo_sign_spec *spec)
{
	pp_vec_foreach (v, &cli->opts.values)
		if (strcmp(v->opt->name, "key") == 0)
			*pp_vec_new(keys) = v->value;
	*spec = (struct plugpkg_repo_sign_spec){
		.keys = keys->at,
		.n_keys = keys->n,
		.signer = opts_value(&cli->opts, "signer"),
		.renew = opts_value(&cli->opts, "renew"),
	};
}

static enum plugpkg_code
check_spec(struct cli *cli, const struct plugpkg_repo_sign_spec *spec)
{
	int exports = opts_has(&cli->opts, "export"), imports = opts_has(&cli->opts, "import");

	if (spec->signer != NULL && spec->n_keys != 1)
		return cli_fail(cli, PLUGPKG_E_USAGE, "say which: --key KEY --signer COMMAND",
		    "a signer signs for one key");
	if (exports + imports + (cli->opts.operands.n > 0) > 1)
		return cli_fail(cli, PLUGPKG_E_USAGE, NULL,
		    "--export, --import and signing in a file are three steps");
	if ((exports || imports) && (spec->n_keys > 0 || spec->renew != NULL))
		return cli_fail(
		    cli, PLUGPKG_E_USAGE, NULL, "--export and --import sign nothing themselves");
	if (cli->opts.operands.n > 0 && spec->renew != NULL)
		return cli_fail(cli, PLUGPKG_E_USAGE,
		    "renew in the publisher's directory, then export",
		    "--renew needs the publisher's directory");
	return PLUGPKG_OK;
}

static enum plugpkg_code
sign_in_repo(struct cli *cli)
{
	PP_CLEANUP(names_fini) struct names keys = { 0 };
	const char *to = opts_value(&cli->opts, "export"), *from = opts_value(&cli->opts, "import");
	struct plugpkg_repo_sign_spec spec;
	plugpkg_repo *repo = repo_cli_repo(cli);
	enum plugpkg_code rc;

	read_spec(cli, &keys, &spec);
	if (to != NULL)
		rc = plugpkg_repo_sign_export(repo, to, cli_row, cli, &cli->err);
	else if (from != NULL)
		rc = plugpkg_repo_sign_import(repo, from, cli_row, cli, &cli->err);
	else
		rc = plugpkg_repo_sign(repo, &spec, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show(cli, repo_view_signing);
	return rc;
}

static enum plugpkg_code
sign_file(struct cli *cli)
{
	PP_CLEANUP(names_fini) struct names keys = { 0 };
	struct plugpkg_repo_sign_spec spec;

	read_spec(cli, &keys, &spec);
	enum plugpkg_code rc = plugpkg_repo_sign_file(
	    repo_cli_repo(cli), cli_operand(cli, 0), &spec, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show(cli, repo_view_signing);
	return rc;
}

static enum plugpkg_code
sign_run(struct cli *cli)
{
	PP_CLEANUP(names_fini) struct names keys = { 0 };
	struct plugpkg_repo_sign_spec spec;

	read_spec(cli, &keys, &spec);
	enum plugpkg_code rc = check_spec(cli, &spec);
	if (rc != PLUGPKG_OK)
		return rc;
	return cli->opts.operands.n == 0 ? repo_cli_run_in_repo(cli, sign_in_repo)
					 : repo_cli_run_without(cli, sign_file);
}

const struct cmd repo_sign = {
	.name = "sign",
	.args = "[FILE]",
	.summary = "sign new keys and roots with offline keys",
	.opts = sign_opts,
	.flags = CMD_NO_ROOT,
	.max_operands = 1,
	.run = sign_run,
};

/* ---- expire-check ---- */

static const struct opt expire_opts[] = {
	{ 0, "within", "DAYS", "what expires in fewer days is due; default: by its life" },
	OPT_END,
};

static void
view_left(const pp_json *row, struct pp_buf *out)
{
	long long left = (long long)pp_json_get_int(row, "seconds_left", 0);

	if (left == 0)
		pp_buf_adds(out, "has expired");
	else if (left >= 2 * SECONDS_A_DAY)
		pp_buf_addf(out, "%lld days left", left / SECONDS_A_DAY);
	else
		pp_buf_addf(out, "%lld hours left", left / SECONDS_AN_HOUR);
}

static void
view_expiry(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "expiry", &i)) != NULL;) {
		PP_AUTO_BUF struct pp_buf left = PP_BUF_INIT(64);
		bool is_good = strcmp(view_str(row, "status"), "good") == 0;
		view_left(row, &left);
		out_line(&cli->out, "%-9s %s  %s%s%s", view_str(row, "role"),
		    view_str(row, "expires"), pp_buf_cstr(&left), is_good ? "" : ": ",
		    is_good ? "" : view_str(row, "renew"));
	}
}

void
repo_warn_expiry(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "expiry", &i)) != NULL;)
		out_line(&cli->talk, "warning: %s expires on %s: %s, then publish",
		    view_str(row, "role"), view_str(row, "expires"), view_str(row, "renew"));
}

static enum plugpkg_code
expire_run(struct cli *cli)
{
	bool is_given = opts_has(&cli->opts, "within");
	uint64_t days = 0;
	size_t due = 0;

	if (!opts_number(&cli->opts, "within", (struct opt_range){ 0, MAX_WITHIN_DAYS }, 0, &days))
		return cli_bad_option(cli);
	enum plugpkg_code rc = plugpkg_repo_expiry(
	    repo_cli_repo(cli), is_given ? (int64_t)days : -1, &due, cli_row, cli, &cli->err);
	cli_show(cli, view_expiry);
	if (rc == PLUGPKG_OK && due > 0)
		cli->exit_status = EXIT_DUE;
	return rc;
}

const struct cmd repo_expire_check = {
	.name = "expire-check",
	.summary = "tell what expires when, and what renews it",
	.opts = expire_opts,
	.run = expire_run,
};
