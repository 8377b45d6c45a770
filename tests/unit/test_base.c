/* SPDX-License-Identifier: MIT */
/*
 * base: containers, slices, numbers, what reaches a terminal, JSON, time, work below a directory.
 */
#include "base/fd.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/rm_each.h"
#include "base/sys.h"
#include "base/time.h"
#include "base/vec.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int
scratch_dir(char path[32])
{
	(void)snprintf(path, 32, "/tmp/pp-base-XXXXXX");
	return mkdtemp(path) == NULL ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
a_buffer_keeps_what_fits_and_remembers_the_rest(void)
{
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(5);

	pp_buf_adds(&b, "abc");
	CHECK(!b.overflow);
	pp_buf_adds(&b, "defg");
	CHECK(b.overflow);
	CHECK_STR(b.s, "abcde");
	CHECK_INT(b.n, 5);
}

static void
numbers_from_outside_are_plain_digits_within_a_limit(void)
{
	static const struct {
		const char *text;
		uint64_t max;
		int want;
	} rows[] = {
		{ "0", 10, 0 },
		{ "10", 10, 0 },
		{ "11", 10, -ERANGE },
		{ "18446744073709551615", UINT64_MAX, 0 },
		{ "18446744073709551616", UINT64_MAX, -ERANGE },
		{ "", 10, -EINVAL },
		{ "+1", 10, -EINVAL },
		{ "-1", 10, -EINVAL },
		{ " 1", 10, -EINVAL },
		{ "1x", 10, -EINVAL },
	};
	uint64_t n;

	for (size_t i = 0; i < PP_LEN(rows); i++)
		CHECK_INT(pp_parse_u64(pp_str_of(rows[i].text), rows[i].max, &n), rows[i].want);
}

static void
hex_is_read_in_lower_case_and_exact_length_only(void)
{
	uint8_t bytes[2];
	char text[5];

	CHECK_INT(pp_unhex(PP_STR("0aff"), bytes, 2), 0);
	pp_hex(bytes, 2, text);
	CHECK_STR(text, "0aff");
	CHECK_INT(pp_unhex(PP_STR("0AFF"), bytes, 2), -EINVAL);
	CHECK_INT(pp_unhex(PP_STR("0af"), bytes, 2), -EINVAL);
	CHECK(!pp_is_sha256("abc"));
	CHECK(pp_is_sha256("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	CHECK(!pp_is_sha256("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"));
}

static void
near_names_have_small_distances(void)
{
	CHECK_INT(pp_distance("animal", "animal", 3), 0);
	CHECK_INT(pp_distance("anmal", "animal", 3), 1);
	CHECK_INT(pp_distance("aniaml", "animal", 3), 2);
	CHECK_INT(pp_distance("photos", "animal", 3), 4);
	CHECK_INT(pp_distance("a", "abcdefgh", 2), 3);
}

static void
nothing_that_steers_a_terminal_comes_through(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "plain\ttext \xc3\xa9", "plain\ttext \xc3\xa9" },
		{ "\033]0;title\a", "\\x1b]0;title\\x07" },
		{ "a\nb\rc", "a\\x0ab\\x0dc" },
		{ "\xc2\x9b"
		  "31m",
		    "\\u{9b}31m" },
		{ "\xe2\x80\xae"
		  "abc",
		    "\\u{202e}abc" },
		{ "\xff\xc0\xaf", "\\xff\\xc0\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(1000);
		pp_sanitize(&out, rows[i].text, strlen(rows[i].text));
		CHECK_STR(pp_buf_cstr(&out), rows[i].want);
	}
}

static void
a_map_finds_every_key_and_walks_in_order_of_insertion(void)
{
	struct pp_map m = { 0 };
	char key[16];
	size_t i = 0;

	for (int k = 0; k < 1000; k++) {
		(void)snprintf(key, sizeof(key), "k%d", k);
		*pp_map_put(&m, key) = pp_xstrdup(key);
	}
	CHECK_INT(m.n, 1000);
	CHECK_STR(pp_map_get(&m, "k999"), "k999");
	CHECK(pp_map_get(&m, "k1000") == NULL);
	pp_map_foreach (e, &m) {
		(void)snprintf(key, sizeof(key), "k%zu", i++);
		CHECK_STR(e->key, key);
	}
	pp_map_fini(&m, free);
}

static void
json_is_read_strictly(void)
{
	static const char *const bad[] = {
		"{\"a\":1,\"a\":2}",
		"{\"a\":1} x",
		"{'a':1}",
		"[1,]",
		"\"a\\u0000b\"",
		"{\"a\":\"\xff\"}",
		"9223372036854775808",
		"",
		"NaN",
		"\"\\ud800\"",
		"\"raw\nline\"",
	};
	struct pp_json_error why;

	for (size_t i = 0; i < PP_LEN(bad); i++) {
		PP_AUTO_JSON pp_json *j = pp_json_parse(bad[i], strlen(bad[i]), &why);
		CHECK(j == NULL);
		CHECK_HAS(why.text, "line ");
	}
	CHECK(pp_json_parse("[1,\n2\0]", 8, &why) == NULL);
	CHECK_HAS(why.text, "line 2, column 2: ");
}

static void
canonical_json_sorts_members_and_escapes_two_characters_only(void)
{
	static const char text[] = "{\"b\":[1,true,null],\"a\":\"x\\n\\\"\\\\\",\"\\u00e9\":-5}";
	PP_AUTO_JSON pp_json *j = pp_json_parse(text, strlen(text), NULL);
	PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(1000);

	CHECK_INT(pp_json_canonical(j, &out), 0);
	CHECK_STR(out.s, "{\"a\":\"x\n\\\"\\\\\",\"b\":[1,true,null],\"\xc3\xa9\":-5}");
	PP_AUTO_JSON pp_json *real = pp_json_parse("[1.0]", 5, NULL);
	CHECK_INT(pp_json_canonical(real, &out), -EINVAL);
}

static void
times_are_read_as_rfc_3339_in_utc_or_as_seconds(void)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: no time */
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-21T14:00:00Z", 1795269600 },
		{ "2026-11-21T14:00:00.25Z", 1795269600 },
		{ "1795269600", 1795269600 },
		{ "2000-02-29T00:00:00Z", 951782400 },
		{ "2100-02-29T00:00:00Z", -1 },
		{ "2026-02-30T00:00:00Z", -1 },
		{ "2026-00-10T00:00:00Z", -1 },
		{ "2026-13-10T00:00:00Z", -1 },
		{ "2026-11-21T24:00:00Z", -1 },
		{ "2026-11-21 14:00:00Z", -1 },
		{ "2026-11-21T14:00:00+01:00", -1 },
		{ "", -1 },
	};
	char text[PP_TIME_TEXT];

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		int64_t t = -1;
		CHECK_INT(
		    pp_time_parse(pp_str_of(rows[i].text), &t), rows[i].want < 0 ? -EINVAL : 0);
		CHECK_INT(t, rows[i].want);
	}
	pp_time_format(1795269600, text);
	CHECK_STR(text, "2026-11-21T14:00:00Z");
}

