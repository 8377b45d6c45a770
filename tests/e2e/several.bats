# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# An update of several sources: they are waited for at once, and each has its turn as if it was alone.

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

# put NAME VERSION: plugin NAME VERSION in the repository NAME, which is served as public/NAME.
put() {
	plugpkg-repo --repo "$SCRATCH/repo-$1" add "$(build_plugin "$1" "$2")" >/dev/null
	plugpkg-repo --repo "$SCRATCH/repo-$1" publish >/dev/null
}

# Repositories a, b and c with version 1.0.0 of the plugin of that name. Made once for the file.
make_three() {
	local name
	if [ ! -d "$BATS_FILE_TMPDIR/kept" ]; then
		mkdir public
		for name in a b c; do
			make_repo "$SCRATCH/repo-$name" "$name"
			put "$name" 1.0.0
			ln -s "../repo-$name/public" "public/$name"
		done
		mkdir "$BATS_FILE_TMPDIR/kept"
		cp -a public repo-* "$BATS_FILE_TMPDIR/kept"
	else
		cp -a "$BATS_FILE_TMPDIR/kept/." .
	fi
}

# add NAME URL...: it as a source of the root.
add() {
	plugpkg source add "$1" "${@:2}" --key "$SCRATCH/repo-$1/public/metadata/1.root.json" >/dev/null
}

# three_sources: a, b and c at one server, in a root that is up to date.
three_sources() {
	local name
	make_three
	serve one public
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	for name in a b c; do
		add "$name" "$URL/$name"
	done
	rm one.log
}

news() {
	local name
	for name; do
		put "$name" 2.0.0
	done
}

# assert_asked NAME PATH...: these requests of its metadata, in this order, and no others.
assert_asked() {
	run jq -r --arg n "/$1/metadata/" '.path | select(startswith($n)) | ltrimstr($n)' one.log
	assert_equal "$(xargs <<<"$output")" "${*:2}"
}

# assert_updated NAME...: rows of these sources and no others, in this order, each with news.
assert_updated() {
	local rows
	rows=$(jq -r 'select(.type == "update") | "\(.source) \(.changed)"' <<<"$output" | xargs)
	assert_equal "$rows" "$(printf '%s true ' "$@" | xargs)"
}

# ---- at once ---------------------------------------------------------------------------------

@test "the servers of several sources are asked before the first one has answered" {
	three_sources
	order one "together-3@*/2.root.json,together-3@*/timestamp.json"
	run -0 plugpkg update --json
	assert_equal "$(jq -r 'select(.type == "update") | .source' <<<"$output" | xargs)" "a b c"
	for name in a b c; do
		assert_asked "$name" 2.root.json timestamp.json
	done
}

@test "with news of all, each has its row, in the order of the sources" {
	three_sources
	news a b c
	order one "together-3@*/2.root.json,together-3@*/timestamp.json"
	run -0 --separate-stderr plugpkg update --json
	assert_updated a b c
	for name in a b c; do
		assert_asked "$name" 2.root.json timestamp.json 3.snapshot.json 3.index.json
	done
}

@test "--jobs 1 and one job in plugpkg.json ask one source after the other" {
	local want="/a/metadata/2.root.json /a/metadata/timestamp.json /b/metadata/2.root.json"
	want+=" /b/metadata/timestamp.json /c/metadata/2.root.json /c/metadata/timestamp.json"
	three_sources
	run -0 plugpkg update --jobs 1
	assert_equal "$(jq -r .path one.log | xargs)" "$want"
	rm one.log
	jq '.network.jobs = 1' root/plugpkg.json >new
	mv new root/plugpkg.json
	run -0 plugpkg update
	assert_equal "$(jq -r .path one.log | xargs)" "$want"
}

@test "--jobs 2 asks one source ahead, and all in the end" {
	three_sources
	news a b c
	order one "together-2@/[ab]/metadata/2.root.json"
	run -0 --separate-stderr plugpkg update --json --jobs 2
	assert_updated a b c
}

