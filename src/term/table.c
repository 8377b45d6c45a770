/* SPDX-License-Identifier: MIT */
/* Lays out a table: widths first, then lines without blanks at their end. */
#include "term/table.h"

#include "base/str.h"

#include <assert.h>
#include <string.h>

#define CELL_MAX_BYTES 65536
#define GAP            2
#define MIN_LAST       16

void
table_add(struct table *t, const char *text)
{
	struct pp_buf clean = PP_BUF_INIT(CELL_MAX_BYTES);
	size_t n = text != NULL ? strlen(text) : 0;

	assert(t->n_columns > 0 && t->n_columns <= TABLE_MAX_COLUMNS);
	if (n > 0)
		(void)pp_buf_reserve(&clean, n < CELL_MAX_BYTES ? n : CELL_MAX_BYTES);
	pp_sanitize(&clean, text, n);
	pp_strs_take(&t->cells, pp_buf_steal(&clean));
}

static void
measure(const struct table *t, size_t widths[TABLE_MAX_COLUMNS])
{
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t width = out_columns(t->cells.at[i]);

		if (width > widths[i % t->n_columns])
			widths[i % t->n_columns] = width;
	}
}

/* Bytes of the first `columns` characters. */
static size_t
cut_at(const char *s, size_t columns)
{
	size_t bytes = 0;

	for (; s[bytes] != '\0'; bytes++)
		if (((unsigned char)s[bytes] & 0xc0) != 0x80 && columns-- == 0)
			break;
	return bytes;
}

static void
add_last(struct pp_buf *line, const char *cell, size_t room)
{
	if (room > 0 && out_columns(cell) > room) {
		pp_buf_add(line, cell, cut_at(cell, room - 3));
		pp_buf_adds(line, "...");
		return;
	}
	pp_buf_adds(line, cell);
}

static void
add_blanks(struct pp_buf *line, size_t n)
{
	static const char blanks[] = "                                ";

	for (; n >= sizeof(blanks); n -= sizeof(blanks) - 1)
		pp_buf_add(line, blanks, sizeof(blanks) - 1);
	pp_buf_add(line, blanks, n);
}

void
table_print(const struct table *t, struct out *o)
{
	size_t widths[TABLE_MAX_COLUMNS] = { 0 }, before_last = t->indent, room = 0;

	measure(t, widths);
	for (size_t c = 0; c + 1 < t->n_columns; c++)
		before_last += widths[c] + (widths[c] > 0 ? GAP : 0);
	if (!t->is_whole && o->width > before_last + MIN_LAST)
		room = o->width - before_last;

	PP_AUTO_BUF struct pp_buf line = PP_BUF_INIT(OUT_MAX_BYTES);
	for (size_t i = 0; i + t->n_columns <= t->cells.n; i += t->n_columns) {
		pp_buf_clear(&line);
		add_blanks(&line, t->indent);
		for (size_t c = 0; c + 1 < t->n_columns; c++) {
			size_t used = out_columns(t->cells.at[i + c]);

			pp_buf_adds(&line, t->cells.at[i + c]);
			if (widths[c] > 0)
				add_blanks(&line, widths[c] - used + GAP);
		}
		add_last(&line, t->cells.at[i + t->n_columns - 1], room);
		size_t n = line.n;
		while (n > 0 && line.s[n - 1] == ' ')
			n--;
		pp_buf_cut(&line, n);
		pp_buf_addc(&line, '\n');
		out_raw(o, pp_buf_cstr(&line)); /* cells were sanitised when they came */
	}
}

void
table_fini(struct table *t)
{
	pp_strs_fini(&t->cells);
}