static void
dates_of_people_are_days_in_utc_or_times_in_any_zone(void)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: no date */
	} rows[] = {
		{ "2026-12-24", 1798070400 },
		{ "2026-12-24T00:00:00Z", 1798070400 },
		{ "2026-12-24T00:00:00.125Z", 1798070400 },
		{ "2026-12-24T01:00:00+01:00", 1798070400 },
		{ "2026-12-23T18:30:00.5-05:30", 1798070400 },
		{ "2026-02-30", -1 },
		{ "2026-12-24T", -1 },
		{ "2026-12-24Z", -1 },
		{ "2026-12-24T00:00:00", -1 },
		{ "2026-12-24T00:00:00+01", -1 },
		{ "2026-12-24T00:00:00+24:00", -1 },
		{ "2026-12-24T00:00:00+01:60", -1 },
		{ "2026-12-24T00:00:00Z+01:00", -1 },
		{ "2026-12-24+01:00", -1 },
		{ "2026-12-24T00:00:00.0000000000000000000000000000000Z", -1 },
		{ "1798070400", -1 },
		{ "24.12.2026", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		int64_t t = -1;
		CHECK_INT(pp_time_parse_date(pp_str_of(rows[i].text), &t),
		    rows[i].want < 0 ? -EINVAL : 0);
		CHECK_INT(t, rows[i].want);
	}
}

