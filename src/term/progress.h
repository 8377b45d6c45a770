/* SPDX-License-Identifier: MIT */
/* One progress line at the bottom of a terminal: drawn, taken away, never in the way of text. */
#ifndef PP_TERM_PROGRESS_H
#define PP_TERM_PROGRESS_H

#include "term/out.h"

struct progress {
	uint64_t done, total;
	uint64_t from; /* what was done before the rate began to count */
	bool is_bytes;
	char label[64];     /* what is being worked on; sanitised */
	int64_t started_ms; /* of this phase, for the rate */
	int64_t drawn_ms;   /* when it was last drawn; 0 = never */
	bool is_visible;
};

void progress_update(
    struct progress *p, struct out *o, uint64_t done, uint64_t total, bool is_bytes);
void progress_label(struct progress *p, const char *label);
void progress_clear(struct progress *p, struct out *o);

#endif
