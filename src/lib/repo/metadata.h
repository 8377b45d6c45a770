/* SPDX-License-Identifier: MIT */
/* Writing the signed half of a repository: TUF roles as files under public/metadata/. */
#ifndef PP_REPO_METADATA_H
#define PP_REPO_METADATA_H

#include "lib/repo/published.h"

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

/* {"signatures","signed"} as it is served, a line. Appended. BAD_METADATA when it does not fit. */
enum plugpkg_code pp_metadata_text(const pp_json *file, struct pp_buf *out, plugpkg_error **err);
/* A signed text as the file of its role; of the timestamp the version has no meaning. */
enum plugpkg_code pp_role_write(plugpkg_repo *repo, enum pp_role role, int64_t version,
    const struct pp_buf *text, plugpkg_error **err);

/* The members that every role has, TUF section 4.3. */
void pp_body_complete(plugpkg_repo *repo, enum pp_role role, int64_t version, pp_json *body);
/* Bodies. Keys are borrowed. */
pp_json *pp_body_root(const struct pp_signer *root_keys, size_t n_root_keys, unsigned threshold,
    const struct pp_signer *targets_key, const struct pp_signer *online_key);
pp_json *pp_body_targets(const struct pp_signer *index_key);
pp_json *pp_body_index(uint64_t length, const char *sha256);
pp_json *pp_body_snapshot(const struct pp_meta_file *targets, const struct pp_meta_file *index);
pp_json *pp_body_timestamp(const struct pp_meta_file *snapshot);

/*
 * Snapshot and timestamp, one version up, over the given targets and index, and the record of them.
 * `was` from pp_published_read(); its new root, if any, is shown just before the timestamp, which
 * is the only file that changes under its name: until then nobody sees anything new.
 */
enum plugpkg_code pp_metadata_seal(plugpkg_repo *repo, const struct pp_published *was,
    const struct pp_meta_file *targets, const struct pp_meta_file *index,
    const struct pp_signer *online, plugpkg_error **err);

#endif
