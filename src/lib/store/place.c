/* SPDX-License-Identifier: MIT */
/* Opens, makes and removes directories of the root. */
#include "lib/store/place.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/rm_each.h"
#include "base/str.h"
#include "base/sys.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A mode that means nothing to anybody, and unlike a file can be a mark until the last moment. */
#define LEAVING_MODE (S_ISUID | S_ISVTX | S_IRWXU)

enum plugpkg_code
pp_place_open(plugpkg_context *ctx, const char *path, int *out_fd, plugpkg_error **err)
{
	int fd = pp_open_beneath(
	    ctx->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, PP_NO_SYMLINKS);

	if (fd >= 0) {
		*out_fd = fd;
		return PLUGPKG_OK;
	}
	if (fd == -ENOENT)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "there is no '%s/%s'", ctx->root, path);
	if (fd != -ENOTDIR && fd != -ELOOP && fd != -EXDEV)
		return pp_fail(err, PLUGPKG_E_IO, -fd, "cannot open '%s/%s'", ctx->root, path);
	enum plugpkg_code rc = pp_fail(
	    err, PLUGPKG_E_BAD_STATE, 0, "'%s/%s' is no directory of this root", ctx->root, path);

	return pp_hint(
	    err, rc, "something else put a file or a link there; plugpkg touches neither");
}

/* Opens what there is of the path and makes the rest. */
enum plugpkg_code
pp_place_make(plugpkg_context *ctx, const char *path, int *out_fd, plugpkg_error **err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	PP_AUTO_FREE char *parent =
	    slash != NULL ? pp_xstrndup(path, (size_t)(slash - path)) : pp_xstrdup(".");
	mode_t mode = strcmp(path, PP_STAGING_DIR) == 0 ? 0700 : 0755;
	PP_AUTO_FD int parent_fd = -1;
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = pp_place_open(ctx, path, out_fd, &why);

	if (rc != PLUGPKG_E_NOT_FOUND || strcmp(path, ".") == 0) {
		if (err != NULL)
			*err = pp_steal(&why);
		return rc;
	}
	rc = pp_place_make(ctx, parent, &parent_fd, err);
	if (rc != PLUGPKG_OK)
		return rc;
	bool is_new = pp_mkdirat(parent_fd, name, mode) == 0;
	if (!is_new && errno != EEXIST)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make '%s/%s'", ctx->root, path);
	*out_fd = pp_opendir_at(parent_fd, name);
	if (is_new && *out_fd >= 0 && pp_fchmod(*out_fd, mode) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make '%s/%s'", ctx->root, path);
	return *out_fd < 0 ? pp_place_open(ctx, path, out_fd, err) : PLUGPKG_OK;
}

enum plugpkg_code
pp_place_may_leave(
    int dir_fd, const char *name, const char *what, bool *out_is_there, plugpkg_error **err)
{
	struct stat st;

	*out_is_there = false;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return PLUGPKG_OK;
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot examine %s", what);
	}
	if (!S_ISDIR(st.st_mode)) {
		enum plugpkg_code rc = pp_fail(
		    err, PLUGPKG_E_BAD_STATE, 0, "%s is no directory; it is left alone", what);

		return pp_hint(
		    err, rc, "somebody replaced it; look where it leads, then delete it");
	}
	*out_is_there = true;
	return PLUGPKG_OK;
}

int
pp_place_remove_here(int dir_fd, const char *name, uint64_t *bytes)
{
	PP_AUTO_FD int fd = pp_opendir_at(dir_fd, name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	int r = pp_fchmod(fd, LEAVING_MODE) < 0 || pp_fsync(fd) < 0 ? -errno : 0;

	if (r == 0)
		r = pp_rm_rf_count_at(dir_fd, name, bytes);
	return r == 0 && pp_fsync(dir_fd) < 0 ? -errno : r;
}

bool
pp_place_is_leaving(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_mode == (S_IFDIR | LEAVING_MODE);
}

int
pp_place_rename(int from_fd, const char *from, int to_fd, const char *to)
{
	struct stat st;

	if (pp_renameat(from_fd, from, to_fd, to) == 0)
		return 0;
	if (errno != EACCES)
		return -errno;
	PP_AUTO_FD int fd = pp_opendir_at(from_fd, from);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & S_IWUSR) != 0 ||
	    pp_fchmod(fd, (st.st_mode & 07777) | S_IWUSR) < 0)
		return -EACCES;
	int r = pp_renameat(from_fd, from, to_fd, to) < 0 ? -errno : 0;
	return pp_fchmod(fd, st.st_mode & 07777) < 0 && r == 0 ? -errno : r;
}

