/* SPDX-License-Identifier: MIT */
/* Which installed plugins are broken, and the attempt to mend them with a plan. */
#include "lib/solve/mend.h"

#include "lib/solve/majors.h"
#include "lib/solve/missing.h"
#include "lib/solve/ways.h"

#include <solv/solver.h>
#include <string.h>

/* Beyond so many that cannot be mended all at once, the rest is not tried one by one. */
#define MAX_TRIED      200
#define MAX_TOLD       1000
#define REASON_MAX     2048
#define SENTENCES_MOST 3

PP_DEFINE_AUTO(solver, Solver, solver_free);

void
pp_unmendeds_fini(struct pp_unmendeds *list)
{
	pp_vec_foreach (u, list)
		free(u->why);
	pp_vec_free(list);
}

/*
 * Does a chosen candidate other than cand satisfy dep? chosen NULL: something installed.
 */
static bool
is_met(struct pp_pool *p, const bool *chosen, size_t by_others_than, const struct pp_dep *dep,
    enum pp_reach reach)
{
	Pool *pool = p->pool;
	Id id = pp_pool_dep(p, dep, reach), by, list;

	FOR_PROVIDES(by, list, id)
	{
		size_t cand = pp_pool_cand(p, by);
		if (cand == PP_NO_CAND || cand == by_others_than)
			continue;
		enum pp_origin origin = p->load->cands.at[cand].origin;
		if (chosen != NULL ? chosen[cand]
				   : origin == PP_FROM_HOST || origin == PP_FROM_INSTALLED)
			return true;
	}
	return false;
}

static bool
stays(const struct pp_pool *p, const bool *chosen, size_t cand)
{
	return p->load->cands.at[cand].origin == PP_FROM_INSTALLED &&
	       (chosen == NULL || chosen[cand]);
}

/* What the installed plugin lacks, or NULL. */
static const struct pp_dep *
unmet(struct pp_pool *p, const bool *chosen, size_t cand)
{
	if (!stays(p, chosen, cand))
		return NULL;
	pp_vec_foreach (dep, &p->load->cands.at[cand].release->requires)
		if (!is_met(p, chosen, PP_NO_CAND, dep, PP_REACH_RELEASES))
			return dep;
	return NULL;
}

/* What of the application the installed plugin cannot stand, or NULL. */
static const struct pp_dep *
clash(struct pp_pool *p, const bool *chosen, size_t cand)
{
	if (!stays(p, chosen, cand))
		return NULL;
	pp_vec_foreach (dep, &p->load->cands.at[cand].release->conflicts)
		if (pp_name_is_host(dep->name) && is_met(p, chosen, cand, dep, PP_REACH_ALL))
			return dep;
	return NULL;
}

static bool
is_broken(struct pp_pool *p, const bool *chosen, size_t cand)
{
	return unmet(p, chosen, cand) != NULL || clash(p, chosen, cand) != NULL;
}

bool
pp_stays_broken(struct pp_pool *p, const bool *chosen, size_t cand)
{
	return is_broken(p, chosen, cand);
}

/* ---- mending ---- */

static bool
is_meant(const struct pp_load *l, size_t cand)
{
	const struct pp_ask *ask = pp_majors_ask(l, l->cands.at[cand].release);

	if (l->request->verb == PLUGPKG_UPGRADE)
		return l->asks.n == 0 || ask != NULL;
	return l->request->verb == PLUGPKG_INSTALL && ask != NULL && !ask->is_removal;
}

static void
verify(struct pp_jobs *j, const struct pp_pool *p, size_t cand)
{
	pp_jobs_push(j, SOLVER_VERIFY | SOLVER_SOLVABLE, p->solvables[cand],
	    (struct pp_job){ .kind = PP_JOB_POLICY, .cand = PP_NO_CAND });
}

static bool
is_possible(const struct pp_pool *p, struct pp_jobs *j, bool may_remove)
{
	PP_AUTO(solver) Solver *s = pp_decide_solver(p, may_remove);

	return solver_solve(s, &j->queue) == 0;
}

/* "NAME VERSION (installed) needs …" without the name that the line begins with already. */
static const char *
without_name(const char *sentence, const char *name)
{
	size_t n = strlen(name);

	return pp_starts_with(sentence, name) && !pp_starts_with(sentence + n, "and ")
		   ? sentence + n
		   : sentence;
}

static char *
why_impossible(struct pp_pool *p, struct pp_jobs *j, size_t cand)
{
	PP_AUTO_JSON pp_json *causes = pp_json_array();
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(REASON_MAX);
	PP_AUTO(solver) Solver *s = pp_decide_solver(p, false);
	const struct pp_release *r = p->load->cands.at[cand].release;
	PP_AUTO_FREE char *name =
	    pp_asprintf("%s %s (installed) ", pp_release_key(r), r->version.text);

	if (solver_solve(s, &j->queue) == 0)
		return NULL;
	pp_decide_explain(p, j, s, causes);
	for (size_t i = 0; i < pp_json_len(causes) && i < SENTENCES_MOST; i++)
		pp_buf_addf(&b, "%s%s", i > 0 ? "; " : "",
		    without_name(pp_json_get_str(pp_json_at(causes, i), "text"), name));
	return pp_buf_steal(&b);
}

