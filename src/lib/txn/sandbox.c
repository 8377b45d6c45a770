/* SPDX-License-Identifier: MIT */
/*
 * Scripts of plugins read what their user may read, and write to their own data, their temporary
 * directory and what the application grants. The network is the business of a filter of system
 * calls, since Landlock knows TCP only: there is no socket but Unix ones. All is made here, before
 * the fork; the child only enters.
 */
#include "lib/txn/sandbox.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/temp.h"
#include "lib/txn/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- system calls ---- */

#define DENY(name)                                                                                 \
	{                                                                                          \
		.call = (name), .errnum = EPERM                                                    \
	}
/*
 * What changes the system, or leads around Landlock and the rules of sockets. The clock, names and
 * logs of the kernel are root's: what only reads by these calls (ntpq, dmesg) is no work of a
 * plugin. unshare() and clone() into new namespaces stay, for programs that bring a sandbox of
 * their own: root gains nothing there, since what mounts is denied, to root of a namespace too;
 * namespaces that are there already cannot be entered. A name that libseccomp does not know is
 * passed over.
 */
#define DENIED_ALWAYS                                                                              \
	DENY("acct"), DENY("add_key"), DENY("adjtimex"), DENY("bpf"), DENY("chroot"),              \
	    DENY("clock_adjtime"), DENY("clock_adjtime64"), DENY("clock_settime"),                 \
	    DENY("clock_settime64"), DENY("delete_module"), DENY("fanotify_init"),                 \
	    DENY("finit_module"), DENY("fsconfig"), DENY("fsmount"), DENY("fsopen"),               \
	    DENY("fspick"), DENY("init_module"), DENY("io_uring_enter"),                           \
	    DENY("io_uring_register"), DENY("io_uring_setup"), DENY("ioperm"), DENY("iopl"),       \
	    DENY("kexec_file_load"), DENY("kexec_load"), DENY("keyctl"), DENY("lookup_dcookie"),   \
	    DENY("mount"), DENY("mount_setattr"), DENY("move_mount"), DENY("open_by_handle_at"),   \
	    DENY("open_tree"), DENY("open_tree_attr"), DENY("perf_event_open"),                    \
	    DENY("pidfd_getfd"), DENY("pivot_root"), DENY("quotactl"), DENY("quotactl_fd"),        \
	    DENY("reboot"), DENY("request_key"), DENY("setdomainname"), DENY("sethostname"),       \
	    DENY("setns"), DENY("settimeofday"), DENY("stime"), DENY("swapoff"), DENY("swapon"),   \
	    DENY("syslog"), DENY("umount"), DENY("umount2"), DENY("userfaultfd"), DENY("vhangup")
static const struct pp_filter_rule with_network[] = { DENIED_ALWAYS };
static const struct pp_filter_rule without_network[] = {
	DENIED_ALWAYS,
	{ "socket", EACCES, 1, { { 0, PP_FILTER_NE, AF_UNIX, 0 } } },
};
#define NO_FAMILY(family)                                                                          \
	{                                                                                          \
		"socket", EACCES, 1,                                                               \
		{                                                                                  \
			{                                                                          \
				0, PP_FILTER_EQ, (family), 0                                       \
			}                                                                          \
		}                                                                                  \
	}
#define NO_TYPE(family, type)                                                                      \
	{                                                                                          \
		"socket", EACCES, 2,                                                               \
		{                                                                                  \
			{ 0, PP_FILTER_EQ, (family), 0 },                                          \
			{                                                                          \
				1, PP_FILTER_MASKED, (type), 0xf                                   \
			}                                                                          \
		}                                                                                  \
	}
#define NO_OTHER_PROTOCOL(family)                                                                  \
	{                                                                                          \
		"socket", EACCES, 2,                                                               \
		{                                                                                  \
			{ 0, PP_FILTER_EQ, (family), 0 },                                          \
			{                                                                          \
				2, PP_FILTER_GT, 6, 0                                              \
			}                                                                          \
		}                                                                                  \
	}
#define TCP_ONLY(family)                                                                           \
	NO_TYPE(family, SOCK_DGRAM), NO_TYPE(family, SOCK_RAW), NO_TYPE(family, SOCK_RDM),         \
	    NO_TYPE(family, SOCK_SEQPACKET), NO_TYPE(family, SOCK_DCCP),                           \
	    NO_TYPE(family, SOCK_PACKET), NO_OTHER_PROTOCOL(family)
