# SPDX-License-Identifier: MIT
# Hostile and huge input: a clear answer in bounded time, and nothing changed.

setup() {
	load ../helpers
	setup_scratch
	export PLUGPKG_REPO=$SCRATCH/repo
}

# graph LINES-OF-AWK: a published repository of what awk prints, one version a line.
publish_graph() {
	make_repo
	awk "BEGIN { $1 }" >graph.jsonl
	"$top_builddir/tests/bench/publish-graph" graph.jsonl repo "$(date +%s)"
}

# What a version of publish_graph has besides name, version and relations.
rest='\"size\":1,\"unpacked\":1,\"sha256\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"'

root_digest() {
	(cd "$PLUGPKG_ROOT" && find . -path ./var/cache -prune -o -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum
}

@test "S60: a ring of 10,000 plugins is planned as a set, in bounded time" {
	publish_graph "n = 10000; for (i = 0; i < n; i++) printf \"{\\\"name\\\":\\\"n%05d\\\",\\\"version\\\":\\\"1.0.0\\\",\\\"requires\\\":{\\\"n%05d\\\":\\\"*\\\"},$rest}\\n\", i, (i + 1) % n"
	make_root
	run timeout 60 plugpkg install n00000 --dry-run --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "step") | .name' | wc -l)" 10000
	assert_equal "$(json_get 'select(.type == "step") | .name' | sort -c && echo sorted)" sorted
	run timeout 60 plugpkg-repo check
	assert_status 0
	assert_has "10000 plugins, 10000 versions, 0 problems"
}

@test "a chain of 10,000 plugins that ends in nothing is refused, in bounded time" {
	publish_graph "for (i = 0; i < 10000; i++) printf \"{\\\"name\\\":\\\"n%05d\\\",\\\"version\\\":\\\"1.0.0\\\",\\\"requires\\\":{\\\"n%05d\\\":\\\"*\\\"},$rest}\\n\", i, i + 1"
	make_root
	before=$(root_digest)
	run timeout 60 plugpkg install n00000 --dry-run
	assert_status 3
	assert_has "[no-solution]"
	assert_equal "$(root_digest)" "$before"
	run timeout 60 plugpkg-repo check
	assert_status 1
	assert_has "n09999 1.0.0: requires n10000 *, which nothing in this repository fulfils" "10000 problems"
}

@test "S60: a version of a megabyte is refused by name, briefly" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	before=$(root_digest)
	long=$(head -c 100000 /dev/zero | tr '\0' 1)
	run timeout 10 plugpkg install "user@$long" -y
	assert_status 2
	assert_has "longer than 8192 bytes"
	[ "${#output}" -lt 2000 ]
	assert_equal "$(root_digest)" "$before"
	dir=$(make_plugin big 1.0.0)
	for bytes in 1000000 200000; do
		printf '{"name":"big","version":"1.%s","summary":"x","license":"MIT"}' \
			"$(head -c "$bytes" /dev/zero | tr '\0' 7)" >"$dir/plugin.json"
		run timeout 10 plugpkg lint "$dir"
		assert_status 1
		assert_has "plugin.json"
		[ "${#output}" -lt 2000 ]
	done
	assert_has "version"
}

@test "S60: a range of very many alternatives is refused with the position" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	for n in 40 800; do
		run timeout 10 plugpkg install "user@$(seq -s '||' 1 "$n")" -y
		assert_status 2
		assert_has "[bad-range]" "at position 120"
		[ "${#output}" -lt 2000 ]
	done
}

@test "what is asked for and refused in one command is told so, and nothing is changed" {
	make_repo
	publish "$(build_plugin user 1.0.0)" "$(build_plugin zoo 1.0.0 '"conflicts": {"user": "*"}')"
	make_root
	before=$(root_digest)
	run timeout 10 plugpkg install user user- -y
	assert_status 2
	assert_has "both installed and removed"
	run timeout 10 plugpkg install user zoo -y
	assert_status 3
	assert_has "zoo 1.0.0" "user"
	run timeout 10 plugpkg install user@1 user@2 -y
	assert_status 4
	assert_has "no version in the range '2'"
	assert_equal "$(root_digest)" "$before"
}

@test "pigeons that do not fit their holes end at the limit of time, as no solution" {
	# 13 pigeons in 12 holes: every pigeon provides each hole in another version and conflicts with its like.
	publish_graph "p = 13; h = 12; for (i = 0; i < p; i++) for (j = 0; j < h; j++) printf \"{\\\"name\\\":\\\"p%02d-h%02d\\\",\\\"version\\\":\\\"1.0.0\\\",\\\"provides\\\":{\\\"pigeon%02d\\\":\\\"\\\",\\\"hole%02d\\\":\\\"\\\"},\\\"conflicts\\\":{\\\"hole%02d\\\":\\\"*\\\"},$rest}\\n\", i, j, i, j, j; printf \"{\\\"name\\\":\\\"loft\\\",\\\"version\\\":\\\"1.0.0\\\",\\\"requires\\\":{\"; for (i = 0; i < p; i++) printf \"%s\\\"pigeon%02d\\\":\\\"*\\\"\", i ? \",\" : \"\", i; printf \"},$rest}\\n\""
	make_root
	run timeout 120 plugpkg install loft --dry-run
	assert_status 3
	assert_has "[no-solution]"
}
