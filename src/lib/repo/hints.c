/* SPDX-License-Identifier: MIT */
/*
 * Walks the names that lines lead to, over those lines that are written anew. Each is come by once:
 * what is required in a ring leads to the same, so that a ring is joined when the walk leaves it
 * (Tarjan's strongly connected components).
 */
#include "lib/repo/hints.h"

#include "base/mem.h"
#include "lib/index/reach.h"
#include "lib/model/name.h"

#include <stdlib.h>
#include <string.h>

/* A name in reach of a line that is written anew. */
struct node {
	const char *name;      /* view into the map */
	bool is_new;           /* its line is written anew: walk on */
	struct pp_reach reach; /* else: what its line says already */
	struct node_ptrs pp_vec(struct node *) next;
	size_t n_walked;      /* of next */
	size_t number, least; /* in the order of the walk; least: that it gets back to */
	bool is_open;         /* its ring may still grow */
};

struct hinting {
	struct pp_book *book;
	struct pp_map nodes; /* name -> struct node */
	struct node_ptrs todo;
	struct node_ptrs path, open; /* from the start of the walk; what is in no finished ring */
	size_t n_numbers;
};

static void
node_free(void *p)
{
	struct node *n = p;

	pp_vec_free(&n->next);
	free(n);
}

static void
hinting_fini(struct hinting *h)
{
	pp_map_fini(&h->nodes, node_free);
	pp_vec_free(&h->todo);
	pp_vec_free(&h->path);
	pp_vec_free(&h->open);
}

static struct node *
node_of(struct hinting *h, const char *name)
{
	void **at = pp_map_put(&h->nodes, name);

	if (*at == NULL) {
		struct node *n = pp_xcalloc(1, sizeof(*n));
		n->name = h->nodes.at[h->nodes.n - 1].key;
		*at = n;
	}
	return *at;
}

/* ---- the graph ---- */

static void
add_next(struct hinting *h, struct node *n, const char *key)
{
	PP_AUTO_FREE char *name = pp_key_name(key);

	if (pp_name_is_host(name))
		return;
	struct node *to = node_of(h, name);
	pp_vec_foreach (known, &n->next)
		if (*known == to)
			return;
	pp_vec_push(&n->next, to);
}

static void
add_keys(struct hinting *h, struct node *n, const pp_json *object)
{
	void *it = object != NULL ? pp_json_iter(object) : NULL;

	for (; it != NULL; it = pp_json_next(object, it))
		add_next(h, n, pp_json_iter_key(it));
}

static void
add_list(struct hinting *h, struct node *n, const pp_json *list)
{
	for (size_t i = 0; i < pp_json_len(list); i++)
		if (pp_json_string(pp_json_at(list, i)) != NULL)
			add_next(h, n, pp_json_string(pp_json_at(list, i)));
}

/* All that the solver looks at when it comes by the name, in whatever version. */
static void
link_node(struct hinting *h, struct node *n, const pp_json *line)
{
	const pp_json *rows = pp_json_get(line, "versions");

	for (size_t i = 0; i < pp_json_len(rows); i++) {
		add_keys(h, n, pp_json_get(pp_json_at(rows, i), "requires"));
		add_keys(h, n, pp_json_get(pp_json_at(rows, i), "recommends"));
	}
	add_list(h, n, pp_json_get(line, "providers"));
	add_list(h, n, pp_json_get(line, "replacers"));
}

static enum plugpkg_code
add_new(struct hinting *h, const char *name, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *line = NULL;
	enum plugpkg_code rc = pp_book_line(h->book, PP_LAYER_PLANNING, name, &line, err);

	if (rc != PLUGPKG_OK || line == NULL)
		return rc;
	struct node *n = node_of(h, name);
	n->is_new = true;
	pp_vec_push(&h->todo, n);
	link_node(h, n, line);
	return PLUGPKG_OK;
}

