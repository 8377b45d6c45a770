#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Upgrades: what moves, what is kept back, and that the pointer moves once.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin top 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin top 1.0.0)"
	make_root
	plugpkg install top -y
}

offer() {
	local archives=() one
	for one; do
		archives+=("$(build_plugin "${one%@*}" "${one#*@}")")
	done
	publish "${archives[@]}"
	plugpkg update
}

@test "upgrade takes the newest versions that fit together" {
	make_plugin base 1.1.0 >/dev/null
	make_plugin top 1.2.0 '"requires": {"base": "^1.1"}' >/dev/null
	offer base@1.1.0 top@1.2.0
	run plugpkg list --upgradable
	assert_has "base" "1.1.0" "top" "1.2.0"
	run plugpkg list --upgradable --check
	assert_status 100
	run plugpkg upgrade -y
	assert_status 0
	assert_installed base 1.1.0
	assert_installed top 1.2.0
	assert_link "$PLUGPKG_ROOT/current" generations/2
	assert_exists "$PLUGPKG_ROOT/generations/1/base" "$PLUGPKG_ROOT/store/base/1.0.0/plugin.json"
	run plugpkg upgrade -y
	assert_status 0
	assert_has "Nothing to do"
	run plugpkg list --upgradable --check
	assert_status 0
}

@test "what would break a requirement is kept back, and said so" {
	make_plugin base 2.0.0 >/dev/null
	offer base@2.0.0
	run plugpkg upgrade -y
	assert_status 0
	assert_has "base" "2.0.0"
	assert_installed base 1.0.0
}

@test "the wanted range holds for upgrades too" {
	plugpkg install 'top@~1.0' -y || true
	make_plugin top 1.1.0 '"requires": {"base": "^1"}' >/dev/null
	offer top@1.1.0
	run plugpkg upgrade -y
	assert_status 0
	assert_installed top 1.0.0
	run plugpkg install 'top@^1.1' -y
	assert_status 0
	assert_installed top 1.1.0
	assert_equal "$(jq -r .plugins.top "$PLUGPKG_ROOT/plugpkg.json")" '^1.1'
}

@test "an older version can be asked for by name, and is shown as a downgrade" {
	make_plugin base 1.1.0 >/dev/null
	offer base@1.1.0
	plugpkg upgrade -y
	run plugpkg install base@1.0.0 --downgrade --dry-run
	assert_has "DOWNGRADED"
	run plugpkg install base@1.0.0 --downgrade -y
	assert_status 0
	assert_installed base 1.0.0
}

@test "a prerelease comes only when it is asked for" {
	make_plugin solo 1.0.0 >/dev/null
	offer solo@1.0.0
	plugpkg install solo -y
	make_plugin solo 1.1.0-rc.1 >/dev/null
	offer solo@1.1.0-rc.1
	run plugpkg upgrade -y
	assert_status 0
	assert_installed solo 1.0.0
	run plugpkg install solo@1.1.0-rc.1 -y
	assert_status 0
	assert_installed solo 1.1.0-rc.1
}

@test "an upgrade that brings a new dependency installs it, one that drops it does not remove it" {
	make_plugin extra 1.0.0 >/dev/null
	make_plugin top 1.1.0 '"requires": {"base": "^1", "extra": "*"}' >/dev/null
	offer extra@1.0.0 top@1.1.0
	run plugpkg upgrade -y
	assert_status 0
	assert_installed extra 1.0.0
	make_plugin top 1.2.0 '"requires": {"base": "^1"}' >/dev/null
	offer top@1.2.0
	run plugpkg upgrade -y
	assert_status 0
	assert_installed top 1.2.0
	assert_installed extra 1.0.0
}

@test "upgrade follows a rename: the index says who replaces what is installed" {
	publish "$(build_plugin birds 1.0.0)"
	plugpkg update
	plugpkg install birds -y
	publish "$(build_plugin insects 2.0.0 '"replaces": {"birds": "<2"}')"
	plugpkg update
	run plugpkg show birds --json
	assert_equal "$(json_get '.providers // empty')" ""
	run plugpkg upgrade -y --json
	assert_status 0
	assert_not_installed birds
	assert_installed insects 2.0.0
	assert_equal "$(jq -c .plugins "$PLUGPKG_ROOT/plugpkg.json")" '{"top":"*","insects":"*"}'
}

@test "a name that is misspelt is not installed, and the one that is near is named" {
	run plugpkg upgrade bsae -y
	assert_status 4
	assert_has "plugin 'bsae' is not installed" "hint: did you mean 'base'?" "[not-installed]"
}
