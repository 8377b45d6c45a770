# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The attack list, metadata: S01 to S05 and S15 to S28, by a mirror or a network that has no key, and by a
# publisher who has. Servers that misbehave (S06 to S14, S16, S25) are in net.bats.

setup_file() {
	load ../helpers
	load attacks
	need python3 jq openssl sqlite3 zstd
	make_world
	keep_world
}

setup() {
	load ../helpers
	load attacks
	enter_world
}

# newest ROLE: the served file of that role.
newest() {
	find repo/public/metadata -name "*.$1.json" | sort -V | tail -n 1
}

# recovers: the mirror serves honestly again, and all is well.
recovers() {
	serve_mirror honest
	run plugpkg update
	assert_status 0
	honest_run_works
}

# ---- without a key ---------------------------------------------------------------------------

@test "S01: metadata that is not signed, signed by others, or altered is refused" {
	local file sed
	keep_mirror honest
	for sed in 's/"version":2/"version":3/' 's/"sig":"[0-9a-f]*"/"sig":""/' \
		's/"signatures":\[[^]]*\]/"signatures":[]/'; do
		sed -i "$sed" repo/public/metadata/timestamp.json
		refused_with 6 "source 'test'" "timestamp" "[signature-invalid]" -- plugpkg update
		serve_mirror honest
	done
	make_repo other test
	cp other/public/metadata/timestamp.json repo/public/metadata/
	refused_with 6 "source 'test'" "timestamp" "[signature-invalid]" -- plugpkg update
	cp -R other/public/. repo/public/
	refused_with 6 "source 'test'" "[signature-invalid]" -- plugpkg update
	recovers
}

@test "S02: metadata that goes back in time is refused, by every later run too" {
	keep_mirror old
	publish "$(build_plugin honest 1.2.0)"
	plugpkg update
	keep_mirror honest
	serve_mirror old
	refused_with 6 "source 'test'" "timestamp" "[metadata-older]" -- plugpkg update
	refused_with 6 "source 'test'" "timestamp" "[metadata-older]" -- plugpkg update
	recovers
}

@test "S03: a mirror that stands still is noticed when its timestamp expires, and removing stays possible" {
	keep_mirror honest
	PLUGPKG_NOW=$(($(date +%s) + 30 * 86400)) \
		refused_with 6 "source 'test'" "timestamp" "expired on" "[metadata-expired]" -- plugpkg update
	PLUGPKG_NOW=$(($(date +%s) + 30 * 86400)) \
		refused_with 6 "expired on" "[metadata-expired]" -- plugpkg install honest@1.1.0 -y
	recovers
	PLUGPKG_NOW=$(($(date +%s) + 30 * 86400)) run -0 plugpkg remove honest -y
}

@test "S04: files of yesterday under the names of today are refused, each of them" {
	local kind old new
	keep_mirror old
	publish "$(build_plugin honest 1.2.0)"
	keep_mirror honest
	for kind in snapshot index; do
		cp "old/metadata/${kind/#/2.}.json" "$(newest "$kind")"
		refused_with 6 "source 'test'" "$kind" -- plugpkg update
		serve_mirror honest
	done
	for kind in root.json planning.zst search.zst; do
		old=$(find old/targets/index -name "*.$kind" | head -n 1)
		new=$(comm -13 <(ls old/targets/index) <(ls repo/public/targets/index) | grep "$kind")
		cp "$old" "repo/public/targets/index/$new"
		refused_with 6 "index of 'test'" "[digest-mismatch]" -- plugpkg update
		serve_mirror honest
	done
	recovers
}

