#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A plugpkg that was killed: what the next one makes of what it left.

setup() {
	load ../helpers
	setup_scratch
	make_repo
}

# make_slow NAME [KIND]: a plugin whose script KIND says that it runs and waits, until "go" exists.
make_slow() {
	local dir kind
	dir=$(make_plugin "$1" 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh",
		"verify": "scripts/verify.sh", "post-install": [{"level": 0, "run": "scripts/post.sh"}]}')
	for kind in install uninstall post verify; do
		add_script "$dir" "$kind" "echo \"$kind \$PLUGPKG_REASON\" >>'$SCRATCH/calls'
[ $kind != '${2-}' ] || [ -e '$SCRATCH/go' ] || { : >'$SCRATCH/begun'; sleep 300; }
[ ! -e '$SCRATCH/fail-$kind' ]"
	done
}

slow() {
	make_slow "$@"
	publish "$(build_plugin "$1" 1.0.0)"
}

# assert_last STATUS: of the newest transaction, in all of them and alone.
assert_last() {
	run plugpkg history --json
	assert_equal "$(json_get 'select(.type == "history").status' | head -n 1)" "$1"
	run plugpkg history show last --json
	assert_equal "$(json_get 'select(.type == "history").status')" "$1"
}

# kill_in ARGUMENT...: starts plugpkg, waits until the script waits, kills it.
kill_in() {
	local pid
	plugpkg "$@" >out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		[ ! -e begun ] || break
		sleep 0.05
	done
	[ -e begun ] || { cat out >&2; return 1; }
	rm begun
	run plugpkg is-installing --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "installing").command')" "$1 slow"
	assert_last running
	kill -9 "$pid"
	wait "$pid" || true
	run plugpkg is-installing
	assert_status 1
	assert_last abandoned
}

@test "killed in an install script: undone, by recover" {
	slow slow install
	make_root
	tree_state "$PLUGPKG_ROOT" >before
	kill_in install slow -y
	run plugpkg check
	assert_status 1
	assert_has "was cut off before its end"
	run plugpkg recover --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "recovered") | .command + ": " + .result')" "install slow: undone"
	assert_equal "$(cat calls)" "install install
verify rollback
uninstall rollback"
	tree_state "$PLUGPKG_ROOT" | diff before -
	run plugpkg check
	assert_status 0
	run plugpkg recover
	assert_status 0
	assert_has "Nothing to do"
}

@test "killed in an install script: the next command undoes it, says so, and goes on" {
	slow slow install
	make_root
	kill_in install slow -y
	touch go
	run plugpkg install slow -y
	assert_status 0
	assert_has "transaction 1 (install slow) was cut off: it was undone"
	assert_installed slow 1.0.0
}

