/* SPDX-License-Identifier: MIT */
/*
 * What one source of a root offers: refreshes its TUF metadata and index root, fetches the shards
 * that a question needs into the cache, and answers by name.
 */
#ifndef PP_INDEX_CATALOG_H
#define PP_INDEX_CATALOG_H

#include "lib/index/index.h"
#include "lib/model/context.h"
#include "lib/model/release.h"
#include "lib/net/fetch.h"
#include "lib/trust/owner.h"

struct pp_catalog;

/*
 * Below var/trust/NAME: the metadata of the last update that succeeded as a whole. What lies beside
 * it may be newer and incomplete, when an update was cut off.
 */
#define PP_TRUST_VIEW "view"

/* source, net borrowed; opens ROOT/var/trust/NAME. */
enum plugpkg_code pp_catalog_open(plugpkg_context *ctx, const struct pp_source *source,
    struct pp_net *net, struct pp_catalog **out, plugpkg_error **err);
void pp_catalog_free(struct pp_catalog *c);
PP_DEFINE_AUTO(catalog, struct pp_catalog, pp_catalog_free);
/* Of one that was loaded: the last moment at which none of its metadata is due for renewal. */
int64_t pp_catalog_due_after(const struct pp_catalog *c);
const struct pp_source *pp_catalog_source(const struct pp_catalog *c);

/*
 * `update`: TUF refresh, then the index root and, while there is one shard, its planning and
 * search files. Fills a row of type "update".
 */
enum plugpkg_code pp_catalog_refresh(struct pp_catalog *c, pp_json *row, plugpkg_error **err);
/*
 * Asks ahead for what a refresh of that source asks its first mirror first, unless another source
 * has that mirror too. Only a hint; false when there is no place now.
 */
bool pp_catalog_ask_ahead(plugpkg_context *ctx, const struct pp_source *source, struct pp_net *net);
/*
 * Loads what the last refresh left, verified again. allow_expired: for list/show/search. Errors:
 * NOT_FOUND "no update yet" (hint: plugpkg update), EXPIRED, DIGEST.
 */
enum plugpkg_code pp_catalog_load(struct pp_catalog *c, bool allow_expired, plugpkg_error **err);

/*
 * Says that these names will be asked for, and what they lead to: fetches the planning shards of
 * all, then those that their lines hint at, each in one round.
 */
enum plugpkg_code pp_catalog_expect(
    struct pp_catalog *c, const struct pp_strs *names, plugpkg_error **err);
/*
 * All releases of NAME, newest first, each with .name set, the plugins that provide it as a
 * virtual name, and those that replace it. Nothing known: all empty, OK. Each out_… may be NULL
 * but the first; two may be the same.
 */
enum plugpkg_code pp_catalog_releases(struct pp_catalog *c, const char *name,
    struct pp_releases *out, struct pp_strs *out_providers, struct pp_strs *out_replacers,
    plugpkg_error **err);
/*
 * Signed planning row of a version (owned) and details row (owned); NOT_FOUND. Either out may be
 * NULL.
 */
enum plugpkg_code pp_catalog_rows(struct pp_catalog *c, const char *name, const char *version,
    pp_json **out_planning, pp_json **out_details, plugpkg_error **err);
/*
 * Who signs the plugin, as its line of that layer says (owned), or *out == NULL: nobody. The
 * planning layer says it where its rows have a PP_BRIEF_MEMBER, the details always. Errors:
 * BAD_METADATA.
 */
enum plugpkg_code pp_catalog_owner(struct pp_catalog *c, enum pp_layer layer, const char *name,
    struct pp_owner **out, plugpkg_error **err);
/*
 * Fetches the details shards of all these names in one round before pp_catalog_rows() is asked one
 * by one.
 */
enum plugpkg_code pp_catalog_prefetch(
    struct pp_catalog *c, const struct pp_strs *names, plugpkg_error **err);
/* Search lines {"name","version","summary","keywords"}, in order of names. */
enum plugpkg_code pp_catalog_search(struct pp_catalog *c,
    void (*each)(const pp_json *line, void *user), void *user, plugpkg_error **err);
/* Every name of the source, sorted. */
enum plugpkg_code pp_catalog_names(struct pp_catalog *c, struct pp_strs *out, plugpkg_error **err);

#endif
