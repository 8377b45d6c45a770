#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The application's versions: written in plugpkg.json, or said by a command that may misbehave in every
# way; what breaks when they change.

setup() {
	load ../helpers
	setup_scratch
	export PLUGPKG_NOW=2026-11-21T12:00:00Z
	make_repo
	make_plugin photos 1.0.0 '"requires": {"host:mishka": ">=0.3 <0.4"}' >/dev/null
	make_plugin photos 1.1.0 '"requires": {"host:mishka": ">=0.4 <0.5"}' >/dev/null
	make_plugin other 1.0.0 >/dev/null
	publish "$(build_plugin photos 1.0.0)" "$(build_plugin photos 1.1.0)" "$(build_plugin other 1.0.0)"
	make_root
	mkdir "$PLUGPKG_ROOT/scripts"
}

# edit FILTER: plugpkg.json through jq
edit() {
	jq "$1" "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/edited"
	cp "$SCRATCH/edited" "$PLUGPKG_ROOT/plugpkg.json"
}

# says BODY: the command that is asked, a shell script
says() {
	printf '#!/bin/sh\n%s\n' "$1" >"$PLUGPKG_ROOT/scripts/versions.sh"
	chmod 755 "$PLUGPKG_ROOT/scripts/versions.sh"
	edit '."provides-from" = "scripts/versions.sh"'
}

# asks_a_file: a command that asks what runs; runs VERSION: what runs
asks_a_file() {
	says 'cat running.json'
}
runs() {
	echo "{\"host:mishka\": \"$1\"}" >"$PLUGPKG_ROOT/running.json"
}

# Every file of the root but what SQLite keeps beside its databases.
digest() {
	(cd "$PLUGPKG_ROOT" && find . ! -name '*-shm' ! -name '*-wal' ! -path ./var/lock -printf '%p %y %m %l\n' \
		\( -type f -exec sha256sum {} \; -o -true \) | sort)
}

# unanswered WORDS...: no plan is made, the words are said, and nothing changed
unanswered() {
	local before
	before=$(digest)
	run plugpkg install other -y
	assert_status 1
	assert_has "[host-versions]" "does not say its versions" "scripts/versions.sh" "$@"
	assert_equal "$(digest)" "$before"
}

# assert_ends PID: soon it is gone, or only waits for its parent to look
assert_ends() {
	for _ in {1..50}; do
		grep -q '^State:[[:space:]]*[^Z]' "/proc/$1/status" 2>/dev/null || return 0
		sleep 0.1
	done
	fail "process $1 lives on"
}

# ---- what counts ----

@test "versions come from plugpkg.json, from a command, and from both" {
	edit '.provides = {"host:mishka": "0.3.1"}'
	run plugpkg install photos --dry-run
	assert_status 0
	assert_has "photos  1.0.0"
	edit '.provides = {"host:other": "1.0"}'
	runs 0.4.2
	asks_a_file
	run plugpkg install photos -y
	assert_status 0
	assert_installed photos 1.1.0
	run plugpkg show host:mishka
	assert_has "0.4.2" "scripts/versions.sh"
	run plugpkg show host:other
	assert_has "1.0" "plugpkg.json"
	run plugpkg check
	assert_status 0
	assert_equal "$(jq -c .host "$PLUGPKG_ROOT/plugpkg.lock")" '{"host:mishka":"0.4.2","host:other":"1.0"}'
}

@test "a command gets its arguments, the root, and a clean environment without input or terminal" {
	# shellcheck disable=SC2016 # expands in the script
	says 'env | sort | cut -d= -f1 | tr "\n" " " >seen; pwd >>seen; echo "$@" >>seen
echo "$PLUGPKG_PHASE" >>seen; [ -z "$(cat)" ] || exit 3; [ ! -t 0 ] || exit 4
(: </dev/tty) 2>/dev/null && exit 5
echo "{\"host:mishka\": \"0.4\"}"'
	edit '."provides-from" = ["scripts/versions.sh", "--json", "a b"]'
	SECRET=1 run plugpkg install photos -y
	assert_status 0
	run cat "$PLUGPKG_ROOT/seen"
	assert_equal "${lines[0]}" "HOME LANG PATH PLUGPKG_PHASE PLUGPKG_ROOT PWD TMPDIR $PLUGPKG_ROOT"
	assert_equal "${lines[1]}" "--json a b"
	assert_equal "${lines[2]}" versions
}

