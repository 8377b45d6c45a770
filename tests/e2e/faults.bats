#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Sources that fail, archives that are not what was signed, disks that are full or read-only.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin top 1.0.0 '"requires": {"base": "*"}' >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin top 1.0.0)"
}

# archive NAME VERSION: the archive as the repository serves it.
archive() {
	echo "$SCRATCH/repo/public/targets/pool/$1/$2/"*.plug
}

# refused STATUS TEXT...: `install top` fails so, and the root is as it was.
refused() {
	local status_wanted=$1
	shift
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg install top -y
	assert_status "$status_wanted"
	assert_has "$@"
	tree_state "$PLUGPKG_ROOT" | diff before -
	assert_equal "$(plugpkg list)" ""
}

@test "a missing repository is named by its URL" {
	plugpkg init "$PLUGPKG_ROOT"
	run plugpkg source add x "file://$SCRATCH/nowhere" --key "sha256:$(printf '%064d' 0)"
	assert_status 5
	assert_has "file://$SCRATCH/nowhere" "[network]"
	assert_equal "$(plugpkg source list)" ""
	assert_missing "$PLUGPKG_ROOT/var/trust/x"
}

@test "a wrong key is refused, and -y accepts none" {
	plugpkg init "$PLUGPKG_ROOT"
	cp "$PLUGPKG_ROOT/plugpkg.json" before
	run plugpkg source add x "file://$SCRATCH/repo/public" --key "sha256:$(printf '%064d' 0)"
	assert_status 6
	assert_has "sha256:0000" "[wrong-key]"
	run plugpkg source add x "file://$SCRATCH/repo/public" -y </dev/null
	assert_status 11
	assert_has "sha256:$(sha256sum "$SCRATCH/repo/public/metadata/1.root.json" | cut -d' ' -f1)" --key
	cmp before "$PLUGPKG_ROOT/plugpkg.json"
	assert_missing "$PLUGPKG_ROOT/var/trust/x"
}

@test "the right fingerprint adds the source and is recorded" {
	plugpkg init "$PLUGPKG_ROOT"
	key=sha256:$(sha256sum "$SCRATCH/repo/public/metadata/1.root.json" | cut -d' ' -f1)
	run plugpkg source add main "file://$SCRATCH/repo/public" --key "$key"
	assert_status 0
	assert_equal "$(jq -r '.sources[0] | .name + " " + .root' "$PLUGPKG_ROOT/plugpkg.json")" "main $key"
	run plugpkg source add main "file://$SCRATCH/repo/public" --key "$key"
	assert_status 1
	assert_has "[exists]"
	run plugpkg source remove main
	assert_status 0
	assert_missing "$PLUGPKG_ROOT/var/trust/main"
	run plugpkg source remove main
	assert_status 4
}

@test "a root made from a plugpkg.json with fingerprints needs only an update" {
	make_root
	mkdir "$SCRATCH/second"
	cp "$PLUGPKG_ROOT/plugpkg.json" "$SCRATCH/second/"
	plugpkg init "$SCRATCH/second"
	run plugpkg --root "$SCRATCH/second" install top -y
	assert_status 4
	assert_has "plugpkg update"
	run plugpkg --root "$SCRATCH/second" update
	assert_status 0
	run plugpkg --root "$SCRATCH/second" install top -y
	assert_status 0
}

@test "an archive with other bytes of the same size is refused" {
	make_root
	file=$(archive top 1.0.0)
	size=$(stat -c %s "$file")
	chmod u+w "$file"
	head -c "$size" /dev/urandom >"$file"
	refused 6 "top 1.0.0"
}

@test "an archive that is cut off is refused" {
	make_root
	file=$(archive base 1.0.0)
	chmod u+w "$file"
	truncate -s -1 "$file"
	refused 6 "base 1.0.0"
}

@test "a missing archive is a network failure that names it" {
	make_root
	rm -f "$(archive base 1.0.0)"
	refused 5 "base 1.0.0"
	# What came whole is kept; with the file back it goes on.
	make_plugin base 1.0.0 >/dev/null
}

