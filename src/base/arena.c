/* SPDX-License-Identifier: MIT */
/* Blocks of memory that are filled from their start and freed together. */
#include "base/arena.h"

#include <string.h>

#define BLOCK_BYTES ((size_t)64 * 1024)
#define ALIGNMENT   sizeof(void *)

struct block {
	struct block *before;
	size_t size, used;
	char bytes[];
};

struct pp_arena {
	struct block *last; /* the one being filled, or NULL */
	size_t n_holders;
	void *known; /* by who fills it */
	bool has_owner;
};

struct pp_arena *
pp_arena_new(void)
{
	struct pp_arena *a = pp_xcalloc(1, sizeof(*a));

	a->has_owner = true;
	return a;
}

static void
free_blocks(struct block *b)
{
	while (b != NULL) {
		struct block *before = b->before;
		free(b);
		b = before;
	}
}

/* The block that is filled stays: whoever asks name by name needs no more than that. */
static void
empty(struct pp_arena *a)
{
	a->known = NULL;
	if (a->last == NULL)
		return;
	free_blocks(a->last->before);
	a->last->before = NULL;
	a->last->used = 0;
}

static void
settle(struct pp_arena *a)
{
	if (a->n_holders > 0)
		return;
	if (a->has_owner) {
		empty(a);
		return;
	}
	free_blocks(a->last);
	free(a);
}

void
pp_arena_free(struct pp_arena *a)
{
	if (a == NULL)
		return;
	a->has_owner = false;
	settle(a);
}

void
pp_arena_hold(struct pp_arena *a)
{
	a->n_holders++;
}

void
pp_arena_drop(struct pp_arena *a)
{
	a->n_holders--;
	settle(a);
}

void **
pp_arena_known(struct pp_arena *a)
{
	return &a->known;
}

static char *
room_for(struct pp_arena *a, size_t n)
{
	if (a->last == NULL || n > a->last->size - a->last->used) {
		size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
		struct block *b = pp_xmalloc(sizeof(*b) + size);

		*b = (struct block){ .before = a->last, .size = size };
		a->last = b;
	}
	char *room = a->last->bytes + a->last->used;
	a->last->used += n;
	return room;
}

/* Texts lie where they come; everything else begins where a pointer may. */
static void
align(struct pp_arena *a)
{
	struct block *b = a->last;

	if (b != NULL && b->used % ALIGNMENT != 0)
		b->used += ALIGNMENT - b->used % ALIGNMENT;
	if (b != NULL && b->used > b->size)
		b->used = b->size;
}

void *
pp_arena_take(struct pp_arena *a, size_t n)
{
	if (a == NULL)
		return pp_xcalloc(1, n);
	align(a);
	return memset(room_for(a, n), 0, n);
}

char *
pp_arena_text(struct pp_arena *a, const char *p, size_t n)
{
	if (a == NULL)
		return pp_xstrndup(p, n);
	char *text = room_for(a, n + 1);
	if (n > 0)
		memcpy(text, p, n);
	text[n] = '\0';
	return text;
}

void *
pp_arena_grow(struct pp_arena *a, void *at, size_t n, size_t *cap, size_t size)
{
	if (a == NULL)
		return pp_vec_grow(at, n, cap, size);
	if (n < *cap)
		return at;
	*cap = *cap > 0 ? 2 * *cap : 1;
	void *grown = pp_arena_take(a, *cap * size);
	if (n > 0)
		memcpy(grown, at, n * size);
	return grown;
}
