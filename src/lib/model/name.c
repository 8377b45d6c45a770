/* SPDX-License-Identifier: MIT */
/* Which names are valid, near names for "did you mean", and what `install` takes as a target. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/model/name.h"

#define SOURCE_NAME_MAX_BYTES 64
#define TARGET_MAX_BYTES      8192
#define KEYS_MAX_BYTES        4096
#define NAME_RULE                                                                                  \
	"a name is NAME or @SCOPE/NAME; each part starts with a lower-case letter or digit and "   \
	"goes on with a-z 0-9 . _ -"

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Why one part (the name, or the scope) is none; NULL when it is. */
static const char *
part_fault(struct pp_str part)
{
	if (part.n == 0)
		return "is empty";
	if (!is_alnum(part.p[0]))
		return "does not start with a lower-case letter or digit";
	for (size_t i = 1; i < part.n; i++) {
		char c = part.p[i];

		if (c >= 'A' && c <= 'Z')
			return "has an upper-case letter";
		if (!is_alnum(c) && c != '.' && c != '_' && c != '-')
			return "has a character that is not allowed";
	}
	return NULL;
}

static const char *
scoped_fault(struct pp_str name)
{
	struct pp_str rest = { name.p + 1, name.n - 1 }, scope, last;

	if (!pp_str_cut(&rest, '/', &scope) || rest.p == NULL)
		return "has a scope but no name after it";
	last = rest;
	if (scope.n == 0)
		return "has an empty scope";
	const char *fault = part_fault(scope);

	return fault != NULL ? fault : part_fault(last);
}

static const char *
name_fault(struct pp_str name)
{
	if (name.n == 0)
		return "is empty";
	if (name.n > PP_NAME_MAX_BYTES)
		return "is longer than 214 bytes";
	if (name.p[0] == '@')
		return scoped_fault(name);
	return part_fault(name);
}

bool
pp_name_valid(struct pp_str name)
{
	return name_fault(name) == NULL;
}

enum plugpkg_code
pp_name_check(struct pp_str name, plugpkg_error **err)
{
	const char *fault = name_fault(name);

	if (fault == NULL)
		return PLUGPKG_OK;

	PP_AUTO_FREE char *shown = pp_shown(name.p, name.n);

	if (pp_starts_with(shown, "host:")) {
		(void)pp_fail(err, PLUGPKG_E_BAD_NAME, 0,
		    "'%s' is no plugin name: it is the application's", shown);
		return pp_hint(err, PLUGPKG_E_BAD_NAME,
		    "the application itself is neither installed, removed nor held; its versions "
		    "stand in plugpkg.json");
	}
	(void)pp_fail(err, PLUGPKG_E_BAD_NAME, 0, "'%s' is no plugin name: it %s", shown, fault);
	return pp_hint(err, PLUGPKG_E_BAD_NAME, "%s", NAME_RULE);
}

bool
pp_name_is_host(const char *name)
{
	static const char prefix[] = "host:";

	if (!pp_starts_with(name, prefix))
		return false;
	return pp_name_valid(pp_str_of(name + sizeof(prefix) - 1));
}

bool
pp_source_name_valid(struct pp_str name)
{
	if (name.n == 0 || name.n > SOURCE_NAME_MAX_BYTES || name.p[0] == '-')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (!is_alnum(name.p[i]) && name.p[i] != '-')
			return false;
	}
	return true;
}

char *
pp_name_flat(const char *name)
{
	char *flat = pp_xstrdup(name[0] == '@' ? name + 1 : name);
	char *slash = strchr(flat, '/');

	if (slash != NULL)
		*slash = '-';
	return flat;
}

/* ---- near names ---- */

struct near_name {
	const char *name;
	size_t distance;
};

static int
near_cmp(const void *pa, const void *pb)
{
	const struct near_name *a = pa, *b = pb;

	if (a->distance != b->distance)
		return a->distance < b->distance ? -1 : 1;
	return strcmp(a->name, b->name);
}

