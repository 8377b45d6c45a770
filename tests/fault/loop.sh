#!/bin/bash
# SPDX-License-Identifier: MIT
# Breaks plugpkg at every point: kills it before or after each change of the disk or the database,
# before, in the middle of and after each script, or lets that change fail; recovers; and compares the
# root and the application's database with what they were before and what they are after an
# undisturbed run. Anything else is a failure, and so is what is left of it: temporary files, processes,
# open descriptors, an error that does not say what it was. Needs a build with --enable-failpoints.
#
#	tests/fault/loop.sh [--how HOW] [--every N] [--from N] [--again N] [--jobs N] [SCENARIO...]
#
# HOW is kill (before a change), after (it), or the error that the change fails with: ENOSPC, EIO,
# EACCES, EMFILE, EINTR, ENOMEM; ENOSPC+ and so on when all that come after it fail as well; or SHORT:
# of what is written only half is, at first. CALL=ERRNO: any system call of any process, by strace, the
# first in each process, the second in each and so on. --again N: the recovery is killed too, at every N-th of its
# points. SCENARIO: see scenarios.bash, places.bash and questions.bash; "transactions" (the default),
# "commands", "places", "questions", "remembered" and "web" are all of a kind.
set -u

every=1
first=1
again=0
how="kill"
jobs=1
while [[ ${1-} == --* ]]; do
	case $1 in
	--every) every=$2 ;;
	--from) first=$2 ;;
	--again) again=$2 ;;
	--how) how=$2 ;;
	--jobs) jobs=$2 ;;
	*) exit 2 ;;
	esac
	shift 2
done

self=$(cd "$(dirname "$0")" && pwd)/loop.sh
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
# shellcheck source=scenarios.bash
. "$(dirname "${self}")/scenarios.bash"
# shellcheck source=places.bash
. "$(dirname "${self}")/places.bash"
# shellcheck source=questions.bash
. "$(dirname "${self}")/questions.bash"

scenarios=()
[ $# -gt 0 ] || set -- transactions
for scenario; do
	# shellcheck disable=SC2206,SC2154 # lists of words
	case $scenario in
	transactions) scenarios+=($transactions) ;;
	commands) scenarios+=($commands) ;;
	places) scenarios+=($places) ;;
	questions) scenarios+=($questions) ;;
	remembered) scenarios+=($remembered) ;;
	web) scenarios+=($web) ;;
	*) scenarios+=("$scenario") ;;
	esac
done

# What is published is made once.
if [ -n "${FAULT_WORLD:-}" ]; then
	cp -a "$FAULT_WORLD/repo" "$FAULT_WORLD/plugins" "$SCRATCH"
else
	make_plugins >/dev/null 2>&1 || { echo "cannot make the plugins" >&2; exit 1; }
fi

