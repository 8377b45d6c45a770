#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2030,SC2031 # each case has a shell of its own
# What a stranger tries: requests that cannot be met, a publisher who signs what is not so, metadata
# that goes back in time, interrupts in every phase, roots in odd places.

setup() {
	load ../helpers
	setup_scratch
	make_repo
}

# refused STATUS TEXT... -- COMMAND...: exits with STATUS, says each TEXT, and changes no byte.
refused() {
	local want=$1 texts=() before
	shift
	while [ "$1" != -- ]; do
		texts+=("$1")
		shift
	done
	shift
	before=$(tree_state "$PLUGPKG_ROOT")
	run "$@"
	assert_status "$want"
	assert_has "${texts[@]}"
	assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
}

# as_staged NAME VERSION JQ NEW-NAME NEW-VERSION: publishes the archive of NAME VERSION as something
# else, as a publisher could who holds the online key.
as_staged() {
	local staged=repo/staged
	plugpkg-repo --repo repo add "$(build_plugin "$1" "$2")" >/dev/null
	jq "$3" "$staged/$1@$2.json" >edited.json
	rm "$staged/$1@$2.json"
	mv edited.json "$staged/$4@$5.json"
	plugpkg-repo --repo repo publish >/dev/null
}

# ---- requests that cannot be met -------------------------------------------------------------

@test "an unknown version is answered with what there is" {
	publish "$(build_plugin a 1.0.0)" "$(build_plugin a 1.1.0)"
	make_root
	refused 4 "plugin 'a' has no version in the range '3'" "1.0.0" "1.1.0" "[not-found]" -- \
		plugpkg install a@3 -y
	plugpkg install a@1.0.0 -y
	refused 4 "plugin 'a' has no version in the range '^2'" -- plugpkg install 'a@^2' -y
	run plugpkg install a@3 -y --json
	assert_equal "$(tail -n 1 <<<"$output" | jq -r '"\(.type) \(.ok) \(.code) \(.exit)"')" \
		"result false not-found 4"
}

@test "a range that nothing can be in, and what is no range, are told apart" {
	publish "$(build_plugin a 1.0.0)"
	make_root
	refused 4 "no version in the range '>2 <1'" -- plugpkg install 'a@>2 <1' -y
	refused 2 "'1..2' is no range" "[bad-range]" "hint: a range is" -- plugpkg install a@1..2 -y
	refused 2 "has nothing after the '@'" -- plugpkg install a@ -y
	refused 2 "'' is no plugin name" "[bad-name]" -- plugpkg install "" -y
}

@test "the same request makes the same plan, whatever its order, in any root" {
	make_plugin a 1.0.0 '"requires": {"d": "*"}' >/dev/null
	make_plugin b 1.0.0 '"requires": {"v": "*"}' >/dev/null
	make_plugin v1 1.0.0 '"provides": {"v": "1"}' >/dev/null
	make_plugin v2 1.0.0 '"provides": {"v": "1"}' >/dev/null
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)" "$(build_plugin d 1.0.0)" \
		"$(build_plugin v1 1.0.0)" "$(build_plugin v2 1.0.0)"
	make_root
	plugpkg install a b --dry-run --json | grep '"step"' >one
	plugpkg install b a --dry-run --json | grep '"step"' >two
	diff one two
	plugpkg install a b -y
	PLUGPKG_ROOT=$SCRATCH/second make_root
	plugpkg --root second install b a -y
	diff <(jq -S . root/current/.plugins.json) <(jq -S . second/current/.plugins.json)
	refused 0 "Nothing to do" -- plugpkg install a b -y
}

# ---- a publisher who signs what is not so ----------------------------------------------------

@test "S26: an archive with another name inside than its index says is refused" {
	publish "$(build_plugin base 1.0.0)"
	as_staged a 1.0.0 '.name = "z"' z 1.0.0
	make_root
	plugpkg install base -y
	refused 6 "z 1.0.0" "nothing was changed" "[bad-archive]" -- plugpkg install z -y
	refused 0 "Everything is as it should be" -- plugpkg check
}

@test "S26: an archive with another version inside than its index says is refused" {
	as_staged a 1.0.0 '.version = "2.0.0" | .planning.version = "2.0.0" | .details.version = "2.0.0"' \
		a 2.0.0
	make_root
	refused 6 "a 2.0.0" "nothing was changed" "[bad-archive]" -- plugpkg install a -y
}

@test "S26: an archive that asks for something else than its index says is refused" {
	make_plugin a 1.0.0 '"requires": {"evil": "*"}' >/dev/null
	as_staged a 1.0.0 'del(.planning.requires)' a 1.0.0
	make_root
	refused 6 "a 1.0.0" "nothing was changed" "[bad-archive]" -- plugpkg install a -y
	refused 0 "" -- plugpkg list
}

