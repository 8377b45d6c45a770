/* SPDX-License-Identifier: MIT */
/*
 * Files of the cache. Nothing here is trusted for lying in the right place: who opens a file gets
 * it verified. Nothing is synced either: what a crash damages is noticed and fetched again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/net/cache.h"
#include "lib/trust/crypto.h"

#define MAX_RACES 8

/* 0, -EBADMSG when size or digest differ, -errno. Leaves the offset at the start. */
static int
verify(int fd, const char *sha256, uint64_t size)
{
	struct stat st;
	uint64_t n = 0;
	char got[65];

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		return -EBADMSG;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	int r = pp_sha256_fd(fd, got, &n);
	if (r < 0)
		return r;
	if (n != size || strcmp(got, sha256) != 0)
		return -EBADMSG;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int
drop(int cache_fd, const char *sha256)
{
	int r = pp_rm_rf_at(cache_fd, sha256);

	return r < 0 ? r : -ENOENT;
}

int
pp_cache_open(int cache_fd, const char *sha256, uint64_t size)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	PP_AUTO_FD int fd = openat(cache_fd, sha256, flags);

	if (fd < 0 && errno != ELOOP)
		return -errno;
	int r = fd < 0 ? -EBADMSG : verify(fd, sha256, size);
	if (r == 0)
		return pp_fd_steal(&fd);
	return r == -EBADMSG ? drop(cache_fd, sha256) : r;
}

int
pp_cache_open_unread(int cache_fd, const char *sha256, uint64_t size)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	PP_AUTO_FD int fd = openat(cache_fd, sha256, flags);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? -ENOENT : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) && (uint64_t)st.st_size == size ? pp_fd_steal(&fd) : -ENOENT;
}

int
pp_cache_read_piece(int fd, uint64_t offset, size_t n, struct pp_buf *out)
{
	pp_buf_clear(out);
	while (out->n < n) {
		char *room = pp_buf_reserve(out, n - out->n);
		if (room == NULL)
			return -EFBIG;
		ssize_t got = pread(fd, room, n - out->n, (off_t)(offset + out->n));
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return -EBADMSG;
		pp_buf_grew(out, got > 0 ? (size_t)got : 0);
	}
	return 0;
}

int
pp_cache_read(int cache_fd, const char *sha256, size_t size, struct pp_buf *out)
{
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(size);
	int r = pp_read_file_at(cache_fd, sha256, &bytes);
	char got[65];

	if (r == -EFBIG || r == -ELOOP || r == -EISDIR || r == -EINVAL)
		return drop(cache_fd, sha256);
	if (r < 0)
		return r;
	pp_sha256_hex(pp_buf_cstr(&bytes), bytes.n, got);
	if (bytes.n != size || strcmp(got, sha256) != 0)
		return drop(cache_fd, sha256);
	if (out->n > 0 || out->limit < bytes.n) {
		pp_buf_add(out, pp_buf_cstr(&bytes), bytes.n);
		return out->overflow ? -EFBIG : 0;
	}
	/* Shards are large: into an empty buffer they are moved, not copied. */
	struct pp_buf empty = PP_BUF_INIT(out->limit);
	pp_buf_fini(out);
	*out = bytes;
	out->limit = empty.limit;
	bytes = empty;
	return 0;
}

/* Is the locked file still the one of that name? The lock's last owner may have moved it away. */
static bool
has_name(int cache_fd, int fd, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(cache_fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino && S_ISREG(a.st_mode);
}

static int
open_named(int cache_fd, struct pp_part *out)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK;

	for (int i = 0; i < MAX_RACES; i++) {
		PP_AUTO_FD int fd = pp_openat_create(cache_fd, out->name, flags, 0600);

		if (fd < 0 && errno != ELOOP && errno != EISDIR)
			return -errno;
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
			return -errno;
		if (fd >= 0 && has_name(cache_fd, fd, out->name)) {
			out->fd = pp_fd_steal(&fd);
			return 0;
		}
		/* A link or a device was planted: gone, and once more. */
		if (fd < 0 && pp_unlinkat(cache_fd, out->name, 0) < 0 && errno != ENOENT)
			return -errno;
	}
	return -EBUSY;
}

int
pp_part_open(int cache_fd, const char *sha256, struct pp_part *out)
{
	snprintf(out->name, sizeof(out->name), "%s.part", sha256);
	int r = open_named(cache_fd, out);
	if (r != -EWOULDBLOCK)
		return r;
	/* Somebody else fetches the same file: each its own, the later rename wins. */
	snprintf(out->name, sizeof(out->name), "%s.%ld.part", sha256, (long)getpid());
	return open_named(cache_fd, out);
}

int
pp_part_size(const struct pp_part *part, uint64_t *out)
{
	struct stat st;

	if (fstat(part->fd, &st) < 0)
		return -errno;
	*out = (uint64_t)st.st_size;
	return 0;
}

int
pp_part_truncate(const struct pp_part *part)
{
	return ftruncate(part->fd, 0) < 0 ? -errno : 0;
}

int
pp_part_finish(int cache_fd, struct pp_part *part, const char *sha256, uint64_t size)
{
	int r = verify(part->fd, sha256, size);

	if (r < 0)
		return r;
	/* Verified: whoever may read the root may ask it, as they may read the store. */
	if (pp_fchmod(part->fd, 0644) < 0)
		return -errno;
	if (pp_renameat(cache_fd, part->name, cache_fd, sha256) < 0)
		return -errno;
	pp_auto_fd(&part->fd);
	return 0;
}

void
pp_part_close(int cache_fd, struct pp_part *part, bool is_kept)
{
	uint64_t size = 0;

	if (part->fd < 0)
		return;
	if (!is_kept || pp_part_size(part, &size) < 0 || size == 0)
		PP_IGNORE(pp_unlinkat(cache_fd, part->name, 0)); /* a leftover costs only space */
	pp_auto_fd(&part->fd);
}
