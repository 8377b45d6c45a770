#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Loss of power. All states that it may leave take minutes: make fault-power; here a sample of them.

setup() {
	load ../helpers
	setup_scratch
}

# traced: is there an strace that may trace?
traced() {
	need strace python3 jq sqlite3
	strace -o /dev/null true || skip "no process may be traced here"
}

@test "after a loss of power in an install the root is the old or the new one" {
	takes_minutes
	traced
	run bash "$top_srcdir/tests/fault/power.sh" --every 90 --seeds 1 install
	assert_status 0
	assert_has " 0 failures"
}

@test "after a loss of power in a publish clients find all that the timestamp leads to" {
	traced
	run bash "$top_srcdir/tests/fault/power.sh" --every 4 --seeds 1 publish
	assert_status 0
	assert_has " 0 failures"
}

@test "recover begins a new log where the old one is damaged, and keeps that" {
	plugpkg init "$PLUGPKG_ROOT"
	plugpkg log --write info "a line"
	size=$(stat -c %s "$PLUGPKG_ROOT/var/log.db")
	head -c "$((size - 4096))" /dev/zero |
		dd of="$PLUGPKG_ROOT/var/log.db" bs=4096 seek=1 conv=notrunc status=none
	run plugpkg check
	assert_status 1
	assert_has "var/log.db is damaged"
	run plugpkg recover
	assert_status 0
	assert_has "var/log.db is damaged; it is now var/log.db.damaged-"
	run plugpkg check
	assert_status 0
	plugpkg log --write info "another line"
	run plugpkg log
	assert_has "another line"
	assert_exists "$PLUGPKG_ROOT"/var/log.db.damaged-*
}
