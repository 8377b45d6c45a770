#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A drawing of what is installed: the same root, the same text, and Graphviz reads it.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin left 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	make_plugin right 1.0.0 '"recommends": {"base": "*", "map": "*"}, "suggests": {"left": "*"}, "conflicts": {"zoo": "<2"}' >/dev/null
	make_plugin @acme/app 1.0.0 '"requires": {"left": "*", "right": ">=1 || <0.5", "species-list": "*", "host:demo": "^1"}' >/dev/null
	make_plugin species-eu 1.0.0 '"provides": {"species-list": "1.0"}' >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin left 1.0.0)" "$(build_plugin right 1.0.0)" \
		"$(build_plugin @acme/app 1.0.0)" "$(build_plugin species-eu 1.0.0)"
	make_root
	provide '{"host:demo": "1.2.0"}'
	plugpkg install @acme/app -y
}

# provide JSON: the names of the application
provide() {
	jq ".provides = $1" "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/new.json"
	mv "$SCRATCH/new.json" "$PLUGPKG_ROOT/plugpkg.json"
}

# accepted: Graphviz draws the output of the last run.
accepted() {
	need dot
	dot -Tsvg <<<"$output" >"$SCRATCH/out.svg" 2>"$SCRATCH/dot.err" || fail "$(cat "$SCRATCH/dot.err")"
	assert_equal "$(cat "$SCRATCH/dot.err")" ""
	[[ $(<"$SCRATCH/out.svg") == *"</svg>"* ]]
}

@test "graph draws plugins, names of the application, requirements and recommendations" {
	run plugpkg graph
	assert_status 0
	assert_equal "$output" 'digraph plugins {
  "@acme/app" [label="@acme/app\n1.0.0", style=bold];
  "base" [label="base\n1.0.0"];
  "left" [label="left\n1.0.0"];
  "right" [label="right\n1.0.0"];
  "species-eu" [label="species-eu\n1.0.0"];
  "host:demo" [label="host:demo\n1.2.0", shape=box];
  "@acme/app" -> "left" [label="", style=solid];
  "@acme/app" -> "right" [label=">=1 || <0.5", style=solid];
  "@acme/app" -> "species-eu" [label="species-list *", style=solid];
  "@acme/app" -> "host:demo" [label="^1", style=solid];
  "left" -> "base" [label="^1", style=solid];
  "right" -> "base" [label="", style=dashed];
}'
	accepted
}

@test "graph of some plugins draws what they lead to" {
	run plugpkg graph left --json
	assert_equal "$(json_get 'select(.type == "node") | [.id, .kind, .depth] | join(" ")')" "base plugin 0
left plugin 1"
	assert_equal "$(json_get 'select(.type == "line") | [.from, .to, .kind, .range, .broken] | join(" ")')" \
		"left base requires ^1 false"
	run plugpkg graph nobody
	assert_status 4
	assert_has "[not-installed]"
}

@test "what is broken is red" {
	provide '{"host:demo": "3.0.0"}'
	run plugpkg graph
	assert_has '"@acme/app" -> "host:demo" [label="^1", style=solid, color=red, fontcolor=red];'
	accepted
	provide '{}'
	run plugpkg graph
	assert_has '"host:demo" [label="host:demo\nnot installed", color=red, fontcolor=red];'
	accepted
	# The one that is linked changes under us.
	plugpkg link "$(make_plugin zoo 3.0.0)" -y
	need sqlite3
	sqlite3 "$PLUGPKG_ROOT/var/state.db" \
		"UPDATE plugins SET manifest = replace(manifest, '3.0.0', '1.0.0') WHERE name = 'zoo'"
	run plugpkg graph
	assert_has '"right" -> "zoo" [label="conflicts <2", style=dotted, color=red, fontcolor=red];'
	accepted
}

@test "no text of a plugin gets out of its quotes" {
	provide '{"host:demo": "1.2.0"}'
	make_plugin odd 1.0.0 '"provides": {"species-list": "1.0.0-a"}, "recommends": {"base": "*"}' >/dev/null
	publish "$(build_plugin odd 1.0.0)"
	plugpkg update
	plugpkg install odd -y
	# A range may hold blanks and signs, and no more; the state is trusted less than that.
	need sqlite3
	sqlite3 "$PLUGPKG_ROOT/var/state.db" \
		"UPDATE plugins SET version = '1.0.0\"]; evil [x=\"\\' WHERE name = 'odd'"
	run plugpkg graph
	assert_status 0
	assert_has '"odd" [label="odd\n1.0.0\"]; evil [x=\"\\", style=bold];'
	accepted
}

@test "cycles are drawn, and an empty root is an empty drawing" {
	make_plugin a 1.0.0 '"requires": {"b": "*"}' >/dev/null
	make_plugin b 1.0.0 '"requires": {"a": "*"}' >/dev/null
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)"
	plugpkg update
	plugpkg install a -y
	run plugpkg graph a
	assert_equal "$output" 'digraph plugins {
  "a" [label="a\n1.0.0", style=bold];
  "b" [label="b\n1.0.0"];
  "a" -> "b" [label="", style=solid];
  "b" -> "a" [label="", style=solid];
}'
	accepted
	plugpkg init "$SCRATCH/empty"
	run plugpkg --root "$SCRATCH/empty" graph
	assert_equal "$output" 'digraph plugins {
}'
	accepted
}
