#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sync: a root becomes what plugpkg.json says, in the versions of plugpkg.lock.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	for name in base mid top; do
		dir=$(make_plugin "$name" 1.0.0 "$(members "$name")")
		add_script "$dir" install
		add_script "$dir" uninstall
	done
	publish "$(build_plugin base 1.0.0)" "$(build_plugin mid 1.0.0)" "$(build_plugin top 1.0.0)" \
		"$(build_plugin solo 1.0.0)"
	make_root
}

# members NAME: what base, mid and top need and run.
members() {
	local scripts='"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh"}'
	case $1 in
	base) echo "$scripts" ;;
	mid) echo "$scripts, \"requires\": {\"base\": \"*\"}" ;;
	top) echo "$scripts, \"requires\": {\"mid\": \"*\"}" ;;
	esac
}

# want JSON: the wanted set of plugpkg.json, written by hand.
want() {
	jq --argjson plugins "$1" '.plugins = $plugins' "${2:-$PLUGPKG_ROOT}/plugpkg.json" >new.json
	cp new.json "${2:-$PLUGPKG_ROOT}/plugpkg.json"
}

# add_version NAME VERSION [MEMBERS]: one more release, published and seen by the root.
add_version() {
	make_plugin "$@" >/dev/null
	publish "$(build_plugin "$1" "$2")"
	plugpkg update >/dev/null
}

# checkout DIR: what version control would carry of the root, and nothing else.
checkout() {
	mkdir -p "$1"
	cp "$PLUGPKG_ROOT/plugpkg.json" "$PLUGPKG_ROOT/plugpkg.lock" "$1"
}

# shown DIR: what the current generation of a root shows, byte for byte.
shown() {
	(cd "$1/current/" && find -L . -type f -exec sha256sum {} + | LC_ALL=C sort -k2)
}

@test "what plugpkg.json wants is installed, dependencies first; a second time nothing happens" {
	want '{"top": "*"}'
	run plugpkg sync -y
	assert_status 0
	assert_equal "$(cat calls)" "install base 1.0.0
install mid 1.0.0
install top 1.0.0"
	rm calls
	stat -c '%i %Y' "$PLUGPKG_ROOT/plugpkg.lock" >lock.before
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg sync
	assert_status 0
	assert_has "Nothing to do."
	assert_missing calls
	stat -c '%i %Y' "$PLUGPKG_ROOT/plugpkg.lock" | diff lock.before -
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "what was taken out of plugpkg.json goes, with what only it needed, dependents first" {
	plugpkg install top solo -y
	rm -f calls
	want '{"solo": "*"}'
	run plugpkg sync -y
	assert_status 0
	assert_equal "$(cat calls)" "uninstall top 1.0.0
uninstall mid 1.0.0
uninstall base 1.0.0"
	assert_installed solo 1.0.0
	assert_not_installed top mid base
	run plugpkg sync --check
	assert_status 0
}

@test "--no-remove leaves it, and says no more about it" {
	plugpkg install top -y
	want '{"solo": "*"}'
	run plugpkg sync --no-remove -y
	assert_status 0
	assert_installed top 1.0.0
	assert_installed solo 1.0.0
	run plugpkg sync --no-remove --check
	assert_status 0
	run plugpkg sync --check
	assert_status 1
	assert_has "top 1.0.0 is too much"
}

@test "what leaves may stand in the way of what comes" {
	add_version rival 1.0.0 '"conflicts": {"solo": "*"}'
	plugpkg install solo -y
	want '{"rival": "*"}'
	run plugpkg sync -y
	assert_status 0
	assert_installed rival 1.0.0
	assert_not_installed solo
}

@test "a plugin that loses its wish and is still needed becomes automatic" {
	plugpkg install mid top -y
	want '{"top": "*"}'
	run plugpkg sync --check
	assert_status 1
	assert_has "mid counts as manual, not as automatic"
	run plugpkg sync -y
	assert_status 0
	assert_equal "$(plugpkg list --auto --json | jq -r 'select(.type == "plugin").name' | xargs)" \
		"base mid"
	run plugpkg sync --check
	assert_status 0
}

@test "a range that the installed version breaks is followed, up and down" {
	add_version solo 2.0.0
	plugpkg install solo@1.0.0 -y
	want '{"solo": "^2"}'
	run plugpkg sync -y
	assert_status 0
	assert_installed solo 2.0.0
	want '{"solo": "^1"}'
	run plugpkg sync -y
	assert_status 0
	assert_has "DOWNGRADED"
	assert_installed solo 1.0.0
}

@test "what is installed and fits stays, however new the repository is" {
	plugpkg install solo -y
	add_version solo 1.1.0
	run plugpkg sync -y
	assert_status 0
	assert_has "Nothing to do."
	assert_installed solo 1.0.0
}

@test "a fresh checkout takes the versions of plugpkg.lock while they fit" {
	plugpkg install top solo -y
	add_version base 1.1.0
	add_version solo 1.5.0
	checkout other
	want '{"top": "*", "solo": ">=1.2"}' other
	run plugpkg --root other sync -y
	assert_status 0
	assert_link other/current/base ../../store/base/1.0.0
	assert_link other/current/solo ../../store/solo/1.5.0
	run plugpkg --root other sync --check
	assert_status 0
}

@test "plugpkg.lock from elsewhere is followed by a root that has other versions" {
	add_version solo 1.1.0
	plugpkg install solo@1.0.0 -y
	want '{"solo": "*"}'
	sed 's/"1\.0\.0"/"1.1.0"/; s/"sha256": "[0-9a-f]*"/"sha256": "'"$(sha256sum solo-1.1.0.plug |
		cut -d' ' -f1)"'"/' "$PLUGPKG_ROOT/plugpkg.lock" >new.lock
	cp new.lock "$PLUGPKG_ROOT/plugpkg.lock"
	run plugpkg sync --check
	assert_status 1
	assert_has "solo is 1.0.0, not 1.1.0"
	run plugpkg sync -y
	assert_status 0
	assert_installed solo 1.1.0
	cmp new.lock "$PLUGPKG_ROOT/plugpkg.lock"
}

