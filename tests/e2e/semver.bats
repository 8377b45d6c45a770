# SPDX-License-Identifier: MIT
# Order of versions and ranges against npm's own `semver`, over large random tables.

setup_file() {
	bats_require_minimum_version 1.5.0
	load ../helpers
	cd "$BATS_FILE_TMPDIR" || return 1
	for _ in 1 2 3; do
		timeout 120 npm install --no-audit --no-fund --ignore-scripts semver@7 >npm.log 2>&1 && break
	done
	if [ ! -d node_modules/semver ]; then
		[ -z "${CI:-}" ] || fail "the npm registry does not answer, and this is CI"
		export NO_REGISTRY=1
	fi
}

setup() {
	load ../helpers
	setup_scratch
	[ -z "${NO_REGISTRY-}" ] || skip "the npm registry does not answer"
	export NODE_PATH=$BATS_FILE_TMPDIR/node_modules
}

# agrees SEED: with npm about 200 random versions and 4000 random ranges.
agrees() {
	node "$top_srcdir/tests/data/semver-table.js" "$1" 200 4000 >table
	run "$top_builddir/tests/semver-table" <table
	echo "# seed $1: $output" >&3
	assert_status 0
	assert_has "200 versions, 4000 ranges" ", 0 wrong"
}

@test "npm's semver orders 200 random versions and matches 4,000 random ranges as we do" {
	agrees 1
}

@test "so it does with a second seed" {
	agrees 2
}

@test "and with a third" {
	agrees 3
}
