# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the scripts of this directory share: a scratch directory with the makers of the tests, a root
# that is saved, restored and compared.

# The makers of plugins, repositories and roots are those of the tests.
bats_require_minimum_version() { :; }
BATS_TEST_DIRNAME=$(cd "$(dirname "$0")/../e2e" && pwd)
BATS_TEST_TMPDIR=$(mktemp -d) || exit 1
trap 'stop_servers; rm -rf "$BATS_TEST_TMPDIR"' EXIT
# shellcheck source=../helpers.bash
. "$BATS_TEST_DIRNAME/../helpers.bash"
# shellcheck source=../e2e/servers.bash
. "$BATS_TEST_DIRNAME/servers.bash"
setup_scratch

# Scripts of its plugins write into the database of its application.
export PLUGPKG_WRITABLE=$BATS_TEST_TMPDIR

APP=$SCRATCH/app.db

# ---- roots ---------------------------------------------------------------------------------------

# What is compared: files with their content, links, facts, wishes, the data of plugins and what was
# kept of it, what is known of the sources, the application's database. No times, no numbers that
# only count, and no record that only saves the next one work (trust/SOURCE/verified).
snapshot() {
	tree_state "$PLUGPKG_ROOT"
	(cd "$PLUGPKG_ROOT" && find . -path ./var -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort)
	(cd "$PLUGPKG_ROOT/var" && find . -mindepth 2 ! -path './cache/*' ! -path './trust/*' | LC_ALL=C sort)
	(cd "$PLUGPKG_ROOT/var" && jq -r '"snapshots", "trust/" + .sources[].name' ../plugpkg.json |
		xargs -I% find % -type f ! -name verified -exec sha256sum '{}' + 2>/dev/null | LC_ALL=C sort)
	sqlite3 "$PLUGPKG_ROOT/var/state.db" "SELECT key, version, state, manual, hold, disabled, blocked_by, detached
			FROM plugins ORDER BY key;
		SELECT value FROM meta WHERE key = 'generation';
		SELECT count(*) FROM transactions WHERE status = 'running'"
	sqlite3 "$APP" .dump | LC_ALL=C sort
}

# save [NAME]: the root and the database, as they are; restore [NAME]: as they were.
save() {
	local to=$SCRATCH/${1-saved}
	rm -rf "$to"
	mkdir "$to"
	cp -a "$PLUGPKG_ROOT" "$to/root"
	cp "$APP"* "$to"
}

restore() {
	local from=$SCRATCH/${1-saved}
	rm -rf "$PLUGPKG_ROOT" "$APP"*
	cp -a "$from/root" "$PLUGPKG_ROOT"
	cp "$from"/app.db* "$SCRATCH"
}
