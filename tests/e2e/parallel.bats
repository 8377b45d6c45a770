#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Plugins that declare parallel majors: several at once, each dependent with its own.

# What a dependent's scripts see of the plugin that it is bound to.
sees_lib() {
	# shellcheck disable=SC2016 # expands in the script
	echo 'echo "'"$1"' $PLUGPKG_NAME $PLUGPKG_DEP_LIB $(cat "$PLUGPKG_DEP_LIB/payload.txt")" >>'"'$SCRATCH/calls'"
}

make_dependent() {
	local dir
	dir=$(make_plugin "$1" 1.0.0 "\"requires\": {\"lib\": \"$2\"},
		\"scripts\": {\"install\": \"scripts/install.sh\", \"uninstall\": \"scripts/uninstall.sh\"}")
	add_script "$dir" install "$(sees_lib install)"
	add_script "$dir" uninstall "$(sees_lib uninstall)"
	build_plugin "$1" 1.0.0
}

lib() {
	build_plugin lib "$1" '"parallel": "major"'
}

setup() {
	load ../helpers
	setup_scratch
	make_repo
	publish "$(lib 1.0.0)" "$(lib 2.0.0)" "$(make_dependent old ^1)" "$(make_dependent new ^2)" \
		"$(make_dependent any '*')" "$(build_plugin single 1.0.0)" "$(build_plugin single 2.0.0)" \
		"$(build_plugin one 1.0.0 '"requires": {"single": "^1"}')" \
		"$(build_plugin two 1.0.0 '"requires": {"single": "^2"}')"
	make_root
}

# assert_major KEY VERSION: current/KEY leads to that version.
assert_major() {
	assert_link "$PLUGPKG_ROOT/current/$1" "../../store/${1%@*}/$2"
}

assert_has_line() {
	grep -qxF -- "$2" "$1" || fail "no such line in $1: $2" "$(cat "$1")"
}

wanted() {
	jq -c .plugins "$PLUGPKG_ROOT/plugpkg.json"
}

listed() {
	jq -c "$1" "$PLUGPKG_ROOT/current/.plugins.json"
}

@test "two dependents have each their own major, in current/ and in their scripts" {
	run plugpkg install old new -y
	assert_status 0
	assert_has "lib@1" "lib@2"
	cd "$PLUGPKG_ROOT"
	assert_link current/lib ../../store/lib/2.0.0
	assert_link current/lib@2 ../../store/lib/2.0.0
	assert_link current/lib@1 ../../store/lib/1.0.0
	assert_equal "$(cat current/lib@1/payload.txt) $(cat current/lib/payload.txt)" "lib 1.0.0 lib 2.0.0"
	assert_equal "$(sort "$SCRATCH/calls")" \
		"install new $PLUGPKG_ROOT/store/lib/2.0.0 lib 2.0.0
install old $PLUGPKG_ROOT/store/lib/1.0.0 lib 1.0.0"
	assert_equal "$(listed '.plugins | keys')" '["lib@1","lib@2","new","old"]'
	assert_equal "$(listed '.plugins["lib@1"] | [.name, .version, .path]')" '["lib","1.0.0","store/lib/1.0.0"]'
	assert_equal "$(listed .plugins.old.dependencies)" \
		'{"lib":{"key":"lib@1","version":"1.0.0","path":"store/lib/1.0.0"}}'
	assert_equal "$(listed .plugins.new.dependencies.lib.key)" '"lib@2"'
	assert_equal "$(jq -c '.plugins | keys' plugpkg.lock)" '["lib@1","lib@2","new","old"]'
	run plugpkg check
	assert_status 0
	run plugpkg list
	assert_has "lib@1" "lib@2"
}

@test "a second major comes beside, and both stay wanted" {
	plugpkg install lib -y
	assert_equal "$(wanted)" '{"lib@2":"*"}'
	plugpkg install lib@^1 -y
	assert_equal "$(wanted)" '{"lib@2":"*","lib@1":"^1"}'
	assert_installed lib 2.0.0
	assert_major lib@1 1.0.0
	plugpkg install lib@1 -y
	assert_equal "$(wanted)" '{"lib@2":"*","lib@1":"*"}'
	run plugpkg autoremove -y
	assert_has "Nothing to do"
	run plugpkg list --manual --json
	assert_equal "$(json_get 'select(.type == "plugin") | .key')" "lib@1
lib@2"
}

