/* SPDX-License-Identifier: MIT */
/*
 * Strongly connected components (Tarjan, without recursion: chains may be long), once over all
 * links to find the cycles, then again without the weak links inside them. Depth follows in the
 * order of their discovery, because a component is complete only after all that it depends on.
 */
#include "lib/model/depth.h"

#include <stdlib.h>

#define UNSEEN UINT32_MAX

struct finding {
	struct pp_depths *out;
	size_t n;
	struct pp_links *links; /* by `from` */
	size_t *first;          /* links of node i: first[i] .. first[i + 1] */
};
struct nodes pp_vec(size_t);

/* ---- components ---- */

struct walk {
	uint32_t *found, *low; /* UNSEEN, or in order of discovery */
	size_t *next;          /* link to look at next */
	bool *is_open;         /* on the stack */
	struct nodes path, stack;
	uint32_t n_found;
};

static void
enter(struct walk *w, const struct finding *f, size_t node)
{
	w->found[node] = w->low[node] = w->n_found++;
	w->next[node] = f->first[node];
	w->is_open[node] = true;
	pp_vec_push(&w->path, node);
	pp_vec_push(&w->stack, node);
}

static void
close_component(struct walk *w, struct finding *f, size_t root)
{
	uint32_t depth = 0;
	size_t start = w->stack.n, node;

	do {
		node = w->stack.at[--start];
		f->out->component[node] = f->out->n_components;
		w->is_open[node] = false;
	} while (node != root);
	for (size_t i = start; i < w->stack.n; i++) {
		node = w->stack.at[i];
		for (size_t e = f->first[node]; e < f->first[node + 1]; e++) {
			size_t to = f->links->at[e].to;
			if (f->out->component[to] != f->out->n_components &&
			    f->out->depth[to] + 1 > depth)
				depth = f->out->depth[to] + 1;
		}
	}
	for (size_t i = start; i < w->stack.n; i++)
		f->out->depth[w->stack.at[i]] = depth;
	w->stack.n = start;
	f->out->n_components++;
}

static void
leave(struct walk *w, struct finding *f, size_t node)
{
	w->path.n--;
	if (w->low[node] == w->found[node])
		close_component(w, f, node);
	if (w->path.n == 0)
		return;
	size_t before = w->path.at[w->path.n - 1];
	if (w->low[node] < w->low[before])
		w->low[before] = w->low[node];
}

static void
walk_from(struct walk *w, struct finding *f, size_t start)
{
	enter(w, f, start);
	while (w->path.n > 0) {
		size_t node = w->path.at[w->path.n - 1];
		if (w->next[node] == f->first[node + 1]) {
			leave(w, f, node);
			continue;
		}
		size_t to = f->links->at[w->next[node]++].to;
		if (w->found[to] == UNSEEN)
			enter(w, f, to);
		else if (w->is_open[to] && w->found[to] < w->low[node])
			w->low[node] = w->found[to];
	}
}

static void
find_components(struct finding *f)
{
	size_t n = f->n, at = 0;
	struct walk w = {
		.found = pp_xcalloc(n + 1, sizeof(*w.found)),
		.low = pp_xcalloc(n + 1, sizeof(*w.low)),
		.next = pp_xcalloc(n + 1, sizeof(*w.next)),
		.is_open = pp_xcalloc(n + 1, sizeof(*w.is_open)),
	};

	f->out->n_components = 0;
	for (size_t i = 0; i <= n; i++) {
		while (at < f->links->n && f->links->at[at].from < i)
			at++;
		f->first[i] = at;
	}
	for (size_t i = 0; i < n; i++) {
		w.found[i] = UNSEEN;
		f->out->component[i] = UNSEEN;
	}
	for (size_t i = 0; i < n; i++)
		if (w.found[i] == UNSEEN)
			walk_from(&w, f, i);
	free(w.found);
	free(w.low);
	free(w.next);
	free(w.is_open);
	pp_vec_free(&w.path);
	pp_vec_free(&w.stack);
}

/* Cycles that only a recommendation or suggestion closes are none. */
static void
drop_weak_links_in_cycles(struct finding *f)
{
	size_t kept = 0;

	pp_vec_foreach (l, f->links)
		if (!l->is_weak || f->out->component[l->from] != f->out->component[l->to])
			f->links->at[kept++] = *l;
	f->links->n = kept;
}

void
pp_depths_find(struct pp_depths *d, size_t n, struct pp_links *links)
{
	PP_AUTO_FREE size_t *first = pp_xcalloc(n + 1, sizeof(*first));
	struct finding f = { .out = d, .n = n, .links = links, .first = first };

	d->depth = pp_xcalloc(n + 1, sizeof(*d->depth));
	d->component = pp_xcalloc(n + 1, sizeof(*d->component));
	find_components(&f);
	drop_weak_links_in_cycles(&f);
	find_components(&f);
}

void
pp_depths_fini(struct pp_depths *d)
{
	free(d->depth);
	free(d->component);
	*d = (struct pp_depths){ 0 };
}
