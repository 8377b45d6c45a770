#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The operator's switch: disabled plugins stay installed and are not in use, what requires them is
# blocked, and enabling returns exactly what the operator did not disable himself.

setup() {
	load ../helpers
	setup_scratch
	make_repo
}

# switched NAME VERSION [MEMBERS]: a plugin that notes its handlers, and fails where asked to.
switched() {
	local dir kind
	dir=$(make_plugin "$1" "$2" "\"on\": {\"disable\": \"scripts/off.sh\", \"enable\": \"scripts/on.sh\"},
		\"scripts\": {\"install\": \"scripts/install.sh\", \"upgrade\": \"scripts/upgrade.sh\"}${3:+, $3}")
	for kind in on off install upgrade; do
		add_script "$dir" "$kind" "echo \"$kind \$PLUGPKG_NAME \$PLUGPKG_VERSION \$PLUGPKG_REASON\" >>'$SCRATCH/calls'
[ ! -e '$SCRATCH/fail-$kind-$1' ]"
	done
	publish "$(build_plugin "$1" "$2")"
}

# chain: base <- mid <- top, and side, which needs nothing.
chain() {
	switched base 1.0.0
	switched mid 1.0.0 '"requires": {"base": "*"}'
	switched top 1.0.0 '"requires": {"mid": "*"}'
	switched side 1.0.0 '"recommends": {"base": "*"}'
	make_root
	plugpkg install top side -y
	: >calls
}

calls() {
	cat calls 2>/dev/null || true
	: >calls
}

# states: "base=disabled mid=blocked …"
states() {
	plugpkg list --json | jq -sr '[.[] | select(.type == "plugin") | .key + "=" + .state] | join(" ")'
}

info() {
	jq -c ".plugins.\"$1\"" "$PLUGPKG_ROOT/current/.plugins.json"
}

# ---- what it means -------------------------------------------------------------------------------

@test "disabled: installed, without a link; what requires it is blocked; one new generation" {
	chain
	before=$(readlink "$PLUGPKG_ROOT/current")
	run plugpkg disable base -y
	assert_status 0
	assert_has "will be DISABLED" "will be BLOCKED" "needs base" "1 disabled, 2 blocked"
	assert_not_installed base mid top
	assert_installed side 1.0.0
	assert_equal "$(states)" "base=disabled mid=blocked side=installed top=blocked"
	assert_exists "$PLUGPKG_ROOT/store/base/1.0.0/plugin.json"
	assert_equal "$(readlink "$PLUGPKG_ROOT/current")" generations/2
	# the old one is whole
	assert_exists "$PLUGPKG_ROOT/$before/base/plugin.json" "$PLUGPKG_ROOT/$before/top/plugin.json"
	assert_equal "$(info base)" '{"version":"1.0.0","summary":"Test plugin base","state":"disabled"}'
	assert_equal "$(info top | jq -c '[.state, ."blocked-by", .path]')" '["blocked",["base"],null]'
	assert_equal "$(info side | jq -c '[.state, .path, .dependencies]')" '[null,"store/side/1.0.0",null]'
	run plugpkg is-installed base top
	assert_status 0
	run plugpkg check
	assert_status 0
}

@test "handlers: dependents first on the way out, dependencies first on the way in" {
	chain
	plugpkg disable base -y
	assert_equal "$(calls)" "off top 1.0.0 disable
off mid 1.0.0 disable
off base 1.0.0 disable"
	run plugpkg enable base -y
	assert_status 0
	assert_has "will be enabled" "come back into use" "1 enabled, 2 back in use"
	assert_equal "$(calls)" "on base 1.0.0 enable
on mid 1.0.0 enable
on top 1.0.0 enable"
	assert_equal "$(states)" "base=installed mid=installed side=installed top=installed"
	assert_installed base 1.0.0
	assert_installed top 1.0.0
	assert_equal "$(info side | jq -c .dependencies.base.path)" '"store/base/1.0.0"'
	run plugpkg check
	assert_status 0
}

