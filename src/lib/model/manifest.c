/* SPDX-License-Identifier: MIT */
/*
 * Reading plugin.json: a table of its fields, each read by one function that says what is wrong
 * with it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/model/field.h"
#include "lib/model/manifest.h"

#define SUMMARY_MAX_BYTES 1000
#define TEXT_MAX_BYTES    65536
#define LINE_MAX_BYTES    2048
#define LIST_MAX          200  /* entries of authors, keywords, tables, post levels */
#define LEVEL_MAX         1000 /* highest post level */
#define PATH_MAX_BYTES    1024
#define PART_MAX_BYTES    255
#define PATH_MAX_DEPTH    64

const char *const pp_script_names[PP_N_SCRIPTS] = {
	[PP_SCRIPT_INSTALL] = "install",
	[PP_SCRIPT_VERIFY] = "verify",
	[PP_SCRIPT_UPGRADE] = "upgrade",
	[PP_SCRIPT_UNINSTALL] = "uninstall",
};

const char *const pp_on_names[PP_N_ON] = {
	[PP_ON_DISABLE] = "disable",
	[PP_ON_ENABLE] = "enable",
	[PP_ON_INSTALL_AFTER] = "install-after",
	[PP_ON_UNINSTALL_AFTER] = "uninstall-after",
	[PP_ON_UNINSTALL_BEFORE] = "uninstall-before",
	[PP_ON_UPGRADE_AFTER] = "upgrade-after",
	[PP_ON_UPGRADE_BEFORE] = "upgrade-before",
};

typedef enum plugpkg_code (*read_fn)(
    const struct pp_fields *f, const char *key, struct pp_manifest *m);

/* ---- paths ---- */

static bool
part_is_valid(struct pp_str part)
{
	if (part.n == 0 || part.n > PART_MAX_BYTES)
		return false;
	if (pp_str_eq(part, ".") || pp_str_eq(part, ".."))
		return false;
	if (part.p[0] == ' ' || part.p[part.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < part.n; i++) {
		if (part.p[i] < 0x20 || part.p[i] > 0x7e || part.p[i] == '\\')
			return false;
	}
	return true;
}

bool
pp_inner_path_valid(struct pp_str path)
{
	struct pp_str part;
	size_t depth = 0;

	if (path.n == 0 || path.n > PATH_MAX_BYTES || path.p[0] == '-')
		return false;
	while (pp_str_cut(&path, '/', &part)) {
		if (++depth > PATH_MAX_DEPTH || !part_is_valid(part))
			return false;
	}
	return true;
}

static enum plugpkg_code
read_path(const struct pp_fields *f, const char *field, const pp_json *j, char **out)
{
	const char *text = pp_json_string(j);

	if (text == NULL)
		return pp_field_kind(f, field, j, "a path inside the plugin");
	if (!pp_inner_path_valid(pp_str_of(text))) {
		PP_AUTO_FREE char *shown = pp_shown(text, strlen(text));
		enum plugpkg_code rc =
		    pp_field_fail(f, field, "'%s' is no path inside the plugin", shown);

		return pp_hint(f->err, rc,
		    "write it relative to plugin.json, without '.' and '..', such as "
		    "scripts/install.sh");
	}
	if (out != NULL)
		*out = pp_xstrdup(text);
	return PLUGPKG_OK;
}

/* ---- texts and lists ---- */

static bool
has_control(const char *s, bool lines_allowed)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c < 0x20 && c != '\t' && !(lines_allowed && (c == '\n' || c == '\r'))) ||
		    c == 0x7f)
			return true;
	}
	return false;
}

