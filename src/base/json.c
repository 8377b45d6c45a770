/* SPDX-License-Identifier: MIT */
/*
 * The wrapper around jansson: strict reading, ordered writing. json_canonical.c holds the signed
 * form.
 */
#include "base/json.h"

#include "base/json_plain.h"
#include "base/mem.h"
#include "base/str.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* jansson passes over some NUL bytes; no JSON text has any. */
static bool
has_nul(const char *text, size_t n, struct pp_json_error *err)
{
	const char *nul = n > 0 ? memchr(text, '\0', n) : NULL;

	if (nul != NULL && err != NULL) {
		*err = (struct pp_json_error){ .line = 1, .column = 1 };
		for (const char *p = text; p < nul; p++) {
			err->column = *p == '\n' ? 1 : err->column + 1;
			err->line += *p == '\n';
		}
		(void)snprintf(err->text, sizeof(err->text),
		    "line %d, column %d: a NUL byte is no JSON", err->line, err->column); /* fits */
	}
	return nul != NULL;
}

void
pp_json_start(void)
{
	unsigned seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed) && seed != 0)
		json_object_seed(seed);
}

pp_json *
pp_json_parse(const char *text, size_t n, struct pp_json_error *err)
{
	pp_json *plain = pp_json_read_plain(text, n);

	return plain != NULL ? plain : pp_json_read_any(text, n, err);
}

pp_json *
pp_json_read_any(const char *text, size_t n, struct pp_json_error *err)
{
	json_error_t e;

	if (has_nul(text, n, err))
		return NULL;

	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);

	if (j != NULL || err == NULL)
		return j;
	/* e.text quotes the input: it is the attacker's. */
	PP_AUTO_BUF struct pp_buf safe = PP_BUF_INIT(sizeof(err->text) - 1);
	pp_buf_addf(&safe, "line %d, column %d: ", e.line, e.column);
	pp_sanitize(&safe, e.text, strlen(e.text));
	err->line = e.line;
	err->column = e.column;
	(void)snprintf(err->text, sizeof(err->text), "%s", pp_buf_cstr(&safe)); /* fits */
	return NULL;
}

/* jansson counts references in objects that it calls const; this is the one place that knows. */
static json_t *mutable(const pp_json *j)
{
	union {
		const pp_json *in;
		json_t *out;
	} u = { .in = j };

	return u.out;
}

static json_t *
or_abort(json_t *j)
{
	if (j == NULL)
		abort();
	return j;
}

pp_json *
pp_json_ref(const pp_json *j)
{
	return json_incref(mutable(j));
}

void
pp_json_free(pp_json *j)
{
	json_decref(j);
}

void
pp_auto_json(pp_json **j)
{
	json_decref(*j);
}

pp_json *
pp_json_copy(const pp_json *j)
{
	return or_abort(json_deep_copy(j));
}

bool
pp_json_equal(const pp_json *a, const pp_json *b)
{
	return json_equal(a, b) != 0;
}

enum pp_json_kind
pp_json_kind(const pp_json *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return PP_JSON_OBJECT;
	case JSON_ARRAY:
		return PP_JSON_ARRAY;
	case JSON_STRING:
		return PP_JSON_STRING;
	case JSON_INTEGER:
		return PP_JSON_INT;
	case JSON_REAL:
		return PP_JSON_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return PP_JSON_BOOL;
	case JSON_NULL:
		break;
	}
	return PP_JSON_NULL;
}

const char *
pp_json_kind_name(const pp_json *j)
{
	static const char *const names[] = {
		[PP_JSON_NULL] = "null",
		[PP_JSON_BOOL] = "true or false",
		[PP_JSON_INT] = "a number",
		[PP_JSON_REAL] = "a number with a fraction",
		[PP_JSON_STRING] = "a string",
		[PP_JSON_ARRAY] = "a list",
		[PP_JSON_OBJECT] = "an object",
	};

	return j == NULL ? "nothing" : names[pp_json_kind(j)];
}

bool
pp_json_is(const pp_json *j, enum pp_json_kind kind)
{
	return j != NULL && pp_json_kind(j) == kind;
}

pp_json *
pp_json_object(void)
{
	return or_abort(json_object());
}

pp_json *
pp_json_get(const pp_json *obj, const char *key)
{
	return obj == NULL ? NULL : json_object_get(obj, key);
}

void
pp_json_set(pp_json *obj, const char *key, pp_json *value)
{
	if (json_object_set_new(obj, key, value) < 0)
		abort(); /* out of memory, or our own key is no UTF-8 */
}

void
pp_json_set_str(pp_json *obj, const char *key, const char *value)
{
	if (value != NULL)
		pp_json_set(obj, key, pp_json_str(value));
}

