/* SPDX-License-Identifier: MIT */
/* What of the cache is the index that the root stands on, and what goes when it holds too much. */
#ifndef PP_INDEX_KEPT_H
#define PP_INDEX_KEPT_H

#include "base/map.h"
#include "lib/model/context.h"

/*
 * The digests of the index files that the last `update` of each source brought, into *out (values
 * not NULL): without them the root could not even plan.
 */
void pp_index_kept(plugpkg_context *ctx, struct pp_map *out);
/*
 * Deletes downloads that were not used for the longest time until the cache holds no more than
 * "cache" of plugpkg.json says; the index stays. Needs the lock. Failures cost only space.
 */
void pp_cache_trim(plugpkg_context *ctx);

#endif
