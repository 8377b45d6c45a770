/* SPDX-License-Identifier: MIT */
/* Reading plugpkg.json. Edits of it are made in config_edit.c. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/model/config.h"

#include "lib/model/field.h"
#include "lib/model/name.h"
#include "lib/model/plan.h"
#include "lib/model/scope.h"

#define CONFIG_MAX_BYTES   (4 * 1024 * 1024)
#define SOURCES_MAX        100
#define URLS_MAX           100
#define URL_MAX_BYTES      2048
#define PRIORITY_MAX       1000000
#define PROVIDES_MAX       1000
#define ARGUMENTS_MAX      64
#define ARGUMENT_MAX_BYTES 4096
#define ASK_SECONDS_MAX    300
#define PRIORITY_USUAL     500
#define MIN_AGE_DAYS_MAX   3650
#define NAME_USUAL         "application"

PP_DEFINE_AUTO(config, struct pp_config, pp_config_free);

void
pp_source_fini(struct pp_source *s)
{
	free(s->name);
	pp_strs_fini(&s->urls);
	pp_strs_fini(&s->names);
}

void
pp_config_free(struct pp_config *c)
{
	if (c == NULL)
		return;
	pp_json_free(c->json);
	free(c->text);
	free(c->file);
	free(c->name);
	pp_deps_fini(&c->provides);
	pp_strs_fini(&c->provides_from);
	pp_deps_fini(&c->plugins);
	pp_vec_foreach (s, &c->sources)
		pp_source_fini(s);
	pp_vec_free(&c->sources);
	pp_hooks_fini(c->hooks);
	pp_network_rules_fini(&c->network);
	pp_sandbox_rules_fini(&c->sandbox);
	pp_strs_fini(&c->min_age_except);
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
read_provided(const struct pp_fields *f, const char *field, const char *name, const pp_json *value,
    struct pp_deps *out)
{
	const char *text = pp_json_string(value);

	if (!pp_name_is_host(name)) {
		PP_AUTO_FREE char *shown = pp_shown(name, strlen(name));
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

enum plugpkg_code
pp_config_read_provides(
    const struct pp_fields *f, const char *field, const pp_json *j, struct pp_deps *out)
{
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, field, j, "an object of host: names and versions");
	if (pp_json_len(j) > PROVIDES_MAX)
		return pp_field_fail(f, field, "%zu entries are too many: %d is the most",
		    pp_json_len(j), PROVIDES_MAX);
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		const char *name = pp_json_iter_key(it);
		PP_AUTO_FREE char *member =
		    pp_asprintf("%s%s%s", field, *field != '\0' ? "." : "", name);
		enum plugpkg_code rc = read_provided(f, member, name, pp_json_iter_value(it), out);

		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_provides(const struct pp_fields *f, struct pp_config *c)
{
	const pp_json *j = pp_json_get(f->json, "provides");

	return j != NULL ? pp_config_read_provides(f, "provides", j, &c->provides) : PLUGPKG_OK;
}

/* Below the root, and never out of it: who copies the root copies the command. */
static enum plugpkg_code
check_command(const struct pp_fields *f, const char *field, const pp_json *j)
{
	const char *path = pp_json_string(j);
	bool is_inside = path != NULL && *path != '\0' && *path != '/' && *path != '-';

	for (const char *p = path; is_inside && p != NULL; p = strchr(p, '/')) {
		p += *p == '/';
		size_t n = strcspn(p, "/");
		is_inside =
		    n > 0 && !(n == 1 && p[0] == '.') && !(n == 2 && memcmp(p, "..", 2) == 0);
	}
	return is_inside ? PLUGPKG_OK
			 : pp_field_kind(f, field, j,
			       "a path below this file, such as \"scripts/versions.sh\"");
}

static enum plugpkg_code
read_argument(const struct pp_fields *f, size_t i, const pp_json *j, struct pp_strs *out)
{
	PP_AUTO_FREE char *field = pp_asprintf("provides-from[%zu]", i);
	const char *text = pp_json_string(j);

	if (text == NULL || strlen(text) > ARGUMENT_MAX_BYTES)
		return pp_field_kind(f, field, j, "a text of 4096 bytes at most");
	pp_strs_add(out, text);
	return i == 0 ? check_command(f, field, j) : PLUGPKG_OK;
}

