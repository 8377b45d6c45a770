/* SPDX-License-Identifier: MIT */
/* Starting, waiting for and ending child processes. */
#include "base/proc.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_EVERY_MS     10
#define FIRST_FREE_FD     10    /* above every descriptor that the child gets by number */
#define QUICK_STACK_BYTES 32768 /* of a child until exec */

/* Counters are written at exit() only, and behind a wall not at all. */
static void
write_coverage(void)
{
#ifdef PP_COVERAGE
	extern void __gcov_dump(void);

	__gcov_dump();
#endif
}

/* Puts fd (or /dev/null) at `to` for the program that follows. */
static int
place(int fd, int to, int null_flags)
{
	PP_AUTO_FD int null = -1;

	if (fd < 0)
		fd = null = open("/dev/null", null_flags);
	if (fd < 0 || dup2(fd, to) < 0)
		return -errno;
	if (null == to)
		(void)pp_fd_steal(&null); /* was the lowest free number: it stays where it is */
	return 0;
}

static void
default_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &sa, NULL); /* KILL and STOP cannot and need not be set */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * A child whose parent is killed ends too: it would go on beside whoever repairs what was cut off.
 */
static int
end_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH; /* it may have died before */
}

/*
 * In the child, between fork and exec: async-signal-safe calls only, for our memory may be the
 * parent's. Returns only on failure, -errno. report_fd: -1 for none.
 */