static void
opening_beneath_never_leaves_the_directory(void)
{
	char path[32];
	PP_AUTO_FD int dir = scratch_dir(path);

	CHECK_INT(pp_mkdirs_at(dir, "a/b", 0755), 0);
	CHECK_INT(pp_symlinkat("/etc", dir, "a/out"), 0);
	CHECK_INT(pp_symlinkat("b", dir, "a/in"), 0);
	for (int without = 0; without < 2; without++) {
		if (without)
			CHECK_INT(setenv("PLUGPKG_NO_OPENAT2", "1", 1), 0);
		CHECK(pp_open_beneath(dir, "../etc", O_RDONLY, 0, PP_FOLLOW_INSIDE) < 0);
		CHECK(pp_open_beneath(dir, "/etc", O_RDONLY, 0, PP_FOLLOW_INSIDE) < 0);
		CHECK(pp_open_beneath(dir, "a/out/passwd", O_RDONLY, 0, PP_FOLLOW_INSIDE) < 0);
		CHECK(pp_open_beneath(dir, "a/in/x", O_RDONLY, 0, PP_NO_SYMLINKS) < 0);
		PP_AUTO_FD int fd = pp_open_beneath(dir, "a/b", O_RDONLY, 0, PP_NO_SYMLINKS);
		CHECK(fd >= 0);
	}
	CHECK_INT(unsetenv("PLUGPKG_NO_OPENAT2"), 0);
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, path), 0);
}

static void
directories_are_made_with_their_parents_and_beside_what_is_there(void)
{
	char path[32];
	PP_AUTO_FD int dir = scratch_dir(path);

	CHECK_INT(pp_mkdirs_at(dir, "a/b/c", 0755), 0);
	CHECK_INT(pp_mkdirs_at(dir, "a/b/c", 0755), 0);
	CHECK_INT(pp_mkdirs_at(dir, "a/d/e/f", 0755), 0);
	CHECK_INT(pp_exists_at(dir, "a/b/c"), 1);
	CHECK_INT(pp_exists_at(dir, "a/d/e/f"), 1);
	CHECK_INT(pp_write_file_at(dir, "a/file", "x", 1, 0644), 0);
	CHECK_INT(pp_mkdirs_at(dir, "a/file/g", 0755), -ENOTDIR);
	CHECK_INT(pp_mkdirs_at(dir, "a/file/g/h", 0755), -ENOTDIR);
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, path), 0);
	CHECK_INT(pp_mkdirs_at(dir, "gone", 0755), -ENOENT);
	CHECK_INT(pp_mkdirs_at(dir, "gone/too", 0755), -ENOENT);
}

static void
removing_a_tree_never_follows_a_link(void)
{
	char path[32], other[32];
	PP_AUTO_FD int dir = scratch_dir(path);
	PP_AUTO_FD int outside = scratch_dir(other);

	CHECK_INT(pp_write_file_at(outside, "keep", "x", 1, 0644), 0);
	CHECK_INT(pp_mkdirs_at(dir, "t/u", 0755), 0);
	CHECK_INT(pp_symlinkat(other, dir, "t/u/link"), 0);
	CHECK_INT(pp_rm_rf_at(dir, "t"), 0);
	CHECK_INT(pp_exists_at(dir, "t"), 0);
	CHECK_INT(pp_exists_at(outside, "keep"), 1);
	CHECK_INT(pp_rm_rf_at(dir, "t"), 0);
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, path), 0);
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, other), 0);
}

static void
many_trees_are_removed_at_once_and_the_first_failure_is_named(void)
{
	char path[32], name[32], long_name[400];
	PP_AUTO_FD int dir = scratch_dir(path);
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	const char *failed = NULL;
	uint64_t bytes = 0;

	for (int i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "t%d", i);
		pp_strs_add(&names, name);
		(void)snprintf(name, sizeof(name), "t%d/in", i);
		CHECK_INT(pp_mkdirs_at(dir, name, 0755), 0);
		(void)snprintf(name, sizeof(name), "t%d/in/f", i);
		CHECK_INT(pp_write_file_at(dir, name, "four", 4, 0644), 0);
	}
	pp_strs_add(&names, "missing");
	CHECK_INT(pp_rm_each_at(dir, &names, &bytes, &failed), 0);
	CHECK_INT(bytes, 800);
	CHECK(failed == NULL);
	for (size_t i = 0; i < names.n; i++)
		CHECK_INT(pp_exists_at(dir, names.at[i]), 0);

	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	pp_strs_add(&names, long_name);
	CHECK_INT(pp_rm_each_at(dir, &names, &bytes, &failed), -ENAMETOOLONG);
	CHECK_STR(failed, long_name);
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, path), 0);
}

