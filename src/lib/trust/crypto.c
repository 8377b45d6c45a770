/* SPDX-License-Identifier: MIT */
/*
 * The only door to libcrypto. Verifying answers yes or no and never an error: a key or a signature
 * that cannot be read does not count. Nothing is kept between calls, and the caller's error queue
 * is left as it was.
 */
#include "lib/trust/crypto.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "lib/trust/crypto_calls.h"
#include "lib/trust/crypto_small.h"

#define SIG_MAX_BYTES     1024 /* RSA of 8192 bits */
#define PEM_MAX_BYTES     8192
#define RSA_MIN_BITS      2048
#define RSA_MAX_BITS      8192
#define ED25519_SIG_BYTES 64
#define CANON_MAX_BYTES   (64U << 10) /* of one key object */

#define SCRYPT_N     (1U << 15)
#define SCRYPT_MAX_N (1U << 18)
#define SCRYPT_R     8
#define SCRYPT_P     1
#define SALT_BYTES   16
#define NONCE_BYTES  12
#define TAG_BYTES    16
#define KEY_BYTES    32
#define SEAL_MAX     4096

static const struct pp_crypto_calls *
lib(void)
{
	return pp_crypto_calls();
}

PP_DEFINE_AUTO(pkey, EVP_PKEY, lib()->EVP_PKEY_free);
PP_DEFINE_AUTO(mdctx, EVP_MD_CTX, lib()->EVP_MD_CTX_free);
PP_DEFINE_AUTO(cipherctx, EVP_CIPHER_CTX, lib()->EVP_CIPHER_CTX_free);
PP_DEFINE_AUTO(bio, BIO, lib()->BIO_free_all);

/* ---- digests ---- */

struct pp_sha256 {
	EVP_MD_CTX *ctx;
};

/* A digest can only fail for lack of memory or a broken installation: both end the process. */
static void
must(int ok)
{
	if (ok != 1)
		abort();
}

struct pp_sha256 *
pp_sha256_new(void)
{
	struct pp_sha256 *h = pp_xcalloc(1, sizeof(*h));

	h->ctx = lib()->EVP_MD_CTX_new();
	must(h->ctx != NULL);
	must(lib()->EVP_DigestInit_ex(h->ctx, pp_crypto_sha256(), NULL));
	return h;
}

void
pp_sha256_add(struct pp_sha256 *h, const void *p, size_t n)
{
	if (n > 0)
		must(lib()->EVP_DigestUpdate(h->ctx, p, n));
}

void
pp_sha256_end(struct pp_sha256 *h, char out[65])
{
	uint8_t digest[32];

	must(lib()->EVP_DigestFinal_ex(h->ctx, digest, NULL));
	pp_hex(digest, sizeof(digest), out);
	lib()->EVP_MD_CTX_free(h->ctx);
	free(h);
}

void
pp_sha256_hex(const void *p, size_t n, char out[65])
{
	uint8_t digest[32];

	if (pp_crypto_is_loaded() || !pp_small_sha256(p, n, digest))
		must(lib()->EVP_Digest(n > 0 ? p : "", n, digest, NULL, pp_crypto_sha256(), NULL));
	pp_hex(digest, sizeof(digest), out);
}

void
pp_sha512_hex(const void *p, size_t n, char out[129])
{
	uint8_t digest[64];

	if (pp_crypto_is_loaded() || !pp_small_sha512(p, n, digest))
		must(lib()->EVP_Digest(n > 0 ? p : "", n, digest, NULL, lib()->EVP_sha512(), NULL));
	pp_hex(digest, sizeof(digest), out);
}

