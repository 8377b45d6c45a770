/* SPDX-License-Identifier: MIT */
/*
 * The table of recalled lines, of any bytes and any size of its file: refused, or every line lies
 * within the file and behind the one before it.
 */
#include <stdlib.h>

#include "lib/index/recall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct pp_recall *r)
{
	uint64_t end = r->table.n;
	size_t n = 0;

	pp_vec_foreach (s, &r->shards) {
		if (s->first != n || s->n > r->lines.n - n || s->sha256.n != 64 ||
		    s->number >= r->n_planning || (s != r->shards.at && s->number <= s[-1].number))
			abort();
		n += s->n;
	}
	pp_vec_foreach (line, &r->lines) {
		if (line->offset != end || line->size > r->file_size - end || line->name.n == 0 ||
		    (line->size > 0) != (line->sha256.n == 64))
			abort();
		end += line->size;
	}
	if (n != r->lines.n || end != r->file_size || r->root_sha256.n != 64 ||
	    r->n_planning > PP_INDEX_MAX_SHARDS || r->n_details > PP_INDEX_MAX_SHARDS)
		abort();
}

/* The first four bytes say by how much the file is longer than its table. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_recall r = { .fd = -1, .table = PP_BUF_INIT(1 << 20) };
	uint32_t rest = 0;

	if (size < sizeof(rest))
		return 0;
	for (size_t i = 0; i < sizeof(rest); i++)
		rest = rest << 8 | data[i];
	pp_buf_add(&r.table, data + sizeof(rest), size - sizeof(rest));
	r.file_size = r.table.n + rest;
	if (pp_recall_read_table(&r))
		check(&r);
	else if (r.shards.n > 0 || r.lines.n > 0 || !r.is_damaged)
		abort();
	pp_recall_fini(&r);
	return 0;
}