@test "a source that is gone does not keep installed plugins from working" {
	make_root
	plugpkg install top -y
	rm -r "$SCRATCH/repo"
	run plugpkg update
	assert_status 5
	run plugpkg list
	assert_status 0
	assert_has top
	run plugpkg check
	assert_status 0
}

@test "the second mirror delivers what the first cannot" {
	plugpkg init "$PLUGPKG_ROOT"
	cp -r "$SCRATCH/repo/public" "$SCRATCH/mirror"
	plugpkg source add test "file://$SCRATCH/mirror" "file://$SCRATCH/repo/public" \
		--key "$SCRATCH/repo/public/metadata/1.root.json"
	rm -r "$SCRATCH/mirror/targets/pool"
	run plugpkg install top -y
	assert_status 0
	assert_installed top 1.0.0
}

@test "a file system without space: a clear error, nothing half-done, and it works once there is room" {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	mkdir disk
	mount -t tmpfs -o size=2m tmpfs disk 2>/dev/null || skip "cannot mount here"
	export PLUGPKG_ROOT=$SCRATCH/disk/root
	dir=$(make_plugin big 1.0.0)
	head -c 1500000 /dev/urandom >"$dir/blob"
	publish "$(build_plugin big 1.0.0)"
	make_root
	plugpkg install base -y
	tree_state "$PLUGPKG_ROOT" >before
	head -c 1000000 /dev/urandom >disk/ballast
	run plugpkg install big -y
	status_full=$status output_full=$output
	tree_state "$PLUGPKG_ROOT" >after
	rm disk/ballast
	run plugpkg check
	status_check=$status
	umount disk
	assert_equal "$status_full" 1
	[[ $output_full == *"no space"* ]] || fail "$output_full"
	[[ $output_full == *"[no-space]"* ]] || fail "$output_full"
	diff before after
	assert_equal "$status_check" 0
}

@test "a read-only root can be asked, and refuses changes clearly" {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	make_root
	plugpkg install base -y
	mount --bind "$PLUGPKG_ROOT" "$PLUGPKG_ROOT" 2>/dev/null || skip "cannot mount here"
	mount -o remount,ro,bind "$PLUGPKG_ROOT" || {
		umount "$PLUGPKG_ROOT"
		skip "cannot mount here"
	}
	results=
	for command in list 'show base' 'list --available' 'search base' 'depends top' 'rdepends base' \
		check 'install top --dry-run' 'remove base --dry-run'; do
		# shellcheck disable=SC2086 # words on purpose
		run plugpkg $command
		results+="$command $status"$'\n'
	done
	for command in 'install top -y' 'remove base -y' update clean 'source remove test'; do
		# shellcheck disable=SC2086 # words on purpose
		run plugpkg $command
		[[ $output == *"read-only"* ]] || status=unclear
		results+="$command $status"$'\n'
	done
	umount "$PLUGPKG_ROOT"
	assert_equal "$results" "list 0
show base 0
list --available 0
search base 0
depends top 0
rdepends base 0
check 0
install top --dry-run 0
remove base --dry-run 0
install top -y 1
remove base -y 1
update 1
clean 1
source remove test 1
"
}

