/* SPDX-License-Identifier: MIT */
/* Rows as text: lines of the log. */
#include "cli/view.h"

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
