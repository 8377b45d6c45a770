/* SPDX-License-Identifier: MIT */
/* What could be installed, release by release, and what stands in the way of a request. */
#include "cli/view.h"

#include "base/mem.h"
#include "base/time.h"
#include "term/render.h"
#include "term/table.h"

#include <string.h>

#define TEXT_MAX  4096
#define DAY_CHARS 10 /* of 2026-11-21T14:00:00Z */

/* ---- policy ---- */

static void
add_word(struct pp_buf *b, const char *before, const char *text)
{
	if (text != NULL)
		pp_buf_addf(b, "%s%s%s", b->n > 0 ? ", " : "", before, text);
}

/* "1.0.0 from test, asked for as ^1, held until …". */
static void
print_installed(struct cli *cli, const pp_json *one)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_MAX);
	PP_AUTO_FREE char *held = view_held(one);
	const char *link = pp_json_get_str(one, "linked_from");
	const char *range = pp_json_get_str(one, "range");

	if (link == NULL)
		add_word(&b, "from ", pp_json_get_str(one, "source"));
	add_word(&b, "linked from ", link);
	add_word(&b, "", pp_json_get_bool(one, "manual") ? "manual" : "automatic");
	if (range != NULL && strcmp(range, "*") != 0)
		add_word(&b, "wanted as ", range);
	add_word(&b, "", held);
	out_line(&cli->out, "  Installed: %s %s", view_str(one, "version"), pp_buf_cstr(&b));
}

static void
print_candidate(struct cli *cli, const pp_json *one, const char *name)
{
	const char *source = pp_json_get_str(one, "source"), *other = view_str(one, "name");
	bool is_other = strcmp(other, name) != 0;

	out_line(&cli->out, "  Candidate: %s%s%s%s%s", is_other ? other : "", is_other ? " " : "",
	    view_str(one, "version"), source != NULL ? " from " : "", source != NULL ? source : "");
}

static void
print_providers(struct cli *cli, const pp_json *names)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(OUT_MAX_BYTES);

	for (size_t i = 0; i < pp_json_len(names); i++)
		add_word(&b, "", pp_json_string(pp_json_at(names, i)));
	if (b.n > 0)
		out_line(&cli->out, "  Provided by: %s", pp_buf_cstr(&b));
}

static void
print_head(struct cli *cli, const pp_json *row)
{
	const pp_json *installed = pp_json_get(row, "installed");
	const pp_json *candidates = pp_json_get(row, "candidates");

	out_styled(&cli->out, OUT_BOLD, "%s", view_str(row, "name"));
	out_end(&cli->out);
	for (size_t i = 0; i < pp_json_len(installed); i++)
		print_installed(cli, pp_json_at(installed, i));
	if (pp_json_len(installed) == 0)
		out_line(&cli->out, "  Installed: none");
	for (size_t i = 0; i < pp_json_len(candidates); i++)
		print_candidate(cli, pp_json_at(candidates, i), view_str(row, "name"));
	if (pp_json_len(candidates) == 0)
		out_line(&cli->out, "  Candidate: none");
	print_providers(cli, pp_json_get(row, "providers"));
}

/* The version stands in a column of its own already. */
static const char *
reason_of(const pp_json *row)
{
	const char *reason = view_str(row, "reason"), *version = view_str(row, "version");
	size_t n = strlen(version);

	return strncmp(reason, version, n) == 0 && reason[n] == ' ' ? reason + n + 1 : reason;
}

static void
add_offer(struct table *t, const pp_json *row, const char *asked)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_MAX);
	char published[PP_TIME_TEXT] = "";
	const char *source = pp_json_get_str(row, "source"), *name = view_str(row, "name");
	const char *provides = pp_json_get_str(row, "provides");
	bool is_installed = pp_json_get_bool(row, "installed");
	bool is_candidate = pp_json_get_bool(row, "candidate");
	bool is_open = strcmp(view_str(row, "state"), "candidate") == 0;
	bool is_other = strcmp(name, asked) != 0;
	PP_AUTO_FREE char *version = pp_asprintf(
	    "%s%s%s", is_other ? name : "", is_other ? " " : "", view_str(row, "version"));
	PP_AUTO_FREE char *from =
	    source == NULL
		? pp_xstrdup("")
		: pp_asprintf("%s %lld", source, (long long)pp_json_get_int(row, "priority", 0));

	if (pp_json_get(row, "published") != NULL) {
		pp_time_format(pp_json_get_int(row, "published", 0), published);
		published[DAY_CHARS] = '\0';
	}
	if (provides != NULL && *provides != '\0')
		pp_buf_addf(&b, "provides %s", provides);
	if (is_installed && source != NULL)
		add_word(&b, "", "installed");
	else if (is_installed || !is_open)
		add_word(&b, "", reason_of(row));
	if (is_candidate)
		add_word(&b, "", "candidate");
	else if (is_open)
		add_word(&b, "", "can be asked for");
	table_add(t, version);
	table_add(t, from);
	table_add(t, published);
	table_add(t, pp_buf_cstr(&b));
}

/* Rows of offers from the i-th on, up to the next head. */
static void
print_offers(struct cli *cli, size_t i, const char *asked)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 4, .indent = 4, .is_whole = true };

	for (; i < cli->rows.n && strcmp(view_str(cli->rows.at[i], "type"), "offer") == 0; i++)
		add_offer(&t, cli->rows.at[i], asked);
	if (t.cells.n > 0)
		out_line(&cli->out, "  Versions:");
	table_print(&t, &cli->out);
}

void
view_policy(struct cli *cli)
{
	const pp_json *row;
	bool is_first = true;

	for (size_t i = 0; (row = view_next(cli, "policy", &i)) != NULL; is_first = false) {
		if (!is_first)
			out_end(&cli->out);
		print_head(cli, row);
		print_offers(cli, i, view_str(row, "name"));
	}
}

/* ---- why-not ---- */

static void
print_possible(struct cli *cli, const pp_json *row)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(OUT_MAX_BYTES);
	const pp_json *targets = pp_json_get(row, "targets");
	size_t i = 0;
	bool changes = view_next(cli, "step", &i) != NULL;

	for (size_t t = 0; t < pp_json_len(targets); t++)
		pp_buf_addf(&b, "%s%s", t > 0 ? " " : "", pp_json_string(pp_json_at(targets, t)));
	out_line(&cli->out, "Nothing stands in the way of %s.%s", pp_buf_cstr(&b),
	    changes ? "" : " No plugin would change.");
	view_plan(cli);
}

void
view_why_not(struct cli *cli)
{
	size_t i = 0;
	const pp_json *row = view_next(cli, "why-not", &i);
	const char *hint;

	if (row == NULL)
		return;
	if (pp_json_get_bool(row, "possible")) {
		print_possible(cli, row);
		return;
	}
	out_lines(&cli->out, 2, view_str(row, "message"));
	hint = pp_json_get_str(row, "hint");
	if (hint != NULL)
		out_line(&cli->out, "hint: %s", hint);
	render_ways(&cli->out, row);
	i = 0;
	if (view_next(cli, "policy", &i) != NULL)
		out_end(&cli->out);
	view_policy(cli);
}
