/* SPDX-License-Identifier: MIT */
/* Who owns which table. */
#include "lib/model/tables.h"

#include "base/mem.h"
#include "base/str.h"

#include <string.h>

const pp_json *
pp_tables_of(const pp_json *manifest)
{
	return pp_json_get(pp_json_get(manifest, "data"), "tables");
}

void
pp_tables_add(struct pp_tables *all, const pp_json *list, const struct pp_table *owner)
{
	for (size_t i = 0; i < pp_json_len(list); i++) {
		struct pp_table one = *owner;
		one.table = pp_json_string(pp_json_at(list, i));
		if (one.table != NULL)
			pp_vec_push(all, one);
	}
}

/* Of one table: by owner, so that the same plugins are named whatever order they came in. */
static int
by_table(const void *a, const void *b)
{
	const struct pp_table *x = a, *y = b;
	int r = strcmp(x->table, y->table);

	if (r == 0)
		r = strcmp(x->name, y->name);
	return r != 0 ? r : strcmp(x->version, y->version);
}

static enum plugpkg_code
refuse(const struct pp_table *a, const struct pp_table *b, plugpkg_error **err)
{
	const struct pp_table *coming = b->is_coming ? b : a;
	PP_AUTO_FREE char *table = pp_shown(a->table, strlen(a->table));

	(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
	    "table '%s' would belong to two plugins: %s %s%s and %s %s%s", table, a->name,
	    a->version, a->is_coming ? "" : " (installed)", b->name, b->version,
	    b->is_coming ? "" : " (installed)");
	(void)pp_subject(err, PLUGPKG_E_REFUSED, coming->name);
	return pp_hint(err, PLUGPKG_E_REFUSED,
	    "only one of them can be installed; \"data\" in their plugin.json says what they own");
}

enum plugpkg_code
pp_tables_check(struct pp_tables *all, plugpkg_error **err)
{
	pp_vec_sort(all, by_table);
	for (size_t i = 1; i < all->n; i++) {
		const struct pp_table *a = &all->at[i - 1], *b = &all->at[i];
		if (strcmp(a->table, b->table) == 0 && strcmp(a->name, b->name) != 0 &&
		    (a->is_coming || b->is_coming))
			return refuse(a, b, err);
	}
	return PLUGPKG_OK;
}
