/* SPDX-License-Identifier: MIT */
/*
 * Text on its way to a stream. Whatever is printed is sanitised here, so nothing from a repository
 * or a script can steer a terminal or forge a line, and no command has to think of it.
 */
#ifndef PP_TERM_OUT_H
#define PP_TERM_OUT_H

#include "base/buf.h"

#define OUT_MAX_BYTES  ((size_t)1 << 20) /* of one piece of text */
#define OUT_HELD_BYTES 4096

enum out_style {
	OUT_PLAIN,
	OUT_BOLD,
	OUT_DIM,
	OUT_GOOD,
	OUT_WARN,
	OUT_BAD,
};

/* Not stdio, which loses what it holds when a signal cuts off a write. */
struct out {
	int fd;
	bool is_stalled; /* its reader takes nothing, and we are to end: no more is written */
	char held[OUT_HELD_BYTES];
	size_t n_held;
	bool is_terminal;
	bool has_color;
	bool is_utf8;   /* what reads it understands UTF-8, as the locale has it */
	unsigned width; /* columns; 0 = no limit */
	int error;      /* errno of the first write that failed; nothing is lost silently */
};

/* Looks at the descriptor, NO_COLOR, TERM and COLUMNS. */
void out_init(struct out *o, int fd);
/* A piece of one line; a newline in an argument comes out as \x0a. */
void out_text(struct out *o, const char *fmt, ...) PP_PRINTF(2, 3);
void out_styled(struct out *o, enum out_style style, const char *fmt, ...) PP_PRINTF(3, 4);
void out_line(struct out *o, const char *fmt, ...)
    PP_PRINTF(2, 3); /* a piece and the end of line */
void out_end(struct out *o);
/* Text of several lines: the first goes on here, the others are indented; then the end of line. */
void out_lines(struct out *o, unsigned indent, const char *text);
/* Bytes that are ours, or JSON, as they are. */
void out_raw(struct out *o, const char *s);
void out_flush(struct out *o);

/* "12.3 kB", decimal units as mirrors and disks count. */
#define OUT_SIZE_TEXT 24
const char *out_size(uint64_t bytes, char text[OUT_SIZE_TEXT]);
/* Columns of sanitised UTF-8: one a character. */
size_t out_columns(const char *s);

#endif
