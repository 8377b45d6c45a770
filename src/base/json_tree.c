/* SPDX-License-Identifier: MIT */
/* The memory of JSON values, and how members are found. */
#include "base/json_tree.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN  256
#define BLOCK_MAX  (256 << 10)
#define FEW        16 /* members that are looked through one by one */
#define FIRST_ROOM 4  /* of members and elements */

struct block {
	struct block *next;
};

struct pp_json_tree {
	size_t refs;
	struct pp_json_tree *into; /* the tree that took this one in, blocks and all */
	struct block *blocks, *last;
	char *free; /* in the newest block */
	size_t left;
	size_t next_size;
	struct pp_vec(struct pp_json_tree *) kept; /* a count of each */
};

const pp_json pp_json_true = { .kind = PP_JSON_BOOL, .is_true = true };
const pp_json pp_json_false = { .kind = PP_JSON_BOOL };
const pp_json pp_json_null = { .kind = PP_JSON_NULL };

pp_json *
pp_json_mutable(const pp_json *j)
{
	union {
		const pp_json *in;
		pp_json *out;
	} u = { .in = j };

	return u.out;
}

/* ---- trees ---- */

static size_t
aligned(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

struct pp_json_tree *
pp_json_tree_new(size_t room)
{
	size_t n = aligned(room);
	struct block *b = pp_xmalloc(sizeof(*b) + sizeof(struct pp_json_tree) + n);
	struct pp_json_tree *t = (struct pp_json_tree *)(void *)(b + 1);

	*b = (struct block){ NULL };
	*t = (struct pp_json_tree){
		.refs = 1,
		.blocks = b,
		.last = b,
		.free = (char *)(t + 1),
		.left = n,
		.next_size = n < BLOCK_MIN ? BLOCK_MIN : n,
	};
	return t;
}

static void
free_tree(struct pp_json_tree *t)
{
	struct block *next, *first = t->blocks; /* t is in one of them */

	for (size_t i = 0; i < t->kept.n; i++)
		pp_json_tree_drop(t->kept.at[i]);
	pp_vec_free(&t->kept);
	for (struct block *b = first; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
}

static void
add_block(struct pp_json_tree *t, size_t n)
{
	size_t size = n > t->next_size ? n : t->next_size;
	struct block *b = pp_xmalloc(sizeof(*b) + size);

	b->next = t->blocks;
	t->blocks = b;
	t->free = (char *)(b + 1);
	t->left = size;
	t->next_size = size < BLOCK_MAX / 2 ? 2 * size : BLOCK_MAX;
}

void *
pp_json_take(struct pp_json_tree *t, size_t n)
{
	size_t size = aligned(n);

	if (size > t->left)
		add_block(t, size);
	char *p = t->free;
	t->free += size;
	t->left -= size;
	return p;
}

char *
pp_json_take_text(struct pp_json_tree *t, struct pp_str text)
{
	char *copy = pp_json_take(t, text.n + 1);

	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	return copy;
}

static struct pp_json_tree *
root_of(struct pp_json_tree *t)
{
	while (t->into != NULL) {
		if (t->into->into != NULL)
			t->into = t->into->into;
		t = t->into;
	}
	return t;
}

struct pp_json_tree *
pp_json_tree_of(const pp_json *j)
{
	return j->tree == NULL || j->tree->into == NULL ? j->tree : root_of(j->tree);
}

void
pp_json_tree_keep(struct pp_json_tree *t)
{
	if (t != NULL)
		t->refs++;
}

void
pp_json_tree_drop(struct pp_json_tree *t)
{
	if (t != NULL && --t->refs == 0)
		free_tree(t);
}

/* Nobody else has `other`, so that its memory can be of t from now on. */
static void
take_in(struct pp_json_tree *t, struct pp_json_tree *other)
{
	other->last->next = t->blocks;
	t->blocks = other->blocks;
	if (other->left > t->left) {
		t->free = other->free;
		t->left = other->left;
	}
	for (size_t i = 0; i < other->kept.n; i++) {
		if (other->kept.at[i] == t)
			t->refs--; /* whoever gives us a value has another count */
		else
			pp_vec_push(&t->kept, other->kept.at[i]);
	}
	pp_vec_free(&other->kept);
	other->into = t;
}

void
pp_json_bring(struct pp_json_tree *t, const pp_json *value)
{
	struct pp_json_tree *other = pp_json_tree_of(value);

	if (other == NULL)
		return;
	if (other == t)
		t->refs--;
	else if (other->refs == 1)
		take_in(t, other);
	else
		pp_vec_push(&t->kept, other);
}

/* ---- values ---- */

pp_json *
pp_json_node(struct pp_json_tree *t, enum pp_json_kind kind)
{
	pp_json *j = pp_json_take(t, sizeof(*j));

	*j = (pp_json){ .tree = t, .kind = kind };
	return j;
}

pp_json *
pp_json_node_text(struct pp_json_tree *t, enum pp_json_kind kind, struct pp_str text)
{
	pp_json *j = pp_json_node(t, kind);

	assert(text.n <= UINT32_MAX);
	j->as.text = text.p;
	j->n = (uint32_t)text.n;
	return j;
}

/* No UTF-8 (file names, system texts): what is stays, the rest is replaced byte by byte. */
static void
mend_utf8(struct pp_buf *out, const char *text)
{
	for (const char *p = text; *p != '\0';) {
		size_t len = 1;
		while (len < 4 && p[len] != '\0' && !pp_is_utf8(p, len))
			len++;
		if (pp_is_utf8(p, len)) {
			pp_buf_add(out, p, len);
			p += len;
		} else {
			pp_buf_adds(out, "\xef\xbf\xbd");
			p++;
		}
	}
}

pp_json *
pp_json_node_string(struct pp_json_tree *t, struct pp_str text)
{
	PP_AUTO_BUF struct pp_buf mended = PP_BUF_INIT(SIZE_MAX / 2);
	struct pp_str copy = { pp_json_take_text(t, text), text.n };

	if (!pp_is_utf8(text.p, text.n)) {
		mend_utf8(&mended, copy.p);
		copy.n = mended.n;
		copy.p = pp_json_take_text(t, (struct pp_str){ pp_buf_cstr(&mended), mended.n });
	}
	return pp_json_node_text(t, PP_JSON_STRING, copy);
}

/* ---- members ---- */

/* Who writes a file knows no address in here, and so not which keys come together. */
static size_t
slot_of(const struct pp_json_members *m, const char *key)
{
	uint64_t h = (uint64_t)(uintptr_t)m;

	for (; *key != '\0'; key++) {
		h = (h ^ (unsigned char)*key) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return (size_t)(h >> 16) & m->mask;
}

/* The slot of the key, or the empty one where it belongs. */
static uint32_t *
find_slot(const struct pp_json_members *m, const char *key)
{
	size_t i = slot_of(m, key);

	assert(m->slots != NULL);
	while (m->slots[i] != 0 && strcmp(m->at[m->slots[i] - 1].key, key) != 0)
		i = (i + 1) & m->mask;
	return &m->slots[i];
}

/* False: a key stands there twice. */
static bool
make_slots(const pp_json *object)
{
	struct pp_json_members *m = object->as.members;
	uint32_t n = 4 * FEW;

	while (n < 2 * object->room)
		n *= 2;
	if (m->slots == NULL)
		m->slots = pp_json_take(pp_json_tree_of(object), n * sizeof(*m->slots));
	m->mask = n - 1;
	m->is_stale = false;
	memset(m->slots, 0, n * sizeof(*m->slots));
	for (uint32_t i = 0; i < object->n; i++) {
		uint32_t *slot = find_slot(m, m->at[i].key);
		if (*slot != 0)
			return false;
		*slot = i + 1;
	}
	return true;
}

static struct pp_json_member *
find_among(struct pp_json_member *first, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (first[i].key[0] == key[0] && strcmp(first[i].key, key) == 0)
			return &first[i];
	return NULL;
}

struct pp_json_member *
pp_json_find(const pp_json *object, const char *key)
{
	struct pp_json_members *m = object->as.members;

	if (m == NULL || object->n <= FEW)
		return m != NULL ? find_among(m->at, object->n, key) : NULL;
	if (m->slots == NULL || m->is_stale)
		(void)make_slots(object); /* they were compared when they came */
	uint32_t place = *find_slot(m, key);
	return place != 0 ? &m->at[place - 1] : NULL;
}

void
pp_json_make_room(pp_json *object, size_t room)
{
	struct pp_json_members *m =
	    pp_json_take(pp_json_tree_of(object), sizeof(*m) + room * sizeof(m->at[0]));

	assert(room <= UINT32_MAX / 4);
	m->slots = NULL;
	m->mask = 0;
	m->is_stale = false;
	if (object->n > 0 && object->as.members != NULL)
		memcpy(m->at, object->as.members->at, object->n * sizeof(m->at[0]));
	object->as.members = m;
	object->room = (uint32_t)room;
}

bool
pp_json_fill_object(pp_json *object, const struct pp_json_member *all, size_t n)
{
	if (n == 0)
		return true;
	pp_json_make_room(object, n);
	memcpy(object->as.members->at, all, n * sizeof(*all));
	object->n = (uint32_t)n;
	if (n > FEW)
		return make_slots(object);
	for (size_t i = 1; i < n; i++)
		if (find_among(object->as.members->at, i, all[i].key) != NULL)
			return false;
	return true;
}

void
pp_json_put(pp_json *object, const char *key, pp_json *value)
{
	struct pp_json_member *known = pp_json_find(object, key);

	if (known != NULL) {
		known->value = value;
		return;
	}
	if (object->n == object->room)
		pp_json_make_room(object, object->room > 0 ? 2 * (size_t)object->room : FIRST_ROOM);
	struct pp_json_members *m = object->as.members;
	const char *copy = pp_json_take_text(pp_json_tree_of(object), pp_str_of(key));
	m->at[object->n++] = (struct pp_json_member){ copy, value };
	if (m->slots != NULL && !m->is_stale)
		*find_slot(m, copy) = object->n;
}

/* Of many that leave one after the other only the first is looked up by its hash. */
void
pp_json_leave_out(pp_json *object, const char *key)
{
	struct pp_json_members *m = object->as.members;
	bool is_looked_through = m != NULL && m->is_stale;
	struct pp_json_member *known =
	    is_looked_through ? find_among(m->at, object->n, key) : pp_json_find(object, key);

	if (known == NULL)
		return;
	struct pp_json_member *behind = m->at + --object->n;
	memmove(known, known + 1, (size_t)(behind - known) * sizeof(*known));
	m->is_stale = m->slots != NULL;
}

/* ---- elements ---- */

static void
set_array_room(pp_json *array, size_t room)
{
	pp_json **at = pp_json_take(pp_json_tree_of(array), room * sizeof(pp_json *));

	assert(room <= UINT32_MAX);
	if (array->n > 0)
		memcpy(at, array->as.elements, array->n * sizeof(*at));
	array->as.elements = at;
	array->room = (uint32_t)room;
}

void
pp_json_fill_array(pp_json *array, const struct pp_json_member *all, size_t n)
{
	if (n == 0)
		return;
	set_array_room(array, n);
	for (size_t i = 0; i < n; i++)
		array->as.elements[i] = all[i].value;
	array->n = (uint32_t)n;
}

void
pp_json_append(pp_json *array, pp_json *value)
{
	if (array->n == array->room)
		set_array_room(array, array->room > 0 ? 2 * (size_t)array->room : FIRST_ROOM);
	array->as.elements[array->n++] = value;
}
