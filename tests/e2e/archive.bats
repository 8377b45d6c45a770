# SPDX-License-Identifier: MIT
# The archive policy, S29 to S46: by the helper, by `plugpkg-repo add`, and by `plugpkg install` from a
# repository whose publisher signed hostile archives.

setup_file() {
	load ../helpers
	HOSTILE=$BATS_FILE_TMPDIR/hostile
	export HOSTILE
	command -v python3 >/dev/null || return 0 # each case says so
	python3 "$top_srcdir/tests/e2e/make-hostile.py" "$HOSTILE"
}

setup() {
	load ../helpers
	setup_scratch
	need python3
}

client() {
	python3 "$top_srcdir/tests/e2e/unpack-client.py" "$PLUGPKG_LIBEXEC/plugpkg-unpack" "$@"
}

# one_of_each: an archive for every way to be hostile; cuts and foreign formats stand for their like, and
# the same bytes come once, as nobody publishes them as two versions.
one_of_each() {
	{
		find "$HOSTILE" -name '*.plug' | grep -vE -- '-(many|cut|raw)-|S42-zstd-' | LC_ALL=C sort
		find "$HOSTILE" -name '*.plug' |
			grep -E -- '-cut-tar-|-cut-.*5\.plug|-raw-(zip|text)|-zstd-rar4' | LC_ALL=C sort
	} | xargs sha256sum | awk '!seen[$1]++ { print $2 }'
}

# lenient_add ARCHIVE VERSION: stages the archive as "hostile VERSION", unseen.
lenient_add() {
	local dir=$SCRATCH/lenient
	mkdir -p "$dir"
	{
		echo "#!$(command -v python3)"
		cat "$top_srcdir/tests/e2e/lenient-unpack.py"
	} >"$dir/plugpkg-unpack"
	chmod 755 "$dir/plugpkg-unpack"
	echo "{\"name\": \"hostile\", \"version\": \"$2\", \"summary\": \"x\", \"license\": \"MIT\"}" \
		>"$dir/plugin.json"
	PLUGPKG_LIBEXEC=$dir plugpkg-repo --repo "$SCRATCH/repo" add "$1" >/dev/null
}

@test "the helper refuses every hostile archive and writes nothing beside its directory" {
	run client corpus "$HOSTILE" "$SCRATCH"
	assert_status 0
	assert_lacks "not ok"
}

@test "it does so without openat2 as well" {
	PLUGPKG_NO_OPENAT2=1 run client corpus "$HOSTILE" "$SCRATCH"
	assert_status 0
	assert_lacks "not ok"
}

@test "plugpkg-repo add refuses every hostile archive, names it, and stages nothing" {
	local archive
	make_repo
	while read -r archive; do
		run plugpkg-repo --repo "$SCRATCH/repo" add "$archive"
		assert_status 6
		assert_has "[bad-archive]" "${archive##*/}"
	done < <(one_of_each)
	assert_equal "$(find "$SCRATCH/repo/staged" -type f)" ""
	run plugpkg-repo --repo "$SCRATCH/repo" list
	assert_lacks hostile
	assert_equal "$(find "$SCRATCH" -maxdepth 1 -name outside)" ""
}

@test "plugpkg install refuses hostile archives that are signed, and the root stays as it was" {
	local archive version=0 before good
	make_repo
	while read -r archive; do
		lenient_add "$archive" "1.0.$((++version))"
	done < <(one_of_each)
	[ "$version" -gt 50 ]
	good=$(build_plugin user 1.0.0)
	publish "$good"
	make_root
	before=$(tree_state "$PLUGPKG_ROOT")
	while [ "$version" -gt 0 ]; do
		run plugpkg install "hostile@1.0.$version" -y
		assert_status 6
		assert_has "[bad-archive]" "hostile 1.0.$version"
		assert_not_installed hostile
		assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
		version=$((version - 1))
	done
	# Nothing stays in the way of the next run.
	plugpkg install user -y
	assert_installed user 1.0.0
	assert_equal "$(find "$PLUGPKG_ROOT/var/staging" -mindepth 1)" ""
	assert_missing "$SCRATCH/outside" /etc/plugpkg-hostile
}

@test "an archive may hold every name that plugpkg writes itself, and harms nobody" {
	local dir name
	dir=$(make_plugin odd 1.0.0)
	for name in .plugins.json current plugpkg.json plugpkg.lock state.db; do
		echo odd >"$dir/$name"
	done
	mkdir -p "$dir/store/user" "$dir/generations/0" "$dir/var/staging" "$dir/data"
	ln -s ../plugin.json "$dir/store/current"
	make_repo
	publish "$(build_plugin odd 1.0.0)"
	make_root
	plugpkg install odd -y
	assert_installed odd 1.0.0
	assert_equal "$(cat "$PLUGPKG_ROOT/current/odd/current")" odd
	assert_link "$PLUGPKG_ROOT/store/odd/1.0.0/store/current" ../plugin.json
	run plugpkg check
	assert_status 0
}

@test "build gives the same bytes from the same files, whatever their order, times and modes" {
	local dir one two
	dir=$(make_plugin user 1.0.0)
	mkdir -p "$dir/lib" "$dir/.git"
	echo b >"$dir/lib/b"
	echo a >"$dir/lib/a"
	mkdir one two
	(umask 077 && plugpkg build "$dir" -o one)
	one=$(sha256sum <one/user-1.0.0.plug)
	cp -a "$dir" "$SCRATCH/copy"
	rm "$SCRATCH/copy/lib/a"
	echo a >"$SCRATCH/copy/lib/a"
	chmod 640 "$SCRATCH/copy/lib/a"
	touch -d 2001-01-01 "$SCRATCH/copy/lib/b"
	plugpkg build "$SCRATCH/copy" -o two
	two=$(sha256sum <two/user-1.0.0.plug)
	assert_equal "$one" "$two"
	SOURCE_DATE_EPOCH=86400 plugpkg build "$dir" -o two
	two=$(sha256sum <two/user-1.0.0.plug)
	[ "$one" != "$two" ]
	run tar --zstd -tvf two/user-1.0.0.plug
	assert_has "1970-01-02 00:00 plugin.json"
}

@test "build can write into the directory that it packs, again and again" {
	local dir first
	dir=$(make_plugin user 1.0.0)
	cd "$dir"
	plugpkg build
	first=$(sha256sum <user-1.0.0.plug)
	plugpkg build
	assert_equal "$(sha256sum <user-1.0.0.plug)" "$first"
}

@test "build refuses what could not be unpacked, says which file, and leaves no archive" {
	local dir
	dir=$(make_plugin user 1.0.0)
	mkfifo "$dir/pipe"
	run plugpkg build "$dir"
	[ "$status" -ne 0 ]
	assert_has "pipe"
	assert_equal "$(find . -maxdepth 1 -name '*user-1.0.0*')" ""
}
