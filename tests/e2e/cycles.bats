# SPDX-License-Identifier: MIT
# Rings of requirements: installed as a set; refused where scripts would wait for each other.

setup() {
	load ../helpers
	setup_scratch
	make_repo
}

# scripted NAME VERSION REQUIRES [KIND]: an archive with a script that notes its call.
scripted() {
	local kind=${4:-install}
	make_plugin "$1" "$2" "\"requires\": {$3}, \"scripts\": {\"$kind\": \"scripts/$kind.sh\"}" >/dev/null
	add_script "$(plugin_dir "$1" "$2")" "$kind"
	build_plugin "$1" "$2"
}

# plain NAME VERSION REQUIRES
plain() {
	build_plugin "$1" "$2" "\"requires\": {$3}"
}

@test "a ring with one script is installed as a set, in the same order each time" {
	publish "$(plain a 1.0.0 '"b": "*"')" "$(scripted b 1.0.0 '"c": "*"')" "$(plain c 1.0.0 '"a": "*"')"
	make_root
	run plugpkg install c -y --json
	assert_status 0
	order=$(json_get 'select(.type == "step") | .name')
	assert_equal "$order" $'a\nb\nc'
	assert_equal "$(cat calls)" "install b 1.0.0"
	plugpkg remove --all -y >/dev/null
	run plugpkg install a -y --json
	assert_equal "$(json_get 'select(.type == "step") | .name')" "$order"
}

@test "scripts that wait for each other are refused, with the ring in the words, and nothing is changed" {
	publish "$(plain b 1.0.0 '')"
	publish "$(scripted a 1.0.0 '"b": "*"')" "$(scripted b 2.0.0 '"c": "*"')" "$(plain c 1.0.0 '"a": "*"')"
	make_root
	run plugpkg install c -y
	assert_status 3
	assert_has "a -> b -> c -> a" "[no-solution]" "wait for each other"
	assert_missing calls "$PLUGPKG_ROOT/current/c"
	run plugpkg install c b@1 -y
	assert_status 0
	assert_equal "$(cat calls)" "install a 1.0.0"
}

@test "of what is installed already no script waits" {
	publish "$(scripted a 1.0.0 '')"
	make_root
	plugpkg install a -y
	publish "$(scripted b 1.0.0 '"a": "*"')" "$(plain a 1.1.0 '"b": "*"')"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_equal "$(cat calls)" $'install a 1.0.0\ninstall b 1.0.0'
}

@test "upgrade scripts that wait for each other keep back nothing silently" {
	publish "$(plain a 1.0.0 '"b": "*"')" "$(plain b 1.0.0 '')"
	make_root
	plugpkg install a -y
	publish "$(scripted a 2.0.0 '"b": "*"' upgrade)" "$(scripted b 2.0.0 '"a": "*"' upgrade)"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 3
	assert_has "a -> b -> a"
	assert_missing calls
}

@test "a linked plugin's script is counted too" {
	publish "$(scripted b 1.0.0 '"a": "*"')" "$(plain a 1.0.0 '')"
	make_root
	scripted a 1.5.0 '"b": "*"' >/dev/null
	run plugpkg link "$(plugin_dir a 1.5.0)" -y
	assert_status 3
	assert_has "a -> b -> a"
}