@test "two sources at the same address are asked in turn, as often as one each" {
	three_sources
	plugpkg source add again "$URL/b" --key repo-b/public/metadata/1.root.json
	rm one.log
	run -0 plugpkg update --json
	assert_equal "$(jq -r 'select(.type == "update") | .source' <<<"$output" | xargs)" "a b c again"
	assert_asked b 2.root.json timestamp.json 2.root.json timestamp.json
	for name in a c; do
		assert_asked "$name" 2.root.json timestamp.json
	done
}

@test "where there is a next root, the timestamp is asked for when the root was verified" {
	local name
	three_sources
	for name in b c; do
		plugpkg-repo --repo "repo-$name" key rotate online >/dev/null
		plugpkg-repo --repo "repo-$name" sign >/dev/null
	done
	news a b c
	run -0 --separate-stderr plugpkg update --json
	assert_updated a b c
	for name in b c; do
		run jq -r --arg n "/$name/metadata/" \
			'.path | select(startswith($n)) | ltrimstr($n) | select(test("root|timestamp"))' one.log
		assert_equal "$(xargs <<<"$output")" "2.root.json 3.root.json timestamp.json"
	done
}

# ---- one of them fails -----------------------------------------------------------------------

# fails STATUS WORD: an update with news everywhere, b failing: a and c are new then, and nothing else
# is told than that of b.
fails() {
	news a b c
	run --separate-stderr plugpkg update --json
	assert_status "$1"
	assert_updated a c
	assert_has "source 'b'" "${@:2}"
	run plugpkg show b --json
	assert_has '"version":"1.0.0"'
	order one ok
	run -0 --separate-stderr plugpkg update --json
	assert_has '"source":"b"'
	run plugpkg show b --json
	assert_has '"version":"2.0.0"'
}

@test "S07: one that hangs does not keep the others old" {
	three_sources
	order one "stall@/b/*"
	fails 5 '"code":"network"' "too slow, or no answer at all"
}

@test "S07: one that hangs with the timestamp does not keep the others old" {
	three_sources
	order one "stall@/b/metadata/timestamp.json"
	fails 5 '"code":"network"' "timestamp.json"
}

@test "S01: one whose timestamp another one signed does not keep the others old" {
	three_sources
	rm public/b
	cp -a repo-b/public public/b
	news a b c
	cp repo-c/public/metadata/timestamp.json public/b/metadata/
	run --separate-stderr plugpkg update --json
	assert_status 6
	assert_updated a c
	assert_has "source 'b'" '"code":"signature-invalid"'
	assert_asked b 2.root.json timestamp.json
}

@test "one that is not there does not keep the others old" {
	three_sources
	order one "status-404@/b/*"
	fails 5 '"code":"network"' "has no 'metadata/timestamp.json' (status 404)"
}

@test "status 500 for the next root is no end of the walk, ahead of its turn neither" {
	three_sources
	order one "status-500@/b/metadata/2.root.json"
	fails 5 "HTTP status 500"
	assert_asked a 2.root.json timestamp.json 3.snapshot.json 3.index.json 2.root.json timestamp.json
}

@test "S06: endless metadata stops at its limit, ahead of its turn too" {
	three_sources
	order one "endless@/b/metadata/2.root.json"
	fails 5 "sends more than 512000 bytes"
	# Ahead, in turn, and when all is well again.
	assert_asked b 2.root.json 2.root.json 2.root.json timestamp.json 3.snapshot.json 3.index.json
}

@test "S06: a timestamp that is too large is refused, ahead of its turn too" {
	three_sources
	order one "long@/b/metadata/timestamp.json"
	news a b c
	for name in b c; do
		head -c 20000 /dev/zero | tr '\0' ' ' >>"public/$name/metadata/timestamp.json"
	done
	run --separate-stderr plugpkg update --json
	assert_status 5
	assert_updated a
	assert_has "source 'b'" "source 'c'" "sends more than 16384 bytes"
}

