/* SPDX-License-Identifier: MIT */
/* The download helper, taken over by a server: behind its own wall it tries what it should not. */
#include "tap.h"
#include "wall_child.h"

/* The helper's side of it. */
#include "fetch/wall.c"

#include "base/fd.h"
#include "base/msg.h"
#include "lib/net/wall.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

static int
failed(long r)
{
	return r < 0 ? errno : 0;
}

static int
go(void *user)
{
	int (*const *act)(void) = user;
	int pair[2];

	if (pp_msg_pair(pair) < 0 || pp_net_wall_send(pair[0]) < 0)
		return 255;
	return fetch_wall_enter(pair[1]) < 0 ? 255 : (*act)();
}

static int
writes_a_file(void)
{
	return failed(open("/tmp/pp-wall-fetch", O_WRONLY | O_CREAT, 0644));
}

static int
reads_a_secret(void)
{
	return failed(open("/etc/passwd", O_RDONLY));
}

static int
reads_hosts(void)
{
	return failed(open("/etc/hosts", O_RDONLY));
}

static int
runs_a_program(void)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL };

	return failed(execve("/bin/true", argv, NULL));
}

static int
forks(void)
{
	return failed(fork());
}

static void *
nothing(void *user)
{
	return user;
}

static int
starts_a_thread(void)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, nothing, NULL);

	return r == 0 ? pthread_join(thread, NULL) : r;
}

static int
connects(void)
{
	return failed(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
sees_all_packets(void)
{
	return failed(socket(AF_PACKET, SOCK_RAW, 0));
}

static int
serves(void)
{
	return failed(listen(socket(AF_INET, SOCK_STREAM, 0), 1));
}

static int
traces_its_parent(void)
{
	return failed(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int
kills_its_parent(void)
{
	return failed(kill(getppid(), 0));
}

static void
what_downloading_takes_is_allowed(void)
{
	static int (*const acts[])(void) = { reads_hosts, starts_a_thread, connects };

	for (size_t i = 0; i < PP_LEN(acts); i++) {
		int (*act)(void) = acts[i];
		CHECK_INT(wall_child(go, &act), 0);
	}
}

static void
a_helper_that_was_taken_over_writes_starts_and_spies_on_nothing(void)
{
	static const struct {
		int (*act)(void);
		int want;
	} rows[] = {
		{ writes_a_file, EACCES },
		{ reads_a_secret, EACCES },
		{ runs_a_program, EPERM },
		{ forks, EPERM },
		{ sees_all_packets, EPERM },
		{ serves, EPERM },
		{ traces_its_parent, EPERM },
	};

	if (PP_IS_WATCHED_BUILD || !pp_filter_is_there() || pp_landlock_abi() == 0)
		SKIP("no Landlock or no filter here");
	for (size_t i = 0; i < PP_LEN(rows); i++) {
		int (*act)(void) = rows[i].act;
		CHECK_INT(wall_child(go, &act), rows[i].want);
	}
	if (pp_landlock_abi() >= PP_LANDLOCK_ABI_SCOPE) {
		int (*act)(void) = kills_its_parent;
		CHECK_INT(wall_child(go, &act), EPERM);
	}
}

static int
enters_what_came(void *user)
{
	return -fetch_wall_enter(*(const int *)user);
}

static void
without_its_wall_it_does_not_begin(void)
{
	static const char *const told[] = {
		"{}",
		"{\"landlock\":true,\"filter\":false}",
		"{\"landlock\":false,\"filter\":true}",
		"{\"landlock\":1,\"filter\":0}",
		"{\"id\":1,\"url\":\"http://localhost/\"}",
		"[]",
		"no json",
	};
	int pair[2];

	for (size_t i = 0; i < PP_LEN(told); i++) {
		PP_AUTO_BUF struct pp_buf packet = PP_BUF_INIT(PP_MSG_MAX_BYTES);

		CHECK_INT(pp_msg_pair(pair), 0);
		pp_buf_adds(&packet, told[i]);
		CHECK_INT(pp_msg_send_packet(pair[0], &packet), 0);
		CHECK_INT(wall_child(enters_what_came, &pair[1]), EBADMSG);
		pp_auto_fd(&pair[0]);
		pp_auto_fd(&pair[1]);
	}
	CHECK_INT(pp_msg_pair(pair), 0);
	pp_auto_fd(&pair[0]);
	CHECK_INT(wall_child(enters_what_came, &pair[1]), EPIPE);
	pp_auto_fd(&pair[1]);
}

TAP_MAIN(CASE(what_downloading_takes_is_allowed)
	CASE(a_helper_that_was_taken_over_writes_starts_and_spies_on_nothing)
	    CASE(without_its_wall_it_does_not_begin))
