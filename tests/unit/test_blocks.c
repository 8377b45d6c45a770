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

/* The line of a name by way of its block, as text; "" when there is none. */
static void
look_up(const struct pp_blocks *blocks, struct pp_unzstd *z, const char *name, struct pp_buf *out)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	struct pp_shard s = { 0 };
	size_t i = pp_blocks_find(blocks, name);

	pp_buf_clear(out);
	if (i == blocks->n)
		return;
	if (!CHECK_INT(pp_blocks_read(blocks, i, z, "x", &text, &s, NULL), PLUGPKG_OK))
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
	PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf line = PP_BUF_INIT(MAX);
	struct pp_unzstd *z = pp_unzstd_new();
	struct pp_blocks blocks;

	make_text(&text);
	CHECK_INT(pp_blocks_pack(slice(&text), &packed), 0);
	CHECK_INT(pp_blocks_open(slice(&packed), text.n, "x", &blocks, NULL), PLUGPKG_OK);
	CHECK(blocks.n > 10);
	for (int i = -1; i <= 2 * N_LINES; i++) {
		PP_AUTO_FREE char *name = i < 0 ? pp_xstrdup("a") : pp_asprintf("p%05d", i);
		look_up(&blocks, z, name, &line);
		if (i >= 0 && i % 2 == 0 && i < 2 * N_LINES)
			CHECK_HAS(pp_buf_cstr(&line), name);
		else
			CHECK_INT(line.n, 0);
	}
	pp_vec_free(&blocks);
	pp_unzstd_free(z);
}

static void
any_zstd_unpacks_the_whole(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf again = PP_BUF_INIT(MAX);

	make_text(&text);
	CHECK_INT(pp_blocks_pack(slice(&text), &packed), 0);
	CHECK_INT(pp_zstd_unpack(packed.s, packed.n, text.n, &again), 0);
	CHECK(again.n == text.n && memcmp(again.s, text.s, text.n) == 0);
}

static void
a_small_shard_is_one_plain_frame(void)
{
	static const char text[] = "{\"name\":\"a\"}\n{\"name\":\"b\"}\n";
	PP_AUTO_BUF struct pp_buf a = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(MAX);
	struct pp_blocks blocks;

	CHECK_INT(pp_blocks_pack(pp_str_of(text), &a), 0);
	CHECK_INT(pp_zstd_pack(text, strlen(text), &b), 0);
	CHECK(a.n == b.n && memcmp(a.s, b.s, a.n) == 0);
	CHECK_INT(pp_blocks_open(slice(&a), strlen(text), "x", &blocks, NULL), PLUGPKG_OK);
	CHECK_INT(blocks.n, 1);
	pp_vec_free(&blocks);
	CHECK_INT(pp_blocks_open(slice(&a), strlen(text) + 1, "x", &blocks, NULL),
	    PLUGPKG_E_BAD_METADATA);
}

static void
a_line_longer_than_a_block_is_one_of_its_own(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(MAX);
	struct pp_blocks blocks;

	for (int i = 0; i < 3; i++)
		pp_buf_addf(&text, "{\"name\":\"p%d\",\"x\":\"%0*d\"}\n", i, PP_BLOCK_BYTES, 0);
	CHECK_INT(pp_blocks_pack(slice(&text), &packed), 0);
	CHECK_INT(pp_blocks_open(slice(&packed), text.n, "x", &blocks, NULL), PLUGPKG_OK);
	CHECK_INT(blocks.n, 3);
	pp_vec_free(&blocks);
}

/* Cut or changed anywhere: an error or the right lines, never a crash; sanitizers watch. */
static void
damage_is_refused_or_harmless(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(MAX);
	struct pp_unzstd *z = pp_unzstd_new();

	make_text(&text);
	CHECK_INT(pp_blocks_pack(slice(&text), &packed), 0);
	for (size_t at = 0; at < packed.n; at += 7) {
		PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(MAX);
		struct pp_blocks blocks;
		struct pp_shard s = { 0 };
		struct pp_str cut = { packed.s, at };
		CHECK_INT(pp_blocks_open(cut, text.n, "x", &blocks, NULL), PLUGPKG_E_BAD_METADATA);
		packed.s[at] ^= 0x55;
		if (pp_blocks_open(slice(&packed), text.n, "x", &blocks, NULL) == PLUGPKG_OK) {
			for (size_t i = 0; i < blocks.n && i < 2; i++)
				if (pp_blocks_read(&blocks, i, z, "x", &out, &s, NULL) ==
				    PLUGPKG_OK)
					pp_shard_fini(&s);
			pp_vec_free(&blocks);
		}
		packed.s[at] ^= 0x55;
	}
	pp_unzstd_free(z);
}

/* Signed all the same: names in front that are not those of the frames. */
static void
names_that_lie_are_refused(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(MAX);
	PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(MAX);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_unzstd *z = pp_unzstd_new();
	struct pp_blocks blocks;
	struct pp_shard s = { 0 };

	make_text(&text);
	CHECK_INT(pp_blocks_pack(slice(&text), &packed), 0);
	packed.s[8] = 'a'; /* p00000 */
	CHECK_INT(pp_blocks_open(slice(&packed), text.n, "x", &blocks, NULL), PLUGPKG_OK);
	CHECK_INT(pp_blocks_read(&blocks, 0, z, "x", &out, &s, &err), PLUGPKG_E_BAD_METADATA);
	CHECK_HAS(plugpkg_error_message(err), "other names");
	pp_vec_free(&blocks);
	packed.s[8] = 'z';
	CHECK_INT(
	    pp_blocks_open(slice(&packed), text.n, "x", &blocks, NULL), PLUGPKG_E_BAD_METADATA);
	pp_unzstd_free(z);
}

TAP_MAIN(CASE(every_name_is_found_in_its_block_and_no_other) CASE(any_zstd_unpacks_the_whole)
	CASE(a_small_shard_is_one_plain_frame) CASE(a_line_longer_than_a_block_is_one_of_its_own)
	    CASE(damage_is_refused_or_harmless) CASE(names_that_lie_are_refused))
