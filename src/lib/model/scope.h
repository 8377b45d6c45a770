/* SPDX-License-Identifier: MIT */
/*
 * Whose names are whose. A source that has "names" is the only one that these names are taken from,
 * whatever priority others have and whether or not it can be reached; and it supplies no others.
 */
#ifndef PP_MODEL_SCOPE_H
#define PP_MODEL_SCOPE_H

#include "lib/model/config.h"

/* A name, or the beginning of names and one star at the end, as "acme-*". */
bool pp_scope_pattern_valid(const char *pattern);
/* "names" of a source. Errors: BAD_CONFIG. */
enum plugpkg_code pp_scope_read(
    const struct pp_fields *f, const char *field, const pp_json *j, struct pp_strs *out);

/* c may be NULL in all of these: nothing belongs to anybody then. */

/* Does the name belong to a source, and to this one not? */
bool pp_scope_is_foreign(const struct pp_config *c, const char *source, const char *name);
/* May a plugin of that name come from the source? */
bool pp_scope_may_supply(const struct pp_config *c, const char *source, const char *name);
/* Takes from a release what it provides or replaces of names that belong to other sources. */
void pp_scope_trim(const struct pp_config *c, const char *source, struct pp_release *r);

#endif