# Scenarios know nothing of each other: each in a process of its own.
if [ "$jobs" -gt 1 ] && [ ${#scenarios[@]} -gt 1 ]; then
	mkdir out
	for scenario in "${scenarios[@]}"; do
		while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
		FAULT_WORLD=$SCRATCH bash "$self" --how "$how" --every "$every" --from "$first" --again "$again" \
			"$scenario" >"out/$scenario" 2>&1 &
	done
	wait
	cat out/* | grep -v '^[0-9]* points, '
	cat out/* | awk '/^[0-9]+ points, / { n += $1; f += $3; seen++ }
		END { print n + 0 " points, " f + 0 " failures"; exit f > 0 || seen != '${#scenarios[@]}' }'
	exit
fi

# ---- breaking ------------------------------------------------------------------------------------

# What a failed change is told as.
declare -A texts=([ENOSPC]='no space left on the device' [EIO]='input or output error' [EACCES]='permission denied'
	[EMFILE]='too many open files' [EINTR]='interrupted' [ENOMEM]='out of memory'
	[EAGAIN]='resource temporarily unavailable' [ENOLCK]='no locks available'
	[ECONNREFUSED]='connection refused' [ECONNRESET]='connection reset' [EPIPE]='the other side is gone')

# broken VARIABLE=VALUE PROGRAM ARGUMENT...: run, broken there. Its status.
broken() {
	rm -rf open tmp
	mkdir tmp
	{ env TMPDIR="$SCRATCH/tmp" PLUGPKG_LEFT_OPEN="$SCRATCH/open" "$@" </dev/null >out 2>&1; } 2>/dev/null
}

# disturb N: the scenario's command, broken at point N.
disturb() {
	# shellcheck disable=SC2086,SC2154 # words on purpose
	case $how in
	kill) broken "PLUGPKG_CRASH_AT=$1" $program $command ;;
	after) broken "PLUGPKG_CRASH_AFTER=$1" $program $command ;;
	*+) broken "PLUGPKG_FAIL_AT=$1+:${how%+}" $program $command ;;
	*=*) broken LC_ALL=C timeout 60 strace -f -qq -o injected -e "trace=${how%=*}" \
		-e "inject=${how%=*}:error=${how#*=}:when=$1" $program $command ;;
	*) broken "PLUGPKG_FAIL_AT=$1:$how" $program $command ;;
	esac
	left_with=$?
}

complain() {
	failures=$((failures + 1))
	echo "FAILED: $scenario, $how at $at: $1"
	sed 's/^/    /' out recovered checked 2>/dev/null | tail -n 30
	diff old now >old.diff
	diff new now >new.diff
	if [ "$(wc -l <old.diff)" -le "$(wc -l <new.diff)" ]; then sed 's/^/    old: /' old.diff; else sed 's/^/    new: /' new.diff; fi |
		head -n 20
}

is_old_or_new() {
	look >now
	cmp -s now old || cmp -s now new
}

# What nobody holds any more: a helper or a script that goes on, a descriptor. (A helper is told nothing
# of us; one that has lost its parent belongs to nobody.)
judge_left() {
	local file left=''
	# What is open is found out by fcntl itself.
	[[ $how == fcntl=* ]] || [ ! -s open ] || complain "descriptors are left open: $(tr '\n' ' ' <open)"
	grep -lsF "PLUGPKG_ROOT=$PLUGPKG_ROOT" /proc/[0-9]*/environ >left
	while read -r file; do
		[ ! -e "$file" ] || left+=" $(tr '\0' ' ' <"${file%environ}cmdline" 2>/dev/null)"
	done <left
	left+=$(pgrep -P 1 -a -f "^$PLUGPKG_LIBEXEC/plugpkg-")
	[ -z "$left" ] || complain "processes are left: $left"
}

# Nothing but an empty directory, where the very call that was to remove it failed.
judge_temporary() {
	find tmp -mindepth 1 "$@" >left
	[ ! -s left ] || complain "left in TMPDIR: $(tr '\n' ' ' <left)"
}

# A script that cannot do its work says itself why.
is_script_failed() {
	grep -q '^error: .*script .* failed.*\[script-failed\]' out && is_old_or_new
}

# A helper that cannot be loaded, or cannot speak any more, is named; nobody knows what it had.
# shellcheck disable=SC2154 # set by begin
is_helper_dead() {
	grep -q "^error: .*helper 'plugpkg-[a-z]*' broke down.* \[failed\]" out && { [ "$goes_on" = yes ] || is_old_or_new; }
}

# Before it can say anything: the first that it maps is itself.
is_loader_dead() {
	[ "$how" = mmap=ENOMEM ] && [ "$left_with" = 139 ] && [ "$at" -le 2 ] && [ ! -s out ]
}

# Calls of libraries and helpers: the loader tells its own, as does the shell by which libtool starts
# what is not installed, and whoever is out of memory can do no more than say so.
# shellcheck disable=SC2154 # set by begin
judge_injected() {
	if is_loader_dead || grep -q 'error while loading shared libraries\|cannot allocate TLS\|^plugpkg: cannot load' out ||
		grep -q '^out of memory\|^/bin/\(ba\)\?sh: ' out || is_helper_dead || is_script_failed; then
		return
	elif [ "$left_with" -gt 11 ]; then
		complain "left with $left_with"
	elif [ "$(grep -c '^error: ' out)" != 1 ] || ! grep -q "^error: .*${texts[${how#*=}]}.*\[[a-z-]*\]" out; then
		complain "the error does not say what it was"
	elif [ "$goes_on" = no ] && ! is_old_or_new && ! grep -q 'plugpkg recover' out; then
		complain "neither the old nor the new root, and nothing says so"
	fi
}

# Whose script cannot be asked, as there is no room for its temporary directory, is not installed again.
is_untold() {
	[ "$left_with" = 7 ] && grep -q "^error: .* cannot tell whether it is installed: .*${texts[${how%+}]} \[script-failed\]" out
}

# Where nothing can be deleted any more, what was to be renamed still lies in the root until recovery.
is_old_or_new_beside() {
	local ok=0
	if [[ $how != *+ ]] || [ -n "$subject" ]; then
		is_old_or_new
		return
	fi
	mkdir aside
	find "$PLUGPKG_ROOT" -maxdepth 1 -name '.*.new' -exec mv -t aside {} +
	is_old_or_new || ok=1
	find aside -mindepth 1 -exec mv -t "$PLUGPKG_ROOT" {} +
	rmdir aside
	return "$ok"
}

# A failure that was returned: it is told as what it was, and the root is whole, or says itself that
# recovery is needed.
# shellcheck disable=SC2154 # set by begin
judge_answer() {
	judge_left
	[[ $how == *+ ]] || judge_temporary ! -empty
	[ "$left_with" != 0 ] || [ "$is_question" = no ] || judge_said
	if [ "$left_with" = 0 ] || [ "$left_with" = "$status" ]; then
		look >now
		[ "$goes_on" = yes ] || cmp -s now new || grep -q 'plugpkg recover\|^warning: cannot clear ' out ||
			complain "left with $left_with, and the root is not the new one"
	elif [[ $how == *=* ]]; then
		judge_injected
	elif [[ $how != SHORT ]] && is_untold; then
		return
	elif [ "$left_with" != 1 ] || [ "$how" = SHORT ]; then
		complain "left with $left_with"
	elif [ "$(grep -c '^error: ' out)" != 1 ] ||
		! grep -q '^error: .*\[\(io\|no-space\|permission\)\]' out || ! grep -q "${texts[${how%+}]}" out; then
		complain "the error does not say what it was"
	elif [ "$goes_on" = no ] && ! is_old_or_new_beside && ! grep -q 'plugpkg recover' out; then
		complain "neither the old nor the new root, and nothing says so"
	fi
}

# Recovered, the root is the old or the new one, and says so itself.
# shellcheck disable=SC2154 # set by begin
judge() {
	rm -f recovered checked
	if [ -n "$subject" ]; then
		judge_place
		return
	fi
	TMPDIR=$SCRATCH/tmp plugpkg recover >recovered 2>&1 || { complain "recover fails"; return; }
	# shellcheck disable=SC2086 # words on purpose
	[ "$goes_on" = no ] || plugpkg $command >recovered 2>&1 || { complain "it cannot go on"; return; }
	if ! is_old_or_new; then
		complain "neither the old nor the new root"
		return
	fi
	[[ $how != @(kill|after) ]] || judge_temporary
	find "$PLUGPKG_ROOT/var/staging" "$PLUGPKG_ROOT" -maxdepth 1 -path '*/staging/*' -o -name '.*.new' >left
	[ ! -s left ] || complain "left in the root: $(tr '\n' ' ' <left)"
	! cmp -s now new || n_new=$((n_new + 1))
	[ "$ready" != settle ] || judge_known
	((n_judged++ % 4 == 0)) || return
	plugpkg check >checked 2>&1 || complain "check finds something"
	! plugpkg is-installing >/dev/null 2>&1 || complain "it is installing"
	cmp -s now old && ! cmp -s old new || return
	# shellcheck disable=SC2086 # words on purpose
	plugpkg $command </dev/null >recovered 2>&1
	[ $? = "$status" ] || complain "the same command does not work after it"
}

# A script that lost its plugpkg may have children that still write; only the next plugpkg ends them.
end_script() {
	local group
	group=$(sed -n '2s/.*"script":\([0-9]*\).*/\1/p' "$PLUGPKG_ROOT/var/lock" 2>/dev/null)
	[ -n "$group" ] || return
	kill -9 -- "-$group" 2>/dev/null
	while kill -0 -- "-$group" 2>/dev/null; do sleep 0.01; done
}

# The recovery of what happened at N is killed at every `again`-th of its points, too.
break_again() {
	local m
	end_script
	save broken
	for ((m = n % again + 1; ; m += again)); do
		restore broken
		at="$n, its recovery at $m"
		broken "PLUGPKG_CRASH_AT=$m" plugpkg recover
		[ $? = 137 ] || break
		n_points=$((n_points + 1))
		judge
	done
}

# How often there is something to break in an undisturbed run: last. Of system calls, in that process
# that makes the most: strace counts for each.
count() {
	rm -f points
	$ready
	# shellcheck disable=SC2086 # words on purpose
	case $how in
	*=*) strace -f -qq -o points -e "trace=${how%=*}" $program $command </dev/null >out 2>&1 ;;
	*) PLUGPKG_COUNT_POINTS=$SCRATCH/points $program $command </dev/null >out 2>&1 ;;
	esac
	left_with=$?
	case $how in
	*=*) last=$(awk '/\(/ && ++n[$1] > most { most = n[$1] } END { print most + 0 }' points) ;;
	*)
		last=$(stat -c %s points 2>/dev/null || echo 0)
		[ "$last" -gt 3 ] || [ "$is_question" = yes ] || { echo "no failpoints in this build"; exit 1; }
		;;
	esac
}

run_scenario() {
	scenario=$1 n_new=0 n_points=0 n_judged=0 at="no point"
	begin "$scenario" >out 2>&1 || { cat out >&2; exit 1; }
	put_by
	look >old
	count
	[ "$left_with" = "$status" ] || { cat out >&2; echo "undisturbed $scenario leaves with $left_with"; exit 1; }
	look >new
	grep -v '^warning: ' out >answer
	# Where there are few, as of some system calls, all of them.
	if [ "$last" -le 8 ]; then n=1 step=1; else n=$first step=$every; fi
	for (( ; n <= last; n += step)); do
		at=$n
		get_back
		disturb "$n"
		case $how in
		kill | after) [ "$left_with" = 137 ] || continue ;;
		*) judge_answer ;;
		esac
		if [ "$again" -gt 0 ]; then
			break_again
		else
			n_points=$((n_points + 1))
			judge
		fi
	done
	echo "$scenario: $n_points of $last points ($how), $((n_points - n_new)) ended old, $n_new new, $SECONDS s"
	total=$((total + n_points))
}

total=0
failures=0
for scenario in "${scenarios[@]}"; do
	run_scenario "$scenario"
done
echo "$total points, $failures failures"
[ "$failures" = 0 ]
