#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sync: what differs from plugpkg.json and plugpkg.lock is told as what it is, and made right or refused.

setup() {
	load ../helpers
	setup_scratch
	need jq
	make_repo
	publish "$(build_plugin solo 1.0.0)"
	make_root
}

# edit FILE JQ [ARG...]: rewrites a file of the root.
edit() {
	jq "${@:3}" "$2" "$PLUGPKG_ROOT/$1" >new.json
	cp new.json "$PLUGPKG_ROOT/$1"
}

# differs KIND WORDS HINT: one difference to plugpkg.lock, told by --check; sync --locked refuses it.
differs() {
	run -1 plugpkg sync --locked --check
	assert_has "$2"
	run -1 plugpkg sync --locked --check --json
	assert_equal "$(jq -r 'select(.type == "difference").kind' <<<"$output")" "$1"
	run -3 plugpkg sync --locked -y
	assert_has "$2" "[lock-mismatch]" "hint: " "$3"
}

@test "the application of plugpkg.lock is another one: a version more, or less" {
	edit plugpkg.json '.provides = {"host:cms": "1.2.0"}'
	plugpkg install solo -y
	cp "$PLUGPKG_ROOT/plugpkg.lock" with.lock
	edit plugpkg.json '.provides = {"host:cms": "1.2.0", "host:php": "8.3.0"}'
	differs host "this application has host:php 8.3.0; plugpkg.lock is for one without it" \
		"without --locked"
	edit plugpkg.json '.provides = {}'
	differs host "plugpkg.lock is for host:cms 1.2.0; this application does not have it" \
		"without --locked"
	edit plugpkg.json '.provides = {"host:cms": "1.2.0"}'
	run -0 plugpkg sync --locked
	cmp with.lock "$PLUGPKG_ROOT/plugpkg.lock"
}

@test "a plugin that is used in place here, in plugpkg.lock, or in both from elsewhere" {
	plugpkg install solo -y
	cp "$PLUGPKG_ROOT/plugpkg.lock" fetched.lock
	plugpkg link "$(make_plugin solo 1.0.0)" -y
	cp "$PLUGPKG_ROOT/plugpkg.lock" linked.lock
	cp fetched.lock "$PLUGPKG_ROOT/plugpkg.lock"
	differs link "solo is used in place from $SCRATCH/plugins/solo-1.0.0 here, not in plugpkg.lock" \
		"plugpkg install --reinstall"
	sed 's/solo-1.0.0/solo-elsewhere/' linked.lock >"$PLUGPKG_ROOT/plugpkg.lock"
	differs link "in plugpkg.lock from $SCRATCH/plugins/solo-elsewhere" "plugpkg link DIR"
	cp linked.lock "$PLUGPKG_ROOT/plugpkg.lock"
	run -0 plugpkg sync --locked
	run -0 plugpkg install solo --reinstall -y
	cp linked.lock "$PLUGPKG_ROOT/plugpkg.lock"
	differs link "solo is used in place from $SCRATCH/plugins/solo-1.0.0 in plugpkg.lock, not here" \
		"plugpkg link DIR"
}

@test "the same archive of another source, and of a source that plugpkg.json does not name" {
	plugpkg install solo -y
	edit plugpkg.lock '(.. | .source? | select(. == "test")) = "other"'
	differs source "solo comes from source 'test', in plugpkg.lock from 'other'" "remove it first"
	cp "$PLUGPKG_ROOT/plugpkg.lock" other.lock
	plugpkg remove solo -y
	edit plugpkg.json '.plugins.solo = "*"'
	cp other.lock "$PLUGPKG_ROOT/plugpkg.lock"
	run -3 plugpkg sync --locked -y
	assert_has "plugpkg.lock has solo 1.0.0 from source 'other', which plugpkg.json does not name" \
		"[lock-mismatch]" "plugpkg source add other URL"
	assert_not_installed solo
}

@test "plugins that go, and what only they needed, leave in one order" {
	local name dir
	for name in base mid top; do
		dir=$(make_plugin "$name" 1.0.0 '"scripts": {"uninstall": "scripts/uninstall.sh"}'"$(
			case $name in
			mid) echo ', "requires": {"base": "*"}' ;;
			top) echo ', "requires": {"mid": "*"}' ;;
			esac
		)")
		add_script "$dir" uninstall
		publish "$(build_plugin "$name" 1.0.0)"
	done
	publish "$(build_plugin rival 1.0.0 '"conflicts": {"top": "*"}')"
	plugpkg update
	plugpkg install top -y
	rm -f calls
	edit plugpkg.json '.plugins = {"rival": "*"}'
	run -0 plugpkg sync -y
	assert_installed rival 1.0.0
	assert_equal "$(cat calls)" "uninstall top 1.0.0
uninstall mid 1.0.0
uninstall base 1.0.0"
}

@test "what goes for another plugin, and what an upgrade needs no more, leave in one order" {
	local name dir
	for name in lib mid top; do
		dir=$(make_plugin "$name" 1.0.0 '"scripts": {"uninstall": "scripts/uninstall.sh"}'"$(
			case $name in
			mid) echo ', "requires": {"lib": "*"}' ;;
			top) echo ', "requires": {"mid": "*"}' ;;
			esac
		)")
		add_script "$dir" uninstall
		publish "$(build_plugin "$name" 1.0.0)"
	done
	publish "$(build_plugin rival 1.0.0 '"conflicts": {"top": "*"}')" \
		"$(build_plugin app 1.0.0 '"requires": {"lib": "*"}')" "$(build_plugin app 2.0.0)"
	plugpkg update
	plugpkg install top app@1 -y
	rm -f calls
	edit plugpkg.json '.plugins = {"rival": "*", "app": "^2"}'
	run -0 plugpkg sync -y
	assert_installed rival 1.0.0
	assert_installed app 2.0.0
	assert_equal "$(cat calls)" "uninstall top 1.0.0
uninstall mid 1.0.0
uninstall lib 1.0.0"
}

@test "a virtual name is made again by the plugin that plugpkg.lock has for it" {
	publish "$(build_plugin find-a 1.0.0 '"provides": {"search": "1.0"}')" \
		"$(build_plugin find-b 1.0.0 '"provides": {"search": "1.0"}')" \
		"$(build_plugin site 1.0.0 '"requires": {"search": "*"}')"
	plugpkg update
	for name in find-a find-b; do
		plugpkg install site "$name" -y
		plugpkg mark auto "$name"
		mkdir "$name"
		cp "$PLUGPKG_ROOT/plugpkg.json" "$PLUGPKG_ROOT/plugpkg.lock" "$name"
		run -0 plugpkg --root "$name" sync --locked -y
		run -0 plugpkg --root "$name" list --json
		assert_equal "$(jq -r 'select(.type == "plugin").name' <<<"$output" | sort | xargs)" "$name site"
		plugpkg remove site -y
		plugpkg autoremove -y
	done
}
