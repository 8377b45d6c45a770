# SPDX-License-Identifier: MIT
# What a command costs that has little to do: it is run at each start of the application. Counts of
# system calls, never times.

setup() {
	load ../helpers
	load servers
	setup_scratch
}

teardown() {
	stop_servers
}

# many_plugins: 24 in a root, of which three were asked for.
many_plugins() {
	local i
	make_repo
	for i in $(seq 24); do
		build_plugin "p$i" 1.0.0 "\"requires\": {$([ "$i" -le 3 ] || echo "\"p$((i - 3))\": \"*\"")}" >/dev/null
	done
	publish p*.plug
	make_root
	plugpkg install p22 p23 p24 -y >/dev/null
}

# without_loading: a trace without what it takes to find libraries and to map them. That belongs to
# the start of a program, also when it is done for a library that is needed later.
without_loading() {
	awk '/openat\(.*("\/etc\/ld\.so\.cache"|\.so(\.[0-9]+)*"), O_RDONLY/ { loads = 1 }
		loads && / (openat|read|pread64|newfstatat|mmap|mprotect|munmap|close)\(/ { next }
		{ loads = 0; print }'
}

# traced COMMAND...: TRACE holds its system calls from the first one of its own on.
traced() {
	TRACE=$SCRATCH/trace
	run strace -f -qq -e signal=none -o trace.all "$@"
	assert_status 0
	sed -n '/"\/dev\/null", O_RDWR/,$p' trace.all | without_loading >"$TRACE"
}

calls() {
	wc -l <"$TRACE"
}

at_most() {
	[ "$(calls)" -le "$1" ] || {
		cat "$TRACE" >&2
		fail "$(calls) system calls, wanted at most $1"
	}
}

@test "sync with nothing to do makes no more than 60 system calls, however many plugins there are" {
	plain_build
	many_plugins
	# The first one after a change looks at all of it and remembers that.
	sleep 0.2
	traced plugpkg sync
	assert_has "Nothing to do."
	assert_equal "$(grep -c clone "$TRACE")" 0
	at_most 80
	assert_exists "$PLUGPKG_ROOT/var/settled"
	traced plugpkg sync
	assert_has "Nothing to do."
	# Standard input is not ours to close.
	assert_equal "$(grep -c 'close([012])' "$TRACE")" 0
	at_most 60
	assert_equal "$(grep -c clone "$TRACE")" 0
}

@test "to install what is there asks the state only" {
	plain_build
	many_plugins
	traced plugpkg install p7 p24 -y
	assert_equal "$(jq -r .plugins.p7 "$PLUGPKG_ROOT/plugpkg.json")" "*"
	# The first one that relies on what it sees notes that for the next.
	sleep 0.2
	local calls
	for calls in 65 60; do
		traced plugpkg install p24 p22 -y
		assert_has "Nothing to do."
		at_most "$calls"
		run grep -cE 'clone|var/trust|var/cache' "$TRACE"
		assert_equal "$output" 0
		assert_exists "$PLUGPKG_ROOT/var/settled"
	done
}

@test "update starts its download helper before it loads anything that it needs itself" {
	plain_build
	need python3
	make_repo
	build_plugin a 1.0.0
	publish a-1.0.0.plug
	plugpkg init "$PLUGPKG_ROOT"
	serve web "$SCRATCH/repo/public"
	plugpkg source add web "$URL/" --key "$SCRATCH/repo/public/metadata/1.root.json"
	plugpkg update
	traced plugpkg update
	grep -q 'execve(.*plugpkg-fetch' trace.all
	grep -q libsqlite3 trace.all
	sed '/execve(.*plugpkg-fetch/,$d' trace.all >before
	run ! grep -E 'libsqlite3|libsolv|libzstd|libcrypto' before
}

@test "list looks into the state only" {
	plain_build
	many_plugins
	traced plugpkg list
	assert_equal "$(grep -c 1.0.0 <<<"$output")" 24
	at_most 65
}

# loads LIBRARY: whether who was traced did. Not all of its helpers are ours.
loads() {
	run grep -c "/$1" trace.all
	[ "$output" -gt 0 ]
}

@test "the solver is loaded by who plans or looks at signed files, and by nobody else" {
	plain_build
	many_plugins
	local command
	for command in list sync "install p24 -y" "is-installed p1" "why p1" "hold p1" history log; do
		# shellcheck disable=SC2086 # words
		traced plugpkg $command
		run ! loads libsolv
		run ! loads libzstd
	done
	traced plugpkg show p1
	loads libsolv
	traced plugpkg install p2@1.0.0 --dry-run
	loads libsolv
}

@test "libcrypto is loaded by who verifies or digests much, and by nobody else" {
	plain_build
	many_plugins
	local command
	for command in list sync "install p24 -y" "show p1" "show p1@^1" upgrade update "search p1"; do
		# shellcheck disable=SC2086 # words
		traced plugpkg $command
		run ! loads libcrypto
	done
	traced plugpkg check
	loads libcrypto
}

@test "what was verified is verified again when it changed, is lost, or comes from another plugpkg" {
	plain_build
	many_plugins
	local trust=$PLUGPKG_ROOT/var/trust/test
	sed -i '1s/plugpkg .*/plugpkg 0.0/' "$trust/verified"
	traced plugpkg show p1
	loads libcrypto
	traced plugpkg update
	loads libcrypto
	traced plugpkg show p1
	run ! loads libcrypto

	jq --indent 7 . "$trust/view/timestamp.json" >other
	cp other "$trust/view/timestamp.json"
	traced plugpkg show p1
	assert_has "1.0.0"
	loads libcrypto
	rm "$trust/verified"
	traced plugpkg update
	loads libcrypto
	traced plugpkg update
	run ! loads libcrypto
}
