/* SPDX-License-Identifier: MIT */
/* From the disabled plugins outwards, until nobody else is out of reach of what he requires. */
#include "lib/txn/block.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define CAUSES_MAX_BYTES (1024 * 1024)

struct blocking {
	const struct pp_bindables *all;
	bool *is_off; /* by place in all: disabled or blocked */
	bool *is_seen;
	struct places {
		struct pp_vec(size_t);
	} todo;
};

static size_t
place_of(const struct blocking *b, const struct pp_bindable *to)
{
	return (size_t)(to - b->all->list.at);
}

/* What nobody satisfies is broken, which is another matter. */
static bool
is_out_of_reach(const struct blocking *b, const struct pp_dep *dep)
{
	const struct pp_bindable *to;
	bool has_any = false;

	for (size_t i = 0; (to = pp_bind_next(b->all, dep, &i)) != NULL;) {
		if (!b->is_off[place_of(b, to)])
			return false;
		has_any = true;
	}
	return has_any;
}

static bool
is_cut_off(const struct blocking *b, size_t place)
{
	pp_vec_foreach (dep, &b->all->list.at[place].release->requires)
		if (is_out_of_reach(b, dep))
			return true;
	return false;
}

static void
spread(struct blocking *b)
{
	for (bool has_grown = true; has_grown;) {
		has_grown = false;
		for (size_t i = 0; i < b->all->list.n; i++) {
			if (b->is_off[i] || !is_cut_off(b, i))
				continue;
			b->is_off[i] = true;
			has_grown = true;
		}
	}
}

/* ---- causes ---- */

static void
visit(struct blocking *b, const struct pp_dep *dep)
{
	const struct pp_bindable *to;

	if (!is_out_of_reach(b, dep))
		return;
	for (size_t i = 0; (to = pp_bind_next(b->all, dep, &i)) != NULL;) {
		size_t place = place_of(b, to);
		if (b->is_seen[place])
			continue;
		b->is_seen[place] = true;
		pp_vec_push(&b->todo, place);
	}
}

/* The disabled ones behind it, also those that another disabled one hides. Owned. */
static char *
causes_of(struct blocking *b, size_t place)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(CAUSES_MAX_BYTES);

	memset(b->is_seen, 0, b->all->list.n * sizeof(*b->is_seen));
	b->todo.n = 0;
	pp_vec_push(&b->todo, place);
	for (size_t i = 0; i < b->todo.n; i++)
		pp_vec_foreach (dep, &b->all->list.at[b->todo.at[i]].release->requires)
			visit(b, dep);
	for (size_t i = 0; i < b->all->list.n; i++) {
		const struct pp_installed *p = b->all->list.at[i].plugin;
		if (b->is_seen[i] && p->is_disabled)
			pp_buf_addf(&text, "%s%s", text.n > 0 ? " " : "", p->key);
	}
	return pp_buf_steal(&text);
}

static void
note_causes(struct blocking *b, struct pp_installeds *set)
{
	for (size_t i = 0; i < b->all->list.n; i++) {
		const struct pp_installed *p = b->all->list.at[i].plugin;
		if (b->is_off[i] && (!p->is_disabled || is_cut_off(b, i)))
			set->at[pp_installeds_index(set, p->key)]->blocked_by = causes_of(b, i);
	}
}

void
pp_block_find(struct pp_installeds *set, const struct pp_bindables *all)
{
	bool has_disabled = false;

	pp_vec_foreach (p, set) {
		free((*p)->blocked_by);
		(*p)->blocked_by = NULL;
		has_disabled = has_disabled || (*p)->is_disabled;
	}
	if (!has_disabled)
		return;
	struct blocking b = {
		.all = all,
		.is_off = pp_xcalloc(all->list.n + 1, sizeof(bool)),
		.is_seen = pp_xcalloc(all->list.n + 1, sizeof(bool)),
	};
	for (size_t i = 0; i < all->list.n; i++)
		b.is_off[i] = all->list.at[i].plugin->is_disabled;
	spread(&b);
	note_causes(&b, set);
	pp_vec_free(&b.todo);
	free(b.is_off);
	free(b.is_seen);
}
