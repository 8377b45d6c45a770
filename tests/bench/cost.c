/* SPDX-License-Identifier: MIT */
/*
 * cost COMMAND…: runs it with its output thrown away and prints what it cost: wall, user and system
 * seconds, peak memory of the largest process in KiB. Small, so that its own memory, which counts
 * as a peak of the child from the fork to the exec, is less than anybody's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
	struct timespec start, end;
	struct rusage use;
	int status = 0;

	if (argc < 2)
		return 2;
	(void)clock_gettime(CLOCK_MONOTONIC, &start); /* cannot fail with this clock */
	pid_t pid = vfork();
	if (pid == 0) {
		int fd = open("/dev/null", O_RDWR);
		(void)dup2(fd, STDIN_FILENO);
		(void)dup2(fd, STDOUT_FILENO);
		(void)dup2(fd, STDERR_FILENO);
		(void)execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid)
		return 1;
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.6f %.6f %.6f %ld %d\n",
	    (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
	    seconds(&use.ru_utime), seconds(&use.ru_stime), use.ru_maxrss, WEXITSTATUS(status));
	return 0;
}
