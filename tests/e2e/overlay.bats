#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A root that came with a lower layer of an overlay, as with the image of a container: its directories
# cannot be renamed.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	notes 1.0.0
	notes 2.0.0 "echo new >\"\$PLUGPKG_DATA/file\"; [ ! -e '$SCRATCH/no' ]"
	make_plugin words 1.0.0 >/dev/null
	make_plugin words 2.0.0 >/dev/null
	publish "$(build_plugin notes 1.0.0)" "$(build_plugin notes 2.0.0)" \
		"$(build_plugin words 1.0.0)" "$(build_plugin words 2.0.0)"
	make_root
	export FILE=$PLUGPKG_ROOT/data/notes/file
}

# notes VERSION [UPGRADE]
notes() {
	local dir
	dir=$(make_plugin notes "$1" '"scripts": {"upgrade": "scripts/upgrade.sh"}, "data": {"snapshot": true}')
	add_script "$dir" upgrade "${2-:}"
}

# layered COMMANDS: in a namespace of their own, where the root is the lower layer of an overlay that
# takes its place. `new_layer` there begins anew; `killed COMMAND` does, too, and kills it at point $n, or
# is false when it came to its end.
layered() {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	need unshare
	# shellcheck disable=SC2016 # expands there
	run unshare -m bash -euc '
		new_layer() {
			if mountpoint -q "$PLUGPKG_ROOT"; then umount "$PLUGPKG_ROOT"; fi
			if mountpoint -q up; then umount up; fi
			mkdir -p up && mount -t tmpfs tmpfs up && mkdir up/upper up/work &&
				mount -t overlay -o "lowerdir=$PLUGPKG_ROOT,upperdir=up/upper,workdir=up/work,redirect_dir=off" \
					overlay "$PLUGPKG_ROOT" || exit 77
		}
		killed() {
			new_layer
			rc=0
			{ PLUGPKG_CRASH_AT=$n "$@" || rc=$?; } >/dev/null 2>&1
			[ "$rc" -eq 137 ] && n=$((n + 1))
		}
		new_layer 2>/dev/null
		set -x
		'"$1"
	[ "$status" -ne 77 ] || skip "cannot mount an overlay here"
}

@test "what came with a lower layer is deleted, replaced and materialized anew" {
	plugpkg install notes@1 words@1 -y
	plugpkg materialize
	plugpkg install words@2 -y
	# shellcheck disable=SC2016 # expands there
	layered '
		cd "$PLUGPKG_ROOT"
		plugpkg materialize
		grep -q "words 2" plain/words/payload.txt
		plugpkg clean --keep 0 >cleaned
		grep -q "1 .*version" cleaned
		[ ! -e store/words/1.0.0 ] && [ ! -e generations/2 ] && [ ! -e var/snapshots/notes ]
		echo broken >store/notes/1.0.0/payload.txt
		plugpkg repair -y
		grep -q "notes 1.0.0" store/notes/1.0.0/payload.txt
		cd "$SCRATCH"
		new_layer
		plugpkg install notes@1 --reinstall -y
		plugpkg check
		cd "$PLUGPKG_ROOT"
		[ -z "$(ls -A var/staging)" ]'
	assert_status 0
}

@test "an overlay of two file systems is no mount in the data: it is kept, and an upgrade goes on" {
	plugpkg install notes@1 -y
	mkdir -p "${FILE%/*}"
	echo old >"$FILE"
	# shellcheck disable=SC2016 # expands there
	layered '
		plugpkg install notes@2 -y
		[ "$(cat "$FILE")" = new ]
		[ "$(cat "$PLUGPKG_ROOT/var/snapshots/notes/1/file")" = old ]'
	assert_status 0
}

@test "data that came with a lower layer is put back after a failed upgrade, and by undo" {
	plugpkg install notes@1 -y
	mkdir -p "${FILE%/*}"
	echo old >"$FILE"
	# shellcheck disable=SC2016 # expands there
	layered '
		touch no
		if plugpkg install notes@2 -y; then exit 1; fi
		[ "$(cat "$FILE")" = old ]
		plugpkg recover 2>&1 | grep "Nothing to do"
		rm no
		new_layer
		plugpkg install notes@2 -y
		[ "$(cat "$FILE")" = new ]
		plugpkg undo -y
		[ "$(cat "$FILE")" = old ]
		plugpkg check'
	assert_status 0
	plugpkg install notes@2 -y
	# shellcheck disable=SC2016 # expands there
	layered '
		plugpkg undo -y
		[ "$(cat "$FILE")" = old ]
		plugpkg clean --keep 0
		[ ! -e "$PLUGPKG_ROOT/var/snapshots/notes" ]
		[ -z "$(ls -A "$PLUGPKG_ROOT/var/staging")" ]'
	assert_status 0
}

