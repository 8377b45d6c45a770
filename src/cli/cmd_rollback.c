/* SPDX-License-Identifier: MIT */
/* `plugpkg rollback` and `plugpkg undo`. */
#include "cli/change.h"
#include "cli/cmds.h"
#include "term/help.h"

PP_DEFINE_AUTO(plan, plugpkg_plan, plugpkg_plan_free);

static const struct opt rollback_opts[] = {
	CHANGE_SCRIPTS_OPT,
	{ 0, "force", NULL, "also what is held, and whatever dependents say" },
	CHANGE_OPTS,
	OPT_END,
};

static unsigned
flags_of(const struct cli *cli)
{
	return (opts_has(&cli->opts, "force") ? PLUGPKG_ROLLBACK_FORCE : 0U) |
	       (opts_has(&cli->opts, "no-scripts") ? PLUGPKG_ROLLBACK_NO_SCRIPTS : 0U);
}

static enum plugpkg_code
rollback_run(struct cli *cli)
{
	PP_AUTO(plan) plugpkg_plan *plan = NULL;
	const char *text = cli->opts.operands.n > 0 ? cli_operand(cli, 0) : NULL;
	uint64_t n = 0;

	if (text != NULL && pp_parse_u64(pp_str_of(text), INT64_MAX, &n) < 0)
		return cli_usage(cli, "'%s' is no number of a generation", text);
	enum plugpkg_code rc = plugpkg_rollback_plan(
	    cli->ctx, text != NULL ? (int64_t)n : -1, flags_of(cli), &plan, &cli->err);
	return rc == PLUGPKG_OK ? change_show(cli, plan) : rc;
}

const struct cmd cmd_rollback = {
	.name = "rollback",
	.args = "[N]",
	.summary = "go back to generation N, or to the one before",
	.opts = rollback_opts,
	.max_operands = 1,
	.run = rollback_run,
};

static enum plugpkg_code
undo_run(struct cli *cli)
{
	PP_AUTO(plan) plugpkg_plan *plan = NULL;
	enum plugpkg_code rc = plugpkg_undo_plan(cli->ctx, flags_of(cli), &plan, &cli->err);

	if (rc != PLUGPKG_OK || plugpkg_plan_count(plan) > 0)
		return rc == PLUGPKG_OK ? change_show(cli, plan) : rc;
	cli_say(cli, "Nothing to undo: the last transaction only installed again what was there.");
	cli_say(cli, "Other generations: plugpkg history, and plugpkg rollback N.");
	return PLUGPKG_OK;
}

const struct cmd cmd_undo = {
	.name = "undo",
	.summary = "take back what the last transaction changed",
	.opts = rollback_opts,
	.run = undo_run,
};