@test "a locked version that is gone gives way to another one, with a warning" {
	plugpkg install solo -y
	checkout other
	add_version solo 1.1.0
	plugpkg-repo --repo repo remove solo@1.0.0 >/dev/null
	plugpkg-repo --repo repo publish >/dev/null
	run plugpkg --root other sync -y
	assert_status 0
	assert_link other/current/solo ../../store/solo/1.1.0
}

@test "--locked makes the same generation on another machine, from the two files alone" {
	plugpkg install top solo -y
	add_version base 1.1.0
	add_version top 1.1.0 '"requires": {"mid": "*"}'
	checkout other
	run plugpkg --root other sync --locked -y
	assert_status 0
	cmp "$PLUGPKG_ROOT/plugpkg.lock" other/plugpkg.lock
	cmp "$PLUGPKG_ROOT/plugpkg.json" other/plugpkg.json
	shown "$PLUGPKG_ROOT" >one
	shown other >two
	[ -s one ]
	diff one two
	diff <(plugpkg list --json | jq -c 'select(.type == "plugin") | [.name, .version, .manual]') \
		<(plugpkg --root other list --json |
			jq -c 'select(.type == "plugin") | [.name, .version, .manual]')
	run plugpkg --root other sync --locked
	assert_status 0
	assert_has "Nothing to do."
}

@test "--locked goes back, forth, and takes away" {
	plugpkg install top -y
	checkout old
	add_version base 1.1.0
	plugpkg upgrade -y
	plugpkg install solo -y
	cp old/plugpkg.json old/plugpkg.lock "$PLUGPKG_ROOT/"
	run plugpkg sync --locked --check
	assert_status 1
	assert_has "base is 1.1.0, not 1.0.0" "solo 1.0.0 is too much"
	run plugpkg sync --locked -y
	assert_status 0
	assert_has "as plugpkg.lock says"
	assert_installed base 1.0.0
	assert_not_installed solo
	cmp old/plugpkg.lock "$PLUGPKG_ROOT/plugpkg.lock"
}