/* Which ports is Landlock's business. */
static const struct pp_filter_rule with_ports[] = {
	DENIED_ALWAYS,
	NO_FAMILY(0),
	NO_FAMILY(3),
	NO_FAMILY(4),
	NO_FAMILY(5),
	NO_FAMILY(6),
	NO_FAMILY(7),
	NO_FAMILY(8),
	NO_FAMILY(9),
	{ "socket", EACCES, 1, { { 0, PP_FILTER_GT, AF_INET6, 0 } } },
	TCP_ONLY(AF_INET),
	TCP_ONLY(AF_INET6),
};

static int
make_filter(bool has_network, bool has_ports, struct pp_filter **out)
{
	const struct pp_filter_spec all = { 0, with_network, PP_LEN(with_network) };
	const struct pp_filter_spec none = { 0, without_network, PP_LEN(without_network) };
	const struct pp_filter_spec ports = { 0, with_ports, PP_LEN(with_ports) };

	return pp_filter_new(has_network ? &all : has_ports ? &ports : &none, out);
}

/* ---- files ---- */

static const char *const devices[] = {
	"/dev/full",
	"/dev/null",
	"/dev/random",
	"/dev/tty",
	"/dev/urandom",
	"/dev/zero",
};

static int
grant(const plugpkg_context *ctx, int set_fd, const char *path)
{
	PP_AUTO_FREE char *full =
	    *path == '/' ? pp_xstrdup(path) : pp_asprintf("%s/%s", ctx->root, path);

	return pp_landlock_grant_path(set_fd, full, PP_LANDLOCK_WRITE);
}

/* Whoever runs plugpkg may grant more than the application does. */
static int
grant_list(const plugpkg_context *ctx, int set_fd, const char *list)
{
	struct pp_str rest = pp_str_of(list), part;
	int r = 0;

	while (r == 0 && pp_str_cut(&rest, ':', &part)) {
		PP_AUTO_FREE char *path = pp_xstrndup(part.p, part.n);
		if (*path == '/')
			r = grant(ctx, set_fd, path);
	}
	return r;
}

static int
make_landlock(plugpkg_context *ctx, const char *data, bool has_network, struct pp_sandbox *s)
{
	const struct pp_sandbox_rules *rules = &ctx->config->sandbox;
	const char *more = secure_getenv("PLUGPKG_WRITABLE");
	int fd = -1;
	int r = pp_landlock_new(
	    PP_LANDLOCK_WRITE | PP_LANDLOCK_SCOPE | (has_network ? 0U : (unsigned)PP_LANDLOCK_TCP),
	    &fd);

	if (r < 0)
		return r;
	s->wall.landlock_fd = fd;
	for (size_t i = 0; r == 0 && i < PP_LEN(devices); i++)
		r = grant(ctx, fd, devices[i]);
	if (r == 0)
		r = grant(ctx, fd, data);
	if (r == 0)
		r = grant(ctx, fd, s->temp);
	for (size_t i = 0; r == 0 && i < rules->writable.n; i++)
		r = grant(ctx, fd, rules->writable.at[i]);
	if (r == 0 && more != NULL)
		r = grant_list(ctx, fd, more);
	for (size_t i = 0; r == 0 && !has_network && i < rules->ports.n; i++)
		r = pp_landlock_grant_port(fd, rules->ports.at[i]);
	return r;
}

/* ---- the temporary directory ---- */

#define TEMP_PREFIX "plugpkg-"

