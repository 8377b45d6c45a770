/* SPDX-License-Identifier: MIT */
/* Translates libsolv's solutions into commands, tries each, and leaves out what does not work. */
#include "lib/solve/ways.h"

#include "lib/solve/retry.h"

#include <solv/policy.h>

#include <string.h>

#define WAY_MAX  2048
#define MAX_WAYS 5

/* One solution on its way to a line. */
struct way {
	const struct pp_pool *pool;
	const struct pp_jobs *jobs;
	struct pp_retry retry;
	struct pp_strs says; /* in words */
	size_t n_dropped;    /* targets left out */
	const char *unhold;  /* a plugin to release first, or NULL */
	bool is_unusable, is_command;
};

static void
drop_hold(struct way *w, const char *name)
{
	w->unhold = name;
	pp_strs_take(&w->says, pp_asprintf("release the hold first: plugpkg unhold %s", name));
	w->is_command = false;
}

static void
drop_ask(struct way *w, const struct pp_ask *ask)
{
	bool is_upgrade = w->pool->load->request->verb == PLUGPKG_UPGRADE;
	PP_AUTO_FREE char *word = pp_retry_word(ask);

	if (ask->is_removal)
		pp_strs_take(&w->says, pp_asprintf("do not remove %s", ask->dep.name));
	else
		pp_strs_take(&w->says,
		    pp_asprintf("do not %s %s", is_upgrade ? "upgrade" : "install", word));
	pp_retry_drop_word(&w->retry, word);
	w->n_dropped++;
}

static void
drop_job(struct way *w, size_t index)
{
	const struct pp_job *job = &w->jobs->list.at[index];

	if (job->kind == PP_JOB_HOLD) {
		drop_hold(w, pp_release_key(w->pool->load->cands.at[job->cand].release));
	} else if (job->kind == PP_JOB_WANTED) {
		pp_strs_take(&w->says,
		    pp_asprintf("let plugpkg.json want another range of %s", job->dep->name));
		w->is_command = false;
	} else if (job->kind == PP_JOB_ASK && job->ask != NULL) {
		drop_ask(w, job->ask);
	} else {
		w->is_unusable = true;
	}
}

/* From an older version or another source: what the installed one does not become by itself. */
static void
replace(struct way *w, const struct pp_cand *from, const struct pp_cand *to, bool is_older,
    bool is_elsewhere)
{
	const struct pp_load *l = w->pool->load;
	const char *name = from->release->name, *version = to->release->version.text;
	const struct pp_ask *ask = pp_load_ask(l, name);
	const char *source = l->world->sources[to->source].name;

	pp_strs_take(&w->says,
	    is_elsewhere ? pp_asprintf("take %s %s from source '%s' instead of %s", name, version,
			       source, from->release->version.text)
			 : pp_asprintf("%s %s %s instead of %s", is_older ? "go back to" : "use",
			       name, version, from->release->version.text));
	w->retry.flags |=
	    (is_older ? PLUGPKG_DOWNGRADE : 0U) | (is_elsewhere ? PLUGPKG_ALLOW_ORIGIN_CHANGE : 0U);
	/* What was asked for may be just this one: then only leave was missing. */
	if (ask != NULL && !ask->is_removal && pp_cand_answers(l, to, ask) &&
	    (!is_older || ask->dep.range != NULL))
		return;
	pp_retry_take(&w->retry, name,
	    is_elsewhere ? pp_asprintf("%s@%s/%s", name, version, source)
			 : pp_asprintf("%s@%s", name, version));
}

