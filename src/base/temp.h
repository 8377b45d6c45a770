/* SPDX-License-Identifier: MIT */
/* Directories for what is needed for a while only, in the first place that can have one. */
#ifndef PP_BASE_TEMP_H
#define PP_BASE_TEMP_H

#include "base/compiler.h"

#define PP_TEMP_DIGITS 16 /* behind the prefix */

/* Makes the directory `path`, private: 0 or -errno. path stays as it is when it worked. */
typedef int (*pp_temp_fn)(char *path, void *user);
/*
 * Makes PREFIX and digits in TMPDIR; in /tmp or /var/tmp where that is of no use, as that of
 * somebody else (sudo keeps that of pam_tmpdir) or a full one. make NULL: mkdir. *out is its path,
 * or the places that were tried; owned.
 */
int pp_temp_make(const char *prefix, pp_temp_fn make, void *user, char **out) PP_MUSTUSE;

#endif
