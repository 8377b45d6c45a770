/* SPDX-License-Identifier: MIT */
/* Roots: making one, opening one, and what a caller may set on an open one. */
#include "lib/api/api.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/temp.h"
#include "base/time.h"
#include "lib/store/generation.h"
#include "lib/txn/host.h"
#include "lib/txn/lock.h"
#include "lib/txn/root.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Its path without links in it, owned; asked of the system, which knows it, where it can be. */
static char *
path_of(int fd, const char *dir)
{
	PP_AUTO_FREE char *link = pp_asprintf("/proc/self/fd/%d", fd);
	char path[PATH_MAX];
	ssize_t n = readlinkat(AT_FDCWD, link, path, sizeof(path));

	if (n <= 0 || (size_t)n == sizeof(path) || path[0] != '/')
		return realpath(dir, NULL);
	return pp_xstrndup(path, (size_t)n);
}

enum plugpkg_code
pp_context_new(const char *dir, plugpkg_context **out, plugpkg_error **err)
{
	PP_AUTO_FD int fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '%s'", dir);
	PP_AUTO_FREE char *full = path_of(fd, dir);
	if (full == NULL)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '%s'", dir);

	plugpkg_context *ctx = pp_xcalloc(1, sizeof(*ctx));
	ctx->root = pp_steal(&full);
	ctx->root_fd = pp_fd_steal(&fd);
	ctx->now = pp_time_now();
	ctx->lock_wait_ms = -1;
	ctx->lock_fd = -1;
	*out = ctx;
	return PLUGPKG_OK;
}

static void
end_dry_run(plugpkg_context *ctx)
{
	if (!ctx->is_dry_run)
		return;
	pp_auto_fd(&ctx->scratch_fd);
	PP_IGNORE(pp_rm_rf_at(AT_FDCWD, ctx->scratch)); /* a leftover costs only space */
	free(ctx->scratch);
	ctx->is_dry_run = false;
}

void
plugpkg_close(plugpkg_context *ctx)
{
	if (ctx == NULL)
		return;
	pp_unlock(ctx);
	pp_state_close(ctx->state);
	pp_host_free(ctx->host);
	pp_config_free(ctx->config);
	end_dry_run(ctx);
	pp_map_fini(&ctx->verified, free);
	pp_auto_fd(&ctx->root_fd);
	free(ctx->root);
	free(ctx);
}

/* ---- where ---- */

/* The nearest directory upwards with a plugpkg.json; owned, NULL when there is none. */
static char *
find_root(void)
{
	PP_AUTO_FREE char *dir = realpath(".", NULL);

	while (dir != NULL) {
		PP_AUTO_FREE char *file =
		    pp_asprintf("%s/plugpkg.json", strcmp(dir, "/") == 0 ? "" : dir);
		if (pp_exists_at(AT_FDCWD, file) == 1)
			return pp_steal(&dir);
		char *slash = strrchr(dir, '/');
		if (slash == NULL || slash[1] == '\0')
			return NULL;
		slash[slash == dir ? 1 : 0] = '\0';
	}
	return NULL;
}

static enum plugpkg_code
no_root(const char *dir, plugpkg_error **err)
{
	if (dir == NULL)
		(void)pp_fail(err, PLUGPKG_E_NO_ROOT, 0,
		    "not a plugpkg root (nor any directory above it): no plugpkg.json");
	else
		(void)pp_fail(err, PLUGPKG_E_NO_ROOT, 0, "'%s' is not a plugpkg root", dir);
	return pp_hint(err, PLUGPKG_E_NO_ROOT, PP_NO_ROOT_HINT);
}

/* ---- init ---- */

static enum plugpkg_code
make_directories(plugpkg_context *ctx, plugpkg_error **err)
{
	static const struct {
		const char *path;
		mode_t mode;
	} dirs[] = {
		{ "store", 0755 },
		{ "generations", 0755 },
		{ "data", 0755 },
		{ "var", 0755 },
		{ "var/cache", 0755 },
		{ "var/trust", 0755 },
		{ "var/staging", 0700 },
	};

	for (size_t i = 0; i < PP_LEN(dirs); i++)
		if (pp_mkdirat(ctx->root_fd, dirs[i].path, dirs[i].mode) < 0 && errno != EEXIST)
			return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make '%s/%s'", ctx->root,
			    dirs[i].path);
	return PLUGPKG_OK;
}

/*
 * plugpkg.json of a new root. One that is there belongs to the application and must only be sound.
 */
