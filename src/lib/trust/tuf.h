/* SPDX-License-Identifier: MIT */
/*
 * The deciding half of a TUF 1.0 client (specification section 5): bytes in, trusted metadata out.
 * Pure: no files, no network, no clock; lib/trust/updater.c fetches and stores.
 */
#ifndef PP_TRUST_TUF_H
#define PP_TRUST_TUF_H

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "lib/model/error.h"

#define PP_TUF_MAX_ROOT_BYTES      512000
#define PP_TUF_MAX_TIMESTAMP_BYTES 16384
#define PP_TUF_MAX_SNAPSHOT_BYTES  2000000
#define PP_TUF_MAX_TARGETS_BYTES   5000000
#define PP_TUF_MAX_GIVEN_BYTES     (64 << 20) /* when the parent gives a length instead */
#define PP_TUF_MAX_ROOT_ROTATIONS  256
#define PP_TUF_MAX_DELEGATIONS     32
#define PP_TUF_MAX_ROLE_BYTES      200 /* of a delegated role's name, encoded */

/*
 * Where bytes come from: local ones were trusted once, yet a root rotation may have made them void.
 */
enum pp_tuf_origin {
	PP_TUF_LOCAL,
	PP_TUF_REMOTE,
};

struct pp_tuf;
struct pp_meta;
struct pp_proofs;

/*
 * now: fixed start time for every expiry decision. root: bytes of the trusted root (self-verified
 * here).
 */
enum plugpkg_code pp_tuf_new(
    const char *root, size_t n, int64_t now, struct pp_tuf **out, plugpkg_error **err);
/* The same, and what `proofs` has is not verified again; it learns what is. Borrowed. */
enum plugpkg_code pp_tuf_new_among(const char *root, size_t n, int64_t now,
    struct pp_proofs *proofs, struct pp_tuf **out, plugpkg_error **err);
void pp_tuf_free(struct pp_tuf *t);
PP_DEFINE_AUTO(tuf, struct pp_tuf, pp_tuf_free);

/*
 * The next root: version exactly one higher, threshold of the old and of the new. What was trusted
 * below the old root has to be loaded again. SIGNATURE ROLLBACK BAD_METADATA.
 */
enum plugpkg_code pp_tuf_update_root(
    struct pp_tuf *t, const char *p, size_t n, plugpkg_error **err);
/* After the last root: EXPIRED? */
enum plugpkg_code pp_tuf_check_root(const struct pp_tuf *t, plugpkg_error **err);

/*
 * A local timestamp is taken also when expired: it takes part in the rollback check. A remote one
 * of the version already trusted changes nothing (*out_is_new false) and is fine while the trusted
 * one is. SIGNATURE ROLLBACK EXPIRED BAD_METADATA.
 */
enum plugpkg_code pp_tuf_update_timestamp(struct pp_tuf *t, enum pp_tuf_origin origin,
    const char *p, size_t n, bool *out_is_new, plugpkg_error **err);
enum plugpkg_code pp_tuf_check_timestamp(const struct pp_tuf *t, plugpkg_error **err);

/* A local snapshot takes part in the rollback check even if the timestamp no longer names it. */
enum plugpkg_code pp_tuf_update_snapshot(
    struct pp_tuf *t, enum pp_tuf_origin origin, const char *p, size_t n, plugpkg_error **err);
/* Is the trusted snapshot the one that the timestamp names, and not expired? */
enum plugpkg_code pp_tuf_check_snapshot(const struct pp_tuf *t, plugpkg_error **err);

/*
 * Targets metadata against snapshot and delegator. delegator NULL: the role is `targets` and root
 * is its delegator; else a role that pp_tuf_find() handed to its load function. SIGNATURE ROLLBACK
 * EXPIRED DIGEST BAD_METADATA.
 */
enum plugpkg_code pp_tuf_update_targets(struct pp_tuf *t, const char *role,
    const struct pp_meta *delegator, const char *p, size_t n, plugpkg_error **err);

/*
 * What the trusted metadata says about a file to fetch: "snapshot", "targets" or a delegated role.
 */
struct pp_tuf_file {
	int64_t version;
	size_t max_bytes;
};
enum plugpkg_code pp_tuf_expect(
    const struct pp_tuf *t, const char *role, struct pp_tuf_file *out, plugpkg_error **err);

/* A target as signed. */
struct pp_tuf_target {
	uint64_t length;
	char sha256[65], sha512[129]; /* "" when not given */
};

/* Has to call pp_tuf_update_targets() with role and delegator. */
typedef enum plugpkg_code (*pp_tuf_load_fn)(
    void *user, const char *role, const struct pp_meta *delegator, plugpkg_error **err);
/*
 * Searches the delegations in pre-order, depth first, loading roles as needed; ends at a
 * terminating delegation and after PP_TUF_MAX_DELEGATIONS roles. NOT_FOUND BAD_METADATA, and what
 * load returns.
 */
enum plugpkg_code pp_tuf_find(struct pp_tuf *t, const char *path, pp_tuf_load_fn load, void *user,
    struct pp_tuf_target *out, plugpkg_error **err);

/* Names of the roles below root that are loaded, sorted. */
void pp_tuf_roles(const struct pp_tuf *t, struct pp_strs *out);
/* SHA-256 of the files of root and of those roles. */
void pp_tuf_digests(const struct pp_tuf *t, struct pp_map *out);
int64_t pp_tuf_version(const struct pp_tuf *t, const char *role); /* -1 when not loaded */
int64_t pp_tuf_expires(const struct pp_tuf *t);                   /* earliest of all loaded */
/*
 * The loaded role that expires first of those whose renewal is overdue, as far as a client can
 * tell: a timestamp in its last 12 hours, a snapshot in its last 3 days, others in their last 7.
 * False: none.
 */
bool pp_tuf_is_due(const struct pp_tuf *t, int64_t *out_expires);
/* The last moment at which none of them is due. */
int64_t pp_tuf_due_after(const struct pp_tuf *t);
bool pp_tuf_is_consistent_snapshot(const struct pp_tuf *t);

/*
 * Percent-encodes all but letters, digits and -._~: a role's name as part of a file name or URL.
 * Owned.
 */
char *pp_tuf_encode(const char *role);

#endif
