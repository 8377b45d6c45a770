#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Roots that an older plugpkg made: they are read as they are, lifted by the first change, and a copy of
# what their state was stays. roots/make.sh tells what is in them.

setup() {
	load ../helpers
	need jq sqlite3 xz
	setup_scratch
	export PLUGPKG_NOW=2026-11-22T01:00:00Z
	tar -xf "$BATS_TEST_DIRNAME/roots/format-1.tar.xz"
	sed -i "s,file:///srv/demo/public,file://$SCRATCH/public," root/plugpkg.json cut/plugpkg.json
	format=$(sqlite3 "$(plugpkg init fresh >/dev/null && echo fresh/var/state.db)" "$format_of")
}

format_of="SELECT value FROM meta WHERE key = 'format'"

# facts: what the state of PLUGPKG_ROOT says, but for its format.
facts() {
	plugpkg list --json
	plugpkg history --json
	plugpkg history show 5 --json
	plugpkg why base --json
}

# The format of the state in DIR, read from a copy: a journal that is left there stays.
format_in() {
	rm -rf look
	mkdir look
	cp "$1"/var/state.db* look
	sqlite3 look/state.db "$format_of"
}

# assert_is_copy: var/state.db.format-1 is what the state was when it came.
assert_is_copy() {
	sqlite3 "$PLUGPKG_ROOT/var/state.db.format-1" .dump >copy.sql
	tar -xOf "$BATS_TEST_DIRNAME/roots/format-1.tar.xz" root/var/state.db >came.db
	sqlite3 came.db .dump | cmp - copy.sql
}

@test "a root of format 1 is read as it is, and not changed by that" {
	sha256sum root/var/*.db >before
	run plugpkg list
	assert_status 0
	assert_has "base    1.1.0" "extra   1.0.0  demo  automatic, disabled" "middle  1.0.0  demo  automatic, held"
	run plugpkg history
	assert_has "5  2026-11-22" "undo" "remove guest" "hold middle"
	run plugpkg why middle
	assert_has "top"
	run plugpkg check
	assert_status 0
	plugpkg policy keeper
	plugpkg log >/dev/null
	run plugpkg install keeper@2.0.0 --dry-run
	assert_status 0
	assert_has "1.0.0 -> 2.0.0"
	sha256sum root/var/*.db | cmp before -
	[ ! -e root/var/state.db.format-1 ]
}

@test "a root of format 1 on a read-only file system is read, and not lifted" {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	mount --bind root root 2>/dev/null || skip "cannot mount here"
	mount -o remount,ro,bind root || {
		umount root
		skip "cannot mount here"
	}
	run plugpkg list
	listed=$status
	run plugpkg unhold middle
	umount root
	assert_equal "$listed" 0
	assert_status 1
	assert_has "read-only"
	assert_equal "$(format_in root)" 1
}

@test "the first change lifts the root, says so once, and leaves a copy of the state" {
	facts >before
	run plugpkg mark auto top
	assert_status 0
	assert_has "the root has format $format now; what its state was before is var/state.db.format-1"
	assert_equal "$(format_in root)" "$format"
	assert_is_copy
	run plugpkg mark manual top
	assert_status 0
	assert_lacks "format"
	run plugpkg log
	assert_has "the root has format $format now"
	facts | grep -v '"command":"mark' >after
	cmp before after
}

@test "a lifted root has the tables of a new one" {
	plugpkg unhold middle
	for db in root fresh; do
		sqlite3 $db/var/state.db "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'
			ORDER BY name; PRAGMA user_version" | sed 's/  */ /g' >$db.schema
	done
	cmp fresh.schema root.schema
}

@test "in a lifted root everything that was installed can be changed, and history leads back" {
	run plugpkg undo -y
	assert_status 0
	assert_has "enabled"
	plugpkg rollback 1 -y
	assert_installed base 1.0.0
	run plugpkg list
	assert_lacks guest
	plugpkg undo -y
	assert_installed base 1.1.0
	plugpkg update
	plugpkg install keeper@2.0.0 -y
	assert_equal "$(tail -n 1 root/data/keeper/visits)" "upgrade 2.0.0"
	plugpkg remove top -y
	plugpkg autoremove -y
	run plugpkg check
	assert_status 0
	plugpkg unhold middle
	plugpkg remove --all -y
	run plugpkg list
	assert_equal "$output" ""
	plugpkg clean
	run plugpkg check
	assert_status 0
	assert_is_copy
}

@test "what an older plugpkg was in the middle of is ended by this one" {
	PLUGPKG_ROOT=$SCRATCH/cut
	run plugpkg list
	assert_status 0
	assert_has "keeper  1.0.0"
	assert_equal "$(format_in cut)" 1
	run plugpkg recover
	assert_status 0
	assert_has "the root has format $format now" "install keeper@2.0.0" "undone"
	run plugpkg check
	assert_status 0
	plugpkg install keeper@2.0.0 -y
	assert_installed keeper 2.0.0
}

@test "the copy is no more open than the state" {
	chmod 600 root/var/state.db
	plugpkg unhold middle
	assert_equal "$(stat -c %a root/var/state.db.format-1)" 600
}

@test "put back, the copy is the root of before" {
	facts >before
	plugpkg hold keeper
	cp root/var/state.db.format-1 root/var/state.db
	facts | cmp before -
	assert_equal "$(format_in root)" 1
	plugpkg unhold middle
	assert_equal "$(format_in root)" "$format"
}

