#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Archives and directories named by their paths: the same checks as from a repository, but nobody
# signed them, so somebody has to say yes.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin other 1.0.0 >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin other 1.0.0)"
	make_root
	make_plugin mine 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	build_plugin mine 1.0.0 >/dev/null
}

# installed EXPRESSION: of the rows of list
installed() {
	plugpkg list --json | jq -r "select(.type == \"plugin\") | $1"
}

@test "a local archive is installed with what it needs from the sources" {
	run plugpkg install ./mine-1.0.0.plug --dry-run
	assert_status 0
	assert_has "mine" "local file, not signed" "base"
	assert_not_installed mine
	run plugpkg install ./mine-1.0.0.plug -y --allow-unsigned --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "step") | [.name, .version, .source, .file // "-", .unsigned // false] | @csv')" \
		'"base","1.0.0","test","-",false
"mine","1.0.0","file","./mine-1.0.0.plug",true'
	assert_equal "$(json_get 'select(.type == "wanted") | .name + " " + .range')" "mine *"
	assert_installed mine 1.0.0
	assert_equal "$(installed '[.name, .source, .reason] | join(" ")')" "base test automatic
mine file manual"
	run plugpkg check
	assert_status 0
	run plugpkg install ./mine-1.0.0.plug -y --allow-unsigned
	assert_status 0
	assert_has "Nothing to do"
}

@test "without --allow-unsigned, -y does not let it in" {
	before=$(tree_state "$PLUGPKG_ROOT")
	run plugpkg install ./mine-1.0.0.plug -y
	assert_status 11
	assert_has "[needs-confirmation]" "./mine-1.0.0.plug" "--allow-unsigned"
	run plugpkg install ./mine-1.0.0.plug
	assert_status 11
	assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
	# Nothing to sign in what a repository sends.
	run plugpkg install base -y
	assert_status 0
}

@test "on a terminal the plan says so, and no is the default" {
	need script
	run bash -c "printf '\n' | script -qec 'plugpkg install ./mine-1.0.0.plug' /dev/null"
	assert_has "local file, not signed" "[y/N]"
	assert_not_installed mine
	run bash -c "printf 'y\n' | script -qec 'plugpkg install ./mine-1.0.0.plug' /dev/null"
	assert_installed mine 1.0.0
}

@test "a directory is built and installed as a copy" {
	run plugpkg install "$(plugin_dir mine 1.0.0)" -y --allow-unsigned
	assert_status 0
	assert_installed mine 1.0.0
	echo changed >"$(plugin_dir mine 1.0.0)/payload.txt"
	assert_equal "$(<"$PLUGPKG_ROOT/current/mine/payload.txt")" "mine 1.0.0"
	assert_equal "$(installed 'select(.name == "mine") | .linked_from')" null
	cd "$(plugin_dir other 1.0.0)"
	run plugpkg install . -y --allow-unsigned
	assert_status 0
	assert_equal "$(installed 'select(.name == "other").source')" file
}

@test "files of one command satisfy each other" {
	make_plugin low 1.0.0 '"provides": {"depth": "1.0"}' >/dev/null
	make_plugin high 2.0.0 '"requires": {"low": "^1", "depth": "*"}' >/dev/null
	run plugpkg install "$(build_plugin high 2.0.0)" -y --allow-unsigned
	assert_status 3
	run plugpkg install "$(build_plugin high 2.0.0)" "$(build_plugin low 1.0.0)" -y --allow-unsigned
	assert_status 0
	assert_installed low 1.0.0
	assert_installed high 2.0.0
	run plugpkg install "$(build_plugin high 2.0.0)" "$(plugin_dir high 2.0.0)" -y --allow-unsigned
	assert_status 2
	assert_has "both hold 'high'"
}

@test "an update by file; a namesake in a source does not take its place" {
	plugpkg install ./mine-1.0.0.plug -y --allow-unsigned
	make_plugin mine 1.5.0 >/dev/null
	publish "$(build_plugin mine 1.5.0)"
	plugpkg update
	run plugpkg list --upgradable --check
	assert_status 0
	run plugpkg upgrade -y
	assert_status 0
	assert_installed mine 1.0.0
	make_plugin mine 1.1.0-dev.1 '"requires": {"base": "^1"}' >/dev/null
	run plugpkg install "$(build_plugin mine 1.1.0-dev.1)" -y --allow-unsigned
	assert_status 0
	assert_installed mine 1.1.0-dev.1
	assert_equal "$(installed 'select(.name == "mine").source')" file
}

