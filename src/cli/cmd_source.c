/* SPDX-License-Identifier: MIT */
/* `plugpkg source add|list|remove`. */
#include "cli/cmds.h"
#include "cli/view.h"

#include <string.h>

#define USUAL_PRIORITY 500
#define MAX_PRIORITY   1000000

static const struct opt add_opts[] = {
	{ 0, "key", "KEY", "trust this key only: sha256:HEX, or a root.json file" },
	{ 0, "priority", "N", "higher wins; 500 is usual" },
	{ 0, "names", "PATTERN", "such names come from here and from nowhere else: @acme/*" },
	OPT_END,
};

static enum plugpkg_code
add_run(struct cli *cli)
{
	uint64_t priority = USUAL_PRIORITY;

	if (!opts_number(&cli->opts, "priority", (struct opt_range){ 0, MAX_PRIORITY },
		USUAL_PRIORITY, &priority))
		return cli_bad_option(cli);

	struct plugpkg_source_spec spec = {
		.name = cli_operand(cli, 0),
		.urls = cli->opts.operands.at + 1,
		.n_urls = cli->opts.operands.n - 1,
		.priority = (int)priority,
		.key = opts_value(&cli->opts, "key"),
	};
	struct opt_operands names = { 0 };
	pp_vec_foreach (v, &cli->opts.values)
		if (strcmp(v->opt->name, "names") == 0)
			pp_vec_push(&names, v->value);
	spec.names = names.at;
	spec.n_names = names.n;
	enum plugpkg_code rc = plugpkg_source_add(cli->ctx, &spec, &cli->err);
	pp_vec_free(&names);
	if (rc == PLUGPKG_OK)
		cli_say(cli, "Source '%s' is added.", spec.name);
	return rc;
}

static const struct cmd source_add = {
	.name = "add",
	.args = "NAME URL...",
	.summary = "add a repository with its mirrors",
	.opts = add_opts,
	.min_operands = 2,
	.max_operands = CMD_MANY,
	.run = add_run,
};

static void
count_source(const char *json PP_UNUSED, void *user)
{
	size_t *n = user;

	++*n;
}

void
say_if_no_source(struct cli *cli)
{
	size_t n = 0;

	if (plugpkg_source_list(cli->ctx, count_source, &n, NULL) == PLUGPKG_OK && n == 0)
		cli_say(cli, "There is no source yet: plugpkg source add NAME URL");
}

static enum plugpkg_code
list_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_source_list(cli->ctx, cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_sources);
	return rc;
}

static const struct cmd source_list = {
	.name = "list",
	.summary = "list the sources with their mirrors",
	.run = list_run,
};

static enum plugpkg_code
remove_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_source_remove(cli->ctx, cli_operand(cli, 0), &cli->err);

	if (rc == PLUGPKG_OK)
		cli_say(cli, "Source '%s' is removed; plugins from it stay.", cli_operand(cli, 0));
	return rc;
}

static const struct cmd source_remove = {
	.name = "remove",
	.args = "NAME",
	.summary = "remove a source; plugins from it stay",
	.min_operands = 1,
	.max_operands = 1,
	.operand = CMD_OPERAND_SOURCE,
	.run = remove_run,
};

static const struct cmd *const source_subs[] = {
	&source_add,
	&source_list,
	&source_remove,
	NULL,
};

const struct cmd cmd_source = {
	.name = "source",
	.args = "add | list | remove",
	.summary = "add, list and remove repositories",
	.subs = source_subs,
};
