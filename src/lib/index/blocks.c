/* SPDX-License-Identifier: MIT */
/* Cutting a shard into frames, and finding the one for a name. */
#include "lib/index/blocks.h"

#include "base/mem.h"
#include "lib/trust/crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SKIPPABLE_MAGIC  0x184D2A5Bu /* one of the sixteen that every zstd skips */
#define SKIPPABLE_HEADER 8

/* ---- packing ---- */

static void
add_le32(struct pp_buf *b, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		pp_buf_addc(b, (char)(unsigned char)(n >> (8 * i)));
}

/* Whole lines, as many as fit. */
static struct pp_str
cut_block(struct pp_str *rest)
{
	size_t n = rest->n;

	if (n > PP_BLOCK_BYTES) {
		const char *end = memrchr(rest->p, '\n', PP_BLOCK_BYTES);
		if (end == NULL)
			end = memchr(rest->p, '\n', n);
		n = end != NULL ? (size_t)(end - rest->p) + 1 : n;
	}
	struct pp_str block = { rest->p, n };
	*rest = (struct pp_str){ rest->p + n, rest->n - n };
	return block;
}

static void
fill_ref(struct pp_shard_ref *ref, const struct pp_buf *packed, size_t from, size_t unpacked)
{
	*ref = (struct pp_shard_ref){ .size = packed->n - from, .unpacked = unpacked };
	pp_sha256_hex(packed->s + from, packed->n - from, ref->sha256);
}

int
pp_blocks_pack_plain(struct pp_str text, struct pp_buf *out, struct pp_shard_ref *out_ref)
{
	size_t from = out->n;
	int r = pp_zstd_pack(text.p, text.n, out);

	if (r == 0)
		fill_ref(out_ref, out, from, text.n);
	return r;
}

/* Blocks that were packed before, and what they unpack to. */
struct known {
	struct pp_blocks blocks;
	struct pp_str *texts; /* of the blocks */
};

static void
known_fini(struct known *k)
{
	pp_vec_free(&k->blocks);
	free(k->texts);
}

/* What cannot be told apart is packed anew. */
static void
known_open(struct known *k, const struct pp_packed_before *before)
{
	struct pp_str rest = before->text;

	if (before->ref.table.size == 0 || before->ref.table.size > before->packed.n ||
	    before->ref.size != before->packed.n ||
	    pp_blocks_open((struct pp_str){ before->packed.p, before->ref.table.size },
		&before->ref, "before", &k->blocks, NULL) != PLUGPKG_OK)
		return;
	k->texts = pp_xcalloc(k->blocks.n, sizeof(*k->texts));
	for (size_t i = 0; i < k->blocks.n; i++) {
		const struct pp_block *b = &k->blocks.at[i];
		struct pp_str frame = { before->packed.p + b->offset, b->size };
		size_t n = 0;
		if (pp_zstd_frame(&frame, &n) < 0 || frame.n != b->size || n > rest.n)
			return;
		k->texts[i] = (struct pp_str){ rest.p, n };
		rest = (struct pp_str){ rest.p + n, rest.n - n };
	}
}

/* The block with this text, or NULL. name: of its first line. */
static const struct pp_block *
known_find(const struct known *k, const char *name, struct pp_str text)
{
	size_t i = pp_blocks_find(&k->blocks, name);

	return i < k->blocks.n && k->texts[i].n == text.n &&
		       memcmp(k->texts[i].p, text.p, text.n) == 0
		   ? &k->blocks.at[i]
		   : NULL;
}

struct packing {
	const struct pp_packed_before *before; /* NULL: nothing was */
	struct known known;
	struct pp_buf table, frames;
};

