/* SPDX-License-Identifier: MIT */
/*
 * What a plan of a plugin will look at: the shards of all names that its dependencies lead to. A
 * planning line says it of its name, so that a client fetches them in one round and not in as many
 * as the graph is deep. A hint: whatever it says, the client finds the same plan.
 */
#ifndef PP_INDEX_REACH_H
#define PP_INDEX_REACH_H

#include "lib/index/index.h"

#define PP_REACH_MEMBER     "reach" /* of a planning line, its last */
#define PP_REACH_MIN_SHARDS 64      /* with fewer, clients soon have them all */
#define PP_REACH_MAX        1024    /* bytes; longer ones are left out */

/* One bit for each of the finest shards, PP_INDEX_MAX_SHARDS. */
struct pp_reach {
	uint64_t bits[PP_INDEX_MAX_SHARDS / 64];
};
void pp_reach_add(struct pp_reach *r, const char *name);
void pp_reach_merge(struct pp_reach *to, const struct pp_reach *from);
/* The member's text, owned; NULL when there is nothing to say, or more than PP_REACH_MAX. */
char *pp_reach_text(const struct pp_reach *r);
/* Adds what a planning line says; nothing when it says nothing sound. */
void pp_reach_read(struct pp_str line, struct pp_reach *to);
/* Every shard of n in which any of it is, in order. */
typedef void (*pp_reach_fn)(size_t shard, void *user);
void pp_reach_each(const struct pp_reach *r, size_t n_shards, pp_reach_fn fn, void *user);

#endif
