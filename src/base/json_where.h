/* SPDX-License-Identifier: MIT */
/* Where a member stands in a JSON text: for messages about files that people write. */
#ifndef PP_BASE_JSON_WHERE_H
#define PP_BASE_JSON_WHERE_H

#include "base/str.h"

struct pp_json_pos {
	int line, column; /* from 1; a column is a character, a tab is one */
};

/*
 * Where the member or element stands that path names: "plugins.user", "sources[0].urls[1]"; "" is
 * the whole value. A member begins at its key. Names in it stand as they are, dots and all.
 *
 * True when it is there. Else false and the position of the last one on the way that is: what lacks
 * it. text should have been parsed before; of one that was not, any position may come out.
 */
bool pp_json_where(struct pp_str text, const char *path, struct pp_json_pos *out);

#endif
