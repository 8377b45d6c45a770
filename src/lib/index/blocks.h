/* SPDX-License-Identifier: MIT */
/*
 * A packed shard as blocks: zstd frames of whole lines, so that a reader reads, verifies and
 * unpacks only those in which a name can be. A skippable frame before them, the table, lists them
 * with their digests. Small shards are one plain frame. Any zstd unpacks both.
 */
#ifndef PP_INDEX_BLOCKS_H
#define PP_INDEX_BLOCKS_H

#include "lib/index/index.h"
#include "lib/index/zstd.h"

#define PP_BLOCK_BYTES 8192 /* unpacked; a longer line is a block of its own */

/*
 * Same text, same bytes; text: lines as pp_shard_write() makes them. Fills *out_ref. -EFBIG past
 * out's limit.
 */
int pp_blocks_pack(struct pp_str text, struct pp_buf *out, struct pp_shard_ref *out_ref) PP_MUSTUSE;
/*
 * The same where another text was packed before: of the blocks that both have, the frames are taken
 * as they are. text: what packed, the whole file, unpacks to.
 */
struct pp_packed_before {
	struct pp_str packed, text;
	struct pp_shard_ref ref;
};
int pp_blocks_repack(struct pp_str text, const struct pp_packed_before *before, struct pp_buf *out,
    struct pp_shard_ref *out_ref) PP_MUSTUSE;
/* The same into one frame. */
int pp_blocks_pack_plain(
    struct pp_str text, struct pp_buf *out, struct pp_shard_ref *out_ref) PP_MUSTUSE;

struct pp_block {
	struct pp_str name;   /* of its first line; empty when there is no other block */
	struct pp_str sha256; /* hex, of its bytes; empty when it is the whole file */
	uint64_t offset;      /* in the file */
	size_t size;
};
struct pp_blocks pp_vec(struct pp_block);

/*
 * The blocks of a file: bytes are its first ref->table.size, or all when it has no table. The
 * caller has compared their digest; the blocks' names and digests are views into them. Errors:
 * BAD_METADATA.
 */
enum plugpkg_code pp_blocks_open(struct pp_str bytes, const struct pp_shard_ref *ref,
    const char *where, struct pp_blocks *out, plugpkg_error **err);
/* Are these its bytes? */
bool pp_block_is(const struct pp_block *b, struct pp_str packed);
/* The block in which a line of this name would be; blocks.n when before the first. */
size_t pp_blocks_find(const struct pp_blocks *blocks, const char *name);
/*
 * Unpacks one block from its bytes, which pp_block_is() accepted, into text (emptied before) and
 * opens it: its lines are in order, begin with the name that was promised, and end before the
 * next block. Errors: BAD_METADATA.
 */
struct pp_block_bytes {
	const struct pp_blocks *blocks;
	size_t number;
	struct pp_str packed;
	uint64_t unpacked; /* of the whole shard */
	const char *where;
};
enum plugpkg_code pp_blocks_read(const struct pp_block_bytes *b, struct pp_unzstd *z,
    struct pp_buf *text, struct pp_shard *out, plugpkg_error **err);

#endif
