/* SPDX-License-Identifier: MIT */
/* The root and its sources as the solver sees them. */
#include "lib/api/making.h"

#include "lib/txn/host.h"

#include <stdlib.h>
#include <string.h>

struct asked {
	const struct pp_making *making;
	struct pp_catalog *catalog;
};

static enum plugpkg_code
releases_of(void *user, const char *name, struct pp_releases *out, struct pp_strs *out_providers,
    plugpkg_error **err)
{
	const struct asked *a = user;
	enum plugpkg_code rc = pp_catalog_releases(a->catalog, name, out, out_providers, err);

	if (rc == PLUGPKG_OK && a->making->pins != NULL)
		pp_making_pin(a->making, pp_catalog_source(a->catalog)->name, out, out_providers);
	return rc;
}

static enum plugpkg_code
names_of(void *user, struct pp_strs *out, plugpkg_error **err)
{
	const struct asked *a = user;

	return pp_catalog_names(a->catalog, out, err);
}

struct world {
	struct pp_vec(struct pp_solve_installed) installed;
	struct pp_vec(struct pp_solve_source) sources;
	struct asked *asked; /* one a source */
};

static void
world_fini(struct world *w)
{
	pp_vec_free(&w->installed);
	pp_vec_free(&w->sources);
	free(w->asked);
}

static void
build_world(const struct pp_making *m, struct world *w)
{
	for (size_t i = 0; i < m->inv.set.n; i++) {
		const struct pp_installed *p = m->inv.set.at[i];
		/* A leftover cannot be used by others; it is there only for who wants it gone. */
		if (!pp_installed_is_usable(p) && !pp_making_is_removal(m))
			continue;
		struct pp_solve_installed one = {
			.release = m->inv.releases.at[i],
			.source = p->source,
			.manual =
			    pp_installed_wish(&m->inv.set, p, &m->ctx->config->plugins) != NULL,
			.hold = pp_installed_is_held(p, m->ctx->now),
			.hold_until = p->hold_until,
			.linked = p->link_dir != NULL,
		};
		pp_vec_push(&w->installed, one);
	}
	w->asked = pp_xcalloc(m->open.catalogs.n + 1, sizeof(*w->asked));
	pp_vec_foreach (c, &m->open.catalogs) {
		const struct pp_source *source = pp_catalog_source(*c);
		struct asked *asked = &w->asked[w->sources.n];
		*asked = (struct asked){ m, *c };
		struct pp_solve_source one = {
			.name = source->name,
			.priority = source->priority,
			.user = asked,
			.releases = releases_of,
			.names = names_of,
		};
		pp_vec_push(&w->sources, one);
	}
}

enum plugpkg_code
pp_making_solve(struct pp_making *m, plugpkg_error **err)
{
	PP_CLEANUP(world_fini) struct world w = { 0 };
	build_world(m, &w);
	struct pp_solve_world world = {
		.installed = w.installed.at,
		.n_installed = w.installed.n,
		.host = pp_host_known(m->ctx),
		.sources = w.sources.at,
		.n_sources = w.sources.n,
		.wanted = &m->ctx->config->plugins,
	};
	struct pp_solve_request request = {
		.verb = m->request->verb,
		.flags = m->request->flags,
		.targets = m->targets.at,
		.n_targets = m->targets.n,
		.link = m->link != NULL ? m->link->release : NULL,
	};
	enum plugpkg_code rc = pp_solve(m->ctx, &world, &request, m->plan, err);
	if (rc == PLUGPKG_E_NOT_FOUND && w.sources.n == 0)
		return pp_hint(err, rc, "this root has no source yet: plugpkg source add NAME URL");
	return rc;
}
