/* SPDX-License-Identifier: MIT */
/*
 * store/NAME/VERSION: immutable unpacked plugins, put there by one rename; and private staging
 * directories.
 */
#ifndef PP_STORE_STORE_H
#define PP_STORE_STORE_H

#include "lib/model/context.h"

/* A fresh private directory var/staging/PREFIX-N, 0700. */
enum plugpkg_code pp_staging_new(
    plugpkg_context *ctx, const char *what, char **out_name, int *out_fd, plugpkg_error **err);
/* The same in var/staging as the caller has it open. */
enum plugpkg_code pp_staging_new_at(plugpkg_context *ctx, int staging_fd, const char *what,
    char **out_name, int *out_fd, plugpkg_error **err);
/*
 * Removes all of var/staging: at the start of every mutating command, under the lock. What cannot
 * be deleted stays, with a warning; no name in there may be counted on to be free.
 */
enum plugpkg_code pp_staging_clear(plugpkg_context *ctx, plugpkg_error **err);
/*
 * Renames a staging directory to store/NAME/VERSION and makes store/NAME/current. An existing one:
 * kept, staging removed.
 */
enum plugpkg_code pp_store_put(plugpkg_context *ctx, const char *staging, const char *name,
    const char *version, plugpkg_error **err);
/* The same with both directories as the caller has them open, for many. */
struct pp_store_fds {
	int staging, store; /* borrowed */
};
enum plugpkg_code pp_store_put_at(plugpkg_context *ctx, const struct pp_store_fds *fds,
    const char *staging, const char *name, const char *version, plugpkg_error **err);
/*
 * The same for a version that is there and damaged: the two change places at once, where the file
 * system can do that, and the damaged one is deleted.
 */
enum plugpkg_code pp_store_replace(plugpkg_context *ctx, const char *staging, const char *name,
    const char *version, plugpkg_error **err);
int pp_store_has(plugpkg_context *ctx, const char *name, const char *version); /* 1, 0, -errno */
/* Opened directory of a stored version. */
enum plugpkg_code pp_store_open(
    plugpkg_context *ctx, const char *name, const char *version, int *out_fd, plugpkg_error **err);
enum plugpkg_code pp_store_remove(
    plugpkg_context *ctx, const char *name, const char *version, plugpkg_error **err);
/*
 * pp_store_remove() of many, "NAME VERSION": all leave their places, one sync makes that durable,
 * and only then is the first file deleted. Adds to both counts, of versions and of bytes.
 */
enum plugpkg_code pp_store_drop(plugpkg_context *ctx, const struct pp_strs *members,
    int64_t *out_versions, uint64_t *out_bytes, plugpkg_error **err);
/*
 * Every NAME and VERSION in the store: "NAME VERSION" strings, sorted. out_bare: plugins and scopes
 * whose last version somebody removed who was cut off; pp_store_prune() removes them.
 */
enum plugpkg_code pp_store_list(
    plugpkg_context *ctx, struct pp_strs *out, struct pp_strs *out_bare, plugpkg_error **err);
enum plugpkg_code pp_store_prune(plugpkg_context *ctx, const char *name, plugpkg_error **err);
/* Digest of a tree: sha256 over the lines of its files and links (repo-format/archive.md). */
enum plugpkg_code pp_store_tree_digest(int dir_fd, char out[65], plugpkg_error **err);

#endif
