# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Long answers on a terminal go through PAGER, and nowhere else.

setup() {
	load ../helpers
	setup_scratch
	need python3
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	plugpkg install user -y >/dev/null
	export TERM=xterm
}

# on_terminal COMMAND...: its output with a terminal for everything.
on_terminal() {
	run timeout 60 python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
		"$@" </dev/null
}

@test "search, history and log go through PAGER on a terminal" {
	local command
	export PAGER='sed "s/^/paged: /"'
	for command in "search user" history "history show 1" log; do
		# shellcheck disable=SC2086 # words of a command
		on_terminal plugpkg $command
		assert_status 0
		assert_has "paged: "
	done
	on_terminal plugpkg search user
	assert_has "user" "1.0.0"
	on_terminal plugpkg list
	assert_lacks paged
}

@test "no pager in a pipe, in JSON, on a dumb terminal, nor when PAGER is empty or cat" {
	export PAGER='sed "s/^/paged: /"'
	run plugpkg history
	assert_lacks paged
	on_terminal plugpkg history --json
	assert_lacks paged
	TERM=dumb on_terminal plugpkg history
	assert_lacks paged
	PAGER='' on_terminal plugpkg history
	assert_lacks paged
	assert_has install
	PAGER="cat" on_terminal plugpkg history
	assert_has install
}

@test "a pager that ends early or is not there is no failure, and LESS is set for it" {
	PAGER="true" on_terminal plugpkg log
	assert_status 0
	PAGER=no-such-program on_terminal plugpkg log
	assert_status 0
	# shellcheck disable=SC2016 # the pager expands it
	PAGER='echo "LESS is $LESS"' on_terminal plugpkg history
	assert_has "LESS is FRX"
	# shellcheck disable=SC2016 # the same
	LESS=M PAGER='echo "LESS is $LESS"' on_terminal plugpkg history
	assert_has "LESS is M"
}
