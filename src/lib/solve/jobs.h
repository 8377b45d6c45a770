/* SPDX-License-Identifier: MIT */
/* The request as jobs for libsolv, each remembered with what it means to people. */
#ifndef PP_SOLVE_JOBS_H
#define PP_SOLVE_JOBS_H

#include "lib/solve/pool.h"

#include <solv/queue.h>

enum pp_job_kind {
	PP_JOB_POLICY, /* nothing anybody could drop */
	PP_JOB_ASK,    /* a target: install, upgrade or remove */
	PP_JOB_HOLD,
	PP_JOB_WANTED, /* a range in plugpkg.json */
};
struct pp_job {
	enum pp_job_kind kind;
	const struct pp_ask *ask; /* PP_JOB_ASK; NULL for "upgrade all" and links */
	const struct pp_dep *dep; /* PP_JOB_WANTED, and PP_JOB_ASK that installs */
	size_t cand;              /* PP_JOB_HOLD; else PP_NO_CAND */
};
/* jobs.at[i] describes the queue's elements 2 i and 2 i + 1. */
struct pp_jobs {
	Queue queue;
	struct pp_job_list pp_vec(struct pp_job) list;
};

/*
 * The standing wishes: the application's names, holds, ranges of plugpkg.json, order among
 * providers.
 */
void pp_jobs_init(struct pp_jobs *j, struct pp_pool *p);
/* What the request adds. */
void pp_jobs_add_request(struct pp_jobs *j, struct pp_pool *p);
void pp_jobs_fini(struct pp_jobs *j);
void pp_jobs_push(struct pp_jobs *j, Id how, Id what, struct pp_job job);
/* Takes back what was pushed since there were n. */
void pp_jobs_truncate(struct pp_jobs *j, size_t n);

#endif
