/* SPDX-License-Identifier: MIT */
/* The planning lines follow the details, whoever changed them. */
#include "lib/repo/brief.h"

#include <string.h>

#include "lib/index/brief.h"

/* Nothing but the owner was left of it: only the details keep a name for him. */
static bool
is_empty(const pp_json *line)
{
	return pp_json_len(pp_json_get(line, "versions")) == 0 &&
	       pp_json_get(line, "providers") == NULL && pp_json_get(line, "replacers") == NULL;
}

static enum plugpkg_code
write_brief(struct pp_book *b, const char *name, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *line = NULL;
	PP_AUTO_JSON pp_json *details = NULL;

	enum plugpkg_code rc = pp_book_line(b, PP_LAYER_PLANNING, name, &line, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_line(b, PP_LAYER_DETAILS, name, &details, err);
	if (rc != PLUGPKG_OK || line == NULL)
		return rc;
	bool had_owner = pp_json_get(line, PP_BRIEF_OWNER) != NULL;
	pp_brief_write(line, details);
	bool is_gone = had_owner && is_empty(line);
	pp_book_set(b, PP_LAYER_PLANNING, name, is_gone ? NULL : pp_json_ref(line));
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_book_write_briefs(struct pp_book *b, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_book_changed(b, PP_LAYER_PLANNING, &names);
	pp_book_changed(b, PP_LAYER_DETAILS, &names);
	pp_strs_sort(&names);
	for (size_t i = 0; rc == PLUGPKG_OK && i < names.n; i++)
		if (i == 0 || strcmp(names.at[i], names.at[i - 1]) != 0)
			rc = write_brief(b, names.at[i], err);
	return rc;
}
