#!/bin/bash
# SPDX-License-Identifier: MIT
# Power lost at any moment. strace records what plugpkg, its helpers, SQLite and the scripts change in
# the root and in the application's database, and what they make durable; power.py replays that, and
# builds each state that could be left where changes that nobody made durable are lost, in part or all.
# After `recover` the root and the database are the old or the new ones; after the command had ended,
# the new ones. A published repository is one that `verify` accepts, at all times.
#
#	tests/fault/power.sh [--every N] [--seeds N] [--model ordered|strict|random] [--jobs N] [SCENARIO...]
#
# Scenarios: install upgrade downgrade reinstall remove purge rollback disable enable source-add add publish.
set -u

flags=()
jobs=1
while [[ ${1-} == --* ]]; do
	case $1 in
	--every | --seeds | --model) flags+=("$1" "$2") ;;
	--jobs) jobs=$2 ;;
	*) exit 2 ;;
	esac
	shift 2
done
[ $# -gt 0 ] || set -- install upgrade downgrade reinstall remove purge rollback disable enable source-add add publish

here=$(cd "$(dirname "$0")" && pwd)
umask 022
# shellcheck source=common.bash
. "$here/common.bash"

# Scenarios know nothing of each other: each in a process of its own.
if [ "$jobs" -gt 1 ] && [ $# -gt 1 ]; then
	for scenario; do
		while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
		bash "$here/power.sh" "${flags[@]}" "$scenario" >"$SCRATCH/$scenario.out" 2>&1 &
	done
	wait
	cat "$SCRATCH"/*.out | grep -v '^[0-9]* states, '
	cat "$SCRATCH"/*.out | awk '/^[0-9]+ states, / { n += $1; f += $3; seen++ }
		END { print n + 0 " states, " f + 0 " failures"; exit f > 0 || seen != '$#' }'
	exit
fi

# What is recorded; each directory in it stands for a file system of its own.
WORLD=$SCRATCH/world
PLUGPKG_ROOT=$WORLD/root
APP=$WORLD/app/app.db
REPO=$WORLD/repo

# LeakSanitizer cannot look where strace does. Helpers are told apart: they get none of our environment.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
mkdir "$SCRATCH/libexec"
for helper in plugpkg-fetch plugpkg-unpack; do
	printf '#!/bin/sh\nASAN_OPTIONS=detect_leaks=0 exec "%s"\n' "$PLUGPKG_LIBEXEC/$helper" \
		>"$SCRATCH/libexec/$helper"
	chmod +x "$SCRATCH/libexec/$helper"
done
PLUGPKG_LIBEXEC=$SCRATCH/libexec

# ---- plugins: a table each, a file in their data, bindings ----------------------------------------

# sql DIR KIND STATEMENTS: a script. SQLite makes a commit durable before it says so where it is told
# to, which a script whose effects are to last has to do: EXTRA.
sql() {
	add_script "$1" "$2" "sqlite3 -cmd '.timeout 5000' -cmd 'PRAGMA synchronous = EXTRA' \"\$DATABASE\" \"$3\" >/dev/null
${4-}"
}

# tabled NAME VERSION REQUIRES: its row says which version it is of; so does its file, which nobody
# but plugpkg makes durable.
tabled() {
	local dir file="[ \"\$(cat \"\$PLUGPKG_DATA/file\" 2>/dev/null)\" = $2 ] || echo $2 >\"\$PLUGPKG_DATA/file\""
	dir=$(make_plugin "$1" "$2" "\"requires\": {$3}, \"data\": {\"snapshot\": true},
		\"scripts\": {\"install\": \"scripts/put.sh\", \"upgrade\": \"scripts/put.sh\",
		\"verify\": \"scripts/verify.sh\", \"uninstall\": \"scripts/drop.sh\",
		\"post-install\": [{\"level\": 0, \"run\": \"scripts/bind.sh\"}],
		\"post-uninstall\": [{\"level\": 0, \"run\": \"scripts/unbind.sh\"}]}")
	sql "$dir" put "CREATE TABLE IF NOT EXISTS $1(version TEXT PRIMARY KEY);
		BEGIN; DELETE FROM $1; INSERT INTO $1 VALUES('$2'); COMMIT" "$file"
	sql "$dir" drop "DROP TABLE IF EXISTS $1"
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" verify "[ \"\$(sqlite3 \"\$DATABASE\" 'SELECT version FROM $1')\" = '$2' ]"
	sql "$dir" bind "INSERT OR IGNORE INTO bindings VALUES('$1')"
	sql "$dir" unbind "DELETE FROM bindings WHERE name = '$1'"
}

make_plugins() {
	local v
	make_repo
	for v in 1.0.0 2.0.0; do
		tabled base "$v" ''
		tabled top "$v" '"base": "*"'
		make_plugin plain "$v" >/dev/null
	done
	for v in base-1.0.0 base-2.0.0 top-1.0.0 top-2.0.0 plain-1.0.0 plain-2.0.0; do
		publish "$(build_plugin "${v%-*}" "${v##*-}")"
	done
}

# ---- scenarios -----------------------------------------------------------------------------------

want_any() {
	jq '.plugins |= map_values("*")' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
}

make_world() {
	rm -rf "$WORLD"
	mkdir -p "$WORLD/app"
	sqlite3 "$APP" 'CREATE TABLE bindings(name TEXT PRIMARY KEY)'
	make_root
	jq --arg app "$APP" '.settings = {"DATABASE": $app}' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
}

# begin SCENARIO: the world that it starts from. Sets command.
begin() {
	make_world >begun 2>&1
	case $1 in
	install)
		plugpkg -q install plain -y
		command=(plugpkg install top@1 -y)
		;;
	upgrade | rollback)
		plugpkg -q install base@1 top@1 plain@1 -y
		want_any
		command=(plugpkg upgrade -y)
		[ "$1" = upgrade ] || {
			"${command[@]}"
			command=(plugpkg rollback -y)
		}
		;;
	downgrade)
		plugpkg -q install base top plain -y
		command=(plugpkg install base@1 top@1 plain@1 --downgrade -y)
		;;
	reinstall)
		plugpkg -q install top plain -y
		command=(plugpkg install base plain --reinstall -y)
		;;
	remove | purge)
		plugpkg -q install base top plain -y
		command=(plugpkg "$1" base top -y)
		;;
	disable | enable)
		plugpkg -q install base top plain -y
		[ "$1" = disable ] || plugpkg -q disable base -y
		command=(plugpkg "$1" base -y)
		;;
	source-add)
		command=(plugpkg source add more "file://$SCRATCH/repo/public" --key "$SCRATCH/repo/public/metadata/1.root.json")
		;;
	add)
		cp -a "$SCRATCH/repo" "$REPO"
		plugpkg owner new "$SCRATCH/author.key"
		archives=("$(build_plugin plain 3.0.0)" "$(build_plugin other 1.0.0)")
		plugpkg sign "${archives[1]}" --key "$SCRATCH/author.key"
		command=(plugpkg-repo --repo "$REPO" add "${archives[@]}")
		;;
	publish)
		cp -a "$SCRATCH/repo" "$REPO"
		make_plugin plain 3.0.0 >/dev/null
		plugpkg-repo --repo "$REPO" add "$(build_plugin plain 3.0.0)"
		command=(plugpkg-repo --repo "$REPO" publish)
		;;
	*) exit 2 ;;
	esac >begun 2>&1 || {
		echo "cannot begin $1"
		cat begun
		exit 1
	}
}

record() {
	strace -f -y -xx -s 99999999 -o trace -e trace=open,openat,openat2,creat,write,writev,pwrite64,pwritev,lseek,ftruncate,fallocate,mmap,ioctl,copy_file_range,sendfile,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,rename,renameat,renameat2,chmod,fchmod,fchmodat,fsync,fdatasync,syncfs,sync \
		"$@" </dev/null >out 2>&1
}

# ---- judgement -------------------------------------------------------------------------------------

complain() {
	failures=$((failures + 1))
	echo "FAILED: $scenario, $label: $1"
	sed 's/^/    lost: /' trace.lost | tail -n 30
	sed 's/^/    /' recovered | tail -n 20
	diff old now 2>/dev/null | sed 's/^/    old: /' | head -n 20
	diff new now 2>/dev/null | sed 's/^/    new: /' | head -n 20
}

# Numbers of generations only count.
numberless() {
	sed -E '/^[0-9a-f]{64}  .*\.plugins\.json$/d; s,generations/[0-9]+,generations/N,; s,^[0-9]+$,N,'
}

# judge either|new: the root after `recover`. From an old one the same command leads to the new one.
judge() {
	plugpkg recover >recovered 2>&1 || {
		complain "recover fails"
		return
	}
	snapshot >now
	plugpkg check >>recovered 2>&1 || {
		complain "check finds something"
		return
	}
	if cmp -s now new; then
		n_new=$((n_new + 1))
	elif [ "$1" = new ]; then
		complain "the command had ended, and this is not the new root"
	elif ! cmp -s now old; then
		complain "neither the old nor the new root"
	elif ((n_states % 4 == 0)); then
		"${command[@]}" </dev/null >>recovered 2>&1 || complain "the command fails afterwards"
		snapshot >now
		cmp -s <(numberless <now) <(numberless <new) ||
			complain "the command afterwards does not lead to the new root"
	fi
}

# Of a repository: what clients see is whole, and publishing again leads to the new one.
judge_repo() {
	plugpkg-repo verify "$REPO/public" >recovered 2>&1 || {
		complain "what is published does not verify"
		return
	}
	[ "$1" = either ] || plugpkg-repo --repo "$REPO" list | grep -q '^plain *3' || {
		complain "publish had ended, and the new version is not there"
		return
	}
	plugpkg-repo --repo "$REPO" publish >>recovered 2>&1 || complain "publish fails afterwards"
	plugpkg-repo verify "$REPO/public" >>recovered 2>&1 || complain "published again, it does not verify"
}

# Of what waits: an entry that is there is whole, and so is what it leads to.
judge_staged() {
	plugpkg-repo --repo "$REPO" list >recovered 2>&1 || {
		complain "what is staged cannot be listed"
		return
	}
	[ "$1" = either ] || [ "$(grep -Ec '^(plain|other) .*staged' recovered)" = 2 ] || {
		complain "add had ended, and not all is staged"
		return
	}
	plugpkg-repo --repo "$REPO" publish >>recovered 2>&1 || complain "publish fails afterwards"
	plugpkg-repo verify "$REPO/public" >>recovered 2>&1 || complain "published, it does not verify"
	plugpkg-repo --repo "$REPO" add "${archives[@]}" >>recovered 2>&1 || complain "add fails afterwards"
}

run_scenario() {
	local judge=judge want
	scenario=$1 n_new=0 n_states=0
	[ "$1" != publish ] || judge=judge_repo
	[ "$1" != add ] || judge=judge_staged
	begin "$1"
	rm -rf before
	cp -a "$WORLD" before
	snapshot >old
	record "${command[@]}" || {
		echo "undisturbed $1 fails"
		cat out
		exit 1
	}
	snapshot >new
	coproc states (python3 "$here/power.py" "$WORLD" before trace "${flags[@]}")
	# shellcheck disable=SC2154 # set by coproc
	local from=${states[0]} to=${states[1]} pid=$states_PID
	while read -r label want <&"$from"; do
		n_states=$((n_states + 1))
		"$judge" "$want"
		echo next >&"$to"
	done
	wait "$pid" || failures=$((failures + 1))
	echo "$1: $n_states states, $n_new ended new"
	total=$((total + n_states))
}

total=0
failures=0
make_plugins >begun 2>&1
for scenario; do
	run_scenario "$scenario"
done
echo "$total states, $failures failures"
[ "$failures" = 0 ]
