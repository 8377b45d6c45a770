/* SPDX-License-Identifier: MIT */
/* Everything about one plugin: what is installed of it, what its source offers. */
#include "lib/api/api.h"

#include "lib/model/name.h"
#include "lib/state/owners.h"
#include "lib/txn/broken.h"
#include "lib/txn/host.h"

#include <string.h>

struct showing {
	plugpkg_context *ctx;
	struct pp_target target;
	struct pp_range *range; /* NULL = any */
	const char *major;      /* the operand when it is NAME@MAJOR, else NULL */
	struct pp_web web;
	const struct pp_installed *installed; /* or NULL */
	struct pp_sources_open open;
	struct pp_catalog *catalog; /* that knows the name, or NULL */
	struct pp_releases releases;
	struct pp_strs providers; /* of a virtual name */
	struct pp_pins pins;
};

static void
showing_fini(struct showing *s)
{
	pp_target_fini(&s->target);
	pp_range_free(s->range);
	pp_web_fini(&s->web);
	pp_releases_fini(&s->releases);
	pp_strs_fini(&s->providers);
	pp_pins_fini(&s->pins);
	pp_sources_open_fini(&s->open);
}

static void
copy_members(pp_json *to, const pp_json *from, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const pp_json *value = pp_json_get(from, keys[i]);
		bool is_empty =
		    value == NULL ||
		    ((pp_json_is(value, PP_JSON_OBJECT) || pp_json_is(value, PP_JSON_ARRAY)) &&
			pp_json_len(value) == 0);
		if (!is_empty)
			pp_json_set(to, keys[i], pp_json_copy(value));
	}
}

static const char *const descriptions[] = { "summary", "description", "license", "homepage",
	"authors", "keywords" };
static const char *const relations[] = { "requires", "recommends", "suggests", "conflicts",
	"provides", "replaces", "os", "arch", "min-client", "parallel", "published" };

/* Which kinds of scripts a manifest has, as the details row lists them. */
static void
add_script_kinds(pp_json *row, const pp_json *manifest)
{
	const pp_json *scripts = pp_json_get(manifest, "scripts");
	pp_json *kinds = pp_json_array();

	for (void *it = pp_json_iter(scripts); it != NULL; it = pp_json_next(scripts, it))
		pp_json_push_str(kinds, pp_json_iter_key(it));
	if (pp_json_len(kinds) > 0)
		pp_json_set(row, "scripts", kinds);
	else
		pp_json_free(kinds);
}

static void
add_installed(const struct showing *s, pp_json *row)
{
	const struct pp_installed *p = s->installed;

	if (p == NULL)
		return;
	bool manual = pp_installed_wish(&s->web.inv.set, p, &s->ctx->config->plugins) != NULL;
	pp_json_set_str(row, "installed", p->version);
	pp_row_add_state(p, row);
	pp_json_set_bool(row, "manual", manual);
	pp_json_set_str(row, "reason", manual ? "manual" : "automatic");
	pp_row_add_hold(s->ctx, p, row);
	pp_row_add_detached(p, row);
	pp_row_add_skipped(p, row);
	pp_row_add_broken(&s->web, pp_installeds_index(&s->web.inv.set, p->key), row);
	pp_json_set_int(row, "installed_at", p->installed_at);
	pp_json_set_str(row, "linked_from", p->link_dir);
}

static void
add_offers(const struct showing *s, pp_json *row)
{
	pp_json *versions = pp_json_array();
	const struct pp_release *best = pp_releases_best(&s->releases, NULL);

	for (size_t i = 0; i < s->releases.n; i++)
		pp_json_push_str(versions, s->releases.at[i]->version.text);
	pp_json_set(row, "versions", versions);
	if (best != NULL)
		pp_json_set_str(row, "candidate", best->version.text);
	if (s->providers.n == 0)
		return;
	pp_json *providers = pp_json_array();
	for (size_t i = 0; i < s->providers.n; i++)
		pp_json_push_str(providers, s->providers.at[i]);
	pp_json_set(row, "providers", providers);
}

static pp_json *
row_of_installed(const struct showing *s)
{
	const struct pp_installed *p = s->installed;
	pp_json *row = pp_row_new("show");

	pp_json_set_str(row, "name", p->name);
	pp_json_set_str(row, "version", p->version);
	pp_json_set_str(row, "key", p->key);
	pp_json_set_str(row, "source", p->source);
	add_installed(s, row);
	copy_members(row, p->manifest, descriptions, PP_LEN(descriptions));
	copy_members(row, p->manifest, relations, PP_LEN(relations));
	add_script_kinds(row, p->manifest);
	pp_json_set_int(row, "unpacked_bytes", (int64_t)p->bytes);
	pp_json_set_int(row, "files", (int64_t)p->files);
	pp_json_set_str(row, "sha256", *p->sha256 != '\0' ? p->sha256 : NULL);
	return row;
}