@test "data that came with a lower layer goes over to a plugin that replaces its own, and back" {
	dir=$(make_plugin @acme/diary 2.0.0 '"scripts": {"install": "scripts/install.sh"},
		"replaces": {"words": "<9"}, "provides": {"words": "2.0.0"}')
	add_script "$dir" install "cat \"\$PLUGPKG_DATA/file\" >'$SCRATCH/seen'; [ ! -e '$SCRATCH/no' ]"
	FILE=$PLUGPKG_ROOT/data/words/file
	plugpkg install words -y
	mkdir -p "${FILE%/*}"
	echo old >"$FILE"
	publish "$(build_plugin @acme/diary 2.0.0)"
	plugpkg update
	# shellcheck disable=SC2016 # expands there
	layered '
		touch no
		if plugpkg install @acme/diary -y --allow-remove; then exit 1; fi
		[ "$(cat seen)" = old ]
		[ "$(cat "$FILE")" = old ] && [ ! -e "$PLUGPKG_ROOT/data/@acme" ]
		rm no
		new_layer
		plugpkg install @acme/diary -y --allow-remove
		[ "$(cat "$PLUGPKG_ROOT/data/@acme/diary/file")" = old ] && [ ! -e "${FILE%/*}" ]
		[ ! -e "$PLUGPKG_ROOT/var/snapshots/words" ]'
	assert_status 0
	takes_minutes
	run env PLUGPKG_CRASH_AT=1 plugpkg clean
	[ "$status" -eq 137 ] || return 0
	# shellcheck disable=SC2016 # expands there
	layered '
		set +x
		touch no
		n=1
		while killed plugpkg install @acme/diary -y --allow-remove; do
			plugpkg recover >/dev/null 2>&1 || { echo "recover at $n"; exit 1; }
			[ "$(cat "$FILE")" = old ] || { echo "other data at $n"; exit 1; }
			[ -z "$(find "$PLUGPKG_ROOT/data/@acme" "$PLUGPKG_ROOT/var/snapshots" -type f 2>/dev/null)" ] ||
				{ echo "left at $n"; exit 1; }
		done
		[ "$n" -gt 50 ]'
	assert_status 0
}

@test "killed at any point, what came with a lower layer is whole again after recover" {
	takes_minutes
	plugpkg install notes@1 -y
	run env PLUGPKG_CRASH_AT=1 plugpkg clean
	[ "$status" -eq 137 ] || skip "needs --enable-failpoints"
	mkdir -p "${FILE%/*}"
	echo old >"$FILE"
	plugpkg install words@1 -y
	plugpkg materialize
	# shellcheck disable=SC2016 # expands there
	layered '
		set +x
		touch no
		n=1
		while killed plugpkg install notes@2 -y; do
			plugpkg recover >/dev/null 2>&1 || { echo "recover at $n"; exit 1; }
			[ "$(cat "$FILE")" = old ] || { echo "other data at $n"; exit 1; }
		done
		[ "$n" -gt 50 ]
		rm no
		n=1
		while killed plugpkg clean --keep 0; do
			plugpkg clean --keep 0 >/dev/null 2>&1 || { echo "clean at $n"; exit 1; }
			[ "$(ls "$PLUGPKG_ROOT/generations")" = 2 ] || { echo "generations at $n"; exit 1; }
		done
		[ "$n" -gt 5 ]
		n=1
		while killed plugpkg materialize; do
			plugpkg materialize >/dev/null 2>&1 || { echo "materialize at $n"; exit 1; }
			[ -z "$(find "$PLUGPKG_ROOT" -name "*.plugpkg-*")" ] || { echo "left at $n"; exit 1; }
		done
		[ "$n" -gt 5 ]'
	assert_status 0
}
