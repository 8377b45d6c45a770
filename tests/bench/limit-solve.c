/* SPDX-License-Identifier: MIT */
/*
 * limit-solve FILE.solv NAME…: the least that a plan with libsolv can cost. Loads the index,
 * solves, orders the steps and prints them.
 */
#include <solv/pool.h>
#include <solv/repo.h>
#include <solv/repo_solv.h>
#include <solv/solver.h>
#include <solv/transaction.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
	Pool *pool = pool_create();
	Repo *repo = repo_create(pool, "bench");
	FILE *in = argc > 2 ? fopen(argv[1], "re") : NULL;
	Queue job;

	if (in == NULL || repo_add_solv(repo, in, 0) != 0)
		return 2;
	(void)fclose(in);
	pool_setarch(pool, "noarch");
	pool_createwhatprovides(pool);
	queue_init(&job);
	for (int i = 2; i < argc; i++)
		queue_push2(
		    &job, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME, pool_str2id(pool, argv[i], 1));
	Solver *solver = solver_create(pool);
	solver_set_flag(solver, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
	if (solver_solve(solver, &job) != 0)
		return 1;
	Transaction *plan = solver_create_transaction(solver);
	transaction_order(plan, 0);
	for (int i = 0; i < plan->steps.count; i++)
		(void)puts(pool_solvid2str(pool, plan->steps.elements[i]));
	return 0; /* the system frees it all, quicker than we could */
}
