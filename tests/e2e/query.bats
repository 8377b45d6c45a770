#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Questions: list, show, search, depends, rdepends; they change nothing and work on a read-only root.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin user 2.1.0 '"keywords": ["people"], "description": "All who may log in.", "homepage": "https://example.org/user"' >/dev/null
	make_plugin user 2.0.0 >/dev/null
	make_plugin animal 1.0.0 '"requires": {"user": "^2"}, "recommends": {"photos": "*"}, "suggests": {"map": "*"}' >/dev/null
	make_plugin photos 1.0.0 '"requires": {"species-list": "*"}' >/dev/null
	make_plugin species-eu 1.0.0 '"provides": {"species-list": "1.0"}' >/dev/null
	publish "$(build_plugin user 2.1.0)" "$(build_plugin user 2.0.0)" "$(build_plugin animal 1.0.0)" \
		"$(build_plugin photos 1.0.0)" "$(build_plugin species-eu 1.0.0)"
	make_root
}

@test "list shows what is installed, by pattern, manual and automatic" {
	plugpkg install animal -y
	run plugpkg list --json
	assert_equal "$(json_get 'select(.type == "plugin") | [.name, .version, .source, .reason, .state] | join(" ")')" \
		"animal 1.0.0 test manual installed
photos 1.0.0 test automatic installed
species-eu 1.0.0 test automatic installed
user 2.1.0 test automatic installed"
	assert_equal "$(plugpkg list --manual --json | jq -r 'select(.type == "plugin").name')" animal
	assert_equal "$(plugpkg list --auto 'u*' --json | jq -r 'select(.type == "plugin").name')" user
}

@test "list --available shows the newest of each that the sources offer" {
	plugpkg install user@2.0.0 -y
	run plugpkg list --available --json
	assert_equal "$(json_get 'select(.type == "plugin") | [.name, .version, .state, .installed // "-"] | join(" ")')" \
		"animal 1.0.0 available -
photos 1.0.0 available -
species-eu 1.0.0 available -
user 2.1.0 installed 2.0.0"
}

@test "show tells everything of an offer, of what is installed, and of a version" {
	run plugpkg show user --json
	assert_equal "$(json_get 'select(.type == "show") | [.name, .version, .source, .description, .homepage, (.keywords | join("+")), (.versions | join(","))] | join("|")')" \
		"user|2.1.0|test|All who may log in.|https://example.org/user|people|2.1.0,2.0.0"
	run plugpkg show user@2.0 --json
	assert_equal "$(json_get 'select(.type == "show").version')" 2.0.0
	plugpkg install user@2.0.0 -y
	run plugpkg show user --json
	assert_equal "$(json_get 'select(.type == "show") | [.version, .installed, .candidate, .state] | join(" ")')" \
		"2.0.0 2.0.0 2.1.0 installed"
	run plugpkg show species-list --json
	assert_equal "$(json_get 'select(.type == "show").providers[]')" species-eu
}

@test "show says what is missing, and nothing of what another plugin provides" {
	need sqlite3
	plugpkg install animal -y
	run plugpkg show photos --json
	assert_equal "$(json_get 'select(.type == "show") | [.name, .broken] | @json')" '["photos",null]'
	run plugpkg show animal --json
	assert_equal "$(json_get 'select(.type == "show").broken')" null
	sqlite3 "$PLUGPKG_ROOT/var/state.db" "DELETE FROM plugins WHERE key IN ('species-eu', 'user')"
	run plugpkg show photos --json
	assert_equal "$(json_get 'select(.type == "show").broken[]')" \
		"needs species-list *, which is not installed"
	run plugpkg show animal --json
	assert_equal "$(json_get 'select(.type == "show").broken[]')" "needs user ^2, which is not installed"
}

@test "show answers an unknown name with near ones, an unknown version with a way on" {
	run plugpkg show usre
	assert_status 4
	assert_has "usre" "'user'"
	run plugpkg show user@7
	assert_status 4
	assert_has "no version of 'user' lies in '7'"
}

