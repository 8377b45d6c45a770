/* SPDX-License-Identifier: MIT */
/*
 * The only door to the JSON library. Strict: duplicate members, floats where integers are due, NUL
 * in strings and text after the value are refused. A pp_json is counted; "borrowed" values live as
 * long as their parent. No value is put into itself, nor into one that it holds: nobody would free
 * them.
 */
#ifndef PP_BASE_JSON_H
#define PP_BASE_JSON_H

#include "base/buf.h"

typedef struct pp_json pp_json;

enum pp_json_kind {
	PP_JSON_NULL,
	PP_JSON_BOOL,
	PP_JSON_INT,
	PP_JSON_REAL,
	PP_JSON_STRING,
	PP_JSON_ARRAY,
	PP_JSON_OBJECT,
};

/* Where and why text is no JSON; text is ready to print ("line 3, column 7: …"). */
struct pp_json_error {
	int line, column;
	char text[200];
};

/* For a program, at its start: randomness for hash tables; the library opens a device for it. */
void pp_json_start(void);
pp_json *pp_json_parse(const char *text, size_t n, struct pp_json_error *err); /* owned, or NULL */
pp_json *pp_json_ref(const pp_json *j);                                        /* NULL stays NULL */
void pp_json_free(pp_json *j);
void pp_auto_json(pp_json **j);
pp_json *pp_json_copy(const pp_json *j); /* deep, owned */
bool pp_json_equal(const pp_json *a, const pp_json *b);

enum pp_json_kind pp_json_kind(const pp_json *j);
const char *pp_json_kind_name(const pp_json *j); /* "a string", "an object", …; NULL: "nothing" */
bool pp_json_is(const pp_json *j, enum pp_json_kind kind); /* NULL is no kind */

/* Objects: members in order of insertion. */
pp_json *pp_json_object(void);
pp_json *pp_json_object_of(size_t members);                /* the same with room for so many */
pp_json *pp_json_get(const pp_json *obj, const char *key); /* borrowed, or NULL; NULL obj allowed */
void pp_json_set(pp_json *obj, const char *key, pp_json *value);        /* value moved */
void pp_json_set_str(pp_json *obj, const char *key, const char *value); /* NULL value: not set */
void pp_json_set_int(pp_json *obj, const char *key, int64_t value);
void pp_json_set_bool(pp_json *obj, const char *key, bool value);
void pp_json_del(pp_json *obj, const char *key);
/* Walk: for (void *it = pp_json_iter(o); it != NULL; it = pp_json_next(o, it)) */
void *pp_json_iter(const pp_json *obj);
void *pp_json_next(const pp_json *obj, void *it);
const char *pp_json_iter_key(void *it);
pp_json *pp_json_iter_value(void *it); /* borrowed */

/* Arrays. */
pp_json *pp_json_array(void);
size_t pp_json_len(const pp_json *j);              /* of array or object; others and NULL: 0 */
pp_json *pp_json_at(const pp_json *arr, size_t i); /* borrowed, or NULL */
void pp_json_push(pp_json *arr, pp_json *value);   /* value moved */
void pp_json_push_str(pp_json *arr, const char *value);

/* Scalars. */
pp_json *pp_json_str(const char *utf8); /* invalid UTF-8 becomes U+FFFD */
pp_json *pp_json_int(int64_t value);
pp_json *pp_json_bool(bool value);
const char *pp_json_string(const pp_json *j);                    /* view; NULL when no string */
ptrdiff_t pp_json_find_str(const pp_json *array, const char *s); /* place of a text; -1: none */
int64_t pp_json_integer(const pp_json *j, int64_t other);        /* other when no integer */
bool pp_json_is_true(const pp_json *j);
/* Shorthands on members. */
const char *pp_json_get_str(const pp_json *obj, const char *key);
int64_t pp_json_get_int(const pp_json *obj, const char *key, int64_t other);
bool pp_json_get_bool(const pp_json *obj, const char *key);

/* Text forms, owned, terminated. Members stand in order of insertion unless said otherwise. */
/* Text as a JSON string, quoted; for who writes a record without a tree of it. */
void pp_json_add_string(struct pp_buf *out, const char *text);
char *pp_json_line(const pp_json *j);   /* one line, no blanks */
char *pp_json_pretty(const pp_json *j); /* two blanks a level, newline at the end */
char *pp_json_sorted(const pp_json *j); /* one line, members sorted by bytes */
/*
 * Canonical JSON (OLPC dialect, as TUF signs it): members sorted by bytes, only `"` and `\`
 * escaped, integers only. -EINVAL when j holds a float. Appends.
 */
int pp_json_canonical(const pp_json *j, struct pp_buf *out) PP_MUSTUSE;

#endif
