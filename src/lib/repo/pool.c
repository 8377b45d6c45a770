/* SPDX-License-Identifier: MIT */
/* The pool of published archives. */
#include "lib/repo/pool.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "lib/trust/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_NAME ".arriving"
#define POOL_MODE 0644

char *
pp_pool_staged_path(const char *sha256)
{
	return pp_asprintf("staged/%s.plug", sha256);
}

/* "targets/pool/NAME/VERSION" below public/, as it stands on disk; owned. */
static char *
pool_dir(const struct pp_pool_file *f)
{
	return pp_asprintf("targets/pool/%s/%s", f->name, f->version);
}

bool
pp_pool_has(plugpkg_repo *repo, const struct pp_pool_file *f)
{
	PP_AUTO_FREE char *dir = pool_dir(f);
	PP_AUTO_FREE char *path = pp_asprintf("%s/%s.plug", dir, f->sha256);
	struct stat st;

	return fstatat(repo->public_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == f->size;
}

bool
pp_pool_is_sound(plugpkg_repo *repo, const struct pp_pool_file *f)
{
	PP_AUTO_FREE char *dir = pool_dir(f);
	PP_AUTO_FREE char *path = pp_asprintf("%s/%s.plug", dir, f->sha256);
	PP_AUTO_FD int fd = pp_open_beneath(
	    repo->public_fd, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0, PP_FOLLOW_INSIDE);
	char sha256[65];
	uint64_t bytes = 0;

	return fd >= 0 && pp_sha256_fd(fd, sha256, &bytes) == 0 && strcmp(sha256, f->sha256) == 0;
}

enum plugpkg_code
pp_pool_has_other(plugpkg_repo *repo, const struct pp_pool_file *f, bool *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *dir = pool_dir(f);
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { 0 };

	*out = false;
	int r = pp_list_dir(repo->public_fd, dir, &files);
	if (r < 0 && r != -ENOENT)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read 'public/%s'", dir);
	for (size_t i = 0; i < files.n; i++)
		if (files.at[i][0] != '.' && !pp_starts_with(files.at[i], f->sha256))
			*out = true;
	return PLUGPKG_OK;
}

struct pp_pool_copy
pp_pool_copy_of(const struct stat *st)
{
	return (struct pp_pool_copy){
		.inode = (int64_t)st->st_ino,
		.changed_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
	};
}

static bool
is_untouched(const struct pp_pool_file *f, const struct stat *st)
{
	const struct pp_pool_copy copy = pp_pool_copy_of(st);

	return f->copy.inode != 0 && copy.inode == f->copy.inode &&
	       copy.changed_ns == f->copy.changed_ns && S_ISREG(st->st_mode) &&
	       (uint64_t)st->st_size == f->size;
}

/* As add left it: nobody has to read it, nor to set its mode. */
static bool
is_as_left(plugpkg_repo *repo, const struct pp_pool_file *f)
{
	PP_AUTO_FREE char *path = pp_pool_staged_path(f->sha256);
	struct stat st;

	return fstatat(repo->dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_untouched(f, &st) &&
	       (st.st_mode & ALLPERMS) == POOL_MODE;
}

/* 1 when the file is what was staged, 0 when it is not. */
static int
is_staged(int fd, const struct pp_pool_file *f)
{
	struct stat st;
	char sha256[65];
	uint64_t bytes = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (is_untouched(f, &st))
		return 1;
	int r = pp_sha256_fd(fd, sha256, &bytes);
	return r < 0 ? r : bytes == f->size && strcmp(sha256, f->sha256) == 0;
}

/* The staged archive, open; NOT what was staged when its bytes are others. */
static enum plugpkg_code
open_staged(plugpkg_repo *repo, const struct pp_pool_file *f, int *out_fd, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_pool_staged_path(f->sha256);
	PP_AUTO_FD int fd =
	    pp_open_beneath(repo->dir_fd, path, O_RDONLY | O_NONBLOCK, 0, PP_NO_SYMLINKS);

	int r = fd < 0 ? fd : is_staged(fd, f);
	if (r < 0 && r != -ENOENT)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", path);
	if (r == 1) {
		*out_fd = pp_fd_steal(&fd);
		return PLUGPKG_OK;
	}
	pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "the archive of %s %s is %s", f->name, f->version,
	    r < 0 ? "neither staged nor in the pool" : "not what was staged");
	return pp_hint(err, PLUGPKG_E_BAD_STATE, "add it once more");
}

/* public/ may be another file system than staged/: then a rename becomes a copy. */
static int
copy_in(int from, int dir_fd, const char *name)
{
	int r = lseek(from, 0, SEEK_SET) < 0 ? -errno : pp_rm_rf_at(dir_fd, TEMP_NAME);
	if (r < 0)
		return r;
	PP_AUTO_FD int to = pp_openat_create(dir_fd, TEMP_NAME, O_WRONLY | O_EXCL, POOL_MODE);
	if (to < 0)
		return -errno;
	r = pp_fd_copy(from, to, NULL);
	if (r == 0 && pp_fchmod(to, POOL_MODE) < 0)
		r = -errno;
	if (r == 0)
		r = pp_fd_commit(&to);
	if (r == 0 && pp_renameat(dir_fd, TEMP_NAME, dir_fd, name) < 0)
		r = -errno;
	if (r < 0)
		PP_IGNORE(pp_rm_rf_at(dir_fd, TEMP_NAME)); /* the first failure is what counts */
	return r;
}

/* fd: the staged archive, open for reading; -1: it is as add left it, and is only renamed. */
static int
move_in(plugpkg_repo *repo, const struct pp_pool_file *f, int fd, const char *dir)
{
	PP_AUTO_FREE char *from = pp_pool_staged_path(f->sha256);
	PP_AUTO_FREE char *name = pp_asprintf("%s.plug", f->sha256);

	int r = pp_mkdirs_at(repo->public_fd, dir, 0755);
	PP_AUTO_FD int dir_fd = r < 0 ? r
				      : pp_open_beneath(repo->public_fd, dir,
					    O_RDONLY | O_DIRECTORY, 0, PP_FOLLOW_INSIDE);
	if (dir_fd < 0)
		return dir_fd;
	if (fd >= 0 && pp_fchmod(fd, POOL_MODE) < 0)
		return -errno;
	if (pp_renameat(repo->dir_fd, from, dir_fd, name) < 0)
		r = errno == EXDEV && fd >= 0 ? copy_in(fd, dir_fd, name) : -errno;
	return r; /* its name becomes durable with all others, before the timestamp */
}

enum plugpkg_code
pp_pool_place(plugpkg_repo *repo, const struct pp_pool_file *f, plugpkg_error **err)
{
	return pp_pool_has(repo, f) ? PLUGPKG_OK : pp_pool_replace(repo, f, err);
}

enum plugpkg_code
pp_pool_replace(plugpkg_repo *repo, const struct pp_pool_file *f, plugpkg_error **err)
{
	PP_AUTO_FREE char *dir = pool_dir(f);
	PP_AUTO_FD int fd = -1;

	bool is_left = is_as_left(repo, f);
	int r = is_left ? move_in(repo, f, -1, dir) : 0;
	if (!is_left || r == -EXDEV) {
		enum plugpkg_code rc = open_staged(repo, f, &fd, err);
		if (rc != PLUGPKG_OK)
			return rc;
		r = move_in(repo, f, fd, dir);
	}
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r,
		    "cannot put the archive of %s %s into 'public/%s'", f->name, f->version, dir);
	return PLUGPKG_OK;
}
