/* SPDX-License-Identifier: MIT */
/*
 * Copies of data directories. Other than the store they hold whatever a plugin made of them: huge
 * files with holes, second names, pipes. Blocks are shared where the file system can do that.
 */
#include "lib/store/snapshot.h"

#include "base/fd.h"
#include "base/map.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/store/data_attrs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX   256
#define CHUNK_BYTES (128 * 1024)

struct copying {
	plugpkg_context *ctx;
	int root_fd;          /* of the copy */
	struct pp_map inodes; /* "DEV INO" of files with several names -> the first, in the copy */
	struct pp_buf path;   /* of what is being copied */
	struct pp_data_attrs *attrs;
	char *buffer;
};

static int
copy_range(struct copying *c, int from, int to, off_t at, off_t end)
{
	while (at < end) {
		size_t want = end - at < CHUNK_BYTES ? (size_t)(end - at) : CHUNK_BYTES;
		ssize_t n = pread(from, c->buffer, want, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0; /* it became shorter meanwhile */
		for (ssize_t done = 0; done < n;) {
			ssize_t k = pp_pwrite(to, c->buffer + done, (size_t)(n - done), at + done);
			if (k < 0 && errno != EINTR)
				return -errno;
			done += k < 0 ? 0 : k;
		}
		at += n;
	}
	return 0;
}

/* Holes stay holes. */
static int
copy_bytes(struct copying *c, int from, int to, off_t size)
{
	int r = 0;

	if (pp_failpoint() < 0)
		return -errno;
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	for (off_t at = 0; r == 0 && at < size;) {
		off_t data = lseek(from, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		off_t hole = data < 0 ? size : lseek(from, data, SEEK_HOLE);
		if (data < 0)
			data = at; /* a file system that knows no holes */
		if (hole < 0)
			hole = size;
		r = copy_range(c, from, to, data, hole);
		at = hole;
	}
	return r == 0 && ftruncate(to, size) < 0 ? -errno : r;
}

/* Of what cannot be opened, or only at a price: links, pipes, devices. */
static int
copy_marks_at(int dir, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (geteuid() == 0 &&
	    pp_fchownat(dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/*
 * Owner first: to change it takes set-user-ID bits and capabilities away. Attributes before the
 * mode, which may forbid to write them.
 */
static int
copy_marks(struct copying *c, int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (geteuid() == 0 && pp_fchownat(to, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) < 0)
		return -errno;
	int r = pp_data_attrs_copy(c->attrs, from, to, pp_buf_cstr(&c->path));
	if (r < 0)
		return r;
	if (pp_fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	return futimens(to, times) < 0 ? -errno : 0;
}

static int
copy_file(struct copying *c, int from_dir, int to_dir, const char *name, const struct stat *st)
{
	PP_AUTO_FREE char *inode = pp_asprintf(
	    "%llu %llu", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
	const char *first = st->st_nlink > 1 ? pp_map_get(&c->inodes, inode) : NULL;

	if (first != NULL)
		return pp_linkat(c->root_fd, first, to_dir, name) < 0 ? -errno : 0;
	PP_AUTO_FD int from =
	    openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return -errno;
	PP_AUTO_FD int to =
	    pp_openat_create(to_dir, name, O_WRONLY | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	if (st->st_nlink > 1)
		*pp_map_put(&c->inodes, inode) = pp_xstrdup(pp_buf_cstr(&c->path));
	int r = copy_bytes(c, from, to, st->st_size);
	return r < 0 ? r : copy_marks(c, from, to, st);
}

static int
copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(65536);
	int r = pp_readlink_at(from_dir, name, &target);

	if (r < 0)
		return r;
	if (pp_symlinkat(pp_buf_cstr(&target), to_dir, name) < 0)
		return -errno;
	return copy_marks_at(to_dir, name, st);
}

/* Pipes, sockets, devices. */
static int
copy_special(struct copying *c, int to_dir, const char *name, const struct stat *st)
{
	if (pp_mknodat(to_dir, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0) {
		if (errno != EPERM)
			return -errno;
		pp_warn(c->ctx, NULL, "'%s' is a device and not part of the snapshot",
		    pp_buf_cstr(&c->path));
		return 0;
	}
	int r = copy_marks_at(to_dir, name, st);
	return r == 0 && pp_fchmodat(to_dir, name, st->st_mode & 07777) < 0 ? -errno : r;
}

static int copy_directory(struct copying *c, int from, int to, unsigned depth);

static int
copy_entry(struct copying *c, int from_dir, int to_dir, const char *name, unsigned depth)
{
	struct stat st;

	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno; /* gone meanwhile */
	if (S_ISREG(st.st_mode))
		return copy_file(c, from_dir, to_dir, name, &st);
	if (S_ISLNK(st.st_mode))
		return copy_link(from_dir, to_dir, name, &st);
	if (!S_ISDIR(st.st_mode))
		return copy_special(c, to_dir, name, &st);
	if (depth == DEPTH_MAX)
		return -ELOOP;
	if (pp_mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	PP_AUTO_FD int from = pp_opendir_at(from_dir, name);
	PP_AUTO_FD int to = from < 0 ? from : pp_opendir_at(to_dir, name);
	return to < 0 ? to : copy_directory(c, from, to, depth + 1);
}

static int
copy_directory(struct copying *c, int from, int to, unsigned depth)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	struct stat st;
	int r = pp_list_dir(from, ".", &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		size_t n = c->path.n;
		pp_buf_addf(&c->path, "%s%s", n > 0 ? "/" : "", names.at[i]);
		if (c->path.overflow)
			return -ENAMETOOLONG;
		r = copy_entry(c, from, to, names.at[i], depth);
		if (r == 0)
			pp_buf_cut(&c->path, n);
	}
	if (r == 0 && fstat(from, &st) < 0)
		r = -errno;
	return r == 0 ? copy_marks(c, from, to, &st) : r;
}

int
pp_data_copy(plugpkg_context *ctx, int from_fd, int to_fd, char **out_where)
{
	struct copying c = {
		.ctx = ctx,
		.root_fd = to_fd,
		.path = PP_BUF_INIT(65536),
		.attrs = pp_data_attrs_new(),
		.buffer = pp_xcalloc(1, CHUNK_BYTES),
	};
	int r = copy_directory(&c, from_fd, to_fd, 0);

	pp_data_attrs_tell(c.attrs, ctx);
	pp_data_attrs_free(c.attrs);
	*out_where = pp_buf_steal(&c.path);
	pp_map_fini(&c.inodes, free);
	free(c.buffer);
	return r;
}

/* ---- how much ---- */

/* Links are not followed. */
static int
look_at(int dir, const char *name, struct statx *out)
{
	return statx(dir, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		   STATX_BASIC_STATS | STATX_MNT_ID, out) < 0
		   ? -errno
		   : 0;
}

/*
 * A mount of the same file system counts, too, where the kernel tells mounts apart. Files of an
 * overlay have the device of their layer; its directories have its own.
 */
static bool
is_same_mount(const struct statx *st, const struct statx *top)
{
	bool has_id = (st->stx_mask & top->stx_mask & STATX_MNT_ID) != 0;

	if (has_id && (st->stx_mnt_id != top->stx_mnt_id || !S_ISDIR(st->stx_mode)))
		return st->stx_mnt_id == top->stx_mnt_id;
	return st->stx_dev_major == top->stx_dev_major && st->stx_dev_minor == top->stx_dev_minor;
}

static int
add_bytes(int dir, const struct statx *top, uint64_t *sum, unsigned depth)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	struct statx st;
	int r = pp_list_dir(dir, ".", &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		if (look_at(dir, names.at[i], &st) < 0)
			continue;
		if (!is_same_mount(&st, top))
			return -EXDEV;
		*sum += st.stx_blocks * 512 / (S_ISREG(st.stx_mode) ? st.stx_nlink : 1);
		if (!S_ISDIR(st.stx_mode))
			continue;
		PP_AUTO_FD int fd = depth == DEPTH_MAX ? -ELOOP : pp_opendir_at(dir, names.at[i]);
		r = fd < 0 ? fd : add_bytes(fd, top, sum, depth + 1);
	}
	return r;
}

int
pp_data_bytes(int fd, int root_fd, uint64_t *out)
{
	struct statx st, top;
	int r = look_at(root_fd, "", &top);

	if (r == 0)
		r = look_at(fd, "", &st);
	if (r == 0 && !is_same_mount(&st, &top))
		r = -EXDEV;
	if (r < 0 || out == NULL)
		return r;
	*out = 0;
	return add_bytes(fd, &top, out, 0);
}
