/* SPDX-License-Identifier: MIT */
/* The calls that change the disk, with a place to die before each of them. */
#include "base/sys.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef PP_FAILPOINTS
void
pp_failpoint(void)
{
	static atomic_long n_changes;
	const char *at = secure_getenv("PLUGPKG_CRASH_AT");

	if (at != NULL && atomic_fetch_add(&n_changes, 1) + 1 == strtol(at, NULL, 10))
		kill(getpid(), SIGKILL);
}
#else
void
pp_failpoint(void)
{
}
#endif

int
pp_unlinkat(int dirfd, const char *name, int flags)
{
	pp_failpoint();
	return unlinkat(dirfd, name, flags);
}

int
pp_renameat(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	pp_failpoint();
	return renameat(from_dirfd, from, to_dirfd, to);
}

int
pp_symlinkat(const char *target, int dirfd, const char *name)
{
	pp_failpoint();
	return symlinkat(target, dirfd, name);
}

int
pp_mkdirat(int dirfd, const char *name, mode_t mode)
{
	pp_failpoint();
	return mkdirat(dirfd, name, mode);
}

int
pp_openat_create(int dirfd, const char *name, int flags, mode_t mode)
{
	pp_failpoint();
	return openat(dirfd, name, flags | O_CREAT | O_CLOEXEC, mode);
}

int
pp_fsync(int fd)
{
	pp_failpoint();
	return fsync(fd);
}

int
pp_syncfs(int fd)
{
	pp_failpoint();
	return syncfs(fd);
}

int
pp_fchmod(int fd, mode_t mode)
{
	pp_failpoint();
	return fchmod(fd, mode);
}
