/* SPDX-License-Identifier: MIT */
/* The growing buffer with a limit. */
#include "base/buf.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE  64
#define USUAL_BYTES 512 /* of a formatted text */

char *
pp_buf_reserve(struct pp_buf *b, size_t n)
{
	if (n > b->limit - b->n) {
		b->overflow = true;
		return NULL;
	}
	if (b->size - b->n <= n) {
		size_t size = b->size > 0 ? b->size : FIRST_SIZE;
		while (size - b->n <= n)
			size *= 2;
		b->s = pp_xrealloc(b->s, size, 1);
		b->size = size;
	}
	b->s[b->n] = '\0';
	return b->s + b->n;
}

void
pp_buf_grew(struct pp_buf *b, size_t n)
{
	b->n += n;
	b->s[b->n] = '\0';
}

void
pp_buf_add(struct pp_buf *b, const void *p, size_t n)
{
	size_t fits = n < b->limit - b->n ? n : b->limit - b->n;
	char *to = pp_buf_reserve(b, fits);

	if (fits > 0 && to != NULL)
		memcpy(to, p, fits);
	pp_buf_grew(b, fits);
	if (fits < n)
		b->overflow = true;
}

void
pp_buf_adds(struct pp_buf *b, const char *s)
{
	pp_buf_add(b, s, strlen(s));
}

void
pp_buf_addc(struct pp_buf *b, char c)
{
	pp_buf_add(b, &c, 1);
}

void
pp_buf_vaddf(struct pp_buf *b, const char *fmt, va_list ap)
{
	PP_AUTO_FREE char *long_text = NULL;
	char text[USUAL_BYTES];
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n >= (int)sizeof(text))
		n = vasprintf(&long_text, fmt, again);
	va_end(again);
	if (n < 0)
		abort();
	pp_buf_add(b, long_text != NULL ? long_text : text, (size_t)n);
}

void
pp_buf_addf(struct pp_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pp_buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void
pp_buf_cut(struct pp_buf *b, size_t n)
{
	if (n >= b->n)
		return;
	b->n = n;
	b->s[n] = '\0';
}

void
pp_buf_clear(struct pp_buf *b)
{
	b->n = 0;
	b->overflow = false;
	if (b->s != NULL)
		b->s[0] = '\0';
}

const char *
pp_buf_cstr(const struct pp_buf *b)
{
	return b->s != NULL ? b->s : "";
}

char *
pp_buf_steal(struct pp_buf *b)
{
	char *s = b->s != NULL ? b->s : pp_xstrdup("");

	b->s = NULL;
	b->n = b->size = 0;
	return s;
}

void
pp_buf_fini(struct pp_buf *b)
{
	free(b->s);
	b->s = NULL;
	b->n = b->size = 0;
}
