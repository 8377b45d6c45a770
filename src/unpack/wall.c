/* SPDX-License-Identifier: MIT */
/*
 * The wall of plugpkg-unpack: the calls that reading a tar and making its files take, and no file
 * system but one directory. What libarchive may ask for beside that (time zones, character sets) is
 * refused, and it does without.
 */
#include "unpack/wall.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/resource.h>

#define MEMORY_MAX_BYTES (1UL << 30) /* a zstd window is at most 128 MiB */
#define DESCRIPTORS_MAX  64

#define ALLOW(name)                                                                                \
	{                                                                                          \
		.call = (name)                                                                     \
	}
static const struct pp_filter_rule rules[] = {
	/* descriptors that are there */
	ALLOW("close"),
	ALLOW("close_range"),
	ALLOW("copy_file_range"),
	ALLOW("dup"),
	ALLOW("fcntl"),
	ALLOW("fcntl64"),
	ALLOW("fstat"),
	ALLOW("fstat64"),
	ALLOW("_llseek"),
	ALLOW("lseek"),
	ALLOW("poll"),
	ALLOW("ppoll"),
	ALLOW("pread64"),
	ALLOW("pwrite64"),
	ALLOW("read"),
	ALLOW("readv"),
	ALLOW("recvmsg"),
	ALLOW("sendmsg"),
	ALLOW("write"),
	ALLOW("writev"),
	/* files below the directory */
	ALLOW("fallocate"),
	ALLOW("fdatasync"),
	ALLOW("fstatat64"),
	ALLOW("fsync"),
	ALLOW("ftruncate"),
	ALLOW("ftruncate64"),
	ALLOW("getdents64"),
	ALLOW("mkdirat"),
	ALLOW("newfstatat"),
	ALLOW("openat"),
	ALLOW("openat2"),
	ALLOW("readlinkat"),
	ALLOW("statx"),
	ALLOW("symlinkat"),
	ALLOW("unlinkat"),
	/* memory */
	ALLOW("brk"),
	ALLOW("madvise"),
	ALLOW("mmap"),
	ALLOW("mmap2"),
	ALLOW("mprotect"),
	ALLOW("mremap"),
	ALLOW("munmap"),
	/* the process itself */
	ALLOW("clock_gettime"),
	ALLOW("clock_gettime64"),
	ALLOW("exit"),
	ALLOW("exit_group"),
	ALLOW("futex"),
	ALLOW("futex_time64"),
	ALLOW("getegid"),
	ALLOW("geteuid"),
	ALLOW("getgid"),
	ALLOW("getpid"),
	ALLOW("getrandom"),
	ALLOW("gettid"),
	ALLOW("gettimeofday"),
	ALLOW("getuid"),
	ALLOW("restart_syscall"),
	ALLOW("rt_sigaction"),
	ALLOW("rt_sigprocmask"),
	ALLOW("rt_sigreturn"),
	ALLOW("sched_getaffinity"),
	ALLOW("sched_yield"),
	ALLOW("sigreturn"),
	ALLOW("tgkill"), /* abort(); other processes are out of reach of signals */
	/* Its own limits: how large a file of the next archive may be, how long it may take. */
	{ "prlimit64", 0, 1, { { 0, PP_FILTER_EQ, 0, 0 } } },
	ALLOW("setrlimit"),
};

int
pp_unpack_wall_begin(void)
{
	if (PP_IS_WATCHED_BUILD)
		return pp_wall_begin();
	int r = pp_wall_begin();
	if (r == 0)
		r = pp_wall_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
	if (r == 0)
		r = pp_wall_limit(RLIMIT_NPROC, 0);
	return r == 0 ? pp_wall_limit(RLIMIT_AS, MEMORY_MAX_BYTES) : r;
}

/* -ENOSYS of a part is an old kernel: the other parts stand, and `plugpkg check` tells. */
int
pp_unpack_wall_enter(enum pp_wall_work work, int dir_fd)
{
	static const struct pp_filter_spec spec = { ENOSYS, rules, PP_LEN(rules) };
	PP_CLEANUP(pp_wall_fini) struct pp_wall wall = PP_WALL_INIT;
	bool packs = work == PP_WALL_PACK;

	if (PP_IS_WATCHED_BUILD)
		return 0;
	/* Root packs what belongs to others, and what it unpacks is its own. */
	int r = pp_wall_drop_capabilities(packs ? CAP_DAC_READ_SEARCH : -1);
	if (r < 0)
		return r;
	r = pp_landlock_new(
	    PP_LANDLOCK_READ | PP_LANDLOCK_WRITE | PP_LANDLOCK_TCP | PP_LANDLOCK_SCOPE,
	    &wall.landlock_fd);
	if (r == 0)
		r = pp_landlock_grant(
		    wall.landlock_fd, dir_fd, packs ? PP_LANDLOCK_READ : PP_LANDLOCK_WRITE);
	if (r == 0 || r == -ENOSYS)
		r = pp_filter_new(&spec, &wall.filter);
	return r == 0 || r == -ENOSYS ? pp_wall_enter(&wall) : r;
}