static const char *
last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

size_t
pp_name_near(const char *name, const struct pp_strs *all, const char **out, size_t most)
{
	struct pp_vec_near pp_vec(struct near_name) found = { 0 };
	size_t len = strnlen(name, PP_NAME_MAX_BYTES + 1);
	size_t max = len < 3 ? 1 : len < 8 ? 2 : 3;

	if (len > PP_NAME_MAX_BYTES)
		return 0;
	for (size_t i = 0; i < all->n; i++) {
		const char *other = all->at[i];
		size_t distance = pp_distance(name, other, max);

		/* The scope left out, or another one, is the most usual mistake with scopes. */
		if (distance > max && (other[0] == '@' || name[0] == '@') &&
		    strcmp(last_part(name), last_part(other)) == 0)
			distance = max;
		if (distance <= max)
			pp_vec_push(&found, ((struct near_name){ other, distance }));
	}
	pp_vec_sort(&found, near_cmp);

	size_t n = found.n < most ? found.n : most;

	for (size_t i = 0; i < n; i++)
		out[i] = found.at[i].name;
	pp_vec_free(&found);
	return n;
}

/* ---- keys ---- */

/* Where the range begins: the first '@' that does not open a scope; 0 when there is none. */
static size_t
at_of_range(struct pp_str text)
{
	for (size_t i = 1; i < text.n; i++) {
		if (text.p[i] == '@')
			return i;
	}
	return 0;
}

size_t
pp_key_name_bytes(const char *key)
{
	return *key == '\0' ? 0 : 1 + strcspn(key + 1, "@");
}

char *
pp_key_name(const char *key)
{
	return pp_xstrndup(key, pp_key_name_bytes(key));
}

bool
pp_key_has_major(const char *key)
{
	return key[pp_key_name_bytes(key)] == '@';
}