@test "killed in a post step: undone, the core script as well" {
	slow slow post
	make_root
	tree_state "$PLUGPKG_ROOT" >before
	kill_in install slow -y
	run plugpkg recover
	assert_status 0
	assert_equal "$(cat calls)" "install install
post install
uninstall rollback"
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "killed in an uninstall script: carried to its end" {
	slow slow uninstall
	make_root
	plugpkg install slow -y
	rm calls
	kill_in remove slow -y
	touch go
	run plugpkg recover
	assert_status 0
	assert_has "it was carried to its end"
	assert_equal "$(cat calls)" "uninstall remove
verify rollback
uninstall remove"
	assert_not_installed slow
	assert_equal "$(plugpkg list)" ""
	assert_equal "$(jq -c .plugins "$PLUGPKG_ROOT/plugpkg.json")" '{}'
	run plugpkg check
	assert_status 0
}

@test "what a killed plugpkg had in staging is gone when its transaction is carried to its end" {
	slow slow uninstall
	make_root
	plugpkg install slow -y
	kill_in remove slow -y
	mkdir -p "$PLUGPKG_ROOT/var/staging/unpack-1"
	echo half >"$PLUGPKG_ROOT/var/staging/unpack-1/file"
	touch go
	run plugpkg recover
	assert_status 0
	assert_has "it was carried to its end"
	assert_equal "$(ls -A "$PLUGPKG_ROOT/var/staging")" ""
}

@test "verify decides what it means when the second run of a killed uninstall fails" {
	slow slow uninstall
	make_root
	plugpkg install slow -y
	kill_in remove slow -y
	touch go fail-uninstall fail-verify
	run plugpkg recover
	assert_status 0
	assert_has "it was carried to its end" "script 'uninstall' of slow 1.0.0 failed"
	assert_equal "$(plugpkg list)" ""
	rm go fail-uninstall fail-verify
	touch go
	plugpkg install slow -y
	rm go
	kill_in remove slow -y
	touch go fail-uninstall
	run plugpkg recover
	assert_status 0
	assert_has "stays installed: slow"
	assert_installed slow 1.0.0
}

@test "a verify that cannot tell counts as if the killed script had done something" {
	local dir code
	dir=$(make_plugin slow 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh",
		"verify": "scripts/verify.sh"}')
	add_script "$dir" install ": >'$SCRATCH/begun'; sleep 300"
	add_script "$dir" uninstall "echo uninstall >>'$SCRATCH/calls'; exit 1"
	add_script "$dir" verify "exit \$(cat '$SCRATCH/code')"
	publish "$(build_plugin slow 1.0.0)"
	make_root
	# 1: nothing was there, so it means nothing that uninstall fails.
	echo 1 >code
	kill_in install slow -y
	run plugpkg recover --json
	assert_equal "$(json_get 'select(.type == "recovered").result')" undone
	assert_equal "$(plugpkg list)" ""
	assert_equal "$(cat calls)" uninstall
	for code in 3 126 127 255; do
		echo $code >code
		kill_in install slow -y
		run plugpkg recover
		assert_has "cannot tell how far it came, so its script runs: script 'verify' of slow 1.0.0 failed with exit status $code" \
			"not everything could be undone (uninstall of slow 1.0.0)"
		assert_equal "$(plugpkg list --json | jq -r 'select(.type == "plugin").state')" leftover
		rm -rf "$PLUGPKG_ROOT"
		make_root
	done
}

@test "an install that cannot be undone is a leftover, and its files stay for another try" {
	slow slow install
	make_root
	kill_in install slow -y
	touch go fail-uninstall
	run plugpkg recover
	assert_status 0
	assert_has "not everything could be undone (uninstall of slow 1.0.0)"
	assert_not_installed slow
	assert_equal "$(plugpkg list --json | jq -r 'select(.type == "plugin").state')" leftover
	rm fail-uninstall
	run plugpkg remove slow -y
	assert_status 0
	assert_equal "$(plugpkg list)" ""
}

@test "is-installing says no of a root at rest, and of a crash" {
	make_root
	run plugpkg is-installing
	assert_status 1
	assert_equal "$output" ""
	echo '{"pid": 1, "command": "install x", "transaction": 7}' >"$PLUGPKG_ROOT/var/lock"
	run plugpkg is-installing
	assert_status 1
}

@test "a damaged journal blocks nothing for ever" {
	slow slow install
	make_root
	kill_in install slow -y
	sqlite3 "$PLUGPKG_ROOT/var/state.db" "UPDATE transactions SET intent = '{\"from\":'"
	run plugpkg recover
	assert_status 0
	assert_has "damaged record"
	run plugpkg recover
	assert_has "Nothing to do"
}

# still_alive PID: no corpse either.
still_alive() {
	local state
	state=$(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null || echo gone)
	[[ $state != gone && $state != Z ]]
}

@test "what a script of a killed plugpkg left running is ended before anything is settled" {
	make_slow slow
	# shellcheck disable=SC2016 # expands in the script
	add_script "$(plugin_dir slow 1.0.0)" install '(trap "" TERM HUP; while :; do echo x >>"'"$SCRATCH"'/late"; sleep 0.01; done) &
echo $! >"'"$SCRATCH"'/child"; setsid sleep 100 & echo $! >"'"$SCRATCH"'/service"
: >"'"$SCRATCH"'/begun"; sleep 300'
	publish "$(build_plugin slow 1.0.0)"
	make_root
	tree_state "$PLUGPKG_ROOT" >before
	kill_in install slow -y
	still_alive "$(cat child)"
	run plugpkg recover
	assert_status 0
	assert_has "its script still ran"
	run ! still_alive "$(cat child)"
	size=$(stat -c %s late)
	sleep 0.1
	assert_equal "$(stat -c %s late)" "$size"
	tree_state "$PLUGPKG_ROOT" | diff before -
	# Who left the session on purpose is not the script any more.
	still_alive "$(cat service)"
	kill "$(cat service)"
}

@test "a process that only has the number of a script of long ago is left alone" {
	slow slow install
	make_root
	kill_in install slow -y
	setsid sleep 100 3>&- &
	other=$!
	printf '{"pid":1,"start_ticks":1,"command":"x","transaction":1}\n{"script":%d,"start_ticks":1}' "$other" \
		>"$PLUGPKG_ROOT/var/lock"
	run plugpkg recover
	assert_status 0
	still_alive "$other"
	kill "$other"
}

# begun: files as they are before they get their names, and two that look like it; whole: what is left.
begun() {
	touch "$PLUGPKG_ROOT/.plugpkg.json.new" "$PLUGPKG_ROOT/.plugpkg.lock.new" \
		"$PLUGPKG_ROOT/var/trust/test/.root.json.new" "$PLUGPKG_ROOT/.mine.new"
	ln -s generations/7 "$PLUGPKG_ROOT/.current.new"
}

whole() {
	assert_missing "$PLUGPKG_ROOT/.plugpkg.json.new" "$PLUGPKG_ROOT/.plugpkg.lock.new" \
		"$PLUGPKG_ROOT/var/trust/test/.root.json.new" "$PLUGPKG_ROOT/.current.new"
	assert_exists "$PLUGPKG_ROOT/.mine.new" "$PLUGPKG_ROOT/plugpkg.json" "$PLUGPKG_ROOT/var/trust/test/root.json"
}

@test "what a killed plugpkg had begun to write is deleted by the next one, and no other file" {
	make_root
	begun
	plugpkg -q update
	assert_exists "$PLUGPKG_ROOT/.plugpkg.json.new"
	echo '{"pid": 4194305, "start_ticks": 1, "command": "mark"}' >"$PLUGPKG_ROOT/var/lock"
	run -0 plugpkg -q update
	whole
}

@test "what was begun when the power failed, and left no name in the lock, is deleted by recover" {
	make_root
	begun
	run -0 plugpkg recover
	whole
}

@test "the temporary directory of a killed plugpkg's script goes with the next one, and no other" {
	make_slow slow
	# shellcheck disable=SC2016 # expands in the script
	add_script "$(plugin_dir slow 1.0.0)" install 'echo "$TMPDIR" >"'"$SCRATCH"'/where"; echo x >"$TMPDIR/file"
: >"'"$SCRATCH"'/begun"; sleep 300'
	publish "$(build_plugin slow 1.0.0)"
	make_root
	mkdir tmp
	TMPDIR=$SCRATCH/tmp kill_in install slow -y
	assert_equal "$(dirname "$(cat where)")" "$SCRATCH/tmp"
	assert_exists "$(cat where)/file"
	run -0 plugpkg recover
	assert_missing "$(cat where)"
	for other in plugpkg-mine plugpkg-0123456789abcdef other-0123456789abcdef; do
		mkdir "tmp/$other"
		printf '{"pid":4194305,"start_ticks":1,"command":"x"}\n{"temp":"%s"}' "$SCRATCH/tmp/$other" >"$PLUGPKG_ROOT/var/lock"
		run -0 plugpkg recover
		assert_exists "tmp/$other"
	done
}

@test "what a killed plugpkg left goes with the next one that has its number, as in containers" {
	unshare -pf --mount-proc true 2>/dev/null || skip "cannot make a namespace of processes here"
	make_slow slow
	# shellcheck disable=SC2016 # expands in the script
	add_script "$(plugin_dir slow 1.0.0)" install 'echo "$TMPDIR" >"'"$SCRATCH"'/where"
: >"'"$SCRATCH"'/begun"; sleep 300'
	publish "$(build_plugin slow 1.0.0)"
	make_root
	mkdir tmp
	# The first that the shell starts is number 2. What runs there ends with the shell.
	TMPDIR=$SCRATCH/tmp run unshare -pf --mount-proc sh -c 'plugpkg install slow -y 2>/dev/null &
		until [ -e begun ]; do sleep 0.05; done
		kill -9 $!
		echo $!'
	assert_equal "${lines[-1]}" 2
	assert_exists "$(cat where)"
	assert_equal "$(head -n 1 "$PLUGPKG_ROOT/var/lock" | jq .pid)" 2
	run unshare -pf --mount-proc sh -c 'plugpkg recover & wait $!'
	assert_status 0
	assert_missing "$(cat where)"
}

# unprivileged COMMAND...: with the rights of the owner of files, also where root runs the tests.
unprivileged() {
	if [ "$(id -u)" -eq 0 ]; then set -- setpriv --bounding-set=-dac_override,-dac_read_search "$@"; fi
	"$@"
}

@test "directories without write permission, or closed to their owner, are cleared out of staging" {
	need setpriv
	publish "$(build_plugin p 1.0.0)"
	make_root
	mkdir -p "$PLUGPKG_ROOT/var/staging/left-0/"{cache/deep,closed}
	echo x >"$PLUGPKG_ROOT/var/staging/left-0/cache/deep/file"
	echo x >"$PLUGPKG_ROOT/var/staging/left-0/closed/file"
	chmod 000 "$PLUGPKG_ROOT/var/staging/left-0/closed"
	chmod 555 "$PLUGPKG_ROOT/var/staging/left-0/"{cache/deep,cache}
	run unprivileged plugpkg install p -y
	assert_status 0
	assert_lacks warning
	assert_equal "$(ls -A "$PLUGPKG_ROOT/var/staging")" ""
}

@test "what nobody but root can delete from staging is named, and stands in the way of nothing" {
	local command
	[ "$(id -u)" -eq 0 ] || skip "needs a directory of another user"
	need setpriv
	publish "$(build_plugin p 1.0.0)" "$(build_plugin q 1.0.0)"
	make_root
	# As an unpack helper of root leaves them.
	mkdir -p "$PLUGPKG_ROOT/var/staging/"{unpack-0,unpack-0.0,unpack-0.1,removed-0}
	find "$PLUGPKG_ROOT/var/staging" -mindepth 1 -type d -execdir touch {}/file \;
	chown -R nobody "$PLUGPKG_ROOT/var/staging/"*
	for command in "install p q -y" "remove q -y" repair recover clean; do
		# shellcheck disable=SC2086 # words on purpose
		run unprivileged plugpkg $command
		assert_status 0
		assert_has "warning: cannot clear '$PLUGPKG_ROOT/var/staging/" "permission denied; nothing needs it"
		assert_equal "$(grep -c 'cannot clear' <<<"$output")" 1
	done
	assert_installed p 1.0.0
	assert_not_installed q
	rm -r "$PLUGPKG_ROOT/var/staging/"*
	run unprivileged plugpkg upgrade -y
	assert_status 0
	assert_lacks "cannot clear"
}
