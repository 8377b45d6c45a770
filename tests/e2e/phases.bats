#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Phases over the whole transaction: core of all plugins, then post levels, each over all of them.

setup() {
	load ../helpers
	setup_scratch
	make_repo
}

# phased NAME VERSION LEVELS [MEMBERS]: a plugin whose scripts note what they are. LEVELS are those of
# post-install and post-uninstall, as words; one with a ! is "always".
phased() {
	local dir level ups='' downs=''
	for level in $3; do
		ups+="${ups:+, }{\"level\": ${level%!}, \"run\": \"scripts/post.sh\""
		[[ $level != *! ]] || ups+=', "always": true'
		ups+='}'
		downs+="${downs:+, }{\"level\": ${level%!}, \"run\": \"scripts/unpost.sh\"}"
	done
	dir=$(make_plugin "$1" "$2" "\"scripts\": {\"install\": \"scripts/core.sh\", \"upgrade\": \"scripts/core.sh\",
		\"uninstall\": \"scripts/uninstall.sh\", \"post-install\": [$ups], \"post-uninstall\": [$downs]}${4:+, $4}")
	note "$dir" core "\$PLUGPKG_REASON"
	note "$dir" uninstall uninstall
	note "$dir" post "post \$PLUGPKG_LEVEL"
	note "$dir" unpost "unpost \$PLUGPKG_LEVEL"
	echo "$dir"
}

# note DIR SCRIPT WORDS
note() {
	add_script "$1" "$2" "[ ! -e '$SCRATCH/fail-$2-'\"\$PLUGPKG_NAME\" ] || exit 3
echo \"$3 \$PLUGPKG_NAME \$PLUGPKG_VERSION\" >>'$SCRATCH/calls'"
}

calls() {
	cat "$SCRATCH/calls" 2>/dev/null || true
}

states() {
	plugpkg list --json | jq -r 'select(.type == "plugin") | .name + " " + .state' | paste -sd,
}

@test "every core comes before any post step, and each level over all before the next" {
	phased c 1.0.0 '2 0' '"requires": {"b": "*"}' >/dev/null
	phased b 1.0.0 '0 1' '"requires": {"a": "*"}' >/dev/null
	phased a 1.0.0 '1 1000' >/dev/null
	phased z 1.0.0 0 >/dev/null
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)" "$(build_plugin c 1.0.0)" "$(build_plugin z 1.0.0)"
	make_root
	run plugpkg install c z -y
	assert_status 0
	assert_equal "$(calls)" "install a 1.0.0
install z 1.0.0
install b 1.0.0
install c 1.0.0
post 0 z 1.0.0
post 0 b 1.0.0
post 0 c 1.0.0
post 1 a 1.0.0
post 1 b 1.0.0
post 2 c 1.0.0
post 1000 a 1.0.0"
	rm calls
	run plugpkg remove --all -y
	assert_status 0
	assert_equal "$(calls)" "unpost 1000 a 1.0.0
unpost 2 c 1.0.0
unpost 1 b 1.0.0
unpost 1 a 1.0.0
unpost 0 c 1.0.0
unpost 0 b 1.0.0
unpost 0 z 1.0.0
uninstall c 1.0.0
uninstall b 1.0.0
uninstall z 1.0.0
uninstall a 1.0.0"
}

@test "a post step knows its phase, its level and why it runs" {
	dir=$(phased a 1.0.0 3)
	add_script "$dir" post "echo \"\$PLUGPKG_PHASE \$PLUGPKG_LEVEL \$PLUGPKG_REASON\" >>'$SCRATCH/calls'"
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install a -y
	assert_equal "$(calls)" "install a 1.0.0
post 3 install"
}

@test "posts of plugins that stay do not run again, unless they say always" {
	phased once 1.0.0 0 >/dev/null
	phased binds 1.0.0 '0 1!' >/dev/null
	phased new 1.0.0 1 >/dev/null
	publish "$(build_plugin once 1.0.0)" "$(build_plugin binds 1.0.0)" "$(build_plugin new 1.0.0)"
	make_root
	plugpkg install once binds -y
	rm calls
	plugpkg install new -y
	assert_equal "$(calls)" "install new 1.0.0
post 1 binds 1.0.0
post 1 new 1.0.0"
	rm calls
	plugpkg remove new -y
	assert_equal "$(calls)" "unpost 1 new 1.0.0
uninstall new 1.0.0"
}

@test "always is once: of upgrades and downgrades together after both" {
	phased binds 1.0.0 '1!' >/dev/null
	phased down 1.0.0 1 >/dev/null
	phased down 2.0.0 1 >/dev/null
	phased up 1.0.0 1 >/dev/null
	phased up 2.0.0 1 >/dev/null
	publish "$(build_plugin binds 1.0.0)" "$(build_plugin down 1.0.0)" "$(build_plugin down 2.0.0)" \
		"$(build_plugin up 1.0.0)" "$(build_plugin up 2.0.0)"
	make_root
	plugpkg install binds up@1.0.0 down -y
	rm calls
	run plugpkg install up@2.0.0 down@1.0.0 --downgrade -y
	assert_status 0
	assert_equal "$(calls)" "upgrade up 2.0.0
post 1 up 2.0.0
upgrade down 1.0.0
post 1 binds 1.0.0
post 1 down 1.0.0"
}

