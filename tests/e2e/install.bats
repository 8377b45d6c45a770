#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# From a repository to an installed plugin: what is on disk, what is recorded, what is refused.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin user 2.1.0 >/dev/null
	make_plugin @acme/animal 1.4.0 '"requires": {"user": "^2.1"}, "recommends": {"photos": "*"}' >/dev/null
	make_plugin photos 1.0.0 >/dev/null
	publish "$(build_plugin user 2.1.0)" "$(build_plugin @acme/animal 1.4.0)" \
		"$(build_plugin photos 1.0.0)"
	make_root
}

@test "install brings a plugin, what it requires and what it recommends" {
	run plugpkg install @acme/animal -y
	assert_status 0
	assert_link "$PLUGPKG_ROOT/current" generations/1
	assert_link "$PLUGPKG_ROOT/current/@acme/animal" ../../../store/@acme/animal/1.4.0
	assert_link "$PLUGPKG_ROOT/current/user" ../../store/user/2.1.0
	assert_link "$PLUGPKG_ROOT/store/user/current" ../../current/user
	assert_installed photos 1.0.0
	assert_equal "$(cat "$PLUGPKG_ROOT/store/user/current/payload.txt")" "user 2.1.0"
	assert_equal "$(stat -c %a "$PLUGPKG_ROOT/store/user/2.1.0/payload.txt")" 444
	run plugpkg check
	assert_status 0
}

@test "wishes go to plugpkg.json, facts to plugpkg.lock, the rest stays as it was" {
	jq '. + {"mine": {"b": 1, "a": 2}}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	plugpkg install @acme/animal -y
	plugpkg install user@^2 -y || true
	assert_equal "$(jq -c .plugins "$PLUGPKG_ROOT/plugpkg.json")" '{"@acme/animal":"*","user":"^2"}'
	assert_equal "$(jq -c .mine "$PLUGPKG_ROOT/plugpkg.json")" '{"b":1,"a":2}'
	assert_equal "$(jq -r '.plugins | keys | join(" ")' "$PLUGPKG_ROOT/plugpkg.lock")" \
		"@acme/animal photos user"
	assert_equal "$(jq -r '.plugins.user.sha256' "$PLUGPKG_ROOT/plugpkg.lock")" \
		"$(sha256sum user-2.1.0.plug | cut -d' ' -f1)"
	assert_equal "$(jq -r '.plugins.user.version' "$PLUGPKG_ROOT/current/.plugins.json")" 2.1.0
}

@test "installing what is there already is nothing to do" {
	plugpkg install user -y
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg install user -y
	assert_status 0
	assert_has "Nothing to do"
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "an automatic plugin that is asked for becomes manual" {
	plugpkg install @acme/animal -y
	run plugpkg install user -y
	assert_status 0
	assert_equal "$(plugpkg list --manual --json | jq -r 'select(.type == "plugin").name')" \
		"@acme/animal
user"
}

@test "--dry-run shows the plan and changes no byte" {
	plugpkg install user --dry-run
	find "$PLUGPKG_ROOT" -printf '%p %s %T@ %l\n' | sort >before
	run plugpkg install @acme/animal --dry-run
	assert_status 0
	assert_has "@acme/animal" "user" "photos"
	find "$PLUGPKG_ROOT" -printf '%p %s %T@ %l\n' | sort | diff before -
}

@test "without a terminal and without -y it stops with 11" {
	run plugpkg install user </dev/null
	assert_status 11
	assert_not_installed user
}

@test "--no-recommends leaves them out" {
	run plugpkg install @acme/animal -y --no-recommends
	assert_status 0
	assert_not_installed photos
}

@test "an unknown plugin is answered with near names" {
	run plugpkg install usr -y
	assert_status 4
	assert_has "usr" "user" "[not-found]"
	run plugpkg install user@9 -y
	assert_status 4
	assert_has "user" "9"
	run plugpkg install 'user@not a range' -y
	assert_status 2
	assert_has "[bad-range]"
}

@test "--json answers with steps, a transaction and a result" {
	run --separate-stderr plugpkg install user -y --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "step") | .action + " " + .name + " " + .version')" \
		"install user 2.1.0"
	assert_equal "$(json_get 'select(.type == "transaction") | .status')" "done"
	assert_equal "$(json_get 'select(.type == "result") | .ok')" true
	assert_equal "$(tail -n 1 <<<"$output" | jq -r .type)" result
}

@test "--reinstall does it again in a new generation" {
	plugpkg install user -y
	run plugpkg install user --reinstall -y
	assert_status 0
	assert_link "$PLUGPKG_ROOT/current" generations/2
	assert_installed user 2.1.0
}

@test "link uses a directory in place, and the next install replaces it" {
	run plugpkg link "$(plugin_dir user 2.1.0)" -y
	assert_status 0
	assert_link "$PLUGPKG_ROOT/current/user" "$(plugin_dir user 2.1.0)"
	echo changed >"$(plugin_dir user 2.1.0)/payload.txt"
	assert_equal "$(cat "$PLUGPKG_ROOT/current/user/payload.txt")" changed
	assert_equal "$(plugpkg list --json | jq -r 'select(.type == "plugin") | .source + " " + .linked_from')" \
		"link $(plugin_dir user 2.1.0)"
	run plugpkg check
	assert_status 0
	run plugpkg link "$SCRATCH/nowhere" -y
	assert_status 4
}

