/* SPDX-License-Identifier: MIT */
/* Adding, removing, listing and refreshing the sources of a root. */
#include "lib/api/api.h"

#include "base/path.h"
#include "lib/index/kept.h"
#include "lib/model/name.h"
#include "lib/model/plan.h"
#include "lib/model/scope.h"
#include "lib/net/url.h"
#include "lib/state/history.h"
#include "lib/txn/host.h"
#include "lib/txn/lock.h"
#include "lib/txn/root.h"

#include <string.h>
#include <sys/stat.h>

#define TIMESTAMP_MAX_BYTES (64 * 1024)

static enum plugpkg_code
check_spec(plugpkg_context *ctx, const struct plugpkg_source_spec *spec, plugpkg_error **err)
{
	if (!pp_source_name_valid(pp_str_of(spec->name)))
		return pp_fail(err, PLUGPKG_E_BAD_NAME, 0,
		    "'%s' is no source name: a-z, 0-9 and - are allowed, 64 bytes at most",
		    spec->name);
	if (strcmp(spec->name, PP_SOURCE_FILE) == 0 || strcmp(spec->name, "link") == 0)
		return pp_fail(err, PLUGPKG_E_BAD_NAME, 0,
		    "'%s' is no source name: it stands for what comes from no source", spec->name);
	if (pp_config_source(ctx->config, spec->name) != NULL)
		return pp_fail(
		    err, PLUGPKG_E_EXISTS, 0, "source '%s' is there already", spec->name);
	if (spec->n_urls == 0)
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "source '%s' needs a URL", spec->name);
	for (size_t i = 0; i < spec->n_names; i++) {
		PP_AUTO_FREE char *shown = pp_shown(spec->names[i], strlen(spec->names[i]));
		if (pp_scope_pattern_valid(spec->names[i]))
			continue;
		(void)pp_fail(err, PLUGPKG_E_USAGE, 0,
		    "'%s' is neither a name nor a beginning of names", shown);
		return pp_hint(err, PLUGPKG_E_USAGE, "\"@acme/*\" stands for all names of a scope");
	}
	for (size_t i = 0; i < spec->n_urls; i++) {
		PP_AUTO_FREE char *url = pp_url_redacted(spec->urls[i]);
		if (pp_url_valid(spec->urls[i]))
			continue;
		(void)pp_fail(err, PLUGPKG_E_USAGE, 0, "'%s' is no URL of a repository", url);
		return pp_hint(err, PLUGPKG_E_USAGE, PP_URL_HINT);
	}
	return PLUGPKG_OK;
}

static void
forget_trust(plugpkg_context *ctx, const char *name)
{
	PP_AUTO_FREE char *dir = pp_asprintf("var/trust/%s", name);

	PP_IGNORE(
	    pp_rm_rf_at(ctx->root_fd, dir)); /* no fact: a later source of the name replaces it */
}

static enum plugpkg_code
refresh(plugpkg_context *ctx, struct pp_net *net, const struct pp_source *source, pp_json *row,
    plugpkg_error **err)
{
	PP_AUTO(catalog) struct pp_catalog *catalog = NULL;
	enum plugpkg_code rc = pp_catalog_open(ctx, source, net, &catalog, err);

	return rc == PLUGPKG_OK ? pp_catalog_refresh(catalog, row, err) : rc;
}

/* The member of "sources" that plugpkg.json has for a name; borrowed. */
static pp_json *
source_json(const plugpkg_context *ctx, const char *name)
{
	const pp_json *all = pp_json_get(ctx->config->json, "sources");

	for (size_t i = 0; i < pp_json_len(all); i++) {
		pp_json *one = pp_json_at(all, i);
		const char *its = pp_json_get_str(one, "name");
		if (its != NULL && strcmp(its, name) == 0)
			return one;
	}
	return NULL;
}

/*
 * Trust first, then a complete refresh; plugpkg.json comes last, so a failure leaves it as it was.
 */
