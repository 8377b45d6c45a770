/* SPDX-License-Identifier: MIT */
/* The members of a manifest and of a planning row that resolution needs, read by the same code. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "lib/model/field.h"
#include "lib/model/name.h"
#include "lib/model/release.h"

#define PLATFORM_MAX       32 /* entries of os, of arch */
#define PLATFORM_MAX_BYTES 32
#define FEW_DEPS           8 /* up to here a look through is as quick */

/* What the names in a relation may be, and what stands beside them. */
enum relation_flags {
	HOST_NAMES = 1 << 0, /* host: names are welcome */
	NOT_SELF = 1 << 1,
	VERSIONS = 1 << 2, /* versions or "", instead of ranges */
};

struct relation {
	const char *key;
	size_t offset; /* of the struct pp_deps in a release */
	unsigned flags;
};
static const struct relation relations[] = {
	{ "requires", offsetof(struct pp_release, requires), HOST_NAMES | NOT_SELF },
	{ "recommends", offsetof(struct pp_release, recommends), NOT_SELF },
	{ "suggests", offsetof(struct pp_release, suggests), NOT_SELF },
	{ "conflicts", offsetof(struct pp_release, conflicts), HOST_NAMES },
	{ "provides", offsetof(struct pp_release, provides), VERSIONS },
	{ "replaces", offsetof(struct pp_release, replaces), NOT_SELF },
};

/* The order of a planning row. "published" is no matter of the manifest: the publisher adds it. */
static const char *const row_members[] = {
	"version",
	"requires",
	"recommends",
	"suggests",
	"conflicts",
	"provides",
	"replaces",
	"os",
	"arch",
	"min-client",
	"parallel",
};

static struct pp_deps *
relation_of(struct pp_release *r, const struct relation *rel)
{
	return (struct pp_deps *)(void *)((char *)r + rel->offset);
}

static const struct pp_deps *
relation_in(const struct pp_release *r, const struct relation *rel)
{
	return (const struct pp_deps *)(const void *)((const char *)r + rel->offset);
}

void
pp_dep_fini(struct pp_dep *dep)
{
	free(dep->name);
	free(dep->text);
	pp_range_free(dep->range);
	pp_version_fini(&dep->version);
}

void
pp_deps_fini(struct pp_deps *d)
{
	pp_vec_foreach (dep, d)
		pp_dep_fini(dep);
	pp_vec_free(d);
}

/* Where the names are sorted, as plugpkg writes them; no name stands twice in any case. */
static const struct pp_dep *
find_sorted(const struct pp_deps *d, const char *name)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(d->at[middle].name, name);
		if (order == 0)
			return &d->at[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct pp_dep *
pp_deps_get(const struct pp_deps *d, const char *name)
{
	const struct pp_dep *found = d->n > FEW_DEPS ? find_sorted(d, name) : NULL;

	if (found != NULL)
		return found;
	/* Looked through for each plugin of a root: most names differ in their first letter. */
	pp_vec_foreach (dep, d)
		if (dep->name[0] == name[0] && strcmp(dep->name, name) == 0)
			return dep;
	return NULL;
}

void
pp_release_detach(struct pp_release *r, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < r->requires.n; i++) {
		struct pp_dep *dep = &r->requires.at[i];

		if (strcmp(dep->name, name) != 0)
		r->requires.at[n++] = *dep;
		else if (r->arena == NULL) pp_dep_fini(dep);
	}
	r->requires.n = n;
}

void
pp_release_free(struct pp_release *r)
{
	if (r == NULL)
		return;
	if (r->arena != NULL) {
		pp_arena_drop(r->arena);
		return;
	}
	for (size_t i = 0; i < PP_LEN(relations); i++)
		pp_deps_fini(relation_of(r, &relations[i]));
	free(r->name);
	pp_version_fini(&r->version);
	pp_strs_fini(&r->os);
	pp_strs_fini(&r->arch);
	free(r->min_client);
	free(r->key);
	free(r);
}

void
pp_releases_fini(struct pp_releases *r)
{
	pp_vec_foreach (release, r)
		pp_release_free(*release);
	pp_vec_free(r);
}

/* ---- reading ---- */

static char *
keep(const struct pp_fields *f, const char *text)
{
	return text != NULL ? pp_arena_text(f->arena, text, strlen(text)) : NULL;
}

