/* SPDX-License-Identifier: MIT */
/*
 * Rows of cells under one another, each column as wide as its widest cell; the last one is cut to
 * fit.
 */
#ifndef PP_TERM_TABLE_H
#define PP_TERM_TABLE_H

#include "base/vec.h"
#include "term/out.h"

#define TABLE_MAX_COLUMNS 8

struct table {
	size_t n_columns;
	unsigned indent;
	bool is_whole;        /* nothing is cut: people decide by it, or compare it */
	struct pp_strs cells; /* row after row; sanitised */
};

/* Adds the next cell; NULL is an empty one. */
void table_add(struct table *t, const char *text);
void table_print(const struct table *t, struct out *o);
void table_fini(struct table *t); /* fit for PP_CLEANUP */

#endif
