#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# libplugpkg as programs of others use it: by its headers, and as libplugpkg(3) shows.

setup() {
	load ../helpers
	setup_scratch
	library=$top_builddir/.libs/libplugpkg.so
	compiler=$(command -v cc || command -v gcc || command -v clang) || skip "there is no compiler"
	[ -e "$library" ] || skip "there is no shared library"
	case $(nm -D "$library") in
	*__asan_* | *__tsan_*) skip "a library that watches itself needs programs that do" ;;
	esac
	sed -n '/^\.Bd -literal$/,/^\.Ed$/p' "$top_srcdir/man/libplugpkg.3" | sed '1d;$d;s/\\e/\\/g' >example.c
	"$compiler" -std=c11 -Wall -Wextra -Werror -I"$top_srcdir/include" -o example example.c "$library" \
		-Wl,-rpath,"${library%/*}"
}

@test "the example of libplugpkg(3) compiles, and lists what is installed" {
	make_repo
	publish "$(build_plugin base 1.0.0)"
	make_root
	plugpkg install base -y
	run ./example "$PLUGPKG_ROOT"
	assert_status 0
	assert_equal "${lines[1]}" "1 installed"
	assert_equal "${lines[0]}" "$(plugpkg list --json | head -n 1)"
}

@test "the example of libplugpkg(3) says what is wrong, with its name and exit status" {
	run ./example "$SCRATCH/nowhere"
	assert_status 1
	assert_has "is not a plugpkg root" "[no-root]"
}

@test "a program with a umask of its own makes a root that the application can read" {
	cat >host.c <<-'END'
		#include <plugpkg.h>
		#include <sys/stat.h>
		int
		main(int argc, char **argv)
		{
			const char *targets[] = { argv[2] };
			struct plugpkg_request r = { .verb = PLUGPKG_INSTALL, .targets = targets, .n_targets = 1 };
			plugpkg_context *ctx = NULL;
			plugpkg_plan *plan = NULL;

			umask(077);
			return argc != 3 || plugpkg_open(argv[1], &ctx, NULL) != PLUGPKG_OK ||
			    plugpkg_plan_make(ctx, &r, &plan, NULL) != PLUGPKG_OK ||
			    plugpkg_plan_commit(plan, NULL, NULL, NULL) != PLUGPKG_OK;
		}
	END
	"$compiler" -std=c11 -I"$top_srcdir/include" -o host host.c "$library" -Wl,-rpath,"${library%/*}"
	make_repo
	publish "$(build_plugin @own/base 1.0.0)"
	make_root
	./host "$PLUGPKG_ROOT" @own/base
	# The library's own; what it remembers for itself is nobody else's.
	run find "$PLUGPKG_ROOT/current/" "$PLUGPKG_ROOT/store" "$PLUGPKG_ROOT"/plugpkg.* -type d ! -perm -755 -o \
		-type f ! -perm -444
	assert_equal "$output" ""
}

@test "in a dry run every call that would change the root is refused, and nothing in it is touched" {
	cat >dry.c <<-'END'
		#include <plugpkg.h>
		#include <stdio.h>

		static void
		said(const char *call, enum plugpkg_code rc)
		{
			printf("%s: %s\n", call, plugpkg_code_name(rc));
		}

		int
		main(int argc, char **argv)
		{
			const char *names[] = { "base" }, *targets[] = { "other" };
			const struct plugpkg_hold_spec hold = { .names = names, .n_names = 1 };
			const struct plugpkg_mark_spec mark = { .names = names, .n_names = 1 };
			const struct plugpkg_clean_spec clean = { .before = "today" };
			const struct plugpkg_request r = { .verb = PLUGPKG_INSTALL, .targets = targets, .n_targets = 1 };
			plugpkg_context *x = NULL;
			plugpkg_plan *plan = NULL, *sync = NULL;

			if (argc != 2 || plugpkg_open(argv[1], &x, NULL) != PLUGPKG_OK ||
			    plugpkg_set_dry_run(x, NULL) != PLUGPKG_OK)
				return 1;
			said("source_remove", plugpkg_source_remove(x, "test", NULL));
			said("lock_write", plugpkg_lock_write(x, NULL, NULL, NULL));
			said("hold", plugpkg_hold(x, &hold, NULL, NULL, NULL));
			said("mark", plugpkg_mark(x, &mark, NULL, NULL, NULL));
			said("clean", plugpkg_clean(x, &clean, NULL, NULL, NULL));
			said("log_write", plugpkg_log_write(x, "info", "hello", NULL));
			said("update", plugpkg_update(x, NULL, NULL, NULL));
			said("recover", plugpkg_recover(x, NULL, NULL, NULL));
			said("repair", plugpkg_repair(x, NULL, 0, NULL, NULL, NULL));
			said("plan_make", plugpkg_plan_make(x, &r, &plan, NULL));
			said("plan_commit", plugpkg_plan_commit(plan, NULL, NULL, NULL));
			said("sync_plan", plugpkg_sync_plan(x, 0, &sync, NULL));
			plugpkg_plan_free(plan);
			plugpkg_plan_free(sync);
			plugpkg_close(x);
			return 0;
		}
	END
	"$compiler" -std=c11 -Wall -I"$top_srcdir/include" -o dry dry.c "$library" -Wl,-rpath,"${library%/*}"
	make_repo
	publish "$(build_plugin base 1.0.0)" "$(build_plugin other 1.0.0)"
	make_root
	plugpkg install base -y
	jq '.plugins.other = "^1"' root/plugpkg.json >wanted && cp wanted root/plugpkg.json
	# What is cached is old; half of it, too, is damaged.
	find root/var/cache -type f -exec touch -d '3 hours ago' {} +
	find root/var/cache -type f -size +0 | sort | while read -r file && read -r _; do
		dd if=/dev/zero of="$file" bs=1 count=1 conv=notrunc status=none
		touch -d '3 hours ago' "$file"
	done
	find root -printf '%p %s %i %T@ %C@\n' | sort >before
	run ./dry root
	find root -printf '%p %s %i %T@ %C@\n' | sort | diff before -
	assert_status 0
	assert_equal "$(grep -vc ': usage$' <<<"$output")" 2
	assert_has "plan_make: ok" "sync_plan: ok"
}

