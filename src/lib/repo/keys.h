/* SPDX-License-Identifier: MIT */
/*
 * Signing keys on disk, mode 0600, in the clear or sealed by a passphrase: keys/NAME.key of a
 * publisher, and the files of authors, wherever they keep them.
 */
#ifndef PP_REPO_KEYS_H
#define PP_REPO_KEYS_H

#include "lib/repo/repo.h"
#include "lib/trust/crypto.h"

struct pp_signer {
	char *name;      /* "online" */
	pp_json *public; /* TUF key object */
	char id[65];     /* its keyid */
	uint8_t seed[PP_ED25519_SEED_BYTES];
};

/* Where a key lies, and who knows its passphrase (NULL: nobody). All borrowed. */
struct pp_key_file {
	int dir_fd;
	const char *path; /* below dir_fd */
	const char *name; /* for questions and messages */
	plugpkg_passphrase_fn passphrase;
	void *user;
};
/* Errors: EXISTS KEY IO. */
enum plugpkg_code pp_key_file_create(
    const struct pp_key_file *f, bool seal, struct pp_signer *out, plugpkg_error **err);
/*
 * Errors: NOT_FOUND (kept offline: hint), PERMISSION (readable by others), KEY (wrong passphrase).
 */
enum plugpkg_code pp_key_file_load(
    const struct pp_key_file *f, struct pp_signer *out, plugpkg_error **err);

/* Makes keys/NAME.key; sealed when repo->passphrase is to be asked (seal). */
enum plugpkg_code pp_key_create(
    plugpkg_repo *repo, const char *name, bool seal, struct pp_signer *out, plugpkg_error **err);
/* Errors as of pp_key_file_load(). */
enum plugpkg_code pp_key_load(
    plugpkg_repo *repo, const char *name, struct pp_signer *out, plugpkg_error **err);
void pp_signer_fini(struct pp_signer *s); /* wipes the seed */

#endif
