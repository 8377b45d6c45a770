#!/bin/sh
# SPDX-License-Identifier: MIT
# run-bats.sh FILE.bats: runs one file for the TAP driver. Without bats the file is a visible skip,
# in CI an error; a file that hangs is killed.
set -u
file=$1

if ! command -v bats >/dev/null 2>&1; then
	if [ -n "${CI:-}" ]; then
		echo "Bail out! bats is not installed"
		exit 1
	fi
	echo "1..0 # SKIP bats is not installed"
	exit 0
fi

# ram: a directory in memory, where programs can be run and there is room: a test waits for no disk then.
ram() {
	free=$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)
	[ "${free:-0}" -gt 2000000 ] || return 1
	probe=$(mktemp /dev/shm/plugpkg-XXXXXX 2>/dev/null) || return 1
	printf '#!/bin/sh\n' >"$probe" && chmod 755 "$probe" && "$probe" 2>/dev/null && rm "$probe" &&
		echo /dev/shm && return 0
	rm -f "$probe"
	return 1
}

# Each case has its own directory below this one; short, because sockets have to fit in.
scratch=$(mktemp -d "${TMPDIR:-$(ram || echo /tmp)}/plugpkg-XXXXXX") || exit 1
# Which files make the suite long: grep -h '^# took' build/tests/e2e/*.log | sort -n -k 3
start=$(date +%s)
cleanup() {
	times >"$scratch/times"
	echo "# took $(($(date +%s) - start)) s; $(tail -n 1 "$scratch/times") (user, system)" \
		"${file##*/}"
	chmod -R u+rwX "$scratch" 2>/dev/null
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export TMPDIR="$scratch" BATS_TMPDIR="$scratch" PLUGPKG_TEST_TMPDIR="$scratch"
timeout --kill-after=10 "${PLUGPKG_TEST_TIMEOUT:-1200}" \
	bats --tap "$file"
