/* SPDX-License-Identifier: MIT */
/* The job "unpack": an archive into an empty directory. */
#ifndef PP_UNPACK_EXTRACT_H
#define PP_UNPACK_EXTRACT_H

#include "unpack/digest.h"
#include "unpack/policy.h"

/* Descriptors borrowed. digest: NULL, or made by pp_digest_init(). The outcome is in the report. */
void pp_extract(int archive_fd, int dir_fd, const struct pp_limits *limits,
    struct pp_digest *digest, struct pp_report *report);

#endif
