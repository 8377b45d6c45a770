/* SPDX-License-Identifier: MIT */
/*
 * `plugpkg-repo mirror` and `verify`: copies of served directories, and whether they are what was
 * signed.
 */
#include "base/mem.h"
#include "base/path.h"
#include "repo/repo_cli.h"

#include <fcntl.h>
#include <inttypes.h>

static const struct opt copy_opts[] = {
	{ 0, "key", "KEY", "trust this key only: sha256:HEX, or a root.json file" },
	OPT_END,
};

static void
view_mirrored(struct cli *cli)
{
	size_t at = 0;
	const pp_json *row = view_next(cli, "mirrored", &at);
	char size[OUT_SIZE_TEXT];

	out_line(&cli->out, "Mirrored to %s: %lld files fetched, %s.", view_str(row, "directory"),
	    (long long)pp_json_get_int(row, "files", 0), out_size(view_bytes(row, "bytes"), size));
	out_line(&cli->out, "Root key: %s", view_str(row, "fingerprint"));
}

static enum plugpkg_code
mirror(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_repo_mirror(repo_cli_repo(cli), cli_operand(cli, 0),
	    cli_operand(cli, 1), opts_value(&cli->opts, "key"), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_mirrored);
	return rc;
}

static enum plugpkg_code
mirror_run(struct cli *cli)
{
	return repo_cli_run_without(cli, mirror);
}

const struct cmd repo_mirror = {
	.name = "mirror",
	.args = "URL DIR",
	.summary = "copy a repository; the second time only what is new",
	.opts = copy_opts,
	.flags = CMD_NO_ROOT,
	.min_operands = 2,
	.max_operands = 2,
	.run = mirror_run,
};

static void
view_verified(struct cli *cli)
{
	const pp_json *row;
	char size[OUT_SIZE_TEXT];

	for (size_t i = 0; (row = view_next(cli, "problem", &i)) != NULL;)
		out_line(&cli->out, "%s: %s", view_str(row, "file"), view_str(row, "text"));
	for (size_t i = 0; (row = view_next(cli, "verified", &i)) != NULL;) {
		out_line(&cli->out, "Verified: %lld files, %s, %lld problems.",
		    (long long)pp_json_get_int(row, "files", 0),
		    out_size(view_bytes(row, "bytes"), size),
		    (long long)pp_json_get_int(row, "problems", 0));
		out_line(&cli->out, "Root key: %s", view_str(row, "fingerprint"));
	}
}

/* The operand, else what --repo names, else here; of a publisher's directory what it serves. */
static char *
public_dir(const struct cli *cli)
{
	const char *repo = repo_cli_dir(cli), *given = cli_operand(cli, 0);
	const char *dir = given != NULL ? given : repo != NULL ? repo : ".";
	PP_AUTO_FREE char *config = pp_asprintf("%s/repository.json", dir);

	return pp_exists_at(AT_FDCWD, config) == 1 ? pp_asprintf("%s/public", dir)
						   : pp_xstrdup(dir);
}

static enum plugpkg_code
verify(struct cli *cli)
{
	PP_AUTO_FREE char *dir = public_dir(cli);
	size_t n_problems = 0;

	enum plugpkg_code rc = plugpkg_repo_verify(repo_cli_repo(cli), dir,
	    opts_value(&cli->opts, "key"), &n_problems, cli_row, cli, &cli->err);
	cli_show(cli, view_verified);
	if (rc == PLUGPKG_OK && n_problems > 0)
		rc = cli_fail(cli, PLUGPKG_E_DIGEST,
		    "bytes that are not the signed ones come back from a mirror that verifies; "
		    "the rest is for the publisher to mend",
		    "%zu problem%s in '%s'", n_problems, n_problems == 1 ? "" : "s", dir);
	return rc;
}

static enum plugpkg_code
verify_run(struct cli *cli)
{
	return repo_cli_run_without(cli, verify);
}

const struct cmd repo_verify = {
	.name = "verify",
	.args = "[DIR]",
	.summary = "check every served byte against the signatures",
	.opts = copy_opts,
	.flags = CMD_NO_ROOT,
	.max_operands = 1,
	.operand = CMD_OPERAND_DIR,
	.run = verify_run,
};
