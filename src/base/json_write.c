/* SPDX-License-Identifier: MIT */
/* Writes JSON: on one line, over several, or with sorted members. */
#include "base/json_tree.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ESCAPED_BYTES   6 /* the most that a byte of a string becomes */
#define STRING_BYTES(n) (ESCAPED_BYTES * (n) + 2)
#define NUMBER_BYTES    24  /* of an integer */
#define ROW_BYTES       512 /* enough for most texts */

struct writer {
	char *s;
	size_t n, size;
	bool is_pretty; /* two blanks a level */
	bool is_sorted;
	size_t depth;
};

static void write_value(struct writer *w, const pp_json *j);

/* Where the next bytes go, at most so many; then w->n is raised. */
static char *
room_for(struct writer *w, size_t n)
{
	if (w->size - w->n <= n) {
		while (w->size - w->n <= n)
			w->size *= 2;
		w->s = pp_xrealloc(w->s, w->size, 1);
	}
	return w->s + w->n;
}

static void
add(struct writer *w, const char *s, size_t n)
{
	memcpy(room_for(w, n), s, n);
	w->n += n;
}

static void
add_char(struct writer *w, char c)
{
	*room_for(w, 1) = c;
	w->n++;
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

/* How many of the first bytes stand in a string as they are, in steps of eight. */
static size_t
plain_bytes(const char *s, size_t n)
{
	size_t i = 0;

	for (; n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t w;
		memcpy(&w, s + i, sizeof(w));
		if (pp_json_unusual(w) != 0)
			break;
	}
	return i;
}

/* At most STRING_BYTES(n). Behind the last one that was written. */
static char *
put_string(char *to, const char *s, size_t n)
{
	size_t plain = plain_bytes(s, n);

	*to++ = '"';
	memcpy(to, s, plain);
	to += plain;
	for (size_t i = plain; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= ' ' && c != '"' && c != '\\')
			*to++ = s[i];
		else
			to = escape(to, c);
	}
	*to++ = '"';
	return to;
}

static void
write_string(struct writer *w, const char *s, size_t n)
{
	char *to = room_for(w, STRING_BYTES(n));

	w->n += (size_t)(put_string(to, s, n) - to);
}

void
pp_json_add_string(struct pp_buf *out, const char *text)
{
	size_t n = strlen(text);
	char *to = pp_buf_reserve(out, STRING_BYTES(n));

	if (to != NULL)
		pp_buf_grew(out, (size_t)(put_string(to, text, n) - to));
}

static void
new_line(struct writer *w)
{
	size_t n = 1 + 2 * w->depth;

	if (!w->is_pretty)
		return;
	char *to = room_for(w, n);
	memset(to, ' ', n);
	*to = '\n';
	w->n += n;
}

static void
write_member(struct writer *w, const struct pp_json_member *m)
{
	write_string(w, m->key, strlen(m->key));
	add_char(w, ':');
	if (w->is_pretty)
		add_char(w, ' ');
	write_value(w, m->value);
}

static int
by_key(const void *a, const void *b)
{
	const struct pp_json_member *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static void
write_sorted(struct writer *w, const pp_json *j)
{
	struct pp_vec(const struct pp_json_member *) members = { 0 };

	for (size_t i = 0; i < j->n; i++)
		pp_vec_push(&members, &j->as.members->at[i]);
	pp_vec_sort(&members, by_key);
	for (size_t i = 0; i < members.n; i++) {
		if (i > 0)
			add_char(w, ',');
		new_line(w);
		write_member(w, members.at[i]);
	}
	pp_vec_free(&members);
}

static void
write_object(struct writer *w, const pp_json *j)
{
	for (size_t i = 0; i < j->n; i++) {
		if (i > 0)
			add_char(w, ',');
		new_line(w);
		write_member(w, &j->as.members->at[i]);
	}
}

static void
write_array(struct writer *w, const pp_json *j)
{
	for (size_t i = 0; i < j->n; i++) {
		if (i > 0)
			add_char(w, ',');
		new_line(w);
		write_value(w, j->as.elements[i]);
	}
}

static void
write_compound(struct writer *w, const pp_json *j)
{
	bool is_object = j->kind == PP_JSON_OBJECT;

	add_char(w, is_object ? '{' : '[');
	w->depth++;
	if (!is_object)
		write_array(w, j);
	else if (w->is_sorted)
		write_sorted(w, j);
	else
		write_object(w, j);
	w->depth--;
	if (j->n > 0)
		new_line(w);
	add_char(w, is_object ? '}' : ']');
}

static void
write_integer(struct writer *w, int64_t value)
{
	w->n += (size_t)snprintf(room_for(w, NUMBER_BYTES), NUMBER_BYTES, "%" PRId64, value);
}

static void
write_value(struct writer *w, const pp_json *j)
{
	switch (j->kind) {
	case PP_JSON_OBJECT:
	case PP_JSON_ARRAY:
		write_compound(w, j);
		break;
	case PP_JSON_STRING:
		write_string(w, j->as.text, j->n);
		break;
	case PP_JSON_INT:
		write_integer(w, j->as.number);
		break;
	case PP_JSON_REAL:
		add(w, j->as.text, j->n);
		break;
	case PP_JSON_BOOL:
		add(w, j->is_true ? "true" : "false", j->is_true ? 4 : 5);
		break;
	case PP_JSON_NULL:
		add(w, "null", 4);
		break;
	}
}

static char *
write_all(const pp_json *j, struct writer *w)
{
	w->size = ROW_BYTES;
	w->s = pp_xmalloc(w->size);
	write_value(w, j);
	if (w->is_pretty)
		add_char(w, '\n');
	*room_for(w, 1) = '\0';
	return w->s;
}

char *
pp_json_line(const pp_json *j)
{
	return write_all(j, &(struct writer){ .is_pretty = false });
}

char *
pp_json_pretty(const pp_json *j)
{
	return write_all(j, &(struct writer){ .is_pretty = true });
}

char *
pp_json_sorted(const pp_json *j)
{
	return write_all(j, &(struct writer){ .is_sorted = true });
}
