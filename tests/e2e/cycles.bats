# SPDX-License-Identifier: MIT
# Rings of requirements: installed as a set; refused where scripts would wait for each other.

setup() {
	load ../helpers
	setup_scratch
	export PLUGPKG_REPO=$SCRATCH/repo
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
	publish "$(plain a 1.0.0 '')" "$(plain b 1.0.0 '')"
	publish "$(scripted a 2.0.0 '"b": "*"')" "$(scripted b 2.0.0 '"c": "*"')" "$(plain c 1.0.0 '"a": "*"')"
	make_root
	run plugpkg install c -y
	assert_status 3
	assert_has "a -> b -> c -> a" "[no-solution]" "wait for each other"
	assert_missing calls "$PLUGPKG_ROOT/current/c"
	run plugpkg install c b@1 -y
	assert_status 0
	assert_equal "$(cat calls)" "install a 2.0.0"
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
	publish "$(plain b 1.5.0 '')" "$(plain a 1.5.0 '')"
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

@test "publish refuses a ring of scripts that no choice of versions avoids, and publishes nothing" {
	plugpkg-repo add -q "$(scripted a 1.0.0 '"b": "*"')" "$(plain b 1.0.0 '"c": "^1"')" "$(scripted c 1.0.0 '"a": "*"' upgrade)"
	run plugpkg-repo publish
	assert_status 3
	assert_has "[no-solution]" "a -> b -> c -> a"
	run plugpkg-repo list --json
	assert_equal "$(json_get 'select(.status == "published") | .name')" ""
	plugpkg-repo remove -q c@1.0.0
	plugpkg-repo add -q "$(plain c 1.1.0 '"a": "*"')"
	run plugpkg-repo publish
	assert_status 0
}

@test "publish lets a ring pass that an older version avoids, and check names it" {
	publish "$(scripted a 1.0.0 '')" "$(scripted b 1.0.0 '')"
	publish "$(scripted a 2.0.0 '"b": "*"')" "$(scripted b 2.0.0 '"a": "*"')"
	run plugpkg-repo check
	assert_status 1
	assert_has "a -> b -> a" "Checked: 2 plugins, 4 versions, 1 problems."
}

@test "check passes where every version can be installed, whatever the host and the platform" {
	publish "$(plain user 1.0.0 '')" "$(plain user 2.0.0 '"host:app": "^7"')" \
		"$(build_plugin mac 1.0.0 '"os": ["macos"], "requires": {"user": "^2"}')" \
		"$(build_plugin beta 1.0.0-rc.1 '"requires": {"user": "<2"}')"
	run plugpkg-repo check
	assert_status 0
	assert_has "Checked: 3 plugins, 4 versions, 0 problems."
}

@test "check tells what misses something, what follows from it, and what conflicts" {
	publish "$(plain user 1.0.0 '')" "$(plain lost 1.0.0 '"user": "^2"')" \
		"$(plain follower 1.0.0 '"lost": "*", "user": "*"')" \
		"$(build_plugin old 1.0.0 '"requires": {"user": "*"}, "conflicts": {"user": "<3"}')"
	run plugpkg-repo check --json
	assert_status 1
	assert_equal "$(json_get 'select(.type == "uninstallable") | "\(.name) \(.version) \(.kind)"')" \
		$'lost 1.0.0 missing\nfollower 1.0.0 broken\nold 1.0.0 conflict'
	run plugpkg-repo check
	assert_has "lost 1.0.0: requires user ^2, which nothing in this repository fulfils" \
		"follower 1.0.0: requires lost *, of which no version can be installed"
}

@test "check takes an older version where the newest conflicts, and tells line by line where none does" {
	publish "$(plain base 1.0.0 '')" "$(plain base 2.0.0 '')" \
		"$(build_plugin shy 1.0.0 '"conflicts": {"base": ">=2"}')" \
		"$(plain both 1.0.0 '"base": "*", "shy": "*"')"
	run plugpkg-repo check
	assert_status 0
	publish "$(plain modern 1.0.0 '"base": "^2"')" "$(plain all 1.0.0 '"both": "*", "modern": "*"')"
	run -1 --separate-stderr plugpkg-repo check
	assert_equal "${lines[0]}" "all 1.0.0: cannot install all@1.0.0"
	assert_equal "${lines[1]}" "  shy 1.0.0 conflicts with base >=2"
	assert_has "Checked: 5 plugins, 6 versions, 1 problems."
}

@test "check counts what is staged: before it is published" {
	plugpkg-repo add -q "$(plain lost 1.0.0 '"user": "^2"')"
	run plugpkg-repo check
	assert_status 1
	assert_has "lost 1.0.0: requires user ^2"
	plugpkg-repo add -q "$(plain user 2.3.0 '')"
	run plugpkg-repo check
	assert_status 0
}

# stage_ring N SCRIPTS: what add would stage of N plugins that require each other in a ring; each
# SCRIPTS-th has a script. To build so many archives takes minutes.
stage_ring() {
	local one
	one=$(plain n0 1.0.0 '')
	plugpkg-repo add -q "$one"
	python3 - "$PLUGPKG_REPO" "$1" "$2" <<-'END'
		import glob, json, os, shutil, sys
		repo, n, every = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		model_file = glob.glob(repo + "/staged/*.json")[0]
		model = json.load(open(model_file))
		os.unlink(model_file)
		for i in range(n):
		    name = "n%05d" % i
		    entry = json.loads(json.dumps(model))
		    entry["name"] = entry["planning"]["name"] = name
		    entry["planning"]["requires"] = {"n%05d" % ((i + 1) % n): "*"}
		    if every and i % every == 0:
		        entry["details"]["scripts"] = ["install"]
		    with open("%s/staged/%s@1.0.0.json" % (repo, name), "w") as f:
		        json.dump(entry, f)
	END
}

@test "a ring of 10,000 plugins is checked, and refused for its scripts, in bounded time" {
	stage_ring 10000 5000
	run timeout 120 plugpkg-repo check
	assert_status 1
	assert_has "n00000 -> n00001" "(9990 more)" "10000 plugins, 10000 versions, 1 problems"
	run timeout 120 plugpkg-repo publish
	assert_status 3
	assert_has "n00000 -> n00001" "(9990 more)"
}