@test "a plugin that does not fit is refused with the version that runs" {
	edit '.provides = {"host:mishka": "0.9"}'
	run plugpkg install photos -y
	assert_status 3
	assert_has "needs host:mishka" "this application has 0.9"
	edit '.provides = {}'
	run plugpkg install photos -y
	assert_status 3
	assert_has 'this application does not say its version of it ("provides" in plugpkg.json)'
}

@test "the same name in both places with different versions is an error" {
	runs 0.3.0
	asks_a_file
	edit '.provides = {"host:mishka": "0.3"}'
	run plugpkg install photos --dry-run
	assert_status 0
	edit '.provides = {"host:mishka": "0.4"}'
	run plugpkg install photos -y
	assert_status 1
	assert_has "[bad-config]" "line 4" "provides.host:mishka" "this says 0.4, but 'scripts/versions.sh' says 0.3.0"
	run plugpkg check
	assert_status 1
	assert_has "this says 0.4"
}

@test "host names are neither installed, removed, held, marked nor provided" {
	edit '.provides = {"host:mishka": "0.3.1"}'
	for verb in install remove purge upgrade hold unhold "mark auto"; do
		# shellcheck disable=SC2086 # two words
		run plugpkg $verb host:mishka
		assert_status 2
		assert_has "'host:mishka'" "it is the application's"
	done
	dir=$(make_plugin liar 1.0.0 '"provides": {"host:mishka": "9"}')
	run plugpkg lint "$dir"
	assert_status 1
	assert_has "host:" "'requires' and 'conflicts' only"
	run plugpkg build "$dir"
	assert_status 1
	dir=$(make_plugin liar2 1.0.0 '"replaces": {"host:mishka": "*"}')
	run plugpkg lint "$dir"
	assert_status 1
	run plugpkg link "$dir" -y
	assert_status 1
	assert_has "[bad-manifest]"
}

# ---- the application changes ----

# a_changed_application: photos 1.0.0 and other 1.0.0 are installed, then mishka goes from 0.3.1 to $1
a_changed_application() {
	runs 0.3.1
	asks_a_file
	plugpkg install photos other -y
	runs "$1"
}

@test "after the application changed, check lists what broke and upgrade mends it" {
	a_changed_application 0.4.1
	run plugpkg check
	assert_status 1
	assert_has "photos: 1.0.0 needs host:mishka >=0.3 <0.4; this application has 0.4.1" "1 problem"
	run plugpkg check --json
	assert_equal "$(json_get 'select(.type == "problem") | [.kind, .name] | join("|")')" "requires|photos"
	run plugpkg list
	assert_has "manual, broken"
	run plugpkg list --json
	assert_equal "$(json_get 'select(.name == "photos").broken[]')" \
		"needs host:mishka >=0.3 <0.4; this application has 0.4.1"
	assert_equal "$(json_get 'select(.name == "other").broken')" null
	run plugpkg show photos
	assert_has "Broken:" "this application has 0.4.1"
	run plugpkg upgrade -y
	assert_status 0
	assert_installed photos 1.1.0
	run plugpkg check
	assert_status 0
	run plugpkg list
	assert_lacks broken
}

