/* SPDX-License-Identifier: MIT */
/*
 * Versions: SemVer 2.0.0, and any number of numeric parts (missing ones count as 0). Precedence as
 * SemVer section 11; build metadata is ignored in comparisons.
 */
#ifndef PP_MODEL_SEMVER_H
#define PP_MODEL_SEMVER_H

#include "base/str.h"
#include "lib/model/error.h"

#define PP_VERSION_MAX_BYTES  256
#define PP_VERSION_MAX_PARTS  16
#define PP_VERSION_MAX_DIGITS 64  /* a numeric part */
#define PP_VERSION_MAX_PRE    128 /* bytes of the prerelease */

struct pp_version {
	char *text;  /* as written; owned */
	char *parts; /* "1.2.3" as written, without prerelease and build; points into own memory */
	char *pre;   /* "rc.1", or NULL for a release; points into own memory */
};

/* A leading "v" or "=" is no part of a version. Errors: BAD_VERSION with position. */
enum plugpkg_code pp_version_parse(struct pp_str text, struct pp_version *out, plugpkg_error **err);
void pp_version_fini(struct pp_version *v);
void pp_version_copy(const struct pp_version *from, struct pp_version *to);
int pp_version_cmp(const struct pp_version *a, const struct pp_version *b); /* <0, 0, >0 */
/* Compares two version texts that are known to be valid. */
int pp_version_cmp_text(const char *a, const char *b);
bool pp_version_is_prerelease(const struct pp_version *v);

#endif
