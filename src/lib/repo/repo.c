/* SPDX-License-Identifier: MIT */
/* Opening and configuring a publisher directory; init.c makes one. */
#include "lib/repo/repo.h"

#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/time.h"
#include "lib/repo/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define CONFIG_FILE      "repository.json"
#define CONFIG_MAX_BYTES (64 * 1024)
#define SECONDS_A_DAY    86400
#define EXPIRY_MAX_DAYS  3650
#define POLL_MS          50

const char *const pp_role_names[PP_N_ROLES] = {
	[PP_ROLE_ROOT] = "root",
	[PP_ROLE_TARGETS] = "targets",
	[PP_ROLE_INDEX] = "index",
	[PP_ROLE_SNAPSHOT] = "snapshot",
	[PP_ROLE_TIMESTAMP] = "timestamp",
};

/* Days, where repository.json says nothing: see repo-format/metadata.md. */
static const int64_t usual_days[PP_N_ROLES] = {
	[PP_ROLE_ROOT] = 365,
	[PP_ROLE_TARGETS] = 365,
	[PP_ROLE_INDEX] = 90,
	[PP_ROLE_SNAPSHOT] = 14,
	[PP_ROLE_TIMESTAMP] = 7,
};

const char *
pp_repo_name(const plugpkg_repo *repo)
{
	return pp_json_get_str(repo->config, "name");
}

int64_t
pp_repo_expiry(const plugpkg_repo *repo, enum pp_role role)
{
	const pp_json *days = pp_json_get(repo->config, "expiry_days");

	return repo->now +
	       SECONDS_A_DAY * pp_json_get_int(days, pp_role_names[role], usual_days[role]);
}

static const struct {
	const char *path;
	mode_t mode;
} dirs[] = {
	{ "keys", 0700 },
	{ "staged", 0755 },
	{ "public", 0755 },
	{ "public/metadata", 0755 },
	{ "public/targets", 0755 },
	{ "public/targets/index", 0755 },
	{ "public/targets/pool", 0755 },
};

void
pp_repo_drop_empty_dirs(const plugpkg_repo *repo)
{
	for (size_t i = PP_LEN(dirs); i-- > 0;)
		PP_IGNORE(pp_unlinkat(repo->dir_fd, dirs[i].path, AT_REMOVEDIR)); /* not empty */
}

enum plugpkg_code
pp_repo_make_dirs(plugpkg_repo *repo, plugpkg_error **err)
{
	for (size_t i = 0; i < PP_LEN(dirs); i++) {
		int r = pp_mkdirs_at(repo->dir_fd, dirs[i].path, dirs[i].mode);
		if (r < 0)
			return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make '%s'", dirs[i].path);
	}
	repo->public_fd = pp_opendir_at(repo->dir_fd, "public");
	if (repo->public_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -repo->public_fd, "cannot open 'public'");
	return PLUGPKG_OK;
}

static void
tell_waiting(plugpkg_repo *repo, const char *what)
{
	PP_AUTO_FREE char *text =
	    pp_asprintf("waiting for another plugpkg-repo, which works on %s", what);
	struct plugpkg_event ev = { .type = PLUGPKG_EVENT_LOCK_WAIT, .text = text };

	pp_event(&repo->ctx, &ev);
}