@test "a path where a name belongs is explained" {
	run plugpkg upgrade ./user-2.1.0.plug -y
	assert_status 2
	assert_has "is a path"
}

@test "a requirement on the host is held against what the application provides" {
	make_plugin cms 1.0.0 '"requires": {"host:demo": ">=2"}' >/dev/null
	publish "$(build_plugin cms 1.0.0)"
	plugpkg update
	jq '.provides = {"host:demo": "1.5.0"}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg install cms -y
	assert_status 3
	assert_has "host:demo" "1.5.0"
	jq '.provides = {"host:demo": "2.0.0"}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg install cms -y
	assert_status 0
}

@test "a plan that is older than the root is made again" {
	# Two plans on one root: the second waits for the lock while the first changes the root.
	mkfifo gate
	dir=$(make_plugin slow 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "echo >'$SCRATCH/begun'; cat '$SCRATCH/gate' >/dev/null"
	plugpkg link "$dir" -y >/dev/null 2>&1 3>&- &
	first=$!
	until [ -e begun ]; do sleep 0.05; done
	plugpkg install user -y >second.out 2>&1 3>&- &
	second=$!
	until grep -q waiting second.out; do sleep 0.05; done
	echo >gate
	wait "$first"
	status=0
	wait "$second" || status=$?
	assert_equal "$status" 0
	grep -q "waiting for process .* (plugpkg link" second.out
	grep -q "has changed meanwhile" second.out
	assert_link "$PLUGPKG_ROOT/current/slow" "$dir"
	assert_exists "$PLUGPKG_ROOT/current/user"
}

@test "a mark for what leaves meanwhile is planned again, and brings it" {
	mkfifo gate
	dir=$(make_plugin slow 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "echo >'$SCRATCH/begun'; cat '$SCRATCH/gate' >/dev/null"
	publish "$(build_plugin slow 1.0.0)"
	jq '.sandbox = false' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	plugpkg update
	plugpkg install @acme/animal -y
	plugpkg install slow @acme/animal- user- -y >first.out 2>&1 3>&- &
	first=$!
	until [ -e begun ]; do sleep 0.05; done
	plugpkg install user -y >second.out 2>&1 3>&- &
	second=$!
	until grep -q waiting second.out; do sleep 0.05; done
	grep -q "0 new" second.out
	echo >gate
	wait "$first"
	wait "$second"
	grep -q "has changed meanwhile" second.out
	assert_installed user 2.1.0
	run plugpkg check
	assert_status 0
}

# shown TEXT: once it stands in plan.txt; fails when it does not come.
shown() {
	local i
	for ((i = 0; i < 200; i++)); do
		if grep -q "$1" plan.txt 2>/dev/null; then return 0; fi
		sleep 0.05
	done
	return 1
}

@test "a range that is written into plugpkg.json while a plan waits for its answer is planned with, and stays" {
	need script
	mkfifo answers
	(script -qefc "plugpkg install user" plan.txt <answers >/dev/null 2>&1) 3>&- &
	exec 5>answers
	shown Continue
	jq '.plugins.user = "=2.1.0"' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	echo y >&5
	shown "has changed meanwhile"
	echo y >&5
	exec 5>&-
	wait
	assert_installed user 2.1.0
	assert_equal "$(jq -r .plugins.user "$PLUGPKG_ROOT/plugpkg.json")" "=2.1.0"
}

@test "a version of the application that is written into plugpkg.json while a plan waits is planned with" {
	need script
	jq '.provides."host:demo" = "1.0.0"' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	publish "$(build_plugin guest 1.0.0 '"requires": {"host:demo": "^1"}')"
	plugpkg update
	mkfifo answers
	(script -qefc "plugpkg install guest" plan.txt <answers >/dev/null 2>&1) 3>&- &
	exec 5>answers
	shown Continue
	jq '.provides."host:demo" = "2.0.0"' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	echo y >&5
	shown "has changed meanwhile"
	exec 5>&-
	wait
	grep -q "guest .*host:demo" plan.txt
	assert_not_installed guest
}

@test "who asks for a virtual name has asked for the plugin that came along for it" {
	publish "$(build_plugin find-a 1.0.0 '"provides": {"search": "1.0"}')" \
		"$(build_plugin site 1.0.0 '"requires": {"search": "*"}')"
	plugpkg update
	plugpkg install site -y
	run -0 plugpkg install search -y
	assert_has "Installed already, and asked for from now on:" "find-a"
	assert_equal "$(jq -c '.plugins' "$PLUGPKG_ROOT/plugpkg.json")" '{"site":"*","find-a":"*"}'
	plugpkg remove site -y
	run -0 plugpkg autoremove -y
	assert_installed find-a 1.0.0
}
