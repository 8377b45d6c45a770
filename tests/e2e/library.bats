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
