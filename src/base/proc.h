/* SPDX-License-Identifier: MIT */
/* Child processes: argument vector, given environment, chosen descriptors, own session. */
#ifndef PP_BASE_PROC_H
#define PP_BASE_PROC_H

#include "base/wall.h"

#include <sys/types.h>

struct pp_child {
	pid_t pid;         /* -1 when none; leader of its own session and process group */
	bool has_no_group; /* it is in ours, as it was to keep the terminal */
};

struct pp_spawn {
	const char *path;           /* program; no search along PATH */
	const char *const *argv;    /* NULL-terminated */
	const char *const *env;     /* NULL-terminated; NULL = empty environment */
	int cwd_fd;                 /* directory to run in, -1 = inherit */
	int stdin_fd;               /* -1 = /dev/null */
	int stdout_fd;              /* -1 = /dev/null */
	int stderr_fd;              /* -1 = /dev/null */
	int pass_fd;                /* becomes descriptor 3; -1 = none */
	const struct pp_wall *wall; /* that the child goes behind; NULL: none */
	bool keeps_terminal;        /* stays in our session and process group */
	/* Called before the program begins to run; or NULL. */
	void (*forked)(pid_t pid, void *user);
	void *user;
};
#define PP_SPAWN_INIT                                                                              \
	{                                                                                          \
		.cwd_fd = -1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .pass_fd = -1      \
	}

/*
 * Starts the child: own session, no terminal, umask 022, default signals, every descriptor above 2
 * (3 with pass_fd) closed. It is killed when the calling thread ends. An exec that fails is
 * reported here as -errno.
 *
 * One that keeps the terminal is stopped and interrupted there together with us; of those that it
 * started itself pp_child_kill() knows nothing then.
 */
int pp_spawn(const struct pp_spawn *s, struct pp_child *out) PP_MUSTUSE;
/*
 * For a program of our own: a supervisor that ignores SIGCHLD hands that on, and nobody learns how
 * a child ended. From now on each start of one sets that back.
 */
void pp_spawn_own_signals(void);
/*
 * Waits; -EAGAIN after timeout_ms (-1 = for ever) with the child still running; -ECHILD when the
 * program around us reaped it, or ignores SIGCHLD. Status as waitpid().
 */
int pp_child_wait(struct pp_child *c, int timeout_ms, int *out_status) PP_MUSTUSE;
/*
 * It ended, and is not reaped yet: as long as the leader is a zombie, its group number cannot be
 * reused. True too where somebody else reaped it; then pid is -1, as it may be another's.
 */
bool pp_child_has_ended(struct pp_child *c);
/* Of one that has: ends what it left in its group. -ECHILD: reaped by somebody else. */
int pp_child_reap(struct pp_child *c, int *out_status) PP_MUSTUSE;
/* SIGTERM to the group, SIGKILL after grace_ms, reaps the leader; the group is gone afterwards. */
void pp_child_kill(struct pp_child *c, int grace_ms);
void pp_child_fini(struct pp_child *c); /* kills at once what still runs; fit for PP_CLEANUP */

/* The end of a child that never became a program: none of our exit handlers run. */
void pp_child_exit(int status) PP_NORETURN;

/*
 * Path of a helper program: $PLUGPKG_LIBEXEC/NAME when set (secure_getenv), else LIBEXECDIR/NAME.
 */
char *pp_helper_path(const char *name);

#endif