@test "of several failures the first one's is the answer, the others are told" {
	three_sources
	order one "status-404@/b/*,other@/c/metadata/timestamp.json"
	run --separate-stderr plugpkg update
	assert_status 5
	assert_has "error: source 'b'" "warning: source 'c'"
	assert_lacks "source 'c': source 'c'"
}

@test "what may pass is tried again, also what was asked ahead" {
	three_sources
	news a b c
	order one "once-503@/a/metadata/timestamp.json,once-503@/b/metadata/*,rest-1@/c/metadata/timestamp.json"
	run -0 --separate-stderr plugpkg update --json
	assert_updated a b c
	assert_asked c 2.root.json timestamp.json timestamp.json 3.snapshot.json 3.index.json
}

@test "where a wrong index ends the helper, the sources after it are asked anew" {
	three_sources
	news a b c
	order one "flip@/a/targets/*,stall@/c/metadata/2.root.json"
	run --separate-stderr plugpkg update --json
	assert_status 6
	assert_updated b
	assert_has '"code":"digest-mismatch"' "source 'c'"
}

@test "S16: of two mirrors the first one is asked ahead; when it is down, the second one in turn" {
	three_sources
	plugpkg source remove b
	plugpkg source add b "$URL/gone" "$URL/b" --key repo-b/public/metadata/1.root.json
	plugpkg source remove c
	plugpkg source add c http://127.0.0.1:1/ "$URL/c" --key repo-c/public/metadata/1.root.json
	news a b c
	run -0 --separate-stderr plugpkg update --json
	assert_updated a b c
}

@test "S16: a mirror that was silent lately is not waited for longer because it was asked ahead" {
	local began
	three_sources
	ln -s ../repo-c/public public/d
	plugpkg source remove c
	plugpkg source add c "$URL/d" "$URL/c" --key repo-c/public/metadata/1.root.json
	order one "stall@/d/*"
	run -0 plugpkg update
	began=$SECONDS
	PLUGPKG_FETCH_PATIENCE=30 run -0 plugpkg update
	[ "$((SECONDS - began))" -lt 20 ] || fail "took $((SECONDS - began)) s"
}

# ---- nobody else's ---------------------------------------------------------------------------

