/* SPDX-License-Identifier: MIT */
/* The root.json that trust begins with: the key file that people hand over, and its fingerprint. */
#ifndef PP_TRUST_FIRST_ROOT_H
#define PP_TRUST_FIRST_ROOT_H

#include "base/str.h"
#include "lib/model/error.h"

/* sha256 of the bytes of a root.json, as "sha256:HEX": the fingerprint that people compare. */
void pp_root_fingerprint(const void *p, size_t n, char out[72]);

/*
 * Reads a copy that lies outside of all roots, which may be a pipe. Errors: NOT_FOUND IO, with a
 * hint where a fingerprint without its beginning was taken for a path.
 */
enum plugpkg_code pp_root_read_key_file(const char *path, struct pp_buf *out, plugpkg_error **err);

#endif