# open_to_others: the directories of the test run are private; only those may be opened for a moment.
# The build may lie where nobody else may look: bin/ has what it needs.
open_to_others() {
	local path=$SCRATCH
	while [[ $path == *@(bats|plugpkg-)* ]]; do
		chmod o+x "$path"
		path=${path%/*}
	done
	chmod 755 "$SCRATCH"
	mkdir bin
	cp "$(command -v plugpkg)" bin
	mkdir -m 1777 tmp
}

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups -- \
		env HOME=/nonexistent TMPDIR="$SCRATCH/tmp" "$@"
}

@test "a root of another user can be asked, and refuses changes clearly" {
	[ "$(id -u)" = 0 ] || skip "needs another user"
	need setpriv
	make_root
	plugpkg install base -y
	open_to_others
	chmod 755 "$PLUGPKG_ROOT"
	as_nobody test -r "$PLUGPKG_ROOT/plugpkg.json" || skip "the scratch directory is private"
	run as_nobody "$SCRATCH/bin/plugpkg" --root "$PLUGPKG_ROOT" list
	assert_status 0
	assert_has base
	local question
	for question in 'list --available' 'search base' 'show top' 'install top --dry-run' check; do
		# shellcheck disable=SC2086 # words on purpose
		run -0 as_nobody "$SCRATCH/bin/plugpkg" --root "$PLUGPKG_ROOT" $question
	done
	run as_nobody "$SCRATCH/bin/plugpkg" --root "$PLUGPKG_ROOT" remove base -y
	assert_status 1
	assert_has "permission denied" "[permission]"
	run as_nobody "$SCRATCH/bin/plugpkg" init "$SCRATCH/theirs"
	assert_status 1
	assert_has "permission denied"
	assert_missing "$SCRATCH/theirs"
}

@test "root is warned in a root that is another user's; what it left there is found, with the way to give it back" {
	[ "$(id -u)" = 0 ] || skip "needs another user"
	need setpriv
	make_root
	open_to_others
	chown -R 65534:65534 "$PLUGPKG_ROOT"
	as_nobody test -w "$PLUGPKG_ROOT/plugpkg.json" || skip "the scratch directory is private"
	run plugpkg check
	assert_status 0
	run -0 plugpkg list
	assert_lacks "sudo"
	run plugpkg install base -y
	assert_status 0
	assert_has "warning: '$PLUGPKG_ROOT' is kept by user nobody" "sudo -u 'nobody'"
	run plugpkg check
	assert_status 1
	assert_has "store/base belongs to root, and nobody, who keeps this root, cannot change it" \
		"sudo chown -R 'nobody' store generations var"
	run -0 as_nobody "$SCRATCH/bin/plugpkg" --root "$PLUGPKG_ROOT" remove base -y
	run -1 as_nobody "$SCRATCH/bin/plugpkg" --root "$PLUGPKG_ROOT" clean
	assert_has "[permission]" "hint: store/base belongs to root"
	(cd "$PLUGPKG_ROOT" && chown -R nobody store generations var)
	run -0 plugpkg check
	run -0 as_nobody "$SCRATCH/bin/plugpkg" --root "$PLUGPKG_ROOT" clean
}

@test "plugpkg started with closed descriptors and an odd umask does the same" {
	make_root
	(
		umask 000
		exec plugpkg install top -y <&- >&- 2>&-
	) || true
	assert_installed top 1.0.0
	assert_equal "$(find "$PLUGPKG_ROOT/store" "$PLUGPKG_ROOT/generations" ! -type l -perm /022)" ""
}

@test "a process that may open no file at all says so" {
	plain_build
	for program in plugpkg plugpkg-repo; do
		run -1 strace -qq -o trace -P /dev/null -e inject=openat:error=EMFILE "$program" list
		assert_equal "${lines[0]}" "error: cannot open '/dev/null': too many open files [io]"
	done
}

@test "why there is no connection is told in words" {
	local error
	plain_build
	make_root
	for error in EAFNOSUPPORT EADDRNOTAVAIL ENETDOWN; do
		run -5 strace -f -qq -o trace -e trace=connect -e inject=connect:error="$error" \
			plugpkg source add web http://127.0.0.1:1/ --key repo/public/metadata/1.root.json
		assert_has "cannot connect: " "[network]"
		assert_lacks "unknown system error"
	done
	run -5 strace -f -qq -o trace -e trace=socket -e inject=socket:error=EMFILE \
		plugpkg source add web http://127.0.0.1:1/ --key repo/public/metadata/1.root.json
	assert_has "cannot connect: too many open files [network]"
}

@test "a file of an archive that the system does not open is nobody's fault" {
	local n archive
	plain_build
	make_root
	archive=$(build_plugin local 1.0.0)
	for ((n = 1; n < 500; n++)); do
		run strace -qq -o trace -e trace=openat -e "inject=openat:error=EMFILE:when=$n" \
			plugpkg install "./${archive##*/}" --dry-run
		grep -q INJECTED trace || break
		[[ $output != *"too many open files ["* ]] || assert_has "too many open files [io]"
	done
	assert_status 0
	[ "$n" -gt 3 ]
}