@test "who names a file moves a plugin away from its source" {
	plugpkg install other -y
	make_plugin other 1.1.0 >/dev/null
	run plugpkg install "$(build_plugin other 1.1.0)" -y --allow-unsigned
	assert_status 0
	assert_installed other 1.1.0
	assert_equal "$(installed 'select(.name == "other").source')" file
}

@test "other content of an installed version is refused" {
	plugpkg install ./mine-1.0.0.plug -y --allow-unsigned
	echo more >"$(plugin_dir mine 1.0.0)/more.txt"
	run plugpkg install "$(plugin_dir mine 1.0.0)" -y --allow-unsigned
	assert_status 1
	assert_has "other content" "another version" "[exists]"
}

@test "the copy is what gets unpacked, and a damaged one is noticed" {
	sum=$(sha256sum mine-1.0.0.plug | cut -d ' ' -f 1)
	run plugpkg install ./mine-1.0.0.plug
	assert_status 11
	assert_equal "$(sha256sum <"$PLUGPKG_ROOT/var/cache/$sum" | cut -d ' ' -f 1)" "$sum"
	echo damage >>"$PLUGPKG_ROOT/var/cache/$sum"
	run plugpkg install ./mine-1.0.0.plug -y --allow-unsigned
	assert_status 0
	run bash -c "ls '$PLUGPKG_ROOT/var/cache' | grep -c look-"
	assert_equal "$output" 0
	jq -e '.. | objects | select(.source? == "file")' "$PLUGPKG_ROOT/plugpkg.lock"
}

@test "hostile archives, wrong paths and unsound directories are refused" {
	before=$(tree_state "$PLUGPKG_ROOT")
	python3 "$top_srcdir/tests/e2e/make-hostile.py" "$SCRATCH/hostile"
	for archive in "$SCRATCH"/hostile/*.plug; do
		run plugpkg install "$archive" -y --allow-unsigned
		[ "$status" -ne 0 ] || fail "accepted: $archive"
		[ "$status" -lt 128 ] || fail "crashed: $archive"
	done
	run plugpkg install ./nothing.plug -y --allow-unsigned
	assert_status 4
	assert_has "cannot open './nothing.plug'"
	head -c 100 mine-1.0.0.plug >half.plug
	run plugpkg install half.plug -y --allow-unsigned
	assert_status 6
	assert_has "half.plug"
	mkfifo pipe.plug
	run plugpkg install pipe.plug -y --allow-unsigned
	assert_status 6
	mkdir empty
	run plugpkg install ./empty -y --allow-unsigned
	assert_lacks "Nothing to do"
	[ "$status" -ne 0 ]
	run plugpkg remove ./mine-1.0.0.plug
	assert_status 2
	assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
}

@test "no source can be named after files" {
	run plugpkg source add file "file://$SCRATCH/repo/public"
	assert_status 2
	assert_has "stands for what comes from no source"
}

# every_byte DIR: all of it, times and databases too
every_byte() {
	(cd "$1" && find . -printf '%y %m %s %p %l %T@\n' && find . -type f -exec sha256sum {} +) |
		LC_ALL=C sort
}

@test "a dry run changes no byte below the root, whatever it has to fetch and unpack" {
	rm "$PLUGPKG_ROOT"/var/cache/*
	before=$(every_byte "$PLUGPKG_ROOT")
	export TMPDIR=$SCRATCH/tmp
	mkdir "$TMPDIR"
	for what in base ./mine-1.0.0.plug "$(plugin_dir mine 1.0.0)"; do
		run plugpkg install "$what" --dry-run
		assert_status 0
		assert_has "1.0.0" "this was a dry run"
		assert_equal "$(every_byte "$PLUGPKG_ROOT")" "$before"
	done
	for what in "install nothing" upgrade sync "link ./plugins/mine-1.0.0"; do
		# shellcheck disable=SC2086 # several words
		run plugpkg $what --dry-run
		assert_equal "$(every_byte "$PLUGPKG_ROOT")" "$before"
	done
	assert_equal "$(ls -A "$TMPDIR")" ""
	TMPDIR=$SCRATCH/nowhere run plugpkg install base --dry-run
	assert_status 0
	assert_has "1.0.0" "this was a dry run"
}
