# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Repositories that are signed well and wrong all the same, and servers that do not end: what the public
# conformance suite of TUF does not look at. tests/e2e/trust.txt is the list.

setup() {
	load ../helpers
	load servers
	setup_scratch
	need python3 jq openssl
	client=$top_builddir/tests/tuf-client
	export PLUGPKG_FETCH_PATIENCE=1
}

teardown() {
	stop_servers
}

# repository CASE [VALUE...]: SCRATCH/made, wrong as CASE of make-tuf.py has it; nothing is trusted yet.
repository() {
	rm -rf made trusted targets
	python3 "$top_srcdir/tests/e2e/make-tuf.py" made "$@"
	URL=file://$SCRATCH/made
}

# client [NAME]: init, and a download of NAME.
client() {
	[ -e trusted/root.json ] || "$client" --metadata-dir trusted init made/root.json
	run timeout 120 "$client" --metadata-dir trusted --metadata-url "$URL/metadata" \
		--target-name "${1:-file.txt}" --target-base-url "$URL/targets" --target-dir targets download
}

taken() {
	assert_status 0
	assert_equal "$(cat targets/*)" content
}

# refused TEXT...: status 1, the texts, and no target.
refused() {
	assert_status 1
	assert_has "$@"
	[ ! -e targets ] || assert_equal "$(find targets -type f)" ""
}

# received COMMAND...: bytes that came over the network while COMMAND ran, which has to fail.
received() {
	local -x ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 # nobody is traced by two at once
	run strace -f -qq -e trace=recvfrom -e signal=none -o trace "$@"
	[ "$status" -ne 0 ] || fail "taken: $*"
	awk '$NF > 0 { n += $NF } END { print n + 0 }' trace
}

# ---- what metadata says ----------------------------------------------------------------------

@test "a repository that is as it should be is taken" {
	repository good
	client
	taken
}

@test "a specification of another major version is refused for each role, 1.0 is known" {
	local role
	for role in root timestamp snapshot targets d; do
		repository spec "$role" 1.0
		client
		taken
		repository spec "$role" 2.0.0
		if [ "$role" = root ]; then
			run "$client" --metadata-dir trusted init made/root.json
			assert_missing trusted/root.json
		else
			client
		fi
		refused "[bad-metadata]" "specification version '2.0.0'"
	done
}

@test "a length that timestamp or snapshot tells is kept to, also without digests" {
	local parent by
	for parent in timestamp snapshot; do
		repository length "$parent" 0
		client
		taken
		for by in -1 1 -100 100; do
			repository length "$parent" "$by"
			client
			refused "["
		done
	done
}

@test "a target that is longer or shorter than signed is refused, whatever its digest" {
	local by
	for by in -1 1 -8 1000; do
		repository target-length "$by"
		client
		refused "["
	done
}

@test "a delegated role expires as the others do" {
	repository delegated
	client
	taken
	repository delegated-expired
	client
	refused "[metadata-expired]" "role 'd' expired on 2020-01-01"
}

@test "of three hundred roots one run takes 256, and the next run the rest" {
	repository roots 300
	client
	taken
	assert_equal "$(jq .signed.version trusted/root.json)" 257
	client
	taken
	assert_equal "$(jq .signed.version trusted/root.json)" 300
}

@test "thirty-two delegations are followed, a chain of forty is not" {
	repository chain 32
	client
	taken
	repository chain 40
	client
	refused "first 32 delegated roles"
	assert_missing trusted/d33.json
}

@test "a delegation by hash prefix counts for names whose digest begins so" {
	repository hash-prefix yes
	client
	taken
	repository hash-prefix no
	client
	refused "no target 'file.txt'"
}

@test "without consistent snapshots names have no versions, and digests count all the same" {
	local file
	repository plain
	client
	taken
	assert_exists made/metadata/snapshot.json made/targets/file.txt
	for file in metadata/snapshot metadata/targets; do
		repository plain
		sed -i 's/"1.0.31"/"1.0.30"/' "made/$file.json"
		client
		refused "[digest-mismatch]"
	done
	repository plain
	echo changed >made/targets/file.txt
	client
	refused "["
}

@test "S20: names of targets and roles that would lead elsewhere stay where they belong" {
	local kind name
	touch before new # find sees them each time
	for kind in target-name role-name; do
		for name in ../x ../../x /x a/../../x .. %2e%2e/x; do
			mkdir deep
			cd deep || return 1
			repository "$kind" "$name"
			find .. >"$SCRATCH/before"
			if [ "$kind" = target-name ]; then client "$name"; else client; fi
			find .. | sort - "$SCRATCH/before" | uniq -u >"$SCRATCH/new"
			run grep -vE '^\.\./deep/(trusted|targets)(/[^/]*)?$' "$SCRATCH/new"
			assert_equal "$output" ""
			cd ..
			rm -rf deep
		done
	done
}

@test "names beyond ASCII and with control characters are names like others" {
	local name
	for name in täst $'a\e[31mb' 'a b' $'a\x7fb' $'a\nb' '?' '#' '%41'; do
		repository role-name "$name"
		client
		taken
		repository target-name "$name"
		client "$name"
		taken
	done
}