@test "a trusted root that the system does not look at is not taken for none" {
	plain_build
	make_root
	run -1 strace -qq -o trace -P var/trust/test/root.json -e trace=%fstat -e inject=%fstat:error=EIO \
		plugpkg update
	assert_equal "$output" \
		"error: cannot read '$PLUGPKG_ROOT/var/trust/test/root.json': input or output error [io]"
}

@test "an archive that the system does not read is not called another kind of file" {
	plain_build
	plugpkg-repo init here >/dev/null
	archive=$(build_plugin top 1.0.0)
	run -1 strace -qq -o trace -P "$archive" -e trace=%fstat -e inject=%fstat:error=EIO \
		plugpkg-repo --repo here add "$archive"
	assert_equal "$output" "error: cannot read '$archive': input or output error [io]"
	mkfifo pipe.plug
	run -6 plugpkg-repo --repo here add pipe.plug
	assert_has "'pipe.plug' is no regular file [bad-archive]"
}

# each_failing CALL ERRNO NEVER CAUSE: `hold` says the cause whichever of its calls fails, and never the
# other words. One of them at least is the database's.
each_failing() {
	local n seen=''
	for ((n = 1; n < 500; n++)); do
		rm -rf "$PLUGPKG_ROOT" trace
		cp -a saved "$PLUGPKG_ROOT"
		run strace -qq -o trace -e "trace=$1" -e "inject=$1:error=$2:when=$n" plugpkg hold base
		grep -q INJECTED trace || break
		[[ $output != *"$3"* ]] || fail "call $n: $output"
		[[ $output != *" var/state.db: $4 [io]"* ]] || seen=yes
	done
	assert_status 0
	[ "$n" -gt 3 ]
	[ -n "$seen" ] || fail "no $1 of the database failed"
}

@test "of a database that the system does not give, the cause is said, and not another one" {
	plain_build
	make_root
	plugpkg install base -y
	cp -a "$PLUGPKG_ROOT" saved
	each_failing pread64 EIO damaged "input or output error"
	each_failing pread64 EUCLEAN unknown "the file system is damaged"
	each_failing newfstatat EIO "not writable" "input or output error"
	each_failing openat EMFILE "bad file descriptor" "too many open files"
}

@test "S28: other content under an installed version is refused" {
	make_root
	plugpkg install base -y
	echo other >"$(plugin_dir base 1.0.0)/payload.txt"
	make_repo "$SCRATCH/evil" evil
	plugpkg-repo --repo "$SCRATCH/evil" add "$(build_plugin base 1.0.0)"
	plugpkg-repo --repo "$SCRATCH/evil" publish
	plugpkg source remove test
	plugpkg source add test "file://$SCRATCH/evil/public" \
		--key "$SCRATCH/evil/public/metadata/1.root.json"
	run plugpkg install base --reinstall -y
	assert_status 6
	assert_has "offers other content as base 1.0.0"
	# Nor does it get in over a store that has the version already.
	plugpkg remove base -y
	run plugpkg install base -y
	assert_status 1
	assert_has "store/base/1.0.0 is in use and differs from the signed archive"
	plugpkg clean
	run plugpkg install base -y
	assert_status 0
}

@test "a limit on the size of files is an error like any other, not the end of the process" {
	dir=$(make_plugin large 1.0.0)
	head -c 3000000 /dev/urandom >"$dir/blob"
	publish "$(build_plugin large 1.0.0)"
	make_root
	before=$(tree_state "$PLUGPKG_ROOT")
	run bash -c 'ulimit -f 1000; exec plugpkg install large -y'
	assert_status 1
	assert_has "error: "
	assert_not_installed large
	assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
	plugpkg install large -y
	assert_installed large 1.0.0
}

