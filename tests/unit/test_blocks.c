/* SPDX-License-Identifier: MIT */
#include "lib/index/blocks.h"
#include "tap.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>

#define N_LINES 3000
#define MAX     (4 << 20)

static void
make_text(struct pp_buf *text)
{
	for (int i = 0; i < N_LINES; i++)
		pp_buf_addf(text, "{\"name\":\"p%05d\",\"versions\":[{\"version\":\"1.%d.0\"}]}\n",
		    2 * i, i);
}

static struct pp_str
slice(const struct pp_buf *b)
{
	return (struct pp_str){ pp_buf_cstr(b), b->n };
}

/* A packed shard with its blocks. */
struct packed {
	struct pp_buf bytes;
	struct pp_shard_ref ref;
	struct pp_blocks blocks;
	struct pp_unzstd *z;
};
#define PACKED_INIT                                                                                \
	{                                                                                          \
		.bytes = PP_BUF_INIT(MAX)                                                          \
	}

static enum plugpkg_code
open_table(struct packed *p)
{
	size_t n = p->ref.table.size > 0 ? p->ref.table.size : p->bytes.n;

	pp_vec_free(&p->blocks);
	return pp_blocks_open((struct pp_str){ p->bytes.s, n }, &p->ref, "x", &p->blocks, NULL);
}

static void
pack(struct packed *p, struct pp_str text)
{
	p->z = pp_unzstd_new();
	CHECK_INT(pp_blocks_pack(text, &p->bytes, &p->ref), 0);
	CHECK_INT(open_table(p), PLUGPKG_OK);
}

static void
packed_fini(struct packed *p)
{
	pp_buf_fini(&p->bytes);
	pp_vec_free(&p->blocks);
	pp_unzstd_free(p->z);
}

static enum plugpkg_code
read_block(
    struct packed *p, size_t i, struct pp_buf *text, struct pp_shard *out, plugpkg_error **err)
{
	const struct pp_block *at = &p->blocks.at[i];
	struct pp_block_bytes b = { .blocks = &p->blocks,
		.number = i,
		.packed = { p->bytes.s + at->offset, at->size },
		.unpacked = p->ref.unpacked,
		.where = "x" };

	return pp_blocks_read(&b, p->z, text, out, err);
}

/* The line of a name by way of its block, as text; "" when there is none. */
static void
look_up(struct packed *p, const char *name, struct pp_buf *out)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	struct pp_shard s = { 0 };
	size_t i = pp_blocks_find(&p->blocks, name);

	pp_buf_clear(out);
	if (i == p->blocks.n)
		return;
	if (!CHECK_INT(read_block(p, i, &text, &s, NULL), PLUGPKG_OK))
		return;
	const struct pp_str *line = pp_shard_find(&s, name);
	if (line != NULL)
		pp_buf_add(out, line->p, line->n);
	pp_shard_fini(&s);
}

static void
every_name_is_found_in_its_block_and_no_other(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf line = PP_BUF_INIT(MAX);
	PP_CLEANUP(packed_fini) struct packed p = PACKED_INIT;

	make_text(&text);
	pack(&p, slice(&text));
	CHECK(p.blocks.n > 10);
	for (int i = -1; i <= 2 * N_LINES; i++) {
		PP_AUTO_FREE char *name = i < 0 ? pp_xstrdup("a") : pp_asprintf("p%05d", i);
		look_up(&p, name, &line);
		if (i >= 0 && i % 2 == 0 && i < 2 * N_LINES)
			CHECK_HAS(pp_buf_cstr(&line), name);
		else
			CHECK_INT(line.n, 0);
	}
}

static void
any_zstd_unpacks_the_whole(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf again = PP_BUF_INIT(MAX);
	PP_CLEANUP(packed_fini) struct packed p = PACKED_INIT;

	make_text(&text);
	pack(&p, slice(&text));
	CHECK_INT(pp_zstd_unpack(p.bytes.s, p.bytes.n, text.n, &again), 0);
	CHECK(again.n == text.n && memcmp(again.s, text.s, text.n) == 0);
}

