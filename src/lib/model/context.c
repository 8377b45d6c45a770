/* SPDX-License-Identifier: MIT */
/* How modules speak through the context: events, questions, rows, and the wish to stop. */
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "lib/model/context.h"

#define EVENT_TEXT_MAX_BYTES 16384
#define ROW_MEMBERS          16 /* of most rows */

void
pp_event(plugpkg_context *ctx, const struct plugpkg_event *ev)
{
	if (ctx != NULL && ctx->event_fn != NULL)
		ctx->event_fn(ev, ctx->event_user);
}

static void PP_PRINTF(4, 0) say(plugpkg_context *ctx, enum plugpkg_event_type type,
    const char *plugin, const char *fmt, va_list ap)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(EVENT_TEXT_MAX_BYTES);
	bool is_warning = type == PLUGPKG_EVENT_WARNING;

	if (ctx == NULL || (ctx->event_fn == NULL && ctx->log_fn == NULL))
		return;
	pp_buf_vaddf(&text, fmt, ap);

	struct plugpkg_event ev = { .type = type, .plugin = plugin, .text = pp_buf_cstr(&text) };

	pp_event(ctx, &ev);
	if (ctx->log_fn != NULL && ctx->lock_fd >= 0)
		ctx->log_fn(ctx, is_warning ? PP_LOG_WARNING : PP_LOG_DEBUG, plugin, ev.text);
}

void
pp_warn(plugpkg_context *ctx, const char *plugin, const char *fmt, ...)
{
	va_list ap;

	if (ctx != NULL)
		ctx->n_warnings++;
	va_start(ap, fmt);
	say(ctx, PLUGPKG_EVENT_WARNING, plugin, fmt, ap);
	va_end(ap);
}

void
pp_debug(plugpkg_context *ctx, const char *plugin, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(ctx, PLUGPKG_EVENT_DEBUG, plugin, fmt, ap);
	va_end(ap);
}

enum plugpkg_answer
pp_ask(plugpkg_context *ctx, const struct plugpkg_question *q)
{
	if (ctx == NULL || ctx->ask_fn == NULL)
		return PLUGPKG_ANSWER_NOBODY;
	return ctx->ask_fn(q, ctx->ask_user);
}

enum pp_log_level
pp_log_least(const plugpkg_context *ctx)
{
	if (ctx == NULL || ctx->is_log_debug)
		return ctx == NULL ? PP_LOG_INFO : PP_LOG_DEBUG;
	return ctx->config != NULL ? ctx->config->log.level : PP_LOG_INFO;
}

enum plugpkg_code
pp_check_cancel(plugpkg_context *ctx, plugpkg_error **err)
{
	if (ctx == NULL || atomic_load(&ctx->cancelled) == 0)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_INTERRUPTED, 0, "interrupted");
}

enum plugpkg_code
pp_check_may_write(const plugpkg_context *ctx, plugpkg_error **err)
{
	if (!ctx->is_dry_run)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_USAGE, 0, "a dry run does not change '%s'", ctx->root);
}

void
pp_row(plugpkg_row_fn fn, void *user, pp_json *row)
{
	PP_AUTO_JSON pp_json *owned = row;

	if (fn == NULL)
		return;

	PP_AUTO_FREE char *line = pp_json_line(owned);

	fn(line, user);
}

pp_json *
pp_row_new(const char *type)
{
	pp_json *row = pp_json_object_of(ROW_MEMBERS);

	pp_json_set_int(row, "v", 1);
	pp_json_set_str(row, "type", type);
	return row;
}
