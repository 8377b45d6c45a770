/* SPDX-License-Identifier: MIT */
/*
 * Memory that is given back as a whole: for thousands of small things that come and go together.
 * Each function takes NULL for an arena and then allocates singly, so that one parser serves both.
 */
#ifndef PP_BASE_ARENA_H
#define PP_BASE_ARENA_H

#include "base/vec.h"

struct pp_arena;

struct pp_arena *pp_arena_new(void);
/* By its owner. Its memory stays as long as somebody holds it. */
void pp_arena_free(struct pp_arena *a);
/*
 * What lives in it holds it. As soon as nobody does, its memory goes to the next, or back to the
 * system when its owner has gone.
 */
void pp_arena_hold(struct pp_arena *a);
void pp_arena_drop(struct pp_arena *a);

/*
 * Where who fills it may put a pointer to what he wants to find in it again: NULL in the beginning,
 * and when its memory went to the next.
 */
void **pp_arena_known(struct pp_arena *a);

void *pp_arena_take(struct pp_arena *a, size_t n); /* zeroed */
char *pp_arena_text(struct pp_arena *a, const char *p, size_t n);
void *pp_arena_grow(struct pp_arena *a, void *at, size_t n, size_t *cap, size_t size);

/* As pp_vec_new(). */
#define pp_vec_new_in(a, v)                                                                        \
	((v)->at = pp_arena_grow(a, (v)->at, (v)->n, &(v)->cap, sizeof(*(v)->at)),                 \
	    &(v)->at[(v)->n++])

#endif
