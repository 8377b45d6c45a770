/* SPDX-License-Identifier: MIT */
/* Scripts: their environment, limits, output, and what is left of them afterwards. */
#include "lib/txn/script.h"

#include "base/fd.h"
#include "base/time.h"
#include "root_make.h"
#include "tap.h"

#include <signal.h>

struct bench {
	struct root root;
	struct pp_manifest *manifest;
	int dir_fd;
	char *dir;
	plugpkg_error *err;
};

/*
 * A root, and a plugin "user" 2.1.0 whose install script has this body and may run timeout_s
 * seconds.
 */
static bool
bench_init(struct bench *b, const char *body, int timeout_s)
{
	*b = (struct bench){ .dir_fd = -1 };
	if (!root_init(&b->root))
		return false;
	PP_AUTO_FREE char *text =
	    pp_asprintf("{\"name\":\"user\",\"version\":\"2.1.0\",\"summary\":\"s\","
			"\"scripts\":{\"install\":\"i.sh\"},\"timeout\":%d}",
		timeout_s);
	PP_AUTO_FREE char *script = pp_asprintf("#!/bin/sh\n%s\n", body);
	CHECK_INT(
	    pp_manifest_parse(pp_str_of(text), "plugin.json", &b->manifest, NULL), PLUGPKG_OK);
	b->dir = pp_asprintf("%s/inner", b->root.scratch.path);
	b->dir_fd = b->root.scratch.inner;
	CHECK_INT(pp_write_file_at(b->dir_fd, "i.sh", script, strlen(script), 0755), 0);
	CHECK_INT(pp_mkdirs_at(b->root.ctx->root_fd, "data/user", 0755), 0);
	return true;
}

static void
bench_fini(struct bench *b)
{
	pp_manifest_free(b->manifest);
	free(b->dir);
	plugpkg_error_free(b->err);
	root_fini(&b->root);
}

static enum plugpkg_code
run(struct bench *b)
{
	struct pp_script_run run = {
		.manifest = b->manifest,
		.dir_fd = b->dir_fd,
		.store_path = b->dir,
		.kind = "install",
		.path = b->manifest->scripts[PP_SCRIPT_INSTALL],
		.level = -1,
		.reason = "install",
		.old_version = NULL,
		.transaction = 12,
		.next_generation = 3,
	};

	return pp_script_run(b->root.ctx, &run, &b->err);
}

static const char *
said(const struct bench *b)
{
	return pp_buf_cstr(&b->root.events);
}

static const char *
message(const struct bench *b)
{
	return b->err != NULL ? plugpkg_error_message(b->err) : NULL;
}

/* Runs body and wants the code; the bench stays for a look at what was said. */
static bool
run_body(struct bench *b, const char *body, int timeout_s, enum plugpkg_code want)
{
	return bench_init(b, body, timeout_s) && CHECK_INT(run(b), want);
}

static void
a_plugin_without_the_script_is_done_at_once(void)
{
	struct bench b;

	if (bench_init(&b, "exit 1", 10)) {
		free(b.manifest->scripts[PP_SCRIPT_INSTALL]);
		b.manifest->scripts[PP_SCRIPT_INSTALL] = NULL;
		CHECK_INT(run(&b), PLUGPKG_OK);
	}
	bench_fini(&b);
}

