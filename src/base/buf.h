/* SPDX-License-Identifier: MIT */
/*
 * A growing text or byte buffer with a mandatory limit. Overflow is sticky and checked at the end.
 */
#ifndef PP_BASE_BUF_H
#define PP_BASE_BUF_H

#include "base/compiler.h"

#include <stdarg.h>

struct pp_buf {
	char *s;       /* always terminated once anything was added; NULL before */
	size_t n;      /* bytes without the terminator */
	size_t size;   /* allocated */
	size_t limit;  /* most bytes that n may reach */
	bool overflow; /* something did not fit; s holds what fitted */
};

#define PP_BUF_INIT(max)                                                                           \
	{                                                                                          \
		.limit = (max)                                                                     \
	}

void pp_buf_add(struct pp_buf *b, const void *p, size_t n);
void pp_buf_adds(struct pp_buf *b, const char *s);
void pp_buf_addc(struct pp_buf *b, char c);
void pp_buf_addf(struct pp_buf *b, const char *fmt, ...) PP_PRINTF(2, 3);
void pp_buf_vaddf(struct pp_buf *b, const char *fmt, va_list ap) PP_PRINTF(2, 0);
void pp_buf_cut(struct pp_buf *b, size_t n); /* only the first n bytes stay */
void pp_buf_clear(struct pp_buf *b);         /* empty again; memory and limit stay */
/*
 * Room for n more bytes at the end; NULL (and overflow) past the limit. Fill, then pp_buf_grew().
 */
char *pp_buf_reserve(struct pp_buf *b, size_t n);
void pp_buf_grew(struct pp_buf *b, size_t n);
const char *pp_buf_cstr(const struct pp_buf *b); /* never NULL */
char *pp_buf_steal(struct pp_buf *b);            /* owned, never NULL; b is empty afterwards */
void pp_buf_fini(struct pp_buf *b);

#endif
