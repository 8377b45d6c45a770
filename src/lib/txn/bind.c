/* SPDX-License-Identifier: MIT */
/* Bindings are computed from a set of plugins whenever they are told; nothing records them. */
#include "lib/txn/bind.h"

#include "lib/model/name.h"
#include "lib/txn/inventory.h"

#include <stdlib.h>
#include <string.h>

struct places pp_vec(size_t);

static void
free_places(void *p)
{
	struct places *list = p;

	pp_vec_free(list);
	free(list);
}

static void
add_name(struct pp_bindables *all, const char *name, size_t place)
{
	void **at = pp_map_put(&all->by_name, name);

	if (*at == NULL)
		*at = pp_xcalloc(1, sizeof(struct places));
	struct places *list = *at;
	pp_vec_push(list, place);
}

void
pp_bindables_add(
    struct pp_bindables *all, const struct pp_installed *plugin, const struct pp_release *release)
{
	size_t place = all->list.n;

	pp_vec_push(&all->list, ((struct pp_bindable){ plugin, release }));
	add_name(all, release->name, place);
	pp_vec_foreach (dep, &release->provides)
		if (strcmp(dep->name, release->name) != 0)
			add_name(all, dep->name, place);
}

void
pp_bindables_fini(struct pp_bindables *all)
{
	pp_vec_free(&all->list);
	pp_map_fini(&all->by_name, free_places);
}

const struct pp_bindable *
pp_bind_next(const struct pp_bindables *all, const struct pp_dep *dep, size_t *i)
{
	const struct places *list = pp_map_get(&all->by_name, dep->name);

	while (list != NULL && *i < list->n) {
		const struct pp_bindable *b = &all->list.at[list->at[(*i)++]];
		if (pp_installed_is_usable(b->plugin) && pp_release_satisfies(b->release, dep))
			return b;
	}
	return NULL;
}

static const struct pp_bindable *
find_among(const struct pp_bindables *all, const struct pp_dep *dep, bool only_active)
{
	const struct pp_bindable *best = NULL, *provider = NULL, *b;

	for (size_t i = 0; (b = pp_bind_next(all, dep, &i)) != NULL;) {
		bool is_named = strcmp(b->release->name, dep->name) == 0;
		if (only_active && !pp_installed_is_active(b->plugin))
			continue;
		if (!is_named && provider == NULL)
			provider = b;
		if (is_named && (best == NULL || pp_version_cmp(&b->release->version,
						     &best->release->version) > 0))
			best = b;
	}
	return best != NULL ? best : provider;
}

const struct pp_bindable *
pp_bind_find(const struct pp_bindables *all, const struct pp_dep *dep)
{
	const struct pp_bindable *b = find_among(all, dep, true);

	return b != NULL ? b : find_among(all, dep, false);
}

/* ---- the list of one plugin ---- */

struct binding {
	const char *name; /* as it is required */
	const struct pp_bindable *to;
	char *variable;
};
struct bindings pp_vec(struct binding);

static void
bindings_fini(struct bindings *list)
{
	pp_vec_foreach (b, list)
		free(b->variable);
	pp_vec_free(list);
}

static int
by_name(const void *a, const void *b)
{
	const struct binding *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool
is_listed(const struct bindings *list, const char *name)
{
	pp_vec_foreach (b, list)
		if (strcmp(b->name, name) == 0)
			return true;
	return false;
}

/* What is only recommended and switched off is as good as not there. */
static void
add_bindings(struct bindings *list, const struct pp_bindables *all, const struct pp_deps *deps,
    bool only_active)
{
	pp_vec_foreach (dep, deps) {
		const struct pp_bindable *to = NULL;
		if (!pp_name_is_host(dep->name) && !is_listed(list, dep->name))
			to = only_active ? find_among(all, dep, true) : pp_bind_find(all, dep);
		if (to != NULL)
			pp_vec_push(list, ((struct binding){ .name = dep->name, .to = to }));
	}
}

static void
list_bindings(struct bindings *list, const struct pp_bindables *all, const struct pp_release *r)
{
	add_bindings(list, all, &r->requires, false);
	add_bindings(list, all, &r->recommends, true);
	pp_vec_sort(list, by_name);
}

/* ---- as JSON ---- */

static char *
path_of(const struct pp_installed *p)
{
	return p->link_dir != NULL ? pp_xstrdup(p->link_dir)
				   : pp_asprintf("store/%s/%s", p->name, p->version);
}

pp_json *
pp_bind_json(const struct pp_bindables *all, const struct pp_release *r)
{
	PP_CLEANUP(bindings_fini) struct bindings list = { 0 };
	pp_json *j = NULL;

	list_bindings(&list, all, r);
	pp_vec_foreach (b, &list) {
		PP_AUTO_FREE char *path = path_of(b->to->plugin);
		pp_json *one = pp_json_object();
		if (j == NULL)
			j = pp_json_object();
		pp_json_set_str(one, "key", b->to->plugin->key);
		pp_json_set_str(one, "version", b->to->plugin->version);
		pp_json_set_str(one, "path", path);
		pp_json_set(j, b->name, one);
	}
	return j;
}

/* ---- as variables ---- */

static char *
variable_of(const char *name)
{
	char *v = pp_asprintf("PLUGPKG_DEP_%s", *name == '@' ? name + 1 : name);

	for (char *p = v + strlen("PLUGPKG_DEP_"); *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (*p < '0' || *p > '9')
			*p = '_';
	}
	return v;
}

static bool
is_taken(const struct bindings *list, const struct binding *by_other, const char *variable)
{
	pp_vec_foreach (b, list)
		if (b != by_other && b->variable != NULL && strcmp(b->variable, variable) == 0)
			return true;
	return false;
}

/* First each name's own variable, then numbers for those that came too late. */
static void
name_variables(struct bindings *list)
{
	pp_vec_foreach (b, list) {
		char *v = variable_of(b->name);
		if (is_taken(list, b, v))
			free(v);
		else
			b->variable = v;
	}
	pp_vec_foreach (b, list) {
		PP_AUTO_FREE char *plain = b->variable == NULL ? variable_of(b->name) : NULL;
		for (unsigned n = 2; b->variable == NULL; n++) {
			char *v = pp_asprintf("%s_%u", plain, n);
			if (is_taken(list, b, v))
				free(v);
			else
				b->variable = v;
		}
	}
}

void
pp_bind_env(const char *root, const struct pp_bindables *all, const struct pp_release *r,
    struct pp_strs *out)
{
	PP_CLEANUP(bindings_fini) struct bindings list = { 0 };

	list_bindings(&list, all, r);
	name_variables(&list);
	pp_vec_foreach (b, &list) {
		PP_AUTO_FREE char *path = path_of(b->to->plugin);
		const char *before = *path == '/' ? "" : root;
		pp_strs_take(out,
		    pp_asprintf("%s=%s%s%s", b->variable, before, *path == '/' ? "" : "/", path));
	}
}
