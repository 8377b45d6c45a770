/* SPDX-License-Identifier: MIT */
/* `plugpkg clean`. */
#include "cli/cmds.h"
#include "cli/view.h"

#include "term/help.h"

#define MAX_GENERATIONS 1000000

static const struct opt clean_opts[] = {
	{ 0, "keep", "N", "keep N generations beside the current one; default: 0" },
	{ 0, "before", "TIME", "forget history and log before TIME, too" },
	{ 0, "cache", NULL, "delete downloaded files and nothing else" },
	{ 0, "keep-cache", NULL, "leave downloaded files alone" },
	OPT_END,
};

static enum plugpkg_code
clean_run(struct cli *cli)
{
	uint64_t keep = 0;

	if (!opts_number(&cli->opts, "keep", (struct opt_range){ 0, MAX_GENERATIONS }, 0, &keep))
		return cli_bad_option(cli);
	if (opts_has(&cli->opts, "cache") &&
	    (opts_has(&cli->opts, "keep-cache") || opts_has(&cli->opts, "keep") ||
		opts_has(&cli->opts, "before")))
		return cli_usage(cli, "'--cache' excludes '--keep', '--keep-cache' and '--before'");

	struct plugpkg_clean_spec spec = {
		.keep_generations = (unsigned)keep,
		.keep_cache = opts_has(&cli->opts, "keep-cache") ? 1 : 0,
		.only_cache = opts_has(&cli->opts, "cache") ? 1 : 0,
		.before = opts_value(&cli->opts, "before"),
	};
	enum plugpkg_code rc = plugpkg_clean(cli->ctx, &spec, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK && !cli->is_quiet)
		cli_show(cli, view_cleaned);
	return rc;
}

const struct cmd cmd_clean = {
	.name = "clean",
	.summary = "delete downloads, old generations, and versions nobody uses",
	.opts = clean_opts,
	.run = clean_run,
};
