#!/bin/bash
# SPDX-License-Identifier: MIT
# Breaks plugpkg at every point: kills it before each change of the disk or the database, before and
# in the middle of each script, or lets that change fail; recovers; and compares the root and the
# application's database with what they were before and what they are after an undisturbed run.
# Anything else is a failure. Needs a build with --enable-failpoints.
#
#	tests/fault/loop.sh [--every N] [--how kill|ENOSPC|EIO|EACCES] [--from N] [--jobs N] [SCENARIO...]
#
# Scenarios: install upgrade downgrade reinstall remove purge replace. Five plugins with scripts in all phases,
# of which one binds itself to whatever comes.
set -u

every=1
first=1
how="kill"
jobs=1
while [[ ${1-} == --* ]]; do
	case $1 in
	--every) every=$2 ;;
	--from) first=$2 ;;
	--how) how=$2 ;;
	--jobs) jobs=$2 ;;
	*) exit 2 ;;
	esac
	shift 2
done
[ $# -gt 0 ] || set -- install upgrade downgrade reinstall remove purge replace

self=$(cd "$(dirname "$0")" && pwd)/loop.sh
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"

# Scenarios know nothing of each other: each in a process of its own.
if [ "$jobs" -gt 1 ] && [ $# -gt 1 ]; then
	for scenario; do
		while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
		bash "$self" --every "$every" --from "$first" --how "$how" "$scenario" >"$SCRATCH/$scenario.out" 2>&1 &
	done
	wait
	cat "$SCRATCH"/*.out | grep -v '^[0-9]* points, '
	cat "$SCRATCH"/*.out | awk '/^[0-9]+ points, / { n += $1; f += $3; seen++ }
		END { print n + 0 " points, " f + 0 " failures"; exit f > 0 || seen != '$#' }'
	exit
fi

# ---- plugins: tables, groups, bindings in a real database ----------------------------------------

# sql DIR KIND BEFORE [AFTER]: a script that does one thing, says so, and does another.
sql() {
	add_script "$1" "$2" "db() { sqlite3 -cmd '.timeout 5000' \"\$DATABASE\" \"PRAGMA foreign_keys=ON; \$1\" >/dev/null; }
has() { [ \"\$(sqlite3 \"\$DATABASE\" \"SELECT count(*) FROM pragma_table_info('\$1') WHERE name = '\$2'\")\" = 1 ]; }
$3
echo \"\$PLUGPKG_NAME: $2\"; sleep 0.02
${4-}"
}

all_scripts='"scripts": {"install": "scripts/install.sh", "verify": "scripts/verify.sh",
	"upgrade": "scripts/upgrade.sh", "uninstall": "scripts/uninstall.sh",
	"post-install": [{"level": 0, "run": "scripts/bind.sh"}, {"level": 2, "run": "scripts/late.sh"}],
	"post-uninstall": [{"level": 2, "run": "scripts/unlate.sh"}, {"level": 0, "run": "scripts/unbind.sh"}]}'

# tabled NAME VERSION REQUIRES [MEMBERS]: version 2 has one column more.
tabled() {
	local dir name=$1 add drop
	add="has $name extra || db 'ALTER TABLE $name ADD COLUMN extra DEFAULT 7'"
	drop="! has $name extra || db 'ALTER TABLE $name DROP COLUMN extra'"
	dir=$(make_plugin "$name" "$2" "$all_scripts, \"requires\": {$3}${4-}")
	if [ "$2" = 1.0.0 ]; then to=$drop want="! has $name extra"; else to=$add want="has $name extra"; fi
	sql "$dir" install "db 'CREATE TABLE IF NOT EXISTS $name(id INTEGER PRIMARY KEY, name TEXT)'" \
		"db \"INSERT OR IGNORE INTO $name(id, name) VALUES(1, 'one'); INSERT OR IGNORE INTO groups VALUES('$name')\"
$to"
	sql "$dir" upgrade "$to" "db \"UPDATE $name SET name = 'one' WHERE id = 1\""
	sql "$dir" uninstall "db \"DELETE FROM bindings WHERE grp = '$name'; DELETE FROM groups WHERE name = '$name'\"" \
		"db 'DROP TABLE IF EXISTS $name'"
	sql "$dir" verify "has $name name" "$want"
	sql "$dir" bind "db \"INSERT OR IGNORE INTO bindings VALUES('$name 0', '$name')\""
	sql "$dir" unbind "db \"DELETE FROM bindings WHERE what = '$name 0'\""
	sql "$dir" late "db \"INSERT OR IGNORE INTO bindings VALUES('$name 2', '$name')\""
	sql "$dir" unlate "db \"DELETE FROM bindings WHERE what = '$name 2'\""
}

# binder VERSION: binds itself to all groups, whoever brings them, whenever.
binder() {
	local dir
	dir=$(make_plugin options "$1" '"scripts": {
		"post-install": [{"level": 1, "run": "scripts/bind.sh", "always": true}],
		"post-uninstall": [{"level": 1, "run": "scripts/unbind.sh"}]}')
	sql "$dir" bind "db \"INSERT OR IGNORE INTO bindings SELECT 'options', name FROM groups\""
	sql "$dir" unbind "db \"DELETE FROM bindings WHERE what = 'options'\""
}

make_plugins() {
	local v
	for v in 1.0.0 2.0.0; do
		tabled base "$v" ''
		tabled mid "$v" '"base": "*"'
		tabled top "$v" '"mid": "*"'
		tabled side "$v" '"base": "*"'
		binder "$v"
	done
	make_repo
	for p in base mid top side options; do
		publish "$(build_plugin "$p" 1.0.0)" "$(build_plugin "$p" 2.0.0)"
	done
}

# A plugin that goes on under another name. Comes last: it is published from then on.
make_successor() {
	tabled middle 2.0.0 '"base": "*"' ', "replaces": {"mid": "*"}, "provides": {"mid": "2.0.0"}'
	publish "$(build_plugin middle 2.0.0)"
	plugpkg -q update
}

# ---- scenarios -----------------------------------------------------------------------------------

# plugpkg.json wants what it wants in any version.
want_any() {
	jq '.plugins |= map_values("*")' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
}

# begin SCENARIO: the root that it starts from; prints nothing. Sets command.
begin() {
	rm -rf "$PLUGPKG_ROOT" "$APP"
	sqlite3 "$APP" 'CREATE TABLE groups(name TEXT PRIMARY KEY);
		CREATE TABLE bindings(what TEXT, grp TEXT REFERENCES groups(name), PRIMARY KEY(what, grp));'
	make_root >/dev/null 2>&1
	jq --arg app "$APP" '.settings = {"DATABASE": $app}' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
	case $1 in
	install)
		plugpkg -q install options@1 side@1 -y
		command="install top@1 -y"
		;;
	upgrade)
		plugpkg -q install base@1 mid@1 top@1 side@1 options@1 -y
		want_any
		command="upgrade -y"
		;;
	downgrade)
		plugpkg -q install base mid top side options -y
		command="install base@1 mid@1 top@1 side@1 options@1 --downgrade -y"
		;;
	reinstall)
		plugpkg -q install top@1 options@1 -y
		command="install base mid options --reinstall -y"
		;;
	replace)
		plugpkg -q install mid@1 top@1 options@1 -y
		want_any
		make_successor
		echo kept >"$PLUGPKG_ROOT/data/mid/file"
		command="install middle -y --allow-remove"
		;;
	remove | purge)
		plugpkg -q install base@1 mid@1 top@1 side@1 options@1 -y
		command="$1 base mid top side options -y"
		;;
	*) exit 2 ;;
	esac >/dev/null 2>&1 || { echo "cannot begin $1" >&2; exit 1; }
	[ ! -e "$PLUGPKG_ROOT/current/side" ] ||
		sqlite3 "$APP" "INSERT INTO side(id, name) VALUES(2, 'row of the user')"
}

# disturb N: the command, broken at point N.
disturb() {
	local variable=PLUGPKG_FAIL_AT value=$1:$how
	[ "$how" != kill ] || variable=PLUGPKG_CRASH_AT value=$1
	# shellcheck disable=SC2086 # words on purpose
	{ env "$variable=$value" plugpkg $command </dev/null >out 2>&1; } 2>/dev/null
}

complain() {
	failures=$((failures + 1))
	echo "FAILED: $scenario, $how at $n: $1"
	sed 's/^/    /' out recovered | tail -n 30
	diff "$SCRATCH/old" "$SCRATCH/now" | sed 's/^/    old: /' | head -n 20
	diff "$SCRATCH/new" "$SCRATCH/now" | sed 's/^/    new: /' | head -n 20
}

# After point N: recovered, the root is the old or the new one, and says so itself.
judge() {
	plugpkg recover >recovered 2>&1 || { complain "recover fails"; return; }
	snapshot >now
	if ! cmp -s now old && ! cmp -s now new; then
		complain "neither the old nor the new root"
	elif ! plugpkg check >checked 2>&1; then
		cat checked >>recovered
		complain "check finds something"
	elif ! plugpkg is-installing >/dev/null 2>&1 && cmp -s now new; then
		n_new=$((n_new + 1))
	fi
}

run_scenario() {
	scenario=$1 n_new=0 n_points=0
	begin "$scenario"
	save
	snapshot >old
	rm -f points
	# shellcheck disable=SC2086 # words on purpose
	PLUGPKG_COUNT_POINTS=$SCRATCH/points plugpkg $command </dev/null >out 2>&1 || { cat out >&2; echo "undisturbed $scenario fails"; exit 1; }
	snapshot >new
	! cmp -s old new || [ "$scenario" = reinstall ] || { echo "$scenario changes nothing"; exit 1; }
	last=$(stat -c %s points 2>/dev/null || echo 0)
	[ "$last" -gt 20 ] || { echo "no failpoints in this build"; exit 1; }
	for ((n = first; n <= last; n += every)); do
		restore
		disturb "$n"
		n_points=$((n_points + 1))
		judge
	done
	echo "$scenario: $n_points of $last points ($how), $((n_points - n_new)) ended old, $n_new new"
	total=$((total + n_points))
}

total=0
failures=0
make_plugins >/dev/null 2>&1
for scenario; do
	run_scenario "$scenario"
done
echo "$total points, $failures failures"
[ "$failures" = 0 ]
