#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Why something is installed: the shortest chains from what was asked for.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin left 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	make_plugin right 1.0.0 '"recommends": {"base": "*"}' >/dev/null
	make_plugin app 1.0.0 '"requires": {"left": "*", "right": ">=1"}' >/dev/null
	make_plugin species-eu 1.0.0 '"provides": {"species-list": "1.0"}' >/dev/null
	make_plugin animal 1.0.0 '"requires": {"species-list": "*"}' >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin left 1.0.0)" "$(build_plugin right 1.0.0)" \
		"$(build_plugin app 1.0.0)" "$(build_plugin species-eu 1.0.0)" "$(build_plugin animal 1.0.0)"
	make_root
}

# chains: of the last run, "reason: a > b", one a line
chains() {
	json_get 'select(.type == "why") | .reason + ": " + ([.chain[].name] | join(" > "))'
}

@test "why of what was asked for says so" {
	plugpkg install app -y
	run plugpkg why app
	assert_status 0
	assert_equal "$output" "you asked for app 1.0.0"
	run plugpkg why app --json
	assert_equal "$(json_get 'select(.type == "why") | [.v, .name, .version, .reason, (.chain | tostring)] | join("|")')" \
		'1|app|1.0.0|manual|[{"name":"app","version":"1.0.0","key":"app"}]'
}

@test "why shows every shortest chain, with kinds and ranges" {
	plugpkg install app -y
	run plugpkg why base
	assert_status 0
	assert_equal "$output" "you asked for app 1.0.0
app 1.0.0 requires left *
left 1.0.0 requires base ^1

you asked for app 1.0.0
app 1.0.0 requires right >=1
right 1.0.0 recommends base *"
	run plugpkg why base --json
	assert_equal "$(chains)" "manual: app > left > base
manual: app > right > base"
	assert_equal "$(json_get 'select(.type == "why") | .chain[2] | .kind + " " + .range')" "requires ^1
recommends *"
}

@test "a shorter chain takes the place of longer ones" {
	plugpkg install app right -y
	run plugpkg why base --json
	assert_equal "$(chains)" "manual: right > base"
	plugpkg mark manual base
	run plugpkg why base --json
	assert_equal "$(chains)" "manual: base"
}

@test "a name that is provided leads to who provides it" {
	plugpkg install animal -y
	run plugpkg why species-eu
	assert_status 0
	assert_equal "$output" "you asked for animal 1.0.0
animal 1.0.0 requires species-list * (provided by species-eu 1.0.0)"
	run plugpkg why species-eu --json
	assert_equal "$(json_get 'select(.type == "why").chain[1].as')" species-list
}

@test "without a wish it may be held, linked, or not needed at all" {
	plugpkg install left -y
	plugpkg mark auto left
	run plugpkg why base
	assert_status 0
	assert_equal "$output" "nobody asks for base 1.0.0; plugpkg autoremove would remove it"
	run plugpkg why base --json
	assert_equal "$(json_get 'select(.type == "why") | [.reason, (.chain | length)] | @csv')" '"unneeded",0'
	plugpkg hold left
	run plugpkg why base
	assert_equal "$output" "left 1.0.0 is held
left 1.0.0 requires base ^1"
	plugpkg unhold left
	plugpkg link "$(make_plugin mine 1.0.0 '"requires": {"base": "*"}')" -y
	plugpkg mark auto mine
	run plugpkg why base --json
	assert_equal "$(chains)" "linked: mine > base"
}

@test "cycles end" {
	make_plugin a 1.0.0 '"requires": {"b": "*"}' >/dev/null
	make_plugin b 1.0.0 '"requires": {"a": "*"}' >/dev/null
	make_plugin c 1.0.0 '"requires": {"a": "*"}' >/dev/null
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)" "$(build_plugin c 1.0.0)"
	plugpkg update
	plugpkg install c -y
	run plugpkg why b --json
	assert_equal "$(chains)" "manual: c > a > b"
	plugpkg mark auto c
	run plugpkg why b --json
	assert_equal "$(chains)" "unneeded: "
}

@test "of very many chains some are shown, and said so" {
	local level side archives=() names
	make_plugin end 1.0.0 >/dev/null
	archives+=("$(build_plugin end 1.0.0)")
	names='"end": "*"'
	for level in 1 2 3 4 5 6; do
		for side in l r; do
			make_plugin "$side$level" 1.0.0 "\"requires\": {$names}" >/dev/null
			archives+=("$(build_plugin "$side$level" 1.0.0)")
		done
		names="\"l$level\": \"*\", \"r$level\": \"*\""
	done
	make_plugin start 1.0.0 "\"requires\": {$names}" >/dev/null
	publish "${archives[@]}" "$(build_plugin start 1.0.0)"
	plugpkg update
	plugpkg install start -y
	run plugpkg why end --json
	assert_equal "$(chains | wc -l)" 16
	assert_equal "$(chains | sort -u | wc -l)" 16
	assert_equal "$(json_get 'select(.type == "why").more' | sort -u)" true
	run plugpkg why end
	assert_has "There are more chains of this length."
}

@test "what is not installed, or no name, is refused" {
	plugpkg install animal -y
	run plugpkg why base
	assert_status 4
	assert_has "plugin 'base' is not installed" "plugpkg show base" "[not-installed]"
	run plugpkg why species-list
	assert_status 4
	run plugpkg why Animal
	assert_status 2
	assert_has "[bad-name]"
	run plugpkg why
	assert_status 2
}
