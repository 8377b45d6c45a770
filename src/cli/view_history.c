/* SPDX-License-Identifier: MIT */
/* Rows as text: what happened to the root, and the lines of its log. */
#include "cli/view.h"

#include "base/mem.h"
#include "base/time.h"
#include "term/table.h"

#include <string.h>

static enum out_style
style_of(const char *level)
{
	if (strcmp(level, "error") == 0)
		return OUT_BAD;
	if (strcmp(level, "warning") == 0)
		return OUT_WARN;
	return strcmp(level, "debug") == 0 ? OUT_DIM : OUT_PLAIN;
}

/* "installing user 2.1.3" names its plugin itself. */
static void
show_line(struct cli *cli, const pp_json *row)
{
	const char *level = view_str(row, "level"), *plugin = pp_json_get_str(row, "plugin");
	bool is_named = strcmp(view_str(row, "channel"), "transaction") == 0;

	out_styled(&cli->out, OUT_DIM, "%s", view_str(row, "time"));
	out_styled(&cli->out, style_of(level), " %-7s ", level);
	if (plugin != NULL && !is_named)
		out_text(&cli->out, "%s: ", plugin);
	out_lines(&cli->out, 4, view_str(row, "text"));
}

void
view_log(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "log", &i)) != NULL;)
		show_line(cli, row);
}

/* ---- history ---- */

static char *
when_of(const pp_json *row, const char *key)
{
	char text[PP_TIME_TEXT];

	pp_time_format(pp_json_get_int(row, key, 0), text);
	return pp_xstrdup(text);
}

/* "2 installed, 1 removed", or what became of it. Owned. */
static char *
outcome_of(const pp_json *row)
{
	static const char *const words[][2] = {
		{ "install", "installed" },
		{ "upgrade", "upgraded" },
		{ "downgrade", "downgraded" },
		{ "reinstall", "installed again" },
		{ "remove", "removed" },
	};
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
	const char *status = view_str(row, "status");

	if (strcmp(status, "done") != 0)
		pp_buf_adds(&text, status);
	for (size_t i = 0; i < PP_LEN(words); i++) {
		int64_t n = pp_json_get_int(row, words[i][0], 0);
		if (n > 0)
			pp_buf_addf(
			    &text, "%s%lld %s", text.n > 0 ? ", " : "", (long long)n, words[i][1]);
	}
	return pp_buf_steal(&text);
}

/* Where a generation is, seen from who wants to go back. */
static const char *
place_of(const pp_json *row)
{
	if (pp_json_get_bool(row, "current"))
		return " now";
	return pp_json_get_bool(row, "rollback") ? "" : " gone";
}

static void
add_past(struct table *t, const pp_json *row)
{
	bool is_note = strcmp(view_str(row, "type"), "note") == 0;
	PP_AUTO_FREE char *id = pp_asprintf("%lld", (long long)pp_json_get_int(row, "id", 0));
	PP_AUTO_FREE char *when = when_of(row, is_note ? "at" : "started");
	PP_AUTO_FREE char *generation =
	    pp_asprintf("%lld%s", (long long)pp_json_get_int(row, "generation", 0), place_of(row));
	PP_AUTO_FREE char *outcome = is_note ? NULL : outcome_of(row);

	table_add(t, is_note ? "-" : id);
	table_add(t, when);
	table_add(t, pp_json_get(row, "generation") != NULL ? generation : "-");
	table_add(t, view_str(row, "command"));
	table_add(t, is_note ? view_str(row, "text") : outcome);
}

void
view_history(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 5 };

	for (size_t i = 0; i < cli->rows.n; i++)
		add_past(&t, cli->rows.at[i]);
	table_print(&t, &cli->out);
}

static void
show_past(struct cli *cli)
{
	size_t i = 0;
	const pp_json *row = view_next(cli, "history", &i);
	PP_AUTO_FREE char *started = when_of(row, "started");
	PP_AUTO_FREE char *ended = when_of(row, "ended");

	out_styled(&cli->out, OUT_BOLD, "Transaction %lld: %s",
	    (long long)pp_json_get_int(row, "id", 0), view_str(row, "command"));
	out_end(&cli->out);
	out_line(&cli->out, "  began %s%s%s", started,
	    pp_json_get(row, "ended") != NULL ? ", ended " : "",
	    pp_json_get(row, "ended") != NULL ? ended : "");
	out_text(&cli->out, "  %s", view_str(row, "status"));
	if (pp_json_get(row, "generation") != NULL)
		out_text(&cli->out, ", generation %lld after %lld",
		    (long long)pp_json_get_int(row, "generation", 0),
		    (long long)pp_json_get_int(row, "before", 0));
	out_end(&cli->out);
}

static void
show_change(struct cli *cli, const pp_json *row)
{
	const char *old = pp_json_get_str(row, "old_version"), *version = view_str(row, "version");
	bool has_moved = old != NULL && strcmp(old, version) != 0;

	out_line(&cli->out, "  %s %s %s%s%s", view_str(row, "action"), view_str(row, "name"),
	    has_moved ? old : "", has_moved ? " -> " : "", version);
}

static void
show_member(struct cli *cli, const pp_json *row)
{
	const char *because = pp_json_get_str(row, "because");

	for (int64_t depth = pp_json_get_int(row, "depth", 0); depth >= 0; depth--)
		out_text(&cli->out, "  ");
	out_text(&cli->out, "%s %s", view_str(row, "name"), view_str(row, "version"));
	if (because != NULL)
		out_text(&cli->out, ", dependency of %s", because);
	else if (!pp_json_get_bool(row, "manual"))
		out_text(&cli->out, ", automatic");
	out_line(&cli->out, "%s", pp_json_get_bool(row, "repeated") ? " (see above)" : "");
}

void
view_transaction_shown(struct cli *cli)
{
	const pp_json *row;

	show_past(cli);
	for (size_t i = 0; (row = view_next(cli, "change", &i)) != NULL;)
		show_change(cli, row);
	for (size_t i = 0; (row = view_next(cli, "note", &i)) != NULL;) {
		const char *name = pp_json_get_str(row, "name");
		out_line(&cli->out, "  %s%s%s", name != NULL ? name : "", name != NULL ? ": " : "",
		    view_str(row, "text"));
	}
	if (opts_has(&cli->opts, "tree"))
		out_line(&cli->out, "Its generation:");
	for (size_t i = 0; (row = view_next(cli, "member", &i)) != NULL;)
		show_member(cli, row);
	if (opts_has(&cli->opts, "log"))
		out_line(&cli->out, "Its log:");
	view_log(cli);
}
