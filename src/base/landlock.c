/* SPDX-License-Identifier: MIT */
/* The system calls of Landlock: their numbers and bits, which older headers do not have. */
#include "base/landlock.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same on every architecture. */
#define NR_CREATE_RULESET 444
#define NR_ADD_RULE       445
#define NR_RESTRICT_SELF  446

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH      1
#define RULE_NET_PORT          2
#define ABI_FIRST_REFER        2
#define ABI_FIRST_IOCTL_DEV    5
/* landlock(7), "Filesystem actions" */
#define FS_EXECUTE      (1U << 0)
#define FS_WRITE_FILE   (1U << 1)
#define FS_READ_FILE    (1U << 2)
#define FS_READ_DIR     (1U << 3)
#define FS_REMOVE_DIR   (1U << 4)
#define FS_REMOVE_FILE  (1U << 5)
#define FS_MAKE_CHAR    (1U << 6)
#define FS_MAKE_DIR     (1U << 7)
#define FS_MAKE_REG     (1U << 8)
#define FS_MAKE_SOCK    (1U << 9)
#define FS_MAKE_FIFO    (1U << 10)
#define FS_MAKE_BLOCK   (1U << 11)
#define FS_MAKE_SYM     (1U << 12)
#define FS_REFER        (1U << 13)
#define FS_TRUNCATE     (1U << 14)
#define FS_IOCTL_DEV    (1U << 15)
#define NET_BIND_TCP    (1U << 0)
#define NET_CONNECT_TCP (1U << 1)
#define SCOPE_ABSTRACT  (1U << 0)
#define SCOPE_SIGNAL    (1U << 1)

#define READS (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)
#define WRITES                                                                                     \
	(FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG |              \
	    FS_MAKE_SOCK | FS_MAKE_FIFO | FS_MAKE_SYM | FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV)
#define NEVER_GRANTED (FS_MAKE_CHAR | FS_MAKE_BLOCK)
/* All else is about what stands in a directory. */
#define OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

int
pp_landlock_abi(void)
{
	/* For tests of what an older kernel, or none, would do. */
	const char *most = secure_getenv("PLUGPKG_LANDLOCK_ABI");
	long abi = syscall(NR_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);

	if (most != NULL && *most >= '0' && *most <= '9' && most[1] == '\0' && abi > *most - '0')
		abi = *most - '0';
	return abi < 0 ? 0 : (int)abi;
}

static uint64_t
fs_known(int abi)
{
	uint64_t known = ~0ULL;

	if (abi < ABI_FIRST_REFER)
		known &= ~(uint64_t)FS_REFER;
	if (abi < PP_LANDLOCK_ABI_TRUNCATE)
		known &= ~(uint64_t)FS_TRUNCATE;
	if (abi < ABI_FIRST_IOCTL_DEV)
		known &= ~(uint64_t)FS_IOCTL_DEV;
	return known;
}

static uint64_t
fs_bits(unsigned rights)
{
	return ((rights & PP_LANDLOCK_READ) != 0 ? READS : 0U) |
	       ((rights & PP_LANDLOCK_WRITE) != 0 ? WRITES : 0U);
}

int
pp_landlock_new(unsigned taken, int *out_fd)
{
	int abi = pp_landlock_abi();
	struct ruleset_attr attr = { .fs = fs_bits(taken) };
	size_t size = sizeof(attr.fs);

	if (abi == 0)
		return -ENOSYS;
	if ((taken & PP_LANDLOCK_WRITE) != 0)
		attr.fs |= NEVER_GRANTED;
	attr.fs &= fs_known(abi);
	if (abi >= PP_LANDLOCK_ABI_TCP) {
		size = sizeof(attr.fs) + sizeof(attr.net);
		attr.net = (taken & PP_LANDLOCK_TCP) != 0 ? NET_BIND_TCP | NET_CONNECT_TCP : 0;
	}
	if (abi >= PP_LANDLOCK_ABI_SCOPE) {
		size = sizeof(attr);
		attr.scoped = (taken & PP_LANDLOCK_SCOPE) != 0 ? SCOPE_ABSTRACT | SCOPE_SIGNAL : 0;
	}
	if (attr.fs == 0 && attr.net == 0 && attr.scoped == 0)
		return -ENOSYS; /* nothing of it is known here */
	long fd = syscall(NR_CREATE_RULESET, &attr, size, 0);
	if (fd < 0)
		return -errno;
	*out_fd = (int)fd; /* closes with exec by itself */
	return 0;
}

int
pp_landlock_grant(int set_fd, int path_fd, unsigned rights)
{
	struct {
		uint64_t fs;
		int32_t fd;
	} PP_PACKED attr = { .fs = fs_bits(rights) & fs_known(pp_landlock_abi()), .fd = path_fd };
	struct stat st;

	if (fstat(path_fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		attr.fs &= OF_FILES;
	return syscall(NR_ADD_RULE, set_fd, RULE_PATH_BENEATH, &attr, 0) < 0 ? -errno : 0;
}

int
pp_landlock_grant_path(int set_fd, const char *path, unsigned rights)
{
	PP_AUTO_FD int fd = openat(AT_FDCWD, path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return pp_landlock_grant(set_fd, fd, rights);
}

int
pp_landlock_grant_port(int set_fd, unsigned port)
{
	const struct {
		uint64_t net, port;
	} attr = { .net = NET_CONNECT_TCP, .port = port };

	if (pp_landlock_abi() < PP_LANDLOCK_ABI_TCP)
		return 0; /* no port was taken away */
	return syscall(NR_ADD_RULE, set_fd, RULE_NET_PORT, &attr, 0) < 0 ? -errno : 0;
}

int
pp_landlock_enter(int set_fd)
{
	return syscall(NR_RESTRICT_SELF, set_fd, 0) < 0 ? -errno : 0;
}
