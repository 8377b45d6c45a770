#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The current generation as plain files: whole, in one step, and nothing else is touched.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	local dir
	dir=$(make_plugin base 1.0.0)
	mkdir -p "$dir/sub"
	echo deep >"$dir/sub/file"
	ln -s sub/file "$dir/link"
	make_plugin @acme/top 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin @acme/top 1.0.0)"
	make_root
	plugpkg install @acme/top -y
}

@test "plain files hold what the links show" {
	run plugpkg materialize "$SCRATCH/plain"
	assert_status 0
	assert_has "generation 1"
	[ ! -L plain/base ]
	[ ! -L plain/@acme/top ]
	diff -r plain/base "$PLUGPKG_ROOT/current/base"
	diff -r plain/@acme/top "$PLUGPKG_ROOT/current/@acme/top"
	diff plain/.plugins.json "$PLUGPKG_ROOT/current/.plugins.json"
	assert_link plain/base/link sub/file
	run plugpkg check
	assert_status 0
}

@test "a second one takes the place of the first, and the old files go" {
	plugpkg materialize
	assert_exists "$PLUGPKG_ROOT/plain/base/plugin.json"
	plugpkg remove @acme/top -y
	run plugpkg materialize
	assert_status 0
	assert_missing "$PLUGPKG_ROOT/plain/@acme"
	assert_exists "$PLUGPKG_ROOT/plain/base/plugin.json"
	assert_equal "$(find "$PLUGPKG_ROOT" -name '.plain*')" ""
}

@test "--copy shares no file with the store" {
	plugpkg materialize --copy "$SCRATCH/plain"
	assert_equal "$(stat -c %h plain/base/payload.txt)" 1
	[ "$(stat -c %i plain/base/payload.txt)" != "$(stat -c %i "$PLUGPKG_ROOT/store/base/1.0.0/payload.txt")" ]
}

@test "a working directory that is linked is copied, never shared" {
	dir=$(make_plugin mine 0.1.0)
	plugpkg link "$dir" -y
	run plugpkg materialize "$SCRATCH/plain"
	assert_status 0
	echo changed >"$dir/payload.txt"
	assert_equal "$(cat plain/mine/payload.txt)" "mine 0.1.0"
}

@test "what is no generation is never replaced" {
	mkdir precious
	echo x >precious/file
	run plugpkg materialize "$SCRATCH/precious"
	assert_status 1
	assert_has "is no generation" "[exists]"
	run -1 plugpkg materialize /etc
	assert_has "'/etc' is there"
	assert_exists precious/file
	for dir in store generations generations/1 current var var/x store/base; do
		run plugpkg materialize "$PLUGPKG_ROOT/$dir"
		[ "$status" -ne 0 ]
	done
	run plugpkg check
	assert_status 0
	run plugpkg materialize "$SCRATCH/nowhere/dir"
	assert_status 1
	run plugpkg materialize .
	assert_status 2
}

# injected FAULT COMMAND...: strace lets a system call fail.
injected() {
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -o trace -e trace=all -e inject="$1" "${@:2}"
}

@test "on a file system that cannot exchange two directories the second one takes the place of the first all the same" {
	plain_build
	plugpkg materialize
	plugpkg remove @acme/top -y
	run injected renameat2:error=EINVAL plugpkg materialize
	assert_status 0
	grep -q 'RENAME_EXCHANGE.*INJECTED' trace
	assert_missing "$PLUGPKG_ROOT/plain/@acme"
	assert_exists "$PLUGPKG_ROOT/plain/base/plugin.json"
	assert_equal "$(find "$PLUGPKG_ROOT" -name '.plain*')" ""
}

@test "cut off between the two, the next one goes on" {
	plugpkg materialize
	mv "$PLUGPKG_ROOT/plain" "$PLUGPKG_ROOT/.plain.plugpkg-old"
	run -0 plugpkg materialize
	assert_exists "$PLUGPKG_ROOT/plain/base/plugin.json"
	assert_equal "$(find "$PLUGPKG_ROOT" -name '.plain*')" ""
}

@test "old files that cannot be deleted are named" {
	plain_build
	plugpkg materialize
	run injected unlinkat:error=EIO plugpkg materialize
	assert_status 1
	run -0 plugpkg materialize
	strace -e trace=unlinkat -o calls plugpkg materialize
	n=$(grep -c unlinkat calls)
	run injected "unlinkat:error=EIO:when=$n" plugpkg materialize
	assert_status 0
	assert_has "warning: cannot delete '$PLUGPKG_ROOT/.plain.plugpkg-new': input or output error"
	run -0 plugpkg materialize
	assert_equal "$(find "$PLUGPKG_ROOT" -name '.plain*')" ""
}

@test "a scope that cannot be read is an error, and no generation without it" {
	plain_build
	strace -e trace=getdents64 -o calls plugpkg materialize
	n=$(grep -c getdents calls)
	for ((i = 1; i <= n; i++)); do
		rm -rf "$PLUGPKG_ROOT/plain"
		run injected "getdents64:error=EIO:when=$i" plugpkg materialize
		[ "$status" -eq 1 ] || assert_exists "$PLUGPKG_ROOT/plain/@acme/top/plugin.json" "$PLUGPKG_ROOT/plain/base/sub/file"
	done
}
