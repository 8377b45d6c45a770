/* SPDX-License-Identifier: MIT */
/*
 * npm's notation of ranges, read in one pass: alternatives of comparators, with carets, tildes, x
 * parts and hyphens turned into plain comparators on the way. Versions may have any number of
 * parts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "lib/model/range.h"

#define RANGE_RULE                                                                                 \
	"a range is a version, perhaps after ^ ~ = > >= < <=, such as ^1.2; or 1.x, *, 1.2 - "     \
	"1.4; "                                                                                    \
	"several joined by blanks must all hold, of several joined by || one"

/* A version of which later parts may be missing or x. */
struct partial {
	struct pp_str part[PP_VERSION_MAX_PARTS]; /* the numbers before the first x */
	size_t n;
	bool has_x;
	struct pp_str pre; /* p NULL when none */
};

struct parser {
	struct pp_str s; /* the whole text, trimmed */
	size_t i;
	struct pp_arena *arena; /* or NULL */
	struct pp_buf bound;    /* the text of one, while it is made */
	struct pp_range *range;
	struct pp_alternative *now;
	char why[128];
	size_t position; /* from 1 */
};

enum op {
	OP_NONE,
	OP_LT,
	OP_LE,
	OP_EQ,
	OP_GE,
	OP_GT,
	OP_CARET,
	OP_TILDE
};
static const char *const op_text[] = { "", "<", "<=", "=", ">=", ">", "^", "~" };

static bool PP_PRINTF(3, 4) complain(struct parser *p, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->why, sizeof(p->why), fmt, ap); /* cut is fine: only a message */
	va_end(ap);
	p->position = at + 1;
	return false;
}