static enum plugpkg_code
add_source(
    plugpkg_context *ctx, const struct pp_source *source, const char *key, plugpkg_error **err)
{
	PP_AUTO_SOURCES struct pp_sources_open open = PP_SOURCES_OPEN_INIT;
	char fingerprint[72];
	PP_AUTO_JSON pp_json *row = pp_row_new("update");
	enum plugpkg_code rc = pp_sources_net(ctx, &open, err);

	if (rc == PLUGPKG_OK)
		rc = pp_source_trust(ctx, open.net, source, key, fingerprint, err);
	if (rc == PLUGPKG_OK)
		rc = refresh(ctx, open.net, source, row, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_config_add_source(ctx->config, source);
	pp_json *json = source_json(ctx, source->name);
	if (json != NULL)
		pp_config_trust(ctx->config, json, fingerprint);
	return pp_root_write_config(ctx, err);
}

static void PP_PRINTF(3, 4) note(plugpkg_context *ctx, const char *what, const char *fmt, ...)
{
	PP_CLEANUP(pp_notes_fini) struct pp_notes notes = { 0 };
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
	va_list ap;

	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	pp_notes_add(&notes, NULL, "%s", pp_buf_cstr(&text));
	pp_history_note_done(ctx, what, &notes);
}

static void
warn_of_login(plugpkg_context *ctx, const struct plugpkg_source_spec *spec)
{
	struct stat st;

	if (fstatat(ctx->root_fd, "plugpkg.json", &st, 0) < 0 || (st.st_mode & 0044) == 0)
		return;
	for (size_t i = 0; i < spec->n_urls; i++) {
		if (!pp_url_has_user(spec->urls[i]))
			continue;
		PP_AUTO_FREE char *shown = pp_url_redacted(spec->urls[i]);
		pp_warn(ctx, NULL,
		    "the login for '%s' stands in '%s/plugpkg.json', which others can read; take "
		    "that from them (chmod 600), or keep the login in ~/.netrc",
		    shown, ctx->root);
		return;
	}
}

enum plugpkg_code
plugpkg_source_add(
    plugpkg_context *ctx, const struct plugpkg_source_spec *spec, plugpkg_error **err)
{
	PP_AUTO_FREE char *what = pp_asprintf("source add %s", spec->name);
	enum plugpkg_code rc = check_spec(ctx, spec, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	rc = pp_lock(ctx, what, err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	rc = check_spec(ctx, spec, err); /* plugpkg.json may have changed while we waited */
	if (rc != PLUGPKG_OK)
		return rc;

	PP_CLEANUP(pp_source_fini) struct pp_source source = { .priority = spec->priority };
	source.name = pp_xstrdup(spec->name);
	for (size_t i = 0; i < spec->n_urls; i++)
		pp_strs_add(&source.urls, spec->urls[i]);
	for (size_t i = 0; i < spec->n_names; i++)
		pp_strs_add(&source.names, spec->names[i]);
	forget_trust(ctx, spec->name);
	rc = add_source(ctx, &source, spec->key, err);
	if (rc != PLUGPKG_OK) {
		forget_trust(ctx, spec->name);
		return rc;
	}
	warn_of_login(ctx, spec);
	PP_AUTO_FREE char *url = pp_url_redacted(spec->urls[0]);
	note(ctx, what, "source %s was added: %s, priority %d", spec->name, url, spec->priority);
	return rc;
}

enum plugpkg_code
plugpkg_source_remove(plugpkg_context *ctx, const char *name, plugpkg_error **err)
{
	PP_AUTO_FREE char *what = pp_asprintf("source remove %s", name);
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	enum plugpkg_code rc = pp_lock(ctx, what, err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	if (!pp_config_remove_source(ctx->config, name)) {
		(void)pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "no source is named '%s'", name);
		return pp_hint(err, PLUGPKG_E_NOT_FOUND, "plugpkg source list shows them");
	}
	rc = pp_root_write_config(ctx, err);
	if (rc != PLUGPKG_OK)
		return rc;
	forget_trust(ctx, name);
	note(ctx, what, "source %s was removed", name);
	return PLUGPKG_OK;
}

/* When the timestamp of the last whole update expires. */
static void
add_expiry(plugpkg_context *ctx, const char *name, pp_json *row)
{
	PP_AUTO_FREE char *file =
	    pp_asprintf("var/trust/%s/" PP_TRUST_VIEW "/timestamp.json", name);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(TIMESTAMP_MAX_BYTES);

	if (pp_read_file_at(ctx->root_fd, file, &text) < 0)
		return;
	PP_AUTO_JSON pp_json *j = pp_json_parse(pp_buf_cstr(&text), text.n, NULL);
	pp_json_set_str(row, "expires", pp_json_get_str(pp_json_get(j, "signed"), "expires"));
}

enum plugpkg_code
plugpkg_source_list(plugpkg_context *ctx, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	(void)err; /* plugpkg.json was read and checked when the root was opened */
	pp_vec_foreach (s, &ctx->config->sources) {
		pp_json *one = pp_row_new("source");
		pp_json *urls = pp_json_array();
		for (size_t i = 0; i < s->urls.n; i++) {
			PP_AUTO_FREE char *url = pp_url_redacted(s->urls.at[i]);
			pp_json_push_str(urls, url);
		}
		pp_json_set_str(one, "name", s->name);
		pp_json_set(one, "urls", urls);
		pp_json_set_int(one, "priority", s->priority);
		if (s->names.n > 0)
			pp_json_set(one, "names",
			    pp_json_ref(pp_json_get(source_json(ctx, s->name), "names")));
		pp_json_set_str(one, "root", pp_json_get_str(source_json(ctx, s->name), "root"));
		add_expiry(ctx, s->name, one);
		pp_row(row, user, one);
	}
	return PLUGPKG_OK;
}

/* ---- update ---- */

/*
 * A root that was made from a plugpkg.json with sources has their fingerprints, but no metadata
 * yet.
 */
static enum plugpkg_code
ensure_trust(
    plugpkg_context *ctx, struct pp_net *net, const struct pp_source *s, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = pp_asprintf("var/trust/%s/root.json", s->name);
	pp_json *json = source_json(ctx, s->name);
	const char *key = pp_json_get_str(json, "root");
	char fingerprint[72];
	int there = pp_exists_at(ctx->root_fd, file);

	if (there == 1)
		return pp_source_check_key(ctx, s, key, err);
	if (there < 0)
		return pp_fail(err, PLUGPKG_E_IO, -there, "cannot read '%s/%s'", ctx->root, file);
	enum plugpkg_code rc = pp_source_trust(ctx, net, s, key, fingerprint, err);
	if (rc != PLUGPKG_OK || key != NULL || json == NULL)
		return rc;
	/* Accepted by somebody just now: plugpkg.json says so from here on, as with source add. */
	pp_config_trust(ctx->config, json, fingerprint);
	return pp_root_write_config(ctx, err);
}

struct updating {
	plugpkg_context *ctx;
	struct pp_net *net;
	plugpkg_row_fn row;
	void *user;
	bool has_news;
	size_t n_ahead; /* sources before this one had their turn, or were asked ahead of it */
};

/* While it is waited for the source whose turn it is, the others' servers answer too. */
static void
ask_ahead(struct updating *u, const struct pp_source *turn)
{
	const struct pp_sources *all = &u->ctx->config->sources;
	size_t next = (size_t)(turn - all->at) + 1;

	if (u->n_ahead < next)
		u->n_ahead = next;
	while (u->n_ahead < all->n && pp_catalog_ask_ahead(u->ctx, &all->at[u->n_ahead], u->net))
		u->n_ahead++;
}

static enum plugpkg_code
update_one(struct updating *u, const struct pp_source *s, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *one = pp_row_new("update");

	pp_json_set_str(one, "source", s->name);
	enum plugpkg_code rc = ensure_trust(u->ctx, u->net, s, err);
	if (rc == PLUGPKG_OK)
		rc = refresh(u->ctx, u->net, s, one, err);
	if (rc != PLUGPKG_OK)
		return rc;
	u->has_news = u->has_news || pp_json_get_bool(one, "changed");
	pp_row(u->row, u->user, pp_steal(&one));
	return rc;
}

/* Sources are up to date all the same; who plans a change will hear of it again. */
static void
refresh_host(plugpkg_context *ctx)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	if (pp_host_refresh(ctx, &why) != PLUGPKG_OK)
		pp_warn(ctx, NULL, "%s", plugpkg_error_message(why));
}

/* Loading its libraries takes the download helper longer than everything else takes together. */
static void
start_helper(plugpkg_context *ctx, void *user)
{
	struct pp_sources_open *open = user;

	/* Who cannot open the cache is told why below. */
	if (pp_sources_net(ctx, open, NULL) != PLUGPKG_OK)
		return;
	pp_vec_foreach (s, &ctx->config->sources)
		pp_vec_foreach (url, &s->urls)
			pp_net_expect(open->net, *url);
}

/* Many failures name their source themselves. */
static void
warn_of(plugpkg_context *ctx, const struct pp_source *s, const plugpkg_error *why)
{
	PP_AUTO_FREE char *label = pp_asprintf("source '%s'", s->name);
	const char *text = plugpkg_error_message(why);

	if (strstr(text, label) != NULL)
		pp_warn(ctx, NULL, "%s", text);
	else
		pp_warn(ctx, NULL, "%s: %s", label, text);
}

enum plugpkg_code
plugpkg_update(plugpkg_context *ctx, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	PP_AUTO_SOURCES struct pp_sources_open open = PP_SOURCES_OPEN_INIT;
	const struct pp_aside aside = { start_helper, &open };
	enum plugpkg_code rc = pp_lock_aside(ctx, "update", &aside, err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	rc = open.net == NULL ? pp_sources_net(ctx, &open, err) : PLUGPKG_OK;
	if (rc != PLUGPKG_OK)
		return rc;

	/* One that fails does not keep the others old; the first failure is the answer. */
	struct updating u = { .ctx = ctx, .net = open.net, .row = row, .user = user };
	enum plugpkg_code first = PLUGPKG_OK;
	pp_vec_foreach (s, &ctx->config->sources) {
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		if (s == &ctx->config->sources.at[ctx->config->sources.n - 1])
			pp_net_begin_end(open.net);
		ask_ahead(&u, s);
		rc = update_one(&u, s, first == PLUGPKG_OK ? err : &why);
		if (rc == PLUGPKG_E_INTERRUPTED)
			return first == PLUGPKG_OK ? rc : first;
		if (rc != PLUGPKG_OK && first == PLUGPKG_OK)
			first = rc;
		else if (rc != PLUGPKG_OK)
			warn_of(ctx, s, why);
	}
	pp_net_rest(open.net);
	refresh_host(ctx);
	if (u.has_news) /* else the cache is as large as it was */
		pp_cache_trim(ctx);
	return first;
}
