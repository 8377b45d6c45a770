#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Many at once, and very many changes: a sample of what `make load` does at full size.

setup() {
	load ../helpers
	setup_scratch
	need jq
}

@test "clients that update and install while their mirror is published to and copied see one state whole" {
	need nginx python3
	run bash "$top_srcdir/tests/load/clients.sh" --clients 6 --at_once 3
	assert_status 0
	assert_has "6 clients, " " 0 failures"
}

@test "plugpkgs on one root at once are all done, one after the other, or say who holds the lock" {
	run bash "$top_srcdir/tests/load/queue.sh" --count 12
	assert_status 0
	assert_has "12 at once: " " 0 failures"
}

@test "a hundred changes through the command line: the root is whole, and works on after clean" {
	run bash "$top_srcdir/tests/load/transactions.sh" --count 100 --every 50
	assert_status 0
	assert_has "transactions, 0 failures"
}
