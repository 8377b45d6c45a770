/* SPDX-License-Identifier: MIT */
/* Slices of text, numbers from outside, hex, and what may reach a terminal. */
#ifndef PP_BASE_STR_H
#define PP_BASE_STR_H

#include "base/buf.h"

struct pp_str {
	const char *p;
	size_t n;
};

#define PP_STR(lit) ((struct pp_str){ (lit), sizeof(lit) - 1 })

struct pp_str pp_str_of(const char *s); /* NULL is the empty slice */
bool pp_str_eq(struct pp_str a, const char *b);
int pp_str_cmp(struct pp_str a, struct pp_str b); /* by bytes; the shorter first */
bool pp_starts_with(const char *s, const char *prefix);
bool pp_ends_with(const char *s, const char *suffix);
struct pp_str pp_str_trim(struct pp_str s); /* blanks and tabs at both ends */
/* Cuts the part before the first `sep` off *rest; false when *rest was exhausted (p == NULL). */
bool pp_str_cut(struct pp_str *rest, char sep, struct pp_str *out_part);

/* Decimal digits only, no sign, no blanks, not above max. 0, -EINVAL or -ERANGE. */
int pp_parse_u64(struct pp_str s, uint64_t max, uint64_t *out) PP_MUSTUSE;

void pp_hex(const uint8_t *bytes, size_t n, char *out); /* out: 2 n + 1 bytes, lower case */
int pp_unhex(
    struct pp_str s, uint8_t *out, size_t n) PP_MUSTUSE; /* exactly 2 n lower-case digits */
bool pp_is_sha256(const char *s);                        /* exactly 64 lower-case hex digits */

/* Levenshtein distance of two short texts, for "did you mean"; more than max gives max + 1. */
size_t pp_distance(const char *a, const char *b, size_t max);

/*
 * Appends s with everything that could steer a terminal or forge a line taken out: C0, DEL, C1,
 * bidirectional controls, line separators and bytes that are no UTF-8 become `\xNN` or `\u{NNNN}`.
 * Tab stays.
 */
void pp_sanitize(struct pp_buf *out, const char *s, size_t n);
bool pp_is_utf8(const char *s, size_t n);

#endif