static enum plugpkg_code
make_config(plugpkg_context *ctx, const char *name, plugpkg_error **err)
{
	int there = pp_exists_at(ctx->root_fd, "plugpkg.json");
	if (there < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -there, "cannot read '%s/plugpkg.json'", ctx->root);
	if (there == 1)
		return pp_root_reload_config(ctx, err);

	const char *slash = strrchr(ctx->root, '/');
	const char *base = slash != NULL && slash[1] != '\0' ? slash + 1 : "application";
	PP_AUTO_JSON pp_json *j = pp_json_object();
	pp_json_set_str(j, "name", name != NULL ? name : base);
	pp_json_set(j, "provides", pp_json_object());
	pp_json_set(j, "sources", pp_json_array());
	pp_json_set(j, "plugins", pp_json_object());
	PP_AUTO_FREE char *text = pp_json_pretty(j);
	/* Parsed before it is written: a name that makes no sound file must not be left behind. */
	enum plugpkg_code rc = pp_config_parse(pp_str_of(text), "plugpkg.json", &ctx->config, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_write_file_at(ctx->root_fd, "plugpkg.json", text, strlen(text), 0644);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s/plugpkg.json'", ctx->root)
		     : PLUGPKG_OK;
}

/*
 * A root whose state is gone still serves its application. Made anew, it would show it an empty
 * generation at once, and the next clean would take the plugins for good.
 */
static enum plugpkg_code
refuse_lost_state(plugpkg_context *ctx, plugpkg_error **err)
{
	int64_t current = 0;

	if (pp_generation_current(ctx, &current, NULL) != PLUGPKG_OK || current == 0)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
	    "'%s' shows generation %lld, but its var/state.db is missing", ctx->root,
	    (long long)current);
	return pp_hint(err, PLUGPKG_E_BAD_STATE,
	    "restore var/state.db from a backup; or remove 'current' to begin without plugins");
}

