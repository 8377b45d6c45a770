/* SPDX-License-Identifier: MIT */
/* Signing by a command of the publisher's: a hardware module, a cloud's key service, openssl. */
#ifndef PP_REPO_SIGNER_H
#define PP_REPO_SIGNER_H

#include "base/buf.h"
#include "lib/repo/keys.h"

/*
 * Runs the signer's command by the shell with the bytes as its standard input; its standard output
 * becomes the signature, in hex: it gives raw bytes, or hex itself. Errors: KEY INTERRUPTED.
 */
enum plugpkg_code pp_signer_run(const struct pp_signer *s, const void *p, size_t n,
    struct pp_buf *out_hex, plugpkg_error **err);

#endif
