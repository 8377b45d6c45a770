/* SPDX-License-Identifier: MIT */
/*
 * The two readers behind pp_json_parse(), for each other's tests: a quick one for plain text, and
 * the library's, which reads everything and words all mistakes. The two writers likewise.
 */
#ifndef PP_BASE_JSON_PLAIN_H
#define PP_BASE_JSON_PLAIN_H

#include "base/json.h"

/*
 * Reads an object or a list when its strings are ASCII without escapes and its numbers integers.
 * NULL: it is something else, or a mistake. What it reads, pp_json_read_any() reads as the same
 * value. Owned.
 */
pp_json *pp_json_read_plain(const char *text, size_t n);
pp_json *pp_json_read_any(const char *text, size_t n, struct pp_json_error *err); /* owned */

/* NULL: j holds a number with a fraction. Else what pp_json_write_any() writes, owned. */
char *pp_json_write_plain(const pp_json *j, bool is_pretty);
char *pp_json_write_any(const pp_json *j, bool is_pretty); /* owned */

#endif
