/* SPDX-License-Identifier: MIT */
/*
 * Rows of cells under one another, each column as wide as its widest cell; the last one is cut to
 * fit.
 */
#ifndef PP_TERM_TABLE_H
#define PP_TERM_TABLE_H

#include "base/buf.h"
#include "base/vec.h"
#include "term/out.h"

#define TABLE_MAX_COLUMNS 8

struct table_cell {
	size_t at, bytes; /* in the table's text */
	size_t columns;
};

struct table {
	size_t n_columns;
	unsigned indent;
	bool is_whole; /* nothing is cut: people decide by it, or compare it */
	struct pp_vec(struct table_cell) cells; /* row after row */
	struct pp_buf text;                     /* of all cells, one behind the other; sanitised */
};

/* Adds the next cell; NULL is an empty one. */
void table_add(struct table *t, const char *text);
void table_print(const struct table *t, struct out *o);
void table_fini(struct table *t); /* fit for PP_CLEANUP */

#endif
