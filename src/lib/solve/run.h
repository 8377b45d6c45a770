/* SPDX-License-Identifier: MIT */
/*
 * Runs the decision in a forked child with limits of processor time, memory and wall time: what
 * explodes, aborts or hangs there is a refusal here. The child only computes and writes lines
 * into a pipe.
 */
#ifndef PP_SOLVE_RUN_H
#define PP_SOLVE_RUN_H

#include "lib/solve/load.h"

#define PP_RUN_CPU_S        20
#define PP_RUN_MEMORY_BYTES (1024UL * 1024 * 1024)

/*
 * What the child said: an array, owned. Lines that came before it was cut short are kept when the
 * first of them, the answer, is among them. Errors: NO_SOLUTION (limits) INTERRUPTED FAILED.
 */
enum plugpkg_code pp_run_decide(
    plugpkg_context *ctx, const struct pp_load *l, pp_json **out, plugpkg_error **err);

#endif
