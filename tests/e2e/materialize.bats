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
	assert_exists precious/file
	for dir in store generations generations/1 current var var/x store/base; do
		run plugpkg materialize "$PLUGPKG_ROOT/$dir"
		[ "$status" -ne 0 ]
	done
	run plugpkg check
	assert_status 0
	run plugpkg materialize /nonexistent/dir
	assert_status 1
	run plugpkg materialize .
	assert_status 2
}
