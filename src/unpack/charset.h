/* SPDX-License-Identifier: MIT */
/* Characters of names in archives: decoding, which are allowed, case folding. */
#ifndef PP_UNPACK_CHARSET_H
#define PP_UNPACK_CHARSET_H

#include "base/compiler.h"

/* Decodes the character at s (n > 0 bytes). Its length, or 0 when it is no UTF-8. */
size_t pp_char_next(const char *s, size_t n, uint32_t *out);
bool pp_char_allowed(uint32_t c);
/* Simple case folding: ASCII always, the rest by the tables of a UTF-8 locale. */
uint32_t pp_char_fold(uint32_t c);

#endif
