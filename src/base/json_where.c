/* SPDX-License-Identifier: MIT */
/*
 * A walk along one path through a JSON text. It relies on the parser having seen the text; of any
 * other it only promises to end and to stay inside.
 */
#include "base/json_where.h"

#include <limits.h>
#include <string.h>

#define DEPTH_MAX 64
#define NO_MATCH  SIZE_MAX

struct walk {
	struct pp_str text;
	const char *path;
	size_t path_n;
	size_t at;      /* in text */
	size_t best;    /* bytes of the path that were found */
	size_t best_at; /* and where in text that was */
};

static int
here(const struct walk *w)
{
	return w->at < w->text.n ? (unsigned char)w->text.p[w->at] : -1;
}

static void
skip_blanks(struct walk *w)
{
	while (here(w) == ' ' || here(w) == '\t' || here(w) == '\n' || here(w) == '\r')
		w->at++;
}

/* ---- strings ---- */

static unsigned
hex4(const struct walk *w, size_t at)
{
	unsigned n = 0;

	for (size_t i = at; i < at + 4 && i < w->text.n; i++) {
		char c = w->text.p[i];
		unsigned digit =
		    c >= '0' && c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 0x20U) - 'a' + 10;
		n = n << 4 | (digit & 0xfU);
	}
	return n;
}

static size_t
encode(unsigned u, char out[4])
{
	if (u < 0x80) {
		out[0] = (char)u;
		return 1;
	}
	size_t n = u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n - 1; i > 0; i--, u >>= 6)
		out[i] = (char)(0x80U | (u & 0x3fU));
	out[0] = (char)(first[n] | u);
	return n;
}

/* The escape behind a backslash; w->at stands at its letter and is moved behind the escape. */
static size_t
escaped(struct walk *w, char out[4])
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	int c = here(w);
	const char *known = c > 0 ? strchr(letters, c) : NULL;

	w->at++;
	if (c != 'u') {
		out[0] = (char)(known != NULL ? meant[known - letters] : c);
		return 1;
	}
	unsigned u = hex4(w, w->at);
	w->at += 4;
	/* The parser let no half of a pair pass. */
	if (u >= 0xd800 && u < 0xdc00) {
		u = 0x10000 + ((u - 0xd800) << 10) + ((hex4(w, w->at + 2) - 0xdc00) & 0x3ffU);
		w->at += 6;
	}
	return encode(u, out);
}

/*
 * Goes behind the string that begins here. The bytes of the path behind `from` that it equals when
 * they are a whole step, else NO_MATCH.
 */
static size_t
string(struct walk *w, size_t from)
{
	size_t n = 0;
	bool is_equal = from != NO_MATCH;

	for (w->at++; here(w) >= 0 && here(w) != '"';) {
		char c[4] = { (char)here(w) };
		size_t len = 1;

		w->at++;
		if (c[0] == '\\')
			len = escaped(w, c);
		is_equal = is_equal && w->path_n - from - n >= len &&
			   memcmp(w->path + from + n, c, len) == 0;
		n += is_equal ? len : 0;
	}
	w->at++;
	if (!is_equal)
		return NO_MATCH;
	char next = w->path[from + n];
	return next == '\0' || next == '.' || next == '[' ? n : NO_MATCH;
}

/* ---- values ---- */

static void
skip_value(struct walk *w)
{
	size_t depth = 0;

	skip_blanks(w);
	for (int c; (c = here(w)) >= 0;) {
		if (c == '"') {
			(void)string(w, NO_MATCH); /* only to its end */
			if (depth == 0)
				return;
			continue;
		}
		if (depth == 0 && strchr(",]} \t\r\n", c) != NULL)
			return; /* the end of a number or a word */
		w->at++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return;
	}
}

static void value(struct walk *w, size_t found, int depth);

/* What stands at `at` is the path up to `found`: followed further when the path goes on. */
static void
follow(struct walk *w, size_t found, size_t at, int depth)
{
	if (found == NO_MATCH) {
		skip_value(w);
		return;
	}
	if (found > w->best) {
		w->best = found;
		w->best_at = at;
	}
	value(w, found, depth + 1);
}

static void
object(struct walk *w, size_t found, int depth)
{
	/* Members of the whole value stand in the path without a dot before them. */
	bool is_on_way = found == 0 || w->path[found] == '.';
	size_t from = found == 0 ? 0 : found + 1;

	for (w->at++;; w->at++) {
		skip_blanks(w);
		if (here(w) != '"')
			break;
		size_t at = w->at;
		size_t n = string(w, is_on_way ? from : NO_MATCH);

		skip_blanks(w);
		w->at++; /* the colon */
		follow(w, n == NO_MATCH ? NO_MATCH : from + n, at, depth);
		skip_blanks(w);
		if (here(w) != ',')
			break;
	}
	w->at++;
}

static void
array(struct walk *w, size_t found, int depth)
{
	const char *close = w->path[found] == '[' ? strchr(w->path + found, ']') : NULL;
	struct pp_str digits = { w->path + found + 1, 0 };
	uint64_t wanted = UINT64_MAX;

	if (close != NULL)
		digits.n = (size_t)(close - digits.p);
	if (close == NULL || pp_parse_u64(digits, UINT64_MAX - 1, &wanted) < 0)
		wanted = UINT64_MAX;
	for (uint64_t i = 0;; i++) {
		w->at++;
		skip_blanks(w);
		if (here(w) < 0 || here(w) == ']')
			break;
		size_t next = close != NULL ? (size_t)(close + 1 - w->path) : 0;

		follow(w, i == wanted ? next : NO_MATCH, w->at, depth);
		skip_blanks(w);
		if (here(w) != ',')
			break;
	}
	w->at++;
}

static void
value(struct walk *w, size_t found, int depth)
{
	bool is_end = found == w->path_n || depth > DEPTH_MAX;

	skip_blanks(w);
	if (!is_end && here(w) == '{')
		object(w, found, depth);
	else if (!is_end && here(w) == '[')
		array(w, found, depth);
	else
		skip_value(w);
}

bool
pp_json_where(struct pp_str text, const char *path, struct pp_json_pos *out)
{
	struct walk w = { .text = text, .path = path, .path_n = strlen(path) };

	skip_blanks(&w);
	w.best_at = w.at;
	value(&w, 0, 0);
	*out = (struct pp_json_pos){ 1, 1 };
	for (size_t i = 0; i < w.best_at && i < text.n; i++) {
		if (text.p[i] == '\n') {
			out->line += out->line < INT_MAX ? 1 : 0;
			out->column = 1;
		} else if (((unsigned char)text.p[i] & 0xc0U) != 0x80) {
			out->column += out->column < INT_MAX ? 1 : 0;
		}
	}
	return w.best == w.path_n;
}