@test "what cannot be mended stays, is told, and keeps nothing else from happening" {
	a_changed_application 0.9
	before=$(readlink "$PLUGPKG_ROOT/current")
	run plugpkg upgrade -y
	assert_status 0
	assert_has "stay BROKEN" "photos" "this application has 0.9" "Nothing to do"
	assert_equal "$(readlink "$PLUGPKG_ROOT/current")" "$before"
	run plugpkg upgrade --json -y
	assert_equal "$(json_get 'select(.type == "broken") | [.name, .version] | join("|")')" "photos|1.0.0"
	make_plugin more 1.0.0 >/dev/null
	publish "$(build_plugin more 1.0.0)"
	plugpkg update
	run plugpkg install more -y
	assert_status 0
	assert_has "stay BROKEN" "photos"
	assert_installed more 1.0.0
	assert_installed photos 1.0.0
	run plugpkg install photos -y
	assert_status 3
	assert_has "photos 1.0.0 (installed)" "this application has 0.9"
	run plugpkg remove photos -y
	assert_status 0
}

@test "after the application went back, the plan says which older version fits" {
	runs 0.4.1
	asks_a_file
	plugpkg install photos -y
	assert_installed photos 1.1.0
	runs 0.3.5
	run plugpkg upgrade -y
	assert_status 0
	assert_has "1.0.0 fits: plugpkg install --downgrade photos@1.0.0"
	assert_installed photos 1.1.0
	run plugpkg install --downgrade photos@1.0.0 -y
	assert_status 0
	assert_installed photos 1.0.0
	run plugpkg check
	assert_status 0
}

@test "an update that was published for the new application arrives by upgrade" {
	a_changed_application 0.9
	make_plugin photos 1.2.0 '"requires": {"host:mishka": ">=0.9"}' >/dev/null
	publish "$(build_plugin photos 1.2.0)"
	plugpkg update
	run plugpkg upgrade photos -y
	assert_status 0
	assert_installed photos 1.2.0
}

# ---- remembered ----

@test "queries use the last answer and never run the command" {
	runs 0.3.1
	# shellcheck disable=SC2016 # expands in the script
	says 'echo asked >>asked; cat running.json'
	run plugpkg list
	assert_status 0
	assert_has "not known yet" "plugpkg check"
	[ ! -e "$PLUGPKG_ROOT/asked" ]
	plugpkg install photos -y
	assert_equal "$(cat "$PLUGPKG_ROOT/asked")" asked
	runs 0.4.1
	for query in list "show photos" "depends photos" "why photos" "list --available"; do
		# shellcheck disable=SC2086 # two words
		run --separate-stderr plugpkg $query
		assert_status 0
		assert_equal "$stderr" ""
	done
	assert_equal "$(wc -l <"$PLUGPKG_ROOT/asked")" 1
	run plugpkg check
	assert_status 1
	run plugpkg list
	assert_has broken
	assert_equal "$(wc -l <"$PLUGPKG_ROOT/asked")" 2
	plugpkg update
	assert_equal "$(wc -l <"$PLUGPKG_ROOT/asked")" 3
	plugpkg remove photos -y
	assert_equal "$(wc -l <"$PLUGPKG_ROOT/asked")" 3
}

@test "another command, or other arguments, make the last answer void" {
	runs 0.3.1
	asks_a_file
	plugpkg check
	run --separate-stderr plugpkg show host:mishka
	assert_status 0
	assert_equal "$stderr" ""
	says 'cat running.json # changed'
	run plugpkg show host:mishka
	assert_status 4
	assert_has "not known yet"
	plugpkg update
	plugpkg show host:mishka
	edit '."provides-from" = ["scripts/versions.sh", "x"]'
	run plugpkg show host:mishka
	assert_status 4
}

@test "when the command fails, queries go on with the last answer and say so" {
	runs 0.3.1
	asks_a_file
	plugpkg install photos -y
	rm "$PLUGPKG_ROOT/running.json"
	run plugpkg check
	assert_status 1
	assert_has "does not say its versions" "No such file"
	run plugpkg list
	assert_status 0
	assert_has "photos" "gave no answer at 2026-11-21T12:00:00Z" "versions are those of"
	run plugpkg update
	assert_status 0
	assert_has "warning:" "does not say its versions"
	run plugpkg remove photos -y
	assert_status 0
	runs 0.3.1
	plugpkg check
	run --separate-stderr plugpkg list
	assert_equal "$stderr" ""
}

