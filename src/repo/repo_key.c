/* SPDX-License-Identifier: MIT */
/* `plugpkg-repo key new|list|rotate|revoke|threshold`. */
#include "base/mem.h"
#include "repo/repo_cli.h"
#include "term/table.h"

#define MAX_THRESHOLD 100

static void
join(struct pp_buf *out, const pp_json *names)
{
	for (size_t i = 0; i < pp_json_len(names); i++)
		pp_buf_addf(out, "%s%s", i == 0 ? "" : ", ", pp_json_string(pp_json_at(names, i)));
}

/* What to do with what waits: here, or with the file that is carried to the keys and back. */
static void
say_next_step(struct cli *cli, bool is_complete)
{
	bool is_sign = opts_find(&cli->opts, PP_STR("export")) != NULL;
	const char *carried = is_sign ? cli_operand(cli, 0) : NULL;
	const char *written = is_sign ? opts_value(&cli->opts, "export") : NULL;

	if (carried != NULL && (is_complete || opts_has(&cli->opts, "key")))
		out_line(&cli->talk,
		    "%s: carry the file to the publisher, plugpkg-repo sign --import FILE%s",
		    is_complete ? "All signatures are there" : "These signatures are in it",
		    is_complete ? "" : "; or to the next key");
	else if (carried != NULL)
		out_line(&cli->talk, "Sign it: plugpkg-repo sign %s --key KEYFILE", carried);
	else if (is_complete)
		out_line(&cli->talk, "All signatures are there: plugpkg-repo publish");
	else if (written != NULL)
		out_line(&cli->talk,
		    "Carry '%s' to the keys: plugpkg-repo sign FILE --key KEYFILE; and back: "
		    "plugpkg-repo sign --import FILE",
		    written);
	else
		out_line(&cli->talk,
		    "Sign it: plugpkg-repo sign, where the keys are here; or carry it to them with "
		    "plugpkg-repo sign --export FILE");
}

void
repo_view_signing(struct cli *cli)
{
	const pp_json *row;
	bool is_waiting = false, is_complete = true;

	for (size_t i = 0; (row = view_next(cli, "signing", &i)) != NULL;) {
		PP_AUTO_BUF struct pp_buf have = PP_BUF_INIT(65536);
		PP_AUTO_BUF struct pp_buf can = PP_BUF_INIT(65536);
		const pp_json *changes = pp_json_get(row, "changes");
		int64_t missing = pp_json_get_int(row, "missing", 0);
		is_waiting = true;
		is_complete = is_complete && missing == 0;
		join(&have, pp_json_get(row, "signed_by"));
		join(&can, pp_json_get(row, "can_sign"));
		out_line(&cli->out, "New %s (version %lld, expires %s):", view_str(row, "role"),
		    (long long)pp_json_get_int(row, "version", 0), view_str(row, "expires"));
		for (size_t k = 0; k < pp_json_len(changes); k++)
			out_line(&cli->out, "  %s", pp_json_string(pp_json_at(changes, k)));
		if (have.n > 0)
			out_line(&cli->out, "  signed by %s", pp_buf_cstr(&have));
		if (missing > 0)
			out_line(&cli->out, "  still needs %lld signature%s of: %s",
			    (long long)missing, missing == 1 ? "" : "s", pp_buf_cstr(&can));
	}
	if (is_waiting && !cli->is_quiet)
		say_next_step(cli, is_complete);
}

static void
view_changed(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "key", &i)) != NULL;)
		out_line(&cli->out, "Key %s: %s", view_str(row, "name"), view_str(row, "id"));
	repo_view_signing(cli);
}