bool
pp_key_valid(struct pp_str key)
{
	size_t at = at_of_range(key), n = key.n - at - 1;

	if (at == 0)
		return pp_name_valid(key);
	const char *major = key.p + at + 1;
	if (n == 0 || n > PP_MAJOR_MAX_DIGITS || (n > 1 && *major == '0'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (major[i] < '0' || major[i] > '9')
			return false;
	return pp_name_valid((struct pp_str){ key.p, at });
}

enum plugpkg_code
pp_key_ambiguous(const struct pp_strs *keys, const char *name, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf list = PP_BUF_INIT(KEYS_MAX_BYTES);

	pp_vec_foreach (key, keys)
		pp_buf_addf(&list, "%s%s", list.n > 0 ? ", " : "", *key);
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_USAGE, 0,
	    "several majors of '%s' are installed: %s", name, pp_buf_cstr(&list));
	rc = pp_hint(err, rc, "name the one that is meant: %s", keys->at[0]);
	return pp_subject(err, rc, name);
}

/* ---- targets ---- */

/* Where "/SOURCE" begins: the first '/' that is not the one of a scope; n when there is none. */
static size_t
at_of_source(struct pp_str text)
{
	bool in_scope = text.n > 0 && text.p[0] == '@';

	for (size_t i = 1; i < text.n; i++) {
		if (text.p[i] != '/')
			continue;
		if (!in_scope)
			return i;
		in_scope = false;
	}
	return text.n;
}

static enum plugpkg_code
check_source(struct pp_str name, struct pp_str source, plugpkg_error **err)
{
	const char *at = memchr(source.p, '@', source.n);
	enum plugpkg_code rc = PLUGPKG_OK;

	if (pp_source_name_valid(source))
		return PLUGPKG_OK;
	PP_AUTO_FREE char *shown = pp_shown(source.p, source.n);
	rc = pp_fail(err, PLUGPKG_E_BAD_NAME, 0,
	    "'%s' after the '/' is no name of a source: such a name is 1 to 64 characters of a-z "
	    "0-9 -",
	    shown);
	if (at != NULL)
		return pp_hint(err, rc, "the range comes first: %.*s%.*s/%.*s", (int)name.n, name.p,
		    (int)(source.p + source.n - at), at, (int)(at - source.p), source.p);
	return pp_hint(err, rc, "a file or directory is written with a path: ./%.*s/%s",
	    (int)name.n, name.p, shown);
}

/* NAME and what follows it; a bad one is refused here. */
static enum plugpkg_code
split_target(struct pp_str whole, struct pp_str *name, struct pp_str *range, struct pp_str *source,
    plugpkg_error **err)
{
	size_t slash = at_of_source(whole), at = at_of_range((struct pp_str){ whole.p, slash });

	*name = (struct pp_str){ whole.p, at > 0 ? at : slash };
	if (at > 0)
		*range = pp_str_trim((struct pp_str){ whole.p + at + 1, slash - at - 1 });
	if (slash < whole.n)
		*source = (struct pp_str){ whole.p + slash + 1, whole.n - slash - 1 };
	return source->p != NULL ? check_source(*name, *source, err) : PLUGPKG_OK;
}

/* As apt and pip write versions. */
static enum plugpkg_code
check_target_name(struct pp_str name, plugpkg_error **err)
{
	struct pp_str version = name, before;

	if (!pp_str_cut(&version, '=', &before) || version.p == NULL || !pp_name_valid(before))
		return pp_name_check(name, err);
	while (version.n > 0 && version.p[0] == '=')
		version = (struct pp_str){ version.p + 1, version.n - 1 };
	PP_AUTO_FREE char *shown = pp_shown(name.p, name.n);
	PP_AUTO_FREE char *range = pp_shown(version.p, version.n);
	enum plugpkg_code rc =
	    pp_fail(err, PLUGPKG_E_BAD_NAME, 0, "'%s' is no plugin name: it has a '='", shown);

	return pp_hint(err, rc, "a version is written %.*s@%s", (int)before.n, before.p,
	    version.n > 0 ? range : "RANGE");
}

enum plugpkg_code
pp_target_parse(const char *text, struct pp_target *out, plugpkg_error **err)
{
	struct pp_str whole = { text, strnlen(text, TARGET_MAX_BYTES + 1) };
	struct pp_str name, range = { NULL, 0 }, source = { NULL, 0 };
	bool is_removal = false;

	*out = (struct pp_target){ 0 };
	if (whole.n > TARGET_MAX_BYTES) {
		PP_AUTO_FREE char *shown = pp_shown(text, whole.n);
		return pp_fail(err, PLUGPKG_E_BAD_NAME, 0,
		    "'%s' is longer than %d bytes: too long for a plugin with a range", shown,
		    TARGET_MAX_BYTES);
	}
	enum plugpkg_code rc = split_target(whole, &name, &range, &source, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (range.p != NULL && source.p == NULL && whole.p[whole.n - 1] == '-' &&
	    pp_key_valid((struct pp_str){ text, whole.n - 1 })) {
		range.n--;
		is_removal = true;
	} else if (range.p == NULL && source.p == NULL && name.n > 1 && name.p[name.n - 1] == '-') {
		name.n--;
		is_removal = true;
	}
	rc = check_target_name(name, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (range.p != NULL && range.n == 0) {
		rc = pp_fail(err, PLUGPKG_E_BAD_RANGE, 0, "'%s' has nothing after the '@'", text);
		return pp_hint(err, rc, "write NAME@RANGE, such as '%.*s@^1.2', or the name alone",
		    (int)name.n, name.p);
	}
	out->name = pp_xstrndup(name.p, name.n);
	out->range = range.p != NULL ? pp_xstrndup(range.p, range.n) : NULL;
	out->source = source.p != NULL ? pp_xstrndup(source.p, source.n) : NULL;
	out->is_removal = is_removal;
	return PLUGPKG_OK;
}

void
pp_target_fini(struct pp_target *t)
{
	free(t->name);
	free(t->range);
	free(t->source);
	*t = (struct pp_target){ 0 };
}
