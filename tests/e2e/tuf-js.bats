# SPDX-License-Identifier: MIT
# An independent reader: tuf-js, a TUF client that nobody here wrote, refreshes against a repository that
# plugpkg-repo made and downloads its index root.

setup_file() {
	bats_require_minimum_version 1.5.0
	load ../helpers
	cd "$BATS_FILE_TMPDIR" || return 1
	for _ in 1 2 3; do
		timeout 120 npm install --no-audit --no-fund --ignore-scripts tuf-js@3 >npm.log 2>&1 && break
	done
	if [ ! -d node_modules/tuf-js ]; then
		[ -z "${CI:-}" ] || fail "the npm registry does not answer, and this is CI"
		export NO_REGISTRY=1
	fi
}

setup() {
	load ../helpers
	setup_scratch
	[ -z "${NO_REGISTRY-}" ] || skip "the npm registry does not answer"
}

teardown() {
	[ -z "${SERVER-}" ] || kill "$SERVER" 2>/dev/null || true
}

serve() {
	python3 "$top_srcdir/tests/e2e/misbehaving-server.py" "$1" --port-file port 3>&- &
	SERVER=$!
	for _ in $(seq 100); do [ -s port ] || sleep 0.1; done
	[ -s port ]
}

@test "tuf-js refreshes against our repository, before and after a publish, and downloads the index root" {
	make_repo
	serve repo/public
	mkdir trusted targets
	cp repo/public/metadata/1.root.json trusted/root.json
	export NODE_PATH=$BATS_FILE_TMPDIR/node_modules
	run node "$top_srcdir/tests/e2e/tuf-js-client.js" trusted targets "http://127.0.0.1:$(cat port)"
	assert_status 0
	before=$output
	publish "$(build_plugin user 1.0.0)"
	run node "$top_srcdir/tests/e2e/tuf-js-client.js" trusted targets "http://127.0.0.1:$(cat port)"
	assert_status 0
	[ "$output" != "$before" ]
	assert_has '"_type":"plugpkg-index"'
}

@test "tuf-js refuses our repository with another root key" {
	make_repo
	make_repo "$SCRATCH/other"
	serve repo/public
	mkdir trusted targets
	cp other/public/metadata/1.root.json trusted/root.json
	export NODE_PATH=$BATS_FILE_TMPDIR/node_modules
	run node "$top_srcdir/tests/e2e/tuf-js-client.js" trusted targets "http://127.0.0.1:$(cat port)"
	assert_status 1
}
