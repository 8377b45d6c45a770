/* SPDX-License-Identifier: MIT */
/* The calls that change the disk, with a place to die before each of them. */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifdef PP_FAILPOINTS
#define MOST_OPEN 256

static const struct {
	const char *name;
	int errnum;
} ways[] = {
	{ "EACCES", EACCES }, { "EINTR", EINTR }, { "EIO", EIO }, { "EMFILE", EMFILE },
	{ "ENOMEM", ENOMEM }, { "ENOSPC", ENOSPC },
	{ "SHORT", 0 }, /* half of what was to be written is, and said to be */
};

static int
errno_named(const char *name)
{
	for (size_t i = 0; i < PP_LEN(ways); i++)
		if (strcmp(name, ways[i].name) == 0)
			return ways[i].errnum;
	return EIO;
}

/* ---- descriptors that are open at the end and were not at the beginning ---- */

static bool was_open[MOST_OPEN];

PP_AT_START static void
look_at_open(void)
{
	bool is_asked = secure_getenv("PLUGPKG_LEFT_OPEN") != NULL;

	for (int fd = 0; is_asked && fd < MOST_OPEN; fd++)
		was_open[fd] = fcntl(fd, F_GETFD) >= 0;
}

PP_AT_END static void
tell_left_open(void)
{
	const char *file = secure_getenv("PLUGPKG_LEFT_OPEN");
	bool is_open[MOST_OPEN];

	if (file == NULL)
		return;
	for (int fd = 0; fd < MOST_OPEN; fd++)
		is_open[fd] = !was_open[fd] && fcntl(fd, F_GETFD) >= 0;
	int out = openat(AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	for (int fd = 0; out >= 0 && fd < MOST_OPEN; fd++) {
		char link[64], target[256];
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t n = is_open[fd] ? readlinkat(AT_FDCWD, link, target, sizeof(target)) : -1;
		if (n >= 0)
			dprintf(out, "%d %.*s\n", fd, (int)n, target);
	}
	if (out >= 0)
		(void)close(out);
}

/* ---- points ---- */

/* A byte for each: how many points an undisturbed run has. */
static void
count_point(void)
{
	const char *file = secure_getenv("PLUGPKG_COUNT_POINTS");
	int fd = file == NULL
		     ? -1
		     : openat(AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	(void)!write(fd, ".", 1);
	(void)close(fd);
}

static atomic_long n_changes;

static void
crash_if(const char *variable, long n)
{
	const char *crash = secure_getenv(variable);

	if (crash != NULL && n == strtol(crash, NULL, 10))
		kill(getpid(), SIGKILL);
}

/* "N:ERRNO", "N+:ERRNO": what the change is to fail with, 0 for SHORT; -1: it is not. */
static int
asked_to_fail(long n)
{
	const char *fail = secure_getenv("PLUGPKG_FAIL_AT");
	char *end = NULL;
	long first = fail == NULL ? 0 : strtol(fail, &end, 10);
	bool goes_on = fail != NULL && *end == '+';

	if (fail == NULL || n < first || (n > first && !goes_on) || end[goes_on] != ':')
		return -1;
	return errno_named(end + 1 + goes_on);
}

static int
next_point(void)
{
	long n = atomic_fetch_add(&n_changes, 1) + 1;

	count_point();
	crash_if("PLUGPKG_CRASH_AT", n);
	return asked_to_fail(n);
}

int
pp_failpoint(void)
{
	int errnum = next_point();

	if (errnum <= 0)
		return 0;
	errno = errnum;
	return -1;
}

void
pp_failpoint_passed(void)
{
	crash_if("PLUGPKG_CRASH_AFTER", atomic_load(&n_changes));
}

/* Pipes change no disk; what a child writes to its parent would be numbered twice. */
static int
next_write(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? next_point() : -1;
}

static bool
cannot_exchange(void)
{
	return secure_getenv("PLUGPKG_NO_EXCHANGE") != NULL;
}
#else
static int
next_write(int fd)
{
	(void)fd;
	return -1;
}

int
pp_failpoint(void)
{
	return 0;
}

static bool
cannot_exchange(void)
{
	return false;
}

void
pp_failpoint_passed(void)
{
}
#endif

static int
passed(int result)
{
	int saved = errno;

	pp_failpoint_passed();
	errno = saved;
	return result;
}

/* What fails has come to its half before, but for who was interrupted before he began. */
static size_t
share(size_t n, int errnum)
{
	if (errnum == EINTR)
		return 0;
	return errnum < 0 ? n : errnum > 0 ? n / 2 : n - n / 2;
}

static ssize_t
written(ssize_t n, int errnum)
{
	int saved = errnum > 0 ? errnum : errno;

	pp_failpoint_passed();
	errno = saved;
	return errnum > 0 ? -1 : n;
}

ssize_t
pp_write(int fd, const void *p, size_t n)
{
	int errnum = next_write(fd);

	return written(write(fd, p, share(n, errnum)), errnum);
}

ssize_t
pp_pwrite(int fd, const void *p, size_t n, off_t at)
{
	int errnum = next_write(fd);

	return written(pwrite(fd, p, share(n, errnum), at), errnum);
}

int
pp_unlinkat(int dirfd, const char *name, int flags)
{
	return pp_failpoint() < 0 ? -1 : passed(unlinkat(dirfd, name, flags));
}

int
pp_renameat(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	return pp_failpoint() < 0 ? -1 : passed(renameat(from_dirfd, from, to_dirfd, to));
}

int
pp_rename_exchange(int a_dirfd, const char *a, int b_dirfd, const char *b)
{
	if (pp_failpoint() < 0)
		return -1;
	if (!cannot_exchange())
		return passed(renameat2(a_dirfd, a, b_dirfd, b, RENAME_EXCHANGE));
	errno = EINVAL;
	return -1;
}

int
pp_linkat(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	return pp_failpoint() < 0 ? -1 : passed(linkat(from_dirfd, from, to_dirfd, to, 0));
}

int
pp_symlinkat(const char *target, int dirfd, const char *name)
{
	return pp_failpoint() < 0 ? -1 : passed(symlinkat(target, dirfd, name));
}

int
pp_mkdirat(int dirfd, const char *name, mode_t mode)
{
	return pp_failpoint() < 0 ? -1 : passed(mkdirat(dirfd, name, mode));
}

int
pp_openat_create(int dirfd, const char *name, int flags, mode_t mode)
{
	return pp_failpoint() < 0 ? -1
				  : passed(openat(dirfd, name, flags | O_CREAT | O_CLOEXEC, mode));
}

int
pp_fsync(int fd)
{
	return pp_failpoint() < 0 ? -1 : passed(fsync(fd));
}

int
pp_syncfs(int fd)
{
	return pp_failpoint() < 0 ? -1 : passed(syncfs(fd));
}

int
pp_fchmod(int fd, mode_t mode)
{
	return pp_failpoint() < 0 ? -1 : passed(fchmod(fd, mode));
}

int
pp_fchmodat(int dirfd, const char *name, mode_t mode)
{
	return pp_failpoint() < 0 ? -1 : passed(fchmodat(dirfd, name, mode, 0));
}

int
pp_fchownat(int dirfd, const char *name, uid_t uid, gid_t gid, int flags)
{
	return pp_failpoint() < 0 ? -1 : passed(fchownat(dirfd, name, uid, gid, flags));
}

int
pp_mknodat(int dirfd, const char *name, mode_t mode, dev_t dev)
{
	return pp_failpoint() < 0 ? -1 : passed(mknodat(dirfd, name, mode, dev));
}

int
pp_fsetxattr(int fd, const char *name, const void *value, size_t size)
{
	return pp_failpoint() < 0 ? -1 : passed(fsetxattr(fd, name, value, size, 0));
}

int
pp_fremovexattr(int fd, const char *name)
{
	return pp_failpoint() < 0 ? -1 : passed(fremovexattr(fd, name));
}
