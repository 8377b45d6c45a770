#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A root in which very much has happened: what a command costs there, and what stays of it. By
# counts, never by the clock.

load ../helpers

setup() {
	setup_scratch
	need sqlite3
	make_repo
	publish "$(build_plugin base 1.0.0)" "$(build_plugin top 1.0.0 '"requires": {"base": "*"}')"
	make_root
	plugpkg -q install -y top
}

sql() {
	sqlite3 -cmd '.timeout 5000' "$PLUGPKG_ROOT/var/state.db" "$@"
}

# age N: a past of N transactions, each of which led to a generation; all but the last are gone.
age() {
	local n=$(($1 + 1)) was
	was=$(sql "SELECT value FROM meta WHERE key = 'generation'")
	sql "WITH RECURSIVE n(i) AS (SELECT $was + 1 UNION ALL SELECT i + 1 FROM n WHERE i < $n)
		INSERT INTO transactions(id, command, started, ended, status, generation, base, wanted)
			SELECT i, 'disable base', i, i, 'done', i, i - 1, '{\"top\":\"*\"}' FROM n;
		INSERT INTO history_generations SELECT id, id FROM transactions WHERE id > $was;
		INSERT INTO history_sets SELECT t.id, s.entry FROM transactions AS t, history_sets AS s
			WHERE t.id > $was AND s.generation = $was;
		UPDATE meta SET value = $n WHERE key IN ('generation', 'last_generation');"
	mv "$PLUGPKG_ROOT/generations/$was" "$PLUGPKG_ROOT/generations/$n"
	ln -sfn "generations/$n" "$PLUGPKG_ROOT/current"
}

# listed: how many transactions the history lists.
listed() {
	plugpkg history --json | grep -c '"type":"history"'
}

# calls COMMAND...: how many system calls it makes.
calls() {
	strace -f -qq -e signal=none -o calls "$@" >/dev/null 2>&1
	wc -l <calls
}

@test "after 10,000 transactions a command reads no more of the past than after ten" {
	local young old
	plain_build
	age 10
	cp -a "$PLUGPKG_ROOT" young
	age 10000
	young=$(PLUGPKG_ROOT=$PWD/young calls plugpkg list)
	old=$(calls plugpkg list)
	echo "list: $young, then $old"
	[ "$old" -le $((young + 10)) ]
	young=$(PLUGPKG_ROOT=$PWD/young calls plugpkg disable base -y)
	old=$(calls plugpkg disable base -y)
	echo "disable: $young, then $old"
	[ "$old" -le $((young + 60)) ]
	young=$(PLUGPKG_ROOT=$PWD/young calls plugpkg undo -y)
	old=$(calls plugpkg undo -y)
	echo "undo: $young, then $old"
	[ "$old" -le $((young + 60)) ]
	run -0 plugpkg history --json
	[ "$(wc -l <<<"$output")" -ge 10003 ]
}

@test "what a transaction was about to do goes with its end; the room of a row serves again" {
	for _ in 1 2 3 4 5; do
		plugpkg -q disable -y base
		plugpkg -q enable -y base
	done
	[ "$(sql 'SELECT count(*) FROM steps')" = 0 ]
	[ "$(sql 'SELECT count(*) FROM transactions WHERE intent IS NOT NULL')" = 0 ]
	# Two states each of base and of top, whatever the number of times.
	[ "$(sql 'SELECT count(*) FROM history_entries')" -le 5 ]
}

@test "clean forgets the wishes of generations that are gone, keeps the history, returns the room" {
	local before after n_listed
	age 3000
	sql "UPDATE transactions SET wanted = hex(randomblob(700)) WHERE id > 1"
	n_listed=$(listed)
	before=$(stat -c %s "$PLUGPKG_ROOT/var/state.db")
	run -0 plugpkg clean -y --json
	after=$(stat -c %s "$PLUGPKG_ROOT/var/state.db")
	echo "$before bytes, then $after: $output"
	[ $((after * 3)) -le "$before" ]
	[ "$(jq 'select(.type == "cleaned") | .bytes' <<<"$output")" -ge $((before - after)) ]
	echo "listed: $n_listed, then $(listed)"
	[ "$(listed)" = "$n_listed" ]
	run -0 plugpkg check
	plugpkg -q remove -y top
	run -0 plugpkg undo -y
	run -0 plugpkg is-installed top
}
