/* SPDX-License-Identifier: MIT */
/* Version ranges in npm's notation, over versions of any number of parts. */
#ifndef PP_MODEL_RANGE_H
#define PP_MODEL_RANGE_H

#include "base/vec.h"
#include "lib/model/semver.h"

#define PP_RANGE_MAX_BYTES        4096
#define PP_RANGE_MAX_ALTERNATIVES 32
#define PP_RANGE_MAX_COMPARATORS  16

enum pp_op {
	PP_OP_LT,
	PP_OP_LE,
	PP_OP_EQ,
	PP_OP_GE,
	PP_OP_GT
};

/*
 * One comparator. `below_prereleases` marks a bound that stands before every prerelease of its
 * version:
 * the "2.0.0~~" of libsolv-style encodings, as in ^1.2 = >=1.2.0 <2.0.0 without 2.0.0-rc.
 */
struct pp_comparator {
	enum pp_op op;
	struct pp_version version;
	bool below_prereleases;
};

/* All comparators of an alternative must hold; none at all means any release. */
struct pp_alternative {
	struct pp_comparators pp_vec(struct pp_comparator) all;
};

struct pp_range {
	char *text; /* as written, trimmed; "*" for the empty text */
	struct pp_alternatives pp_vec(struct pp_alternative) any; /* one must hold */
	size_t n_shared;                                          /* owners beside the first */
	bool is_in_arena;                                         /* which frees it */
};

/* Errors: BAD_RANGE with the position and what was expected. */
enum plugpkg_code pp_range_parse(struct pp_str text, struct pp_range **out, plugpkg_error **err);
/* The same in an arena, or NULL. */
enum plugpkg_code pp_range_parse_in(
    struct pp_arena *a, struct pp_str text, struct pp_range **out, plugpkg_error **err);
void pp_range_free(struct pp_range *r);
struct pp_range *pp_range_share(struct pp_range *r); /* one owner more of the same */
/*
 * Ranges that were read a moment ago, by their text: hundreds of plugins ask for the same few.
 * Starts with zeros; NULL: none are known.
 */
#define PP_RANGES_KNOWN 32
struct pp_ranges {
	struct pp_range *at[PP_RANGES_KNOWN];
};
enum plugpkg_code pp_ranges_parse(
    struct pp_ranges *known, const char *text, struct pp_range **out, plugpkg_error **err);
/* The same in an arena, which knows what was read into it. */
enum plugpkg_code pp_ranges_parse_in(
    struct pp_arena *a, const char *text, struct pp_range **out, plugpkg_error **err);
void pp_ranges_fini(struct pp_ranges *known);
/*
 * npm's rule: a prerelease matches only when an alternative holds and a comparator in it names a
 * prerelease of the same numeric version; with include_pre that condition falls.
 */
bool pp_range_match(const struct pp_range *r, const struct pp_version *v, bool include_pre);
bool pp_range_is_any(const struct pp_range *r);
/* The exact version when the range is nothing but one ("1.2.3", "=1.2.3-rc.1"), else NULL. */
const struct pp_version *pp_range_exact(const struct pp_range *r);

#endif
