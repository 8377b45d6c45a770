/* SPDX-License-Identifier: MIT */
/*
 * plugpkg.lock in the eyes of the solver: of a plugin that stands there only the locked version can
 * be seen, so it is taken where it fits, and nobody has to be told to prefer it.
 */
#include "lib/api/making.h"

#include <string.h>

static bool
is_same(const struct pp_locked *row, const struct pp_release *r)
{
	return pp_version_cmp(&row->version, &r->version) == 0;
}

/* A locked version that this source does not have cannot hide the others. */
static bool
has_locked(const struct pp_releases *releases, const struct pp_locked *row)
{
	pp_vec_foreach (r, releases)
		if (strcmp(pp_release_key(*r), row->key) == 0 && is_same(row, *r))
			return true;
	return false;
}

/* The wish of plugpkg.json counts more than the lock. */
static bool
is_wanted_otherwise(const struct pp_making *m, const struct pp_locked *row)
{
	const struct pp_deps *plugins = &m->ctx->config->plugins;
	const struct pp_dep *d = pp_deps_get(plugins, row->key);

	if (d == NULL)
		d = pp_deps_get(plugins, row->name);
	return d != NULL && d->range != NULL && !pp_range_match(d->range, &row->version, true);
}

static bool
stays(const struct pp_making *m, const char *source, const struct pp_releases *all,
    const struct pp_release *r)
{
	const struct pp_locked *row = pp_lockfile_get(m->pins, pp_release_key(r));

	if (m->is_pins_only)
		return row != NULL && row->source != NULL && strcmp(row->source, source) == 0 &&
		       is_same(row, r);
	if (row == NULL || row->link_dir != NULL || is_same(row, r))
		return true;
	return is_wanted_otherwise(m, row) || !has_locked(all, row);
}

static bool
is_locked_name(const struct pp_lockfile *lock, const char *name)
{
	pp_vec_foreach (row, &lock->plugins)
		if (strcmp(row->name, name) == 0)
			return true;
	return false;
}

static void
pin_providers(const struct pp_making *m, struct pp_strs *providers)
{
	size_t n = 0;

	for (size_t i = 0; i < providers->n; i++) {
		if (is_locked_name(m->pins, providers->at[i]))
			providers->at[n++] = providers->at[i];
		else
			free(providers->at[i]);
	}
	providers->n = n;
}

const struct pp_locked *
pp_making_detached_row(const struct pp_making *m, const char *key, const struct pp_version *version)
{
	const struct pp_locked *row = m->pins != NULL ? pp_lockfile_get(m->pins, key) : NULL;

	if (row == NULL || pp_version_cmp(&row->version, version) != 0)
		return NULL;
	return m->is_pins_only || pp_installeds_get(&m->inv.set, key) == NULL ? row : NULL;
}

/* What it goes without where the lock was made, nobody has to bring here. */
static void
detach(const struct pp_making *m, struct pp_release *r)
{
	const struct pp_locked *row = pp_making_detached_row(m, pp_release_key(r), &r->version);

	if (row != NULL)
		pp_vec_foreach (name, &row->detached)
			pp_release_detach(r, *name);
}

void
pp_making_pin(const struct pp_making *m, const char *source, struct pp_releases *releases,
    struct pp_strs *providers)
{
	struct pp_releases kept = { 0 }, gone = { 0 };

	/* Judged while all are there: whether one goes depends on the others. */
	pp_vec_foreach (r, releases) {
		if (stays(m, source, releases, *r))
			pp_vec_push(&kept, *r);
		else
			pp_vec_push(&gone, *r);
	}
	pp_vec_free(releases);
	*releases = kept;
	pp_releases_fini(&gone);
	pp_vec_foreach (r, releases)
		detach(m, *r);
	if (m->is_pins_only && providers != NULL)
		pin_providers(m, providers);
}
