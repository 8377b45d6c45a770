/* SPDX-License-Identifier: MIT */
/* The untyped half of pp_vec, and lists of strings. */
#include "base/vec.h"

#include <string.h>

/* There are very many lists of one or two: ranges, what a release requires. */
#define FIRST_BYTES 64

void *
pp_vec_grow(void *at, size_t n, size_t *cap, size_t size)
{
	if (n == *cap) {
		size_t first = size < FIRST_BYTES ? FIRST_BYTES / size : 1;
		*cap = *cap > 0 ? 2 * *cap : first;
		at = pp_xrealloc(at, *cap, size);
	}
	memset((char *)at + n * size, 0, size);
	return at;
}

void
pp_strs_add(struct pp_strs *v, const char *s)
{
	pp_vec_push(v, pp_xstrdup(s));
}

void
pp_strs_take(struct pp_strs *v, char *s)
{
	pp_vec_push(v, s);
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
pp_strs_sort(struct pp_strs *v)
{
	pp_vec_sort(v, by_bytes);
}

bool
pp_strs_has(const struct pp_strs *v, const char *s)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->at[i], s) == 0)
			return true;
	return false;
}

void
pp_strs_fini(struct pp_strs *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->at[i]);
	pp_vec_free(v);
}

const char **
pp_strs_argv(const struct pp_strs *v)
{
	const char **argv = pp_xcalloc(v->n + 1, sizeof(*argv));

	for (size_t i = 0; i < v->n; i++)
		argv[i] = v->at[i];
	return argv;
}