@test "S08: an archive of the same size, one flipped bit, and one that was swapped are refused" {
	local archive
	keep_mirror honest
	archive=$(echo repo/public/targets/pool/honest/1.1.0/*.plug)
	printf '\377' | dd of="$archive" bs=1 seek=100 conv=notrunc status=none
	refused_with 6 "honest 1.1.0" "[digest-mismatch]" -- plugpkg install honest@1.1.0 -y
	cp repo/public/targets/pool/honest/1.0.0/*.plug "$archive"
	refused_with 6 "honest 1.1.0" "[digest-mismatch]" -- plugpkg install honest@1.1.0 -y
	recovers
}

@test "S10: planted files in the cache, partial ones too, are neither believed nor followed" {
	local sum
	sum=$(basename repo/public/targets/pool/honest/1.1.0/*.plug .plug)
	echo planted >"root/var/cache/$sum.part"
	echo dear >precious
	honest_run_works
	plugpkg install honest@1.0.0 --downgrade -y
	rm -f "root/var/cache/$sum"
	ln -s "$SCRATCH/precious" "root/var/cache/$sum"
	run plugpkg install honest@1.1.0 -y
	assert_equal "$(cat precious)" dear
	rm -f "root/var/cache/$sum"
	ln -s "$SCRATCH/precious" "root/var/cache/$sum.part"
	run plugpkg install honest@1.1.0 -y
	assert_equal "$(cat precious)" dear
	rm -f "root/var/cache/$sum.part"
	honest_run_works
}

@test "S21: bytes that are no metadata end in an error, never in a crash" {
	local name file
	keep_mirror honest
	printf '{"signed":{"_type":"timestamp"}}' >bad.1
	head -c 5000 /dev/zero | tr '\0' '[' >bad.2
	head -c 3000 /dev/urandom >bad.3
	printf '[]' >bad.4
	: >bad.5
	printf '{"signatures":[{"keyid":1,"sig":{}}],"signed":[]}' >bad.6
	printf '{"signatures":[],"signed":{}}\0x' >bad.7
	for name in timestamp snapshot index; do
		for file in bad.?; do
			cp "$file" "$(newest "$name" | grep . || echo repo/public/metadata/timestamp.json)"
			[ "$name" != timestamp ] || cp "$file" repo/public/metadata/timestamp.json
			rm -rf root/var/trust/test/view
			rm -f "root/var/trust/test/$name.json" # what it has is not asked for again
			run timeout 20 plugpkg update
			# 5: longer than its signed size, it is cut off before anybody looks at its bytes.
			[[ $status = 5 && $output == *"is larger than it may be"* ]] || assert_status 6
		done
		serve_mirror honest
	done
	recovers
}

# ---- with the online key ---------------------------------------------------------------------

# refused_edit TEXT... -- LAYER COMMAND...: what the edit makes of the index is refused with the words, by the
# update or by who wants to install from it.
refused_edit() {
	local texts=()
	while [ "$1" != -- ]; do
		texts+=("$1")
		shift
	done
	shift
	evil edit "$@"
	run timeout 60 plugpkg update
	if [ "$status" -eq 0 ]; then
		refused_with 6 "'test'" "[bad-metadata]" "${texts[@]}" -- plugpkg install honest@1.1.0 -y
	else
		assert_status 6
		refused_with 6 "'test'" "[bad-metadata]" "${texts[@]}" -- plugpkg update
	fi
	serve_mirror honest
}

# refused_name TEXT: inside a string of JSON, as the name of a plugin, and of what one needs.
refused_name() {
	refused_edit "name" -- search jq -c ".name = \"$1\""
	refused_edit "honest" -- planning jq -c ".versions[].requires = {\"$1\": \"*\"}"
}

# publisher_recovers: what is honest is signed anew, and all is well.
publisher_recovers() {
	serve_mirror honest
	evil edit planning cat
	run plugpkg update
	assert_status 0
	honest_run_works
}

@test "S08: a record without digest, with a short one, with blanks or in upper case is refused" {
	local jq
	keep_mirror honest
	for jq in '.[1:]' 'ascii_upcase' '" " + .' '""' '.[:64] + " -1 1 1"'; do
		refused_edit "honest" -- planning jq -c ".versions[].archive |= ($jq)"
	done
	# Without it the details say so.
	evil edit planning jq -c 'del(.versions[].archive)'
	rm -rf honest
	keep_mirror honest
	for jq in 'del(.sha256)' '.sha256 |= .[1:]' '.sha256 |= " " + .[1:]' '.sha256 |= ascii_upcase' \
		'.sha256 = null' '.sha256 = ""' 'del(.size)' '.size = -1' '.size = "131"'; do
		refused_edit "honest" -- details jq -c ".versions[] |= ($jq)"
	done
	for jq in 'del(.sha256)' '.sha256 |= ascii_upcase' '.sha256 = ""' '.size = -1'; do
		refused_edit -- index-root jq -c ".planning[] |= ($jq)"
	done
	publisher_recovers
}

@test "S15: a shard that unpacks to more than its record says is refused, within bounded memory" {
	keep_mirror honest
	refused_edit "planning" -- planning --unpacked 1000 head -c 300000000 /dev/zero
	# Signed at its true size it is beyond what any index may be.
	evil edit planning --unpacked 99999999999 cat
	(
		if is_plain_build; then ulimit -v 2000000; fi
		refused_with 6 "'test'" "[bad-metadata]" -- plugpkg update
	)
	serve_mirror honest
	publisher_recovers
}

@test "S18: a threshold of nothing, and one key that signs twice, make no root" {
	local root
	make_repo fresh fresh
	root=fresh/public/metadata/1.root.json
	jq -c '.signatures |= [.[0], .[0]]' "$root" >twice.json
	jq -c '.signed.roles.root.threshold = 0 | .signatures = []' "$root" >nothing.json
	jq -c '.signatures |= [.[0]]' "$root" >once.json
	for root in twice nothing once; do
		refused_with 6 "root" -- plugpkg source add fresh "file://$SCRATCH/fresh/public" --key "$root.json"
	done
	honest_run_works
}

@test "S19: an index that its delegation does not cover is not read" {
	keep_mirror honest
	evil edit targets jq -c '.delegations.roles[0].paths = ["other/*"]'
	refused_with 6 "'test'" "index/root.json" -- plugpkg update
	serve_mirror honest
	evil edit targets jq -c '.delegations.roles[0].threshold = 2'
	refused_with 6 "'test'" "index" -- plugpkg update
	serve_mirror honest
	evil edit targets cat
	run -0 plugpkg update
	honest_run_works
}

@test "S20: names of plugins, sources and repositories that climb lead nowhere" {
	local name
	keep_mirror honest
	for name in ../outside /outside '%2e%2e' '@x/..' 'a\u0000b' \
		"$(printf 'n%.0s' {1..300})"; do
		refused_name "$name"
	done
	for name in ../outside a/b .. "$(printf 'n%.0s' {1..300})" 'A' ''; do
		refused_with 2 "source" -- plugpkg source add "$name" "file://$SCRATCH/repo/public"
	done
	publisher_recovers
}

@test "S22: members that stand twice, fractions, huge numbers and bad UTF-8 in the index are refused" {
	local sed
	keep_mirror honest
	for sed in 's|"name":"honest"|&,"name":"evil"|' 's|"published":|"published":0.5,"x":|' \
		's|"published":|"published":99999999999999999999|' 's|"published":|"x":"\xc0\xaf","published":|' \
		's|$|{}|' 's|"versions":.*|"versions":[1]}|'; do
		LC_ALL=C refused_edit -- planning sed "$sed"
	done
	LC_ALL=C refused_edit -- search sed 's|"name":"honest"|"name":"hon\xffest"|'
	for sed in 's|"format":1|"format":1,"format":1|' 's|"format":1|"format":1.0|' 's|"format":1|"format":"1"|'; do
		refused_edit -- index-root sed "$sed"
	done
	publisher_recovers
}

@test "S24: names of other alphabets and in upper case are refused, in the index and in a manifest" {
	local name
	keep_mirror honest
	# A Cyrillic letter, upper case, a wide letter, a zero-width blank.
	for name in $'plugin-\u0430' Honest $'\uff48onest' $'honest\u200b'; do
		refused_name "$name"
		make_plugin odd 1.0.0 >/dev/null
		sed -i "s|\"name\": \"[^\"]*\"|\"name\": \"$name\"|" "$(plugin_dir odd 1.0.0)/plugin.json"
		run -1 plugpkg lint "$(plugin_dir odd 1.0.0)"
		assert_has "name"
		run -1 plugpkg build "$(plugin_dir odd 1.0.0)"
	done
	publisher_recovers
}

@test "S26: an archive with other scripts, conflicts or needs than its record says is refused" {
	local dir
	dir=$(make_plugin two 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install
	offer two 1.0.0
	refused_with 6 "two 1.0.0" "[bad-archive]" "other scripts than the signed index" -- plugpkg install two -y
	assert_missing calls
	offer three 1.0.0 '"conflicts": {"honest": "*"}'
	refused_with 6 "three 1.0.0" "[bad-archive]" "other things than the signed index" -- plugpkg install three -y
	honest_run_works
}

@test "S27: 'a-1' in version 2 and 'a' in version 1-2 are two things everywhere" {
	offer a-1 2.0.0
	offer a 1.0.0-2.0.0
	plugpkg install a-1 a@1.0.0-2.0.0 -y
	assert_installed a-1 2.0.0
	assert_installed a 1.0.0-2.0.0
	assert_equal "$(cat root/current/a-1/payload.txt root/current/a/payload.txt)" \
		"a-1 2.0.0"$'\n'"a 1.0.0-2.0.0"
	plugpkg remove a-1 -y
	assert_installed a 1.0.0-2.0.0
	honest_run_works
}

@test "S28: an installed version whose record has another digest now is refused" {
	echo more >"$(plugin_dir honest 1.0.0)/payload.txt"
	offer honest 1.0.0
	refused_with 6 "honest 1.0.0" "other content" "[digest-mismatch]" -- plugpkg install honest@1.0.0 --reinstall -y
}

@test "S51: names and versions with line breaks, blanks and shell characters are refused in the index" {
	local text
	keep_mirror honest
	# shellcheck disable=SC2016 # not to expand
	for text in 'a\nb' 'a b' '$(x);`b`' '-rf' 'a\u001b]0;x'; do
		refused_name "$text"
	done
	# shellcheck disable=SC2016 # as above
	for text in '\n2' ' ' '$(x);`b`' '\u001b]0;x'; do
		refused_edit "version" -- planning jq -c ".versions[0].version = \"1.1.0$text\""
	done
	publisher_recovers
}
