# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What every .bats file loads: a scratch directory for each case, the built programs on PATH, plugins
# made on the spot, assertions that say what they saw.
#
#	setup() { load ../helpers; setup_scratch; }
#
# In a test: one assertion a line; `a && b` in the middle and a bare `! cmd` never fail a case.

bats_require_minimum_version 1.5.0

# For files run by hand (bats tests/e2e/x.bats); make check exports them.
: "${top_srcdir:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
: "${top_builddir:=$top_srcdir/build}"
: "${PLUGPKG_LIBEXEC:=$top_builddir}"
export top_srcdir top_builddir PLUGPKG_LIBEXEC
case :$PATH: in
*":$top_builddir:"*) ;;
*)
	export PATH=$top_builddir:$PATH
	;;
esac

# The scripts of the tests' plugins write down in scratch directories that they ran.
export PLUGPKG_WRITABLE=${BATS_RUN_TMPDIR-}

# For plugin scripts, whose environment is clean: libtool's wrappers need nothing of ours.
# shellcheck disable=SC2034 # used by the tests
PLUGPKG_PROGRAM=$top_builddir/plugpkg

# SCRATCH is the case's own directory and the working directory. HOME and the XDG directories are
# below it; PLUGPKG_ROOT names SCRATCH/root, which does not exist yet.
setup_scratch() {
	SCRATCH=$(cd "$BATS_TEST_TMPDIR" && pwd -P)
	HOME=$SCRATCH/home
	PLUGPKG_ROOT=$SCRATCH/root
	mkdir -p "$HOME"
	unset PLUGPKG_REPO PLUGPKG_NOW SOURCE_DATE_EPOCH NO_COLOR XDG_CONFIG_HOME XDG_CACHE_HOME \
		XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR http_proxy https_proxy all_proxy HTTP_PROXY \
		HTTPS_PROXY ALL_PROXY NETRC SSL_CERT_FILE PAGER
	TERM=dumb
	export SCRATCH HOME PLUGPKG_ROOT TERM
	cd "$SCRATCH" || return 1
	watch_leftovers
}

# watch_leftovers: the log names what still runs after the teardown of a case, or lies beside its own
# directory then; with PLUGPKG_LEFTOVERS=fail the case fails. Temporary directories of scripts may stay
# where plugpkg was killed, or its disk failed for good.
# shellcheck disable=SC2317 # bats calls teardown
watch_leftovers() {
	if [ -z "${BATS_TEST_NAME-}" ] || declare -F own_teardown >/dev/null; then return 0; fi
	eval "own_$(declare -f teardown)"
	teardown() {
		local rc=0 left
		own_teardown || rc=$?
		cd /
		left=$(what_runs && what_lies_around)
		[ -z "$left" ] || echo "# left by '$BATS_TEST_DESCRIPTION': ${left//$'\n'/; }" >&3
		[ -z "$left" ] || [ "${PLUGPKG_LEFTOVERS-}" != fail ] || rc=1
		return "$rc"
	}
}

# left_running: the processes that work in the case's directory, or were started with its name among
# their arguments or in their environment; but not those that ask.
left_running() {
	local path pid up=$BASHPID own=" " key value
	while [ "$up" -gt 1 ]; do
		own+="$up "
		while read -r key value; do [ "$key" != PPid: ] || up=$value; done <"/proc/$up/status"
	done
	for path in $(env -i "$(type -P grep)" -slF -- "$SCRATCH" /proc/[0-9]*/{environ,cmdline}); do
		pid=${path#/proc/}
		pid=${pid%%/*}
		# Not grep itself.
		[[ ! -d /proc/$pid || $own == *" $pid "* ]] || echo "$pid"
	done
	[[ $(readlink /proc/[0-9]*/cwd) == *"$SCRATCH"* ]] || return 0
	for path in /proc/[0-9]*; do
		[[ $(readlink "$path/cwd") != "$SCRATCH"* || $own == *" ${path#/proc/} "* ]] || echo "${path#/proc/}"
	done
}

