/* SPDX-License-Identifier: MIT */
/* Slices, numbers, hex and distances. */
#include "base/str.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

struct pp_str
pp_str_of(const char *s)
{
	return (struct pp_str){ s, s != NULL ? strlen(s) : 0 };
}

bool
pp_str_eq(struct pp_str a, const char *b)
{
	return a.n == strlen(b) && (a.n == 0 || memcmp(a.p, b, a.n) == 0);
}

int
pp_str_cmp(struct pp_str a, struct pp_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

bool
pp_starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
pp_ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct pp_str
pp_str_trim(struct pp_str s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool
pp_str_cut(struct pp_str *rest, char sep, struct pp_str *out_part)
{
	if (rest->p == NULL)
		return false;
	const char *at = rest->n > 0 ? memchr(rest->p, sep, rest->n) : NULL;
	if (at == NULL) {
		*out_part = *rest;
		*rest = (struct pp_str){ NULL, 0 };
		return true;
	}
	size_t n = (size_t)(at - rest->p);
	*out_part = (struct pp_str){ rest->p, n };
	*rest = (struct pp_str){ at + 1, rest->n - n - 1 };
	return true;
}

int
pp_parse_u64(struct pp_str s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (s.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	if (value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

void
pp_hex(const uint8_t *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int
pp_unhex(struct pp_str s, uint8_t *out, size_t n)
{
	if (s.n != 2 * n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int hi = nibble(s.p[2 * i]), lo = nibble(s.p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return -EINVAL;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

bool
pp_is_sha256(const char *s)
{
	if (s == NULL || strnlen(s, 65) != 64)
		return false;
	for (size_t i = 0; i < 64; i++)
		if (nibble(s[i]) < 0)
			return false;
	return true;
}

size_t
pp_distance(const char *a, const char *b, size_t max)
{
	size_t n = strlen(a), m = strlen(b);
	size_t gap = n > m ? n - m : m - n;

	if (gap > max)
		return max + 1;
	PP_AUTO_FREE size_t *row = pp_xcalloc(m + 1, sizeof(*row));
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t cost = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[m] <= max ? row[m] : max + 1;
}
