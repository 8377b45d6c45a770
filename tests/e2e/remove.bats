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

@test "a wish for what is not installed is taken back, whether any source has it or not" {
	jq '.plugins += {"ghost": "*", "spirit": "^2"}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg check
	assert_has "plugpkg remove ghost takes the wish back"
	run -0 plugpkg remove ghost --dry-run --json
	assert_equal "$(json_get 'select(.type == "unwanted") | .name')" ghost
	run -4 plugpkg remove phantom ghost -y
	assert_has "'phantom' is not installed"
	assert_equal "$(jq -r '.plugins.ghost' "$PLUGPKG_ROOT/plugpkg.json")" "*"
	run -0 plugpkg remove ghost -y
	mkdir "$PLUGPKG_ROOT/data/spirit"
	run -0 plugpkg purge spirit -y
	assert_missing "$PLUGPKG_ROOT/data/spirit"
	assert_equal "$(jq -c '.plugins | [.ghost, .spirit]' "$PLUGPKG_ROOT/plugpkg.json")" "[null,null]"
	run -4 plugpkg remove ghost -y
	assert_has "[not-installed]"
	run -0 plugpkg check
}

@test "remove names everything that goes with it, and why" {
	run plugpkg remove base --dry-run
	assert_status 0
	assert_has "REMOVED" "base" "mid" "top" "needs base" "needs mid"
	assert_lacks "solo"
	run plugpkg remove base </dev/null
	assert_status 11
	run plugpkg remove base -y --allow-remove
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

# add_keeper NAME: published, installed, and with a file in its data directory.
add_keeper() {
	local dir
	dir=$(make_plugin "$1" 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'echo kept >"$PLUGPKG_DATA/file"'
	publish "$(build_plugin "$1" 1.0.0)"
	plugpkg update
	plugpkg install "$1" -y
	assert_exists "$PLUGPKG_ROOT/data/$1/file"
}

@test "purge deletes the data of a plugin that was removed before, and asks first" {
	add_keeper @acme/keeper
	plugpkg remove @acme/keeper -y
	run plugpkg purge @acme/keeper
	assert_status 11
	assert_has "will be DELETED" "@acme/keeper"
	assert_exists "$PLUGPKG_ROOT/data/@acme/keeper/file"
	run --separate-stderr plugpkg purge @acme/keeper --dry-run --json
	assert_equal "$(json_get 'select(.type == "purge") | .name')" "@acme/keeper"
	assert_exists "$PLUGPKG_ROOT/data/@acme/keeper/file"
	plugpkg purge @acme/keeper -y
	assert_missing "$PLUGPKG_ROOT/data/@acme"
	assert_installed solo 1.0.0
	run -0 plugpkg history
	assert_has "purge @acme/keeper" "the data that @acme/keeper had left was deleted"
	run plugpkg purge @acme/keeper -y
	assert_status 4
	assert_has "[not-installed]"
}

@test "one purge takes what is installed and the data of what was removed before" {
	add_keeper one
	add_keeper two
	plugpkg remove one -y
	plugpkg purge one two -y
	assert_not_installed two
	assert_missing "$PLUGPKG_ROOT/data/one" "$PLUGPKG_ROOT/data/two"
}

@test "after remove --all the same set can be installed again" {
	before=$(plugpkg list --json | jq -c 'select(.type == "plugin") | [.name, .version, .state]')
	wanted=$(jq -c .plugins "$PLUGPKG_ROOT/plugpkg.json")
	plugpkg remove --all -y
	assert_equal "$(plugpkg list)" ""
	plugpkg install top solo -y
	assert_equal "$(plugpkg list --json | jq -c 'select(.type == "plugin") | [.name, .version, .state]')" "$before"
	assert_equal "$(jq -c .plugins "$PLUGPKG_ROOT/plugpkg.json")" "$wanted"
	plugpkg check
}

@test "remove --force gives up what cannot be uninstalled, and says so in log and history" {
	local dir
	dir=$(make_plugin stuck 1.0.0 '"scripts": {"uninstall": "scripts/uninstall.sh",
		"post-uninstall": [{"level": 0, "run": "scripts/unpost.sh"}]}')
	add_script "$dir" uninstall 'echo "table is locked" >&2; exit 3'
	add_script "$dir" unpost 'exit 4'
	publish "$(build_plugin stuck 1.0.0)"
	plugpkg update
	plugpkg install stuck -y
	run plugpkg remove stuck -y
	assert_status 7
	assert_has "stays installed: stuck"
	assert_installed stuck 1.0.0
	run plugpkg remove stuck --force -y
	assert_status 0
	assert_has "goes although its post-uninstall script failed" "goes although its uninstall script failed" \
		"what it made may still be there" "table is locked"
	assert_not_installed stuck
	assert_equal "$(jq -c '.plugins.stuck' "$PLUGPKG_ROOT/plugpkg.json")" null
	run plugpkg history show 4
	assert_has "its uninstall script failed, and --force removed it all the same"
	run plugpkg log stuck
	assert_has "stuck 1.0.0 goes although its uninstall script failed"
	run plugpkg check
	assert_status 0
}

@test "killed at any point, a removal with --force says once what it left behind" {
	local dir n
	dir=$(make_plugin stuck 1.0.0 '"scripts": {"uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" uninstall 'exit 3'
	publish "$(build_plugin stuck 1.0.0)"
	plugpkg update
	plugpkg install stuck -y
	run env PLUGPKG_CRASH_AT=1 plugpkg clean
	[ "$status" -eq 137 ] || skip "needs --enable-failpoints"
	cp -a "$PLUGPKG_ROOT" saved
	for ((n = 1; n < 500; n++)); do
		rm -rf "$PLUGPKG_ROOT"
		cp -a saved "$PLUGPKG_ROOT"
		PLUGPKG_CRASH_AT=$n run plugpkg remove stuck --force -y
		[ "$status" -eq 137 ] || break
		plugpkg recover
		[ -e "$PLUGPKG_ROOT/current/stuck" ] ||
			assert_equal "$(plugpkg history show 3 | grep -c 'uninstall script failed')" 1
	done
	assert_status 0
	[ "$n" -gt 20 ]
}

@test "--force gives up only what is named: a dependent that cannot be uninstalled stops the removal" {
	local dir
	dir=$(make_plugin stuck 1.0.0 '"requires": {"solo": "*"}, "scripts": {"uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" uninstall 'exit 3'
	publish "$(build_plugin stuck 1.0.0)"
	plugpkg update
	plugpkg install stuck -y
	run plugpkg remove solo --force --allow-remove -y
	assert_status 7
	assert_installed stuck 1.0.0
	assert_installed solo 1.0.0
}
