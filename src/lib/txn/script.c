/* SPDX-License-Identifier: MIT */
/*
 * One script of a plugin: executed directly (no shell of ours), in its store directory, with an
 * environment that is built here and nowhere else. Which script runs when is decided by the
 * transaction.
 */
#include "lib/txn/script.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS           100  /* how often the wish to stop and the time limit are looked at */
#define GRACE_MS          2000 /* between SIGTERM and SIGKILL */
#define MESSAGE_MAX_BYTES 65536

/* ---- environment ---- */

/*
 * Names that steer loaders, shells and interpreters; the rest of the list is a matter of prefixes.
 */
static const char *const reserved_names[] = {
	"BASH_ENV",
	"CDPATH",
	"ENV",
	"GCONV_PATH",
	"GLOBIGNORE",
	"HOME",
	"IFS",
	"LANG",
	"LOCPATH",
	"NODE_OPTIONS",
	"NODE_PATH",
	"PATH",
	"PERLLIB",
	"PS4",
	"RUBYLIB",
	"RUBYOPT",
	"SHELL",
	"SHELLOPTS",
	"TMPDIR",
};
static const char *const reserved_prefixes[] = {
	"BASH_FUNC_",
	"DYLD_",
	"LC_",
	"LD_",
	"PERL5",
	"PLUGPKG_",
	"PYTHON",
};

static bool
is_reserved(const char *name)
{
	for (size_t i = 0; i < PP_LEN(reserved_names); i++)
		if (strcmp(name, reserved_names[i]) == 0)
			return true;
	for (size_t i = 0; i < PP_LEN(reserved_prefixes); i++)
		if (pp_starts_with(name, reserved_prefixes[i]))
			return true;
	return false;
}

