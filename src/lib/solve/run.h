/* SPDX-License-Identifier: MIT */
/*
 * Runs the decision in a forked child with limits of processor time, memory and wall time: what
 * explodes, aborts or hangs there is a refusal here. The child only computes and writes lines
 * into a pipe.
 */
#ifndef PP_SOLVE_RUN_H
#define PP_SOLVE_RUN_H

#include <sys/types.h>

#include "lib/solve/load.h"

#define PP_RUN_CPU_S        20
#define PP_RUN_MEMORY_BYTES (1024UL * 1024 * 1024)

/* A child, which may still be on its way out when all is said. */
struct pp_run {
	pid_t pid;
	int fd; /* what it says; -1 = it has ended */
	int64_t deadline_ms;
	struct pp_buf answer;
	bool is_whole;  /* it said that this is all */
	pp_json *lines; /* what it said: an array */
};
#define PP_RUN_INIT                                                                                \
	{                                                                                          \
		.pid = -1, .fd = -1                                                                \
	}
/*
 * Fills run->lines. Lines that came before the child was cut short are kept when the first of
 * them, the answer, is among them. Errors: NO_SOLUTION (limits) INTERRUPTED FAILED.
 */
enum plugpkg_code pp_run_decide(
    plugpkg_context *ctx, const struct pp_load *l, struct pp_run *run, plugpkg_error **err);
/* Sees the child out: the later this is, the less is there to wait for. */
void pp_run_fini(struct pp_run *run);
#define PP_AUTO_RUN PP_CLEANUP(pp_run_fini)

#endif
