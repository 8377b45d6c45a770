/* SPDX-License-Identifier: MIT */
/* The plain renderer on a terminal, with a progress line that gives way to every line of text. */
#include "term/progress.h"
#include "term/render.h"

/* One line at the bottom of the one terminal that this process talks to. */
static struct progress progress;

static void
tty_quieten(struct cli *cli)
{
	progress_clear(&progress, &cli->talk);
	render_plain.quieten(cli);
}

static void
tty_row(struct cli *cli, const char *json)
{
	render_plain.row(cli, json);
}

static void
tty_show(struct cli *cli, void (*view)(struct cli *cli))
{
	tty_quieten(cli);
	render_plain.show(cli, view);
}

static void
tty_event(struct cli *cli, const struct plugpkg_event *ev)
{
	switch (ev->type) {
	case PLUGPKG_EVENT_FETCH:
		progress_label(&progress, ev->subject);
		if (cli->verbose > 0 && ev->total > 0 && ev->done == ev->total) {
			tty_quieten(cli);
			render_plain.event(cli, ev);
		}
		break;
	case PLUGPKG_EVENT_FETCH_TOTAL:
		progress_update(&progress, &cli->talk, ev->done, ev->total, true);
		break;
	case PLUGPKG_EVENT_STEP:
		tty_quieten(cli);
		render_plain.event(cli, ev);
		progress_label(&progress, ev->plugin);
		if (ev->total > 0)
			progress_update(&progress, &cli->talk, ev->done, ev->total, false);
		break;
	case PLUGPKG_EVENT_DEBUG:
		if (!cli->is_debug)
			break;
		PP_FALLTHROUGH;
	case PLUGPKG_EVENT_INFO:
	case PLUGPKG_EVENT_WARNING:
	case PLUGPKG_EVENT_LOCK_WAIT:
	case PLUGPKG_EVENT_SCRIPT_OUTPUT:
	case PLUGPKG_EVENT_SWITCH:
	case PLUGPKG_EVENT_UNDO:
		tty_quieten(cli);
		render_plain.event(cli, ev);
		break;
	}
}

static void
tty_say(struct cli *cli, const char *text)
{
	tty_quieten(cli);
	render_plain.say(cli, text);
}

static void
tty_result(struct cli *cli, const struct result *result)
{
	tty_quieten(cli);
	render_plain.result(cli, result);
}

const struct renderer render_tty = {
	.row = tty_row,
	.show = tty_show,
	.event = tty_event,
	.say = tty_say,
	.result = tty_result,
	.quieten = tty_quieten,
};
