/* SPDX-License-Identifier: MIT */
/* The answers that the shards of one source give. */
#include <string.h>

#include "base/arena.h"
#include "lib/index/catalog_inside.h"
#include "lib/model/field.h"
#include "lib/model/name.h"
#include "lib/model/scope.h"

#define OWNER_MEMBER "\"owner\":"

static enum plugpkg_code
need_index(const struct pp_catalog *c, plugpkg_error **err)
{
	if (c->has_index)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "%s has no index yet", c->label);
}

/* The line of a name in a layer, empty when it has none. View: until the next question. */
static enum plugpkg_code
find_line(struct pp_catalog *c, enum pp_layer layer, const char *name, struct pp_str *out,
    plugpkg_error **err)
{
	enum plugpkg_code rc = need_index(c, err);

	if (rc != PLUGPKG_OK)
		return rc;
	rc = pp_shards_line(&c->shards, layer, name, out, err);
	return rc == PLUGPKG_OK ? rc : pp_wrap(err, rc, "%s", c->label);
}

static enum plugpkg_code
add_release(const struct pp_catalog *c, const char *where, const char *name, const pp_json *row,
    struct pp_releases *out, plugpkg_error **err)
{
	struct pp_release *release = NULL, *last = out->n > 0 ? out->at[out->n - 1] : NULL;
	const struct pp_fields f = {
		.json = row,
		.where = where,
		.code = PLUGPKG_E_BAD_METADATA,
		.err = err,
		.arena = c->arena,
	};
	enum plugpkg_code rc = pp_release_read_row(&f, name, last, &release);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_scope_trim(c->ctx->config, c->source->name, release);
	pp_vec_push(out, release);
	if (out->n > 1 && pp_version_cmp(&out->at[out->n - 2]->version, &release->version) < 0)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: version %s stands after an older one", where, release->version.text);
	return PLUGPKG_OK;
}

static enum plugpkg_code
add_plugins(const struct pp_catalog *c, const pp_json *line, const char *member,
    struct pp_strs *out, plugpkg_error **err)
{
	const pp_json *list = pp_json_get(line, member);

	for (size_t i = 0; i < pp_json_len(list); i++) {
		const char *provider = pp_json_string(pp_json_at(list, i));

		if (provider == NULL || !pp_name_valid(pp_str_of(provider)))
			return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
			    "%s, index of '%s': \"%s\" holds no plugin's name", c->label,
			    pp_json_get_str(line, "name"), member);
		pp_strs_add(out, provider);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_catalog_expect(struct pp_catalog *c, const struct pp_strs *names, plugpkg_error **err)
{
	enum plugpkg_code rc = need_index(c, err);

	if (rc != PLUGPKG_OK || pp_shards_count(&c->shards, PP_LAYER_PLANNING) == 1)
		return rc;
	rc = pp_shards_expect(&c->shards, names, err);
	return rc == PLUGPKG_OK ? rc : pp_wrap(err, rc, "%s", c->label);
}

enum plugpkg_code
pp_catalog_releases(struct pp_catalog *c, const char *name, struct pp_releases *out,
    struct pp_strs *out_providers, struct pp_strs *out_replacers, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *line = NULL;
	struct pp_str text;
	/* What it says of others' names, be it only who provides them, is not even looked at. */
	if (pp_scope_is_foreign(c->ctx->config, c->source->name, name))
		return PLUGPKG_OK;
	enum plugpkg_code rc = find_line(c, PP_LAYER_PLANNING, name, &text, err);
	if (rc != PLUGPKG_OK || text.p == NULL)
		return rc;
	rc = pp_shard_parse(text, name, &line, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "%s", c->label);
	const pp_json *rows = pp_json_get(line, "versions");
	PP_AUTO_FREE char *where = pp_asprintf("%s, index of '%s'", c->label, name);

	bool may_supply = pp_scope_may_supply(c->ctx->config, c->source->name, name);
	for (size_t i = 0; rc == PLUGPKG_OK && may_supply && i < pp_json_len(rows); i++)
		rc = add_release(c, where, name, pp_json_at(rows, i), out, err);
	if (rc == PLUGPKG_OK && out_providers != NULL)
		rc = add_plugins(c, line, "providers", out_providers, err);
	if (rc == PLUGPKG_OK && out_replacers != NULL)
		rc = add_plugins(c, line, "replacers", out_replacers, err);
	return rc;
}

static enum plugpkg_code
find_row(struct pp_catalog *c, enum pp_layer layer, const char *name, const char *version,
    pp_json **out, plugpkg_error **err)
{
	struct pp_str line;
	enum plugpkg_code rc = find_line(c, layer, name, &line, err);

	if (rc == PLUGPKG_OK && line.p != NULL) {
		rc = pp_shard_row(line, name, version, out, err);
		if (rc != PLUGPKG_OK)
			return pp_wrap(err, rc, "%s", c->label);
	}
	if (rc == PLUGPKG_OK && *out == NULL)
		return pp_fail(
		    err, PLUGPKG_E_NOT_FOUND, 0, "%s has no '%s' %s", c->label, name, version);
	return rc;
}

/*
 * Without a digest and a size nothing may be fetched: there is no such thing as an unknown digest.
 */
static enum plugpkg_code
check_details(const struct pp_catalog *c, const char *name, const pp_json *row, plugpkg_error **err)
{
	if (pp_is_sha256(pp_json_get_str(row, "sha256")) && pp_json_get_int(row, "size", 0) > 0)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
	    "%s, index of '%s': version %s has no valid \"sha256\" and \"size\"", c->label, name,
	    pp_json_get_str(row, "version"));
}

