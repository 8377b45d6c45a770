/* SPDX-License-Identifier: MIT */
/*
 * A map from strings to pointers. Walks in order of insertion, so results never depend on hashes.
 */
#ifndef PP_BASE_MAP_H
#define PP_BASE_MAP_H

#include "base/compiler.h"

struct pp_map_entry {
	char *key; /* owned by the map */
	void *value;
	uint32_t hash;
};

struct pp_map {
	struct pp_map_entry *at; /* in order of insertion; no removal of single entries */
	size_t n, cap;
	uint32_t *slots; /* index + 1 into at; 0 is free */
	size_t n_slots;
};

/* The value, or NULL. */
void *pp_map_get(const struct pp_map *m, const char *key);
/* The place of the value, made (NULL) when missing; valid until the next put. */
void **pp_map_put(struct pp_map *m, const char *key);
bool pp_map_has(const struct pp_map *m, const char *key);
/* Frees keys, and values with free_value when that is not NULL. */
void pp_map_fini(struct pp_map *m, void (*free_value)(void *));
void pp_auto_map(struct pp_map *m); /* values are borrowed */

#define pp_map_foreach(e, m)                                                                       \
	for (struct pp_map_entry *e = (m)->at; e != NULL && e < (m)->at + (m)->n; e++)

#endif
