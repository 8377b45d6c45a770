#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What could be installed and why not (policy), and what stands in the way of a request (why-not).

setup() {
	load ../helpers
	setup_scratch
	make_repo
}

# offers: of the last `run`, "version state" one a line.
offers() {
	json_get 'select(.type == "offer") | .version + " " + .state'
}

# candidates: of the last `run`, what install or upgrade would take.
candidates() {
	json_get 'select(.type == "policy").candidates[] | .name + " " + .version'
}

# publish_versions NAME VERSION...: plain releases.
publish_versions() {
	local name=$1 archives=() version
	shift
	for version; do
		make_plugin "$name" "$version" >/dev/null
		archives+=("$(build_plugin "$name" "$version")")
	done
	publish "${archives[@]}"
}

# add_source NAME PRIORITY: SCRATCH/NAME as a source.
add_source() {
	plugpkg source add "$1" "file://$SCRATCH/$1/public" --priority "$2" \
		--key "$SCRATCH/$1/public/metadata/1.root.json" >/dev/null
}

@test "policy shows what is installed, what would be taken, and every release with its source" {
	publish_versions base 1.0.0 1.1.0 1.2.0 2.0.0-rc.1
	make_root
	run -0 plugpkg policy base
	assert_has "Installed: none" "Candidate: 1.2.0 from test" "2.0.0-rc.1" "is a prerelease" "test 500"
	assert_has "$(date -u +%Y-)"
	plugpkg install base@1.1.0 -y
	plugpkg install base -y
	run -0 plugpkg policy base
	assert_has "Installed: 1.1.0 from test, manual" "wanted as 1.1.0" "is older than 1.1.0"
	assert_has "is outside of 1.1.0, which plugpkg.json wants" "Candidate: 1.1.0 from test"
	run -0 plugpkg policy base --json
	assert_equal "$(offers)" "2.0.0-rc.1 prerelease
1.2.0 wanted
1.1.0 installed
1.0.0 downgrade"
	assert_equal "$(json_get 'select(.type == "offer" and .installed) | [.version, .source, .priority, .candidate, .published > 1600000000] | @csv')" \
		'"1.1.0","test",500,true,true'
	assert_equal "$(json_get 'select(.type == "policy").installed[0] | [.version, .source, .manual, .range] | @csv')" \
		'"1.1.0","test",true,"1.1.0"'
}

@test "the candidate is what install and upgrade take" {
	publish_versions base 1.0.0 1.1.0
	make_root
	run -0 plugpkg policy base --json
	assert_equal "$(candidates)" "base 1.1.0"
	plugpkg install base -y
	assert_installed base 1.1.0
	publish_versions base 1.2.0
	plugpkg update
	run -0 plugpkg policy base --json
	assert_equal "$(candidates)" "base 1.2.0"
	plugpkg upgrade -y
	assert_installed base 1.2.0
}

@test "what does not run here, or with this application, says so" {
	make_plugin picky 1.0.0 >/dev/null
	make_plugin picky 2.0.0 '"requires": {"host:app": "^2"}' >/dev/null
	make_plugin picky 3.0.0 '"os": ["plan9"]' >/dev/null
	make_plugin picky 4.0.0 '"arch": ["pdp11"]' >/dev/null
	make_plugin picky 5.0.0 '"min-client": "99.0.0"' >/dev/null
	make_plugin picky 6.0.0 '"conflicts": {"host:app": "*"}' >/dev/null
	make_plugin picky 7.0.0 '"requires": {"host:other": "*"}' >/dev/null
	local version archives=()
	for version in 1 2 3 4 5 6 7; do
		archives+=("$(build_plugin picky $version.0.0)")
	done
	publish "${archives[@]}"
	make_root
	jq '.provides = {"host:app": "1.4.0"}' "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/p"
	cp "$SCRATCH/p" "$PLUGPKG_ROOT/plugpkg.json"
	run -0 plugpkg policy picky
	assert_has "Candidate: 1.0.0" "needs host:app ^2; this application has 1.4.0" \
		"needs plugpkg 99.0.0" "conflicts with host:app; this application has 1.4.0" "another operating system"
	run -0 plugpkg policy picky --json
	assert_equal "$(offers)" "7.0.0 host-none
6.0.0 host-conflict
5.0.0 min-client
4.0.0 arch
3.0.0 os
2.0.0 host-too-old
1.0.0 candidate"
}