static enum plugpkg_code
row_of_offer(struct showing *s, const char *version, pp_json **out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *planning = NULL;
	PP_AUTO_JSON pp_json *details = NULL;
	enum plugpkg_code rc =
	    pp_catalog_rows(s->catalog, s->target.name, version, &planning, &details, err);
	if (rc != PLUGPKG_OK)
		return rc;

	pp_json *row = pp_row_new("show");
	pp_json_set_str(row, "name", s->target.name);
	pp_json_set_str(row, "version", version);
	pp_json_set_str(row, "source", pp_catalog_source(s->catalog)->name);
	add_installed(s, row);
	copy_members(row, details, descriptions, PP_LEN(descriptions));
	copy_members(row, planning, relations, PP_LEN(relations));
	copy_members(row, details, (const char *const[]){ "scripts" }, 1);
	pp_json_set_int(row, "download_bytes", pp_json_get_int(details, "size", 0));
	pp_json_set_int(row, "unpacked_bytes", pp_json_get_int(details, "unpacked", 0));
	pp_json_set_int(row, "files", pp_json_get_int(details, "files", 0));
	pp_json_set_str(row, "sha256", pp_json_get_str(details, "sha256"));
	*out = row;
	return PLUGPKG_OK;
}

/*
 * The key that the root expects of its owner, else the one that the source names, else "none".
 * Without a source that answers, only what the root knows.
 */
static void
add_owner(const struct showing *s, pp_json *row)
{
	PP_AUTO(owner) struct pp_owner *owner = NULL;
	const struct pp_pin *pin = pp_pins_get(&s->pins, s->target.name);

	if (pin == NULL && s->catalog != NULL)
		PP_IGNORE(
		    pp_catalog_owner(s->catalog, PP_LAYER_DETAILS, s->target.name, &owner, NULL));
	pp_json_set_str(row, "owner",
	    pin != NULL     ? pin->key_id
	    : owner != NULL ? owner->id
			    : "none");
}

/* A name that nobody bears but some provide: the providers are the answer. */
static pp_json *
row_of_virtual(const struct showing *s)
{
	pp_json *row = pp_row_new("show");

	pp_json_set_str(row, "name", s->target.name);
	pp_json_set_str(row, "summary", "a virtual name that other plugins provide");
	return row;
}

static void
find_installed(struct showing *s)
{
	const struct pp_installeds *set = &s->web.inv.set;
	const struct pp_installed *major =
	    s->major != NULL ? pp_installeds_get(set, s->major) : NULL;

	s->installed = major != NULL ? major : pp_installeds_highest(set, s->target.name);
	if (major != NULL) {
		pp_range_free(s->range); /* that very plugin, not what lies in its major */
		s->range = NULL;
	}
}

/* Mostly all that it requires is there by its name, and the rest of what is installed no matter. */
static enum plugpkg_code
load_installed(struct showing *s, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs complaints = { 0 };
	PP_AUTO_LOOK struct pp_state *look = NULL;
	enum plugpkg_code rc = pp_state_look(s->ctx, &look, err);
	if (rc == PLUGPKG_OK)
		rc = pp_web_load_around(s->ctx, s->target.name, &s->web, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_IGNORE(pp_state_pins(s->ctx->state, &s->pins, NULL));
	find_installed(s);
	if (s->installed != NULL)
		pp_broken_complaints(
		    &s->web, pp_installeds_index(&s->web.inv.set, s->installed->key), &complaints);
	if (complaints.n == 0)
		return PLUGPKG_OK;
	pp_web_fini(&s->web);
	s->web = (struct pp_web){ .threads = { 0 } };
	rc = pp_web_load(s->ctx, &s->web, err);
	find_installed(s);
	return rc;
}

static enum plugpkg_code
look_up(struct showing *s, plugpkg_error **err)
{
	enum plugpkg_code rc = load_installed(s, err);
	if (rc != PLUGPKG_OK)
		return rc;

	/*
	 * What is installed can be shown without any source; then their failure only leaves out
	 * offers.
	 */
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	rc = pp_sources_load(s->ctx, true, &s->open, s->installed != NULL ? &why : err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < s->open.catalogs.n && s->releases.n == 0; i++) {
		s->catalog = s->open.catalogs.at[i];
		rc = pp_catalog_releases(s->catalog, s->target.name, &s->releases, &s->providers,
		    NULL, s->installed != NULL ? &why : err);
	}
	if (rc != PLUGPKG_OK && s->installed != NULL && s->range == NULL) {
		pp_warn(s->ctx, s->target.name, "%s", plugpkg_error_message(why));
		pp_releases_fini(&s->releases);
		return PLUGPKG_OK;
	}
	if (rc != PLUGPKG_OK && s->installed != NULL && err != NULL)
		*err = pp_steal(&why);
	return rc;
}

static enum plugpkg_code
make_row(struct showing *s, pp_json **out, plugpkg_error **err)
{
	const struct pp_release *best = pp_releases_best(&s->releases, s->range);

	if (s->installed != NULL && s->range == NULL) {
		*out = row_of_installed(s);
		return PLUGPKG_OK;
	}
	if (best == NULL && s->range == NULL && s->releases.n > 0)
		best = s->releases.at[0]; /* none fits this machine; that is worth showing too */
	if (best != NULL)
		return row_of_offer(s, best->version.text, out, err);
	if (s->releases.n > 0) {
		(void)pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "no version of '%s' lies in '%s'",
		    s->target.name, s->target.range);
		return pp_hint(
		    err, PLUGPKG_E_NOT_FOUND, "plugpkg show %s lists the versions", s->target.name);
	}
	if (s->providers.n > 0) {
		*out = row_of_virtual(s);
		return PLUGPKG_OK;
	}
	return pp_sources_unknown(s->ctx, &s->open, s->target.name, err);
}