/* In looks, not in one call: another thread may cancel, and sends no signal. */
enum plugpkg_code
pp_repo_lock_dir(plugpkg_repo *repo, int dir_fd, const char *what, plugpkg_error **err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	enum plugpkg_code rc = PLUGPKG_OK;
	bool is_told = false;

	while (rc == PLUGPKG_OK && flock(dir_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return pp_fail(err, PLUGPKG_E_IO, errno, "cannot lock %s", what);
		if (!is_told)
			tell_waiting(repo, what);
		is_told = true;
		(void)nanosleep(&pause, NULL); /* a signal only makes the next look come sooner */
		rc = pp_check_cancel(&repo->ctx, err);
	}
	return rc;
}

enum plugpkg_code
pp_repo_lock(plugpkg_repo *repo, plugpkg_error **err)
{
	enum plugpkg_code rc =
	    pp_repo_lock_dir(repo, repo->dir_fd, "the publisher's directory", err);

	if (rc == PLUGPKG_OK)
		repo->locked_by = getpid();
	return rc;
}

static enum plugpkg_code
check_config(const pp_json *config, plugpkg_error **err)
{
	const char *name = pp_json_get_str(config, "name");
	const pp_json *days = pp_json_get(config, "expiry_days");

	if (name == NULL)
		return pp_fail(
		    err, PLUGPKG_E_BAD_CONFIG, 0, CONFIG_FILE ": field 'name' is missing");
	if (days != NULL && !pp_json_is(days, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_BAD_CONFIG, 0,
		    CONFIG_FILE ": field 'expiry_days' is %s, expected an object",
		    pp_json_kind_name(days));
	for (int role = 0; role < PP_N_ROLES; role++) {
		const pp_json *value = pp_json_get(days, pp_role_names[role]);
		int64_t n = pp_json_integer(value, 0);
		if (value != NULL && (n < 1 || n > EXPIRY_MAX_DAYS))
			return pp_fail(err, PLUGPKG_E_BAD_CONFIG, 0,
			    CONFIG_FILE ": field 'expiry_days.%s' has to be 1 to %d days",
			    pp_role_names[role], EXPIRY_MAX_DAYS);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_config(plugpkg_repo *repo, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(CONFIG_MAX_BYTES);
	struct pp_json_error why;

	int r = pp_read_file_at(repo->dir_fd, CONFIG_FILE, &text);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '" CONFIG_FILE "'");
	repo->config = pp_json_parse(pp_buf_cstr(&text), text.n, &why);
	if (!pp_json_is(repo->config, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_BAD_CONFIG, 0, CONFIG_FILE ": %s",
		    repo->config == NULL ? why.text : "expected an object");
	return check_config(repo->config, err);
}

/* The directory itself, or the nearest one upwards, that holds a repository.json. */
static int
find_dir(const char *dir)
{
	char path[PATH_MAX];
	int fd = openat(AT_FDCWD, dir != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (pp_exists_at(fd, CONFIG_FILE) == 1)
		return fd;
	(void)close(fd); /* only looked at */
	if (dir != NULL || getcwd(path, sizeof(path)) == NULL)
		return -ENOENT;
	for (char *slash; (slash = strrchr(path, '/')) != NULL;) {
		*slash = '\0';
		fd = openat(
		    AT_FDCWD, *path != '\0' ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && pp_exists_at(fd, CONFIG_FILE) == 1)
			return fd;
		pp_auto_fd(&fd);
	}
	return -ENOENT;
}

enum plugpkg_code
plugpkg_repo_open(const char *dir, plugpkg_repo **out_repo, plugpkg_error **err)
{
	int fd = find_dir(dir);

	if (fd < 0 && fd != -ENOENT)
		return pp_fail(err, PLUGPKG_E_IO, -fd, "cannot open '%s'", dir != NULL ? dir : ".");
	if (fd < 0) {
		pp_fail(err, PLUGPKG_E_NO_ROOT, 0, "'%s' is not a publisher's directory",
		    dir != NULL ? dir : ".");
		return pp_hint(err, PLUGPKG_E_NO_ROOT, "make one with plugpkg-repo init DIR");
	}
	plugpkg_repo *repo = plugpkg_repo_new();
	repo->dir_fd = fd;
	enum plugpkg_code rc = read_config(repo, err);
	if (rc == PLUGPKG_OK)
		rc = pp_repo_make_dirs(repo, err);
	if (rc != PLUGPKG_OK) {
		plugpkg_repo_close(repo);
		return rc;
	}
	*out_repo = repo;
	return PLUGPKG_OK;
}

plugpkg_repo *
plugpkg_repo_new(void)
{
	plugpkg_repo *repo = pp_xcalloc(1, sizeof(*repo));

	repo->dir_fd = repo->public_fd = -1;
	repo->now = pp_time_now();
	return repo;
}

void
plugpkg_repo_close(plugpkg_repo *repo)
{
	if (repo == NULL)
		return;
	if (repo->locked_by == getpid())
		pp_fd_unlock(&repo->dir_fd);
	pp_auto_fd(&repo->dir_fd);
	pp_auto_fd(&repo->public_fd);
	pp_json_free(repo->config);
	pp_root_forget(repo);
	pp_map_fini(&repo->ctx.verified, free);
	free(repo);
}

void
plugpkg_repo_set_time(plugpkg_repo *repo, int64_t now)
{
	repo->now = now;
}

void
plugpkg_repo_set_passphrase_fn(plugpkg_repo *repo, plugpkg_passphrase_fn fn, void *user)
{
	repo->passphrase = fn;
	repo->passphrase_user = user;
}

void
plugpkg_repo_set_event_fn(plugpkg_repo *repo, plugpkg_event_fn fn, void *user)
{
	repo->ctx.event_fn = fn;
	repo->ctx.event_user = user;
}

void
plugpkg_repo_accept_public(plugpkg_repo *repo)
{
	repo->accepts_public = true;
}

void
plugpkg_repo_cancel(plugpkg_repo *repo)
{
	plugpkg_cancel(&repo->ctx);
}
