/* SPDX-License-Identifier: MIT */
/* A plugin.json beside what the signed index says of it. */
#include "lib/model/as_signed.h"

#include <string.h>

#include "base/mem.h"

static pp_json *
comparable(const pp_json *row)
{
	pp_json *copy = pp_json_copy(row);

	pp_json_del(copy, "published"); /* the repository's word, not the author's */
	pp_json_del(copy, "name");
	return copy;
}

static bool
is_row_of(const pp_json *row, const struct pp_manifest *m)
{
	PP_AUTO_JSON pp_json *own = pp_release_row(m->json);
	PP_AUTO_JSON pp_json *mine = comparable(own);
	PP_AUTO_JSON pp_json *theirs = comparable(row);

	return pp_json_equal(mine, theirs);
}

/* What is not listed no plan could have shown; what is listed has to be there. */
static bool
has_listed_scripts(const pp_json *listed, const struct pp_manifest *m)
{
	const pp_json *mine = pp_json_get(m->json, "scripts");

	for (void *it = pp_json_iter(mine); it != NULL; it = pp_json_next(mine, it))
		if (pp_json_find_str(listed, pp_json_iter_key(it)) < 0)
			return false;
	return pp_json_len(mine) == pp_json_len(listed);
}

char *
pp_unlike_signed(const struct pp_manifest *m, const struct pp_signed_release *want)
{
	const struct pp_release *r = m->release;

	if (strcmp(r->name, want->name) != 0 || strcmp(r->version.text, want->version) != 0)
		return pp_asprintf("it holds %s %s", r->name, r->version.text);
	if (!want->is_signed)
		return NULL;
	if (want->row == NULL || !is_row_of(want->row, m))
		return pp_xstrdup(
		    "its plugin.json asks for other things than the signed index says");
	if (want->scripts != NULL && !has_listed_scripts(want->scripts, m))
		return pp_xstrdup("its plugin.json has other scripts than the signed index lists");
	return NULL;
}
