/* SPDX-License-Identifier: MIT */
/*
 * One program that is not ours, run to its end: time limit, process group, output line by line.
 * Which program, where and with what environment is the caller's business.
 */
#include "lib/txn/script.h"

#include "base/fd.h"
#include "base/proc.h"
#include "base/sys.h"
#include "base/time.h"
#include "lib/txn/lock.h"
#include "lib/txn/strays.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS           100  /* how often the wish to stop and the time limit are looked at */
#define GRACE_MS          2000 /* between SIGTERM and SIGKILL */
#define MESSAGE_MAX_BYTES 65536

enum outcome {
	OUT_ENDED,
	OUT_TIMEOUT,
	OUT_CANCELLED,
	OUT_LOST /* reaped by the program around us: no success is known */
};

struct running {
	struct pp_child child;
	struct pp_capture out;    /* both streams, or standard error only */
	struct pp_capture answer; /* standard output of who is asked */
	int64_t deadline_ms;
	bool is_undo;
	struct pp_strays strays;
	int status; /* as waitpid(), once OUT_ENDED */
};

static void
running_fini(struct running *r)
{
	pp_child_fini(&r->child);
	pp_capture_fini(&r->out);
	pp_capture_fini(&r->answer);
}

void
pp_answer_fini(struct pp_answer *a)
{
	pp_strs_fini(&a->out);
	pp_strs_fini(&a->err);
}

/* A failpoint of its own: a kill in the middle of a script that said something. One for each. */
static void
hear(struct running *r)
{
	bool is_heard = pp_capture_read(&r->out);

	is_heard = pp_capture_read(&r->answer) || is_heard;
	if (is_heard && pp_failpoint() < 0)
		return; /* what was heard cannot be unheard */
}

static enum outcome
watch(plugpkg_context *ctx, struct running *r)
{
	PP_AUTO_FD int pidfd = (int)syscall(SYS_pidfd_open, r->child.pid, 0);

	while (!pp_child_has_ended(&r->child)) {
		if (!r->is_undo && pp_check_cancel(ctx, NULL) != PLUGPKG_OK)
			return OUT_CANCELLED;
		if (pp_time_mono_ms() >= r->deadline_ms)
			return OUT_TIMEOUT;
		struct pollfd fds[] = {
			{ .fd = pidfd, .events = POLLIN }, /* negative ones are ignored */
			{ .fd = r->out.fd, .events = POLLIN },
			{ .fd = r->answer.fd, .events = POLLIN },
		};
		int n = poll(fds, PP_LEN(fds), pidfd >= 0 ? TICK_MS : TICK_MS / 10);
		if (n > 0 && (fds[1].revents | fds[2].revents) != 0)
			hear(r);
		else if (r->out.state != NULL)
			pp_log_flush(r->out.state); /* a pause: what it said so far can be read */
	}
	return OUT_ENDED;
}

/* Whatever it left running in its group ends with it. */
static enum outcome
finish(struct running *r, enum outcome outcome)
{
	if (outcome != OUT_ENDED)
		pp_child_kill(&r->child, GRACE_MS);
	else if (pp_child_reap(&r->child, &r->status) < 0)
		outcome = OUT_LOST;
	hear(r);
	pp_capture_end(&r->out);
	pp_capture_end(&r->answer);
	return outcome;
}

static void
add_last_lines(struct pp_buf *text, const struct pp_strs *last)
{
	for (size_t i = 0; i < last->n; i++)
		pp_buf_addf(text, "\n  %s", last->at[i]);
}

static enum plugpkg_code
judge(const struct pp_exec *e, const struct running *r, enum outcome outcome, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf why = PP_BUF_INIT(MESSAGE_MAX_BYTES);

	if (e->out_killed != NULL)
		*e->out_killed = outcome != OUT_ENDED || WIFSIGNALED(r->status);
	if (e->out_status != NULL && outcome == OUT_ENDED && WIFEXITED(r->status))
		*e->out_status = WEXITSTATUS(r->status);
	if (outcome == OUT_CANCELLED)
		pp_buf_adds(&why, "was interrupted");
	else if (outcome == OUT_TIMEOUT)
		pp_buf_addf(
		    &why, "ran longer than its time limit of %u s and was killed", e->timeout_s);
	else if (outcome == OUT_LOST)
		pp_buf_adds(&why, PP_LOST_CHILD);
	else if (WIFSIGNALED(r->status))
		pp_buf_addf(&why, "was killed by signal %d", WTERMSIG(r->status));
	else if (WEXITSTATUS(r->status) != 0 && e->out_answer == NULL)
		pp_buf_addf(&why, "failed with exit status %d", WEXITSTATUS(r->status));
	else
		return PLUGPKG_OK;
	add_last_lines(&why, &r->out.last);

	enum plugpkg_code code =
	    outcome == OUT_CANCELLED ? PLUGPKG_E_INTERRUPTED : PLUGPKG_E_SCRIPT;
	(void)pp_fail(err, code, 0, "%s %s", e->what, pp_buf_cstr(&why));
	return pp_subject(err, code, e->plugin);
}

/* Known to recovery before it can start anything itself. */
static void
note(pid_t pid, void *user)
{
	pp_lock_note_script(user, pid);
}