# ---- metadata and downloads that fail while something is installed ---------------------------

@test "an update refuses metadata that is older than what was seen, and goes on with what it had" {
	publish "$(build_plugin a 1.0.0)"
	cp -R repo/public old
	publish "$(build_plugin a 1.1.0)"
	make_root
	mv repo/public new
	mv old repo/public
	refused 6 "older than" "[metadata-older]" "hint: a mirror is out of date" -- plugpkg update
	run -0 plugpkg list --available --json
	assert_equal "$(json_get 'select(.type == "plugin").version')" 1.1.0
	refused 4 "[not-installed]" -- plugpkg remove a -y
	rm -r repo/public
	mv new repo/public
	run -0 plugpkg update
	run -0 plugpkg install a -y
	assert_installed a 1.1.0
}

@test "an update refuses expired metadata, and what is installed can still be removed" {
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install a -y
	export PLUGPKG_NOW=2100-01-01T00:00:00Z
	refused 6 "expired on" "[metadata-expired]" "2100-01-01" -- plugpkg update
	run -0 plugpkg remove a -y
	assert_not_installed a
}

@test "a key that plugpkg.json gets after the source was trusted is not passed over" {
	make_root
	local key other
	key=$(jq -r '.sources[0].root' "$PLUGPKG_ROOT/plugpkg.json")
	other=sha256:$(printf '%064d' 0)
	sed -i "s/$key/$other/" "$PLUGPKG_ROOT/plugpkg.json"
	refused 6 "has the key $other in plugpkg.json, but is trusted by $key" "[wrong-key]" -- \
		plugpkg update
	sed -i "s/$other/$key/" "$PLUGPKG_ROOT/plugpkg.json"
	run -0 plugpkg update
}

@test "a key that is accepted at an update is recorded in plugpkg.json" {
	need script
	make_root
	local key
	key=$(jq -r '.sources[0].root' "$PLUGPKG_ROOT/plugpkg.json")
	mkdir second
	jq 'del(.sources[0].root)' "$PLUGPKG_ROOT/plugpkg.json" >second/plugpkg.json
	plugpkg init second
	run -11 plugpkg --root second update -y
	run script -qec "plugpkg --root second update" /dev/null < <(echo yes && sleep 2)
	assert_has "Type 'yes' to trust it" "up to date"
	assert_equal "$(jq -r '.sources[0].root' second/plugpkg.json)" "$key"
	run -0 plugpkg --root second source list
	assert_has "key $key"
}

@test "an upgrade whose archive is damaged leaves the old version, and runs no script" {
	local dir
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install a -y
	dir=$(make_plugin a 1.1.0 '"scripts": {"upgrade": "scripts/upgrade.sh"}')
	add_script "$dir" upgrade
	publish "$(build_plugin a 1.1.0)"
	plugpkg update
	printf x | dd of="$(echo repo/public/targets/pool/a/1.1.0/*.plug)" bs=1 seek=40 conv=notrunc \
		status=none
	refused 6 "a 1.1.0" "[digest-mismatch]" -- plugpkg upgrade -y
	assert_installed a 1.0.0
	assert_missing calls
}

# ---- interrupts ------------------------------------------------------------------------------

@test "ctrl-C while archives are unpacked ends with 130 and changes nothing" {
	local pid
	publish "$(build_plugin a 1.0.0)"
	make_root
	mkdir libexec
	ln -s "$PLUGPKG_LIBEXEC/plugpkg-fetch" libexec/
	cat >libexec/plugpkg-unpack <<-END
		#!/bin/sh
		echo here >'$SCRATCH/unpacking'
		exec sleep 20
	END
	chmod 755 libexec/plugpkg-unpack
	tree_state "$PLUGPKG_ROOT" >before
	PLUGPKG_LIBEXEC=$SCRATCH/libexec plugpkg install a -y --json >out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 250; i++)); do
		[ ! -e unpacking ] || break
		sleep 0.02
	done
	assert_exists unpacking
	kill -TERM "$pid" # as ctrl-C: a background job of a script ignores INT
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 130
	assert_equal "$(tail -n 1 out | jq -r .code)" interrupted
	tree_state "$PLUGPKG_ROOT" | diff before -
	run -0 plugpkg install a -y
	assert_installed a 1.0.0
}

