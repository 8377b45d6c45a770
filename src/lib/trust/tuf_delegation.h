/* SPDX-License-Identifier: MIT */
/* Which delegations of a targets file cover a path. Private to lib/trust and its tests. */
#ifndef PP_TRUST_TUF_DELEGATION_H
#define PP_TRUST_TUF_DELEGATION_H

#include "lib/trust/tuf_meta.h"

/* `*` any run and `?` any one character, neither matches `/`; all else stands for itself. */
bool pp_tuf_glob(const char *pattern, const char *path);
/* Does the delegation (member of "delegations.roles") cover the path? */
bool pp_tuf_delegation_covers(const pp_json *delegation, const char *path);
/* The delegation of a role, or NULL. */
const pp_json *pp_tuf_delegation_of(const struct pp_meta *delegator, const char *role);

#endif
