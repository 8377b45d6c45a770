#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Going back: rollback to a generation, undo of the last transaction, without any source.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin base 1.1.0 >/dev/null
	make_plugin top 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	make_plugin other 1.0.0 >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin base 1.1.0)" "$(build_plugin top 1.0.0)" \
		"$(build_plugin other 1.0.0)"
	make_root
	DB=$SCRATCH/app.db
}

# offline: no source answers any more, and what is known of it has expired
offline() {
	mv "$SCRATCH/repo" "$SCRATCH/repo.away"
	export PLUGPKG_NOW=4000000000
}

wanted() {
	jq -c .plugins "$PLUGPKG_ROOT/plugpkg.json"
}

# database_plugin VERSION UP: its scripts keep a table in a real database, and say what they are told
database_plugin() {
	local dir
	dir=$(make_plugin user "$1" '"scripts": {"install": "scripts/install.sh",
		"upgrade": "scripts/upgrade.sh", "uninstall": "scripts/uninstall.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	local note='echo "$0 $PLUGPKG_VERSION ${PLUGPKG_OLD_VERSION:--} $PLUGPKG_REASON" | sed "s,.*/,," >>'"'$SCRATCH/calls'"
	add_script "$dir" install "sqlite3 '$DB' 'CREATE TABLE IF NOT EXISTS user(name TEXT)'
$2
$note"
	add_script "$dir" upgrade "$2
$note"
	add_script "$dir" uninstall "sqlite3 '$DB' 'DROP TABLE IF EXISTS user'
$note"
	build_plugin user "$1"
}

publish_user() {
	local has="sqlite3 '$DB' 'SELECT mail FROM user LIMIT 0' 2>/dev/null"
	publish "$(database_plugin 1.0.0 "! $has || sqlite3 '$DB' 'ALTER TABLE user DROP COLUMN mail'")" \
		"$(database_plugin 2.0.0 "$has || sqlite3 '$DB' \"ALTER TABLE user ADD COLUMN mail TEXT DEFAULT 'none'\"")"
	plugpkg update
}

@test "rollback brings the generation before back, offline and after expiry, as a new generation" {
	plugpkg install top base@1.0.0 -y
	before=$(wanted)
	list=$(plugpkg list)
	plugpkg install base@1.1.0 other -y
	assert_installed base 1.1.0
	offline
	run plugpkg rollback -y
	assert_status 0
	assert_has "base" "1.1.0 -> 1.0.0" "other" "generation 3 is current"
	assert_installed base 1.0.0
	assert_not_installed other
	assert_equal "$(wanted)" "$before"
	assert_equal "$(plugpkg list)" "$list"
	assert_link "$PLUGPKG_ROOT/current" generations/3
	run plugpkg check
	assert_status 0
	run plugpkg lock --check
	assert_status 0
}

@test "rollback to a number brings back what was removed, and marks come back as they were" {
	plugpkg install top -y
	plugpkg mark manual base
	plugpkg remove --all -y
	assert_equal "$(wanted)" "{}"
	offline
	run plugpkg rollback 1 -y
	assert_status 0
	assert_installed top 1.0.0
	assert_installed base 1.1.0
	assert_equal "$(wanted)" '{"top":"*","base":"*"}'
	run plugpkg autoremove -y
	assert_has "Nothing to do"
}

@test "rollback to generation 0 empties the root" {
	plugpkg install top other -y
	offline
	run plugpkg rollback 0 -y
	assert_status 0
	assert_equal "$(plugpkg list)" ""
	assert_equal "$(wanted)" "{}"
}

@test "two rollbacks, each with the set of its generation" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	plugpkg install other -y
	offline
	plugpkg rollback 1 -y
	assert_installed base 1.0.0
	assert_not_installed other
	plugpkg rollback 2 -y
	assert_installed base 1.1.0
	assert_not_installed other
	plugpkg rollback 3 -y
	assert_installed other 1.0.0
	assert_link "$PLUGPKG_ROOT/current" generations/6
	run plugpkg check
	assert_status 0
	run plugpkg history --json
	assert_equal "$(json_get 'select(.type == "history") | .command' | head -n 3)" "rollback 3
rollback 2
rollback 1"
}

@test "undo takes the last transaction back, and undo of that does it again" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	plugpkg install top -y
	state=$(plugpkg list; wanted)
	offline
	run plugpkg undo -y
	assert_status 0
	assert_not_installed top
	run plugpkg undo -y
	assert_status 0
	assert_equal "$(plugpkg list; wanted)" "$state"
}

# mark DIR TEXT: data of the application's, written beside the plugin
mark() {
	mkdir -p "$PLUGPKG_ROOT/data/$1"
	echo "$2" >"$PLUGPKG_ROOT/data/$1/x"
}