/* What cannot be renamed is gone afterwards, and is not at its new place. */
static int
leave(int dir_fd, const char *name, int to_fd, const char *to, uint64_t *bytes)
{
	int r = pp_place_rename(dir_fd, name, to_fd, to);

	return r == -EXDEV ? pp_place_remove_here(dir_fd, name, bytes) : r;
}

enum plugpkg_code
pp_place_aside(plugpkg_context *ctx, int dir_fd, const char *name, const char *what,
    char **out_aside, plugpkg_error **err)
{
	PP_AUTO_FREE char *staging = NULL;
	PP_AUTO_FD int own_fd = -1;
	bool is_there = false;
	enum plugpkg_code rc = pp_place_may_leave(dir_fd, name, what, &is_there, err);

	if (rc != PLUGPKG_OK || !is_there)
		return rc;
	rc = pp_staging_new(ctx, "removed", &staging, &own_fd, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = leave(dir_fd, name, own_fd, "tree", NULL);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove %s", what);
	*out_aside = pp_asprintf(PP_STAGING_DIR "/%s", staging);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_place_remove(
    plugpkg_context *ctx, int dir_fd, const char *name, const char *what, plugpkg_error **err)
{
	PP_AUTO_FREE char *aside = NULL;
	enum plugpkg_code rc = pp_place_aside(ctx, dir_fd, name, what, &aside, err);
	if (rc != PLUGPKG_OK || aside == NULL)
		return rc;
	int r = pp_fsync(dir_fd) < 0 ? -errno : pp_rm_rf_at(ctx->root_fd, aside);

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove %s", what) : PLUGPKG_OK;
}

enum plugpkg_code
pp_leaving_add(plugpkg_context *ctx, struct pp_leaving *l, int dir_fd, const char *name,
    const char *what, plugpkg_error **err)
{
	PP_AUTO_FREE char *number = pp_asprintf("%" PRId64, l->n);
	PP_AUTO_FREE char *staging = NULL;
	bool is_there = false;
	enum plugpkg_code rc = pp_place_may_leave(dir_fd, name, what, &is_there, err);

	if (rc != PLUGPKG_OK || !is_there)
		return rc;
	if (l->path == NULL) {
		rc = pp_staging_new(ctx, "removed", &staging, &l->fd, err);
		if (rc != PLUGPKG_OK)
			return rc;
		l->path = pp_asprintf(PP_STAGING_DIR "/%s", staging);
	}
	int r = leave(dir_fd, name, l->fd, number, &l->bytes);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove %s", what);
	l->n++;
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_leaving_end(
    plugpkg_context *ctx, struct pp_leaving *l, int from_fd, uint64_t *bytes, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_steal(&l->path);
	if (path == NULL)
		return PLUGPKG_OK;
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FD int fd = l->fd;
	int synced = from_fd >= 0 ? pp_fsync(from_fd) : pp_syncfs(fd);
	int r = synced < 0 ? -errno : pp_list_fd(fd, &names);

	*bytes += l->bytes;
	if (r == 0)
		r = pp_rm_each_at(fd, &names, bytes, NULL);
	if (r == 0)
		r = pp_rm_dir_at(ctx->root_fd, path);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove '%s/%s'", ctx->root, path)
		     : PLUGPKG_OK;
}

char *
pp_place_up(const char *name)
{
	return pp_xstrdup(name[0] == '@' ? "../../../" : "../../");
}
