/* SPDX-License-Identifier: MIT */
/*
 * The lock of a root: flock(2) on var/lock, which dies with its holder. What stands in the file is
 * for people and for scripts of the running transaction; it decides nothing by itself.
 */
#include "lib/txn/lock.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/time.h"
#include "lib/state/state.h"
#include "lib/txn/keeper.h"
#include "lib/txn/orphans.h"
#include "lib/txn/recover.h"
#include "lib/txn/root.h"
#include "lib/txn/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HOLDER_MAX_BYTES 4096
#define POLL_MS          50
#define NAMELESS_LOOKS   40 /* of half POLL_MS: a second, on a machine with much to do */

/* Two lines of JSON: who it is, and the script that it runs at this moment. */
struct holder {
	int64_t pid, start_ticks, since, transaction;
	char *command; /* owned; sanitised */
	struct pp_orphan_mark script;
	char *temp; /* owned; of the script, or NULL */
};

static void
holder_fini(struct holder *h)
{
	free(h->command);
	free(h->temp);
}

/*
 * Nobody holds the lock while it writes this, so a reader may see half of it; then it names less.
 */
static struct holder
read_holder(int fd)
{
	struct holder h = { 0 };
	char text[HOLDER_MAX_BYTES];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	struct pp_str rest = { text, n > 0 ? (size_t)n : 0 }, line = { 0 };
	(void)pp_str_cut(&rest, '\n', &line); /* an empty file has an empty line */
	PP_AUTO_JSON pp_json *j = line.n > 0 ? pp_json_parse(line.p, line.n, NULL) : NULL;
	PP_AUTO_JSON pp_json *script = rest.n > 0 ? pp_json_parse(rest.p, rest.n, NULL) : NULL;

	h.script.pid = pp_json_get_int(script, "script", 0);
	h.script.start_ticks = pp_json_get_int(script, "start_ticks", 0);
	if (pp_json_get_str(script, "temp") != NULL)
		h.temp = pp_xstrdup(pp_json_get_str(script, "temp"));
	h.start_ticks = pp_json_get_int(j, "start_ticks", 0);
	h.pid = pp_json_get_int(j, "pid", 0);
	h.since = pp_json_get_int(j, "since", 0);
	h.transaction = pp_json_get_int(j, "transaction", 0);
	const char *command = pp_json_get_str(j, "command");
	PP_AUTO_BUF struct pp_buf clean = PP_BUF_INIT(HOLDER_MAX_BYTES);
	if (command != NULL)
		pp_sanitize(&clean, command, strlen(command));
	h.command = pp_buf_steal(&clean);
	return h;
}

static char *
holder_text(const struct holder *h)
{
	struct tm tm = { 0 };
	time_t since = (time_t)h->since;
	char clock[16] = "";

	if (h->pid == 0)
		return pp_xstrdup("another process");
	if (localtime_r(&since, &tm) == NULL ||
	    strftime(clock, sizeof(clock), "%H:%M:%S", &tm) == 0)
		return pp_asprintf("process %lld (plugpkg %s)", (long long)h->pid, h->command);
	return pp_asprintf(
	    "process %lld (plugpkg %s, since %s)", (long long)h->pid, h->command, clock);
}

static int
write_holder(int fd, const char *what, int64_t txn)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();

	pp_json_set_int(j, "pid", getpid());
	pp_json_set_int(j, "start_ticks", pp_orphan_mark(getpid()).start_ticks);
	pp_json_set_int(j, "since", pp_time_now());
	pp_json_set_str(j, "command", what);
	if (txn != 0)
		pp_json_set_int(j, "transaction", txn);
	PP_AUTO_FREE char *line = pp_json_line(j);
	PP_AUTO_FREE char *text = pp_asprintf("%s\n", line);
	if (pp_failpoint() < 0 || ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return pp_fd_write_all(fd, text, strlen(text));
}

/* The descriptor stands behind the holder's line. */
void
pp_lock_note_script(plugpkg_context *ctx, int64_t pid)
{
	off_t end = ctx->lock_fd < 0 ? -1 : lseek(ctx->lock_fd, 0, SEEK_CUR);
	struct pp_orphan_mark mark = pid > 0 ? pp_orphan_mark(pid) : (struct pp_orphan_mark){ 0 };
	PP_AUTO_JSON pp_json *j = pp_json_object();

	if (end < 0 || pp_failpoint() < 0 || ftruncate(ctx->lock_fd, end) < 0 ||
	    (mark.pid == 0 && ctx->script_temp == NULL))
		return;
	if (mark.pid != 0) {
		pp_json_set_int(j, "script", mark.pid);
		pp_json_set_int(j, "start_ticks", mark.start_ticks);
	}
	if (ctx->script_temp != NULL)
		pp_json_set_str(j, "temp", ctx->script_temp);
	PP_AUTO_FREE char *line = pp_json_line(j);
	/* On a full disk nobody can know of the script after a crash; it runs all the same. */
	(void)!pwrite(ctx->lock_fd, line, strlen(line), end);
}

