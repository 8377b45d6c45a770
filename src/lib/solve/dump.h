/* SPDX-License-Identifier: MIT */
/* A request and the part of the world that it reaches, as a scenario of tests/solver/. */
#ifndef PP_SOLVE_DUMP_H
#define PP_SOLVE_DUMP_H

#include "lib/solve/solve.h"

/* Appends the scenario, without what has to come out. Errors: what the walk fails with. */
enum plugpkg_code pp_dump_case(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request, struct pp_buf *out, plugpkg_error **err);

#endif
