/* SPDX-License-Identifier: MIT */
/* As other programs have it: $PAGER in a shell, less when it is not set; none: empty or cat. */
#include "term/pager.h"

#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Less stays only for more than one screen, shows colours, and leaves the text on the screen. */
#define LESS_USUAL "LESS=FRX"

static const char *
command(void)
{
	const char *named = secure_getenv("PAGER"), *term = getenv("TERM");

	if (term == NULL || *term == '\0' || strcmp(term, "dumb") == 0)
		return NULL;
	if (named == NULL)
		return "command -v less >/dev/null && exec less; exec cat";
	return *named == '\0' || strcmp(named, "cat") == 0 ? NULL : named;
}

static pid_t
spawn(const char *text, int input_fd)
{
	const char *const argv[] = { "sh", "-c", text, NULL };
	PP_AUTO_FREE const char **env = NULL;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t usual;
	pid_t pid = -1;
	size_t n = 0;

	while (environ[n] != NULL)
		n++;
	env = pp_xcalloc(n + 2, sizeof(*env));
	for (size_t i = 0; i < n; i++)
		env[i] = environ[i];
	if (getenv("LESS") == NULL)
		env[n] = LESS_USUAL;
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE); /* which this process ignores */
	if (posix_spawn_file_actions_init(&files) != 0)
		return -1;
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return -1;
	}
	int r = posix_spawn_file_actions_adddup2(&files, input_fd, STDIN_FILENO);
	r |= posix_spawnattr_setsigdefault(&attributes, &usual);
	r |= posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	if (r != 0 || posix_spawn(&pid, "/bin/sh", &files, &attributes,
			  (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env) != 0)
		pid = -1;
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	return pid;
}

void
pager_start(struct pager *p, struct out *o)
{
	const char *text = o->is_terminal ? command() : NULL;
	int ends[2];

	*p = (struct pager){ .pid = -1, .stream_fd = -1 };
	if (text == NULL || pipe2(ends, O_CLOEXEC) < 0)
		return;
	PP_AUTO_FD int read_fd = ends[0];
	PP_AUTO_FD int write_fd = ends[1];
	PP_AUTO_FD int stream_fd = fcntl(o->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	out_flush(o);
	if (stream_fd < 0)
		return;
	p->pid = spawn(text, read_fd);
	if (p->pid < 0)
		return;
	p->stream_fd = pp_fd_steal(&stream_fd);
	if (dup2(write_fd, o->fd) < 0)
		pager_end(p, o);
}

void
pager_end(struct pager *p, struct out *o)
{
	int status = 0;

	if (p->pid < 0)
		return;
	out_flush(o);
	/* Replaces the last end of the pipe, which is how the pager learns that this is all. */
	if (dup2(p->stream_fd, o->fd) < 0 && o->error == 0)
		o->error = errno;
	pp_auto_fd(&p->stream_fd);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		continue; /* Ctrl-C is the pager's business while it runs */
	p->pid = -1;
}