static int
become(const struct pp_spawn *s, int report_fd)
{
	/* Away from 0 to 3 first, so that placing one never overwrites another. */
	int in = s->stdin_fd < 0 ? -1 : fcntl(s->stdin_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	int out = s->stdout_fd < 0 ? -1 : fcntl(s->stdout_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	int err = s->stderr_fd < 0 ? -1 : fcntl(s->stderr_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	int pass = s->pass_fd < 0 ? -1 : fcntl(s->pass_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	static const char *const no_env[] = { NULL };

	default_signals();
	(void)umask(022);
	/* A session of its own has no terminal: none to write to past us, none to be stopped by. */
	if ((!s->keeps_terminal && setsid() < 0) || (s->cwd_fd >= 0 && fchdir(s->cwd_fd) < 0))
		return -errno;
	int r = place(in, 0, O_RDONLY);
	if (r == 0)
		r = place(out, 1, O_WRONLY);
	if (r == 0)
		r = place(err, 2, O_WRONLY);
	if (r == 0 && pass >= 0 && dup2(pass, 3) < 0)
		r = -errno;
	if (r < 0)
		return r;
	/*
	 * What is not ours to pass closes with exec; the report closes by it too, which says
	 * "started".
	 */
	(void)syscall(SYS_close_range, pass >= 0 ? 4 : 3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (report_fd >= 0)
		(void)fcntl(report_fd, F_SETFD, FD_CLOEXEC);
	write_coverage();
	r = s->wall != NULL ? pp_wall_enter(s->wall) : 0;
	if (r < 0)
		return r;
	const char *const *env = s->env != NULL ? s->env : no_env;
	(void)execve(s->path, (char *const *)(uintptr_t)s->argv, (char *const *)(uintptr_t)env);
	return -errno;
}

void
pp_child_exit(int status)
{
	write_coverage();
	_exit(status);
}

/* In the child: until the parent has noted it; -ESRCH: it is dead. */
static int
wait_at(int gate_fd)
{
	char byte;
	ssize_t n;

	while ((n = read(gate_fd, &byte, 1)) < 0 && errno == EINTR)
		;
	return n == 1 ? 0 : -ESRCH;
}

/*
 * By a byte, since the end of the pipe may not come: children of other threads have copies of its
 * writing end, and those that wait at a gate themselves have them until that one opens.
 */
static void
open_gate(int gate_fd)
{
	while (write(gate_fd, "", 1) < 0 && errno == EINTR)
		; /* nothing else can go wrong: it is empty, and we hold both ends */
}

/* Both ends out of the way of 0 to 3. */
static int
high_pipe(int ends[2])
{
	int low[2];

	ends[0] = ends[1] = -1;
	if (pipe2(low, O_CLOEXEC) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
		(void)close(low[i]);
	}
	if (ends[0] >= 0 && ends[1] >= 0)
		return 0;
	pp_auto_fd(&ends[0]);
	pp_auto_fd(&ends[1]);
	return -EMFILE;
}

static void PP_NORETURN
run_child(const struct pp_spawn *s, pid_t parent, int gate_fd, int report_fd)
{
	int failure = end_with(parent);
	int r = wait_at(gate_fd);

	if (failure == 0)
		failure = r;
	if (failure == 0)
		failure = become(s, report_fd);
	(void)!write(report_fd, &failure, sizeof(failure)); /* nobody else to tell */
	pp_child_exit(127);
}

static void
reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int
spawn_noted(const struct pp_spawn *s, pid_t *out)
{
	int report[2], gate[2];
	int r = high_pipe(report);
	if (r < 0)
		return r;
	PP_AUTO_FD int from = report[0];
	PP_AUTO_FD int to = report[1];
	r = high_pipe(gate);
	if (r < 0)
		return r;
	PP_AUTO_FD int gate_in = gate[0];
	PP_AUTO_FD int gate_out = gate[1];
	pid_t us = getpid(), pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)close(gate_out); /* only the parent holds it open */
		run_child(s, us, gate_in, to);
	}
	pp_auto_fd(&to);
	if (s->forked != NULL)
		s->forked(pid, s->user);
	open_gate(gate_out);
	int failure = 0;
	ssize_t n;
	while ((n = read(from, &failure, sizeof(failure))) < 0 && errno == EINTR)
		;
	if (n == 0) {
		*out = pid;
		return 0;
	}
	reap(pid);
	return n == (ssize_t)sizeof(failure) ? failure : -EIO;
}

struct quick {
	const struct pp_spawn *s;
	pid_t parent;
	int failure;
};

static int
run_quick(void *user)
{
	struct quick *q = user;

	q->failure = end_with(q->parent);
	if (q->failure == 0)
		q->failure = become(q->s, -1);
	_exit(127);
}

/*
 * As posix_spawn(3) does it: the child borrows our memory until exec, and we rest for as long.
 * Copying what a large process has mapped takes longer than all else here. No signal may find our
 * handlers in the child.
 */
static int
spawn_quick(const struct pp_spawn *s, pid_t *out)
{
	_Alignas(max_align_t) char stack[QUICK_STACK_BYTES];
	struct quick q = { .s = s, .parent = getpid() };
	sigset_t all, before;

	(void)sigfillset(&all);
	int r = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r != 0)
		return -r;
	pid_t pid = clone(run_quick, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &q);
	r = pid < 0 ? -errno : q.failure;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid > 0 && r < 0)
		reap(pid);
	*out = pid;
	return r;
}

static bool owns_signals;

void
pp_spawn_own_signals(void)
{
	owns_signals = true;
}

int
pp_spawn(const struct pp_spawn *s, struct pp_child *out)
{
	/* What watches a process writes down in its memory what it sees. */
	bool is_quick = s->forked == NULL && !PP_IS_WATCHED_BUILD;
	pid_t pid = -1;

	out->pid = -1;
	if (owns_signals && signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		return -errno;
	int r = is_quick ? spawn_quick(s, &pid) : spawn_noted(s, &pid);
	if (r < 0)
		return r;
	out->pid = pid;
	out->has_no_group = s->keeps_terminal;
	return 0;
}

/* -errno; after ECHILD nobody is signalled by that number any more. */
static int
cannot_wait(struct pp_child *c)
{
	int r = -errno;

	if (r == -ECHILD)
		c->pid = -1;
	return r;
}

/* Without pidfd_open(2) (old kernel, filter of system calls): looks again and again. */
static int
wait_by_looking(struct pp_child *c, int64_t end, int *out_status)
{
	for (;;) {
		pid_t r = waitpid(c->pid, out_status, WNOHANG);
		if (r == c->pid) {
			c->pid = -1;
			return 0;
		}
		if (r < 0 && errno != EINTR)
			return cannot_wait(c);
		if (pp_time_mono_ms() >= end)
			return -EAGAIN;
		(void)poll(NULL, 0, LOOK_EVERY_MS); /* sleeps; a signal only shortens it */
	}
}

int
pp_child_wait(struct pp_child *c, int timeout_ms, int *out_status)
{
	int64_t end = pp_time_mono_ms() + timeout_ms;

	if (c->pid <= 0)
		return -ECHILD; /* waitpid() would take any child of the process */
	PP_AUTO_FD int fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (fd < 0 && timeout_ms >= 0)
		return wait_by_looking(c, end, out_status);

	while (fd >= 0) {
		int left = timeout_ms < 0 ? -1 : (int)(end - pp_time_mono_ms());
		if (timeout_ms >= 0 && left < 0)
			left = 0;
		int n = poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, left);
		if (n > 0)
			break;
		if (n == 0)
			return -EAGAIN;
		if (errno != EINTR)
			return -errno;
	}
	for (;;) {
		pid_t r = waitpid(c->pid, out_status, 0);
		if (r == c->pid) {
			c->pid = -1;
			return 0;
		}
		if (errno != EINTR)
			return cannot_wait(c);
	}
}

bool
pp_child_has_ended(struct pp_child *c)
{
	siginfo_t info = { 0 };

	if (c->pid <= 0)
		return true;
	if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		return info.si_pid == c->pid;
	return cannot_wait(c) == -ECHILD;
}

int
pp_child_reap(struct pp_child *c, int *out_status)
{
	if (c->pid > 0)
		(void)kill(-c->pid, SIGKILL); /* usually nobody is left */
	return pp_child_wait(c, -1, out_status);
}

void
pp_child_kill(struct pp_child *c, int grace_ms)
{
	int status;

	(void)pp_child_has_ended(c); /* asked for whether its number is still its own */
	if (c->pid <= 0)
		return;
	pid_t whom = c->has_no_group ? c->pid : -c->pid;
	(void)kill(whom, SIGTERM); /* may be gone already */
	int r = grace_ms > 0 ? pp_child_wait(c, grace_ms, &status) : -EAGAIN;
	if (r == -EAGAIN) {
		(void)kill(whom, SIGKILL);
		r = pp_child_wait(c, -1, &status);
	}
	if (r != -ECHILD && !c->has_no_group)
		(void)kill(whom, SIGKILL); /* members that outlived the leader */
	c->pid = -1;
}

void
pp_child_fini(struct pp_child *c)
{
	pp_child_kill(c, 0);
}

char *
pp_helper_path(const char *name)
{
	const char *dir = secure_getenv("PLUGPKG_LIBEXEC");

	return pp_asprintf("%s/%s", dir != NULL && *dir == '/' ? dir : LIBEXECDIR, name);
}
