/* SPDX-License-Identifier: MIT */
/* `plugpkg sync`. */
#include "cli/change.h"
#include "cli/cmds.h"
#include "cli/view.h"
#include "term/help.h"

PP_DEFINE_AUTO(plan, plugpkg_plan, plugpkg_plan_free);

#define TRIES 3

static const struct opt sync_opts[] = {
	{ 0, "locked", NULL, "exactly what plugpkg.lock says, or fail and change nothing" },
	{ 0, "check", NULL, "only say what differs: exit 1 when anything does" },
	{ 0, "no-remove", NULL, "leave what nothing wants" },
	{ 0, "no-recommends", NULL, "leave out what is only recommended" },
	CHANGE_SCRIPTS_OPT,
	CHANGE_FORCE_OPT,
	{ 0, "dry-run", NULL, "show the plan and stop" },
	OPT_END,
};

static enum plugpkg_code
check(struct cli *cli, unsigned flags)
{
	size_t differences = 0;
	enum plugpkg_code rc =
	    plugpkg_sync_check(cli->ctx, flags, &differences, cli_row, cli, &cli->err);

	if (rc != PLUGPKG_OK)
		return rc;
	cli_show(cli, view_differences);
	if (differences == 0)
		cli_say(cli, "Everything is as it should be.");
	cli->exit_status = differences > 0 ? 1 : 0;
	return PLUGPKG_OK;
}

static enum plugpkg_code
sync_once(struct cli *cli, unsigned flags, bool *out_again)
{
	PP_AUTO(plan) plugpkg_plan *plan = NULL;
	enum plugpkg_code rc = plugpkg_sync_plan(cli->ctx, flags, &plan, &cli->err);

	*out_again = false;
	if (rc != PLUGPKG_OK)
		return rc;
	if (plugpkg_plan_count(plan) == 0 && !opts_has(&cli->opts, "dry-run")) {
		cli_say(cli, "Nothing to do.");
		return PLUGPKG_OK;
	}
	rc = change_show(cli, plan);
	*out_again = rc == PLUGPKG_E_REFUSED && plugpkg_plan_is_stale(plan) != 0;
	return rc;
}

static enum plugpkg_code
sync_run(struct cli *cli)
{
	const struct opts *o = &cli->opts;
	unsigned flags = 0;
	bool is_again = false;

	if (opts_has(o, "check") && opts_has(o, "dry-run"))
		return cli_usage(cli, "'--check' and '--dry-run' exclude each other");
	if (opts_has(o, "locked") && opts_has(o, "no-recommends"))
		return cli_usage(cli, "'--locked' and '--no-recommends' exclude each other");
	flags |= opts_has(o, "locked") ? PLUGPKG_SYNC_LOCKED : 0;
	flags |= opts_has(o, "no-remove") ? PLUGPKG_SYNC_NO_REMOVE : 0;
	flags |= opts_has(o, "no-recommends") ? PLUGPKG_SYNC_NO_RECOMMENDS : 0;
	flags |= opts_has(o, "no-scripts") ? PLUGPKG_SYNC_NO_SCRIPTS : 0;
	flags |= opts_has(o, "force") ? PLUGPKG_SYNC_FORCE : 0;
	/* A dry run changes no byte of the root, and that includes what it knows of its sources. */
	flags |= opts_has(o, "dry-run") ? PLUGPKG_SYNC_NO_UPDATE : 0;
	if (opts_has(o, "check"))
		return check(cli, flags);

	enum plugpkg_code rc = sync_once(cli, flags, &is_again);
	/* Two of them at boot: the second one waited, and finds that the first has done it. */
	for (int i = 1; is_again && (cli->is_yes || i < TRIES); i++) {
		plugpkg_error_free(cli->err);
		cli->err = NULL;
		rc = sync_once(cli, flags, &is_again);
	}
	return rc;
}

const struct cmd cmd_sync = {
	.name = "sync",
	.summary = "make what is installed what plugpkg.json wants",
	.opts = sync_opts,
	.flags = CMD_MAKES_ROOT,
	.run = sync_run,
};
