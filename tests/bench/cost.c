/* SPDX-License-Identifier: MIT */
/*
 * cost [-m] FILE COMMAND…: runs it and writes to FILE, as JSON, what it cost: wall, user and system
 * seconds, peak memory of the largest process in KiB, and its status. With -m also the peak of all
 * processes together, without what they share, by looking every millisecond: not for timing. Small,
 * so that its own memory, which counts as a peak of the child from the fork to the exec, is less
 * than anybody's.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE_NS 1000000L
#define MAX_DEPTH 16

static double
seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* KiB of memory that PID and its descendants do not share with a file. */
static long
kib_of(long pid, int depth)
{
	char path[64];
	long resident = 0, shared = 0, total = 0, child;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/statm", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%*d %ld %ld", &resident, &shared) == 2)
		total = (resident - shared) * (sysconf(_SC_PAGESIZE) / 1024);
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	f = depth < MAX_DEPTH ? fopen(path, "re") : NULL;
	if (f == NULL)
		return total;
	while (fscanf(f, "%ld", &child) == 1)
		total += kib_of(child, depth + 1);
	(void)fclose(f);
	return total;
}

static pid_t
start(char **command)
{
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execvp(command[0], command);
		_exit(127);
	}
	return pid;
}

static pid_t
wait_for(pid_t pid, bool is_sampling, long *together, struct rusage *use, int *status)
{
	const struct timespec pause = { .tv_nsec = SAMPLE_NS };
	pid_t got;

	while (is_sampling && (got = wait4(pid, status, WNOHANG, use)) == 0) {
		long now = kib_of(pid, 0);
		if (now > *together)
			*together = now;
		(void)nanosleep(&pause, NULL);
	}
	if (is_sampling)
		return got;
	do
		got = wait4(pid, status, 0, use);
	while (got < 0 && errno == EINTR);
	return got;
}

int
main(int argc, char **argv)
{
	bool is_sampling = argc > 1 && strcmp(argv[1], "-m") == 0;
	struct timespec begin, end;
	struct rusage use;
	long together = 0;
	int status = 0;

	argv += is_sampling ? 2 : 1;
	argc -= is_sampling ? 2 : 1;
	if (argc < 2)
		return 2;
	(void)clock_gettime(CLOCK_MONOTONIC, &begin); /* cannot fail with this clock */
	pid_t pid = start(argv + 1);
	if (pid < 0 || wait_for(pid, is_sampling, &together, &use, &status) != pid)
		return 1;
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	FILE *out = fopen(argv[0], "we");
	if (out == NULL)
		return 1;
	fprintf(out,
	    "{\"wall\":%.6f,\"user\":%.6f,\"sys\":%.6f,\"rss_kb\":%ld,\"together_kb\":%ld,"
	    "\"switches\":%ld,\"code\":%d}\n",
	    (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
	    seconds(&use.ru_utime), seconds(&use.ru_stime), use.ru_maxrss, together,
	    use.ru_nvcsw + use.ru_nivcsw,
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return fclose(out) == 0 ? 0 : 1;
}
