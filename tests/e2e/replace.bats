#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A plugin that goes on under another name: what belonged to the old one belongs to the new one.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	dir=$(make_plugin animal 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'echo lion >"$PLUGPKG_DATA/species"'
	add_script "$dir" uninstall
	dir=$(make_plugin @acme/beast 2.0.0 '"scripts": {"install": "scripts/install.sh"},
		"replaces": {"animal": "<2"}, "provides": {"animal": "2.0.0"}')
	add_script "$dir" install "cat \"\$PLUGPKG_DATA/species\" >'$SCRATCH/seen'; [ ! -e '$SCRATCH/fail' ]"
	publish "$(build_plugin animal 1.0.0)"
	make_root
	plugpkg install animal -y
	publish "$(build_plugin @acme/beast 2.0.0)"
	plugpkg update
}

@test "its data and the wish for it go over to the plugin that replaces it" {
	run plugpkg install @acme/beast -y --allow-remove
	assert_status 0
	assert_equal "$(cat seen)" lion
	assert_equal "$(cat "$PLUGPKG_ROOT/data/@acme/beast/species")" lion
	assert_missing "$PLUGPKG_ROOT/data/animal"
	assert_equal "$(jq -c '.plugins | keys' "$PLUGPKG_ROOT/plugpkg.json")" '["@acme/beast"]'
	assert_equal "$(plugpkg list --json | jq -r 'select(.type == "plugin") | "\(.name) \(.manual)"')" "@acme/beast true"
	run plugpkg check
	assert_status 0
}

@test "when the new one cannot be installed, the old one has its data again" {
	touch fail
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg install @acme/beast -y --allow-remove
	assert_status 7
	assert_equal "$(cat seen)" lion
	assert_equal "$(cat "$PLUGPKG_ROOT/data/animal/species")" lion
	assert_missing "$PLUGPKG_ROOT/data/@acme"
	tree_state "$PLUGPKG_ROOT" | diff before -
	assert_installed animal 1.0.0
}

@test "data that the new one has already is not written over" {
	mkdir -p "$PLUGPKG_ROOT/data/@acme/beast"
	echo tiger >"$PLUGPKG_ROOT/data/@acme/beast/species"
	run plugpkg install @acme/beast -y --allow-remove
	assert_status 0
	assert_equal "$(cat seen)" tiger
	assert_equal "$(cat "$PLUGPKG_ROOT/data/animal/species")" lion
}
