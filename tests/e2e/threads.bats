#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An application with several threads: each has a context of its own, one may cancel what another does.

setup() {
	load ../helpers
	load servers
	setup_scratch
	threads=$top_builddir/tests/threads
}

teardown() {
	stop_servers
}

# roots N: roots root-1 to root-N that know SCRATCH/repo at URL.
roots() {
	local i
	for ((i = 1; i <= $1; i++)); do
		PLUGPKG_ROOT=$SCRATCH/root-$i plugpkg init "$SCRATCH/root-$i" >/dev/null
		PLUGPKG_ROOT=$SCRATCH/root-$i plugpkg source add test "$URL" \
			--key "$SCRATCH/repo/public/metadata/1.root.json" >/dev/null
	done
}

# says_it_runs NAME: a plugin whose install script says so and then waits, once.
says_it_runs() {
	local dir
	dir=$(make_plugin "$1" 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "echo running; [ -e '$SCRATCH/go' ] || { : >'$SCRATCH/begun'; sleep 300; }"
	build_plugin "$1" 1.0.0
}

# forks_freely: a sanitizer has locks of its own; in what is forked while another thread holds one, it waits
# for it for ever (seen with TSan's allocator of gcc 12).
forks_freely() {
	is_plain_build || skip "programs that watch themselves cannot fork beside other threads"
}

@test "threads change a root each at the same time" {
	forks_freely
	make_repo
	publish "$(build_plugin base 1.0.0)" "$(build_plugin top 1.0.0 '"requires": {"base": "^1"}')"
	serve web repo/public
	roots 4
	run timeout 300 "$threads" work 2 root-1 top root-2 base root-3 top root-4 base
	assert_status 0
	assert_equal "$output" ""
	for i in 1 2 3 4; do
		run plugpkg --root "root-$i" check
		assert_status 0
		run plugpkg --root "root-$i" history --json
		assert_equal "$(jq -s 'map(select(.type == "history")) | length' <<<"$output")" 4
	done
}

# Each script's process waits until it has been noted, and holds meanwhile what the others have open.
@test "threads run scripts at the same time" {
	forks_freely
	local dir
	make_repo
	dir=$(make_plugin base 1.0.0 '"scripts": {"install": "scripts/install.sh",
		"uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" install "echo here"
	add_script "$dir" uninstall "echo gone"
	publish "$(build_plugin base 1.0.0)"
	URL=file://$SCRATCH/repo/public
	roots 8
	run timeout 60 "$threads" work 3 root-1 base root-2 base root-3 base root-4 base \
		root-5 base root-6 base root-7 base root-8 base
	assert_status 0
	assert_equal "$output" ""
}

@test "threads that change one root do so one after the other" {
	forks_freely
	local name
	make_repo
	for name in a b c; do publish "$(build_plugin "$name" 1.0.0)"; done
	serve web repo/public
	roots 1
	run timeout 300 "$threads" work 2 root-1 a root-1 b root-1 c
	assert_status 0
	assert_equal "$output" ""
	run plugpkg --root root-1 check
	assert_status 0
	assert_equal "$(plugpkg --root root-1 list)" ""
	run plugpkg --root root-1 history --json
	assert_equal "$(jq -s 'map(select(.type == "history")) | length' <<<"$output")" 12
}

@test "a context can be handed on from thread to thread" {
	make_repo
	publish "$(build_plugin base 1.0.0)"
	serve web repo/public
	roots 1
	run timeout 60 "$threads" hand-on root-1 base
	assert_status 0
	assert_equal "$output" ""
}

@test "another thread cancels a download, and nothing has changed" {
	local dir
	make_repo
	dir=$(make_plugin base 1.0.0)
	head -c 3000000 /dev/urandom >"$dir/large"
	publish "$(build_plugin base 1.0.0)"
	serve web repo/public
	roots 1
	plugpkg --root root-1 update
	order web "rate-200000@*.plug"
	tree_state root-1 >before
	run timeout 60 "$threads" cancel fetch root-1 base
	assert_status 0
	assert_equal "$output" ""
	tree_state root-1 | diff before -
}

@test "another thread cancels a script, and everything was undone" {
	make_repo
	publish "$(says_it_runs slow)"
	serve web repo/public
	roots 1
	plugpkg --root root-1 update
	tree_state root-1 >before
	run timeout 60 "$threads" cancel script root-1 slow
	assert_status 0
	assert_equal "$output" ""
	tree_state root-1 | diff before -
}

@test "another thread cancels the wait for the lock" {
	make_repo
	publish "$(says_it_runs slow)" "$(build_plugin base 1.0.0)"
	serve web repo/public
	roots 1
	plugpkg --root root-1 update
	plugpkg --root root-1 install slow -y >out 2>&1 3>&- &
	for ((i = 0; i < 200; i++)); do
		[ ! -e begun ] || break
		sleep 0.05
	done
	run timeout 60 "$threads" cancel lock root-1 base
	kill -INT "$!"
	wait "$!" || :
	assert_status 0
	assert_equal "$output" ""
	run plugpkg --root root-1 check
	assert_status 0
	assert_equal "$(plugpkg --root root-1 list)" ""
}
