/* SPDX-License-Identifier: MIT */
/*
 * A request to install what is there: answered from the state alone where nothing but "nothing to
 * do" can come of it. What is installed stays in its version, and where all that anybody requires
 * or recommends is there as well, no source could change that. Asked again, it is known again.
 */
#include "lib/api/making.h"

#include "lib/model/name.h"
#include "lib/txn/web.h"

#include <string.h>

#define REQUEST_MAX_BYTES (32 * 1024) /* of what is asked for again; more is looked at each time */

static bool
is_plain_name(const char *text)
{
	return !pp_local_is_path(text) && pp_name_valid(pp_str_of(text));
}

static bool
is_plain(const plugpkg_context *ctx, const struct plugpkg_request *request)
{
	const unsigned harmless = PLUGPKG_LOOK | PLUGPKG_ALLOW_REMOVE | PLUGPKG_NO_RECOMMENDS;

	/* An application that is asked for its versions may have other ones by now. */
	if (request->verb != PLUGPKG_INSTALL || (request->flags & ~harmless) != 0 ||
	    request->dump_case != NULL || ctx->config->provides_from.n > 0)
		return false;
	for (size_t i = 0; i < request->n_targets; i++)
		if (!is_plain_name(request->targets[i]))
			return false;
	return request->n_targets > 0;
}

static bool
is_in_range(const struct pp_dep *wish, const struct pp_installed *p)
{
	struct pp_version version = { 0 };
	bool is_in = wish->range == NULL ||
		     (pp_version_parse(pp_str_of(p->version), &version, NULL) == PLUGPKG_OK &&
			 pp_range_match(wish->range, &version, false));

	pp_version_fini(&version);
	return is_in;
}

static bool
is_as_wanted(const struct pp_installeds *set, const struct pp_deps *wanted, const char *name)
{
	const struct pp_installed *p = pp_installeds_get(set, name);
	const struct pp_dep *wish = p != NULL ? pp_deps_get(wanted, name) : NULL;

	return wish != NULL && pp_installed_is_active(p) && p->link_dir == NULL && !p->hold &&
	       is_in_range(wish, p);
}

/* Every plugin is in use, and has what it requires and recommends. */
static bool
is_whole(const struct pp_web *w)
{
	pp_vec_foreach (p, &w->inv.set)
		if (!pp_installed_is_active(*p) || strcmp((*p)->state, "installed") != 0 ||
		    (*p)->detached.n > 0)
			return false;
	pp_vec_foreach (t, &w->threads) {
		bool is_met = t->to != PP_NOBODY || t->host != NULL;
		if (t->tie == PP_TIE_CONFLICTS ? is_met : pp_tie_is_followed(t->tie) && !is_met)
			return false;
	}
	return true;
}

/* It is remembered then. */
static bool
is_there(plugpkg_context *ctx, const struct plugpkg_request *request, const struct pp_again *again)
{
	PP_CLEANUP(pp_web_fini) struct pp_web web = { 0 };
	bool is_plainly_whole = false;

	if (pp_web_load_if_torn(ctx, &web, &is_plainly_whole, NULL) != PLUGPKG_OK ||
	    (!is_plainly_whole && !is_whole(&web)))
		return false;
	for (size_t i = 0; i < request->n_targets; i++)
		if (!is_as_wanted(&web.inv.set, &ctx->config->plugins, request->targets[i]))
			return false;
	pp_again_remember(ctx, again, pp_again_end(ctx, &web.inv.set));
	return true;
}

static bool
is_known(plugpkg_context *ctx, const struct plugpkg_request *request, struct pp_buf *text,
    struct pp_again *out)
{
	pp_buf_adds(text, "install");
	for (size_t i = 0; i < request->n_targets; i++) {
		pp_buf_addc(text, ' ');
		pp_buf_adds(text, request->targets[i]);
	}
	return !text->overflow && pp_again_is_known(ctx, text->s, 0, out);
}

void
pp_plan_settled(plugpkg_context *ctx, const struct plugpkg_request *request, plugpkg_plan **out)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(REQUEST_MAX_BYTES);
	PP_CLEANUP(pp_again_fini) struct pp_again again = { .request = NULL };
	PP_AUTO_LOOK struct pp_state *look = NULL;

	if (is_plain(ctx, request) && pp_state_look(ctx, &look, NULL) == PLUGPKG_OK &&
	    (is_known(ctx, request, &text, &again) || is_there(ctx, request, &again)))
		PP_IGNORE(pp_plan_begin(ctx, pp_making_command(request), out, NULL));
}