# what_runs: what was told to end gets a while for that.
what_runs() {
	local pids pid command end=$((SECONDS + 2))
	while pids=$(left_running) && [ -n "$pids" ] && [ "$SECONDS" -lt "$end" ]; do sleep 0.05; done
	for pid in $pids; do
		command=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")
		[ -z "$command" ] || echo "process $command"
	done
}

# what_lies_around: run-bats.sh gives each file a TMPDIR, where bats has one directory.
what_lies_around() {
	local path
	[ -n "${PLUGPKG_TEST_TMPDIR-}" ] || return 0
	for path in "$PLUGPKG_TEST_TMPDIR"/* "$PLUGPKG_TEST_TMPDIR"/.[!.]*; do
		[[ $path != "$PLUGPKG_TEST_TMPDIR"/bats-run-* && -e $path ]] || continue
		echo "$path"
		rm -rf "$path"
	done
}

# ---- plugins ---------------------------------------------------------------------------------

# Where make_plugin puts NAME VERSION: SCRATCH/plugins/NAME-VERSION, the / of a scope as -.
plugin_dir() {
	local flat=${1#@}
	echo "$SCRATCH/plugins/${flat//\//-}-$2"
}

# The archive that `plugpkg build` makes of NAME VERSION in the working directory.
archive_name() {
	local flat=${1#@}
	echo "${flat//\//-}-$2.plug"
}

# make_plugin NAME VERSION [MEMBERS]: a plugin's source directory; prints its path. MEMBERS are more
# members of plugin.json, as JSON: make_plugin animal 1.0.0 '"requires": {"user": "^2"}'
make_plugin() {
	local dir
	dir=$(plugin_dir "$1" "$2")
	mkdir -p "$dir"
	cat >"$dir/plugin.json" <<-END
		{
		  "name": "$1", "version": "$2", "summary": "Test plugin $1", "license": "MIT"${3:+,
		  $3}
		}
	END
	echo "$1 $2" >"$dir/payload.txt"
	echo "$dir"
}

# add_script DIR KIND [BODY]: writes DIR/scripts/KIND.sh, executable. Without a body the script appends
# "KIND NAME VERSION" to SCRATCH/calls. The manifest has to name it: "scripts": {"KIND": "scripts/KIND.sh"}
add_script() {
	mkdir -p "$1/scripts"
	{
		echo '#!/bin/sh'
		echo 'set -eu'
		# shellcheck disable=SC2016 # expands in the script
		echo "${3:-echo \"$2 \$PLUGPKG_NAME \$PLUGPKG_VERSION\" >>'$SCRATCH/calls'}"
	} >"$1/scripts/$2.sh"
	chmod 755 "$1/scripts/$2.sh"
}

# build_plugin NAME VERSION [MEMBERS]: make_plugin, built into SCRATCH; prints the archive's path.
build_plugin() {
	local dir
	dir=$(plugin_dir "$1" "$2")
	[ -d "$dir" ] || make_plugin "$@" >/dev/null
	(cd "$SCRATCH" && plugpkg build "$dir" >/dev/null) || return 1
	echo "$SCRATCH/$(archive_name "$1" "$2")"
}

# make_repo [DIR [NAME]]: a publisher directory with new keys and nothing in it.
make_repo() {
	plugpkg-repo init "${1:-$SCRATCH/repo}" --name "${2:-test}" >"${1:-$SCRATCH/repo}.init"
}

# publish ARCHIVE...: adds to SCRATCH/repo and publishes.
publish() {
	plugpkg-repo --repo "$SCRATCH/repo" add "$@" >/dev/null &&
		plugpkg-repo --repo "$SCRATCH/repo" publish >/dev/null
}

# make_root: a root that knows SCRATCH/repo as source "test" by its root key, up to date.
make_root() {
	plugpkg init "$PLUGPKG_ROOT" >/dev/null &&
		plugpkg source add test "file://$SCRATCH/repo/public" \
			--key "$SCRATCH/repo/public/metadata/1.root.json" >/dev/null &&
		plugpkg update >/dev/null
}

# ---- assertions ------------------------------------------------------------------------------

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# show_run: what the last `run` gave.
show_run() {
	printf 'status: %s\noutput:\n%s\n' "${status-}" "${output-}" >&2
	[ -z "${stderr-}" ] || printf 'stderr:\n%s\n' "$stderr" >&2
}

assert_status() {
	[ "$status" -eq "$1" ] || {
		show_run
		fail "wanted status $1"
	}
}

# assert_has TEXT...: the output of the last `run` (with --separate-stderr: also its errors) holds each.
assert_has() {
	local text
	for text; do
		[[ "$output"$'\n'"${stderr-}" == *"$text"* ]] || {
			show_run
			fail "wanted in the output: $text"
		}
	done
}

assert_lacks() {
	local text
	for text; do
		[[ "$output"$'\n'"${stderr-}" != *"$text"* ]] || {
			show_run
			fail "not wanted in the output: $text"
		}
	done
}

assert_equal() {
	[ "$1" = "$2" ] || fail "got:  $1" "want: $2"
}

assert_exists() {
	local path
	for path; do
		[ -e "$path" ] || [ -L "$path" ] || fail "missing: $path"
	done
}

assert_missing() {
	local path
	for path; do
		[[ ! -e $path && ! -L $path ]] || fail "should not exist: $path"
	done
}

assert_link() {
	[ -L "$1" ] || fail "not a symbolic link: $1"
	assert_equal "$(readlink "$1")" "$2"
}

# assert_installed NAME VERSION: the current generation shows NAME in that version.
assert_installed() {
	[ -f "$PLUGPKG_ROOT/current/$1/plugin.json" ] || fail "not installed: $1"
	[[ $(readlink "$PLUGPKG_ROOT/current/$1") == *"store/$1/$2" ]] ||
		fail "$1 is $(readlink "$PLUGPKG_ROOT/current/$1"), wanted $2"
}

assert_not_installed() {
	local name
	for name; do
		assert_missing "$PLUGPKG_ROOT/current/$name"
	done
}

# tree_state DIR: one line for each path below DIR (kind, mode, size, link target), to compare before
# and after. Databases and the lock are left out: reading may touch them.
tree_state() {
	(cd "$1" && find . -path ./var -prune -o -printf '%y %m %s %p %l\n' | LC_ALL=C sort)
}

# json_get EXPRESSION: jq over the rows of the last `run`.
json_get() {
	jq -r "$1" <<<"$output"
}

# ---- programs of others ----------------------------------------------------------------------

# need PROGRAM...: skips the case where one is missing; in CI that is a failure.
need() {
	local program
	for program; do
		command -v "$program" >/dev/null 2>&1 && continue
		[ -z "${CI:-}" ] || fail "$program is not installed, and this is CI"
		skip "$program is not installed"
	done
}

# takes_minutes: left out where PLUGPKG_TESTS=fast asks for it.
takes_minutes() {
	[ "${PLUGPKG_TESTS:-}" != fast ] || skip "takes minutes"
}

# is_plain_build: sanitizers and coverage make system calls and reserve memory of their own.
is_plain_build() {
	local file
	for file in "$(command -v plugpkg)" "$top_builddir/.libs/libplugpkg.so"; do
		if [ -f "$file" ] && grep -qaE '__(a|t|ub)san_|__gcov_' "$file"; then return 1; fi
	done
}

# plain_build: skips where strace, or what a sanitizer does under it, is in the way.
plain_build() {
	need strace jq
	strace -o /dev/null true || skip "no process may be traced here"
	is_plain_build || skip "this build makes system calls of its own"
}
