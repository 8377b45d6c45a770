#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Making and finding roots.

setup() {
	load ../helpers
	setup_scratch
}

@test "init makes a root that is empty, whole and sound" {
	run plugpkg init "$PLUGPKG_ROOT"
	assert_status 0
	assert_link "$PLUGPKG_ROOT/current" generations/0
	assert_exists "$PLUGPKG_ROOT/store" "$PLUGPKG_ROOT/data" "$PLUGPKG_ROOT/current/.plugins.json" \
		"$PLUGPKG_ROOT/var/state.db" "$PLUGPKG_ROOT/var/log.db"
	assert_equal "$(jq -r .name "$PLUGPKG_ROOT/plugpkg.json")" root
	assert_equal "$(stat -c %a "$PLUGPKG_ROOT/var/staging")" 700
	run plugpkg list
	assert_status 0
	assert_equal "$output" ""
	run plugpkg check
	assert_status 0
}

@test "init takes the application's name and makes the directory" {
	run plugpkg init --name shop "$SCRATCH/new"
	assert_status 0
	assert_equal "$(jq -r .name "$SCRATCH/new/plugpkg.json")" shop
}

@test "init refuses a name that is empty or no text, and makes nothing" {
	run -2 plugpkg init --name "" "$SCRATCH/new"
	assert_has "the application's name is empty"
	run -2 plugpkg init --name $'\xff' "$SCRATCH/new"
	assert_has "the application's name is no UTF-8"
	assert_missing "$SCRATCH/new"
}

@test "init keeps a plugpkg.json that is there, byte for byte" {
	mkdir "$PLUGPKG_ROOT"
	echo '{ "name": "demo", "provides": {"host:demo": "1.2.0"}, "mine": [1,2] }' \
		>"$PLUGPKG_ROOT/plugpkg.json"
	cp "$PLUGPKG_ROOT/plugpkg.json" before
	run plugpkg init "$PLUGPKG_ROOT"
	assert_status 0
	cmp before "$PLUGPKG_ROOT/plugpkg.json"
}

@test "init refuses a plugpkg.json that is not sound and leaves no half a root" {
	mkdir "$PLUGPKG_ROOT"
	echo '{ "name": ' >"$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg init "$PLUGPKG_ROOT"
	assert_status 1
	assert_has "plugpkg.json" "[bad-config]"
	assert_equal "$(ls -A "$PLUGPKG_ROOT")" plugpkg.json
}

@test "init refuses a root" {
	plugpkg init "$PLUGPKG_ROOT"
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg init "$PLUGPKG_ROOT"
	assert_status 1
	assert_has "is already a plugpkg root"
	tree_state "$PLUGPKG_ROOT" | cmp before -
}

@test "an init that was cut off can be repeated" {
	plugpkg init "$PLUGPKG_ROOT"
	rm "$PLUGPKG_ROOT/var/state.db"
	run plugpkg list
	assert_has "not a plugpkg root" "plugpkg init"
	run plugpkg init "$PLUGPKG_ROOT"
	assert_status 0
	run plugpkg check
	assert_status 0
}

@test "init does not empty a root whose state is lost" {
	make_repo
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install a -y
	mv "$PLUGPKG_ROOT/var/state.db" saved
	for command in list check 'install a' 'remove a' sync history; do
		# shellcheck disable=SC2086 # words on purpose
		run -1 plugpkg $command
		assert_has "shows generation 1, but its var/state.db is missing [bad-state]" \
		    "from a backup"
	done
	run -1 plugpkg init "$PLUGPKG_ROOT"
	assert_has "shows generation 1, but its var/state.db is missing [bad-state]" "from a backup"
	assert_installed a 1.0.0
	assert_missing "$PLUGPKG_ROOT/var/state.db"
	mv saved "$PLUGPKG_ROOT/var/state.db"
	run -0 plugpkg check
	rm "$PLUGPKG_ROOT/var/state.db" "$PLUGPKG_ROOT/current"
	run -0 plugpkg init "$PLUGPKG_ROOT"
	assert_link "$PLUGPKG_ROOT/current" generations/0
}

@test "a plugpkg.json that is no regular file is not waited for, and told as what it is" {
	plugpkg init "$PLUGPKG_ROOT"
	mv "$PLUGPKG_ROOT/plugpkg.json" saved
	mkfifo "$PLUGPKG_ROOT/plugpkg.json"
	run -1 timeout 60 plugpkg list
	assert_has "cannot read '$PLUGPKG_ROOT/plugpkg.json': not a regular file [io]"
	rm "$PLUGPKG_ROOT/plugpkg.json"
	mkdir "$PLUGPKG_ROOT/plugpkg.json"
	run -1 plugpkg list
	assert_has "cannot read '$PLUGPKG_ROOT/plugpkg.json': is a directory [io]"
	rmdir "$PLUGPKG_ROOT/plugpkg.json"
	mv saved "$PLUGPKG_ROOT/plugpkg.json"
	run -0 plugpkg list
}