static char
peek(const struct parser *p)
{
	if (p->i >= p->s.n)
		return '\0';
	return p->s.p[p->i];
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Over blanks; the number of them. */
static size_t
skip_blanks(struct parser *p)
{
	size_t from = p->i;

	while (is_blank(peek(p)))
		p->i++;
	return p->i - from;
}

static bool
at_alternative_end(const struct parser *p)
{
	return p->i == p->s.n || peek(p) == '|';
}

/* ---- bounds ---- */

static void
add_number(struct pp_buf *out, struct pp_str number, bool incremented)
{
	size_t last = number.n;

	if (!incremented) {
		pp_buf_add(out, number.p, number.n);
		return;
	}
	while (last > 0 && number.p[last - 1] == '9')
		last--;
	if (last == 0) {
		pp_buf_addc(out, '1');
	} else {
		pp_buf_add(out, number.p, last - 1);
		pp_buf_addc(out, (char)(number.p[last - 1] + 1));
	}
	for (size_t i = last; i < number.n; i++)
		pp_buf_addc(out, '0');
}

/* The first `n` numbers, the last of them one higher if asked for, then zeros up to three parts. */
static void
bound(struct parser *p, const struct partial *v, size_t n, bool incremented, struct pp_version *out)
{
	struct pp_buf *text = &p->bound;
	struct pp_str pre = incremented ? (struct pp_str){ NULL, 0 } : v->pre;
	size_t n_parts = n < 3 ? 3 : n;

	pp_buf_clear(text);
	for (size_t i = 0; i < n_parts; i++) {
		if (i > 0)
			pp_buf_addc(text, '.');
		if (i < n)
			add_number(text, v->part[i], incremented && i + 1 == n);
		else
			pp_buf_addc(text, '0');
	}
	size_t parts_n = text->n;

	if (pre.p != NULL) {
		pp_buf_addc(text, '-');
		pp_buf_add(text, pre.p, pre.n);
	}
	pp_version_make(p->arena, (struct pp_str){ text->s, text->n },
	    (struct pp_str){ text->s, parts_n }, pre, out);
}

static bool
is_zero(const struct pp_version *v)
{
	return v->pre == NULL && strspn(v->parts, "0.") == strlen(v->parts);
}

static void
add(struct parser *p, enum pp_op op, struct pp_version version, bool below_prereleases)
{
	/* ">=0" says nothing, and like npm we then take the alternative for "any". */
	if (op == PP_OP_GE && is_zero(&version)) {
		if (p->arena == NULL)
			pp_version_fini(&version);
		return;
	}
	*pp_vec_new_in(p->arena, &p->now->all) =
	    (struct pp_comparator){ op, version, below_prereleases };
}

static void
add_lower(struct parser *p, enum pp_op op, const struct partial *v)
{
	struct pp_version version;

	bound(p, v, v->n, false, &version);
	add(p, op, version, false);
}

/* Below all that follows the first n numbers, prereleases included: <2.0.0~~. */
static void
add_below_next(struct parser *p, const struct partial *v, size_t n)
{
	struct pp_version version;

	bound(p, v, n, true, &version);
	add(p, PP_OP_LT, version, true);
}

static void
add_nothing(struct parser *p)
{
	struct partial zero = { 0 };
	struct pp_version version;

	bound(p, &zero, 0, false, &version);
	add(p, PP_OP_LT, version, true);
}

/* ---- what the operators mean ---- */

static bool
is_complete(const struct partial *v)
{
	return !v->has_x && (v->n >= 3 || v->pre.p != NULL);
}

static void
mean_caret(struct parser *p, const struct partial *v)
{
	size_t keep = 1;

	/* The left-most number that is not 0 stays; of zeros only, the last one written. */
	while (keep < v->n && v->part[keep - 1].n == 1 && v->part[keep - 1].p[0] == '0')
		keep++;
	add_lower(p, PP_OP_GE, v);
	add_below_next(p, v, keep);
}

static void
mean_tilde(struct parser *p, const struct partial *v)
{
	add_lower(p, PP_OP_GE, v);
	add_below_next(p, v, v->n < 2 ? v->n : 2);
}

static void
mean_greater(struct parser *p, const struct partial *v)
{
	struct pp_version version;

	if (is_complete(v)) {
		add_lower(p, PP_OP_GT, v);
		return;
	}
	bound(p, v, v->n, true, &version);
	add(p, PP_OP_GE, version, false);
}

static void
mean_less(struct parser *p, const struct partial *v)
{
	struct pp_version version;

	bound(p, v, v->n, false, &version);
	add(p, PP_OP_LT, version, !is_complete(v));
}

static void
mean_at_most(struct parser *p, const struct partial *v)
{
	if (is_complete(v))
		add_lower(p, PP_OP_LE, v);
	else
		add_below_next(p, v, v->n);
}

static void
mean_equal(struct parser *p, const struct partial *v)
{
	if (is_complete(v)) {
		add_lower(p, PP_OP_EQ, v);
		return;
	}
	add_lower(p, PP_OP_GE, v);
	add_below_next(p, v, v->n);
}

static void
mean(struct parser *p, enum op op, const struct partial *v)
{
	if (v->n == 0) { /* "*": everything, or with < and > nothing */
		if (op == OP_LT || op == OP_GT)
			add_nothing(p);
		return;
	}
	switch (op) {
	case OP_CARET:
		mean_caret(p, v);
		return;
	case OP_TILDE:
		mean_tilde(p, v);
		return;
	case OP_GT:
		mean_greater(p, v);
		return;
	case OP_GE:
		add_lower(p, PP_OP_GE, v);
		return;
	case OP_LT:
		mean_less(p, v);
		return;
	case OP_LE:
		mean_at_most(p, v);
		return;
	case OP_NONE:
	case OP_EQ:
		mean_equal(p, v);
		return;
	}
}

/* ---- reading ---- */

static bool
read_part(struct parser *p, enum op op, struct partial *v)
{
	char c = peek(p);
	size_t from = p->i;
	struct pp_version_fault fault;

	if (c == 'x' || c == 'X' || c == '*') {
		v->has_x = true;
		p->i++;
		return true;
	}
	/* npm passes over it after ^ and ~ only. */
	if (v->has_x && op != OP_CARET && op != OP_TILDE)
		return complain(p, from, "expected x, as after an x there is no number");
	if (!pp_version_scan_number(p->s, &p->i, &fault))
		return complain(p, fault.position - 1, "%s", fault.why);
	if (!v->has_x)
		v->part[v->n++] = (struct pp_str){ p->s.p + from, p->i - from };
	return true;
}

static bool
read_tail(struct parser *p, char mark, struct pp_str *out)
{
	struct pp_version_fault fault;

	if (peek(p) != mark)
		return true;
	size_t from = ++p->i;

	if (!pp_version_scan_idents(p->s, &p->i, mark == '-', &fault))
		return complain(p, fault.position - 1, "%s", fault.why);
	*out = (struct pp_str){ p->s.p + from, p->i - from };
	if (mark == '-' && out->n > PP_VERSION_MAX_PRE)
		return complain(p, from, "the prerelease is longer than 128 bytes");
	return true;
}

static bool
is_part_start(char c)
{
	return (c >= '0' && c <= '9') || c == 'x' || c == 'X' || c == '*';
}

static bool
read_partial(struct parser *p, enum op op, struct partial *v)
{
	struct pp_str build;

	*v = (struct partial){ 0 };
	(void)skip_blanks(p);
	if ((op == OP_CARET || op == OP_TILDE) && peek(p) == '=') /* npm reads "^=v1.2" */
		p->i++;
	if (peek(p) == 'v')
		p->i++;
	if (!is_part_start(peek(p)))
		return op == OP_NONE
			   ? complain(p, p->i, "expected a version")
			   : complain(p, p->i, "expected a version after '%s'", op_text[op]);
	for (size_t n = 1;; n++) {
		if (n > PP_VERSION_MAX_PARTS)
			return complain(p, p->i, "more than 16 parts");
		if (!read_part(p, op, v))
			return false;
		if (peek(p) != '.')
			break;
		p->i++;
	}
	if (!read_tail(p, '-', &v->pre) || !read_tail(p, '+', &build))
		return false;
	if (v->has_x)
		v->pre = (struct pp_str){ NULL, 0 };
	return true;
}

static enum op
read_op(struct parser *p)
{
	char c = peek(p);

	switch (c) {
	case '^':
		p->i++;
		return OP_CARET;
	case '~':
		p->i++;
		if (peek(p) == '>') /* "~>1.2" */
			p->i++;
		return OP_TILDE;
	case '=':
		p->i++;
		return OP_EQ;
	case '<':
	case '>':
		p->i++;
		(void)skip_blanks(p);
		if (peek(p) != '=')
			return c == '<' ? OP_LT : OP_GT;
		p->i++;
		return c == '<' ? OP_LE : OP_GE;
	default:
		return OP_NONE;
	}
}

/* " - " after the first version of an alternative? Then p stands behind it. */
static bool
read_hyphen(struct parser *p)
{
	struct parser ahead = *p;

	if (skip_blanks(&ahead) == 0 || peek(&ahead) != '-')
		return false;
	ahead.i++;
	if (skip_blanks(&ahead) == 0)
		return false;
	p->i = ahead.i;
	return true;
}

static bool
read_hyphen_end(struct parser *p, const struct partial *from)
{
	struct partial to;

	if (peek(p) == '=')
		p->i++;
	if (!read_partial(p, OP_NONE, &to))
		return false;
	(void)skip_blanks(p);
	if (!at_alternative_end(p))
		return complain(p, p->i, "expected '||' or the end after 'A - B'");
	if (from->n > 0)
		add_lower(p, PP_OP_GE, from);
	if (to.n > 0)
		mean_at_most(p, &to);
	return true;
}

/* Between comparators: blanks, or a comma, which says the same. */
static bool
read_separator(struct parser *p)
{
	size_t blanks = skip_blanks(p);

	if (at_alternative_end(p))
		return true;
	if (peek(p) == ',') {
		p->i++;
		(void)skip_blanks(p);
		return !at_alternative_end(p) || complain(p, p->i, "expected a version after ','");
	}
	return blanks > 0 || complain(p, p->i, "expected a blank, '||' or the end");
}

static bool
read_alternative(struct parser *p)
{
	for (bool is_first = true; !at_alternative_end(p); is_first = false) {
		size_t from = p->i;
		enum op op = read_op(p);
		struct partial v;

		if (!read_partial(p, op, &v))
			return false;
		if (is_first && (op == OP_NONE || op == OP_EQ) && read_hyphen(p))
			return read_hyphen_end(p, &v);
		mean(p, op, &v);
		if (p->now->all.n > PP_RANGE_MAX_COMPARATORS)
			return complain(p, from, "more than 16 comparators");
		if (!read_separator(p))
			return false;
	}
	return true;
}

static bool
read_range(struct parser *p)
{
	for (size_t n = 1;; n++) {
		if (n > PP_RANGE_MAX_ALTERNATIVES)
			return complain(p, p->i, "more than 32 alternatives");
		p->now = pp_vec_new_in(p->arena, &p->range->any);
		(void)skip_blanks(p);
		if (!read_alternative(p))
			return false;
		if (p->i == p->s.n)
			return true;
		p->i++; /* the first '|' */
		if (peek(p) != '|')
			return complain(p, p->i - 1, "expected '||'");
		p->i++;
	}
}

static void
empty(struct pp_alternative *a)
{
	pp_vec_foreach (c, &a->all)
		pp_version_fini(&c->version);
	pp_vec_free(&a->all);
}

/* Beside an alternative that takes every release the others mean nothing to npm, nor to us. */
static void
drop_beside_any(struct pp_range *r)
{
	for (size_t i = 0; i < r->any.n; i++) {
		struct pp_alternative first = r->any.at[0];

		if (r->any.at[i].all.n > 0)
			continue;
		r->any.at[0] = r->any.at[i];
		r->any.at[i] = first;
		for (size_t k = 1; k < r->any.n && !r->is_in_arena; k++)
			empty(&r->any.at[k]);
		r->any.n = 1;
		return;
	}
}

PP_DEFINE_AUTO(range, struct pp_range, pp_range_free);

static enum plugpkg_code
refuse(const struct parser *p, plugpkg_error **err)
{
	PP_AUTO_FREE char *shown = pp_shown(p->s.p, p->s.n);
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_BAD_RANGE, 0,
	    "'%s' is no range: %s at position %zu", shown, p->why, p->position);

	return pp_hint(err, rc, "%s", RANGE_RULE);
}

enum plugpkg_code
pp_range_parse_in(
    struct pp_arena *a, struct pp_str text, struct pp_range **out, plugpkg_error **err)
{
	PP_AUTO(range) struct pp_range *r = pp_arena_take(a, sizeof(*r));
	struct parser p = {
		.s = pp_str_trim(text),
		.arena = a,
		.bound = PP_BUF_INIT(4 * PP_VERSION_MAX_BYTES),
		.range = r,
	};
	bool ok = false;

	*out = NULL;
	r->is_in_arena = a != NULL;
	if (text.n > PP_RANGE_MAX_BYTES)
		(void)complain(&p, PP_RANGE_MAX_BYTES, "it is longer than 4096 bytes");
	else
		ok = read_range(&p);
	pp_buf_fini(&p.bound);
	if (!ok)
		return refuse(&p, err);
	drop_beside_any(r);
	r->text = p.s.n == 0 ? pp_arena_text(a, "*", 1) : pp_arena_text(a, p.s.p, p.s.n);
	*out = pp_steal(&r);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_range_parse(struct pp_str text, struct pp_range **out, plugpkg_error **err)
{
	return pp_range_parse_in(NULL, text, out, err);
}
