/* SPDX-License-Identifier: MIT */
/* The other door to libsolv: what it has of digests. */
#include "lib/trust/crypto_small.h"

#include "lib/solve/libsolv.h"

#include <stdatomic.h>
#include <string.h>

#include <solv/chksum.h>
#include <solv/knownid.h>

#define ENOUGH_BYTES ((size_t)512 * 1024) /* takes libsolv as long as it takes to load libcrypto */

/* Stands for the process, as what is loaded does. */
static _Atomic(size_t) digested;

static bool
digest(Id type, const void *p, size_t n, uint8_t *out, size_t out_bytes)
{
	int got_bytes = 0;

	if (!pp_libsolv_is_there() || n > ENOUGH_BYTES ||
	    atomic_fetch_add(&digested, n) > ENOUGH_BYTES - n)
		return false;
	Chksum *sum = solv_chksum_create(type);
	if (sum == NULL)
		return false;
	if (n > 0)
		solv_chksum_add(sum, p, (int)n);
	const unsigned char *got = solv_chksum_get(sum, &got_bytes);
	bool is_whole = got != NULL && (size_t)got_bytes == out_bytes;
	if (is_whole)
		memcpy(out, got, out_bytes);
	(void)solv_chksum_free(sum, NULL);
	return is_whole;
}

bool
pp_small_sha256(const void *p, size_t n, uint8_t out[32])
{
	return digest(REPOKEY_TYPE_SHA256, p, n, out, 32);
}

bool
pp_small_sha512(const void *p, size_t n, uint8_t out[64])
{
	return digest(REPOKEY_TYPE_SHA512, p, n, out, 64);
}