@test "enabling returns exactly what the operator did not disable himself" {
	chain
	plugpkg disable mid -y
	plugpkg disable base -y
	: >calls
	assert_equal "$(states)" "base=disabled mid=disabled side=installed top=blocked"
	assert_equal "$(info top | jq -c '."blocked-by"')" '["base","mid"]'
	run plugpkg enable base
	assert_status 0
	assert_equal "$(states)" "base=installed mid=disabled side=installed top=blocked"
	assert_equal "$(info top | jq -c '."blocked-by"')" '["mid"]'
	assert_equal "$(calls)" "on base 1.0.0 enable"
	plugpkg enable mid
	assert_equal "$(states)" "base=installed mid=installed side=installed top=installed"
}

@test "a blocked plugin can be disabled, and enabled again while its dependency is off: it stays blocked" {
	chain
	plugpkg disable base -y
	: >calls
	run plugpkg disable top
	assert_status 0
	assert_equal "$(states)" "base=disabled mid=blocked side=installed top=disabled"
	run plugpkg enable top
	assert_status 0
	assert_has "stays blocked: needs base"
	assert_equal "$(states)" "base=disabled mid=blocked side=installed top=blocked"
	assert_equal "$(calls)" ""
	plugpkg enable base
	assert_equal "$(states)" "base=installed mid=installed side=installed top=installed"
}

@test "a diamond: blocked until both ways are free" {
	switched base 1.0.0
	switched left 1.0.0 '"requires": {"base": "*"}'
	switched right 1.0.0 '"requires": {"base": "*"}'
	switched top 1.0.0 '"requires": {"left": "*", "right": "*"}'
	make_root
	plugpkg install top -y
	plugpkg disable left right -y
	assert_equal "$(states)" "base=installed left=disabled right=disabled top=blocked"
	plugpkg enable left
	assert_equal "$(states)" "base=installed left=installed right=disabled top=blocked"
	plugpkg enable right
	plugpkg disable base -y
	assert_equal "$(states)" "base=disabled left=blocked right=blocked top=blocked"
	: >calls
	plugpkg enable base
	assert_equal "$(calls)" "on base 1.0.0 enable
on left 1.0.0 enable
on right 1.0.0 enable
on top 1.0.0 enable"
}

@test "a ring of requirements is blocked, and comes back" {
	publish "$(build_plugin base 1.0.0)" "$(build_plugin a 1.0.0 '"requires": {"b": "*", "base": "*"}')" \
		"$(build_plugin b 1.0.0 '"requires": {"a": "*"}')"
	make_root
	plugpkg install a -y
	plugpkg disable base -y
	assert_equal "$(states)" "a=blocked b=blocked base=disabled"
	plugpkg enable base
	assert_equal "$(states)" "a=installed b=installed base=installed"
}

@test "another plugin that provides the name keeps dependents in use" {
	publish "$(build_plugin p1 1.0.0 '"provides": {"store": "1"}')" "$(build_plugin p2 1.0.0 '"provides": {"store": "1"}')" \
		"$(build_plugin shop 1.0.0 '"requires": {"store": "*"}')"
	make_root
	plugpkg install p1 p2 shop -y
	assert_equal "$(info shop | jq -r .dependencies.store.key)" p1
	run plugpkg disable p1
	assert_status 0
	assert_equal "$(states)" "p1=disabled p2=installed shop=installed"
	assert_equal "$(info shop | jq -r .dependencies.store.key)" p2
	run plugpkg disable p2 </dev/null
	assert_status 11
	assert_equal "$(states)" "p1=disabled p2=installed shop=installed"
	plugpkg disable p2 -y
	assert_equal "$(info shop | jq -c '."blocked-by"')" '["p1","p2"]'
	plugpkg enable p1
	assert_equal "$(states)" "p1=installed p2=disabled shop=installed"
}