@test "search finds every word in name, summary or keywords, whatever the case" {
	run plugpkg search PEOPLE --json
	assert_equal "$(json_get 'select(.type == "found") | .name + " " + .version')" "user 2.1.0"
	run plugpkg search test PLUGIN animal --json
	assert_equal "$(json_get 'select(.type == "found").name')" animal
	run plugpkg search nothing-like-that
	assert_status 0
	assert_equal "$output" ""
}

@test "depends shows edges with who satisfies them, and follows them" {
	plugpkg install animal -y
	run plugpkg depends animal --json
	assert_equal "$(json_get 'select(.type == "edge") | [.from, .kind, .to, .range, .satisfied_by // "-"] | join(" ")')" \
		"animal requires user ^2 user 2.1.0
animal recommends photos * photos 1.0.0
animal suggests map * -"
	run plugpkg depends animal --recursive --json
	assert_equal "$(json_get 'select(.type == "edge" and .depth == 2) | [.from, .to, .satisfied_by] | join(" ")')" \
		"photos species-list species-eu 1.0.0"
	run plugpkg depends nobody
	assert_status 4
}

@test "depends of what is not installed asks the sources" {
	run plugpkg depends animal --recursive --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "edge" and .kind == "requires") | .from + " " + .to')" \
		"animal user
photos species-list"
}

@test "rdepends shows who asks for it, also through what it provides" {
	plugpkg install animal -y
	run plugpkg rdepends species-eu --json
	assert_equal "$(json_get 'select(.type == "edge") | .from + " " + .to')" "photos species-list"
	run plugpkg rdepends species-eu --recursive --json
	assert_equal "$(json_get 'select(.type == "edge") | .from + " " + .to')" "photos species-list
animal photos"
	run plugpkg rdepends nobody
	assert_status 4
	run plugpkg rdepends animal
	assert_status 0
}

@test "a source with a higher priority answers for a name alone" {
	make_repo "$SCRATCH/other" other
	make_plugin user 1.0.0 '"keywords": ["ours"]' >/dev/null
	plugpkg-repo --repo "$SCRATCH/other" add "$(build_plugin user 1.0.0)"
	plugpkg-repo --repo "$SCRATCH/other" publish
	plugpkg source add ours "file://$SCRATCH/other/public" --priority 900 \
		--key "$SCRATCH/other/public/metadata/1.root.json"
	run plugpkg show user --json
	assert_equal "$(json_get 'select(.type == "show") | .version + " " + .source')" "1.0.0 ours"
	run plugpkg install user -y
	assert_status 0
	assert_installed user 1.0.0
}

@test "expired metadata can be asked, but nothing is installed from it" {
	export PLUGPKG_NOW=2100-01-01T00:00:00Z
	run plugpkg show user
	assert_status 0
	run plugpkg install user -y
	assert_status 6
	assert_has "[metadata-expired]"
}

@test "an update without a source says how to add one" {
	plugpkg init other
	run -0 plugpkg --root other update
	assert_has "There is no source yet: plugpkg source add NAME URL"
}

@test "who looks into the sources of a root that has none is told so" {
	local question
	plugpkg init other
	for question in "search user" "list --available" "list --all"; do
		# shellcheck disable=SC2086 # words
		run -0 --separate-stderr plugpkg --root other $question
		assert_equal "$output" ""
		assert_equal "$stderr" "There is no source yet: plugpkg source add NAME URL"
		# shellcheck disable=SC2086 # words
		run -0 --separate-stderr plugpkg --root other $question --json
		assert_equal "$(wc -l <<<"$output")" 1
		# shellcheck disable=SC2086 # words
		run -0 plugpkg $question nothing
		assert_lacks "no source"
	done
}

@test "a root before its first update says what to do" {
	plugpkg init "$SCRATCH/fresh"
	run plugpkg --root "$SCRATCH/fresh" install user -y
	assert_status 4
	assert_has "plugpkg source add"
}
