/* SPDX-License-Identifier: MIT */
/*
 * What the public functions share: the sources of a root, opened together, and the mould of their
 * rows.
 */
#ifndef PP_API_API_H
#define PP_API_API_H

#include "lib/index/catalog.h"
#include "lib/model/context.h"
#include "lib/model/manifest.h"
#include "lib/state/state.h"

/* ---- context.c ---- */

/*
 * A context of a directory that may not be a root yet; full path, opened. Errors: IO PERMISSION
 * NO_ROOT.
 */
enum plugpkg_code pp_context_new(const char *dir, plugpkg_context **out, plugpkg_error **err);
PP_DEFINE_AUTO(context, plugpkg_context, plugpkg_close);

/* ---- marks.c ---- */

/* "hold" and "hold_until" of a plugin that is held; nothing of others. */
void pp_row_add_hold(const plugpkg_context *ctx, const struct pp_installed *p, pp_json *row);
/* "detached": names that it requires and goes without; nothing of others. */
/* "scripts_left_out" of who came with --no-scripts. */
void pp_row_add_skipped(const struct pp_installed *p, pp_json *row);
void pp_row_add_detached(const struct pp_installed *p, pp_json *row);

/* "state" as people see it; "disabled" and "blocked_by" of a plugin that is not in use. */
void pp_row_add_state(const struct pp_installed *p, pp_json *row);

/* ---- check.c ---- */

/* Counts what is wrong with the links of the current generation. */
enum plugpkg_code pp_check_generation(
    plugpkg_context *ctx, size_t *out_problems, plugpkg_error **err);

/* ---- sources.c ---- */

/* Every source of plugpkg.json, highest priority first (then as listed), over one fetch helper. */
struct pp_sources_open {
	int cache_fd;
	struct pp_net *net;
	struct pp_catalogs pp_vec(struct pp_catalog *) catalogs; /* owned */
};
#define PP_SOURCES_OPEN_INIT                                                                       \
	{                                                                                          \
		.cache_fd = -1                                                                     \
	}
/* Only the helper and the cache; catalogs stay empty. */
enum plugpkg_code pp_sources_net(
    plugpkg_context *ctx, struct pp_sources_open *out, plugpkg_error **err);
/* Opens and loads what the last `update` left. */
enum plugpkg_code pp_sources_load(
    plugpkg_context *ctx, bool allow_expired, struct pp_sources_open *out, plugpkg_error **err);
void pp_sources_open_fini(struct pp_sources_open *s);
#define PP_AUTO_SOURCES PP_CLEANUP(pp_sources_open_fini)
/*
 * The source that answers for NAME: the first that knows it. Fills its releases, newest first. *out
 * NULL and no releases when none does.
 */
enum plugpkg_code pp_sources_releases(struct pp_sources_open *s, const char *name,
    struct pp_catalog **out, struct pp_releases *releases, plugpkg_error **err);
/*
 * Newest release that fits here and lies in range (NULL = any); prereleases only when nothing else
 * is there.
 */
const struct pp_release *pp_releases_best(
    const struct pp_releases *releases, const struct pp_range *range);
/* NOT_FOUND for a name that nobody knows, with near names as advice. */
enum plugpkg_code pp_sources_unknown(
    plugpkg_context *ctx, struct pp_sources_open *s, const char *name, plugpkg_error **err);

/* ---- scripts.c: rows of type "script" ---- */

enum plugpkg_code pp_scripts_of_installed(plugpkg_context *ctx, const struct pp_installed *p,
    plugpkg_row_fn row, void *user, plugpkg_error **err);
struct pp_scripts_offer {
	struct pp_catalog *catalog;
	const char *name, *version;
};
/* Its archive comes into the cache, verified, and nothing of it is installed. */
enum plugpkg_code pp_scripts_of_offer(plugpkg_context *ctx, struct pp_sources_open *open,
    const struct pp_scripts_offer *o, plugpkg_row_fn row, void *user, plugpkg_error **err);

/* ---- query.c, list.c ---- */

/* The newest release of a plugin as a source offers it. */
struct pp_offer {
	pp_json *line;      /* of its search shard */
	const char *source; /* view into the context's configuration */
};
struct pp_offers pp_vec(struct pp_offer);
/* What takes() takes, of each name the first source's, in order of names. */
enum plugpkg_code pp_offers_gather(struct pp_sources_open *s,
    bool (*takes)(const pp_json *line, const void *user), const void *user, struct pp_offers *out,
    plugpkg_error **err);
void pp_offers_fini(struct pp_offers *o);
/* installed: the one of that name, or NULL. */
pp_json *pp_offer_row(
    const struct pp_offer *o, const char *type, const struct pp_installed *installed);
/* "type" of a manifest or a search line: "plugin" unless it says otherwise. View. */
const char *pp_plugin_type(const pp_json *manifest);

/* ---- trust.c ---- */

/* Below var/trust/NAME: the root that trust began with; root.json is the newest. */
#define PP_FIRST_ROOT "first.root.json"

/*
 * Makes var/trust/NAME hold the root metadata that key stands for: "sha256:HEX", the path of a
 * root.json, or NULL = ask. *out_fingerprint: "sha256:HEX". Errors: NETWORK KEY SIGNATURE CONFIRM
 * DECLINED.
 */
enum plugpkg_code pp_source_trust(plugpkg_context *ctx, struct pp_net *net,
    const struct pp_source *source, const char *key, char out_fingerprint[72], plugpkg_error **err);
/* KEY when a source that is trusted already began with another root than key, "sha256:HEX". */
enum plugpkg_code pp_source_check_key(
    plugpkg_context *ctx, const struct pp_source *source, const char *key, plugpkg_error **err);

#endif