@test "killed at any point of a first install, the owner's key is expected just when the plugin is there" {
	local n
	make_root
	run env PLUGPKG_CRASH_AT=1 plugpkg clean
	[ "$status" -eq 137 ] || skip "needs --enable-failpoints"
	plugpkg owner new a.key
	make_plugin photos 1.0.0 >/dev/null
	archive=$(build_plugin photos 1.0.0)
	plugpkg sign "$archive" --key a.key
	publish "$archive"
	plugpkg update
	cp -a "$PLUGPKG_ROOT" saved
	for ((n = 1; n < 500; n++)); do
		rm -rf "$PLUGPKG_ROOT"
		cp -a saved "$PLUGPKG_ROOT"
		PLUGPKG_CRASH_AT=$n run plugpkg install photos -y
		[ "$status" -eq 137 ] || break
		plugpkg recover
		run plugpkg owner list
		if [ -e "$PLUGPKG_ROOT/current/photos" ]; then
			assert_has photos
		else
			assert_lacks photos
		fi
	done
	assert_status 0
	[ "$n" -gt 20 ]
	run plugpkg owner list
	assert_has photos
}

# unpack_with INJECTION: from now on the helper that unpacks runs under strace.
unpack_with() {
	mkdir -p libexec
	ln -sf "$UNBROKEN/plugpkg-fetch" libexec
	printf '#!/bin/sh\nexec strace -qq -o "%s" -e trace=read,pread64 -e "inject=%s" "%s"\n' "$SCRATCH/trace" "$1" \
		"$UNBROKEN/plugpkg-unpack" >libexec/plugpkg-unpack
	chmod 755 libexec/plugpkg-unpack
	PLUGPKG_LIBEXEC=$SCRATCH/libexec
}

@test "an archive that the disk does not give back is not called damaged" {
	plain_build
	make_root
	cp -a "$PLUGPKG_ROOT" saved
	UNBROKEN=$PLUGPKG_LIBEXEC
	for call in read pread64; do
		seen=''
		for ((n = 1; n < 60; n++)); do
			rm -rf "$PLUGPKG_ROOT" trace
			cp -a saved "$PLUGPKG_ROOT"
			unpack_with "$call:error=EIO:when=$n"
			run plugpkg install base -y
			grep -q INJECTED trace || break
			[ "$status" -ne 0 ] || continue
			assert_status 1
			assert_lacks damaged "is no tar"
			[[ $output != *"base 1.0.0: cannot read the archive: input or output error [io]"* ]] || seen=yes
		done
		assert_equal "$call $seen" "$call yes"
	done
}

@test "a library that cannot be loaded when it is needed is an error, and nothing is changed" {
	plain_build
	make_root
	local library
	for library in libsqlite3 libsolv libzstd; do
		local file
		file=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p | sed -n "s|.*$library\.so\.[0-9].* => ||p" | head -n 1)
		[ -n "$file" ] || fail "where is $library?"
		tree_state "$PLUGPKG_ROOT" >before
		run strace -qq -o /dev/null -P "$(realpath "$file")" -P "$file" -e trace=openat \
			-e inject=openat:error=EMFILE plugpkg install top -y
		echo "$library: $status, $output"
		assert_status 1
		assert_has "error: " "$library.so" "cannot open shared object file" "[io]"
		tree_state "$PLUGPKG_ROOT" | diff before -
	done
	run -0 plugpkg install top -y
	assert_installed top 1.0.0
}

@test "a source whose plugpkg.json does not become durable was not added" {
	plugpkg init "$PLUGPKG_ROOT"
	key=sha256:$(sha256sum "$SCRATCH/repo/public/metadata/1.root.json" | cut -d' ' -f1)
	cp -a "$PLUGPKG_ROOT" before
	PLUGPKG_COUNT_POINTS=$PWD/points plugpkg source add main "file://$SCRATCH/repo/public" --key "$key"
	[ -s points ] || skip "built without failpoints"
	last=$(stat -c %s points)
	for ((at = last - 8; at <= last; at++)); do
		rm -rf "$PLUGPKG_ROOT"
		cp -a before "$PLUGPKG_ROOT"
		PLUGPKG_FAIL_AT=$at:EIO run plugpkg source add main "file://$SCRATCH/repo/public" --key "$key"
		[ "$status" -ne 0 ] || continue
		assert_equal "$at $(plugpkg source list)" "$at "
		assert_missing "$PLUGPKG_ROOT/var/trust/main"
		cmp before/plugpkg.json "$PLUGPKG_ROOT/plugpkg.json"
		plugpkg source add main "file://$SCRATCH/repo/public" --key "$key"
	done
}
