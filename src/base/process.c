/* SPDX-License-Identifier: MIT */
/* Reading /proc: who is in a session, since when, with what environment. */
#include "base/process.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STAT_MAX_BYTES    4096
#define ENVIRON_MAX_BYTES (4 << 20)
#define PID_MAX           (1 << 30)
/* proc_pid_stat(5), counted from 0 behind the name */
#define FIELD_STATE   0
#define FIELD_PARENT  1
#define FIELD_SESSION 3
#define FIELD_START   19

static int
open_proc(void)
{
	return pp_opendir_at(AT_FDCWD, "/proc");
}

static int
read_proc(int proc_fd, pid_t pid, const char *file, struct pp_buf *out)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%d/%s", (int)pid, file);
	PP_AUTO_FD int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : pp_fd_read_all(fd, out);
}

static bool
look(int proc_fd, pid_t pid, struct pp_process *out)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(STAT_MAX_BYTES);
	uint64_t session = 0, start = 0, parent = 0;
	bool has_all = false;

	if (read_proc(proc_fd, pid, "stat", &text) < 0)
		return false;
	/* The name may hold anything, also blanks and parentheses. */
	const char *name_end = strrchr(pp_buf_cstr(&text), ')');
	if (name_end == NULL || name_end[1] != ' ')
		return false;
	struct pp_str rest = pp_str_of(name_end + 2), field;
	*out = (struct pp_process){ .pid = pid };
	for (int i = 0; i <= FIELD_START && pp_str_cut(&rest, ' ', &field); i++) {
		if (i == FIELD_STATE)
			out->is_dead = pp_str_eq(field, "Z") || pp_str_eq(field, "X");
		else if ((i == FIELD_SESSION && pp_parse_u64(field, PID_MAX, &session) < 0) ||
			 (i == FIELD_PARENT && pp_parse_u64(field, PID_MAX, &parent) < 0))
			return false;
		else if (i == FIELD_START)
			has_all = pp_parse_u64(field, UINT64_MAX, &start) == 0;
	}
	out->session = (pid_t)session;
	out->parent = (pid_t)parent;
	out->start_ticks = start;
	return has_all;
}

bool
pp_process_look(pid_t pid, struct pp_process *out)
{
	PP_AUTO_FD int proc_fd = open_proc();

	return proc_fd >= 0 && look(proc_fd, pid, out);
}

static bool
has_line(const struct pp_buf *env, const char *line)
{
	size_t n = strlen(line);

	for (size_t at = 0; at < env->n;) {
		size_t left = env->n - at, here = strnlen(env->s + at, left);
		if (here == n && memcmp(env->s + at, line, n) == 0)
			return true;
		at += here + 1;
	}
	return false;
}

bool
pp_process_has_env(pid_t pid, const char *const *lines, size_t n)
{
	PP_AUTO_FD int proc_fd = open_proc();
	PP_AUTO_BUF struct pp_buf env = PP_BUF_INIT(ENVIRON_MAX_BYTES);

	if (proc_fd < 0 || read_proc(proc_fd, pid, "environ", &env) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!has_line(&env, lines[i]))
			return false;
	return true;
}

static void
each(pp_process_fn fn, void *user)
{
	PP_AUTO_FD int proc_fd = open_proc();
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	bool go_on = proc_fd >= 0 && pp_list_dir(proc_fd, ".", &names) == 0;

	for (size_t i = 0; go_on && i < names.n; i++) {
		struct pp_process p;
		uint64_t pid;
		if (pp_parse_u64(pp_str_of(names.at[i]), PID_MAX, &pid) == 0 &&
		    look(proc_fd, (pid_t)pid, &p))
			go_on = fn(&p, user);
	}
}

struct filter {
	pid_t session, parent; /* of the session, or, where it is not 0, of the parent */
	pp_process_fn fn;
	void *user;
};

static bool
pass(const struct pp_process *p, void *user)
{
	const struct filter *f = user;
	bool fits =
	    f->parent != 0 ? p->parent == f->parent : p->session == f->session && !p->is_dead;

	return !fits || f->fn(p, f->user);
}

void
pp_process_each(pid_t session, pp_process_fn fn, void *user)
{
	struct filter f = { .session = session, .fn = fn, .user = user };

	each(pass, &f);
}

void
pp_process_each_child(pid_t parent, pp_process_fn fn, void *user)
{
	struct filter f = { .parent = parent, .fn = fn, .user = user };

	each(pass, &f);
}

void
pp_process_kill(const struct pp_process *p)
{
	PP_AUTO_FD int pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	struct pp_process now;

	/* Looked at again with the descriptor open: its number is not another's meanwhile. */
	if (!pp_process_look(p->pid, &now) || now.start_ticks != p->start_ticks)
		return;
	if (pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0); /* dead already? */
	else
		(void)kill(p->pid, SIGKILL); /* as above */
}
