/* SPDX-License-Identifier: MIT */
/* Is a plugin.json the one that the signed index means? Asked by who installs it, and by verify. */
#ifndef PP_MODEL_AS_SIGNED_H
#define PP_MODEL_AS_SIGNED_H

#include "lib/model/manifest.h"

/* What the index says of a release; all borrowed. */
struct pp_signed_release {
	const char *name, *version;
	bool is_signed;         /* else only these two count: a directory may change */
	const pp_json *row;     /* the author's members of its planning row */
	const pp_json *scripts; /* the kinds that are listed; NULL: not known */
};
/* How it differs, for messages, owned: "it holds photos 1.3.0". NULL: it does not. */
char *pp_unlike_signed(const struct pp_manifest *m, const struct pp_signed_release *want);

#endif