/* The newest version below the installed one that the application itself does not rule out. */
static size_t
older_that_fits(struct pp_pool *p, size_t cand)
{
	const struct pp_release *now = p->load->cands.at[cand].release;
	size_t best = PP_NO_CAND;

	for (size_t i = pp_load_first_cand(p->load, now->name);
	     pp_load_is_cand_of(p->load, i, now->name); i++) {
		const struct pp_release *r = p->load->cands.at[i].release;
		bool fits = p->load->cands.at[i].origin == PP_FROM_SOURCE &&
			    pp_version_cmp(&r->version, &now->version) < 0;
		pp_vec_foreach (dep, &r->requires)
			fits = fits && (!pp_name_is_host(dep->name) ||
					   is_met(p, NULL, PP_NO_CAND, dep, PP_REACH_RELEASES));
		if (fits &&
		    (best == PP_NO_CAND ||
			pp_version_cmp(&r->version, &p->load->cands.at[best].release->version) > 0))
			best = i;
	}
	return best;
}

/* Nobody goes back by himself; where it would help, and was solved, the command for it is told. */
static char *
with_way_back(struct pp_jobs *j, struct pp_pool *p, size_t cand, char *why)
{
	PP_AUTO_FREE char *before = why;
	size_t n = j->list.n, older = older_that_fits(p, cand);

	if (older == PP_NO_CAND)
		return pp_steal(&before);
	pp_jobs_push(j, SOLVER_INSTALL | SOLVER_SOLVABLE, p->solvables[older],
	    (struct pp_job){ .kind = PP_JOB_POLICY, .cand = PP_NO_CAND });
	bool works = is_possible(p, j, false);
	pp_jobs_truncate(j, n);
	if (!works)
		return pp_steal(&before);
	const struct pp_release *r = p->load->cands.at[older].release;
	return pp_asprintf("%s; %s fits: plugpkg install --downgrade %s@%s", before,
	    r->version.text, r->name, r->version.text);
}

static bool
may_go(const struct pp_pool *p, struct pp_jobs *j)
{
	return (p->load->request->flags & PLUGPKG_ALLOW_REMOVE) != 0 && is_possible(p, j, true);
}

/* Adds the jobs that mend it; NULL, or why there are none. What cannot be mended goes if it may. */
static char *
mend(struct pp_jobs *j, struct pp_pool *p, size_t cand)
{
	size_t n = j->list.n;

	verify(j, p, cand);
	char *why = why_impossible(p, j, cand);
	if (why == NULL)
		return NULL;
	if (may_go(p, j)) {
		free(why);
		return NULL;
	}
	pp_jobs_truncate(j, n);
	return with_way_back(j, p, cand, why);
}

/* One after the other, so that one that cannot be mended does not keep the others broken. */
static void
try_each(
    struct pp_jobs *j, struct pp_pool *p, const struct pp_indices *broken, struct pp_unmendeds *out)
{
	for (size_t i = 0; i < broken->n; i++) {
		bool is_tried = i < MAX_TRIED;
		char *why = is_tried ? mend(j, p, broken->at[i]) : NULL;

		if (!is_tried || why != NULL)
			pp_vec_push(
			    out, ((struct pp_unmended){ .cand = broken->at[i], .why = why }));
	}
}

void
pp_mend(struct pp_jobs *j, struct pp_pool *p, struct pp_unmendeds *out)
{
	struct pp_indices broken = { 0 };
	size_t n = j->list.n;

	for (size_t i = 0; i < p->load->cands.n; i++)
		if (is_meant(p->load, i) && is_broken(p, NULL, i))
			pp_vec_push(&broken, i);
	pp_vec_foreach (cand, &broken)
		verify(j, p, *cand);
	if (broken.n > 0 && p->load->request->verb == PLUGPKG_UPGRADE &&
	    !is_possible(p, j, false)) {
		pp_jobs_truncate(j, n);
		try_each(j, p, &broken, out);
	}
	pp_vec_free(&broken);
}

/* ---- telling ---- */

static char *
reason_of(struct pp_pool *p, const bool *chosen, const struct pp_unmendeds *list, size_t cand)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(REASON_MAX);

	pp_vec_foreach (u, list)
		if (u->cand == cand && u->why != NULL && *u->why != '\0')
			return pp_xstrdup(u->why);
	const struct pp_dep *dep = unmet(p, chosen, cand);
	if (dep != NULL)
		pp_missing_add_unmet(&b, p->load, dep);
	else
		pp_missing_add_clash(&b, p->load, clash(p, chosen, cand));
	return pp_buf_steal(&b);
}

void
pp_mend_say(struct pp_pool *p, const bool *chosen, const struct pp_unmendeds *list,
    pp_decide_say say, void *user)
{
	size_t n = 0;

	for (size_t i = 0; i < p->load->cands.n && n < MAX_TOLD; i++) {
		if (!pp_stays_broken(p, chosen, i))
			continue;
		const struct pp_release *r = p->load->cands.at[i].release;
		PP_AUTO_FREE char *reason = reason_of(p, chosen, list, i);
		pp_json *line = pp_json_object();
		pp_json_set_str(line, "broken", pp_release_key(r));
		pp_json_set_str(line, "version", r->version.text);
		pp_json_set_str(line, "reason", reason);
		say(line, user);
		n++;
	}
}
