/* SPDX-License-Identifier: MIT */
/*
 * A quick reader for the JSON that plugpkg itself writes: rows of the index and of answers. It
 * gives up at anything unusual, and the library reads the text from its start.
 */
#include "base/json_plain.h"

#include "base/mem.h"
#include "base/str.h"

#include <jansson.h>
#include <string.h>

#define MAX_DEPTH  32 /* of lists and objects in each other */
#define MAX_KEY    256
#define MAX_DIGITS 18 /* of an integer; so it fits 64 bits */

struct reader {
	const char *p, *end;
	int depth;
};

static pp_json *read_value(struct reader *r);

static void
skip_blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
		r->p++;
}

/* The next character after blanks, if it is this one. */
static bool
take(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Has any of eight bytes this value? */
static bool
has_byte(uint64_t w, uint8_t byte)
{
	uint64_t v = w ^ EACH(byte);

	return ((v - EACH(1)) & ~v & EACH(0x80)) != 0;
}

/* Eight bytes at once: none of them ends a text or stands in it otherwise than as it is. */
static bool
is_plain(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return (((w - EACH(' ')) | w) & EACH(0x80)) == 0 && !has_byte(w, '"') &&
	       !has_byte(w, '\\') && !has_byte(w, 0x7f);
}

/* Without escapes and within ASCII the text stands as it is. */
static bool
read_text(struct reader *r, struct pp_str *out)
{
	if (!take(r, '"'))
		return false;
	const char *p = r->p;
	while (r->end - p >= 8 && is_plain(p))
		p += 8;
	while (p < r->end && *p >= ' ' && *p < 0x7f && *p != '"' && *p != '\\')
		p++;
	if (p == r->end || *p != '"')
		return false;
	*out = (struct pp_str){ r->p, (size_t)(p - r->p) };
	r->p = p + 1;
	return true;
}

/* A member whose name is there already leaves the object as long as it was. */
static bool
read_member(struct reader *r, pp_json *object)
{
	struct pp_str text;
	char key[MAX_KEY];
	size_t n = json_object_size(object);

	if (!read_text(r, &text) || text.n >= sizeof(key) || !take(r, ':'))
		return false;
	memcpy(key, text.p, text.n);
	key[text.n] = '\0';
	pp_json *value = read_value(r);
	return value != NULL && json_object_set_new_nocheck(object, key, value) == 0 &&
	       json_object_size(object) == n + 1;
}

static bool
read_element(struct reader *r, pp_json *list)
{
	pp_json *value = read_value(r);

	return value != NULL && json_array_append_new(list, value) == 0;
}

/* The rest of a list or an object, behind its bracket. */
static bool
read_parts(
    struct reader *r, pp_json *into, char close, bool (*read_part)(struct reader *, pp_json *))
{
	if (take(r, close))
		return true;
	do {
		if (!read_part(r, into))
			return false;
	} while (take(r, ','));
	return take(r, close);
}

static pp_json *
read_compound(struct reader *r)
{
	bool is_object = *r->p++ == '{';
	PP_AUTO_JSON pp_json *j = is_object ? pp_json_object() : pp_json_array();

	if (r->depth == MAX_DEPTH)
		return NULL;
	r->depth++;
	if (!read_parts(r, j, is_object ? '}' : ']', is_object ? read_member : read_element))
		return NULL;
	r->depth--;
	return pp_steal(&j);
}

/* What may stand behind a number or a word without changing what it is. */
static bool
is_ended(const struct reader *r)
{
	return r->p < r->end && strchr(",}] \t\r\n", *r->p) != NULL && *r->p != '\0';
}

static pp_json *
read_number(struct reader *r)
{
	bool is_negative = *r->p == '-';
	const char *first = r->p + is_negative;
	int64_t n = 0;

	for (r->p = first; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
		if (r->p - first == MAX_DIGITS)
			return NULL;
		n = 10 * n + (*r->p - '0');
	}
	if (r->p == first || (*first == '0' && r->p - first > 1) || !is_ended(r))
		return NULL;
	return pp_json_int(is_negative ? -n : n);
}

static bool
take_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
		return false;
	r->p += n;
	return is_ended(r);
}

static pp_json *
read_value(struct reader *r)
{
	struct pp_str text;

	skip_blanks(r);
	if (r->p == r->end)
		return NULL;
	switch (*r->p) {
	case '{':
	case '[':
		return read_compound(r);
	case '"':
		return read_text(r, &text) ? json_stringn_nocheck(text.p, text.n) : NULL;
	case 't':
		return take_word(r, "true") ? pp_json_bool(true) : NULL;
	case 'f':
		return take_word(r, "false") ? pp_json_bool(false) : NULL;
	default:
		return read_number(r);
	}
}

pp_json *
pp_json_read_plain(const char *text, size_t n)
{
	struct reader r = { .p = text, .end = text + n };

	skip_blanks(&r);
	if (r.p == r.end || (*r.p != '{' && *r.p != '['))
		return NULL;
	PP_AUTO_JSON pp_json *j = read_value(&r);
	skip_blanks(&r);
	return r.p == r.end ? pp_steal(&j) : NULL;
}
