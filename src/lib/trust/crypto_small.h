/* SPDX-License-Identifier: MIT */
/*
 * Digests of little, by libsolv, which is linked and has them in plain C. To load libcrypto and to
 * find an algorithm in it takes as long as to digest half a megabyte here: most commands that look
 * into the index need less than that, and no libcrypto.
 */
#ifndef PP_TRUST_CRYPTO_SMALL_H
#define PP_TRUST_CRYPTO_SMALL_H

#include "base/compiler.h"

/* False: as much was digested already, or would be, as libcrypto is worth. From any thread. */
bool pp_small_sha256(const void *p, size_t n, uint8_t out[32]);
bool pp_small_sha512(const void *p, size_t n, uint8_t out[64]);

#endif
