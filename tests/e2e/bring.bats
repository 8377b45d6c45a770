#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Archives are unpacked while others are still on their way: what fails or is stopped in the middle
# leaves nothing, what is not verified is unpacked by nobody, and it costs few system calls.

setup() {
	load ../helpers
	load servers
	setup_scratch
	need python3
	export PLUGPKG_FETCH_PATIENCE=1
}

teardown() {
	stop_servers
}

# make_many N FILES: plugins p1 to pN with that many files beside their manifest, published and served;
# a root that is up to date. The server is `web`.
make_many() {
	local i j dir archives=()
	make_repo
	for ((i = 1; i <= $1; i++)); do
		dir=$(make_plugin "p$i" 1.0.0)
		rm "$dir/payload.txt"
		for ((j = 1; j <= $2; j++)); do
			echo "$i $j" >"$dir/file$j"
		done
		archives+=("$(build_plugin "p$i" 1.0.0)")
	done
	publish "${archives[@]}"
	serve web repo/public
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	plugpkg source add test "$URL/" --key repo/public/metadata/1.root.json >/dev/null
	plugpkg update >/dev/null
}

# What a change that did not happen leaves alone.
state() {
	tree_state "$PLUGPKG_ROOT"
	find "$PLUGPKG_ROOT/var/staging" -mindepth 1 2>/dev/null
	sqlite3 "$PLUGPKG_ROOT/var/state.db" "SELECT key, version FROM plugins; SELECT value FROM meta
		WHERE key = 'generation'; SELECT id FROM transactions WHERE status = 'running'"
}

# given_while COMMAND...: the files of the cache whose descriptors went through a socket meanwhile, which
# is how the unpack helpers get their archives.
given_while() {
	strace -f -y -e trace=sendmsg -o trace "$@" >/dev/null 2>&1 || :
	grep 'SCM_RIGHTS' trace | grep -o 'var/cache/[^>]*' | LC_ALL=C sort -u
}

@test "a download that fails after others were unpacked leaves everything as it was" {
	need sqlite3
	make_many 4 3
	state >before
	# It is given up after seconds: the three others were there long before.
	order web 'stall@*/pool/p4/*'
	run plugpkg install p1 p2 p3 p4 -y
	assert_status 5
	assert_has "p4 1.0.0" "$URL/"
	state | diff before -
	[ -z "$(ls "$PLUGPKG_ROOT/store")" ] || fail "left in the store: $(ls "$PLUGPKG_ROOT/store")"
	run plugpkg check
	assert_status 0
	order web ok
	run plugpkg install p1 p2 p3 p4 -y
	assert_status 0
	assert_installed p1 1.0.0
	assert_installed p4 1.0.0
}

@test "ctrl-C while some are unpacked and one is still coming leaves everything as it was" {
	need sqlite3
	make_many 4 3
	state >before
	order web 'stall@*/pool/p4/*'
	PLUGPKG_FETCH_PATIENCE=60 plugpkg install p1 p2 p3 p4 -y >out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 500; i++)); do
		[ "$(find "$PLUGPKG_ROOT/store" -name 1.0.0 | wc -l)" -lt 3 ] || break
		sleep 0.02
	done
	# Nobody waits for p4 before the others are unpacked.
	assert_exists "$PLUGPKG_ROOT/store/p1/1.0.0" "$PLUGPKG_ROOT/store/p2/1.0.0" "$PLUGPKG_ROOT/store/p3/1.0.0"
	assert_not_installed p1 p2 p3
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	output=$(cat out)
	assert_status 130
	state | diff before -
	run plugpkg check
	assert_status 0
	order web ok
	run plugpkg install p1 p2 p3 p4 -y
	assert_status 0
	assert_installed p4 1.0.0
}

@test "kill -9 in the middle: the next command takes away what was unpacked" {
	need sqlite3
	make_many 3 3
	state >before
	order web 'stall@*/pool/p3/*'
	PLUGPKG_FETCH_PATIENCE=60 plugpkg install p1 p2 p3 -y >out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 500; i++)); do
		[ ! -e "$PLUGPKG_ROOT/store/p2/1.0.0" ] || break
		sleep 0.02
	done
	assert_exists "$PLUGPKG_ROOT/store/p2/1.0.0"
	kill -KILL "$pid"
	wait "$pid" || :
	plugpkg recover
	state | diff before -
	[ -z "$(ls "$PLUGPKG_ROOT/store")" ] || fail "left in the store: $(ls "$PLUGPKG_ROOT/store")"
	order web ok
	run plugpkg install p1 p2 p3 -y
	assert_status 0
	assert_installed p3 1.0.0
}

