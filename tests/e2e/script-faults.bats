#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scripts that are missing, broken or hostile, and plugins that claim too much: a clear error, and the
# root as it was before.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin base 1.0.0 >/dev/null
	publish "$(build_plugin base 1.0.0)"
	make_root
	plugpkg install base -y
}

# offer BODY [MEMBERS]: plugin `bad` with this install script, published.
offer() {
	local dir
	dir=$(make_plugin bad 1.0.0 "\"requires\": {\"base\": \"*\"},
		\"scripts\": {\"install\": \"scripts/install.sh\", \"uninstall\": \"scripts/uninstall.sh\"}${2:+, $2}")
	add_script "$dir" uninstall
	add_script "$dir" install "$1"
	publish "$(build_plugin bad 1.0.0)"
	plugpkg update
}

# refused STATUS TEXT...: `install bad` ends so, in a minute at most, and nothing is lost.
refused() {
	local wanted=$1
	shift
	tree_state "$PLUGPKG_ROOT" >before
	run timeout 60 plugpkg install bad -y
	assert_status "$wanted"
	assert_has "$@"
	tree_state "$PLUGPKG_ROOT" | diff before -
	assert_installed base 1.0.0
	assert_not_installed bad
	run plugpkg check
	assert_status 0
	run plugpkg is-installing
	assert_status 1
}

# linked MEMBERS: a directory `bad`, for what no build lets through.
linked() {
	make_plugin bad 1.0.0 "$1" >/dev/null
}

# link_refused STATUS TEXT...: `link` of it ends so.
link_refused() {
	local wanted=$1
	shift
	tree_state "$PLUGPKG_ROOT" >before
	run timeout 60 plugpkg link "$(plugin_dir bad 1.0.0)" -y
	assert_status "$wanted"
	assert_has "$@"
	tree_state "$PLUGPKG_ROOT" | diff before -
	assert_not_installed bad
	run plugpkg check
	assert_status 0
}

@test "a script that is missing is named" {
	linked '"scripts": {"install": "scripts/none.sh"}'
	link_refused 7 "scripts/none.sh" "no such file or directory" "[script-failed]"
}

@test "a script that is not executable is named" {
	linked '"scripts": {"install": "install.sh"}'
	echo '#!/bin/sh' >"$(plugin_dir bad 1.0.0)/install.sh"
	chmod 644 "$(plugin_dir bad 1.0.0)/install.sh"
	link_refused 7 "script 'install.sh' of bad 1.0.0 is not executable" "[script-failed]"
}

@test "a script without a known interpreter, or without any, is explained" {
	linked '"scripts": {"install": "install.sh"}'
	printf '#!/no/such/interpreter\n' >"$(plugin_dir bad 1.0.0)/install.sh"
	chmod 755 "$(plugin_dir bad 1.0.0)/install.sh"
	link_refused 7 "cannot run script 'install.sh' of bad 1.0.0" "interpreter"
	printf 'echo no first line\n' >"$(plugin_dir bad 1.0.0)/install.sh"
	link_refused 7 "cannot run script 'install.sh' of bad 1.0.0" "interpreter"
}

@test "a script that is a directory, or a way out of the plugin, is refused" {
	linked '"scripts": {"install": "scripts"}'
	mkdir "$(plugin_dir bad 1.0.0)/scripts"
	link_refused 7 "is not a regular file"
	linked '"scripts": {"install": "../../x.sh"}'
	link_refused 1 "scripts.install" "[bad-manifest]"
}

@test "binary garbage on its output does no harm, to the terminal or the log" {
	offer 'head -c 300000 /dev/urandom; echo; exit 3'
	plugpkg install bad -y >out 2>&1 || status=$?
	assert_equal "$status" 7
	LC_ALL=C run ! grep -aP '[\x00-\x08\x0b-\x1f\x7f]' out
	iconv -f UTF-8 -t UTF-8 out >/dev/null
	run plugpkg log --json
	assert_status 0
	jq -e . <<<"$output" >/dev/null
	assert_not_installed bad
}

