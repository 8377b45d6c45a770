/* SPDX-License-Identifier: MIT */
/* Everything about one plugin: one labelled line a fact, whatever its shape. */
#include "cli/view.h"

#include "base/mem.h"
#include "base/time.h"

#include <string.h>

#define LABEL_COLUMNS 15

enum fact_kind {
	FACT_TEXT, /* string, list, or names with ranges: by its shape */
	FACT_BYTES,
	FACT_TIME,
	FACT_COUNT,
	FACT_DIGEST,
};

/* In the order of printing. What a row does not have is left out. */
static const struct fact {
	const char *key, *label;
	enum fact_kind kind;
} facts[] = {
	{ "name", "Name", FACT_TEXT },
	{ "version", "Version", FACT_TEXT },
	{ "installed", "Installed", FACT_TEXT },
	{ "state", "State", FACT_TEXT },
	{ "blocked_by", "Blocked by", FACT_TEXT },
	{ "scripts_left_out", "Not run yet", FACT_TEXT },
	{ "reason", "Reason", FACT_TEXT },
	{ "broken", "Broken", FACT_TEXT },
	{ "candidate", "Newest", FACT_TEXT },
	{ "installed_at", "Since", FACT_TIME },
	{ "hold", "Held", FACT_TEXT },
	{ "hold_until", "Held until", FACT_TIME },
	{ "source", "Source", FACT_TEXT },
	{ "linked_from", "Linked from", FACT_TEXT },
	{ "owner", "Owner", FACT_TEXT },
	{ "summary", "Summary", FACT_TEXT },
	{ "license", "Licence", FACT_TEXT },
	{ "homepage", "Homepage", FACT_TEXT },
	{ "authors", "Authors", FACT_TEXT },
	{ "keywords", "Keywords", FACT_TEXT },
	{ "requires", "Requires", FACT_TEXT },
	{ "recommends", "Recommends", FACT_TEXT },
	{ "suggests", "Suggests", FACT_TEXT },
	{ "conflicts", "Conflicts", FACT_TEXT },
	{ "provides", "Provides", FACT_TEXT },
	{ "providers", "Provided by", FACT_TEXT },
	{ "replaces", "Replaces", FACT_TEXT },
	{ "os", "Systems", FACT_TEXT },
	{ "arch", "Machines", FACT_TEXT },
	{ "min-client", "Needs plugpkg", FACT_TEXT },
	{ "scripts", "Scripts", FACT_TEXT },
	{ "download_bytes", "To fetch", FACT_BYTES },
	{ "unpacked_bytes", "On disk", FACT_BYTES },
	{ "files", "Files", FACT_COUNT },
	{ "sha256", "Digest", FACT_DIGEST },
	{ "published", "Published", FACT_TIME },
	{ "versions", "Versions", FACT_TEXT },
};

static void
add_scalar(struct pp_buf *text, const pp_json *value)
{
	switch (pp_json_kind(value)) {
	case PP_JSON_STRING:
		pp_buf_adds(text, pp_json_string(value));
		break;
	case PP_JSON_BOOL:
		pp_buf_adds(text, pp_json_is_true(value) ? "yes" : "no");
		break;
	case PP_JSON_INT:
		pp_buf_addf(text, "%lld", (long long)pp_json_integer(value, 0));
		break;
	case PP_JSON_OBJECT: { /* a version with more about it */
		const char *version = pp_json_get_str(value, "version");

		pp_buf_adds(text, version != NULL ? version : "");
		break;
	}
	case PP_JSON_NULL:
	case PP_JSON_REAL:
	case PP_JSON_ARRAY:
		break;
	}
}

static void
add_members(struct pp_buf *text, const pp_json *object)
{
	for (void *it = pp_json_iter(object); it != NULL; it = pp_json_next(object, it)) {
		const char *range = pp_json_string(pp_json_iter_value(it));

		pp_buf_addf(text, "%s%s", text->n > 0 ? ", " : "", pp_json_iter_key(it));
		if (range != NULL && *range != '\0')
			pp_buf_addf(text, " %s", range);
	}
}

static void
add_items(struct pp_buf *text, const pp_json *array)
{
	for (size_t i = 0; i < pp_json_len(array); i++) {
		if (i > 0)
			pp_buf_adds(text, ", ");
		add_scalar(text, pp_json_at(array, i));
	}
}

static void
add_fact(struct pp_buf *text, const pp_json *value, enum fact_kind kind)
{
	char size[OUT_SIZE_TEXT], time[PP_TIME_TEXT];
	int64_t number = pp_json_integer(value, 0);

	switch (kind) {
	case FACT_BYTES:
		if (number > 0)
			pp_buf_adds(text, out_size((uint64_t)number, size));
		break;
	case FACT_TIME:
		if (number > 0) {
			pp_time_format(number, time);
			pp_buf_adds(text, time);
		}
		break;
	case FACT_DIGEST:
		if (pp_json_string(value) != NULL && *pp_json_string(value) != '\0')
			pp_buf_addf(text, "sha256:%s", pp_json_string(value));
		break;
	case FACT_COUNT:
		pp_buf_addf(text, "%lld", (long long)number);
		break;
	case FACT_TEXT:
		if (pp_json_is(value, PP_JSON_OBJECT))
			add_members(text, value);
		else if (pp_json_is(value, PP_JSON_ARRAY))
			add_items(text, value);
		else
			add_scalar(text, value);
		break;
	}
}

static void
print_fact(struct out *o, const pp_json *row, const struct fact *fact)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(OUT_MAX_BYTES);
	const pp_json *value = pp_json_get(row, fact->key);

	if (value == NULL)
		return;
	add_fact(&text, value, fact->kind);
	if (text.n == 0)
		return;
	out_styled(o, OUT_BOLD, "%s:", fact->label);
	out_line(
	    o, "%*s%s", (int)(LABEL_COLUMNS - strlen(fact->label) - 1), "", pp_buf_cstr(&text));
}

void
view_show(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "show", &i)) != NULL;) {
		const char *description = pp_json_get_str(row, "description");

		for (size_t f = 0; f < PP_LEN(facts); f++)
			print_fact(&cli->out, row, &facts[f]);
		if (description != NULL && *description != '\0') {
			out_end(&cli->out);
			out_text(&cli->out, "  ");
			out_lines(&cli->out, 2, description);
		}
	}
}

/* "install, post-install 10": when it runs. Owned. */
static char *
occasions(const pp_json *row)
{
	const pp_json *when = pp_json_get(row, "when");
	struct pp_buf text = PP_BUF_INIT(65536);

	for (size_t i = 0; i < pp_json_len(when); i++)
		pp_buf_addf(&text, "%s%s", i > 0 ? ", " : "", pp_json_string(pp_json_at(when, i)));
	return pp_buf_steal(&text);
}

void
view_scripts(struct cli *cli)
{
	struct out *o = &cli->out;
	const pp_json *row;
	bool is_first = true;

	for (size_t i = 0; (row = view_next(cli, "script", &i)) != NULL; is_first = false) {
		const char *text = pp_json_get_str(row, "text");
		PP_AUTO_FREE char *when = occasions(row);

		if (!is_first)
			out_end(o);
		out_styled(o, OUT_BOLD, "==> %s (%s)", view_str(row, "path"), when);
		out_end(o);
		if (text != NULL)
			out_lines(o, 0, text);
		else
			out_line(o, "This is no text, or longer than 1 MiB.");
	}
}
