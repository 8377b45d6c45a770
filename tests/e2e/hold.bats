#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a root remembers beside files: held plugins keep their version, marked ones count as asked for.

setup() {
	load ../helpers
	setup_scratch
	export PLUGPKG_NOW=2026-11-21T12:00:00Z
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin base 1.1.0 >/dev/null
	make_plugin top 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin base 1.1.0)" "$(build_plugin top 1.0.0)"
	make_root
	plugpkg install base@1.0.0 top -y
	plugpkg mark auto base
	plugpkg mark manual base # wanted in any version from now on
}

# reasons: "NAME REASON" of everything installed
reasons() {
	plugpkg list --json | jq -r 'select(.type == "plugin") | .name + " " + .reason'
}

wanted() {
	jq -c .plugins "$PLUGPKG_ROOT/plugpkg.json"
}

# ---- hold ----

@test "hold keeps a plugin at its version, and upgrade says that it is held" {
	run plugpkg hold base
	assert_status 0
	assert_has "base 1.0.0 is held."
	run plugpkg upgrade -y
	assert_status 0
	assert_has "Kept back" "base" "1.0.0, not 1.1.0" "held" "Nothing to do"
	assert_installed base 1.0.0
	run plugpkg upgrade base -y --json
	assert_equal "$(json_get 'select(.type == "kept") | [.name, .version, .candidate, .reason] | join("|")')" \
		"base|1.0.0|1.1.0|it is held"
	plugpkg unhold base
	plugpkg upgrade -y
	assert_installed base 1.1.0
}

@test "another version of a held plugin is refused with the way out" {
	plugpkg hold base
	run plugpkg install base@1.1.0 -y
	assert_status 3
	assert_has "base 1.0.0 (installed) is held" "plugpkg unhold base" "[no-solution]"
	assert_installed base 1.0.0
	run plugpkg install base@1.0.0 -y
	assert_status 0
	run plugpkg install base --reinstall -y
	assert_status 0
	assert_equal "$(plugpkg list --held --json | jq -r 'select(.type == "plugin").name')" base
}

@test "what needs another version of a held plugin is refused with the way out" {
	make_plugin new 1.0.0 '"requires": {"base": ">=1.1"}' >/dev/null
	publish "$(build_plugin new 1.0.0)"
	plugpkg update
	plugpkg hold base
	run plugpkg install new -y
	assert_status 3
	assert_has "base" "is held" "plugpkg unhold base"
	assert_not_installed new
	plugpkg unhold base
	plugpkg install new -y
	assert_installed base 1.1.0
}

@test "removal of a held plugin is refused with the way out, also as a dependent" {
	plugpkg hold top
	run plugpkg remove top -y
	assert_status 9
	assert_has "top" "held" "plugpkg unhold top" "[refused]"
	run plugpkg remove base -y
	assert_status 9
	assert_has "cannot remove base" "top is held" "plugpkg unhold top"
	run plugpkg install base- -y
	[ "$status" -eq 9 ] || assert_status 3
	assert_has "plugpkg unhold top"
	run plugpkg purge top -y
	assert_status 9
	run plugpkg remove --all -y
	assert_status 9
	assert_installed top 1.0.0
	assert_installed base 1.0.0
	plugpkg unhold top
	plugpkg remove top -y
	assert_not_installed top
}

@test "a source directory does not take the place of a held plugin" {
	plugpkg hold base
	run plugpkg link "$(make_plugin base 9.0.0)" -y
	assert_status 3
	assert_has "plugpkg unhold base"
	assert_installed base 1.0.0
}

@test "autoremove leaves what is held, and what that needs" {
	plugpkg hold base
	plugpkg mark auto top base
	plugpkg hold top
	run plugpkg autoremove -y
	assert_status 0
	assert_installed top 1.0.0
	plugpkg unhold top base
	plugpkg autoremove -y
	assert_not_installed top base
}