@test "killed at any point of being lifted, a root is whole, and lifted the next time" {
	local n
	run env PLUGPKG_CRASH_AT=1 plugpkg --root fresh clean
	[ "$status" -eq 137 ] || skip "needs --enable-failpoints"
	cp -a root saved
	facts >before
	plugpkg hold keeper
	facts | grep -v '"command":"hold keeper"' >after # a note, written on its own
	for ((n = 1; n < 100; n++)); do
		# Not every point is one that can be died behind; before it, it can.
		for way in PLUGPKG_CRASH_AFTER PLUGPKG_CRASH_AT; do
			chmod -R u+w root
			rm -rf root
			cp -a saved root
			run env $way=$n plugpkg hold keeper
			left=$status
			[ "$left" -eq 137 ] || assert_status 0
			facts | grep -v '"command":"hold keeper"' >now
			cmp -s now before || diff now after
			[ ! -e root/var/state.db.format-1 ] || assert_is_copy
			[ "$(format_in root)" = 1 ] || [ -e root/var/state.db.format-1 ]
			plugpkg unhold middle
			assert_equal "$(format_in root)" "$format"
			assert_is_copy
			assert_equal "$(find root/var -name '*.new*')" ""
			run plugpkg check
			assert_status 0
		done
		[ "$left" -eq 137 ] || break
	done
	[ "$n" -gt 8 ]
}

@test "where a root cannot be lifted, what failed and where the copy is are said, and it stays as it was" {
	local n failed=0 with_copy=0
	run env PLUGPKG_CRASH_AT=1 plugpkg --root fresh clean
	[ "$status" -eq 137 ] || skip "needs --enable-failpoints"
	cp -a root saved
	facts >before
	for ((n = 1; n < 16; n++)); do
		chmod -R u+w root
		rm -rf root
		cp -a saved root
		run env PLUGPKG_FAIL_AT=$n:ENOSPC plugpkg hold keeper
		[[ $output == *"the root stays"* ]] || continue
		assert_status 1
		assert_has "the root stays of format 1" "no space left on the device [no-space]"
		facts | cmp before -
		assert_equal "$(format_in root)" 1
		failed=$((failed + 1))
		[[ $output == *"(var/state.db.format-1 is a copy of its state)"* ]] || continue
		assert_is_copy
		with_copy=$((with_copy + 1))
	done
	[ "$failed" -ge 6 ]
	[ "$with_copy" -ge 1 ]
}

@test "a root of the next format is refused by every command, and not touched" {
	local command
	next=$((format + 1))
	plugpkg unhold middle
	sqlite3 root/var/state.db "UPDATE meta SET value = $next WHERE key = 'format'; PRAGMA user_version = $next"
	before=$(tree_state root && sha256sum root/var/state.db* root/plugpkg*)
	while read -r command; do
		# shellcheck disable=SC2086 # words on purpose
		run plugpkg $command </dev/null
		[ "$status" -eq 1 ] || fail "plugpkg $command: status $status"
		assert_has "made by a newer plugpkg (root format $next; this one knows $format)" "[newer-root]"
	done <<-END
		list
		show base
		search base
		check
		history
		log
		why base
		policy base
		install keeper@2.0.0 -y
		install keeper@2.0.0 --dry-run
		upgrade -y
		remove top -y
		purge top -y
		autoremove -y
		sync -y
		lock
		update
		undo -y
		rollback 1 -y
		hold base
		unhold middle
		mark auto top
		enable extra -y
		disable top -y
		recover
		repair
		configure
		clean
		materialize out
		source list
		source remove demo -y
		owner list
		is-installed base
	END
	assert_equal "$(tree_state root && sha256sum root/var/state.db* root/plugpkg*)" "$before"
}

@test "a lift that was killed while SQLite wrote is taken back by who only reads" {
	need strace
	strace -o /dev/null true || skip "no process may be traced here"
	export ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS:-}"
	format_in_header() { od -An -tu1 -j63 -N1 t/var/state.db; }
	for ((when = 1; ; when++)); do
		rm -rf t
		cp -a root t
		run strace -qq -o /dev/null -e trace=pwrite64,fdatasync -e inject=pwrite64,fdatasync:signal=KILL:when=$when \
			plugpkg --root t hold keeper
		assert_status 137
		# What is written first is the page that says the format.
		if [ "$(format_in_header)" -eq "$format" ]; then break; fi
	done
	[ -s t/var/state.db-journal ] || fail "it was not cut off in the middle"
	run plugpkg --root t list
	assert_status 0
	assert_has "base    1.1.0"
	plugpkg --root t hold keeper
	assert_equal "$(format_in t)" "$format"
}

@test "a root of format 1 goes back to what it was, in plugpkg.json too" {
	run plugpkg rollback 4 -y
	assert_status 0
	assert_equal "$(jq -c .plugins root/plugpkg.json)" '{"base":"1.1.0","top":"*","keeper":"1.0.0"}'
	run plugpkg rollback 1 -y --force
	assert_status 0
	assert_installed base 1.0.0
	assert_equal "$(jq -c .plugins root/plugpkg.json)" '{"base":"1.0.0","top":"*","keeper":"1.0.0"}'
	run plugpkg check
	assert_status 0
}
