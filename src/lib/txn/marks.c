/* SPDX-License-Identifier: MIT */
/* Edits of the wanted set, and the marks in the state that follow from it. */
#include "lib/txn/marks.h"

#include "lib/model/name.h"
#include "lib/txn/root.h"

#include <stdlib.h>
#include <string.h>

void
pp_wishes_fini(struct pp_wishes *w)
{
	pp_vec_foreach (wish, w) {
		free(wish->name);
		free(wish->range);
	}
	pp_vec_free(w);
}

static void
add_pair(struct pp_buf *out, const char *name, const char *text)
{
	pp_buf_adds(out, name);
	pp_buf_addc(out, ' ');
	pp_buf_adds(out, text);
	pp_buf_addc(out, '\n');
}

char *
pp_marks_basis(const plugpkg_context *ctx)
{
	struct pp_buf text = PP_BUF_INIT(SIZE_MAX);

	pp_vec_foreach (dep, &ctx->config->plugins)
		add_pair(&text, dep->name, dep->text);
	pp_vec_foreach (dep, &ctx->config->provides)
		add_pair(&text, dep->name, dep->version.text);
	return pp_buf_steal(&text);
}

static bool
same_range(const struct pp_dep *dep, const struct pp_wish *wish)
{
	return dep != NULL && strcmp(dep->text, wish->range) == 0;
}

void
pp_wishes_index(const struct pp_wishes *w, struct pp_map *out_names)
{
	if (w != NULL)
		pp_vec_foreach (wish, w)
			*pp_map_put(out_names, wish->name) = wish;
}

static bool
unwant_wishes(plugpkg_context *ctx, const struct pp_wishes *wishes)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs gone = { 0 };

	pp_vec_foreach (w, wishes)
		if (w->range == NULL)
			pp_strs_add(&gone, w->name);
	return pp_config_unwant(ctx->config, &gone);
}

static bool
want_wishes(plugpkg_context *ctx, const struct pp_wishes *wishes)
{
	bool is_changed = false;

	pp_vec_foreach (w, wishes) {
		if (w->range == NULL || same_range(pp_deps_get(&ctx->config->plugins, w->name), w))
			continue;
		pp_config_want(ctx->config, w->name, w->range);
		is_changed = true;
	}
	return is_changed;
}

enum plugpkg_code
pp_marks_edit_wanted(plugpkg_context *ctx, const struct pp_wishes *wishes,
    const struct pp_strs *unwanted, plugpkg_error **err)
{
	bool is_changed = false;

	if (wishes != NULL) {
		is_changed |= unwant_wishes(ctx, wishes);
		is_changed |= want_wishes(ctx, wishes);
	}
	if (unwanted != NULL)
		is_changed |= pp_config_unwant(ctx->config, unwanted);
	return is_changed ? pp_root_write_config(ctx, err) : PLUGPKG_OK;
}

/* Writes the marks that plugpkg.json gives other than they are. */
static enum plugpkg_code
follow_wanted(plugpkg_context *ctx, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	struct pp_installeds changed = { 0 }; /* of borrowed elements */
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(ctx, &state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_installed(state, &set, err);
	if (rc != PLUGPKG_OK)
		return rc;

	pp_vec_foreach (p, &set) {
		bool manual = pp_installed_wish(&set, *p, &ctx->config->plugins) != NULL;
		if ((*p)->manual == manual)
			continue;
		(*p)->manual = manual;
		pp_vec_push(&changed, *p);
	}
	if (changed.n > 0)
		rc = pp_state_set_marks(state, &changed, err);
	pp_vec_free(&changed);
	return rc;
}

enum plugpkg_code
pp_marks_want(plugpkg_context *ctx, const struct pp_wishes *wishes, const struct pp_strs *unwanted,
    plugpkg_error **err)
{
	enum plugpkg_code rc = pp_marks_edit_wanted(ctx, wishes, unwanted, err);

	return rc == PLUGPKG_OK ? follow_wanted(ctx, err) : rc;
}

enum plugpkg_code
pp_marks_not_installed(const struct pp_installeds *set, const char *name, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	const struct pp_installed *left = pp_installeds_get(set, name);
	const char *near[1];
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NOT_INSTALLED, 0, "plugin '%s' is %s", name,
	    left != NULL ? "a leftover: it is not in use" : "not installed");

	pp_vec_foreach (p, set)
		pp_strs_add(&names, (*p)->key);
	if (left != NULL)
		rc = pp_hint(err, rc, "plugpkg check tells more");
	else if (pp_name_near(name, &names, near, PP_LEN(near)) > 0)
		rc = pp_hint(err, rc, "did you mean '%s'?", near[0]);
	else
		rc = pp_hint(err, rc, "plugpkg show %s tells what is known of it", name);
	return pp_subject(err, rc, name);
}

enum plugpkg_code
pp_marks_check(const char *operand, plugpkg_error **err)
{
	if (pp_key_valid(pp_str_of(operand)))
		return PLUGPKG_OK;
	return pp_name_check(pp_str_of(operand), err);
}

enum plugpkg_code
pp_marks_find(const struct pp_installeds *set, const char *operand, struct pp_installed **out,
    plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs keys = { 0 };
	enum plugpkg_code rc = pp_marks_check(operand, err);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (p, set) {
		if (strcmp((*p)->key, operand) == 0) {
			*out = *p;
			return PLUGPKG_OK;
		}
		if (strcmp((*p)->name, operand) != 0)
			continue;
		*out = *p;
		pp_strs_add(&keys, (*p)->key);
	}
	if (keys.n == 1)
		return PLUGPKG_OK;
	return keys.n == 0 ? pp_marks_not_installed(set, operand, err)
			   : pp_key_ambiguous(&keys, operand, err);
}
