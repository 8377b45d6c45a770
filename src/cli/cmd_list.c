/* SPDX-License-Identifier: MIT */
/* `plugpkg list`. */
#include "cli/cmds.h"
#include "cli/view.h"
#include "term/help.h"

#define EXIT_UPGRADES_EXIST 100

static const struct opt list_opts[] = {
	{ 0, "available", NULL, "list what the sources offer" },
	{ 0, "all", NULL, "list what is installed and what else the sources offer" },
	{ 0, "upgradable", NULL, "list only what has a newer version" },
	{ 0, "manual", NULL, "list only what was asked for" },
	{ 0, "auto", NULL, "list only what came along" },
	{ 0, "held", NULL, "list only what is held" },
	{ 0, "disabled", NULL, "list only what is disabled or blocked" },
	{ 0, "levels", NULL, "list by depth: how far each is from what needs nothing" },
	{ 0, "type", "TYPE", "list only plugins of that type" },
	{ 0, "check", NULL, "with --upgradable: exit 100 when there is any" },
	OPT_END,
};

struct counting {
	struct cli *cli;
	size_t n;
};

static void
count_row(const char *json, void *user)
{
	struct counting *counting = user;

	counting->n++;
	cli_row(json, counting->cli);
}

static const struct {
	const char *name;
	unsigned flag;
	bool is_of_offers;
} choices[] = {
	{ "available", PLUGPKG_LIST_AVAILABLE, true },
	{ "all", PLUGPKG_LIST_ALL, true },
	{ "upgradable", PLUGPKG_LIST_UPGRADABLE, false },
	{ "manual", PLUGPKG_LIST_MANUAL, false },
	{ "auto", PLUGPKG_LIST_AUTO, false },
	{ "held", PLUGPKG_LIST_HELD, false },
	{ "disabled", PLUGPKG_LIST_DISABLED, false },
	{ "levels", PLUGPKG_LIST_LEVELS, false },
};

static enum plugpkg_code
read_choices(struct cli *cli, unsigned *out)
{
	const struct opts *o = &cli->opts;
	const char *of_offers = NULL;

	for (size_t i = 0; i < PP_LEN(choices); i++) {
		if (!opts_has(o, choices[i].name))
			continue;
		if (of_offers != NULL)
			return cli_usage(cli, "'--%s' and '--%s' exclude each other", of_offers,
			    choices[i].name);
		if (choices[i].is_of_offers)
			of_offers = choices[i].name;
		*out |= choices[i].flag;
	}
	if (opts_has(o, "manual") && opts_has(o, "auto"))
		return cli_usage(cli, "'--manual' and '--auto' exclude each other");
	if (opts_has(o, "check") && !opts_has(o, "upgradable"))
		return cli_usage(cli, "'--check' goes with '--upgradable'");
	return PLUGPKG_OK;
}

static enum plugpkg_code
list_run(struct cli *cli)
{
	struct counting counting = { .cli = cli };
	struct plugpkg_list_spec spec = {
		.pattern = cli_operand(cli, 0),
		.type = opts_value(&cli->opts, "type"),
	};
	enum plugpkg_code rc = read_choices(cli, &spec.flags);
	if (rc == PLUGPKG_OK)
		rc = plugpkg_list(cli->ctx, &spec, count_row, &counting, &cli->err);
	if (rc != PLUGPKG_OK)
		return rc;
	cli_show(cli, opts_has(&cli->opts, "levels") ? view_levels : view_list);
	if (opts_has(&cli->opts, "check") && counting.n > 0)
		cli->exit_status = EXIT_UPGRADES_EXIST;
	return PLUGPKG_OK;
}

const struct cmd cmd_list = {
	.name = "list",
	.args = "[PATTERN]",
	.summary = "list plugins: installed, available, or with newer versions",
	.opts = list_opts,
	.max_operands = 1,
	.operand = CMD_OPERAND_INSTALLED,
	.run = list_run,
};
