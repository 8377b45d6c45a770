#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A plain list is shown as before while nothing has changed, and made anew after anything that it
# depends on has.

setup() {
	load ../helpers
	setup_scratch
	export PLUGPKG_NOW=2026-11-21T12:00:00Z
	make_repo
	make_plugin middle 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	sed -i 's/Test plugin middle/K\\"ä\\"se/' "$(plugin_dir middle 1.0.0)/plugin.json"
	publish "$(build_plugin base 1.0.0)" "$(build_plugin middle 1.0.0)" \
		"$(build_plugin top 1.0.0 '"requires": {"middle": "^1", "host:demo": ">=1"}, "type": "theme"')"
	make_root
	provide 1.0.0
	plugpkg install top -y
	file=$PLUGPKG_ROOT/var/listed
}

# provide VERSION: of host:demo, by the application.
provide() {
	jq --arg v "$1" '.provides = {"host:demo": $v}' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cat new.json >"$PLUGPKG_ROOT/plugpkg.json"
}

# is_answered [OPTION...]: is the list as it was remembered?
is_answered() {
	plugpkg --debug list "$@" 2>&1 >/dev/null | grep -q "nothing has changed since this was asked before"
}

# remember: what has just changed is not relied on until the file system's clock has gone on.
remember() {
	for _ in {1..100}; do
		plugpkg list >/dev/null
		if [ -e "$file" ] && is_answered; then return 0; fi
		sleep 0.2
	done
	fail "it was not remembered"
}

# assert_right WHAT: what is shown is what is shown by who remembers nothing.
assert_right() {
	local shown
	shown=$(plugpkg list)
	rm -rf "$file"
	[ "$shown" = "$(plugpkg list)" ] || fail "another list after: $1"
}

# assert_anew WHAT
assert_anew() {
	if is_answered; then fail "it was shown as before: $1"; fi
	assert_right "$1"
}

@test "what was listed is shown the same again, in whatever states plugins are" {
	local change
	for change in "hold base" "hold middle --until 2026-12-01" "disable middle -y" "mark manual base" "enable middle -y"; do
		# shellcheck disable=SC2086 # words
		plugpkg $change
		rm -f "$file"
		plugpkg list >before
		remember
		plugpkg list >after
		cmp before after
	done
	provide 0.9.0
	rm -f "$file"
	run plugpkg list
	assert_has "broken"
	remember
	assert_equal "$(plugpkg list)" "$output"
	assert_has 'K"ä"se'
}

@test "a root without plugins is remembered too" {
	plugpkg remove --all -y
	remember
	run --separate-stderr plugpkg list
	assert_status 0
	assert_equal "$output" ""
}

@test "only a plain list is shown from memory" {
	local options
	remember
	for options in --json "b*" "--type theme" --manual --auto --held --disabled --levels --available; do
		# shellcheck disable=SC2086 # words
		if is_answered $options; then fail "$options"; fi
	done
	run plugpkg list "b*"
	assert_has base
	assert_lacks top
	is_answered
}

@test "what another command changed is listed anew" {
	local change
	for change in "hold base" "unhold base" "mark manual base" "disable top -y" "enable top -y" \
		"remove top -y" "install top -y" "rollback 0 -y" "undo -y"; do
		remember
		# shellcheck disable=SC2086 # words
		plugpkg $change
		assert_anew "$change"
	done
}

@test "files that are edited or put in place of others are looked at anew" {
	local name
	remember
	provide 0.9.0
	run plugpkg list
	assert_has "broken"
	assert_anew "another version of the application"
	for name in plugpkg.json var/state.db; do
		remember
		cp "$PLUGPKG_ROOT/$name" copy
		mv copy "$PLUGPKG_ROOT/$name"
		assert_anew "$name replaced by its copy"
	done
	need sqlite3
	remember
	sqlite3 "$PLUGPKG_ROOT/var/state.db" "update plugins set manifest = '{' where key = 'base'"
	run plugpkg list
	assert_status 1
	assert_has "damaged manifest of 'base'"
	sqlite3 "$PLUGPKG_ROOT/var/state.db" "update meta set value = 9 where key = 'format'"
	run plugpkg list
	assert_has "[newer-root]"
}

