/* SPDX-License-Identifier: MIT */
/*
 * What a plan needs of the details of a release, told in its planning row besides, so that a client
 * fetches no details shards before it installs: the digest and the sizes as one short text, the
 * rarer members under their own names. The details stay what they are copied from.
 */
#ifndef PP_INDEX_BRIEF_H
#define PP_INDEX_BRIEF_H

#include "base/json.h"

#define PP_BRIEF_MEMBER "archive" /* of a planning row: "SHA256 SIZE UNPACKED FILES" */
#define PP_BRIEF_OWNER  "owner"   /* of a planning line, as in that of the details */

struct pp_brief {
	char sha256[65];
	uint64_t size, unpacked, files;
};
/* False: it has another form. */
bool pp_brief_read(const char *text, struct pp_brief *out);

/*
 * Writes into a planning line and its rows what the details line says of the same versions; takes
 * out what it does not say.
 */
void pp_brief_write(pp_json *planning, const pp_json *details);
/* The same of one row; details: NULL, where the version has none. */
void pp_brief_write_row(pp_json *row, const pp_json *details);
/* The members of a row that are not of the manifest's own row go. */
void pp_brief_strip(pp_json *row);

#endif
