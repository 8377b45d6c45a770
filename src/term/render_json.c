/* SPDX-License-Identifier: MIT */
/* JSON Lines on standard output: rows as the library gives them, events, and one last result. */
#include "term/render.h"

static const char *const event_names[] = {
	[PLUGPKG_EVENT_DEBUG] = "debug",
	[PLUGPKG_EVENT_INFO] = "info",
	[PLUGPKG_EVENT_WARNING] = "warning",
	[PLUGPKG_EVENT_LOCK_WAIT] = "lock-wait",
	[PLUGPKG_EVENT_STEP] = "step",
	[PLUGPKG_EVENT_SCRIPT_OUTPUT] = "script-output",
	[PLUGPKG_EVENT_SWITCH] = "switch",
	[PLUGPKG_EVENT_UNDO] = "undo",
};

static void
json_row(struct cli *cli, const char *json)
{
	out_raw(&cli->out, json);
	out_end(&cli->out);
}

static void
print(struct cli *cli, const pp_json *j)
{
	PP_AUTO_FREE char *line = pp_json_line(j);

	json_row(cli, line);
	out_flush(&cli->out);
}

static void
json_show(struct cli *cli, void (*view)(struct cli *cli))
{
	(void)cli; /* the rows are out already, so that memory does not grow with them */
	(void)view;
}

static void
json_event(struct cli *cli, const struct plugpkg_event *ev)
{
	if (ev->type == PLUGPKG_EVENT_DEBUG && !cli->is_debug)
		return;
	if ((size_t)ev->type >= PP_LEN(event_names) || event_names[ev->type] == NULL)
		return; /* progress, and what a newer library may tell */

	PP_AUTO_JSON pp_json *j = pp_json_object();
	pp_json_set_int(j, "v", 1);
	pp_json_set_str(j, "type", "event");
	pp_json_set_str(j, "event", event_names[ev->type]);
	pp_json_set_str(j, "plugin", ev->plugin);
	pp_json_set_str(j, "subject", ev->subject);
	pp_json_set_str(j, "text", ev->text);
	if (ev->type == PLUGPKG_EVENT_STEP || ev->type == PLUGPKG_EVENT_SWITCH) {
		pp_json_set_int(j, "done", (int64_t)ev->done);
		pp_json_set_int(j, "total", (int64_t)ev->total);
	}
	print(cli, j);
}

static void
json_say(struct cli *cli, const char *text)
{
	(void)cli; /* for people only: everything it says stands in a row */
	(void)text;
}

static void
json_result(struct cli *cli, const struct result *result)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();

	pp_json_set_int(j, "v", 1);
	pp_json_set_str(j, "type", "result");
	pp_json_set_bool(j, "ok", result->code == PLUGPKG_OK);
	pp_json_set_str(j, "code", plugpkg_code_name(result->code));
	pp_json_set_int(j, "exit", result->exit_status);
	pp_json_set_str(j, "message", result->message);
	pp_json_set_str(j, "hint", result->hint);
	for (void *it = pp_json_iter(result->details); it != NULL;
	     it = pp_json_next(result->details, it))
		pp_json_set(j, pp_json_iter_key(it), pp_json_copy(pp_json_iter_value(it)));
	if (cli->is_debug)
		pp_json_set_str(j, "where", result->where);
	print(cli, j);
}

static void
json_quieten(struct cli *cli)
{
	(void)cli; /* nothing moves here */
}

const struct renderer render_json = {
	.row = json_row,
	.show = json_show,
	.event = json_event,
	.say = json_say,
	.result = json_result,
	.quieten = json_quieten,
};