@test "removing the provider that was left blocks who needs the name, and the plan says so" {
	publish "$(build_plugin p1 1.0.0 '"provides": {"store": "1"}')" "$(build_plugin p2 1.0.0 '"provides": {"store": "1"}')" \
		"$(build_plugin shop 1.0.0 '"requires": {"store": "*"}')"
	make_root
	plugpkg install p1 p2 shop -y
	plugpkg disable p1
	run plugpkg remove p2 -y
	assert_status 0
	assert_has "will be BLOCKED"
	assert_equal "$(states)" "p1=disabled shop=blocked"
	run plugpkg install p2 -y
	assert_status 0
	assert_has "come back into use"
	assert_equal "$(states)" "p1=disabled p2=installed shop=installed"
	run plugpkg check
	assert_status 0
}

@test "parallel majors are switched by their keys" {
	for v in 1.0.0 2.0.0; do publish "$(build_plugin lib $v '"parallel": "major"')"; done
	publish "$(build_plugin old 1.0.0 '"requires": {"lib": "^1"}')" "$(build_plugin new 1.0.0 '"requires": {"lib": "^2"}')"
	make_root
	plugpkg install old new -y
	run plugpkg disable lib
	assert_status 2
	plugpkg disable lib@2 -y
	assert_equal "$(states)" "lib@1=installed lib@2=disabled new=blocked old=installed"
	assert_missing "$PLUGPKG_ROOT/current/lib@2"
	assert_installed lib 1.0.0
	run plugpkg check
	assert_status 0
	plugpkg enable lib@2
	assert_installed lib 2.0.0
	assert_equal "$(states)" "lib@1=installed lib@2=installed new=installed old=installed"
}

# ---- asking --------------------------------------------------------------------------------------

@test "no question where nobody else is concerned, one where others get blocked" {
	chain
	run plugpkg disable top </dev/null
	assert_status 0
	run plugpkg enable top </dev/null
	assert_status 0
	run plugpkg disable base </dev/null
	assert_status 11
	assert_equal "$(states)" "base=installed mid=installed side=installed top=installed"
}

@test "--dry-run and --json say what would be switched, and change nothing" {
	chain
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg disable base --dry-run --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "step") | [.action, .key, .why, (.blocked_by | join(","))] | join(" ")')" "disable base requested 
block mid required base
block top required base"
	assert_equal "$(json_get 'select(.type == "summary") | [.disable, .block, .enable, .unblock, .remove] | join(" ")')" "1 2 0 0 0"
	tree_state "$PLUGPKG_ROOT" | diff before -
	assert_equal "$(calls)" ""
}

@test "what is switched so already is nothing to do; what is not installed is an error" {
	chain
	run plugpkg enable base
	assert_status 0
	assert_has "is enabled already" "Nothing to do"
	plugpkg disable top
	run plugpkg disable top
	assert_status 0
	assert_has "is disabled already" "Nothing to do"
	run plugpkg disable nobody
	assert_status 4
	assert_has "[not-installed]"
	run plugpkg disable Top
	assert_status 2
	assert_has "[bad-name]"
	run plugpkg disable
	assert_status 2
}

# ---- failures ------------------------------------------------------------------------------------

