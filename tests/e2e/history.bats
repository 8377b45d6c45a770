#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# History: every transaction with what it changed, every generation with its whole set.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin base 1.1.0 >/dev/null
	make_plugin mid 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	make_plugin top 1.0.0 '"requires": {"mid": "^1", "base": "^1"}' >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin base 1.1.0)" "$(build_plugin mid 1.0.0)" \
		"$(build_plugin top 1.0.0)"
	make_root
}

# changes N: "ACTION NAME [OLD ]VERSION" of transaction N
changes() {
	plugpkg history show "$1" --json | jq -r 'select(.type == "change") |
		[.action, .name, .old_version // empty, .version] | join(" ")'
}

@test "every transaction is listed, newest first, with command, status, generation and counts" {
	plugpkg install base@1.0.0 top -y
	plugpkg install base@1.1.0 -y
	plugpkg remove top -y
	run plugpkg history --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "history") |
		[.id, .status, .before, .generation, .install, .upgrade, .remove] | join(" ")')" \
		"3 done 2 3 0 0 1
2 done 1 2 0 1 0
1 done 0 1 3 0 0"
	assert_equal "$(changes 1)" "install base 1.0.0
install mid 1.0.0
install top 1.0.0"
	assert_equal "$(changes 2)" "upgrade base 1.0.0 1.1.0"
	assert_equal "$(changes last)" "remove top 1.0.0"
	run plugpkg history
	assert_has "3 installed" "1 upgraded" "1 removed" "install base@1.0.0"
	run plugpkg history list
	assert_status 0
	run plugpkg history show 2
	assert_has "Transaction 2: " "upgrade base 1.0.0 -> 1.1.0" "generation 2 after 1"
}

@test "of a command with very many names the history has whole names, and how many more there were" {
	local i wishes=()
	for ((i = 1000; i < 1600; i++)); do wishes+=("base@>=0.0.$i"); done
	plugpkg install "${wishes[@]}" -y
	run plugpkg history --json
	local command n
	command=$(json_get 'select(.type == "history").command')
	[[ $command =~ ^install(\ base@\>=0\.0\.1[0-9]{3})+\ \(and\ ([0-9]+)\ more\)$ ]] || fail "$command"
	n=${BASH_REMATCH[2]}
	assert_equal "$(grep -o base@ <<<"$command" | wc -l)" "$((600 - n))"
	[ "$n" -gt 0 ]
	run plugpkg history show 1
	assert_has "(and $n more)"
}

@test "a downgrade and a reinstall are told from an upgrade" {
	plugpkg install base -y
	plugpkg install base --reinstall -y
	plugpkg install base@1.0.0 --downgrade -y
	assert_equal "$(changes 2)" "reinstall base 1.1.0 1.1.0"
	assert_equal "$(changes 3)" "downgrade base 1.1.0 1.0.0"
}

