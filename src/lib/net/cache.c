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
#include "base/time.h"
#include "lib/net/cache.h"
#include "lib/trust/crypto.h"

#define MAX_RACES   8
#define READ_BYTES  (128 * 1024)
#define USE_GRAIN_S 60

/* One file in one state: its ctime moves with every change and cannot be set. */
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

/* ---- names ---- */

#define DIGITS    64
#define SIG       ".sig"
#define SIG_CHARS (2 * DIGITS + 1 + sizeof(SIG) - 1)

static bool
is_digits(const char *p)
{
	return strspn(p, "0123456789abcdef") >= DIGITS;
}

bool
pp_cache_is_signature(const char *name)
{
	return strlen(name) == SIG_CHARS && is_digits(name) && name[DIGITS] == '.' &&
	       is_digits(name + DIGITS + 1) && strcmp(name + SIG_CHARS - strlen(SIG), SIG) == 0;
}

bool
pp_cache_is_whole(const char *name)
{
	return (strlen(name) == DIGITS && is_digits(name)) || pp_cache_is_signature(name);
}

char *
pp_cache_signature_name(const char *sha256, const char *key_id)
{
	return pp_asprintf("%s.%s" SIG, sha256, key_id);
}

/* ---- what was verified ---- */

static struct stamp
stamp_of(const struct stat *st)
{
	/* Member by member into zeroed memory: it is compared with memcmp(). */
	struct stamp s;

	memset(&s, 0, sizeof(s));
	s.dev = st->st_dev;
	s.ino = st->st_ino;
	s.size = st->st_size;
	s.changed.tv_sec = st->st_ctim.tv_sec;
	s.changed.tv_nsec = st->st_ctim.tv_nsec;
	return s;
}

static bool
is_known(pp_verified *known, const char *sha256, const struct stat *st)
{
	const struct stamp *was = known != NULL ? pp_map_get(known, sha256) : NULL;
	struct stamp now = stamp_of(st);

	return was != NULL && memcmp(was, &now, sizeof(now)) == 0;
}

static void
remember(pp_verified *known, const char *sha256, int fd)
{
	struct stat st;

	if (known == NULL || fstat(fd, &st) < 0)
		return;
	void **place = pp_map_put(known, sha256);
	if (*place == NULL)
		*place = pp_xmalloc(sizeof(struct stamp));
	struct stamp now = stamp_of(&st);
	memcpy(*place, &now, sizeof(now));
}

/*
 * The time of last use, for who makes room: its mtime, because many systems keep no atime. Others'
 * files and read-only disks keep the old one.
 */
static void
touch(int fd, bool is_look, struct stat *st)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_NOW } };

	/* Its ctime is part of what is remembered of a verified file. */
	if (!is_look && st->st_mtime + USE_GRAIN_S < pp_time_now() && futimens(fd, times) == 0)
		(void)fstat(fd, st);
}

/* 0, -EBADMSG when size or digest differ, -errno. Leaves the offset at the start. */
static int
verify(int fd, bool is_look, const char *sha256, uint64_t size, pp_verified *known)
{
	struct stat st;
	uint64_t n = 0;
	char got[65];

	if (fstat(fd, &st) < 0)
		return -errno;
	touch(fd, is_look, &st);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		return -EBADMSG;
	if (is_known(known, sha256, &st))
		return 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	int r = pp_sha256_fd(fd, got, &n);
	if (r < 0)
		return r;
	if (n != size || strcmp(got, sha256) != 0)
		return -EBADMSG;
	remember(known, sha256, fd);
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int
drop(struct pp_cache cache, const char *sha256)
{
	int r = cache.is_look ? 0 : pp_rm_rf_at(cache.fd, sha256);

	return r < 0 ? r : -ENOENT;
}

int
pp_cache_open(struct pp_cache cache, const char *sha256, uint64_t size, pp_verified *known)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	PP_AUTO_FD int fd = openat(cache.fd, sha256, flags);

	if (fd < 0 && errno != ELOOP)
		return -errno;
	int r = fd < 0 ? -EBADMSG : verify(fd, cache.is_look, sha256, size, known);
	if (r == 0)
		return pp_fd_steal(&fd);
	return r == -EBADMSG ? drop(cache, sha256) : r;
}

