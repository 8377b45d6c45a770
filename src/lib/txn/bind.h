/* SPDX-License-Identifier: MIT */
/*
 * Which installed plugin each requirement is bound to, as dependents are told: in .plugins.json,
 * and by PLUGPKG_DEP_NAME in the environment of scripts.
 */
#ifndef PP_TXN_BIND_H
#define PP_TXN_BIND_H

#include "base/json.h"
#include "base/map.h"
#include "lib/state/state.h"

struct pp_bindable {
	const struct pp_installed *plugin;
	const struct pp_release *release;
};
/* What may be bound: plugins and releases are borrowed. */
struct pp_bindables {
	struct pp_vec(struct pp_bindable) list; /* in the order of keys */
	struct pp_map by_name;                  /* own and provided names -> indexes into list */
};
/* Added in the order of keys. */
void pp_bindables_add(
    struct pp_bindables *all, const struct pp_installed *plugin, const struct pp_release *release);
void pp_bindables_fini(struct pp_bindables *all);
#define PP_AUTO_BINDABLES PP_CLEANUP(pp_bindables_fini)

/* All that satisfy dep, one call after the other; *i begins with 0. NULL: no more. */
const struct pp_bindable *pp_bind_next(
    const struct pp_bindables *all, const struct pp_dep *dep, size_t *i);
/*
 * The highest of the name, else the first in the order of keys that provides it; one that is
 * disabled or blocked only where there is no other. NULL: none.
 */
const struct pp_bindable *pp_bind_find(const struct pp_bindables *all, const struct pp_dep *dep);
/*
 * {"lib": {"key", "version", "path"}} for each requirement and recommendation of r that is bound;
 * paths below the root are relative to it. NULL when there is none.
 */
pp_json *pp_bind_json(const struct pp_bindables *all, const struct pp_release *r);
/*
 * The same as "PLUGPKG_DEP_LIB=/full/path": letters in upper case, all that is no letter or digit
 * as "_". Names that would be the same then are told apart in the order of names: the second one
 * gets "_2" at its end, the third "_3", and numbers that another name has taken are passed over.
 */
void pp_bind_env(const char *root, const struct pp_bindables *all, const struct pp_release *r,
    struct pp_strs *out);

#endif
