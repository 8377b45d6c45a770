/* SPDX-License-Identifier: MIT */
/* Translates libsolv's solutions into commands, tries each, and leaves out what does not work. */
#include "lib/solve/ways.h"

#include "lib/solve/explain.h"

#include <string.h>

#define WAY_MAX  2048
#define MAX_WAYS 5

/* One solution on its way to a line. */
struct way {
	const struct pp_pool *pool;
	const struct pp_jobs *jobs;
	struct dropped pp_vec(const struct pp_ask *) dropped; /* targets left out */
	struct pp_strs added;                                 /* targets put in */
	struct pp_strs says;                                  /* in words */
	bool is_unusable, is_command;
};

static const char *
verb_word(const struct pp_load *l)
{
	return l->request->verb == PLUGPKG_UPGRADE ? "upgrade" : "install";
}

static void
drop_job(struct way *w, size_t index)
{
	const struct pp_job *job = &w->jobs->list.at[index];

	if (job->kind == PP_JOB_HOLD) {
		const char *name = pp_release_key(w->pool->load->cands.at[job->cand].release);
		pp_strs_take(
		    &w->says, pp_asprintf("release the hold first: plugpkg unhold %s", name));
		w->is_command = false;
	} else if (job->kind == PP_JOB_WANTED) {
		pp_strs_take(&w->says,
		    pp_asprintf("let plugpkg.json want another range of %s", job->dep->name));
		w->is_command = false;
	} else if (job->kind == PP_JOB_ASK && job->ask != NULL) {
		PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(WAY_MAX);
		pp_buf_addf(
		    &b, "do not %s ", job->ask->is_removal ? "remove" : verb_word(w->pool->load));
		pp_explain_add_dep(&b, &job->ask->dep);
		pp_strs_take(&w->says, pp_buf_steal(&b));
		pp_vec_push(&w->dropped, job->ask);
	} else {
		w->is_unusable = true;
	}
}

static void
remove_or_replace(struct way *w, Id p, Id rp)
{
	const struct pp_load *l = w->pool->load;
	size_t from = pp_pool_cand(w->pool, p), to = pp_pool_cand(w->pool, rp);

	if (from == PP_NO_CAND || l->cands.at[from].installed == NULL) {
		w->is_unusable = true;
		return;
	}
	const struct pp_release *r = l->cands.at[from].release;
	if (rp == 0) {
		pp_strs_take(&w->says, pp_asprintf("remove %s as well", pp_release_key(r)));
		pp_strs_take(&w->added, pp_asprintf("%s-", pp_release_key(r)));
		return;
	}
	/* A change of origin is no matter of a command here. */
	const Solvable *a = w->pool->pool->solvables + p, *b = w->pool->pool->solvables + rp;
	if (to == PP_NO_CAND || a->name != b->name || a->vendor != b->vendor) {
		w->is_unusable = true;
		return;
	}
	const char *version = l->cands.at[to].release->version.text;
	pp_strs_take(
	    &w->says, pp_asprintf("use %s %s instead of %s", r->name, version, r->version.text));
	pp_strs_take(&w->added, pp_asprintf("%s@%s", r->name, version));
}

static void
take_element(struct way *w, Id p, Id rp)
{
	if (p == SOLVER_SOLUTION_JOB)
		drop_job(w, (size_t)(rp - 1) / 2);
	else if (p > 0)
		remove_or_replace(w, p, rp);
	else
		w->is_unusable = true;
}

static bool
is_dropped(const struct way *w, const struct pp_ask *ask)
{
	size_t n = strlen(ask->dep.name);

	pp_vec_foreach (d, &w->dropped)
		if (*d == ask)
			return true;
	/* Another version of the same plugin takes its place. */
	pp_vec_foreach (t, &w->added)
		if (strncmp(*t, ask->dep.name, n) == 0 && (*t)[n] == '@')
			return true;
	return false;
}

