#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Plugins that come as files only, and scripts that run later or are read before they run.

setup() {
	load ../helpers
	setup_scratch
	make_repo
}

# noisy NAME VERSION [MEMBERS]: a plugin in the source whose scripts leave a line in the scratch
# directory's file "ran".
noisy() {
	local dir kind
	dir=$(make_plugin "$1" "$2" "\"scripts\": {\"install\": \"scripts/install.sh\",
		\"upgrade\": \"scripts/upgrade.sh\", \"uninstall\": \"scripts/uninstall.sh\",
		\"verify\": \"scripts/verify.sh\",
		\"post-install\": [{\"level\": 1, \"run\": \"scripts/post.sh\"}]}${3:+, $3}")
	for kind in install upgrade uninstall post; do
		add_script "$dir" "$kind" \
			"echo \"$kind \$PLUGPKG_NAME \$PLUGPKG_OLD_VERSION>\$PLUGPKG_VERSION\" >>'$SCRATCH/ran'"
	done
	add_script "$dir" verify "grep -q \"^install \$PLUGPKG_NAME\" '$SCRATCH/ran'"
	publish "$(build_plugin "$1" "$2")"
}

ran() {
	[ ! -e "$SCRATCH/ran" ] || cat "$SCRATCH/ran"
}

@test "install --no-scripts brings files; the plan, the history, show and check tell it" {
	noisy base 1.0.0
	make_root
	run -0 plugpkg install base -y --no-scripts
	assert_has "Scripts of what comes do not run; plugpkg repair runs them later."
	assert_installed base 1.0.0
	assert_equal "$(ran)" ""

	run -0 plugpkg show base
	assert_has "Not run yet" "install"
	run -0 plugpkg show base --json
	assert_has '"scripts_left_out":["install","post-install"]'
	run -0 plugpkg history show 1
	assert_has "its scripts did not run, as --no-scripts asked"
	run -1 plugpkg check
	assert_has "1.0.0 came with --no-scripts; plugpkg repair base runs what was left out"
}

@test "repair runs what was left out, dependencies first and level by level, and once" {
	noisy base 1.0.0
	noisy top 1.0.0 '"requires": {"base": "*"}'
	make_root
	plugpkg install top -y --no-scripts
	run -0 plugpkg repair
	assert_has "the scripts of 1.0.0 have run"
	assert_equal "$(ran)" "install base >1.0.0
install top >1.0.0
post base >1.0.0
post top >1.0.0"
	run -0 plugpkg check
	run -0 plugpkg show base
	assert_lacks "Not run yet"
	rm "$SCRATCH/ran"
	echo "install base install top" | tr ' ' '\n' | paste -d' ' - - >"$SCRATCH/ran"
	plugpkg repair
	assert_equal "$(ran)" "install base
install top"
}

@test "an upgrade without scripts is made up for from the version that they last ran of" {
	noisy base 1.0.0
	make_root
	plugpkg install base -y
	noisy base 1.1.0
	noisy base 1.2.0
	plugpkg update
	plugpkg install base@1.1.0 -y --no-scripts
	plugpkg install base@1.2.0 -y --no-scripts
	assert_equal "$(ran)" "install base >1.0.0
post base >1.0.0"
	plugpkg repair
	assert_equal "$(tail -n 2 "$SCRATCH/ran")" "upgrade base 1.0.0>1.2.0
post base 1.0.0>1.2.0"
}

@test "what came without scripts is installed, not upgraded, by the next version that runs them" {
	noisy base 1.0.0
	make_root
	plugpkg install base -y --no-scripts
	noisy base 1.1.0
	plugpkg update
	plugpkg upgrade -y
	assert_equal "$(ran)" "install base >1.1.0
post base >1.1.0"
	run -0 plugpkg check
}

@test "an install that makes up for a left out one and fails is undone, and still remembered" {
	local dir
	noisy base 1.0.0
	make_root
	plugpkg install base -y --no-scripts
	dir=$(make_plugin base 1.1.0 '"scripts": {"install": "scripts/install.sh",
		"uninstall": "scripts/uninstall.sh",
		"post-install": [{"level": 1, "run": "scripts/post.sh"}]}')
	add_script "$dir" install "echo in >>'$SCRATCH/ran'"
	add_script "$dir" uninstall "echo out >>'$SCRATCH/ran'"
	add_script "$dir" post 'exit 1'
	publish "$(build_plugin base 1.1.0)"
	plugpkg update
	run -7 plugpkg upgrade -y
	assert_equal "$(ran)" "in
out"
	assert_installed base 1.0.0
	run -0 plugpkg show base --json
	assert_has '"scripts_left_out":["install","post-install"]'
}

@test "remove runs uninstall, also of what never ran its install" {
	noisy base 1.0.0
	make_root
	plugpkg install base -y --no-scripts
	plugpkg remove base -y
	assert_equal "$(ran)" "uninstall base >1.0.0"
	assert_not_installed base
}

