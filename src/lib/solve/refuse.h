/* SPDX-License-Identifier: MIT */
/*
 * Refusals as errors: a headline, the causes each in a line of its own, and ways out that have been
 * tried. The same for programs in the error's details:
 * {"causes":[…],"ways":[…],"more":COMMAND} (explain.h, ways.h).
 */
#ifndef PP_SOLVE_REFUSE_H
#define PP_SOLVE_REFUSE_H

#include "lib/solve/load.h"

/* The answer of a decision that chose nothing; changed on the way. Returns the code. */
enum plugpkg_code pp_refuse(
    plugpkg_context *ctx, const struct pp_load *l, pp_json *answer, plugpkg_error **err);
/*
 * OK when each target has a release that could be chosen. Else why it has none. Errors: NOT_FOUND
 * NO_SOLUTION.
 */
enum plugpkg_code pp_refuse_hopeless(
    plugpkg_context *ctx, const struct pp_load *l, plugpkg_error **err);
/* NOT_FOUND for a target that names a source nobody knows. */
enum plugpkg_code pp_refuse_source(
    const struct pp_load *l, const struct pp_ask *ask, plugpkg_error **err);

#endif
