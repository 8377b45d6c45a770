/* SPDX-License-Identifier: MIT */
/* Text without anything that moves: for pipes, logs and simple terminals. */
#include "term/render.h"
#include "term/table.h"

#include "base/mem.h"

#include <string.h>

static void
plain_row(struct cli *cli, const char *json)
{
	struct pp_json_error why;
	pp_json *row = pp_json_parse(json, strlen(json), &why);

	if (row != NULL)
		pp_vec_push(&cli->rows, row);
}

static void
plain_show(struct cli *cli, void (*view)(struct cli *cli))
{
	view(cli);
	pp_vec_foreach (row, &cli->rows)
		pp_json_free(*row);
	pp_vec_free(&cli->rows);
	out_flush(&cli->out); /* before talk on the other stream */
}

/* "install photos 1.2.0". Unpacking is only interesting when nothing else is. */
static void
event_step(struct cli *cli, const struct plugpkg_event *ev)
{
	bool is_detail = ev->subject == NULL || strcmp(ev->subject, "unpack") == 0;

	if (ev->text != NULL && (cli->verbose > 0 || !is_detail))
		out_line(&cli->talk, "%s", ev->text);
}

static void
event_tagged(struct cli *cli, const struct plugpkg_event *ev, const char *tag, enum out_style style)
{
	out_styled(&cli->talk, style, "%s", tag);
	if (ev->plugin != NULL)
		out_text(&cli->talk, "%s: ", ev->plugin);
	out_lines(&cli->talk, 2, ev->text != NULL ? ev->text : "");
}

static void
event_verbose(struct cli *cli, const struct plugpkg_event *ev)
{
	char size[OUT_SIZE_TEXT];

	switch (ev->type) {
	case PLUGPKG_EVENT_FETCH:
		if (ev->total > 0 && ev->done == ev->total)
			out_line(&cli->talk, "fetched %s (%s)",
			    ev->subject != NULL ? ev->subject : "", out_size(ev->total, size));
		break;
	case PLUGPKG_EVENT_SWITCH:
		out_line(&cli->talk, "generation %llu is current", (unsigned long long)ev->done);
		break;
	case PLUGPKG_EVENT_DEBUG:
	case PLUGPKG_EVENT_INFO:
	case PLUGPKG_EVENT_WARNING:
	case PLUGPKG_EVENT_LOCK_WAIT:
	case PLUGPKG_EVENT_FETCH_TOTAL:
	case PLUGPKG_EVENT_STEP:
	case PLUGPKG_EVENT_SCRIPT_OUTPUT:
	case PLUGPKG_EVENT_UNDO:
		break;
	}
}

static void
event_spoken(struct cli *cli, const struct plugpkg_event *ev)
{
	switch (ev->type) {
	case PLUGPKG_EVENT_DEBUG:
		if (cli->is_debug)
			event_tagged(cli, ev, "debug: ", OUT_DIM);
		break;
	case PLUGPKG_EVENT_INFO:
	case PLUGPKG_EVENT_LOCK_WAIT:
		event_tagged(cli, ev, "", OUT_PLAIN);
		break;
	case PLUGPKG_EVENT_WARNING:
		event_tagged(cli, ev, "warning: ", OUT_WARN);
		break;
	case PLUGPKG_EVENT_STEP:
		event_step(cli, ev);
		break;
	case PLUGPKG_EVENT_SCRIPT_OUTPUT:
		out_styled(&cli->talk, OUT_DIM, "  | ");
		out_line(&cli->talk, "%s: %s", ev->plugin != NULL ? ev->plugin : "",
		    ev->text != NULL ? ev->text : "");
		break;
	case PLUGPKG_EVENT_UNDO:
		out_styled(&cli->talk, OUT_WARN, "%s", ev->text != NULL ? ev->text : "");
		out_end(&cli->talk);
		break;
	case PLUGPKG_EVENT_FETCH:
	case PLUGPKG_EVENT_FETCH_TOTAL:
	case PLUGPKG_EVENT_SWITCH:
		if (cli->verbose > 0)
			event_verbose(cli, ev);
		break;
	}
}

static void
plain_event(struct cli *cli, const struct plugpkg_event *ev)
{
	/*
	 * A warning may be the only word about a repository that expires tomorrow: --quiet keeps
	 * it.
	 */
	if (cli->is_quiet && ev->type != PLUGPKG_EVENT_WARNING)
		return;
	event_spoken(cli, ev);
}

static void
plain_say(struct cli *cli, const char *text)
{
	if (!cli->is_quiet)
		out_lines(&cli->talk, 0, text);
}

void
render_ways(struct out *o, const pp_json *details)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 3, .indent = 2, .is_whole = true };
	const pp_json *ways = pp_json_get(details, "ways");
	const char *more = pp_json_get_str(details, "more");

	for (size_t i = 0; i < pp_json_len(ways); i++) {
		PP_AUTO_FREE char *number = pp_asprintf("%zu.", i + 1);
		table_add(&t, number);
		table_add(&t, pp_json_get_str(pp_json_at(ways, i), "text"));
		table_add(&t, pp_json_get_str(pp_json_at(ways, i), "command"));
	}
	if (t.cells.n > 0) {
		out_styled(o, OUT_BOLD, "Ways out:");
		out_end(o);
		table_print(&t, o);
	}
	if (more == NULL)
		return;
	out_styled(o, OUT_BOLD, "More:");
	out_line(o, " %s", more);
}

/* "error: FIRST LINE [name]" and the other lines indented, then "hint: …". */
static void
plain_result(struct cli *cli, const struct result *result)
{
	struct pp_str rest = pp_str_of(result->message), first = rest;

	if (result->code == PLUGPKG_OK)
		return;
	(void)pp_str_cut(&rest, '\n', &first); /* a message has at least one line */
	out_styled(&cli->talk, OUT_BAD, "error:");
	out_line(&cli->talk, " %.*s [%s]", (int)first.n, first.p, plugpkg_code_name(result->code));
	if (rest.p != NULL && rest.n > 0) {
		out_text(&cli->talk, "  ");
		out_lines(&cli->talk, 2, rest.p);
	}
	if (result->details != NULL && pp_json_get(result->details, "ways") != NULL) {
		render_ways(&cli->talk, result->details);
	} else if (result->hint != NULL) {
		out_styled(&cli->talk, OUT_BOLD, "hint:");
		out_text(&cli->talk, " ");
		out_lines(&cli->talk, 6, result->hint);
	}
	if (cli->is_debug && result->where != NULL)
		out_line(&cli->talk, "debug: at %s", result->where);
}

static void
plain_quieten(struct cli *cli)
{
	out_flush(&cli->out);
}

const struct renderer render_plain = {
	.row = plain_row,
	.show = plain_show,
	.event = plain_event,
	.say = plain_say,
	.result = plain_result,
	.quieten = plain_quieten,
};
