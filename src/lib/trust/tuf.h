/* SPDX-License-Identifier: MIT */
/*
 * The deciding half of a TUF 1.0 client (specification section 5): bytes in, trusted metadata out. Pure:
 * no files, no network, no clock; lib/trust/updater.c fetches and stores.
 */
#ifndef PP_TRUST_TUF_H
#define PP_TRUST_TUF_H

#include "base/json.h"
#include "lib/model/error.h"

#define PP_TUF_MAX_ROOT_BYTES      512000
#define PP_TUF_MAX_TIMESTAMP_BYTES 16384
#define PP_TUF_MAX_SNAPSHOT_BYTES  2000000
#define PP_TUF_MAX_TARGETS_BYTES   5000000
#define PP_TUF_MAX_ROOT_ROTATIONS  256
#define PP_TUF_MAX_DELEGATIONS     32

struct pp_tuf;

/* now: fixed start time for every expiry decision. root: bytes of the trusted root (self-verified here). */
enum plugpkg_code pp_tuf_new(
    const char *root, size_t n, int64_t now, struct pp_tuf **out, plugpkg_error **err);
void pp_tuf_free(struct pp_tuf *t);
PP_DEFINE_AUTO(tuf, struct pp_tuf, pp_tuf_free);

/* The author of this part writes the rest: update_root/timestamp/snapshot/targets/delegated, each with the rules of trust.md section 3. */

/* A target as signed. */
struct pp_tuf_target {
	uint64_t length;
	char sha256[65], sha512[129]; /* "" when not given */
};

#endif
