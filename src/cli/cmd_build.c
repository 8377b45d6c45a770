/* SPDX-License-Identifier: MIT */
/* `plugpkg build`. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "cli/author.h"
#include "cli/view.h"

/* Later times do not fit into the archive's header. */
#define MAX_EPOCH 0777777777777ULL

static const struct opt build_opts[] = {
	{ 'o', "output", "DIR", "write the archive into DIR; default: here" },
	{ 0, "sign", "FILE", "sign it with the key in FILE" },
	OPT_PASSPHRASE_FD,
	OPT_END,
};

struct building {
	struct cli *cli;
	char *path; /* of the archive, once it is there; owned */
};

static void
building_fini(struct building *b)
{
	free(b->path);
}

static void
keep_path(const char *json, void *user)
{
	struct building *b = user;
	PP_AUTO_JSON pp_json *row = pp_json_parse(json, strlen(json), NULL);

	if (strcmp(view_str(row, "type"), "built") == 0)
		b->path = pp_xstrdup(view_str(row, "path"));
	cli_row(json, b->cli);
}

static enum plugpkg_code
sign(struct cli *cli, const char *archive, const char *file)
{
	const struct plugpkg_key_file key = author_key(cli, file);

	return plugpkg_sign(archive, &key, cli_row, cli, &cli->err);
}

static enum plugpkg_code
build_run(struct cli *cli)
{
	const char *dir = cli_operand(cli, 0), *out_dir = opts_value(&cli->opts, "output");
	const char *epoch = getenv("SOURCE_DATE_EPOCH"), *key = opts_value(&cli->opts, "sign");
	PP_CLEANUP(building_fini) struct building b = { .cli = cli };
	uint64_t mtime = 0;

	if (epoch != NULL && *epoch != '\0' &&
	    pp_parse_u64(pp_str_of(epoch), MAX_EPOCH, &mtime) != 0)
		return cli_fail(cli, PLUGPKG_E_USAGE, "write Unix seconds, or unset it",
		    "SOURCE_DATE_EPOCH is '%s', which is no time", epoch);
	enum plugpkg_code rc = plugpkg_build(dir != NULL ? dir : ".",
	    out_dir != NULL ? out_dir : ".", (int64_t)mtime, keep_path, &b, &cli->err);
	if (rc == PLUGPKG_OK && key != NULL)
		rc = sign(cli, b.path, key);
	if (rc == PLUGPKG_OK)
		cli_show(cli, view_built);
	return rc;
}

const struct cmd cmd_build = {
	.name = "build",
	.args = "[DIR]",
	.summary = "pack the source directory of a plugin into an archive",
	.opts = build_opts,
	.flags = CMD_NO_ROOT,
	.max_operands = 1,
	.operand = CMD_OPERAND_DIR,
	.run = build_run,
};