@test "an upgrade stays in its major" {
	plugpkg install lib@1 lib@2 -y
	publish "$(lib 1.5.0)" "$(lib 2.5.0)" "$(lib 3.0.0)"
	plugpkg update
	run plugpkg list --upgradable --json
	assert_equal "$(json_get 'select(.type == "plugin") | .key + " " + .candidate')" "lib@1 1.5.0
lib@2 2.5.0"
	run plugpkg upgrade lib@1 -y
	assert_status 0
	assert_major lib@1 1.5.0
	assert_major lib@2 2.0.0
	run plugpkg upgrade -y
	assert_status 0
	assert_major lib@2 2.5.0
	assert_installed lib 2.5.0
	assert_missing "$PLUGPKG_ROOT/current/lib@3"
	run plugpkg check
	assert_status 0
}

@test "remove names a major; a name that means several is refused" {
	plugpkg install old new -y
	run plugpkg remove lib -y
	assert_status 2
	assert_has "several majors of 'lib' are installed: lib@1, lib@2"
	run plugpkg remove lib@2 new -y
	assert_status 0
	assert_not_installed new lib@2
	assert_installed lib 1.0.0
	assert_major lib@1 1.0.0
	assert_has_line "$SCRATCH/calls" "uninstall new $PLUGPKG_ROOT/store/lib/2.0.0 lib 2.0.0"
	run plugpkg remove lib@2 -y
	assert_status 4
	assert_has "plugin 'lib@2' is not installed" "installed: lib@1 1.0.0"
	run plugpkg remove lib old -y
	assert_status 0
	assert_not_installed lib lib@1
}


@test "without the declaration a second major is refused, and it is said why" {
	plugpkg install one -y
	run plugpkg install two -y
	assert_status 3
	assert_has "one 1.0.0 (installed) needs single ^1" "two 1.0.0 needs single ^2" \
		"single does not declare parallel majors, so only one version of it can be installed"
	assert_installed single 1.0.0
	run plugpkg install single@2 -y
	assert_status 3
	assert_has "single does not declare parallel majors"
	run plugpkg remove single@1 -y
	assert_status 2
	assert_has "single does not declare parallel majors, so its name stands without a version"
}

@test "hold, mark, why, depends, show and autoremove take majors" {
	plugpkg install old lib@2 -y
	run plugpkg hold lib
	assert_status 2
	assert_has "lib@1, lib@2"
	run plugpkg hold lib@1
	assert_status 0
	publish "$(lib 1.5.0)" "$(lib 2.5.0)"
	plugpkg update
	plugpkg upgrade -y
	assert_major lib@1 1.0.0
	assert_major lib@2 2.5.0
	plugpkg unhold lib@1
	run plugpkg why lib@1
	assert_status 0
	assert_equal "$output" "you asked for old 1.0.0
old 1.0.0 requires lib ^1"
	run plugpkg depends old --json
	assert_has '"satisfied_by":"lib 1.0.0"'
	run plugpkg rdepends lib@1
	assert_has old
	run plugpkg rdepends lib@2
	assert_lacks old
	run plugpkg show lib@1 --json
	assert_has '"key":"lib@1"' '"installed":"1.0.0"'
	assert_has '"manual":false' '"reason":"automatic"'
	run plugpkg show lib --json
	assert_has '"key":"lib@2"' '"manual":true' '"reason":"manual"'
	assert_equal "$(plugpkg show lib@2 | grep -c '^Reason: *manual')" 1
	run plugpkg mark auto lib@2
	assert_status 0
	assert_equal "$(wanted)" '{"old":"*"}'
	run plugpkg autoremove -y
	assert_status 0
	assert_missing "$PLUGPKG_ROOT/current/lib@2"
	assert_installed lib 1.0.0
}

@test "each major has its own data, and purge takes that alone" {
	local v dir
	for v in 1.1.0 2.1.0; do
		dir=$(make_plugin tank $v '"parallel": "major", "scripts": {"install": "scripts/install.sh"}')
		# shellcheck disable=SC2016 # expands in the script
		add_script "$dir" install 'echo "$PLUGPKG_KEY" >"$PLUGPKG_DATA/who"'
		publish "$(build_plugin tank $v)"
	done
	plugpkg update
	plugpkg install tank@1 tank@2 -y
	assert_equal "$(cat "$PLUGPKG_ROOT/data/tank@1/who")" tank@1
	assert_equal "$(cat "$PLUGPKG_ROOT/data/tank@2/who")" tank@2
	run plugpkg purge tank@2 -y
	assert_status 0
	assert_missing "$PLUGPKG_ROOT/data/tank@2"
	assert_exists "$PLUGPKG_ROOT/data/tank@1/who"
	plugpkg remove tank@1 -y
	assert_exists "$PLUGPKG_ROOT/data/tank@1/who"
	run plugpkg purge tank@1 -y
	assert_status 0
	assert_missing "$PLUGPKG_ROOT/data/tank@1"
}

