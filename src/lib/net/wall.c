/* SPDX-License-Identifier: MIT */
/*
 * The wall of plugpkg-fetch: it reads what resolving names and checking certificates take, writes
 * nothing but the pipes it is given, and starts nobody. Which calls a resolver makes is decided by
 * the modules of nsswitch.conf, so calls are denied by name rather than allowed: all that start,
 * trace or become something else, change the system, or wait for others to connect.
 */
#include "lib/net/wall.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/wall.h"

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
make_landlock(int *out_fd)
{
	const char *const trusted[] = { secure_getenv("SSL_CERT_FILE"),
		secure_getenv("SSL_CERT_DIR") };
	PP_AUTO_FD int fd = -1;
	int r = pp_landlock_new(PP_LANDLOCK_READ | PP_LANDLOCK_WRITE | PP_LANDLOCK_SCOPE, &fd);

	for (size_t i = 0; r == 0 && i < PP_LEN(readable); i++)
		r = pp_landlock_grant_path(fd, readable[i], PP_LANDLOCK_READ);
	for (size_t i = 0; r == 0 && i < PP_LEN(trusted); i++)
		if (trusted[i] != NULL)
			r = pp_landlock_grant_path(fd, trusted[i], PP_LANDLOCK_READ);
	if (r == 0)
		*out_fd = pp_fd_steal(&fd);
	return r;
}

/* -ENOSYS of a part is an old kernel: the other part stands, and `plugpkg check` tells. */
int
pp_net_wall_send(int sock)
{
	static const struct pp_filter_spec spec = { 0, rules, PP_LEN(rules) };
	PP_AUTO_FD int landlock_fd = -1;
	PP_AUTO_FD int filter_fd = -1;
	int r = PP_IS_WATCHED_BUILD ? -ENOSYS : make_landlock(&landlock_fd);

	if (!PP_IS_WATCHED_BUILD && (r == 0 || r == -ENOSYS))
		r = pp_filter_export(&spec, &filter_fd);
	return r == 0 || r == -ENOSYS ? pp_wall_send(sock, landlock_fd, filter_fd) : r;
}
