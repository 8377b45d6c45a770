#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One log: what plugpkg and the scripts said, found again by plugin, time, level and transaction.

setup() {
	load ../helpers
	setup_scratch
	make_repo
}

# talker NAME [BODY]: a plugin whose install script says something; published, the root made.
talker() {
	local dir
	dir=$(make_plugin "$1" 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "${2:-echo 2 tables to install}"
	publish "$(build_plugin "$1" 1.0.0)"
}

# lines [ARGS]: "LEVEL CHANNEL PLUGIN TXN TEXT" of the log
lines() {
	plugpkg log --json "$@" | jq -r 'select(.type == "log") |
		[.level, .channel, .plugin // "-", .transaction // "-", .text] | join(" ")'
}

# config JQ: edits plugpkg.json of the root
config() {
	jq "$1" "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/edited"
	cp "$SCRATCH/edited" "$PLUGPKG_ROOT/plugpkg.json"
}

@test "the lines of a script stand between those of plugpkg" {
	talker user
	make_root
	plugpkg install user -y
	run plugpkg log --transaction 1
	assert_status 0
	text=$(sed -E 's/^[^ ]+ //' <<<"$output" | grep -v 'transaction 1')
	assert_equal "$text" "info    installing user 1.0.0
info    user: 2 tables to install
info    user: install successfully completed"
	[[ ${lines[0]} =~ ^20[0-9-]{8}T[0-9:]{8}\.[0-9]{3}Z ]]
}

@test "lines are found by plugin, level and transaction" {
	talker a
	talker b 'echo two'
	make_root
	plugpkg install a -y
	plugpkg install b -y
	assert_equal "$(lines a | grep -c .)" 3
	assert_equal "$(lines b | grep -c ' 2 ')" 3
	assert_equal "$(lines --transaction last b)" "$(lines --transaction 2 b)"
	assert_equal "$(lines --transaction 2 a)" ""
	assert_equal "$(lines a b | grep -c 'successfully completed')" 2
	plugpkg log --write warning look here
	assert_equal "$(lines --level warning)" "warning operator - - look here"
	assert_equal "$(lines --level error)" ""
	run plugpkg log --level loud
	assert_status 2
	assert_has "debug, info, warning or error"
	run plugpkg log --transaction 99
	assert_status 4
	assert_has "there is no transaction 99"
	run plugpkg log --transaction many
	assert_status 2
	run plugpkg log 'No Name'
	assert_status 2
	assert_has "[bad-name]"
}

@test "lines are found by time, by the clock of PLUGPKG_NOW" {
	talker user
	make_root
	PLUGPKG_NOW=2026-11-20T09:00:00Z plugpkg install user -y
	export PLUGPKG_NOW=2026-11-21T14:00:00Z
	plugpkg log --write info later
	assert_equal "$(lines --time 'last 5 mins')" "info operator - - later"
	assert_equal "$(lines --time today)" "info operator - - later"
	assert_equal "$(lines --time yesterday user | grep -c .)" 3
	assert_equal "$(lines --time 2026-11-20 user | grep -c .)" 3
	assert_equal "$(lines --since '2 hours ago')" "info operator - - later"
	assert_equal "$(lines --until 2026-11-21 | grep -c later || true)" 0
	assert_equal "$(lines --since 2026-11-20T08:59:00Z --until 2026-11-20T09:01:00Z user | grep -c .)" 3
	for text in soon 'last 5' '5 mins' tomorrow; do
		run plugpkg log --time "$text"
		assert_status 2
		assert_has "'$text' is no period of time" "last 5 mins" "yesterday"
	done
	run plugpkg log --since nonsense
	assert_status 2
	assert_has "is no time" "5 mins ago"
	run plugpkg log --time today --since today
	assert_status 2
	run plugpkg log --since today --until yesterday
	assert_status 2
	run plugpkg log --time today --write info text
	assert_status 2
}

@test "a script writes into the log of the transaction that holds the lock, and debug only when asked" {
	talker user "'$PLUGPKG_PROGRAM' log --write debug 'table t of 2'
'$PLUGPKG_PROGRAM' log --write info 'user: ok'
'$PLUGPKG_PROGRAM' log --write error 'bad
worse'"
	make_root
	run plugpkg install user -y --no-wait
	assert_status 0
	assert_equal "$(lines user | grep ' plugin ')" "info plugin user 1 user: ok
error plugin user 1 bad
error plugin user 1 worse"
	plugpkg install user --reinstall -y --debug
	assert_equal "$(lines --transaction 2 --level debug | grep 'plugin user')" \
		"debug plugin user 2 table t of 2
info plugin user 2 user: ok
error plugin user 2 bad
error plugin user 2 worse"
	config '.log = {"level": "debug"}'
	plugpkg install user --reinstall -y
	assert_equal "$(lines --transaction 3 | grep -c 'table t of 2')" 1
	config '.log = {"level": "warning"}'
	plugpkg install user --reinstall -y
	assert_equal "$(lines --transaction 4 | grep 'plugin user')" "error plugin user 4 bad
error plugin user 4 worse"
	config '.log = {"level": "loud"}'
	run plugpkg list
	assert_status 1
	assert_has "log.level" "[bad-config]"
}

@test "nothing is overwritten: each transaction keeps its lines" {
	talker user
	make_root
	plugpkg install user -y
	before=$(lines --transaction 1)
	plugpkg remove user -y
	plugpkg install user -y
	assert_equal "$(lines --transaction 1)" "$before"
	assert_equal "$(lines --transaction 3 | grep -c '2 tables')" 1
}

@test "the log is kept small by size and by age" {
	# shellcheck disable=SC2016 # expands in the script
	talker user 'i=0; while [ $i -lt 3000 ]; do echo "line $i of a script that says a good deal more than it should"; i=$((i + 1)); done'
	make_root
	config '.log = {"max-size": "100 kB", "max-age": "30 days"}'
	PLUGPKG_NOW=2026-01-01T00:00:00Z plugpkg log --write info 'old line'
	export PLUGPKG_NOW=2026-11-21T14:00:00Z
	plugpkg install user -y -q
	[ "$(stat -c %s "$PLUGPKG_ROOT/var/log.db")" -le 110000 ]
	assert_equal "$(lines | grep -c 'old line' || true)" 0
	assert_equal "$(lines | grep -c 'line 2999 of')" 1
	config '.log = {"max-age": "30 days"}'
	plugpkg log --write info 'recent line'
	PLUGPKG_NOW=2026-12-25T14:00:00Z plugpkg remove user -y
	assert_equal "$(lines | grep -c 'recent line' || true)" 0
}

@test "a damaged log stops nothing: it is set aside" {
	talker user
	make_root
	echo 'this is no database, and long enough to be looked at by whoever opens it as one' >"$PLUGPKG_ROOT/var/log.db"
	run plugpkg log
	assert_status 1
	assert_has "var/log.db is damaged" "[bad-state]"
	run plugpkg install user -y
	assert_status 0
	assert_has "var/log.db is damaged"
	assert_installed user 1.0.0
	assert_equal "$(lines user | grep -c '2 tables')" 1
	grep -q 'this is no database' "$PLUGPKG_ROOT"/var/log.db.damaged-*
	rm "$PLUGPKG_ROOT/var/log.db"
	mkdir "$PLUGPKG_ROOT/var/log.db"
	run plugpkg install user --reinstall -y
	assert_status 0
	rmdir "$PLUGPKG_ROOT/var/log.db"
	run plugpkg log
	assert_status 0
}

@test "S52: control characters of scripts and operators never reach the terminal" {
	# shellcheck disable=SC2016 # expands in the script
	talker user 'printf "red \033[31m and bell \007\n"; printf "raw \377\376\n"'
	make_root
	plugpkg install user -y
	plugpkg log --write info "$(printf 'title \033]0;x\007')"
	run plugpkg log
	assert_status 0
	[[ $output != *$'\033'* ]]
	[[ $output != *$'\007'* ]]
	assert_has 'red \x1b[31m' 'raw \xff\xfe' 'title \x1b]0;x\x07'
}

@test "following shows the lines of a running transaction as they come, and ends with it" {
	talker user "echo first; while [ ! -e '$SCRATCH/go' ]; do sleep 0.05; done; echo second"
	make_root
	plugpkg install user -y >install.out 2>&1 3>&- &
	installer=$!
	until plugpkg log --transaction last 2>/dev/null | grep -q first; do sleep 0.1; done
	plugpkg log --follow --transaction last >followed 3>&- &
	follower=$!
	until grep -q first followed; do sleep 0.1; done
	run grep second followed
	assert_status 1
	touch go
	wait "$installer"
	wait "$follower"
	grep -q 'user: second' followed
	grep -q 'user: install successfully completed' followed
}

@test "following without a transaction begins with the last lines and is ended by a signal" {
	make_root
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do plugpkg log --write info "line-$i."; done
	plugpkg log --follow --json >followed 3>&- &
	follower=$!
	until grep -q 'line-12\.' followed; do sleep 0.1; done
	run grep 'line-2\.' followed
	assert_status 1
	plugpkg log --write info news
	until grep -q news followed; do sleep 0.1; done
	kill -INT "$follower"
	status=0
	wait "$follower" || status=$?
	assert_status 130
}

@test "outside of a script a line is the operator's, whatever the environment says of another root" {
	make_root
	root=$PLUGPKG_ROOT
	PLUGPKG_TRANSACTION=7 PLUGPKG_NAME=user PLUGPKG_ROOT=/ plugpkg --root "$root" log --write info hello
	assert_equal "$(lines)" "info operator - - hello"
	PLUGPKG_TRANSACTION=7 PLUGPKG_NAME='../x' run plugpkg log --write info hello
	assert_status 2
	PLUGPKG_TRANSACTION=x PLUGPKG_NAME=user run plugpkg log --write info hello
	assert_status 2
	run plugpkg log --write info
	assert_status 2
	run plugpkg log --write loud text
	assert_status 2
}

@test "settings reach scripts and stay out of log, history and messages" {
	local dir
	dir=$(make_plugin a 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" install "[ \"\$DATABASE\" = mysql://app:hunter\$((1 + 1))@db/app ]"
	add_script "$dir" uninstall "[ -n \"\$DATABASE\" ] && exit 3"
	publish "$(build_plugin a 1.0.0)"
	make_root
	config '.settings = {"DATABASE": "mysql://app:hunter2@db/app"}'
	run plugpkg install a -y --debug
	assert_status 0
	assert_lacks hunter2
	run plugpkg remove a -y --debug
	assert_status 7
	assert_lacks hunter2
	run plugpkg log --level debug
	assert_has "a: install successfully completed"
	assert_lacks hunter2
	run plugpkg history show 2 --log
	assert_lacks hunter2
	run grep -rl hunter2 "$PLUGPKG_ROOT"
	assert_equal "$output" "$PLUGPKG_ROOT/plugpkg.json"
}

@test "a transaction has a line of its beginning and one of its end, with its error" {
	local dir
	talker good
	dir=$(make_plugin bad 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install 'echo no such table; exit 3'
	dir=$(make_plugin stay 1.0.0 '"scripts": {"uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" uninstall 'exit 4'
	publish "$(build_plugin bad 1.0.0)" "$(build_plugin stay 1.0.0)"
	make_root
	plugpkg install good stay -y
	run plugpkg install bad -y
	assert_status 7
	run plugpkg remove stay -y
	assert_status 7
	assert_equal "$(lines | grep 'transaction - [0-9] transaction')" \
		"info transaction - 1 transaction 1: install good stay
info transaction - 1 transaction 1: done
info transaction - 2 transaction 2: install bad
error transaction - 2 transaction 2: failed and undone: script 'install' of bad 1.0.0 failed with exit status 3
info transaction - 3 transaction 3: remove stay
error transaction - 3 transaction 3: failed; what has not left yet stays: script 'uninstall' of stay 1.0.0 failed with exit status 4"
	assert_equal "$(lines --level error --transaction 2)" \
		"error transaction - 2 transaction 2: failed and undone: script 'install' of bad 1.0.0 failed with exit status 3"
}