/* ---- the application's own names ---- */

static enum plugpkg_code
show_host(
    plugpkg_context *ctx, const char *name, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	const struct pp_dep *host = pp_deps_get(pp_host_known(ctx), name);

	if (host == NULL) {
		(void)pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
		    "this application does not say its version of '%s'", name);
		return pp_host_hint(name, PLUGPKG_E_NOT_FOUND, err);
	}
	pp_json *one = pp_row_new("show");
	pp_json_set_str(one, "name", name);
	pp_json_set_str(one, "version", host->version.text);
	pp_json_set_str(one, "source", pp_host_origin(ctx, name));
	pp_json_set_str(one, "summary", "a version of this application");
	pp_row(row, user, one);
	return PLUGPKG_OK;
}

static enum plugpkg_code
begin(struct showing *s, const char *target, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_target_parse(target, &s->target, err);
	if (rc == PLUGPKG_OK && pp_key_valid(pp_str_of(target)) && pp_key_has_major(target))
		s->major = target;
	if (rc == PLUGPKG_OK && s->target.range != NULL)
		rc = pp_range_parse(pp_str_of(s->target.range), &s->range, err);
	return rc == PLUGPKG_OK ? look_up(s, err) : rc;
}

enum plugpkg_code
plugpkg_show(
    plugpkg_context *ctx, const char *target, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(showing_fini)
	struct showing s = { .ctx = ctx, .open = PP_SOURCES_OPEN_INIT };

	if (pp_name_is_host(target))
		return show_host(ctx, target, row, user, err);
	enum plugpkg_code rc = begin(&s, target, err);

	pp_json *one = NULL;
	if (rc == PLUGPKG_OK)
		rc = make_row(&s, &one, err);
	if (rc != PLUGPKG_OK)
		return rc;
	add_offers(&s, one);
	if (s.providers.n == 0 || s.releases.n > 0)
		add_owner(&s, one);
	pp_row(row, user, one);
	return PLUGPKG_OK;
}

/* The release that a row would be of. */
static const struct pp_release *
offered(const struct showing *s)
{
	const struct pp_release *best = pp_releases_best(&s->releases, s->range);

	return best == NULL && s->range == NULL && s->releases.n > 0 ? s->releases.at[0] : best;
}

enum plugpkg_code
plugpkg_show_scripts(
    plugpkg_context *ctx, const char *target, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(showing_fini)
	struct showing s = { .ctx = ctx, .open = PP_SOURCES_OPEN_INIT };
	PP_AUTO_JSON pp_json *unused = NULL;
	enum plugpkg_code rc = begin(&s, target, err);
	if (rc != PLUGPKG_OK)
		return rc;

	if (s.installed != NULL && s.range == NULL)
		return pp_scripts_of_installed(ctx, s.installed, row, user, err);
	const struct pp_release *best = offered(&s);
	if (best == NULL)
		return make_row(&s, &unused, err); /* a virtual name has none; else it knows why */
	const struct pp_scripts_offer offer = { s.catalog, s.target.name, best->version.text };
	return pp_scripts_of_offer(ctx, &s.open, &offer, row, user, err);
}
