/* SPDX-License-Identifier: MIT */
/*
 * Signing keys on disk, mode 0600, in the clear or sealed by a passphrase: keys/NAME.key of a
 * publisher, and the files of authors and of offline machines, wherever they keep them. Where
 * somebody else keeps the private half, the command that signs with it stands in the file.
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
	char *command;        /* signs instead of the seed; NULL = the seed is here */
	plugpkg_context *ctx; /* ends a command that takes too long; borrowed, or NULL */
};

/* Where a key lies, and who knows its passphrase (NULL: nobody). All borrowed. */
struct pp_key_file {
	int dir_fd; /* AT_FDCWD: path is as a user gave it */
	const char *path;
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

/* Its public half, which no passphrase keeps: *out owned. Errors: NOT_FOUND KEY IO. */
enum plugpkg_code pp_key_file_public(
    const struct pp_key_file *f, pp_json **out, plugpkg_error **err);

/* Makes keys/NAME.key; sealed when repo->passphrase is to be asked (seal). */
enum plugpkg_code pp_key_create(
    plugpkg_repo *repo, const char *name, bool seal, struct pp_signer *out, plugpkg_error **err);
/* Errors as of pp_key_file_load(). */
enum plugpkg_code pp_key_load(
    plugpkg_repo *repo, const char *name, struct pp_signer *out, plugpkg_error **err);
bool pp_key_is_here(const plugpkg_repo *repo, const char *name);
/* A public key in PEM, or as a TUF key object in JSON. Errors: NOT_FOUND KEY IO. */
enum plugpkg_code pp_key_read_public(const char *path, pp_json **out, plugpkg_error **err);
/*
 * The signer that has only the public half and a command. Public moved. Writes nothing.
 */
enum plugpkg_code pp_signer_of_command(const char *name, pp_json *public, const char *command,
    struct pp_signer *out, plugpkg_error **err);
/* Keeps it as keys/NAME.key. */
enum plugpkg_code pp_key_keep_command(
    plugpkg_repo *repo, const struct pp_signer *signer, plugpkg_error **err);

/* {"keyid","sig"} over the bytes, owned. Errors: KEY. */
enum plugpkg_code pp_signer_sign(
    const struct pp_signer *s, const void *p, size_t n, pp_json **out, plugpkg_error **err);
void pp_signer_fini(struct pp_signer *s); /* wipes the seed */

#endif
