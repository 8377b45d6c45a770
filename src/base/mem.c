/* SPDX-License-Identifier: MIT */
/* Allocation that aborts instead of failing. */
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_BYTES 256 /* of a formatted text */

static void *
or_abort(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

void *
pp_xmalloc(size_t n)
{
	return or_abort(malloc(n > 0 ? n : 1));
}

void *
pp_xcalloc(size_t n, size_t size)
{
	return or_abort(calloc(n > 0 ? n : 1, size > 0 ? size : 1));
}

void *
pp_xrealloc(void *p, size_t n, size_t size)
{
	return or_abort(reallocarray(p, n > 0 ? n : 1, size > 0 ? size : 1));
}

char *
pp_xstrdup(const char *s)
{
	return s == NULL ? NULL : or_abort(strdup(s));
}

char *
pp_xstrndup(const char *s, size_t n)
{
	char *copy = pp_xmalloc(n + 1);

	if (n > 0)
		memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *
pp_concat(const char *a, const char *b, const char *c)
{
	size_t na = strlen(a), nb = strlen(b), nc = strlen(c);
	char *text = pp_xmalloc(na + nb + nc + 1);

	/* NOLINTBEGIN(bugprone-not-null-terminated-result): the last one brings the end */
	memcpy(text, a, na);
	memcpy(text + na, b, nb);
	/* NOLINTEND(bugprone-not-null-terminated-result) */
	memcpy(text + na + nb, c, nc + 1);
	return text;
}

char *
pp_asprintf(const char *fmt, ...)
{
	char usual[USUAL_BYTES];
	char *text = NULL;
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(usual, sizeof(usual), fmt, ap);
	if (n >= (int)sizeof(usual))
		n = vasprintf(&text, fmt, again);
	else if (n >= 0)
		text = pp_xstrndup(usual, (size_t)n);
	va_end(again);
	va_end(ap);
	if (n < 0)
		abort();
	return text;
}

void
pp_auto_free(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}
