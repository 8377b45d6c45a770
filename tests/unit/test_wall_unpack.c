/* SPDX-License-Identifier: MIT */
/*
 * The archive helper, taken over by what it reads: each case is a process behind the helper's own
 * wall that tries what an attacker would try first.
 */
#include "tap.h"
#include "wall_child.h"

#include "base/fd.h"
#include "base/path.h"
/* The wall itself, whose tables are the helper's own. */
#include "unpack/wall.c"

#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct attack {
	enum pp_wall_work work;
	int dir_fd;
	int (*act)(const struct attack *a);
	const char *path;
};

static int
failed(long r)
{
	return r < 0 ? errno : 0;
}

static int
go(void *user)
{
	const struct attack *a = user;

	if (pp_unpack_wall_begin() < 0 || pp_unpack_wall_enter(a->work, a->dir_fd) < 0)
		return 255;
	return a->act(a);
}

struct scratch {
	char path[32];
	int fd;
};
#define SCRATCH                                                                                    \
	{                                                                                          \
		.path = "/tmp/pp-wall-XXXXXX", .fd = -1                                            \
	}

static void
scratch_make(struct scratch *s)
{
	if (mkdtemp(s->path) != NULL)
		s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(s->fd >= 0);
}

static void
scratch_fini(struct scratch *s)
{
	pp_auto_fd(&s->fd);
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, s->path), 0);
}

static int
makes_a_file(const struct attack *a)
{
	return failed(openat(a->dir_fd, a->path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
}

static int
makes_a_directory_and_a_link(const struct attack *a)
{
	if (mkdirat(a->dir_fd, "below", 0755) < 0 || symlinkat("x", a->dir_fd, "below/link") < 0)
		return errno;
	return failed(openat(a->dir_fd, "below/file", O_WRONLY | O_CREAT | O_EXCL, 0644));
}

static int
reads(const struct attack *a)
{
	return failed(openat(a->dir_fd, a->path, O_RDONLY));
}

static int
opens_a_socket(const struct attack *a PP_UNUSED)
{
	return failed(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int
runs_a_program(const struct attack *a PP_UNUSED)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL };

	return failed(execve("/bin/true", argv, NULL));
}

static int
forks(const struct attack *a PP_UNUSED)
{
	return failed(fork());
}

static int
traces_its_parent(const struct attack *a PP_UNUSED)
{
	return failed(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int
kills_its_parent(const struct attack *a PP_UNUSED)
{
	return failed(kill(getppid(), 0));
}

/* It would stay open when its directory was checked and moved into the store. */
static int
changes_the_mode_of_what_is_open(const struct attack *a)
{
	return failed(fchmod(a->dir_fd, 04755));
}

static int
writes_a_file_that_is_open(const struct attack *a)
{
	struct stat st;

	return failed(fstat(a->dir_fd, &st));
}

/* What the build or the kernel has to have for any of this. */
static bool
has_walls(void)
{
	return !PP_IS_WATCHED_BUILD && pp_filter_is_there() && pp_landlock_abi() > 0;
}

static void
what_unpacking_takes_is_allowed(void)
{
	PP_CLEANUP(scratch_fini) struct scratch s = SCRATCH;
	scratch_make(&s);
	struct attack a = { PP_WALL_UNPACK, s.fd, makes_a_directory_and_a_link, NULL };

	CHECK_INT(wall_child(go, &a), 0);
	a.act = writes_a_file_that_is_open;
	CHECK_INT(wall_child(go, &a), 0);
}

static void
a_helper_that_was_taken_over_reaches_no_file_outside_its_directory(void)
{
	static const struct {
		enum pp_wall_work work;
		int (*act)(const struct attack *a);
		const char *path;
	} rows[] = {
		{ PP_WALL_UNPACK, makes_a_file, "/tmp/pp-wall-outside" },
		{ PP_WALL_UNPACK, makes_a_file, "../pp-wall-outside" },
		{ PP_WALL_UNPACK, makes_a_file, "/dev/null" },
		{ PP_WALL_UNPACK, reads, "/etc/passwd" },
		{ PP_WALL_UNPACK, reads, "/proc/self/mem" },
		{ PP_WALL_PACK, makes_a_file, "new" },
		{ PP_WALL_PACK, reads, "/etc/passwd" },
		{ PP_WALL_PACK, reads, ".." },
	};
	PP_CLEANUP(scratch_fini) struct scratch s = SCRATCH;

	scratch_make(&s);
	if (!has_walls())
		SKIP("no Landlock or no filter here");
	for (size_t i = 0; i < PP_LEN(rows); i++) {
		struct attack a = { rows[i].work, s.fd, rows[i].act, rows[i].path };
		CHECK_INT(wall_child(go, &a), EACCES);
	}
	CHECK_INT(faccessat(AT_FDCWD, "/tmp/pp-wall-outside", F_OK, 0), -1);
}

static void
a_helper_that_was_taken_over_starts_and_reaches_nobody(void)
{
	static int (*const acts[])(const struct attack *a) = {
		opens_a_socket,
		runs_a_program,
		forks,
		traces_its_parent,
		kills_its_parent,
		changes_the_mode_of_what_is_open,
	};
	PP_CLEANUP(scratch_fini) struct scratch s = SCRATCH;

	scratch_make(&s);
	if (!has_walls())
		SKIP("no Landlock or no filter here");
	for (size_t i = 0; i < PP_LEN(acts); i++) {
		struct attack a = { PP_WALL_UNPACK, s.fd, acts[i], NULL };
		CHECK_INT(wall_child(go, &a), ENOSYS);
	}
}

static int
reads_its_status(void *user)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int but = *(const int *)user;

	if (pp_wall_drop_capabilities(but) < 0 || syscall(SYS_capget, &head, now) < 0)
		return 255;
	return (int)(now[0].effective | now[0].permitted | now[1].effective | now[1].permitted);
}

static void
capabilities_are_given_up_but_the_one_that_is_named(void)
{
	int none = -1, chown = CAP_CHOWN;

	CHECK_INT(wall_child(reads_its_status, &none), 0);
	CHECK_INT(wall_child(reads_its_status, &chown), geteuid() == 0 ? 1 : 0);
}

TAP_MAIN(CASE(what_unpacking_takes_is_allowed)
	CASE(a_helper_that_was_taken_over_reaches_no_file_outside_its_directory)
	    CASE(a_helper_that_was_taken_over_starts_and_reaches_nobody)
		CASE(capabilities_are_given_up_but_the_one_that_is_named))
