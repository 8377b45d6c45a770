/* SPDX-License-Identifier: MIT */
/*
 * JSON values: strict reading, and what stands where. json_tree.c holds their memory, json_plain.c
 * reads nearly all of them, json_write.c writes them, json_canonical.c the signed form.
 */
#include "base/json.h"

#include "base/json_plain.h"
#include "base/json_tree.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define VALUE_BYTES  64  /* of a value by itself: about what most need */
#define ROW_BYTES    768 /* of an object that is being made */
#define MEMBER_BYTES 48

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

/* ---- what the library reads ---- */

static pp_json *take_over(struct pp_json_tree *t, json_t *from);

static pp_json *
take_over_object(struct pp_json_tree *t, json_t *from)
{
	pp_json *j = pp_json_node(t, PP_JSON_OBJECT);

	for (void *it = json_object_iter(from); it != NULL; it = json_object_iter_next(from, it))
		pp_json_put(j, json_object_iter_key(it), take_over(t, json_object_iter_value(it)));
	return j;
}

static pp_json *
take_over_array(struct pp_json_tree *t, json_t *from)
{
	pp_json *j = pp_json_node(t, PP_JSON_ARRAY);

	for (size_t i = 0; i < json_array_size(from); i++)
		pp_json_append(j, take_over(t, json_array_get(from, i)));
	return j;
}

/* As the library writes it, so that it is always written the same. */
static pp_json *
take_over_fraction(struct pp_json_tree *t, json_t *from)
{
	PP_AUTO_FREE char *text = json_dumps(from, JSON_ENCODE_ANY);

	if (text == NULL)
		abort();
	return pp_json_node_text(t, PP_JSON_REAL,
	    (struct pp_str){ pp_json_take_text(t, pp_str_of(text)), strlen(text) });
}

static pp_json *
take_over(struct pp_json_tree *t, json_t *from)
{
	switch (json_typeof(from)) {
	case JSON_OBJECT:
		return take_over_object(t, from);
	case JSON_ARRAY:
		return take_over_array(t, from);
	case JSON_STRING:
		return pp_json_node_string(
		    t, (struct pp_str){ json_string_value(from), json_string_length(from) });
	case JSON_INTEGER: {
		pp_json *j = pp_json_node(t, PP_JSON_INT);
		j->as.number = json_integer_value(from);
		return j;
	}
	case JSON_REAL:
		return take_over_fraction(t, from);
	case JSON_TRUE:
	case JSON_FALSE:
		return pp_json_bool(json_is_true(from));
	case JSON_NULL:
		break;
	}
	return pp_json_mutable(&pp_json_null);
}

pp_json *
pp_json_read_any(const char *text, size_t n, struct pp_json_error *err)
{
	json_error_t e;

	if (has_nul(text, n, err))
		return NULL;

	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);

	if (j != NULL) {
		struct pp_json_tree *t = pp_json_tree_new(2 * n);
		pp_json *own = take_over(t, j);
		json_decref(j);
		if (own->tree == NULL)
			pp_json_tree_drop(t);
		return own;
	}
	if (err == NULL)
		return NULL;
	/* e.text quotes the input: it is the attacker's. */
	PP_AUTO_BUF struct pp_buf safe = PP_BUF_INIT(sizeof(err->text) - 1);
	pp_buf_addf(&safe, "line %d, column %d: ", e.line, e.column);
	pp_sanitize(&safe, e.text, strlen(e.text));
	err->line = e.line;
	err->column = e.column;
	(void)snprintf(err->text, sizeof(err->text), "%s", pp_buf_cstr(&safe)); /* fits */
	return NULL;
}

/* ---- who has a value ---- */

pp_json *
pp_json_ref(const pp_json *j)
{
	if (j == NULL)
		return NULL;
	pp_json_tree_keep(pp_json_tree_of(j));
	return pp_json_mutable(j);
}

