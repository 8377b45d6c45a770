#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The number of a generation is given once: an application may remember by it what it read.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	for name in a b; do
		dir=$(make_plugin "$name" 1.0.0 \
			'"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh"}')
		add_script "$dir" install "basename \"\$PLUGPKG_NEXT\" >>'$SCRATCH/next'
			[ ! -e '$SCRATCH/kill' ] || kill -9 \$PPID
			[ ! -e '$SCRATCH/fail' ]"
		add_script "$dir" uninstall "[ ! -e '$SCRATCH/stay' ]"
		publish "$(build_plugin "$name" 1.0.0)"
	done
	make_root
	mkdir "$PLUGPKG_ROOT/bin"
	printf '#!/bin/sh\n[ ! -e "%s/ill" ]\n' "$SCRATCH" >"$PLUGPKG_ROOT/bin/health"
	chmod 755 "$PLUGPKG_ROOT/bin/health"
	jq '.hooks = {"health": "bin/health"}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
}

current() {
	basename "$(readlink "$PLUGPKG_ROOT/current")"
}

@test "the number of an unhealthy generation is not given again" {
	touch ill
	run plugpkg install a -y
	assert_status 7
	rm ill
	assert_equal "$(current)" 0
	plugpkg install a -y
	assert_equal "$(cat next)" "1
2"
	assert_equal "$(current)" 2
}

@test "nor that of a change whose script failed, or that was cut off and undone" {
	touch fail
	run plugpkg install a -y
	assert_status 7
	rm fail
	touch kill
	run plugpkg install a -y --no-sandbox # which keeps a script from killing
	assert_status 137
	rm kill
	plugpkg recover
	plugpkg install a -y
	assert_equal "$(cat next)" "1
2
3"
	assert_equal "$(current)" 3
}

@test "a change that failed before anybody could learn of its number takes none" {
	mv repo/public/targets/pool repo/public/targets/away
	run plugpkg install a -y
	assert_status 5
	mv repo/public/targets/away repo/public/targets/pool
	plugpkg install a -y
	assert_equal "$(current)" 1
}

@test "nor after clean, and after a removal that stopped half-way" {
	plugpkg install a -y
	plugpkg install b -y
	touch ill
	run plugpkg remove b -y
	assert_status 7
	rm ill
	plugpkg clean
	touch stay
	run plugpkg remove a b -y
	assert_status 7
	rm stay
	# 4 was to be without them, 5 shows who stays.
	assert_equal "$(current)" 5
	plugpkg remove a b -y
	assert_equal "$(current)" 6
	plugpkg clean
	plugpkg install a -y
	assert_equal "$(current)" 7
}

@test "repair takes a number of its own, also for a generation that was lost" {
	plugpkg install a -y
	touch ill
	run plugpkg install b -y
	assert_status 7
	rm ill "$PLUGPKG_ROOT/current/a"
	plugpkg repair -y
	assert_equal "$(current)" 3
	assert_installed a 1.0.0
}
