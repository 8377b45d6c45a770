/* SPDX-License-Identifier: MIT */
/* Deletes many trees at once. */
#ifndef PP_BASE_RM_EACH_H
#define PP_BASE_RM_EACH_H

#include "base/vec.h"

/*
 * pp_rm_rf_count_at() of each of these in a directory. Where there are many, a few threads do it:
 * unlinking is the file system's work, and two processors do it in half the time. They are gone on
 * return, and no signal is ever theirs.
 *
 * The first failure ends it: -errno, and in *out_failed (if not NULL) whose it was, borrowed from
 * names.
 */
int pp_rm_each_at(
    int dirfd, const struct pp_strs *names, uint64_t *bytes, const char **out_failed) PP_MUSTUSE;

#endif
