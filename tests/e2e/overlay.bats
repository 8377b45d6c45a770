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
