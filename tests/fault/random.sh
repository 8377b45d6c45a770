#!/bin/bash
# SPDX-License-Identifier: MIT
# Kills plugpkg at random times during a large transaction, and lets two of them race for one root.
# After each kill the root is recovered and has to be the old or the new one; in a race both succeed,
# one after the other, or the one that would not wait says who holds the lock.
#
#	tests/fault/random.sh [--kills N] [--races N] [--seed N]
set -u

kills=200
races=100
seed=$$
while [ $# -gt 0 ]; do
	case $1 in
	--kills) kills=$2 ;;
	--races) races=$2 ;;
	--seed) seed=$2 ;;
	*) exit 2 ;;
	esac
	shift 2
done

# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
RANDOM=$seed
failures=0

# ---- a large transaction: ten plugins are upgraded, eleven are new, five leave ----------------------

# rowed NAME VERSION [MEMBERS]: has one row in the application's database, and one that binds it.
rowed() {
	local dir
	dir=$(make_plugin "$1" "$2" '"scripts": {"install": "scripts/put.sh", "upgrade": "scripts/put.sh",
		"verify": "scripts/verify.sh", "uninstall": "scripts/drop.sh",
		"post-install": [{"level": 0, "run": "scripts/bind.sh"}],
		"post-uninstall": [{"level": 0, "run": "scripts/unbind.sh"}]}'"${3:+, $3}")
	# shellcheck disable=SC2016 # expands in the script
	db='sqlite3 -cmd ".timeout 5000" "$DATABASE"'
	add_script "$dir" put "$db \"INSERT INTO groups VALUES('$1', '$2') ON CONFLICT(name) DO UPDATE SET version = '$2'\" >/dev/null"
	add_script "$dir" verify "[ \"\$($db \"SELECT version FROM groups WHERE name = '$1'\")\" = '$2' ]"
	add_script "$dir" drop "$db \"DELETE FROM groups WHERE name = '$1'\" >/dev/null"
	add_script "$dir" bind "$db \"INSERT OR IGNORE INTO bindings VALUES('$1')\" >/dev/null"
	add_script "$dir" unbind "$db \"DELETE FROM bindings WHERE name = '$1'\" >/dev/null"
	head -c 100000 /dev/urandom >"$dir/payload.bin"
	publish "$(build_plugin "$1" "$2")"
}

make_plugins() {
	local i all='' before=''
	make_repo
	for ((i = 0; i < 20; i++)); do
		[ "$i" -ge 10 ] || rowed "p$i" 1.0.0 "\"requires\": {$before}"
		rowed "p$i" 2.0.0 "\"requires\": {$before}"
		all="$all\"p$i\": \">=2\", "
		if ((i % 4 == 3)); then before=''; else before="\"p$i\": \"*\""; fi
	done
	for ((i = 0; i < 5; i++)); do rowed "gone$i" 1.0.0; done
	rowed all 2.0.0 "\"requires\": {${all%, }}"
}

begin() {
	sqlite3 "$APP" 'CREATE TABLE groups(name TEXT PRIMARY KEY, version TEXT);
		CREATE TABLE bindings(name TEXT PRIMARY KEY);'
	make_root
	jq --arg app "$APP" '.settings = {"DATABASE": $app}' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
	plugpkg -q install p{0..9}@1 gone{0..4} -y
	jq '.plugins |= map_values("*")' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
	save
}

command=(plugpkg install all gone0- gone1- gone2- gone3- gone4- -y)

complain() {
	failures=$((failures + 1))
	echo "FAILED, seed $seed, $1"
	tail -n 20 out recovered checked 2>/dev/null | sed 's/^/    /'
	diff old now 2>/dev/null | sed 's/^/    old: /' | head -n 20
	diff new now 2>/dev/null | sed 's/^/    new: /' | head -n 20
}

# now_ms: the clock.
now_ms() {
	date +%s%3N
}

undisturbed() {
	local start
	snapshot >old
	start=$(now_ms)
	"${command[@]}" </dev/null >out 2>&1 || { cat out >&2; echo "the undisturbed change fails"; exit 1; }
	took_ms=$(($(now_ms) - start))
	snapshot >new
}

kill_once() {
	local delay=$((RANDOM * 32768 + RANDOM)) pid
	delay=$((delay % (took_ms + took_ms / 10)))
	restore
	"${command[@]}" </dev/null >out 2>&1 &
	pid=$!
	sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	if ! plugpkg recover >recovered 2>&1; then
		complain "killed after $delay of $took_ms ms: recover fails"
		return
	fi
	snapshot >now
	if ! cmp -s now old && ! cmp -s now new; then
		complain "killed after $delay of $took_ms ms: neither the old nor the new root"
	elif ! plugpkg check >checked 2>&1; then
		complain "killed after $delay of $took_ms ms: check finds something"
	elif cmp -s now new; then
		n_new=$((n_new + 1))
	fi
}

# ---- races -----------------------------------------------------------------------------------------

# race_one FILE ARGUMENT...: in the background; its exit status is the last line of FILE.
race_one() {
	local file=$1 status=0
	shift
	plugpkg "$@" -y </dev/null >"$file" 2>&1 || status=$?
	echo "$status" >>"$file"
}

race_once() {
	local x=p$((RANDOM % 10)) y=gone$((RANDOM % 5)) patience=() one status
	((RANDOM % 3)) || patience=(--no-wait)
	race_one out.1 install "$x" &
	race_one out.2 "${patience[@]}" install "$y" &
	wait
	for one in out.1 out.2; do
		status=$(tail -n 1 "$one")
		[ "$status" != 0 ] || continue
		[ "$status" = 8 ] && [ ${#patience[@]} -gt 0 ] && grep -q 'locked by process [0-9]* (plugpkg install' "$one" &&
			{ n_told=$((n_told + 1)); continue; }
		cp "$one" out
		complain "race of $x and $y: exit status $status"
	done
	plugpkg check >checked 2>&1 || complain "race of $x and $y: check finds something"
	plugpkg -q remove "$x" "$y" -y --allow-remove >/dev/null 2>&1
}

make_plugins >/dev/null 2>&1
begin >/dev/null 2>&1
n_new=0 n_told=0
undisturbed
for ((i = 0; i < kills; i++)); do kill_once; done
echo "$kills kills, $((kills - n_new)) ended old, $n_new new"
restore
plugpkg -q remove --all -y >/dev/null 2>&1
for ((i = 0; i < races; i++)); do race_once; done
echo "$races races, $n_told times the holder was named"
echo "$kills kills, $races races, $failures failures"
[ "$failures" = 0 ]
