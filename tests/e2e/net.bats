# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Mirrors that are slow, broken, half copied or hostile, through the whole command line. The names
# carry the ids of the attack list.

setup() {
	load ../helpers
	load servers
	setup_scratch
	need python3 jq
	export PLUGPKG_FETCH_PATIENCE=1
}

teardown() {
	stop_servers
}

# A repository with plugin `thing` 1.0.0 (large enough to be cut), and `needs` that requires it. Made
# once for the file, copied for each case.
make_thing_repo() {
	local dir
	if [ -d "$BATS_FILE_TMPDIR/repo" ]; then
		cp -a "$BATS_FILE_TMPDIR/repo" "$SCRATCH/repo"
		return
	fi
	make_repo
	dir=$(make_plugin thing 1.0.0)
	python3 -c 'import random; random.seed(1); print(random.randbytes(60000).hex())' >"$dir/big.txt"
	publish "$(build_plugin thing 1.0.0)" "$(build_plugin needs 1.0.0 '"requires": {"thing": "*"}')"
	cp -a "$SCRATCH/repo" "$BATS_FILE_TMPDIR/repo"
}

# add_source URL...: a root whose source "test" has these mirrors.
add_source() {
	plugpkg init "$PLUGPKG_ROOT" >/dev/null &&
		plugpkg source add test "$@" --key "$SCRATCH/repo/public/metadata/1.root.json" >/dev/null
}

# two_mirrors: mirrors "one" and "two" of the repository; a root that knows both, up to date.
two_mirrors() {
	make_thing_repo
	serve one "$SCRATCH/repo/public"
	ONE=$URL/
	serve two "$SCRATCH/repo/public"
	TWO=$URL/
	add_source "$ONE" "$TWO"
	plugpkg update >/dev/null
}

n_requests() {
	[ -f "$SCRATCH/$1.log" ] || {
		echo 0
		return
	}
	wc -l <"$SCRATCH/$1.log"
}

