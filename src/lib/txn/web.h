/* SPDX-License-Identifier: MIT */
/*
 * What is installed as a web: who satisfies which requirement of whom. Places are those of the
 * inventory.
 */
#ifndef PP_TXN_WEB_H
#define PP_TXN_WEB_H

#include "base/map.h"
#include "lib/model/depth.h"
#include "lib/txn/inventory.h"

#define PP_NOBODY SIZE_MAX

/* In the order of rows. Only what a plugin cannot or should not be without is followed. */
enum pp_tie {
	PP_TIE_REQUIRES,
	PP_TIE_RECOMMENDS,
	PP_TIE_SUGGESTS,
	PP_TIE_CONFLICTS,
	PP_N_TIES
};
extern const char *const pp_tie_names[PP_N_TIES]; /* "requires", … */
bool pp_tie_is_followed(enum pp_tie tie);
/* The dependencies of a release that are tied that way. */
const struct pp_deps *pp_tie_deps(const struct pp_release *r, enum pp_tie tie);

struct pp_thread {
	size_t from;
	size_t to; /* PP_NOBODY: no plugin satisfies it */
	enum pp_tie tie;
	const struct pp_dep *dep;
	const char *host; /* version of the application when that satisfies it, else NULL; view */
};
struct pp_web {
	struct pp_inventory inv;
	struct pp_map by_name; /* own and provided names -> struct pp_places */
	/*
	 * By `from`, then tie, then as written; several in a row for one dep when several plugins
	 * satisfy it. Leftovers satisfy nothing.
	 */
	struct pp_threads pp_vec(struct pp_thread) threads;
};
enum plugpkg_code pp_web_load(plugpkg_context *ctx, struct pp_web *out, plugpkg_error **err);
/*
 * The same, unless all of it is whole: then inv.set is all that is filled. The web would tell no
 * more than that each thread that is followed has its end, and that nothing conflicts.
 */
enum plugpkg_code pp_web_load_if_torn(
    plugpkg_context *ctx, struct pp_web *out, bool *out_is_whole, plugpkg_error **err);
/*
 * whole.c: each plugin is in use, detached from nothing, and what it requires and recommends is
 * there; none has conflicts. True is sure; false: it takes the web to know.
 */
bool pp_set_is_whole(plugpkg_context *ctx, const struct pp_installeds *set);
/*
 * Of plugins of this name, and of those whose names they require, only: who is satisfied here is in
 * the whole web, too. Who is not may be, there, by one that provides the name.
 */
enum plugpkg_code pp_web_load_around(
    plugpkg_context *ctx, const char *name, struct pp_web *out, plugpkg_error **err);
void pp_web_fini(struct pp_web *w);
#define PP_AUTO_WEB PP_CLEANUP(pp_web_fini)

/* The first plugin that satisfies dep, the one of that name before those that provide it. */
size_t pp_web_find(const struct pp_web *w, const struct pp_dep *dep);
/* The plugin of that key, or the highest of that name, whether or not it does; leftovers too. */
size_t pp_web_place(const struct pp_web *w, const char *name);
/* Where the threads that start at a place begin. */
size_t pp_web_first(const struct pp_web *w, size_t place);
/* Distance from the leaves for each place. */
void pp_web_depths(const struct pp_web *w, struct pp_depths *out);

#endif
