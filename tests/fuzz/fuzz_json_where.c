/* SPDX-License-Identifier: MIT */
/*
 * Positions in JSON: the first line is a path, the rest the text. Every member of a text that
 * parses is found, at a quote of its key; a text that does not parse only ends the walk.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_where.h"
#include "base/mem.h"

#define DEPTH_MAX 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The character at a position. */
static char
char_at(struct pp_str text, const struct pp_json_pos *pos)
{
	int line = 1, column = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (((unsigned char)text.p[i] & 0xc0U) != 0x80)
			column++;
		if (line == pos->line && column == pos->column)
			return text.p[i];
		if (text.p[i] == '\n') {
			line++;
			column = 0;
		}
	}
	return '\0';
}

/* A name with a dot or a bracket may be the same path as another member: not looked at here. */
static bool
is_plain(const char *key)
{
	return *key != '\0' && strpbrk(key, ".[") == NULL;
}

static void
check(struct pp_str text, const pp_json *j, const char *path, int depth)
{
	struct pp_json_pos pos;

	if (depth > DEPTH_MAX)
		return;
	for (void *it = pp_json_is(j, PP_JSON_OBJECT) ? pp_json_iter(j) : NULL; it != NULL;
	     it = pp_json_next(j, it)) {
		const char *key = pp_json_iter_key(it);

		if (!is_plain(key))
			continue;
		PP_AUTO_FREE char *member =
		    pp_asprintf("%s%s%s", path, *path != '\0' ? "." : "", key);

		if (!pp_json_where(text, member, &pos) || char_at(text, &pos) != '"')
			abort();
		check(text, pp_json_iter_value(it), member, depth + 1);
	}
	for (size_t i = 0; pp_json_is(j, PP_JSON_ARRAY) && i < pp_json_len(j) && i < 10; i++) {
		PP_AUTO_FREE char *element = pp_asprintf("%s[%zu]", path, i);

		if (!pp_json_where(text, element, &pos))
			abort();
		check(text, pp_json_at(j, i), element, depth + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	struct pp_json_pos pos;

	if (newline == NULL || size > 65536)
		return 0;

	size_t n = (size_t)(newline - (const char *)data);
	PP_AUTO_FREE char *path = pp_xstrndup((const char *)data, n);
	struct pp_str text = { newline + 1, size - n - 1 };

	(void)pp_json_where(text, path, &pos);
	if (pos.line < 1 || pos.column < 1)
		abort();

	PP_AUTO_JSON pp_json *j = pp_json_parse(text.p, text.n, NULL);

	if (j != NULL)
		check(text, j, "", 0);
	return 0;
}