bool
pp_lock_is_in_script(const plugpkg_context *ctx, const char **out_transaction)
{
	const char *txn = secure_getenv("PLUGPKG_TRANSACTION");
	const char *root = secure_getenv("PLUGPKG_ROOT");
	struct stat theirs, ours;

	*out_transaction = txn;
	if (txn == NULL || *txn == '\0' || root == NULL)
		return false;
	if (fstatat(AT_FDCWD, root, &theirs, 0) < 0 || fstat(ctx->root_fd, &ours) < 0)
		return false;
	return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

static bool
is_asked(const plugpkg_context *ctx)
{
	const char *txn = NULL;

	return pp_lock_is_in_script(ctx, &txn) && strcmp(txn, "0") == 0;
}

static enum plugpkg_code
refuse_in_script(plugpkg_context *ctx, plugpkg_error **err)
{
	const char *txn = NULL;
	PP_AUTO_BUF struct pp_buf clean = PP_BUF_INIT(256);

	if (!pp_lock_is_in_script(ctx, &txn))
		return PLUGPKG_OK;
	pp_sanitize(&clean, txn, strnlen(txn, 32));
	if (strcmp(txn, "0") == 0)
		(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "called from a handler that this root asks a question");
	else
		(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "called from a script of transaction %s on this root", pp_buf_cstr(&clean));
	return pp_hint(err, PLUGPKG_E_REFUSED,
	    "a script cannot change the plugins of the root that runs it; use \"requires\" in "
	    "plugin.json");
}

static enum plugpkg_code
say_locked(plugpkg_context *ctx, const struct holder *h, plugpkg_error **err)
{
	PP_AUTO_FREE char *who = holder_text(h);

	(void)pp_fail(err, PLUGPKG_E_LOCKED, 0, "'%s' is locked by %s", ctx->root, who);
	return pp_hint(err, PLUGPKG_E_LOCKED, "try again when it is done, or leave out --no-wait");
}

static void
tell_waiting(plugpkg_context *ctx, const struct holder *h)
{
	PP_AUTO_FREE char *who = holder_text(h);
	PP_AUTO_FREE char *text = pp_asprintf("waiting for %s", who);
	struct plugpkg_event ev = { .type = PLUGPKG_EVENT_LOCK_WAIT, .text = text };

	pp_event(ctx, &ev);
}

/*
 * One look at the held lock: refuses or gives up, or says (once for each holder) who is waited for.
 */
static enum plugpkg_code
wait_a_moment(
    plugpkg_context *ctx, int fd, int64_t deadline_ms, int64_t *told_pid, plugpkg_error **err)
{
	enum plugpkg_code rc = refuse_in_script(ctx, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_CLEANUP(holder_fini) struct holder h = read_holder(fd);
	if (deadline_ms >= 0 && pp_time_mono_ms() >= deadline_ms)
		return say_locked(ctx, &h, err);
	if (*told_pid != h.pid) {
		tell_waiting(ctx, &h);
		*told_pid = h.pid;
	}
	struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	(void)nanosleep(&pause, NULL); /* a signal only makes the next look come sooner */
	return pp_check_cancel(ctx, err);
}

/*
 * Either somebody who only looks who holds it (pp_lock_look), and is gone in a moment, or one who
 * has it since a moment ago and will have written who he is in the next.
 */
static bool
is_nameless(int fd)
{
	PP_CLEANUP(holder_fini) struct holder h = read_holder(fd);
	struct timespec pause = { .tv_nsec = POLL_MS * 1000000L / 2 };

	return h.pid == 0 && nanosleep(&pause, NULL) == 0;
}

static enum plugpkg_code
acquire(plugpkg_context *ctx, int fd, plugpkg_error **err)
{
	int64_t deadline_ms = ctx->lock_wait_ms < 0 ? -1 : pp_time_mono_ms() + ctx->lock_wait_ms;
	int64_t told_pid = -1;
	int n_nameless = NAMELESS_LOOKS;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return pp_fail(err, PLUGPKG_E_IO, errno, "cannot lock '%s'", ctx->root);
		if (n_nameless-- > 0 && is_nameless(fd))
			continue;
		enum plugpkg_code rc = wait_a_moment(ctx, fd, deadline_ms, &told_pid, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

/* In a container the next one often has the number of the one that was killed. */
static bool
is_us(const struct holder *h)
{
	return h->pid == getpid() && h->start_ticks == pp_orphan_mark(getpid()).start_ticks;
}

/* Whoever is named in a free lock was killed. */
static void
end_orphans(plugpkg_context *ctx)
{
	PP_CLEANUP(holder_fini) struct holder h = read_holder(ctx->lock_fd);
	struct pp_orphans left = {
		.holder = { h.pid, h.start_ticks },
		.script = h.script,
		.transaction = h.transaction,
	};

	if (is_us(&h))
		return;
	pp_orphans_end(ctx, &left);
	if (h.temp != NULL)
		pp_sandbox_clear(h.temp);
	if (h.pid != 0)
		pp_root_tidy(ctx);
}

/* To a script that runs, the lock is closed as a file too. */
static enum plugpkg_code
say_closed(plugpkg_context *ctx, int error, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_lock_is_held(ctx) ? refuse_in_script(ctx, err) : PLUGPKG_OK;

	if (rc == PLUGPKG_OK)
		rc = pp_fail(err, PLUGPKG_E_IO, error, "cannot lock '%s'", ctx->root);
	return pp_keeper_hint(ctx, rc, err);
}

static enum plugpkg_code
lock_bare(plugpkg_context *ctx, const char *what, const struct pp_aside *aside, plugpkg_error **err)
{
	/* Who is only asked runs without the lock, so there is nobody to find it taken. */
	if (is_asked(ctx))
		return refuse_in_script(ctx, err);
	enum plugpkg_code rc = pp_check_may_write(ctx, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FD int fd = pp_open_beneath(
	    ctx->root_fd, "var/lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0644, PP_NO_SYMLINKS);
	rc = fd < 0 ? say_closed(ctx, -fd, err) : acquire(ctx, fd, err);
	if (rc != PLUGPKG_OK)
		return rc;
	ctx->lock_fd = pp_fd_steal(&fd);
	rc = pp_root_reload_config(ctx, err);
	/* First of all, for it takes longest; who looks at the lock meanwhile looks again. */
	if (rc == PLUGPKG_OK && aside != NULL)
		aside->start(ctx, aside->user);
	end_orphans(ctx);
	/* On a full disk the holder stays nameless; the lock holds. */
	(void)write_holder(ctx->lock_fd, what, 0);
	if (rc == PLUGPKG_OK)
		rc = pp_state_lift(ctx, err);
	if (rc == PLUGPKG_OK)
		pp_keeper_warn(ctx);
	if (rc != PLUGPKG_OK)
		pp_unlock(ctx);
	return rc;
}

enum plugpkg_code
pp_lock_bare(plugpkg_context *ctx, const char *what, plugpkg_error **err)
{
	return lock_bare(ctx, what, NULL, err);
}

/* Recovery names the transaction that it works on; this is what comes after it. */
static void
tell_recovered(plugpkg_context *ctx, const char *what, const struct pp_recovered *r)
{
	if (r->id == 0)
		return;
	pp_warn(ctx, NULL, "transaction %lld (%s) was cut off: %s", (long long)r->id, r->command,
	    r->text);
	(void)write_holder(ctx->lock_fd, what, 0); /* as above */
}

enum plugpkg_code
pp_lock(plugpkg_context *ctx, const char *what, plugpkg_error **err)
{
	return pp_lock_aside(ctx, what, NULL, err);
}

enum plugpkg_code
pp_lock_aside(
    plugpkg_context *ctx, const char *what, const struct pp_aside *aside, plugpkg_error **err)
{
	PP_CLEANUP(pp_recovered_fini) struct pp_recovered r = { 0 };
	enum plugpkg_code rc = lock_bare(ctx, what, aside, err);
	if (rc != PLUGPKG_OK)
		return rc;
	rc = pp_recover(ctx, &r, err);
	if (rc == PLUGPKG_OK)
		tell_recovered(ctx, what, &r);
	else
		pp_unlock(ctx);
	return rc;
}

/* Whose lock is it? A file that was left full by a crash is locked by nobody. */
enum plugpkg_code
pp_lock_look(plugpkg_context *ctx, struct pp_lock_holder *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_fd_unlock)
	int fd =
	    pp_open_beneath(ctx->root_fd, "var/lock", O_RDONLY | O_NOFOLLOW, 0, PP_NO_SYMLINKS);
	if (fd == -ENOENT)
		return PLUGPKG_OK;
	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -fd, "cannot read '%s/var/lock'", ctx->root);
	PP_CLEANUP(holder_fini) struct holder h = read_holder(fd);
	if (h.pid == 0)
		return PLUGPKG_OK;
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return PLUGPKG_OK; /* given back when the file is closed, a moment later */
	if (errno != EWOULDBLOCK)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot look at '%s/var/lock'", ctx->root);
	out->is_held = true;
	out->pid = h.pid;
	out->since = h.since;
	out->transaction = h.transaction;
	out->command = pp_steal(&h.command);
	return PLUGPKG_OK;
}

void
pp_unlock(plugpkg_context *ctx)
{
	if (ctx->lock_fd >= 0 && ctx->state != NULL)
		pp_log_end(ctx->state);
	ctx->transaction = 0;
	/* Emptied first: who opens it next must not read of a holder that is gone. */
	if (ctx->lock_fd >= 0 && ftruncate(ctx->lock_fd, 0) == 0)
		(void)lseek(ctx->lock_fd, 0, SEEK_SET);
	pp_fd_unlock(&ctx->lock_fd);
}

void
pp_lock_note_transaction(plugpkg_context *ctx, const char *what, int64_t txn)
{
	(void)write_holder(ctx->lock_fd, what, txn); /* as in pp_lock() */
	ctx->transaction = txn;
}

bool
pp_lock_is_held(const plugpkg_context *ctx)
{
	if (ctx->lock_fd >= 0)
		return true;
	PP_CLEANUP(pp_fd_unlock)
	int fd =
	    pp_open_beneath(ctx->root_fd, "var/lock", O_RDONLY | O_NOFOLLOW, 0, PP_NO_SYMLINKS);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}
