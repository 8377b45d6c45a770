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

static int
cmp_names(struct pp_str a, struct pp_str b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
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
		if (last.p != NULL && cmp_names(last, name) >= 0) {
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

static const struct pp_str *
find_line(const struct pp_shard *s, struct pp_str name)
{
	size_t low = 0, high = s->lines.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct pp_str here;

		if (!line_start(s->lines.at[mid], &here))
			return NULL;
		int c = cmp_names(name, here);
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
pp_shard_line(const struct pp_shard *s, const char *name, pp_json **out, plugpkg_error **err)
{
	const struct pp_str *line = find_line(s, pp_str_of(name));
	struct pp_json_error why;

	*out = NULL;
	if (line == NULL)
		return PLUGPKG_OK;
	PP_AUTO_JSON pp_json *j = pp_json_parse(line->p, line->n, &why);
	if (j == NULL)
		return pp_fail(
		    err, PLUGPKG_E_BAD_METADATA, 0, "index line of '%s': %s", name, why.text);
	size_t n_versions = pp_json_len(pp_json_get(j, "versions"));
	if (n_versions > PP_INDEX_MAX_VERSIONS)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "index line of '%s': %zu versions; %d are allowed", name, n_versions,
		    PP_INDEX_MAX_VERSIONS);
	*out = pp_steal(&j);
	return PLUGPKG_OK;
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