@test "names with a scope" {
	publish "$(build_plugin @acme/kit 1.0.0 '"parallel": "major"')" \
		"$(build_plugin @acme/kit 2.0.0 '"parallel": "major"')"
	plugpkg update
	plugpkg install @acme/kit@1 @acme/kit@2 -y
	assert_link "$PLUGPKG_ROOT/current/@acme/kit@1" ../../../store/@acme/kit/1.0.0
	assert_link "$PLUGPKG_ROOT/current/@acme/kit" ../../../store/@acme/kit/2.0.0
	assert_equal "$(wanted)" '{"@acme/kit@1":"*","@acme/kit@2":"*"}'
	run plugpkg check
	assert_status 0
	plugpkg remove @acme/kit@2 -y
	assert_link "$PLUGPKG_ROOT/current/@acme/kit" ../../../store/@acme/kit/1.0.0
	plugpkg clean --keep 0
	assert_missing "$PLUGPKG_ROOT/store/@acme/kit/2.0.0"
	assert_exists "$PLUGPKG_ROOT/store/@acme/kit/1.0.0/plugin.json"
	run plugpkg check
	assert_status 0
}

@test "a plugin that begins to declare parallel majors keeps its data and its mark" {
	local dir
	dir=$(make_plugin pond 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'echo old >"$PLUGPKG_DATA/water"'
	publish "$(build_plugin pond 1.0.0)"
	plugpkg update
	plugpkg install pond -y
	dir=$(make_plugin pond 2.0.0 '"parallel": "major", "scripts": {"upgrade": "scripts/upgrade.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" upgrade 'cat "$PLUGPKG_DATA/water"; echo "$PLUGPKG_OLD_VERSION $PLUGPKG_KEY" >>"$PLUGPKG_DATA/water"'
	publish "$(build_plugin pond 2.0.0)"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_equal "$(cat "$PLUGPKG_ROOT/data/pond@2/water")" "old
1.0.0 pond@2"
	assert_missing "$PLUGPKG_ROOT/data/pond"
	assert_equal "$(wanted)" '{"pond":"*"}'
	run plugpkg list --manual
	assert_has pond@2
	publish "$(build_plugin pond 3.0.0)"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_installed pond 3.0.0
	assert_missing "$PLUGPKG_ROOT/current/pond@2" "$PLUGPKG_ROOT/data/pond@2"
	assert_exists "$PLUGPKG_ROOT/data/pond/water"
	run plugpkg check
	assert_status 0
}

@test "a major that is asked for by its number takes the place of the wish for the plugin that it was" {
	publish "$(build_plugin pond 1.0.0)" "$(build_plugin pond 2.0.0 '"parallel": "major"')"
	plugpkg update
	plugpkg install pond@1 single@1 -y
	assert_equal "$(wanted)" '{"pond":"1","single":"1"}'
	plugpkg install pond@2 -y
	assert_equal "$(wanted)" '{"single":"1","pond@2":"*"}'
	run plugpkg sync --dry-run
	assert_status 0
	assert_has "0 new, 0 upgraded, 0 removed"
}

@test "when the script of a plugin with a new key fails, its data goes back" {
	local dir
	dir=$(make_plugin pond 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'echo old >"$PLUGPKG_DATA/water"'
	publish "$(build_plugin pond 1.0.0)"
	plugpkg update
	plugpkg install pond -y
	dir=$(make_plugin pond 2.0.0 '"parallel": "major", "scripts": {"upgrade": "scripts/upgrade.sh"}')
	add_script "$dir" upgrade 'exit 3'
	publish "$(build_plugin pond 2.0.0)"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 7
	assert_installed pond 1.0.0
	assert_equal "$(cat "$PLUGPKG_ROOT/data/pond/water")" old
	assert_missing "$PLUGPKG_ROOT/data/pond@2"
	run plugpkg check
	assert_status 0
}

# Who reads data/pond, or data/pond@2, never misses it while it is said to be current.
@test "data that gets another name is found by the version in use at every moment of the change" {
	local dir way
	for way in "1.0.0 " '2.0.0 , "parallel": "major"'; do
		dir=$(make_plugin pond "${way%% *}" "\"scripts\": {\"install\": \"scripts/install.sh\", \"upgrade\": \"scripts/upgrade.sh\"}${way#* }")
		# shellcheck disable=SC2016 # expands in the script
		add_script "$dir" install 'echo old >"$PLUGPKG_DATA/water"'
		# shellcheck disable=SC2016 # expands in the script
		add_script "$dir" upgrade 'cat "$PLUGPKG_ROOT/data/pond/water" "$PLUGPKG_ROOT/data/pond@2/water"'
		publish "$(build_plugin pond "${way%% *}")"
	done
	plugpkg update
	plugpkg install pond@1 -y
	cat >"$SCRATCH/reader.py" <<-'END'
		import os, sys
		n = missing = 0
		while not os.path.exists("stop"):
		    # Judged only where the same version was current before and after the look.
		    name = os.readlink("current")
		    key = "pond@2" if os.path.lexists(name + "/pond@2") else "pond"
		    is_there = os.path.exists("data/" + key + "/water")
		    if os.readlink("current") == name:
		        missing += not is_there
		    n += 1
		    if n == 1:
		        open("reading", "w")
		print("missing", missing)
	END
	(cd "$PLUGPKG_ROOT" && exec python3 "$SCRATCH/reader.py" >"$SCRATCH/seen" 3>&-) &
	until [ -e "$PLUGPKG_ROOT/reading" ]; do sleep 0.01; done
	plugpkg install pond@2 -y
	assert_missing "$PLUGPKG_ROOT/data/pond"
	plugpkg rollback -y
	assert_missing "$PLUGPKG_ROOT/data/pond@2"
	plugpkg undo -y
	touch "$PLUGPKG_ROOT/stop"
	wait
	assert_equal "$(cat seen)" "missing 0"
	assert_exists "$PLUGPKG_ROOT/data/pond@2/water"
}

@test "killed at any step of a change of its name, the data is where the version in use looks" {
	local dir n=0
	dir=$(make_plugin pond 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'echo old >"$PLUGPKG_DATA/water"'
	make_plugin pond 2.0.0 '"parallel": "major"' >/dev/null
	publish "$(build_plugin pond 1.0.0)" "$(build_plugin pond 2.0.0)"
	plugpkg update
	plugpkg install pond@1 -y
	run env PLUGPKG_CRASH_AT=1 plugpkg clean
	[ "$status" -eq 137 ] || skip "needs --enable-failpoints"
	cp -a "$PLUGPKG_ROOT" "$SCRATCH/saved"
	while :; do
		n=$((n + 1))
		PLUGPKG_CRASH_AT=$n run plugpkg install pond@2 -y
		[ "$status" -eq 137 ] || break
		local key=pond
		[ ! -e "$PLUGPKG_ROOT/current/pond@2" ] || key=pond@2
		assert_equal "$(cat "$PLUGPKG_ROOT/data/$key/water")" old
		plugpkg recover
		key=pond
		[ ! -e "$PLUGPKG_ROOT/current/pond@2" ] || key=pond@2
		assert_equal "$(find "$PLUGPKG_ROOT/data" -mindepth 1 -printf '%y %P ')" "d $key f $key/water "
		rm -rf "$PLUGPKG_ROOT"
		cp -a "$SCRATCH/saved" "$PLUGPKG_ROOT"
	done
	assert_status 0
	[ "$n" -gt 20 ]
}

@test "the old place is not left to the scripts of a plugin whose data another one took over" {
	local dir
	dir=$(make_plugin mid 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'echo old >"$PLUGPKG_DATA/file"'
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" uninstall 'rm -rf "$PLUGPKG_DATA"/*'
	dir=$(make_plugin @acme/middle 1.0.0 '"replaces": {"mid": "*"}, "scripts": {"install": "scripts/install.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'cat "$PLUGPKG_DATA/file" "$PLUGPKG_ROOT/data/mid/file"'
	publish "$(build_plugin mid 1.0.0)" "$(build_plugin @acme/middle 1.0.0)"
	plugpkg update
	plugpkg install mid -y
	run plugpkg install @acme/middle -y --allow-remove
	assert_status 0
	assert_equal "$(cat "$PLUGPKG_ROOT/data/@acme/middle/file")" old
	assert_missing "$PLUGPKG_ROOT/data/mid"
}

@test "names that become the same variable are told apart in their order" {
	local dir
	publish "$(build_plugin a-b 1.0.0)" "$(build_plugin a.b 1.0.0)" "$(build_plugin a-b-2 1.0.0)" \
		"$(build_plugin @a/b 2.0.0)"
	dir=$(make_plugin all 1.0.0 '"requires": {"a.b": "*", "a-b-2": "*", "@a/b": "*", "a-b": "*"},
		"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "env | grep ^PLUGPKG_DEP_ | LC_ALL=C sort >'$SCRATCH/env'"
	publish "$(build_plugin all 1.0.0)"
	plugpkg update
	plugpkg install all -y
	assert_equal "$(sed "s,$PLUGPKG_ROOT/store/,," "$SCRATCH/env")" "PLUGPKG_DEP_A_B=@a/b/2.0.0
PLUGPKG_DEP_A_B_2=a-b-2/1.0.0
PLUGPKG_DEP_A_B_3=a-b/1.0.0
PLUGPKG_DEP_A_B_4=a.b/1.0.0"
}

@test "nothing but majors can be parallel" {
	run plugpkg lint "$(make_plugin bad 1.0.0 '"parallel": "minor"')"
	[ "$status" -ne 0 ]
	assert_has "parallel" "minor" "major"
	run plugpkg lint "$(make_plugin worse 1.0.0 '"parallel": true')"
	[ "$status" -ne 0 ]
	assert_has 'expected "major"'
	run plugpkg lint "$(make_plugin long 1234567890.0.0 '"parallel": "major"')"
	[ "$status" -ne 0 ]
	assert_has "more than 9 digits"
}

@test "sync brings and keeps the majors that plugpkg.json names, and the lock reproduces them" {
	plugpkg install lib@1 lib@2 -y
	cp "$PLUGPKG_ROOT/plugpkg.lock" lock
	run plugpkg sync --check
	assert_status 0
	plugpkg remove lib@1 -y
	jq '.plugins["lib@1"] = "*"' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg sync --check
	assert_status 1
	run plugpkg sync -y
	assert_status 0
	assert_major lib@1 1.0.0
	assert_major lib@2 2.0.0
	publish "$(lib 1.5.0)"
	plugpkg update
	plugpkg upgrade -y
	assert_major lib@1 1.5.0
	cp lock "$PLUGPKG_ROOT/plugpkg.lock"
	run plugpkg sync --locked -y
	assert_status 0
	assert_major lib@1 1.0.0
	jq '.plugins = {"old": "*"}' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg sync -y
	assert_status 0
	assert_missing "$PLUGPKG_ROOT/current/lib@2"
	assert_link "$PLUGPKG_ROOT/current/lib" ../../store/lib/1.0.0
}

@test "the log tells majors apart" {
	local v dir
	for v in 1.1.0 2.1.0; do
		dir=$(make_plugin tank $v '"parallel": "major", "scripts": {"install": "scripts/install.sh"}')
		add_script "$dir" install "echo filling $v"
		publish "$(build_plugin tank $v)"
	done
	plugpkg update
	plugpkg install tank@1 tank@2 -y
	run plugpkg log tank@1
	assert_status 0
	assert_has "filling 1.1.0"
	assert_lacks "filling 2.1.0"
	run plugpkg log tank
	assert_has "filling 1.1.0" "filling 2.1.0"
}

@test "a plugin that ceases to have parallel majors is wanted by its plain name from then on" {
	publish "$(build_plugin tool 1.0.0 '"parallel": "major"')"
	plugpkg update
	plugpkg install tool@1 -y
	assert_equal "$(jq -c '.plugins' "$PLUGPKG_ROOT/plugpkg.json")" '{"tool@1":"*"}'
	publish "$(build_plugin tool 1.1.0)"
	plugpkg update
	run -0 plugpkg upgrade -y
	assert_has "tool  1.0.0 -> 1.1.0"
	assert_equal "$(jq -c '.plugins' "$PLUGPKG_ROOT/plugpkg.json")" '{"tool":"*"}'
	run -0 plugpkg sync
	assert_has "Nothing to do."
}
