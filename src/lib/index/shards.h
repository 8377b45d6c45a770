/* SPDX-License-Identifier: MIT */
/*
 * The shards of one source's index: fetched when asked for, kept unpacked in memory from then on.
 */
#ifndef PP_INDEX_SHARDS_H
#define PP_INDEX_SHARDS_H

#include "lib/index/index.h"
#include "lib/net/fetch.h"

struct pp_held_shard {
	char *text; /* NULL = not loaded */
	struct pp_shard shard;
};

/* All pointers borrowed but the arrays. */
struct pp_shards {
	struct pp_net *net;
	const struct pp_strs *mirrors;
	const char *source;
	const struct pp_index_root *root;
	struct pp_held_shard *planning, *details, *search;
};

void pp_shards_init(struct pp_shards *s);
void pp_shards_fini(struct pp_shards *s);
size_t pp_shards_count(const struct pp_shards *s, enum pp_layer layer);

/* One shard of one layer. */
struct pp_shard_key {
	enum pp_layer layer;
	size_t number;
};
/*
 * Loads all of them, fetching what the cache lacks in one round. Errors: as pp_net_fetch(),
 * BAD_METADATA.
 */
enum plugpkg_code pp_shards_load(
    struct pp_shards *s, const struct pp_shard_key *keys, size_t n, plugpkg_error **err);
/* One shard, loaded where needed. View: until pp_shards_fini(). */
enum plugpkg_code pp_shards_get(
    struct pp_shards *s, struct pp_shard_key key, const struct pp_shard **out, plugpkg_error **err);

#endif