void
pp_json_free(pp_json *j)
{
	if (j != NULL)
		pp_json_tree_drop(pp_json_tree_of(j));
}

void
pp_auto_json(pp_json **j)
{
	pp_json_free(*j);
}

static pp_json *
copy_to(struct pp_json_tree *t, const pp_json *j)
{
	pp_json *copy;

	if (j->tree == NULL)
		return pp_json_mutable(j);
	if (j->kind == PP_JSON_STRING || j->kind == PP_JSON_REAL) {
		struct pp_str text = { j->as.text, j->n };
		return pp_json_node_text(
		    t, j->kind, (struct pp_str){ pp_json_take_text(t, text), text.n });
	}
	copy = pp_json_node(t, j->kind);
	if (j->kind == PP_JSON_INT)
		copy->as.number = j->as.number;
	if (j->kind == PP_JSON_ARRAY)
		for (size_t i = 0; i < j->n; i++)
			pp_json_append(copy, copy_to(t, j->as.elements[i]));
	if (j->kind == PP_JSON_OBJECT)
		for (size_t i = 0; i < j->n; i++)
			pp_json_put(
			    copy, j->as.members->at[i].key, copy_to(t, j->as.members->at[i].value));
	return copy;
}

pp_json *
pp_json_copy(const pp_json *j)
{
	return j->tree == NULL ? pp_json_mutable(j) : copy_to(pp_json_tree_new(ROW_BYTES), j);
}

static bool
are_members_equal(const pp_json *a, const pp_json *b)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct pp_json_member *m = &a->as.members->at[i];
		const struct pp_json_member *other = pp_json_find(b, m->key);
		if (other == NULL || !pp_json_equal(m->value, other->value))
			return false;
	}
	return true;
}

bool
pp_json_equal(const pp_json *a, const pp_json *b)
{
	if (a == NULL || b == NULL || a == b)
		return a == b && a != NULL;
	if (a->kind != b->kind || a->n != b->n)
		return false;
	switch (a->kind) {
	case PP_JSON_NULL:
		return true;
	case PP_JSON_BOOL:
		return a->is_true == b->is_true;
	case PP_JSON_INT:
		return a->as.number == b->as.number;
	case PP_JSON_REAL:
	case PP_JSON_STRING:
		return memcmp(a->as.text, b->as.text, a->n) == 0;
	case PP_JSON_ARRAY:
		for (size_t i = 0; i < a->n; i++)
			if (!pp_json_equal(a->as.elements[i], b->as.elements[i]))
				return false;
		return true;
	case PP_JSON_OBJECT:
		break;
	}
	return are_members_equal(a, b);
}

/* ---- kinds ---- */

enum pp_json_kind
pp_json_kind(const pp_json *j)
{
	return j->kind;
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
	return j != NULL && j->kind == kind;
}

/* ---- objects ---- */

pp_json *
pp_json_object(void)
{
	return pp_json_node(pp_json_tree_new(ROW_BYTES), PP_JSON_OBJECT);
}

pp_json *
pp_json_object_of(size_t members)
{
	pp_json *j =
	    pp_json_node(pp_json_tree_new(ROW_BYTES + members * MEMBER_BYTES), PP_JSON_OBJECT);

	pp_json_make_room(j, members);
	return j;
}

pp_json *
pp_json_get(const pp_json *obj, const char *key)
{
	const struct pp_json_member *m =
	    pp_json_is(obj, PP_JSON_OBJECT) ? pp_json_find(obj, key) : NULL;

	return m != NULL ? m->value : NULL;
}

/* Its tree. Nothing else has members. */
static struct pp_json_tree *
tree_for(const pp_json *j, enum pp_json_kind kind)
{
	if (!pp_json_is(j, kind))
		abort();
	return pp_json_tree_of(j);
}

void
pp_json_set(pp_json *obj, const char *key, pp_json *value)
{
	pp_json_bring(tree_for(obj, PP_JSON_OBJECT), value);
	pp_json_put(obj, key, value);
}