/* Made before in an init that was cut off, it is in use already, and right. */
static enum plugpkg_code
make_first_generation(plugpkg_context *ctx, plugpkg_error **err)
{
	int64_t current = -1;

	if (pp_generation_current(ctx, &current, NULL) == PLUGPKG_OK && current == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_generation_make(ctx, 0, NULL, 0, err);
	return rc == PLUGPKG_OK ? pp_generation_switch(ctx, 0, err) : rc;
}

enum plugpkg_code
plugpkg_init(const char *dir, const char *name, plugpkg_error **err)
{
	if (name != NULL && (*name == '\0' || !pp_is_utf8(name, strlen(name))))
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "the application's name is %s",
		    *name == '\0' ? "empty" : "no UTF-8");
	if (pp_mkdirat(AT_FDCWD, dir, 0755) < 0 && errno != EEXIST)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make '%s'", dir);
	PP_AUTO(context) plugpkg_context *ctx = NULL;
	enum plugpkg_code rc = pp_context_new(dir, &ctx, err);
	if (rc != PLUGPKG_OK)
		return rc;
	assert(ctx != NULL);
	int there = pp_exists_at(ctx->root_fd, "var/state.db");
	if (there < 0)
		return pp_fail(err, PLUGPKG_E_IO, -there, "cannot look into '%s'", ctx->root);
	if (there == 1)
		return pp_fail(
		    err, PLUGPKG_E_EXISTS, 0, "'%s' is already a plugpkg root", ctx->root);

	rc = refuse_lost_state(ctx, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_check_proc(err);
	if (rc == PLUGPKG_OK)
		rc = make_config(ctx, name, err);
	if (rc == PLUGPKG_OK)
		rc = make_directories(ctx, err);
	if (rc == PLUGPKG_OK)
		rc = make_first_generation(ctx, err);
	/* Last: with the state it is a root, so an init that was cut off can be repeated. */
	return rc == PLUGPKG_OK ? pp_state_create(ctx->root_fd, err) : rc;
}

/* ---- prepare ---- */

/*
 * plugpkg.json came from elsewhere, and is the application's: it stays as it is. The lock keeps two
 * that begin at once from making it twice.
 */
static enum plugpkg_code
make_rest(plugpkg_context *ctx, plugpkg_error **err)
{
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	enum plugpkg_code rc = pp_root_reload_config(ctx, err);
	if (rc == PLUGPKG_OK)
		rc = refuse_lost_state(ctx, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_check_proc(err);
	if (rc == PLUGPKG_OK)
		rc = make_directories(ctx, err);
	if (rc == PLUGPKG_OK)
		rc = pp_lock_bare(ctx, "sync", err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	if (pp_exists_at(ctx->root_fd, "var/state.db") == 1)
		return PLUGPKG_OK;
	rc = make_first_generation(ctx, err);
	return rc == PLUGPKG_OK ? pp_state_create(ctx->root_fd, err) : rc;
}

enum plugpkg_code
plugpkg_prepare(const char *dir, plugpkg_error **err)
{
	PP_AUTO_FREE char *found = dir == NULL ? find_root() : pp_xstrdup(dir);
	PP_AUTO_FREE char *state = pp_asprintf("%s/var/state.db", found != NULL ? found : "");
	if (found != NULL && pp_exists_at(AT_FDCWD, state) == 1)
		return PLUGPKG_OK; /* as nearly always; opening looks closer */
	if (found == NULL || pp_exists_at(AT_FDCWD, found) == 0)
		return no_root(dir, err);
	PP_AUTO(context) plugpkg_context *ctx = NULL;
	enum plugpkg_code rc = pp_context_new(found, &ctx, err);
	if (rc != PLUGPKG_OK)
		return rc;
	assert(ctx != NULL);
	int there = pp_exists_at(ctx->root_fd, "var/state.db");
	if (there < 0 && there != -ENOTDIR)
		return pp_fail(err, PLUGPKG_E_IO, -there, "cannot look into '%s'", ctx->root);
	return there == 1 ? PLUGPKG_OK : make_rest(ctx, err);
}

/* ---- open ---- */

/* A root of a newer plugpkg, half a root, or one that lost its state, says so before all else. */
static enum plugpkg_code
open_state(plugpkg_context *ctx, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = pp_state_open(ctx, &why);

	if (rc == PLUGPKG_E_NO_ROOT && refuse_lost_state(ctx, err) != PLUGPKG_OK)
		return PLUGPKG_E_BAD_STATE;
	if (rc != PLUGPKG_OK && err != NULL)
		*err = pp_steal(&why);
	return rc;
}

enum plugpkg_code
plugpkg_open(const char *dir, plugpkg_context **out_ctx, plugpkg_error **err)
{
	PP_AUTO_FREE char *found = dir == NULL ? find_root() : pp_xstrdup(dir);
	PP_AUTO(context) plugpkg_context *ctx = NULL;
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc =
	    found != NULL ? pp_context_new(found, &ctx, &why) : PLUGPKG_E_NO_ROOT;
	if (found == NULL || (rc != PLUGPKG_OK && pp_exists_at(AT_FDCWD, found) == 0))
		return no_root(dir, err);
	if (rc != PLUGPKG_OK && err != NULL)
		*err = pp_steal(&why);
	if (rc != PLUGPKG_OK)
		return rc;
	assert(ctx != NULL);
	rc = pp_root_reload_config(ctx, err);
	if (rc == PLUGPKG_OK && !pp_state_expect(ctx))
		rc = open_state(ctx, err);
	if (rc == PLUGPKG_OK)
		*out_ctx = pp_steal(&ctx);
	return rc;
}

/* ---- what a caller may set ---- */

const char *
plugpkg_root_path(const plugpkg_context *ctx)
{
	return ctx->root;
}

void
plugpkg_set_event_fn(plugpkg_context *ctx, plugpkg_event_fn fn, void *user)
{
	ctx->event_fn = fn;
	ctx->event_user = user;
}

void
plugpkg_set_ask_fn(plugpkg_context *ctx, plugpkg_ask_fn fn, void *user)
{
	ctx->ask_fn = fn;
	ctx->ask_user = user;
}

void
plugpkg_set_time(plugpkg_context *ctx, int64_t now)
{
	int64_t skew = now - pp_time_now();

	ctx->now = now;
	/* The clock itself, read a moment ago, is no other idea of the time. */
	ctx->clock_skew_s = skew >= -1 && skew <= 1 ? 0 : skew;
}

enum plugpkg_code
plugpkg_set_dry_run(plugpkg_context *ctx, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = NULL;

	if (ctx->is_dry_run)
		return PLUGPKG_OK;
	int r = pp_temp_make("plugpkg-look-", NULL, NULL, &path);
	if (r < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -r, "cannot make a temporary directory in %s", path);
	int fd = pp_opendir_at(AT_FDCWD, path);
	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -fd, "cannot open '%s'", path);
	ctx->is_dry_run = true;
	ctx->scratch = pp_steal(&path);
	ctx->scratch_fd = fd;
	return PLUGPKG_OK;
}

void
plugpkg_set_reaper(plugpkg_context *ctx)
{
	ctx->is_reaper = true; /* from the first script on */
}

void
plugpkg_set_jobs(plugpkg_context *ctx, unsigned jobs)
{
	ctx->jobs = jobs < PP_NETWORK_JOBS_MAX ? jobs : PP_NETWORK_JOBS_MAX;
}

void
plugpkg_set_offline(plugpkg_context *ctx, int on)
{
	ctx->is_offline = on != 0;
}

void
plugpkg_set_sandbox(plugpkg_context *ctx, int on)
{
	ctx->is_sandbox_off = on == 0;
}

void
plugpkg_set_log_debug(plugpkg_context *ctx, int on)
{
	ctx->is_log_debug = on != 0;
}

void
plugpkg_set_lock_wait(plugpkg_context *ctx, int64_t timeout_ms)
{
	ctx->lock_wait_ms = timeout_ms;
}

void
plugpkg_cancel(plugpkg_context *ctx)
{
	atomic_store(&ctx->cancelled, 1);
}