@test "a context that was cancelled stays so, as its header says, and the next one of the root goes on" {
	cat >cancel.c <<-'END'
		#include <plugpkg.h>
		#include <stdio.h>

		int
		main(int argc, char **argv)
		{
			plugpkg_context *x = NULL, *next = NULL;

			if (argc != 2 || plugpkg_open(argv[1], &x, NULL) != PLUGPKG_OK)
				return 1;
			plugpkg_cancel(x);
			for (int i = 0; i < 2; i++)
				puts(plugpkg_code_name(plugpkg_update(x, NULL, NULL, NULL)));
			plugpkg_close(x);
			if (plugpkg_open(argv[1], &next, NULL) != PLUGPKG_OK)
				return 1;
			puts(plugpkg_code_name(plugpkg_update(next, NULL, NULL, NULL)));
			plugpkg_close(next);
			return 0;
		}
	END
	"$compiler" -std=c11 -Wall -I"$top_srcdir/include" -o cancel cancel.c "$library" -Wl,-rpath,"${library%/*}"
	make_repo
	make_root
	run ./cancel root
	assert_status 0
	assert_equal "$output" $'interrupted\ninterrupted\nok'
}

@test "a program that ignores SIGCHLD gets plugins without scripts, and is told of scripts at once why not" {
	local dir
	cat >careless.c <<-'END'
		#include <plugpkg.h>
		#include <signal.h>
		#include <stdio.h>

		int
		main(int argc, char **argv)
		{
			plugpkg_context *ctx;
			plugpkg_error *err = NULL;
			plugpkg_plan *plan = NULL;
			const char *targets[] = { argv[argc - 1] };
			struct plugpkg_request request = {
				.verb = PLUGPKG_INSTALL, .targets = targets, .n_targets = 1,
			};

			signal(SIGCHLD, SIG_IGN);
			enum plugpkg_code rc = plugpkg_open(argv[1], &ctx, &err);
			if (rc == PLUGPKG_OK)
				rc = plugpkg_plan_make(ctx, &request, &plan, &err);
			if (rc == PLUGPKG_OK)
				rc = plugpkg_plan_commit(plan, NULL, NULL, &err);
			if (rc != PLUGPKG_OK)
				puts(plugpkg_error_message(err));
			plugpkg_error_free(err);
			plugpkg_plan_free(plan);
			plugpkg_close(ctx);
			return rc == PLUGPKG_OK ? 0 : 1;
		}
	END
	"$compiler" -std=gnu11 -Wall -I"$top_srcdir/include" -o careless careless.c "$library" -Wl,-rpath,"${library%/*}"
	make_repo
	dir=$(make_plugin scripted 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install true
	publish "$(build_plugin plain 1.0.0)" "$(build_plugin scripted 1.0.0)"
	make_root
	run timeout 60 ./careless "$PLUGPKG_ROOT" plain
	assert_status 0
	assert_installed plain 1.0.0
	run timeout 60 ./careless "$PLUGPKG_ROOT" scripted
	assert_status 1
	assert_has "script 'install' of scripted 1.0.0 ended, but how is not known" "ignores SIGCHLD"
	assert_not_installed scripted
}

@test "a child that a host forks while a call runs does not keep the root locked" {
	local dir
	cat >forking.c <<-'END'
		#include <plugpkg.h>
		#include <pthread.h>
		#include <signal.h>
		#include <stdio.h>
		#include <sys/wait.h>
		#include <unistd.h>

		static char **args;

		static enum plugpkg_code
		install(const char *name)
		{
			const char *targets[] = { name };
			struct plugpkg_request r = { .verb = PLUGPKG_INSTALL, .targets = targets, .n_targets = 1 };
			plugpkg_context *ctx = NULL;
			plugpkg_error *err = NULL;
			plugpkg_plan *plan = NULL;
			enum plugpkg_code rc = plugpkg_open(args[1], &ctx, &err);

			if (rc == PLUGPKG_OK) {
				plugpkg_set_lock_wait(ctx, 0);
				rc = plugpkg_plan_make(ctx, &r, &plan, &err);
			}
			if (rc == PLUGPKG_OK)
				rc = plugpkg_plan_commit(plan, NULL, NULL, &err);
			if (rc != PLUGPKG_OK)
				puts(plugpkg_error_message(err));
			plugpkg_error_free(err);
			plugpkg_plan_free(plan);
			plugpkg_close(ctx);
			return rc;
		}

		static void *
		first(void *failed)
		{
			*(int *)failed = install("slow") != PLUGPKG_OK;
			return NULL;
		}

		int
		main(int argc, char **argv)
		{
			pthread_t thread;
			int failed = 1;

			args = argv;
			if (argc != 3 || pthread_create(&thread, NULL, first, &failed) != 0)
				return 2;
			while (access(argv[2], F_OK) < 0)
				usleep(10000);
			pid_t child = fork();
			if (child == 0) {
				sleep(60);
				_exit(0);
			}
			FILE *gate = fopen("gate", "w");
			fclose(gate);
			pthread_join(thread, NULL);
			failed = failed || install("plain") != PLUGPKG_OK;
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
			return failed;
		}
	END
	"$compiler" -std=gnu11 -Wall -pthread -I"$top_srcdir/include" -o forking forking.c "$library" \
		-Wl,-rpath,"${library%/*}"
	mkfifo gate
	make_repo
	dir=$(make_plugin slow 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "echo begun >'$SCRATCH/begun'; cat '$SCRATCH/gate' >/dev/null"
	publish "$(build_plugin plain 1.0.0)" "$(build_plugin slow 1.0.0)"
	make_root
	run timeout 50 ./forking "$PLUGPKG_ROOT" begun
	assert_status 0
	assert_equal "$output" ""
	assert_installed slow 1.0.0
	assert_installed plain 1.0.0
}

@test "a host that cancels what waits for another publisher is answered at once" {
	need flock
	cat >waiting.c <<-'END'
		#include <plugpkg-repo.h>
		#include <pthread.h>
		#include <stdio.h>
		#include <unistd.h>

		static void
		on_event(const struct plugpkg_event *ev, void *user)
		{
			if (ev->type == PLUGPKG_EVENT_LOCK_WAIT)
				++*(int *)user;
		}

		static void *
		cancel(void *repo)
		{
			usleep(300000);
			plugpkg_repo_cancel(repo);
			return NULL;
		}

		int
		main(int argc, char **argv)
		{
			plugpkg_repo *repo = NULL;
			pthread_t thread;
			const char *archives[] = { argv[2] };
			const struct plugpkg_repo_add_spec spec = { .archives = archives, .n_archives = 1 };
			int n_told = 0;

			if (argc != 3 || plugpkg_repo_open(argv[1], &repo, NULL) != PLUGPKG_OK)
				return 2;
			plugpkg_repo_set_event_fn(repo, on_event, &n_told);
			if (pthread_create(&thread, NULL, cancel, repo) != 0)
				return 2;
			puts(plugpkg_code_name(plugpkg_repo_add(repo, &spec, NULL, NULL, NULL)));
			printf("told: %d\n", n_told);
			pthread_join(thread, NULL);
			plugpkg_repo_close(repo);
			return 0;
		}
	END
	"$compiler" -std=gnu11 -Wall -pthread -I"$top_srcdir/include" -o waiting waiting.c "$library" \
		-Wl,-rpath,"${library%/*}"
	make_repo
	archive=$(build_plugin x 1.0.0)
	exec 9<repo
	flock 9
	run timeout 10 ./waiting repo "$archive" 9<&-
	assert_status 0
	assert_equal "$output" "interrupted
told: 1"
}