@test "holding a held plugin is fine, and so is releasing one that is not" {
	plugpkg hold base
	run plugpkg hold base base
	assert_status 0
	run plugpkg hold base --json
	assert_equal "$(json_get 'select(.type == "hold") | [.name, .version, .hold, .hold_until] | @csv')" \
		'"base","1.0.0",true,'
	plugpkg unhold base
	plugpkg history >before
	run plugpkg unhold base
	assert_status 0
	assert_has "base 1.0.0 is not held."
	run plugpkg unhold base --json
	assert_equal "$(json_get 'select(.type == "hold").hold')" false
	# What changes nothing is not in the history.
	assert_equal "$(plugpkg history)" "$(cat before)"
}

@test "a hold with a time is over then" {
	plugpkg hold base --until 2026-12-24
	run plugpkg list --held
	assert_has "base" "held until 2026-12-24T00:00:00Z"
	run plugpkg list --held --json
	assert_equal "$(json_get 'select(.type == "plugin") | [.name, .hold, .hold_until] | @csv')" \
		'"base",true,1798070400'
	run plugpkg show base
	assert_has "Held until" "2026-12-24T00:00:00Z"
	run plugpkg upgrade -y
	assert_has "it is held until 2026-12-24T00:00:00Z"
	assert_installed base 1.0.0

	# The metadata of the test repository has expired by then: removal needs none.
	export PLUGPKG_NOW=2026-12-23T23:59:59Z
	run plugpkg remove base -y
	assert_status 9
	export PLUGPKG_NOW=2026-12-24T00:00:00Z
	assert_equal "$(plugpkg list --held)" ""
	run plugpkg show base --json
	assert_equal "$(json_get 'select(.type == "show") | .hold // "none"')" none
	run plugpkg remove base -y --allow-remove
	assert_status 0
}

@test "a time of a hold may have any zone, and the last one given counts" {
	plugpkg hold base --until 2026-11-22T01:00:00+02:00
	assert_equal "$(plugpkg list --held --json | jq 'select(.type == "plugin").hold_until')" 1795302000
	plugpkg hold base --until 2026-11-23T00:00:00Z
	assert_equal "$(plugpkg list --held --json | jq 'select(.type == "plugin").hold_until')" 1795392000
	plugpkg hold base
	assert_equal "$(plugpkg list --held --json | jq 'select(.type == "plugin").hold_until')" null
}

@test "a time that is none, or is over, is refused and changes nothing" {
	local bad
	for bad in tomorrow 2026-13-01 2026-02-30 24.12.2026 2026-12-24T10:00 1798070400 2026-12-24T00:00:00+25:00 ""; do
		run plugpkg hold base "--until=$bad"
		assert_status 2
		assert_has "option '--until' is '$bad'"
	done
	run plugpkg hold base --until 2026-11-21
	assert_status 2
	assert_has "2026-11-21T00:00:00Z would be over already"
	assert_equal "$(plugpkg list --held)" ""
}

@test "a hold survives other transactions" {
	plugpkg hold base --until 2027-01-01
	plugpkg remove top -y
	plugpkg install top -y
	run plugpkg list --held --json
	assert_equal "$(json_get 'select(.type == "plugin") | [.name, .hold_until] | @csv')" '"base",1798761600'
}

@test "a hold that comes after the plan is respected" {
	need script
	mkfifo answers
	(script -qec "plugpkg upgrade" plan.txt <answers >/dev/null 2>&1) 3>&- &
	exec 5>answers
	local n=0
	until grep -q Continue plan.txt 2>/dev/null || [ "$n" -eq 100 ]; do
		sleep 0.1
		n=$((n + 1))
	done
	plugpkg hold base
	echo y >&5
	exec 5>&-
	wait
	assert_installed base 1.0.0
	grep -q "base was held at 1.0.0 after the plan was made" plan.txt
}

# ---- refusals that all of them share ----

@test "what is not installed, or no name, is refused, and nothing of the rest happens" {
	local command
	for command in hold unhold "mark auto" "mark manual"; do
		# shellcheck disable=SC2086 # a command may be two words
		run plugpkg $command base bsae
		assert_status 4
		assert_has "plugin 'bsae' is not installed" "did you mean 'base'?" "[not-installed]"
		# shellcheck disable=SC2086
		run plugpkg $command base Base
		assert_status 2
		assert_has "[bad-name]"
		# shellcheck disable=SC2086
		run plugpkg $command
		assert_status 2
	done
	assert_equal "$(plugpkg list --held)" ""
	assert_equal "$(wanted)" '{"top":"*","base":"*"}'
}

