/* SPDX-License-Identifier: MIT */
/*
 * An application with threads, which use the library as libplugpkg(3) allows. Not installed. Status
 * 0, or 1 where anything failed; what that was stands on standard output.
 *
 *   threads work ROUNDS {ROOT PLUGIN}...  a thread each: updates, installs, asks and removes
 *   threads cancel WHEN ROOT PLUGIN       another thread cancels the installation at the first
 *                                         event of that kind: fetch, lock or script
 *   threads hand-on ROOT PLUGIN           one context, and a new thread for each call
 */
#include <plugpkg-query.h>
#include <plugpkg.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WORKERS 16

struct worker {
	const char *root, *plugin;
	long rounds;
	plugpkg_context *ctx;
	size_t n_rows;
	plugpkg_error *err;
	sem_t begun; /* an event of the kind `when` came */
	enum plugpkg_event_type when;
	enum plugpkg_code rc;
};

static void
count_row(const char *json, void *user)
{
	struct worker *w = user;

	w->n_rows += json[0] == '{';
}

static void
on_event(const struct plugpkg_event *ev, void *user)
{
	struct worker *w = user;

	if (ev->type == w->when)
		(void)sem_post(&w->begun); /* more often than it can count it need not be */
}

/* As often as another thread changed the root between plan and commit. */
static enum plugpkg_code
change(struct worker *w, enum plugpkg_verb verb)
{
	const struct plugpkg_request request = {
		.verb = verb,
		.targets = &w->plugin,
		.n_targets = 1,
	};
	bool is_again = true;
	enum plugpkg_code rc = PLUGPKG_OK;

	while (is_again) {
		plugpkg_plan *plan = NULL;
		plugpkg_error_free(w->err);
		w->err = NULL;
		rc = plugpkg_plan_make(w->ctx, &request, &plan, &w->err);
		if (rc == PLUGPKG_OK)
			rc = plugpkg_plan_commit(plan, count_row, w, &w->err);
		is_again = rc == PLUGPKG_E_REFUSED && plan != NULL && plugpkg_plan_is_stale(plan);
		plugpkg_plan_free(plan);
	}
	return rc;
}

static enum plugpkg_code
ask(struct worker *w)
{
	const struct plugpkg_list_spec installed = { .pattern = w->plugin };
	const struct plugpkg_list_spec offered = { .flags = PLUGPKG_LIST_AVAILABLE };
	size_t n_problems = 0;
	enum plugpkg_code rc = plugpkg_show(w->ctx, w->plugin, count_row, w, &w->err);

	if (rc == PLUGPKG_OK)
		rc = plugpkg_history(w->ctx, count_row, w, &w->err);
	if (rc == PLUGPKG_OK)
		rc = plugpkg_list(w->ctx, &offered, count_row, w, &w->err);
	if (rc == PLUGPKG_OK)
		rc = plugpkg_check(w->ctx, 0, &n_problems, count_row, w, &w->err);
	w->n_rows = 0;
	if (rc == PLUGPKG_OK)
		rc = plugpkg_list(w->ctx, &installed, count_row, w, &w->err);
	if (rc == PLUGPKG_OK && w->n_rows != 1) {
		printf("%s: %zu rows of %s\n", w->root, w->n_rows, w->plugin);
		rc = PLUGPKG_E_FAILED;
	}
	return rc;
}

static void *
open_root(void *user)
{
	struct worker *w = user;

	w->rc = plugpkg_open(w->root, &w->ctx, &w->err);
	if (w->rc == PLUGPKG_OK)
		plugpkg_set_event_fn(w->ctx, on_event, w);
	return NULL;
}

static void *
update(void *user)
{
	struct worker *w = user;

	w->rc = plugpkg_update(w->ctx, count_row, w, &w->err);
	return NULL;
}

static void *
install(void *user)
{
	struct worker *w = user;

	w->rc = change(w, PLUGPKG_INSTALL);
	(void)sem_post(&w->begun); /* or it is over without that event */
	return NULL;
}

static void *
look(void *user)
{
	struct worker *w = user;

	w->rc = ask(w);
	return NULL;
}