static void
a_small_shard_is_one_plain_frame(void)
{
	static const char text[] = "{\"name\":\"a\"}\n{\"name\":\"b\"}\n";
	PP_AUTO_BUF struct pp_buf plain = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf line = PP_BUF_INIT(MAX);
	PP_CLEANUP(packed_fini) struct packed p = PACKED_INIT;

	pack(&p, pp_str_of(text));
	CHECK_INT(pp_zstd_pack(text, strlen(text), &plain), 0);
	CHECK(p.bytes.n == plain.n && memcmp(p.bytes.s, plain.s, plain.n) == 0);
	CHECK_INT(p.ref.table.size, 0);
	CHECK_INT(p.blocks.n, 1);
	look_up(&p, "b", &line);
	CHECK_STR(pp_buf_cstr(&line), "{\"name\":\"b\"}");
	p.ref.unpacked++;
	CHECK_INT(open_table(&p), PLUGPKG_E_BAD_METADATA);
}

static void
a_line_longer_than_a_block_is_one_of_its_own(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_CLEANUP(packed_fini) struct packed p = PACKED_INIT;

	for (int i = 0; i < 3; i++)
		pp_buf_addf(&text, "{\"name\":\"p%d\",\"x\":\"%0*d\"}\n", i, PP_BLOCK_BYTES, 0);
	pack(&p, slice(&text));
	CHECK_INT(p.blocks.n, 3);
}

static void
blocks_are_known_by_their_digests(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_CLEANUP(packed_fini) struct packed p = PACKED_INIT;

	make_text(&text);
	pack(&p, slice(&text));
	for (size_t i = 0; i < p.blocks.n; i++) {
		const struct pp_block *b = &p.blocks.at[i];
		struct pp_str bytes = { p.bytes.s + b->offset, b->size };
		CHECK(pp_block_is(b, bytes));
		p.bytes.s[b->offset + b->size / 2] ^= 1;
		CHECK(!pp_block_is(b, bytes));
		bytes.n--;
		CHECK(!pp_block_is(b, bytes));
	}
}

/* Changed anywhere, and signed: an error or the right lines, never a crash; sanitizers watch. */
static void
damage_is_refused_or_harmless(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_CLEANUP(packed_fini) struct packed p = PACKED_INIT;
	uint64_t whole;

	make_text(&text);
	pack(&p, slice(&text));
	whole = p.ref.table.size;
	for (size_t at = 0; at < p.bytes.n; at += 7) {
		PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(MAX);
		struct pp_shard s = { 0 };
		p.ref.table.size = at < whole && at > 0 ? at : whole;
		CHECK_INT(open_table(&p),
		    p.ref.table.size == whole ? PLUGPKG_OK : PLUGPKG_E_BAD_METADATA);
		p.ref.table.size = whole;
		p.bytes.s[at] ^= 0x55;
		if (open_table(&p) == PLUGPKG_OK)
			for (size_t i = 0; i < p.blocks.n && i < 2; i++)
				if (read_block(&p, i, &out, &s, NULL) == PLUGPKG_OK)
					pp_shard_fini(&s);
		p.bytes.s[at] ^= 0x55;
	}
}

/* Signed all the same: names in the table that are not those of the frames. */
static void
names_that_lie_are_refused(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(MAX);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	PP_CLEANUP(packed_fini) struct packed p = PACKED_INIT;
	struct pp_shard s = { 0 };

	make_text(&text);
	pack(&p, slice(&text));
	p.bytes.s[8] = 'a'; /* p00000 */
	CHECK_INT(open_table(&p), PLUGPKG_OK);
	CHECK_INT(read_block(&p, 0, &out, &s, &err), PLUGPKG_E_BAD_METADATA);
	CHECK_HAS(plugpkg_error_message(err), "other names");
	p.bytes.s[8] = 'z';
	CHECK_INT(open_table(&p), PLUGPKG_E_BAD_METADATA);
}

/* The text with one line more, one less, and one that is longer. */
static void
make_changed(struct pp_buf *out, int added, int removed, int longer)
{
	for (int i = 0; i < 2 * N_LINES; i++)
		if (i == added || (i % 2 == 0 && i != removed))
			pp_buf_addf(out,
			    "{\"name\":\"p%05d\",\"versions\":[{\"version\":\"1.%d.0%s\"}]}\n", i,
			    i / 2, i == longer ? "-alpha.1.of.a.long.version" : "");
}

