/* SPDX-License-Identifier: MIT */
/*
 * Runs libsolv and reads its answers: the chosen candidates, why something was left behind, the
 * facts of a refusal. Never its own texts, and never its decision lists: those name one rule of
 * many, or crash.
 */
#include "lib/solve/decide.h"

#include "base/time.h"
#include "lib/solve/explain.h"
#include "lib/solve/insist.h"
#include "lib/solve/jobs.h"
#include "lib/solve/majors.h"
#include "lib/solve/mend.h"
#include "lib/solve/missing.h"
#include "lib/solve/ways.h"

#include <solv/solver.h>
#include <string.h>

#define MAX_KEPT_EXPLAINED 64
#define REASON_MAX         1024
#define REASON_SENTENCES   3

PP_DEFINE_AUTO(solver, Solver, solver_free);

Solver *
pp_decide_solver(const struct pp_pool *p, bool may_remove)
{
	Solver *s = solver_create(p->pool);
	unsigned flags = p->load->request->flags;

	if ((flags & PLUGPKG_NO_RECOMMENDS) != 0)
		solver_set_flag(s, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
	if ((flags & PLUGPKG_ALLOW_ORIGIN_CHANGE) != 0)
		solver_set_flag(s, SOLVER_FLAG_ALLOW_VENDORCHANGE, 1);
	if ((flags & PLUGPKG_ALLOW_REMOVE) != 0 && may_remove)
		solver_set_flag(s, SOLVER_FLAG_ALLOW_UNINSTALL, 1);
	solver_set_flag(s, SOLVER_FLAG_BEST_OBEY_POLICY, 1);
	return s;
}

/* ---- facts ---- */

static void
add_job_fact(const struct pp_jobs *jobs, int queue_index, struct pp_facts *out)
{
	const struct pp_job *job = &jobs->list.at[queue_index / 2];
	struct pp_fact f = { .from = job->cand, .to = PP_NO_CAND, .dep = job->dep };

	switch (job->kind) {
	case PP_JOB_POLICY:
		return;
	case PP_JOB_ASK:
		if (job->dep == NULL)
			return;
		f.kind = PP_FACT_ASKED;
		break;
	case PP_JOB_HOLD:
		f.kind = PP_FACT_HELD;
		break;
	case PP_JOB_WANTED:
		f.kind = PP_FACT_WANTED;
		break;
	}
	pp_vec_push(out, f);
}

static bool
fact_kind(Id type, enum pp_fact_kind *out)
{
	static const struct {
		Id type;
		enum pp_fact_kind kind;
	} kinds[] = {
		{ SOLVER_RULE_PKG_REQUIRES, PP_FACT_REQUIRES },
		{ SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP, PP_FACT_MISSING },
		{ SOLVER_RULE_PKG_CONFLICTS, PP_FACT_CONFLICTS },
		{ SOLVER_RULE_PKG_OBSOLETES, PP_FACT_REPLACES },
		{ SOLVER_RULE_PKG_INSTALLED_OBSOLETES, PP_FACT_REPLACES },
		{ SOLVER_RULE_UPDATE, PP_FACT_KEEP },
		{ SOLVER_RULE_FEATURE, PP_FACT_KEEP },
		{ SOLVER_RULE_BEST, PP_FACT_KEEP },
	};

	for (size_t i = 0; i < PP_LEN(kinds); i++) {
		if (kinds[i].type != type)
			continue;
		*out = kinds[i].kind;
		return true;
	}
	return false;
}

static bool
needs_dep(enum pp_fact_kind kind)
{
	return kind == PP_FACT_REQUIRES || kind == PP_FACT_MISSING || kind == PP_FACT_CONFLICTS ||
	       kind == PP_FACT_REPLACES;
}

/*
 * Two releases of one name and of different majors that exclude each other, whichever of libsolv's
 * rules says so: they could stand side by side if both declared it.
 */
static bool
add_alone_fact(const struct pp_pool *p, Id type, struct pp_fact *f, struct pp_facts *out)
{
	const struct pp_cands *cands = &p->load->cands;

	if (f->from == PP_NO_CAND || f->to == PP_NO_CAND || f->dep != NULL)
		return false;
	if (type != SOLVER_RULE_PKG_SAME_NAME && type != SOLVER_RULE_PKG_CONFLICTS &&
	    type != SOLVER_RULE_PKG_OBSOLETES && type != SOLVER_RULE_PKG_INSTALLED_OBSOLETES)
		return false;
	const struct pp_release *a = cands->at[f->from].release, *b = cands->at[f->to].release;
	if (!pp_excludes(a, b) || pp_same_major(a, b))
		return false;
	f->kind = PP_FACT_ALONE;
	pp_vec_push(out, *f);
	return true;
}

static void
add_rule_facts(const struct pp_pool *p, Solver *s, Id rule, struct pp_facts *out)
{
	Queue infos;

	queue_init(&infos);
	solver_allruleinfos(s, rule, &infos);
	for (int i = 0; i + 3 < infos.count; i += 4) {
		struct pp_fact f = {
			.from = pp_pool_cand(p, infos.elements[i + 1]),
			.to = pp_pool_cand(p, infos.elements[i + 2]),
			.dep = pp_pool_dep_of(p, infos.elements[i + 3]),
		};
		if (add_alone_fact(p, infos.elements[i], &f, out))
			continue;
		if (!fact_kind(infos.elements[i], &f.kind) || f.from == PP_NO_CAND)
			continue;
		if (needs_dep(f.kind) && f.dep == NULL)
			continue;
		if ((f.kind == PP_FACT_CONFLICTS || f.kind == PP_FACT_REPLACES) &&
		    f.to == PP_NO_CAND)
			continue;
		pp_vec_push(out, f);
	}
	queue_free(&infos);
}

/*
 * All rules of the problem together prove it; the one that libsolv would name is often a side
 * branch.
 */
static void
add_problem_facts(const struct pp_pool *p, const struct pp_jobs *jobs, Solver *s, Id problem,
    struct pp_facts *out)
{
	Queue rules;

	queue_init(&rules);
	solver_findallproblemrules(s, problem, &rules);
	for (int i = 0; i < rules.count; i++) {
		int job = solver_rule2jobidx(s, rules.elements[i]);
		if (job > 0)
			add_job_fact(jobs, job - 1, out);
		else
			add_rule_facts(p, s, rules.elements[i], out);
	}
	queue_free(&rules);
}

void
pp_decide_explain(const struct pp_pool *p, const struct pp_jobs *jobs, Solver *s, pp_json *out)
{
	struct pp_facts facts = { 0 };

	for (Id problem = 0; (problem = solver_next_problem(s, problem)) != 0;)
		add_problem_facts(p, jobs, s, problem, &facts);
	pp_explain(p->load, &facts, out);
	pp_vec_free(&facts);
}

/* ---- what was left behind ---- */

/* The newest version that could be meant by "upgrade this"; NULL: none is newer. */
static const struct pp_slot *
newest_beyond(const struct pp_load *l, const struct pp_known *k, const struct pp_release *now)
{
	const struct pp_ask *ask = pp_load_ask(l, k->name);
	const struct pp_slot *best = NULL;

	pp_vec_foreach (s, &k->slots)
		if ((s->state == PP_SLOT_CANDIDATE || s->state == PP_SLOT_AGE) &&
		    pp_excludes(now, s->release) &&
		    (ask == NULL || ask->dep.range == NULL ||
			pp_range_match(ask->dep.range, &s->release->version, true)) &&
		    pp_version_cmp(&s->release->version, &now->version) > 0 &&
		    (best == NULL ||
			pp_version_cmp(&s->release->version, &best->release->version) > 0))
			best = s;
	return best;
}

static char *
joined(const pp_json *causes)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(REASON_MAX);

	for (size_t i = 0; i < pp_json_len(causes) && i < REASON_SENTENCES; i++)
		pp_buf_addf(
		    &b, "%s%s", i > 0 ? ", " : "", pp_json_get_str(pp_json_at(causes, i), "text"));
	return pp_buf_steal(&b);
}