forget_requests() {
	rm -f "$SCRATCH"/*.log
}

cached_parts() {
	find "$PLUGPKG_ROOT/var/cache" -name '*.part'
}

# refuses COMMAND...: fails, and the root is as before, with no partial file.
refuses() {
	local want=$1 before
	shift
	before=$(tree_state "$PLUGPKG_ROOT")
	run --separate-stderr timeout 120 "$@"
	assert_status "$want"
	assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
}

# ---- the good case ---------------------------------------------------------------------------

@test "an update with nothing new asks for the next root and the timestamp only" {
	two_mirrors
	forget_requests
	run -0 plugpkg update --json
	run jq -r .path "$SCRATCH/one.log"
	assert_equal "$output" "/metadata/2.root.json"$'\n'"/metadata/timestamp.json"
}

@test "over http what is wanted together is asked for together, before anything is answered" {
	make_thing_repo
	serve one "$SCRATCH/repo/public"
	add_source "$URL/"
	plugpkg update >/dev/null
	forget_requests
	order one 'together-2@/targets/pool/*'
	PLUGPKG_FETCH_PATIENCE=60 run -0 plugpkg install needs -y
	run jq -r '.path | split("/")[3]' "$SCRATCH/one.log"
	assert_equal "$(sort <<<"$output")" "needs"$'\n'"thing"
}

@test "requests say who asks, and neither accept compression nor carry cookies" {
	two_mirrors
	run -0 plugpkg install needs -y
	run jq -r '[.agent, (.headers | join(" "))] | join(" | ")' "$SCRATCH/one.log"
	run sort -u <<<"$output"
	[[ $output == "plugpkg/"*" | accept host user-agent" ]] || fail "$output"
}

@test "an install after an update needs the archives' server only for what is not cached" {
	two_mirrors
	run -0 plugpkg install needs -y
	assert_installed thing 1.0.0
	run -0 plugpkg remove needs thing -y
	order one status-500
	order two status-500
	run -0 plugpkg install needs -y
	assert_installed needs 1.0.0
}

# ---- a bad first mirror ----------------------------------------------------------------------

@test "S06 S07 S09 S11 S12: every fault of the first mirror is made good by the second" {
	local fault
	two_mirrors
	# Each kind of fault once; the unit test of downloads has them all.
	for fault in status-404 status-500 cut-always short other endless gzip to-file garbage stall; do
		echo "$fault" >&2
		rm -rf "$PLUGPKG_ROOT"
		order one "$fault@/targets/*"
		add_source "$ONE" "$TWO"
		run timeout 120 plugpkg install needs -y
		assert_status 0
		assert_installed thing 1.0.0
		assert_equal "$(cached_parts)" ""
	done
}

@test "S16: a stopped first mirror is passed over" {
	two_mirrors
	stop_servers one
	run -0 plugpkg update
	run -0 plugpkg install needs -y
	assert_installed thing 1.0.0
}

@test "S16: a half-copied mirror serves what it has, the other one the rest" {
	two_mirrors
	order one 'status-404@/targets/pool/thing/*'
	forget_requests
	run -0 plugpkg install needs -y
	run jq -r .path "$SCRATCH/two.log"
	[[ $output == /targets/pool/thing/* ]] || fail "$output"
	assert_equal "$(n_requests two)" 1
}

@test "S09: a good first mirror never asks the second" {
	two_mirrors
	order two other
	run -0 plugpkg update
	forget_requests
	run -0 plugpkg install needs -y
	assert_equal "$(n_requests two)" 0
}

# ---- bad mirrors alone -----------------------------------------------------------------------

@test "S08: another archive of the same size is refused, named, and leaves nothing" {
	local fault
	two_mirrors
	for fault in other flip; do
		order one "$fault@/targets/pool/*"
		order two "$fault@/targets/pool/*"
		refuses 6 plugpkg install needs -y
		assert_has "1.0.0" "$ONE" "$TWO" "other bytes than the signed ones" "[digest-mismatch]"
		assert_equal "$(cached_parts)" ""
	done
	rm "$SCRATCH"/*.order
	run -0 plugpkg install needs -y
}

@test "S08: mirrors that send other bytes for one file are not believed a part of another" {
	two_mirrors
	order one 'other@/targets/pool/thing/*,stall-body@/targets/pool/needs/*'
	order two 'other@/targets/pool/thing/*,stall-body@/targets/pool/needs/*'
	PLUGPKG_FETCH_PATIENCE=60 refuses 6 plugpkg install needs -y
	assert_has "thing 1.0.0" "[digest-mismatch]"
	assert_equal "$(cached_parts)" ""
}

@test "S06: endless and oversized archives stop at their signed size" {
	local fault
	two_mirrors
	for fault in endless long bomb; do
		order one "$fault@/targets/pool/*"
		order two "$fault@/targets/pool/*"
		refuses 6 plugpkg install needs -y
		assert_has "1.0.0" "$ONE"
		assert_equal "$(cached_parts)" ""
	done
}

@test "S06: endless metadata stops at its limit" {
	local name
	two_mirrors
	for name in 2.root.json timestamp.json; do
		order one "endless@/metadata/$name"
		order two "endless@/metadata/$name"
		refuses 5 plugpkg update
		assert_has "$name" "more than"
	done
	rm "$SCRATCH"/*.order
	run -0 plugpkg update
}

@test "S07: slow and stalled mirrors end in an error that says so" {
	local fault
	make_thing_repo
	serve one "$SCRATCH/repo/public"
	add_source "$URL/"
	for fault in slow stall stall-body; do
		order one "$fault@/targets/pool/thing/*"
		refuses 5 plugpkg install needs -y
		assert_has "too slow"
	done
	rm "$SCRATCH"/*.order
	run -0 plugpkg install needs -y
}

@test "files that wait for a busy mirror have no descriptors yet" {
	local i archives=() names=()
	make_repo
	for ((i = 1; i <= 60; i++)); do
		archives+=("$(build_plugin "p$i" 1.0.0)")
		names+=("p$i")
	done
	publish "${archives[@]}"
	serve one "$SCRATCH/repo/public"
	add_source "$URL/"
	run -0 plugpkg update
	order one 'rest-1@/targets/pool/*'
	ulimit -Sn 48
	run -0 plugpkg install "${names[@]}" -y
	assert_installed p60 1.0.0
}

@test "a download helper that answers no more is given up, and the lock with it" {
	local i helper pid
	make_thing_repo
	serve one "$SCRATCH/repo/public"
	add_source "$URL/"
	tree_state "$PLUGPKG_ROOT" >before
	order one 'stall@/targets/pool/needs/*'
	plugpkg install needs -y >out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 500; i++)); do
		if grep -q pool/needs one.log; then break; fi
		sleep 0.02
	done
	helper=$(pgrep -P "$pid" -x plugpkg-fetch)
	kill -STOP "$helper"
	i=0
	wait "$pid" || i=$?
	assert_equal "$i" 1
	run cat out
	assert_has "the download helper 'plugpkg-fetch' does not answer any more [failed]"
	[ ! -e "/proc/$helper" ] || fail "it is still there"
	tree_state "$PLUGPKG_ROOT" | diff before -
	rm one.order
	run -0 plugpkg install needs -y --no-wait
}

@test "S07: a root request that is never answered fails the update" {
	two_mirrors
	order one 'stall@/metadata/*'
	order two 'stall@/metadata/*'
	refuses 5 plugpkg update
	assert_has "too slow"
}

@test "status 500 for the next root is no end of the walk" {
	two_mirrors
	order one 'status-500@/metadata/2.root.json'
	order two 'status-500@/metadata/2.root.json'
	refuses 5 plugpkg update
	assert_has "2.root.json" "500"
}

@test "S12: redirects to files, to ftp and in circles are refused" {
	local fault
	two_mirrors
	for fault in to-file to-ftp loop redirect-6; do
		order one "$fault@/targets/pool/*"
		order two "$fault@/targets/pool/*"
		refuses 5 plugpkg install needs -y
		assert_has "redirects"
	done
	order one 'redirect-5@/targets/pool/*'
	run -0 plugpkg install needs -y
}

@test "S14: a file name that the server proposes is ignored" {
	two_mirrors
	order one attachment
	run -0 plugpkg install needs -y
	run find "$SCRATCH" -name 'evil*'
	assert_equal "$output" ""
}

@test "all mirrors and their reasons are named" {
	two_mirrors
	order one 'status-404@/targets/pool/thing/*'
	order two 'status-500@/targets/pool/thing/*'
	refuses 5 plugpkg install needs -y
	assert_has "$ONE: HTTP status 404" "$TWO: HTTP status 500 (targets/pool/thing/1.0.0/" "hint: "
}

@test "S13: user and password reach their server and no message" {
	two_mirrors
	rm -rf "$PLUGPKG_ROOT"
	add_source "http://me:secret@${ONE#http://}"
	run jq -r .authorization "$SCRATCH/one.log"
	assert_has "Basic bWU6c2VjcmV0"
	order one 'status-500@/targets/pool/*'
	run --separate-stderr plugpkg install needs -y
	assert_status 5
	assert_lacks secret
	run --separate-stderr plugpkg source list
	assert_lacks secret
}

# token_root URL...: a root whose token is that of the first mirror's origin.
token_root() {
	rm -rf "$PLUGPKG_ROOT" "$SCRATCH"/*.order
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	jq --arg u "${1%/}" --argjson l "$LOGIN" '.network.login[$u] = $l' root/plugpkg.json >new
	mv new root/plugpkg.json
	plugpkg source add test "$@" --key "$SCRATCH/repo/public/metadata/1.root.json" >/dev/null
}

# assert_authorization SERVER VALUE: with each request that it got, and there were some.
assert_authorization() {
	run jq -r .authorization "$SCRATCH/$1.log"
	assert_equal "$(sort -u <<<"$output")" "$2"
}

@test "S13: a bearer token is sent to its origin, and neither to a mirror nor after a redirect" {
	two_mirrors
	echo "t0p.secret-token" >token
	for LOGIN in '{"token": "t0p.secret-token"}' "{\"token-file\": \"$SCRATCH/token\"}"; do
		forget_requests
		token_root "$ONE" "$TWO"
		order one 'status-404@/targets/pool/thing/*'
		run -0 plugpkg install needs -y --debug
		assert_lacks secret
		assert_authorization one "Bearer t0p.secret-token"
		assert_authorization two null

		token_root "$ONE"
		forget_requests
		order one "to=${TWO%/}"
		run -0 plugpkg install needs -y --debug
		assert_lacks secret
		assert_authorization one "Bearer t0p.secret-token"
		assert_authorization two null
		run grep -rlaF secret "$PLUGPKG_ROOT" --exclude plugpkg.json
		assert_equal "$output" ""
	done
}

# ---- failures that pass ----------------------------------------------------------------------

@test "a failure that may pass is tried again after a pause, at metadata and at archives" {
	local fault
	make_thing_repo
	serve one "$SCRATCH/repo/public"
	for fault in once-500 once-502 once-429 once-408; do
		rm -rf "$PLUGPKG_ROOT" "$SCRATCH"/*.order
		add_source "$URL/"
		order one "$fault"
		run -0 plugpkg install needs -y
		assert_installed thing 1.0.0
	done
}

@test "tries end: as many rounds as plugpkg.json says, and none for what will not pass" {
	make_thing_repo
	serve one "$SCRATCH/repo/public"
	add_source "$URL/"
	plugpkg update
	local want n
	for want in "status-500 3" "status-404 1" "status-403 1" "status-401 1" "other 1"; do
		order one "${want% *}@/targets/pool/thing/*"
		forget_requests
		run plugpkg install thing -y
		[ "$status" -ne 0 ] || fail "$want: installed"
		n=$(grep -c /pool/thing/ "$SCRATCH/one.log")
		assert_equal "$want: $n" "$want: ${want#* }"
	done
	jq '.network = {"retries": 0}' root/plugpkg.json >new && mv new root/plugpkg.json
	order one "status-500@/targets/pool/*"
	forget_requests
	run plugpkg install thing -y
	assert_equal "$(grep -c /pool/thing/ "$SCRATCH/one.log")" 1
}

@test "a server that is busy is left alone for as long as it asks; another mirror is asked meanwhile" {
	two_mirrors
	order one "rest-1@/targets/pool/*"
	order two "rest-1@/targets/pool/*"
	run -0 plugpkg install needs -y
	assert_has "is busy and asks to come back in 1 s"
	assert_installed thing 1.0.0
	run -0 plugpkg remove --all -y
	run -0 plugpkg clean --cache
	order one "rest-for-ever-60@/targets/pool/*"
	rm "$SCRATCH/two.order"
	run -0 plugpkg install needs -y
	run -0 plugpkg remove --all -y
	run -0 plugpkg clean --cache
	# Longer than anybody wants to wait, it is a failure.
	order one "rest-for-ever-9999@/targets/pool/*"
	order two "rest-for-ever-9999@/targets/pool/*"
	refuses 5 plugpkg install needs -y
	assert_has "HTTP status 503"
}

@test "a mirror that failed is asked last for a while, also by the next runs" {
	two_mirrors
	order one "status-500@/targets/*"
	run -0 plugpkg install needs -y
	run -0 plugpkg remove --all -y
	run -0 plugpkg clean --cache
	forget_requests
	run -0 plugpkg install needs -y
	assert_equal "$(n_requests one)" 0
	run -0 plugpkg remove --all -y
	run -0 plugpkg clean --cache
	rm "$SCRATCH/one.order"
	# What was measured meanwhile could speak for the other one as well.
	jq '.mirrors |= map(.first_ms = 10 | .speed = 0)' "$PLUGPKG_ROOT/var/mirrors.json" >measured
	cp measured "$PLUGPKG_ROOT/var/mirrors.json"
	PLUGPKG_NOW=$(($(date +%s) + 86400)) run -0 plugpkg install needs -y
	[ "$(n_requests one)" -gt 0 ] || fail "never asked again"
}

@test "a mirror that was silent lately does not cost an update the whole patience again" {
	local began
	two_mirrors
	order one stall
	run -0 plugpkg update
	forget_requests
	began=$SECONDS
	PLUGPKG_FETCH_PATIENCE=30 run -0 plugpkg update
	[ "$((SECONDS - began))" -lt 20 ] || fail "took $((SECONDS - began)) s"
	# It may be the one that knows of a new root.
	assert_equal "$(jq -r .path "$SCRATCH/one.log")" /metadata/2.root.json
}

# ---- the cache -------------------------------------------------------------------------------

@test "S10: a damaged cache is noticed and fetched again, silently" {
	two_mirrors
	run -0 plugpkg install needs -y
	run -0 plugpkg remove needs thing -y
	local file
	for file in "$PLUGPKG_ROOT"/var/cache/*; do
		chmod u+w "$file"
		echo damaged >"$file"
	done
	run -0 --separate-stderr plugpkg install needs -y
	assert_lacks "warning" "damaged" "digest"
	assert_installed thing 1.0.0
}

@test "S10 S11: a planted partial file does no harm, a true one is continued" {
	two_mirrors
	local archive digest
	archive=$(find "$SCRATCH/repo/public/targets/pool/thing" -name '*.plug')
	digest=$(basename "$archive" .plug)
	head -c 1000 /dev/zero >"$PLUGPKG_ROOT/var/cache/$digest.part"
	run -0 plugpkg install needs -y
	assert_installed thing 1.0.0
	run -0 plugpkg remove needs thing -y
	rm -f "$PLUGPKG_ROOT"/var/cache/*
	head -c 1000 "$archive" >"$PLUGPKG_ROOT/var/cache/$digest.part"
	run -0 plugpkg update
	forget_requests
	run -0 plugpkg install needs -y
	run jq -r 'select(.path | contains("/thing/")).range' "$SCRATCH/one.log"
	assert_equal "$output" "bytes=1000-"
}

@test "S11: servers that ignore or falsify ranges are seen through" {
	local fault archive digest
	two_mirrors
	archive=$(find "$SCRATCH/repo/public/targets/pool/thing" -name '*.plug')
	digest=$(basename "$archive" .plug)
	for fault in no-range wrong-range lying-range status-range-416; do
		rm -rf "$PLUGPKG_ROOT"
		add_source "$ONE"
		order one "$fault"
		head -c 1000 "$archive" >"$PLUGPKG_ROOT/var/cache/$digest.part"
		run plugpkg install needs -y
		assert_status 0
		assert_equal "$(cached_parts)" ""
	done
}

# ---- other kinds of mirror -------------------------------------------------------------------

@test "file:// and http:// mirrors stand in for each other" {
	make_thing_repo
	serve one "$SCRATCH/repo/public"
	cp -r "$SCRATCH/repo/public" "$SCRATCH/copy of it"
	add_source "file://$SCRATCH/copy%20of%20it" "$URL/"
	run -0 plugpkg update
	find "$SCRATCH/copy of it" -name '*.plug' -delete
	run -0 plugpkg install needs -y
	assert_installed thing 1.0.0
	find "$SCRATCH/repo/public" -name '*.plug' -delete
	rm -f "$PLUGPKG_ROOT"/var/cache/*
	run -0 plugpkg remove needs thing -y
	cp -r "$SCRATCH/repo/public/." "$SCRATCH/copy of it"
	run --separate-stderr plugpkg install needs -y
	assert_status 5
	assert_has "file://$SCRATCH/copy%20of%20it: no such file or directory; $URL/: HTTP status 404 (targets/pool/"
}

@test "URLs of other kinds, or with blanks, are refused" {
	local url
	make_thing_repo
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	for url in ftp://example.org/ example.org 'http://a b/' "file:relative" "javascript:x" \
		$'http://example.org/\r\nX: y'; do
		run --separate-stderr plugpkg source add test "$url" \
			--key "$SCRATCH/repo/public/metadata/1.root.json"
		[ "$status" -ne 0 ] || fail "$url was taken"
	done
	assert_equal "$(jq -c '.sources // []' "$PLUGPKG_ROOT/plugpkg.json")" "[]"
}

# serve_tls NAME DIR: the same over https; SCRATCH/NAME.crt is its certificate.
serve_tls() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$SCRATCH/$1.key" -out "$SCRATCH/$1.crt" \
		2>/dev/null
	cat "$SCRATCH/$1.crt" "$SCRATCH/$1.key" >"$SCRATCH/$1.pem"
	serve "$1" "$2" --tls "$SCRATCH/$1.pem"
	URL=${URL/http:/https:}
}

trust_tls() {
	export SSL_CERT_FILE=$SCRATCH/$1.crt
}

@test "S25: https needs a certificate that is trusted; SSL_CERT_FILE names more of them" {
	need openssl
	make_thing_repo
	serve_tls one "$SCRATCH/repo/public"
	run --separate-stderr add_source "$URL/"
	assert_status 5
	assert_has "certificate"
	rm -rf "$PLUGPKG_ROOT"
	trust_tls one
	add_source "$URL/"
	run -0 plugpkg install needs -y
	assert_installed thing 1.0.0
}

@test "S12: a redirect from https to http is refused, one from http to https is followed" {
	need openssl
	make_thing_repo
	serve_tls one "$SCRATCH/repo/public"
	local secure=$URL
	serve two "$SCRATCH/repo/public"
	trust_tls one
	add_source "$secure/"
	order one "to=$URL"
	forget_requests
	refuses 5 plugpkg install needs -y
	assert_has "redirects from https to http"
	assert_equal "$(n_requests two)" 0
	rm -rf "$PLUGPKG_ROOT" "$SCRATCH/one.order"
	order two "to=$secure"
	add_source "$URL/"
	run -0 plugpkg install needs -y
}

@test "a proxy from the environment is used for http" {
	make_thing_repo
	serve one "$SCRATCH/repo/public"
	add_source "$URL/"
	http_proxy=http://127.0.0.1:1 run --separate-stderr plugpkg update
	assert_status 5
	http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 run -0 plugpkg update
}

# ---- the helper of an update -----------------------------------------------------------------

# note_helpers: from now on the ids of all download helpers that start stand in SCRATCH/started.
note_helpers() {
	mkdir libexec
	cat >libexec/plugpkg-fetch <<-END
		#!/bin/sh
		echo \$\$ >>"$SCRATCH/started"
		exec "$PLUGPKG_LIBEXEC/plugpkg-fetch" "\$@"
	END
	chmod 755 libexec/plugpkg-fetch
	export PLUGPKG_LIBEXEC=$SCRATCH/libexec
}

n_started() {
	if [ -f started ]; then wc -l <started; else echo 0; fi
}

@test "the download helper gets proxies and certificates of our environment, and nothing else" {
	two_mirrors
	mkdir libexec
	cat >libexec/plugpkg-fetch <<-END
		#!/bin/sh
		tr '\\0' '\\n' </proc/\$\$/environ >"$SCRATCH/env"
		exec "$PLUGPKG_LIBEXEC/plugpkg-fetch" "\$@"
	END
	chmod 755 libexec/plugpkg-fetch
	export PLUGPKG_LIBEXEC=$SCRATCH/libexec
	TOKEN=secret http_proxy='' SSL_CERT_DIR=/etc/ssl/certs no_proxy='*' run -0 plugpkg update
	assert_equal "$(LC_ALL=C sort env)" "GNUTLS_NO_IMPLICIT_INIT=1
SSL_CERT_DIR=/etc/ssl/certs
http_proxy=
no_proxy=*"
}

@test "an update of several sources takes one helper, and none where there is nothing to ask" {
	two_mirrors
	plugpkg source add other "$TWO" --key "$SCRATCH/repo/public/metadata/1.root.json"
	plugpkg update
	note_helpers
	forget_requests
	run -0 plugpkg update
	# Whether there is a next root is asked of every mirror.
	run jq -r .path one.log two.log
	assert_equal "$output" "/metadata/2.root.json
/metadata/timestamp.json
/metadata/2.root.json
/metadata/2.root.json
/metadata/timestamp.json"
	assert_equal "$(n_started)" 1
	run -5 plugpkg update --offline
	assert_equal "$(n_started)" 1
}

@test "no helper starts for an update that waits for the root or cannot read plugpkg.json" {
	need flock
	two_mirrors
	note_helpers
	exec 9<>"$PLUGPKG_ROOT/var/lock"
	flock 9
	run -8 plugpkg update --no-wait 9>&-
	exec 9>&-
	assert_equal "$(n_started)" 0
	echo '{' >"$PLUGPKG_ROOT/plugpkg.json"
	run -1 plugpkg update
	assert_has "[bad-config]"
	assert_equal "$(n_started)" 0
}

@test "an update that stops at the state of the root leaves no helper" {
	local pid
	need sqlite3
	two_mirrors
	note_helpers
	sqlite3 "$PLUGPKG_ROOT/var/state.db" "UPDATE meta SET value = 9999 WHERE key = 'format'; PRAGMA user_version = 9999"
	forget_requests
	run plugpkg update
	[ "$status" -ne 0 ]
	assert_has "[newer-root]"
	assert_equal "$(n_requests one)" 0
	if [ -f started ]; then
		pid=$(cat started)
		assert_missing "/proc/$pid"
	fi
}

@test "an update whose helper is gone before it is asked says so, and the next one works" {
	two_mirrors
	mkdir libexec
	printf '#!/bin/sh\nexit 0\n' >libexec/plugpkg-fetch
	chmod 755 libexec/plugpkg-fetch
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run -1 plugpkg update
	assert_has "the download helper 'plugpkg-fetch' broke down"
	rm libexec/plugpkg-fetch
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run plugpkg update
	[ "$status" -ne 0 ]
	assert_has "cannot start '$SCRATCH/libexec/plugpkg-fetch'"
	run -0 plugpkg update
}

@test "an update with nothing new brings back what was damaged here" {
	local role
	two_mirrors
	cp -a "$PLUGPKG_ROOT/var/trust/test" trusted
	for role in snapshot targets index; do
		echo '{' >"$PLUGPKG_ROOT/var/trust/test/$role.json"
		run -0 plugpkg update
		cmp "trusted/$role.json" "$PLUGPKG_ROOT/var/trust/test/$role.json"
	done
	rm -rf "$PLUGPKG_ROOT/var/cache"
	run -0 plugpkg update
	run -0 plugpkg install needs -y
}

# ---- interrupting ----------------------------------------------------------------------------

@test "ctrl-C during a download ends at once, changes nothing and leaves no helper" {
	local pid start
	two_mirrors
	order one 'stall@/targets/pool/*'
	order two 'stall@/targets/pool/*'
	local before
	before=$(tree_state "$PLUGPKG_ROOT")
	export PLUGPKG_FETCH_PATIENCE=60
	plugpkg install needs -y >out 2>&1 3>&- &
	pid=$!
	forget_requests
	for ((i = 0; i < 250 && $(n_requests one) == 0; i++)); do
		sleep 0.02
	done
	start=$SECONDS
	kill -TERM "$pid" # as ctrl-C: a background job of a script ignores INT
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 130
	((SECONDS - start <= 2)) || fail "took $((SECONDS - start)) s"
	assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
	run pgrep -f -x plugpkg-fetch -P "$pid"
	assert_equal "$output" ""
	rm "$SCRATCH"/*.order
	run -0 plugpkg install needs -y
}

@test "no space for downloads is told as such, and the next run works" {
	[ "$(id -u)" -eq 0 ] || skip "needs a small file system of its own"
	two_mirrors
	mkdir "$SCRATCH/kept"
	cp -a "$PLUGPKG_ROOT/var/cache/." "$SCRATCH/kept"
	mount -t tmpfs -o size=64k none "$PLUGPKG_ROOT/var/cache" 2>/dev/null || skip "cannot mount"
	cp -a "$SCRATCH/kept/." "$PLUGPKG_ROOT/var/cache"
	run --separate-stderr plugpkg install needs -y
	umount "$PLUGPKG_ROOT/var/cache"
	assert_status 1
	assert_has "no space" "thing"
	run -0 plugpkg install needs -y
}
