# SPDX-License-Identifier: MIT
# The archive policy, S29 to S46: by the helper, and by `plugpkg-repo add`. attack-archive.bats has those
# that a publisher signed.

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