static void
the_environment_is_exactly_the_documented_one(void)
{
	static const char *const names[] = { "HOME", "LANG", "PATH", "PLUGPKG_DATA", "PLUGPKG_KEY",
		"PLUGPKG_LEVEL", "PLUGPKG_LOG_LEVEL", "PLUGPKG_NAME", "PLUGPKG_NEXT",
		"PLUGPKG_OLD_VERSION", "PLUGPKG_PHASE", "PLUGPKG_REASON", "PLUGPKG_ROOT",
		"PLUGPKG_TRANSACTION", "PLUGPKG_VERSION", "TMPDIR" };
	struct bench b;

	/* PWD is the shell's own. */
	setenv("LD_PRELOAD_X", "evil", 1);
	setenv("BASH_ENV", "/evil", 1);
	if (run_body(
		&b, "env | grep -v ^PWD= | LC_ALL=C sort; env | grep -vc ^PWD=", 10, PLUGPKG_OK)) {
		PP_AUTO_FREE char *next =
		    pp_asprintf("PLUGPKG_NEXT=%s/generations/3\n", b.root.ctx->root);
		const char *at = said(&b);
		for (size_t i = 0; i < PP_LEN(names); i++) {
			PP_AUTO_FREE char *line = pp_asprintf(" %s=", names[i]);
			const char *found = strstr(at, line);
			if (!CHECK(found != NULL))
				tap_value("missing", names[i]);
			else
				at = found;
		}
		CHECK_HAS(at, " 16\n"); /* and no other */
		CHECK_HAS(said(&b), "PLUGPKG_NAME=user\n");
		CHECK_HAS(said(&b), "PLUGPKG_VERSION=2.1.0\n");
		CHECK_HAS(said(&b), "PLUGPKG_OLD_VERSION=\n");
		CHECK_HAS(said(&b), "PLUGPKG_REASON=install\n");
		CHECK_HAS(said(&b), "PLUGPKG_TRANSACTION=12\n");
		CHECK_HAS(said(&b), next);
		CHECK(strstr(said(&b), "evil") == NULL);
	}
	unsetenv("LD_PRELOAD_X");
	unsetenv("BASH_ENV");
	bench_fini(&b);
}

static void
it_runs_in_its_directory_with_nothing_open_but_three(void)
{
	struct bench b;
	int extra = dup(1); /* not close-on-exec on purpose */

	/* ls has a descriptor of its own for the directory that it reads. */
	if (run_body(&b,
		"pwd; read line; echo \"in:$line\"; ls /proc/self/fd | tr '\\n' ' '; umask", 10,
		PLUGPKG_OK)) {
		CHECK_HAS(said(&b), "/inner\n");
		CHECK_HAS(said(&b), "in:\n");
		CHECK_HAS(said(&b), "0 1 2 3 0022\n");
	}
	close(extra);
	bench_fini(&b);
}

static void
settings_of_the_host_reach_it(void)
{
	struct bench b;
	static const char config[] =
	    "{\"name\":\"x\",\"settings\":{\"DATABASE\":\"/srv/x.db\",\"MODE\":\"a b\"}}";

	if (bench_init(&b, "echo \"$DATABASE|$MODE\"", 10)) {
		pp_config_free(b.root.ctx->config);
		b.root.ctx->config = NULL;
		CHECK_INT(
		    pp_config_parse(PP_STR(config), "plugpkg.json", &b.root.ctx->config, NULL),
		    PLUGPKG_OK);
		CHECK_INT(pp_script_check_settings(b.root.ctx->config, NULL), PLUGPKG_OK);
		CHECK_INT(run(&b), PLUGPKG_OK);
		CHECK_HAS(said(&b), "/srv/x.db|a b\n");
	}
	bench_fini(&b);
}

static void
settings_that_steer_loaders_and_shells_are_refused(void)
{
	static const char *const bad[] = { "LD_PRELOAD", "PATH", "BASH_ENV", "PLUGPKG_ROOT",
		"lower", "A-B", "1A", "PYTHONPATH", "NODE_OPTIONS", "IFS" };

	for (size_t i = 0; i < PP_LEN(bad); i++) {
		PP_AUTO_FREE char *text =
		    pp_asprintf("{\"name\":\"x\",\"settings\":{\"%s\":\"v\"}}", bad[i]);
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_config *config = NULL;
		enum plugpkg_code rc =
		    pp_config_parse(pp_str_of(text), "plugpkg.json", &config, &err);
		if (rc == PLUGPKG_OK)
			rc = pp_script_check_settings(config, &err);
		CHECK_INT(rc, PLUGPKG_E_BAD_CONFIG);
		CHECK_HAS(plugpkg_error_message(err), bad[i]);
		pp_config_free(config);
	}
}

