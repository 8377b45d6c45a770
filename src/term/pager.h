/* SPDX-License-Identifier: MIT */
/* Long answers on a terminal, through the program that PAGER names. */
#ifndef PP_TERM_PAGER_H
#define PP_TERM_PAGER_H

#include "term/out.h"

#include <sys/types.h>

struct pager {
	pid_t pid;     /* -1: none runs */
	int stream_fd; /* where the answer went before */
};

/*
 * From here on what is written to o goes through the pager, if o is a terminal and there is one to
 * start; else nothing changes.
 */
void pager_start(struct pager *p, struct out *o);
/* Waits until the reader has seen enough. */
void pager_end(struct pager *p, struct out *o);

#endif
