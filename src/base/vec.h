/* SPDX-License-Identifier: MIT */
/* Typed growing arrays: struct pp_vec(T) has .at and .n; elements are plain values. */
#ifndef PP_BASE_VEC_H
#define PP_BASE_VEC_H

#include "base/mem.h"

#include <stdlib.h>

#define pp_vec(T)                                                                                  \
	{                                                                                          \
		T *at;                                                                             \
		size_t n, cap;                                                                     \
	}

/* Grows by doubling; gives the address of a new zeroed element. */
#define pp_vec_new(v)                                                                              \
	((v)->at = pp_vec_grow((v)->at, (v)->n, &(v)->cap, sizeof(*(v)->at)), &(v)->at[(v)->n++])
#define pp_vec_push(v, value)                                                                      \
	do {                                                                                       \
		*pp_vec_new(v) = (value);                                                          \
	} while (0)
#define pp_vec_foreach(item, v)                                                                    \
	for (__typeof__((v)->at + 0) item = (v)->at; (v)->n > 0 && item < (v)->at + (v)->n; item++)
#define pp_vec_sort(v, cmp)                                                                        \
	do {                                                                                       \
		if ((v)->n > 1)                                                                    \
			qsort((v)->at, (v)->n, sizeof(*(v)->at), cmp);                             \
	} while (0)
#define pp_vec_free(v)                                                                             \
	do {                                                                                       \
		free((v)->at);                                                                     \
		(v)->at = NULL;                                                                    \
		(v)->n = (v)->cap = 0;                                                             \
	} while (0)

void *pp_vec_grow(void *at, size_t n, size_t *cap, size_t size);

/* Owned strings. */
struct pp_strs pp_vec(char *);
void pp_strs_add(struct pp_strs *v, const char *s); /* copies */
void pp_strs_take(struct pp_strs *v, char *s);      /* moved */
void pp_strs_sort(struct pp_strs *v);
bool pp_strs_has(const struct pp_strs *v, const char *s);
/* NULL-terminated, for exec; the array is owned, its strings are views. */
const char **pp_strs_argv(const struct pp_strs *v);
void pp_strs_fini(struct pp_strs *v); /* fit for PP_CLEANUP */

#endif
