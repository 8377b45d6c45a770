/* SPDX-License-Identifier: MIT */
/*
 * The releases of one name, and which of them may be chosen at all: whose source answers for the
 * name, what runs here, prereleases, age. What is left out keeps its reason.
 */
#ifndef PP_SOLVE_ADMIT_H
#define PP_SOLVE_ADMIT_H

#include "lib/solve/load.h"

/* Asks every source for the name and fills owner, home, slots and providers. */
enum plugpkg_code pp_admit_load(struct pp_load *l, struct pp_known *k, plugpkg_error **err);
/* A range that was seen admits the waiting releases that it names. */
void pp_admit_by_range(struct pp_known *k, const struct pp_dep *d);
/* The time from which on the release is old enough, Unix seconds; 0: it does not tell its age. */
int64_t pp_admit_old_enough_at(const struct pp_load *l, const struct pp_release *r);
/* Index of the source of this name, or PP_NO_SOURCE. */
size_t pp_admit_source(const struct pp_load *l, const char *name);

#endif
