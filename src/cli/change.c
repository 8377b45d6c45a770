/* SPDX-License-Identifier: MIT */
/*
 * One plan serves --dry-run, the prompt, --json and the commit; nothing changes before it is agreed
 * to.
 */
#include "cli/change.h"

#include "cli/view.h"
#include "term/prompt.h"
#include "term/start.h"

PP_DEFINE_AUTO(plan, plugpkg_plan, plugpkg_plan_free);

static enum plugpkg_code
carry_out(struct cli *cli, plugpkg_plan *plan, bool wants_yes)
{
	enum plugpkg_code rc = prompt_continue(cli, wants_yes);

	if (rc != PLUGPKG_OK)
		return rc;
	start_patience();
	rc = plugpkg_plan_commit(plan, cli_row, cli, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show(cli, view_transaction);
	return rc;
}

/* Where something leaves or goes back in version, a hasty return must not be the answer. */
static bool
is_dangerous(const struct cli *cli, const plugpkg_plan *plan)
{
	size_t i = 0;
	const pp_json *summary = view_next(cli, "summary", &i);

	return plugpkg_plan_count_dangerous(plan) > 0 || view_bytes(summary, "remove") > 0;
}

enum plugpkg_code
change_run(struct cli *cli, enum plugpkg_verb verb, unsigned flags)
{
	PP_AUTO(plan) plugpkg_plan *plan = NULL;
	struct plugpkg_request request = {
		.verb = verb,
		.flags = flags,
		.targets = cli->opts.operands.at,
		.n_targets = cli->opts.operands.n,
	};
	enum plugpkg_code rc = plugpkg_plan_make(cli->ctx, &request, &plan, &cli->err);

	return rc == PLUGPKG_OK ? change_show(cli, plan) : rc;
}

enum plugpkg_code
change_show(struct cli *cli, plugpkg_plan *plan)
{
	bool is_dry_run = opts_has(&cli->opts, "dry-run");

	plugpkg_plan_rows(plan, cli_row, cli);
	bool wants_yes = is_dangerous(cli, plan);
	/* A plan that nobody will be asked about is talk, and --quiet wants none. */
	if (!cli->is_quiet || is_dry_run || !cli->is_yes)
		cli_show(cli, view_plan);
	if (is_dry_run) {
		cli_say(cli, "Nothing was changed: this was a dry run.");
		return PLUGPKG_OK;
	}
	if (plugpkg_plan_count(plan) == 0) {
		cli_say(cli, "Nothing to do.");
		return PLUGPKG_OK;
	}
	return carry_out(cli, plan, wants_yes);
}
