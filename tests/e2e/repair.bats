#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What check finds, repair makes right again: files, links, effects, leftovers.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	local dir
	dir=$(make_plugin base 1.0.0 '"scripts": {"install": "scripts/install.sh",
		"verify": "scripts/verify.sh", "uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" install "[ ! -e '$SCRATCH/full' ] || exit 4; echo install base >>'$SCRATCH/calls'; touch '$SCRATCH/table'"
	add_script "$dir" verify "[ -e '$SCRATCH/table' ] || { echo table is gone; exit 1; }"
	add_script "$dir" uninstall "[ ! -e '$SCRATCH/refuse' ] || exit 1; rm -f '$SCRATCH/table'"
	make_plugin @acme/top 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin @acme/top 1.0.0)"
	make_root
	plugpkg install @acme/top -y
	rm -f calls
}

@test "a sound root needs no repair" {
	before=$(readlink "$PLUGPKG_ROOT/current")
	run plugpkg repair
	assert_status 0
	assert_has "Nothing to repair."
	assert_equal "$(readlink "$PLUGPKG_ROOT/current")" "$before"
	assert_missing calls
}

@test "tables that were dropped by hand are noticed by check and made again by repair" {
	rm table
	run plugpkg check --no-scripts
	assert_status 0
	run plugpkg check
	assert_status 1
	assert_has "base: 1.0.0 says that it is not installed" "table is gone" "hint: plugpkg repair"
	run plugpkg repair
	assert_status 0
	assert_has "base: 1.0.0 is installed again"
	assert_equal "$(cat calls)" "install base"
	run plugpkg check
	assert_status 0
}

@test "changed and missing files come back from the cache, and from the source when that is cleaned" {
	for way in cache source; do
		[ "$way" = cache ] || plugpkg clean
		file=$PLUGPKG_ROOT/store/base/1.0.0/payload.txt
		chmod u+w "$file"
		echo other >"$file"
		rm -rf "$PLUGPKG_ROOT/store/@acme/top/1.0.0"
		run plugpkg check
		assert_status 1
		run plugpkg repair
		assert_status 0
		assert_has "base: the files of 1.0.0 are whole again" "@acme/top: the files of 1.0.0 are whole again"
		assert_equal "$(cat "$file")" "base 1.0.0"
		assert_installed @acme/top 1.0.0
		run plugpkg check
		assert_status 0
	done
}

@test "files that cannot be had again are said so, and nothing is changed" {
	plugpkg clean
	rm -rf "$PLUGPKG_ROOT/store/base/1.0.0"
	mv repo away
	run plugpkg repair
	assert_status 5
	assert_has "cannot repair the files of base 1.0.0"
	mv away repo
	run plugpkg repair
	assert_status 0
	run plugpkg check
	assert_status 0
}

@test "links that are missing or foreign become a new generation in one rename" {
	rm "$PLUGPKG_ROOT/generations/1/base"
	ln -s ../../store/base/1.0.0 "$PLUGPKG_ROOT/generations/1/foreign"
	run plugpkg repair
	assert_status 0
	assert_has "generation 2 shows what is installed"
	assert_equal "$(readlink "$PLUGPKG_ROOT/current")" generations/2
	assert_installed base 1.0.0
	assert_missing "$PLUGPKG_ROOT/current/foreign"
	run plugpkg check
	assert_status 0
	rm "$PLUGPKG_ROOT/current"
	run plugpkg repair
	assert_status 0
	run plugpkg check
	assert_status 0
}

@test "an install that fails again leaves the plugin on record as not installed" {
	rm table
	touch full
	run plugpkg repair
	assert_status 7
	rm full
	run plugpkg is-installed base
	assert_status 1
	run plugpkg repair base
	assert_status 0
	run plugpkg is-installed base
	assert_status 0
}

@test "a data directory that is gone is made again" {
	rm -rf "$PLUGPKG_ROOT/data/base"
	run plugpkg check
	assert_has "base: its directory data/base is missing"
	run plugpkg repair
	assert_status 0
	assert_exists "$PLUGPKG_ROOT/data/base"
}

@test "repair of one name leaves others alone, and is noted in the history" {
	rm table
	rm -rf "$PLUGPKG_ROOT/store/@acme/top/1.0.0"
	run plugpkg repair base --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "repaired") | .kind + " " + .name')" "verify base"
	run plugpkg check
	assert_has "@acme/top"
	run plugpkg history --json
	assert_equal "$(json_get 'select(.type == "note" and .command == "repair").text')" "1.0.0 is installed again"
	run plugpkg repair nobody
	assert_status 4
	run plugpkg repair 'No Name'
	assert_status 2
}

