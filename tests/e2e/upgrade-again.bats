#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An upgrade that found nothing to do is answered at once while nothing has changed, and made anew
# after anything that a plan is made of has.

setup() {
	load ../helpers
	load again
	export SETTLED_VERB=upgrade
	setup_scratch
	export PLUGPKG_NOW=2026-11-21T12:00:00Z
	make_repo
	publish "$(build_plugin base 1.0.0)" "$(build_plugin top 1.0.0 '"requires": {"base": "^1"}')"
	make_root
	plugpkg install top -y
}

@test "what was found says the same when it is asked again, in text and in JSON" {
	run plugpkg upgrade -y
	local text=$output
	settle
	run plugpkg upgrade -y
	assert_equal "$output" "$text"
	local json
	json=$(plugpkg upgrade -y --json)
	rm "$PLUGPKG_ROOT/var/settled"
	assert_equal "$json" "$(plugpkg upgrade -y --json)"
	settle
	is_answered --dry-run
}

@test "a version that is published comes with the next update and upgrade" {
	settle
	publish "$(build_plugin base 1.1.0)"
	is_answered
	plugpkg update
	assert_anew "an update"
	assert_installed base 1.1.0
	settle
	plugpkg update
	run plugpkg upgrade -y
	assert_has "Nothing to do."
}

@test "after a rollback the upgrade comes again" {
	publish "$(build_plugin base 1.1.0)"
	plugpkg update
	plugpkg upgrade -y
	settle
	plugpkg rollback -y
	assert_installed base 1.0.0
	run plugpkg upgrade -y
	assert_status 0
	assert_installed base 1.1.0
}

@test "what another command changed is planned anew" {
	local change
	for change in "hold base" "unhold base" "mark manual base" "mark auto base" "disable top -y" \
		"enable top -y" "remove top -y" "install top -y"; do
		if [[ $change != "enable top"* && $change != "install top"* ]]; then settle; fi
		# shellcheck disable=SC2086 # words
		plugpkg $change
		assert_anew "$change"
	done
}

@test "files that are edited or put in place of others are planned with anew" {
	local file
	settle
	jq '.plugins.base = "^1"' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cat new.json >"$PLUGPKG_ROOT/plugpkg.json"
	assert_anew "plugpkg.json edited"
	for file in plugpkg.json var/state.db var/trust/test/root.json var/trust/test/view/index.json \
		var/trust/test/view/timestamp.json; do
		settle
		cp "$PLUGPKG_ROOT/$file" copy
		mv copy "$PLUGPKG_ROOT/$file"
		assert_anew "$file replaced by its copy"
	done
	settle
	rm -r "$PLUGPKG_ROOT/var/trust/test/view"
	assert_anew "no view"
}

@test "another range of what is wanted is planned anew" {
	publish "$(build_plugin base 1.1.0)"
	plugpkg update
	plugpkg install base@1.0.0 -y
	run plugpkg upgrade -y
	assert_has "Kept back"
	assert_missing "$PLUGPKG_ROOT/var/settled"
	plugpkg install 'base@<1.1' -y
	run plugpkg upgrade -y
	assert_has "Kept back"
	plugpkg install 'base@^1' -y
	plugpkg upgrade -y
	assert_installed base 1.1.0
	settle
}

@test "a new source is asked, and one that is gone is not" {
	settle
	make_repo "$SCRATCH/other" other
	plugpkg-repo --repo "$SCRATCH/other" add "$(build_plugin base 1.2.0)" >/dev/null
	plugpkg-repo --repo "$SCRATCH/other" publish >/dev/null
	plugpkg source add other "file://$SCRATCH/other/public" --priority 900 \
		--key "$SCRATCH/other/public/metadata/1.root.json"
	assert_anew "a source that was never updated"
	plugpkg update
	assert_anew "a source"
	run plugpkg upgrade -y --allow-origin-change
	assert_installed base 1.2.0
	settle
	plugpkg source remove other
	assert_anew "a source removed"
}

