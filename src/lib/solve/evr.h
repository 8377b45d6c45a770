/* SPDX-License-Identifier: MIT */
/*
 * Versions as libsolv compares them: one encoding that sorts as SemVer does in every type of
 * pool.
 */
#ifndef PP_SOLVE_EVR_H
#define PP_SOLVE_EVR_H

#include "base/buf.h"
#include "lib/model/semver.h"

/* Every part and every identifier at its worst: two bytes a character, and what joins them. */
#define PP_EVR_MAX_BYTES (4 * PP_VERSION_MAX_BYTES)

/*
 * Appends v's encoding. Versions of equal precedence give equal text: build metadata is left out.
 */
void pp_evr_encode(struct pp_buf *out, const struct pp_version *v);
/*
 * Appends the bound below every prerelease of v's numbers and above everything lower. No version
 * has it.
 */
void pp_evr_encode_floor(struct pp_buf *out, const struct pp_version *v);

#endif