static void
a_failing_script_is_named_with_status_and_last_lines(void)
{
	struct bench b;

	if (run_body(&b, "echo one; echo two >&2; exit 3", 10, PLUGPKG_E_SCRIPT)) {
		CHECK_STR(message(&b),
		    "script 'install' of user 2.1.0 failed with exit status 3\n  one\n  two");
		CHECK_HAS(said(&b), " one\n");
		CHECK_HAS(said(&b), " two\n");
	}
	bench_fini(&b);
}

static void
a_script_killed_by_a_signal_is_named_so(void)
{
	struct bench b;

	if (run_body(&b, "kill -9 $$", 10, PLUGPKG_E_SCRIPT))
		CHECK_HAS(message(&b), "was killed by signal 9");
	bench_fini(&b);
}

static void
a_hanging_script_is_killed_after_its_time_limit(void)
{
	struct bench b;
	int64_t begin = pp_time_mono_ms();

	if (run_body(
		&b, "trap '' TERM; echo waiting; while :; do sleep 1; done", 1, PLUGPKG_E_SCRIPT))
		CHECK_HAS(
		    message(&b), "ran longer than its time limit of 1 s and was killed\n  waiting");
	CHECK(pp_time_mono_ms() - begin < 8000);
	bench_fini(&b);
}

static void
a_process_left_in_the_background_ends_with_it(void)
{
	struct bench b;
	int64_t begin = pp_time_mono_ms();

	if (run_body(&b, "sleep 60 & echo $! >child; echo done", 30, PLUGPKG_OK)) {
		PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(64);
		uint64_t pid = 0;
		CHECK_INT(pp_read_file_at(b.dir_fd, "child", &text), 0);
		CHECK_INT(
		    pp_parse_u64(pp_str_trim((struct pp_str){ text.s, text.n - 1 }), 1 << 30, &pid),
		    0);
		for (int i = 0; i < 50 && kill((pid_t)pid, 0) == 0; i++)
			usleep(20000); /* until its new parent reaps it */
		PP_AUTO_FREE char *stat = pp_asprintf("/proc/%d/stat", (int)pid);
		PP_AUTO_BUF struct pp_buf state = PP_BUF_INIT(4096);
		/* Gone, or dead and not reaped where nobody does that. */
		if (pp_read_file_at(AT_FDCWD, stat, &state) == 0 && state.n > 0)
			CHECK_HAS(pp_buf_cstr(&state), ") Z");
	}
	CHECK(pp_time_mono_ms() - begin < 10000);
	bench_fini(&b);
}

static void
a_process_that_left_its_group_does_not_hold_us_up(void)
{
	struct bench b;
	int64_t begin = pp_time_mono_ms();

	if (run_body(&b, "setsid sleep 5 & echo done", 30, PLUGPKG_OK))
		CHECK_HAS(said(&b), " done\n");
	CHECK(pp_time_mono_ms() - begin < 4000);
	bench_fini(&b);
}

static void
output_is_made_harmless_line_by_line(void)
{
	struct bench b;

	if (run_body(&b, "printf 'red \\033[31m\\rx\\n\\377bad\\nlast'", 10, PLUGPKG_OK)) {
		CHECK(strchr(said(&b), '\033') == NULL);
		CHECK_HAS(said(&b), "red \\x1b[31m");
		CHECK_HAS(said(&b), "\\xffbad\n");
		CHECK_HAS(said(&b), " last\n");
	}
	bench_fini(&b);
}

static void
a_long_line_is_cut_into_pieces(void)
{
	struct bench b;

	if (run_body(&b, "head -c 10000 /dev/zero | tr '\\0' x; echo; echo end", 10, PLUGPKG_OK)) {
		size_t longest = 0, here = 0;
		for (const char *p = said(&b); *p != '\0'; p++) {
			here = *p == '\n' ? 0 : here + 1;
			longest = here > longest ? here : longest;
		}
		CHECK(longest >= 4096 && longest < 4200);
		CHECK_HAS(said(&b), " end\n");
	}
	bench_fini(&b);
}

