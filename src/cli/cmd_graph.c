/* SPDX-License-Identifier: MIT */
/* `plugpkg graph`: the installed plugins in the language of Graphviz. */
#include "cli/cmds.h"
#include "cli/view.h"

#include <string.h>

/* Between quotes only these two mean something; control characters never get past out_text(). */
static void
add_quoted(struct pp_buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			pp_buf_addc(b, '\\');
		pp_buf_addc(b, *text);
	}
}

static char *
quoted(const char *text)
{
	struct pp_buf b = PP_BUF_INIT(OUT_MAX_BYTES);

	add_quoted(&b, text);
	return pp_buf_steal(&b);
}

static void
print_node(struct out *out, const pp_json *row)
{
	PP_AUTO_FREE char *id = quoted(view_str(row, "id"));
	PP_AUTO_FREE char *name = quoted(view_str(row, "name"));
	PP_AUTO_FREE char *version = quoted(view_str(row, "version"));
	const char *kind = view_str(row, "kind");
	bool is_off = pp_json_get_bool(row, "disabled") || pp_json_get(row, "blocked_by") != NULL;

	if (strcmp(kind, "missing") == 0)
		out_line(out, "  \"%s\" [label=\"%s\\nnot installed\", color=red, fontcolor=red];",
		    id, name);
	else
		out_line(out, "  \"%s\" [label=\"%s\\n%s\"%s%s];", id, name, version,
		    strcmp(kind, "host") == 0 ? ", shape=box" : "",
		    is_off ? ", style=filled, fillcolor=gray85, fontcolor=gray40"
		    : pp_json_get_bool(row, "manual") ? ", style=bold"
						      : "");
}

static void
print_line(struct out *out, const pp_json *row)
{
	PP_AUTO_FREE char *from = quoted(view_str(row, "from"));
	PP_AUTO_FREE char *to = quoted(view_str(row, "to"));
	PP_AUTO_BUF struct pp_buf label = PP_BUF_INIT(OUT_MAX_BYTES);
	const char *kind = view_str(row, "kind"), *range = view_str(row, "range");
	const char *style = strcmp(kind, "requires") == 0    ? "solid"
			    : strcmp(kind, "conflicts") == 0 ? "dotted"
							     : "dashed";

	if (strcmp(kind, "conflicts") == 0)
		pp_buf_adds(&label, "conflicts ");
	if (strcmp(view_str(row, "name"), view_str(row, "to")) != 0) {
		add_quoted(&label, view_str(row, "name"));
		pp_buf_addc(&label, ' ');
	}
	if (strcmp(range, "*") != 0 || label.n > 0)
		add_quoted(&label, range);
	out_line(out, "  \"%s\" -> \"%s\" [label=\"%s\", style=%s%s];", from, to,
	    pp_buf_cstr(&label), style,
	    pp_json_get_bool(row, "broken") ? ", color=red, fontcolor=red" : "");
}

static void
view_graph(struct cli *cli)
{
	const pp_json *row;

	out_line(&cli->out, "digraph plugins {");
	for (size_t i = 0; (row = view_next(cli, "node", &i)) != NULL;)
		print_node(&cli->out, row);
	for (size_t i = 0; (row = view_next(cli, "line", &i)) != NULL;)
		print_line(&cli->out, row);
	out_line(&cli->out, "}");
}

static enum plugpkg_code
graph_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_graph(
	    cli->ctx, cli->opts.operands.at, cli->opts.operands.n, cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_graph);
	return rc;
}

const struct cmd cmd_graph = {
	.name = "graph",
	.args = "[NAME...]",
	.summary = "draw the installed plugins and their dependencies, for Graphviz",
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_INSTALLED,
	.run = graph_run,
};
