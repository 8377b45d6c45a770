#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The application's hooks: told before, activated, asked for its health, given its plugins back.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	dir=$(make_plugin a 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" install
	add_script "$dir" uninstall
	publish "$(build_plugin a 1.0.0)"
	make_root
	mkdir "$PLUGPKG_ROOT/bin"
	for hook in pre-transaction activate health rollback post-transaction; do
		cat >"$PLUGPKG_ROOT/bin/$hook" <<-END
			#!/bin/sh
			echo "\$PLUGPKG_HOOK \$(readlink "\$PLUGPKG_ROOT/current") \$*" >>'$SCRATCH/calls'
			[ ! -e '$SCRATCH/fail-$hook' ]
		END
		chmod 755 "$PLUGPKG_ROOT/bin/$hook"
	done
	tree_state "$PLUGPKG_ROOT" >before
}

# hooks JSON: the member "hooks" of plugpkg.json.
hooks() {
	jq --argjson hooks "$1" '.hooks = $hooks' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	tree_state "$PLUGPKG_ROOT" >before
}

all_hooks() {
	hooks '{"pre-transaction": "bin/pre-transaction one two", "activate": ["bin/activate", "with blank"],
		"health": {"run": "bin/health", "retries": 1, "wait": 10, "timeout": 5},
		"rollback": "bin/rollback", "post-transaction": "bin/post-transaction"}'
}

calls() {
	cat "$SCRATCH/calls" 2>/dev/null || true
}

@test "hooks are called in their places, around scripts and switch" {
	all_hooks
	run plugpkg install a -y
	assert_status 0
	assert_equal "$(calls)" "pre-transaction generations/0 one two
install a 1.0.0
activate generations/1 with blank
health generations/1 
post-transaction generations/1 "
	rm calls
	run plugpkg remove a -y
	assert_status 0
	assert_equal "$(calls)" "pre-transaction generations/1 one two
activate generations/2 with blank
health generations/2 
uninstall a 1.0.0
post-transaction generations/2 "
}

@test "an unhealthy application gets its old plugins back, and scripts are undone" {
	all_hooks
	touch fail-health
	run plugpkg install a -y
	assert_status 7
	assert_has "everything was undone" "the application is not healthy with the new plugins" \
		"hook 'health'" "[unhealthy]"
	assert_equal "$(calls)" "pre-transaction generations/0 one two
install a 1.0.0
activate generations/1 with blank
health generations/1 
health generations/1 
activate generations/0 with blank
uninstall a 1.0.0
rollback generations/0 "
	assert_not_installed a
	tree_state "$PLUGPKG_ROOT" | diff before -
	run plugpkg check
	assert_status 0
}

@test "an unhealthy application keeps what was to be removed; no uninstall script ran" {
	plugpkg install a -y
	all_hooks
	rm calls
	touch fail-health
	run plugpkg remove a -y
	assert_status 7
	assert_installed a 1.0.0
	assert_equal "$(grep -c uninstall calls)" 0
	run plugpkg check
	assert_status 0
}

