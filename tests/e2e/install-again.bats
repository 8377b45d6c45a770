#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An installation of what is there is answered at once while nothing has changed, and looked at anew
# after anything that it depends on has.

setup() {
	load ../helpers
	load again
	export SETTLED_VERB=install
	setup_scratch
	export PLUGPKG_NOW=2026-11-21T12:00:00Z
	make_repo
	publish "$(build_plugin base 1.0.0)" "$(build_plugin top 1.0.0 '"requires": {"base": "^1"}')"
	make_root
	plugpkg install top base -y
}

@test "what was found says the same when it is asked again, in text, in JSON and as a dry run" {
	local option
	for option in -y -q --json --dry-run "--dry-run --json"; do
		rm -f "$PLUGPKG_ROOT/var/settled"
		# shellcheck disable=SC2086 # words
		run --separate-stderr plugpkg install top base $option
		assert_status 0
		local text=$output talk=$stderr
		settle top base
		# shellcheck disable=SC2086 # words
		run --separate-stderr plugpkg install top base $option
		assert_status 0
		assert_equal "$output" "$text"
		assert_equal "$stderr" "$talk"
	done
	is_answered top base --dry-run
}

@test "another set of names is another question" {
	settle top base
	assert_anew "fewer names" top
	assert_anew "a version" top@1.0.0 base --dry-run
	SETTLED_VERB=upgrade assert_anew "an upgrade"
	assert_anew "one that is not there" top base absent
	is_answered top base
}

@test "names of whose list only the end differs are told apart" {
	local many=() i
	for ((i = 0; i < 1000; i++)); do many+=(base); done
	settle "${many[@]}" base
	assert_anew "the last name" "${many[@]}" top
}

@test "what another command changed is looked at anew" {
	local change
	for change in "hold base" "unhold base" "mark auto base" "install base -y" "disable top -y" "enable top -y" \
		"remove top -y" "install top -y"; do
		if [[ $change != "unhold"* && $change != "install"* && $change != "enable"* ]]; then settle top base; fi
		# shellcheck disable=SC2086 # words
		plugpkg $change
		assert_anew "$change" top base
	done
	settle top base
}

@test "files that are edited or put in place of others are looked at anew" {
	local file
	settle top base
	jq '.plugins.base = "^1"' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cat new.json >"$PLUGPKG_ROOT/plugpkg.json"
	assert_anew "plugpkg.json edited" top base
	for file in plugpkg.json var/state.db; do
		settle top base
		cp "$PLUGPKG_ROOT/$file" copy
		mv copy "$PLUGPKG_ROOT/$file"
		assert_anew "$file replaced by its copy" top base
	done
}

@test "a plugin that is wanted in another version by now is installed" {
	settle top base
	publish "$(build_plugin base 1.1.0)"
	plugpkg update
	is_answered top base
	assert_anew "another range" top 'base@>=1.1'
	assert_installed base 1.1.0
	assert_anew "what was installed meanwhile" top base
	settle top base
}

@test "an application that is asked for its versions is asked each time" {
	settle top base
	mkdir "$PLUGPKG_ROOT/scripts"
	printf '#!/bin/sh\necho "{\\"host:demo\\": \\"1.0.0\\"}"\n' >"$PLUGPKG_ROOT/scripts/versions.sh"
	chmod 755 "$PLUGPKG_ROOT/scripts/versions.sh"
	jq '.["provides-from"] = "scripts/versions.sh"' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cat new.json >"$PLUGPKG_ROOT/plugpkg.json"
	sleep 0.2
	plugpkg install top base -y
	assert_anew "provides-from" top base
}

@test "a dry run remembers nothing, and what is remembered may be lost or damaged" {
	local file=$PLUGPKG_ROOT/var/settled
	sleep 0.2
	plugpkg install top base --dry-run
	assert_missing "$file"
	settle top base
	head -c 100 "$file" >part
	cat part >"$file"
	assert_anew "cut short" top base
	rm "$file"
	mkdir "$file"
	run plugpkg install top base -y
	assert_status 0
	assert_has "Nothing to do."
}