static enum plugpkg_code
read_name(const struct pp_fields *f, struct pp_release *r, const char *name)
{
	const pp_json *j = pp_json_get(f->json, "name");

	if (j == NULL && name == NULL) {
		enum plugpkg_code rc = pp_field_missing(f, "name");

		return pp_hint(f->err, rc, "add \"name\": \"NAME\" or \"@SCOPE/NAME\"");
	}
	if (j != NULL && pp_json_string(j) == NULL)
		return pp_field_kind(f, "name", j, "a string");
	const char *text = j != NULL ? pp_json_string(j) : name;
	enum plugpkg_code rc = pp_name_check(pp_str_of(text), f->err);

	if (rc != PLUGPKG_OK)
		return pp_field_wrap(f, "name");
	r->name = keep(f, text);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_version(const struct pp_fields *f, struct pp_release *r)
{
	const pp_json *j = pp_json_get(f->json, "version");

	if (j == NULL) {
		enum plugpkg_code rc = pp_field_missing(f, "version");

		return pp_hint(f->err, rc, "add \"version\": \"1.0.0\"");
	}
	if (pp_json_string(j) == NULL)
		return pp_field_kind(f, "version", j, "a string such as \"1.2.0\"");
	if (pp_version_parse_in(f->arena, pp_str_of(pp_json_string(j)), &r->version, f->err) !=
	    PLUGPKG_OK)
		return pp_field_wrap(f, "version");
	return PLUGPKG_OK;
}

static enum plugpkg_code
check_dep_name(
    const struct pp_fields *f, const struct relation *rel, const char *self, const char *name)
{
	bool is_host = pp_starts_with(name, "host:");

	if (is_host && (rel->flags & HOST_NAMES) == 0)
		return pp_field_fail(
		    f, rel->key, "a host: name may stand in 'requires' and 'conflicts' only");
	if (is_host && !pp_name_is_host(name)) {
		PP_AUTO_FREE char *shown = pp_shown(name, strlen(name));

		return pp_field_fail(
		    f, rel->key, "'%s' is no name of an application: expected host:NAME", shown);
	}
	if (!is_host && pp_name_check(pp_str_of(name), f->err) != PLUGPKG_OK)
		return pp_field_wrap(f, rel->key);
	if ((rel->flags & NOT_SELF) != 0 && self != NULL && strcmp(name, self) == 0)
		return pp_field_fail(f, rel->key, "'%s' is the plugin itself", name);
	return PLUGPKG_OK;
}

/* The range or version of a dependency; OK also for a version that is left open by "". */
static enum plugpkg_code
read_dep_text(
    const struct pp_fields *f, const struct relation *rel, struct pp_dep *dep, const char *text)
{
	if ((rel->flags & VERSIONS) != 0)
		return text[0] == '\0'
			   ? PLUGPKG_OK
			   : pp_version_parse_in(f->arena, pp_str_of(text), &dep->version, f->err);
	if (f->arena != NULL)
		return pp_ranges_parse_in(f->arena, text, &dep->range, f->err);
	return pp_ranges_parse(f->ranges, text, &dep->range, f->err);
}

static enum plugpkg_code
read_dep(
    const struct pp_fields *f, const struct relation *rel, struct pp_dep *dep, const pp_json *value)
{
	const char *text = pp_json_string(value);

	if (text != NULL && read_dep_text(f, rel, dep, text) == PLUGPKG_OK) {
		bool is_there =
		    f->arena != NULL && dep->range != NULL && strcmp(dep->range->text, text) == 0;
		dep->text = is_there ? dep->range->text : keep(f, text);
		return PLUGPKG_OK;
	}
	PP_AUTO_FREE char *field = pp_asprintf("%s.%s", rel->key, dep->name);
	if (text != NULL)
		return pp_field_wrap(f, field);
	return pp_field_kind(f, field, value,
	    (rel->flags & VERSIONS) != 0 ? "a version such as \"1.0\", or \"\" for none"
					 : "a range such as \"^1.2\" or \"*\"");
}

/* The next release of a plugin mostly asks for what the last one did: that was read already. */
static bool
repeat_dep(const struct pp_fields *f, const struct pp_deps *last, const char *name,
    const char *text, struct pp_deps *out)
{
	const struct pp_dep *same = last != NULL ? pp_deps_get(last, name) : NULL;

	if (same == NULL || same->range == NULL || text == NULL || strcmp(same->text, text) != 0)
		return false;
	*pp_vec_new_in(f->arena, out) = *same;
	return true;
}

/* last: the same relation of another release of this plugin, or NULL. */
static enum plugpkg_code
read_relation(const struct pp_fields *f, const struct relation *rel, const char *self,
    const struct pp_deps *last, struct pp_deps *out)
{
	const pp_json *j = pp_json_get(f->json, rel->key);

	if (j == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(f, rel->key, j, "an object of names");
	if (pp_json_len(j) > PP_RELEASE_MAX_DEPS)
		return pp_field_fail(f, rel->key, "%zu entries are too many: %d is the most",
		    pp_json_len(j), PP_RELEASE_MAX_DEPS);
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		const char *name = pp_json_iter_key(it);
		if (repeat_dep(f, last, name, pp_json_string(pp_json_iter_value(it)), out))
			continue;
		enum plugpkg_code rc = check_dep_name(f, rel, self, name);

		if (rc != PLUGPKG_OK)
			return rc;

		struct pp_dep *dep = pp_vec_new_in(f->arena, out);

		dep->name = keep(f, name);
		rc = read_dep(f, rel, dep, pp_json_iter_value(it));
		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

static bool
is_platform_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= PLATFORM_MAX_BYTES &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static enum plugpkg_code
read_platforms(const struct pp_fields *f, const char *key, struct pp_strs *out)
{
	const pp_json *j = pp_json_get(f->json, key);
	const char *want = key[0] == 'o' ? "names such as \"linux\", or \"any\""
					 : "names such as \"x86_64\", or \"any\"";

	if (j == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(j, PP_JSON_ARRAY))
		return pp_field_kind(f, key, j, "a list of names");
	if (pp_json_len(j) > PLATFORM_MAX)
		return pp_field_fail(f, key, "%zu entries are too many: %d is the most",
		    pp_json_len(j), PLATFORM_MAX);
	for (size_t i = 0; i < pp_json_len(j); i++) {
		const char *name = pp_json_string(pp_json_at(j, i));

		if (name == NULL)
			return pp_field_kind(f, key, pp_json_at(j, i), want);
		if (!is_platform_name(name)) {
			PP_AUTO_FREE char *shown = pp_shown(name, strlen(name));

			return pp_field_fail(
			    f, key, "'%s' is no name of a platform: expected %s", shown, want);
		}
		*pp_vec_new_in(f->arena, out) = keep(f, name);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_min_client(const struct pp_fields *f, struct pp_release *r)
{
	const pp_json *j = pp_json_get(f->json, "min-client");
	struct pp_version version = { 0 };

	if (j == NULL)
		return PLUGPKG_OK;
	if (pp_json_string(j) == NULL)
		return pp_field_kind(f, "min-client", j, "a version of plugpkg such as \"1.2\"");
	if (pp_version_parse(pp_str_of(pp_json_string(j)), &version, f->err) != PLUGPKG_OK)
		return pp_field_wrap(f, "min-client");
	pp_version_fini(&version);
	r->min_client = keep(f, pp_json_string(j));
	return PLUGPKG_OK;
}

/* Comes after name and version, of which the key is made. */
static enum plugpkg_code
read_parallel(const struct pp_fields *f, struct pp_release *r)
{
	const pp_json *j = pp_json_get(f->json, "parallel");

	if (j == NULL)
		return PLUGPKG_OK;
	if (pp_json_string(j) == NULL)
		return pp_field_kind(f, "parallel", j, "\"major\"");
	if (strcmp(pp_json_string(j), "major") != 0) {
		PP_AUTO_FREE char *shown = pp_shown(pp_json_string(j), strlen(pp_json_string(j)));

		return pp_field_fail(f, "parallel",
		    "'%s' is nothing that plugins can stand side by side in: expected \"major\"",
		    shown);
	}
	if (r->name == NULL || r->version.text == NULL)
		return PLUGPKG_OK; /* their own mistakes were told already */
	int n = (int)strcspn(r->version.parts, ".");

	if (n > PP_MAJOR_MAX_DIGITS)
		return pp_field_fail(f, "parallel",
		    "the major of %s has more than %d digits, too many for a plugin with parallel "
		    "majors",
		    r->version.text, PP_MAJOR_MAX_DIGITS);
	PP_AUTO_FREE char *key = pp_asprintf("%s@%.*s", r->name, n, r->version.parts);
	r->is_parallel = true;
	if (r->arena == NULL)
		free(r->key);
	r->key = keep(f, key);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_published(const struct pp_fields *f, struct pp_release *r)
{
	const pp_json *j = pp_json_get(f->json, "published");

	if (j == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(j, PP_JSON_INT) || pp_json_integer(j, -1) < 0)
		return pp_field_kind(f, "published", j, "Unix seconds");
	r->published = pp_json_integer(j, 0);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_release_read_field(
    const struct pp_fields *f, const char *key, const char *name, struct pp_release *r)
{
	if (strcmp(key, "name") == 0)
		return read_name(f, r, name);
	if (strcmp(key, "version") == 0)
		return read_version(f, r);
	if (strcmp(key, "os") == 0)
		return read_platforms(f, key, &r->os);
	if (strcmp(key, "arch") == 0)
		return read_platforms(f, key, &r->arch);
	if (strcmp(key, "min-client") == 0)
		return read_min_client(f, r);
	if (strcmp(key, "parallel") == 0)
		return read_parallel(f, r);
	if (strcmp(key, "published") == 0)
		return read_published(f, r);
	for (size_t i = 0; i < PP_LEN(relations); i++) {
		if (strcmp(key, relations[i].key) == 0)
			return read_relation(
			    f, &relations[i], r->name, NULL, relation_of(r, &relations[i]));
	}
	return PLUGPKG_OK;
}

/* last: another release of this plugin, or NULL. */
static enum plugpkg_code
parse(const struct pp_fields *f, const char *name, const struct pp_release *last,
    struct pp_release **out)
{
	PP_AUTO(release) struct pp_release *r = pp_arena_take(f->arena, sizeof(*r));

	*out = NULL;
	r->arena = f->arena;
	if (r->arena != NULL)
		pp_arena_hold(r->arena);
	if (last != NULL && (r->arena == NULL || last->arena != r->arena))
		last = NULL; /* what two share has to go with both */
	if (!pp_json_is(f->json, PP_JSON_OBJECT))
		return pp_fail(f->err, f->code, 0, "%s: expected an object, found %s", f->where,
		    pp_json_kind_name(f->json));
	enum plugpkg_code rc = read_name(f, r, name);

	if (rc == PLUGPKG_OK)
		rc = read_version(f, r);
	for (size_t i = 0; rc == PLUGPKG_OK && i < PP_LEN(relations); i++) {
		const struct relation *rel = &relations[i];
		rc = read_relation(f, rel, r->name, last != NULL ? relation_in(last, rel) : NULL,
		    relation_of(r, rel));
	}
	if (rc == PLUGPKG_OK)
		rc = read_platforms(f, "os", &r->os);
	if (rc == PLUGPKG_OK)
		rc = read_platforms(f, "arch", &r->arch);
	if (rc == PLUGPKG_OK)
		rc = read_min_client(f, r);
	if (rc == PLUGPKG_OK)
		rc = read_parallel(f, r);
	if (rc == PLUGPKG_OK)
		rc = read_published(f, r);
	if (rc == PLUGPKG_OK)
		*out = pp_steal(&r);
	return rc;
}

enum plugpkg_code
pp_release_parse(const pp_json *j, const char *name, const char *where, enum plugpkg_code code,
    struct pp_release **out, plugpkg_error **err)
{
	const struct pp_fields f = { .json = j, .where = where, .code = code, .err = err };

	return parse(&f, name, NULL, out);
}

enum plugpkg_code
pp_release_read(const struct pp_fields *f, const char *name, struct pp_release **out)
{
	return parse(f, name, NULL, out);
}

enum plugpkg_code
pp_release_read_row(const struct pp_fields *f, const char *name, const struct pp_release *last,
    struct pp_release **out)
{
	return parse(f, name, last, out);
}

pp_json *
pp_release_row(const pp_json *manifest)
{
	pp_json *row = pp_json_object();

	for (size_t i = 0; i < PP_LEN(row_members); i++) {
		const pp_json *value = pp_json_get(manifest, row_members[i]);
		bool is_empty =
		    (pp_json_is(value, PP_JSON_OBJECT) || pp_json_is(value, PP_JSON_ARRAY)) &&
		    pp_json_len(value) == 0;

		if (value != NULL && !is_empty)
			pp_json_set(row, row_members[i], pp_json_copy(value));
	}
	return row;
}

/* ---- asking ---- */

const char *
pp_release_key(const struct pp_release *r)
{
	return r->key != NULL ? r->key : r->name;
}

bool
pp_release_satisfies(const struct pp_release *r, const struct pp_dep *dep)
{
	/* What is there counts, prerelease or not; which prereleases get in is decided before. */
	if (strcmp(r->name, dep->name) == 0 &&
	    (dep->range == NULL || pp_range_match(dep->range, &r->version, true)))
		return true;

	const struct pp_dep *provided = pp_deps_get(&r->provides, dep->name);

	if (provided == NULL)
		return false;
	if (dep->range == NULL || pp_range_is_any(dep->range))
		return true;
	return provided->version.text != NULL &&
	       pp_range_match(dep->range, &provided->version, true);
}
