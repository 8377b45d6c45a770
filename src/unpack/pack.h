/* SPDX-License-Identifier: MIT */
/* The job "pack": a directory into an archive; the same directory gives the same bytes. */
#ifndef PP_UNPACK_PACK_H
#define PP_UNPACK_PACK_H

#include "unpack/digest.h"
#include "unpack/policy.h"

/*
 * Descriptors borrowed; out_fd is written from its offset on. digest: loaded; the archive states
 * the one of its tree. The outcome is in the report.
 */
void pp_pack_dir(int dir_fd, int out_fd, int64_t mtime, const struct pp_limits *limits,
    struct pp_digest *digest, struct pp_report *report);

#endif