@test "a hold, a link and a file keep other releases out" {
	publish_versions base 1.0.0 1.1.0
	make_root
	plugpkg install base@1.0.0 -y
	plugpkg mark auto base
	plugpkg hold base --until 2999-01-01
	run -0 plugpkg policy base
	assert_has "held until 2999-01-01" "would take the place of 1.0.0, which is held until 2999" \
		"Candidate: 1.0.0"
	plugpkg unhold base
	plugpkg remove base -y
	plugpkg link "$(make_plugin base 0.9.0)" -y
	run -0 plugpkg policy base --json
	assert_equal "$(offers)" "0.9.0 installed
1.1.0 linked
1.0.0 linked"
	run -0 plugpkg policy base
	assert_has "linked from" "which is linked from a directory and stays so" "Candidate: 0.9.0"
	plugpkg remove base -y
	plugpkg install "$(build_plugin base 0.9.5)" --allow-unsigned -y
	run -0 plugpkg policy base
	assert_has "was installed from a file" "which was installed from a file and stays so"
}

@test "a name belongs to the source of highest priority, and an installed plugin to its own" {
	publish_versions base 1.0.0 2.0.0
	make_root
	make_repo "$SCRATCH/high" high
	plugpkg-repo --repo "$SCRATCH/high" add "$SCRATCH/base-1.0.0.plug" >/dev/null
	plugpkg-repo --repo "$SCRATCH/high" publish >/dev/null
	plugpkg install base@1.0.0 -y
	plugpkg mark auto base
	add_source high 900
	plugpkg update
	run -0 plugpkg policy base --json
	assert_equal "$(json_get 'select(.type == "offer") | .source + " " + .version + " " + .state')" \
		"high 1.0.0 source
test 2.0.0 candidate
test 1.0.0 installed"
	assert_equal "$(candidates)" "base 2.0.0"
	plugpkg remove base -y
	run -0 plugpkg policy base
	assert_has "Candidate: 1.0.0 from high" "high 900" "because 'high' has plugins of that name"
	run -0 plugpkg policy base/test
	assert_has "Candidate: 2.0.0 from test"
	run -4 plugpkg policy base/tset
	assert_has "this root has no source 'tset'"
}

@test "what is too young says from when on it can be taken" {
	publish_versions base 1.0.0
	make_root
	jq '.["min-age"] = {"days": 3}' "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/p"
	cp "$SCRATCH/p" "$PLUGPKG_ROOT/plugpkg.json"
	run -0 plugpkg policy base
	assert_has "Candidate: none" "has to be 3 days old; it can be taken from"
	run -0 plugpkg policy base --json
	assert_equal "$(offers)" "1.0.0 min-age"
}

@test "parallel majors: each takes its own, another one comes beside" {
	local version archives=()
	for version in 1.0.0 1.1.0 2.0.0; do
		make_plugin lib "$version" '"parallel": "major"' >/dev/null
		archives+=("$(build_plugin lib "$version")")
	done
	publish "${archives[@]}"
	make_root
	plugpkg install lib@1.0.0 -y
	plugpkg mark auto lib@1
	run -0 plugpkg policy lib --json
	assert_equal "$(offers)" "2.0.0 beside
1.1.0 candidate
1.0.0 installed"
	assert_equal "$(candidates)" "lib 1.1.0"
	run -0 plugpkg policy lib
	assert_has "is another major, and comes beside the installed one: lib@2"
	plugpkg install lib@2 -y
	run -0 plugpkg policy lib --json
	assert_equal "$(candidates)" "lib 2.0.0
lib 1.1.0"
}

@test "a virtual name lists who provides it, and which one would come" {
	make_plugin species-eu 1.0.0 '"provides": {"species": "1.0.0"}' >/dev/null
	make_plugin species-us 1.0.0 '"provides": {"species": "2.0.0"}' >/dev/null
	publish "$(build_plugin species-eu 1.0.0)" "$(build_plugin species-us 1.0.0)"
	make_root
	run -0 plugpkg policy species
	assert_has "Provided by: species-eu, species-us" "Candidate: species-us 1.0.0 from test" "provides 1.0.0"
	run -0 plugpkg install species -y
	assert_installed species-us 1.0.0
	plugpkg remove species-us -y
	plugpkg install species-eu -y
	run -0 plugpkg policy species --json
	assert_equal "$(candidates)" "species-eu 1.0.0"
	assert_equal "$(json_get 'select(.type == "policy").providers | join(" ")')" "species-eu species-us"
}

@test "unknown names end with near names, after the answers before them" {
	publish_versions base 1.0.0
	make_root
	run -4 plugpkg policy base bsae
	assert_has "Candidate: 1.0.0" "unknown plugin 'bsae'" "did you mean 'base'?" "[not-found]"
	run -2 plugpkg policy base@1
	assert_has "policy takes names without a version"
	run -2 plugpkg policy Base
	assert_has "[bad-name]"
	run -2 plugpkg policy
	run -4 plugpkg why-not bsae
	assert_has "did you mean 'base'?"
}