@test "pre-transaction can forbid a change; nothing is called after it" {
	all_hooks
	touch fail-pre-transaction
	run plugpkg install a -y
	assert_status 7
	assert_has "hook 'pre-transaction'"
	assert_equal "$(calls)" "pre-transaction generations/0 one two"
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "a hook that cannot be started is named, with what helps: its mode, its first line, or nothing" {
	hooks '{"pre-transaction": "./pre"}'
	run plugpkg install a -y
	assert_status 7
	assert_has "cannot run './pre', hook 'pre-transaction' of the application: no such file"
	assert_lacks "first line" "chmod"
	printf '#!/no/such/interpreter\n' >"$PLUGPKG_ROOT/pre"
	chmod 644 "$PLUGPKG_ROOT/pre"
	run plugpkg install a -y
	assert_status 7
	assert_has "permission denied" "hint: make it executable: chmod +x '$PLUGPKG_ROOT/./pre'"
	assert_lacks "first line"
	chmod 755 "$PLUGPKG_ROOT/pre"
	run plugpkg install a -y
	assert_status 7
	assert_has "no such file" "hint: does its first line name an interpreter that exists"
	assert_lacks "chmod"
}

@test "a hook that hangs is killed after its time limit" {
	hooks '{"health": {"run": ["sleep", "100"], "timeout": 1, "retries": 0}}'
	run timeout 30 plugpkg install a -y
	assert_status 7
	assert_has "ran longer than its time limit of 1 s"
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "health over HTTP: 200 is healthy, anything else is not" {
	need python3
	mkdir www
	echo fine >www/health
	python3 -u -m http.server --bind 127.0.0.1 --directory www 0 >server.out 2>&1 3>&- &
	server=$!
	for ((i = 0; i < 100; i++)); do
		port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' server.out)
		[ -z "$port" ] || break
		sleep 0.05
	done
	hooks "{\"health\": \"http://127.0.0.1:$port/health?deep=1\"}"
	run plugpkg install a -y
	status_well=$status
	hooks "{\"health\": {\"url\": \"http://127.0.0.1:$port/missing\", \"retries\": 1, \"wait\": 10}}"
	run plugpkg remove a -y
	status_missing=$status output_missing=$output
	kill "$server"
	wait "$server" || true
	hooks "{\"health\": {\"url\": \"http://127.0.0.1:$port/health\", \"retries\": 0}}"
	run plugpkg remove a -y
	status_dead=$status
	assert_equal "$status_well $status_missing $status_dead" "0 7 7"
	[[ $output_missing == *"answers with status 404"* ]]
	grep -q 'GET /health?deep=1' server.out
	assert_installed a 1.0.0
}

@test "mistakes in hooks are refused before anything happens" {
	hooks '{"health": {"timeout": 5}}'
	run plugpkg install a -y
	assert_status 1
	assert_has "hooks.health" "[bad-config]"
	hooks '{"activate": ["bin/nowhere"]}'
	run plugpkg install a -y
	assert_status 7
	assert_has "hook 'activate'"
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "a lower version's scripts run when the higher one is no longer current, dependents first" {
	for version in 1.0.0 2.0.0; do
		for name in low high; do
			dir=$(make_plugin $name $version '"requires": {'"$([ $name = low ] || echo '"low": "*"')"'},
				"scripts": {"upgrade": "scripts/upgrade.sh", "post-install": [{"level": 0, "run": "scripts/post.sh"}]}')
			add_script "$dir" upgrade
			add_script "$dir" post
			publish "$(build_plugin $name $version)"
		done
	done
	plugpkg update
	plugpkg install low@1 high@1 -y
	plugpkg install low@2 high@2 -y
	all_hooks
	rm calls
	run plugpkg rollback -y
	assert_status 0
	assert_equal "$(grep -v transaction calls)" "activate generations/3 with blank
upgrade high 1.0.0
upgrade low 1.0.0
post low 1.0.0
post high 1.0.0
health generations/3 "
	plugpkg install low@2 high@2 -y
	touch fail-health
	rm calls
	run plugpkg rollback -y
	assert_status 7
	assert_equal "$(grep -v transaction calls | sed -n '/^health/,$p')" "health generations/5 
health generations/5 
upgrade low 2.0.0
upgrade high 2.0.0
activate generations/4 with blank
rollback generations/4 
post low 2.0.0
post high 2.0.0"
	assert_installed low 2.0.0
	run -0 plugpkg check
}

@test "killed while it tells of the end of a removal that stopped, plugpkg tells it again" {
	dir=$(make_plugin stays 1.0.0 '"scripts": {"uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" uninstall 'exit 1'
	publish "$(build_plugin stays 1.0.0)"
	plugpkg update
	plugpkg install stays -y
	cat >"$PLUGPKG_ROOT/bin/post-transaction" <<-END
		#!/bin/sh
		echo told >>'$SCRATCH/told'
		[ -e '$SCRATCH/killed' ] || { touch '$SCRATCH/killed'; kill -9 \$PPID; sleep 10; }
	END
	hooks '{"post-transaction": "bin/post-transaction"}'
	run plugpkg remove stays -y
	assert_status 137
	run -0 plugpkg recover
	assert_has "stays installed: stays"
	assert_equal "$(cat told)" "told
told"
	assert_installed stays 1.0.0
}

@test "a hook that cannot even be called on the way back keeps the transaction open until it can" {
	run env PLUGPKG_CRASH_AT=1 plugpkg clean
	[ "$status" -eq 137 ] || skip "needs --enable-failpoints"
	all_hooks
	touch fail-health
	cp -a "$PLUGPKG_ROOT" saved
	local n first=0 n_open=0
	# The disk fails from a moment on; before the application is called there is nothing to tell.
	PLUGPKG_COUNT_POINTS=$SCRATCH/points run plugpkg install a -y
	assert_status 7
	for ((n = 1; n <= $(stat -c %s points); n++)); do
		rm -rf "$PLUGPKG_ROOT" calls
		cp -a saved "$PLUGPKG_ROOT"
		PLUGPKG_FAIL_AT=$n+:EIO run plugpkg install a -y
		[[ $(calls) == *"activate generations/1"* ]] || continue
		[ "$first" -gt 0 ] || first=$n
		grep -q ^rollback calls || n_open=$((n_open + 1))
		run plugpkg recover
		assert_status 0
		assert_equal "$(grep ^activate calls | tail -n 1)" "activate generations/0 with blank"
		grep -q "^rollback generations/0" calls || fail "at $n" "$(cat calls)"
	done
	[ "$first" -gt 0 ]
	[ "$n_open" -gt 0 ]
}
