/* SPDX-License-Identifier: MIT */
/* The store: what stands at store/NAME/VERSION is complete, durable and never changed again. */
#include "lib/store/store.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/model/name.h"
#include "lib/model/semver.h"
#include "lib/store/place.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAGING_MAX_NAME 64
#define STAGING_MAX      1000000u

/* The border for names that become paths: both are checked here, whoever calls. */
static enum plugpkg_code
check_place(const char *name, const char *version, plugpkg_error **err)
{
	struct pp_version v = { 0 };
	enum plugpkg_code rc = pp_name_check(pp_str_of(name), err);

	if (rc == PLUGPKG_OK)
		rc = pp_version_parse(pp_str_of(version), &v, err);
	pp_version_fini(&v);
	if (rc == PLUGPKG_OK && (version[0] < '0' || version[0] > '9'))
		return pp_fail(err, PLUGPKG_E_BAD_VERSION, 0,
		    "'%s' is no version: it has to start with a digit", version);
	return rc;
}

static void
add_file_char(struct pp_buf *out, char c)
{
	bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';

	if (plain && (c != '.' || out->n > 0))
		pp_buf_addc(out, c);
	else if (out->n > 0 && out->s[out->n - 1] != '-')
		pp_buf_addc(out, '-');
}

enum plugpkg_code
pp_staging_new(
    plugpkg_context *ctx, const char *what, char **out_name, int *out_fd, plugpkg_error **err)
{
	PP_AUTO_FD int dir = -1;
	enum plugpkg_code rc = pp_place_make(ctx, PP_STAGING_DIR, &dir, err);

	return rc == PLUGPKG_OK ? pp_staging_new_at(ctx, dir, what, out_name, out_fd, err) : rc;
}

enum plugpkg_code
pp_staging_new_at(plugpkg_context *ctx, int staging_fd, const char *what, char **out_name,
    int *out_fd, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf prefix = PP_BUF_INIT(STAGING_MAX_NAME);

	for (const char *p = what; *p != '\0'; p++)
		add_file_char(&prefix, *p);
	for (unsigned i = 0; i < STAGING_MAX; i++) {
		PP_AUTO_FREE char *name = pp_asprintf("%s-%u", pp_buf_cstr(&prefix), i);

		if (pp_mkdirat(staging_fd, name, 0700) < 0) {
			if (errno == EEXIST)
				continue;
			break;
		}
		*out_fd = pp_opendir_at(staging_fd, name);
		if (*out_fd < 0)
			break;
		*out_name = pp_steal(&name);
		return PLUGPKG_OK;
	}
	return pp_fail(err, PLUGPKG_E_IO, errno,
	    "cannot make a directory in '%s/" PP_STAGING_DIR "'", ctx->root);
}

/* It only takes room, and nobody needs its name. Said once: all that come after it try again. */
static void
clear_one(plugpkg_context *ctx, int dir_fd, const char *name)
{
	int r = pp_rm_rf_at(dir_fd, name);

	if (r == 0 || ctx->is_staging_told)
		return;
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	ctx->is_staging_told = true;
	(void)pp_fail(
	    &why, PLUGPKG_E_IO, -r, "cannot clear '%s/" PP_STAGING_DIR "/%s'", ctx->root, name);
	pp_warn(
	    ctx, NULL, "%s; nothing needs it, so delete it by hand", plugpkg_error_message(why));
}