@test "a failed repair says why, and what was left out is still remembered" {
	local dir
	dir=$(make_plugin base 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install 'echo "no database" >&2; exit 3'
	publish "$(build_plugin base 1.0.0)"
	make_root
	plugpkg install base -y --no-scripts
	run -7 plugpkg repair
	assert_has "no database"
	run -0 plugpkg show base --json
	assert_has '"scripts_left_out":["install"]'
}

@test "sync --no-scripts brings files only; its removals clean up" {
	noisy base 1.0.0
	noisy old 1.0.0
	make_root
	plugpkg install old -y
	rm "$SCRATCH/ran"
	jq '.plugins = {"base": "*"}' "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/edited"
	cp "$SCRATCH/edited" "$PLUGPKG_ROOT/plugpkg.json"
	plugpkg sync -y --no-scripts
	assert_installed base 1.0.0
	assert_equal "$(ran)" "uninstall old >1.0.0"
}

@test "show --scripts prints what would run, each once, and installs nothing" {
	local dir
	dir=$(make_plugin base 1.0.0 '"scripts": {"install": "scripts/install.sh",
		"post-install": [{"level": 1, "run": "scripts/install.sh"}]},
		"on": {"install-after": "scripts/heard.sh"}')
	add_script "$dir" install "$(printf 'echo hello\necho "\033]0;evil"')"
	add_script "$dir" heard "echo heard >>'$SCRATCH/ran'"
	publish "$(build_plugin base 1.0.0)"
	make_root
	run -0 plugpkg show --scripts base
	assert_lacks "has no scripts"
	assert_has "==> scripts/install.sh (install, post-install 1)" "echo hello" '\x1b]0;evil' \
		"==> scripts/heard.sh (install-after)"
	assert_lacks $'\033]0'
	assert_equal "$(grep -c '^echo hello' <<<"$output")" 1
	assert_equal "$(ran)" ""
	assert_not_installed base
	assert_equal "$(find "$PLUGPKG_ROOT/var/cache" -name 'look-*')" ""

	run -0 plugpkg show --scripts base --json
	assert_has '"type":"script","name":"base","version":"1.0.0","path":"scripts/install.sh","when":["install","post-install 1"]'

	plugpkg install base -y
	rm -r "$PLUGPKG_ROOT/var/cache" repo/public/targets/pool
	run -0 plugpkg show --scripts base
	assert_has "echo hello"
}

@test "show --scripts of an archive that was tampered with prints nothing of it" {
	noisy base 1.0.0
	make_root
	find repo/public/targets/pool -name '*.plug' -exec sed -i '1s/./X/' {} +
	run ! plugpkg show --scripts base
	assert_lacks "==>"
	assert_equal "$(ran)" ""
}

@test "show --scripts says when there are none, and names what nobody knows" {
	make_plugin plain 1.0.0 >"$SCRATCH/dir"
	publish "$(build_plugin plain 1.0.0)"
	make_root
	run -0 plugpkg show --scripts plain
	assert_has "'plain' has no scripts."
	run -4 plugpkg show --scripts nobody
	assert_has "nobody"
}

@test "rollback and undo --no-scripts bring files only; who is again what its scripts last ran of owes nothing" {
	noisy base 1.0.0
	make_root
	plugpkg install base -y
	noisy base 1.1.0
	noisy side 1.0.0
	plugpkg update
	plugpkg install base@1.1.0 side -y
	echo "install base" >"$SCRATCH/ran"

	run -0 plugpkg rollback 1 --no-scripts -y
	assert_has "Scripts of what comes do not run"
	assert_equal "$(ran)" "install base
uninstall side >1.0.0"
	assert_installed base 1.0.0
	run -0 plugpkg show base --json
	assert_has '"scripts_left_out":["upgrade","post-install"]'
	run -0 plugpkg undo --no-scripts -y
	assert_equal "$(ran)" "install base
uninstall side >1.0.0"
	assert_installed base 1.1.0
	assert_installed side 1.0.0
	run -0 plugpkg show base
	assert_lacks "Not run yet"
	run -0 plugpkg show side --json
	assert_has '"scripts_left_out":["install","post-install"]'
	plugpkg repair
	assert_equal "$(ran)" "install base
uninstall side >1.0.0
install side >1.0.0
post side >1.0.0"
}

@test "link --no-scripts links a directory whose scripts nobody has run" {
	noisy base 1.0.0
	make_root
	run -0 plugpkg link plugins/base-1.0.0 -y --no-scripts
	assert_equal "$(readlink "$PLUGPKG_ROOT/current/base")" "$SCRATCH/plugins/base-1.0.0"
	assert_equal "$(ran)" ""
	plugpkg repair
	assert_equal "$(ran)" "install base >1.0.0
post base >1.0.0"
}
