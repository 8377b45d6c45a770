#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An archive states the digest of its tree: what that is good for, and what a false one can do.

setup() {
	load ../helpers
	setup_scratch
	need python3
	need zstd
	make_repo
}

stated() {
	python3 "$top_srcdir/tests/e2e/stated.py" "$@"
}

# lie ARCHIVE: it states a digest that its tree has not; prints its name.
lie() {
	stated set "$1" "$(printf '%064d' 1)"
	echo "$1"
}

problems() {
	run plugpkg check --json
	json_get 'select(.type == "problem") | .kind + " " + (.name // "-")'
}

spoil() {
	chmod u+w "$1"
	echo other >"$1"
	chmod 444 "$1"
}

@test "what build states is what comes out, and a changed file is found beside it" {
	local archive value
	archive=$(build_plugin user 1.0.0)
	value=$(stated show "$archive")
	[[ $value =~ ^[0-9a-f]{64}$ ]]
	publish "$archive"
	make_root
	run -0 plugpkg install user -y
	assert_equal "$(problems)" ""
	grep -aq "$value" "$PLUGPKG_ROOT/var/state.db"
	spoil "$PLUGPKG_ROOT/store/user/1.0.0/payload.txt"
	assert_equal "$(problems)" "store user"
	run -0 plugpkg repair
	assert_equal "$(problems)" ""
}

@test "only the first header of the tar has it, and the same files give the same bytes" {
	local dir
	dir=$(make_plugin user 1.0.0)
	mkdir -p "$dir/lib"
	echo a >"$dir/lib/a"
	chmod 755 "$dir/lib/a"
	ln -s lib/a "$dir/link"
	(cd "$SCRATCH" && plugpkg build "$dir" >/dev/null)
	assert_equal "$(stated show user-1.0.0.plug)" \
		"$({
			printf '0555 2 %s lib/a\n' "$(printf 'a\n' | sha256sum | cut -c1-64)"
			printf 'l lib/a link\n'
			printf '0444 11 %s payload.txt\n' "$(sha256sum <"$dir/payload.txt" | cut -c1-64)"
			printf '0444 %s %s plugin.json\n' "$(wc -c <"$dir/plugin.json")" \
				"$(sha256sum <"$dir/plugin.json" | cut -c1-64)"
		} | sha256sum | cut -c1-64)"
	assert_equal "$(zstd -dc user-1.0.0.plug | grep -ac 'SCHILY\.xattr')" 1
	assert_equal "$(zstd -dc user-1.0.0.plug | dd bs=512 skip=1 count=1 2>/dev/null | tr -d '\0')" \
		"99 SCHILY.xattr.user.plugpkg.tree=$(stated show user-1.0.0.plug)"
	assert_equal "$(zstd -dc user-1.0.0.plug | sha256sum)" "ba435c1c8bcf620050b3d335f1479b18d464c3cc82850bcbcf24bbe2ab062cf7  -"
}

@test "links of one name and target are not taken for those of another, whatever blanks they have" {
	local one other
	one=$(make_plugin one 1.0.0)
	cp -a "$one" other
	other=$PWD/other
	ln -s 'x b' "$one/a"
	ln -s x "$other/b a"
	mkdir built built.other
	plugpkg build "$one" -o built
	plugpkg build "$other" -o built.other
	[ "$(stated show built/one-1.0.0.plug)" != "$(stated show built.other/one-1.0.0.plug)" ]
	make_root
	# A local archive is digested, and has to be what it states.
	plugpkg install -y --allow-unsigned ./built/one-1.0.0.plug
	plugpkg check
	(
		cd "$PLUGPKG_ROOT/store/one/1.0.0"
		chmod u+w .
		rm a
		ln -s x "b a"
	)
	run plugpkg check
	assert_status 1
	assert_has "store/one/1.0.0 was changed since it was installed"
}

@test "tar programs take it for what it is" {
	build_plugin user 1.0.0 >/dev/null
	mkdir out
	run -0 tar --zstd --xattrs -C out -xf user-1.0.0.plug
	assert_equal "$output" ""
	assert_equal "$(cat out/payload.txt)" "user 1.0.0"
	run -0 plugpkg build out -o out
	cmp out/user-1.0.0.plug user-1.0.0.plug
}

@test "an archive that states it in both ways that bsdtar writes is as good" {
	local archive
	archive=$(build_plugin user 1.0.0)
	stated twice "$archive"
	publish "$archive"
	make_root
	run -0 plugpkg install user -y
	assert_equal "$(problems)" ""
}

@test "an archive that a tar program made states none, and its changed files are found as well" {
	local dir
	dir=$(make_plugin user 1.0.0)
	tar --zstd -C "$dir" -cf user-1.0.0.plug plugin.json payload.txt
	assert_equal "$(stated show user-1.0.0.plug)" ""
	publish user-1.0.0.plug
	make_root
	run -0 plugpkg install user -y
	assert_equal "$(problems)" ""
	spoil "$PLUGPKG_ROOT/store/user/1.0.0/payload.txt"
	assert_equal "$(problems)" "store user"
	run -0 plugpkg repair
	assert_equal "$(problems)" ""
}