static void
packing_again_gives_the_bytes_of_packing_anew(void)
{
	static const struct {
		int added, removed, longer;
	} rows[] = {
		{ -1, -1, -1 },
		{ 1, -1, -1 },
		{ -1, 0, -1 },
		{ -1, -1, 2 * N_LINES - 2 },
		{ 2 * N_LINES - 1, -1, 0 },
		{ 3001, 2000, 4000 },
	};
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_CLEANUP(packed_fini) struct packed p = PACKED_INIT;

	make_text(&text);
	pack(&p, slice(&text));
	const struct pp_packed_before before = { slice(&p.bytes), slice(&text), p.ref };
	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_BUF struct pp_buf changed = PP_BUF_INIT(MAX);
		PP_AUTO_BUF struct pp_buf anew = PP_BUF_INIT(MAX);
		PP_AUTO_BUF struct pp_buf again = PP_BUF_INIT(MAX);
		struct pp_shard_ref ref_anew = { 0 }, ref_again = { 0 };

		make_changed(&changed, rows[i].added, rows[i].removed, rows[i].longer);
		CHECK_INT(pp_blocks_pack(slice(&changed), &anew, &ref_anew), 0);
		CHECK_INT(pp_blocks_repack(slice(&changed), &before, &again, &ref_again), 0);
		CHECK_INT(again.n, anew.n);
		CHECK(memcmp(again.s, anew.s, anew.n) == 0);
		CHECK_STR(ref_again.sha256, ref_anew.sha256);
		CHECK_STR(ref_again.table.sha256, ref_anew.table.sha256);
		CHECK_INT(ref_again.unpacked, ref_anew.unpacked);
	}
}

static void
frames_of_unchanged_blocks_are_taken_as_they_are(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf changed = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf again = PP_BUF_INIT(MAX);
	PP_CLEANUP(packed_fini) struct packed p = PACKED_INIT;
	struct pp_shard_ref ref = { 0 };

	make_text(&text);
	pack(&p, slice(&text));
	make_changed(&changed, -1, 2 * N_LINES - 2, -1);
	const struct pp_block *first = &p.blocks.at[0];
	p.bytes.s[first->offset + first->size - 1] ^= 1; /* by which it is known again */
	const struct pp_packed_before before = { slice(&p.bytes), slice(&text), p.ref };
	CHECK_INT(pp_blocks_repack(slice(&changed), &before, &again, &ref), 0);
	CHECK(again.n > ref.table.size + first->size);
	CHECK(memcmp(again.s + ref.table.size, p.bytes.s + first->offset, first->size) == 0);
}

/* Such a file has no good digest, and is not published; nobody reads beyond it all the same. */
static void
what_was_packed_before_is_not_trusted_beyond_its_bytes(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf again = PP_BUF_INIT(MAX);
	PP_CLEANUP(packed_fini) struct packed p = PACKED_INIT;
	struct pp_shard_ref ref = { 0 };

	make_text(&text);
	pack(&p, slice(&text));
	struct pp_packed_before before = { slice(&p.bytes), slice(&text), p.ref };
	before.ref.table.size = before.packed.n + 1;
	CHECK_INT(pp_blocks_repack(slice(&text), &before, &again, &ref), 0);
	before.ref.table.size = p.ref.table.size;
	before.packed.n--;
	CHECK_INT(pp_blocks_repack(slice(&text), &before, &again, &ref), 0);
	before.packed.n++;
	before.text.n = 10;
	CHECK_INT(pp_blocks_repack(slice(&text), &before, &again, &ref), 0);
	CHECK_STR(ref.sha256, p.ref.sha256);
}

TAP_MAIN(CASE(every_name_is_found_in_its_block_and_no_other) CASE(any_zstd_unpacks_the_whole)
	CASE(a_small_shard_is_one_plain_frame) CASE(a_line_longer_than_a_block_is_one_of_its_own)
	    CASE(blocks_are_known_by_their_digests) CASE(damage_is_refused_or_harmless)
		CASE(names_that_lie_are_refused) CASE(packing_again_gives_the_bytes_of_packing_anew)
		    CASE(frames_of_unchanged_blocks_are_taken_as_they_are)
			CASE(what_was_packed_before_is_not_trusted_beyond_its_bytes))
