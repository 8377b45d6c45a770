/* SPDX-License-Identifier: MIT */
/*
 * One script of a plugin: executed directly (no shell of ours), in its store directory, with an
 * environment that is built here and nowhere else. Which script runs when is decided by the
 * transaction.
 */
#include "lib/txn/script.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "lib/txn/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

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
	struct pp_fields f = pp_config_fields(config, err);

	/* Kinds and characters were looked at when the file was read. */
	for (void *it = pp_json_iter(settings); it != NULL; it = pp_json_next(settings, it)) {
		const char *name = pp_json_iter_key(it);
		PP_AUTO_FREE char *field = pp_asprintf("settings.%s", name);
		if (!is_setting_name(name))
			return pp_field_fail(&f, field,
			    "a setting must be named with A-Z, 0-9 and _ only, a letter first");
		if (is_reserved(name))
			return pp_field_fail(
			    &f, field, "'%s' may not reach scripts; choose another name", name);
	}
	return PLUGPKG_OK;
}

static void
add_env(struct pp_strs *env, const char *name, const char *value)
{
	pp_strs_take(env, pp_asprintf("%s=%s", name, value != NULL ? value : ""));
}

static void
add_env_number(struct pp_strs *env, const char *name, int64_t value)
{
	pp_strs_take(env, pp_asprintf("%s=%lld", name, (long long)value));
}

void
pp_script_base_env(const plugpkg_context *ctx, int64_t transaction, struct pp_strs *env)
{
	const pp_json *settings = pp_json_get(ctx->config->json, "settings");

	add_env(env, "PATH", PP_SCRIPT_PATH);
	add_env(env, "LANG", "C.UTF-8");
	add_env(env, "PLUGPKG_ROOT", ctx->root);
	add_env_number(env, "PLUGPKG_TRANSACTION", transaction);
	add_env(env, "PLUGPKG_LOG_LEVEL", pp_log_level_names[pp_log_least(ctx)]);
	for (void *it = pp_json_iter(settings); it != NULL; it = pp_json_next(settings, it))
		add_env(env, pp_json_iter_key(it), pp_json_string(pp_json_iter_value(it)));
}

static void
add_event_env(const struct pp_script_run *run, struct pp_strs *env)
{
	const struct pp_script_event *e = run->event;

	add_env(env, "PLUGPKG_EVENT", run->kind);
	add_env(env, "PLUGPKG_EVENT_PHASE", e->phase);
	add_env(env, "PLUGPKG_EVENT_PLUGIN", e->plugin);
	add_env(env, "PLUGPKG_EVENT_VERSION", e->version);
	add_env(env, "PLUGPKG_EVENT_NEW_VERSION", e->new_version);
	add_env(env, "PLUGPKG_EVENT_ANSWER", e->answer);
	add_env(env, "PLUGPKG_EVENT_FORCED", e->is_forced ? "1" : NULL);
}

static void
build_env(const plugpkg_context *ctx, const struct pp_script_run *run, const char *data,
    const char *temp, struct pp_strs *env)
{
	const struct pp_release *release = run->manifest->release;
	PP_AUTO_FREE char *next =
	    pp_asprintf("%s/generations/%lld", ctx->root, (long long)run->next_generation);

	pp_script_base_env(ctx, run->transaction, env);
	add_env(env, "TMPDIR", temp);
	add_env(env, "HOME", data);
	add_env(env, "PLUGPKG_NAME", release->name);
	add_env(env, "PLUGPKG_KEY", pp_release_key(release));
	add_env(env, "PLUGPKG_VERSION", release->version.text);
	add_env(env, "PLUGPKG_OLD_VERSION", run->old_version);
	add_env(env, "PLUGPKG_REASON", run->reason);
	add_env(env, "PLUGPKG_PHASE",
	    run->event != NULL ? "event"
	    : run->level < 0   ? "core"
			       : "post");
	if (run->level < 0)
		add_env(env, "PLUGPKG_LEVEL", NULL);
	else
		add_env_number(env, "PLUGPKG_LEVEL", run->level);
	add_env(env, "PLUGPKG_DATA", data);
	add_env(env, "PLUGPKG_NEXT", next);
	if (run->dependencies != NULL)
		pp_vec_foreach (variable, run->dependencies)
			pp_strs_add(env, *variable);
	if (run->event != NULL)
		add_event_env(run, env);
}

/* ---- running ---- */

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

/* "user: install successfully completed": the plugin's last line. */
static void
log_success(plugpkg_context *ctx, const struct pp_script_run *run)
{
	const char *kind = run->kind;
	PP_AUTO_FREE char *text = pp_asprintf("%s successfully completed", kind);
	struct pp_state *s = pp_state_of(ctx);

	if (s != NULL)
		pp_log_write(s, run->transaction, pp_release_key(run->manifest->release), "info",
		    kind, text);
}

enum plugpkg_code
pp_script_run(plugpkg_context *ctx, const struct pp_script_run *run, plugpkg_error **err)
{
	const struct pp_release *release = run->manifest->release;
	if (run->path == NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = check_file(run, run->path, err);
	if (rc != PLUGPKG_OK)
		return pp_subject(err, rc, release->name);

	PP_AUTO_FREE char *data = pp_asprintf("%s/data/%s", ctx->root, pp_release_key(release));
	PP_CLEANUP(pp_sandbox_fini) struct pp_sandbox sandbox = PP_SANDBOX_INIT;
	rc = pp_sandbox_make(ctx, data, run->manifest->has_network, &sandbox, err);
	if (rc != PLUGPKG_OK)
		return pp_subject(err, rc, release->name);
	PP_CLEANUP(pp_strs_fini) struct pp_strs env = { 0 };
	build_env(ctx, run, data, sandbox.temp, &env);
	PP_AUTO_FREE const char **envp = pp_strs_argv(&env);
	PP_AUTO_FREE char *program = pp_asprintf("%s/%s", run->store_path, run->path);
	PP_AUTO_FREE char *what =
	    pp_asprintf("script '%s' of %s %s", run->kind, release->name, release->version.text);
	PP_AUTO_FREE char *file =
	    pp_asprintf("script '%s' of %s %s", run->path, release->name, release->version.text);
	const char *const argv[] = { program, NULL };
	struct pp_exec e = {
		.program = program,
		.argv = argv,
		.env = envp,
		.cwd_fd = run->dir_fd,
		.timeout_s = run->manifest->timeout_s,
		.is_undo = run->is_undo,
		.what = what,
		.file = file,
		.plugin = pp_release_key(release),
		.channel = run->kind,
		.transaction = run->transaction,
		.out_killed = run->out_killed,
		.out_status = run->out_status,
		.input = run->event != NULL ? run->event->input : NULL,
		.out_answer = run->out_answer,
		.wall = sandbox.is_on ? &sandbox.wall : NULL,
	};
	rc = pp_exec_run(ctx, &e, err);
	if (rc == PLUGPKG_OK && run->out_answer == NULL && strcmp(run->kind, "verify") != 0)
		log_success(ctx, run);
	return rc;
}
