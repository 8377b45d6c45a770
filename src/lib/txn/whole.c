/* SPDX-License-Identifier: MIT */
/*
 * Has everything that is installed what it needs? Seen by names alone, as it nearly always is so,
 * and all relations of all plugins are much to read.
 */
#include "lib/txn/web.h"

#include "lib/model/name.h"
#include "lib/txn/host.h"

#include <stdlib.h>
#include <string.h>

struct look {
	const struct pp_installeds *set;
	const struct pp_deps *host;
	struct pp_version *versions; /* of the set; without text: not read yet */
	struct pp_ranges ranges;
};

static void
look_fini(struct look *l)
{
	for (size_t i = 0; l->versions != NULL && i < l->set->n; i++)
		pp_version_fini(&l->versions[i]);
	free(l->versions);
	pp_ranges_fini(&l->ranges);
}

/* Of the plugin of that name, or of the application; NULL: there is none, or several majors. */
static const struct pp_version *
version_of(struct look *l, const char *name)
{
	size_t place = pp_installeds_index(l->set, name);

	if (place == SIZE_MAX) {
		const struct pp_dep *host =
		    pp_name_is_host(name) ? pp_deps_get(l->host, name) : NULL;
		return host != NULL && host->version.text != NULL ? &host->version : NULL;
	}
	struct pp_version *v = &l->versions[place];
	if (v->text == NULL &&
	    pp_version_parse(pp_str_of(l->set->at[place]->version), v, NULL) != PLUGPKG_OK)
		return NULL;
	return v;
}

static bool
is_met(struct look *l, const char *name, const char *text)
{
	const struct pp_version *v = version_of(l, name);
	struct pp_range *range = NULL;

	if (v == NULL || text == NULL ||
	    pp_ranges_parse(&l->ranges, text, &range, NULL) != PLUGPKG_OK)
		return false;
	bool is_in_range = pp_range_match(range, v, true);
	pp_range_free(range);
	return is_in_range;
}

static bool
are_met(struct look *l, const pp_json *deps)
{
	if (deps != NULL && !pp_json_is(deps, PP_JSON_OBJECT))
		return false;
	for (void *it = pp_json_iter(deps); it != NULL; it = pp_json_next(deps, it))
		if (!is_met(l, pp_json_iter_key(it), pp_json_string(pp_json_iter_value(it))))
			return false;
	return true;
}

static bool
has_what_it_needs(struct look *l, const struct pp_installed *p)
{
	return pp_installed_is_active(p) && strcmp(p->state, "installed") == 0 &&
	       p->detached.n == 0 && pp_json_get(p->manifest, "conflicts") == NULL &&
	       are_met(l, pp_json_get(p->manifest, "requires")) &&
	       are_met(l, pp_json_get(p->manifest, "recommends"));
}

bool
pp_set_is_whole(plugpkg_context *ctx, const struct pp_installeds *set)
{
	PP_CLEANUP(look_fini)
	struct look l = {
		.set = set,
		.host = pp_host_known(ctx),
		.versions = pp_xcalloc(set->n, sizeof(*l.versions)),
	};

	pp_vec_foreach (p, set)
		if (!has_what_it_needs(&l, *p))
			return false;
	return true;
}
