/* SPDX-License-Identifier: MIT */
/*
 * One short question to a program that the application brings along. It is the administrator's own
 * code, yet it may hang, crash or never stop talking, and its output is foreign text. What the
 * answer means is decided by who asks.
 */
#include "lib/txn/command.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/time.h"
#include "lib/trust/crypto.h"
#include "lib/txn/script.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS           100
#define GRACE_MS          500
#define CHUNK_BYTES       16384
#define MESSAGE_MAX_BYTES 65536

/* ---- the program ---- */

/* A regular executable file inside the root, opened. */
static enum plugpkg_code
open_program(plugpkg_context *ctx, const char *path, int *out_fd, plugpkg_error **err)
{
	struct stat st;
	PP_AUTO_FD int fd =
	    pp_open_beneath(ctx->root_fd, path, O_RDONLY | O_NONBLOCK, 0, PP_FOLLOW_INSIDE);

	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_HOST, -fd, "cannot run '%s'", path);
	if (fstat(fd, &st) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		return pp_fail(err, PLUGPKG_E_HOST, 0, "cannot run '%s': it is not %s", path,
		    S_ISREG(st.st_mode) ? "executable" : "a regular file");
	*out_fd = pp_fd_steal(&fd);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_command_digest(
    plugpkg_context *ctx, const struct pp_strs *argv, char out[65], plugpkg_error **err)
{
	PP_AUTO_FD int fd = -1;
	PP_AUTO_JSON pp_json *call = pp_json_array();
	char program[65];
	enum plugpkg_code rc = open_program(ctx, argv->at[0], &fd, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_sha256_fd(fd, program, NULL);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", argv->at[0]);

	pp_json_push_str(call, program);
	for (size_t i = 0; i < argv->n; i++)
		pp_json_push_str(call, argv->at[i]);
	PP_AUTO_FREE char *line = pp_json_line(call);
	pp_sha256_hex(line, strlen(line), out);
	return PLUGPKG_OK;
}

/* ---- running ---- */

enum outcome {
	OUT_ENDED,
	OUT_TIMEOUT,
	OUT_FLOOD,
	OUT_CANCELLED,
	OUT_LOST, /* reaped by the program around us */
};

struct running {
	struct pp_child child;
	int out_fd;
	struct pp_buf *out;
	struct pp_capture complaints; /* standard error */
	int64_t deadline_ms;
	int status;
};

static void
running_fini(struct running *r)
{
	pp_child_fini(&r->child);
	pp_auto_fd(&r->out_fd);
	pp_capture_fini(&r->complaints);
}

/* Takes what is there now; never waits. False when nothing was there. */
static bool
read_answer(struct running *r)
{
	char chunk[CHUNK_BYTES];

	if (r->out_fd < 0)
		return false;
	ssize_t n = read(r->out_fd, chunk, sizeof(chunk));
	if (n > 0)
		pp_buf_add(r->out, chunk, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		pp_auto_fd(&r->out_fd);
	return n > 0;
}

static enum outcome
watch(plugpkg_context *ctx, struct running *r)
{
	PP_AUTO_FD int pidfd = (int)syscall(SYS_pidfd_open, r->child.pid, 0);

	while (!pp_child_has_ended(&r->child)) {
		if (pp_check_cancel(ctx, NULL) != PLUGPKG_OK)
			return OUT_CANCELLED;
		if (r->out->overflow)
			return OUT_FLOOD;
		if (pp_time_mono_ms() >= r->deadline_ms)
			return OUT_TIMEOUT;
		struct pollfd fds[] = {
			{ .fd = pidfd, .events = POLLIN }, /* negative ones are ignored */
			{ .fd = r->out_fd, .events = POLLIN },
			{ .fd = r->complaints.fd, .events = POLLIN },
		};
		if (poll(fds, PP_LEN(fds), pidfd >= 0 ? TICK_MS : TICK_MS / 10) <= 0)
			continue;
		if (fds[1].revents != 0)
			(void)read_answer(r);
		if (fds[2].revents != 0)
			(void)pp_capture_read(&r->complaints);
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
	/* Ends by the limit at the latest, even when something that escaped goes on writing. */
	while (outcome == OUT_ENDED && !r->out->overflow && read_answer(r))
		;
	pp_capture_end(&r->complaints);
	return outcome == OUT_ENDED && r->out->overflow ? OUT_FLOOD : outcome;
}

static enum plugpkg_code
judge(
    const struct pp_command *c, const struct running *r, enum outcome outcome, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf why = PP_BUF_INIT(MESSAGE_MAX_BYTES);

	if (outcome == OUT_CANCELLED)
		return pp_fail(err, PLUGPKG_E_INTERRUPTED, 0, "interrupted");
	if (outcome == OUT_TIMEOUT)
		pp_buf_addf(&why, "did not answer within %u s and was killed", c->timeout_s);
	else if (outcome == OUT_FLOOD)
		pp_buf_addf(
		    &why, "answered with more than %zu bytes and was killed", r->out->limit);
	else if (outcome == OUT_LOST)
		pp_buf_adds(&why, PP_LOST_CHILD);
	else if (WIFSIGNALED(r->status))
		pp_buf_addf(&why, "was killed by signal %d", WTERMSIG(r->status));
	else if (WEXITSTATUS(r->status) != 0)
		pp_buf_addf(&why, "failed with exit status %d", WEXITSTATUS(r->status));
	else
		return PLUGPKG_OK;
	/* Only what it complained about: its answer may hold anything. */
	for (size_t i = 0; i < r->complaints.last.n; i++)
		pp_buf_addf(&why, "\n  %s", r->complaints.last.at[i]);
	return pp_fail(err, PLUGPKG_E_HOST, 0, "'%s' %s", c->argv->at[0], pp_buf_cstr(&why));
}

/* ---- starting ---- */

static enum plugpkg_code
make_pipe(int *out_reader, int *out_writer, plugpkg_error **err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make a pipe");
	*out_reader = ends[0];
	*out_writer = ends[1];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make a pipe");
	return PLUGPKG_OK;
}

static void
build_env(const plugpkg_context *ctx, const struct pp_command *c, struct pp_strs *env)
{
	static const char *const fixed[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C.UTF-8",
		"TMPDIR=/tmp",
	};

	for (size_t i = 0; i < PP_LEN(fixed); i++)
		pp_strs_add(env, fixed[i]);
	pp_strs_take(env, pp_asprintf("HOME=%s", ctx->root));
	pp_strs_take(env, pp_asprintf("PLUGPKG_ROOT=%s", ctx->root));
	pp_strs_take(env, pp_asprintf("PLUGPKG_PHASE=%s", c->phase));
}

static enum plugpkg_code
start(plugpkg_context *ctx, const struct pp_command *c, struct running *r, plugpkg_error **err)
{
	PP_AUTO_FD int out = -1;
	PP_AUTO_FD int complaints = -1;
	enum plugpkg_code rc = make_pipe(&r->out_fd, &out, err);
	if (rc == PLUGPKG_OK)
		rc = make_pipe(&r->complaints.fd, &complaints, err);
	if (rc != PLUGPKG_OK)
		return rc;

	PP_CLEANUP(pp_strs_fini) struct pp_strs env = { 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs argv = { 0 };
	build_env(ctx, c, &env);
	pp_vec_push(&env, NULL);
	pp_strs_take(&argv, pp_asprintf("%s/%s", ctx->root, c->argv->at[0]));
	for (size_t i = 1; i < c->argv->n; i++)
		pp_strs_add(&argv, c->argv->at[i]);
	pp_vec_push(&argv, NULL);
	struct pp_spawn spawn = PP_SPAWN_INIT;
	spawn.path = argv.at[0];
	spawn.argv = (const char *const *)argv.at;
	spawn.env = (const char *const *)env.at;
	spawn.cwd_fd = ctx->root_fd;
	spawn.stdout_fd = out;
	spawn.stderr_fd = complaints;
	int failure = pp_spawn(&spawn, &r->child);
	env.n--; /* the terminators are no strings to free */
	argv.n--;
	if (failure == 0)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_HOST, -failure, "cannot run '%s'", c->argv->at[0]);
	return pp_exec_hint(err, PLUGPKG_E_HOST, -1, argv.at[0], -failure);
}

enum plugpkg_code
pp_command_run(
    plugpkg_context *ctx, const struct pp_command *c, struct pp_buf *out, plugpkg_error **err)
{
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = open_program(ctx, c->argv->at[0], &fd, err);
	if (rc != PLUGPKG_OK)
		return rc;

	PP_CLEANUP(running_fini)
	struct running r = {
		.child = { .pid = -1 },
		.out_fd = -1,
		.out = out,
		.deadline_ms = pp_time_mono_ms() + (int64_t)c->timeout_s * 1000,
	};
	pp_capture_init(&r.complaints, -1);
	pp_auto_fd(&fd); /* a program that is open for writing elsewhere says so when it starts */
	rc = start(ctx, c, &r, err);
	if (rc != PLUGPKG_OK)
		return rc;
	enum outcome outcome = finish(&r, watch(ctx, &r));
	return judge(c, &r, outcome, err);
}
