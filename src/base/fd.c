/* SPDX-License-Identifier: MIT */
/* Whole reads and writes over descriptors. */
#include "base/fd.h"

#include "base/sys.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK_BYTES (64 * 1024)

void
pp_auto_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd); /* abandoned: nothing to save, nobody to tell */
	*fd = -1;
	errno = saved;
}

void
pp_fd_unlock(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)flock(*fd, LOCK_UN); /* closing does it too, where nobody was forked */
	errno = saved;
	pp_auto_fd(fd);
}

int
pp_fd_steal(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int
pp_fd_close_row(int first, int last)
{
#ifdef SYS_close_range
	return syscall(SYS_close_range, first, last, 0) < 0 ? -errno : 0;
#else
	(void)first;
	(void)last;
	return -ENOSYS;
#endif
}

/* n bytes came of the `want` that were asked for: is that all of a file of this size? */
static bool
is_end(const struct pp_buf *out, size_t n, size_t want, uint64_t size)
{
	return n == 0 || (n < want && size > 0 && out->n == size);
}

int
pp_fd_read_all(int fd, struct pp_buf *out)
{
	return pp_fd_read_file(fd, 0, out);
}

int
pp_fd_read_file(int fd, uint64_t size, struct pp_buf *out)
{
	for (;;) {
		size_t room = out->limit - out->n;
		char extra = 0;
		/* With no room left one more byte decides between "just fits" and "too large". */
		size_t want = room == 0 ? 1 : room < CHUNK_BYTES ? room : CHUNK_BYTES;
		char *to = room == 0 ? &extra : pp_buf_reserve(out, want);
		ssize_t n = read(fd, to, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n > 0 && room == 0) {
			out->overflow = true;
			return -EFBIG;
		}
		if (n > 0)
			pp_buf_grew(out, (size_t)n);
		if (is_end(out, (size_t)n, want, size))
			return 0;
	}
}

int
pp_fd_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = pp_write(fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int
pp_fd_copy(int from, int to, uint64_t *out_bytes)
{
	char chunk[CHUNK_BYTES];
	uint64_t total = 0;

	for (;;) {
		ssize_t n = read(from, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		int r = pp_fd_write_all(to, chunk, (size_t)n);
		if (r < 0)
			return r;
		total += (uint64_t)n;
	}
	if (out_bytes != NULL)
		*out_bytes = total;
	return 0;
}

int
pp_fd_commit(int *fd)
{
	int r = pp_fsync(*fd) < 0 ? -errno : 0;
	int c = close(pp_fd_steal(fd)) < 0 ? -errno : 0;

	return r < 0 ? r : c;
}