/* What the lines say where the walks end. */
static enum plugpkg_code
read_known(struct hinting *h, plugpkg_error **err)
{
	pp_map_foreach (e, &h->nodes) {
		struct node *n = e->value;
		PP_AUTO_JSON pp_json *line = NULL;
		if (n->is_new)
			continue;
		enum plugpkg_code rc =
		    pp_book_line(h->book, PP_LAYER_PLANNING, n->name, &line, err);
		if (rc != PLUGPKG_OK)
			return rc;
		PP_AUTO_FREE char *text = line != NULL ? pp_json_line(line) : pp_xstrdup("");
		pp_reach_read(pp_str_of(text), &n->reach);
	}
	return PLUGPKG_OK;
}

/* ---- the walk ---- */

static void
enter(struct hinting *h, struct node *n)
{
	n->number = n->least = ++h->n_numbers;
	n->is_open = true;
	pp_vec_push(&h->path, n);
	pp_vec_push(&h->open, n);
}

/* All that was opened since then is one ring with it, or it is alone. */
static void
close_ring(struct hinting *h, const struct node *first)
{
	struct pp_reach reach = { 0 };
	size_t start = h->open.n;

	do {
		struct node *n = h->open.at[--start];
		pp_reach_merge(&reach, &n->reach);
		pp_vec_foreach (next, &n->next) {
			pp_reach_add(&reach, (*next)->name);
			pp_reach_merge(&reach, &(*next)->reach);
		}
	} while (h->open.at[start] != first);
	for (size_t i = start; i < h->open.n; i++) {
		h->open.at[i]->reach = reach;
		h->open.at[i]->is_open = false;
	}
	h->open.n = start;
}

static void
leave(struct hinting *h, const struct node *n)
{
	h->path.n--;
	if (h->path.n > 0) {
		struct node *before = h->path.at[h->path.n - 1];
		before->least = before->least < n->least ? before->least : n->least;
	}
	if (n->least == n->number)
		close_ring(h, n);
}

static void
walk(struct hinting *h, struct node *from)
{
	if (from->number == 0)
		enter(h, from);
	while (h->path.n > 0) {
		struct node *n = h->path.at[h->path.n - 1];
		if (n->n_walked == n->next.n) {
			leave(h, n);
			continue;
		}
		struct node *next = n->next.at[n->n_walked++];
		if (next->number == 0)
			enter(h, next);
		else if (next->is_open && next->number < n->least)
			n->least = next->number;
	}
}

static enum plugpkg_code
write_hint(struct hinting *h, struct node *n, plugpkg_error **err)
{
	pp_json *line = NULL;
	enum plugpkg_code rc = pp_book_line(h->book, PP_LAYER_PLANNING, n->name, &line, err);

	if (rc != PLUGPKG_OK || line == NULL)
		return rc;
	walk(h, n);
	PP_AUTO_FREE char *text = pp_reach_text(&n->reach);
	pp_json_del(line, PP_REACH_MEMBER); /* so that it comes last */
	pp_json_set_str(line, PP_REACH_MEMBER, text);
	pp_book_set(h->book, PP_LAYER_PLANNING, n->name, line);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_hints_write(struct pp_book *b, bool is_for_all, plugpkg_error **err)
{
	PP_CLEANUP(hinting_fini) struct hinting h = { .book = b };
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_book_changed(b, PP_LAYER_PLANNING, &names);
	if (is_for_all)
		rc = pp_book_names(b, PP_LAYER_PLANNING, &names, err);
	pp_strs_sort(&names);
	for (size_t i = 0; rc == PLUGPKG_OK && i < names.n; i++)
		if (i == 0 || strcmp(names.at[i], names.at[i - 1]) != 0)
			rc = add_new(&h, names.at[i], err);
	if (rc == PLUGPKG_OK)
		rc = read_known(&h, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < h.todo.n; i++)
		rc = write_hint(&h, h.todo.at[i], err);
	return rc;
}
