# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # helpers.bash comes first
# What the tests of the attack list (S01 to S60) share: a world that is made once a file and copied for
# each case, what there was before, and what has to be so after a refusal.
#
#	setup_file() { load ../helpers; load attacks; make_world; }
#	setup() { load ../helpers; load attacks; enter_world; }
#
# The world is SCRATCH: repo/ with plugin `honest` 1.0.0 and 1.1.0, and root/ that has source "test" of it, up
# to date, and honest 1.0.0 installed.

# make_world: also for more that a file needs, after it: cd is in the world.
make_world() {
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR/world
	mkdir -p "$BATS_TEST_TMPDIR"
	setup_scratch
	make_repo
	publish "$(build_plugin honest 1.0.0)" "$(build_plugin honest 1.1.0)"
	make_root
	plugpkg install honest@1.0.0 -y >/dev/null
}

# keep_world: what each case begins with.
keep_world() {
	cd "$BATS_FILE_TMPDIR" && mv world kept
}

# enter_world: at the same place each time, as the root knows its source by the path.
enter_world() {
	local world=$BATS_FILE_TMPDIR/world
	if [ -e "$world" ]; then
		chmod -R u+rwX "$world"
		rm -rf "$world"
	fi
	cp -a "$BATS_FILE_TMPDIR/kept" "$world"
	BATS_TEST_TMPDIR=$world setup_scratch
}

# evil pool|edit …: see evil-publisher.py.
evil() {
	python3 "$top_srcdir/tests/e2e/evil-publisher.py" "$SCRATCH/repo" "$@"
}

# offer NAME VERSION [MEMBERS]: a release of the hostile publisher, seen by the root: its index row says
# nothing but name and version.
offer() {
	evil pool "$1" "$2" "$(build_plugin "$@")" && plugpkg update >/dev/null
}

# facts: the whole database, but for the history's line that an attempt was made and came to nothing.
facts() {
	sqlite3 "$PLUGPKG_ROOT/var/state.db" .dump |
		grep -vE "^INSERT INTO (sqlite_sequence|transactions VALUES\(.*'undone',[0-9]+,NULL,)"
}

# loose_ends: partial files of every kind below the root, and what should never have got out of it.
loose_ends() {
	find "$PLUGPKG_ROOT/var/staging" -mindepth 1
	find "$PLUGPKG_ROOT" -path '*/store/*/*/*' -prune -o \
		\( -name '*.part' -o -name '*.new' -o -name '*.tmp' \) -print
	find "$SCRATCH" -maxdepth 1 \( -name 'outside*' -o -name 'evil*' \)
}

# root_before: notes what the next refusal has to leave as it is.
root_before() {
	tree_state "$PLUGPKG_ROOT" >"$SCRATCH/tree.before"
	facts >"$SCRATCH/facts.before"
	sha256sum "$PLUGPKG_ROOT/plugpkg.json" "$PLUGPKG_ROOT/plugpkg.lock" >"$SCRATCH/sums.before"
}

# nothing_changed: the generation, the store, the application's file and the database are what they were, and
# nothing lies around.
nothing_changed() {
	tree_state "$PLUGPKG_ROOT" | diff "$SCRATCH/tree.before" - || fail "the root changed"
	facts | diff "$SCRATCH/facts.before" - || fail "the database changed"
	sha256sum --quiet -c "$SCRATCH/sums.before"
	assert_equal "$(loose_ends)" ""
}

# refused_with STATUS TEXT... -- COMMAND...: fails so, says each TEXT, and changes nothing.
refused_with() {
	local want=$1 texts=()
	shift
	while [ "$1" != -- ]; do
		texts+=("$1")
		shift
	done
	shift
	root_before
	run timeout 60 "$@"
	assert_status "$want"
	assert_has "${texts[@]}"
	nothing_changed
}

# honest_run_works: what the attack left does not stand in the way of an honest change.
honest_run_works() {
	run plugpkg install honest@1.1.0 -y
	assert_status 0
	assert_installed honest 1.1.0
	run plugpkg check
	assert_status 0
	assert_equal "$(loose_ends)" ""
}

# keep_mirror NAME, serve_mirror NAME: what the mirror serves is kept, and served again.
keep_mirror() {
	cp -a "$SCRATCH/repo/public" "$SCRATCH/$1"
}
serve_mirror() {
	rm -rf "$SCRATCH/repo/public"
	cp -a "$SCRATCH/$1" "$SCRATCH/repo/public"
}