@test "--locked fails when plugpkg.json wants what the lock does not have, and changes nothing" {
	plugpkg install solo -y
	checkout other
	want '{"solo": "*", "top": "*"}' other
	run plugpkg --root other sync --locked -y
	assert_status 3
	assert_has "plugpkg.json wants top *, plugpkg.lock has none" "[lock-mismatch]" "without --locked"
	assert_link other/current generations/0
	want '{"solo": "^2"}' other
	run plugpkg --root other sync --locked -y
	assert_status 3
	assert_has "plugpkg.json wants solo ^2, plugpkg.lock has 1.0.0"
}

@test "--locked fails when a version is gone" {
	plugpkg install solo -y
	checkout other
	plugpkg-repo --repo repo remove solo@1.0.0 >/dev/null
	plugpkg-repo --repo repo publish >/dev/null
	run plugpkg --root other sync --locked -y
	assert_status 3
	assert_has "plugpkg.lock has solo 1.0.0, which source 'test' does not offer" "[lock-mismatch]"
	assert_link other/current generations/0
}

@test "a digest that differs is refused, locked or not" {
	plugpkg install solo -y
	checkout other
	sed -i 's/"sha256": "../"sha256": "00/' other/plugpkg.lock
	run plugpkg --root other sync --locked -y
	assert_status 6
	assert_has "other content as solo 1.0.0 than plugpkg.lock says" "[digest-mismatch]"
	run plugpkg --root other sync -y
	assert_status 6
	assert_missing other/current/solo
	run plugpkg sync --locked --check
	assert_status 0
}

@test "a lock for another version of the application names both" {
	jq '.provides = {"host:cms": "1.2.0"}' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
	plugpkg install solo -y
	checkout other
	jq '.provides = {"host:cms": "2.0.0"}' other/plugpkg.json >new.json
	cp new.json other/plugpkg.json
	run plugpkg --root other sync --locked -y
	assert_status 3
	assert_has "plugpkg.lock is for host:cms 1.2.0; this application has 2.0.0"
	run plugpkg --root other sync -y
	assert_status 0
	assert_equal "$(jq -r '.host["host:cms"]' other/plugpkg.lock)" 2.0.0
}

@test "a lock whose plugins do not go together is refused" {
	plugpkg install top -y
	checkout other
	jq 'del(.plugins.base)' other/plugpkg.lock >new.lock
	cp new.lock other/plugpkg.lock
	run plugpkg --root other sync --locked -y
	assert_status 3
	assert_has "plugpkg.lock cannot be followed" "base"
	assert_link other/current generations/0
	# The same where everything is installed already, and only too much of it.
	cp new.lock "$PLUGPKG_ROOT/plugpkg.lock"
	run plugpkg sync --locked -y
	assert_status 3
	assert_has "do not go together"
	assert_installed base 1.0.0
}

@test "a held plugin stays: sync goes around it, --locked refuses" {
	add_version solo 1.1.0
	plugpkg install solo -y
	checkout newer
	plugpkg install solo@1.0.0 --downgrade -y
	plugpkg hold solo
	want '{"solo": "*"}'
	cp newer/plugpkg.lock "$PLUGPKG_ROOT/plugpkg.lock"
	run plugpkg sync -y
	assert_status 0
	assert_has "Nothing to do."
	run plugpkg sync --locked -y
	assert_status 9
	assert_has "solo 1.0.0 is held here, plugpkg.lock has 1.1.0" "plugpkg unhold solo"
	run plugpkg sync --locked --check
	assert_status 1
}

@test "--check and --dry-run change no byte" {
	plugpkg install solo -y
	want '{"top": "*"}'
	(cd "$PLUGPKG_ROOT" && find . -type f -exec sha256sum {} + | sort) >before
	run plugpkg sync --check
	assert_status 1
	assert_has "top * is missing" "solo 1.0.0 is too much"
	run plugpkg sync --dry-run
	assert_status 0
	assert_has "REMOVED" "solo" "base" "dry run"
	(cd "$PLUGPKG_ROOT" && find . -type f -exec sha256sum {} + | sort) | diff before -
}

