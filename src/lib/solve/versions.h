/* SPDX-License-Identifier: MIT */
/* Lists of versions as people write them: runs become "A to B". */
#ifndef PP_SOLVE_VERSIONS_H
#define PP_SOLVE_VERSIONS_H

#include "base/buf.h"
#include "base/vec.h"
#include "lib/model/semver.h"

struct pp_version_mark {
	const struct pp_version *version; /* borrowed */
	bool is_meant;                    /* belongs to the list; the others only break runs */
	bool is_installed;
};
struct pp_version_marks pp_vec(struct pp_version_mark);

enum pp_versions_style {
	PP_VERSIONS_RUNS, /* "1.0.0 to 1.4.0" for three and more in a row */
	PP_VERSIONS_EACH,
};
/*
 * Sorts marks (lowest first), joins equal versions, and appends the meant ones. Returns how many
 * these are.
 */
size_t pp_versions_add(
    struct pp_buf *b, struct pp_version_marks *marks, enum pp_versions_style style);

#endif
