/* SPDX-License-Identifier: MIT */
/* Loads libcrypto, of the version that the headers are of, once for a process. */
#include "lib/trust/crypto_calls.h"

#include "base/library.h"

#define STR_OF(x) #x
#define STR(x)    STR_OF(x)
#define SONAME    "libcrypto.so." STR(OPENSSL_SHLIB_VERSION)
PP_LIBRARY_NOTE(SONAME, "crypto", "required", "Digests and signatures");

static const struct pp_library_call rows[] = {
#define ROW(name) { #name, offsetof(struct pp_crypto_calls, name) },
	PP_CRYPTO_CALLS(ROW)
#undef ROW
};

static _Atomic(void *) loaded;
static _Atomic(const EVP_MD *) sha256;

const struct pp_crypto_calls *
pp_crypto_calls(void)
{
	return pp_library_need(&loaded, sizeof(struct pp_crypto_calls), SONAME, rows, PP_LEN(rows));
}

const EVP_MD *
pp_crypto_sha256(void)
{
	const EVP_MD *md = atomic_load(&sha256);

	if (md != NULL)
		return md;
	md = pp_crypto_calls()->EVP_MD_fetch(NULL, "SHA256", NULL);
	if (md == NULL)
		md = pp_crypto_calls()->EVP_sha256();
	atomic_store(&sha256, md);
	return md;
}

bool
pp_crypto_is_loaded(void)
{
	return atomic_load(&loaded) != NULL;
}
