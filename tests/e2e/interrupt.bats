#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Ctrl-C at any time: status 130, and the root as it was.

setup() {
	load ../helpers
	setup_scratch
	make_repo
}

# waits_in KIND: a plugin whose script says that it runs and then waits, once.
waits_in() {
	local dir
	dir=$(make_plugin slow 1.0.0 '"scripts": {"install": "scripts/install.sh",
		"uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" install
	add_script "$dir" uninstall
	add_script "$dir" "$1" "echo >'$SCRATCH/begun'; [ -e '$SCRATCH/go' ] || sleep 300"
}

# In a session of its own, as a terminal would signal it; 3 is bats' own descriptor.
start() {
	plugpkg "$@" >out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		[ -e begun ] && return 0
		sleep 0.05
	done
	cat out >&2
	return 1
}

finish() {
	status=0
	wait "$pid" || status=$?
	output=$(cat out)
}

@test "ctrl-C in an install script undoes everything" {
	make_plugin base 1.0.0 >/dev/null
	waits_in install
	publish "$(build_plugin base 1.0.0)" "$(build_plugin slow 1.0.0)"
	make_root
	tree_state "$PLUGPKG_ROOT" >before
	start install base slow -y
	kill -INT "$pid"
	finish
	assert_status 130
	assert_has "interrupted" "everything was undone"
	tree_state "$PLUGPKG_ROOT" | diff before -
	assert_equal "$(plugpkg list)" ""
	run plugpkg check
	assert_status 0
	touch go
	run plugpkg install base slow -y
	assert_status 0
}

@test "SIGTERM does the same" {
	waits_in install
	publish "$(build_plugin slow 1.0.0)"
	make_root
	tree_state "$PLUGPKG_ROOT" >before
	start install slow -y
	kill -TERM "$pid"
	finish
	assert_status 130
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "ctrl-C in an uninstall script leaves the plugin usable" {
	waits_in uninstall
	publish "$(build_plugin slow 1.0.0)"
	make_root
	plugpkg install slow -y
	start remove slow -y
	kill -INT "$pid"
	finish
	assert_status 130
	assert_installed slow 1.0.0
	assert_equal "$(jq -c .plugins "$PLUGPKG_ROOT/plugpkg.json")" '{"slow":"*"}'
	run plugpkg check
	assert_status 0
	touch go
	run plugpkg remove slow -y
	assert_status 0
	assert_not_installed slow
}

@test "ctrl-C and SIGTERM end the wait for an unpack helper that does nothing, and free the lock" {
	local real=$PLUGPKG_LIBEXEC signal
	publish "$(build_plugin base 1.0.0)"
	make_root
	tree_state "$PLUGPKG_ROOT" >before
	mkdir libexec
	printf '#!/bin/sh\necho $$ >"%s/begun"\nkill -STOP $$\n' "$SCRATCH" >libexec/plugpkg-unpack
	chmod 755 libexec/plugpkg-unpack
	for signal in INT TERM; do
		rm -f begun
		PLUGPKG_LIBEXEC=$SCRATCH/libexec start install base -y
		kill -"$signal" "$pid"
		finish
		assert_status 130
		assert_has "nothing was changed" "interrupted"
		assert_missing "/proc/$(cat begun)"
		run -1 plugpkg is-installing
	done
	tree_state "$PLUGPKG_ROOT" | diff before -
	PLUGPKG_LIBEXEC=$real plugpkg install base -y
	assert_installed base 1.0.0
}

# unread COMMAND...: it says more than a pipe takes, to nobody, and two signals end it all the same.
unread() {
	mkfifo stalled
	exec 8<>stalled
	"$@" >stalled 2>&1 3>&- 8<&- &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		[ ! -e begun ] || break
		sleep 0.05
	done
	# It waits in a write now.
	until grep -q "pipe" "/proc/$pid/wchan" 2>/dev/null || [ "$((++i))" -gt 240 ]; do sleep 0.05; done
	kill -INT "$pid"
	sleep 0.2
	kill -TERM "$pid"
	for ((i = 0; i < 200; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	kill -9 "$pid" 2>/dev/null || true
	exec 8<&-
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 130
	rm -f stalled begun
}

@test "ctrl-C ends what nobody reads, in the middle of a transaction too, and undoes it" {
	waits_in install
	add_script "$(plugin_dir slow 1.0.0)" install "echo >'$SCRATCH/begun'; seq -f 'line %.0f of very many' 9000; sleep 300"
	publish "$(build_plugin slow 1.0.0)"
	make_root
	tree_state "$PLUGPKG_ROOT" >before
	for format in "" --json; do
		# shellcheck disable=SC2086 # none or one
		unread plugpkg install slow -y $format
		tree_state "$PLUGPKG_ROOT" | diff before -
	done
	run -1 plugpkg is-installing
}

@test "who reads on after ctrl-C misses no line" {
	waits_in install
	add_script "$(plugin_dir slow 1.0.0)" install "echo >'$SCRATCH/begun'; seq -f 'line %.0f of very many' 9000; sleep 300"
	publish "$(build_plugin slow 1.0.0)"
	make_root
	mkfifo late
	{ until [ -e go ]; do sleep 0.05; done; cat >said; } <late 3>&- &
	reader=$!
	plugpkg install slow -y --json >late 2>&1 3>&- &
	pid=$!
	until [ -e begun ]; do sleep 0.05; done
	sleep 0.5
	kill -INT "$pid"
	touch go
	status=0
	wait "$pid" || status=$?
	wait "$reader"
	assert_equal "$status" 130
	jq -s . said >/dev/null
	assert_equal "$(tail -n 1 said | jq -c '[.type, .code]')" '["result","interrupted"]'
	n=$(grep -c '"text":"line ' said)
	# The last one may be what the script had begun to say when it was ended.
	grep '"text":"line ' said | jq -r .text | sed '$d' | diff - <(seq -f "line %.0f of very many" $((n - 1)))
}

@test "ctrl-C while waiting for the lock" {
	waits_in install
	publish "$(build_plugin slow 1.0.0)"
	make_root
	start install slow -y
	plugpkg update >second.out 2>&1 3>&- &
	second=$!
	until grep -q waiting second.out; do sleep 0.05; done
	kill -INT "$second"
	status=0
	wait "$second" || status=$?
	assert_equal "$status" 130
	kill -INT "$pid"
	finish
	assert_status 130
}

@test "interrupts at random moments never leave anything but the old or the new root" {
	takes_minutes
	for name in a b c d; do
		dir=$(make_plugin "$name" 1.0.0 '"scripts": {"install": "scripts/install.sh",
			"uninstall": "scripts/uninstall.sh"}')
		add_script "$dir" install 'sleep 0.02'
		add_script "$dir" uninstall 'sleep 0.02'
		publish "$(build_plugin "$name" 1.0.0)"
	done
	make_root
	for ((n = 0; n < 30; n++)); do
		plugpkg install a b c d -y >out 2>&1 3>&- &
		pid=$!
		sleep "0.$(printf %02d $((n * 2)))"
		kill -INT "$pid" 2>/dev/null || true
		finish
		count=$(plugpkg list --json | jq -r 'select(.type == "plugin").name' | wc -l)
		# An interrupt that comes after the last word kills the process as any other.
		case $status-$count-$output in
		130-0-* | 0-4-* | 130-4-*Done:*) ;;
		*) fail "status $status with $count plugins" "$output" ;;
		esac
		run plugpkg check
		assert_status 0
		[ "$count" = 0 ] || plugpkg remove --all -y >/dev/null 2>&1
	done
}