@test "a key under an id that is not its digest counts for nothing" {
	repository keyid
	run "$client" --metadata-dir trusted init made/root.json
	assert_status 1
	assert_has "root"
	assert_missing trusted/root.json
}

@test "S18: a threshold of nothing is refused, for the top roles and for delegated ones" {
	local role
	for role in root timestamp snapshot targets; do
		repository threshold "$role" 0
		run "$client" --metadata-dir trusted init made/root.json
		assert_status 1
		assert_has "threshold" "[bad-metadata]"
	done
	repository threshold d 0
	client
	refused "threshold" "[bad-metadata]"
}

@test "S22: a member that stands twice is refused in every role" {
	local role
	for role in timestamp snapshot targets; do
		for member in signed version expires _type; do
			repository duplicate "$role" "$member"
			client
			refused "[bad-metadata]"
		done
	done
	repository duplicate root version
	run "$client" --metadata-dir trusted init made/root.json
	assert_status 1
}

@test "S22: fractions, huge numbers, bad UTF-8, raw control characters and NUL are refused" {
	local new
	for new in 1.0 1e2 9223372036854775808 -1 '"1"' '1, "x": "\xff"' '1, "x": "\xc0\xaf"' \
		'1, "x": "\n"' '1, "x": "\x00"' '1, "x": "\\ud800"' "1, 'x': 1" '1, "x": NaN'; do
		repository text timestamp '"version": 1' "\"version\": $new"
		client
		refused "["
	done
}

# ---- servers ---------------------------------------------------------------------------------

@test "S06: an endless body of any role is cut off within its limit and 64 KiB" {
	need strace
	local role limit n
	repository delegated
	serve web made
	while read -r role limit; do
		rm -rf trusted
		"$client" --metadata-dir trusted init made/root.json
		order web "endless@*/$role.json"
		n=$(received "$client" --metadata-dir trusted --metadata-url "$URL/metadata" \
			--target-name file.txt --target-base-url "$URL/targets" --target-dir targets download)
		[ "$n" -gt "$limit" ] || fail "$role: stopped after $n"
		# 16 KiB for the other files and the heads of answers
		[ "$n" -lt $((limit + 65536 + 16384)) ] || fail "$role: $n bytes"
		order web ok
		client
		taken
	done <<-END
		2.root 512000
		timestamp 16384
		1.snapshot 2000000
		1.targets 5000000
		1.d 5000000
	END
}

@test "S06: an endless index root, shard or archive is cut off within its size and 64 KiB" {
	need strace
	local what n
	make_repo
	publish "$(build_plugin user 1.0.0)"
	serve web repo/public
	for what in '*.root.json' '*.planning.zst' '*.details.zst' '*.search.zst' '*.plug'; do
		rm -rf "$PLUGPKG_ROOT"
		plugpkg init "$PLUGPKG_ROOT" >/dev/null
		order web "status-404@*/2.root.json,endless@/targets/$what"
		n=$(received sh -c "plugpkg source add test '$URL/' --key repo/public/metadata/1.root.json &&
			plugpkg install user -y")
		[ "$n" -gt 1000 ] || fail "$what: only $n bytes"
		[ "$n" -lt $((65536 + 16384)) ] || fail "$what: $n bytes"
		assert_not_installed user
		run find "$PLUGPKG_ROOT/var/cache" -name '*.part' -size +64k
		assert_equal "$output" ""
	done
	order web ok
	rm -rf "$PLUGPKG_ROOT"
	make_root
	plugpkg install user -y >/dev/null
}

@test "a next root that is answered with 500, late or not at all fails the refresh" {
	local order
	repository roots 3
	serve web made
	for order in status-500 status-502 stall stall-body cut garbage; do
		rm -rf trusted
		order web "$order@*/2.root.json"
		client
		refused "[network]"
		assert_equal "$(jq .signed.version trusted/root.json)" 1
		assert_missing trusted/timestamp.json
	done
	stop_servers
	client
	refused "[network]"
}

@test "of mirrors of different age the newest counts, and all too old are an error" {
	local old now
	make_repo
	publish "$(build_plugin user 1.0.0)"
	cp -a repo/public old
	publish "$(build_plugin user 1.1.0)"
	cp -a repo/public middle
	publish "$(build_plugin user 1.2.0)"
	old=file://$SCRATCH/old now=file://$SCRATCH/repo/public
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	plugpkg source add test "$now" "$old" --key repo/public/metadata/1.root.json >/dev/null
	jq --arg o "$old" --arg m "file://$SCRATCH/middle" --arg n "$now" \
		'.sources[0].urls = [$o, $m, $n]' root/plugpkg.json >new
	cp new root/plugpkg.json
	run plugpkg update
	assert_status 0
	run plugpkg install user -y
	assert_installed user 1.2.0
	jq --arg o "$old" --arg m "file://$SCRATCH/middle" '.sources[0].urls = [$o, $m]' \
		root/plugpkg.json >new
	cp new root/plugpkg.json
	run plugpkg update
	assert_status 6
	assert_has "[metadata-older]" "older than 4 seen before"
}