@test "undo and rollback take data to the plugin that replaced another, and from it, both ways" {
	make_plugin photos 1.0.0 >/dev/null
	make_plugin newphotos 1.0.0 \
		'"replaces": {"photos": "<2", "other": ">1"}, "conflicts": {"photos": "*"}' >/dev/null
	publish "$(build_plugin photos 1.0.0)" "$(build_plugin newphotos 1.0.0)"
	plugpkg update
	plugpkg install photos other -y
	mark photos mine
	mark other theirs
	plugpkg install newphotos -y
	assert_equal "$(cat "$PLUGPKG_ROOT/data/newphotos/x")" mine
	plugpkg undo -y
	assert_equal "$(cat "$PLUGPKG_ROOT/data/photos/x")" mine
	run plugpkg undo -y
	assert_status 0
	assert_has "replaced by newphotos"
	assert_equal "$(cat "$PLUGPKG_ROOT/data/newphotos/x")" mine
	assert_missing "$PLUGPKG_ROOT/data/photos"
	plugpkg rollback 1 -y
	assert_equal "$(cat "$PLUGPKG_ROOT/data/photos/x")" mine
	assert_missing "$PLUGPKG_ROOT/data/newphotos"
	plugpkg rollback 2 -y
	assert_equal "$(cat "$PLUGPKG_ROOT/data/newphotos/x")" mine
	assert_missing "$PLUGPKG_ROOT/data/photos"
	assert_equal "$(cat "$PLUGPKG_ROOT/data/other/x")" theirs
	run plugpkg check
	assert_status 0
}

@test "undo of a reinstall says that there is nothing to undo, and leaves alone what was before it" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	plugpkg install --reinstall base -y
	before=$(tree_state "$PLUGPKG_ROOT")
	run plugpkg undo -y
	assert_status 0
	assert_has "Nothing to undo: the last transaction only installed again what was there." "rollback N"
	assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
	assert_installed base 1.1.0
}

@test "undo of nothing is refused" {
	run plugpkg undo -y
	assert_status 9
	assert_has "[refused]" "plugpkg history"
	run plugpkg rollback -y
	assert_status 4
}

@test "there is nothing to do where nothing differs" {
	plugpkg install base -y
	run plugpkg rollback 1 -y
	assert_status 0
	assert_has "Nothing to do"
	run plugpkg rollback x
	assert_status 2
}

@test "a generation that was cleaned, or never was: an error with those that are there" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	plugpkg install other -y
	run plugpkg rollback 77 -y
	assert_status 4
	assert_has "there is no generation 77" "0, 1, 2" "[not-found]"
	plugpkg clean --keep 1
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg rollback 1 -y
	assert_status 4
	assert_has "there is no generation 1" "these are there: 2"
	tree_state "$PLUGPKG_ROOT" | diff before -
	run plugpkg rollback 2 -y
	assert_status 0
	assert_not_installed other
	plugpkg clean --keep 0
	run plugpkg rollback 2 -y
	assert_status 4
	assert_has "there is no generation 2" "there is none but the current one, 4"
}

@test "what a source offers by then with other content under the same version is refused" {
	plugpkg install other -y
	plugpkg remove other -y
	rm -rf "$PLUGPKG_ROOT/store/other" repo
	find "$PLUGPKG_ROOT/var/cache" -type f -delete
	plugpkg source remove test
	make_repo
	echo evil >"$(make_plugin other 1.0.0)/payload.txt"
	publish "$(build_plugin other 1.0.0)"
	plugpkg source add test "file://$SCRATCH/repo/public" --key repo/public/metadata/1.root.json
	plugpkg update
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg rollback -y
	assert_status 6
	assert_has "source 'test' offers other content as other 1.0.0 than was installed from it" \
		"hint: ask the publisher" "[digest-mismatch]"
	tree_state "$PLUGPKG_ROOT" | diff before -
	assert_not_installed other
}

@test "an application that moved on since is told of, and is no hindrance" {
	make_plugin modern 1.0.0 '"requires": {"host:app": ">=2"}' >/dev/null
	publish "$(build_plugin modern 1.0.0)"
	plugpkg update
	jq '.provides = {"host:app": "2.0.0"}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	plugpkg install modern -y
	plugpkg remove modern -y
	jq '.provides = {"host:app": "1.0.0"}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg rollback -y
	assert_status 0
	assert_has "needs host:app >=2; this application has 1.0.0"
	assert_installed modern 1.0.0
	plugpkg remove modern -y
	jq 'del(.provides)' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg rollback -y
	assert_status 0
	assert_has "needs host:app >=2; this application has none of it"
}

@test "history says which generations can be gone back to" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	plugpkg install other -y
	plugpkg clean --keep 1
	run plugpkg history --json
	assert_equal "$(json_get 'select(.type == "history") | [.generation, .rollback] | join(" ")')" "3 false