@test "a root lies under a path of any length: it is made, changed, logged, checked and cleaned" {
	need sqlite3
	local deep=$SCRATCH
	while [ ${#deep} -lt 600 ]; do deep+=/$(printf '%0100d' 0); done
	mkdir -p "$deep"
	PLUGPKG_ROOT=$deep/root
	make_repo
	publish "$(build_plugin a 1.0.0)"
	make_root
	run plugpkg install a -y
	assert_status 0
	run plugpkg log
	assert_status 0
	assert_has "install a"
	run plugpkg check
	assert_status 0
	# Room in the state, which clean gives back. Of such paths sqlite3 has the limit itself.
	cp "$PLUGPKG_ROOT/var/state.db" near.db
	sqlite3 near.db "CREATE TABLE room AS SELECT randomblob(1000000); DROP TABLE room"
	cp near.db "$PLUGPKG_ROOT/var/state.db"
	run plugpkg clean --before today
	assert_status 0
	[ "$(stat -c %s "$PLUGPKG_ROOT/var/state.db")" -lt 500000 ] || fail "the state is as large as before"
}

@test "where /proc is not mounted, that is what is said, and init makes nothing" {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	make_repo
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install a -y
	mkdir other
	echo '{"name": "other"}' >other/plugpkg.json
	# without_proc COMMAND
	without_proc() {
		run unshare -m sh -c 'mount -t tmpfs none /proc 2>/dev/null || exit 77; exec "$@"' sh "$@"
		[ "$status" != 77 ] || skip "cannot mount here"
	}
	local question
	for question in list check history log 'remove a -y' "init $SCRATCH/new" "--root other sync"; do
		# shellcheck disable=SC2086 # words on purpose
		without_proc plugpkg $question
		assert_status 1
		assert_has "/proc is not mounted [io]" "hint: " "mount -t proc"
	done
	assert_equal "$(ls -A new other)" "$(printf 'new:\n\nother:\nplugpkg.json')"
	run plugpkg check
	assert_status 0
}

@test "the root is found from a directory inside it" {
	plugpkg init "$PLUGPKG_ROOT"
	mkdir -p "$PLUGPKG_ROOT/app/deep"
	cd "$PLUGPKG_ROOT/app/deep"
	unset PLUGPKG_ROOT
	run plugpkg list
	assert_status 0
}

@test "without a root every command says so and what to do" {
	unset PLUGPKG_ROOT
	for command in list update 'install x' 'remove x' upgrade check clean 'show x' 'source list'; do
		# shellcheck disable=SC2086 # words on purpose
		run plugpkg $command
		assert_status 1
		assert_has "not a plugpkg root" "[no-root]" "plugpkg init"
	done
	run plugpkg --root "$SCRATCH/nowhere" list
	assert_status 1
	assert_has "'$SCRATCH/nowhere' is not a plugpkg root"
}

@test "a root of a newer plugpkg is refused by its number and not touched" {
	need sqlite3
	plugpkg init "$PLUGPKG_ROOT"
	sqlite3 "$PLUGPKG_ROOT/var/state.db" "update meta set value = 9 where key = 'format'"
	tree_state "$PLUGPKG_ROOT" >before
	for command in list update check clean 'install x -y' 'remove --all -y'; do
		# shellcheck disable=SC2086 # words on purpose
		run plugpkg $command
		assert_status 1
		assert_has "made by a newer plugpkg (root format 9; this one knows 2)" "[newer-root]"
	done
	tree_state "$PLUGPKG_ROOT" | cmp before -
}

@test "a state that is no database is named as damaged" {
	plugpkg init "$PLUGPKG_ROOT"
	printf 'no database, just a line of text that is long enough to be looked at' \
		>"$PLUGPKG_ROOT/var/state.db"
	run plugpkg list
	assert_status 1
	assert_has "var/state.db is damaged" "[bad-state]"
}

@test "the schema of plugpkg.json takes and refuses of network and cache what plugpkg does" {
	need python3
	python3 -c 'import jsonschema' 2>/dev/null || skip "no jsonschema for python3"
	plugpkg init app
	cp app/plugpkg.json plain.json
	agree() {
		jq "$2" plain.json >app/plugpkg.json
		run python3 -c 'import json, sys, jsonschema
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))' \
			"$top_srcdir/repo-format/plugpkg.schema.json" app/plugpkg.json
		[ $((status == 0)) -eq "$1" ] || fail "the schema does otherwise: $2: $output"
		run plugpkg --root app update --offline
		[[ $((1 - $1)) -eq 0 || $output == *"[bad-config]"* ]] || fail "plugpkg takes it: $2: $output"
		[[ $1 -eq 0 || $output != *"[bad-config]"* ]] || fail "plugpkg refuses it: $2: $output"
	}
	agree 1 '.network = {"jobs": 32, "per-mirror": 1, "retries": 0, "user": "nobody"} | .cache = {"max-size": "5 MB"}'
	agree 1 '.network.login = {"https://a.example:8080": {"user": "u", "password": "p"}, "http://b": {"token": "t"}}'
	agree 0 '.network.jobs = 0'
	agree 0 '.network.retries = 11'
	agree 0 '.network.user = ""'
	agree 0 '.network.login = {"https://a.example/path": {"token": "t"}}'
	agree 0 '.network.login = {"https://a.example": {"user": "u", "password": "p", "token": "t"}}'
	agree 0 '.network.login = {"https://a.example": {"user": "u"}}'
	agree 0 '.cache = {"max-size": -1}'
}
