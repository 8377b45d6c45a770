# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The cache of downloads: how much is kept, what goes first, what it is good for without a network.

setup() {
	load ../helpers
	setup_scratch
	need jq
	local i
	make_repo
	for i in 1 2 3 4; do
		make_plugin "p$i" 1.0.0 >/dev/null
		head -c 100000 /dev/urandom >"$(plugin_dir "p$i" 1.0.0)/noise.bin"
		build_plugin "p$i" 1.0.0 >>archives
	done
	# shellcheck disable=SC2046 # the list is words
	publish $(cat archives)
	make_root
}

set_limit() {
	jq --argjson n "$1" '.cache = {"max-size": $n}' root/plugpkg.json >new && mv new root/plugpkg.json
}

# archive NAME: its path in the cache.
archive() {
	echo "root/var/cache/$(basename "$(find "repo/public/targets/pool/$1" -name '*.plug')" .plug)"
}

# older NAME MINUTES: it was used so long ago.
older() {
	touch -d "-$2 minutes" "$(archive "$1")"
}

@test "past its size the cache loses what was not used for the longest time, never the index" {
	set_limit '"260 kB"'
	run -0 plugpkg install p1 p2 -y
	assert_exists "$(archive p1)" "$(archive p2)"
	older p1 20
	older p2 30
	run -0 plugpkg install p3 -y
	assert_exists "$(archive p1)" "$(archive p3)"
	assert_missing "$(archive p2)"
	# Used again, it is the newest.
	run -0 plugpkg remove p1 -y
	older p3 10
	run -0 plugpkg install p1 -y
	run -0 plugpkg install p4 -y
	assert_exists "$(archive p1)" "$(archive p4)"
	assert_missing "$(archive p3)"
	set_limit 0
	run -0 plugpkg remove p2 -y
	run -0 plugpkg install p2 -y
	assert_installed p2 1.0.0
	assert_missing "$(archive p1)" "$(archive p2)" "$(archive p3)" "$(archive p4)"
	mv repo gone
	run -0 plugpkg list --available
	assert_has p1
}

@test "a size that makes no sense is refused with its line" {
	local size
	for size in '"much"' -1 '"5 XB"' '[]' 1.5; do
		set_limit "$size"
		run --separate-stderr plugpkg list
		[ "$status" -ne 0 ] || fail "$size was taken"
		assert_has "cache.max-size" "line " "[bad-config]"
	done
}

@test "clean --cache deletes downloads and nothing else" {
	run -0 plugpkg install p1 -y
	run -0 plugpkg install p2 -y
	run -0 plugpkg remove p2 -y
	local before
	before=$(tree_state root)
	echo half >"root/var/cache/$(printf '0%.0s' {1..64}).part"
	run -0 plugpkg clean --cache --json
	assert_equal "$(json_get 'select(.type == "cleaned") | [.files, .generations, .versions] | @csv')" 3,0,0
	assert_missing "$(archive p1)" "$(archive p2)"
	assert_equal "$(tree_state root)" "$before"
	run -2 plugpkg clean --cache --keep 2
	run -2 plugpkg clean --cache --keep-cache
	mv repo gone
	run -0 plugpkg list --available
	assert_has p4
}

@test "offline, what was downloaded before is enough, and what was not is told" {
	run -0 plugpkg install p1 -y
	run -0 plugpkg remove p1 -y
	plugpkg clean --keep-cache
	run -0 plugpkg install p1 -y --offline
	assert_installed p1 1.0.0
	local before
	before=$(tree_state root)
	run --separate-stderr plugpkg install p2 -y --offline
	assert_status 5
	assert_has "p2 1.0.0 was not downloaded before" "hint: " "without --offline"
	run --separate-stderr plugpkg update --offline
	assert_status 5
	assert_has "offline" "hint: "
	assert_equal "$(tree_state root)" "$before"
	run -0 plugpkg search p2 --offline
	assert_has p2
	run -0 plugpkg install p2 -y
}