2 true
1 false"
}

@test "files that were lost come from the cache, else from the source, else it says which are missing" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 other -y
	rm -rf "$PLUGPKG_ROOT/store/base/1.0.0"
	cp -a "$PLUGPKG_ROOT" saved
	offline
	run plugpkg rollback -y
	assert_status 0
	assert_installed base 1.0.0

	rm -rf "$PLUGPKG_ROOT"
	cp -a saved "$PLUGPKG_ROOT"
	plugpkg clean --keep 9
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg rollback -y
	[ "$status" -ne 0 ]
	assert_has "base 1.0.0"
	tree_state "$PLUGPKG_ROOT" | diff before -

	mv "$SCRATCH/repo.away" "$SCRATCH/repo"
	run plugpkg rollback -y
	assert_status 0
	assert_installed base 1.0.0
	run plugpkg check
	assert_status 0
}

damage() {
	chmod u+w "$PLUGPKG_ROOT/store/$1" "$PLUGPKG_ROOT/store/$1/payload.txt"
	echo damaged >"$PLUGPKG_ROOT/store/$1/payload.txt"
}

@test "a damaged store version does not run its scripts" {
	publish_user
	plugpkg install user@1.0.0 -y
	plugpkg install user@2.0.0 -y
	damage user/1.0.0
	run plugpkg rollback -y
	# It is linked from a generation, so nobody replaces it silently.
	[ "$status" -ne 0 ]
	assert_has "store/user/1.0.0"
	assert_installed user 2.0.0
}

@test "files without scripts are not read again; check tells of damaged ones, repair mends them" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	damage base/1.0.0
	plugpkg rollback -y
	assert_installed base 1.0.0
	run plugpkg check
	[ "$status" -ne 0 ]
	assert_has "store/base/1.0.0 was changed since it was installed"
	plugpkg repair base
	plugpkg check
}

@test "a plugin whose source is gone and whose files are gone is named" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	plugpkg source remove test
	plugpkg clean --keep 9
	rm -rf "$PLUGPKG_ROOT/store/base/1.0.0"
	run plugpkg rollback -y
	assert_status 4
	assert_has "base 1.0.0 (from 'test')" "nothing was changed"
	assert_installed base 1.1.0
}

@test "and so is one with scripts whose files were changed since, where nothing else is left of it" {
	publish_user
	plugpkg install user@1.0.0 -y
	plugpkg install user@2.0.0 -y
	plugpkg source remove test
	plugpkg clean --keep 9
	damage user/1.0.0
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg rollback -y
	assert_status 4
	assert_has "not here any more as they were installed: user 1.0.0 (from 'test')" \
		"nothing was changed"
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "what is held is not changed without --force" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	plugpkg hold base
	run plugpkg rollback -y
	assert_status 9
	assert_has "base 1.1.0" "plugpkg unhold base" "--force"
	assert_installed base 1.1.0
	run plugpkg rollback --force -y
	assert_status 0
	assert_installed base 1.0.0
}

@test "a removal is asked for, and a dry run changes nothing" {
	plugpkg install base@1.1.0 -y
	plugpkg install other -y
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg rollback --dry-run
	assert_status 0
	assert_has "REMOVED" "other"
	tree_state "$PLUGPKG_ROOT" | diff before -
	run plugpkg rollback </dev/null
	assert_status 11
	assert_installed other 1.0.0
}

@test "scripts are told of a rollback, and rows in a real database come back" {
	publish_user
	plugpkg install user@1.0.0 -y
	sqlite3 "$DB" "INSERT INTO user(name) VALUES('Ada')"
	plugpkg install user@2 other -y
	assert_equal "$(sqlite3 "$DB" 'SELECT * FROM user')" "Ada|none"
	offline
	plugpkg rollback -y
	assert_equal "$(sqlite3 "$DB" 'SELECT * FROM user')" "Ada"
	assert_equal "$(cat calls)" "install.sh 1.0.0 - install
upgrade.sh 2.0.0 1.0.0 upgrade
upgrade.sh 1.0.0 2.0.0 rollback"
	plugpkg rollback 0 -y
	plugpkg undo -y
	assert_equal "$(tail -n 2 calls)" "uninstall.sh 1.0.0 - rollback
install.sh 1.0.0 - rollback"
}

