/* SPDX-License-Identifier: MIT */
/* `plugpkg log`. */
#include "cli/cmds.h"
#include "cli/view.h"
#include "term/help.h"
#include "term/pager.h"

#include <string.h>

#define TEXT_MAX_BYTES (1024 * 1024)

static const struct opt log_opts[] = {
	{ 0, "time", "PERIOD", "only lines of 'last 5 mins', yesterday, 2026-11-21, …" },
	{ 0, "since", "TIME", "only lines from TIME on" },
	{ 0, "until", "TIME", "only lines before TIME" },
	{ 0, "level", "LEVEL", "only lines of LEVEL or above: debug, info, warning, error" },
	{ 0, "transaction", "N", "only lines of transaction N, or of the last" },
	{ 0, "follow", NULL, "go on with lines as they come" },
	{ 0, "write", "LEVEL", "write the operands into the log instead" },
	OPT_END,
};

/* Shown at once: a log may be long, and whoever follows it waits. */
static void
line_row(const char *json, void *user)
{
	struct cli *cli = user;

	cli_row(json, cli);
	cli_show(cli, view_log);
	if (opts_has(&cli->opts, "follow"))
		out_flush(&cli->out);
}

static enum plugpkg_code
write_run(struct cli *cli)
{
	static const char *const others[] = { "time", "since", "until", "level", "transaction",
		"follow" };
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(TEXT_MAX_BYTES);

	for (size_t i = 0; i < PP_LEN(others); i++)
		if (opts_has(&cli->opts, others[i]))
			return cli_usage(cli, "'--write' and '--%s' exclude each other", others[i]);
	if (cli->opts.operands.n == 0)
		return cli_usage(cli, "'--write' needs a text");
	pp_vec_foreach (word, &cli->opts.operands)
		pp_buf_addf(&text, "%s%s", text.n > 0 ? " " : "", *word);
	if (text.overflow)
		return cli_usage(cli, "the text is too long");
	return plugpkg_log_write(
	    cli->ctx, opts_value(&cli->opts, "write"), pp_buf_cstr(&text), &cli->err);
}

static enum plugpkg_code
log_run(struct cli *cli)
{
	const char *transaction = opts_value(&cli->opts, "transaction");
	uint64_t number = 0;

	if (opts_has(&cli->opts, "write"))
		return write_run(cli);
	bool is_last = transaction != NULL && strcmp(transaction, "last") == 0;
	if (!is_last &&
	    !opts_number(&cli->opts, "transaction", (struct opt_range){ 1, INT64_MAX }, 0, &number))
		return cli_bad_option(cli);
	struct plugpkg_log_spec spec = {
		.names = cli->opts.operands.at,
		.n_names = cli->opts.operands.n,
		.period = opts_value(&cli->opts, "time"),
		.since = opts_value(&cli->opts, "since"),
		.until = opts_value(&cli->opts, "until"),
		.level = opts_value(&cli->opts, "level"),
		.transaction = is_last ? -1 : (int64_t)number,
		.follow = opts_has(&cli->opts, "follow"),
	};
	struct pager pager = { .pid = -1 };
	if (!cli->is_json && !opts_has(&cli->opts, "follow"))
		pager_start(&pager, &cli->out);
	enum plugpkg_code rc = plugpkg_log(cli->ctx, &spec, line_row, cli, &cli->err);
	pager_end(&pager, &cli->out);
	return rc;
}

const struct cmd cmd_log = {
	.name = "log",
	.args = "[NAME...]",
	.summary = "show what plugpkg and the plugins' scripts said",
	.opts = log_opts,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = log_run,
};
