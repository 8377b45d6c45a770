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
	size_t n = text != NULL ? strlen(text) : 0, at = t->text.n;

	assert(t->n_columns > 0 && t->n_columns <= TABLE_MAX_COLUMNS);
	t->text.limit = SIZE_MAX / 2;
	if (n > 0)
		pp_sanitize(&t->text, text, n < CELL_MAX_BYTES ? n : CELL_MAX_BYTES);
	pp_buf_cut(&t->text, at + CELL_MAX_BYTES);
	size_t columns = out_columns(pp_buf_cstr(&t->text) + at);
	pp_vec_push(&t->cells, ((struct table_cell){ at, t->text.n - at, columns }));
}

static void
measure(const struct table *t, size_t widths[TABLE_MAX_COLUMNS])
{
	for (size_t i = 0; i < t->cells.n; i++)
		if (t->cells.at[i].columns > widths[i % t->n_columns])
			widths[i % t->n_columns] = t->cells.at[i].columns;
}

/* Bytes of the first `columns` characters, of which there are more. */
static size_t
cut_at(const char *s, size_t columns)
{
	size_t bytes = 0;

	while (((unsigned char)s[bytes] & 0xc0) == 0x80 || columns-- > 0)
		bytes++;
	return bytes;
}

static void
add_last(struct pp_buf *line, const struct table *t, const struct table_cell *cell, size_t room)
{
	const char *text = pp_buf_cstr(&t->text) + cell->at;

	if (room > 0 && cell->columns > room) {
		pp_buf_add(line, text, cut_at(text, room - 3));
		pp_buf_adds(line, "...");
		return;
	}
	pp_buf_add(line, text, cell->bytes);
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
			const struct table_cell *cell = &t->cells.at[i + c];

			pp_buf_add(&line, pp_buf_cstr(&t->text) + cell->at, cell->bytes);
			if (widths[c] > 0)
				add_blanks(&line, widths[c] - cell->columns + GAP);
		}
		add_last(&line, t, &t->cells.at[i + t->n_columns - 1], room);
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
	pp_vec_free(&t->cells);
	pp_buf_fini(&t->text);
}