/* Asks for the newest version alone: what stands in its way is the reason. */
static char *
why_not_newest(struct pp_pool *p, size_t cand)
{
	PP_AUTO_JSON pp_json *causes = pp_json_array();
	struct pp_jobs jobs;
	/* The best by force and leave to remove do not go together in libsolv before 0.7.35. */
	PP_AUTO(solver) Solver *s = pp_decide_solver(p, false);
	char *reason;

	pp_jobs_init(&jobs, p);
	pp_jobs_push(&jobs, SOLVER_UPDATE | SOLVER_FORCEBEST | SOLVER_SOLVABLE, p->solvables[cand],
	    (struct pp_job){ .kind = PP_JOB_POLICY, .cand = PP_NO_CAND });
	if (solver_solve(s, &jobs.queue) == 0) {
		reason = pp_asprintf("it does not go together with the other upgrades");
	} else {
		pp_decide_explain(p, &jobs, s, causes);
		reason = joined(causes);
	}
	pp_jobs_fini(&jobs);
	return reason;
}

static char *
held_text(int64_t until)
{
	char text[PP_TIME_TEXT];

	if (until == 0)
		return pp_xstrdup("it is held");
	pp_time_format(until, text);
	return pp_asprintf("it is held until %s", text);
}

static char *
why_kept(struct pp_pool *p, size_t cand, const struct pp_slot *newest)
{
	const struct pp_solve_world *world = p->load->world;
	const struct pp_solve_installed *inst = p->load->cands.at[cand].installed;
	const struct pp_dep *wanted = pp_world_wanted(world, inst->release);

	if (inst->hold)
		return held_text(inst->hold_until);
	if (inst->source != NULL && strcmp(inst->source, world->sources[newest->source].name) != 0)
		return pp_asprintf("it came from source '%s', and %s is in '%s'", inst->source,
		    newest->release->version.text, world->sources[newest->source].name);
	if (wanted != NULL && !pp_range_match(wanted->range, &newest->release->version, true))
		return pp_asprintf("plugpkg.json wants %s", wanted->text);
	if (newest->state == PP_SLOT_AGE) {
		PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(REASON_MAX);
		(void)pp_missing_add_slot(
		    &b, p->load, pp_load_known(p->load, inst->release->name), newest);
		return pp_buf_steal(&b);
	}
	return why_not_newest(p, cand);
}