@test "S13: what is asked ahead carries the login of its own server and no other" {
	make_three
	local name
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	for name in a b c; do
		serve "$name" public
		case $name in
		a) add a "$URL/a" ;;
		b) add b "http://me:secret@${URL#http://}/b" ;;
		c)
			jq --arg u "$URL" '.network.login[$u].token = "t0ken"' root/plugpkg.json >new
			mv new root/plugpkg.json
			add c "$URL/c"
			;;
		esac
	done
	rm ./*.log
	news a b c
	run -0 --separate-stderr plugpkg update --json
	assert_updated a b c
	assert_lacks secret t0ken
	assert_equal "$(jq -r .authorization a.log | sort -u)" null
	assert_equal "$(jq -r .authorization b.log | sort -u)" "Basic bWU6c2VjcmV0"
	assert_equal "$(jq -r .authorization c.log | sort -u)" "Bearer t0ken"
}

@test "an update offline asks no source ahead" {
	three_sources
	run -5 plugpkg update --offline
	assert_missing one.log
}

# ---- interrupting ----------------------------------------------------------------------------

@test "ctrl-C while several sources are asked ends at once, changes nothing and leaves no helper" {
	local pid before status=0 start i
	three_sources
	order one "stall@*"
	before=$(tree_state "$PLUGPKG_ROOT")
	export PLUGPKG_FETCH_PATIENCE=60
	plugpkg update >out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 250; i++)); do
		[ ! -f one.log ] || [ "$(wc -l <one.log)" -lt 3 ] || break
		sleep 0.02
	done
	assert_equal "$(jq -r .path one.log | sort | xargs)" \
		"/a/metadata/2.root.json /b/metadata/2.root.json /c/metadata/2.root.json"
	start=$SECONDS
	kill -TERM "$pid" # as ctrl-C: a background job of a script ignores INT
	wait "$pid" || status=$?
	assert_equal "$status" 130
	((SECONDS - start <= 2)) || fail "took $((SECONDS - start)) s"
	run pgrep -f -x plugpkg-fetch -P "$pid"
	assert_equal "$output" ""
	assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
	order one ok
	run -0 plugpkg update
}

# ---- a helper that lies ----------------------------------------------------------------------

# taken_over LIE: from now on what stands below public/ is served by a helper that a server took over.
# LIE is Python: it may answer request `r` with say(r, …) as it likes, and returns whether it did.
taken_over() {
	mkdir -p libexec
	cat >libexec/plugpkg-fetch <<-END
		#!$(command -v python3)
		import json, os, socket
		plugpkg = socket.socket(fileno=3)
		def say(r, body=b"", **told):
		    told = {"type": "done", "id": r["id"], "status": 200, "bytes": len(body), **told, "body": len(body)}
		    plugpkg.send(json.dumps(told).encode() + b"\\n" + body)
		def missing(r):
		    say(r, type="failed", kind="http", status=404, text="not found")
		def lie(r, name, file):
		    $1
		while packet := plugpkg.recv(65536):
		    for line in packet.splitlines():
		        r = json.loads(line)
		        if "landlock" in r:
		            continue
		        name, file = r["url"].split("/")[3], r["url"].split("/")[-1]
		        path = "$SCRATCH/public/%s/metadata/%s" % (name, file)
		        if lie(r, name, file):
		            continue
		        if os.path.exists(path):
		            say(r, open(path, "rb").read())
		        else:
		            missing(r)
	END
	chmod 755 libexec/plugpkg-fetch
}

# lied STATUS LIE WORDS...: an update ends so, says each of WORDS, and trusts nothing else than before.
lied() {
	local before
	before=$(tree_state "$PLUGPKG_ROOT" && sha256sum "$PLUGPKG_ROOT"/var/trust/*/*.json)
	taken_over "$2"
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run timeout 60 plugpkg update
	assert_status "$1"
	assert_has "${@:3}"
	assert_equal "$(tree_state "$PLUGPKG_ROOT" && sha256sum "$PLUGPKG_ROOT"/var/trust/*/*.json)" "$before"
}

@test "what a helper that was taken over says of requests ahead of their turn is not believed" {
	three_sources
	lied 0 'return False' "a: nothing new" "b: nothing new" "c: nothing new"
	lied 6 'return name == "b" and not say(r, b"{}")' "a: nothing new" "error: source 'b': " "c: nothing new"
	lied 6 'return name == "b" and not say(r, open("'"$SCRATCH"'/public/a/metadata/1.root.json", "rb").read())' \
		"error: source 'b': " "c: nothing new"
	lied 0 'return file == "2.root.json" and [missing(r), say(r, b"{}"), missing(r)]' "b: nothing new"
	lied 0 'return [say({"id": r["id"] + n}, b"{}") for n in (100, 5000)] and False' "b: nothing new"
	lied 6 'return name == "b" and not say(r, bytes(40000))' "error: source 'b': " "c: nothing new"
	lied 5 'return name != "a" and not say(r, type="failed", kind="connect", text="no\\x1b[2J luck")' \
		"error: source 'b': " "warning: source 'c': "
	lied 1 'return name != "a" and not say(r, type="burn")' "the download helper 'plugpkg-fetch' broke down"
	lied 1 'return name != "a" and not plugpkg.send(b"no json")' "the download helper 'plugpkg-fetch' broke down"
	lied 1 'name == "a" or os._exit(0)' "the download helper 'plugpkg-fetch' broke down"
	run -0 plugpkg update
}
