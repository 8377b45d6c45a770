#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Data that follows the version of its plugin: kept before a change, put back on the way back.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	shop 1.0.0 "echo one >\"\$PLUGPKG_DATA/layout\""
	shop 2.0.0 "sqlite3 \"\$PLUGPKG_DATA/shop.db\" 'SELECT price FROM item LIMIT 0' 2>/dev/null ||
	sqlite3 \"\$PLUGPKG_DATA/shop.db\" 'ALTER TABLE item ADD COLUMN price'
echo two >\"\$PLUGPKG_DATA/layout\"
[ ! -e '$SCRATCH/no' ]"
	make_plugin other 1.0.0 >/dev/null
	publish "$(build_plugin shop 1.0.0)" "$(build_plugin shop 2.0.0)" "$(build_plugin other 1.0.0)"
	make_root
	DATA=$PLUGPKG_ROOT/data/shop
	KEPT=$PLUGPKG_ROOT/var/snapshots/shop
}

# shop VERSION UPGRADE: a plugin with a real database in its data directory
shop() {
	local dir
	dir=$(make_plugin shop "$1" '"scripts": {"install": "scripts/install.sh", "upgrade": "scripts/upgrade.sh"},
		"data": {"snapshot": true}')
	add_script "$dir" install "sqlite3 \"\$PLUGPKG_DATA/shop.db\" 'CREATE TABLE IF NOT EXISTS item(name TEXT)'"
	add_script "$dir" upgrade "cat \"\$PLUGPKG_DATA/layout\" >>'$SCRATCH/seen' || :
$2"
}

sell() {
	sqlite3 "$DATA/shop.db" "INSERT INTO item(name) VALUES('$1')"
}

items() {
	sqlite3 "$DATA/shop.db" 'SELECT * FROM item'
}

# what a directory holds but `layout`, with modes, times, links, sizes and contents
content() {
	(cd "$1" && find . -mindepth 1 ! -name layout -printf '%y %m %s %n %T@ %p %l\n' | LC_ALL=C sort &&
		find . -type f ! -name layout -exec sha256sum {} + | LC_ALL=C sort)
}

@test "a good upgrade and its rollback: files and rows are those of before, and again on the way forward" {
	plugpkg install shop@1 -y
	sell tea
	content "$DATA" >one
	plugpkg install shop@2 -y
	sell cake
	assert_equal "$(items)" "tea|
cake|"
	run plugpkg rollback -y
	assert_status 0
	assert_has "with its data of generation 1"
	assert_equal "$(items)" "tea"
	# Its script ran on the data that it knows.
	assert_equal "$(cat "$DATA/layout")" "one"
	content "$DATA" | diff one -
	sell lost
	run plugpkg undo -y
	assert_status 0
	assert_equal "$(items)" "tea|
cake|"
	run plugpkg undo -y
	assert_status 0
	assert_equal "$(items)" "tea
lost"
	run plugpkg check
	assert_status 0
}

@test "a failing upgrade leaves the data byte by byte as it was, and no snapshot" {
	plugpkg install shop@1 -y
	sell tea
	content "$DATA" >before
	touch no
	run plugpkg install shop@2 other -y
	assert_status 7
	content "$DATA" | diff before -
	assert_missing "$KEPT"
	assert_installed shop 1.0.0
}

@test "killed at any point of an undone upgrade, the data is there for those who look" {
	local n
	plugpkg install shop@1 -y
	run env PLUGPKG_CRASH_AT=1 plugpkg clean
	[ "$status" -eq 137 ] || skip "needs --enable-failpoints"
	sell tea
	content "$DATA" >before
	touch no
	cp -a "$PLUGPKG_ROOT" saved
	for ((n = 1; n < 500; n++)); do
		rm -rf "$PLUGPKG_ROOT"
		cp -a saved "$PLUGPKG_ROOT"
		PLUGPKG_CRASH_AT=$n run plugpkg install shop@2 -y
		[ "$status" -eq 137 ] || break
		assert_exists "$DATA/shop.db"
		plugpkg recover
		content "$DATA" | diff before -
		assert_missing "$KEPT"
	done
	assert_status 7
	[ "$n" -gt 20 ]
}

@test "an undone upgrade whose own script was done gives the old script the old data" {
	plugpkg install shop@1 -y
	echo zero >"$DATA/layout"
	sell tea
	dir=$(make_plugin late 1.0.0 '"scripts": {"post-install": [{"level": 0, "run": "scripts/no.sh"}]}')
	add_script "$dir" no 'exit 1'
	publish "$(build_plugin late 1.0.0)"
	plugpkg update
	rm -f seen
	run plugpkg install shop@2 late -y
	assert_status 7
	# The new script saw it, then, on the way back, the old one.
	assert_equal "$(cat seen)" "zero
zero"
	assert_equal "$(items)" "tea"
	assert_equal "$(cat "$DATA/layout")" "one"
}

@test "a rollback whose script fails leaves the present data" {
	plugpkg install shop@1 -y
	sell tea
	plugpkg install shop@2 -y
	sell cake
	dir=$(make_plugin flaky 1.0.0 '"scripts": {"install": "scripts/install.sh", "upgrade": "scripts/install.sh"}')
	add_script "$dir" install "[ ! -e '$SCRATCH/stop' ]"
	publish "$(build_plugin flaky 1.0.0)"
	plugpkg update
	plugpkg install flaky -y
	plugpkg remove flaky -y
	plugpkg rollback 1 -y
	plugpkg undo -y
	plugpkg install flaky -y
	plugpkg install shop@1 --downgrade -y
	content "$DATA" >before
	plugpkg remove flaky -y
	touch stop
	run plugpkg rollback 3 -y
	assert_status 7
	content "$DATA" | diff before -
	assert_installed shop 1.0.0
}

@test "what a plugin does not ask for is not done" {
	make_plugin plain 1.0.0 >/dev/null
	make_plugin plain 2.0.0 >/dev/null
	publish "$(build_plugin plain 1.0.0)" "$(build_plugin plain 2.0.0)"
	plugpkg update
	plugpkg install plain@1 -y
	mkdir -p "$PLUGPKG_ROOT/data/plain"
	echo new >"$PLUGPKG_ROOT/data/plain/file"
	plugpkg install plain@2 -y
	assert_missing "$PLUGPKG_ROOT/var/snapshots"
	plugpkg rollback -y
	assert_equal "$(cat "$PLUGPKG_ROOT/data/plain/file")" new
}

@test "several generations: each gets the data that its span of versions ended with" {
	plugpkg install shop@1 -y
	sell tea
	plugpkg install other -y
	sell milk
	plugpkg install shop@2 -y
	sell cake
	plugpkg rollback 1 -y
	assert_equal "$(items)" "tea
milk"
	assert_not_installed other
	plugpkg rollback 3 -y
	assert_equal "$(items)" "tea|
milk|
cake|"
}

@test "clean drops the snapshots of generations that are gone; purge drops all" {
	plugpkg install shop@1 -y
	plugpkg install shop@2 -y
	plugpkg install other -y
	plugpkg install shop@1 --downgrade -y
	assert_exists "$KEPT/1" "$KEPT/3"
	run plugpkg clean --keep 1 --json
	assert_equal "$(json_get 'select(.type == "cleaned").snapshots')" 1
	assert_missing "$KEPT/1"
	assert_exists "$KEPT/3"
	plugpkg remove shop -y
	assert_exists "$KEPT/3"
	plugpkg purge shop -y
	assert_missing "$KEPT" "$DATA"
	plugpkg install shop@1 -y
	plugpkg install shop@2 -y
	plugpkg purge shop -y
	assert_missing "$KEPT" "$DATA"
}

@test "links, second names, holes, pipes, sockets, modes and times are kept" {
	plugpkg install shop@1 -y
	mkdir -p "$DATA/deep/er"
	echo x >"$DATA/deep/file"
	ln "$DATA/deep/file" "$DATA/deep/er/same"
	ln -s ../deep "$DATA/deep/link"
	ln -s /nowhere "$DATA/away"
	mkfifo "$DATA/pipe"
	chmod 622 "$DATA/pipe"
	truncate -s 50M "$DATA/holes"
	printf end >>"$DATA/holes"
	chmod 600 "$DATA/deep/file"
	chmod 750 "$DATA/deep"
	touch -d 2001-02-03 "$DATA/deep/file" "$DATA/deep"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind("s")' && mv s "$DATA/socket"
	content "$DATA" >before
	plugpkg install shop@2 -y
	content "$KEPT/1" | diff before -
	[ "$(du -k "$KEPT/1/holes" | cut -f1)" -lt 1000 ]
	[ "$KEPT/1/deep/file" -ef "$KEPT/1/deep/er/same" ]
	plugpkg rollback -y
	[ -p "$DATA/pipe" ]
	[ -S "$DATA/socket" ]
	[ "$DATA/deep/file" -ef "$DATA/deep/er/same" ]
	assert_link "$DATA/away" /nowhere
	assert_equal "$(stat -c %Y "$DATA/deep/file")" "$(date -d 2001-02-03 +%s)"
}

@test "a scope has its own directory" {
	dir=$(make_plugin @acme/box 1.0.0 '"data": {"snapshot": true}, "scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "echo one >\"\$PLUGPKG_DATA/file\""
	make_plugin @acme/box 2.0.0 '"data": {"snapshot": true}' >/dev/null
	publish "$(build_plugin @acme/box 1.0.0)" "$(build_plugin @acme/box 2.0.0)"
	plugpkg update
	plugpkg install @acme/box@1 -y
	plugpkg install @acme/box@2 -y
	echo two >"$PLUGPKG_ROOT/data/@acme/box/file"
	plugpkg rollback -y
	assert_equal "$(cat "$PLUGPKG_ROOT/data/@acme/box/file")" one
	plugpkg clean --keep 0
	assert_missing "$PLUGPKG_ROOT/var/snapshots/@acme/box"
}

@test "data that is too large for the disk is refused before anything changes" {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	mkdir disk
	mount -t tmpfs -o size=12m tmpfs disk 2>/dev/null || skip "cannot mount here"
	export PLUGPKG_ROOT=$SCRATCH/disk/root
	make_root
	plugpkg install shop@1 -y
	head -c 8000000 /dev/urandom >"$PLUGPKG_ROOT/data/shop/blob"
	(cd "$PLUGPKG_ROOT" && find data store current -printf '%y %s %p %l %T@\n' | sort) >before
	run plugpkg install shop@2 -y
	(cd "$PLUGPKG_ROOT" && find data current -printf '%y %s %p %l %T@\n' | sort) >after
	kept=$(find "$PLUGPKG_ROOT/var" -path '*snapshots*')
	umount disk
	assert_status 1
	assert_has "[no-space]" "no space for snapshots" "plugpkg clean" "nothing was changed"
	grep -v ' store' before | diff - after
	assert_equal "$kept" ""
}

@test "a data directory that is a link is refused by the plan, before anybody is asked" {
	plugpkg install shop@1 -y
	mv "$DATA" elsewhere
	ln -s "$SCRATCH/elsewhere" "$DATA"
	run plugpkg install shop@2 --dry-run
	assert_status 9
	assert_has "data/shop' is no directory, and a snapshot of it is wanted" "hint: a snapshot is put back by one rename"
	rm -f seen
	run plugpkg install shop@2 -y
	assert_status 9
	assert_has "is no directory"
	assert_missing seen
	assert_installed shop 1.0.0
	assert_link "$DATA" "$SCRATCH/elsewhere"
	run plugpkg recover
	assert_has "Nothing to do"
}

@test "data that becomes a link while plugpkg waits for the lock is refused before anything is fetched" {
	need flock
	plugpkg install shop@1 -y
	exec 9<"$PLUGPKG_ROOT/var/lock"
	flock 9
	plugpkg install shop@2 -y >waiting.out 2>&1 3>&- 9<&- &
	for ((i = 0; i < 200; i++)); do
		grep -q waiting waiting.out && break
		sleep 0.05
	done
	mv "$DATA" elsewhere
	ln -s "$SCRATCH/elsewhere" "$DATA"
	rm -f seen
	exec 9<&-
	status=0
	wait $! || status=$?
	output=$(cat waiting.out)
	assert_status 9
	assert_has "data/shop' is no directory"
	assert_missing seen "$PLUGPKG_ROOT/store/shop/2.0.0"
	assert_equal "$(sqlite3 "$PLUGPKG_ROOT/var/state.db" "SELECT max(id) FROM transactions")" 1
	sha=$(sha256sum <shop-2.0.0.plug)
	assert_missing "$PLUGPKG_ROOT/var/cache/${sha%% *}"
	assert_installed shop 1.0.0
	assert_link "$DATA" "$SCRATCH/elsewhere"
}

@test "a link is refused before any script runs where only the version that comes wants a snapshot" {
	make_plugin plain 1.0.0 >/dev/null
	dir=$(make_plugin plain 2.0.0 '"data": {"snapshot": true}, "scripts": {"upgrade": "scripts/upgrade.sh"}')
	add_script "$dir" upgrade "touch '$SCRATCH/ran'"
	publish "$(build_plugin plain 1.0.0)" "$(build_plugin plain 2.0.0)"
	plugpkg update
	plugpkg install plain@1 -y
	mkdir elsewhere
	ln -s "$SCRATCH/elsewhere" "$PLUGPKG_ROOT/data/plain"
	run plugpkg install plain@2 -y
	assert_status 9
	assert_has "data/plain' is no directory" "nothing was changed"
	assert_missing ran
	assert_installed plain 1.0.0
}

@test "a mount at the data directory, or in it, is refused" {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	plugpkg install shop@1 -y
	mkdir "$DATA/big" elsewhere
	local place results=
	for place in "$DATA" "$DATA/big"; do
		# Another mount of the same file system, which has the same device number.
		mount --bind elsewhere "$place" 2>/dev/null || skip "cannot mount here"
		run plugpkg install shop@2 -y
		umount "$place"
		[[ $output == *"something is mounted at or in"*"data/shop'"* ]] || results+=$output
		results+="$status "
	done
	assert_equal "$results" "9 9 "
	assert_installed shop 1.0.0
	assert_missing "$KEPT"
}

# as_nobody COMMAND...: with a root of its own, in which plain@1 is installed.
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups -- env HOME=/nonexistent TMPDIR="$SCRATCH/theirs" \
		PLUGPKG_ROOT="$SCRATCH/theirs/root" PLUGPKG_LIBEXEC="$SCRATCH/bin" PATH="$SCRATCH/bin:$PATH" "$@"
}

give_to_nobody() {
	local path=$SCRATCH dir
	[ "$(id -u)" = 0 ] || skip "needs another user"
	need setpriv
	# The directories of the test run are private; only those may be opened for a moment.
	while [[ $path == *@(bats|plugpkg-)* ]]; do
		chmod o+x "$path"
		path=${path%/*}
	done
	mkdir bin theirs
	# The build may lie where nobody else may look.
	cp "$top_builddir"/plugpkg "$top_builddir"/plugpkg-unpack "$top_builddir"/plugpkg-fetch bin
	make_plugin plain 1.0.0 '"data": {"snapshot": true}' >/dev/null
	dir=$(make_plugin plain 2.0.0 '"data": {"snapshot": true}, "scripts": {"upgrade": "scripts/upgrade.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" upgrade '[ ! -e "$PLUGPKG_DATA/no" ]'
	cp -r plugins theirs
	chown -R 65534:65534 theirs
	as_nobody test -r "$SCRATCH/theirs" || skip "the scratch directory is private"
	as_nobody plugpkg init
	as_nobody plugpkg install ./theirs/plugins/plain-1.0.0 -y --allow-unsigned
	DATA=theirs/root/data/plain
	as_nobody mkdir "$DATA"
}

@test "a data directory of another user, which could not be put back, is refused before anything changes" {
	give_to_nobody
	chown 1:1 "$DATA"
	run as_nobody plugpkg install ./theirs/plugins/plain-2.0.0 -y --allow-unsigned
	assert_status 9
	assert_has "data/plain' is another user's and may not be written, and a snapshot of it is wanted" \
		"hint: who may not write a directory cannot put its snapshot back"
	run as_nobody plugpkg recover
	assert_has "Nothing to do"
	chmod 777 "$DATA"
	as_nobody plugpkg install ./theirs/plugins/plain-2.0.0 -y --allow-unsigned
}

@test "a read-only data directory is kept, put back and stays read-only" {
	give_to_nobody
	as_nobody touch "$DATA/no"
	chmod 555 "$DATA"
	run as_nobody plugpkg install ./theirs/plugins/plain-2.0.0 -y --allow-unsigned
	assert_status 7
	assert_has "everything was undone"
	assert_equal "$(stat -c %a "$DATA")" 555
	assert_exists "$DATA/no"
	rm "$DATA/no"
	as_nobody plugpkg install ./theirs/plugins/plain-2.0.0 -y --allow-unsigned
	assert_equal "$(stat -c %a "$DATA" theirs/root/var/snapshots/plain/1)" "555
555"
	touch "$DATA/later"
	as_nobody plugpkg rollback -y
	assert_equal "$(stat -c %a "$DATA")" 555
	assert_missing "$DATA/later"
	as_nobody plugpkg clean --keep 0
	assert_missing theirs/root/var/snapshots/plain
	run as_nobody plugpkg recover
	assert_has "Nothing to do"
}

# attributes DIRECTORY: extended attributes of all that is in it, ACLs are among them
attributes() {
	python3 - "$1" <<-'END'
		import os, sys
		for top, dirs, files in os.walk(sys.argv[1]):
		    dirs.sort()
		    for name in ["."] + sorted(files):
		        path = os.path.join(top, name)
		        if not os.path.islink(path):
		            for key in sorted(os.listxattr(path)):
		                print(os.path.relpath(path, sys.argv[1]), key, os.getxattr(path, key).hex())
	END
}

# set_attribute PATH NAME VALUE; 1 where that is not possible
set_attribute() {
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))' "$@" 2>/dev/null
}

# user::rw- user:1:r-- group::r-- mask::r-- other::---
ACL=0200000001000600ffffffff02000400010000000400\
0400ffffffff10000400ffffffff20000000ffffffff

@test "extended attributes, access control lists, owners and nanoseconds are kept" {
	plugpkg install shop@1 -y
	mkdir "$DATA/deep"
	echo x >"$DATA/deep/file"
	echo y >"$DATA/plain"
	set_attribute "$DATA/deep/file" user.mime 746578742f706c61696e || skip "the file system knows no attributes"
	set_attribute "$DATA/deep" user.empty ''
	set_attribute "$DATA" user.top 31
	set_attribute "$DATA/deep/file" system.posix_acl_access "$ACL" || skip "the file system knows no lists"
	# What is made in it would inherit it; the file beside has none and gets none.
	set_attribute "$DATA" system.posix_acl_default "$ACL"
	chmod 440 "$DATA/deep/file"
	if [ "$(id -u)" = 0 ]; then
		chown 12:34 "$DATA/deep/file" "$DATA/deep"
		set_attribute "$DATA/deep/file" trusted.mark 32
	fi
	touch -d '2001-02-03 04:05:06.123456789' "$DATA/deep/file" "$DATA/deep" "$DATA"
	listing() { (cd "$1" && find . ! -name layout ! -name shop.db -printf '%y %m %U %G %T@ %p\n' | LC_ALL=C sort) }
	attributes "$DATA" >before
	listing "$DATA" >listed
	assert_equal "$(grep -c posix_acl before)" 2
	plugpkg install shop@2 -y
	attributes "$KEPT/1" | diff before -
	listing "$KEPT/1" | diff listed -
	python3 -c 'import os, sys; os.removexattr(sys.argv[1], "user.mime")' "$DATA/deep/file"
	plugpkg rollback -y
	attributes "$DATA" | grep -v '^layout ' | diff before -
	grep ' ./deep' listed >deep
	listing "$DATA" | grep ' ./deep' | diff deep -
}

@test "an attribute that may not be set is a warning, and the upgrade goes on" {
	[ "$(id -u)" = 0 ] || skip "needs to set capabilities"
	need setpriv
	# Who may do everything but this.
	plugpkg install shop@1 -y
	echo x >"$DATA/tool"
	set_attribute "$DATA/tool" security.capability 0100000200040000000000000000000000000000 ||
		skip "the file system knows no capabilities"
	cp "$DATA/tool" "$DATA/second"
	set_attribute "$DATA/second" security.capability 0100000200040000000000000000000000000000
	run setpriv --bounding-set=-setfcap --inh-caps=-setfcap plugpkg install shop@2 -y
	assert_status 0
	assert_has "the attribute 'security.capability' of 'second' is not part of the copy, nor are 1 others: operation not permitted"
	assert_installed shop 2.0.0
}

@test "a manifest that says it wrong is refused by lint" {
	dir=$(make_plugin odd 1.0.0 '"data": {"snapshot": "yes"}')
	run plugpkg lint "$dir"
	[ "$status" -ne 0 ]
	assert_has "data.snapshot" "true or false"
}