int
pp_cache_open_unread(struct pp_cache cache, const char *sha256, uint64_t size)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	PP_AUTO_FD int fd = openat(cache.fd, sha256, flags);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? -ENOENT : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	touch(fd, cache.is_look, &st);
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

/*
 * Reads it with as few calls as can be: what it is and how large, the digest tells. One byte more
 * than it should have is asked for, so that a read that brings no more has come to the end.
 */
static int
read_whole(int cache_fd, const char *sha256, size_t size, struct pp_buf *out)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	PP_AUTO_FD int fd = openat(cache_fd, sha256, flags);

	if (fd < 0)
		return -errno;
	while (out->n < size) {
		char *room = pp_buf_reserve(out, size + 1 - out->n);
		if (room == NULL)
			return -EFBIG;
		ssize_t got = read(fd, room, size + 1 - out->n);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		pp_buf_grew(out, got > 0 ? (size_t)got : 0);
	}
	return 0;
}

int
pp_cache_read(struct pp_cache cache, const char *sha256, size_t size, struct pp_buf *out)
{
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(size + 1);
	int r = read_whole(cache.fd, sha256, size, &bytes);
	char got[65];

	if (r == -EFBIG || r == -ELOOP || r == -EISDIR || r == -EINVAL || r == -EAGAIN)
		return drop(cache, sha256);
	if (r < 0)
		return r;
	pp_sha256_hex(pp_buf_cstr(&bytes), bytes.n, got);
	if (bytes.n != size || strcmp(got, sha256) != 0)
		return drop(cache, sha256);
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

int
pp_cache_put(int cache_fd, const char *sha256, struct pp_str bytes)
{
	const int flags = O_WRONLY | O_EXCL | O_NOFOLLOW;
	PP_AUTO_FD int fd = pp_openat_create(cache_fd, sha256, flags, 0644);

	if (fd < 0 && errno == EEXIST && pp_rm_rf_at(cache_fd, sha256) == 0)
		fd = pp_openat_create(cache_fd, sha256, flags, 0644);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno; /* somebody else brings the same bytes */
	int r = pp_fd_write_all(fd, bytes.p, bytes.n);
	if (r == 0 && pp_fchmod(fd, 0644) < 0)
		r = -errno;
	if (r < 0)
		PP_IGNORE(pp_unlinkat(cache_fd, sha256, 0)); /* else who reads it finds it cut */
	return r;
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

/* Takes what is there into the digest; 0 or -errno. */
static int
take_up(struct pp_part *part)
{
	PP_AUTO_FREE char *chunk = NULL;
	struct stat st;

	if (fstat(part->fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > part->max)
		return ftruncate(part->fd, 0) < 0 ? -errno : 0;
	if (st.st_size > 0)
		chunk = pp_xmalloc(READ_BYTES);
	while (part->n < (uint64_t)st.st_size) {
		ssize_t got = pread(part->fd, chunk, READ_BYTES, (off_t)part->n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		pp_sha256_add(part->digest, chunk, (size_t)got);
		part->n += (uint64_t)got;
	}
	return 0;
}

int
pp_part_open(int cache_fd, const char *sha256, uint64_t size, struct pp_part *out)
{
	snprintf(out->name, sizeof(out->name), "%s.part", sha256);
	int r = open_named(cache_fd, out);
	if (r == -EWOULDBLOCK) {
		/* Somebody else fetches the same file: each its own, the later rename wins. */
		snprintf(out->name, sizeof(out->name), "%s.%ld.part", sha256, (long)getpid());
		r = open_named(cache_fd, out);
	}
	if (r < 0)
		return r;
	out->n = 0;
	out->max = size;
	out->digest = pp_sha256_new();
	return take_up(out);
}

static void
drop_digest(struct pp_part *part)
{
	char ignored[65];

	if (part->digest != NULL)
		pp_sha256_end(part->digest, ignored);
	part->digest = NULL;
}

void
pp_part_hold(uint64_t size, struct pp_part *out)
{
	*out =
	    (struct pp_part){ .fd = -1, .max = size, .is_held = true, .held = { .limit = size } };
}

bool
pp_part_is_open(const struct pp_part *part)
{
	return part->fd >= 0 || part->is_held;
}

int
pp_part_begin(struct pp_part *part, uint64_t n)
{
	if (part->is_held) {
		pp_buf_clear(&part->held);
		part->n = 0;
		return n == 0 ? 0 : -EBADMSG;
	}
	if (n == part->n && part->digest != NULL)
		return 0;
	if (n != 0)
		return -EBADMSG;
	drop_digest(part);
	part->digest = pp_sha256_new();
	if (part->n == 0)
		return 0; /* nothing is there: pp_part_open() counts what is */
	part->n = 0;
	return ftruncate(part->fd, 0) < 0 ? -errno : 0;
}

int
pp_part_add(struct pp_part *part, const char *p, size_t n)
{
	if (n > part->max - part->n)
		return -EFBIG;
	if (part->is_held) {
		pp_buf_add(&part->held, p, n);
		part->n += n;
		return 0;
	}
	pp_sha256_add(part->digest, p, n);
	while (n > 0) {
		ssize_t w = pp_pwrite(part->fd, p, n, (off_t)part->n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0) {
			/* The digest is ahead of the file now: whoever goes on begins again. */
			int r = -errno;
			drop_digest(part);
			return r;
		}
		p += w;
		n -= (size_t)w;
		part->n += (uint64_t)w;
	}
	return 0;
}

int
pp_part_copy(struct pp_part *part, int from)
{
	PP_AUTO_FREE char *chunk = pp_xmalloc(READ_BYTES);
	int r = pp_part_begin(part, 0);

	while (r == 0) {
		ssize_t got = pread(from, chunk, READ_BYTES, (off_t)part->n);

		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			r = pp_part_add(part, chunk, (size_t)got);
	}
	return r == -EFBIG ? -EBADMSG : r;
}

/* Verified: whoever may read the root may read it, as they may read the store. */
static int
move(int cache_fd, const struct pp_part *part, const char *name)
{
	if (pp_fchmod(part->fd, 0644) < 0)
		return -errno;
	return pp_renameat(cache_fd, part->name, cache_fd, name) < 0 ? -errno : 0;
}

int
pp_part_finish(int cache_fd, struct pp_part *part, const char *sha256, pp_verified *known)
{
	char got[65];

	if (part->n != part->max || part->digest == NULL)
		return -EBADMSG;
	pp_sha256_end(part->digest, got);
	part->digest = NULL;
	if (strcmp(got, sha256) != 0)
		return -EBADMSG;
	int r = move(cache_fd, part, sha256);
	if (r < 0)
		return r;
	remember(known, sha256, part->fd);
	pp_auto_fd(&part->fd);
	return 0;
}

int
pp_part_take(struct pp_part *part, const char *sha256, struct pp_buf *out)
{
	char got[65];

	if (part->n != part->max)
		return -EBADMSG;
	pp_sha256_hex(part->held.s, part->held.n, got);
	if (strcmp(got, sha256) != 0)
		return -EBADMSG;
	*out = part->held;
	part->held = (struct pp_buf){ 0 };
	part->is_held = false;
	return 0;
}

int
pp_part_keep(int cache_fd, struct pp_part *part, const char *name)
{
	int r = move(cache_fd, part, name);

	if (r == 0)
		pp_part_close(cache_fd, part, true);
	return r;
}

void
pp_part_close(int cache_fd, struct pp_part *part, bool is_kept)
{
	drop_digest(part);
	pp_buf_fini(&part->held);
	part->is_held = false;
	if (part->fd < 0)
		return;
	if (!is_kept || part->n == 0)
		PP_IGNORE(pp_unlinkat(cache_fd, part->name, 0)); /* a leftover costs only space */
	pp_fd_unlock(&part->fd);
}
