/* SPDX-License-Identifier: MIT */
/*
 * Shards: JSON Lines sorted by name. Opening checks order and line starts; a question parses one
 * line.
 */
#include <string.h>

#include "lib/index/index.h"
#include "lib/model/name.h"

#define LINE_START "{\"name\":\""

/* The name in a line's start as a slice of the line; false when the start has another form. */
static bool
line_start(struct pp_str line, struct pp_str *out_name)
{
	const size_t skip = strlen(LINE_START);

	if (line.n < skip || memcmp(line.p, LINE_START, skip) != 0)
		return false;
	struct pp_str rest = { line.p + skip, line.n - skip };
	size_t n = strnlen(rest.p, rest.n < PP_NAME_MAX_BYTES + 1 ? rest.n : PP_NAME_MAX_BYTES + 1);
	const char *quote = memchr(rest.p, '"', n);

	if (quote == NULL)
		return false;
	*out_name = (struct pp_str){ rest.p, (size_t)(quote - rest.p) };
	/* Nothing but a valid name: so no escape can make two readers see two names. */
	return pp_name_valid(*out_name) && line.p[line.n - 1] == '}';
}

enum plugpkg_code
pp_shard_open(struct pp_str text, const char *where, struct pp_shard *out, plugpkg_error **err)
{
	struct pp_str rest = text, line, name, last = { NULL, 0 };

	*out = (struct pp_shard){ .text = text };
	if (text.n > 0 && text.p[text.n - 1] != '\n')
		return pp_fail(
		    err, PLUGPKG_E_BAD_METADATA, 0, "%s: the last line has no end", where);
	if (text.n > 0)
		rest.n--; /* the last line's end starts no line of its own */
	while (text.n > 0 && pp_str_cut(&rest, '\n', &line)) {
		size_t number = out->lines.n + 1;

		if (!line_start(line, &name)) {
			pp_shard_fini(out);
			return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
			    "%s: line %zu does not start with a plugin's name", where, number);
		}
		if (last.p != NULL && pp_str_cmp(last, name) >= 0) {
			pp_shard_fini(out);
			return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
			    "%s: line %zu ('%.*s') is not in order", where, number, (int)name.n,
			    name.p);
		}
		last = name;
		pp_vec_push(&out->lines, line);
	}
	return PLUGPKG_OK;
}

void
pp_shard_fini(struct pp_shard *s)
{
	pp_vec_free(&s->lines);
	s->text = (struct pp_str){ NULL, 0 };
}

const struct pp_str *
pp_shard_find(const struct pp_shard *s, const char *wanted)
{
	struct pp_str name = pp_str_of(wanted);
	size_t low = 0, high = s->lines.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct pp_str here;

		if (!line_start(s->lines.at[mid], &here))
			return NULL;
		int c = pp_str_cmp(name, here);
		if (c == 0)
			return &s->lines.at[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

enum plugpkg_code
pp_shard_parse(struct pp_str line, const char *name, pp_json **out, plugpkg_error **err)
{
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *j = pp_json_parse(line.p, line.n, &why);

	*out = NULL;
	if (j == NULL)
		return pp_fail(
		    err, PLUGPKG_E_BAD_METADATA, 0, "index line of '%s': %s", name, why.text);
	const pp_json *versions = pp_json_get(j, "versions");
	size_t n_versions = pp_json_len(versions);
	if (versions != NULL && !pp_json_is(versions, PP_JSON_ARRAY))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "index line of '%s': 'versions' has to be a list", name);
	if (n_versions > PP_INDEX_MAX_VERSIONS)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "index line of '%s': %zu versions; %d are allowed", name, n_versions,
		    PP_INDEX_MAX_VERSIONS);
	*out = pp_steal(&j);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_shard_line(const struct pp_shard *s, const char *name, pp_json **out, plugpkg_error **err)
{
	const struct pp_str *line = pp_shard_find(s, name);

	*out = NULL;
	return line != NULL ? pp_shard_parse(*line, name, out, err) : PLUGPKG_OK;
}

/* ---- one row of a line ---- */

/* The end of the object that starts at p, or NULL. Only strings can hold other braces. */
static const char *
object_end(const char *p, const char *end)
{
	size_t depth = 0;

	for (; p < end; p++) {
		if (*p == '"')
			for (p++; p < end && *p != '"'; p++)
				p += *p == '\\';
		else if (*p == '{')
			depth++;
		else if (*p == '}' && --depth == 0)
			return p + 1;
	}
	return NULL;
}

/*
 * The object in "versions" that begins with this version, as pp_shard_write() writes it: so of a
 * long line only one row is parsed. Empty when the line has another form.
 */
static struct pp_str
cut_row(struct pp_str line, const char *name, const char *version)
{
	PP_AUTO_FREE char *before = pp_asprintf(LINE_START "%s\",\"versions\":[", name);
	PP_AUTO_FREE char *start = pp_asprintf("{\"version\":\"%s\"", version);
	const struct pp_str none = { NULL, 0 };
	const char *p = line.p + strlen(before), *end = line.p + line.n;
	size_t n = strlen(start);

	if (line.n < strlen(before) || memcmp(line.p, before, strlen(before)) != 0)
		return none;
	while (p < end && *p == '{') {
		const char *after = object_end(p, end);
		if (after == NULL)
			return none;
		if ((size_t)(after - p) > n && memcmp(p, start, n) == 0)
			return (struct pp_str){ p, (size_t)(after - p) };
		p = after + (after < end && *after == ',');
	}
	return none;
}

static pp_json *
row_of(const pp_json *line, const char *version)
{
	const pp_json *rows = pp_json_get(line, "versions");

	for (size_t i = 0; i < pp_json_len(rows); i++) {
		const char *its = pp_json_get_str(pp_json_at(rows, i), "version");
		if (its != NULL && strcmp(its, version) == 0)
			return pp_json_ref(pp_json_at(rows, i));
	}
	return NULL;
}

enum plugpkg_code
pp_shard_row(
    struct pp_str line, const char *name, const char *version, pp_json **out, plugpkg_error **err)
{
	struct pp_str row = cut_row(line, name, version);
	PP_AUTO_JSON pp_json *whole = NULL;

	*out = row.p != NULL ? pp_json_parse(row.p, row.n, NULL) : NULL;
	if (*out != NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_shard_parse(line, name, &whole, err);
	*out = row_of(whole, version);
	return rc;
}

char *
pp_shard_line_name(struct pp_str line)
{
	struct pp_str name;

	return line_start(line, &name) ? pp_xstrndup(name.p, name.n) : pp_xstrdup("");
}

static int
cmp_lines(const void *a, const void *b)
{
	const pp_json *const *x = a, *const *y = b;

	return strcmp(pp_json_get_str(*x, "name"), pp_json_get_str(*y, "name"));
}

void
pp_shard_write(const pp_json *const *lines, size_t n, struct pp_buf *out)
{
	struct line_ptrs pp_vec(const pp_json *) sorted = { .n = 0 };

	for (size_t i = 0; i < n; i++)
		pp_vec_push(&sorted, lines[i]);
	pp_vec_sort(&sorted, cmp_lines);
	pp_vec_foreach (line, &sorted) {
		PP_AUTO_FREE char *text = pp_json_line(*line);

		pp_buf_adds(out, text);
		pp_buf_addc(out, '\n');
	}
	pp_vec_free(&sorted);
}