@test "impatience does not cut an undo off: more of ctrl-C change nothing" {
	local dir pid
	dir=$(make_plugin first 1.0.0 '"scripts": {"install": "scripts/install.sh",
		"uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" install
	add_script "$dir" uninstall "touch '$SCRATCH/undoing'; sleep 1; echo undone >>'$SCRATCH/calls'"
	dir=$(make_plugin second 1.0.0 '"requires": {"first": "*"},
		"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "touch '$SCRATCH/waiting'; sleep 20"
	publish "$(build_plugin first 1.0.0)" "$(build_plugin second 1.0.0)"
	make_root
	tree_state "$PLUGPKG_ROOT" >before
	plugpkg install second -y >out 2>&1 3>&- &
	pid=$!
	for file in waiting undoing; do
		for ((i = 0; i < 250; i++)); do
			[ ! -e "$file" ] || break
			sleep 0.02
		done
		assert_exists "$file"
		kill -TERM "$pid" # as ctrl-C: a background job of a script ignores INT
	done
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 130
	assert_equal "$(cat calls)" "install first 1.0.0
undone"
	tree_state "$PLUGPKG_ROOT" | diff before -
	run -0 plugpkg check
}

@test "a script has no terminal: it neither writes to it past plugpkg nor waits for an answer" {
	need script
	local dir
	dir=$(make_plugin a 1.0.0 '"scripts": {"install": "scripts/install.sh"}, "timeout": 10')
	add_script "$dir" install \
		"if (printf 'to the terminal' >/dev/tty) 2>/dev/null || read -r x </dev/tty; then exit 1; fi"
	publish "$(build_plugin a 1.0.0)"
	make_root
	run script -qec "plugpkg install a -y" /dev/null < <(sleep 3)
	assert_lacks "to the terminal"
	assert_installed a 1.0.0
}

# ---- roots in odd places ---------------------------------------------------------------------

@test "a root may have blanks, quotes, a percent sign, other letters or a line break in its path" {
	local dir name
	dir=$(make_plugin a 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'test -d "$PLUGPKG_ROOT/store" && echo it is there >"$PLUGPKG_DATA/here"'
	publish "$(build_plugin a 1.0.0)"
	# shellcheck disable=SC2016 # a name that must not expand
	for name in 'a b' "it's \"so\"" '100%s%n' 'grün✓' $'two\nlines' '-dash' '$HOME;x'; do
		PLUGPKG_ROOT=$SCRATCH/$name
		make_root
		run -0 plugpkg install a -y
		assert_installed a 1.0.0
		assert_exists "$PLUGPKG_ROOT/data/a/here"
		run -0 plugpkg check
		run -0 plugpkg remove --all -y
		run -0 plugpkg clean
	done
}

@test "a root may lie on another file system, and be reached by a link" {
	local dir elsewhere=
	for dir in /dev/shm /var/tmp; do
		[ ! -w "$dir" ] || [ "$(stat -c %d "$dir")" = "$(stat -c %d .)" ] || elsewhere=$dir
	done
	[ -n "$elsewhere" ] || skip "all is one file system here"
	publish "$(build_plugin a 1.0.0)"
	elsewhere=$(mktemp -d "$elsewhere/plugpkg-XXXXXX")
	ln -s "$elsewhere" "$PLUGPKG_ROOT"
	make_root
	run plugpkg install a -y
	local installed=$status
	run plugpkg check
	local checked=$status
	chmod -R u+w "$elsewhere"
	rm -rf "$elsewhere"
	assert_equal "$installed $checked" "0 0"
}

@test "nothing is needed from the environment" {
	local plugpkg
	plugpkg=$(command -v plugpkg)
	publish "$(build_plugin a 1.0.0)"
	make_root
	cd "$PLUGPKG_ROOT"
	bare() {
		env -i ${LD_LIBRARY_PATH:+"LD_LIBRARY_PATH=$LD_LIBRARY_PATH"} \
			"PLUGPKG_LIBEXEC=$PLUGPKG_LIBEXEC" "$plugpkg" "$@"
	}
	run -0 bare install a -y
	run -0 bare list
	assert_has "a  1.0.0"
	run -0 bare remove a -y
}

# ---- the examples ----------------------------------------------------------------------------

@test "the demo plays its story, in a directory with a blank and a percent sign as well" {
	need sqlite3
	local demo=$top_srcdir/repo-format/examples/demo.sh app="$SCRATCH/my 100% demo/demo-cms"
	unset PLUGPKG_ROOT
	run -0 sh "$demo" "my 100% demo"
	assert_has "Rex, a dog, belongs to ada" "animal  user" "Done: generation 2 is current" "Try next"
	run -0 plugpkg --root "$app" list
	assert_has photos species-english
	assert_lacks "user "
	assert_equal "$(sqlite3 "$app/site.db" .tables)" ""
	run -1 sh "$demo" "my 100% demo"
	assert_has "is there already; name another directory"
}