int
pp_sha256_first(int fd, uint64_t most, char out[65], uint64_t *out_bytes)
{
	struct pp_sha256 *h = pp_sha256_new();
	uint64_t total = 0;
	int r = 0;

	while (total < most) {
		char chunk[64 << 10];
		uint64_t want = most - total;
		ssize_t got = read(fd, chunk, want < sizeof(chunk) ? (size_t)want : sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			r = -errno;
		if (got <= 0)
			break;
		pp_sha256_add(h, chunk, (size_t)got);
		total += (uint64_t)got;
	}
	pp_sha256_end(h, out);
	if (out_bytes != NULL)
		*out_bytes = total;
	return r;
}

int
pp_sha256_fd(int fd, char out[65], uint64_t *out_bytes)
{
	return pp_sha256_first(fd, UINT64_MAX, out, out_bytes);
}

/* ---- verifying ---- */

/* PEM may claim to be encrypted; without this the library would ask on the terminal. */
static int
no_passphrase(PP_UNUSED char *buf, PP_UNUSED int size, PP_UNUSED int rwflag, PP_UNUSED void *user)
{
	return -1;
}

static EVP_PKEY *
load_pem(const char *pem)
{
	size_t n = strnlen(pem, PEM_MAX_BYTES + 1);

	if (n == 0 || n > PEM_MAX_BYTES)
		return NULL;
	PP_AUTO(bio) BIO *bio = lib()->BIO_new_mem_buf(pem, (int)n);
	must(bio != NULL);
	return lib()->PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
}

static EVP_PKEY *
load_ed25519(const char *hex)
{
	uint8_t raw[32];

	if (pp_unhex(pp_str_of(hex), raw, sizeof(raw)) < 0)
		return NULL;
	return lib()->EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
}

static bool
is_p256(EVP_PKEY *pkey)
{
	char group[64] = "";

	return lib()->EVP_PKEY_is_a(pkey, "EC") == 1 &&
	       lib()->EVP_PKEY_get_utf8_string_param(
		   pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

static bool
is_sound_rsa(EVP_PKEY *pkey)
{
	int bits = lib()->EVP_PKEY_get_bits(pkey);

	return lib()->EVP_PKEY_is_a(pkey, "RSA") == 1 && bits >= RSA_MIN_BITS &&
	       bits <= RSA_MAX_BITS;
}

struct blob {
	const void *p;
	size_t n;
};

static bool
verify_plain(EVP_PKEY *pkey, const EVP_MD *md, struct blob msg, struct blob sig)
{
	PP_AUTO(mdctx) EVP_MD_CTX *ctx = lib()->EVP_MD_CTX_new();

	must(ctx != NULL);
	return lib()->EVP_DigestVerifyInit(ctx, NULL, md, NULL, pkey) == 1 &&
	       lib()->EVP_DigestVerify(ctx, sig.p, sig.n, msg.p, msg.n) == 1;
}

/*
 * The salt's length is what the signature says: signers differ (digest length, or the most that
 * fits).
 */
static bool
verify_pss(EVP_PKEY *pkey, struct blob msg, struct blob sig)
{
	PP_AUTO(mdctx) EVP_MD_CTX *ctx = lib()->EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL; /* belongs to ctx */

	must(ctx != NULL);
	return lib()->EVP_DigestVerifyInit(ctx, &pctx, lib()->EVP_sha256(), NULL, pkey) == 1 &&
	       lib()->EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       lib()->EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, lib()->EVP_sha256()) == 1 &&
	       lib()->EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_AUTO) == 1 &&
	       lib()->EVP_DigestVerify(ctx, sig.p, sig.n, msg.p, msg.n) == 1;
}

static bool
is_one_of(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

static bool
verify_by_type(const pp_json *key, struct blob msg, struct blob sig)
{
	const char *type = pp_json_get_str(key, "keytype");
	const char *scheme = pp_json_get_str(key, "scheme");
	const char *public = pp_json_get_str(pp_json_get(key, "keyval"), "public");

	if (type == NULL || scheme == NULL || public == NULL)
		return false;
	if (strcmp(type, "ed25519") == 0 && strcmp(scheme, "ed25519") == 0) {
		PP_AUTO(pkey) EVP_PKEY *pkey = load_ed25519(public);
		return pkey != NULL && sig.n == ED25519_SIG_BYTES &&
		       verify_plain(pkey, NULL, msg, sig);
	}
	if (is_one_of(type, "ecdsa", "ecdsa-sha2-nistp256") &&
	    strcmp(scheme, "ecdsa-sha2-nistp256") == 0) {
		PP_AUTO(pkey) EVP_PKEY *pkey = load_pem(public);
		return pkey != NULL && is_p256(pkey) &&
		       verify_plain(pkey, lib()->EVP_sha256(), msg, sig);
	}
	if (strcmp(type, "rsa") == 0 && strcmp(scheme, "rsassa-pss-sha256") == 0) {
		PP_AUTO(pkey) EVP_PKEY *pkey = load_pem(public);
		return pkey != NULL && is_sound_rsa(pkey) && verify_pss(pkey, msg, sig);
	}
	return false;
}

bool
pp_key_verify(const pp_json *key, const void *p, size_t n, const char *sig_hex)
{
	uint8_t sig[SIG_MAX_BYTES];

	if (sig_hex == NULL)
		return false;
	size_t hex_n = strnlen(sig_hex, 2 * SIG_MAX_BYTES + 1);
	if (hex_n == 0 || hex_n > 2 * SIG_MAX_BYTES ||
	    pp_unhex(pp_str_of(sig_hex), sig, hex_n / 2) < 0)
		return false;
	lib()->ERR_set_mark();
	bool ok = verify_by_type(
	    key, (struct blob){ n > 0 ? p : "", n }, (struct blob){ sig, hex_n / 2 });
	lib()->ERR_pop_to_mark();
	return ok;
}

int
pp_key_id(const pp_json *key, char out[65])
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(CANON_MAX_BYTES);
	int r = pp_json_canonical(key, &text);

	if (r < 0)
		return r;
	if (text.overflow)
		return -EFBIG;
	pp_sha256_hex(pp_buf_cstr(&text), text.n, out);
	return 0;
}

static pp_json *
new_key(const char *type, const char *scheme, const char *public)
{
	pp_json *key = pp_json_object(), *keyval = pp_json_object();

	pp_json_set_str(keyval, "public", public);
	pp_json_set_str(key, "keytype", type);
	pp_json_set_str(key, "scheme", scheme);
	pp_json_set(key, "keyval", keyval);
	return key;
}

static pp_json *
new_ed25519_key(EVP_PKEY *pkey)
{
	uint8_t raw[32];
	size_t n = sizeof(raw);
	char hex[65];

	must(lib()->EVP_PKEY_get_raw_public_key(pkey, raw, &n));
	pp_hex(raw, n, hex);
	return new_key("ed25519", "ed25519", hex);
}

/* Written anew, so that blanks and comments around the given text make no other key of it. */
static pp_json *
new_pem_key(EVP_PKEY *pkey, const char *type, const char *scheme)
{
	PP_AUTO(bio) BIO *bio = lib()->BIO_new(lib()->BIO_s_mem());
	char *text = NULL;

	must(bio != NULL && lib()->PEM_write_bio_PUBKEY(bio, pkey) == 1);
	long n = lib()->BIO_ctrl(bio, BIO_CTRL_INFO, 0, &text);
	PP_AUTO_FREE char *pem = pp_xstrndup(text, n > 0 ? (size_t)n : 0);
	return new_key(type, scheme, pem);
}

pp_json *
pp_key_of_pem(const char *pem, size_t n)
{
	PP_AUTO_FREE char *text = pp_xstrndup(pem, n);
	pp_json *key = NULL;

	lib()->ERR_set_mark();
	PP_AUTO(pkey) EVP_PKEY *pkey = load_pem(text);
	if (pkey != NULL && lib()->EVP_PKEY_is_a(pkey, "ED25519") == 1)
		key = new_ed25519_key(pkey);
	else if (pkey != NULL && is_p256(pkey))
		key = new_pem_key(pkey, "ecdsa", "ecdsa-sha2-nistp256");
	else if (pkey != NULL && is_sound_rsa(pkey))
		key = new_pem_key(pkey, "rsa", "rsassa-pss-sha256");
	lib()->ERR_pop_to_mark();
	return key;
}

/* ---- Ed25519 ---- */

enum plugpkg_code
pp_ed25519_generate(uint8_t seed[PP_ED25519_SEED_BYTES], plugpkg_error **err)
{
	if (lib()->RAND_priv_bytes(seed, PP_ED25519_SEED_BYTES) != 1)
		return pp_fail(err, PLUGPKG_E_KEY, 0, "cannot make a key: no random numbers");
	return PLUGPKG_OK;
}

static EVP_PKEY *
load_seed(const uint8_t seed[PP_ED25519_SEED_BYTES])
{
	EVP_PKEY *pkey = lib()->EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, seed, PP_ED25519_SEED_BYTES);

	must(pkey != NULL);
	return pkey;
}

