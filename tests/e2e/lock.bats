#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Two plugpkgs on one root: one works, the other waits and says for whom.

setup() {
	load ../helpers
	setup_scratch
	mkfifo gate
	dir=$(make_plugin slow 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	# Begins when the test has seen it run, ends when the test lets it.
	add_script "$dir" install "echo begun >'$SCRATCH/begun'; cat '$SCRATCH/gate' >/dev/null"
	plugpkg init "$PLUGPKG_ROOT"
}

start_slow() {
	plugpkg link "$(plugin_dir slow 1.0.0)" -y >slow.out 2>&1 3>&- &
	slow=$!
	for ((i = 0; i < 100; i++)); do
		[ -e begun ] && return 0
		sleep 0.05
	done
	cat slow.out >&2
	return 1
}

@test "--no-wait stops at once with 8 and names the holder" {
	start_slow
	run plugpkg update --no-wait
	echo >gate
	wait "$slow"
	assert_status 8
	assert_has "is locked by process $slow (plugpkg link " "[locked]"
}

@test "--wait gives up after its time" {
	start_slow
	run plugpkg update --wait 1
	echo >gate
	wait "$slow"
	assert_status 8
	assert_has "waiting for process $slow"
}

@test "without options it waits, names the holder, and then does its work" {
	start_slow
	plugpkg update >second.out 2>&1 3>&- &
	second=$!
	for ((i = 0; i < 100; i++)); do
		grep -q waiting second.out && break
		sleep 0.05
	done
	echo >gate
	wait "$slow"
	wait "$second"
	grep -q "waiting for process $slow (plugpkg link .*, since [0-9][0-9]:[0-9][0-9]:[0-9][0-9])" \
		second.out
}

@test "reading needs no lock" {
	start_slow
	run timeout 10 plugpkg list
	echo >gate
	wait "$slow"
	assert_status 0
	assert_equal "$output" ""
}

@test "a killed plugpkg leaves no lock and no script behind, and the next one says what was cut off" {
	start_slow
	script=$(pgrep -f "^/bin/sh $SCRATCH/plugins/slow-1.0.0/scripts/install.sh")
	[ -n "$script" ]
	kill -9 "$slow"
	wait "$slow" || true
	for ((i = 0; i < 100; i++)); do
		kill -0 "$script" 2>/dev/null || break
		sleep 0.05
	done
	run ! kill -0 "$script"
	run plugpkg check
	assert_status 1
	assert_has "was cut off before its end"
	timeout 5 sh -c 'echo >gate' # for what the script had started
	run timeout 20 plugpkg update --no-wait
	assert_status 0
	assert_has "was cut off: it was undone"
	run plugpkg check
	assert_status 0
}

@test "a script that calls a mutating plugpkg on its own root is refused at once" {
	dir=$(make_plugin nested 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "PATH=$PATH LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-} \
PLUGPKG_LIBEXEC=$PLUGPKG_LIBEXEC plugpkg --root \"\$PLUGPKG_ROOT\" update"
	run timeout 20 plugpkg link "$dir" -y
	assert_status 7
	assert_has "called from a script of transaction 1 on this root"
	assert_not_installed nested
}

@test "a script may ask its own root" {
	dir=$(make_plugin nested 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "PATH=$PATH LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-} \
PLUGPKG_LIBEXEC=$PLUGPKG_LIBEXEC plugpkg --root \"\$PLUGPKG_ROOT\" list"
	run timeout 20 plugpkg link "$dir" -y
	assert_status 0
}
