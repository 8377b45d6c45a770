/* SPDX-License-Identifier: MIT */
/* Edges as a tree, drawn with lines where the locale knows them. */
#include "cli/view.h"

#include "base/mem.h"
#include "base/vec.h"

#include <string.h>

/* Deeper than this the lines would be wider than anything that shows them. */
#define MAX_GUIDES 40

struct drawing {
	struct cli *cli;
	bool is_up; /* dependents are shown, not dependencies */
	struct drawn pp_vec(const pp_json *) edges;
	bool *is_last;  /* by edge: no sister comes after it */
	bool *has_more; /* by depth: a sister of the last edge there comes further down */
};

static const struct signs {
	const char *branch, *last, *guide, *blank;
} ascii = { "|- ", "`- ", "|  ", "   " }, utf8 = { "├─ ", "└─ ", "│  ", "   " };

static size_t
depth_of(const pp_json *edge)
{
	return (size_t)pp_json_get_int(edge, "depth", 1);
}

/* A conflict with nothing is no news in a tree. */
static bool
is_drawn(const pp_json *edge)
{
	return strcmp(view_str(edge, "kind"), "conflicts") != 0 ||
	       pp_json_get_str(edge, "satisfied_by") != NULL;
}

/* From the end: the first edge that is met of each depth is the last of its sisters. */
static void
find_last(struct drawing *d)
{
	PP_AUTO_FREE bool *is_met = pp_xcalloc(d->edges.n + 2, sizeof(*is_met));
	size_t below = 0;

	for (size_t i = d->edges.n; i-- > 0;) {
		size_t depth = depth_of(d->edges.at[i]);
		for (; below > depth; below--)
			is_met[below] = false;
		below = depth;
		d->is_last[i] = !is_met[depth];
		is_met[depth] = true;
	}
}

static void
draw_guides(const struct drawing *d, size_t depth, bool is_last)
{
	struct out *out = &d->cli->out;
	const struct signs *signs = out->is_utf8 ? &utf8 : &ascii;

	for (size_t i = 1; i < depth && i < MAX_GUIDES; i++)
		out_text(out, "%s", d->has_more[i] ? signs->guide : signs->blank);
	if (depth > MAX_GUIDES)
		out_text(out, "[%zu] ", depth);
	out_text(out, "%s", is_last ? signs->last : signs->branch);
}

/* "user ^2: user 2.1.0 is here", "recommends map *: not installed" */
static void
draw_down(struct out *out, const pp_json *edge)
{
	PP_AUTO_FREE char *fate = view_fate(edge);
	const char *kind = view_str(edge, "kind");

	if (strcmp(kind, "requires") != 0)
		out_text(out, "%s ", kind);
	out_text(out, "%s %s: %s", view_str(edge, "to"), view_str(edge, "range"), fate);
}

/* "photos 1.0.0 requires user ^2" */
static void
draw_up(struct out *out, const pp_json *edge)
{
	out_text(out, "%s %s %s %s %s", view_str(edge, "from"), view_str(edge, "from_version"),
	    view_str(edge, "kind"), view_str(edge, "to"), view_str(edge, "range"));
}

static void
draw(struct drawing *d, size_t i)
{
	struct out *out = &d->cli->out;
	const pp_json *edge = d->edges.at[i];
	size_t depth = depth_of(edge);

	draw_guides(d, depth, d->is_last[i]);
	d->has_more[depth] = !d->is_last[i];
	if (d->is_up)
		draw_up(out, edge);
	else
		draw_down(out, edge);
	if (pp_json_get_bool(edge, "cycle"))
		out_text(out, " (a cycle)");
	else if (pp_json_get_bool(edge, "repeated"))
		out_text(out, " (see above)");
	out_end(out);
}

static void
draw_tree(struct cli *cli, bool is_up)
{
	struct drawing d = { .cli = cli, .is_up = is_up };
	size_t deepest = 0, at = 0;
	const pp_json *row = view_next(cli, "tree", &at);

	out_line(&cli->out, "%s%s%s", view_str(row, "name"),
	    pp_json_get_str(row, "version") != NULL ? " " : "", view_str(row, "version"));
	for (size_t i = 0; (row = view_next(cli, "edge", &i)) != NULL;) {
		if (!is_drawn(row))
			continue;
		pp_vec_push(&d.edges, row);
		deepest = depth_of(row) > deepest ? depth_of(row) : deepest;
	}
	d.is_last = pp_xcalloc(d.edges.n + 1, sizeof(*d.is_last));
	d.has_more = pp_xcalloc(deepest + 1, sizeof(*d.has_more));
	find_last(&d);
	for (size_t i = 0; i < d.edges.n; i++)
		draw(&d, i);
	free(d.is_last);
	free(d.has_more);
	pp_vec_free(&d.edges);
}

void
view_tree_down(struct cli *cli)
{
	draw_tree(cli, false);
}

void
view_tree_up(struct cli *cli)
{
	draw_tree(cli, true);
}
