/* SPDX-License-Identifier: MIT */
/* The installed plugins with their relations read: who satisfies what, here and now. */
#ifndef PP_TXN_INVENTORY_H
#define PP_TXN_INVENTORY_H

#include "lib/model/context.h"
#include "lib/model/release.h"
#include "lib/state/state.h"

struct pp_inventory {
	struct pp_installeds set;    /* sorted by key */
	struct pp_releases releases; /* releases.at[i] is that of set.at[i] */
	const struct pp_deps *host;  /* borrowed: the application's versions count too */
	bool is_host_partial;        /* its command was not asked yet */
};
/* What the state says is installed. Errors: BAD_STATE IO. */
enum plugpkg_code pp_inventory_load(
    plugpkg_context *ctx, struct pp_inventory *out, plugpkg_error **err);
/* Of plugins of these names only. */
enum plugpkg_code pp_inventory_load_named(plugpkg_context *ctx, const struct pp_strs *names,
    struct pp_inventory *out, plugpkg_error **err);
/* In two steps: what is installed (names NULL: all of it), then its relations. */
enum plugpkg_code pp_inventory_load_set(plugpkg_context *ctx, const struct pp_strs *names,
    struct pp_inventory *out, plugpkg_error **err);
enum plugpkg_code pp_inventory_load_releases(
    plugpkg_context *ctx, struct pp_inventory *inv, plugpkg_error **err);
void pp_inventory_fini(struct pp_inventory *inv);
#define PP_AUTO_INVENTORY PP_CLEANUP(pp_inventory_fini)

/* The release of an installed plugin by its key, or NULL. */
const struct pp_release *pp_inventory_release(const struct pp_inventory *inv, const char *key);
/* Of the only plugin of this name, or of the highest of its majors; NULL: there is none. */
const struct pp_release *pp_inventory_highest(const struct pp_inventory *inv, const char *name);
/*
 * Which plugin dep is bound to: of its name the highest that satisfies it, else the first in the
 * order of keys that provides it. Those that are disabled or blocked only where no other will do;
 * leftovers are not counted. SIZE_MAX: none.
 */
size_t pp_inventory_bound(const struct pp_inventory *inv, const struct pp_dep *dep);
/*
 * "user 2.1.3" or "host:mishka 0.1.2" (owned): what satisfies dep, leftovers not counted; else
 * NULL.
 */
char *pp_inventory_satisfier(const struct pp_inventory *inv, const struct pp_dep *dep);
/* The host's version as text when dep is a host: name, else NULL. View. */
const char *pp_inventory_host_version(const struct pp_inventory *inv, const struct pp_dep *dep);

/* Where a plugin stands among all: its index in the set, and how far it is from the leaves. */
struct pp_rank {
	size_t index;
	uint32_t depth;
};
struct pp_ranks pp_vec(struct pp_rank);
/* Every plugin, dependencies first; equally deep ones in the order of their keys. */
void pp_inventory_order(const struct pp_inventory *inv, struct pp_ranks *out);

struct pp_bindables;
/* All of it, to be bound (lib/txn/bind.h). */
void pp_inventory_bindables(const struct pp_inventory *inv, struct pp_bindables *out);

#endif
