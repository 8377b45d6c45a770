/* SPDX-License-Identifier: MIT */
/* Rings of scripts that no choice of versions avoids. */
#include "lib/repo/census.h"

#include "base/mem.h"
#include "lib/solve/cycle.h"

#include <stdlib.h>
#include <string.h>

/* A plugin by name: what it needs whatever version is chosen. */
struct node {
	struct pp_counted_name *name;
	struct pp_strs needs; /* sorted */
};

struct rings {
	struct pp_census *census;
	struct pp_map by_name; /* name -> struct node */
};

static void
node_free(void *p)
{
	struct node *n = p;

	pp_strs_fini(&n->needs);
	free(n);
}

static void
rings_fini(struct rings *r)
{
	pp_map_fini(&r->by_name, node_free);
}

/* ---- what is needed ---- */

/* The one plugin that all which fulfils dep belongs to, or NULL. */
static enum plugpkg_code
only_plugin(struct pp_census *c, const struct pp_dep *dep, const char **out, plugpkg_error **err)
{
	struct pp_counted_ptrs all = { 0 };
	enum plugpkg_code rc = pp_census_fulfilling(c, dep, &all, err);
	bool is_one = rc == PLUGPKG_OK && all.n > 0;

	for (size_t i = 1; is_one && i < all.n; i++)
		is_one = strcmp(all.at[i]->release->name, all.at[0]->release->name) == 0;
	*out = is_one ? all.at[0]->release->name : NULL;
	pp_vec_free(&all);
	return rc;
}

static enum plugpkg_code
needs_of_release(
    struct pp_census *c, const struct pp_release *r, struct pp_strs *out, plugpkg_error **err)
{
	pp_vec_foreach (d, &r->requires) {
		const char *name = NULL;
		enum plugpkg_code rc = only_plugin(c, d, &name, err);
		if (rc != PLUGPKG_OK)
			return rc;
		if (name != NULL && strcmp(name, r->name) != 0 && !pp_strs_has(out, name))
			pp_strs_add(out, name);
	}
	pp_strs_sort(out);
	return PLUGPKG_OK;
}

static void
keep_common(struct pp_strs *a, const struct pp_strs *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (pp_strs_has(b, a->at[i]))
			a->at[kept++] = a->at[i];
		else
			free(a->at[i]);
	}
	a->n = kept;
}

/* What all releases of the plugin need. */
static enum plugpkg_code
node_of(struct rings *r, const char *name, struct node **out, plugpkg_error **err)
{
	void **at = pp_map_put(&r->by_name, name);

	if (*at != NULL) {
		*out = *at;
		return PLUGPKG_OK;
	}
	struct node *n = *out = *at = pp_xcalloc(1, sizeof(*n));
	enum plugpkg_code rc = pp_census_get(r->census, name, &n->name, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < n->name->releases.n; i++) {
		PP_CLEANUP(pp_strs_fini) struct pp_strs needs = { 0 };
		rc = needs_of_release(
		    r->census, n->name->releases.at[i].release, i == 0 ? &n->needs : &needs, err);
		if (i > 0)
			keep_common(&n->needs, &needs);
		if (n->needs.n == 0)
			break;
	}
	return rc;
}

static bool
has_script(const struct pp_counted_name *n)
{
	pp_vec_foreach (r, &n->releases)
		if (!r->has_script)
			return false;
	return n->releases.n > 0;
}

/* ---- the graph from some newest releases ---- */

struct start {
	const char *const *names; /* their newest releases count alone */
	size_t n;
};

struct reach {
	struct rings *rings;
	const struct start *start;
	struct pp_map seen; /* name -> number of it + 1 */
	struct pp_strs order;
	struct pp_map newest; /* names of start -> struct pp_strs of what their newest needs */
};

static void
free_strs(void *p)
{
	pp_strs_fini(p);
	free(p);
}

static void
reach_fini(struct reach *r)
{
	pp_map_fini(&r->seen, NULL);
	pp_map_fini(&r->newest, free_strs);
	pp_strs_fini(&r->order);
}

static void
see(struct reach *r, const char *name)
{
	void **at = pp_map_put(&r->seen, name);

	if (*at != NULL)
		return;
	pp_strs_add(&r->order, name);
	*at = r->order.at[r->order.n - 1];
}

