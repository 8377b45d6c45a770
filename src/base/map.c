/* SPDX-License-Identifier: MIT */
/* Open addressing over an array in order of insertion. */
#include "base/map.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, 32 bits. Keys are bounded names, and a table of names is never large enough to attack. */
static uint32_t
hash_of(const char *key)
{
	uint32_t h = 2166136261u;

	for (const unsigned char *p = (const unsigned char *)key; *p != '\0'; p++)
		h = (h ^ *p) * 16777619u;
	return h;
}

/* The slot that holds key, or the free one where it would go. */
static uint32_t *
find_slot(const struct pp_map *m, const char *key, uint32_t hash)
{
	size_t mask = m->n_slots - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		uint32_t *slot = &m->slots[i];
		if (*slot == 0)
			return slot;
		const struct pp_map_entry *e = &m->at[*slot - 1];
		if (e->hash == hash && strcmp(e->key, key) == 0)
			return slot;
	}
}

static void
grow(struct pp_map *m)
{
	m->cap = m->cap > 0 ? 2 * m->cap : 16;
	m->at = pp_xrealloc(m->at, m->cap, sizeof(*m->at));
	free(m->slots);
	m->n_slots = 2 * m->cap;
	m->slots = pp_xcalloc(m->n_slots, sizeof(*m->slots));
	for (size_t i = 0; i < m->n; i++)
		*find_slot(m, m->at[i].key, m->at[i].hash) = (uint32_t)(i + 1);
}

void *
pp_map_get(const struct pp_map *m, const char *key)
{
	if (m->n == 0)
		return NULL;
	uint32_t slot = *find_slot(m, key, hash_of(key));
	return slot == 0 ? NULL : m->at[slot - 1].value;
}

bool
pp_map_has(const struct pp_map *m, const char *key)
{
	return m->n > 0 && *find_slot(m, key, hash_of(key)) != 0;
}

void **
pp_map_put(struct pp_map *m, const char *key)
{
	uint32_t hash = hash_of(key);

	if (m->n == m->cap)
		grow(m);
	uint32_t *slot = find_slot(m, key, hash);
	if (*slot == 0) {
		m->at[m->n] = (struct pp_map_entry){ .key = pp_xstrdup(key), .hash = hash };
		*slot = (uint32_t)++m->n;
	}
	return &m->at[*slot - 1].value;
}

void
pp_map_fini(struct pp_map *m, void (*free_value)(void *))
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->at[i].key);
		if (free_value != NULL)
			free_value(m->at[i].value);
	}
	free(m->at);
	free(m->slots);
	*m = (struct pp_map){ 0 };
}

void
pp_auto_map(struct pp_map *m)
{
	pp_map_fini(m, NULL);
}