@test "they wait for the lock" {
	local command
	exec 6>>"$PLUGPKG_ROOT/var/lock"
	flock 6
	for command in hold unhold "mark auto" "mark manual"; do
		# shellcheck disable=SC2086
		run plugpkg --no-wait $command base 6>&-
		assert_status 8
	done
	run plugpkg list --held 6>&-
	assert_status 0
	exec 6>&-
}

@test "with --quiet they say nothing" {
	run plugpkg -q hold base
	assert_equal "$status $output" "0 "
	run plugpkg -q mark manual base
	assert_equal "$status $output" "0 "
	run plugpkg -q unhold base
	assert_equal "$status $output" "0 "
}

# ---- mark ----

@test "mark auto takes plugins out of the wanted set, and autoremove may take them" {
	run plugpkg mark auto top base
	assert_status 0
	assert_has "top 1.0.0 is automatic." "base 1.0.0 is automatic."
	assert_equal "$(wanted)" '{}'
	assert_equal "$(reasons)" "base automatic
top automatic"
	plugpkg autoremove -y
	assert_not_installed top base
}

@test "mark manual puts plugins into the wanted set, and autoremove leaves them" {
	plugpkg mark auto base
	run plugpkg mark manual base --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "mark") | [.name, .version, .manual, .reason] | @csv')" \
		'"base","1.0.0",true,"manual"'
	assert_equal "$(wanted)" '{"top":"*","base":"*"}'
	assert_equal "$(plugpkg list --manual --json | jq -r 'select(.type == "plugin").name')" "base
top"
	plugpkg remove top -y
	plugpkg autoremove -y
	assert_installed base 1.0.0
}

@test "marks stand in the state as well, also those that install makes without a step" {
	need sqlite3
	manual() { sqlite3 "$PLUGPKG_ROOT/var/state.db" "SELECT manual FROM plugins WHERE name = 'base'"; }
	assert_equal "$(manual)" 1
	plugpkg mark auto base
	assert_equal "$(manual)" 0
	plugpkg install base -y
	assert_equal "$(manual)" 1
}

@test "mark manual keeps a range that somebody chose, and unknown members of plugpkg.json" {
	plugpkg install 'base@^1.0' -y
	jq '.mine = {"kept": [1]}' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cat new.json >"$PLUGPKG_ROOT/plugpkg.json"
	plugpkg mark manual base top
	assert_equal "$(jq -r .plugins.base "$PLUGPKG_ROOT/plugpkg.json")" "^1.0"
	plugpkg mark auto top
	assert_equal "$(jq -c .mine "$PLUGPKG_ROOT/plugpkg.json")" '{"kept":[1]}'
}

@test "holds and marks make no generation" {
	local before
	before=$(readlink "$PLUGPKG_ROOT/current")
	plugpkg hold base
	plugpkg mark auto base
	plugpkg unhold base
	assert_link "$PLUGPKG_ROOT/current" "$before"
	run plugpkg check
	assert_status 0
}

@test "killed at any change of the disk, hold and mark did all or nothing, and are repeated" {
	run env PLUGPKG_CRASH_AT=1 plugpkg hold base
	[ "$status" -eq 137 ] || skip "built without failpoints"
	local n held seen
	for ((n = 1; n < 100; n++)); do
		plugpkg unhold base top
		PLUGPKG_CRASH_AT=$n run plugpkg hold base top
		[ "$status" -eq 137 ] || break
		held=$(plugpkg list --held --json | jq -r 'select(.type == "plugin").name' | tr '\n' ' ')
		[[ -z $held || $held == "base top " ]] || fail "held: $held"
	done
	assert_status 0
	plugpkg unhold base top

	for ((n = 1; n < 100; n++)); do
		plugpkg mark manual top base
		PLUGPKG_CRASH_AT=$n run plugpkg mark auto base top
		[ "$status" -eq 137 ] || break
		seen=$(wanted)
		[[ $seen == '{}' || $seen == *top*base* || $seen == *base*top* ]] || fail "wanted: $seen"
		plugpkg mark auto base top
		assert_equal "$(reasons)" "base automatic
top automatic"
	done
	assert_status 0
	[ "$n" -gt 3 ] || fail "only $n changes"
}