@test "what is remembered may be damaged" {
	runs 0.3.1
	asks_a_file
	plugpkg check
	for text in '' '{' '[]' '{"format": 2}' '{"format": 1, "command": 5}'; do
		echo "$text" >"$PLUGPKG_ROOT/var/host.json"
		run plugpkg show host:mishka
		assert_status 4
		assert_has "not known yet"
	done
	plugpkg check
	sed -i 's/0.3.1/x.y/' "$PLUGPKG_ROOT/var/host.json"
	run plugpkg show host:mishka
	assert_status 4
}

@test "a dry run asks and writes nothing" {
	runs 0.3.1
	asks_a_file
	plugpkg install photos --dry-run # fetches details
	before=$(digest)
	run plugpkg install photos --dry-run
	assert_status 0
	assert_has "photos  1.0.0"
	assert_equal "$(digest)" "$before"
}

# ---- commands that misbehave ----

@test "no such command, no program, no interpreter" {
	edit '."provides-from" = "scripts/versions.sh"'
	unanswered "no such file"
	mkdir "$PLUGPKG_ROOT/scripts/versions.sh"
	unanswered "not a regular file"
	rmdir "$PLUGPKG_ROOT/scripts/versions.sh"
	echo '#!/bin/sh' >"$PLUGPKG_ROOT/scripts/versions.sh"
	unanswered "not executable"
	echo '#!/no/such/shell' >"$PLUGPKG_ROOT/scripts/versions.sh"
	chmod 755 "$PLUGPKG_ROOT/scripts/versions.sh"
	unanswered "no such file" "interpreter"
	ln -sf /bin/sh "$PLUGPKG_ROOT/scripts/versions.sh"
	unanswered "cannot run"
	rm "$PLUGPKG_ROOT/scripts/versions.sh"
	mkfifo "$PLUGPKG_ROOT/scripts/versions.sh"
	unanswered "not a regular file"
}

@test "a command that fails is quoted by its last complaints" {
	says 'echo "{\"host:mishka\": \"0.4\"}"; echo "cannot reach mishka" >&2; exit 7'
	unanswered "exit status 7" "cannot reach mishka"
	says 'kill -SEGV $$'
	unanswered "killed by signal 11"
	# shellcheck disable=SC2016 # expands in the script
	says 'printf "\033[31mred\n" >&2; i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo "line $i" >&2; done; exit 1'
	unanswered "line 100" "line 95"
	assert_lacks "line 5
"
	says 'printf "\033[31mred\n" >&2; exit 1'
	unanswered '\x1b[31mred'
}

@test "a command that hangs is killed after its time, with all that it started" {
	edit '."provides-timeout" = 1'
	says "sleep 1000 & echo \$! >'$SCRATCH/pid'; trap '' TERM; sleep 1000; sleep 1000"
	unanswered "did not answer within 1 s"
	assert_ends "$(cat "$SCRATCH/pid")"
}

@test "what a command leaves behind in its group ends with it" {
	says "sleep 1000 & echo \$! >'$SCRATCH/pid'; echo '{\"host:mishka\": \"0.4\"}'"
	run plugpkg install photos -y
	assert_status 0
	assert_ends "$(cat "$SCRATCH/pid")"
}

@test "a command that never stops talking is cut off" {
	says 'exec yes "{"'
	unanswered "more than 65536 bytes"
	says 'head -c 1000000000 /dev/zero'
	unanswered "more than 65536 bytes"
	edit '."provides-timeout" = 1'
	says 'exec yes complaint >&2'
	unanswered "did not answer within 1 s" complaint
}

