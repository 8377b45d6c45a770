/* SPDX-License-Identifier: MIT */
/* Cutting a shard into frames, and finding the one for a name. */
#include "lib/index/blocks.h"

#include "base/mem.h"

#include <errno.h>
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

int
pp_blocks_pack(struct pp_str text, struct pp_buf *out)
{
	PP_AUTO_BUF struct pp_buf names = PP_BUF_INIT(out->limit);
	PP_AUTO_BUF struct pp_buf frames = PP_BUF_INIT(out->limit);

	if (text.n <= PP_BLOCK_BYTES)
		return pp_zstd_pack(text.p, text.n, out);
	for (struct pp_str rest = text; rest.n > 0;) {
		struct pp_str block = cut_block(&rest);
		const char *end = memchr(block.p, '\n', block.n);
		struct pp_str line = { block.p, end != NULL ? (size_t)(end - block.p) : block.n };
		PP_AUTO_FREE char *name = pp_shard_line_name(line);
		pp_buf_addf(&names, "%s\n", name);
		int r = pp_zstd_pack(block.p, block.n, &frames);
		if (r < 0)
			return r;
	}
	if (names.overflow || frames.overflow || names.n > UINT32_MAX)
		return -EFBIG;
	add_le32(out, SKIPPABLE_MAGIC);
	add_le32(out, (uint32_t)names.n);
	pp_buf_add(out, names.s, names.n);
	pp_buf_add(out, frames.s, frames.n);
	return out->overflow ? -EFBIG : 0;
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

/* The names in front of the frames, taken off packed; empty when it is one plain frame. */
static bool
cut_names(struct pp_str *packed, struct pp_str *out_names)
{
	*out_names = (struct pp_str){ NULL, 0 };
	if (packed->n < SKIPPABLE_HEADER || get_le32(packed->p) != SKIPPABLE_MAGIC)
		return true;
	size_t n = get_le32(packed->p + 4);
	if (n == 0 || n > packed->n - SKIPPABLE_HEADER ||
	    packed->p[SKIPPABLE_HEADER + n - 1] != '\n')
		return false;
	*out_names = (struct pp_str){ packed->p + SKIPPABLE_HEADER, n - 1 };
	packed->p += SKIPPABLE_HEADER + n;
	packed->n -= SKIPPABLE_HEADER + n;
	return true;
}

static bool
cut_frames(struct pp_str frames, struct pp_str names, uint64_t unpacked, struct pp_blocks *out)
{
	bool has_names = names.p != NULL;
	uint64_t sum = 0;

	do {
		struct pp_block b = { .packed = frames };
		if (has_names && (names.p == NULL || !pp_str_cut(&names, '\n', &b.name)))
			return false;
		if (pp_zstd_frame(&b.packed, &b.unpacked) < 0 || b.unpacked > unpacked - sum)
			return false;
		if (out->n > 0 && pp_str_cmp(out->at[out->n - 1].name, b.name) >= 0)
			return false;
		sum += b.unpacked;
		frames.p += b.packed.n;
		frames.n -= b.packed.n;
		pp_vec_push(out, b);
	} while (has_names && frames.n > 0);
	return frames.n == 0 && sum == unpacked && (!has_names || names.p == NULL);
}

enum plugpkg_code
pp_blocks_open(struct pp_str packed, uint64_t unpacked, const char *where, struct pp_blocks *out,
    plugpkg_error **err)
{
	struct pp_str names;

	*out = (struct pp_blocks){ 0 };
	if (cut_names(&packed, &names) && cut_frames(packed, names, unpacked, out))
		return PLUGPKG_OK;
	pp_vec_free(out);
	return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "%s does not unpack to %llu bytes", where,
	    (unsigned long long)unpacked);
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
pp_blocks_read(const struct pp_blocks *blocks, size_t i, struct pp_unzstd *z, const char *where,
    struct pp_buf *text, struct pp_shard *out, plugpkg_error **err)
{
	const struct pp_block *b = &blocks->at[i];

	pp_buf_clear(text);
	int r = pp_unzstd_frame(z, b->packed.p, b->packed.n, b->unpacked, text);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, r == -EBADMSG ? 0 : -r,
		    "%s does not unpack to %zu bytes", where, b->unpacked);
	enum plugpkg_code rc = pp_shard_open((struct pp_str){ text->s, text->n }, where, out, err);
	if (rc != PLUGPKG_OK || holds_promise(blocks, i, out))
		return rc;
	pp_shard_fini(out);
	return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
	    "%s: block %zu holds other names than are written before it", where, i);
}