# helpers_of COMMAND...: the helpers that it started, in order.
helpers_of() {
	strace -f -qq -e trace=execve -o trace "$@" >/dev/null 2>&1 || :
	sed -n 's,.*execve("[^"]*/plugpkg-\(fetch\|unpack\)".*,\1,p' trace
}

@test "the download helper starts before all others, and where nothing is downloaded not at all" {
	plain_build
	make_many 3 1
	run helpers_of plugpkg install p1 p2 -y
	assert_equal "$output" "fetch
unpack
unpack"
	assert_installed p1 1.0.0
	# What nobody agreed to, what is installed, and what is a file here.
	run helpers_of plugpkg install p3
	assert_equal "$output" ""
	run helpers_of plugpkg install p1 -y
	assert_equal "$output" ""
	run helpers_of plugpkg install ./p3-1.0.0.plug -y --allow-unsigned
	assert_equal "$(uniq <<<"$output")" "unpack"
	assert_installed p3 1.0.0
	run helpers_of plugpkg remove p1 p2 p3 -y
	assert_equal "$output" ""
}

@test "a change that stops before its first download leaves no download helper" {
	need flock sqlite3
	local real=$PLUGPKG_LIBEXEC
	make_many 1 1
	mkdir libexec
	ln -s "$real/plugpkg-unpack" libexec/
	cat >libexec/plugpkg-fetch <<-END
		#!/bin/sh
		echo \$\$ >>"$SCRATCH/started"
		exec "$real/plugpkg-fetch" "\$@"
	END
	chmod 755 libexec/plugpkg-fetch
	export PLUGPKG_LIBEXEC=$SCRATCH/libexec
	exec 9<>"$PLUGPKG_ROOT/var/lock"
	flock 9
	run -8 plugpkg install p1 -y --no-wait 9>&-
	exec 9>&-
	assert_missing started
	# Something that cannot be cleared away lies where staging is.
	state >before
	mv "$PLUGPKG_ROOT/var/staging" . || :
	echo >"$PLUGPKG_ROOT/var/staging"
	run plugpkg install p1 -y
	[ "$status" -ne 0 ]
	while read -r pid; do
		assert_missing "/proc/$pid"
	done <started
	rm "$PLUGPKG_ROOT/var/staging"
	mv staging "$PLUGPKG_ROOT/var/" || :
	state | diff before -
	run -0 plugpkg install p1 -y
	assert_installed p1 1.0.0
}

@test "an archive with a wrong digest among good ones is given to no unpack helper" {
	plain_build
	make_many 4 3
	good=$(sha256sum p1-1.0.0.plug p3-1.0.0.plug p4-1.0.0.plug | sed 's,\([^ ]*\) .*,var/cache/\1,')
	bad=var/cache/$(sha256sum p2-1.0.0.plug | cut -d' ' -f1)
	order web 'flip@*/pool/p2/*'
	given_while plugpkg install p1 p2 p3 p4 -y >given
	assert_not_installed p1 p2 p3 p4
	run grep -vxF "$good" given
	assert_equal "$output" ""
	# All of them, once they are right.
	order web ok
	given_while plugpkg install p1 p2 p3 p4 -y >given
	assert_equal "$(cat given)" "$(printf '%s\n' "$good" "$bad" | LC_ALL=C sort)"
	assert_installed p2 1.0.0
}

@test "10 plugins of 40 files take no more system calls than they need" {
	plain_build
	make_many 10 40
	strace -f -c -o calls plugpkg install p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 -y >/dev/null
	n=$(awk '$NF == "total" { print $(NF > 5 ? 4 : 3) }' calls)
	# 5,000 were counted, without a wrapper's; a writer that asks for each file's owner, mode, times and
	# flags needs 20,000.
	[ "$n" -gt 1000 ] && [ "$n" -lt 9000 ] || fail "$n calls: $(head -n 12 calls)"
}