static bool
is_in_scope(const struct pp_load *l, const struct pp_solve_installed *inst)
{
	return !inst->linked && (l->asks.n == 0 || pp_majors_ask(l, inst->release) != NULL);
}

/* What takes its place after the decision; NULL: it goes, or another name replaces it. */
static const struct pp_release *
chosen_release(const struct pp_load *l, const bool *chosen, const struct pp_release *r)
{
	for (size_t i = pp_load_first_cand(l, r->name); pp_load_is_cand_of(l, i, r->name); i++)
		if (chosen[i] && pp_excludes(l->cands.at[i].release, r))
			return l->cands.at[i].release;
	return NULL;
}

static void
say_kept(struct pp_pool *p, const bool *chosen, pp_decide_say say, void *user)
{
	const struct pp_load *l = p->load;
	size_t n = 0;

	for (size_t i = 0; i < l->cands.n && n < MAX_KEPT_EXPLAINED; i++) {
		const struct pp_solve_installed *inst = l->cands.at[i].installed;
		if (inst == NULL || !is_in_scope(l, inst) || pp_stays_broken(p, chosen, i))
			continue;
		const struct pp_release *now = chosen_release(l, chosen, inst->release);
		const struct pp_known *k = pp_load_known(l, inst->release->name);
		const struct pp_slot *newest = now != NULL ? newest_beyond(l, k, now) : NULL;
		if (newest == NULL)
			continue;
		PP_AUTO_FREE char *reason = why_kept(p, i, newest);
		pp_json *line = pp_json_object();
		pp_json_set_str(line, "kept", pp_release_key(inst->release));
		pp_json_set_str(line, "version", now->version.text);
		pp_json_set_str(line, "candidate", newest->release->version.text);
		pp_json_set_str(line, "reason", reason);
		say(line, user);
		n++;
	}
}

/* ---- the answer ---- */

static void
say_chosen(struct pp_pool *p, Solver *s, const struct pp_unmendeds *unmended, pp_decide_say say,
    void *user)
{
	pp_json *line = pp_json_object(), *list = pp_json_array();
	PP_AUTO_FREE bool *chosen = pp_xcalloc(p->load->cands.n + 1, sizeof(*chosen));
	Queue decisions;

	queue_init(&decisions);
	solver_get_decisionqueue(s, &decisions);
	for (int i = 0; i < decisions.count; i++) {
		size_t cand = pp_pool_cand(p, decisions.elements[i]);
		if (cand != PP_NO_CAND)
			chosen[cand] = true;
	}
	for (size_t i = 0; i < p->load->cands.n; i++)
		if (chosen[i])
			pp_json_push(list, pp_json_int((int64_t)i));
	pp_json_set(line, "chosen", list);
	say(line, user);
	if (p->load->request->verb == PLUGPKG_UPGRADE && !p->load->request->is_trial)
		say_kept(p, chosen, say, user);
	pp_mend_say(p, chosen, unmended, say, user);
	queue_free(&decisions);
}

static void
say_refused(struct pp_pool *p, const struct pp_jobs *jobs, Solver *s, pp_decide_say say, void *user)
{
	pp_json *line = pp_json_object(), *causes = pp_json_array(), *ways = pp_json_array();

	if (!p->load->request->is_trial) {
		pp_decide_explain(p, jobs, s, causes);
		pp_ways_find(p, jobs, s, ways);
	}
	pp_json_set(line, "causes", causes);
	pp_json_set(line, "ways", ways);
	say(line, user);
}

void
pp_decide(const struct pp_load *l, pp_decide_say say, void *user)
{
	struct pp_pool p;
	struct pp_jobs jobs;
	PP_CLEANUP(pp_unmendeds_fini) struct pp_unmendeds unmended = { 0 };

	pp_pool_init(&p, l);
	pp_jobs_init(&jobs, &p);
	pp_jobs_add_request(&jobs, &p);
	pp_insist(&jobs, &p);
	pp_mend(&jobs, &p, &unmended);

	Solver *s = pp_decide_solver(&p, true);
	if (solver_solve(s, &jobs.queue) == 0)
		say_chosen(&p, s, &unmended, say, user);
	else
		say_refused(&p, &jobs, s, say, user);
	pp_json *end = pp_json_object();
	pp_json_set_bool(end, "end", true);
	say(end, user);
	solver_free(s);
	pp_jobs_fini(&jobs);
	pp_pool_fini(&p);
}