static enum plugpkg_code
check_text(
    const struct pp_fields *f, const char *field, const pp_json *j, size_t max, bool lines_allowed)
{
	const char *text = pp_json_string(j);

	if (text == NULL)
		return pp_field_kind(f, field, j, lines_allowed ? "a text" : "a line of text");
	if (strlen(text) > max)
		return pp_field_fail(
		    f, field, "%zu bytes are too many: %zu is the most", strlen(text), max);
	if (has_control(text, lines_allowed)) {
		PP_AUTO_FREE char *shown = pp_shown(text, strlen(text));

		return pp_field_fail(f, field, "'%s' holds a control character: expected %s", shown,
		    lines_allowed ? "plain text" : "one line of plain text");
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_summary(const struct pp_fields *f, const char *key, struct pp_manifest *m)
{
	const pp_json *j = pp_json_get(f->json, key);
	enum plugpkg_code rc = check_text(f, key, j, SUMMARY_MAX_BYTES, false);

	if (rc == PLUGPKG_OK)
		m->summary = pp_xstrdup(pp_json_string(j));
	return rc;
}

static enum plugpkg_code
read_text(const struct pp_fields *f, const char *key, struct pp_manifest *m PP_UNUSED)
{
	return check_text(f, key, pp_json_get(f->json, key), TEXT_MAX_BYTES, true);
}

static enum plugpkg_code
read_line(const struct pp_fields *f, const char *key, struct pp_manifest *m PP_UNUSED)
{
	return check_text(f, key, pp_json_get(f->json, key), LINE_MAX_BYTES, false);
}

static enum plugpkg_code
read_homepage(const struct pp_fields *f, const char *key, struct pp_manifest *m)
{
	const char *text = pp_json_get_str(f->json, key);
	enum plugpkg_code rc = read_line(f, key, m);

	if (rc != PLUGPKG_OK)
		return rc;
	if (!pp_starts_with(text, "https://") && !pp_starts_with(text, "http://")) {
		PP_AUTO_FREE char *shown = pp_shown(text, strlen(text));

		return pp_field_fail(
		    f, key, "'%s' is no web address: expected https://… or http://…", shown);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
check_lines(const struct pp_fields *f, const char *field, const pp_json *j)
{
	if (!pp_json_is(j, PP_JSON_ARRAY))
		return pp_field_kind(f, field, j, "a list of texts");
	if (pp_json_len(j) > LIST_MAX)
		return pp_field_fail(
		    f, field, "%zu entries are too many: %d is the most", pp_json_len(j), LIST_MAX);
	for (size_t i = 0; i < pp_json_len(j); i++) {
		PP_AUTO_FREE char *item = pp_asprintf("%s[%zu]", field, i);
		enum plugpkg_code rc = check_text(f, item, pp_json_at(j, i), LINE_MAX_BYTES, false);

		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_lines(const struct pp_fields *f, const char *key, struct pp_manifest *m PP_UNUSED)
{
	return check_lines(f, key, pp_json_get(f->json, key));
}

static bool
is_word(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 32 && s[0] >= 'a' && s[0] <= 'z' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static enum plugpkg_code
read_type(const struct pp_fields *f, const char *key, struct pp_manifest *m)
{
	const pp_json *j = pp_json_get(f->json, key);
	const char *text = pp_json_string(j);

	if (text == NULL)
		return pp_field_kind(f, key, j, "a word such as \"plugin\"");
	if (!is_word(text)) {
		PP_AUTO_FREE char *shown = pp_shown(text, strlen(text));

		return pp_field_fail(f, key,
		    "'%s' is no type: expected a word of a-z 0-9 - such as \"plugin\"", shown);
	}
	free(m->type);
	m->type = pp_xstrdup(text);
	return PLUGPKG_OK;
}

/* ---- scripts ---- */

static enum plugpkg_code
read_level(const struct pp_fields *f, const char *field, const pp_json *j, bool may_be_always,
    struct pp_levels *out)
{
	PP_AUTO_FREE char *always_field = pp_asprintf("%s.always", field);
	const pp_json *always = pp_json_get(j, "always");
	PP_AUTO_FREE char *level_field = pp_asprintf("%s.level", field);
	PP_AUTO_FREE char *run_field = pp_asprintf("%s.run", field);
	PP_AUTO_FREE char *run = NULL;
	const pp_json *level = pp_json_get(j, "level");

	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, field, j, "an object {\"level\": NUMBER, \"run\": PATH}");
	if (level == NULL)
		return pp_field_missing(f, level_field);
	int64_t number = pp_json_integer(level, -1);

	if (!pp_json_is(level, PP_JSON_INT) || number < 0 || number > LEVEL_MAX)
		return pp_field_kind(f, level_field, level, "a number from 0 to 1000");
	if (pp_json_get(j, "run") == NULL)
		return pp_field_missing(f, run_field);
	if (always != NULL && (!may_be_always || !pp_json_is(always, PP_JSON_BOOL)))
		return pp_field_kind(f, always_field, always,
		    may_be_always ? "true or false" : "nothing: only post-install has it");
	enum plugpkg_code rc = read_path(f, run_field, pp_json_get(j, "run"), &run);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_push(
	    out, ((struct pp_level){ (uint32_t)number, pp_steal(&run), pp_json_is_true(always) }));
	/* Scripts of one level keep the order in which they are written. */
	for (size_t i = out->n - 1; i > 0 && out->at[i - 1].level > out->at[i].level; i--) {
		struct pp_level later = out->at[i - 1];

		out->at[i - 1] = out->at[i];
		out->at[i] = later;
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_levels(const struct pp_fields *f, const char *kind, const pp_json *j, struct pp_levels *out)
{
	PP_AUTO_FREE char *field = pp_asprintf("scripts.%s", kind);

	if (j == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(j, PP_JSON_ARRAY))
		return pp_field_kind(f, field, j, "a list of {\"level\": NUMBER, \"run\": PATH}");
	if (pp_json_len(j) > LIST_MAX)
		return pp_field_fail(
		    f, field, "%zu entries are too many: %d is the most", pp_json_len(j), LIST_MAX);
	for (size_t i = 0; i < pp_json_len(j); i++) {
		PP_AUTO_FREE char *item = pp_asprintf("%s[%zu]", field, i);
		enum plugpkg_code rc =
		    read_level(f, item, pp_json_at(j, i), strcmp(kind, "post-install") == 0, out);

		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_scripts(const struct pp_fields *f, const char *key, struct pp_manifest *m)
{
	const pp_json *j = pp_json_get(f->json, key);

	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, key, j, "an object of scripts");
	for (size_t i = 0; i < PP_N_SCRIPTS; i++) {
		PP_AUTO_FREE char *field = pp_asprintf("%s.%s", key, pp_script_names[i]);
		const pp_json *path = pp_json_get(j, pp_script_names[i]);
		enum plugpkg_code rc = PLUGPKG_OK;

		if (path != NULL)
			rc = read_path(f, field, path, &m->scripts[i]);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	enum plugpkg_code rc =
	    read_levels(f, "post-install", pp_json_get(j, "post-install"), &m->post_install);

	if (rc != PLUGPKG_OK)
		return rc;
	return read_levels(
	    f, "post-uninstall", pp_json_get(j, "post-uninstall"), &m->post_uninstall);
}

/* Where the handler's path goes; NULL for an event that this plugpkg does not know. */
static char **
on_slot(struct pp_manifest *m, const char *event)
{
	for (size_t i = 0; i < PP_N_ON; i++)
		if (strcmp(pp_on_names[i], event) == 0)
			return &m->on[i];
	return NULL;
}

static enum plugpkg_code
read_on(const struct pp_fields *f, const char *key, struct pp_manifest *m)
{
	const pp_json *j = pp_json_get(f->json, key);

	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, key, j, "an object of events and scripts");
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		const char *event = pp_json_iter_key(it);
		PP_AUTO_FREE char *shown = pp_shown(event, strlen(event));
		PP_AUTO_FREE char *field = pp_asprintf("%s.%s", key, shown);

		if (!is_word(event))
			return pp_field_fail(f, key,
			    "'%s' is no event: expected a word such as \"uninstall-before\"",
			    shown);
		enum plugpkg_code rc =
		    read_path(f, field, pp_json_iter_value(it), on_slot(m, event));

		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

/* ---- the rest ---- */

static enum plugpkg_code
read_data(const struct pp_fields *f, const char *key, struct pp_manifest *m PP_UNUSED)
{
	const pp_json *j = pp_json_get(f->json, key);
	const pp_json *tables = pp_json_get(j, "tables");

	const pp_json *snapshot = pp_json_get(j, "snapshot");

	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, key, j, "an object such as {\"tables\": [\"animal\"]}");
	if (snapshot != NULL && !pp_json_is(snapshot, PP_JSON_BOOL))
		return pp_field_kind(f, "data.snapshot", snapshot, "true or false");
	return tables != NULL ? check_lines(f, "data.tables", tables) : PLUGPKG_OK;
}

static enum plugpkg_code
read_network(const struct pp_fields *f, const char *key, struct pp_manifest *m)
{
	const pp_json *j = pp_json_get(f->json, key);

	if (!pp_json_is(j, PP_JSON_BOOL))
		return pp_field_kind(f, key, j, "true or false");
	m->has_network = pp_json_get_bool(f->json, key);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_timeout(const struct pp_fields *f, const char *key, struct pp_manifest *m)
{
	const pp_json *j = pp_json_get(f->json, key);
	int64_t seconds = pp_json_integer(j, 0);

	if (seconds < 1 || seconds > PP_TIMEOUT_MAX_S)
		return pp_field_kind(f, key, j, "seconds from 1 to 86400");
	m->timeout_s = (uint32_t)seconds;
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_extra(const struct pp_fields *f, const char *key, struct pp_manifest *m PP_UNUSED)
{
	const pp_json *j = pp_json_get(f->json, key);

	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, key, j, "an object");
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_release(const struct pp_fields *f, const char *key, struct pp_manifest *m)
{
	return pp_release_read_field(f, key, NULL, m->release);
}

static const struct field {
	const char *key;
	bool is_needed; /* its reader is called though it is missing */
	read_fn read;
} fields[] = {
	{ "name", true, read_release }, /* first: the relations are compared with it */
	{ "version", true, read_release },
	{ "summary", false, read_summary },
	{ "description", false, read_text },
	{ "license", false, read_line },
	{ "homepage", false, read_homepage },
	{ "authors", false, read_lines },
	{ "keywords", false, read_lines },
	{ "type", false, read_type },
	{ "requires", false, read_release },
	{ "recommends", false, read_release },
	{ "suggests", false, read_release },
	{ "conflicts", false, read_release },
	{ "provides", false, read_release },
	{ "replaces", false, read_release },
	{ "os", false, read_release },
	{ "arch", false, read_release },
	{ "min-client", false, read_release },
	{ "parallel", false, read_release },
	{ "scripts", false, read_scripts },
	{ "on", false, read_on },
	{ "data", false, read_data },
	{ "network", false, read_network },
	{ "timeout", false, read_timeout },
	{ "extra", false, read_extra },
};

bool
pp_manifest_next_key(size_t i, const char **out_key)
{
	if (i >= PP_LEN(fields))
		return false;
	*out_key = fields[i].key;
	return true;
}

static void
levels_fini(struct pp_levels *levels)
{
	pp_vec_foreach (level, levels)
		free(level->run);
	pp_vec_free(levels);
}

void
pp_manifest_free(struct pp_manifest *m)
{
	if (m == NULL)
		return;
	pp_json_free(m->json);
	pp_release_free(m->release);
	free(m->summary);
	free(m->type);
	for (size_t i = 0; i < PP_N_SCRIPTS; i++)
		free(m->scripts[i]);
	for (size_t i = 0; i < PP_N_ON; i++)
		free(m->on[i]);
	levels_fini(&m->post_install);
	levels_fini(&m->post_uninstall);
	free(m);
}

/* An empty manifest around JSON, which is moved. */
static enum plugpkg_code
wrap_json(pp_json *json, const char *file, struct pp_manifest **out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *j = json;

	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_BAD_MANIFEST, 0, "%s: expected an object, found %s",
		    file, pp_json_kind_name(j));

	struct pp_manifest *m = pp_xcalloc(1, sizeof(*m));

	m->json = pp_steal(&j);
	m->release = pp_xcalloc(1, sizeof(*m->release));
	m->type = pp_xstrdup("plugin");
	m->timeout_s = PP_TIMEOUT_DEFAULT_S;
	*out = m;
	return PLUGPKG_OK;
}

static enum plugpkg_code
open_manifest(struct pp_str text, const char *file, struct pp_manifest **out, plugpkg_error **err)
{
	struct pp_json_error why;

	if (text.n > PP_MANIFEST_MAX_BYTES)
		return pp_fail(err, PLUGPKG_E_BAD_MANIFEST, 0,
		    "%s: %zu bytes are too many: %d is the most", file, text.n,
		    PP_MANIFEST_MAX_BYTES);

	pp_json *j = pp_json_parse(text.p, text.n, &why);

	if (j == NULL)
		return pp_fail(
		    err, PLUGPKG_E_BAD_MANIFEST, 0, "%s: no valid JSON: %s", file, why.text);
	return wrap_json(j, file, out, err);
}

static enum plugpkg_code
read_field(const struct field *field, const struct pp_fields *f, struct pp_manifest *m)
{
	if (!field->is_needed && pp_json_get(m->json, field->key) == NULL)
		return PLUGPKG_OK;
	return field->read(f, field->key, m);
}

/* text: for the places of mistakes; empty where there is none. */
static enum plugpkg_code
read_fields(struct pp_manifest *m, struct pp_str text, const char *file, plugpkg_error **err)
{
	struct pp_fields f = { m->json, file, PLUGPKG_E_BAD_MANIFEST, err, text, NULL, NULL };
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < PP_LEN(fields); i++)
		rc = read_field(&fields[i], &f, m);
	return rc;
}

enum plugpkg_code
pp_manifest_parse(
    struct pp_str text, const char *file, struct pp_manifest **out, plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	enum plugpkg_code rc = open_manifest(text, file, &m, err);

	if (rc == PLUGPKG_OK && m != NULL)
		rc = read_fields(m, text, file, err);
	*out = rc == PLUGPKG_OK ? pp_steal(&m) : NULL;
	return rc;
}

enum plugpkg_code
pp_manifest_of(const pp_json *json, const char *file, struct pp_manifest **out, plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	enum plugpkg_code rc = wrap_json(pp_json_ref(json), file, &m, err);

	if (rc == PLUGPKG_OK && m != NULL)
		rc = read_fields(m, (struct pp_str){ NULL, 0 }, file, err);
	*out = rc == PLUGPKG_OK ? pp_steal(&m) : NULL;
	return rc;
}

struct pp_manifest *
pp_manifest_check(struct pp_str text, const char *file, pp_manifest_fault_fn fn, void *user)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (open_manifest(text, file, &m, &err) != PLUGPKG_OK || m == NULL) {
		fn(err, user);
		return NULL;
	}
	for (size_t i = 0; i < PP_LEN(fields); i++) {
		PP_AUTO_ERROR plugpkg_error *fault = NULL;
		struct pp_fields f = { m->json, file, PLUGPKG_E_BAD_MANIFEST, &fault, text, NULL,
			NULL };

		if (read_field(&fields[i], &f, m) != PLUGPKG_OK)
			fn(fault, user);
	}
	return pp_steal(&m);
}
