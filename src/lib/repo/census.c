/* SPDX-License-Identifier: MIT */
/* Lines of the book as releases, loaded when somebody asks for the name. */
#include "lib/repo/census.h"

#include "base/mem.h"
#include "lib/model/name.h"

#include <stdlib.h>
#include <string.h>

static void
name_free(void *p)
{
	struct pp_counted_name *n = p;

	pp_vec_foreach (r, &n->releases)
		pp_release_free(r->release);
	pp_vec_free(&n->releases);
	pp_strs_fini(&n->providers);
	free(n->name);
	free(n);
}

void
pp_census_fini(struct pp_census *c)
{
	pp_map_fini(&c->names, name_free);
}

void
pp_census_strip(pp_json *row)
{
	static const char *const unneeded[] = {
		"os",
		"arch",
		"min-client",
		"recommends",
		"suggests",
	};
	pp_json *requires = pp_json_get(row, "requires");
	PP_CLEANUP(pp_strs_fini) struct pp_strs hosts = { 0 };

	for (size_t i = 0; i < PP_LEN(unneeded); i++)
		pp_json_del(row, unneeded[i]);
	if (requires == NULL)
		return;
	for (void *it = pp_json_iter(requires); it != NULL; it = pp_json_next(requires, it))
		if (pp_name_is_host(pp_json_iter_key(it)))
			pp_strs_add(&hosts, pp_json_iter_key(it));
	pp_vec_foreach (name, &hosts)
		pp_json_del(requires, *name);
}

static bool
has_core_script(const pp_json *details, const char *version)
{
	ptrdiff_t at = pp_rows_find(details, version);
	const pp_json *rows = pp_json_get(details, "versions");
	const pp_json *kinds = at < 0 ? NULL : pp_json_get(pp_json_at(rows, (size_t)at), "scripts");

	for (size_t i = 0; i < pp_json_len(kinds); i++) {
		const char *kind = pp_json_string(pp_json_at(kinds, i));
		if (kind != NULL && (strcmp(kind, "install") == 0 || strcmp(kind, "upgrade") == 0))
			return true;
	}
	return false;
}

static enum plugpkg_code
read_lines(struct pp_census *c, struct pp_counted_name *n, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *planning = NULL;
	PP_AUTO_JSON pp_json *details = NULL;
	enum plugpkg_code rc = pp_book_line(c->book, PP_LAYER_PLANNING, n->name, &planning, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_line(c->book, PP_LAYER_DETAILS, n->name, &details, err);
	if (rc != PLUGPKG_OK)
		return rc;

	const pp_json *rows = pp_json_get(planning, "versions");
	for (size_t i = 0; i < pp_json_len(rows); i++) {
		pp_json *row = pp_json_at(rows, i);
		struct pp_counted one = { 0 };
		pp_census_strip(row);
		rc = pp_release_parse(
		    row, n->name, "published index", PLUGPKG_E_BAD_METADATA, &one.release, err);
		if (rc != PLUGPKG_OK)
			return rc;
		one.has_script = has_core_script(details, one.release->version.text);
		pp_vec_push(&n->releases, one);
	}
	const pp_json *providers = pp_json_get(planning, "providers");
	for (size_t i = 0; i < pp_json_len(providers); i++) {
		const char *provider = pp_json_string(pp_json_at(providers, i));
		if (provider != NULL)
			pp_strs_add(&n->providers, provider);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_census_get(
    struct pp_census *c, const char *name, struct pp_counted_name **out, plugpkg_error **err)
{
	*out = pp_map_get(&c->names, name);
	if (*out != NULL)
		return PLUGPKG_OK;
	struct pp_counted_name *n = pp_xcalloc(1, sizeof(*n));
	n->name = pp_xstrdup(name);
	n->number = c->names.n;
	*pp_map_put(&c->names, name) = n;
	*out = n;
	return read_lines(c, n, err);
}

static void
add_fulfilling(struct pp_counted_name *n, const struct pp_dep *dep, struct pp_counted_ptrs *out)
{
	pp_vec_foreach (r, &n->releases)
		if (pp_release_satisfies(r->release, dep))
			pp_vec_push(out, r);
}

enum plugpkg_code
pp_census_fulfilling(
    struct pp_census *c, const struct pp_dep *dep, struct pp_counted_ptrs *out, plugpkg_error **err)
{
	struct pp_counted_name *n = NULL, *provider = NULL;
	enum plugpkg_code rc = pp_census_get(c, dep->name, &n, err);

	if (rc != PLUGPKG_OK)
		return rc;
	add_fulfilling(n, dep, out);
	for (size_t i = 0; rc == PLUGPKG_OK && i < n->providers.n; i++) {
		rc = pp_census_get(c, n->providers.at[i], &provider, err);
		if (rc == PLUGPKG_OK && provider != n)
			add_fulfilling(provider, dep, out);
	}
	return rc;
}