@test "--json has everything that the text says" {
	plugpkg install solo -y
	want '{"top": "*"}'
	run --separate-stderr plugpkg sync --check --json
	assert_status 1
	assert_equal "$(json_get 'select(.type == "difference") | "\(.kind) \(.name)"')" "missing top
extra solo"
	run --separate-stderr plugpkg sync --json -y
	assert_status 0
	assert_equal "$(json_get 'select(.type == "step") | "\(.action) \(.name) \(.why)"')" \
		"install base required
install mid required
install top requested
remove solo unneeded"
	assert_equal "$(json_get 'select(.type == "transaction").command')" sync
}

@test "the root directory is completed, but not by those that only look" {
	plugpkg install solo -y
	checkout other
	run plugpkg --root other sync --check
	assert_status 1
	run plugpkg --root other sync --dry-run
	assert_status 1
	assert_equal "$(find other -mindepth 1 | sort | xargs)" "other/plugpkg.json other/plugpkg.lock"
	(cd other && unset PLUGPKG_ROOT && plugpkg sync -y)
	assert_link other/current/solo ../../store/solo/1.0.0
}

@test "no plugpkg.json, no root" {
	mkdir empty
	run plugpkg --root empty sync
	assert_status 1
	assert_has "[no-root]"
	assert_equal "$(find empty -mindepth 1)" ""
}

@test "a source without a key is not trusted by itself" {
	plugpkg install solo -y
	checkout other
	jq 'del(.sources[0].root)' other/plugpkg.json >new.json
	cp new.json other/plugpkg.json
	run plugpkg --root other sync -y
	assert_status 11
	assert_has '"root" of the source in plugpkg.json' "[needs-confirmation]"
	assert_link other/current generations/0
}

@test "nothing to do needs no source, no key and no lock; metadata may be years old" {
	plugpkg install top -y
	mv repo away
	rm -rf "$PLUGPKG_ROOT/var/trust" "$PLUGPKG_ROOT/var/cache"
	exec 9>>"$PLUGPKG_ROOT/var/lock"
	flock 9
	PLUGPKG_NOW=2040-01-01T00:00:00Z run plugpkg sync
	assert_status 0
	assert_has "Nothing to do."
	PLUGPKG_NOW=2040-01-01T00:00:00Z run plugpkg sync --locked
	assert_status 0
}

@test "removing alone needs no source either" {
	plugpkg install top solo -y
	mv repo away
	want '{"top": "*"}'
	run plugpkg sync -y
	assert_status 0
	assert_not_installed solo
}

@test "a source that has news is asked for them only when they are needed" {
	want '{"later": "*"}'
	make_plugin later 1.0.0 >/dev/null
	publish "$(build_plugin later 1.0.0)"
	run plugpkg sync --dry-run
	assert_status 4
	run plugpkg sync -y
	assert_status 0
	assert_installed later 1.0.0
}

@test "files that are gone are fetched again" {
	plugpkg install top -y
	chmod -R u+w "$PLUGPKG_ROOT/store/mid"
	rm -rf "$PLUGPKG_ROOT/store/mid"
	run plugpkg sync --check
	assert_status 1
	assert_has "the files of mid 1.0.0 are gone"
	run plugpkg sync -y
	assert_status 0
	assert_installed mid 1.0.0
	run plugpkg check
	assert_status 0
	run plugpkg sync --locked --check
	assert_status 0
}

@test "a version that is gone from within the store is seen by check, and repaired" {
	plugpkg install top -y
	chmod -R u+w "$PLUGPKG_ROOT/store/mid"
	rm -rf "$PLUGPKG_ROOT/store/mid/1.0.0"
	run plugpkg check
	assert_status 1
	assert_has "mid"
	run plugpkg repair -y
	assert_status 0
	assert_installed mid 1.0.0
	run plugpkg check
	assert_status 0
}

@test "two at once on one checkout: both succeed, one of them does it" {
	want '{"top": "*"}'
	plugpkg sync -y >one.out 2>&1 &
	first=$!
	plugpkg sync -y >two.out 2>&1 || { cat two.out; false; }
	wait "$first" || { cat one.out; false; }
	assert_equal "$(grep -c 'install top' calls)" 1
	mkdir other
	cp "$PLUGPKG_ROOT/plugpkg.json" other
	rm calls
	plugpkg --root other sync -y >one.out 2>&1 &
	first=$!
	plugpkg --root other sync -y >two.out 2>&1 || { cat two.out; false; }
	wait "$first" || { cat one.out; false; }
	assert_equal "$(grep -c 'install top' calls)" 1
}

