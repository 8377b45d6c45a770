/* SPDX-License-Identifier: MIT */
/*
 * Digests, the three kinds of signature, and sealed keys, against vectors of other implementations.
 */
#include "lib/trust/crypto.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "keys.h"
#include "lib/trust/crypto_small.h"
#include "tap.h"

static const char message[] = "plugpkg test message";

static pp_json *
key_of(const char *keytype, const char *scheme, const char *public)
{
	pp_json *keyval = pp_json_object();
	pp_json *key = pp_json_object();

	pp_json_set_str(keyval, "public", public);
	pp_json_set_str(key, "keytype", keytype);
	pp_json_set_str(key, "scheme", scheme);
	pp_json_set(key, "keyval", keyval);
	return key;
}

static bool
verifies(const char *keytype, const char *scheme, const char *public, const char *sig)
{
	PP_AUTO_JSON pp_json *key = key_of(keytype, scheme, public);

	return pp_key_verify(key, message, strlen(message), sig);
}

static void
digests_are_those_of_the_standard(void)
{
	char hex[129];

	pp_sha256_hex("abc", 3, hex);
	CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	pp_sha256_hex(NULL, 0, hex);
	CHECK_STR(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	pp_sha512_hex("abc", 3, hex);
	CHECK_STR(hex, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

/* By two libraries, at every length around the ends of their blocks. */
static void
little_has_the_digest_that_much_has(void)
{
	static const char alphabet[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	PP_AUTO_FREE char *bytes = pp_xcalloc(1, 1 << 20);
	uint8_t small[64];
	char got[129], want[129];

	CHECK(pp_small_sha256(alphabet, strlen(alphabet), small));
	pp_hex(small, 32, got);
	CHECK_STR(got, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	CHECK(pp_small_sha512("abc", 3, small));
	pp_hex(small, 64, got);
	CHECK_STR(got, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	for (size_t n = 0; n < 300; n++) {
		struct pp_sha256 *h = pp_sha256_new();

		bytes[n] = (char)n;
		pp_sha256_add(h, bytes, n);
		pp_sha256_end(h, want);
		CHECK(pp_small_sha256(bytes, n, small));
		pp_hex(small, 32, got);
		CHECK_STR(got, want);
	}
	for (int i = 0; i < 2; i++)
		(void)pp_small_sha256(bytes, 400000, small);
	CHECK(!pp_small_sha256(bytes, 400000, small));
	CHECK(!pp_small_sha512("", 0, small));
}

static void
a_stream_and_a_file_have_the_digest_of_their_bytes(void)
{
	char want[65], got[65];
	uint64_t n = 0;
	PP_AUTO_FREE char *bytes = pp_xmalloc(200000);
	memset(bytes, 'x', 200000);
	pp_sha256_hex(bytes, 200000, want);

	struct pp_sha256 *h = pp_sha256_new();
	pp_sha256_add(h, bytes, 1);
	pp_sha256_add(h, bytes, 0);
	pp_sha256_add(h, bytes + 1, 199999);
	pp_sha256_end(h, got);
	CHECK_STR(got, want);

	char name[] = "/tmp/plugpkg-test-XXXXXX";
	PP_AUTO_FD int fd = mkstemp(name);
	(void)unlink(name);
	CHECK_INT(pp_fd_write_all(fd, bytes, 200000), 0);
	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	CHECK_INT(pp_sha256_fd(fd, got, &n), 0);
	CHECK_STR(got, want);
	CHECK_INT(n, 200000);
	CHECK_INT(pp_sha256_fd(-1, got, NULL), -9); /* EBADF */
}

static void
ed25519_agrees_with_rfc_8032(void)
{
	/* Section 7.1, test 2. */
	uint8_t seed[32];
	char sig[129];
	const uint8_t byte = 0x72;
	if (!CHECK_INT(
		pp_unhex(PP_STR("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
		    seed, 32),
		0))
		return;
	PP_AUTO_JSON pp_json *key = pp_ed25519_public(seed);

	CHECK_STR(pp_json_get_str(pp_json_get(key, "keyval"), "public"),
	    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
	CHECK_INT(pp_ed25519_sign(seed, &byte, 1, sig, NULL), PLUGPKG_OK);
	CHECK_STR(sig, "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
		       "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
	CHECK(pp_key_verify(key, &byte, 1, sig));
	CHECK(!pp_key_verify(key, "s", 1, sig));
	sig[0] = '8';
	CHECK(!pp_key_verify(key, &byte, 1, sig));
}

static void
new_keys_differ_and_sign_also_nothing(void)
{
	uint8_t a[32], b[32];
	char sig[129];

	CHECK_INT(pp_ed25519_generate(a, NULL), PLUGPKG_OK);
	CHECK_INT(pp_ed25519_generate(b, NULL), PLUGPKG_OK);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	PP_AUTO_JSON pp_json *key = pp_ed25519_public(a);
	CHECK_INT(pp_ed25519_sign(a, NULL, 0, sig, NULL), PLUGPKG_OK);
	CHECK(pp_key_verify(key, NULL, 0, sig));
	CHECK_INT(pp_ed25519_sign(b, NULL, 0, sig, NULL), PLUGPKG_OK);
	CHECK(!pp_key_verify(key, NULL, 0, sig));
}

static void
ecdsa_p256_verifies_and_other_curves_do_not_count(void)
{
	const char *scheme = "ecdsa-sha2-nistp256";

	CHECK(verifies("ecdsa", scheme, P256_PEM, P256_SIG));
	CHECK(verifies("ecdsa-sha2-nistp256", scheme, P256_PEM, P256_SIG));
	CHECK(!verifies("ecdsa", scheme, P256_PEM, P384_SIG));
	CHECK(!verifies("ecdsa", scheme, P384_PEM, P384_SIG));
	CHECK(!verifies("ecdsa", scheme, RSA_PEM, RSA_SIG_SALT_32));
}

static void
rsa_pss_verifies_with_any_salt_length_and_2048_bits_at_least(void)
{
	const char *scheme = "rsassa-pss-sha256";

	CHECK(verifies("rsa", scheme, RSA_PEM, RSA_SIG_SALT_32));
	CHECK(verifies("rsa", scheme, RSA_PEM, RSA_SIG_SALT_MAX));
	CHECK(!verifies("rsa", scheme, RSA_PEM, RSA_SIG_PKCS1));
	CHECK(!verifies("rsa", scheme, RSA_SHORT_PEM, RSA_SHORT_SIG));
	CHECK(!verifies("rsa", scheme, P256_PEM, P256_SIG));
}

static bool
pem_gives(const char *pem, const char *type, const char *scheme, const char *public)
{
	PP_AUTO_JSON pp_json *key = pp_key_of_pem(pem, strlen(pem));
	const char *value = pp_json_get_str(pp_json_get(key, "keyval"), "public");

	return key != NULL && strcmp(pp_json_get_str(key, "keytype"), type) == 0 &&
	       strcmp(pp_json_get_str(key, "scheme"), scheme) == 0 && strcmp(value, public) == 0;
}

static void
a_public_key_in_pem_becomes_one_key_however_it_is_wrapped(void)
{
	const char *ecdsa = "ecdsa-sha2-nistp256", *pss = "rsassa-pss-sha256";

	CHECK(pem_gives(P256_PEM, "ecdsa", ecdsa, P256_PEM));
	CHECK(pem_gives("a comment\n\n" P256_PEM "\nmore\n", "ecdsa", ecdsa, P256_PEM));
	CHECK(pem_gives(RSA_PEM, "rsa", pss, RSA_PEM));
	CHECK(pem_gives("-----BEGIN PUBLIC KEY-----\n"
			"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
			"-----END PUBLIC KEY-----\n",
	    "ed25519", "ed25519",
	    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
}

static void
a_public_key_that_cannot_verify_is_none(void)
{
	static const char *const bad[] = { "", "text", P384_PEM, RSA_SHORT_PEM,
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n" };

	for (size_t i = 0; i < PP_LEN(bad); i++)
		CHECK(pp_key_of_pem(bad[i], strlen(bad[i])) == NULL);
}

static void
a_key_or_signature_that_makes_no_sense_does_not_verify(void)
{
	PP_AUTO_JSON pp_json *empty = pp_json_object();
	static char long_sig[5000];
	memset(long_sig, 'a', sizeof(long_sig) - 1);

	CHECK(!pp_key_verify(NULL, message, 1, P256_SIG));
	CHECK(!pp_key_verify(empty, message, 1, P256_SIG));
	CHECK(!verifies("post-quantum", "ed25519", P256_PEM, P256_SIG));
	CHECK(!verifies("ecdsa", "unheard-of", P256_PEM, P256_SIG));
	CHECK(!verifies("ecdsa", "ecdsa-sha2-nistp256", "-----BEGIN PUBLIC KEY-----", P256_SIG));
	CHECK(!verifies("ecdsa", "ecdsa-sha2-nistp256", "", P256_SIG));
	CHECK(!verifies("ecdsa", "ecdsa-sha2-nistp256", P256_PEM, ""));
	CHECK(!verifies("ecdsa", "ecdsa-sha2-nistp256", P256_PEM, "30460"));
	CHECK(!verifies("ecdsa", "ecdsa-sha2-nistp256", P256_PEM, "not hex"));
	CHECK(!verifies("ecdsa", "ecdsa-sha2-nistp256", P256_PEM, long_sig));
	CHECK(!verifies("ecdsa", "ecdsa-sha2-nistp256", P256_PEM, NULL));
	CHECK(!verifies("ed25519", "ed25519", "abcd", P256_SIG));
	/* Would ask for a passphrase on the terminal if anybody let it. */
	CHECK(!verifies("rsa", "rsassa-pss-sha256",
	    "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n"
	    "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n"
	    "-----END PUBLIC KEY-----\n",
	    RSA_SIG_SALT_32));
}

static void
a_key_id_covers_members_that_nobody_knows(void)
{
	PP_AUTO_JSON pp_json *key = key_of("ed25519", "ed25519", "00");
	char plain[65], with[65], want[65];
	static const char canonical[] =
	    "{\"keytype\":\"ed25519\",\"keyval\":{\"public\":\"00\"},\"scheme\":\"ed25519\"}";

	pp_sha256_hex(canonical, strlen(canonical), want);
	CHECK_INT(pp_key_id(key, plain), 0);
	CHECK_STR(plain, want);
	pp_json_set_str(key, "x-owner", "somebody");
	CHECK_INT(pp_key_id(key, with), 0);
	CHECK(strcmp(plain, with) != 0);
}

static void
a_sealed_key_opens_with_its_passphrase_only(void)
{
	uint8_t seed[32], got[32] = { 0 };
	PP_AUTO_JSON pp_json *sealed = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	if (!CHECK_INT(pp_ed25519_generate(seed, NULL), PLUGPKG_OK) ||
	    !CHECK_INT(pp_seal(seed, sizeof(seed), "correct horse", &sealed, NULL), PLUGPKG_OK))
		return;

	CHECK_INT(pp_unseal(sealed, "correct horse", got, sizeof(got), NULL), PLUGPKG_OK);
	CHECK(memcmp(seed, got, sizeof(seed)) == 0);
	CHECK_INT(pp_unseal(sealed, "battery staple", got, sizeof(got), &err), PLUGPKG_E_KEY);
	CHECK_HAS(plugpkg_error_message(err), "wrong passphrase");
	CHECK_INT(pp_unseal(sealed, "correct horse", got, 31, NULL), PLUGPKG_E_KEY);

	PP_AUTO_FREE char *line = pp_json_line(sealed);
	char hex[65];
	pp_hex(seed, sizeof(seed), hex);
	CHECK(strstr(line, hex) == NULL);
}

static void
a_damaged_or_absurd_seal_is_refused(void)
{
	uint8_t seed[32] = { 7 }, got[32];
	static const struct {
		const char *member, *value;
		int64_t number;
	} rows[] = {
		{ "data", "00", 0 },
		{ "salt", "zz", 0 },
		{ "tag", "00000000000000000000000000000000", 0 },
		{ "kdf", "md5", 0 },
		{ "cipher", "rot13", 0 },
		{ "n", NULL, INT64_MAX },
		{ "n", NULL, 0 },
		{ "n", NULL, 32767 },
		{ "r", NULL, 1 << 20 },
		{ "p", NULL, -1 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_JSON pp_json *sealed = NULL;
		if (!CHECK_INT(pp_seal(seed, sizeof(seed), "p", &sealed, NULL), PLUGPKG_OK))
			return;
		if (rows[i].value != NULL)
			pp_json_set_str(sealed, rows[i].member, rows[i].value);
		else
			pp_json_set_int(sealed, rows[i].member, rows[i].number);
		CHECK_INT(pp_unseal(sealed, "p", got, sizeof(got), NULL), PLUGPKG_E_KEY);
	}
	CHECK_INT(pp_unseal(NULL, "p", got, sizeof(got), NULL), PLUGPKG_E_KEY);
}

/* clang-format off */
TAP_MAIN(
	CASE(digests_are_those_of_the_standard)
	CASE(little_has_the_digest_that_much_has)
	CASE(a_stream_and_a_file_have_the_digest_of_their_bytes)
	CASE(ed25519_agrees_with_rfc_8032)
	CASE(new_keys_differ_and_sign_also_nothing)
	CASE(ecdsa_p256_verifies_and_other_curves_do_not_count)
	CASE(rsa_pss_verifies_with_any_salt_length_and_2048_bits_at_least)
	CASE(a_public_key_in_pem_becomes_one_key_however_it_is_wrapped)
	CASE(a_public_key_that_cannot_verify_is_none)
	CASE(a_key_or_signature_that_makes_no_sense_does_not_verify)
	CASE(a_key_id_covers_members_that_nobody_knows)
	CASE(a_sealed_key_opens_with_its_passphrase_only)
	CASE(a_damaged_or_absurd_seal_is_refused))
/* clang-format on */
