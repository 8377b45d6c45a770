/* SPDX-License-Identifier: MIT */
/* Rows as text: the simple ones, one line or one table each. */
#include "cli/view.h"

#include "base/mem.h"
#include "base/time.h"
#include "term/table.h"

#include <string.h>

const char *
view_key(const pp_json *row)
{
	const char *key = pp_json_get_str(row, "key");

	return key != NULL ? key : view_str(row, "name");
}

char *
view_blockers(const pp_json *row, const char *before, const char *after)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(OUT_MAX_BYTES);
	const pp_json *keys = pp_json_get(row, "blocked_by");

	for (size_t i = 0; i < pp_json_len(keys); i++)
		pp_buf_addf(
		    &text, "%s%s", i == 0 ? before : " and ", pp_json_string(pp_json_at(keys, i)));
	if (text.n == 0)
		return NULL;
	pp_buf_adds(&text, after);
	return pp_buf_steal(&text);
}

void
view_found(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 3 };
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "found", &i)) != NULL;) {
		table_add(&t, view_str(row, "name"));
		table_add(&t, view_str(row, "version"));
		table_add(&t, view_str(row, "summary"));
	}
	table_print(&t, &cli->out);
}

static void
add_source(struct table *t, const pp_json *row)
{
	const pp_json *urls = pp_json_get(row, "urls");
	const char *root = pp_json_get_str(row, "root"), *expires = pp_json_get_str(row, "expires");
	PP_AUTO_FREE char *priority =
	    pp_asprintf("%lld", (long long)pp_json_get_int(row, "priority", 0));
	PP_AUTO_FREE char *key = pp_asprintf("key %s", root != NULL ? root : "");
	PP_AUTO_FREE char *until = pp_asprintf("valid until %s", expires != NULL ? expires : "");
	const pp_json *names = pp_json_get(row, "names");
	PP_AUTO_BUF struct pp_buf own = PP_BUF_INIT(OUT_MAX_BYTES);
	for (size_t i = 0; i < pp_json_len(names); i++)
		pp_buf_addf(
		    &own, "%s %s", i == 0 ? "names" : ",", pp_json_string(pp_json_at(names, i)));
	const char *more[] = {
		names != NULL ? pp_buf_cstr(&own) : NULL,
		root != NULL ? key : NULL,
		expires != NULL ? until : NULL,
	};

	for (size_t u = 0; u == 0 || u < pp_json_len(urls); u++) {
		table_add(t, u == 0 ? view_str(row, "name") : "");
		table_add(t, u == 0 ? priority : "");
		table_add(t, pp_json_string(pp_json_at(urls, u)));
	}
	for (size_t i = 0; i < PP_LEN(more); i++) {
		if (more[i] == NULL)
			continue;
		table_add(t, "");
		table_add(t, "");
		table_add(t, more[i]);
	}
}

void
view_sources(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 3, .is_whole = true };
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "source", &i)) != NULL;)
		add_source(&t, row);
	table_print(&t, &cli->out);
}

void
view_updates(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "update", &i)) != NULL;) {
		const char *expires = pp_json_get_str(row, "expires");

		out_text(&cli->out, "%s: %s", view_str(row, "source"),
		    pp_json_get_bool(row, "changed") ? "up to date" : "nothing new");
		if (pp_json_get(row, "plugins") != NULL)
			out_text(&cli->out, ", %lld plugins",
			    (long long)pp_json_get_int(row, "plugins", 0));
		out_line(&cli->out, "%s%s", expires != NULL ? ", valid until " : "",
		    expires != NULL ? expires : "");
	}
}

void
view_problems(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "exposure", &i)) != NULL;)
		out_line(&cli->out, "exposed: %s", view_str(row, "text"));
	for (size_t i = 0; (row = view_next(cli, "problem", &i)) != NULL;) {
		const char *name = pp_json_get_str(row, "name");

		out_line(&cli->out, "%s%s%s", name != NULL ? name : "", name != NULL ? ": " : "",
		    view_str(row, "text"));
	}
}

void
view_findings(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "finding", &i)) != NULL;) {
		const char *hint = pp_json_get_str(row, "hint");
		bool is_error = strcmp(view_str(row, "level"), "error") == 0;

		out_styled(&cli->out, is_error ? OUT_BAD : OUT_WARN, "%s:", view_str(row, "level"));
		out_text(&cli->out, " ");
		out_lines(&cli->out, 2, view_str(row, "text"));
		if (hint != NULL)
			out_line(&cli->out, "  hint: %s", hint);
	}
}

void
view_created(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "created", &i)) != NULL;)
		out_line(&cli->out, "%s", view_str(row, "path"));
}

void
view_built(struct cli *cli)
{
	const pp_json *row;
	char size[OUT_SIZE_TEXT];

	for (size_t i = 0; (row = view_next(cli, "built", &i)) != NULL;)
		out_line(&cli->out, "%s  %s  sha256:%s", view_str(row, "path"),
		    out_size(view_bytes(row, "size"), size), view_str(row, "sha256"));
}

void
view_cleaned(struct cli *cli)
{
	const pp_json *row;
	char size[OUT_SIZE_TEXT];

	for (size_t i = 0; (row = view_next(cli, "cleaned", &i)) != NULL;) {
		int64_t forgotten = pp_json_get_int(row, "transactions", 0);
		out_line(&cli->out, "%lld files, %lld generations, %lld versions deleted: %s free",
		    (long long)pp_json_get_int(row, "files", 0),
		    (long long)pp_json_get_int(row, "generations", 0),
		    (long long)pp_json_get_int(row, "versions", 0),
		    out_size(view_bytes(row, "bytes"), size));
		if (forgotten > 0)
			out_line(&cli->out, "%lld transactions forgotten", (long long)forgotten);
	}
}

/* For a conflict it is good that nothing is there. */
char *
view_fate(const pp_json *edge)
{
	const char *by = pp_json_get_str(edge, "satisfied_by");
	const char *other = pp_json_get_str(edge, "installed");
	const char *state = pp_json_get_str(edge, "state");
	bool is_conflict = strcmp(view_str(edge, "kind"), "conflicts") == 0;

	if (by != NULL)
		return pp_asprintf("%s %s%s%s", by, is_conflict ? "is in the way" : "is here",
		    state != NULL ? ", " : "", state != NULL ? state : "");
	if (is_conflict)
		return pp_xstrdup("");
	if (other != NULL)
		return pp_asprintf("%s is here, which does not do", other);
	return pp_xstrdup("not installed");
}

void
view_edges(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 4 };
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "edge", &i)) != NULL;) {
		PP_AUTO_FREE char *wants =
		    pp_asprintf("%s %s", view_str(row, "to"), view_str(row, "range"));
		PP_AUTO_FREE char *fate = view_fate(row);

		table_add(&t, view_str(row, "from"));
		table_add(&t, view_str(row, "kind"));
		table_add(&t, wants);
		table_add(&t, fate);
	}
	table_print(&t, &cli->out);
}