@test "a linked plugin stays where it is; another machine cannot have it" {
	plugpkg link "$(make_plugin mine 0.1.0)" -y
	run plugpkg sync --locked
	assert_status 0
	checkout other
	run plugpkg --root other sync --locked -y
	assert_status 3
	assert_has "mine is used in place from"
}

@test "the application is asked for its versions only when something is to change" {
	mkdir -p "$PLUGPKG_ROOT/bin"
	printf '#!/bin/sh\necho asked >>"%s/asked"\necho "{\\"host:cms\\": \\"1.2.0\\"}"\n' "$SCRATCH" \
		>"$PLUGPKG_ROOT/bin/versions.sh"
	chmod 755 "$PLUGPKG_ROOT/bin/versions.sh"
	jq '.["provides-from"] = "bin/versions.sh"' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
	add_version fit 1.0.0 '"requires": {"host:cms": "^1"}'
	want '{"fit": "*"}'
	run plugpkg sync -y
	assert_status 0
	assert_equal "$(jq -c .host "$PLUGPKG_ROOT/plugpkg.lock")" '{"host:cms":"1.2.0"}'
	rm asked
	run plugpkg sync
	assert_status 0
	run plugpkg sync --locked
	assert_status 0
	assert_missing asked
	checkout other
	mkdir other/bin
	sed 's/1\.2\.0/1.3.0/' "$PLUGPKG_ROOT/bin/versions.sh" >other/bin/versions.sh
	chmod 755 other/bin/versions.sh
	run plugpkg --root other sync --locked -y
	assert_status 3
	assert_has "plugpkg.lock is for host:cms 1.2.0; this application has 1.3.0"
}

@test "what a crash cut off is ended first, at the next boot" {
	dir=$(make_plugin frail 1.0.0 \
		'"scripts": {"install": "scripts/install.sh", "verify": "scripts/verify.sh"}')
	add_script "$dir" install "[ -e '$SCRATCH/died' ] || { touch '$SCRATCH/died'; kill -9 \$PPID; sleep 5; }"
	add_script "$dir" verify "exit 1"
	publish "$(build_plugin frail 1.0.0)"
	plugpkg install solo -y
	want '{"solo": "*", "frail": "*"}'
	run plugpkg sync -y --no-sandbox # which keeps a script from killing
	assert_status 137
	assert_not_installed frail
	run plugpkg sync -y
	assert_status 0
	assert_installed frail 1.0.0
	run plugpkg sync
	assert_has "Nothing to do."
	# Wishes that a crash left met: the journal is closed all the same.
	rm died
	want '{"solo": "*"}'
	plugpkg sync -y
	run plugpkg install frail -y --no-sandbox
	assert_status 137
	run plugpkg sync
	assert_status 0
	assert_has "Nothing to do."
	run plugpkg check
	assert_status 0
}

@test "parallel majors are locked and made again one by one" {
	add_version auth 1.0.0 '"parallel": "major"'
	add_version auth 2.0.0 '"parallel": "major"'
	add_version old 1.0.0 '"requires": {"auth": "^1"}'
	add_version new 1.0.0 '"requires": {"auth": "^2"}'
	plugpkg install old new -y
	add_version auth 2.1.0 '"parallel": "major"'
	checkout other
	run plugpkg --root other sync --locked -y
	assert_status 0
	cmp "$PLUGPKG_ROOT/plugpkg.lock" other/plugpkg.lock
	shown "$PLUGPKG_ROOT" >one
	shown other >two
	diff one two
	want '{"new": "*"}'
	run plugpkg sync -y
	assert_status 0
	assert_equal "$(jq -r '.plugins | keys | join(" ")' "$PLUGPKG_ROOT/plugpkg.lock")" "auth@2 new"
	cp "$PLUGPKG_ROOT/plugpkg.json" "$PLUGPKG_ROOT/plugpkg.lock" other
	run plugpkg --root other sync --locked -y
	assert_status 0
	cmp "$PLUGPKG_ROOT/plugpkg.lock" other/plugpkg.lock
}