@test "the tree says who is there because of whom" {
	plugpkg install top -y
	plugpkg remove top -y
	run plugpkg history show 1 --tree
	assert_status 0
	assert_has "Its generation:"
	assert_equal "$(sed -n '/Its generation/,$p' <<<"$output" | tail -n +2)" \
		"  top 1.0.0
    mid 1.0.0, dependency of top
      base 1.1.0, dependency of mid
    base 1.1.0, dependency of top (see above)"
	run plugpkg history show 1 --tree --json
	assert_equal "$(json_get 'select(.type == "member") |
		[.name, .depth, .because // "-", .manual, .repeated // false] | join(" ")')" \
		"top 0 - true false
mid 1 top false false
base 2 mid false false
base 1 top false true"
}

@test "the log of a transaction stands with it" {
	dir=$(make_plugin talker 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install 'echo hello from the script'
	publish "$(build_plugin talker 1.0.0)"
	plugpkg update
	plugpkg install talker -y
	plugpkg install base -y
	run plugpkg history show 1 --log
	assert_has "Its log:" "talker: hello from the script"
	assert_lacks "installing base"
}

@test "a transaction that failed is listed with what became of it, and changed nothing" {
	dir=$(make_plugin bad 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install 'exit 3'
	publish "$(build_plugin bad 1.0.0)"
	plugpkg update
	plugpkg install base -y
	run plugpkg install bad -y
	assert_status 7
	run plugpkg history --json
	assert_equal "$(json_get 'select(.type == "history" and .id == 2) |
		[.status, .install, .generation] | join(" ")')" "undone 0 1"
	assert_equal "$(changes 2)" ""
}

@test "holds, marks and sources are noted without a transaction" {
	export PLUGPKG_NOW=2026-11-21T12:00:00Z
	plugpkg install base -y
	plugpkg hold base --until 2026-12-24
	plugpkg unhold base
	plugpkg mark auto base
	plugpkg source remove test
	run plugpkg history --json
	assert_equal "$(json_get 'select(.type == "note") | [.command, .name // "-", .text] | join("|")' | head -n 4)" \
		"source remove test|-|source test was removed
mark auto base|base|counts as come along
unhold base|base|no longer held at 1.1.0
hold base|base|held at 1.1.0 until 2026-12-24T00:00:00Z"
	assert_equal "$(json_get 'select(.type == "note").text' | tail -n 1)" \
		"source test was added: file://$SCRATCH/repo/public, priority 500"
	assert_equal "$(json_get 'select(.type == "history").id')" 1
	run plugpkg history
	assert_has "held at 1.1.0"
}

@test "what was never there is not found, and nonsense is refused" {
	run plugpkg history
	assert_status 0
	run plugpkg history show 7
	assert_status 4
	assert_has "there is no transaction 7" "[not-found]"
	run plugpkg history show last
	assert_status 4
	for word in 0 -1 x 99999999999999999999; do
		run plugpkg history show -- "$word"
		assert_status 2
	done
	run plugpkg history shwo
	assert_status 2
	assert_has "did you mean"
	run plugpkg history show
	assert_status 2
}

@test "history stays when generations are cleaned" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	plugpkg clean
	assert_equal "$(changes 1)" "install base 1.0.0"
	assert_equal "$(changes 2)" "upgrade base 1.0.0 1.1.0"
}

@test "clean --before forgets what is older, but not how the remaining generations came about" {
	plugpkg install base@1.0.0 -y
	plugpkg install base@1.1.0 -y
	plugpkg install mid -y
	plugpkg install top -y
	later=$(($(date +%s) + 7200))
	run -0 env PLUGPKG_NOW=$later plugpkg clean --keep 1 --before "3 hours ago"
	assert_lacks "forgotten"
	run -0 env PLUGPKG_NOW=$later plugpkg clean --keep 1 --before "1 hour ago"
	assert_has "2 transactions forgotten"
	run -0 plugpkg history --json
	assert_equal "$(jq -r 'select(.type == "history") | "\(.id) \(.before) \(.generation)"' <<<"$output")" $'4 3 4\n3 2 3'
	run -4 plugpkg history show 1
	assert_equal "$(changes 3)" "install mid 1.0.0"
	assert_equal "$(plugpkg log --json | jq -r 'select(.transaction != null) | .transaction' | sort -u | tr '\n' ' ')" ""
	run -0 plugpkg check
	run -0 plugpkg rollback -y
	assert_not_installed top
	assert_installed mid 1.0.0
	run plugpkg rollback 1 -y
	assert_status 4
	run -0 plugpkg install top -y
}

@test "clean --before in the middle of the history does not blame one transaction for another's work" {
	plugpkg install base@1.0.0 -y
	plugpkg install mid -y
	plugpkg install top -y
	plugpkg rollback 1 -y
	rm -r root/generations/[023]
	run -0 env PLUGPKG_NOW=$(($(date +%s) + 7200)) plugpkg clean --keep 1 --before "1 hour ago"
	assert_has "2 transactions forgotten"
	assert_equal "$(changes 4)" "$(printf 'remove mid 1.0.0\nremove top 1.0.0')"
	plugpkg install mid -y
	plugpkg install top -y
	run -0 env PLUGPKG_NOW=$(($(date +%s) + 7200)) plugpkg clean --before "1 hour ago"
	assert_has "3 transactions forgotten"
	assert_equal "$(changes 6)" "install top 1.0.0"
}

@test "clean --before says when lines of the log do not go" {
	need sqlite3
	plugpkg install base -y
	sqlite3 root/var/log.db "CREATE TRIGGER no BEFORE DELETE ON log BEGIN SELECT raise(ABORT, 'no'); END"
	run -1 env PLUGPKG_NOW=$(($(date +%s) + 7200)) plugpkg clean --before "1 hour ago"
	assert_has "cannot delete lines of var/log.db"
}

@test "clean --before wants a time that it can read, and more than the cache" {
	plugpkg install base -y
	run -2 plugpkg clean --before "the other day"
	assert_has "the other day"
	run -2 plugpkg clean --cache --before "1 day ago"
	assert_equal "$(plugpkg history --json | jq -s 'map(select(.type == "history")) | length')" 1
}
