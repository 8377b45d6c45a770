/* SPDX-License-Identifier: MIT */
/* Reads the manifests of what is installed and answers which of it satisfies a requirement. */
#include "lib/txn/inventory.h"

#include "lib/model/depth.h"
#include "lib/model/name.h"
#include "lib/model/scope.h"
#include "lib/txn/bind.h"
#include "lib/txn/host.h"

#include <stdlib.h>
#include <string.h>

enum plugpkg_code
pp_inventory_load(plugpkg_context *ctx, struct pp_inventory *out, plugpkg_error **err)
{
	return pp_inventory_load_named(ctx, NULL, out, err);
}

enum plugpkg_code
pp_inventory_load_set(plugpkg_context *ctx, const struct pp_strs *names, struct pp_inventory *out,
    plugpkg_error **err)
{
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);

	out->host = pp_host_known(ctx);
	out->is_host_partial = pp_host_is_partial(ctx);
	if (rc != PLUGPKG_OK)
		return rc;
	return names == NULL ? pp_state_installed(state, &out->set, err)
			     : pp_state_installed_named(state, names, &out->set, err);
}

enum plugpkg_code
pp_inventory_load_releases(plugpkg_context *ctx, struct pp_inventory *inv, plugpkg_error **err)
{
	PP_CLEANUP(pp_ranges_fini) struct pp_ranges ranges = { { NULL } };

	pp_vec_foreach (p, &inv->set) {
		struct pp_release *r = NULL;
		enum plugpkg_code rc = pp_installed_release_among(*p, &ranges, &r, err);
		if (rc != PLUGPKG_OK)
			return rc;
		pp_scope_trim(ctx->config, (*p)->source, r);
		pp_vec_push(&inv->releases, r);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_inventory_load_named(plugpkg_context *ctx, const struct pp_strs *names, struct pp_inventory *out,
    plugpkg_error **err)
{
	enum plugpkg_code rc = pp_inventory_load_set(ctx, names, out, err);

	return rc == PLUGPKG_OK ? pp_inventory_load_releases(ctx, out, err) : rc;
}

void
pp_inventory_fini(struct pp_inventory *inv)
{
	pp_releases_fini(&inv->releases);
	pp_installeds_fini(&inv->set);
}

const struct pp_release *
pp_inventory_release(const struct pp_inventory *inv, const char *key)
{
	size_t i = pp_installeds_index(&inv->set, key);

	return i < inv->releases.n ? inv->releases.at[i] : NULL;
}

const struct pp_release *
pp_inventory_highest(const struct pp_inventory *inv, const char *name)
{
	const struct pp_installed *p = pp_installeds_highest(&inv->set, name);

	return p != NULL ? pp_inventory_release(inv, p->key) : NULL;
}

const char *
pp_inventory_host_version(const struct pp_inventory *inv, const struct pp_dep *dep)
{
	if (!pp_name_is_host(dep->name))
		return NULL;
	const struct pp_dep *host = pp_deps_get(inv->host, dep->name);
	return host != NULL ? host->version.text : NULL;
}

static char *
host_satisfier(const struct pp_inventory *inv, const struct pp_dep *dep)
{
	const struct pp_dep *host = pp_deps_get(inv->host, dep->name);

	if (host == NULL || host->version.text == NULL)
		return NULL;
	if (dep->range != NULL && !pp_range_match(dep->range, &host->version, true))
		return NULL;
	return pp_asprintf("%s %s", host->name, host->version.text);
}

void
pp_inventory_bindables(const struct pp_inventory *inv, struct pp_bindables *out)
{
	for (size_t i = 0; i < inv->releases.n; i++)
		pp_bindables_add(out, inv->set.at[i], inv->releases.at[i]);
}

static bool
does_satisfy(const struct pp_inventory *inv, size_t i, const struct pp_dep *dep)
{
	return pp_installed_is_usable(inv->set.at[i]) &&
	       pp_release_satisfies(inv->releases.at[i], dep);
}

static size_t
find_bound(const struct pp_inventory *inv, const struct pp_dep *dep, bool only_active)
{
	size_t best = SIZE_MAX, provider = SIZE_MAX;

	for (size_t i = 0; i < inv->releases.n; i++) {
		const struct pp_release *r = inv->releases.at[i];
		bool is_named = strcmp(r->name, dep->name) == 0;
		if ((!is_named && r->provides.n == 0) || !does_satisfy(inv, i, dep) ||
		    (only_active && !pp_installed_is_active(inv->set.at[i])))
			continue;
		if (!is_named)
			provider = provider == SIZE_MAX ? i : provider;
		else if (best == SIZE_MAX ||
			 pp_version_cmp(&r->version, &inv->releases.at[best]->version) > 0)
			best = i;
	}
	return best != SIZE_MAX ? best : provider;
}

size_t
pp_inventory_bound(const struct pp_inventory *inv, const struct pp_dep *dep)
{
	size_t only = pp_installeds_index(&inv->set, dep->name);

	/* Nearly always: a plugin of the name, which has no other majors then. */
	if (only < inv->releases.n && pp_installed_is_active(inv->set.at[only]) &&
	    does_satisfy(inv, only, dep))
		return only;
	size_t i = find_bound(inv, dep, true);
	return i != SIZE_MAX ? i : find_bound(inv, dep, false);
}

char *
pp_inventory_satisfier(const struct pp_inventory *inv, const struct pp_dep *dep)
{
	if (pp_name_is_host(dep->name))
		return host_satisfier(inv, dep);
	size_t i = pp_inventory_bound(inv, dep);
	return i == SIZE_MAX ? NULL
			     : pp_asprintf("%s %s", inv->releases.at[i]->name,
				   inv->releases.at[i]->version.text);
}

/* ---- order ---- */

static int
by_depth(const void *a, const void *b)
{
	const struct pp_rank *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* What is left over together was once bound to each other. */
static size_t
bound_or_left(const struct pp_inventory *inv, const struct pp_dep *dep)
{
	size_t bound = pp_inventory_bound(inv, dep);

	for (size_t i = 0; bound == SIZE_MAX && i < inv->releases.n; i++)
		if (pp_release_satisfies(inv->releases.at[i], dep))
			bound = i;
	return bound;
}

void
pp_inventory_order(const struct pp_inventory *inv, struct pp_ranks *out)
{
	struct pp_links links = { 0 };
	struct pp_depths depths = { 0 };

	for (size_t i = 0; i < inv->releases.n; i++)
		pp_vec_foreach (dep, &inv->releases.at[i]->requires) {
			size_t to = bound_or_left(inv, dep);
			if (to != SIZE_MAX && to != i)
				pp_vec_push(&links, ((struct pp_link){ i, to, false }));
		}
	pp_depths_find(&depths, inv->set.n, &links);
	for (size_t i = 0; i < inv->set.n; i++)
		pp_vec_push(out, ((struct pp_rank){ i, depths.depth[i] }));
	pp_vec_sort(out, by_depth);
	pp_depths_fini(&depths);
	pp_vec_free(&links);
}
