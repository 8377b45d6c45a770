/* SPDX-License-Identifier: MIT */
/*
 * A quick reader for JSON as it nearly always is: rows of the index, manifests, and answers. It
 * gives up at mistakes and at anything unusual, and the library reads the text from its start.
 */
#include "base/json_plain.h"

#include "base/json_tree.h"
#include "base/mem.h"

#include <endian.h>
#include <string.h>

#define MAX_DEPTH  32 /* of lists and objects in each other */
#define MAX_DIGITS 19 /* of an integer; so it fits 64 bits without a sign */
#define MANY       64 /* members and elements that are read and not in their place yet */
#define ENOUGH(n)  (3 * (n) + 256) /* memory for most texts of n bytes: themselves, and values */

struct reader {
	char *p, *end; /* in the tree, where the text is taken apart */
	struct pp_json_tree *tree;
	int depth;
	struct pp_json_member *parts; /* of what is being read, those of the innermost last */
	size_t n_parts, room;
	struct pp_json_member first[MANY];
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

/* ---- texts ---- */

/* Behind the bytes that neither end a text nor stand in it otherwise than as they are. */
static char *
skip_plain(char *p)
{
	for (;; p += sizeof(uint64_t)) {
		uint64_t w;
		memcpy(&w, p, sizeof(w));
		uint64_t unusual = pp_json_unusual(le64toh(w));
		if (unusual != 0)
			return p + __builtin_ctzll(unusual) / 8;
	}
}

/* The character that a letter behind a backslash means; 0: none, or one given by its number. */
static char
escaped(char letter)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *known = letter != '\0' ? strchr(letters, letter) : NULL;

	return (char)(known != NULL ? meant[known - letters] : '\0');
}

/* The rest of a text in which not every byte stands for itself; it becomes shorter. */
static bool
read_unusual(struct reader *r, char *first, char *from, struct pp_str *out)
{
	char *to = from;

	for (; from < r->end && *from != '"'; from++) {
		if ((unsigned char)*from < ' ')
			return false;
		*to = *from;
		if (*from == '\\' && (++from == r->end || (*to = escaped(*from)) == '\0'))
			return false;
		to++;
	}
	*out = (struct pp_str){ first, (size_t)(to - first) };
	if (from == r->end || !pp_is_utf8(first, out->n))
		return false;
	r->p = from + 1;
	*to = '\0';
	return true;
}

/* It stays where it is, and its end is marked. */
static bool
read_text(struct reader *r, struct pp_str *out)
{
	if (!take(r, '"'))
		return false;
	char *first = r->p, *p = skip_plain(first);
	if (p >= r->end || *p != '"')
		return read_unusual(r, first, p, out);
	*out = (struct pp_str){ first, (size_t)(p - first) };
	*p = '\0';
	r->p = p + 1;
	return true;
}

/* ---- lists and objects ---- */

static void
add_part(struct reader *r, const char *key, pp_json *value)
{
	if (r->n_parts == r->room) {
		size_t room = 2 * r->room;
		struct pp_json_member *more = pp_xmalloc(room * sizeof(*more));
		memcpy(more, r->parts, r->n_parts * sizeof(*more));
		if (r->parts != r->first)
			free(r->parts);
		r->parts = more;
		r->room = room;
	}
	r->parts[r->n_parts++] = (struct pp_json_member){ key, value };
}

static bool
read_member(struct reader *r)
{
	struct pp_str key;

	if (!read_text(r, &key) || !take(r, ':'))
		return false;
	pp_json *value = read_value(r);
	if (value != NULL)
		add_part(r, key.p, value);
	return value != NULL;
}

static bool
read_element(struct reader *r)
{
	pp_json *value = read_value(r);

	if (value != NULL)
		add_part(r, NULL, value);
	return value != NULL;
}

/* The rest of a list or an object, behind its bracket. */
static bool
read_parts(struct reader *r, char close, bool (*read_part)(struct reader *))
{
	if (take(r, close))
		return true;
	do {
		if (!read_part(r))
			return false;
	} while (take(r, ','));
	return take(r, close);
}

static pp_json *
read_compound(struct reader *r)
{
	bool is_object = *r->p++ == '{';
	size_t before = r->n_parts;

	if (r->depth == MAX_DEPTH)
		return NULL;
	r->depth++;
	if (!read_parts(r, is_object ? '}' : ']', is_object ? read_member : read_element))
		return NULL;
	r->depth--;
	pp_json *j = pp_json_node(r->tree, is_object ? PP_JSON_OBJECT : PP_JSON_ARRAY);
	size_t n = r->n_parts - before;
	r->n_parts = before;
	if (!is_object)
		pp_json_fill_array(j, r->parts + before, n);
	return is_object && !pp_json_fill_object(j, r->parts + before, n) ? NULL : j;
}

/* ---- numbers and words ---- */

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
	uint64_t n = 0;

	for (r->p += is_negative; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
		if (r->p - first == MAX_DIGITS)
			return NULL;
		n = 10 * n + (uint64_t)(*r->p - '0');
	}
	if (r->p == first || (*first == '0' && r->p - first > 1) || n > INT64_MAX || !is_ended(r))
		return NULL;
	pp_json *j = pp_json_node(r->tree, PP_JSON_INT);
	j->as.number = is_negative ? -(int64_t)n : (int64_t)n;
	return j;
}

static pp_json *
read_word(struct reader *r, const char *word, const pp_json *value)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
		return NULL;
	r->p += n;
	return is_ended(r) ? pp_json_mutable(value) : NULL;
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
		return read_text(r, &text) ? pp_json_node_text(r->tree, PP_JSON_STRING, text)
					   : NULL;
	case 't':
		return read_word(r, "true", &pp_json_true);
	case 'f':
		return read_word(r, "false", &pp_json_false);
	case 'n':
		return read_word(r, "null", &pp_json_null);
	default:
		return read_number(r);
	}
}

pp_json *
pp_json_read_plain(const char *text, size_t n)
{
	struct reader r = { .room = MANY };
	size_t start = 0;

	while (start < n && strchr(" \t\r\n", text[start]) != NULL && text[start] != '\0')
		start++;
	if (start == n || (text[start] != '{' && text[start] != '['))
		return NULL;
	r.tree = pp_json_tree_new(ENOUGH(n));
	r.parts = r.first;
	r.p = pp_json_take(r.tree, n + sizeof(uint64_t)); /* read by eight, to a zero behind it */
	r.end = r.p + n;
	memcpy(r.p, text, n);
	memset(r.end, 0, sizeof(uint64_t));
	pp_json *j = read_value(&r);
	if (r.parts != r.first)
		free(r.parts);
	skip_blanks(&r);
	if (j != NULL && r.p == r.end)
		return j;
	pp_json_tree_drop(r.tree);
	return NULL;
}