enum plugpkg_code
pp_catalog_rows(struct pp_catalog *c, const char *name, const char *version, pp_json **out_planning,
    pp_json **out_details, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *planning = NULL;
	PP_AUTO_JSON pp_json *details = NULL;
	enum plugpkg_code rc = PLUGPKG_OK;

	if (!pp_scope_may_supply(c->ctx->config, c->source->name, name))
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
		    "%s: '%s' is not to be taken from there", c->label, name);
	if (out_planning != NULL)
		rc = find_row(c, PP_LAYER_PLANNING, name, version, &planning, err);
	if (rc == PLUGPKG_OK && out_details != NULL)
		rc = find_row(c, PP_LAYER_DETAILS, name, version, &details, err);
	if (rc == PLUGPKG_OK && out_details != NULL)
		rc = check_details(c, name, details, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (out_planning != NULL)
		*out_planning = pp_steal(&planning);
	if (out_details != NULL)
		*out_details = pp_steal(&details);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_catalog_owner(struct pp_catalog *c, enum pp_layer layer, const char *name, struct pp_owner **out,
    plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *line = NULL;
	struct pp_str text;

	*out = NULL;
	enum plugpkg_code rc = find_line(c, layer, name, &text, err);
	/* Most plugins have none: then no long line is parsed for nothing. */
	if (rc != PLUGPKG_OK || text.p == NULL ||
	    memmem(text.p, text.n, OWNER_MEMBER, strlen(OWNER_MEMBER)) == NULL)
		return rc;
	rc = pp_shard_parse(text, name, &line, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "%s", c->label);
	const pp_json *owner = pp_json_get(line, "owner");
	PP_AUTO_FREE char *where = pp_asprintf("%s, index of '%s'", c->label, name);
	return owner != NULL ? pp_owner_parse(owner, name, where, out, err) : PLUGPKG_OK;
}

enum plugpkg_code
pp_catalog_prefetch(struct pp_catalog *c, const struct pp_strs *names, plugpkg_error **err)
{
	enum plugpkg_code rc = need_index(c, err);

	return rc == PLUGPKG_OK ? pp_shards_take(&c->shards, names, err) : rc;
}

static enum plugpkg_code
search_shard(struct pp_catalog *c, const struct pp_shard **out, plugpkg_error **err)
{
	enum plugpkg_code rc = need_index(c, err);

	return rc == PLUGPKG_OK ? pp_shards_search(&c->shards, out, err) : rc;
}

enum plugpkg_code
pp_catalog_search(struct pp_catalog *c, void (*each)(const pp_json *line, void *user), void *user,
    plugpkg_error **err)
{
	const struct pp_shard *shard = NULL;
	enum plugpkg_code rc = search_shard(c, &shard, err);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (line, &shard->lines) {
		struct pp_json_error why;
		PP_AUTO_JSON pp_json *j = pp_json_parse(line->p, line->n, &why);

		if (j == NULL)
			return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "%s, search index: %s",
			    c->label, why.text);
		const char *name = pp_json_get_str(j, "name");
		if (name == NULL || pp_scope_may_supply(c->ctx->config, c->source->name, name))
			each(j, user);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_catalog_names(struct pp_catalog *c, struct pp_strs *out, plugpkg_error **err)
{
	const struct pp_shard *shard = NULL;
	enum plugpkg_code rc = search_shard(c, &shard, err);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (line, &shard->lines) {
		PP_AUTO_FREE char *name = pp_shard_line_name(*line);
		if (pp_scope_may_supply(c->ctx->config, c->source->name, name))
			pp_strs_take(out, pp_steal(&name));
	}
	return PLUGPKG_OK;
}
