/* SPDX-License-Identifier: MIT */
/*
 * Plugins with parallel majors: which releases of one name exclude each other, which installed
 * one a release takes the place of, and which one a word of the request means.
 */
#ifndef PP_SOLVE_MAJORS_H
#define PP_SOLVE_MAJORS_H

#include "lib/solve/load.h"

bool pp_same_key(const struct pp_release *a, const struct pp_release *b);
bool pp_same_major(const struct pp_release *a, const struct pp_release *b);
/* One of a name at most, but one of each major where both declare that. */
bool pp_excludes(const struct pp_release *a, const struct pp_release *b);
/*
 * The installed plugin that r would take the place of: that of its key; else, where one of the
 * two declares no parallel majors, the one of the same major, else the highest. NULL: none.
 */
const struct pp_solve_installed *pp_majors_old(const struct pp_load *l, const struct pp_release *r);
/* Does the target speak of this release? A range tells majors of a parallel plugin apart. */
bool pp_ask_means(const struct pp_ask *ask, const struct pp_release *r);
/* The first target that speaks of this release, or NULL. */
const struct pp_ask *pp_majors_ask(const struct pp_load *l, const struct pp_release *r);
/*
 * The one installed plugin that is to go. Errors: NOT_INSTALLED, and USAGE when several majors
 * are installed and the target names none of them.
 */
enum plugpkg_code pp_majors_leaving(const struct pp_load *l, const struct pp_ask *ask,
    const struct pp_solve_installed **out, plugpkg_error **err);
/* NOT_INSTALLED, with the majors that are, or a name that is near. */
enum plugpkg_code pp_majors_not_installed(
    const struct pp_load *l, const struct pp_ask *ask, plugpkg_error **err);

#endif
