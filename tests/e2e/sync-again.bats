#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A sync that found nothing to do is answered at once while nothing has changed, and made anew after
# anything that it looks at has.

setup() {
	load ../helpers
	load again
	export SETTLED_VERB=sync
	setup_scratch
	export PLUGPKG_NOW=2026-11-21T12:00:00Z
	make_repo
	publish "$(build_plugin base 1.0.0)" "$(build_plugin top 1.0.0 '"requires": {"base": "^1"}')" \
		"$(build_plugin @tools/saw 1.0.0)"
	make_root
	plugpkg install top @tools/saw -y
}

@test "what was found says the same when it is asked again, in text, in JSON and as a dry run" {
	local option
	for option in -y -q --json --dry-run "--dry-run --json"; do
		rm -f "$PLUGPKG_ROOT/var/settled"
		# shellcheck disable=SC2086 # words
		run --separate-stderr plugpkg sync $option
		assert_status 0
		local text=$output talk=$stderr
		settle
		# shellcheck disable=SC2086 # words
		run --separate-stderr plugpkg sync $option
		assert_status 0
		assert_equal "$output" "$text"
		assert_equal "$stderr" "$talk"
	done
	is_answered --dry-run
}

@test "files of the root that are edited or put in place of others are looked at anew" {
	local file
	settle
	jq '.plugins.base = "^1"' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cat new.json >"$PLUGPKG_ROOT/plugpkg.json"
	assert_anew "plugpkg.json edited"
	for file in plugpkg.json plugpkg.lock var/state.db; do
		settle
		cp "$PLUGPKG_ROOT/$file" copy
		mv copy "$PLUGPKG_ROOT/$file"
		assert_anew "$file replaced by its copy"
	done
	settle
	rm "$PLUGPKG_ROOT/plugpkg.lock"
	assert_anew "no plugpkg.lock"
	settle
	is_answered
}

@test "a version that plugpkg.lock has otherwise is followed" {
	publish "$(build_plugin base 1.1.0)"
	plugpkg update
	settle
	jq '.plugins.base.version = "1.1.0"' "$PLUGPKG_ROOT/plugpkg.lock" >new.lock
	local sha
	sha=$(sha256sum <"$SCRATCH/base-1.1.0.plug")
	jq --arg sha "${sha%% *}" '.plugins.base.sha256 = $sha' new.lock >"$PLUGPKG_ROOT/plugpkg.lock"
	run plugpkg sync -y
	assert_status 0
	assert_installed base 1.1.0
}

@test "what is not wanted any more goes, and what is wanted comes" {
	settle
	jq 'del(.plugins.top)' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
	plugpkg sync -y
	assert_not_installed top
	settle
	jq '.plugins.top = "*"' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
	plugpkg sync -y
	assert_installed top 1.0.0
}

@test "files that are gone from the store come back, of a scope as well" {
	local name
	for name in base @tools/saw; do
		settle
		rm -r "$PLUGPKG_ROOT/store/$name"
		run plugpkg sync --check
		assert_status 1
		plugpkg sync -y
		[ -d "$PLUGPKG_ROOT/store/$name" ]
	done
}

@test "what another command changed is looked at anew" {
	local change
	for change in "hold base" "unhold base" "mark manual base" "mark auto base" "disable top -y" \
		"enable top -y"; do
		settle
		# shellcheck disable=SC2086 # words
		plugpkg $change
		assert_anew "$change"
	done
	settle
	plugpkg rollback -y
	assert_anew "rollback"
}

@test "news of a source change nothing for a sync, and end what is known of an upgrade only" {
	settle
	publish "$(build_plugin base 1.1.0)"
	plugpkg update
	is_answered
	plugpkg upgrade -y
	assert_installed base 1.1.0
}

@test "a sync, one of the lock, and an upgrade are remembered beside each other" {
	settle
	settle --locked
	is_answered
	for _ in {1..100}; do
		plugpkg upgrade -y
		if plugpkg --debug upgrade -y 2>&1 | grep -q "nothing has changed since"; then break; fi
		sleep 0.2
	done
	is_answered
	is_answered --locked
	plugpkg --debug upgrade -y 2>&1 | grep -q "nothing has changed since"
	assert_equal "$(grep -c "^plugpkg " "$PLUGPKG_ROOT/var/settled")" 3
}

@test "what is asked for with options is looked at anew" {
	settle
	assert_anew "--no-remove" --no-remove
	assert_anew "--no-recommends" --no-recommends
	assert_anew "--no-scripts" --no-scripts
	assert_anew "--force" --force
	assert_anew "--locked" --locked
	is_answered
}

@test "a lock that is gone fails as it did, however often it was followed" {
	settle --locked
	rm "$PLUGPKG_ROOT/plugpkg.lock"
	run ! plugpkg sync --locked -y
	assert_has "[lock-mismatch]"
}

@test "a clock that goes back, and a hold that ends, are looked at anew" {
	settle
	PLUGPKG_NOW=2026-11-21T11:59:59Z assert_anew "an earlier time"
	plugpkg hold base --until 2026-11-21T12:30:00Z
	settle
	PLUGPKG_NOW=2026-11-21T12:29:59Z is_answered
	PLUGPKG_NOW=2026-11-21T12:30:00Z assert_anew "the end of a hold"
}

@test "a linked plugin is never taken as settled" {
	plugpkg link "$(make_plugin loose 1.0.0)" -y
	sleep 0.2
	plugpkg sync -y
	assert_missing "$PLUGPKG_ROOT/var/settled"
}

@test "an application that is asked for its versions is never taken as settled" {
	mkdir "$PLUGPKG_ROOT/scripts"
	printf '#!/bin/sh\necho "{\\"host:demo\\": \\"1.0.0\\"}"\n' >"$PLUGPKG_ROOT/scripts/versions.sh"
	chmod 755 "$PLUGPKG_ROOT/scripts/versions.sh"
	jq '.["provides-from"] = "scripts/versions.sh"' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cat new.json >"$PLUGPKG_ROOT/plugpkg.json"
	sleep 0.2
	plugpkg sync -y
	assert_missing "$PLUGPKG_ROOT/var/settled"
}

@test "those that only look remember nothing" {
	sleep 0.2
	plugpkg sync --dry-run
	plugpkg sync --check
	assert_missing "$PLUGPKG_ROOT/var/settled"
}

@test "what is remembered may be lost, damaged, or of somebody's own making" {
	local file=$PLUGPKG_ROOT/var/settled head
	settle
	cp "$file" whole
	for head in "" "1 2 3" "99999999999999999999 0 1 0" "18446744073709551615 0 1 0" "-1 0 1 0" \
		"300 x 1 0" "1000000 0 9999999999 0" "0 0 9999999999 0"; do
		sed "1s/.*/$head/" whole >"$file"
		assert_anew "head '$head'"
		settle
	done
	head -c 100 whole >"$file"
	assert_anew "cut short"
	echo more | cat whole - >"$file"
	assert_anew "longer"
	head -c 300000 /dev/zero >"$file"
	assert_anew "zeros"
	settle
	for _ in {1..20}; do cat whole; done >"$file"
	plugpkg mark manual base
	settle
	[ "$(grep -c "^plugpkg " "$file")" -le 8 ]
	rm "$file"
	mkdir "$file"
	run plugpkg sync -y
	assert_status 0
	assert_has "Nothing to do."
}