/* One line of the table, and the block itself. */
static int
pack_block(struct packing *p, struct pp_str block)
{
	const char *end = memchr(block.p, '\n', block.n);
	struct pp_str line = { block.p, end != NULL ? (size_t)(end - block.p) : block.n };
	PP_AUTO_FREE char *name = pp_shard_line_name(line);
	const struct pp_block *known = known_find(&p->known, name, block);
	struct pp_shard_ref ref;
	int r = 0;

	if (known != NULL) {
		pp_buf_add(&p->frames, p->before->packed.p + known->offset, known->size);
		pp_buf_addf(&p->table, "%s %zu %.*s\n", name, known->size, (int)known->sha256.n,
		    known->sha256.p);
		return 0;
	}
	r = pp_blocks_pack_plain(block, &p->frames, &ref);
	if (r == 0)
		pp_buf_addf(
		    &p->table, "%s %llu %s\n", name, (unsigned long long)ref.size, ref.sha256);
	return r;
}

static void
packing_fini(struct packing *p)
{
	known_fini(&p->known);
	pp_buf_fini(&p->table);
	pp_buf_fini(&p->frames);
}

int
pp_blocks_repack(struct pp_str text, const struct pp_packed_before *before, struct pp_buf *out,
    struct pp_shard_ref *out_ref)
{
	PP_CLEANUP(packing_fini)
	struct packing p = {
		.before = before,
		.table = PP_BUF_INIT(out->limit),
		.frames = PP_BUF_INIT(out->limit),
	};
	size_t from = out->n;

	if (text.n <= PP_BLOCK_BYTES)
		return pp_blocks_pack_plain(text, out, out_ref);
	if (before != NULL)
		known_open(&p.known, before);
	for (struct pp_str rest = text; rest.n > 0;) {
		int r = pack_block(&p, cut_block(&rest));
		if (r < 0)
			return r;
	}
	if (p.table.overflow || p.frames.overflow || p.table.n > UINT32_MAX)
		return -EFBIG;
	add_le32(out, SKIPPABLE_MAGIC);
	add_le32(out, (uint32_t)p.table.n);
	pp_buf_add(out, p.table.s, p.table.n);
	size_t table_size = out->n - from;
	pp_buf_add(out, p.frames.s, p.frames.n);
	if (out->overflow)
		return -EFBIG;
	fill_ref(out_ref, out, from, text.n);
	out_ref->table.size = table_size;
	pp_sha256_hex(out->s + from, table_size, out_ref->table.sha256);
	return 0;
}

int
pp_blocks_pack(struct pp_str text, struct pp_buf *out, struct pp_shard_ref *out_ref)
{
	return pp_blocks_repack(text, NULL, out, out_ref);
}

/* ---- opening ---- */

static uint32_t
get_le32(const char *p)
{
	uint32_t n = 0;

	for (int i = 0; i < 4; i++)
		n |= (uint32_t)(unsigned char)p[i] << (8 * i);
	return n;
}

/* "NAME SIZE SHA256" */
static bool
read_line(struct pp_str line, uint64_t max, struct pp_block *out)
{
	struct pp_str size;
	uint64_t n;

	if (!pp_str_cut(&line, ' ', &out->name) || line.p == NULL ||
	    !pp_str_cut(&line, ' ', &size) || line.p == NULL || line.n != 64 ||
	    pp_parse_u64(size, max, &n) < 0 || n == 0)
		return false;
	out->sha256 = line;
	out->size = (size_t)n;
	return true;
}

/* The whole of the table is one skippable frame, and the blocks it lists fill the file. */
static bool
read_table(struct pp_str table, uint64_t file_size, struct pp_blocks *out)
{
	uint64_t offset = table.n;

	if (table.n <= SKIPPABLE_HEADER || get_le32(table.p) != SKIPPABLE_MAGIC ||
	    get_le32(table.p + 4) != table.n - SKIPPABLE_HEADER || table.p[table.n - 1] != '\n')
		return false;
	struct pp_str line, rest = { table.p + SKIPPABLE_HEADER, table.n - SKIPPABLE_HEADER - 1 };
	while (pp_str_cut(&rest, '\n', &line)) {
		struct pp_block b = { .offset = offset };
		if (!read_line(line, file_size - offset, &b) ||
		    (out->n > 0 && pp_str_cmp(out->at[out->n - 1].name, b.name) >= 0))
			return false;
		offset += b.size;
		pp_vec_push(out, b);
	}
	return offset == file_size;
}

