/* SPDX-License-Identifier: MIT */
/* What the commands have in common: rows, words for people, failures, the root and the time. */
#include "base/mem.h"
#include "base/time.h"
#include "term/help.h"
#include "term/pager.h"
#include "term/render.h"
#include "term/table.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX_BYTES 65536

void
cli_fini(struct cli *cli)
{
	plugpkg_close(cli->ctx);
	plugpkg_error_free(cli->err);
	pp_vec_foreach (row, &cli->rows)
		pp_json_free(*row);
	pp_vec_free(&cli->rows);
	opts_fini(&cli->opts);
	free(cli->message);
	free(cli->hint);
	if (cli->passphrase != NULL)
		explicit_bzero(cli->passphrase, strlen(cli->passphrase));
	free(cli->passphrase);
}

enum plugpkg_code
cli_fail(struct cli *cli, enum plugpkg_code code, const char *hint, const char *fmt, ...)
{
	struct pp_buf text = PP_BUF_INIT(MESSAGE_MAX_BYTES);
	va_list ap;

	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	free(cli->message);
	free(cli->hint);
	cli->message = pp_buf_steal(&text);
	cli->hint = pp_xstrdup(hint);
	return code;
}

enum plugpkg_code
cli_bad_option(struct cli *cli)
{
	if (cli->opts.hint != NULL)
		return cli_fail(cli, PLUGPKG_E_USAGE, cli->opts.hint, "%s", cli->opts.error);
	return cli_usage(cli, "%s", cli->opts.error);
}

const char *
cli_operand(const struct cli *cli, size_t i)
{
	return i < cli->opts.operands.n ? cli->opts.operands.at[i] : NULL;
}

enum plugpkg_code
cli_now(struct cli *cli, int64_t *out_now)
{
	const char *text = secure_getenv("PLUGPKG_NOW");

	*out_now = pp_time_now();
	if (text == NULL || *text == '\0' || pp_time_parse(pp_str_of(text), out_now) == 0)
		return PLUGPKG_OK;
	return cli_fail(cli, PLUGPKG_E_USAGE, "write Unix seconds or 2026-11-21T14:00:00Z",
	    "PLUGPKG_NOW is '%s', which is no time", text);
}

void
cli_row(const char *json, void *user)
{
	struct cli *cli = user;

	cli->renderer->row(cli, json);
}

void
cli_show(struct cli *cli, void (*view)(struct cli *cli))
{
	cli->renderer->show(cli, view);
}

void
cli_show_long(struct cli *cli, void (*view)(struct cli *cli))
{
	struct pager pager;

	if (cli->is_json) {
		cli_show(cli, view);
		return;
	}
	pager_start(&pager, &cli->out);
	cli_show(cli, view);
	pager_end(&pager, &cli->out);
}

void
cli_show_table(struct cli *cli, const struct table *t)
{
	cli->renderer->quieten(cli);
	table_print(t, &cli->out);
	out_flush(&cli->out); /* before talk on the other stream */
}

const pp_json *
view_next(const struct cli *cli, const char *type, size_t *i)
{
	while (*i < cli->rows.n) {
		const pp_json *row = cli->rows.at[(*i)++];

		if (strcmp(view_str(row, "type"), type) == 0)
			return row;
	}
	return NULL;
}

const char *
view_str(const pp_json *row, const char *key)
{
	const char *s = pp_json_get_str(row, key);

	return s != NULL ? s : "";
}

uint64_t
view_bytes(const pp_json *row, const char *key)
{
	int64_t n = pp_json_get_int(row, key, 0);

	return n > 0 ? (uint64_t)n : 0;
}

void
cli_say(struct cli *cli, const char *fmt, ...)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MESSAGE_MAX_BYTES);
	va_list ap;

	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	cli->renderer->say(cli, pp_buf_cstr(&text));
}
