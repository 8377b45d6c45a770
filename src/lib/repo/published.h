/* SPDX-License-Identifier: MIT */
/* What a publisher's public/ holds, as far as it is what was signed. */
#ifndef PP_REPO_PUBLISHED_H
#define PP_REPO_PUBLISHED_H

#include "lib/repo/keys.h"
#include "lib/repo/record.h"

#define PP_METADATA_MAX_BYTES (8 * 1024 * 1024)

struct pp_published {
	struct pp_meta_file file[PP_N_ROLES]; /* each as its parent lists it */
	int64_t last[PP_N_ROLES]; /* the highest versions known of; what follows is above */
	const pp_json *new_root;  /* a root file to be shown by pp_metadata_seal(); NULL = none */
};
/*
 * Reads it from public/. With a signer (else NULL) the timestamp has to carry its signature and be
 * the one that was signed here last, and from there on everything hangs together by digests: so a
 * key never signs what others put into public/, an older state is never taken for the newest, and
 * the key of another repository is never used. Errors: SIGNATURE DIGEST ROLLBACK BAD_STATE
 * BAD_METADATA IO.
 */
enum plugpkg_code pp_published_read(plugpkg_repo *repo, const struct pp_signer *signer,
    struct pp_published *out, plugpkg_error **err);
/* The state that was signed here last, whatever timestamp lies in public/ now. */
enum plugpkg_code pp_published_recorded(
    plugpkg_repo *repo, struct pp_published *out, plugpkg_error **err);
/*
 * A file of it, compared with its digest and parsed (owned), its `signed` member as *out_signed
 * (borrowed from it).
 */
enum plugpkg_code pp_published_load(plugpkg_repo *repo, const struct pp_published *published,
    enum pp_role role, pp_json **out, const pp_json **out_signed, plugpkg_error **err);

/* metadata/N.role.json; timestamp.json alone has no version in its name. Owned. */
char *pp_role_path(enum pp_role role, int64_t version);

#endif
