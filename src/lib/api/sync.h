/* SPDX-License-Identifier: MIT */
/* What `sync` and `lock` share: how a root differs from plugpkg.json and from plugpkg.lock. */
#ifndef PP_API_SYNC_H
#define PP_API_SYNC_H

#include "lib/api/making.h"

PP_DEFINE_AUTO(steps, struct pp_plan, pp_plan_free);

enum pp_diff_kind {
	PP_DIFF_MISSING, /* there: range or version */
	PP_DIFF_VERSION, /* here: installed version; there: range or version */
	PP_DIFF_EXTRA,   /* here: version of what is installed and should not be */
	PP_DIFF_SOURCE,  /* names of sources */
	PP_DIFF_CONTENT, /* same version, other digest; here: the version */
	PP_DIFF_LINK,    /* directories; NULL on the side where it is not linked */
	PP_DIFF_FILES,   /* here: version whose files are gone from the store */
	PP_DIFF_MARK,    /* here: "manual" or "automatic", as the state has it; there: the other */
	PP_DIFF_HOST,    /* versions of the application; NULL: has none of that name */
	PP_DIFF_WISH,    /* of plugpkg.lock itself; here: its version, or NULL; there: the range */
};
struct pp_diff {
	enum pp_diff_kind kind;
	char *key, *here, *there;
	bool is_from_lock; /* only plugpkg.lock asks for it */
};
struct pp_diffs pp_vec(struct pp_diff);
void pp_diffs_fini(struct pp_diffs *d);
const struct pp_diff *pp_diffs_get(
    const struct pp_diffs *d, enum pp_diff_kind kind, const char *key);
/* Rows of type "difference". */
void pp_diffs_rows(const struct pp_diffs *d, plugpkg_row_fn row, void *user);
/* "user is 2.1.3, not ^3", owned. */
char *pp_diff_text(const struct pp_diff *d);

struct pp_sync {
	plugpkg_context *ctx;
	unsigned flags; /* plugpkg_sync_flags */
	struct pp_making making;
	struct pp_lockfile *lock; /* NULL: there is none */
	struct pp_diffs diffs;
	bool is_solved;   /* what nothing wants was found by the solver */
	bool may_update;  /* newer metadata of the sources could help */
	bool must_update; /* nothing goes without it */
};
/* Fit for pp_sync_fini(). */
#define PP_SYNC_INIT(context, sync_flags)                                                          \
	{                                                                                          \
		.ctx = (context), .flags = (sync_flags), .making = {                               \
			.ctx = (context),                                                          \
			.open = PP_SOURCES_OPEN_INIT                                               \
		}                                                                                  \
	}
/* Reads plugpkg.lock and what is installed. Errors: BAD_LOCK BAD_STATE IO. */
enum plugpkg_code pp_sync_begin(
    plugpkg_context *ctx, unsigned flags, struct pp_sync *out, plugpkg_error **err);
void pp_sync_fini(struct pp_sync *s);

/* ---- sync_compare.c ---- */

/* The root against s->lock, to the letter: as `lock --check` shows it. */
void pp_sync_compare_lock(struct pp_sync *s);
/* The root against what the flags ask for. Errors: LOCK_MISMATCH BAD_STATE. */
enum plugpkg_code pp_sync_compare(struct pp_sync *s, plugpkg_error **err);
/* The row fits what plugpkg.json wants of its plugin, or nothing there speaks of it. */
bool pp_sync_lock_fits(const struct pp_sync *s, const struct pp_locked *row);
/* plugpkg.json asks for the plugin of this key, as the root will be after the plan. */
bool pp_sync_is_wished(const struct pp_sync *s, const char *key);
/* The row of the lock that meets an entry of the wanted set, or NULL. */
const struct pp_locked *pp_sync_row_of(const struct pp_sync *s, const struct pp_dep *wish);

/* ---- sync_wanted.c, sync_locked.c: from differences to steps ---- */

enum plugpkg_code pp_sync_plan_wanted(struct pp_sync *s, plugpkg_plan *plan, plugpkg_error **err);
enum plugpkg_code pp_sync_plan_locked(struct pp_sync *s, plugpkg_plan *plan, plugpkg_error **err);
/* What of the flags counts in every request to the solver: plugpkg_plan_flags. */
unsigned pp_sync_request_flags(const struct pp_sync *s);
/* A request to install the plugin of a key; range NULL: any release. */
void pp_sync_ask(struct pp_sync *s, const char *key, const char *range);
/* One to remove it; is_removal: in a request that installs. */
void pp_sync_take_off(struct pp_targets *targets, const char *key, bool is_removal);
/* Opens the sources as the last update left them; says in s when an update would help. */
enum plugpkg_code pp_sync_sources(struct pp_sync *s, plugpkg_error **err);
/* Digests of the steps, held against those of the lock. Errors: DIGEST NETWORK. */
enum plugpkg_code pp_sync_details(struct pp_sync *s, plugpkg_error **err);

#endif
