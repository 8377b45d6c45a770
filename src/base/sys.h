/* SPDX-License-Identifier: MIT */
/*
 * Every call that changes the disk goes through here. In a build with --enable-failpoints,
 * PLUGPKG_CRASH_AT=N kills the process just before the N-th of them, PLUGPKG_CRASH_AFTER=N just
 * after it, and PLUGPKG_FAIL_AT=N:ERRNO (EACCES, EINTR, EIO, EMFILE, ENOMEM, ENOSPC; SHORT: only
 * half is written) lets it fail instead; with N+ it and all that come after it.
 * PLUGPKG_COUNT_POINTS=FILE gets a byte for each, PLUGPKG_LEFT_OPEN=FILE a line for each descriptor
 * that nobody closed; PLUGPKG_NO_EXCHANGE stands for a file system that has no RENAME_EXCHANGE.
 * Returns and errno as the plain call.
 */
#ifndef PP_BASE_SYS_H
#define PP_BASE_SYS_H

#include "base/compiler.h"

#include <sys/types.h>

ssize_t pp_write(int fd, const void *p, size_t n) PP_MUSTUSE;
ssize_t pp_pwrite(int fd, const void *p, size_t n, off_t at) PP_MUSTUSE;
int pp_unlinkat(int dirfd, const char *name, int flags) PP_MUSTUSE;
int pp_renameat(int from_dirfd, const char *from, int to_dirfd, const char *to) PP_MUSTUSE;
int pp_rename_exchange(int a_dirfd, const char *a, int b_dirfd, const char *b) PP_MUSTUSE;
int pp_linkat(int from_dirfd, const char *from, int to_dirfd, const char *to) PP_MUSTUSE;
int pp_symlinkat(const char *target, int dirfd, const char *name) PP_MUSTUSE;
int pp_mkdirat(int dirfd, const char *name, mode_t mode) PP_MUSTUSE;
int pp_openat_create(int dirfd, const char *name, int flags, mode_t mode) PP_MUSTUSE;
int pp_fsync(int fd) PP_MUSTUSE;
int pp_syncfs(int fd) PP_MUSTUSE;
int pp_fchmod(int fd, mode_t mode) PP_MUSTUSE;
int pp_fchmodat(int dirfd, const char *name, mode_t mode) PP_MUSTUSE;
int pp_fchownat(int dirfd, const char *name, uid_t uid, gid_t gid, int flags) PP_MUSTUSE;
int pp_mknodat(int dirfd, const char *name, mode_t mode, dev_t dev) PP_MUSTUSE;
int pp_fsetxattr(int fd, const char *name, const void *value, size_t size) PP_MUSTUSE;
int pp_fremovexattr(int fd, const char *name) PP_MUSTUSE;
/*
 * For changes that are no system call of ours, as a database commit or the start of a script: -1
 * and errno when it is to fail.
 */
int pp_failpoint(void);
/* Says that the change of the last pp_failpoint() has happened. */
void pp_failpoint_passed(void);

#endif
