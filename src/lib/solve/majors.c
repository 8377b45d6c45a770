/* SPDX-License-Identifier: MIT */
/* What identifies a plugin among releases of its name. */
#include "lib/solve/majors.h"

#include <string.h>

#define NEAR_MOST 3
#define TEXT_MAX  4096

bool
pp_same_key(const struct pp_release *a, const struct pp_release *b)
{
	return strcmp(pp_release_key(a), pp_release_key(b)) == 0;
}

bool
pp_excludes(const struct pp_release *a, const struct pp_release *b)
{
	if (strcmp(a->name, b->name) != 0)
		return false;
	return !a->is_parallel || !b->is_parallel || pp_same_key(a, b);
}

bool
pp_same_major(const struct pp_release *a, const struct pp_release *b)
{
	size_t n = strcspn(a->version.parts, ".");

	return n == strcspn(b->version.parts, ".") &&
	       memcmp(a->version.parts, b->version.parts, n) == 0;
}

const struct pp_solve_installed *
pp_majors_old(const struct pp_load *l, const struct pp_release *r)
{
	const struct pp_known *k = pp_load_known(l, r->name);
	const struct pp_solve_installed *best = NULL;

	if (k == NULL)
		return NULL;
	pp_vec_foreach (i, &k->majors)
		if (pp_same_key((*i)->release, r))
			return *i;
	pp_vec_foreach (i, &k->majors)
		if (pp_excludes((*i)->release, r) &&
		    (best == NULL || pp_same_major((*i)->release, r)))
			best = *i;
	return best;
}

bool
pp_ask_means(const struct pp_ask *ask, const struct pp_release *r)
{
	if (strcmp(ask->dep.name, r->name) != 0)
		return false;
	return !r->is_parallel || ask->dep.range == NULL ||
	       pp_range_match(ask->dep.range, &r->version, true);
}

const struct pp_ask *
pp_majors_ask(const struct pp_load *l, const struct pp_release *r)
{
	const struct pp_ask *a = pp_load_ask(l, r->name);

	for (; a != NULL && a < l->asks.at + l->asks.n; a++)
		if (pp_ask_means(a, r))
			return a;
	return NULL;
}

/* Other majors or versions of it are: those are the advice. */
static enum plugpkg_code
hint_installed(const struct pp_known *k, enum plugpkg_code rc, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf list = PP_BUF_INIT(TEXT_MAX);

	pp_vec_foreach (i, &k->majors)
		pp_buf_addf(&list, "%s%s %s", list.n > 0 ? ", " : "", pp_release_key((*i)->release),
		    (*i)->release->version.text);
	return pp_hint(err, rc, "installed: %s", pp_buf_cstr(&list));
}

enum plugpkg_code
pp_majors_not_installed(const struct pp_load *l, const struct pp_ask *ask, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	const struct pp_known *k = pp_load_known(l, ask->dep.name);
	const char *near[NEAR_MOST];
	const char *at = ask->dep.range != NULL ? "@" : "";
	const char *text = ask->dep.range != NULL ? ask->dep.text : "";
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NOT_INSTALLED, 0,
	    "plugin '%s%s%s' is not installed", ask->dep.name, at, text);

	rc = pp_subject(err, rc, ask->dep.name);
	if (k != NULL && k->majors.n > 0)
		return hint_installed(k, rc, err);
	for (size_t i = 0; i < l->world->n_installed; i++)
		pp_strs_add(&names, l->world->installed[i].release->name);
	if (pp_name_near(ask->dep.name, &names, near, NEAR_MOST) > 0)
		rc = pp_hint(err, rc, "did you mean '%s'?", near[0]);
	return rc;
}

/* NAME@MAJOR is the name of a plugin only where there are parallel majors. */
static enum plugpkg_code
not_parallel(const struct pp_ask *ask, plugpkg_error **err)
{
	const char *name = ask->dep.name;
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_USAGE, 0,
	    "'%s@%s': %s does not declare parallel majors, so its name stands without a version",
	    name, ask->dep.text, name);

	rc = pp_hint(err, rc, "write %s", name);
	return pp_subject(err, rc, name);
}

enum plugpkg_code
pp_majors_leaving(const struct pp_load *l, const struct pp_ask *ask,
    const struct pp_solve_installed **out, plugpkg_error **err)
{
	const struct pp_known *k = pp_load_known(l, ask->dep.name);
	PP_CLEANUP(pp_strs_fini) struct pp_strs keys = { 0 };

	if (k == NULL)
		return pp_majors_not_installed(l, ask, err);
	pp_vec_foreach (i, &k->majors) {
		const struct pp_release *r = (*i)->release;
		if (ask->dep.range != NULL && !pp_range_match(ask->dep.range, &r->version, true))
			continue;
		if (ask->dep.range != NULL && !r->is_parallel)
			return not_parallel(ask, err);
		*out = *i;
		pp_strs_add(&keys, pp_release_key(r));
	}
	if (keys.n == 1)
		return PLUGPKG_OK;
	pp_strs_sort(&keys);
	return keys.n == 0 ? pp_majors_not_installed(l, ask, err)
			   : pp_key_ambiguous(&keys, ask->dep.name, err);
}
