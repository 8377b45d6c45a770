#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Who needs whom, as a list and as a tree; what is installed by levels and marks.

setup() {
	load ../helpers
	setup_scratch
	export LC_ALL=C
	make_repo
	make_plugin base 1.0.0 >/dev/null
	make_plugin left 1.0.0 '"requires": {"base": "^1"}' >/dev/null
	make_plugin right 1.0.0 '"recommends": {"base": "*"}, "suggests": {"map": "*"}, "conflicts": {"zoo": "*"}' >/dev/null
	make_plugin app 1.0.0 '"requires": {"left": "*", "right": ">=1", "species-list": "*", "host:demo": "^1"}' >/dev/null
	make_plugin species-eu 1.0.0 '"provides": {"species-list": "1.0"}' >/dev/null
	publish "$(build_plugin base 1.0.0)" "$(build_plugin left 1.0.0)" "$(build_plugin right 1.0.0)" \
		"$(build_plugin app 1.0.0)" "$(build_plugin species-eu 1.0.0)"
	make_root
	provide '{"host:demo": "1.2.0"}'
}

# provide JSON: the names of the application
provide() {
	jq ".provides = $1" "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/new.json"
	mv "$SCRATCH/new.json" "$PLUGPKG_ROOT/plugpkg.json"
}

# edges: of the last run, one a line
edges() {
	json_get 'select(.type == "edge") | [.id, .parent // "-", .depth, .from, .kind, .to, .repeated // .cycle // "-"] | join(" ")'
}