@test "a script that fails in a rollback leaves the current generation as it was" {
	dir=$(make_plugin flaky 1.0.0 '"scripts": {"upgrade": "scripts/upgrade.sh"}')
	add_script "$dir" upgrade "[ ! -e '$SCRATCH/no' ]"
	dir=$(make_plugin flaky 2.0.0 '"scripts": {"upgrade": "scripts/upgrade.sh"}')
	add_script "$dir" upgrade
	publish_user
	publish "$(build_plugin flaky 1.0.0)" "$(build_plugin flaky 2.0.0)"
	plugpkg update
	plugpkg install base@1.0.0 flaky@1 user@1.0.0 -y
	sqlite3 "$DB" "INSERT INTO user(name) VALUES('Ada')"
	plugpkg install base@1.1.0 flaky@2 user@2 -y
	list=$(plugpkg list; wanted)
	touch no
	run plugpkg rollback -y
	assert_status 7
	assert_has "[script-failed]"
	assert_equal "$(plugpkg list; wanted)" "$list"
	assert_installed flaky 2.0.0
	assert_equal "$(sqlite3 "$DB" 'SELECT * FROM user')" "Ada|none"
	rm no
	run plugpkg rollback -y
	assert_status 0
	assert_installed flaky 1.0.0
	assert_equal "$(sqlite3 "$DB" 'SELECT * FROM user')" "Ada"
}

@test "parallel majors come and go by their keys" {
	make_plugin lib 1.0.0 '"parallel": "major"' >/dev/null
	make_plugin lib 2.0.0 '"parallel": "major"' >/dev/null
	make_plugin lib 2.1.0 '"parallel": "major"' >/dev/null
	publish "$(build_plugin lib 1.0.0)" "$(build_plugin lib 2.0.0)" "$(build_plugin lib 2.1.0)"
	plugpkg update
	plugpkg install lib@1 -y
	plugpkg install lib@2.0.0 -y
	plugpkg install lib@2.1.0 -y
	offline
	plugpkg rollback 2 -y
	assert_link "$PLUGPKG_ROOT/current/lib@2" ../../store/lib/2.0.0
	assert_link "$PLUGPKG_ROOT/current/lib@1" ../../store/lib/1.0.0
	assert_link "$PLUGPKG_ROOT/current/lib" ../../store/lib/2.0.0
	plugpkg rollback 1 -y
	assert_missing "$PLUGPKG_ROOT/current/lib@2"
	assert_link "$PLUGPKG_ROOT/current/lib" ../../store/lib/1.0.0
	run plugpkg check
	assert_status 0
}

@test "over the change from one key to another and back" {
	make_plugin lib 1.0.0 >/dev/null
	make_plugin lib 1.1.0 '"parallel": "major"' >/dev/null
	publish "$(build_plugin lib 1.0.0)" "$(build_plugin lib 1.1.0)"
	plugpkg update
	plugpkg install lib@1.0.0 -y
	mkdir -p "$PLUGPKG_ROOT/data/lib"
	echo mine >"$PLUGPKG_ROOT/data/lib/file"
	plugpkg install lib@1.1.0 -y
	assert_exists "$PLUGPKG_ROOT/data/lib@1/file"
	plugpkg rollback -y
	assert_exists "$PLUGPKG_ROOT/data/lib/file"
	assert_missing "$PLUGPKG_ROOT/current/lib@1" "$PLUGPKG_ROOT/data/lib@1"
	run plugpkg check
	assert_status 0
}

@test "a linked plugin comes back where its directory is, and is named where it is gone" {
	plugpkg link "$(make_plugin dev 1.0.0)" -y
	plugpkg remove dev -y
	plugpkg undo -y
	assert_exists "$PLUGPKG_ROOT/current/dev/plugin.json"
	plugpkg remove dev -y
	mv "$(plugin_dir dev 1.0.0)" gone
	run plugpkg undo -y
	assert_status 4
	assert_has "dev" "which is gone"
}

@test "no fetch and no unpack: an archive server that stands still is not noticed" {
	plugpkg install top base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	rm -rf "$PLUGPKG_ROOT/var/cache"/*
	PLUGPKG_LIBEXEC=/nonexistent run plugpkg rollback -y
	assert_status 0
	assert_installed base 1.0.0
}

@test "a plugin that was replaced comes back with its data" {
	make_plugin old 1.0.0 >/dev/null
	make_plugin new 1.0.0 '"replaces": {"old": "*"}' >/dev/null
	publish "$(build_plugin old 1.0.0)" "$(build_plugin new 1.0.0)"
	plugpkg update
	plugpkg install old -y
	mkdir -p "$PLUGPKG_ROOT/data/old"
	echo mine >"$PLUGPKG_ROOT/data/old/file"
	plugpkg install new -y
	assert_not_installed old
	assert_exists "$PLUGPKG_ROOT/data/new/file"
	plugpkg rollback -y
	assert_installed old 1.0.0
	assert_not_installed new
	assert_equal "$(cat "$PLUGPKG_ROOT/data/old/file")" mine
	assert_missing "$PLUGPKG_ROOT/data/new"
}