static void
a_file_is_written_whole_or_not_at_all(void)
{
	char path[32];
	PP_AUTO_FD int dir = scratch_dir(path);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(100);
	PP_AUTO_BUF struct pp_buf small = PP_BUF_INIT(2);

	CHECK_INT(pp_write_file_at(dir, "f", "one", 3, 0644), 0);
	CHECK_INT(pp_write_file_at(dir, "f", "two!", 4, 0644), 0);
	CHECK_INT(pp_read_file_at(dir, "f", &text), 0);
	CHECK_STR(text.s, "two!");
	CHECK_INT(pp_read_file_at(dir, "f", &small), -EFBIG);
	CHECK_INT(pp_write_file_at(dir, "missing/f", "x", 1, 0644), -ENOENT);
	CHECK_INT(pp_symlink_replace(dir, "l", "f"), 0);
	CHECK_INT(pp_symlink_replace(dir, "l", "g"), 0);
	pp_buf_clear(&text);
	CHECK_INT(pp_readlink_at(dir, "l", &text), 0);
	CHECK_STR(text.s, "g");
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, path), 0);
}

static void
messages_carry_json_and_descriptors(void)
{
	int pair[2], fds[PP_MSG_MAX_FDS];
	PP_AUTO_JSON pp_json *j = pp_json_object();
	PP_AUTO_JSON pp_json *got = NULL;

	CHECK_INT(pp_msg_pair(pair), 0);
	PP_AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pp_json_set_int(j, "id", 7);
	CHECK_INT(pp_msg_send(pair[0], j, &null, 1), 0);
	CHECK_INT(pp_msg_recv(pair[1], &got, fds), 0);
	CHECK_INT(pp_json_get_int(got, "id", 0), 7);
	CHECK(fds[0] >= 0 && fds[1] == -1);
	pp_auto_fd(&fds[0]);
	CHECK_INT(send(pair[0], "[]", 2, 0), 2);
	pp_json *none = NULL;
	CHECK_INT(pp_msg_recv(pair[1], &none, fds), -EBADMSG);
	pp_auto_fd(&pair[0]);
	CHECK_INT(pp_msg_recv(pair[1], &none, fds), -EPIPE);
	pp_auto_fd(&pair[1]);
}

static void
a_packet_of_parts_comes_apart_as_it_was_made(void)
{
	PP_AUTO_BUF struct pp_buf packet = PP_BUF_INIT(100);
	PP_AUTO_JSON pp_json *first = pp_json_object();
	PP_AUTO_JSON pp_json *second = pp_json_object();
	PP_AUTO_JSON pp_json *a = NULL;
	PP_AUTO_JSON pp_json *b = NULL;
	struct pp_str body;

	pp_json_set_int(first, "id", 1);
	pp_json_set_int(second, "id", 2);
	CHECK(pp_msg_add_part(&packet, first, "x\n{}", 4));
	CHECK(pp_msg_add_part(&packet, second, NULL, 0));
	CHECK(!pp_msg_add_part(&packet, second, packet.s, 80));
	struct pp_str rest = { packet.s, packet.n };
	CHECK_INT(pp_msg_cut_part(&rest, &a, &body), 0);
	CHECK_INT(pp_json_get_int(a, "id", 0), 1);
	CHECK(pp_str_eq(body, "x\n{}"));
	CHECK_INT(pp_msg_cut_part(&rest, &b, &body), 0);
	CHECK_INT(pp_json_get_int(b, "id", 0), 2);
	CHECK_INT(body.n, 0);
	CHECK_INT(rest.n, 0);
}

static void
a_part_that_promises_too_much_is_refused(void)
{
	static const char *const packets[] = { "", "\n", "[]\n", "{\"body\":1}", "{\"body\":1}\n",
		"{\"body\":-1}\nx", "{\"body\":9223372036854775807}\nx", "{" };

	for (size_t i = 0; i < PP_LEN(packets); i++) {
		struct pp_str packet = pp_str_of(packets[i]), body;
		PP_AUTO_JSON pp_json *j = NULL;

		CHECK_INT(pp_msg_cut_part(&packet, &j, &body), -EBADMSG);
	}
}