static enum plugpkg_code
open_plain(struct pp_str bytes, const struct pp_shard_ref *ref, const char *where,
    struct pp_blocks *out, plugpkg_error **err)
{
	struct pp_str frame = bytes;
	size_t unpacked;

	int r = pp_zstd_frame(&frame, &unpacked);
	if (r < 0 || frame.n != bytes.n || unpacked != ref->unpacked)
		return pp_zstd_fail(r, err, "%s does not unpack to %llu bytes", where,
		    (unsigned long long)ref->unpacked);
	pp_vec_push(out, ((struct pp_block){ .size = bytes.n }));
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_blocks_open(struct pp_str bytes, const struct pp_shard_ref *ref, const char *where,
    struct pp_blocks *out, plugpkg_error **err)
{
	*out = (struct pp_blocks){ 0 };
	if (ref->table.size == 0)
		return open_plain(bytes, ref, where, out, err);
	if (read_table(bytes, ref->size, out))
		return PLUGPKG_OK;
	pp_vec_free(out);
	return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
	    "%s: the table of its blocks does not describe the file", where);
}

bool
pp_block_is(const struct pp_block *b, struct pp_str packed)
{
	char hex[65];

	if (packed.n != b->size || b->sha256.n == 0)
		return packed.n == b->size;
	pp_sha256_hex(packed.p, packed.n, hex);
	return memcmp(hex, b->sha256.p, b->sha256.n) == 0;
}

/* ---- reading ---- */

size_t
pp_blocks_find(const struct pp_blocks *blocks, const char *name)
{
	struct pp_str wanted = pp_str_of(name);
	size_t low = 0, high = blocks->n;

	/* low: how many blocks begin at or before the name */
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (pp_str_cmp(blocks->at[mid].name, wanted) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 ? low - 1 : blocks->n;
}

static bool
holds_promise(const struct pp_blocks *blocks, size_t i, const struct pp_shard *s)
{
	if (blocks->n == 1)
		return true;
	if (s->lines.n == 0)
		return false;
	PP_AUTO_FREE char *first = pp_shard_line_name(s->lines.at[0]);
	PP_AUTO_FREE char *last = pp_shard_line_name(s->lines.at[s->lines.n - 1]);
	return pp_str_cmp(pp_str_of(first), blocks->at[i].name) == 0 &&
	       (i + 1 == blocks->n || pp_str_cmp(pp_str_of(last), blocks->at[i + 1].name) < 0);
}

enum plugpkg_code
pp_blocks_read(const struct pp_block_bytes *b, struct pp_unzstd *z, struct pp_buf *text,
    struct pp_shard *out, plugpkg_error **err)
{
	struct pp_str packed = b->packed;
	size_t unpacked = 0;

	pp_buf_clear(text);
	int r = pp_zstd_frame(&packed, &unpacked);
	if (r == 0 && (packed.n != b->packed.n || unpacked > b->unpacked))
		r = -EBADMSG;
	if (r == 0)
		r = pp_unzstd_frame(z, packed.p, packed.n, unpacked, text);
	if (r < 0)
		return pp_zstd_fail(r, err,
		    "%s: block %zu does not unpack to what is written of it", b->where, b->number);
	enum plugpkg_code rc =
	    pp_shard_open((struct pp_str){ text->s, text->n }, b->where, out, err);
	if (rc != PLUGPKG_OK || holds_promise(b->blocks, b->number, out))
		return rc;
	pp_shard_fini(out);
	return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
	    "%s: block %zu holds other names than are written before it", b->where, b->number);
}
