# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the scripts of this directory share: a scratch directory with the makers of the tests, a root
# that is saved, restored and compared.

# The makers of plugins, repositories and roots are those of the tests.
bats_require_minimum_version() { :; }
BATS_TEST_DIRNAME=$(cd "$(dirname "$0")/../e2e" && pwd)
BATS_TEST_TMPDIR=$(mktemp -d) || exit 1
trap 'rm -rf "$BATS_TEST_TMPDIR"' EXIT
# shellcheck source=../helpers.bash
. "$BATS_TEST_DIRNAME/../helpers.bash"
setup_scratch

APP=$SCRATCH/app.db

# ---- roots ---------------------------------------------------------------------------------------

# What is compared: files, links, facts, wishes, the application's database. No times, no numbers
# that only count.
snapshot() {
	tree_state "$PLUGPKG_ROOT"
	find "$PLUGPKG_ROOT/var/staging" -mindepth 1 2>/dev/null
	cat "$PLUGPKG_ROOT/plugpkg.json" "$PLUGPKG_ROOT/plugpkg.lock" 2>/dev/null
	sqlite3 "$PLUGPKG_ROOT/var/state.db" "SELECT key, version, state, manual, hold FROM plugins ORDER BY key;
		SELECT value FROM meta WHERE key = 'generation';
		SELECT count(*) FROM transactions WHERE status = 'running'"
	sqlite3 "$APP" .dump | LC_ALL=C sort
}

save() {
	rm -rf "$SCRATCH/saved"
	cp -a "$PLUGPKG_ROOT" "$SCRATCH/saved"
	cp "$APP" "$SCRATCH/saved.db"
}

restore() {
	rm -rf "$PLUGPKG_ROOT"
	cp -a "$SCRATCH/saved" "$PLUGPKG_ROOT"
	cp "$SCRATCH/saved.db" "$APP"
	rm -f "$APP"-journal
}
