/* SPDX-License-Identifier: MIT */
/* The sources of a root opened together, and which of them answers for a name. */
#include "lib/api/api.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/model/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEAR_NAMES 3

void
pp_sources_open_fini(struct pp_sources_open *s)
{
	pp_vec_foreach (c, &s->catalogs)
		pp_catalog_free(*c);
	pp_vec_free(&s->catalogs);
	pp_net_free(s->net);
	s->net = NULL;
	pp_auto_fd(&s->cache_fd);
}

enum plugpkg_code
pp_sources_net(plugpkg_context *ctx, struct pp_sources_open *out, plugpkg_error **err)
{
	out->cache_fd = pp_opendir_at(ctx->root_fd, "var/cache");
	if (out->cache_fd == -ENOENT) {
		int r = pp_mkdirs_at(ctx->root_fd, "var/cache", 0755);
		out->cache_fd = r < 0 ? r : pp_opendir_at(ctx->root_fd, "var/cache");
	}
	if (out->cache_fd < 0) {
		int r = out->cache_fd;
		out->cache_fd = -1;
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot open '%s/var/cache'", ctx->root);
	}
	out->net = pp_net_new(ctx, out->cache_fd);
	return PLUGPKG_OK;
}

static int
by_priority(const void *a, const void *b)
{
	const struct pp_source *const *x = a, *const *y = b;

	if ((*x)->priority != (*y)->priority)
		return (*x)->priority > (*y)->priority ? -1 : 1;
	return *x < *y ? -1 : *x > *y; /* both in one array: as listed in plugpkg.json */
}

/* A root made from a plugpkg.json that names its sources has everything but their metadata. */
static enum plugpkg_code
check_updated(plugpkg_context *ctx, const struct pp_source *source, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = pp_asprintf("var/trust/%s/root.json", source->name);

	if (pp_exists_at(ctx->root_fd, file) != 0)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "source '%s' was never updated in this root",
	    source->name);
	return pp_hint(err, PLUGPKG_E_NOT_FOUND, "run plugpkg update");
}

enum plugpkg_code
pp_sources_load(
    plugpkg_context *ctx, bool allow_expired, struct pp_sources_open *out, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_sources_net(ctx, out, err);
	if (rc != PLUGPKG_OK)
		return rc;

	struct pp_vec(const struct pp_source *) order = { 0 };
	pp_vec_foreach (s, &ctx->config->sources)
		pp_vec_push(&order, s);
	pp_vec_sort(&order, by_priority);
	for (size_t i = 0; rc == PLUGPKG_OK && i < order.n; i++) {
		struct pp_catalog *c = NULL;
		rc = check_updated(ctx, order.at[i], err);
		if (rc == PLUGPKG_OK)
			rc = pp_catalog_open(ctx, order.at[i], out->net, &c, err);
		if (rc != PLUGPKG_OK)
			break;
		pp_vec_push(&out->catalogs, c);
		rc = pp_catalog_load(c, allow_expired, err);
	}
	pp_vec_free(&order);
	return rc;
}

enum plugpkg_code
pp_sources_releases(struct pp_sources_open *s, const char *name, struct pp_catalog **out,
    struct pp_releases *releases, plugpkg_error **err)
{
	*out = NULL;
	pp_vec_foreach (c, &s->catalogs) {
		enum plugpkg_code rc = pp_catalog_releases(*c, name, releases, NULL, NULL, err);
		if (rc != PLUGPKG_OK)
			return rc;
		if (releases->n > 0) {
			*out = *c;
			return PLUGPKG_OK;
		}
	}
	return PLUGPKG_OK;
}

const struct pp_release *
pp_releases_best(const struct pp_releases *releases, const struct pp_range *range)
{
	const struct pp_release *pre = NULL;

	/* Newest first, so the first that fits is the one. */
	for (size_t i = 0; i < releases->n; i++) {
		const struct pp_release *r = releases->at[i];
		if (!pp_release_fits_here(r, NULL))
			continue;
		if (range != NULL && !pp_range_match(range, &r->version, false))
			continue;
		if (!pp_version_is_prerelease(&r->version))
			return r;
		if (pre == NULL)
			pre = r;
	}
	return pre;
}

/* Every name that the root or a source knows. Failing sources only make the advice poorer. */
static void
all_names(plugpkg_context *ctx, struct pp_sources_open *s, struct pp_strs *out)
{
	struct pp_state *state = NULL;
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };

	if (pp_state_get(ctx, &state, NULL) == PLUGPKG_OK &&
	    pp_state_installed(state, &set, NULL) == PLUGPKG_OK)
		pp_vec_foreach (p, &set)
			pp_strs_add(out, (*p)->name);
	pp_vec_foreach (c, &s->catalogs) {
		PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
		if (pp_catalog_names(*c, &names, NULL) != PLUGPKG_OK)
			continue;
		for (size_t i = 0; i < names.n; i++)
			pp_strs_add(out, names.at[i]);
	}
	pp_strs_sort(out);
}

enum plugpkg_code
pp_sources_unknown(
    plugpkg_context *ctx, struct pp_sources_open *s, const char *name, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	const char *near[NEAR_NAMES];
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(NEAR_NAMES * (PP_NAME_MAX_BYTES + 4));

	(void)pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "no plugin is named '%s'", name);
	(void)pp_subject(err, PLUGPKG_E_NOT_FOUND, name);
	all_names(ctx, s, &names);
	size_t n = pp_name_near(name, &names, near, NEAR_NAMES);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(near[i], near[i - 1]) != 0)
			pp_buf_addf(&text, "%s'%s'", i == 0 ? "" : " or ", near[i]);
	if (n > 0)
		return pp_hint(err, PLUGPKG_E_NOT_FOUND, "did you mean %s?", pp_buf_cstr(&text));
	if (ctx->config->sources.n == 0)
		return pp_hint(err, PLUGPKG_E_NOT_FOUND,
		    "this root has no source yet: plugpkg source add NAME URL");
	return pp_hint(err, PLUGPKG_E_NOT_FOUND, "plugpkg search WORD looks through all sources");
}