static enum plugpkg_code
open_capture(struct pp_capture *c, int *out_writer, plugpkg_error **err)
{
	int ends[2];

	if (pp_failpoint() < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make a pipe");
	pp_capture_init(c, ends[0]);
	*out_writer = ends[1];
	return fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0
		   ? pp_fail(err, PLUGPKG_E_IO, errno, "cannot make a pipe")
		   : PLUGPKG_OK;
}

/* All there before it starts, so that nobody waits for who does not read it. */
static enum plugpkg_code
open_input(const char *text, int *out_fd, plugpkg_error **err)
{
	if (text == NULL)
		return PLUGPKG_OK;
	*out_fd = memfd_create("event", MFD_CLOEXEC);
	int r = *out_fd < 0 ? -errno : pp_fd_write_all(*out_fd, text, strlen(text));
	if (r >= 0 && lseek(*out_fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write down the event") : PLUGPKG_OK;
}

static bool
is_on_noexec(int cwd_fd, const char *program)
{
	struct statvfs fs;
	PP_AUTO_FD int fd = openat(cwd_fd, program, O_PATH | O_CLOEXEC);

	return fd >= 0 && fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOEXEC) != 0;
}

enum plugpkg_code
pp_exec_hint(plugpkg_error **err, enum plugpkg_code rc, int cwd_fd, const char *program, int errnum)
{
	int dir_fd = cwd_fd >= 0 ? cwd_fd : AT_FDCWD;
	struct stat st;

	if ((errnum != EACCES && errnum != ENOENT && errnum != ENOEXEC) ||
	    fstatat(dir_fd, program, &st, 0) < 0)
		return rc;
	if (errnum == EACCES && (st.st_mode & 0111) == 0)
		return pp_hint(err, rc, "make it executable: chmod +x '%s'", program);
	if (errnum == EACCES && is_on_noexec(dir_fd, program))
		return pp_hint(err, rc,
		    "its file system is mounted noexec, so nothing on it can be run; mount it "
		    "with exec, or put it elsewhere");
	return pp_hint(
	    err, rc, "does its first line name an interpreter that exists, as in #!/bin/sh?");
}

static enum plugpkg_code
start(plugpkg_context *ctx, const struct pp_exec *e, struct running *r, plugpkg_error **err)
{
	PP_AUTO_FD int writer = -1;
	PP_AUTO_FD int answer = -1;
	PP_AUTO_FD int input = -1;
	enum plugpkg_code rc = open_capture(&r->out, &writer, err);
	if (rc == PLUGPKG_OK && e->out_answer != NULL)
		rc = open_capture(&r->answer, &answer, err);
	if (rc == PLUGPKG_OK)
		rc = open_input(e->input, &input, err);
	if (rc != PLUGPKG_OK)
		return rc;

	struct pp_spawn spawn = PP_SPAWN_INIT;
	spawn.path = e->program;
	spawn.argv = e->argv;
	spawn.env = e->env;
	spawn.cwd_fd = e->cwd_fd;
	spawn.stdin_fd = input;
	spawn.stdout_fd = answer >= 0 ? answer : writer;
	spawn.stderr_fd = writer;
	spawn.wall = e->wall;
	spawn.forked = note;
	spawn.user = ctx;
	int failure = pp_spawn(&spawn, &r->child);
	if (failure < 0) {
		(void)pp_fail(err, PLUGPKG_E_SCRIPT, -failure, "cannot run %s", e->file);
		(void)pp_subject(err, PLUGPKG_E_SCRIPT, e->plugin);
		return pp_exec_hint(err, PLUGPKG_E_SCRIPT, e->cwd_fd, e->program, -failure);
	}
	return PLUGPKG_OK;
}

static void
label(struct pp_capture *c, plugpkg_context *ctx, const struct pp_exec *e)
{
	c->ctx = ctx;
	c->state = pp_state_of(ctx);
	c->plugin = e->plugin;
	c->channel = e->channel;
	c->transaction = e->transaction;
}

static void
hand_over(const struct running *r, struct pp_answer *out)
{
	out->status = WEXITSTATUS(r->status);
	pp_vec_foreach (line, &r->answer.last)
		pp_strs_add(&out->out, *line);
	pp_vec_foreach (line, &r->out.last)
		pp_strs_add(&out->err, *line);
}

enum plugpkg_code
pp_exec_run(plugpkg_context *ctx, const struct pp_exec *e, plugpkg_error **err)
{
	PP_CLEANUP(running_fini)
	struct running r = {
		.child = { .pid = -1 },
		.out = { .fd = -1 },
		.answer = { .fd = -1 },
		.deadline_ms = pp_time_mono_ms() + (int64_t)e->timeout_s * 1000,
		.is_undo = e->is_undo,
	};
	/* A hook may start the application itself, on purpose. */
	if (e->plugin != NULL)
		pp_strays_begin(ctx, &r.strays);
	enum plugpkg_code rc = start(ctx, e, &r, err);
	if (rc != PLUGPKG_OK) {
		(void)pp_strays_end(&r.strays);
		return rc;
	}
	label(&r.out, ctx, e);
	label(&r.answer, ctx, e);
	enum outcome outcome = finish(&r, watch(ctx, &r));
	if (pp_strays_end(&r.strays))
		pp_debug(ctx, e->plugin, "%s left processes behind, which were ended", e->what);
	pp_lock_note_script(ctx, 0);
	rc = judge(e, &r, outcome, err);
	if (rc == PLUGPKG_OK && e->out_answer != NULL)
		hand_over(&r, e->out_answer);
	return rc;
}