static enum plugpkg_code
read_provides_from(const struct pp_fields *f, struct pp_config *c)
{
	const pp_json *j = pp_json_get(f->json, "provides-from");

	if (j == NULL)
		return PLUGPKG_OK;
	if (pp_json_is(j, PP_JSON_STRING)) {
		pp_strs_add(&c->provides_from, pp_json_string(j));
		return check_command(f, "provides-from", j);
	}
	if (!pp_json_is(j, PP_JSON_ARRAY) || pp_json_len(j) == 0)
		return pp_field_kind(f, "provides-from", j,
		    "a command: its path, or a list of it and its arguments");
	if (pp_json_len(j) > ARGUMENTS_MAX)
		return pp_field_fail(f, "provides-from",
		    "%zu arguments are too many: %d is the most", pp_json_len(j), ARGUMENTS_MAX);
	for (size_t i = 0; i < pp_json_len(j); i++) {
		enum plugpkg_code rc = read_argument(f, i, pp_json_at(j, i), &c->provides_from);

		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_provides_timeout(const struct pp_fields *f, struct pp_config *c)
{
	const pp_json *j = pp_json_get(f->json, "provides-timeout");
	int64_t seconds = pp_json_integer(j, 0);

	c->provides_timeout_s = PP_PROVIDES_TIMEOUT_DEFAULT_S;
	if (j == NULL)
		return PLUGPKG_OK;
	if (seconds < 1 || seconds > ASK_SECONDS_MAX)
		return pp_field_kind(f, "provides-timeout", j, "1 to 300 seconds");
	c->provides_timeout_s = (unsigned)seconds;
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_plugin(const struct pp_fields *f, const char *name, const pp_json *value, struct pp_deps *out)
{
	const char *text = pp_json_string(value);
	struct pp_dep dep = { .name = NULL };
	bool is_name =
	    pp_key_valid(pp_str_of(name)) || pp_name_check(pp_str_of(name), f->err) == PLUGPKG_OK;

	if (is_name && text != NULL &&
	    pp_ranges_parse(f->ranges, text, &dep.range, f->err) == PLUGPKG_OK) {
		dep.name = pp_xstrdup(name);
		dep.text = pp_xstrdup(text);
		pp_vec_push(out, dep);
		return PLUGPKG_OK;
	}
	PP_AUTO_FREE char *field = pp_asprintf("plugins.%s", name);
	return is_name && text == NULL
		   ? pp_field_kind(f, field, value, "a range such as \"^1.2\" or \"*\"")
		   : pp_field_wrap(f, field);
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
	if (strcmp(name, PP_SOURCE_FILE) == 0 || strcmp(name, "link") == 0)
		return pp_field_kind(f, name_field, pp_json_get(j, "name"),
		    "another name: this one stands for what comes from no source");
	s->name = pp_xstrdup(name);
	s->priority = PRIORITY_USUAL;
	if (priority != NULL) {
		int64_t number = pp_json_integer(priority, PRIORITY_MAX + 1);

		if (number < -PRIORITY_MAX || number > PRIORITY_MAX)
			return pp_field_kind(f, priority_field, priority, "a number such as 500");
		s->priority = (int)number;
	}
	PP_AUTO_FREE char *names_field = pp_asprintf("%s.names", field);
	enum plugpkg_code rc = check_root(f, field, pp_json_get(j, "root"));
	if (rc == PLUGPKG_OK)
		rc = pp_scope_read(f, names_field, pp_json_get(j, "names"), &s->names);
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
			pp_source_fini(&s);
			return rc;
		}
		pp_vec_push(&c->sources, s);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_settings(const struct pp_fields *f, struct pp_config *c PP_UNUSED)
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

/* {"days":3,"except":["@acme/x"]}, or the days alone; an exception is a glob. */
static enum plugpkg_code
read_min_age(const struct pp_fields *f, struct pp_config *c)
{
	const pp_json *j = pp_json_get(f->json, "min-age");
	bool is_object = pp_json_is(j, PP_JSON_OBJECT);
	const pp_json *days = is_object ? pp_json_get(j, "days") : j;
	const pp_json *except = is_object ? pp_json_get(j, "except") : NULL;

	if (j == NULL)
		return PLUGPKG_OK;
	int64_t n = pp_json_integer(days, -1);
	if (n < 0 || n > MIN_AGE_DAYS_MAX)
		return pp_field_kind(
		    f, is_object ? "min-age.days" : "min-age", days, "a number of days such as 3");
	c->min_age_days = (int)n;
	if (except != NULL && !pp_json_is(except, PP_JSON_ARRAY))
		return pp_field_kind(f, "min-age.except", except, "a list of names");
	for (size_t i = 0; i < pp_json_len(except); i++) {
		const char *pattern = pp_json_string(pp_json_at(except, i));
		if (pattern == NULL)
			return pp_field_kind(
			    f, "min-age.except", pp_json_at(except, i), "a name, perhaps with a *");
		pp_strs_add(&c->min_age_except, pattern);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_log(const struct pp_fields *f, struct pp_config *c)
{
	return pp_log_rules_read(f, &c->log);
}

static enum plugpkg_code
read_network(const struct pp_fields *f, struct pp_config *c)
{
	return pp_network_rules_read(f, &c->network);
}

static enum plugpkg_code
read_sandbox(const struct pp_fields *f, struct pp_config *c)
{
	return pp_sandbox_rules_read(f, &c->sandbox);
}

static enum plugpkg_code
read_hooks(const struct pp_fields *f, struct pp_config *c)
{
	return pp_hooks_read(f, c->hooks);
}

static enum plugpkg_code
read_config(const struct pp_fields *f, struct pp_config *c)
{
	static enum plugpkg_code (*const readers[])(
	    const struct pp_fields *, struct pp_config *) = {
		read_name,
		read_provides,
		read_provides_from,
		read_provides_timeout,
		read_sources,
		read_plugins,
		read_settings,
		read_min_age,
		read_log,
		read_network,
		read_sandbox,
		read_hooks,
	};

	for (size_t i = 0; i < PP_LEN(readers); i++) {
		enum plugpkg_code rc = readers[i](f, c);

		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

struct pp_fields
pp_config_fields(const struct pp_config *c, plugpkg_error **err)
{
	return (struct pp_fields){
		.json = c->json,
		.where = c->file,
		.code = PLUGPKG_E_BAD_CONFIG,
		.err = err,
		.text = pp_str_of(c->text),
	};
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
	c->text = pp_xstrndup(text.p, text.n);
	c->file = pp_xstrdup(file);

	PP_CLEANUP(pp_ranges_fini) struct pp_ranges ranges = { { NULL } };
	struct pp_fields f = pp_config_fields(c, err);
	f.ranges = &ranges;
	enum plugpkg_code rc = read_config(&f, c);

	if (rc == PLUGPKG_OK)
		*out = pp_steal(&c);
	return rc;
}

bool
pp_config_is_of(const struct pp_config *c, struct pp_str text)
{
	return !c->is_edited && pp_str_eq(text, c->text);
}

char *
pp_config_text(const struct pp_config *c)
{
	return pp_json_pretty(c->json);
}
