/* SPDX-License-Identifier: MIT */
/* Reading the names of sources, and comparing plugins' names with them. */
#include "lib/model/scope.h"

#include "base/mem.h"
#include "lib/model/name.h"
#include "lib/model/plan.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 1000

/* ---- reading ---- */

bool
pp_scope_pattern_valid(const char *pattern)
{
	size_t n = strlen(pattern);

	if (n == 0 || pattern[n - 1] != '*')
		return pp_name_valid(pp_str_of(pattern));
	/* What the star stands for begins with a letter, so that the whole has to be a name. */
	PP_AUTO_FREE char *example = pp_asprintf("%.*sa", (int)n - 1, pattern);
	return n > 1 && pp_name_valid(pp_str_of(example));
}

enum plugpkg_code
pp_scope_read(const struct pp_fields *f, const char *field, const pp_json *j, struct pp_strs *out)
{
	if (j == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(j, PP_JSON_ARRAY) || pp_json_len(j) == 0)
		return pp_field_kind(f, field, j, "a list of names such as \"@acme/*\"");
	if (pp_json_len(j) > NAMES_MAX)
		return pp_field_fail(f, field, "%zu entries are too many: %d is the most",
		    pp_json_len(j), NAMES_MAX);
	for (size_t i = 0; i < pp_json_len(j); i++) {
		const char *pattern = pp_json_string(pp_json_at(j, i));
		if (pattern == NULL || !pp_scope_pattern_valid(pattern)) {
			PP_AUTO_FREE char *at = pp_asprintf("%s[%zu]", field, i);
			return pp_field_kind(f, at, pp_json_at(j, i),
			    "a name, or the beginning of names and a * such as \"@acme/*\"");
		}
		pp_strs_add(out, pattern);
	}
	return PLUGPKG_OK;
}

/* ---- comparing ---- */

static bool
has_name(const struct pp_source *s, const char *name)
{
	pp_vec_foreach (pattern, &s->names) {
		size_t n = strlen(*pattern);
		if ((*pattern)[n - 1] == '*' ? strncmp(*pattern, name, n - 1) == 0
					     : strcmp(*pattern, name) == 0)
			return true;
	}
	return false;
}

bool
pp_scope_is_foreign(const struct pp_config *c, const char *source, const char *name)
{
	bool is_owned = false;

	if (c == NULL)
		return false;
	pp_vec_foreach (s, &c->sources) {
		if (!has_name(s, name))
			continue;
		if (strcmp(s->name, source) == 0)
			return false;
		is_owned = true;
	}
	return is_owned;
}

bool
pp_scope_may_supply(const struct pp_config *c, const char *source, const char *name)
{
	const struct pp_source *s = c != NULL ? pp_config_source(c, source) : NULL;

	if (s != NULL && s->names.n > 0)
		return has_name(s, name);
	return !pp_scope_is_foreign(c, source, name);
}

static void
trim(
    const struct pp_config *c, const char *source, const struct pp_release *r, struct pp_deps *deps)
{
	size_t n = 0;

	for (size_t i = 0; i < deps->n; i++) {
		if (!pp_scope_is_foreign(c, source, deps->at[i].name))
			deps->at[n++] = deps->at[i];
		else if (r->arena == NULL)
			pp_dep_fini(&deps->at[i]);
	}
	deps->n = n;
}

void
pp_scope_trim(const struct pp_config *c, const char *source, struct pp_release *r)
{
	/* Files and links are the administrator's own word. */
	if (source == NULL || strcmp(source, PP_SOURCE_FILE) == 0 || strcmp(source, "link") == 0)
		return;
	trim(c, source, r, &r->provides);
	trim(c, source, r, &r->replaces);
}