static void
remove_or_replace(struct way *w, Solver *refused, Id p, Id rp)
{
	const struct pp_load *l = w->pool->load;
	size_t from = pp_pool_cand(w->pool, p), to = pp_pool_cand(w->pool, rp);

	if (from == PP_NO_CAND || l->cands.at[from].installed == NULL) {
		w->is_unusable = true;
		return;
	}
	const struct pp_cand *old = &l->cands.at[from];
	if (rp == 0) {
		const char *key = pp_release_key(old->release);
		pp_strs_take(&w->says, pp_asprintf("remove %s as well", key));
		pp_retry_take(&w->retry, key, pp_asprintf("%s-", key));
		return;
	}
	Pool *pool = w->pool->pool;
	int illegal =
	    policy_is_illegal(refused, pool_id2solvable(pool, p), pool_id2solvable(pool, rp), 0);
	bool is_same_name = pool_id2solvable(pool, p)->name == pool_id2solvable(pool, rp)->name;
	if (to == PP_NO_CAND || !is_same_name || l->cands.at[to].origin != PP_FROM_SOURCE ||
	    old->installed->linked) {
		w->is_unusable = true;
		return;
	}
	replace(w, old, &l->cands.at[to], (illegal & POLICY_ILLEGAL_DOWNGRADE) != 0,
	    (illegal & POLICY_ILLEGAL_VENDORCHANGE) != 0);
}

static void
take_element(struct way *w, Solver *refused, Id p, Id rp)
{
	if (p == SOLVER_SOLUTION_JOB)
		drop_job(w, (size_t)(rp - 1) / 2);
	else if (p > 0)
		remove_or_replace(w, refused, p, rp);
	else
		w->is_unusable = true;
}

static pp_json *
json_of(const struct way *w)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(WAY_MAX);

	pp_vec_foreach (s, &w->says)
		pp_buf_addf(&b, "%s%s", s > w->says.at ? ", " : "", *s);
	const char *text = pp_buf_cstr(&b);
	if (w->is_command)
		return pp_retry_way(&w->retry, text);
	if (w->unhold != NULL && w->says.n == 1)
		return pp_retry_way_of("release the hold first",
		    (const char *const[]){ "plugpkg", "unhold", w->unhold, NULL });
	pp_json *way = pp_json_object();
	pp_json_set_str(way, "text", text);
	return way;
}

static bool
works(const struct pp_pool *p, const struct pp_jobs *jobs, Solver *refused, Id problem, Id solution)
{
	Queue queue;

	queue_init_clone(&queue, &jobs->queue);
	solver_take_solution(refused, problem, solution, &queue);
	Solver *s = pp_decide_solver(p, true);
	bool is_solved = solver_solve(s, &queue) == 0;
	solver_free(s);
	queue_free(&queue);
	return is_solved;
}

struct found {
	pp_json *way;
	char *line; /* the same as text, to compare */
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

	pp_retry_init(&w.retry, p->load);
	while (
	    (element = solver_next_solutionelement(s, problem, solution, element, &from, &to)) != 0)
		take_element(&w, s, from, to);
	PP_AUTO_JSON pp_json *way = json_of(&w);
	PP_AUTO_FREE char *line = pp_json_line(way);
	if (!w.is_unusable && w.says.n > 0 && !is_known(out, line) &&
	    works(p, jobs, s, problem, solution))
		pp_vec_push(out, ((struct found){ pp_steal(&way), pp_steal(&line), w.n_dropped }));
	pp_retry_fini(&w.retry);
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
pp_ways_find(struct pp_pool *p, const struct pp_jobs *jobs, Solver *refused, pp_json *out)
{
	struct found_list found = { 0 };

	for (Id problem = 0; (problem = solver_next_problem(refused, problem)) != 0;)
		for (Id s = 0;
		     found.n < MAX_WAYS && (s = solver_next_solution(refused, problem, s)) != 0;)
			try_solution(p, jobs, refused, problem, s, &found);
	pp_vec_sort(&found, fullest_first);
	pp_vec_foreach (f, &found) {
		pp_json_set_int(f->way, "dropped", (int64_t)f->n_dropped);
		pp_json_push(out, f->way);
		free(f->line);
	}
	pp_vec_free(&found);
}
