/* SPDX-License-Identifier: MIT */
/* The only door to libcrypto: digests, signatures, key generation and key encryption. */
#ifndef PP_TRUST_CRYPTO_H
#define PP_TRUST_CRYPTO_H

#include "base/json.h"
#include "lib/model/error.h"

void pp_sha256_hex(const void *p, size_t n, char out[65]);
/* From the current offset to the end of file. 0 or -errno. */
int pp_sha256_fd(int fd, char out[65], uint64_t *out_bytes) PP_MUSTUSE;
/* The same of no more bytes than that: where the size is known nobody need look for the end. */
int pp_sha256_first(int fd, uint64_t most, char out[65], uint64_t *out_bytes);

struct pp_sha256; /* streaming */
struct pp_sha256 *pp_sha256_new(void);
void pp_sha256_add(struct pp_sha256 *h, const void *p, size_t n);
void pp_sha256_end(struct pp_sha256 *h, char out[65]); /* frees h */
void pp_sha512_hex(const void *p, size_t n, char out[129]);

/*
 * Does `sig_hex` over the bytes verify with this TUF key object? Unknown key types and schemes
 * never do.
 */
bool pp_key_verify(const pp_json *key, const void *p, size_t n, const char *sig_hex);
/* keyid: sha256 of the canonical key object, hex. -EINVAL when it has no canonical form. */
int pp_key_id(const pp_json *key, char out[65]) PP_MUSTUSE;

/*
 * TUF key object of a public key in PEM: Ed25519, ECDSA P-256, or RSA of 2048 to 8192 bits (PSS).
 * NULL when it is none of these. Owned.
 */
pp_json *pp_key_of_pem(const char *pem, size_t n);

#define PP_ED25519_SEED_BYTES 32
/* New key pair. */
enum plugpkg_code pp_ed25519_generate(uint8_t seed[PP_ED25519_SEED_BYTES], plugpkg_error **err);
/*
 * TUF key object {"keytype":"ed25519","scheme":"ed25519","keyval":{"public":HEX}} of a seed; owned.
 */
pp_json *pp_ed25519_public(const uint8_t seed[PP_ED25519_SEED_BYTES]);
/* Signature as 128 hex digits. */
enum plugpkg_code pp_ed25519_sign(const uint8_t seed[PP_ED25519_SEED_BYTES], const void *p,
    size_t n, char out_hex[129], plugpkg_error **err);
/* Seed to and from an encrypted JSON form (scrypt + AES-256-GCM). */
enum plugpkg_code pp_seal(
    const void *p, size_t n, const char *passphrase, pp_json **out, plugpkg_error **err);
enum plugpkg_code pp_unseal(
    const pp_json *sealed, const char *passphrase, void *p, size_t n, plugpkg_error **err);

#endif