@test "policy and why-not change nothing" {
	publish_versions base 1.0.0
	make_root
	tree_state "$PLUGPKG_ROOT" >"$SCRATCH/before"
	run -0 plugpkg policy base
	run -0 plugpkg why-not base
	tree_state "$PLUGPKG_ROOT" >"$SCRATCH/after"
	cmp "$SCRATCH/before" "$SCRATCH/after"
}

@test "why-not says that nothing stands in the way, and what would change" {
	publish_versions base 1.0.0
	make_plugin top 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	publish "$(build_plugin top 1.0.0)"
	make_root
	run -0 plugpkg why-not top
	assert_has "Nothing stands in the way of top." "NEW plugins" "base  1.0.0  required by top"
	run -0 plugpkg why-not top --json
	assert_equal "$(json_get 'select(.type == "why-not") | [.possible, .targets[0]] | @csv')" 'true,"top"'
	assert_equal "$(json_get 'select(.type == "step") | .name' | xargs)" "base top"
	plugpkg install top -y
	run -0 plugpkg why-not top
	assert_has "No plugin would change."
}

@test "why-not explains as install does, and shows the versions there are" {
	publish_versions auth 1.0.0 2.0.0
	make_plugin forum 1.0.0 '"requires": {"auth": "<2"}' >/dev/null
	make_plugin wiki 3.0.0 '"requires": {"auth": ">=2"}' >/dev/null
	publish "$(build_plugin forum 1.0.0)" "$(build_plugin wiki 3.0.0)"
	make_root
	plugpkg install forum -y
	run -3 plugpkg install wiki -y
	assert_has "More: plugpkg why-not wiki"
	run -3 plugpkg install wiki -y --json
	json_get 'select(.type == "result") | {causes, ways, message}' >"$SCRATCH/install"
	run -0 plugpkg why-not wiki
	assert_has "cannot install wiki" "forum 1.0.0 (installed) needs auth <2" "wiki 3.0.0 needs auth >=2" \
		"Ways out:" "plugpkg install wiki forum-" "Candidate: 3.0.0 from test"
	assert_lacks "More:"
	run -0 plugpkg why-not wiki --json
	json_get 'select(.type == "why-not") | {causes, ways, message}' >"$SCRATCH/why-not"
	cmp "$SCRATCH/install" "$SCRATCH/why-not"
	assert_equal "$(json_get 'select(.type == "why-not") | [.possible, .code] | @csv')" 'false,"no-solution"'
	assert_equal "$(offers)" "3.0.0 candidate"
	run -0 plugpkg why-not wiki forum-
	assert_has "Nothing stands in the way of wiki forum-." "REMOVED"
}

@test "the command of More: asks the whole question, options and all" {
	publish_versions tls 1.0.0 2.0.0
	make_plugin left 1.0.0 '"requires": {"tls": "^1"}' >/dev/null
	make_plugin right 1.0.0 '"requires": {"tls": "^2"}' >/dev/null
	publish "$(build_plugin left 1.0.0)" "$(build_plugin right 1.0.0)"
	make_root
	run -3 plugpkg install left right -y
	assert_has "More: plugpkg why-not left right"
	run -0 plugpkg why-not left right
	assert_has "cannot install left and right"
	run -3 plugpkg install 'tls@>=1 <2' --min-age 3 -y
	assert_has "More: plugpkg why-not --min-age=3 'tls@>=1 <2'"
	run -0 plugpkg why-not --min-age=3 'tls@>=1 <2'
	assert_has "has to be 3 days old"
}

@test "why-not looks at archives too" {
	publish_versions base 1.0.0
	make_root
	archive=$(build_plugin mine 1.0.0 '"requires": {"base": "^2"}')
	run -3 plugpkg install "$archive" --allow-unsigned -y
	assert_has "needs base ^2"
	assert_lacks "More:"
	run -0 plugpkg why-not "$archive"
	assert_has "needs base ^2; there is only 1.0.0"
	run -0 plugpkg why-not "$(build_plugin good 1.0.0)"
	assert_has "Nothing stands in the way" "local file, not signed"
	assert_not_installed good
}

@test "a request that is held back, or goes back, is explained too" {
	publish_versions base 1.0.0 1.1.0
	make_root
	plugpkg install base@1.0.0 -y
	plugpkg hold base
	run -0 plugpkg why-not base@1.1.0
	assert_has "cannot install base@1.1.0" "is held"
	plugpkg unhold base
	plugpkg install base@1.1.0 -y
	run -0 plugpkg why-not base@1.0.0
	assert_has "goes back only when told so" "plugpkg install --downgrade base@1.0.0"
	run -0 plugpkg why-not --downgrade base@1.0.0
	assert_has "Nothing stands in the way" "DOWNGRADED"
	run -4 plugpkg why-not base@9
	assert_has "has no version in the range '9'"
}