static void
a_child_has_only_what_it_was_given(void)
{
	static const char *const argv[] = { "sh", "-c", "env; ls /proc/self/fd | wc -l", NULL };
	static const char *const env[] = { "A=1", NULL };
	int out[2], status;

	CHECK_INT(pipe2(out, O_CLOEXEC), 0);
	struct pp_spawn s = PP_SPAWN_INIT;
	s.path = "/bin/sh";
	s.argv = argv;
	s.env = env;
	s.stdout_fd = out[1];
	PP_CLEANUP(pp_child_fini) struct pp_child c = { .pid = -1 };
	CHECK_INT(pp_spawn(&s, &c), 0);
	pp_auto_fd(&out[1]);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
	CHECK_INT(pp_fd_read_all(out[0], &text), 0);
	CHECK_INT(pp_child_wait(&c, 5000, &status), 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK_HAS(text.s, "A=1\n");
	CHECK(strstr(text.s, "HOME=") == NULL);
	CHECK_HAS(text.s, "\n4\n"); /* 0, 1, 2 and ls's own */
	pp_auto_fd(&out[0]);
}

static void
a_child_that_keeps_the_terminal_is_killed_alone(void)
{
	static const char *const argv[] = { "sh", "-c", "exec sleep 600", NULL };
	static const char *const env[] = { "PATH=/bin:/usr/bin", NULL };
	struct pp_spawn s = PP_SPAWN_INIT;
	PP_CLEANUP(pp_child_fini) struct pp_child c = { .pid = -1 };

	s.path = "/bin/sh";
	s.argv = argv;
	s.env = env;
	s.keeps_terminal = true;
	CHECK_INT(pp_spawn(&s, &c), 0);
	CHECK_INT(getpgid(c.pid), getpgrp());
	CHECK_INT(getsid(c.pid), getsid(0));
	pp_child_kill(&c, 0);
	CHECK_INT(c.pid, -1);
}

static void
a_program_that_cannot_start_is_reported_by_spawn(void)
{
	static const char *const argv[] = { "x", NULL };
	struct pp_spawn s = PP_SPAWN_INIT;
	struct pp_child c;

	s.path = "/nonexistent/program";
	s.argv = argv;
	CHECK_INT(pp_spawn(&s, &c), -ENOENT);
	CHECK_INT(c.pid, -1);
}

/* As another thread would in that moment: the process has copies of our descriptors, and stays. */
static void
fork_another(pid_t pid PP_UNUSED, void *user)
{
	pid_t *another = user;

	*another = fork();
	if (*another == 0) {
		(void)sleep(20);
		_exit(0);
	}
}

static void
a_child_starts_although_other_processes_have_our_descriptors(void)
{
	static const char *const argv[] = { "sh", "-c", "exit 7", NULL };
	struct pp_spawn s = PP_SPAWN_INIT;
	PP_CLEANUP(pp_child_fini) struct pp_child c = { .pid = -1 };
	pid_t another = -1;
	int status = 0;

	s.path = "/bin/sh";
	s.argv = argv;
	s.forked = fork_another;
	s.user = &another;
	CHECK_INT(pp_spawn(&s, &c), 0);
	CHECK_INT(waitpid(another, NULL, WNOHANG), 0); /* it is there still */
	CHECK_INT(pp_child_wait(&c, 5000, &status), 0);
	CHECK_INT(WEXITSTATUS(status), 7);
	if (CHECK(another > 0)) {
		CHECK_INT(kill(another, SIGKILL), 0);
		CHECK_INT(waitpid(another, NULL, 0), another);
	}
}

static void
killing_a_child_ends_its_whole_group(void)
{
	static const char *const argv[] = { "sh", "-c", "trap '' TERM; sleep 100 & sleep 100",
		NULL };
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	struct pp_spawn s = PP_SPAWN_INIT;
	struct pp_child c;
	int status, held[2];
	char byte;

	/* Every member holds the writing end: the end of file says that all are gone. */
	CHECK_INT(pipe2(held, O_CLOEXEC), 0);
	s.path = "/bin/sh";
	s.argv = argv;
	s.env = env;
	s.stdout_fd = held[1];
	CHECK_INT(pp_spawn(&s, &c), 0);
	pp_auto_fd(&held[1]);
	CHECK_INT(pp_child_wait(&c, 100, &status), -EAGAIN);
	pp_child_kill(&c, 50);
	CHECK_INT(poll(&(struct pollfd){ .fd = held[0], .events = POLLIN }, 1, 5000), 1);
	CHECK_INT(read(held[0], &byte, 1), 0);
	pp_auto_fd(&held[0]);
}

static void
a_child_of_a_process_without_standard_input_has_one(void)
{
	static const char *const argv[] = { "sh", "-c", "cat && echo whole", NULL };
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	struct pp_spawn s = PP_SPAWN_INIT;
	PP_CLEANUP(pp_child_fini) struct pp_child c = { .pid = -1 };
	int out[2], status, kept = fcntl(0, F_DUPFD_CLOEXEC, 3);

	CHECK_INT(pipe2(out, O_CLOEXEC), 0);
	s.path = "/bin/sh";
	s.argv = argv;
	s.env = env;
	s.stdout_fd = out[1];
	(void)close(0);
	CHECK_INT(pp_spawn(&s, &c), 0);
	pp_auto_fd(&out[1]);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(100);
	CHECK_INT(pp_fd_read_all(out[0], &text), 0);
	CHECK_STR(pp_buf_cstr(&text), "whole\n");
	CHECK_INT(pp_child_wait(&c, 5000, &status), 0);
	CHECK_INT(pp_child_wait(&c, 5000, &status), -ECHILD);
	pp_auto_fd(&out[0]);
	if (kept >= 0)
		CHECK_INT(dup2(kept, 0), 0);
	pp_auto_fd(&kept);
}

static void
a_time_limit_holds_where_there_are_no_process_descriptors(void)
{
	static const char *const argv[] = { "sh", "-c", "exec sleep 100", NULL };
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	struct pp_spawn s = PP_SPAWN_INIT;
	PP_CLEANUP(pp_child_fini) struct pp_child c = { .pid = -1 };
	struct rlimit was, none;
	int status;

	s.path = "/bin/sh";
	s.argv = argv;
	s.env = env;
	CHECK_INT(pp_spawn(&s, &c), 0);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 0; /* pidfd_open() finds no free number */
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
	CHECK_INT(pp_child_wait(&c, 30, &status), -EAGAIN);
	pp_child_kill(&c, 1000);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &was), 0);
	CHECK_INT(c.pid, -1);
}