@test "what is asked for with options is planned anew" {
	settle
	assert_anew "--pre" --pre
	assert_anew "--no-recommends" --no-recommends
	assert_anew "--allow-origin-change" --allow-origin-change
	assert_anew "--allow-remove" --allow-remove
	assert_anew "--min-age" --min-age 3
	assert_anew "--min-age-except" --min-age-except base
	assert_anew "--no-scripts" --no-scripts
	assert_anew "a name" base
	is_answered
}

@test "metadata that comes to its end is told of, and refused after it" {
	settle
	local until
	until=$(sed -n '1s/^[0-9]* [0-9]* \([0-9]*\) .*/\1/p' "$PLUGPKG_ROOT/var/settled")
	PLUGPKG_NOW=$until is_answered
	PLUGPKG_NOW=$((until + 1)) assert_anew "due"
	PLUGPKG_NOW=$((until + 1)) run plugpkg upgrade -y
	assert_status 0
	assert_has "metadata expires in"
	PLUGPKG_NOW=2036-11-21T12:00:00Z run ! plugpkg upgrade -y
	assert_has "[metadata-expired]"
}

@test "a clock that goes back, and a hold that ends, are planned anew" {
	settle
	PLUGPKG_NOW=2026-11-21T11:59:59Z assert_anew "an earlier time"
	plugpkg hold base --until 2026-11-21T12:30:00Z
	settle
	PLUGPKG_NOW=2026-11-21T12:29:59Z is_answered
	PLUGPKG_NOW=2026-11-21T12:30:00Z assert_anew "the end of a hold"
}

@test "what is kept back, and what ages, is never taken as settled" {
	publish "$(build_plugin base 1.1.0)"
	plugpkg update
	plugpkg hold base
	sleep 0.2
	run plugpkg upgrade -y
	assert_has "Kept back" "Nothing to do."
	run plugpkg upgrade -y
	assert_has "Kept back" "Nothing to do."
	plugpkg unhold base
	jq '.["min-age"] = {"days": 3}' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cat new.json >"$PLUGPKG_ROOT/plugpkg.json"
	sleep 0.2
	plugpkg upgrade -y
	assert_missing "$PLUGPKG_ROOT/var/settled"
	plugpkg update >/dev/null
	PLUGPKG_NOW=2026-11-24T12:00:01Z plugpkg upgrade -y
	assert_installed base 1.1.0
}

@test "an application that is asked for its versions is asked each time" {
	mkdir "$PLUGPKG_ROOT/scripts"
	printf '#!/bin/sh\necho >>%s\necho "{\\"host:demo\\": \\"1.0.0\\"}"\n' "$SCRATCH/asked" \
		>"$PLUGPKG_ROOT/scripts/versions.sh"
	chmod 755 "$PLUGPKG_ROOT/scripts/versions.sh"
	jq '.["provides-from"] = "scripts/versions.sh"' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cat new.json >"$PLUGPKG_ROOT/plugpkg.json"
	sleep 0.2
	plugpkg upgrade -y
	plugpkg upgrade -y
	assert_equal "$(wc -l <"$SCRATCH/asked")" 2
	assert_missing "$PLUGPKG_ROOT/var/settled"
}

@test "a dry run remembers nothing, and what is remembered may be lost or damaged" {
	local file=$PLUGPKG_ROOT/var/settled
	sleep 0.2
	plugpkg upgrade --dry-run
	assert_missing "$file"
	settle
	cp "$file" whole
	head -c 100 whole >"$file"
	assert_anew "cut short"
	settle
	: >"$file"
	assert_anew "empty"
	settle
	echo more >>"$file"
	assert_anew "longer"
	settle
	rm "$file"
	mkdir "$file"
	run plugpkg upgrade -y
	assert_status 0
	assert_has "Nothing to do."
}
