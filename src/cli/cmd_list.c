/* SPDX-License-Identifier: MIT */
/* `plugpkg list`. */
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/cmds.h"
#include "term/help.h"
#include "term/table.h"

#include <string.h>

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

struct listing {
	struct cli *cli;
	struct table table;
	size_t n;
	bool has_levels;
};

/* ---- as text ---- */

static void
add_mark(struct pp_buf *marks, const char *before, const char *text)
{
	if (text == NULL)
		return;
	pp_buf_adds(marks, marks->n > 0 ? ", " : "");
	pp_buf_adds(marks, before);
	pp_buf_adds(marks, text);
}

static void
add_blockers(struct pp_buf *marks, const char *keys)
{
	struct pp_str rest = pp_str_of(keys), key;

	for (const char *before = ", needs "; pp_str_cut(&rest, ' ', &key); before = " and ") {
		pp_buf_adds(marks, before);
		pp_buf_add(marks, key.p, key.n);
	}
}

static void
add_held(struct pp_buf *marks, int64_t until)
{
	char text[PP_TIME_TEXT];

	if (until == 0) {
		add_mark(marks, "", "held");
		return;
	}
	pp_time_format(until, text);
	add_mark(marks, "held until ", text);
}

/* "automatic, held", or what of an offer is installed. */
static void
add_marks(struct table *t, const struct plugpkg_listed *one)
{
	PP_AUTO_BUF struct pp_buf marks = PP_BUF_INIT(OUT_MAX_BYTES);
	bool is_usual =
	    strcmp(one->state, "installed") == 0 || strcmp(one->state, "available") == 0;

	add_mark(&marks, "", one->reason);
	add_mark(&marks, "", is_usual ? NULL : one->state);
	if (!is_usual && one->blocked_by != NULL)
		add_blockers(&marks, one->blocked_by);
	add_mark(&marks, "", one->is_broken ? "broken" : NULL);
	if (one->is_held)
		add_held(&marks, one->held_until);
	add_mark(&marks, "installed ", one->installed);
	add_mark(&marks, "", one->linked_from != NULL ? "linked" : NULL);
	table_add(t, pp_buf_cstr(&marks));
}

/* "1.2.0", or "1.2.0 -> 1.3.0" when something newer is there. */
static void
add_versions(struct table *t, const struct plugpkg_listed *one)
{
	bool has_newer = one->candidate != NULL && strcmp(one->candidate, one->version) != 0;
	PP_AUTO_FREE char *both =
	    has_newer ? pp_asprintf("%s -> %s", one->version, one->candidate) : NULL;

	table_add(t, both != NULL ? both : one->version);
}

static void
list_one(const struct plugpkg_listed *one, void *user)
{
	struct listing *l = user;
	struct table *t = &l->table;

	l->n++;
	if (l->has_levels) {
		PP_AUTO_FREE char *depth = pp_asprintf("%u", one->depth);
		table_add(t, depth);
	}
	table_add(t, one->key != NULL ? one->key : one->name);
	add_versions(t, one);
	table_add(t, one->source);
	add_marks(t, one);
	table_add(t, one->summary);
}

static enum plugpkg_code
list_as_text(struct listing *l, const struct plugpkg_list_spec *spec)
{
	struct cli *cli = l->cli;

	l->has_levels = opts_has(&cli->opts, "levels");
	l->table.n_columns = l->has_levels ? 6 : 5;
	enum plugpkg_code rc = plugpkg_list_each(cli->ctx, spec, list_one, l, &cli->err);
	if (rc == PLUGPKG_OK)
		cli_show_table(cli, &l->table);
	return rc;
}

/* ---- as JSON ---- */

static void
count_row(const char *json, void *user)
{
	struct listing *l = user;

	l->n++;
	cli_row(json, l->cli);
}

/* ---- what is asked for ---- */

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
	struct listing l = { .cli = cli };
	struct plugpkg_list_spec spec = {
		.pattern = cli_operand(cli, 0),
		.type = opts_value(&cli->opts, "type"),
	};
	enum plugpkg_code rc = read_choices(cli, &spec.flags);

	if (rc == PLUGPKG_OK)
		rc = cli->is_json ? plugpkg_list(cli->ctx, &spec, count_row, &l, &cli->err)
				  : list_as_text(&l, &spec);
	if (rc == PLUGPKG_OK && (spec.flags & (PLUGPKG_LIST_AVAILABLE | PLUGPKG_LIST_ALL)) != 0)
		say_if_no_source(cli);
	if (rc == PLUGPKG_OK && opts_has(&cli->opts, "check") && l.n > 0)
		cli->exit_status = EXIT_UPGRADES_EXIST;
	table_fini(&l.table);
	return rc;
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