static const struct pp_strs *
needs_in(struct reach *r, const char *name)
{
	const struct pp_strs *own = pp_map_get(&r->newest, name);
	const struct node *n = pp_map_get(&r->rings->by_name, name);

	return own != NULL ? own : &n->needs;
}

static enum plugpkg_code
walk(struct reach *r, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; i < r->start->n; i++) {
		struct pp_counted_name *n = NULL;
		if (pp_map_has(&r->newest, r->start->names[i]))
			continue; /* several versions of it */
		struct pp_strs *needs = pp_xcalloc(1, sizeof(*needs));
		*pp_map_put(&r->newest, r->start->names[i]) = needs;
		see(r, r->start->names[i]);
		rc = pp_census_get(r->rings->census, r->start->names[i], &n, err);
		if (rc == PLUGPKG_OK && n->releases.n > 0)
			rc = needs_of_release(
			    r->rings->census, n->releases.at[0].release, needs, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	for (size_t i = 0; i < r->order.n; i++) {
		struct node *n = NULL;
		rc = node_of(r->rings, r->order.at[i], &n, err);
		if (rc != PLUGPKG_OK)
			return rc;
		const struct pp_strs *needs = needs_in(r, r->order.at[i]);
		for (size_t k = 0; k < needs->n; k++)
			see(r, needs->at[k]);
	}
	return PLUGPKG_OK;
}

static bool
is_scripted(const struct reach *r, const char *name)
{
	const struct node *n = pp_map_get(&r->rings->by_name, name);

	return pp_map_has(&r->newest, name)
		   ? n->name->releases.n > 0 && n->name->releases.at[0].has_script
		   : has_script(n->name);
}

static int
cmp_names(const void *key, const void *at)
{
	const char *const *name = at;

	return strcmp(key, *name);
}

static void
add_links(struct reach *r, size_t from, struct pp_links *out)
{
	const struct pp_strs *needs = needs_in(r, r->order.at[from]);

	pp_vec_foreach (need, needs) {
		char **to =
		    bsearch(*need, r->order.at, r->order.n, sizeof(*r->order.at), cmp_names);
		pp_vec_push(out, ((struct pp_link){ from, (size_t)(to - r->order.at), false }));
	}
}

/* The ring in what was reached, or NULL. */
static char *
find_ring(struct reach *r)
{
	struct pp_links links = { 0 };
	PP_AUTO_FREE bool *scripted = pp_xcalloc(r->order.n + 1, sizeof(*scripted));

	pp_strs_sort(&r->order);
	for (size_t i = 0; i < r->order.n; i++) {
		scripted[i] = is_scripted(r, r->order.at[i]);
		add_links(r, i, &links);
	}
	const struct pp_cycle_graph g = {
		.n = r->order.n,
		.names = (const char *const *)r->order.at,
		.has_script = scripted,
		.links = &links,
	};
	char *ring = pp_cycle_in(&g);
	pp_vec_free(&links);
	return ring;
}

static enum plugpkg_code
ring_from(struct rings *rings, const struct start *start, char **out, plugpkg_error **err)
{
	PP_CLEANUP(reach_fini) struct reach r = { .rings = rings, .start = start };
	enum plugpkg_code rc = walk(&r, err);

	*out = rc == PLUGPKG_OK ? find_ring(&r) : NULL;
	return rc;
}

/*
 * All newest releases at once see more rings than there are, because the one need not choose the
 * newest of the other; but where they see none there is none, and that is the usual case.
 */
enum plugpkg_code
pp_census_ring(struct pp_census *c, const struct pp_strs *names, char **out, const char **out_name,
    plugpkg_error **err)
{
	PP_CLEANUP(rings_fini) struct rings r = { .census = c };
	const struct start all = { (const char *const *)names->at, names->n };
	PP_AUTO_FREE char *ring = NULL;

	*out = NULL;
	enum plugpkg_code rc = ring_from(&r, &all, &ring, err);
	for (size_t i = 0; rc == PLUGPKG_OK && ring != NULL && *out == NULL && i < names->n; i++) {
		const char *name = names->at[i];
		rc = ring_from(&r, &(struct start){ &name, 1 }, out, err);
		*out_name = name;
	}
	return rc;
}
