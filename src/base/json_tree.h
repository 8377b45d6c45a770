/* SPDX-License-Identifier: MIT */
/*
 * How JSON values lie in memory, inside base/json*.c only. All that a text or a row consists of is
 * one tree: a few blocks of memory that are counted and freed as one. A value that comes into
 * another's tree brings its own tree along, or that is kept until the other one goes.
 */
#ifndef PP_BASE_JSON_TREE_H
#define PP_BASE_JSON_TREE_H

#include "base/json.h"
#include "base/str.h"
#include "base/vec.h"

struct pp_json_tree;
struct pp_json_members;

struct pp_json {
	struct pp_json_tree *tree; /* NULL: true, false and null are the same everywhere */
	union {
		int64_t number;
		const char *text; /* of a string, terminated; of a number with a fraction */
		struct pp_json_members *members; /* NULL: none yet */
		pp_json **elements;
	} as;
	uint32_t n;    /* members, elements, or bytes of text */
	uint32_t room; /* for members or elements */
	enum pp_json_kind kind;
	bool is_true;
};

struct pp_json_member {
	const char *key; /* in the tree */
	pp_json *value;
};

struct pp_json_members {
	uint32_t *slots; /* places of members by hash, plus 1; NULL: not made */
	uint32_t mask;
	bool is_stale; /* members left since the slots were filled */
	struct pp_json_member at[];
};

/*
 * For eight bytes of a text at once: not 0 when one of them is no ASCII, or ends a string, or is
 * escaped in one. The lowest bit is that of the first of them; behind it bits may be wrong.
 */
#define PP_JSON_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
static inline uint64_t
pp_json_unusual(uint64_t w)
{
	uint64_t quote = w ^ PP_JSON_EACH('"'), escape = w ^ PP_JSON_EACH('\\');

	return (w | (w - PP_JSON_EACH(' ')) | ((quote - PP_JSON_EACH(1)) & ~quote) |
		   ((escape - PP_JSON_EACH(1)) & ~escape)) &
	       PP_JSON_EACH(0x80);
}

extern const pp_json pp_json_true, pp_json_false, pp_json_null;

/* What jansson did not do either: the one place where a value that is looked at is changed. */
pp_json *pp_json_mutable(const pp_json *j);

/* A tree with room for so many bytes before it asks for more; whoever has its value has it. */
struct pp_json_tree *pp_json_tree_new(size_t room);
/* One more who has it, and one less. NULL allowed. */
void pp_json_tree_keep(struct pp_json_tree *t);
void pp_json_tree_drop(struct pp_json_tree *t);
/* Memory of the tree, for a value or as it is. */
void *pp_json_take(struct pp_json_tree *t, size_t n);
char *pp_json_take_text(struct pp_json_tree *t, struct pp_str text);
pp_json *pp_json_node(struct pp_json_tree *t, enum pp_json_kind kind);
/* Text is UTF-8, and a view into the tree. */
pp_json *pp_json_node_text(struct pp_json_tree *t, enum pp_json_kind kind, struct pp_str text);
/* The same with any text, which is copied. */
pp_json *pp_json_node_string(struct pp_json_tree *t, struct pp_str text);
/* The tree that a value belongs to now. */
struct pp_json_tree *pp_json_tree_of(const pp_json *j);

/* For so many members; n is more than it has. */
void pp_json_make_room(pp_json *object, size_t n);
/* The whole of an object or a list, copied into its tree. False: a key stands there twice. */
bool pp_json_fill_object(pp_json *object, const struct pp_json_member *all, size_t n);
void pp_json_fill_array(pp_json *array, const struct pp_json_member *all, size_t n);
/* One more; the value is of the same tree, or of none. */
void pp_json_put(pp_json *object, const char *key, pp_json *value);
void pp_json_append(pp_json *array, pp_json *value);
void pp_json_leave_out(pp_json *object, const char *key); /* absent is what was wanted */
/* What is moved into an object or a list of the tree, from wherever it was. */
void pp_json_bring(struct pp_json_tree *t, const pp_json *value);
struct pp_json_member *pp_json_find(const pp_json *object, const char *key);

#endif
