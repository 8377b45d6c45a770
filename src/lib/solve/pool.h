/* SPDX-License-Identifier: MIT */
/* libsolv's pool, filled from the candidates of a walk, and dependencies in its language. */
#ifndef PP_SOLVE_POOL_H
#define PP_SOLVE_POOL_H

#include "lib/solve/load.h"

#include <solv/pool.h>
#include <solv/repo.h>

#define PP_NO_CAND SIZE_MAX

/*
 * requires, recommends, suggests and wishes take releases only, unless the range names a
 * prerelease.
 */
enum pp_reach {
	PP_REACH_RELEASES,
	PP_REACH_ALL, /* conflicts and replaces hit prereleases too */
};

struct pp_pool_dep {
	Id id;
	const struct pp_dep *dep;
};
/* What was translated lately: releases of a plugin mostly share their dependencies. */
struct pp_pool_recent {
	const char *name;
	const struct pp_range *range; /* NULL: nothing */
	enum pp_reach reach;
	Id id;
};
#define PP_POOL_RECENT 64

/* A bound of a range: many plugins ask for the same ones. */
struct pp_pool_bound {
	const char *parts; /* NULL: nothing */
	bool is_floor;
	Id id;
};
#define PP_POOL_BOUNDS 256

/* What the solvables of one name provide it as. */
struct pp_pool_own {
	const char *name;
	Id all, stable;
};

struct pp_pool {
	const struct pp_load *load;
	Pool *pool;
	Repo *installed, *link, **sources; /* sources: by index of world->sources */
	Id *vendors;                       /* by index of world->sources */
	Id *solvables;                     /* by index of load->cands */
	size_t *cands;                     /* by solvable id; PP_NO_CAND */
	struct pp_buf text;                /* of what an id is made of, while it is made */
	struct pp_map mixed;               /* names that have releases with and without majors */
	struct pp_pool_own own;            /* of the candidate that is being added */
	struct pp_pool_recent recent[PP_POOL_RECENT];
	struct pp_pool_bound bounds[PP_POOL_BOUNDS];
	struct pp_pool_deps pp_vec(struct pp_pool_dep) deps;
};

/* load borrowed until pp_pool_fini(). */
void pp_pool_init(struct pp_pool *p, const struct pp_load *load);
void pp_pool_fini(struct pp_pool *p);
/* The dependency as an id; the same one for the same text. dep borrowed until pp_pool_fini(). */
Id pp_pool_dep(struct pp_pool *p, const struct pp_dep *dep, enum pp_reach reach);
/* The way back: a dependency that has this id, or NULL. */
const struct pp_dep *pp_pool_dep_of(const struct pp_pool *p, Id id);
/* Index of the candidate, or PP_NO_CAND. */
size_t pp_pool_cand(const struct pp_pool *p, Id solvable);

#endif
