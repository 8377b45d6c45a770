/* SPDX-License-Identifier: MIT */
/* Writing the signed half of a repository: TUF roles as files under public/metadata/. */
#ifndef PP_REPO_METADATA_H
#define PP_REPO_METADATA_H

#include "lib/repo/keys.h"

/* A metadata file as its parent lists it. */
struct pp_meta_file {
	int64_t version;
	uint64_t length;
	char sha256[65];
};

/* What is published, each file as its parent lists it. Of the timestamp only the version is set. */
struct pp_published {
	struct pp_meta_file file[PP_N_ROLES];
};
/*
 * Reads it from public/. With a signer (else NULL) the timestamp has to carry its signature, and
 * from there on everything hangs together by digests: so a key never signs what others put into
 * public/, and the key of another repository is never used. Errors: SIGNATURE DIGEST BAD_METADATA
 * IO.
 */
enum plugpkg_code pp_published_read(plugpkg_repo *repo, const struct pp_signer *signer,
    struct pp_published *out, plugpkg_error **err);
/*
 * A file of it, compared with its digest and parsed (owned), its `signed` member as *out_signed
 * (borrowed from it). Not for the timestamp.
 */
enum plugpkg_code pp_published_load(plugpkg_repo *repo, const struct pp_published *published,
    enum pp_role role, pp_json **out, const pp_json **out_signed, plugpkg_error **err);

/*
 * Signs and writes one role: `body` (moved) has the members that the role adds to _type,
 * spec_version, version and expires. Never touches a versioned file that is there already: a number
 * that a publish which was cut off has used is left out, because somebody may have copied that
 * file.
 */
struct pp_signing {
	enum pp_role role;
	int64_t version; /* the least; out->version is the one that was free */
	const struct pp_signer *signers;
	size_t n_signers;
};
enum plugpkg_code pp_metadata_write(plugpkg_repo *repo, const struct pp_signing *how, pp_json *body,
    struct pp_meta_file *out, plugpkg_error **err);

/* Bodies. Keys are borrowed. */
pp_json *pp_body_root(const struct pp_signer *root_keys, size_t n_root_keys, unsigned threshold,
    const struct pp_signer *targets_key, const struct pp_signer *online_key);
pp_json *pp_body_targets(const struct pp_signer *index_key);
pp_json *pp_body_index(uint64_t length, const char *sha256);
pp_json *pp_body_snapshot(const struct pp_meta_file *targets, const struct pp_meta_file *index);
pp_json *pp_body_timestamp(const struct pp_meta_file *snapshot);

/*
 * Snapshot and timestamp, one version up, over the given targets and index. `was` from
 * pp_published_read().
 */
enum plugpkg_code pp_metadata_seal(plugpkg_repo *repo, const struct pp_published *was,
    const struct pp_meta_file *targets, const struct pp_meta_file *index,
    const struct pp_signer *online, plugpkg_error **err);

#endif
