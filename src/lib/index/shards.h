/* SPDX-License-Identifier: MIT */
/*
 * The shards of one source's index: fetched when asked for, then read, verified and unpacked only
 * where a name is looked up. Each time they are read their digests are compared.
 */
#ifndef PP_INDEX_SHARDS_H
#define PP_INDEX_SHARDS_H

#include "base/arena.h"
#include "base/map.h"
#include "lib/index/blocks.h"
#include "lib/index/index.h"
#include "lib/index/recall.h"
#include "lib/net/fetch.h"

struct pp_held_shard {
	struct pp_str bytes; /* as verified: the table, or a plain file; empty = not held */
	char *held;          /* the same, for who frees it */
	struct pp_blocks blocks;
};

/* What was looked into last; names that follow each other often share it. */
struct pp_open_shard {
	const struct pp_held_shard *of; /* NULL: none */
	int fd;                         /* its cached file, -1 = closed */
	size_t number;                  /* of the block that shard holds */
	struct pp_buf packed, text;
	struct pp_shard shard; /* no lines: no block is open */
};

/* The first group is the caller's, its pointers borrowed. */
struct pp_shards {
	struct pp_net *net;
	const struct pp_strs *mirrors;
	const char *source;
	const char *root_sha256;
	/* Reads the index root, verified. */
	enum plugpkg_code (*read_root)(void *user, struct pp_index_root **out, plugpkg_error **err);
	void *user;
	int root_fd; /* where lines are recalled from; -1: nowhere */

	/* NULL until a shard is asked for; its references are read when they are. */
	struct pp_index_root *root;
	size_t n_planning, n_details;

	struct pp_held_shard **planning, **details, *search; /* NULL: was not asked for */
	struct pp_arena *arena; /* of the places, and of what is held of the planning layer */
	struct pp_unzstd *unzstd;
	struct pp_open_shard open;
	struct pp_recall recall;
	/* Lines that were looked up: name -> text; NULL = there is none. */
	struct pp_map planning_lines, details_lines;
	struct pp_buf search_text;
	struct pp_shard search_shard;
};

/*
 * Finds out how many shards there are: from the index root, or from what is recalled of the same.
 * Errors: as s->read_root().
 */
enum plugpkg_code pp_shards_init(struct pp_shards *s, bool may_recall, plugpkg_error **err);
void pp_shards_fini(struct pp_shards *s);
/* For the next time, where that had to look into many shards: before pp_shards_fini(). */
void pp_shards_remember(struct pp_shards *s);
/* Are there lines of this index root? Then it need not be read for them. */
bool pp_shards_recall_root(struct pp_shards *s);
/* Is it known from another time what plans look at in this planning shard? */
bool pp_shards_has_recalled(struct pp_shards *s, size_t number);
/* Is the line of this name, or that there is none? Then it lies in planning_lines. */
bool pp_shards_recall(struct pp_shards *s, size_t number, const char *name);
size_t pp_shards_count(const struct pp_shards *s, enum pp_layer layer);

/* One shard of one layer. */
struct pp_shard_key {
	enum pp_layer layer;
	size_t number;
};
/*
 * Holds all of them, fetching what the cache lacks in one round. Errors: as pp_net_fetch(),
 * BAD_METADATA.
 */
enum plugpkg_code pp_shards_load(
    struct pp_shards *s, const struct pp_shard_key *keys, size_t n, plugpkg_error **err);
/*
 * Brings the planning shards of these names, and those that their lines lead to, from the mirrors
 * where the cache has none.
 */
enum plugpkg_code pp_shards_expect(
    struct pp_shards *s, const struct pp_strs *names, plugpkg_error **err);
/*
 * Reads the details of all these names, fetching what the cache lacks in one round; holds their
 * lines only, not the shards.
 */
enum plugpkg_code pp_shards_take(
    struct pp_shards *s, const struct pp_strs *names, plugpkg_error **err);
/*
 * The line of a name in the planning or details layer; empty when it has none. View: until
 * pp_shards_fini().
 */
enum plugpkg_code pp_shards_line(struct pp_shards *s, enum pp_layer layer, const char *name,
    struct pp_str *out, plugpkg_error **err);
/* The whole search layer. View: until pp_shards_fini(). */
enum plugpkg_code pp_shards_search(
    struct pp_shards *s, const struct pp_shard **out, plugpkg_error **err);

#endif
