#!/bin/bash
# SPDX-License-Identifier: MIT
# Very many transactions in one root, each through the command line: installs, upgrades, rollbacks,
# removals. Says how long the first and the last hundred take and what the databases hold, before and
# after `clean`; fails when a command does, when the root is not whole, or when room is not returned.
#
#	tests/load/transactions.sh [--count N] [--every N]
#
# Figures are printed at every N-th.
set -u
count=10000
every=1000
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
read_options count every -- "$@"

var=$PLUGPKG_ROOT/var

# count_cpu: used = hundredths of a second that all commands so far have used.
count_cpu() {
	times >cpu-times
	used=$(awk -F '[ ms]+' 'NR == 2 { print int(100 * ($1 * 60 + $2 + $3 * 60 + $4)) }' cpu-times)
}

# sizes: of the databases, with what is not yet in them.
sizes() {
	echo "state.db $(cat "$var"/state.db* | wc -c) bytes, log.db $(cat "$var"/log.db* | wc -c) bytes," \
		"$(find "$PLUGPKG_ROOT/generations" -mindepth 1 -maxdepth 1 | wc -l) generations"
}

# ms COMMAND...: how long it takes.
ms() {
	local start=${EPOCHREALTIME/./}
	"$@" >/dev/null 2>&1 || complain "$*"
	echo "$(((${EPOCHREALTIME/./} - start) / 1000))"
}

# change N: one of eight, after which all begins anew.
change() {
	case $(($1 % 8)) in
	0) plugpkg -q install top@1 -y ;;
	1) plugpkg -q install side -y ;;
	2) plugpkg -q install top@2 -y ;;
	3) plugpkg -q rollback -y ;;
	4) plugpkg -q disable side -y ;;
	5) plugpkg -q enable side -y ;;
	6) plugpkg -q undo -y ;;
	7) plugpkg -q remove top base side -y ;;
	esac >out 2>&1
}

make_repo
dir=$(make_plugin side 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
# shellcheck disable=SC2016 # expands in the script
add_script "$dir" install 'for i in 1 2 3 4 5; do echo "line $i of side"; done'
publish "$(build_plugin base 1.0.0)" "$(build_plugin side 1.0.0)" \
	"$(build_plugin top 1.0.0 '"requires": {"base": "*"}')" "$(build_plugin top 2.0.0 '"requires": {"base": "*"}')"
make_root

count_cpu
hundred=$used
for ((n = 0; n < count; n++)); do
	change "$n" || {
		complain "transaction $n of $count" out
		break
	}
	case $((n + 1)) in
	100)
		count_cpu
		echo "the first 100: $((used - hundred))0 ms of CPU"
		;;
	$((count - 100)))
		count_cpu
		hundred=$used
		;;
	esac
	[ $(((n + 1) % every)) != 0 ] || echo "$((n + 1)) in $SECONDS s: $(sizes)"
done
count_cpu
[ "$count" -lt 300 ] || echo "the last 100: $((used - hundred))0 ms of CPU"

# Not all commands have something to do each time, but nearly all have.
begun=$(plugpkg history --json | grep -c '"type":"history"')
[ "$begun" -ge $((count * 7 / 8)) ] || complain "the history lists $begun of $count"
before=$(cat "$var"/*.db* | wc -c)
echo "before clean: $(sizes); list $(ms plugpkg list) ms, history $(ms plugpkg history) ms," \
	"log $(ms plugpkg log) ms, check $(ms plugpkg check) ms"
echo "clean: $(ms plugpkg clean -y) ms"
after=$(cat "$var"/*.db* | wc -c)
echo "after clean: $(sizes); list $(ms plugpkg list) ms, history $(ms plugpkg history) ms," \
	"log $(ms plugpkg log) ms, check $(ms plugpkg check) ms"
[ "$after" -le "$before" ] || complain "clean returns no room: $before bytes, then $after"
plugpkg check >out 2>&1 || complain "the root is not whole" out
change 0 || complain "nothing can be installed after it" out
finish "$begun transactions"