@test "a failing post step undoes the transaction: posts, then cores, newest first" {
	phased a 1.0.0 '0 1' >/dev/null
	phased b 1.0.0 '0 1' '"requires": {"a": "*"}' >/dev/null
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)"
	make_root
	tree_state "$PLUGPKG_ROOT" >before
	add_script "$(plugin_dir b 1.0.0)" post
	dir=$(phased b 1.0.1 '0 1' '"requires": {"a": "*"}')
	add_script "$dir" post "[ \$PLUGPKG_LEVEL = 0 ] || { echo 'no such table'; exit 4; }"
	publish "$(build_plugin b 1.0.1)"
	plugpkg update
	run plugpkg install b -y
	assert_status 7
	assert_has "everything was undone" "script 'post-install' of b 1.0.1" "no such table"
	assert_equal "$(calls)" "install a 1.0.0
install b 1.0.1
post 0 a 1.0.0
post 1 a 1.0.0
unpost 1 a 1.0.0
unpost 0 b 1.0.1
unpost 0 a 1.0.0
uninstall b 1.0.1
uninstall a 1.0.0"
	tree_state "$PLUGPKG_ROOT" | diff before -
	run plugpkg check
	assert_status 0
}

@test "an upgrade that is undone gives the old version its bindings back" {
	phased a 1.0.0 0 >/dev/null
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install a -y
	dir=$(phased a 2.0.0 '0 1')
	add_script "$dir" post "[ \$PLUGPKG_LEVEL = 0 ]"
	publish "$(build_plugin a 2.0.0)"
	plugpkg update
	rm calls
	run plugpkg upgrade -y
	assert_status 7
	assert_equal "$(calls)" "upgrade a 2.0.0
unpost 0 a 2.0.0
rollback a 1.0.0
post 0 a 1.0.0"
	assert_installed a 1.0.0
	assert_equal "$(states)" "a installed"
}

@test "a removal that fails gives bindings back; what cannot be bound waits for configure --pending" {
	phased a 1.0.0 '0 1' >/dev/null
	phased b 1.0.0 0 '"requires": {"a": "*"}' >/dev/null
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)"
	make_root
	plugpkg install b -y
	rm calls
	touch fail-uninstall-b
	run plugpkg remove a b -y
	assert_status 7
	assert_has "stays installed: a, b"
	assert_equal "$(calls)" "unpost 1 a 1.0.0
unpost 0 b 1.0.0
unpost 0 a 1.0.0
post 0 a 1.0.0
post 0 b 1.0.0
post 1 a 1.0.0"
	assert_equal "$(states)" "a installed,b installed"
	touch fail-post-a
	run plugpkg remove a b -y
	assert_status 7
	assert_has "plugpkg configure --pending"
	assert_equal "$(states)" "a core-installed,b installed"
	assert_installed a 1.0.0
	run plugpkg configure --pending
	assert_status 7
	assert_has "a: " "pending"
	rm calls fail-post-a
	run plugpkg configure --pending
	assert_status 0
	assert_equal "$(calls)" "post 0 a 1.0.0
post 1 a 1.0.0"
	assert_equal "$(states)" "a installed,b installed"
	run plugpkg configure --pending
	assert_status 0
	assert_has "Nothing to do"
}

@test "a level is a number from 0 to 1000, and only post-install runs always" {
	local bad
	for bad in '"level": -1' '"level": "0"' '"level": 1001' '"level": 0, "always": 1'; do
		make_plugin a 1.0.0 "\"scripts\": {\"post-install\": [{$bad, \"run\": \"x.sh\"}]}" >/dev/null
		run plugpkg lint "$(plugin_dir a 1.0.0)"
		assert_has "scripts.post-install[0]"
	done
	make_plugin a 1.0.0 '"scripts": {"post-uninstall": [{"level": 0, "run": "x.sh", "always": true}]}' >/dev/null
	run plugpkg lint "$(plugin_dir a 1.0.0)"
	assert_has "scripts.post-uninstall[0].always"
}

@test "what cannot be solved or fetched runs no script at all" {
	phased a 1.0.0 0 >/dev/null
	phased b 1.0.0 0 '"requires": {"a": "*"}' >/dev/null
	phased c 1.0.0 0 '"requires": {"nowhere": "*"}' >/dev/null
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)" "$(build_plugin c 1.0.0)"
	make_root
	run plugpkg install a b c -y
	assert_status 3
	assert_equal "$(calls)" ""
	rm -r repo/public/targets/pool/b
	run plugpkg install a b -y
	assert_status 5
	assert_equal "$(calls)" ""
	assert_not_installed a b
}