/* clang-format off */
TAP_MAIN(
	CASE(a_child_that_keeps_the_terminal_is_killed_alone)
	CASE(a_time_limit_holds_where_there_are_no_process_descriptors)
	CASE(a_buffer_keeps_what_fits_and_remembers_the_rest)
	CASE(numbers_from_outside_are_plain_digits_within_a_limit)
	CASE(hex_is_read_in_lower_case_and_exact_length_only)
	CASE(near_names_have_small_distances)
	CASE(nothing_that_steers_a_terminal_comes_through)
	CASE(a_map_finds_every_key_and_walks_in_order_of_insertion)
	CASE(json_is_read_strictly)
	CASE(canonical_json_sorts_members_and_escapes_two_characters_only)
	CASE(times_are_read_as_rfc_3339_in_utc_or_as_seconds)
	CASE(dates_of_people_are_days_in_utc_or_times_in_any_zone)
	CASE(opening_beneath_never_leaves_the_directory)
	CASE(directories_are_made_with_their_parents_and_beside_what_is_there)
    CASE(removing_a_tree_never_follows_a_link)
    CASE(many_trees_are_removed_at_once_and_the_first_failure_is_named)
	CASE(a_file_is_written_whole_or_not_at_all)
	CASE(messages_carry_json_and_descriptors)
	CASE(a_packet_of_parts_comes_apart_as_it_was_made)
	CASE(a_part_that_promises_too_much_is_refused)
	CASE(a_child_has_only_what_it_was_given)
	CASE(a_program_that_cannot_start_is_reported_by_spawn)
	CASE(a_child_starts_although_other_processes_have_our_descriptors)
	CASE(killing_a_child_ends_its_whole_group)
	CASE(a_child_of_a_process_without_standard_input_has_one)
)
/* clang-format on */
