/* SPDX-License-Identifier: MIT */
/* The newest published root, and which key files fit it. */
#ifndef PP_REPO_ROOT_H
#define PP_REPO_ROOT_H

#include "lib/repo/keys.h"
#include "lib/repo/record.h"

struct pp_root {
	pp_json *file;       /* {"signatures","signed"} */
	const pp_json *body; /* its "signed"; borrowed */
	struct pp_meta_file meta;
};
/*
 * Walks from public/metadata/1.root.json to the last one, as a client does, and compares that with
 * the record. Errors: SIGNATURE ROLLBACK BAD_STATE BAD_METADATA IO.
 */
enum plugpkg_code pp_root_read(plugpkg_repo *repo, struct pp_root *out, plugpkg_error **err);
void pp_root_fini(struct pp_root *root);
/* Under the lock the walk is made once; whoever publishes another root ends that. */
void pp_root_forget(plugpkg_repo *repo);

/* keyring.json: {NAME: {"id","public","created"}}, of all keys that ever were. Owned. */
enum plugpkg_code pp_keyring_read(plugpkg_repo *repo, pp_json **out, plugpkg_error **err);
enum plugpkg_code pp_keyring_write(plugpkg_repo *repo, const pp_json *keys, plugpkg_error **err);
void pp_keyring_add(pp_json *keys, const struct pp_signer *signer, int64_t now);
const char *pp_keyring_name_of(const pp_json *keys, const char *id); /* NULL = not ours */

/* The key that signs index, snapshot and timestamp under this root. Errors as pp_key_load(). */
enum plugpkg_code pp_online_load(
    plugpkg_repo *repo, const pp_json *root_body, struct pp_signer *out, plugpkg_error **err);

#endif