@test "an answer that is none is refused, and never shown" {
	says 'true'
	unanswered "said nothing"
	says 'echo password=hunter2'
	unanswered "no JSON" "line 1, column"
	assert_lacks hunter2
	says 'echo "[\"hunter2\"]"'
	unanswered "a list"
	assert_lacks hunter2
	says 'echo "{\"host:a\": \"1\"} hunter2"'
	unanswered "no JSON"
	assert_lacks hunter2
	says 'echo "{\"host:a\": \"1\", \"host:a\": \"2\"}"'
	unanswered "no JSON"
	says 'printf "{\n \"mishka\": \"0.4\"}"'
	unanswered "line 2, column 2" "'mishka' is no name that an application provides" "host:NAME"
	says 'echo "{\"host:mishka\": 4}"'
	unanswered "host:mishka" "expected a version" "the number 4"
	says 'echo "{\"host:mishka\": \"latest\"}"'
	unanswered "host:mishka" "no version"
	says 'echo "{\"host:mishka\": null}"'
	unanswered "host:mishka" "found null"
}

@test "a command that calls plugpkg asks no question of itself" {
	# shellcheck disable=SC2016 # expands in the script
	says "\"$PLUGPKG_PROGRAM\" --root . install other -y"
	unanswered "[refused]" "which is being asked"
}

@test "a command of another user is not run by who only looks" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to give a file away"
	runs 0.3.1
	asks_a_file
	plugpkg check
	runs 0.4.1
	chown 12345 "$PLUGPKG_ROOT/scripts/versions.sh"
	run plugpkg check
	assert_status 0
	assert_has "was not asked" "another user"
	run plugpkg show host:mishka
	assert_has "0.3.1"
}

# ---- plugpkg.json by hand ----

@test "mistakes in plugpkg.json are found by their lines" {
	# what COMMAND... cannot go on with: MEMBERS WORDS...
	wrong() {
		printf '{\n  "name": "x",\n  %s\n}\n' "$1" >"$PLUGPKG_ROOT/plugpkg.json"
		shift
		run plugpkg list
		assert_status 1
		assert_has "[bad-config]" "plugpkg.json: " "$@"
	}
	wrong '"provides-from": 1' "line 3, column 3" "field 'provides-from'" "the number 1"
	wrong '"provides-from": []' "line 3, column 3" "a command"
	wrong '"provides-from": ""' "below this file"
	wrong '"provides-from": "/bin/sh"' "below this file" "'/bin/sh'"
	wrong '"provides-from": "a/../../b"' "below this file"
	wrong '"provides-from": "./a"' "below this file"
	wrong '"provides-from": ["a", 5]' "provides-from[1]" "column 26"
	wrong '"provides-from": "a", "provides-timeout": 0' "provides-timeout" "1 to 300" "column 25"
	wrong '"provides": {"mishka": "1"}' "line 3, column 16" "host:NAME"
	wrong '"plugins": {"a": "^1",
  "b": ">=1 <"}' "line 4, column 3" "field 'plugins.b'" "at position 6"
	wrong '"plugins": {"host:mishka": "*"}' "it is the application's"
	wrong '"plugins": {"a": "*"},' "line 4"
}

@test "where plugpkg.json says another version than the command said last, a look tells both" {
	asks_a_file
	runs 0.4.0
	plugpkg install photos -y
	assert_installed photos 1.1.0
	edit '.provides = {"host:mishka": "0.3.5"}'
	run plugpkg depends photos
	assert_status 0
	assert_has "warning: " "said that the application has host:mishka 0.4.0, and plugpkg.json says 0.3.5"
	run plugpkg upgrade -y
	assert_status 1
	assert_has "this says 0.3.5, but 'scripts/versions.sh' says 0.4.0" "hint: say it in one place only"
	assert_installed photos 1.1.0
}

@test "a version of the application is nothing that can be installed" {
	edit '.provides = {"host:mishka": "0.3.5"}'
	run plugpkg install host:mishka -y
	assert_status 2
	assert_has "'host:mishka' is no plugin name: it is the application's" "[bad-name]"
}
