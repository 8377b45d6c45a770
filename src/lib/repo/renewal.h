/* SPDX-License-Identifier: MIT */
/*
 * A new root or targets on its way: other keys, another threshold, or only another year. It waits
 * in pending/ until enough offline keys have signed it, here or elsewhere; publish then shows it.
 */
#ifndef PP_REPO_RENEWAL_H
#define PP_REPO_RENEWAL_H

#include "lib/repo/published.h"
#include "lib/repo/root.h"

struct pp_renewal {
	pp_json *root_now, *targets_now; /* published files {"signatures","signed"} */
	pp_json *root, *targets;         /* what waits; NULL = nothing */
	pp_json *keys;                   /* names, as pp_keyring_read() */
};
enum plugpkg_code pp_renewal_read(plugpkg_repo *repo, struct pp_renewal *out, plugpkg_error **err);
/* What waits: root and targets at once, or nothing. */
enum plugpkg_code pp_renewal_write(
    plugpkg_repo *repo, const struct pp_renewal *r, plugpkg_error **err);
enum plugpkg_code pp_renewal_delete(plugpkg_repo *repo, plugpkg_error **err);
void pp_renewal_fini(struct pp_renewal *r);

/* To and from the file that is carried to offline keys. From: BAD_METADATA. */
pp_json *pp_renewal_to_json(const struct pp_renewal *r, const char *repository);
enum plugpkg_code pp_renewal_from_json(
    const pp_json *j, const char *where, struct pp_renewal *out, plugpkg_error **err);

/* PP_ROLE_ROOT or PP_ROLE_TARGETS: what waits, and what is published. Borrowed, may be NULL. */
pp_json *pp_renewal_waiting(const struct pp_renewal *r, enum pp_role role);
const pp_json *pp_renewal_now(const struct pp_renewal *r, enum pp_role role);
/*
 * The body to change, with a version and expiry of its own; signatures that it had are void.
 * Borrowed. EXISTS when what waits is partly published already.
 */
enum plugpkg_code pp_renewal_edit(plugpkg_repo *repo, struct pp_renewal *r, enum pp_role role,
    pp_json **out_body, plugpkg_error **err);

/* One set of keys that has to sign: `role` ({"keyids","threshold"}), of which `good` have. */
struct pp_demand {
	const pp_json *keys, *role;
	size_t good;
	int64_t threshold;
};
/* Root has two, by the root before and by itself; targets one. */
size_t pp_renewal_demands(const struct pp_renewal *r, enum pp_role role, struct pp_demand out[2]);
/* How many signatures are missing at least; 0 also when nothing waits. */
size_t pp_renewal_missing(const struct pp_renewal *r, enum pp_role role);
/*
 * Does a client that has this root take these targets, and from them an index by the online key?
 * Borrowed.
 */
bool pp_renewal_agree(const pp_json *root, const pp_json *targets, const char *online_id);
/* Does a good signature of that key stand under it? */
bool pp_renewal_has_signed(const struct pp_renewal *r, enum pp_role role, const char *id);
/* Adds the signer's signature where its key counts; *out_n counts them up. */
enum plugpkg_code pp_renewal_sign(
    struct pp_renewal *r, const struct pp_signer *signer, size_t *out_n, plugpkg_error **err);
/* Takes good signatures over from another copy. DIGEST when that is a copy of something else. */
enum plugpkg_code pp_renewal_merge(
    struct pp_renewal *r, const struct pp_renewal *from, size_t *out_n, plugpkg_error **err);

/* Row "signing": what waits, who has signed, who can, and what changes. */
void pp_renewal_send(const struct pp_renewal *r, plugpkg_row_fn row, void *user);
/* "root-1", or the start of the keyid of a key without a name. Owned. */
char *pp_renewal_key_name(const struct pp_renewal *r, const char *id);

#endif
