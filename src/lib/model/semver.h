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
/* The same, with its text in an arena (or NULL): that is not for pp_version_fini() then. */
struct pp_arena;
enum plugpkg_code pp_version_parse_in(
    struct pp_arena *a, struct pp_str text, struct pp_version *out, plugpkg_error **err);
void pp_version_fini(struct pp_version *v);
void pp_version_copy(const struct pp_version *from, struct pp_version *to);
int pp_version_cmp(const struct pp_version *a, const struct pp_version *b); /* <0, 0, >0 */
/* The numeric parts alone: 0 for 1.2 and 1.2.0-rc.1. */
int pp_version_cmp_parts(const struct pp_version *a, const struct pp_version *b);
/* From pieces that are known to be sound; pre.p NULL for a release. For bounds of ranges. */
void pp_version_make(struct pp_arena *a, struct pp_str text, struct pp_str parts, struct pp_str pre,
    struct pp_version *out);
/* Compares two version texts that are known to be valid. */
int pp_version_cmp_text(const char *a, const char *b);
bool pp_version_is_prerelease(const struct pp_version *v);

/* For the parser of ranges: pieces of a version at s.p[*i]; *i is left behind them. */
struct pp_version_fault {
	const char *why;
	size_t position; /* from 1 */
};
bool pp_version_scan_number(struct pp_str s, size_t *i, struct pp_version_fault *fault);
/* Identifiers joined by dots, of a prerelease or of build metadata. */
bool pp_version_scan_idents(
    struct pp_str s, size_t *i, bool is_pre, struct pp_version_fault *fault);

#endif
