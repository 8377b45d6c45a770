/* SPDX-License-Identifier: MIT */
/*
 * A quick writer of JSON: most of what a transaction computes is records and rows. The library
 * writes numbers with a fraction, and sorted members; texts are the same, byte by byte.
 */
#include "base/json_plain.h"

#include "base/mem.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define ESCAPED_BYTES 6  /* the most that a byte of a string becomes */
#define NUMBER_BYTES  24 /* of an integer */

struct writer {
	struct pp_buf text;
	bool is_pretty; /* two blanks a level */
	size_t depth;
};

static bool write_value(struct writer *w, const json_t *j);

static void
add_char(struct writer *w, char c)
{
	*pp_buf_reserve(&w->text, 1) = c;
	pp_buf_grew(&w->text, 1);
}

static char *
escape(char *to, unsigned char c)
{
	static const char letters[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const char *known = strchr(letters, c);

	*to++ = '\\';
	if (c != '\0' && known != NULL) {
		*to++ = names[known - letters];
		return to;
	}
	return to + snprintf(to, ESCAPED_BYTES, "u%04X", c);
}

static void
write_string(struct pp_buf *out, const char *s, size_t n)
{
	char *first = pp_buf_reserve(out, ESCAPED_BYTES * n + 2), *to = first;

	*to++ = '"';
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= ' ' && c != '"' && c != '\\')
			*to++ = s[i];
		else
			to = escape(to, c);
	}
	*to++ = '"';
	pp_buf_grew(out, (size_t)(to - first));
}

void
pp_json_add_string(struct pp_buf *out, const char *text)
{
	write_string(out, text, strlen(text));
}

static void
new_line(struct writer *w)
{
	size_t n = 1 + 2 * w->depth;

	if (!w->is_pretty)
		return;
	char *to = pp_buf_reserve(&w->text, n);
	memset(to, ' ', n);
	*to = '\n';
	pp_buf_grew(&w->text, n);
}

static bool
write_object(struct writer *w, json_t *j)
{
	bool is_first = true;

	for (void *it = json_object_iter(j); it != NULL; it = json_object_iter_next(j, it)) {
		const char *key = json_object_iter_key(it);
		if (!is_first)
			add_char(w, ',');
		is_first = false;
		new_line(w);
		write_string(&w->text, key, strlen(key));
		add_char(w, ':');
		if (w->is_pretty)
			add_char(w, ' ');
		if (!write_value(w, json_object_iter_value(it)))
			return false;
	}
	return true;
}

static bool
write_array(struct writer *w, const json_t *j)
{
	for (size_t i = 0; i < json_array_size(j); i++) {
		if (i > 0)
			add_char(w, ',');
		new_line(w);
		if (!write_value(w, json_array_get(j, i)))
			return false;
	}
	return true;
}

static bool
write_compound(struct writer *w, const json_t *j)
{
	/* jansson gives iterators only of what it may change. */
	bool is_object = json_is_object(j), is_empty = pp_json_len(j) == 0;
	PP_AUTO_JSON json_t *own = pp_json_ref(j);

	add_char(w, is_object ? '{' : '[');
	w->depth++;
	bool ok = is_object ? write_object(w, own) : write_array(w, j);
	w->depth--;
	if (!is_empty)
		new_line(w);
	add_char(w, is_object ? '}' : ']');
	return ok;
}

static void
write_integer(struct writer *w, int64_t value)
{
	char *to = pp_buf_reserve(&w->text, NUMBER_BYTES);

	pp_buf_grew(&w->text, (size_t)snprintf(to, NUMBER_BYTES, "%" PRId64, value));
}

static bool
write_value(struct writer *w, const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return write_compound(w, j);
	case JSON_STRING:
		write_string(&w->text, json_string_value(j), json_string_length(j));
		return true;
	case JSON_INTEGER:
		write_integer(w, json_integer_value(j));
		return true;
	case JSON_TRUE:
		pp_buf_adds(&w->text, "true");
		return true;
	case JSON_FALSE:
		pp_buf_adds(&w->text, "false");
		return true;
	case JSON_NULL:
		pp_buf_adds(&w->text, "null");
		return true;
	case JSON_REAL:
		break;
	}
	return false;
}

char *
pp_json_write_plain(const pp_json *j, bool is_pretty)
{
	struct writer w = { .text = PP_BUF_INIT(SIZE_MAX / 2), .is_pretty = is_pretty };

	if (write_value(&w, j))
		return pp_buf_steal(&w.text);
	pp_buf_fini(&w.text);
	return NULL;
}
