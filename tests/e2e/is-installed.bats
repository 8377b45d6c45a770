#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# is-installed answers from the state, without a script or a lock; --ask hears the plugin itself.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	local dir
	dir=$(make_plugin user 2.1.0 '"scripts": {"install": "scripts/install.sh", "verify": "scripts/verify.sh"}')
	add_script "$dir" install "echo install >>'$SCRATCH/calls'; touch '$SCRATCH/table'"
	add_script "$dir" verify "echo verify >>'$SCRATCH/calls'; [ -e '$SCRATCH/table' ] || { echo table is gone; exit 1; }"
	make_plugin solo 1.0.0 >/dev/null
	publish "$(build_plugin user 2.1.0)" "$(build_plugin solo 1.0.0)"
	make_root
	plugpkg install user solo -y
	rm -f calls
}

@test "exit 0 when all are installed, 1 when one is not, and no script runs" {
	run plugpkg is-installed user
	assert_status 0
	assert_equal "$output" "user: 2.1.0 is installed."
	run plugpkg is-installed user solo
	assert_status 0
	run plugpkg is-installed user nobody
	assert_status 1
	assert_has "nobody is not installed."
	run plugpkg is-installed -q nobody
	assert_status 1
	assert_equal "$output" ""
	assert_missing calls
}

@test "a range is part of the question" {
	run plugpkg is-installed user@^2
	assert_status 0
	run plugpkg is-installed 'user@>=3'
	assert_status 1
	run plugpkg is-installed user@nonsense
	assert_status 2
	run plugpkg is-installed 'No Name'
	assert_status 2
	run plugpkg is-installed
	assert_status 2
}

@test "the answer comes with the application's database down, and while a transaction runs" {
	rm table
	run plugpkg is-installed user
	assert_status 0
	dir=$(make_plugin slow 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "touch '$SCRATCH/begun'; while [ ! -e '$SCRATCH/go' ]; do sleep 0.05; done"
	publish "$(build_plugin slow 1.0.0)"
	plugpkg update
	plugpkg install slow -y >slow.out 2>&1 3>&- &
	installer=$!
	until [ -e begun ]; do sleep 0.05; done
	run plugpkg is-installed user --no-wait
	assert_status 0
	run plugpkg is-installed slow
	assert_status 1
	touch go
	wait "$installer"
	run plugpkg is-installed slow
	assert_status 0
}

@test "--ask hears what the plugin says of itself" {
	run plugpkg is-installed user solo --ask
	assert_status 0
	assert_equal "$(cat calls)" verify
	rm table
	run plugpkg is-installed user --ask
	assert_status 1
	assert_has "user is not installed." "table is gone"
	run plugpkg is-installed user solo nobody --ask --json
	assert_status 1
	assert_equal "$(json_get 'select(.type == "installed") | [.name, .installed, .verified] | map(tostring) | join(" ")')" \
		"user false false
solo true null
nobody false null"
}

@test "mark --not-installed says no until repair has run install again" {
	run plugpkg mark --not-installed user
	assert_status 0
	assert_has "counts as not installed" "plugpkg repair user"
	run plugpkg is-installed user
	assert_status 1
	assert_installed user 2.1.0
	run plugpkg check
	assert_status 1
	assert_has "user: 2.1.0 counts as not installed; plugpkg repair user installs it again"
	rm -f calls
	run plugpkg repair user
	assert_status 0
	assert_has "user: 2.1.0 is installed again"
	assert_equal "$(cat calls)" "install
verify"
	run plugpkg is-installed user
	assert_status 0
	run plugpkg check
	assert_status 0
	run plugpkg mark --not-installed nobody
	assert_status 4
	run plugpkg mark --not-installed
	assert_status 2
	run plugpkg mark
	assert_status 2
	run plugpkg mark autoo user
	assert_status 2
	run plugpkg mark auto --json user
	assert_status 0
}

@test "when a command returns, what the state says and what the plugins say agree" {
	agree() {
		run plugpkg is-installed "$1"
		state=$status
		run plugpkg is-installed --ask "$1"
		assert_equal "$status" "$state"
		assert_equal "$state" "$2"
	}
	agree user 0
	plugpkg remove user -y
	agree user 1
	plugpkg install user -y
	agree user 0
	dir=$(make_plugin bad 1.0.0 '"requires": {"user": "*"},
		"scripts": {"install": "scripts/install.sh", "verify": "scripts/verify.sh"}')
	add_script "$dir" install 'exit 1'
	add_script "$dir" verify 'exit 0'
	publish "$(build_plugin bad 1.0.0)"
	plugpkg update
	run plugpkg install bad -y
	assert_status 7
	agree bad 1
	agree user 0
}

@test "a verify that cannot tell is neither a yes nor a no" {
	local way dir
	dir=$(make_plugin odd 1.0.0 '"timeout": 1, "scripts": {"verify": "scripts/verify.sh"}')
	add_script "$dir" verify "[ -e '$SCRATCH/well' ] || { echo no database; . '$SCRATCH/way'; }"
	publish "$(build_plugin odd 1.0.0)"
	plugpkg update
	plugpkg install odd -y
	for way in "exit 3" "exit 127" "kill -SEGV \$\$" "exec ./missing" "sleep 30"; do
		echo "$way" >way
		run plugpkg is-installed --ask odd solo
		assert_status 7
		assert_has "odd: 1.0.0 is installed, as far as the state knows." "solo: 1.0.0 is installed." \
			"odd 1.0.0 cannot tell whether it is installed" "no database" "[script-failed]"
		run plugpkg is-installed odd
		assert_status 0
	done
	run plugpkg is-installed --ask odd solo --json
	assert_equal "$(json_get 'select(.type == "installed") | "\(.name) \(.installed) \(.verified)"')" "odd true null
solo true null"
	touch well
	run plugpkg is-installed --ask odd --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "installed").verified')" true
}