enum plugpkg_code
pp_staging_clear(plugpkg_context *ctx, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FD int dir = -1;

	if (pp_exists_at(ctx->root_fd, PP_STAGING_DIR) == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_place_open(ctx, PP_STAGING_DIR, &dir, err);

	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_list_dir(dir, ".", &names);

	for (size_t i = 0; r == 0 && i < names.n; i++)
		clear_one(ctx, dir, names.at[i]);
	return r < 0 ? pp_fail(
			   err, PLUGPKG_E_IO, -r, "cannot clear '%s/" PP_STAGING_DIR "'", ctx->root)
		     : PLUGPKG_OK;
}

/* store/NAME/current -> ../../current/NAME: a stable name that follows THE pointer. */
static int
make_stable_name(int plugin_fd, const char *name)
{
	PP_AUTO_FREE char *up = pp_place_up(name);
	PP_AUTO_FREE char *target = pp_asprintf("%s" PP_CURRENT "/%s", up, name);
	PP_AUTO_BUF struct pp_buf now = PP_BUF_INIT(4096);

	if (pp_symlinkat(target, plugin_fd, PP_CURRENT) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	int r = pp_readlink_at(plugin_fd, PP_CURRENT, &now);
	if (r == 0 && strcmp(pp_buf_cstr(&now), target) == 0)
		return 0;
	return pp_symlink_replace(plugin_fd, PP_CURRENT, target);
}

/*
 * The staging directory is private until its rename, so its mode is opened just before. Contents
 * and name become durable with the generation that uses them, by one sync for all.
 */
static int
move_in(int staging_fd, const char *staging, int plugin_fd, const char *version)
{
	if (pp_fchmodat(staging_fd, staging, 0755) < 0 ||
	    pp_renameat(staging_fd, staging, plugin_fd, version) < 0)
		return -errno;
	return 0;
}

/* store/NAME, made where it is missing. What is made cannot hold the version already. */
static enum plugpkg_code
make_plugin_dir(plugpkg_context *ctx, int store_fd, const char *name, int *out_fd, bool *out_is_new,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf(PP_STORE_DIR "/%s", name);

	*out_is_new = strchr(name, '/') == NULL && pp_mkdirat(store_fd, name, 0755) == 0;
	if (*out_is_new)
		*out_fd = pp_opendir_at(store_fd, name);
	if (*out_fd >= 0 && pp_fchmod(*out_fd, 0755) < 0) /* whatever the umask is */
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make '%s/%s'", ctx->root, path);
	return *out_fd >= 0 ? PLUGPKG_OK : pp_place_make(ctx, path, out_fd, err);
}

enum plugpkg_code
pp_store_put(plugpkg_context *ctx, const char *staging, const char *name, const char *version,
    plugpkg_error **err)
{
	PP_AUTO_FD int staging_fd = -1;
	PP_AUTO_FD int store_fd = -1;
	enum plugpkg_code rc = check_place(name, version, err);

	if (rc == PLUGPKG_OK)
		rc = pp_place_open(ctx, PP_STAGING_DIR, &staging_fd, err);
	if (rc == PLUGPKG_OK)
		rc = pp_place_make(ctx, PP_STORE_DIR, &store_fd, err);
	const struct pp_store_fds fds = { staging_fd, store_fd };

	return rc == PLUGPKG_OK ? pp_store_put_at(ctx, &fds, staging, name, version, err) : rc;
}

enum plugpkg_code
pp_store_put_at(plugpkg_context *ctx, const struct pp_store_fds *fds, const char *staging,
    const char *name, const char *version, plugpkg_error **err)
{
	PP_AUTO_FD int plugin_fd = -1;
	bool is_new = false;
	struct stat st;
	enum plugpkg_code rc = check_place(name, version, err);

	if (rc == PLUGPKG_OK)
		rc = make_plugin_dir(ctx, fds->store, name, &plugin_fd, &is_new, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = make_stable_name(plugin_fd, name);

	if (r == 0 && !is_new && fstatat(plugin_fd, version, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISDIR(st.st_mode))
			return pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
			    "'%s/" PP_STORE_DIR "/%s/%s' is no directory", ctx->root, name,
			    version);
		r = pp_rm_rf_at(fds->staging, staging);
	} else if (r == 0) {
		r = move_in(fds->staging, staging, plugin_fd, version);
	}
	return r < 0 ? pp_fail(
			   err, PLUGPKG_E_IO, -r, "cannot put %s %s into the store", name, version)
		     : PLUGPKG_OK;
}

enum plugpkg_code
pp_store_replace(plugpkg_context *ctx, const char *staging, const char *name, const char *version,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf(PP_STORE_DIR "/%s", name);
	PP_AUTO_FD int staging_fd = -1;
	PP_AUTO_FD int plugin_fd = -1;
	enum plugpkg_code rc = check_place(name, version, err);

	if (rc == PLUGPKG_OK)
		rc = pp_place_open(ctx, PP_STAGING_DIR, &staging_fd, err);
	if (rc == PLUGPKG_OK)
		rc = pp_place_make(ctx, path, &plugin_fd, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FD int tree = pp_opendir_at(staging_fd, staging);
	if (tree < 0 || pp_fchmod(tree, 0755) < 0)
		return pp_fail(err, PLUGPKG_E_IO, tree < 0 ? -tree : errno,
		    "cannot put %s %s into the store", name, version);
	if (pp_rename_exchange(staging_fd, staging, plugin_fd, version) < 0) {
		/* Missing, or a file system that cannot exchange: out, then in. */
		rc = pp_store_remove(ctx, name, version, err);
		return rc == PLUGPKG_OK ? pp_store_put(ctx, staging, name, version, err) : rc;
	}
	int r = pp_fsync(plugin_fd) < 0 ? -errno : make_stable_name(plugin_fd, name);
	if (r == 0)
		r = pp_rm_rf_at(staging_fd, staging);
	return r < 0 ? pp_fail(
			   err, PLUGPKG_E_IO, -r, "cannot put %s %s into the store", name, version)
		     : PLUGPKG_OK;
}

int
pp_store_has(plugpkg_context *ctx, const char *name, const char *version)
{
	PP_AUTO_FREE char *path = pp_asprintf(PP_STORE_DIR "/%s/%s", name, version);
	PP_AUTO_FD int fd = -1;

	if (check_place(name, version, NULL) != PLUGPKG_OK)
		return -EINVAL;
	fd = pp_open_beneath(
	    ctx->root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, PP_NO_SYMLINKS);
	if (fd >= 0)
		return 1;
	return fd == -ENOENT ? 0 : fd;
}

enum plugpkg_code
pp_store_open(
    plugpkg_context *ctx, const char *name, const char *version, int *out_fd, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf(PP_STORE_DIR "/%s/%s", name, version);
	enum plugpkg_code rc = check_place(name, version, err);

	return rc == PLUGPKG_OK ? pp_place_open(ctx, path, out_fd, err) : rc;
}

static bool
is_version(const char *s)
{
	struct pp_version v = { 0 };
	bool ok =
	    s[0] >= '0' && s[0] <= '9' && pp_version_parse(pp_str_of(s), &v, NULL) == PLUGPKG_OK;

	pp_version_fini(&v);
	return ok;
}

/* With its last version a plugin's directory goes, and with its last plugin that of a scope. */
static int
prune(plugpkg_context *ctx, const char *name, int plugin_fd)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs left = { 0 };
	PP_AUTO_FREE char *path = pp_asprintf(PP_STORE_DIR "/%s", name);
	char *slash = strrchr(path, '/');
	int r = pp_list_dir(plugin_fd, ".", &left);

	if (r < 0 || left.n > 1 || (left.n == 1 && strcmp(left.at[0], PP_CURRENT) != 0))
		return r;
	if (pp_unlinkat(plugin_fd, PP_CURRENT, 0) < 0 && errno != ENOENT)
		return -errno;
	for (;;) {
		if (pp_unlinkat(ctx->root_fd, path, AT_REMOVEDIR) < 0)
			return errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT ? 0
											: -errno;
		*slash = '\0';
		slash = strrchr(path, '/');
		if (slash == NULL) /* only store/ itself is left: it stays */
			return 0;
	}
}

enum plugpkg_code
pp_store_remove(plugpkg_context *ctx, const char *name, const char *version, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf(PP_STORE_DIR "/%s", name);
	PP_AUTO_FREE char *what = pp_asprintf("'%s/%s/%s'", ctx->root, path, version);
	PP_AUTO_FD int plugin_fd = -1;
	enum plugpkg_code rc = check_place(name, version, err);

	if (rc != PLUGPKG_OK || pp_exists_at(ctx->root_fd, path) == 0)
		return rc;
	rc = pp_place_open(ctx, path, &plugin_fd, err);
	if (rc == PLUGPKG_OK)
		rc = pp_place_remove(ctx, plugin_fd, version, what, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = prune(ctx, name, plugin_fd);

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove '%s/%s'", ctx->root, path)
		     : PLUGPKG_OK;
}

/* member: "NAME VERSION". */
static enum plugpkg_code
move_out(plugpkg_context *ctx, const char *member, struct pp_leaving *leaving, plugpkg_error **err)
{
	const char *blank = strchr(member, ' ');
	assert(blank != NULL); /* pp_store_list() writes it */
	PP_AUTO_FREE char *name = pp_xstrndup(member, (size_t)(blank - member));
	const char *version = blank + 1;
	PP_AUTO_FREE char *path = pp_asprintf(PP_STORE_DIR "/%s", name);
	PP_AUTO_FREE char *what = pp_asprintf("'%s/%s/%s'", ctx->root, path, version);
	PP_AUTO_FD int plugin_fd = -1;
	int64_t before = leaving->n;
	enum plugpkg_code rc = check_place(name, version, err);

	if (rc == PLUGPKG_OK)
		rc = pp_place_open(ctx, path, &plugin_fd, err);
	if (rc == PLUGPKG_OK)
		rc = pp_leaving_add(ctx, leaving, plugin_fd, version, what, err);
	if (rc != PLUGPKG_OK || leaving->n == before)
		return rc;
	int r = prune(ctx, name, plugin_fd);

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove %s", what) : PLUGPKG_OK;
}

/* What has left goes, even where another one could not. */
enum plugpkg_code
pp_store_drop(plugpkg_context *ctx, const struct pp_strs *members, int64_t *out_versions,
    uint64_t *out_bytes, plugpkg_error **err)
{
	struct pp_leaving leaving = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < members->n; i++)
		rc = move_out(ctx, members->at[i], &leaving, err);
	*out_versions += leaving.n;
	enum plugpkg_code end_rc =
	    pp_leaving_end(ctx, &leaving, -1, out_bytes, rc == PLUGPKG_OK ? err : NULL);
	return rc == PLUGPKG_OK ? end_rc : rc;
}

enum plugpkg_code
pp_store_prune(plugpkg_context *ctx, const char *name, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf(PP_STORE_DIR "/%s", name);
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = pp_place_open(ctx, path, &fd, err);
	int r = rc == PLUGPKG_OK ? prune(ctx, name, fd) : 0;

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove '%s/%s'", ctx->root, path)
		     : rc;
}

struct listing {
	struct pp_strs *versions; /* "NAME VERSION" */
	struct pp_strs *bare;     /* names of plugins and scopes without any */
};

/* What is no directory of a version is passed over. */
static enum plugpkg_code
list_versions(
    plugpkg_context *ctx, const char *name, const struct listing *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs versions = { 0 };
	PP_AUTO_FREE char *path = pp_asprintf(PP_STORE_DIR "/%s", name);
	PP_AUTO_FD int fd = pp_open_beneath(
	    ctx->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, PP_NO_SYMLINKS);
	struct stat st;

	if (fd == -ENOTDIR || fd == -ELOOP)
		return PLUGPKG_OK;
	int r = fd < 0 ? fd : pp_list_dir(fd, ".", &versions);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot list '%s/%s'", ctx->root, path);
	size_t before = out->versions->n;
	pp_vec_foreach (version, &versions) {
		if (!is_version(*version) || fstatat(fd, *version, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		pp_strs_take(out->versions, pp_asprintf("%s %s", name, *version));
	}
	if (out->versions->n == before)
		pp_strs_add(out->bare, name);
	return PLUGPKG_OK;
}

/* scope: "" for the store itself, "@scope" for a scope in it. */
static enum plugpkg_code
list_plugins(
    plugpkg_context *ctx, const char *scope, const struct listing *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FREE char *path =
	    pp_asprintf(PP_STORE_DIR "%s%s", scope[0] == '\0' ? "" : "/", scope);
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = pp_place_open(ctx, path, &fd, err);

	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_list_dir(fd, ".", &names);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot list '%s/%s'", ctx->root, path);
	if (scope[0] != '\0' && names.n == 0)
		pp_strs_add(out->bare, scope);
	for (size_t i = 0; rc == PLUGPKG_OK && i < names.n; i++) {
		PP_AUTO_FREE char *name =
		    pp_asprintf("%s%s%s", scope, scope[0] == '\0' ? "" : "/", names.at[i]);

		if (pp_name_valid(pp_str_of(name)))
			rc = list_versions(ctx, name, out, err);
		else if (scope[0] == '\0' && name[0] == '@')
			rc = list_plugins(ctx, name, out, err);
	}
	return rc;
}

enum plugpkg_code
pp_store_list(
    plugpkg_context *ctx, struct pp_strs *out, struct pp_strs *out_bare, plugpkg_error **err)
{
	const struct listing list = { .versions = out, .bare = out_bare };

	if (pp_exists_at(ctx->root_fd, PP_STORE_DIR) == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = list_plugins(ctx, "", &list, err);

	pp_strs_sort(out);
	return rc;
}
