#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a request may say beside names: sources, ages, leave to go back or to remove.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin base 1.1.0 >/dev/null
	make_plugin top 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin base 1.1.0)" "$(build_plugin top 1.0.0)"
	make_root
}

@test "an older version is refused with the way out, and taken with --downgrade" {
	plugpkg install base -y
	run -3 plugpkg install base@1.0.0 -y
	assert_has "goes back only when told so" "Ways out:" "plugpkg install --downgrade base@1.0.0"
	assert_has "More: plugpkg why-not base@1.0.0"
	assert_installed base 1.1.0
	run -0 plugpkg install base@1.0.0 --downgrade -y
	assert_installed base 1.0.0
}

@test "the ways out stand in --json as well, as commands and as words" {
	plugpkg install base -y
	run -3 plugpkg install base@1.0.0 -y --json
	assert_equal "$(json_get 'select(.type == "result") | .causes[0].reason')" downgrade
	assert_equal "$(json_get 'select(.type == "result") | .ways[0].argv | join(" ")')" \
		"plugpkg install --downgrade base@1.0.0"
	assert_equal "$(json_get 'select(.type == "result") | .more')" "plugpkg why-not base@1.0.0"
}

@test "--only-upgrade skips what is not installed" {
	plugpkg install base@1.0.0 -y
	plugpkg mark auto base
	run -0 plugpkg install --only-upgrade base top -y
	assert_has "Skipped: top is not installed."
	assert_installed base 1.1.0
	assert_not_installed top
	run -0 plugpkg list --auto
	assert_has "base"
}

@test "a source that is named must exist and have the plugin" {
	run -4 plugpkg install base/tset -y
	assert_has "this root has no source 'tset'" "did you mean 'base/test'?"
	run -2 plugpkg install base/Test -y
	assert_has "[bad-name]" "no name of a source"
	run -2 plugpkg install base/test@1 -y
	assert_has "the range comes first: base@1/test"
	run -0 plugpkg install base@1.0.0/test -y
	assert_installed base 1.0.0
}

@test "a version that is written as elsewhere is answered with how it is written here" {
	run -2 plugpkg install base=1.0.0 -y
	assert_has "'base=1.0.0' is no plugin name" "hint: a version is written base@1.0.0" "[bad-name]"
	run -2 plugpkg install @acme/base==1.0.0 -y
	assert_has "hint: a version is written @acme/base@1.0.0"
	run -2 plugpkg install base= -y
	assert_has "hint: a version is written base@RANGE"
	run -2 plugpkg install =1 -y
	assert_has "hint: a name is NAME or @SCOPE/NAME"
	run -4 plugpkg install base 1.0.0 -y
	assert_has "unknown plugin '1.0.0'" "hint: a version is written behind the name: NAME@1.0.0"
	assert_missing "$PLUGPKG_ROOT/current/base"
}

@test "-y alone does not agree to the removal of what nobody named" {
	plugpkg install top base -y
	run -11 plugpkg remove base -y
	assert_has "[needs-confirmation]" "--allow-remove"
	assert_installed top 1.0.0
	run -0 plugpkg remove base top -y
	plugpkg install top base -y
	run -0 plugpkg remove base -y --allow-remove
	assert_not_installed base top
}

@test "--min-age leaves out what is too young, and says from when on it is not" {
	run -3 plugpkg install base -y --min-age 3
	assert_has "has to be 3 days old" "it can be taken from"
	assert_has "plugpkg install --min-age=3 base@1.1.0"
	run -0 plugpkg install base -y --min-age 3 --min-age-except 'ba*'
	assert_installed base 1.1.0
	run -0 plugpkg install top@1.0.0 -y --min-age 3
	run -2 plugpkg install base --min-age soon
	assert_has "is no number from 0 to"
}

@test "min-age of plugpkg.json counts, and 0 on the command line lifts it" {
	jq '.["min-age"] = {"days": 3, "except": ["top"]}' "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/p"
	cat "$SCRATCH/p" >"$PLUGPKG_ROOT/plugpkg.json"
	run -3 plugpkg install base -y
	assert_has "has to be 3 days old"
	run -0 plugpkg install base -y --min-age 0
	jq '.["min-age"] = "long"' "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/p"
	cat "$SCRATCH/p" >"$PLUGPKG_ROOT/plugpkg.json"
	run -1 plugpkg list
	assert_has "[bad-config]" "min-age"
}

@test "a plan that removes tells a conflict from a requirement that goes, and names the other plugin" {
	publish "$(build_plugin rival 1.0.0 '"conflicts": {"base": "*"}')"
	plugpkg update
	plugpkg install top -y
	run -0 plugpkg install rival --allow-remove --dry-run
	assert_has "base  1.1.0  conflicts with rival" "top   1.0.0  needs base, which goes"
	run -0 plugpkg install rival --allow-remove --dry-run --json
	assert_equal "$(json_get 'select(.action == "remove") | .name + " " + .why + " " + .because')" \
		"top broken base
base conflict rival"
	plugpkg install rival --allow-remove -y
	assert_not_installed base
}

@test "nonsense is refused in bounded time" {
	run -2 plugpkg install base base- -y
	assert_has "both installed and removed"
	run -2 plugpkg install 'base@^^1' -y
	assert_has "at position 2"
	local long
	long=$(head -c 100000 /dev/zero | tr '\0' 1)
	run -2 timeout 10 plugpkg install "base@$long" -y
	assert_has "longer than"
}

@test "--dump-case writes what was seen, also of a refusal" {
	plugpkg install base -y
	run -3 plugpkg install base@1.0.0 -y --dump-case "$SCRATCH/x.case"
	grep -q '^@repo test ' "$SCRATCH/x.case"
	grep -q '^base 1.1.0 manual from test' "$SCRATCH/x.case"
	grep -q '^install base@1.0.0$' "$SCRATCH/x.case"
	run -0 plugpkg remove base -y --dump-case "$SCRATCH/y.case"
	grep -q '^remove base$' "$SCRATCH/y.case"
}
