# SPDX-License-Identifier: MIT
# plugpkg-repo mirror from servers that misbehave, killed in the middle, and twice at once.

setup() {
	load ../helpers
	load servers
	setup_scratch
	need python3
	make_small_repo
	plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror >/dev/null
	cp -R mirror before
	publish "$(build_plugin animal 1.0.0)"
}

teardown() {
	stop_servers
}

# Made once for the file, copied for each case.
make_small_repo() {
	if [ ! -d "$BATS_FILE_TMPDIR/repo" ]; then
		make_repo
		publish "$(build_plugin user 1.0.0)"
		cp -R repo "$BATS_FILE_TMPDIR/repo"
	else
		cp -R "$BATS_FILE_TMPDIR/repo" repo
	fi
}

# refused ORDER STATUS TEXT...: mirroring under that order fails so, and what is served is as it was.
refused() {
	local wanted=$2
	order web "$1"
	rm -rf mirror/.mirror # what an earlier order let through
	run plugpkg-repo mirror "$URL/" mirror
	echo "order: $1" >&2
	assert_status "$wanted"
	assert_has "${@:3}"
	cmp before/metadata/timestamp.json mirror/metadata/timestamp.json
	run plugpkg-repo verify mirror
	assert_status 0
}

# completes: without orders the next run brings everything.
completes() {
	order web ok
	run plugpkg-repo mirror "$URL/" mirror
	assert_status 0
	cmp repo/public/metadata/timestamp.json mirror/metadata/timestamp.json
	run plugpkg-repo verify mirror
	assert_status 0
	assert_missing mirror/.mirror
}

@test "other bytes, cut, endless and missing archives are refused by name, and the old state stays" {
	serve web repo/public
	refused "other@*.plug" 6 "animal 1.0.0" "[digest-mismatch]"
	refused "flip@*.plug" 6 "animal 1.0.0" "[digest-mismatch]"
	refused "cut-always@*.plug" 5 "animal 1.0.0" "[network]"
	refused "endless@*.plug" 6 "animal 1.0.0" "[digest-mismatch]"
	refused "status-404@*.plug" 5 "animal 1.0.0" "[network]"
	refused "status-500@*.plug" 5 "animal 1.0.0" "[network]"
	completes
}

@test "index files that are not what was signed are refused" {
	serve web repo/public
	refused "other@*.details.zst" 6 "[digest-mismatch]"
	refused "endless@*.planning.zst" 6 "[digest-mismatch]"
	refused "status-500@*.search.zst" 5 "[network]"
	refused "other@*/index/*.root.json" 6 "[digest-mismatch]"
	completes
}

@test "metadata that is cut, endless, other or in a loop is refused" {
	serve web repo/public
	refused "cut-always@*timestamp.json" 5 "[network]"
	refused "endless@*timestamp.json" 5 "timestamp.json"
	refused "status-500@*timestamp.json" 5 "500" "[network]"
	refused "loop@*timestamp.json" 5 "[network]"
	refused "other@*timestamp.json" 6 "timestamp"
	refused "other@*.snapshot.json" 6 "[digest-mismatch]"
	refused "other@*.index.json" 6 "[digest-mismatch]"
	refused "status-500@*2.root.json" 5 "[network]"
	completes
}

@test "a redirect to a file is not followed" {
	serve web repo/public
	refused "to-file" 5 "[network]"
	completes
}

@test "killed at any moment, what is visible verifies and the next run completes" {
	serve web repo/public
	for delay in 0.01 0.03 0.05 0.08 0.12 0.2; do
		rm -rf mirror
		cp -R before mirror
		plugpkg-repo mirror "$URL/" mirror >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "$delay"
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		run plugpkg-repo verify mirror
		assert_status 0
		completes
	done
}

@test "killed at any change of the disk, what is visible verifies and the next run completes" {
	local url=file://$SCRATCH/repo/public
	PLUGPKG_CRASH_AT=1 run plugpkg-repo mirror "$url" mirror
	[ "$status" -eq 137 ] || skip "built without failpoints"
	for ((n = 1; n < 500; n++)); do
		rm -rf mirror
		cp -R before mirror
		PLUGPKG_CRASH_AT=$n run plugpkg-repo mirror "$url" mirror
		[ "$status" -eq 137 ] || break
		plugpkg-repo verify mirror >/dev/null
		plugpkg-repo mirror "$url" mirror >/dev/null
		plugpkg-repo verify mirror >/dev/null
		cmp repo/public/metadata/timestamp.json mirror/metadata/timestamp.json
	done
	assert_status 0
	[ "$n" -gt 20 ] || fail "only $n changes"
}

@test "a stopped server leaves a mirror that can be continued" {
	serve web repo/public
	order web "stall-body@*.plug"
	plugpkg-repo mirror "$URL/" mirror >/dev/null 2>&1 3>&- &
	pid=$!
	sleep 0.5
	kill "$pid"
	wait "$pid" || true
	run plugpkg-repo verify mirror
	assert_status 0
	completes
}

@test "two mirrors of one directory at once wait for each other" {
	serve web repo/public
	for i in 1 2 3; do
		plugpkg-repo mirror "$URL/" mirror >"out$i" 2>&1 3>&- &
		pids+=" $!"
	done
	for pid in $pids; do
		wait "$pid" || fail "$(cat out?)"
	done
	completes
}

@test "a repository that publishes meanwhile leaves a mirror of one of its states" {
	serve web repo/public
	build_plugin photos 1.0.0 >/dev/null
	plugpkg-repo mirror "$URL/" mirror >/dev/null 2>&1 3>&- &
	pid=$!
	publish photos-1.0.0.plug
	wait "$pid" || true
	run plugpkg-repo verify mirror
	assert_status 0
	completes
}

@test "a root and a publisher's directory are no place for a mirror, and stay as they are" {
	make_root
	local dir
	for dir in root repo; do
		tree_state "$dir" >was
		run -1 plugpkg-repo mirror "file://$SCRATCH/repo/public" "$dir"
		assert_has "error: '$dir' is " "no place for a mirror [exists]" "hint: choose a new directory"
		tree_state "$dir" | diff was -
	done
}

@test "a mirror that cannot make a directory says why, and the next run works" {
	plain_build
	seen=''
	for ((n = 1; n < 50; n++)); do
		run strace -f -qq -o trace -e trace=mkdirat -e "inject=mkdirat:error=EINTR:when=$n" \
			plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror
		grep -q INJECTED trace || break
		[ "$status" -ne 0 ] || continue
		assert_status 1
		assert_has "error: cannot " ": interrupted [io]"
		cmp {before,mirror}/metadata/timestamp.json
		seen+=$output
	done
	[[ $seen == *"cannot write to 'mirror': interrupted"* ]] || fail "$seen"
	serve web repo/public
	completes
}
