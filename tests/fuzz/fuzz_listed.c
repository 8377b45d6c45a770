/* SPDX-License-Identifier: MIT */
/* Remembered rows of a list, of any bytes: refused, or they read back as they are written again. */
#include <stdlib.h>
#include <string.h>

#include "lib/api/listed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
is_same_row(const struct plugpkg_listed *a, const struct plugpkg_listed *b)
{
	return is_same(a->name, b->name) && is_same(a->version, b->version) &&
	       is_same(a->source, b->source) && is_same(a->summary, b->summary) &&
	       is_same(a->key, b->key) && is_same(a->reason, b->reason) &&
	       is_same(a->state, b->state) && is_same(a->blocked_by, b->blocked_by) &&
	       is_same(a->linked_from, b->linked_from) && a->held_until == b->held_until &&
	       a->is_held == b->is_held && a->is_broken == b->is_broken;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(1 << 20);
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(1 << 20);
	struct pp_listed_rows rows = { 0 }, again = { 0 };

	pp_buf_add(&bytes, data, size);
	if (pp_listed_read((struct pp_str){ bytes.s, bytes.n }, &rows)) {
		pp_vec_foreach (row, &rows)
			pp_listed_add(row, &text);
		pp_listed_end(&text);
		if (text.overflow)
			abort();
		if (!pp_listed_read((struct pp_str){ text.s, text.n }, &again) || again.n != rows.n)
			abort();
		for (size_t i = 0; i < rows.n; i++)
			if (!is_same_row(&rows.at[i], &again.at[i]))
				abort();
	}
	pp_vec_free(&rows);
	pp_vec_free(&again);
	return 0;
}
