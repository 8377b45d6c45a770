/* SPDX-License-Identifier: MIT */
/* Reads the manifests of what is installed and answers which of it satisfies a requirement. */
#include "lib/txn/inventory.h"

#include "lib/model/name.h"

#include <stdlib.h>
#include <string.h>

bool
pp_installed_is_usable(const struct pp_installed *p)
{
	return strcmp(p->state, "leftover") != 0;
}

enum plugpkg_code
pp_inventory_load(plugpkg_context *ctx, struct pp_inventory *out, plugpkg_error **err)
{
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);

	out->host = ctx->config;
	if (rc == PLUGPKG_OK)
		rc = pp_state_installed(state, &out->set, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < out->set.n; i++) {
		const struct pp_installed *p = out->set.at[i];
		struct pp_release *r = NULL;
		rc = pp_release_parse(
		    p->manifest, p->name, "var/state.db", PLUGPKG_E_BAD_STATE, &r, err);
		if (rc == PLUGPKG_OK)
			pp_vec_push(&out->releases, r);
	}
	return rc;
}

void
pp_inventory_fini(struct pp_inventory *inv)
{
	pp_releases_fini(&inv->releases);
	pp_installeds_fini(&inv->set);
}

static int
name_to_release(const void *key, const void *element)
{
	const char *name = key;
	const struct pp_release *const *r = element;

	return strcmp(name, (*r)->name);
}

const struct pp_release *
pp_inventory_release(const struct pp_inventory *inv, const char *name)
{
	if (inv->releases.n == 0)
		return NULL;
	struct pp_release *const *found = bsearch(
	    name, inv->releases.at, inv->releases.n, sizeof(*inv->releases.at), name_to_release);
	return found != NULL ? *found : NULL;
}

const char *
pp_inventory_host_version(const struct pp_inventory *inv, const struct pp_dep *dep)
{
	if (!pp_name_is_host(dep->name))
		return NULL;
	const struct pp_dep *host = pp_deps_get(&inv->host->provides, dep->name);
	return host != NULL ? host->version.text : NULL;
}

static char *
host_satisfier(const struct pp_inventory *inv, const struct pp_dep *dep)
{
	const struct pp_dep *host = pp_deps_get(&inv->host->provides, dep->name);

	if (host == NULL || host->version.text == NULL)
		return NULL;
	if (dep->range != NULL && !pp_range_match(dep->range, &host->version, true))
		return NULL;
	return pp_asprintf("%s %s", host->name, host->version.text);
}

char *
pp_inventory_satisfier(const struct pp_inventory *inv, const struct pp_dep *dep)
{
	if (pp_name_is_host(dep->name))
		return host_satisfier(inv, dep);
	/*
	 * By its own name nearly always; only then the few that provide something are looked
	 * through.
	 */
	const struct pp_release *named = pp_inventory_release(inv, dep->name);
	for (size_t i = 0; i <= inv->releases.n; i++) {
		const struct pp_release *r = i == 0 ? named : inv->releases.at[i - 1];
		if (r == NULL || (i > 0 && r->provides.n == 0))
			continue;
		const struct pp_installed *p = pp_installeds_get(&inv->set, r->name);
		if (p != NULL && pp_installed_is_usable(p) && pp_release_satisfies(r, dep))
			return pp_asprintf("%s %s", r->name, r->version.text);
	}
	return NULL;
}
