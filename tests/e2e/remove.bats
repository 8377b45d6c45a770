#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Removing: dependents are named, data stays, the store is emptied by clean.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin mid 1.0.0 '"requires": {"base": "*"}' >/dev/null
	make_plugin top 1.0.0 '"requires": {"mid": "*"}' >/dev/null
	make_plugin solo 1.0.0 >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin mid 1.0.0)" "$(build_plugin top 1.0.0)" \
		"$(build_plugin solo 1.0.0)"
	make_root
	plugpkg install top solo -y
}

@test "remove names everything that goes with it, and why" {
	run plugpkg remove base --dry-run
	assert_status 0
	assert_has "REMOVED" "base" "mid" "top" "needs base" "needs mid"
	assert_lacks "solo"
	run plugpkg remove base </dev/null
	assert_status 11
	run plugpkg remove base -y
	assert_status 0
	assert_not_installed base mid top
	assert_installed solo 1.0.0
	assert_equal "$(jq -c .plugins "$PLUGPKG_ROOT/plugpkg.json")" '{"solo":"*"}'
}

@test "remove --all empties the root and needs neither source nor network" {
	rm -r "$SCRATCH/repo"
	run plugpkg remove --all -y
	assert_status 0
	assert_equal "$(plugpkg list)" ""
	run plugpkg clean
	assert_status 0
	assert_equal "$(find "$PLUGPKG_ROOT/store" -mindepth 1)" ""
	run plugpkg check
	assert_status 0
}

@test "autoremove takes what nobody needs any longer" {
	plugpkg remove top -y
	run plugpkg autoremove -y
	assert_status 0
	assert_not_installed top mid base
	assert_installed solo 1.0.0
	run plugpkg autoremove -y
	assert_status 0
	assert_has "Nothing to do"
}

@test "removing what is not installed says so" {
	run plugpkg remove nothing -y
	assert_status 4
	assert_has "nothing" "[not-installed]"
	run plugpkg remove top@1 -y
	assert_status 2
}

@test "removal stays possible after the metadata expired" {
	PLUGPKG_NOW=2100-01-01T00:00:00Z run plugpkg remove solo -y
	assert_status 0
	assert_not_installed solo
}

@test "install NAME- removes in the same transaction" {
	run plugpkg install solo- top -y
	assert_status 0
	assert_not_installed solo
	assert_installed top 1.0.0
}

@test "the old generation stays until clean" {
	plugpkg remove solo -y
	assert_exists "$PLUGPKG_ROOT/generations/1/solo"
	assert_exists "$PLUGPKG_ROOT/store/solo/1.0.0/plugin.json"
	plugpkg clean --keep 1
	assert_exists "$PLUGPKG_ROOT/store/solo/1.0.0/plugin.json"
	plugpkg clean
	assert_missing "$PLUGPKG_ROOT/store/solo" "$PLUGPKG_ROOT/generations/1"
	assert_installed top 1.0.0
}