@test "S54: a gigabyte of output is cut off, in lines or in one" {
	offer "yes 'a line of no use at all' | head -c 600000000; head -c 400000000 /dev/zero | tr '\\\\0' x; exit 3"
	tree_state "$PLUGPKG_ROOT" >before
	timeout 120 plugpkg install bad -y >out 2>&1 || status=$?
	assert_equal "$status" 7
	grep -q 'output truncated' out
	[ "$(stat -c %s out)" -lt 8000000 ]
	[ "$(stat -c %s "$PLUGPKG_ROOT/var/log.db")" -lt 16000000 ]
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "a process that forks away does not hold plugpkg up, nor keep its output open" {
	offer "(sleep 300; echo late) & echo \$! >'$SCRATCH/child'; setsid sh -c 'sleep 20' & echo \$! >'$SCRATCH/away'; exit 3"
	SECONDS=0
	refused 7 "failed with exit status 3"
	[ "$SECONDS" -lt 15 ]
	is_gone "$(cat child)"
	is_gone "$(cat away)"
}

# is_gone PID: dead, or a corpse where nobody reaps
is_gone() {
	local state
	state=$(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null || echo gone)
	[[ $state == gone || $state == Z ]]
}

@test "S54: a process that leaves its session, its parent and its environment ends with the script all the same" {
	cat >daemon <<-END
		#!/bin/sh
		trap '' TERM HUP
		sleep 300 &
		echo \$\$ >'$SCRATCH/away'
		echo \$! >'$SCRATCH/child'
		wait
	END
	chmod 755 daemon
	offer "(setsid env -i PATH=\"\$PATH\" '$SCRATCH/daemon' >/dev/null 2>&1 &)
until [ -s '$SCRATCH/child' ]; do sleep 0.01; done"
	run plugpkg install bad -y --debug
	assert_status 0
	assert_has "left processes behind"
	is_gone "$(cat away)"
	is_gone "$(cat child)"
}

@test "S54: a script that ignores SIGTERM is killed after its time limit" {
	offer "trap '' TERM HUP INT; while :; do sleep 0.2; done" '"timeout": 1'
	refused 7 "ran longer than its time limit of 1 s and was killed"
}

@test "a script that calls plugpkg to change its own root is refused at once; reading is allowed" {
	offer "'$PLUGPKG_PROGRAM' --root \"\$PLUGPKG_ROOT\" list >'$SCRATCH/list' 2>&1 || echo \"list \$?\" >>'$SCRATCH/list'
'$PLUGPKG_PROGRAM' --root \"\$PLUGPKG_ROOT\" remove base -y >'$SCRATCH/inner' 2>&1 || echo \"status \$?\" >>'$SCRATCH/inner'
exit 4"
	SECONDS=0
	refused 7 "failed with exit status 4"
	[ "$SECONDS" -lt 15 ]
	grep -q '^base' list
	grep -q "called from a script of transaction" inner
	grep -q '^status 9$' inner
}

@test "an exit status that nobody knows is a failure, whatever it is" {
	for code in 1 10 20 99 127 255; do
		offer "exit $code"
		refused 7 "script 'install' of bad 1.0.0 failed with exit status $code" "everything was undone"
		rm -rf repo
		make_repo
		publish "$(build_plugin base 1.0.0)"
		rm -rf "$PLUGPKG_ROOT"
		make_root
		plugpkg install base -y
	done
}

@test "a script that is killed by a signal is told so" {
	# shellcheck disable=SC2016 # expands in the script
	offer 'kill -SEGV $$'
	refused 7 "was killed by signal 11"
}

@test "a level that is negative, no number, too high or left out is refused by its field" {
	for level in '-1' '"0"' 1.5 1001 null; do
		linked "\"scripts\": {\"post-install\": [{\"level\": $level, \"run\": \"payload.txt\"}]}"
		link_refused 1 "field 'scripts.post-install[0].level'" "a number from 0 to 1000" "[bad-manifest]"
		run plugpkg build "$(plugin_dir bad 1.0.0)"
		assert_status 1
	done
	linked '"scripts": {"post-install": [{"run": "payload.txt"}]}'
	link_refused 1 "field 'scripts.post-install[0].level' is missing"
}

# ---- tables ----------------------------------------------------------------------------------

@test "a table that an installed plugin owns cannot be owned by another one: the plan names both" {
	make_plugin owner 1.0.0 '"data": {"tables": ["animal", "zoo"]}' >/dev/null
	publish "$(build_plugin owner 1.0.0)"
	plugpkg update
	plugpkg install owner -y
	offer true '"data": {"tables": ["cage", "zoo"]}'
	refused 9 "table 'zoo' would belong to two plugins: bad 1.0.0 and owner 1.0.0 (installed)" "[refused]"
	assert_missing calls
	run plugpkg install bad --dry-run
	assert_status 9
	# In its place it may.
	run plugpkg install bad owner- -y
	assert_status 0
	assert_installed bad 1.0.0
}

@test "two plugins of one plan cannot own the same table; an upgrade keeps its own" {
	make_plugin owner 1.0.0 '"data": {"tables": ["zoo"]}' >/dev/null
	make_plugin owner 1.1.0 '"data": {"tables": ["zoo"]}' >/dev/null
	publish "$(build_plugin owner 1.0.0)" "$(build_plugin owner 1.1.0)"
	offer true '"data": {"tables": ["zoo"]}'
	run plugpkg install owner bad -y
	assert_status 9
	assert_has "table 'zoo' would belong to two plugins: bad 1.0.0 and owner 1.1.0" "[refused]"
	assert_not_installed owner bad
	plugpkg install owner@1.0 -y
	run plugpkg install owner@1.1 -y
	assert_status 0
	assert_installed owner 1.1.0
}

@test "an archive or a directory that owns another's table is refused as well" {
	make_plugin owner 1.0.0 '"data": {"tables": ["zoo"]}' >/dev/null
	publish "$(build_plugin owner 1.0.0)"
	plugpkg update
	plugpkg install owner -y
	linked '"data": {"tables": ["zoo"]}'
	link_refused 9 "table 'zoo'" "owner 1.0.0 (installed)"
	run plugpkg install "$(build_plugin bad 1.0.0)" -y
	assert_status 9
	assert_not_installed bad
}
