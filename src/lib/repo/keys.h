/* SPDX-License-Identifier: MIT */
/*
 * Signing keys on the publisher's disk: keys/NAME.key, mode 0600, in the clear or sealed by a
 * passphrase.
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

/* Makes keys/NAME.key; sealed when repo->passphrase is to be asked (seal). */
enum plugpkg_code pp_key_create(
    plugpkg_repo *repo, const char *name, bool seal, struct pp_signer *out, plugpkg_error **err);
/*
 * Errors: NOT_FOUND (kept offline: hint), PERMISSION (readable by others), KEY (wrong passphrase).
 */
enum plugpkg_code pp_key_load(
    plugpkg_repo *repo, const char *name, struct pp_signer *out, plugpkg_error **err);
void pp_signer_fini(struct pp_signer *s); /* wipes the seed */

#endif
