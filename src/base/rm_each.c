/* SPDX-License-Identifier: MIT */
/* Takes names from a list that it shares with its threads, and deletes what they stand for. */
#include "base/rm_each.h"

#include "base/path.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#define MOST_THREADS   4  /* with the caller's; more wait for the file system's locks */
#define NAMES_A_THREAD 16 /* fewer are deleted before another one has begun */

struct deleting {
	int dirfd;
	const struct pp_strs *names;
	atomic_size_t next;   /* the first name that is nobody's yet */
	atomic_int first_err; /* -errno, once there is one */
	const char *failed;   /* whose; for its setter until the threads have ended */
};

struct hand {
	struct deleting *all;
	uint64_t bytes;
	pthread_t thread;
};

static void
note_failure(struct deleting *d, int r, const char *name)
{
	int none = 0;

	if (atomic_compare_exchange_strong(&d->first_err, &none, r))
		d->failed = name;
}

static void *
work(void *user)
{
	struct hand *h = user;
	struct deleting *d = h->all;

	while (atomic_load(&d->first_err) == 0) {
		size_t i = atomic_fetch_add(&d->next, 1);
		if (i >= d->names->n)
			break;
		int r = pp_rm_rf_count_at(d->dirfd, d->names->at[i], &h->bytes);

		if (r < 0)
			note_failure(d, r, d->names->at[i]);
	}
	return NULL;
}

static size_t
count_hands(size_t n_names)
{
	cpu_set_t set;
	size_t n = n_names / NAMES_A_THREAD;

	if (n < 2 || sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	size_t processors = (size_t)CPU_COUNT(&set);

	n = n < processors ? n : processors;
	return n < MOST_THREADS ? n : MOST_THREADS;
}

int
pp_rm_each_at(int dirfd, const struct pp_strs *names, uint64_t *bytes, const char **out_failed)
{
	struct deleting all = { .dirfd = dirfd, .names = names };
	struct hand hands[MOST_THREADS] = { { .all = &all } };
	size_t n = count_hands(names->n), started = 1;
	sigset_t every, old;

	sigfillset(&every);
	(void)pthread_sigmask(SIG_SETMASK, &every, &old);
	for (; started < n; started++) {
		hands[started].all = &all;
		/* Without it the work takes longer. */
		if (pthread_create(&hands[started].thread, NULL, work, &hands[started]) != 0)
			break;
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)work(&hands[0]);
	for (size_t i = 1; i < started; i++)
		(void)pthread_join(hands[i].thread, NULL);
	for (size_t i = 0; i < started; i++)
		*bytes += hands[i].bytes;
	if (all.first_err < 0 && out_failed != NULL)
		*out_failed = all.failed;
	return all.first_err;
}
