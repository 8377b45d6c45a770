/* SPDX-License-Identifier: MIT */
/*
 * A packed shard as blocks: zstd frames of whole lines, so that a reader unpacks only those in
 * which a name can be. A skippable frame before them gives the name of each block's first line.
 * Small shards are one plain frame. Any zstd unpacks both.
 */
#ifndef PP_INDEX_BLOCKS_H
#define PP_INDEX_BLOCKS_H

#include "lib/index/index.h"
#include "lib/index/zstd.h"

#define PP_BLOCK_BYTES 8192 /* unpacked; a longer line is a block of its own */

/* Same text, same bytes; text: lines as pp_shard_write() makes them. -EFBIG past out's limit. */
int pp_blocks_pack(struct pp_str text, struct pp_buf *out) PP_MUSTUSE;

struct pp_block {
	struct pp_str name; /* of its first line; empty when there is no other block */
	struct pp_str packed;
	size_t unpacked;
};
struct pp_blocks pp_vec(struct pp_block);

/*
 * Views into packed, whose digest the caller has compared. Unpacks nothing; what a block holds is
 * checked when it is unpacked. Errors: BAD_METADATA.
 */
enum plugpkg_code pp_blocks_open(struct pp_str packed, uint64_t unpacked, const char *where,
    struct pp_blocks *out, plugpkg_error **err);
/* The block in which a line of this name would be; blocks.n when before the first. */
size_t pp_blocks_find(const struct pp_blocks *blocks, const char *name);
/*
 * Unpacks one block into text (emptied before) and opens it: its lines are in order, begin with
 * the name that was promised, and end before the next block. Errors: BAD_METADATA.
 */
enum plugpkg_code pp_blocks_read(const struct pp_blocks *blocks, size_t i, struct pp_unzstd *z,
    const char *where, struct pp_buf *text, struct pp_shard *out, plugpkg_error **err);

#endif
