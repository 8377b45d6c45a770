/* SPDX-License-Identifier: MIT */
/*
 * The wall of plugpkg-fetch: it reads what resolving names and checking certificates take, writes
 * nothing but the pipes it is given, and starts nobody. Which calls a resolver makes is decided by
 * the modules of nsswitch.conf, so calls are denied by name rather than allowed: all that start,
 * trace or become something else, change the system, or wait for others to connect.
 */
#include "wall.h"

#include "base/str.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 1024
/* Stacks and arenas of a resolver's thread for each transfer, buffers, certificates. */
#define DATA_MAX_BYTES (4UL << 30)
#ifdef __s390__
#define CLONE_FLAGS_AT 1
#else
#define CLONE_FLAGS_AT 0
#endif

#define DENY(name)                                                                                 \
	{                                                                                          \
		.call = (name), .errnum = EPERM                                                    \
	}
static const struct pp_filter_rule rules[] = {
	/* Threads only. The C library asks by clone() where there is no clone3(). */
	{ "clone", EPERM, 1, { { CLONE_FLAGS_AT, PP_FILTER_MASKED, 0, CLONE_THREAD } } },
	{ "clone3", ENOSYS, 0, { { 0 } } },
	/* Unix sockets lead to name services, netlink knows which kinds of addresses there are. */
	{ "socket", EPERM, 1, { { 0, PP_FILTER_EQ, AF_UNSPEC, 0 } } },
	{ "socket", EPERM, 1, { { 0, PP_FILTER_GT, AF_NETLINK, 0 } } },
	{ "socket", EPERM, 1, { { 1, PP_FILTER_MASKED, SOCK_PACKET, 0xf } } },
	DENY("accept"),
	DENY("accept4"),
	DENY("acct"),
	DENY("add_key"),
	DENY("bpf"),
	DENY("chroot"),
	DENY("delete_module"),
	DENY("execve"),
	DENY("execveat"),
	DENY("fanotify_init"),
	DENY("finit_module"),
	DENY("fork"),
	DENY("fsconfig"),
	DENY("fsmount"),
	DENY("fsopen"),
	DENY("init_module"),
	DENY("io_uring_enter"),
	DENY("io_uring_register"),
	DENY("io_uring_setup"),
	DENY("ioperm"),
	DENY("iopl"),
	DENY("kcmp"),
	DENY("kexec_file_load"),
	DENY("kexec_load"),
	DENY("keyctl"),
	DENY("listen"),
	DENY("lookup_dcookie"),
	DENY("memfd_secret"),
	DENY("mount"),
	DENY("mount_setattr"),
	DENY("move_mount"),
	DENY("name_to_handle_at"),
	DENY("open_by_handle_at"),
	DENY("open_tree"),
	DENY("perf_event_open"),
	DENY("personality"),
	DENY("pidfd_getfd"),
	DENY("pidfd_open"),
	DENY("pidfd_send_signal"),
	DENY("pivot_root"),
	DENY("process_madvise"),
	DENY("process_vm_readv"),
	DENY("process_vm_writev"),
	DENY("ptrace"),
	DENY("quotactl"),
	DENY("reboot"),
	DENY("request_key"),
	DENY("setdomainname"),
	DENY("setgid"),
	DENY("setgroups"),
	DENY("sethostname"),
	DENY("setns"),
	DENY("setregid"),
	DENY("setresgid"),
	DENY("setresuid"),
	DENY("setreuid"),
	DENY("setuid"),
	DENY("swapoff"),
	DENY("swapon"),
	DENY("syslog"),
	DENY("umount2"),
	DENY("unshare"),
	DENY("userfaultfd"),
	DENY("vfork"),
	DENY("vmsplice"),
};

/* Directories stand for all below them; what is missing is passed over. */
static const char *const readable[] = {
	"/dev/random",
	"/dev/urandom",
	"/etc/ca-certificates",
	"/etc/crypto-policies",
	"/etc/gai.conf",
	"/etc/gnutls",
	"/etc/host.conf",
	"/etc/hostname",
	"/etc/hosts",
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	"/etc/localtime",
	"/etc/nsswitch.conf",
	"/etc/pki",
	"/etc/protocols",
	"/etc/resolv.conf",
	"/etc/services",
	"/etc/ssl",
	"/lib",
	"/lib64",
	"/proc/sys",
	"/run/NetworkManager",
	"/run/nscd",
	"/run/resolvconf",
	"/run/systemd/resolve",
	"/sys/devices/system/cpu",
	"/usr",
};

static int
grant_all(int set_fd, const struct trust_store *trust)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < PP_LEN(readable); i++)
		r = pp_landlock_grant_path(set_fd, readable[i], PP_LANDLOCK_READ);
	if (r == 0 && trust->file != NULL)
		r = pp_landlock_grant_path(set_fd, trust->file, PP_LANDLOCK_READ);
	if (r == 0 && trust->dir != NULL)
		r = pp_landlock_grant_path(set_fd, trust->dir, PP_LANDLOCK_READ);
	return r;
}

int
fetch_become(const char *ids)
{
	const char *colon = strchr(ids, ':');
	uint64_t uid, gid;

	if (colon == NULL ||
	    pp_parse_u64((struct pp_str){ ids, (size_t)(colon - ids) }, UINT32_MAX - 1, &uid) < 0 ||
	    pp_parse_u64(pp_str_of(colon + 1), UINT32_MAX - 1, &gid) < 0)
		return -EINVAL;
	if (setgroups(0, NULL) < 0 || setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) < 0 ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
		return -errno;
	/* The kernel forgets it of whom becomes another. */
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

static int
set_limits(void)
{
	int r = pp_wall_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);

	if (r == 0)
		r = pp_wall_limit(RLIMIT_DATA, DATA_MAX_BYTES);
	return r == 0 ? pp_wall_limit(RLIMIT_FSIZE, 0) : r;
}

int
fetch_wall_enter(const struct trust_store *trust)
{
	static const struct pp_filter_spec spec = { 0, rules, PP_LEN(rules) };
	PP_CLEANUP(pp_wall_fini) struct pp_wall wall = PP_WALL_INIT;
	int r = pp_wall_begin();

	if (r < 0 || PP_IS_WATCHED_BUILD)
		return r;
	r = pp_wall_drop_capabilities(-1);
	if (r == 0) {
		r = pp_landlock_new(
		    PP_LANDLOCK_READ | PP_LANDLOCK_WRITE | PP_LANDLOCK_SCOPE, &wall.landlock_fd);
		if (r == 0)
			r = grant_all(wall.landlock_fd, trust);
	}
	if (r == 0 || r == -ENOSYS)
		r = pp_filter_new(&spec, &wall.filter);
	if (r == 0 || r == -ENOSYS)
		r = set_limits(); /* now: the filter was made by way of a file */
	return r == 0 || r == -ENOSYS ? pp_wall_enter(&wall) : r;
}
