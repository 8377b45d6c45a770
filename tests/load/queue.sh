#!/bin/bash
# SPDX-License-Identifier: MIT
# Many plugpkgs on one root at once. Those that wait all succeed, one after the other; those that do
# not want to wait succeed or leave with 8 and name who holds the lock. The root is whole after it,
# and the history has each of them once.
#
#	tests/load/queue.sh [--count N]
set -u
count=50
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
read_options count -- "$@"

make_repo
archives=()
for ((n = 1; n <= count; n++)); do
	dir=$(make_plugin "p$n" 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	# Two at once would see each other.
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'mkdir "$PLUGPKG_DATA/../working"; sleep 0.02; rmdir "$PLUGPKG_DATA/../working"'
	archives+=("$(build_plugin "p$n" 1.0.0)")
done
publish "${archives[@]}" || exit 1
make_root
export PLUGPKG_WRITABLE=$PLUGPKG_ROOT/data

# begin NAME: count installs at once with more options; their output in NAME.N, their status in status.
begin() {
	local n pids=()
	for ((n = 1; n <= count; n++)); do
		plugpkg install "p$n" -y "${@:2}" >"$1.$n" 2>&1 </dev/null &
		pids[n]=$!
	done
	for ((n = 1; n <= count; n++)); do
		wait "${pids[n]}"
		status[n]=$?
	done
}

whole() {
	plugpkg check >out 2>&1 || complain "$1: the root is not whole" out
	[ -z "$(ls -A "$PLUGPKG_ROOT/var/staging" 2>/dev/null)" ] || complain "$1: something is left in var/staging"
	[ "$(plugpkg list --json | grep -c '"type":"plugin"')" = "$2" ] || complain "$1: not $2 are installed"
	[ "$(plugpkg history --json | grep -c '"status":"done"')" = "$3" ] || complain "$1: not $3 in the history"
}

status=()
begin waiting
n_waited=$(grep -l 'waiting for process [0-9]* (plugpkg install p[0-9]' waiting.* | wc -l)
for ((n = 1; n <= count; n++)); do
	[ "${status[n]}" = 0 ] || complain "p$n leaves with ${status[n]}" "waiting.$n"
done
whole "all waited" "$count" "$count"

plugpkg -q remove --all -y >out 2>&1 || complain "they cannot be removed" out
begin refused --no-wait
n_done=0
for ((n = 1; n <= count; n++)); do
	case ${status[n]} in
	0) n_done=$((n_done + 1)) ;;
	8)
		grep -q 'is locked by process [0-9][0-9]* (plugpkg install p[0-9]*, since .*\[locked\]' "refused.$n" ||
			complain "p$n does not say who holds the lock" "refused.$n"
		;;
	*) complain "p$n leaves with ${status[n]}" "refused.$n" ;;
	esac
done
[ "$n_done" -ge 1 ] || complain "nobody got the lock"
whole "nobody waited" "$n_done" $((count + 1 + n_done))
finish "$count at once: $n_waited waited and all were done; without waiting $n_done of $count were done"
