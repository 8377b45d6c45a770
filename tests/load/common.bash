# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the scripts of this directory share: a scratch directory with the makers of the tests, and
# options of the form --NAME NUMBER.

bats_require_minimum_version() { :; }
BATS_TEST_DIRNAME=$(cd "$(dirname "$0")/../e2e" && pwd)
BATS_TEST_TMPDIR=$(mktemp -d) || exit 1
trap 'rm -rf "$BATS_TEST_TMPDIR"' EXIT
# shellcheck source=../helpers.bash
. "$BATS_TEST_DIRNAME/../helpers.bash"
setup_scratch

failures=0

# complain WHAT [FILE...]: a failure, with the end of what the files hold.
complain() {
	failures=$((failures + 1))
	echo "FAILED: $1"
	shift
	tail -qn 10 "$@" 2>/dev/null | sed 's/^/    /'
}

# read_options NAMES... -- ARGUMENTS...: sets the variable of each --NAME NUMBER.
read_options() {
	local names=" "
	while [ "$1" != -- ]; do
		names+="$1 "
		shift
	done
	shift
	while [ $# -ge 2 ] && [[ $names == *" ${1#--} "* && $1 == --* && $2 =~ ^[0-9]+$ ]]; do
		declare -g "${1#--}=$2"
		shift 2
	done
	[ $# = 0 ] || {
		echo "options are a number each:${names}, not '$*'" >&2
		exit 2
	}
}

# finish TEXT: the last line, and the status.
finish() {
	echo "$1, $failures failures, $SECONDS s"
	exit $((failures > 0))
}