@test "depends --tree shows what led where; what was shown is marked" {
	plugpkg install app -y
	run plugpkg depends --tree app
	assert_status 0
	assert_equal "$output" "app 1.0.0
|- left *: left 1.0.0 is here
|  \`- base ^1: base 1.0.0 is here
|- right >=1: right 1.0.0 is here
|  |- recommends base *: base 1.0.0 is here
|  \`- suggests map *: not installed
|- species-list *: species-eu 1.0.0 is here
\`- host:demo ^1: host:demo 1.2.0 is here"
	run plugpkg depends --tree app --json
	assert_equal "$(edges)" "1 - 1 app requires left -
2 1 2 left requires base -
3 - 1 app requires right -
4 3 2 right recommends base -
5 3 2 right suggests map -
6 3 2 right conflicts zoo -
7 - 1 app requires species-list -
8 - 1 app requires host:demo -"
	assert_equal "$(json_get 'select(.type == "tree") | [.name, .version, .installed] | @csv')" '"app","1.0.0",true'
}

@test "lines are drawn where the locale is UTF-8" {
	LC_ALL=en_GB.UTF-8 run plugpkg depends --tree left
	assert_equal "$output" "left 1.0.0
└─ base ^1: not installed"
}

@test "a sub-tree is printed once, cycles end" {
	make_plugin a 1.0.0 '"requires": {"b": "*", "c": "*"}' >/dev/null
	make_plugin b 1.0.0 '"requires": {"d": "*"}' >/dev/null
	make_plugin c 1.0.0 '"requires": {"d": "*", "a": "*"}' >/dev/null
	make_plugin d 1.0.0 '"requires": {"base": "*"}' >/dev/null
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)" "$(build_plugin c 1.0.0)" "$(build_plugin d 1.0.0)"
	plugpkg update
	plugpkg install a -y
	run plugpkg depends --tree a
	assert_equal "$output" "a 1.0.0
|- b *: b 1.0.0 is here
|  \`- d *: d 1.0.0 is here
|     \`- base *: base 1.0.0 is here
\`- c *: c 1.0.0 is here
   |- d *: d 1.0.0 is here (see above)
   \`- a *: a 1.0.0 is here (a cycle)"
	run plugpkg rdepends --tree base
	assert_equal "$output" "base 1.0.0
\`- d 1.0.0 requires base *
   |- b 1.0.0 requires d *
   |  \`- a 1.0.0 requires b *
   |     \`- c 1.0.0 requires a *
   |        \`- a 1.0.0 requires c * (a cycle)
   \`- c 1.0.0 requires d * (see above)"
	run plugpkg depends --recursive a --json
	assert_equal "$(json_get 'select(.type == "edge") | [.depth, .from, .to] | join(" ")')" "1 a b
1 a c
2 b d
2 c d
2 c a
3 d base"
}

@test "rdepends finds who asks for a virtual name, a name of the application, a plugin that does not do" {
	plugpkg install app -y
	run plugpkg rdepends species-list --json
	assert_equal "$(edges)" "1 - 1 app requires species-list -"
	run plugpkg rdepends host:demo
	assert_has "app" "host:demo ^1"
	provide '{"host:demo": "2.0.0"}'
	run plugpkg rdepends host:demo
	assert_has "2.0.0 is here, which does not do"
	run plugpkg depends app --json
	assert_equal "$(json_get 'select(.to == "host:demo") | (.installed + " " + (.satisfied_by // "-"))')" "2.0.0 -"
}

@test "a tree of what is not installed asks the sources" {
	run plugpkg depends --tree app --json
	assert_equal "$(edges | head -3)" "1 - 1 app requires left -
2 1 2 left requires base -
3 - 1 app requires right -"
	assert_equal "$(json_get 'select(.type == "tree").installed')" false
	run plugpkg depends --tree nobody
	assert_status 4
	assert_has "[not-found]"
}

# plugins: of the last run, with some members
plugins() {
	json_get "select(.type == \"plugin\") | [$1] | join(\" \")"
}

@test "list --levels starts with what needs nothing; a circle has one depth" {
	make_plugin a 1.0.0 '"requires": {"b": "*", "left": "*"}' >/dev/null
	make_plugin b 1.0.0 '"requires": {"a": "*"}' >/dev/null
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)"
	plugpkg update
	plugpkg install app a -y
	run plugpkg list --levels --json
	assert_equal "$(plugins '.depth, .name')" "0 base
0 species-eu
1 left
1 right
2 a
2 app
2 b"
	run plugpkg list --levels --manual
	assert_equal "$output" "2  a    1.0.0  test  manual  Test plugin a
2  app  1.0.0  test  manual  Test plugin app"
}

@test "list --all adds what could be installed; --type chooses" {
	make_plugin dark 1.0.0 '"type": "theme"' >/dev/null
	make_plugin light 1.0.0 '"type": "theme"' >/dev/null
	make_plugin base 1.1.0 >/dev/null
	publish "$(build_plugin dark 1.0.0)" "$(build_plugin light 1.0.0)"
	plugpkg update
	plugpkg install dark base -y
	publish "$(build_plugin base 1.1.0)"
	plugpkg update
	run plugpkg list --all --json
	assert_equal "$(plugins '.name, .version, .candidate // "-", .state, .kind')" "app 1.0.0 - available plugin
base 1.0.0 1.1.0 installed plugin
dark 1.0.0 - installed theme
left 1.0.0 - available plugin
light 1.0.0 - available theme
right 1.0.0 - available plugin
species-eu 1.0.0 - available plugin"
	assert_equal "$(plugpkg list --type theme --json | jq -r 'select(.type == "plugin").name')" dark
	assert_equal "$(plugpkg list --all --type theme --json | jq -r 'select(.type == "plugin").name' | xargs)" "dark light"
	assert_equal "$(plugpkg list --available --type theme 'd*' --json | jq -r 'select(.type == "plugin").name')" dark
	run plugpkg list --type nothing
	assert_status 0
	assert_equal "$output" ""
}

@test "list --upgradable --check exits with 100 only where there is an update" {
	plugpkg install app -y
	run plugpkg list --upgradable --check
	assert_status 0
	assert_equal "$output" ""
	make_plugin base 1.2.0 >/dev/null
	make_plugin base 1.3.0-beta.1 >/dev/null
	publish "$(build_plugin base 1.2.0)" "$(build_plugin base 1.3.0-beta.1)"
	plugpkg update
	run plugpkg list --upgradable --check --json
	assert_status 100
	assert_equal "$(plugins '.name, .version, .candidate')" "base 1.0.0 1.2.0"
	assert_equal "$(json_get 'select(.type == "result") | [.ok, .exit] | join(" ")')" "true 100"
	run plugpkg list --upgradable
	assert_status 0
	assert_has "1.0.0 -> 1.2.0"
	plugpkg hold base
	run plugpkg list --upgradable --held --auto --check
	assert_status 100
	assert_has "base" "held"
	run plugpkg list --upgradable --manual --check
	assert_status 0
}

@test "choices of list that contradict each other are refused" {
	run plugpkg list --available --manual
	assert_status 2
	assert_has "'--available' and '--manual' exclude each other"
	run plugpkg list --all --available
	assert_status 2
	run plugpkg list --manual --auto
	assert_status 2
	run plugpkg list --check
	assert_status 2
	run plugpkg list --all --levels
	assert_status 2
}

# make_chain LENGTH: that many installed plugins, each of which needs the next one, and the last one
# the first. Straight into the state: what is asked is how they are shown.
make_chain() {
	local db=$PLUGPKG_ROOT/var/state.db key="" i
	plugpkg install base -y
	[ -z "$(sqlite3 "$db" "SELECT 1 FROM pragma_table_info('plugins') WHERE name = 'key'")" ] ||
		key="UPDATE one SET key = name;"
	{
		echo "BEGIN; CREATE TEMP TABLE one AS SELECT * FROM plugins;"
		for ((i = 1; i <= $1; i++)); do
			echo "UPDATE one SET name = 'n$i', manifest = '{\"name\":\"n$i\",\"version\":\"1.0.0\",\"requires\":{\"n$((i % $1 + 1))\":\"*\"}}'; $key INSERT INTO plugins SELECT * FROM one;"
		done
		echo "COMMIT;"
	} | sqlite3 -bail "$db"
}

@test "ten thousand plugins one below the other are shown" {
	need sqlite3
	make_chain 10000
	run bash -c 'ulimit -s 256; plugpkg depends --tree n1 | tail -1'
	assert_has "[10000] " "n1 *: n1 1.0.0 is here (a cycle)"
	run bash -c 'ulimit -s 256; plugpkg rdepends --tree n1 --json | jq -sr "[.[] | select(.type == \"edge\")] | [length, .[-1].depth, .[-1].cycle] | @csv"'
	assert_equal "$output" "10000,10000,true"
}
