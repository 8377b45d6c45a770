/* SPDX-License-Identifier: MIT */
/*
 * Editing plugpkg.json: what was read and what will be written together; all else stays as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "lib/model/config.h"

static pp_json *
member(struct pp_config *c, const char *key, pp_json *(*make)(void))
{
	if (pp_json_get(c->json, key) == NULL)
		pp_json_set(c->json, key, make());
	return pp_json_get(c->json, key);
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

	c->is_edited = true;
	/*
	 * The caller has parsed the range before; a bad one only leaves range NULL, which means
	 * any.
	 */
	(void)pp_range_parse(pp_str_of(range), &new_dep.range, NULL);
	if (dep == NULL)
		dep = pp_vec_new(&c->plugins);
	else
		pp_dep_fini(dep);
	*dep = new_dep;
	pp_json_set_str(member(c, "plugins", pp_json_object), name, range);
}

/* The object anew: one that lost many members one by one would be gone over for each. */
static void
drop_members(struct pp_config *c, const struct pp_map *gone)
{
	const pp_json *all = pp_json_get(c->json, "plugins");
	pp_json *kept = pp_json_object();

	for (void *it = pp_json_iter(all); it != NULL; it = pp_json_next(all, it))
		if (!pp_map_has(gone, pp_json_iter_key(it)))
			pp_json_set(
			    kept, pp_json_iter_key(it), pp_json_ref(pp_json_iter_value(it)));
	pp_json_set(c->json, "plugins", kept);
}

bool
pp_config_unwant(struct pp_config *c, const struct pp_strs *names)
{
	PP_CLEANUP(pp_auto_map) struct pp_map gone = { .n = 0 };
	size_t n = 0;

	pp_vec_foreach (name, names)
		(void)pp_map_put(&gone, *name);
	pp_vec_foreach (dep, &c->plugins)
		if (pp_map_has(&gone, dep->name))
			pp_dep_fini(dep);
		else
			c->plugins.at[n++] = *dep;
	if (n == c->plugins.n)
		return false;
	c->plugins.n = n;
	c->is_edited = true;
	drop_members(c, &gone);
	return true;
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

	c->is_edited = true;
	copy->name = pp_xstrdup(s->name);
	copy->priority = s->priority;
	for (size_t i = 0; i < s->urls.n; i++) {
		pp_strs_add(&copy->urls, s->urls.at[i]);
		pp_json_push_str(urls, s->urls.at[i]);
	}
	pp_json_set_str(j, "name", s->name);
	pp_json_set(j, "urls", urls);
	pp_json_set_int(j, "priority", s->priority);
	if (s->names.n > 0) {
		pp_json *names = pp_json_array();
		pp_vec_foreach (pattern, &s->names) {
			pp_strs_add(&copy->names, *pattern);
			pp_json_push_str(names, *pattern);
		}
		pp_json_set(j, "names", names);
	}
	pp_json_push(member(c, "sources", pp_json_array), j);
}

void
pp_config_trust(struct pp_config *c, pp_json *source, const char *fingerprint)
{
	c->is_edited = true;
	pp_json_set_str(source, "root", fingerprint);
}

bool
pp_config_remove_source(struct pp_config *c, const char *name)
{
	const pp_json *old = pp_json_get(c->json, "sources");
	pp_json *kept = NULL;
	size_t n = 0;

	if (pp_config_source(c, name) == NULL)
		return false;
	c->is_edited = true;
	kept = pp_json_array();
	for (size_t i = 0; i < pp_json_len(old); i++) {
		const char *other = pp_json_get_str(pp_json_at(old, i), "name");

		if (other == NULL || strcmp(other, name) != 0)
			pp_json_push(kept, pp_json_ref(pp_json_at(old, i)));
	}
	pp_json_set(c->json, "sources", kept);
	for (size_t i = 0; i < c->sources.n; i++) {
		if (strcmp(c->sources.at[i].name, name) == 0)
			pp_source_fini(&c->sources.at[i]);
		else
			c->sources.at[n++] = c->sources.at[i];
	}
	c->sources.n = n;
	return true;
}