@test "a false one is told by check, and repair puts the true one on record" {
	local before
	publish "$(lie "$(build_plugin user 1.0.0)")" "$(build_plugin other 1.0.0)"
	make_root
	run -0 plugpkg install user other -y
	assert_equal "$(problems)" "store user"
	run -1 plugpkg check
	assert_has "or its archive states another digest of its tree"
	before=$(tree_state "$PLUGPKG_ROOT/store")
	run -0 plugpkg repair
	assert_has "user: the files of 1.0.0 are whole again; its archive states another digest of its tree"
	assert_equal "$(tree_state "$PLUGPKG_ROOT/store")" "$before"
	assert_equal "$(problems)" ""
	run -0 plugpkg repair
	assert_has "Nothing to repair."
	spoil "$PLUGPKG_ROOT/store/user/1.0.0/payload.txt"
	assert_equal "$(problems)" "store user"
	run -0 plugpkg repair
	assert_equal "$(problems)" ""
	assert_equal "$(tree_state "$PLUGPKG_ROOT/store")" "$before"
}

@test "a repair that is killed between the files and their record is one that was not made, or is whole" {
	local n
	publish "$(lie "$(build_plugin user 1.0.0)")"
	make_root
	run env PLUGPKG_CRASH_AT=1 plugpkg clean
	[ "$status" -eq 137 ] || skip "this build has no failpoints"
	run -0 plugpkg install user -y
	cp -a "$PLUGPKG_ROOT" before
	for ((n = 1; n < 100; n++)); do
		rm -rf "$PLUGPKG_ROOT"
		cp -a before "$PLUGPKG_ROOT"
		PLUGPKG_CRASH_AT=$n run plugpkg repair
		[ "$status" -eq 137 ] || break
		run -0 plugpkg repair
		assert_equal "$(problems)" ""
		assert_installed user 1.0.0
		assert_equal "$(cat "$PLUGPKG_ROOT/store/user/1.0.0/payload.txt")" "user 1.0.0"
	done
	[ "$status" -eq 0 ]
	[ "$n" -gt 10 ]
}

@test "with a false one files that are gone come back, and the true one goes on record" {
	publish "$(lie "$(build_plugin user 1.0.0)")"
	make_root
	run -0 plugpkg install user -y
	rm -rf "$PLUGPKG_ROOT/store/user/1.0.0"
	run -0 plugpkg repair
	assert_installed user 1.0.0
	assert_equal "$(problems)" ""
}

@test "what is in the store is no other archive's tree because that says so" {
	local first value
	first=$(build_plugin user 1.0.0)
	value=$(stated show "$first")
	mkdir other
	mv "$first" other/
	echo another >"$(plugin_dir user 1.0.0)/payload.txt"
	build_plugin user 1.0.0 >/dev/null
	stated set user-1.0.0.plug "$value"
	publish user-1.0.0.plug
	make_root
	run -0 plugpkg install ./other/user-1.0.0.plug --allow-unsigned -y
	run -0 plugpkg remove user -y
	assert_equal "$(cat "$PLUGPKG_ROOT/store/user/1.0.0/payload.txt")" "user 1.0.0"
	run -1 plugpkg install user -y
	assert_has "store/user/1.0.0 is in use and differs from the signed archive"
	assert_not_installed user
	run -0 plugpkg clean --keep 0
	run -0 plugpkg install user -y
	assert_equal "$(cat "$PLUGPKG_ROOT/store/user/1.0.0/payload.txt")" "another"
}

@test "installed again, a false one counts no more" {
	publish "$(lie "$(build_plugin user 1.0.0)")"
	make_root
	run -0 plugpkg install user -y
	assert_equal "$(problems)" "store user"
	run -0 plugpkg install user --reinstall -y
	assert_equal "$(problems)" ""
}

@test "a generation with a false one comes back, scripts and all" {
	local dir
	dir=$(make_plugin user 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install
	publish "$(lie "$(build_plugin user 1.0.0)")"
	make_root
	run -0 plugpkg install user -y
	publish "$(build_plugin user 2.0.0)"
	run -0 plugpkg update
	run -0 plugpkg upgrade -y
	run -0 plugpkg rollback -y
	assert_installed user 1.0.0
	assert_equal "$(problems)" ""
}

@test "a local archive with a false one, and a signature for it, are refused" {
	local archive
	archive=$(lie "$(build_plugin user 1.0.0)")
	make_root
	run plugpkg install "$archive" --allow-unsigned -y
	assert_status 6
	assert_has "[bad-archive]" "it states another digest of its tree than its contents have"
	assert_not_installed user
}

@test "add takes a false one, and verify names each archive that has one" {
	publish "$(lie "$(build_plugin user 1.0.0)")" "$(build_plugin good 1.0.0)" \
		"$(lie "$(build_plugin other 1.0.0)")"
	run -6 plugpkg-repo verify repo --json
	assert_equal "$(json_get 'select(.type == "problem") | .text' | LC_ALL=C sort)" \
		"archive of other 1.0.0: it states another digest of its tree than its contents have
archive of user 1.0.0: it states another digest of its tree than its contents have"
	assert_equal "$(json_get 'select(.type == "verified") | .problems')" 2
	run plugpkg-repo verify repo
	assert_has "targets/pool/user/1.0.0/"
}

@test "one that is no digest is refused by add and by install, with the rule" {
	local value archive
	for value in "" 0123 "$(printf '%063dA' 0)" "$(printf '%065d' 0)"; do
		archive=$(build_plugin user 1.0.0)
		stated set "$archive" "$value"
		run plugpkg-repo --repo "$SCRATCH/repo" add "$archive"
		assert_status 6
		assert_has "[bad-archive]" "it states a digest of its tree"
	done
	publish "$(build_plugin other 1.0.0)"
	python3 "$top_srcdir/tests/e2e/evil-publisher.py" "$SCRATCH/repo" pool user 1.0.0 "$archive"
	make_root
	run plugpkg install user -y
	assert_status 6
	assert_has "archive of user 1.0.0: it states a digest of its tree of 65 bytes, not of 64"
	assert_not_installed user
}
