/* SPDX-License-Identifier: MIT */
/* Reading plugpkg.lock strictly: people merge it, and what it says is installed as it stands. */
#include "lib/model/lockfile.h"

#include "base/mem.h"
#include "lib/model/field.h"
#include "lib/model/name.h"

#include <stdlib.h>
#include <string.h>

#define PLUGINS_MAX  100000
#define LINK_MAX     4096
#define DETACHED_MAX 1000 /* as many as a plugin may require */

static void
locked_fini(struct pp_locked *p)
{
	free(p->key);
	free(p->name);
	pp_version_fini(&p->version);
	free(p->source);
	free(p->sha256);
	free(p->link_dir);
	free(p->owner);
	pp_strs_fini(&p->detached);
}

void
pp_lockfile_free(struct pp_lockfile *l)
{
	if (l == NULL)
		return;
	pp_deps_fini(&l->host);
	pp_vec_foreach (p, &l->plugins)
		locked_fini(p);
	pp_vec_free(&l->plugins);
	free(l);
}

const struct pp_locked *
pp_lockfile_get(const struct pp_lockfile *l, const char *key)
{
	size_t low = 0, high = l->plugins.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int d = strcmp(l->plugins.at[middle].key, key);
		if (d == 0)
			return &l->plugins.at[middle];
		if (d < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int
by_key(const void *a, const void *b)
{
	const struct pp_locked *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static int
by_name(const void *a, const void *b)
{
	const struct pp_dep *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void
sort(struct pp_lockfile *l)
{
	pp_vec_sort(&l->host, by_name);
	pp_vec_sort(&l->plugins, by_key);
}

/* ---- reading ---- */

/* Members that this plugpkg does not know are mistakes: a new meaning comes with a new format. */
static enum plugpkg_code
check_members(const struct pp_fields *f, const char *field, const pp_json *j,
    const char *const *known, size_t n_known)
{
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		const char *key = pp_json_iter_key(it);
		bool is_known = false;
		for (size_t i = 0; !is_known && i < n_known; i++)
			is_known = strcmp(known[i], key) == 0;
		if (is_known)
			continue;
		PP_AUTO_FREE char *full = pp_concat(field, *field != '\0' ? "." : "", key);
		return pp_field_fail(f, full, "there is no such field");
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_format(const struct pp_fields *f)
{
	const pp_json *j = pp_json_get(f->json, "format");
	int64_t format = pp_json_integer(j, 0);

	if (j == NULL)
		return pp_field_missing(f, "format");
	if (format > PP_LOCKFILE_FORMAT) {
		enum plugpkg_code rc = pp_field_fail(f, "format",
		    "format %lld is of a newer plugpkg; this one knows %d", (long long)format,
		    PP_LOCKFILE_FORMAT);
		return pp_hint(f->err, rc, "use that plugpkg, or a newer one");
	}
	return format < 1 ? pp_field_kind(f, "format", j, "1") : PLUGPKG_OK;
}

static enum plugpkg_code
read_version(const struct pp_fields *f, const char *field, const pp_json *j, struct pp_version *out)
{
	const char *text = pp_json_string(j);

	if (j == NULL)
		return pp_field_missing(f, field);
	if (text == NULL)
		return pp_field_kind(f, field, j, "a version such as \"1.2.0\"");
	if (pp_version_parse(pp_str_of(text), out, f->err) != PLUGPKG_OK)
		return pp_field_wrap(f, field);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_host(const struct pp_fields *f, struct pp_lockfile *l)
{
	const pp_json *j = pp_json_get(f->json, "host");

	if (j == NULL)
		return pp_field_missing(f, "host");
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, "host", j, "an object of host: names and versions");
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		const char *name = pp_json_iter_key(it);
		PP_AUTO_FREE char *field = pp_concat("host.", name, "");
		if (!pp_name_is_host(name))
			return pp_field_fail(f, field, "only names that begin with host: are here");
		struct pp_dep *d = pp_vec_new(&l->host);
		d->name = pp_xstrdup(name);
		enum plugpkg_code rc = read_version(f, field, pp_json_iter_value(it), &d->version);
		if (rc != PLUGPKG_OK)
			return rc;
		d->text = pp_xstrdup(d->version.text);
	}
	return PLUGPKG_OK;
}

/* The major of a key is that of the version: "auth@2" holds no auth 3.1. */
static enum plugpkg_code
check_major(const struct pp_fields *f, const char *field, const struct pp_locked *p)
{
	const char *major = p->key + strlen(p->name);
	size_t n = strcspn(p->version.parts, ".");

	if (*major == '\0')
		return PLUGPKG_OK;
	major++;
	return strlen(major) == n && memcmp(major, p->version.parts, n) == 0
		   ? PLUGPKG_OK
		   : pp_field_fail(f, field, "version %s does not belong under '%s'",
			 p->version.text, p->key);
}

static enum plugpkg_code
read_text(const struct pp_fields *f, const pp_json *j, const char *field, const char *key,
    const char *want, char **out)
{
	PP_AUTO_FREE char *full = pp_concat(field, ".", key);
	const pp_json *value = pp_json_get(j, key);
	const char *text = pp_json_string(value);

	if (value == NULL)
		return pp_field_missing(f, full);
	bool is_sound = text != NULL && *text != '\0';
	if (is_sound && (strcmp(key, "sha256") == 0 || strcmp(key, "owner") == 0))
		is_sound = pp_is_sha256(text);
	else if (is_sound && strcmp(key, "source") == 0)
		is_sound = pp_source_name_valid(pp_str_of(text));
	else if (is_sound)
		is_sound = *text == '/' && strlen(text) <= LINK_MAX;
	if (!is_sound)
		return pp_field_kind(f, full, value, want);
	*out = pp_xstrdup(text);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_origin(const struct pp_fields *f, const char *field, const pp_json *j, struct pp_locked *p)
{
	static const char *const of_linked[] = { "version", "link", "detached" };
	static const char *const of_fetched[] = { "version", "source", "sha256", "owner",
		"detached" };

	if (pp_json_get(j, "link") != NULL) {
		enum plugpkg_code rc = check_members(f, field, j, of_linked, PP_LEN(of_linked));
		return rc == PLUGPKG_OK ? read_text(f, j, field, "link",
					      "the full path of a directory", &p->link_dir)
					: rc;
	}
	enum plugpkg_code rc = check_members(f, field, j, of_fetched, PP_LEN(of_fetched));
	if (rc == PLUGPKG_OK)
		rc = read_text(f, j, field, "source", "the name of a source", &p->source);
	if (rc == PLUGPKG_OK)
		rc = read_text(
		    f, j, field, "sha256", "64 lower-case hexadecimal digits", &p->sha256);
	if (rc == PLUGPKG_OK && pp_json_get(j, "owner") != NULL)
		rc = read_text(f, j, field, "owner", "64 lower-case hexadecimal digits", &p->owner);
	return rc;
}

static enum plugpkg_code
read_detached(const struct pp_fields *f, const char *field, const pp_json *j, struct pp_locked *p)
{
	PP_AUTO_FREE char *full = pp_concat(field, ".detached", "");
	const pp_json *names = pp_json_get(j, "detached");

	if (names == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(names, PP_JSON_ARRAY) || pp_json_len(names) > DETACHED_MAX)
		return pp_field_kind(f, full, names, "an array of names of plugins");
	for (size_t i = 0; i < pp_json_len(names); i++) {
		const char *name = pp_json_string(pp_json_at(names, i));
		if (name == NULL)
			return pp_field_kind(f, full, pp_json_at(names, i), "the name of a plugin");
		if (pp_name_check(pp_str_of(name), f->err) != PLUGPKG_OK)
			return pp_field_wrap(f, full);
		if (!pp_strs_has(&p->detached, name))
			pp_strs_add(&p->detached, name);
		pp_strs_sort(&p->detached);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_plugin(const struct pp_fields *f, const char *key, const pp_json *j, struct pp_lockfile *l)
{
	struct pp_locked *p = pp_vec_new(&l->plugins);
	p->key = pp_xstrdup(key);
	p->name = pp_key_name(key);

	PP_AUTO_FREE char *field = pp_concat("plugins.", key, "");
	if (pp_name_check(pp_str_of(p->name), f->err) != PLUGPKG_OK)
		return pp_field_wrap(f, field);
	PP_AUTO_FREE char *version_field = pp_concat(field, ".version", "");
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(
		    f, field, j, "an object with \"version\", \"source\" and \"sha256\"");
	enum plugpkg_code rc =
	    read_version(f, version_field, pp_json_get(j, "version"), &p->version);
	if (rc == PLUGPKG_OK)
		rc = check_major(f, field, p);
	if (rc == PLUGPKG_OK)
		rc = read_detached(f, field, j, p);
	return rc == PLUGPKG_OK ? read_origin(f, field, j, p) : rc;
}

static enum plugpkg_code
read_plugins(const struct pp_fields *f, struct pp_lockfile *l)
{
	const pp_json *j = pp_json_get(f->json, "plugins");

	if (j == NULL)
		return pp_field_missing(f, "plugins");
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, "plugins", j, "an object of names and what is locked");
	if (pp_json_len(j) > PLUGINS_MAX)
		return pp_field_fail(f, "plugins", "%zu entries are too many: %d is the most",
		    pp_json_len(j), PLUGINS_MAX);
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		enum plugpkg_code rc =
		    read_plugin(f, pp_json_iter_key(it), pp_json_iter_value(it), l);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

/* The line, from 1, of a marker that a version control system leaves between two sides; or 0. */
static size_t
conflict_line(struct pp_str text)
{
	struct pp_str line;

	for (size_t n = 1; pp_str_cut(&text, '\n', &line); n++)
		if (line.n >= 7 &&
		    (memcmp(line.p, "<<<<<<<", 7) == 0 || memcmp(line.p, ">>>>>>>", 7) == 0))
			return n;
	return 0;
}

static enum plugpkg_code
no_json(struct pp_str text, const char *file, const struct pp_json_error *why, plugpkg_error **err)
{
	size_t line = conflict_line(text);

	if (line == 0)
		return pp_fail(
		    err, PLUGPKG_E_BAD_LOCK, 0, "%s: no valid JSON: %s", file, why->text);
	return pp_fail(err, PLUGPKG_E_BAD_LOCK, 0,
	    "%s: line %zu: two versions of the file were merged and the conflict is still in it",
	    file, line);
}

static enum plugpkg_code
read_lockfile(const struct pp_fields *f, struct pp_lockfile *l)
{
	static const char *const known[] = { "format", "host", "plugins" };
	enum plugpkg_code rc = read_format(f);

	if (rc == PLUGPKG_OK)
		rc = check_members(f, "", f->json, known, PP_LEN(known));
	if (rc == PLUGPKG_OK)
		rc = read_host(f, l);
	return rc == PLUGPKG_OK ? read_plugins(f, l) : rc;
}

enum plugpkg_code
pp_lockfile_parse(
    struct pp_str text, const char *file, struct pp_lockfile **out, plugpkg_error **err)
{
	PP_AUTO(lockfile) struct pp_lockfile *l = pp_lockfile_new();
	struct pp_json_error why;

	*out = NULL;
	if (text.n > PP_LOCKFILE_MAX_BYTES)
		return pp_fail(err, PLUGPKG_E_BAD_LOCK, 0,
		    "%s: %zu bytes are too many: %d is the most", file, text.n,
		    PP_LOCKFILE_MAX_BYTES);
	PP_AUTO_JSON pp_json *j = pp_json_parse(text.p, text.n, &why);
	if (j == NULL)
		return no_json(text, file, &why, err);
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_BAD_LOCK, 0, "%s: expected an object, found %s", file,
		    pp_json_kind_name(j));

	struct pp_fields f = { j, file, PLUGPKG_E_BAD_LOCK, err, text, NULL, NULL };
	enum plugpkg_code rc = read_lockfile(&f, l);
	if (rc != PLUGPKG_OK)
		return rc;
	sort(l);
	*out = pp_steal(&l);
	return PLUGPKG_OK;
}

/* ---- writing ---- */

struct pp_lockfile *
pp_lockfile_new(void)
{
	return pp_xcalloc(1, sizeof(struct pp_lockfile));
}

void
pp_lockfile_add_host(struct pp_lockfile *l, const char *name, const char *version)
{
	struct pp_dep *d = pp_vec_new(&l->host);

	d->name = pp_xstrdup(name);
	d->text = pp_xstrdup(version);
	/* The caller's version is sound; a bad one would only leave the parsed form empty. */
	(void)pp_version_parse(pp_str_of(version), &d->version, NULL);
}

static char *
text_or_null(const char *text)
{
	return text != NULL && *text != '\0' ? pp_xstrdup(text) : NULL;
}

void
pp_lockfile_add(struct pp_lockfile *l, const struct pp_locked_texts *texts)
{
	struct pp_locked *p = pp_vec_new(&l->plugins);

	p->key = pp_xstrdup(texts->key);
	p->name = pp_key_name(texts->key);
	(void)pp_version_parse(pp_str_of(texts->version), &p->version, NULL);
	if (texts->detached != NULL)
		pp_vec_foreach (name, texts->detached)
			pp_strs_add(&p->detached, *name);
	pp_strs_sort(&p->detached);
	p->link_dir = text_or_null(texts->link_dir);
	if (p->link_dir != NULL)
		return;
	p->source = text_or_null(texts->source);
	p->sha256 = text_or_null(texts->sha256);
	p->owner = text_or_null(texts->owner);
}

static pp_json *
names_json(const struct pp_strs *names)
{
	pp_json *j = pp_json_array();

	pp_vec_foreach (name, names)
		pp_json_push_str(j, *name);
	return j;
}

char *
pp_lockfile_text(struct pp_lockfile *l)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();
	pp_json *host = pp_json_object(), *plugins = pp_json_object();

	sort(l);
	pp_json_set_int(j, "format", PP_LOCKFILE_FORMAT);
	pp_vec_foreach (d, &l->host)
		pp_json_set_str(host, d->name, d->version.text);
	pp_json_set(j, "host", host);
	pp_vec_foreach (p, &l->plugins) {
		pp_json *one = pp_json_object();
		pp_json_set_str(one, "version", p->version.text);
		pp_json_set_str(one, "source", p->source);
		pp_json_set_str(one, "sha256", p->sha256);
		pp_json_set_str(one, "owner", p->owner);
		pp_json_set_str(one, "link", p->link_dir);
		if (p->detached.n > 0)
			pp_json_set(one, "detached", names_json(&p->detached));
		pp_json_set(plugins, p->key, one);
	}
	pp_json_set(j, "plugins", plugins);
	return pp_json_pretty(j);
}
