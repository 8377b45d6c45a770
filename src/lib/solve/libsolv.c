/* SPDX-License-Identifier: MIT */
/*
 * Each function of libsolv that is called anywhere here, under its own name: the first call loads
 * the library, which listing, and all that finds nothing to do, get along without.
 */
#include <solv/chksum.h>
#include <solv/policy.h>
#include <solv/pool.h>
#include <solv/problems.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/solver.h>

#include "base/library.h"
#include "lib/solve/libsolv.h"

#define SONAME "libsolv.so.1"
PP_LIBRARY_NOTE(SONAME, "solver", "required", "Deciding which versions fit together");

/* clang-format off */
#define FUNCTIONS(_)                                                                               \
	_(int, policy_is_illegal, (Solver *solv, Solvable *is, Solvable *s, int ignore),           \
	    (solv, is, s, ignore))                                                                 \
	_(Id, pool_addrelproviders, (Pool *pool, Id d), (pool, d))                                 \
	_(Pool *, pool_create, (void), ())                                                         \
	_(Id, pool_queuetowhatprovides, (Pool *pool, Queue *q), (pool, q))                         \
	_(Id, pool_rel2id, (Pool *pool, Id name, Id evr, int flags, int create),                   \
	    (pool, name, evr, flags, create))                                                      \
	_(int, pool_setdisttype, (Pool *pool, int type), (pool, type))                             \
	_(Id, pool_str2id, (Pool *pool, const char *s, int create), (pool, s, create))             \
	_(Id, repo_add_solvable, (Repo *repo), (repo))                                             \
	_(Offset, repo_addid_dep, (Repo *repo, Offset old, Id id, Id marker),                      \
	    (repo, old, id, marker))                                                               \
	_(Repo *, repo_create, (Pool *pool, const char *name), (pool, name))                       \
	_(Chksum *, solv_chksum_create, (Id type), (type))                                         \
	_(void *, solv_chksum_free, (Chksum *sum, unsigned char *out), (sum, out))                 \
	_(const unsigned char *, solv_chksum_get, (Chksum *sum, int *n), (sum, n))                 \
	_(int, solver_allruleinfos, (Solver *solv, Id rule, Queue *out), (solv, rule, out))        \
	_(Solver *, solver_create, (Pool *pool), (pool))                                           \
	_(Id, solver_next_problem, (Solver *solv, Id problem), (solv, problem))                    \
	_(Id, solver_next_solution, (Solver *solv, Id problem, Id solution),                       \
	    (solv, problem, solution))                                                             \
	_(Id, solver_next_solutionelement,                                                         \
	    (Solver *solv, Id problem, Id solution, Id element, Id *p, Id *rp),                    \
	    (solv, problem, solution, element, p, rp))                                             \
	_(int, solver_rule2jobidx, (Solver *solv, Id rule), (solv, rule))                          \
	_(int, solver_set_flag, (Solver *solv, int flag, int value), (solv, flag, value))          \
	_(int, solver_solve, (Solver *solv, Queue *job), (solv, job))

#define PROCEDURES(_)                                                                              \
	_(pool_addfileprovides, (Pool *pool), (pool))                                              \
	_(pool_createwhatprovides, (Pool *pool), (pool))                                           \
	_(pool_free, (Pool *pool), (pool))                                                         \
	_(pool_set_installed, (Pool *pool, Repo *repo), (pool, repo))                              \
	_(pool_setdebugmask, (Pool *pool, int mask), (pool, mask))                                 \
	_(queue_alloc_one, (Queue *q), (q))                                                        \
	_(queue_free, (Queue *q), (q))                                                             \
	_(queue_init, (Queue *q), (q))                                                             \
	_(queue_init_clone, (Queue *q, const Queue *of), (q, of))                                  \
	_(solv_chksum_add, (Chksum *sum, const void *p, int n), (sum, p, n))                       \
	_(solver_findallproblemrules, (Solver *solv, Id problem, Queue *out),                      \
	    (solv, problem, out))                                                                  \
	_(solver_free, (Solver *solv), (solv))                                                     \
	_(solver_get_decisionqueue, (Solver *solv, Queue *out), (solv, out))                       \
	_(solver_take_solution, (Solver *solv, Id problem, Id solution, Queue *job),               \
	    (solv, problem, solution, job))
/* clang-format on */

PP_LIBRARY_DOOR(pp_libsolv_is_there, SONAME, FUNCTIONS, PROCEDURES)