pp_json *
pp_ed25519_public(const uint8_t seed[PP_ED25519_SEED_BYTES])
{
	PP_AUTO(pkey) EVP_PKEY *pkey = load_seed(seed);

	return new_ed25519_key(pkey);
}

enum plugpkg_code
pp_ed25519_sign(const uint8_t seed[PP_ED25519_SEED_BYTES], const void *p, size_t n,
    char out_hex[129], plugpkg_error **err)
{
	PP_AUTO(pkey) EVP_PKEY *pkey = load_seed(seed);
	PP_AUTO(mdctx) EVP_MD_CTX *ctx = lib()->EVP_MD_CTX_new();
	uint8_t sig[ED25519_SIG_BYTES];
	size_t sig_n = sizeof(sig);

	must(ctx != NULL);
	if (lib()->EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) != 1 ||
	    lib()->EVP_DigestSign(ctx, sig, &sig_n, n > 0 ? p : (const void *)"", n) != 1)
		return pp_fail(err, PLUGPKG_E_KEY, 0, "cannot sign with this key");
	pp_hex(sig, sig_n, out_hex);
	return PLUGPKG_OK;
}

/* ---- sealing a secret with a passphrase ---- */

/* 128 N r bytes are the work area; the rest is room for the library's own. */
static bool
derive(const char *passphrase, const uint8_t salt[SALT_BYTES], uint64_t n, uint8_t key[KEY_BYTES])
{
	uint64_t max_mem = 128 * n * SCRYPT_R + (1U << 20);

	return lib()->EVP_PBE_scrypt(passphrase, strlen(passphrase), salt, SALT_BYTES, n, SCRYPT_R,
		   SCRYPT_P, max_mem, key, KEY_BYTES) == 1;
}