@test "check sees a damaged log, and no cut-off transaction in one that runs" {
	echo 'this is no database, and long enough to be looked at by whoever opens it as one' >"$PLUGPKG_ROOT/var/log.db"
	run plugpkg check
	assert_status 1
	assert_has "var/log.db is damaged"
	rm "$PLUGPKG_ROOT/var/log.db"
	dir=$(make_plugin slow 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "touch '$SCRATCH/begun'; while [ ! -e '$SCRATCH/go' ]; do sleep 0.05; done"
	publish "$(build_plugin slow 1.0.0)"
	plugpkg update
	plugpkg install slow -y >slow.out 2>&1 3>&- &
	installer=$!
	until [ -e begun ]; do sleep 0.05; done
	run plugpkg check
	assert_status 0
	touch go
	wait "$installer"
}

# stubborn NAME [MEMBERS]: its uninstall fails while SCRATCH/keep-NAME is there
stubborn() {
	local dir
	dir=$(make_plugin "$1" 1.0.0 "\"scripts\": {\"uninstall\": \"scripts/uninstall.sh\"}${2:+, $2}")
	add_script "$dir" uninstall "[ ! -e '$SCRATCH/keep-$1' ] || { echo 'rows of others need me' >&2; exit 5; }
echo uninstall $1 >>'$SCRATCH/calls'"
	build_plugin "$1" 1.0.0
}

# Leftovers low and high, which needs low: neither can come back beside the new base.
make_leftovers() {
	publish "$(stubborn low '"requires": {"base": "<2"}')" "$(stubborn high '"requires": {"low": "*", "base": "<2"}')"
	plugpkg update
	plugpkg remove @acme/top -y
	plugpkg install high -y
	make_plugin base 2.0.0 >/dev/null
	publish "$(build_plugin base 2.0.0)"
	plugpkg update
	touch keep-low keep-high
	run plugpkg install base@2 high- low- -y
	assert_status 7
	assert_has "left over: "
}

states() {
	plugpkg list --json | jq -r 'select(.type == "plugin") | .name + " " + .state' | paste -sd,
}

@test "plugins are installed again in the order of their dependencies" {
	local name
	for name in a-last m-mid z-first; do
		dir=$(make_plugin $name 1.0.0 "\"scripts\": {\"install\": \"scripts/install.sh\"}$(
			case $name in a-last) echo ', "requires": {"m-mid": "*"}' ;; m-mid) echo ', "requires": {"z-first": "*"}' ;; esac)")
		add_script "$dir" install "echo install $name >>'$SCRATCH/calls'"
		publish "$(build_plugin $name 1.0.0)"
	done
	plugpkg update
	plugpkg install a-last -y
	plugpkg mark --not-installed a-last m-mid z-first
	rm calls
	run plugpkg repair
	assert_status 0
	assert_equal "$(cat calls)" "install z-first
install m-mid
install a-last"
}

@test "leftovers whose uninstall works now go, dependents first" {
	make_leftovers
	assert_equal "$(states)" "base installed,high leftover,low leftover"
	rm keep-low keep-high
	run plugpkg repair
	assert_status 0
	assert_has "high: 1.0.0 is uninstalled at last" "low: 1.0.0 is uninstalled at last"
	assert_equal "$(cat calls)" "uninstall high
uninstall low"
	assert_equal "$(states)" "base installed"
	run plugpkg check
	assert_status 0
}

@test "a leftover is called that, and is not in use" {
	make_leftovers
	run plugpkg disable low
	assert_status 9
	assert_has "low 1.0.0 is a leftover: it is not in use" "hint: plugpkg check tells more"
	run plugpkg why low
	assert_status 4
	assert_has "plugin 'low' is a leftover: it is not in use" "hint: plugpkg check tells more"
	assert_lacks "did you mean"
}

@test "a leftover that fails again stays and is named, and the others go" {
	make_leftovers
	rm keep-low
	run plugpkg repair
	assert_status 7
	assert_has "high 1.0.0 is still left over" "rows of others need me" "low: 1.0.0 is uninstalled at last" \
		"hint: plugpkg remove --force high"
	assert_equal "$(states)" "base installed,high leftover"
	run plugpkg remove high -y
	assert_status 7
	assert_equal "$(states)" "base installed,high leftover"
	run plugpkg remove high --force -y
	assert_status 0
	assert_has "high 1.0.0 goes although its uninstall script failed; what it made may still be there" \
		"rows of others need me"
	assert_equal "$(states)" "base installed"
	run plugpkg check
	assert_status 0
}

@test "a plugin that cannot tell is a problem for check, and repair does nothing about it" {
	dir=$(make_plugin odd 1.0.0 '"scripts": {"install": "scripts/install.sh", "verify": "scripts/verify.sh"}')
	add_script "$dir" install "echo install odd >>'$SCRATCH/calls'"
	add_script "$dir" verify "[ -e '$SCRATCH/up' ] || { echo no database; exit 2; }"
	publish "$(build_plugin odd 1.0.0)"
	plugpkg update
	plugpkg install odd -y
	rm calls
	run plugpkg check --json
	assert_status 1
	assert_equal "$(json_get 'select(.type == "problem") | .kind + " " + .name')" "unknown odd"
	run plugpkg check
	assert_has "odd: 1.0.0 cannot tell whether it is installed: script 'verify' of odd 1.0.0 failed with exit status 2" "no database"
	run plugpkg repair
	assert_status 7
	assert_has "odd 1.0.0 cannot tell whether it is installed" "exit status 2" "plugpkg mark --not-installed odd"
	assert_missing calls
	run plugpkg is-installed odd
	assert_status 0
	plugpkg mark --not-installed odd
	run plugpkg repair
	assert_status 7
	assert_has "odd 1.0.0 was installed again, and cannot tell"
	touch up
	run plugpkg repair
	assert_status 0
	run plugpkg check
	assert_status 0
}
