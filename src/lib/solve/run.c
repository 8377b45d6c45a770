/* SPDX-License-Identifier: MIT */
/* The child around libsolv, which knows no limits, aborts without memory, and asserts. */
#include "lib/solve/run.h"

#include "base/fd.h"
#include "base/proc.h"
#include "base/time.h"
#include "lib/solve/decide.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

#define ANSWER_MAX_BYTES (64UL * 1024 * 1024)
#define POLL_MS          50
#define WALL_FACTOR      3 /* wall time for each second of processor time: machines are busy */
#define READ_BYTES       65536
#define END_MEMBER       "end" /* of the last line */

/* ---- in the child ---- */

/* Once all is said, the memory of this process goes with it. */
static void
write_line(pp_json *line, void *user)
{
	const int *fd = user;
	PP_AUTO_FREE char *text = pp_json_line(line);

	if (pp_fd_write_all(*fd, text, strlen(text)) < 0 || pp_fd_write_all(*fd, "\n", 1) < 0)
		pp_child_exit(1);
	if (pp_json_get_bool(line, END_MEMBER))
		pp_child_exit(0);
	pp_json_free(line);
}

/* What this process has mapped already; the limit counts it too. */
static rlim_t
mapped_bytes(void)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(256);
	PP_AUTO_FD int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	uint64_t pages = 0;

	if (fd < 0 || pp_fd_read_all(fd, &b) < 0)
		return 0;
	struct pp_str rest = { b.s, b.n }, first;
	if (!pp_str_cut(&rest, ' ', &first) || pp_parse_u64(first, UINT32_MAX, &pages) < 0)
		return 0;
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Never above what is allowed already. */
static struct rlimit
lowered(const struct rlimit *old, rlim_t soft, rlim_t hard)
{
	if (old->rlim_max != RLIM_INFINITY && hard > old->rlim_max)
		hard = old->rlim_max;
	return (struct rlimit){ soft > hard ? hard : soft, hard };
}

/* Where a limit cannot be set, the parent's wall limit still holds. */
static void
set_limits(unsigned cpu_s)
{
	struct rlimit r = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &r);
	if (getrlimit(RLIMIT_CPU, &r) == 0) {
		r = lowered(&r, cpu_s, cpu_s + 1);
		(void)setrlimit(RLIMIT_CPU, &r);
	}
	/* A sanitizer maps terabytes by itself. */
	rlim_t mapped = HAS_SANITIZER ? 0 : mapped_bytes();
	if (mapped > 0 && getrlimit(RLIMIT_AS, &r) == 0) {
		r = lowered(&r, mapped + PP_RUN_MEMORY_BYTES, mapped + PP_RUN_MEMORY_BYTES);
		(void)setrlimit(RLIMIT_AS, &r);
	}
}

/*
 * The host's handlers are not for this process; ctrl-C reaches the parent, which then ends the
 * child.
 */
