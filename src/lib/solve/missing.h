/* SPDX-License-Identifier: MIT */
/*
 * Why a release cannot be chosen, or a dependency cannot be met, in words for people and in words
 * for programs.
 */
#ifndef PP_SOLVE_MISSING_H
#define PP_SOLVE_MISSING_H

#include "lib/solve/load.h"

/* "user@^2", or "user" when any release would do. */
void pp_missing_add_dep(struct pp_buf *b, const struct pp_dep *dep);
/*
 * "there is only 1.0.0", "there are 1.0.0 and 1.2.0": what the name's own source has, and what is
 * installed.
 */
void pp_missing_add_existing(struct pp_buf *b, const struct pp_known *k);
/*
 * Why nothing satisfies dep, as a clause: "no source has it", "this application has 5.2.0".
 * Returns the word for it, forever: "unknown" "version" "provider" "host-none" "host-too-old"
 * "host-too-new", or that of a slot.
 */
const char *pp_missing_add(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep);

/* "tls ^1", or "tls" when any release would do: as a need is told. */
void pp_missing_add_need(struct pp_buf *b, const struct pp_dep *dep);
/* "needs tls ^1; no source has it", "conflicts with host:app >=2; this application has 2.0.0". */
void pp_missing_add_unmet(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep);
void pp_missing_add_clash(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep);

/*
 * Why the release is no candidate, as a clause that begins with its version; nothing is added for
 * a candidate. Returns the word: "candidate" "prerelease" "old" "os" "arch" "min-client" "source"
 * "min-age" "installed".
 */
const char *pp_missing_add_slot(
    struct pp_buf *b, const struct pp_load *l, const struct pp_known *k, const struct pp_slot *s);
/* The release in range that comes nearest to being a candidate, or NULL. */
const struct pp_slot *pp_missing_hidden(const struct pp_known *k, const struct pp_dep *dep);

#endif