static bool
is_temp(const char *path)
{
	const char *slash = strrchr(path, '/');

	return path[0] == '/' && strncmp(slash + 1, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0 &&
	       strlen(slash + 1) == strlen(TEMP_PREFIX) + PP_TEMP_DIGITS;
}

void
pp_sandbox_clear(const char *temp)
{
	struct stat st;

	/* The file that names it may be anybody's: nothing but what only we can have made. */
	if (!is_temp(temp) || fstatat(AT_FDCWD, temp, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode) || (st.st_mode & 0777) != 0700 || st.st_uid != geteuid())
		return;
	PP_IGNORE(pp_rm_rf_at(AT_FDCWD, temp)); /* left to whoever tidies up there */
}

/* Noted before it is there: whenever we are killed, the next plugpkg knows of it. */
static int
make_noted(char *path, void *user)
{
	plugpkg_context *ctx = user;

	ctx->script_temp = path;
	pp_lock_note_script(ctx, 0);
	if (pp_mkdirat(AT_FDCWD, path, 0700) < 0) {
		int r = -errno;
		ctx->script_temp = NULL;
		return r;
	}
	return 0;
}

/* Here a TMPDIR of no use would be met in the middle of a transaction, and again by its undo. */
static enum plugpkg_code
make_temp(plugpkg_context *ctx, struct pp_sandbox *s, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = NULL;
	int r = pp_temp_make(TEMP_PREFIX, make_noted, ctx, &path);

	if (r < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -r, "cannot make a temporary directory in %s", path);
	s->ctx = ctx;
	s->temp = pp_steal(&path);
	return PLUGPKG_OK;
}

/* ---- together ---- */

static const char *
lack_of_landlock(int abi)
{
	if (abi == 0)
		return "the kernel has no Landlock, or it is switched off: scripts can write, and "
		       "helpers read and write, wherever their user can";
	if (abi < PP_LANDLOCK_ABI_TRUNCATE)
		return "the kernel's Landlock is older than Linux 6.2: scripts can truncate files "
		       "that their user can write";
	if (abi < PP_LANDLOCK_ABI_TCP)
		return "the kernel's Landlock is older than Linux 6.7: where ports are granted, "
		       "scripts can connect to any port";
	if (abi < PP_LANDLOCK_ABI_SCOPE)
		return "the kernel's Landlock is older than Linux 6.12: scripts and helpers can "
		       "send signals to other processes of their user";
	return NULL;
}

static const char *
lack_of_filter(int abi)
{
	if (pp_filter_is_there())
		return NULL;
	if (abi < PP_LANDLOCK_ABI_TCP)
		return "there is no filter of system calls (seccomp): scripts can reach the "
		       "network, and helpers make any call";
	return "there is no filter of system calls (seccomp): scripts can reach the network but "
	       "for TCP, and helpers make any call";
}

size_t
pp_sandbox_lacks(const plugpkg_context *ctx, struct pp_lack out[PP_LACKS_MAX])
{
	int abi = pp_landlock_abi();
	const char *landlock = lack_of_landlock(abi), *filter = lack_of_filter(abi);
	size_t n = 0;

	if (ctx->is_sandbox_off || ctx->config->sandbox.is_off)
		out[n++] = (struct pp_lack){ "sandbox",
			ctx->is_sandbox_off ? "scripts of plugins run without a sandbox, as "
					      "--no-sandbox asks"
					    : "scripts of plugins run without a sandbox, as "
					      "\"sandbox\" of plugpkg.json asks" };
	if (landlock != NULL)
		out[n++] = (struct pp_lack){ "landlock", landlock };
	if (filter != NULL)
		out[n++] = (struct pp_lack){ "seccomp", filter };
	return n;
}

void
pp_sandbox_warn(plugpkg_context *ctx)
{
	struct pp_lack lacks[PP_LACKS_MAX];

	if (ctx->is_sandbox_told)
		return;
	ctx->is_sandbox_told = true;
	size_t n = pp_sandbox_lacks(ctx, lacks);
	for (size_t i = 0; i < n; i++)
		pp_warn(ctx, NULL, "%s", lacks[i].text);
}

enum plugpkg_code
pp_sandbox_make(plugpkg_context *ctx, const char *data, bool has_network, struct pp_sandbox *out,
    plugpkg_error **err)
{
	enum plugpkg_code rc = make_temp(ctx, out, err);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_sandbox_warn(ctx);
	if (ctx->is_sandbox_off || ctx->config->sandbox.is_off)
		return PLUGPKG_OK;
	int r = make_landlock(ctx, data, has_network, out);
	if (r == 0 || r == -ENOSYS)
		r = make_filter(has_network, ctx->config->sandbox.ports.n > 0, &out->wall.filter);
	if (r < 0 && r != -ENOSYS)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make the sandbox of scripts");
	out->is_on = true;
	return PLUGPKG_OK;
}

void
pp_sandbox_fini(struct pp_sandbox *s)
{
	pp_wall_fini(&s->wall);
	if (s->temp == NULL)
		return;
	PP_IGNORE(pp_rm_rf_at(AT_FDCWD, s->temp)); /* left to whoever tidies up there */
	s->ctx->script_temp = NULL;
	pp_lock_note_script(s->ctx, 0);
	free(s->temp);
	s->temp = NULL;
}