@test "a disable handler that fails: nothing changed, exit 7, those before it are enabled again" {
	chain
	tree_state "$PLUGPKG_ROOT" >before
	touch fail-off-base
	run plugpkg disable base -y
	assert_status 7
	assert_has "everything was undone" "script 'disable' of base 1.0.0"
	assert_equal "$(calls)" "off top 1.0.0 disable
off mid 1.0.0 disable
off base 1.0.0 disable
on mid 1.0.0 rollback
on top 1.0.0 rollback"
	assert_equal "$(states)" "base=installed mid=installed side=installed top=installed"
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "an enable handler that fails: still disabled, exit 7" {
	chain
	plugpkg disable base -y
	: >calls
	touch fail-on-mid
	run plugpkg enable base
	assert_status 7
	assert_equal "$(calls)" "on base 1.0.0 enable
on mid 1.0.0 enable
off base 1.0.0 rollback"
	assert_equal "$(states)" "base=disabled mid=blocked side=installed top=blocked"
	assert_not_installed base mid top
	run plugpkg check
	assert_status 0
}

@test "an unhealthy application without the plugin gets it back" {
	chain
	mkdir "$PLUGPKG_ROOT/bin"
	printf '#!/bin/sh\n[ -e current/base ]\n' >"$PLUGPKG_ROOT/bin/health"
	chmod 755 "$PLUGPKG_ROOT/bin/health"
	jq '.hooks = {"health": "bin/health"}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg disable base -y
	assert_status 7
	assert_equal "$(states)" "base=installed mid=installed side=installed top=installed"
	assert_installed base 1.0.0
}

@test "killed in a handler: recover takes it back" {
	chain
	dir=$(make_plugin slow 1.0.0 '"on": {"disable": "scripts/off.sh", "enable": "scripts/on.sh"}, "requires": {"base": "*"}')
	add_script "$dir" off ": >'$SCRATCH/begun'; sleep 300"
	add_script "$dir" on "echo back >>'$SCRATCH/calls'"
	publish "$(build_plugin slow 1.0.0)"
	plugpkg update
	plugpkg install slow -y
	: >calls
	plugpkg disable slow >out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		[ ! -e begun ] || break
		sleep 0.05
	done
	assert_exists begun
	kill -9 "$pid"
	wait "$pid" || true
	run plugpkg recover
	assert_status 0
	assert_has "it was undone"
	assert_equal "$(calls)" back
	assert_installed slow 1.0.0
	run plugpkg check
	assert_status 0
}

@test "the switch is on disk when the command returns, and waits for the lock" {
	chain
	exec 9>>"$PLUGPKG_ROOT/var/lock"
	flock 9
	run plugpkg disable top --no-wait
	assert_status 8
	exec 9>&-
	plugpkg disable top &
	plugpkg disable side &
	wait
	# The one that came second may have found another generation than it was planned against.
	plugpkg disable top side
	assert_equal "$(states)" "base=installed mid=installed side=disabled top=disabled"
}

# ---- what it survives ----------------------------------------------------------------------------

@test "upgraded while disabled: its script runs, no link, no handler; enabled in the new version" {
	chain
	plugpkg disable base -y
	: >calls
	switched base 1.1.0
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_equal "$(calls)" "upgrade base 1.1.0 upgrade"
	assert_equal "$(states)" "base=disabled mid=blocked side=installed top=blocked"
	assert_not_installed base mid top
	run plugpkg check
	assert_status 0
	plugpkg enable base
	assert_installed base 1.1.0
	assert_equal "$(calls | head -n 1)" "on base 1.1.0 enable"
}

@test "clean keeps what is installed and not in use; materialize leaves it out" {
	chain
	plugpkg disable base -y
	plugpkg clean --keep 0
	assert_exists "$PLUGPKG_ROOT/store/base/1.0.0/plugin.json"
	plugpkg materialize plain
	assert_missing plain/base
	plugpkg enable base
	assert_installed base 1.0.0
}

@test "remove takes disabled and blocked plugins; installed again they are enabled" {
	chain
	plugpkg disable base -y
	run plugpkg remove base -y --allow-remove
	assert_status 0
	assert_equal "$(states)" "side=installed"
	plugpkg install top -y
	assert_equal "$(states)" "base=installed mid=installed side=installed top=installed"
}

@test "the lock file lists it, without the switch; sync leaves it switched" {
	chain
	cp "$PLUGPKG_ROOT/plugpkg.lock" before
	plugpkg disable base -y
	diff before "$PLUGPKG_ROOT/plugpkg.lock"
	run plugpkg sync -y
	assert_status 0
	assert_equal "$(states)" "base=disabled mid=blocked side=installed top=blocked"
}

@test "rollback brings the switches of a generation back with it" {
	chain
	plugpkg disable base -y
	plugpkg enable base
	: >calls
	run plugpkg rollback 2 -y
	assert_status 0
	assert_has "will be DISABLED" "will be BLOCKED"
	assert_equal "$(states)" "base=disabled mid=blocked side=installed top=blocked"
	assert_equal "$(calls | head -n 1)" "off top 1.0.0 disable"
	run plugpkg rollback 1 -y
	assert_status 0
	assert_equal "$(states)" "base=installed mid=installed side=installed top=installed"
	plugpkg disable top
	plugpkg remove top -y
	run plugpkg undo -y
	assert_status 0
	assert_equal "$(states)" "base=installed mid=installed side=installed top=disabled"
	assert_not_installed top
	run plugpkg check
	assert_status 0
}

@test "hold and mark leave the switch as it is" {
	chain
	plugpkg disable base -y
	plugpkg hold base
	plugpkg mark manual base
	plugpkg unhold base
	assert_equal "$(states)" "base=disabled mid=blocked side=installed top=blocked"
}

@test "an always level runs again when its plugin comes back, not while it is off" {
	dir=$(make_plugin options 1.0.0 '"scripts": {"post-install": [{"level": 0, "run": "scripts/bind.sh", "always": true}]}')
	add_script "$dir" bind
	publish "$(build_plugin options 1.0.0)" "$(build_plugin group 1.0.0)"
	make_root
	plugpkg install options -y
	plugpkg disable options
	: >calls
	plugpkg install group -y
	assert_equal "$(calls)" ""
	plugpkg enable options
	assert_equal "$(calls)" "bind options 1.0.0"
}

# ---- installing against it -----------------------------------------------------------------------

@test "what requires a disabled plugin is not installed, and the way out works" {
	chain
	publish "$(build_plugin more 1.0.0 '"requires": {"top": "*"}')"
	plugpkg update
	plugpkg disable base -y
	run plugpkg install more -y
	assert_status 3
	assert_has "cannot install more: more 1.0.0 needs base, which is disabled" "plugpkg enable base" "[no-solution]"
	run plugpkg install more -y --json
	assert_equal "$(json_get 'select(.type == "result") | .ways[0].command')" "plugpkg enable base"
	assert_equal "$(json_get 'select(.type == "result") | .causes[0].kind')" disabled
	plugpkg enable base
	run plugpkg install more -y
	assert_status 0
	assert_installed more 1.0.0
}

@test "a recommendation of a disabled plugin is no hindrance" {
	chain
	publish "$(build_plugin nice 1.0.0 '"recommends": {"base": "*"}')"
	plugpkg update
	plugpkg disable base -y
	run plugpkg install nice -y
	assert_status 0
	assert_equal "$(info nice | jq -c .dependencies)" null
}

@test "an upgrade that would need what is disabled is refused, with the ways out" {
	chain
	plugpkg disable base -y
	publish "$(build_plugin side 2.0.0 '"requires": {"base": "*"}')"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 3
	assert_has "cannot upgrade side: side 2.0.0 needs base, which is disabled"
	assert_installed side 1.0.0
}

# ---- being told ----------------------------------------------------------------------------------

@test "list, show, depends and graph know it" {
	chain
	plugpkg disable base -y
	run plugpkg list
	assert_has "disabled" "blocked, needs base"
	run plugpkg list --disabled --json
	assert_equal "$(json_get 'select(.type == "plugin").key' | paste -sd' ')" "base mid top"
	run plugpkg show mid
	assert_has "blocked" "Blocked by"
	run plugpkg show base --json
	assert_equal "$(json_get 'select(.type == "show") | [.state, .disabled] | join(" ")')" "disabled true"
	run plugpkg depends mid
	assert_has "base 1.0.0 is here, disabled"
	run plugpkg graph
	assert_has "gray"
	run plugpkg why mid
	assert_has "mid 1.0.0 is blocked: it needs base"
}
