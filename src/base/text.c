/* SPDX-License-Identifier: MIT */
/* UTF-8, and what of it may reach a terminal. */
#include "base/str.h"

#include <string.h>

/* Decodes one code point. Its length in bytes; 0 when the bytes are no UTF-8 (RFC 3629). */
static size_t
decode(const unsigned char *p, size_t n, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80       ? 1
		     : p[0] >> 5 == 6  ? 2
		     : p[0] >> 4 == 14 ? 3
		     : p[0] >> 3 == 30 ? 4
				       : 0;

	if (len == 0 || len > n)
		return 0;
	uint32_t c = len == 1 ? p[0] : (uint32_t)(p[0] & (0xff >> (len + 1)));
	for (size_t i = 1; i < len; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return len;
}

/*
 * Control characters, and those that reorder, hide or break lines (Unicode TR 36, "Trojan Source").
 */
static bool
steers_a_terminal(uint32_t c)
{
	if (c == '\t')
		return false;
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return true;
	return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x061c ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

/* How many of the next bytes are printable ASCII, as nearly all are. */
static size_t
plain_bytes(const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= 0x20 && p[i] < 0x7f)
		i++;
	return i;
}

void
pp_sanitize(struct pp_buf *out, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0; i < n;) {
		uint32_t c;
		size_t plain = plain_bytes(p + i, n - i);
		if (plain > 0) {
			pp_buf_add(out, s + i, plain);
			i += plain;
			continue;
		}
		size_t len = decode(p + i, n - i, &c);
		if (len == 0) {
			pp_buf_addf(out, "\\x%02x", p[i]);
			len = 1;
		} else if (!steers_a_terminal(c)) {
			pp_buf_add(out, s + i, len);
		} else if (c < 0x80) {
			pp_buf_addf(out, "\\x%02x", (unsigned)c);
		} else {
			pp_buf_addf(out, "\\u{%x}", (unsigned)c);
		}
		i += len;
	}
}

/* How many of the first bytes are ASCII, in steps of eight. */
static size_t
ascii_bytes(const unsigned char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t w;
		memcpy(&w, p + i, sizeof(w));
		if ((w & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return i;
}

bool
pp_is_utf8(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = ascii_bytes(p, n); i < n;) {
		uint32_t c;
		size_t len = decode(p + i, n - i, &c);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}