void
pp_json_set_str(pp_json *obj, const char *key, const char *value)
{
	if (value != NULL)
		pp_json_put(
		    obj, key, pp_json_node_string(tree_for(obj, PP_JSON_OBJECT), pp_str_of(value)));
}

static pp_json *
number_in(struct pp_json_tree *t, int64_t value)
{
	pp_json *j = pp_json_node(t, PP_JSON_INT);

	j->as.number = value;
	return j;
}

void
pp_json_set_int(pp_json *obj, const char *key, int64_t value)
{
	pp_json_put(obj, key, number_in(tree_for(obj, PP_JSON_OBJECT), value));
}

void
pp_json_set_bool(pp_json *obj, const char *key, bool value)
{
	pp_json_set(obj, key, pp_json_bool(value));
}

void
pp_json_del(pp_json *obj, const char *key)
{
	if (pp_json_is(obj, PP_JSON_OBJECT))
		pp_json_leave_out(obj, key);
}

void *
pp_json_iter(const pp_json *obj)
{
	return pp_json_is(obj, PP_JSON_OBJECT) && obj->n > 0 ? &obj->as.members->at[0] : NULL;
}

/* The members may have been moved meanwhile, to where there is room for one more. */
void *
pp_json_next(const pp_json *obj, void *it)
{
	const struct pp_json_member *here = it, *first = obj->as.members->at;
	bool is_moved = here < first || here >= first + obj->n;

	if (is_moved)
		here = pp_json_find(obj, here->key);
	size_t next = here != NULL ? (size_t)(here - first) + 1 : obj->n;
	return next < obj->n ? &obj->as.members->at[next] : NULL;
}

const char *
pp_json_iter_key(void *it)
{
	const struct pp_json_member *m = it;

	return m->key;
}

pp_json *
pp_json_iter_value(void *it)
{
	const struct pp_json_member *m = it;

	return m->value;
}

/* ---- lists ---- */

pp_json *
pp_json_array(void)
{
	return pp_json_node(pp_json_tree_new(VALUE_BYTES), PP_JSON_ARRAY);
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
	return pp_json_is(j, PP_JSON_ARRAY) || pp_json_is(j, PP_JSON_OBJECT) ? j->n : 0;
}

pp_json *
pp_json_at(const pp_json *arr, size_t i)
{
	return pp_json_is(arr, PP_JSON_ARRAY) && i < arr->n ? arr->as.elements[i] : NULL;
}

void
pp_json_push(pp_json *arr, pp_json *value)
{
	pp_json_bring(tree_for(arr, PP_JSON_ARRAY), value);
	pp_json_append(arr, value);
}

void
pp_json_push_str(pp_json *arr, const char *value)
{
	pp_json_append(arr, pp_json_node_string(tree_for(arr, PP_JSON_ARRAY), pp_str_of(value)));
}

/* ---- scalars ---- */

pp_json *
pp_json_str(const char *utf8)
{
	struct pp_str text = pp_str_of(utf8);

	return pp_json_node_string(pp_json_tree_new(VALUE_BYTES + text.n), text);
}

pp_json *
pp_json_int(int64_t value)
{
	return number_in(pp_json_tree_new(VALUE_BYTES), value);
}

pp_json *
pp_json_bool(bool value)
{
	return pp_json_mutable(value ? &pp_json_true : &pp_json_false);
}

const char *
pp_json_string(const pp_json *j)
{
	return pp_json_is(j, PP_JSON_STRING) ? j->as.text : NULL;
}

int64_t
pp_json_integer(const pp_json *j, int64_t other)
{
	return pp_json_is(j, PP_JSON_INT) ? j->as.number : other;
}

bool
pp_json_is_true(const pp_json *j)
{
	return pp_json_is(j, PP_JSON_BOOL) && j->is_true;
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
