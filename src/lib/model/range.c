/* SPDX-License-Identifier: MIT */
/* What a parsed range means. Its notation is read in range_parse.c. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "lib/model/range.h"

#define KNOWN_IN_ARENA 509 /* a prime: nearly all texts get a place of their own */

void
pp_range_free(struct pp_range *r)
{
	if (r == NULL || r->is_in_arena || r->n_shared-- > 0)
		return;
	pp_vec_foreach (alternative, &r->any) {
		pp_vec_foreach (c, &alternative->all)
			pp_version_fini(&c->version);
		pp_vec_free(&alternative->all);
	}
	pp_vec_free(&r->any);
	free(r->text);
	free(r);
}

struct pp_range *
pp_range_share(struct pp_range *r)
{
	if (r != NULL)
		r->n_shared++;
	return r;
}

/* Of n places for ranges that of this text. */
static size_t
place_of(const char *text, size_t n)
{
	size_t place = 0;

	for (; *text != '\0'; text++)
		place = 31 * place + (unsigned char)*text;
	return place % n;
}

enum plugpkg_code
pp_ranges_parse(
    struct pp_ranges *known, const char *text, struct pp_range **out, plugpkg_error **err)
{
	struct pp_range **place =
	    known != NULL ? &known->at[place_of(text, PP_RANGES_KNOWN)] : NULL;

	if (place != NULL && *place != NULL && strcmp((*place)->text, text) == 0) {
		*out = pp_range_share(*place);
		return PLUGPKG_OK;
	}
	enum plugpkg_code rc = pp_range_parse(pp_str_of(text), out, err);
	if (rc == PLUGPKG_OK && place != NULL) {
		pp_range_free(*place);
		*place = pp_range_share(*out);
	}
	return rc;
}

enum plugpkg_code
pp_ranges_parse_in(struct pp_arena *a, const char *text, struct pp_range **out, plugpkg_error **err)
{
	void **known = pp_arena_known(a);

	if (*known == NULL)
		*known = pp_arena_take(a, KNOWN_IN_ARENA * sizeof(struct pp_range *));
	struct pp_range **all = *known, **place = &all[place_of(text, KNOWN_IN_ARENA)];
	*out = *place;
	if (*out != NULL && strcmp((*out)->text, text) == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_range_parse_in(a, pp_str_of(text), out, err);
	if (rc == PLUGPKG_OK)
		*place = *out;
	return rc;
}

void
pp_ranges_fini(struct pp_ranges *known)
{
	for (size_t i = 0; i < PP_RANGES_KNOWN; i++)
		pp_range_free(known->at[i]);
}

static bool
comparator_holds(const struct pp_comparator *c, const struct pp_version *v)
{
	/* A bound below the prereleases lies between all lower numbers and the first prerelease. */
	int d = c->below_prereleases ? pp_version_cmp_parts(v, &c->version)
				     : pp_version_cmp(v, &c->version);

	if (c->below_prereleases && d == 0)
		d = 1;
	switch (c->op) {
	case PP_OP_LT:
		return d < 0;
	case PP_OP_LE:
		return d <= 0;
	case PP_OP_EQ:
		return d == 0;
	case PP_OP_GE:
		return d >= 0;
	case PP_OP_GT:
		return d > 0;
	}
	return false;
}

/* Does a comparator name a prerelease of the same numbers? */
static bool
names_prerelease_of(const struct pp_alternative *a, const struct pp_version *v)
{
	pp_vec_foreach (c, &a->all) {
		if (c->version.pre != NULL && pp_version_cmp_parts(&c->version, v) == 0)
			return true;
	}
	return false;
}

static bool
alternative_holds(const struct pp_alternative *a, const struct pp_version *v, bool include_pre)
{
	pp_vec_foreach (c, &a->all) {
		if (!comparator_holds(c, v))
			return false;
	}
	return v->pre == NULL || include_pre || names_prerelease_of(a, v);
}

bool
pp_range_match(const struct pp_range *r, const struct pp_version *v, bool include_pre)
{
	pp_vec_foreach (alternative, &r->any) {
		if (alternative_holds(alternative, v, include_pre))
			return true;
	}
	return false;
}

bool
pp_range_is_any(const struct pp_range *r)
{
	return r->any.n == 1 && r->any.at[0].all.n == 0;
}

const struct pp_version *
pp_range_exact(const struct pp_range *r)
{
	if (r->any.n != 1 || r->any.at[0].all.n != 1)
		return NULL;

	const struct pp_comparator *c = &r->any.at[0].all.at[0];

	return c->op == PP_OP_EQ ? &c->version : NULL;
}