static bool
gcm_encrypt(const uint8_t key[KEY_BYTES], const uint8_t nonce[NONCE_BYTES], struct blob in,
    uint8_t *out, uint8_t tag[TAG_BYTES])
{
	PP_AUTO(cipherctx) EVP_CIPHER_CTX *ctx = lib()->EVP_CIPHER_CTX_new();
	int got = 0;

	must(ctx != NULL);
	return lib()->EVP_EncryptInit_ex(ctx, lib()->EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	       lib()->EVP_EncryptUpdate(ctx, out, &got, in.p, (int)in.n) == 1 &&
	       (size_t)got == in.n && lib()->EVP_EncryptFinal_ex(ctx, out + got, &got) == 1 &&
	       got == 0 &&
	       lib()->EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1;
}

static bool
gcm_decrypt(const uint8_t key[KEY_BYTES], const uint8_t nonce[NONCE_BYTES], struct blob in,
    uint8_t *out, uint8_t tag[TAG_BYTES])
{
	PP_AUTO(cipherctx) EVP_CIPHER_CTX *ctx = lib()->EVP_CIPHER_CTX_new();
	int got = 0;

	must(ctx != NULL);
	return lib()->EVP_DecryptInit_ex(ctx, lib()->EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	       lib()->EVP_DecryptUpdate(ctx, out, &got, in.p, (int)in.n) == 1 &&
	       (size_t)got == in.n &&
	       lib()->EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1 &&
	       lib()->EVP_DecryptFinal_ex(ctx, out + got, &got) == 1;
}

static void
set_hex(pp_json *obj, const char *member, const uint8_t *bytes, size_t n)
{
	char hex[2 * SEAL_MAX + 1];

	pp_hex(bytes, n, hex);
	pp_json_set_str(obj, member, hex);
}

enum plugpkg_code
pp_seal(const void *p, size_t n, const char *passphrase, pp_json **out, plugpkg_error **err)
{
	uint8_t salt[SALT_BYTES], nonce[NONCE_BYTES], key[KEY_BYTES], tag[TAG_BYTES];
	uint8_t data[SEAL_MAX + TAG_BYTES];

	if (n == 0 || n > SEAL_MAX)
		return pp_fail(err, PLUGPKG_E_KEY, 0, "cannot encrypt a key of %zu bytes", n);
	bool ok = lib()->RAND_bytes(salt, sizeof(salt)) == 1 &&
		  lib()->RAND_bytes(nonce, sizeof(nonce)) == 1 &&
		  derive(passphrase, salt, SCRYPT_N, key) &&
		  gcm_encrypt(key, nonce, (struct blob){ p, n }, data, tag);
	lib()->OPENSSL_cleanse(key, sizeof(key));
	if (!ok)
		return pp_fail(err, PLUGPKG_E_KEY, 0, "cannot encrypt the key");

	pp_json *sealed = pp_json_object();
	pp_json_set_str(sealed, "kdf", "scrypt");
	pp_json_set_int(sealed, "n", SCRYPT_N);
	pp_json_set_int(sealed, "r", SCRYPT_R);
	pp_json_set_int(sealed, "p", SCRYPT_P);
	set_hex(sealed, "salt", salt, sizeof(salt));
	pp_json_set_str(sealed, "cipher", "aes-256-gcm");
	set_hex(sealed, "nonce", nonce, sizeof(nonce));
	set_hex(sealed, "tag", tag, sizeof(tag));
	set_hex(sealed, "data", data, n);
	*out = sealed;
	return PLUGPKG_OK;
}

static bool
get_hex(const pp_json *obj, const char *member, uint8_t *out, size_t n)
{
	const char *hex = pp_json_get_str(obj, member);

	return hex != NULL && pp_unhex(pp_str_of(hex), out, n) == 0;
}

static bool
has_known_scheme(const pp_json *sealed)
{
	const char *kdf = pp_json_get_str(sealed, "kdf");
	const char *cipher = pp_json_get_str(sealed, "cipher");
	int64_t n = pp_json_get_int(sealed, "n", -1);

	return kdf != NULL && strcmp(kdf, "scrypt") == 0 && cipher != NULL &&
	       strcmp(cipher, "aes-256-gcm") == 0 && n >= 2 && n <= SCRYPT_MAX_N &&
	       (n & (n - 1)) == 0 && pp_json_get_int(sealed, "r", -1) == SCRYPT_R &&
	       pp_json_get_int(sealed, "p", -1) == SCRYPT_P;
}

enum plugpkg_code
pp_unseal(const pp_json *sealed, const char *passphrase, void *p, size_t n, plugpkg_error **err)
{
	uint8_t salt[SALT_BYTES], nonce[NONCE_BYTES], key[KEY_BYTES], tag[TAG_BYTES];
	uint8_t data[SEAL_MAX], plain[SEAL_MAX + TAG_BYTES];

	if (!has_known_scheme(sealed))
		return pp_fail(err, PLUGPKG_E_KEY, 0,
		    "the key is not encrypted in a known way (scrypt and aes-256-gcm)");
	if (n == 0 || n > SEAL_MAX || !get_hex(sealed, "salt", salt, sizeof(salt)) ||
	    !get_hex(sealed, "nonce", nonce, sizeof(nonce)) ||
	    !get_hex(sealed, "tag", tag, sizeof(tag)) || !get_hex(sealed, "data", data, n))
		return pp_fail(err, PLUGPKG_E_KEY, 0, "the encrypted key is damaged");

	uint64_t work = (uint64_t)pp_json_get_int(sealed, "n", SCRYPT_N);
	lib()->ERR_set_mark();
	bool ok = derive(passphrase, salt, work, key) &&
		  gcm_decrypt(key, nonce, (struct blob){ data, n }, plain, tag);
	lib()->ERR_pop_to_mark();
	if (ok)
		memcpy(p, plain, n);
	lib()->OPENSSL_cleanse(key, sizeof(key));
	lib()->OPENSSL_cleanse(plain, sizeof(plain));
	if (ok)
		return PLUGPKG_OK;
	pp_fail(err, PLUGPKG_E_KEY, 0, "wrong passphrase, or the encrypted key is damaged");
	return pp_hint(err, PLUGPKG_E_KEY,
	    "try again; when the passphrase is lost, so is the key: take another in its place, "
	    "see plugpkg-repo-key(1) and plugpkg-owner(1)");
}