static void *
take_away(void *user)
{
	struct worker *w = user;

	w->rc = change(w, PLUGPKG_REMOVE);
	return NULL;
}

static void *(*const calls[])(void *) = { open_root, update, install, look, take_away };
#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

static void *
work(void *user)
{
	struct worker *w = user;

	for (long i = 0; i < w->rounds && w->rc == PLUGPKG_OK; i++) {
		for (size_t j = 0; j < N_CALLS && w->rc == PLUGPKG_OK; j++)
			(void)calls[j](w);
		plugpkg_close(w->ctx);
		w->ctx = NULL;
	}
	return NULL;
}

/* ---- the threads ---- */

static void
begin(pthread_t *thread, void *(*run)(void *), struct worker *w)
{
	if (pthread_create(thread, NULL, run, w) != 0) {
		puts("no thread could be made");
		exit(1);
	}
}

static int
end(struct worker *w, enum plugpkg_code want)
{
	bool is_right = w->rc == want;

	if (!is_right)
		printf("%s %s: %s: %s\n", w->root, w->plugin, plugpkg_code_name(w->rc),
		    w->err != NULL ? plugpkg_error_message(w->err) : "");
	plugpkg_error_free(w->err);
	plugpkg_close(w->ctx);
	return is_right ? 0 : 1;
}

static int
work_all(long rounds, char **pairs, size_t n)
{
	struct worker workers[MOST_WORKERS] = { 0 };
	pthread_t threads[MOST_WORKERS];
	int failed = 0;

	for (size_t i = 0; i < n; i++) {
		workers[i].root = pairs[2 * i];
		workers[i].plugin = pairs[2 * i + 1];
		workers[i].rounds = rounds;
		(void)sem_init(&workers[i].begun, 0, 0);
		begin(&threads[i], work, &workers[i]);
	}
	for (size_t i = 0; i < n; i++) {
		(void)pthread_join(threads[i], NULL);
		failed |= end(&workers[i], PLUGPKG_OK);
	}
	return failed;
}

static int
cancel(const char *when, const char *root, const char *plugin)
{
	struct worker w = { .root = root, .plugin = plugin };
	pthread_t thread;

	w.when = strcmp(when, "fetch") == 0  ? PLUGPKG_EVENT_FETCH
		 : strcmp(when, "lock") == 0 ? PLUGPKG_EVENT_LOCK_WAIT
					     : PLUGPKG_EVENT_SCRIPT_OUTPUT;
	(void)sem_init(&w.begun, 0, 0);
	(void)open_root(&w);
	if (w.rc == PLUGPKG_OK) {
		begin(&thread, install, &w);
		(void)sem_wait(&w.begun);
		plugpkg_cancel(w.ctx);
		(void)pthread_join(thread, NULL);
	}
	return end(&w, PLUGPKG_E_INTERRUPTED);
}

static int
hand_on(const char *root, const char *plugin)
{
	struct worker w = { .root = root, .plugin = plugin };
	pthread_t thread;

	(void)sem_init(&w.begun, 0, 0);
	for (size_t i = 0; i < N_CALLS && w.rc == PLUGPKG_OK; i++) {
		begin(&thread, calls[i], &w);
		(void)pthread_join(thread, NULL);
	}
	return end(&w, PLUGPKG_OK);
}

int
main(int argc, char **argv)
{
	if (argc >= 5 && argc % 2 == 1 && argc <= 3 + 2 * MOST_WORKERS &&
	    strcmp(argv[1], "work") == 0)
		return work_all(strtol(argv[2], NULL, 10), argv + 3, (size_t)(argc - 3) / 2);
	if (argc == 5 && strcmp(argv[1], "cancel") == 0)
		return cancel(argv[2], argv[3], argv[4]);
	if (argc == 4 && strcmp(argv[1], "hand-on") == 0)
		return hand_on(argv[2], argv[3]);
	fputs("usage: threads work ROUNDS {ROOT PLUGIN}... | cancel WHEN ROOT PLUGIN | hand-on "
	      "ROOT PLUGIN\n",
	    stderr);
	return 2;
}
