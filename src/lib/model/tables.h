/* SPDX-License-Identifier: MIT */
/*
 * "data": {"tables": [...]} of plugin.json: a table of the application's database has one owner,
 * or the one plugin would drop what the other has filled. Majors of one plugin share theirs.
 */
#ifndef PP_MODEL_TABLES_H
#define PP_MODEL_TABLES_H

#include "base/json.h"
#include "base/vec.h"
#include "lib/model/error.h"

struct pp_table {
	const char *table, *name, *version; /* views */
	bool is_coming;
};
struct pp_tables pp_vec(struct pp_table);

/* The list in a manifest; NULL when it has none. View. */
const pp_json *pp_tables_of(const pp_json *manifest);
/* All names in the list, as those of a plugin; all stay views. list: NULL allowed. */
void pp_tables_add(struct pp_tables *all, const pp_json *list, const struct pp_table *owner);
/* REFUSED when something that comes would own what another one owns. Sorts. */
enum plugpkg_code pp_tables_check(struct pp_tables *all, plugpkg_error **err);

#endif
