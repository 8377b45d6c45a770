/* SPDX-License-Identifier: MIT */
/* An upgrade of everything that found nothing to do, asked for again. */
#include "lib/api/making.h"

#define REQUEST "upgrade"

/* The upgrade of everything as it is without any option. */
static bool
is_plain(const struct plugpkg_request *r)
{
	return r->verb == PLUGPKG_UPGRADE && (r->flags & ~(unsigned)PLUGPKG_LOOK) == 0 &&
	       r->n_targets == 0 && r->min_age_days == 0 && r->n_min_age_except == 0 &&
	       r->dump_case == NULL;
}

void
pp_plan_again(plugpkg_context *ctx, const struct plugpkg_request *request, struct pp_again *a,
    plugpkg_plan **out)
{
	PP_AUTO_LOOK struct pp_state *look = NULL;

	if (is_plain(request) && ctx->config->min_age_days == 0 &&
	    pp_state_look(ctx, &look, NULL) == PLUGPKG_OK &&
	    pp_again_is_known(ctx, REQUEST, PP_AGAIN_TRUST, a))
		PP_IGNORE(pp_plan_begin(ctx, pp_making_command(request), out, NULL));
}

/* Nothing to be done, and nothing to be said. */
static bool
is_empty(const struct pp_making *m)
{
	const struct pp_plan *p = m->plan;

	return p->steps.n == 0 && p->switches.n == 0 && p->left_data.n == 0 &&
	       p->left_pins.n == 0 && p->kept.n == 0 && p->broken.n == 0 && p->skipped.n == 0 &&
	       p->suggested.n == 0 && p->votes.n == 0 && m->wishes->n == 0 && m->asked.n == 0 &&
	       m->delayed.n == 0;
}

void
pp_plan_remember(const struct pp_making *m, const struct pp_again *a)
{
	int64_t end = pp_again_end(m->ctx, &m->inv.set);

	pp_vec_foreach (c, &m->open.catalogs) {
		int64_t due = pp_catalog_due_after(*c);
		end = due < end ? due : end;
	}
	if (is_empty(m))
		pp_again_remember(m->ctx, a, end);
}