static void
a_flood_is_cut_off_for_readers_and_does_not_block_the_script(void)
{
	struct bench b;

	if (run_body(&b, "yes flood | head -c 50000000; echo; echo the end; exit 4", 60,
		PLUGPKG_E_SCRIPT)) {
		CHECK_HAS(said(&b), "output truncated\n");
		CHECK(b.root.events.n < 4u << 20);
		CHECK_HAS(message(&b), "failed with exit status 4");
		CHECK_HAS(message(&b), "  the end");
	}
	bench_fini(&b);
}

static void
cancelling_kills_it_unless_it_undoes(void)
{
	struct bench b;

	if (bench_init(&b, "sleep 1", 30)) {
		plugpkg_cancel(b.root.ctx);
		struct pp_script_run undo = {
			.manifest = b.manifest,
			.dir_fd = b.dir_fd,
			.store_path = b.dir,
			.kind = "install",
			.path = b.manifest->scripts[PP_SCRIPT_INSTALL],
			.level = -1,
			.reason = "rollback",
			.is_undo = true,
		};
		CHECK_INT(pp_script_run(b.root.ctx, &undo, NULL), PLUGPKG_OK);
		CHECK_INT(run(&b), PLUGPKG_E_INTERRUPTED);
		CHECK_HAS(message(&b), "script 'install' of user 2.1.0 was interrupted");
	}
	bench_fini(&b);
}

static void
files_that_cannot_be_run_are_named(void)
{
	struct bench b;

	if (bench_init(&b, "exit 0", 10)) {
		CHECK_INT(fchmodat(b.dir_fd, "i.sh", 0644, 0), 0);
		CHECK_INT(run(&b), PLUGPKG_E_SCRIPT);
		CHECK_HAS(message(&b), "script 'i.sh' of user 2.1.0 is not executable");
		plugpkg_error_free(b.err);
		b.err = NULL;
		CHECK_INT(unlinkat(b.dir_fd, "i.sh", 0), 0);
		CHECK_INT(run(&b), PLUGPKG_E_SCRIPT);
		CHECK_HAS(message(&b), "cannot run script 'i.sh' of user 2.1.0");
		plugpkg_error_free(b.err);
		b.err = NULL;
		CHECK_INT(symlinkat("/bin/true", b.dir_fd, "i.sh"), 0);
		CHECK_INT(run(&b), PLUGPKG_E_SCRIPT);
	}
	bench_fini(&b);
}

static void
a_missing_interpreter_is_explained(void)
{
	struct bench b;
	static const char text[] = "#!/no/such/interpreter\n";

	if (bench_init(&b, "exit 0", 10)) {
		CHECK_INT(pp_write_file_at(b.dir_fd, "i.sh", text, strlen(text), 0755), 0);
		CHECK_INT(run(&b), PLUGPKG_E_SCRIPT);
		CHECK_HAS(message(&b), "cannot run script 'i.sh' of user 2.1.0");
		CHECK_HAS(plugpkg_error_hint(b.err), "interpreter");
	}
	bench_fini(&b);
}

TAP_MAIN(CASE(a_plugin_without_the_script_is_done_at_once) CASE(
    the_environment_is_exactly_the_documented_one)
	CASE(it_runs_in_its_directory_with_nothing_open_but_three) CASE(
	    settings_of_the_host_reach_it) CASE(settings_that_steer_loaders_and_shells_are_refused)
	    CASE(a_failing_script_is_named_with_status_and_last_lines) CASE(
		a_script_killed_by_a_signal_is_named_so)
		CASE(a_hanging_script_is_killed_after_its_time_limit) CASE(
		    a_process_left_in_the_background_ends_with_it)
		    CASE(a_process_that_left_its_group_does_not_hold_us_up) CASE(
			output_is_made_harmless_line_by_line) CASE(a_long_line_is_cut_into_pieces)
			CASE(a_flood_is_cut_off_for_readers_and_does_not_block_the_script)
			    CASE(cancelling_kills_it_unless_it_undoes)
				CASE(files_that_cannot_be_run_are_named)
				    CASE(a_missing_interpreter_is_explained))
