/* SPDX-License-Identifier: MIT */
/* Whether plugins are installed: by the state alone, or by what they say themselves. */
#include "lib/api/api.h"

#include "lib/model/name.h"
#include "lib/txn/mend.h"

#include <stdlib.h>
#include <string.h>

PP_DEFINE_AUTO(range, struct pp_range, pp_range_free);

/* Its core phase is complete; whether it is switched off is another question. */
static bool
is_there(const struct pp_installed *p)
{
	return strcmp(p->state, "leftover") != 0 && strcmp(p->state, PP_STATE_NOT_INSTALLED) != 0;
}

static bool
is_in_range(const struct pp_installed *p, const struct pp_range *range)
{
	PP_CLEANUP(pp_version_fini) struct pp_version v = { 0 };

	return range == NULL || (pp_version_parse(pp_str_of(p->version), &v, NULL) == PLUGPKG_OK &&
				    pp_range_match(range, &v, true));
}

/* The one that fits; else any of that name, for the row. */
static const struct pp_installed *
find(const struct pp_installeds *set, const char *name, const struct pp_range *range, bool *out)
{
	const struct pp_installed *other = NULL;

	*out = false;
	for (size_t i = set->n; i-- > 0;) {
		const struct pp_installed *p = set->at[i];
		if (strcmp(p->name, name) != 0)
			continue;
		*out = is_there(p) && is_in_range(p, range);
		if (*out)
			return p;
		other = p;
	}
	return other;
}

/* The row says what the state knows; the first of these is the answer to the whole question. */
static void
note_unknown(const struct pp_installed *p, const char *why, plugpkg_error **out)
{
	if (*out != NULL)
		return;
	(void)pp_fail(out, PLUGPKG_E_SCRIPT, 0, "%s %s cannot tell whether it is installed: %s",
	    p->key, p->version, why);
	(void)pp_subject(out, PLUGPKG_E_SCRIPT, p->key);
}

/* ask: NULL, or receives that somebody could not tell */
static enum plugpkg_code
answer_one(plugpkg_context *ctx, const struct pp_installeds *set, const char *text,
    plugpkg_error **ask, pp_json *row, plugpkg_error **err)
{
	PP_CLEANUP(pp_target_fini) struct pp_target target = { 0 };
	PP_AUTO(range) struct pp_range *range = NULL;
	PP_AUTO_FREE char *why = NULL;
	enum pp_mend_answer answer = PP_MEND_NOT_ASKED;
	bool is_here = false;
	enum plugpkg_code rc = pp_target_parse(text, &target, err);
	if (rc == PLUGPKG_OK && target.is_removal)
		return pp_fail(err, PLUGPKG_E_BAD_NAME, 0, "'%s' is no name of a plugin", text);
	if (rc == PLUGPKG_OK && target.range != NULL)
		rc = pp_range_parse(pp_str_of(target.range), &range, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const struct pp_installed *p = find(set, target.name, range, &is_here);
	if (is_here && ask != NULL)
		rc = pp_mend_ask(ctx, p, &answer, &why, err);
	pp_json_set_str(row, "name", text);
	pp_json_set_bool(row, "installed", is_here && answer != PP_MEND_NO);
	pp_json_set_str(row, "version", p != NULL ? p->version : NULL);
	if (p != NULL)
		pp_row_add_state(p, row);
	if (answer == PP_MEND_YES || answer == PP_MEND_NO)
		pp_json_set_bool(row, "verified", answer == PP_MEND_YES);
	if (p != NULL && answer == PP_MEND_UNKNOWN)
		note_unknown(p, why, ask);
	pp_json_set_str(row, "text", why);
	return rc;
}

enum plugpkg_code
plugpkg_is_installed(plugpkg_context *ctx, const struct plugpkg_is_installed_spec *spec,
    size_t *out_missing, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	PP_AUTO_ERROR plugpkg_error *unknown = NULL;
	struct pp_state *state = NULL;
	size_t missing = 0;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_installed(state, &set, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < spec->n_targets; i++) {
		PP_AUTO_JSON pp_json *one = pp_row_new("installed");
		rc = answer_one(
		    ctx, &set, spec->targets[i], spec->ask != 0 ? &unknown : NULL, one, err);
		if (rc != PLUGPKG_OK)
			break;
		missing += !pp_json_get_bool(one, "installed");
		pp_row(row, user, pp_steal(&one));
	}
	*out_missing = missing;
	if (rc == PLUGPKG_OK && unknown != NULL) {
		rc = plugpkg_error_code(unknown);
		if (err != NULL)
			*err = pp_steal(&unknown);
	}
	return rc;
}
