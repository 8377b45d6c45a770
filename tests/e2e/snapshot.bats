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

@test "a data directory that is a link is refused" {
	plugpkg install shop@1 -y
	mv "$DATA" elsewhere
	ln -s "$SCRATCH/elsewhere" "$DATA"
	run plugpkg install shop@2 -y
	assert_status 1
	assert_has "data/shop' is no directory"
	assert_installed shop 1.0.0
}

@test "a manifest that says it wrong is refused by lint" {
	dir=$(make_plugin odd 1.0.0 '"data": {"snapshot": "yes"}')
	run plugpkg lint "$dir"
	[ "$status" -ne 0 ]
	assert_has "data.snapshot" "true or false"
}
