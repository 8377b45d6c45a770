/* SPDX-License-Identifier: MIT */
/*
 * The two readers behind pp_json_parse(), for each other's tests: a quick one for texts as they
 * nearly always are, and the library's, which reads everything and words all mistakes.
 */
#ifndef PP_BASE_JSON_PLAIN_H
#define PP_BASE_JSON_PLAIN_H

#include "base/json.h"

/*
 * Reads an object or a list when its numbers are integers and none of its characters is given by
 * its number. NULL: it is something else, or a mistake. What it reads, pp_json_read_any() reads as
 * the same value. Owned.
 */
pp_json *pp_json_read_plain(const char *text, size_t n);
pp_json *pp_json_read_any(const char *text, size_t n, struct pp_json_error *err); /* owned */

#endif
