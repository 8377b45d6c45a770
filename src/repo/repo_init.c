/* SPDX-License-Identifier: MIT */
/* `plugpkg-repo init`. */
#include "base/mem.h"
#include "repo/repo_cli.h"

#include <stdlib.h>
#include <string.h>

#define MAX_THRESHOLD 9

static const struct opt init_opts[] = {
	{ 0, "name", "NAME", "name of the repository; default: that of the directory" },
	{ 0, "threshold", "N", "root keys that have to agree, 2 to 9; default: 2" },
	{ 0, "encrypt", NULL, "protect the keys with a passphrase" },
	OPT_END,
};

static void
view_initialised(struct cli *cli)
{
	size_t at = 0;
	const pp_json *row = view_next(cli, "initialised", &at);
	const char *dir = view_str(row, "directory");
	const pp_json *offline = pp_json_get(row, "offline_keys");

	out_line(&cli->out, "Repository '%s' is made in %s.", view_str(row, "name"), dir);
	out_line(&cli->out, "Root key:  %s", view_str(row, "fingerprint"));
	out_line(&cli->out, "Serve:     %s/public", dir);
	out_line(&cli->out, "Move these away from this machine; publishing does not need them:");
	for (size_t i = 0; i < pp_json_len(offline); i++)
		out_line(
		    &cli->out, "  %s/keys/%s.key", dir, pp_json_string(pp_json_at(offline, i)));
	out_line(&cli->out,
	    "Any %lld of the %lld root keys can replace all other keys; keep them apart.",
	    (long long)pp_json_get_int(row, "root_threshold", 0),
	    (long long)pp_json_get_int(row, "root_keys", 0));
}

/*
 * The last component of the directory's full path (a "." has a name too) in the characters that a
 * name may have.
 */
static char *
default_name(const char *dir)
{
	PP_AUTO_FREE char *full = realpath(dir, NULL);
	const char *path = full != NULL ? full : dir;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	size_t start = n;
	while (start > 0 && path[start - 1] != '/')
		start--;
	char *name = pp_xstrndup(path + start, n - start);
	for (char *c = name; *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		else if ((*c < 'a' || *c > 'z') && (*c < '0' || *c > '9'))
			*c = '-';
	}
	return name;
}

static enum plugpkg_code
init_run(struct cli *cli)
{
	const char *dir = cli_operand(cli, 0), *given = opts_value(&cli->opts, "name");
	PP_AUTO_FREE char *name = given != NULL ? pp_xstrdup(given) : default_name(dir);
	struct plugpkg_repo_init_spec spec = {
		.name = name,
		.encrypt = opts_has(&cli->opts, "encrypt"),
		.passphrase = repo_cli_passphrase,
		.user = cli,
	};

	uint64_t threshold = 0;

	if (!opts_number(
		&cli->opts, "threshold", (struct opt_range){ 1, MAX_THRESHOLD }, 0, &threshold))
		return cli_bad_option(cli);
	spec.root_threshold = (unsigned)threshold;
	enum plugpkg_code rc = cli_now(cli, &spec.now);
	if (rc == PLUGPKG_OK)
		rc = plugpkg_repo_init(dir, &spec, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show(cli, view_initialised);
	return rc;
}

const struct cmd repo_init = {
	.name = "init",
	.args = "DIR",
	.summary = "make a publisher's directory with new keys",
	.opts = init_opts,
	.flags = CMD_NO_ROOT,
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_DIR,
	.run = init_run,
};