static void
reset_signals(const sigset_t *old)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE };

	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* some cannot be set: those are the default already */
	for (size_t i = 0; i < PP_LEN(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	sigset_t mask = *old;
	for (size_t i = 0; i < PP_LEN(ignored); i++)
		sigdelset(&mask, ignored[i]);
	sigdelset(&mask, SIGXCPU);
	sigdelset(&mask, SIGABRT);
	(void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

/* libsolv writes to standard error in a few places. */
static void
silence(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		(void)dup2(fd, STDOUT_FILENO);
		(void)dup2(fd, STDERR_FILENO);
	}
}

static void PP_NORETURN
be_child(const struct pp_load *l, int fd, pid_t parent, const sigset_t *old_mask)
{
	unsigned cpu_s = l->request->cpu_s != 0 ? l->request->cpu_s : PP_RUN_CPU_S;

	reset_signals(old_mask);
#ifdef __linux__
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() != parent)
		pp_child_exit(1);
	silence();
	set_limits(cpu_s);
	pp_decide(l, write_line, &fd);
	pp_child_exit(1); /* it ends with the last line */
}

/* ---- in the parent ---- */

void
pp_run_fini(struct pp_run *run)
{
	if (run->pid > 0) {
		if (!run->is_whole)
			(void)kill(run->pid, SIGKILL);
		while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	pp_auto_fd(&run->fd);
	pp_buf_fini(&run->answer);
	pp_json_free(run->lines);
}

static int
start(struct pp_run *run, const struct pp_load *l)
{
	PP_AUTO_FD int from = -1;
	PP_AUTO_FD int to = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	from = fds[0];
	/* Above the standard descriptors, which the child points elsewhere. */
	to = fcntl(fds[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int why = errno;
	(void)close(fds[1]); /* nothing was written */
	if (to < 0)
		return -why;

	sigset_t all, old;
	sigfillset(&all);
	/* No handler of the host may run in the child before it has dropped them. */
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		be_child(l, to, parent, &old);
	int keep = errno;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return -keep;
	run->pid = pid;
	run->fd = pp_fd_steal(&from);
	return 0;
}

/* No other line ends so. */
static bool
has_end(const struct pp_buf *answer)
{
	static const char end[] = "{\"" END_MEMBER "\":true}\n";
	const size_t n = sizeof(end) - 1;

	return answer->n >= n && memcmp(answer->s + answer->n - n, end, n) == 0;
}

/* 1: more may come, 0: the end, -errno. */
static int
read_some(struct pp_run *run)
{
	struct pollfd p = { .fd = run->fd, .events = POLLIN };
	int n = poll(&p, 1, POLL_MS);

	if (n <= 0)
		return n == 0 || errno == EINTR ? 1 : -errno;
	char *room = pp_buf_reserve(&run->answer, READ_BYTES);
	if (room == NULL)
		return -EFBIG;
	ssize_t got = read(run->fd, room, READ_BYTES);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	pp_buf_grew(&run->answer, (size_t)got);
	return got > 0 && !has_end(&run->answer);
}

static enum plugpkg_code
listen_to(struct pp_run *run, plugpkg_context *ctx, plugpkg_error **err)
{
	for (;;) {
		enum plugpkg_code rc = pp_check_cancel(ctx, err);
		if (rc != PLUGPKG_OK)
			return rc;
		int r = read_some(run);
		if (r < 0)
			return pp_fail(
			    err, PLUGPKG_E_FAILED, -r, "cannot read the solver's answer");
		if (r == 0 || pp_time_mono_ms() > run->deadline_ms)
			return PLUGPKG_OK;
	}
}

/* Whole lines only; stops at the end mark. True when it was there. */
static bool
parse_lines(const struct pp_buf *answer, pp_json *out)
{
	struct pp_str rest = { answer->s, answer->n }, line;

	while (pp_str_cut(&rest, '\n', &line) && rest.p != NULL) {
		pp_json *j = pp_json_parse(line.p, line.n, NULL);
		if (j == NULL)
			return false;
		if (pp_json_get_bool(j, END_MEMBER)) {
			pp_json_free(j);
			return true;
		}
		pp_json_push(out, j);
	}
	return false;
}

static enum plugpkg_code
refuse_explosion(plugpkg_error **err)
{
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NO_SOLUTION, 0,
	    "the request is too hard: no plan was found within the limits of time and memory");

	return pp_hint(err, rc, "ask for fewer plugins at once, or name exact versions");
}

enum plugpkg_code
pp_run_decide(
    plugpkg_context *ctx, const struct pp_load *l, struct pp_run *run, plugpkg_error **err)
{
	unsigned cpu_s = l->request->cpu_s != 0 ? l->request->cpu_s : PP_RUN_CPU_S;

	run->answer.limit = ANSWER_MAX_BYTES;
	run->deadline_ms = pp_time_mono_ms() + (int64_t)cpu_s * WALL_FACTOR * 1000;
	int r = start(run, l);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_FAILED, -r, "cannot start the solver");
	enum plugpkg_code rc = listen_to(run, ctx, err);
	if (rc != PLUGPKG_OK)
		return rc;
	run->lines = pp_json_array();
	run->is_whole = parse_lines(&run->answer, run->lines);
	if (pp_json_len(run->lines) == 0)
		return refuse_explosion(err);
	if (!run->is_whole)
		pp_debug(ctx, NULL, "the solver was cut short while it explained");
	return PLUGPKG_OK;
}
