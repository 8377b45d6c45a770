/* SPDX-License-Identifier: MIT */
/*
 * A shard of any bytes: opened or refused; what opened answers for each of its names and for
 * others.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/index/blocks.h"
#include "lib/index/brief.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_briefs(const pp_json *line)
{
	const pp_json *rows = pp_json_get(line, "versions");

	for (size_t i = 0; i < pp_json_len(rows); i++) {
		const char *text = pp_json_get_str(pp_json_at(rows, i), PP_BRIEF_MEMBER);
		struct pp_brief b;
		if (text != NULL && pp_brief_read(text, &b) && b.size == 0)
			abort();
	}
}

static void
ask(const struct pp_shard *s, const char *name)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	PP_AUTO_JSON pp_json *line = NULL;
	enum plugpkg_code rc = pp_shard_line(s, name, &line, &err);

	if (rc != PLUGPKG_OK && (rc != PLUGPKG_E_BAD_METADATA || err == NULL))
		abort();
	read_briefs(line);
}

static void
open_text(const uint8_t *data, size_t size)
{
	struct pp_shard s;

	if (pp_shard_open((struct pp_str){ (const char *)data, size }, "shard", &s, NULL) !=
	    PLUGPKG_OK)
		return;
	pp_vec_foreach (line, &s.lines) {
		PP_AUTO_FREE char *name = pp_shard_line_name(*line);
		ask(&s, name);
	}
	ask(&s, "m");
	pp_shard_fini(&s);
}

/* The same bytes as a file of blocks: its table is as long as it says itself. */
static void
open_blocks(const uint8_t *data, size_t size)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(1 << 16);
	struct pp_shard_ref ref = { .size = size, .unpacked = 1 << 16 };
	struct pp_unzstd *z = pp_unzstd_new();
	struct pp_blocks blocks;
	struct pp_shard s;

	if (size > 8)
		ref.table.size = 8 + (size_t)data[4] + ((size_t)data[5] << 8);
	if (ref.table.size == 0 || ref.table.size > size)
		ref.table.size = size;
	struct pp_str table = { (const char *)data, ref.table.size };
	if (pp_blocks_open(table, &ref, "shard", &blocks, NULL) == PLUGPKG_OK) {
		for (size_t i = 0; i < blocks.n && i < 8; i++) {
			const struct pp_block *at = &blocks.at[i];
			struct pp_block_bytes b = { .blocks = &blocks, .number = i };
			b.packed = (struct pp_str){ (const char *)data + at->offset, at->size };
			b.unpacked = ref.unpacked;
			b.where = "shard";
			(void)pp_block_is(at, b.packed); /* either answer is fine */
			if (pp_blocks_read(&b, z, &text, &s, NULL) == PLUGPKG_OK)
				pp_shard_fini(&s);
		}
		if (pp_blocks_find(&blocks, "m") > blocks.n)
			abort();
		pp_vec_free(&blocks);
	}
	pp_unzstd_free(z);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(4096);

	open_text(data, size);
	open_blocks(data, size);
	if (pp_zstd_unpack(data, size, 4096, &out) == 0 && out.n != 4096)
		abort();
	return 0;
}