@test "a hold that ends, and a clock that goes back, are looked at anew" {
	plugpkg hold base --until 2026-11-21T12:30:00Z
	remember
	PLUGPKG_NOW=2026-11-21T12:29:59Z is_answered
	PLUGPKG_NOW=2026-11-21T12:29:59Z run plugpkg list
	assert_has "held until"
	PLUGPKG_NOW=2026-11-21T12:30:00Z assert_anew "the end of a hold"
	PLUGPKG_NOW=2026-11-21T12:30:00Z run plugpkg list
	assert_lacks "held until"
	remember
	PLUGPKG_NOW=2026-11-21T11:59:59Z assert_anew "an earlier time"
}

@test "what a change that was killed leaves behind is listed as it is" {
	local n
	remember
	cp -a "$PLUGPKG_ROOT" whole
	for ((n = 1; n < 200; n++)); do
		PLUGPKG_CRASH_AT=$n run plugpkg remove top -y
		[ "$status" -eq 137 ] || break
		assert_right "a kill at $n"
		plugpkg recover >/dev/null
		assert_right "its recovery"
		rm -rf "$PLUGPKG_ROOT"
		cp -a whole "$PLUGPKG_ROOT"
		plugpkg list >/dev/null
	done
	assert_status 0
	[ "$n" -gt 1 ] || skip "failpoints are not built in"
	[ "$n" -gt 10 ]
}

@test "a state of which a writer was killed in the middle is put back before it is listed" {
	need sqlite3
	remember
	plugpkg list >before
	# The journal of a writer that is gone, and what it had written already.
	sqlite3 "$PLUGPKG_ROOT/var/state.db" >/dev/null <<-END
		PRAGMA journal_mode=TRUNCATE;
		PRAGMA cache_size=1;
		PRAGMA synchronous=FULL;
		BEGIN;
		UPDATE plugins SET state = 'leftover', sha256 = hex(zeroblob(20000));
		.shell cp "$PLUGPKG_ROOT/var/state.db" half.db
		.shell cp "$PLUGPKG_ROOT/var/state.db-journal" half.journal
		ROLLBACK;
	END
	[ -s half.journal ]
	run ! cmp half.db "$PLUGPKG_ROOT/var/state.db"
	cp half.db "$PLUGPKG_ROOT/var/state.db"
	cp half.journal "$PLUGPKG_ROOT/var/state.db-journal"
	plugpkg list | cmp before -
	[ ! -s "$PLUGPKG_ROOT/var/state.db-journal" ]
}

@test "an application that is asked for its versions, and a linked plugin, are looked at each time" {
	make_plugin linked 1.0.0
	plugpkg link "$(plugin_dir linked 1.0.0)" -y
	rm -f "$file"
	sleep 0.2
	plugpkg list
	assert_missing "$file"
	plugpkg remove linked -y
	mkdir "$PLUGPKG_ROOT/scripts"
	printf '#!/bin/sh\necho "{\\"host:demo\\": \\"1.0.0\\"}"\n' >"$PLUGPKG_ROOT/scripts/versions.sh"
	chmod 755 "$PLUGPKG_ROOT/scripts/versions.sh"
	jq '.["provides-from"] = "scripts/versions.sh"' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cat new.json >"$PLUGPKG_ROOT/plugpkg.json"
	sleep 0.2
	plugpkg list
	assert_missing "$file"
}

@test "what is remembered may be lost, damaged or unwritable" {
	local n
	remember
	plugpkg list >before
	cp "$file" whole
	n=$(stat -c %s whole)
	for cut in 0 10 100 $((n - 1)) $((n - 30)); do
		head -c $cut whole >"$file"
		plugpkg list | cmp before -
	done
	cp whole "$file"
	printf x >>"$file"
	plugpkg list | cmp before -
	rm "$file"
	mkdir "$file"
	plugpkg list | cmp before -
	rmdir "$file"
	ln -s /dev/zero "$file"
	plugpkg list | cmp before -
	[ "$(id -u)" != 0 ] || return 0
	rm -f "$file"
	chmod a-w "$PLUGPKG_ROOT/var"
	plugpkg list | cmp before -
	chmod u+w "$PLUGPKG_ROOT/var"
}
