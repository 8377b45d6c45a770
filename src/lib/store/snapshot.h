/* SPDX-License-Identifier: MIT */
/*
 * var/snapshots/KEY/GENERATION: what data/KEY held when the root left that generation. Complete,
 * or not there.
 */
#ifndef PP_STORE_SNAPSHOT_H
#define PP_STORE_SNAPSHOT_H

#include "lib/model/context.h"

#define PP_SNAPSHOTS_DIR "var/snapshots"

/* Copies data/data_key to var/snapshots/KEY/GENERATION, durable; an earlier one is replaced. */
enum plugpkg_code pp_snapshot_take(plugpkg_context *ctx, const char *data_key, const char *key,
    int64_t generation, plugpkg_error **err);
/* Puts a copy of it in the place of data/data_key, in one rename; it stays itself. */
enum plugpkg_code pp_snapshot_restore(plugpkg_context *ctx, const char *key, int64_t generation,
    const char *data_key, plugpkg_error **err);
/*
 * Puts it there itself, and may be called again when it was cut off. None there: OK. The data is
 * never missing where the file system can exchange two names, else between two renames; nor is it
 * half there, but in an overlay while what came with a lower layer is deleted.
 */
enum plugpkg_code pp_snapshot_return(plugpkg_context *ctx, const char *key, int64_t generation,
    const char *data_key, plugpkg_error **err);
/* Generations of which there are snapshots of KEY, ascending; owned. */
enum plugpkg_code pp_snapshot_list(
    plugpkg_context *ctx, const char *key, int64_t **out, size_t *out_n, plugpkg_error **err);
/* Deletes all of KEY. A missing one is OK. */
enum plugpkg_code pp_snapshots_drop(plugpkg_context *ctx, const char *key, plugpkg_error **err);
/* Deletes those of all generations but these, which are ascending. */
enum plugpkg_code pp_snapshots_clean(plugpkg_context *ctx, const int64_t *kept, size_t n,
    uint64_t *out_deleted, plugpkg_error **err);
/*
 * Bytes on disk that a copy of a directory of the root takes where blocks cannot be shared, 0 where
 * they can. REFUSED: what cannot be put back in one rename: no directory, a mount in it, or one
 * of another user that may not be written.
 */
enum plugpkg_code pp_snapshot_cost(
    plugpkg_context *ctx, const char *path, uint64_t *out, plugpkg_error **err);
/* The same for the directory itself, without a look at what is in it; changes nothing. */
enum plugpkg_code pp_snapshot_check(plugpkg_context *ctx, const char *path, plugpkg_error **err);

/* ---- data_copy.c ---- */

/*
 * Everything in from_fd into the empty to_fd: modes, owners where that is allowed, times, holes,
 * attributes, second names, links as they are, pipes and sockets. Devices that may not be made are
 * left out, with a warning, as are privileged attributes. Not durable. 0 or -errno; out_where:
 * owned, the path that failed.
 */
int pp_data_copy(plugpkg_context *ctx, int from_fd, int to_fd, char **out_where) PP_MUSTUSE;
/*
 * Bytes on disk of all that is below. EXDEV where something else than root_fd is mounted. out NULL:
 * looks only at the directory itself.
 */
int pp_data_bytes(int fd, int root_fd, uint64_t *out) PP_MUSTUSE;

#endif
