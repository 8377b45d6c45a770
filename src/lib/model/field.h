/* SPDX-License-Identifier: MIT */
/*
 * Fields of a JSON object that people wrote: the one form of message for what is wrong with them.
 */
#ifndef PP_MODEL_FIELD_H
#define PP_MODEL_FIELD_H

#include "base/json.h"
#include "base/str.h"
#include "lib/model/error.h"
#include "lib/model/range.h"

struct pp_fields {
	const pp_json *json;    /* borrowed */
	const char *where;      /* the file, for messages */
	enum plugpkg_code code; /* what a mistake counts as */
	plugpkg_error **err;
	struct pp_str
	    text; /* what json was read from: messages then say line and column; or none */
	struct pp_ranges *ranges; /* what was read before; or NULL */
	struct pp_arena *arena;   /* where what is read shall lie; or NULL */
};

/*
 * Each returns f->code and makes the field the error's subject: "FILE: line 3, column 5: field 'X':
 * …". The text says the value and what would be right. A field is a path as pp_json_where() reads
 * it, "sources[0].urls"; of names that stand in it nothing is shown that could harm.
 */
enum plugpkg_code pp_field_fail(const struct pp_fields *f, const char *field, const char *fmt, ...)
    PP_PRINTF(3, 4);
enum plugpkg_code pp_field_missing(const struct pp_fields *f, const char *field);
/* "expected WANT, found a number" */
enum plugpkg_code pp_field_kind(
    const struct pp_fields *f, const char *field, const pp_json *found, const char *want);
/* Puts the field before the message that *f->err has already. */
enum plugpkg_code pp_field_wrap(const struct pp_fields *f, const char *field);

#endif