/* The command that is left; false when nothing is left to ask for. */
static bool
add_command(struct pp_buf *b, const struct way *w)
{
	const struct pp_load *l = w->pool->load;
	bool has_targets = w->added.n > 0;

	pp_buf_addf(b, ": plugpkg %s", verb_word(l));
	if ((l->request->flags & PLUGPKG_NO_RECOMMENDS) != 0)
		pp_buf_adds(b, " --no-recommends");
	if ((l->request->flags & PLUGPKG_PRE) != 0)
		pp_buf_adds(b, " --pre");
	pp_vec_foreach (ask, &l->asks) {
		if (is_dropped(w, ask))
			continue;
		has_targets = true;
		pp_buf_addc(b, ' ');
		pp_explain_add_dep(b, &ask->dep);
		if (ask->is_removal)
			pp_buf_addc(b, '-');
	}
	pp_vec_foreach (t, &w->added)
		pp_buf_addf(b, " %s", *t);
	return has_targets;
}

static char *
line_of(const struct way *w)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(WAY_MAX);
	PP_AUTO_BUF struct pp_buf command = PP_BUF_INIT(WAY_MAX);

	pp_vec_foreach (s, &w->says)
		pp_buf_addf(&b, "%s%s", s > w->says.at ? ", " : "", *s);
	if (w->is_command && w->pool->load->request->verb == PLUGPKG_INSTALL &&
	    add_command(&command, w))
		pp_buf_adds(&b, pp_buf_cstr(&command));
	return pp_buf_steal(&b);
}

static bool
works(const struct pp_pool *p, const struct pp_jobs *jobs, Solver *refused, Id problem, Id solution)
{
	Queue queue;

	queue_init_clone(&queue, &jobs->queue);
	solver_take_solution(refused, problem, solution, &queue);
	Solver *s = pp_decide_solver(p);
	bool is_solved = solver_solve(s, &queue) == 0;
	solver_free(s);
	queue_free(&queue);
	return is_solved;
}

struct found {
	char *line;
	size_t n_dropped;
};
struct found_list pp_vec(struct found);

static bool
is_known(const struct found_list *list, const char *line)
{
	pp_vec_foreach (f, list)
		if (strcmp(f->line, line) == 0)
			return true;
	return false;
}

static void
try_solution(const struct pp_pool *p, const struct pp_jobs *jobs, Solver *s, Id problem,
    Id solution, struct found_list *out)
{
	struct way w = { .pool = p, .jobs = jobs, .is_command = true };
	Id element = 0, from = 0, to = 0;

	while (
	    (element = solver_next_solutionelement(s, problem, solution, element, &from, &to)) != 0)
		take_element(&w, from, to);
	PP_AUTO_FREE char *line = line_of(&w);
	if (!w.is_unusable && w.says.n > 0 && !is_known(out, line) &&
	    works(p, jobs, s, problem, solution))
		pp_vec_push(out, ((struct found){ pp_steal(&line), w.dropped.n }));
	pp_vec_free(&w.dropped);
	pp_strs_fini(&w.added);
	pp_strs_fini(&w.says);
}

/*
 * First what gives all that was asked for; then by text, so that the order never depends on ids.
 */
static int
fullest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->n_dropped != y->n_dropped)
		return x->n_dropped < y->n_dropped ? -1 : 1;
	return strcmp(x->line, y->line);
}

void
pp_ways_find(struct pp_pool *p, const struct pp_jobs *jobs, Solver *refused, struct pp_strs *out)
{
	struct found_list found = { 0 };
	size_t n_asks = p->load->asks.n;

	for (Id problem = 0; (problem = solver_next_problem(refused, problem)) != 0;)
		for (Id s = 0;
		     found.n < MAX_WAYS && (s = solver_next_solution(refused, problem, s)) != 0;)
			try_solution(p, jobs, refused, problem, s, &found);
	pp_vec_sort(&found, fullest_first);
	/* To want nothing is no advice. */
	bool is_advice =
	    found.n > 1 ||
	    (found.n == 1 && (found.at[0].n_dropped == 0 || found.at[0].n_dropped < n_asks));
	pp_vec_foreach (f, &found) {
		if (is_advice)
			pp_strs_add(out, f->line);
		free(f->line);
	}
	pp_vec_free(&found);
}
