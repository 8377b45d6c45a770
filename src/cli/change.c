/* SPDX-License-Identifier: MIT */
/*
 * One plan serves --dry-run, the prompt, --json and the commit; nothing changes before it is agreed
 * to.
 */
#include "cli/change.h"

#include "cli/view.h"
#include "term/prompt.h"
#include "term/start.h"

#include <string.h>

PP_DEFINE_AUTO(plan, plugpkg_plan, plugpkg_plan_free);

#define MAX_DAYS 3650
#define TRIES    5 /* of a plan that somebody is asked about, while others change the root */

static bool
has_option(const struct cli *cli, const char *name)
{
	return opts_find(&cli->opts, pp_str_of(name)) != NULL && opts_has(&cli->opts, name);
}

/* -y agrees to what was asked for; that others go along is more than that. */
static enum plugpkg_code
check_unnamed(struct cli *cli, const plugpkg_plan *plan)
{
	size_t n = plugpkg_plan_count_unnamed(plan);

	if (n == 0 || !cli->is_yes || has_option(cli, "allow-remove"))
		return PLUGPKG_OK;
	return cli_fail(cli, PLUGPKG_E_CONFIRM,
	    "add --allow-remove to agree to that too, or name them",
	    "the plan removes %zu plugin%s that nobody named, and -y alone does not agree to that; "
	    "nothing was changed",
	    n, n == 1 ? "" : "s");
}

/* Switched as it was asked for, and back at any time, with no effect on others: no question. */
static bool
is_just_switch(const struct cli *cli)
{
	size_t i = 0;
	const pp_json *summary = view_next(cli, "summary", &i);

	return (cli->cmd == &cmd_disable || cli->cmd == &cmd_enable) &&
	       view_bytes(summary, "block") == 0;
}

static enum plugpkg_code
carry_out(struct cli *cli, plugpkg_plan *plan, bool is_asked, bool wants_yes)
{
	enum plugpkg_code rc = check_unnamed(cli, plan);

	if (rc == PLUGPKG_OK)
		rc = is_asked ? prompt_continue(cli, wants_yes) : PLUGPKG_OK;
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

static enum plugpkg_code
run_once(struct cli *cli, const struct plugpkg_request *request, bool *out_again)
{
	PP_AUTO(plan) plugpkg_plan *plan = NULL;
	enum plugpkg_code rc = plugpkg_plan_make(cli->ctx, request, &plan, &cli->err);

	*out_again = false;
	if (rc != PLUGPKG_OK)
		return rc;
	rc = change_show(cli, plan);
	*out_again = rc == PLUGPKG_E_REFUSED && plugpkg_plan_is_stale(plan) != 0;
	return rc;
}

/*
 * Who waited for another plugpkg finds another root: its plan is made anew, shown, and asked for as
 * if it were the first. Each time somebody else came to an end, so with -y it does so, too.
 */
static enum plugpkg_code
run(struct cli *cli, const struct plugpkg_request *request)
{
	bool is_again = false;
	enum plugpkg_code rc = run_once(cli, request, &is_again);

	for (int i = 1; is_again && (cli->is_yes || i < TRIES); i++) {
		cli_say(cli, "The root has changed meanwhile; the plan is made again.");
		plugpkg_error_free(cli->err);
		cli->err = NULL;
		rc = run_once(cli, request, &is_again);
	}
	return rc;
}

enum plugpkg_code
change_show(struct cli *cli, plugpkg_plan *plan)
{
	bool is_dry_run = opts_has(&cli->opts, "dry-run");
	/* A plan that nobody will be asked about is talk, and --quiet wants none. */
	bool is_shown = !cli->is_quiet || is_dry_run || !cli->is_yes;

	if (is_shown || cli->is_json)
		plugpkg_plan_rows(plan, cli_row, cli);
	bool wants_yes = is_dangerous(cli, plan), is_asked = !is_just_switch(cli);
	if (is_shown)
		cli_show(cli, view_plan);
	enum plugpkg_code rc = plugpkg_plan_check(plan, &cli->err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (is_dry_run) {
		cli_say(cli, "Nothing was changed: this was a dry run.");
		return PLUGPKG_OK;
	}
	if (plugpkg_plan_count(plan) == 0) {
		cli_say(cli, "Nothing to do.");
		return PLUGPKG_OK;
	}
	return carry_out(cli, plan, is_asked, wants_yes);
}

static struct plugpkg_request
request_of(const struct cli *cli, enum plugpkg_verb verb, unsigned flags)
{
	bool has_dump = opts_find(&cli->opts, pp_str_of("dump-case")) != NULL;

	return (struct plugpkg_request){
		.verb = verb,
		.flags = flags | (has_option(cli, "allow-remove") ? PLUGPKG_ALLOW_REMOVE : 0U) |
			 (has_option(cli, "force") ? PLUGPKG_FORCE : 0U) |
			 (has_option(cli, "no-scripts") ? PLUGPKG_NO_SCRIPTS : 0U) |
			 (has_option(cli, "dry-run") ? PLUGPKG_LOOK : 0U),
		.targets = cli->opts.operands.at,
		.n_targets = cli->opts.operands.n,
		.dump_case = has_dump ? opts_value(&cli->opts, "dump-case") : NULL,
	};
}

enum plugpkg_code
change_run(struct cli *cli, enum plugpkg_verb verb, unsigned flags)
{
	struct plugpkg_request request = request_of(cli, verb, flags);

	return run(cli, &request);
}

/* 0 days on the command line means any age, also where plugpkg.json says otherwise. */
static enum plugpkg_code
read_age(struct cli *cli, struct plugpkg_request *request)
{
	uint64_t days;

	if (!opts_number(&cli->opts, "min-age", (struct opt_range){ 0, MAX_DAYS }, 0, &days))
		return cli_bad_option(cli);
	if (opts_has(&cli->opts, "min-age"))
		request->min_age_days = days == 0 ? -1 : (int)days;
	return PLUGPKG_OK;
}

enum plugpkg_code
change_ask(struct cli *cli, enum plugpkg_verb verb, unsigned flags, change_fn with)
{
	static const struct change_flag options[] = {
		{ "no-recommends", PLUGPKG_NO_RECOMMENDS },
		{ "pre", PLUGPKG_PRE },
		{ "allow-origin-change", PLUGPKG_ALLOW_ORIGIN_CHANGE },
	};
	struct opt_operands except = { 0 };
	struct plugpkg_request request = request_of(cli, verb, flags);

	for (size_t i = 0; i < PP_LEN(options); i++)
		if (opts_has(&cli->opts, options[i].option))
			request.flags |= options[i].flag;
	pp_vec_foreach (v, &cli->opts.values)
		if (strcmp(v->opt->name, "min-age-except") == 0)
			pp_vec_push(&except, v->value);
	request.min_age_except = except.at;
	request.n_min_age_except = except.n;
	enum plugpkg_code rc = read_age(cli, &request);
	if (rc == PLUGPKG_OK)
		rc = with(cli, &request);
	pp_vec_free(&except);
	return rc;
}

enum plugpkg_code
change_choose(struct cli *cli, enum plugpkg_verb verb, unsigned flags)
{
	return change_ask(cli, verb, flags, run);
}
