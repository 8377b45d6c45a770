/* SPDX-License-Identifier: MIT */
/* The jobs "unpack" and "look": an archive, or some of it, into an empty directory. */
#ifndef PP_UNPACK_EXTRACT_H
#define PP_UNPACK_EXTRACT_H

#include "unpack/digest.h"
#include "unpack/policy.h"

/* Descriptors borrowed. digest: NULL, or loaded. The outcome is in the report. */
void pp_extract(int archive_fd, int dir_fd, const struct pp_limits *limits,
    struct pp_digest *digest, struct pp_report *report);
/*
 * All of it is read and judged the same, and no more written than a publisher looks at:
 * plugin.json, the files whose paths it contains, programs, links.
 */
void pp_look(int archive_fd, int dir_fd, const struct pp_limits *limits, struct pp_report *report);

#endif
