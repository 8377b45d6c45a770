/* SPDX-License-Identifier: MIT */
/*
 * The order-preserving encoding of versions. The text is for libsolv alone, nobody is shown it.
 *
 *   evr   = num *( "." num ) [ pre ]    at least 3 parts, without leading zeros and idle ".0" parts
 *   pre   = 1*( "~" ident ) "~~"
 *   ident = "A" digits | "B" 1*code     a number, or any other identifier
 *   code  = letter B-Z a-z as it is | "AA" for "-" | "AB".."AK" for 0..9 | "AL" for "A"
 *
 * "~" sorts below the end of the text, so prereleases come before their release and the end of
 * the list ("~~") before one more identifier. No "-" or ":" is left: libsolv would read release
 * and epoch.
 */
#include "lib/solve/evr.h"

#include "base/str.h"

#include <ctype.h>
#include <string.h>

#define MIN_PARTS 3

static struct pp_str
without_leading_zeros(struct pp_str digits)
{
	while (digits.n > 1 && digits.p[0] == '0')
		digits = (struct pp_str){ digits.p + 1, digits.n - 1 };
	return digits;
}

/* Three parts without leading zeros, as nearly all versions have: written as they are. */
static bool
is_encoded(const char *parts)
{
	int n = 1;

	for (const char *p = parts; *p != '\0'; p++) {
		bool is_first = p == parts || p[-1] == '.';
		if (*p == '.')
			n++;
		else if (is_first && *p == '0' && p[1] != '.' && p[1] != '\0')
			return false;
	}
	return n == MIN_PARTS;
}

/* Idle parts are held back until a part that counts follows them. */
static void
add_parts(struct pp_buf *out, const char *parts)
{
	struct pp_str rest = pp_str_of(parts), part;
	size_t n = 0, idle = 0;

	if (is_encoded(parts)) {
		pp_buf_add(out, rest.p, rest.n);
		return;
	}
	while (pp_str_cut(&rest, '.', &part)) {
		part = without_leading_zeros(part);
		if (n >= MIN_PARTS && pp_str_eq(part, "0")) {
			idle++;
			continue;
		}
		for (; idle > 0; idle--)
			pp_buf_adds(out, ".0");
		if (n++ > 0)
			pp_buf_addc(out, '.');
		pp_buf_add(out, part.p, part.n);
	}
	for (; n < MIN_PARTS; n++)
		pp_buf_adds(out, n > 0 ? ".0" : "0");
}

static bool
is_number(struct pp_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isdigit((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

static void
add_code(struct pp_buf *out, char c)
{
	if (c == '-') {
		pp_buf_adds(out, "AA");
	} else if (isdigit((unsigned char)c)) {
		pp_buf_addc(out, 'A');
		pp_buf_addc(out, (char)('B' + (c - '0')));
	} else if (c == 'A') {
		pp_buf_adds(out, "AL");
	} else {
		pp_buf_addc(out, c);
	}
}

static void
add_identifier(struct pp_buf *out, struct pp_str ident)
{
	pp_buf_addc(out, '~');
	if (is_number(ident)) {
		ident = without_leading_zeros(ident);
		pp_buf_addc(out, 'A');
		pp_buf_add(out, ident.p, ident.n);
		return;
	}
	pp_buf_addc(out, 'B');
	for (size_t i = 0; i < ident.n; i++)
		add_code(out, ident.p[i]);
}

void
pp_evr_encode(struct pp_buf *out, const struct pp_version *v)
{
	add_parts(out, v->parts);
	if (v->pre == NULL)
		return;

	struct pp_str rest = pp_str_of(v->pre), ident;
	while (pp_str_cut(&rest, '.', &ident))
		add_identifier(out, ident);
	pp_buf_adds(out, "~~");
}

void
pp_evr_encode_floor(struct pp_buf *out, const struct pp_version *v)
{
	add_parts(out, v->parts);
	pp_buf_adds(out, "~~");
}
