/* SPDX-License-Identifier: MIT */
/*
 * What is called of libcrypto. It is the one large library among those linked, and most commands
 * neither digest nor verify: it is loaded when the first of these is called.
 */
#ifndef PP_TRUST_CRYPTO_CALLS_H
#define PP_TRUST_CRYPTO_CALLS_H

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "base/compiler.h"

/* clang-format off */
#define PP_CRYPTO_CALLS(_)                                                                         \
	_(BIO_ctrl)                                                                                \
	_(BIO_free_all)                                                                            \
	_(BIO_new)                                                                                 \
	_(BIO_new_mem_buf)                                                                         \
	_(BIO_s_mem)                                                                               \
	_(ERR_pop_to_mark)                                                                         \
	_(ERR_set_mark)                                                                            \
	_(EVP_CIPHER_CTX_ctrl)                                                                     \
	_(EVP_CIPHER_CTX_free)                                                                     \
	_(EVP_CIPHER_CTX_new)                                                                      \
	_(EVP_DecryptFinal_ex)                                                                     \
	_(EVP_DecryptInit_ex)                                                                      \
	_(EVP_DecryptUpdate)                                                                       \
	_(EVP_Digest)                                                                              \
	_(EVP_DigestFinal_ex)                                                                      \
	_(EVP_DigestInit_ex)                                                                       \
	_(EVP_DigestSign)                                                                          \
	_(EVP_DigestSignInit)                                                                      \
	_(EVP_DigestUpdate)                                                                        \
	_(EVP_DigestVerify)                                                                        \
	_(EVP_DigestVerifyInit)                                                                    \
	_(EVP_EncryptFinal_ex)                                                                     \
	_(EVP_EncryptInit_ex)                                                                      \
	_(EVP_EncryptUpdate)                                                                       \
	_(EVP_MD_CTX_free)                                                                         \
	_(EVP_MD_CTX_new)                                                                          \
	_(EVP_MD_fetch)                                                                            \
	_(EVP_PBE_scrypt)                                                                          \
	_(EVP_PKEY_CTX_set_rsa_mgf1_md)                                                            \
	_(EVP_PKEY_CTX_set_rsa_padding)                                                            \
	_(EVP_PKEY_CTX_set_rsa_pss_saltlen)                                                        \
	_(EVP_PKEY_free)                                                                           \
	_(EVP_PKEY_get_bits)                                                                       \
	_(EVP_PKEY_get_raw_public_key)                                                             \
	_(EVP_PKEY_get_utf8_string_param)                                                          \
	_(EVP_PKEY_is_a)                                                                           \
	_(EVP_PKEY_new_raw_private_key)                                                            \
	_(EVP_PKEY_new_raw_public_key)                                                             \
	_(EVP_aes_256_gcm)                                                                         \
	_(EVP_sha256)                                                                              \
	_(EVP_sha512)                                                                              \
	_(OPENSSL_cleanse)                                                                         \
	_(PEM_read_bio_PUBKEY)                                                                     \
	_(PEM_write_bio_PUBKEY)                                                                    \
	_(RAND_bytes)                                                                              \
	_(RAND_priv_bytes)
/* clang-format on */

struct pp_crypto_calls {
#define PP_CRYPTO_MEMBER(name) __typeof__(name) *name;
	PP_CRYPTO_CALLS(PP_CRYPTO_MEMBER)
#undef PP_CRYPTO_MEMBER
};

/*
 * Never NULL: without libcrypto the process ends with a word about it, as it would have when it
 * was started. From any thread.
 */
const struct pp_crypto_calls *pp_crypto_calls(void);
/* As EVP_sha256() it would be looked up for each digest. */
const EVP_MD *pp_crypto_sha256(void);
/* Did somebody call it? */
bool pp_crypto_is_loaded(void);

#endif
