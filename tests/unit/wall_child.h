/* SPDX-License-Identifier: MIT */
/* A process that goes behind a wall and then does what a helper that was taken over would do. */
#ifndef WALL_CHILD_H
#define WALL_CHILD_H

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child's answer: 0, or the errno of what it tried; -1 when it died instead. */
static inline int
wall_child(int (*tries)(void *user), void *user)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(tries(user));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