static bool
is_setting_name(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *name != '\0' && strchr(letters, *name) != NULL &&
	       name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

enum plugpkg_code
pp_script_check_settings(const struct pp_config *config, plugpkg_error **err)
{
	const pp_json *settings = pp_json_get(config->json, "settings");

	if (settings == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(settings, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_BAD_CONFIG, 0,
		    "plugpkg.json: \"settings\" must be an object, not %s",
		    pp_json_kind_name(settings));
	for (void *it = pp_json_iter(settings); it != NULL; it = pp_json_next(settings, it)) {
		const char *name = pp_json_iter_key(it);
		const pp_json *value = pp_json_iter_value(it);
		if (!is_setting_name(name))
			return pp_fail(err, PLUGPKG_E_BAD_CONFIG, 0,
			    "plugpkg.json: setting '%s' must be named with A-Z, 0-9 and _ only",
			    name);
		if (is_reserved(name))
			return pp_fail(err, PLUGPKG_E_BAD_CONFIG, 0,
			    "plugpkg.json: setting '%s' may not reach scripts; choose another name",
			    name);
		if (!pp_json_is(value, PP_JSON_STRING))
			return pp_fail(err, PLUGPKG_E_BAD_CONFIG, 0,
			    "plugpkg.json: setting '%s' must be a string, not %s", name,
			    pp_json_kind_name(value));
	}
	return PLUGPKG_OK;
}

static void
add_env(struct pp_strs *env, const char *name, const char *value)
{
	pp_strs_take(env, pp_asprintf("%s=%s", name, value != NULL ? value : ""));
}

static void
build_env(const plugpkg_context *ctx, const struct pp_script_run *run, struct pp_strs *env)
{
	const struct pp_release *release = run->manifest->release;
	const pp_json *settings = pp_json_get(ctx->config->json, "settings");
	PP_AUTO_FREE char *data = pp_asprintf("%s/data/%s", ctx->root, pp_release_key(release));
	PP_AUTO_FREE char *next =
	    pp_asprintf("%s/generations/%lld", ctx->root, (long long)run->next_generation);
	PP_AUTO_FREE char *txn = pp_asprintf("%lld", (long long)run->transaction);

	add_env(env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	add_env(env, "HOME", data);
	add_env(env, "LANG", "C.UTF-8");
	add_env(env, "TMPDIR", "/tmp");
	add_env(env, "PLUGPKG_ROOT", ctx->root);
	add_env(env, "PLUGPKG_NAME", release->name);
	add_env(env, "PLUGPKG_VERSION", release->version.text);
	add_env(env, "PLUGPKG_OLD_VERSION", run->old_version);
	add_env(env, "PLUGPKG_REASON", run->reason);
	/* Post levels will come with a phase "post" and their number. */
	add_env(env, "PLUGPKG_PHASE", "core");
	add_env(env, "PLUGPKG_LEVEL", NULL);
	add_env(env, "PLUGPKG_DATA", data);
	add_env(env, "PLUGPKG_NEXT", next);
	add_env(env, "PLUGPKG_TRANSACTION", txn);
	add_env(env, "PLUGPKG_LOG_LEVEL", pp_log_level_names[pp_log_least(ctx)]);
	for (void *it = pp_json_iter(settings); it != NULL; it = pp_json_next(settings, it))
		add_env(env, pp_json_iter_key(it), pp_json_string(pp_json_iter_value(it)));
}

/* ---- running ---- */

enum outcome {
	OUT_ENDED,
	OUT_TIMEOUT,
	OUT_CANCELLED
};

struct running {
	struct pp_child child;
	struct pp_capture out;
	int64_t deadline_ms;
	bool is_undo;
	int status; /* as waitpid(), once OUT_ENDED */
};

static void
running_fini(struct running *r)
{
	pp_child_fini(&r->child);
	pp_capture_fini(&r->out);
}

static bool
has_ended(const struct running *r)
{
	siginfo_t info = { 0 };

	/* Not reaped yet: as long as the leader is a zombie, its group number cannot be reused. */
	return waitid(P_PID, (id_t)r->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == r->child.pid;
}

static enum outcome
watch(plugpkg_context *ctx, struct running *r)
{
	PP_AUTO_FD int pidfd = (int)syscall(SYS_pidfd_open, r->child.pid, 0);

	while (!has_ended(r)) {
		if (!r->is_undo && pp_check_cancel(ctx, NULL) != PLUGPKG_OK)
			return OUT_CANCELLED;
		if (pp_time_mono_ms() >= r->deadline_ms)
			return OUT_TIMEOUT;
		struct pollfd fds[] = {
			{ .fd = pidfd, .events = POLLIN }, /* negative ones are ignored */
			{ .fd = r->out.fd, .events = POLLIN },
		};
		int n = poll(fds, PP_LEN(fds), pidfd >= 0 ? TICK_MS : TICK_MS / 10);
		if (n > 0 && fds[1].revents != 0)
			(void)pp_capture_read(&r->out);
		else if (r->out.state != NULL)
			pp_log_flush(r->out.state); /* a pause: what it said so far can be read */
	}
	return OUT_ENDED;
}

/* Whatever it left running in its group ends with it. */
static void
finish(struct running *r, enum outcome outcome)
{
	if (outcome == OUT_ENDED) {
		(void)kill(-r->child.pid, SIGKILL); /* usually nobody is left */
		if (pp_child_wait(&r->child, -1, &r->status) < 0)
			r->status = 1
				    << 8; /* reaped by the program around us: no success is known */
	} else {
		pp_child_kill(&r->child, GRACE_MS);
	}
	pp_capture_end(&r->out);
}

static void
add_last_lines(struct pp_buf *text, const struct pp_strs *last)
{
	for (size_t i = 0; i < last->n; i++)
		pp_buf_addf(text, "\n  %s", last->at[i]);
}

static enum plugpkg_code
judge(const struct pp_script_run *run, const struct running *r, enum outcome outcome,
    plugpkg_error **err)
{
	const struct pp_release *release = run->manifest->release;
	PP_AUTO_BUF struct pp_buf why = PP_BUF_INIT(MESSAGE_MAX_BYTES);

	if (outcome == OUT_CANCELLED)
		pp_buf_adds(&why, "was interrupted");
	else if (outcome == OUT_TIMEOUT)
		pp_buf_addf(&why, "ran longer than its time limit of %u s and was killed",
		    run->manifest->timeout_s);
	else if (WIFSIGNALED(r->status))
		pp_buf_addf(&why, "was killed by signal %d", WTERMSIG(r->status));
	else if (WEXITSTATUS(r->status) != 0)
		pp_buf_addf(&why, "failed with exit status %d", WEXITSTATUS(r->status));
	else
		return PLUGPKG_OK;
	add_last_lines(&why, &r->out.last);

	enum plugpkg_code code =
	    outcome == OUT_CANCELLED ? PLUGPKG_E_INTERRUPTED : PLUGPKG_E_SCRIPT;
	(void)pp_fail(err, code, 0, "script '%s' of %s %s %s", pp_script_names[run->script],
	    release->name, release->version.text, pp_buf_cstr(&why));
	return pp_subject(err, code, release->name);
}

/* A regular executable file inside the plugin, whatever links lead there. */
static enum plugpkg_code
check_file(const struct pp_script_run *run, const char *path, plugpkg_error **err)
{
	const struct pp_release *release = run->manifest->release;
	struct stat st;
	PP_AUTO_FD int fd = pp_open_beneath(run->dir_fd, path, O_PATH, 0, PP_FOLLOW_INSIDE);

	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_SCRIPT, -fd, "cannot run script '%s' of %s %s", path,
		    release->name, release->version.text);
	if (fstat(fd, &st) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		return pp_fail(err, PLUGPKG_E_SCRIPT, 0, "script '%s' of %s %s is not %s", path,
		    release->name, release->version.text,
		    S_ISREG(st.st_mode) ? "executable" : "a regular file");
	return PLUGPKG_OK;
}

static enum plugpkg_code
start(plugpkg_context *ctx, const struct pp_script_run *run, struct running *r, plugpkg_error **err)
{
	const char *path = run->manifest->scripts[run->script];
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make a pipe");
	pp_capture_init(&r->out, ends[0]);
	PP_AUTO_FD int writer = ends[1];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make a pipe");

	PP_CLEANUP(pp_strs_fini) struct pp_strs env = { 0 };
	build_env(ctx, run, &env);
	pp_vec_push(&env, NULL);
	PP_AUTO_FREE char *program = pp_asprintf("%s/%s", run->store_path, path);
	const char *const argv[] = { program, NULL };
	struct pp_spawn spawn = PP_SPAWN_INIT;
	spawn.path = program;
	spawn.argv = argv;
	spawn.env = (const char *const *)env.at;
	spawn.cwd_fd = run->dir_fd;
	spawn.stdout_fd = spawn.stderr_fd = writer;
	int failure = pp_spawn(&spawn, &r->child);
	env.n--; /* the terminator is no string to free */
	if (failure < 0) {
		(void)pp_fail(err, PLUGPKG_E_SCRIPT, -failure, "cannot run script '%s' of %s %s",
		    path, run->manifest->release->name, run->manifest->release->version.text);
		return pp_hint(err, PLUGPKG_E_SCRIPT,
		    "does its first line name an interpreter that exists, as in #!/bin/sh?");
	}
	return PLUGPKG_OK;
}

/* "user: install successfully completed": the plugin's last line. */
static void
log_success(plugpkg_context *ctx, const struct pp_script_run *run)
{
	const char *kind = pp_script_names[run->script];
	PP_AUTO_FREE char *text = pp_asprintf("%s successfully completed", kind);

	if (ctx->state != NULL)
		pp_log_write(
		    ctx->state, run->transaction, run->manifest->release->name, "info", kind, text);
}

enum plugpkg_code
pp_script_run(plugpkg_context *ctx, const struct pp_script_run *run, plugpkg_error **err)
{
	const char *path = run->manifest->scripts[run->script];
	const char *name = run->manifest->release->name;
	if (path == NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = check_file(run, path, err);
	if (rc != PLUGPKG_OK)
		return pp_subject(err, rc, name);

	PP_CLEANUP(running_fini)
	struct running r = {
		.child = { -1 },
		.out = { .fd = -1 },
		.deadline_ms = pp_time_mono_ms() + (int64_t)run->manifest->timeout_s * 1000,
		.is_undo = run->is_undo,
	};
	rc = start(ctx, run, &r, err);
	if (rc != PLUGPKG_OK)
		return pp_subject(err, rc, name);
	r.out.ctx = ctx;
	r.out.state = ctx->state;
	r.out.plugin = name;
	r.out.channel = pp_script_names[run->script];
	r.out.transaction = run->transaction;
	enum outcome outcome = watch(ctx, &r);
	finish(&r, outcome);
	rc = judge(run, &r, outcome, err);
	if (rc == PLUGPKG_OK && run->script != PP_SCRIPT_VERIFY)
		log_success(ctx, run);
	return rc;
}