static enum plugpkg_code
change(struct cli *cli, struct plugpkg_repo_key_change *c)
{
	uint64_t threshold = 0;

	if (opts_find(&cli->opts, PP_STR("threshold")) != NULL &&
	    !opts_number(
		&cli->opts, "threshold", (struct opt_range){ 1, MAX_THRESHOLD }, 0, &threshold))
		return cli_bad_option(cli);
	if (threshold > 0)
		c->threshold = (unsigned)threshold;
	enum plugpkg_code rc =
	    plugpkg_repo_key_change(repo_cli_repo(cli), c, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show(cli, view_changed);
	return rc;
}

/* ---- new ---- */

static const struct opt new_opts[] = {
	{ 0, "role", "ROLE", "the key is one more for root or targets" },
	{ 0, "threshold", "N", "and so many of the role's keys have to agree from now on" },
	{ 0, "public", "FILE", "the public half of a key that is elsewhere, PEM or .pub" },
	{ 0, "signer", "COMMAND", "with --public: signs with that key on this machine" },
	{ 0, "file", NULL, "NAME is a path: make a key file there, for another machine" },
	{ 0, "encrypt", NULL, "protect the new key with a passphrase" },
	OPT_END,
};

static void
view_made(struct cli *cli)
{
	size_t at = 0;
	const pp_json *row = view_next(cli, "key", &at);

	out_line(&cli->out, "Key %s: %s", view_str(row, "name"), view_str(row, "id"));
	out_line(&cli->out,
	    "Carry %s.pub to the publisher's directory: plugpkg-repo key new NAME "
	    "--role ROLE --public FILE",
	    view_str(row, "name"));
}

static enum plugpkg_code
make_file(struct cli *cli)
{
	int encrypt = opts_has(&cli->opts, "encrypt");

	enum plugpkg_code rc = plugpkg_repo_key_make(
	    repo_cli_repo(cli), cli_operand(cli, 0), encrypt, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show(cli, view_made);
	return rc;
}

static enum plugpkg_code
add_key(struct cli *cli)
{
	struct plugpkg_repo_key_change c = {
		.action = PLUGPKG_REPO_KEY_NEW,
		.name = cli_operand(cli, 0),
		.role = opts_value(&cli->opts, "role"),
		.public_file = opts_value(&cli->opts, "public"),
		.signer = opts_value(&cli->opts, "signer"),
		.encrypt = opts_has(&cli->opts, "encrypt"),
	};

	return change(cli, &c);
}

static enum plugpkg_code
new_run(struct cli *cli)
{
	if (opts_has(&cli->opts, "file"))
		return repo_cli_run_without(cli, make_file);
	if (opts_value(&cli->opts, "role") == NULL)
		return cli_fail(cli, PLUGPKG_E_USAGE,
		    "say what it is for: --role root, --role targets, or --file for another "
		    "machine",
		    "'key new' needs a role");
	return repo_cli_run_in_repo(cli, add_key);
}

static const struct cmd key_new = {
	.name = "new",
	.args = "NAME",
	.summary = "make one more key for a role",
	.opts = new_opts,
	.flags = CMD_NO_ROOT,
	.min_operands = 1,
	.max_operands = 1,
	.run = new_run,
};

/* ---- rotate, revoke, threshold ---- */

static const struct opt rotate_opts[] = {
	{ 0, "as", "NAME", "name of the new key; default: the next number" },
	{ 0, "threshold", "N", "and so many of the role's keys have to agree from now on" },
	{ 0, "public", "FILE", "the public half of a key that is elsewhere, PEM or .pub" },
	{ 0, "signer", "COMMAND", "with --public: signs with that key on this machine" },
	{ 0, "encrypt", NULL, "protect the new key with a passphrase" },
	OPT_END,
};

static enum plugpkg_code
rotate_run(struct cli *cli)
{
	struct plugpkg_repo_key_change c = {
		.action = PLUGPKG_REPO_KEY_ROTATE,
		.name = cli_operand(cli, 0),
		.as = opts_value(&cli->opts, "as"),
		.public_file = opts_value(&cli->opts, "public"),
		.signer = opts_value(&cli->opts, "signer"),
		.encrypt = opts_has(&cli->opts, "encrypt"),
	};

	return change(cli, &c);
}

static const struct cmd key_rotate = {
	.name = "rotate",
	.args = "NAME",
	.summary = "put a new key in the place of one",
	.opts = rotate_opts,
	.min_operands = 1,
	.max_operands = 1,
	.run = rotate_run,
};

static const struct opt revoke_opts[] = {
	{ 0, "threshold", "N", "and so many of the role's keys have to agree from now on" },
	OPT_END,
};

static enum plugpkg_code
revoke_run(struct cli *cli)
{
	struct plugpkg_repo_key_change c = {
		.action = PLUGPKG_REPO_KEY_REVOKE,
		.name = cli_operand(cli, 0),
	};

	return change(cli, &c);
}

static const struct cmd key_revoke = {
	.name = "revoke",
	.args = "NAME",
	.summary = "let a key count no longer",
	.opts = revoke_opts,
	.min_operands = 1,
	.max_operands = 1,
	.run = revoke_run,
};

static enum plugpkg_code
threshold_run(struct cli *cli)
{
	struct plugpkg_repo_key_change c = {
		.action = PLUGPKG_REPO_KEY_THRESHOLD,
		.role = cli_operand(cli, 0),
	};
	const char *text = cli_operand(cli, 1);
	uint64_t n = 0;

	if (pp_parse_u64(pp_str_of(text), MAX_THRESHOLD, &n) < 0 || n == 0)
		return cli_fail(cli, PLUGPKG_E_USAGE, NULL, "'%s' is no number from 1 to %d", text,
		    MAX_THRESHOLD);
	c.threshold = (unsigned)n;
	return change(cli, &c);
}

static const struct cmd key_threshold = {
	.name = "threshold",
	.args = "ROLE N",
	.summary = "say how many keys of root or targets have to agree",
	.min_operands = 2,
	.max_operands = 2,
	.run = threshold_run,
};

/* ---- list ---- */

static void
view_keys(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 5 };
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "key", &i)) != NULL;) {
		PP_AUTO_FREE char *id = pp_xstrndup(view_str(row, "id"), 12);
		const char *role = pp_json_string(pp_json_at(pp_json_get(row, "roles"), 0));
		table_add(&t, view_str(row, "name"));
		table_add(&t, role != NULL ? role : "-");
		table_add(&t, view_str(row, "status"));
		table_add(&t, view_str(row, "private"));
		table_add(&t, id);
	}
	table_print(&t, &cli->out);
	for (size_t i = 0; (row = view_next(cli, "role", &i)) != NULL;)
		out_line(&cli->out, "%s: %lld of %lld keys sign", view_str(row, "role"),
		    (long long)pp_json_get_int(row, "threshold", 0),
		    (long long)pp_json_get_int(row, "keys", 0));
	repo_view_signing(cli);
}

static enum plugpkg_code
list_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_repo_key_list(repo_cli_repo(cli), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_keys);
	return rc;
}

static const struct cmd key_list = {
	.name = "list",
	.summary = "list all keys, their roles, and where they are",
	.run = list_run,
};

static const struct cmd *const key_subs[] = {
	&key_list,
	&key_new,
	&key_rotate,
	&key_revoke,
	&key_threshold,
	NULL,
};

const struct cmd repo_key = {
	.name = "key",
	.args = "list | new | rotate | revoke | threshold",
	.summary = "list and change the keys that count",
	.subs = key_subs,
};