void
pp_json_set_int(pp_json *obj, const char *key, int64_t value)
{
	pp_json_set(obj, key, pp_json_int(value));
}

void
pp_json_set_bool(pp_json *obj, const char *key, bool value)
{
	pp_json_set(obj, key, pp_json_bool(value));
}

void
pp_json_del(pp_json *obj, const char *key)
{
	(void)json_object_del(obj, key); /* absent is what was wanted */
}

void *
pp_json_iter(const pp_json *obj)
{
	return json_object_iter(mutable(obj));
}

void *
pp_json_next(const pp_json *obj, void *it)
{
	return json_object_iter_next(mutable(obj), it);
}

const char *
pp_json_iter_key(void *it)
{
	return json_object_iter_key(it);
}

pp_json *
pp_json_iter_value(void *it)
{
	return json_object_iter_value(it);
}

pp_json *
pp_json_array(void)
{
	return or_abort(json_array());
}

ptrdiff_t
pp_json_find_str(const pp_json *array, const char *s)
{
	for (size_t i = 0; i < pp_json_len(array); i++) {
		const char *here = pp_json_string(pp_json_at(array, i));

		if (here != NULL && strcmp(here, s) == 0)
			return (ptrdiff_t)i;
	}
	return -1;
}

size_t
pp_json_len(const pp_json *j)
{
	if (pp_json_is(j, PP_JSON_ARRAY))
		return json_array_size(j);
	return pp_json_is(j, PP_JSON_OBJECT) ? json_object_size(j) : 0;
}

pp_json *
pp_json_at(const pp_json *arr, size_t i)
{
	return arr == NULL ? NULL : json_array_get(arr, i);
}

void
pp_json_push(pp_json *arr, pp_json *value)
{
	if (json_array_append_new(arr, value) < 0)
		abort();
}

void
pp_json_push_str(pp_json *arr, const char *value)
{
	pp_json_push(arr, pp_json_str(value));
}

pp_json *
pp_json_str(const char *utf8)
{
	json_t *j = json_string(utf8);

	if (j != NULL)
		return j;
	/* No UTF-8 (file names, system texts): keep what is, replace the rest byte by byte. */
	PP_AUTO_BUF struct pp_buf safe = PP_BUF_INIT(SIZE_MAX / 2);
	for (const char *p = utf8; *p != '\0';) {
		size_t len = 1;
		while (len < 4 && p[len] != '\0' && !pp_is_utf8(p, len))
			len++;
		if (pp_is_utf8(p, len)) {
			pp_buf_add(&safe, p, len);
			p += len;
		} else {
			pp_buf_adds(&safe, "\xef\xbf\xbd");
			p++;
		}
	}
	return or_abort(json_string(pp_buf_cstr(&safe)));
}

pp_json *
pp_json_int(int64_t value)
{
	return or_abort(json_integer(value));
}

pp_json *
pp_json_bool(bool value)
{
	return json_boolean(value);
}

const char *
pp_json_string(const pp_json *j)
{
	return json_string_value(j);
}

int64_t
pp_json_integer(const pp_json *j, int64_t other)
{
	return json_is_integer(j) ? json_integer_value(j) : other;
}

bool
pp_json_is_true(const pp_json *j)
{
	return json_is_true(j);
}

const char *
pp_json_get_str(const pp_json *obj, const char *key)
{
	return pp_json_string(pp_json_get(obj, key));
}

int64_t
pp_json_get_int(const pp_json *obj, const char *key, int64_t other)
{
	return pp_json_integer(pp_json_get(obj, key), other);
}

bool
pp_json_get_bool(const pp_json *obj, const char *key)
{
	return pp_json_is_true(pp_json_get(obj, key));
}

static char *
dump(const pp_json *j, size_t flags)
{
	char *text = json_dumps(j, flags | JSON_ENCODE_ANY);

	if (text == NULL)
		abort();
	return text;
}

char *
pp_json_write_any(const pp_json *j, bool is_pretty)
{
	return dump(j, is_pretty ? JSON_INDENT(2) : JSON_COMPACT);
}

char *
pp_json_line(const pp_json *j)
{
	char *plain = pp_json_write_plain(j, false);

	return plain != NULL ? plain : pp_json_write_any(j, false);
}

char *
pp_json_pretty(const pp_json *j)
{
	PP_AUTO_FREE char *plain = pp_json_write_plain(j, true);
	PP_AUTO_FREE char *any = plain == NULL ? pp_json_write_any(j, true) : NULL;

	return pp_asprintf("%s\n", plain != NULL ? plain : any);
}

char *
pp_json_sorted(const pp_json *j)
{
	return dump(j, JSON_COMPACT | JSON_SORT_KEYS);
}
