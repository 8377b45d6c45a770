/* SPDX-License-Identifier: MIT */
/* Reading plugpkg.json, and editing it without touching what is not ours. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/model/config.h"
#include "lib/model/field.h"
#include "lib/model/name.h"

#define CONFIG_MAX_BYTES (4 * 1024 * 1024)
#define SOURCES_MAX      100
#define URLS_MAX         100
#define URL_MAX_BYTES    2048
#define PRIORITY_MAX     1000000
#define PRIORITY_USUAL   500
#define NAME_USUAL       "application"

PP_DEFINE_AUTO(config, struct pp_config, pp_config_free);

static void
source_fini(struct pp_source *s)
{
	free(s->name);
	pp_strs_fini(&s->urls);
}

void
pp_config_free(struct pp_config *c)
{
	if (c == NULL)
		return;
	pp_json_free(c->json);
	free(c->name);
	pp_deps_fini(&c->provides);
	pp_deps_fini(&c->plugins);
	pp_vec_foreach (s, &c->sources)
		source_fini(s);
	pp_vec_free(&c->sources);
	free(c);
}

/* ---- reading ---- */

static enum plugpkg_code
read_name(const struct pp_fields *f, struct pp_config *c)
{
	const pp_json *j = pp_json_get(f->json, "name");
	const char *text = pp_json_string(j);

	if (j == NULL) {
		c->name = pp_xstrdup(NAME_USUAL);
		return PLUGPKG_OK;
	}
	if (text == NULL || text[0] == '\0')
		return pp_field_kind(f, "name", j, "the application's name");
	c->name = pp_xstrdup(text);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_provided(
    const struct pp_fields *f, const char *name, const pp_json *value, struct pp_deps *out)
{
	PP_AUTO_FREE char *shown = pp_shown(name, strlen(name));
	PP_AUTO_FREE char *field = pp_asprintf("provides.%s", name);
	const char *text = pp_json_string(value);

	if (!pp_name_is_host(name)) {
		enum plugpkg_code rc =
		    pp_field_fail(f, field, "'%s' is no name that an application provides", shown);

		return pp_hint(f->err, rc, "write host:NAME, such as \"host:mishka\": \"0.1.2\"");
	}
	if (text == NULL)
		return pp_field_kind(f, field, value, "a version such as \"1.2.0\"");

	struct pp_dep *dep = pp_vec_new(out);

	dep->name = pp_xstrdup(name);
	dep->text = pp_xstrdup(text);
	if (pp_version_parse(pp_str_of(text), &dep->version, f->err) != PLUGPKG_OK)
		return pp_field_wrap(f, field);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_provides(const struct pp_fields *f, struct pp_config *c)
{
	const pp_json *j = pp_json_get(f->json, "provides");

	if (j == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, "provides", j, "an object of host: names and versions");
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		enum plugpkg_code rc =
		    read_provided(f, pp_json_iter_key(it), pp_json_iter_value(it), &c->provides);

		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_plugin(const struct pp_fields *f, const char *name, const pp_json *value, struct pp_deps *out)
{
	PP_AUTO_FREE char *field = pp_asprintf("plugins.%s", name);
	const char *text = pp_json_string(value);

	if (!pp_key_valid(pp_str_of(name)) && pp_name_check(pp_str_of(name), f->err) != PLUGPKG_OK)
		return pp_field_wrap(f, field);
	if (text == NULL)
		return pp_field_kind(f, field, value, "a range such as \"^1.2\" or \"*\"");

	struct pp_dep *dep = pp_vec_new(out);

	dep->name = pp_xstrdup(name);
	dep->text = pp_xstrdup(text);
	if (pp_range_parse(pp_str_of(text), &dep->range, f->err) != PLUGPKG_OK)
		return pp_field_wrap(f, field);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_plugins(const struct pp_fields *f, struct pp_config *c)
{
	const pp_json *j = pp_json_get(f->json, "plugins");

	if (j == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, "plugins", j, "an object of names and ranges");
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		enum plugpkg_code rc =
		    read_plugin(f, pp_json_iter_key(it), pp_json_iter_value(it), &c->plugins);

		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

/* A first look: what an URL has to be in full is the business of the network layer. */
static bool
url_looks_sound(const char *url)
{
	size_t n = strlen(url);

	if (n > URL_MAX_BYTES)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (url[i] <= 0x20 || url[i] > 0x7e)
			return false;
	}
	return pp_starts_with(url, "file:///") || pp_starts_with(url, "http://") ||
	       pp_starts_with(url, "https://");
}

static enum plugpkg_code
bad_url(const struct pp_fields *f, const char *urls_field, size_t i, const pp_json *j)
{
	PP_AUTO_FREE char *field = pp_asprintf("%s[%zu]", urls_field, i);

	return pp_field_kind(f, field, j, "a URL that begins with https://, http:// or file:///");
}

static enum plugpkg_code
read_urls(const struct pp_fields *f, const char *field, const pp_json *j, struct pp_source *s)
{
	PP_AUTO_FREE char *urls_field = pp_asprintf("%s.urls", field);

	if (j == NULL)
		return pp_field_missing(f, urls_field);
	if (!pp_json_is(j, PP_JSON_ARRAY) || pp_json_len(j) == 0)
		return pp_field_kind(f, urls_field, j, "a list of one URL or more");
	if (pp_json_len(j) > URLS_MAX)
		return pp_field_fail(f, urls_field, "%zu entries are too many: %d is the most",
		    pp_json_len(j), URLS_MAX);
	for (size_t i = 0; i < pp_json_len(j); i++) {
		const char *url = pp_json_string(pp_json_at(j, i));

		if (url == NULL || !url_looks_sound(url))
			return bad_url(f, urls_field, i, pp_json_at(j, i));
		pp_strs_add(&s->urls, url);
	}
	return PLUGPKG_OK;
}

/* A fingerprint only: a path to a key would be read by whoever runs the next update. */
static enum plugpkg_code
check_root(const struct pp_fields *f, const char *field, const pp_json *j)
{
	PP_AUTO_FREE char *root_field = pp_asprintf("%s.root", field);
	const char *text = pp_json_string(j);

	if (j == NULL || (text != NULL && pp_starts_with(text, "sha256:") &&
			     pp_is_sha256(text + strlen("sha256:"))))
		return PLUGPKG_OK;
	return pp_field_kind(f, root_field, j, "\"sha256:\" and 64 lower-case hexadecimal digits");
}

static enum plugpkg_code
read_source(const struct pp_fields *f, const char *field, const pp_json *j, struct pp_source *s)
{
	PP_AUTO_FREE char *name_field = pp_asprintf("%s.name", field);
	PP_AUTO_FREE char *priority_field = pp_asprintf("%s.priority", field);
	const pp_json *priority = pp_json_get(j, "priority");
	const char *name = pp_json_get_str(j, "name");

	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, field, j, "an object with \"name\" and \"urls\"");
	if (pp_json_get(j, "name") == NULL)
		return pp_field_missing(f, name_field);
	if (name == NULL || !pp_source_name_valid(pp_str_of(name)))
		return pp_field_kind(
		    f, name_field, pp_json_get(j, "name"), "1 to 64 characters of a-z 0-9 -");
	s->name = pp_xstrdup(name);
	s->priority = PRIORITY_USUAL;
	if (priority != NULL) {
		int64_t number = pp_json_integer(priority, PRIORITY_MAX + 1);

		if (number < -PRIORITY_MAX || number > PRIORITY_MAX)
			return pp_field_kind(f, priority_field, priority, "a number such as 500");
		s->priority = (int)number;
	}
	enum plugpkg_code rc = check_root(f, field, pp_json_get(j, "root"));
	return rc == PLUGPKG_OK ? read_urls(f, field, pp_json_get(j, "urls"), s) : rc;
}

static enum plugpkg_code
read_sources(const struct pp_fields *f, struct pp_config *c)
{
	const pp_json *j = pp_json_get(f->json, "sources");

	if (j == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(j, PP_JSON_ARRAY))
		return pp_field_kind(f, "sources", j, "a list of sources");
	if (pp_json_len(j) > SOURCES_MAX)
		return pp_field_fail(f, "sources", "%zu entries are too many: %d is the most",
		    pp_json_len(j), SOURCES_MAX);
	for (size_t i = 0; i < pp_json_len(j); i++) {
		PP_AUTO_FREE char *field = pp_asprintf("sources[%zu]", i);
		struct pp_source s = { 0 };
		enum plugpkg_code rc = read_source(f, field, pp_json_at(j, i), &s);

		if (rc == PLUGPKG_OK && pp_config_source(c, s.name) != NULL)
			rc = pp_field_fail(f, field, "there is a source '%s' already", s.name);
		if (rc != PLUGPKG_OK) {
			source_fini(&s);
			return rc;
		}
		pp_vec_push(&c->sources, s);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_settings(const struct pp_fields *f)
{
	const pp_json *j = pp_json_get(f->json, "settings");

	if (j == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, "settings", j, "an object of texts");
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		const char *key = pp_json_iter_key(it);
		PP_AUTO_FREE char *shown = pp_shown(key, strlen(key));
		PP_AUTO_FREE char *field = pp_asprintf("settings.%s", key);
		size_t n = strlen(key);

		/* They become variables of the scripts' environment. */
		if (n == 0 || (key[0] >= '0' && key[0] <= '9') ||
		    strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != n)
			return pp_field_fail(
			    f, field, "'%s' is no name of a setting: expected A-Z 0-9 _", shown);
		if (!pp_json_is(pp_json_iter_value(it), PP_JSON_STRING))
			return pp_field_kind(f, field, pp_json_iter_value(it), "a text");
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_config(const struct pp_fields *f, struct pp_config *c)
{
	enum plugpkg_code rc = read_name(f, c);

	if (rc == PLUGPKG_OK)
		rc = read_provides(f, c);
	if (rc == PLUGPKG_OK)
		rc = read_sources(f, c);
	if (rc == PLUGPKG_OK)
		rc = read_plugins(f, c);
	if (rc == PLUGPKG_OK)
		rc = read_settings(f);
	if (rc == PLUGPKG_OK)
		rc = pp_log_rules_read(f, &c->log);
	return rc;
}

enum plugpkg_code
pp_config_parse(struct pp_str text, const char *file, struct pp_config **out, plugpkg_error **err)
{
	PP_AUTO(config) struct pp_config *c = NULL;
	struct pp_json_error why;

	*out = NULL;
	if (text.n > CONFIG_MAX_BYTES)
		return pp_fail(err, PLUGPKG_E_BAD_CONFIG, 0,
		    "%s: %zu bytes are too many: %d is the most", file, text.n, CONFIG_MAX_BYTES);

	PP_AUTO_JSON pp_json *j = pp_json_parse(text.p, text.n, &why);

	if (j == NULL)
		return pp_fail(
		    err, PLUGPKG_E_BAD_CONFIG, 0, "%s: no valid JSON: %s", file, why.text);
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_BAD_CONFIG, 0, "%s: expected an object, found %s",
		    file, pp_json_kind_name(j));
	c = pp_xcalloc(1, sizeof(*c));
	c->json = pp_steal(&j);

	struct pp_fields f = { c->json, file, PLUGPKG_E_BAD_CONFIG, err, text };
	enum plugpkg_code rc = read_config(&f, c);

	if (rc == PLUGPKG_OK)
		*out = pp_steal(&c);
	return rc;
}

char *
pp_config_text(const struct pp_config *c)
{
	return pp_json_pretty(c->json);
}

/* ---- editing ---- */

static pp_json *
member(struct pp_config *c, const char *key, pp_json *(*make)(void))
{
	if (pp_json_get(c->json, key) == NULL)
		pp_json_set(c->json, key, make());
	return pp_json_get(c->json, key);
}

static void
dep_fini(struct pp_dep *dep)
{
	free(dep->name);
	free(dep->text);
	pp_range_free(dep->range);
	pp_version_fini(&dep->version);
}

static struct pp_dep *
wanted(struct pp_config *c, const char *name)
{
	pp_vec_foreach (dep, &c->plugins) {
		if (strcmp(dep->name, name) == 0)
			return dep;
	}
	return NULL;
}

void
pp_config_want(struct pp_config *c, const char *name, const char *range)
{
	struct pp_dep *dep = wanted(c, name);
	struct pp_dep new_dep = { .name = pp_xstrdup(name), .text = pp_xstrdup(range) };

	/*
	 * The caller has parsed the range before; a bad one only leaves range NULL, which means
	 * any.
	 */
	(void)pp_range_parse(pp_str_of(range), &new_dep.range, NULL);
	if (dep == NULL)
		dep = pp_vec_new(&c->plugins);
	else
		dep_fini(dep);
	*dep = new_dep;
	pp_json_set_str(member(c, "plugins", pp_json_object), name, range);
}

void
pp_config_unwant(struct pp_config *c, const char *name)
{
	struct pp_dep *dep = wanted(c, name);

	if (dep == NULL)
		return;
	dep_fini(dep);
	memmove(dep, dep + 1, (size_t)(c->plugins.at + c->plugins.n - dep - 1) * sizeof(*dep));
	c->plugins.n--;
	pp_json_del(pp_json_get(c->json, "plugins"), name);
}

const struct pp_source *
pp_config_source(const struct pp_config *c, const char *name)
{
	pp_vec_foreach (s, &c->sources) {
		if (strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

void
pp_config_add_source(struct pp_config *c, const struct pp_source *s)
{
	struct pp_source *copy = pp_vec_new(&c->sources);
	pp_json *j = pp_json_object(), *urls = pp_json_array();

	copy->name = pp_xstrdup(s->name);
	copy->priority = s->priority;
	for (size_t i = 0; i < s->urls.n; i++) {
		pp_strs_add(&copy->urls, s->urls.at[i]);
		pp_json_push_str(urls, s->urls.at[i]);
	}
	pp_json_set_str(j, "name", s->name);
	pp_json_set(j, "urls", urls);
	pp_json_set_int(j, "priority", s->priority);
	pp_json_push(member(c, "sources", pp_json_array), j);
}

bool
pp_config_remove_source(struct pp_config *c, const char *name)
{
	const pp_json *old = pp_json_get(c->json, "sources");
	pp_json *kept = NULL;
	size_t n = 0;

	if (pp_config_source(c, name) == NULL)
		return false;
	kept = pp_json_array();
	for (size_t i = 0; i < pp_json_len(old); i++) {
		const char *other = pp_json_get_str(pp_json_at(old, i), "name");

		if (other == NULL || strcmp(other, name) != 0)
			pp_json_push(kept, pp_json_ref(pp_json_at(old, i)));
	}
	pp_json_set(c->json, "sources", kept);
	for (size_t i = 0; i < c->sources.n; i++) {
		if (strcmp(c->sources.at[i].name, name) == 0)
			source_fini(&c->sources.at[i]);
		else
			c->sources.at[n++] = c->sources.at[i];
	}
	c->sources.n = n;
	return true;
}
