# SPDX-License-Identifier: MIT
# plugpkg-repo: keys, staging, publishing, copies.

setup() {
	load ../helpers
	setup_scratch
	export PLUGPKG_REPO=$SCRATCH/repo
}

# assert_part_of MIRROR SERVED: every file of the mirror is there, byte for byte, and the newest view is whole.
# What only older views reach is not copied.
assert_part_of() {
	local file
	while read -r file; do
		cmp "$1/$file" "$2/$file"
	done < <(cd "$1" && find . -name .mirror -prune -o -type f -print)
	plugpkg-repo verify "$1" >/dev/null
	cmp "$1/metadata/timestamp.json" "$2/metadata/timestamp.json"
}

@test "init makes keys that only their owner reads, and says what to keep offline" {
	run plugpkg-repo init repo --name main
	assert_status 0
	assert_has "sha256:" "root-1.key" "root-3.key" "targets.key" "Any 2 of the 3 root keys"
	assert_equal "$(stat -c %a repo/keys)" 700
	assert_equal "$(stat -c %a repo/keys/*.key | sort -u)" 600
	assert_missing repo/public/keys
}

@test "init refuses a directory that is a publisher's already, and leaves its keys" {
	make_repo
	before=$(cat repo/keys/*.key | sha256sum)
	run plugpkg-repo init repo
	assert_status 1
	assert_has "[exists]"
	assert_equal "$(cat repo/keys/*.key | sha256sum)" "$before"
}

@test "keys made with --encrypt need the passphrase, and a wrong one is refused" {
	run plugpkg-repo init repo --name main --encrypt --passphrase-fd 3 3<<<"correct horse"
	assert_status 0
	run ! grep -q '"seed"' repo/keys/online.key
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	run plugpkg-repo publish --passphrase-fd 3 3<<<"wrong"
	assert_status 6
	assert_has "[wrong-key]"
	run plugpkg-repo publish --passphrase-fd 3 3<<<"correct horse"
	assert_status 0
}

@test "S58: a key that others can read is not used" {
	make_repo
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	chmod 644 repo/keys/online.key
	run plugpkg-repo publish
	assert_status 1
	assert_has "[permission]" "chmod 600"
}

@test "publishing needs none of the offline keys" {
	make_repo
	rm repo/keys/root-*.key repo/keys/targets.key
	publish "$(build_plugin user 1.0.0)"
	run plugpkg-repo verify
	assert_status 0
}

@test "what is added is staged, then published, then listed" {
	make_repo
	run plugpkg-repo add "$(build_plugin user 1.0.0)" "$(build_plugin @acme/animal 1.4.0)"
	assert_status 0
	run plugpkg-repo list
	assert_has "user" "staged" "@acme/animal"
	run plugpkg-repo publish
	assert_has "2 added"
	run plugpkg-repo list --json
	assert_equal "$(json_get 'select(.type == "version") | "\(.name) \(.version) \(.status)"')" \
		$'@acme/animal 1.4.0 published\nuser 1.0.0 published'
}

@test "S28: the same archive again is fine, other content under the version is refused" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	run plugpkg-repo add user-1.0.0.plug
	assert_status 0
	assert_has "published already"
	echo other >plugins/user-1.0.0/payload.txt
	plugpkg build plugins/user-1.0.0 >/dev/null
	run plugpkg-repo add user-1.0.0.plug
	assert_status 1
	assert_has "[exists]" "user 1.0.0" "raise the version"
	run plugpkg-repo verify
	assert_status 0
}

@test "a version of equal precedence counts as the same version" {
	make_repo
	publish "$(build_plugin user 1.2)"
	run plugpkg-repo add "$(build_plugin user 1.2.0)"
	assert_status 1
	assert_has "[exists]"
}

@test "a removed version does not come back with other content" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	plugpkg-repo remove user@1.0.0 >/dev/null
	plugpkg-repo publish >/dev/null
	run plugpkg-repo list --json
	assert_equal "$(json_get 'select(.type == "version")')" ""
	echo other >plugins/user-1.0.0/payload.txt
	plugpkg build plugins/user-1.0.0 >/dev/null
	run plugpkg-repo add user-1.0.0.plug
	assert_status 1
	assert_has "[exists]"
}

@test "remove takes back what is only staged, and refuses what is unknown" {
	make_repo
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	plugpkg-repo remove user@1.0.0
	run plugpkg-repo publish
	assert_has "Nothing is staged"
	run plugpkg-repo remove user@1.0.0
	assert_status 4
	run plugpkg-repo remove user
	assert_status 2
}

@test "a plugin that fails lint is refused and nothing of it is served" {
	make_repo
	dir=$(make_plugin broken 1.0.0 '"scripts": {"install": "scripts/missing.sh"}')
	tar -C "$dir" -cf broken.tar plugin.json payload.txt
	zstd -q broken.tar -o broken.plug
	run plugpkg-repo add broken.plug
	assert_status 1
	assert_has "scripts/missing.sh" "[bad-manifest]"
	assert_equal "$(find repo/public/targets/pool -type f)" ""
	run plugpkg-repo publish
	assert_has "Nothing is staged"
}

@test "publishing only writes what changed, and every file but the timestamp keeps its content" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	(cd repo/public && find . -type f ! -name timestamp.json -exec sha256sum {} +) >before
	publish "$(build_plugin user 1.1.0)"
	(cd repo/public && sha256sum --quiet -c "$SCRATCH/before")
}

@test "refresh renews the signatures and nothing else" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	(cd repo/public/targets && find . -type f | sort) >before
	run plugpkg-repo refresh
	assert_status 0
	assert_has "version 3"
	(cd repo/public/targets && find . -type f | sort) >after
	cmp before after
	make_root
	run plugpkg list --available
	assert_has user
}

@test "refresh renews the index role once half of its life is over" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	run plugpkg-repo refresh --json
	assert_has '"index_renewed":false'
	PLUGPKG_NOW=$(($(date +%s) + 50 * 86400)) run plugpkg-repo refresh --json
	assert_has '"index_renewed":true'
}

@test "expiry days come from repository.json, and nonsense there is named" {
	make_repo
	echo '{"name": "main", "expiry_days": {"timestamp": 0}}' >repo/repository.json
	run plugpkg-repo refresh
	assert_status 1
	assert_has "expiry_days.timestamp" "[bad-config]"
}

@test "verify finds each flipped bit, missing file and foreign signature" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	run plugpkg-repo verify
	assert_status 0
	assert_has "0 problems"
	archive=$(find repo/public/targets/pool -name '*.plug')
	cp "$archive" kept
	printf x | dd of="$archive" bs=1 seek=100 conv=notrunc status=none
	run plugpkg-repo verify
	assert_status 6
	assert_has "other content than signed" "user 1.0.0"
	rm "$archive"
	run plugpkg-repo verify
	assert_status 6
	assert_has "missing"
	cp kept "$archive"
	local file
	for file in repo/public/metadata/{timestamp,2.*}.json; do
		mv "$file" away
		run -6 plugpkg-repo verify
		assert_has "error: repository '$SCRATCH/repo/public' lacks '${file#repo/public/}' [bad-metadata]" \
			"hint: copy it back from a mirror"
		mv away "$file"
	done
	mv repo/public/metadata/1.root.json away
	run -4 plugpkg-repo verify
	assert_has "'$SCRATCH/repo/public' is no repository: it has no metadata/1.root.json [not-found]"
	mv away repo/public/metadata/1.root.json
	sed -i 's/"version":2/"version":3/' repo/public/metadata/timestamp.json
	run plugpkg-repo verify
	assert_status 6
	assert_has "[signature-invalid]"
}

# verify_names TEXT...: verify finds one problem, says so, and install refuses the version in other words or the same.
verify_names() {
	run plugpkg-repo verify
	assert_status 6
	assert_has "$@" "1 problem in '$SCRATCH/repo/public'" "[digest-mismatch]"
}

@test "verify names each archive whose plugin.json is not what the signed index says" {
	need jq openssl zstd
	load attacks
	make_repo
	publish "$(build_plugin user 1.0.0)"
	cp -a repo honest
	evil pool user 2.0.0 "$(build_plugin other 1.0.0)"
	verify_names "pool/user/2.0.0/" "archive of user 2.0.0: it holds other 1.0.0"
	rm -rf repo && cp -a honest repo
	evil edit planning jq -c '.versions[0].requires = {"more": "*"}'
	verify_names "archive of user 1.0.0: its plugin.json asks for other things than the signed index says"
	rm -rf repo && cp -a honest repo
	evil edit details jq -c '.versions[0].scripts = ["install"]'
	evil edit planning jq -c '.versions[0].scripts = ["install"]'
	verify_names "archive of user 1.0.0: its plugin.json has other scripts than the signed index lists"
}

@test "verify names each version that only one layer of the index has, or that both tell otherwise" {
	local one
	need jq openssl zstd
	load attacks
	make_repo
	publish "$(build_plugin user 1.0.0)"
	cp -a repo honest
	evil edit planning jq -c '.versions = []'
	verify_names "archive of user 1.0.0: the planning layer of the index does not have it"
	rm -rf repo && cp -a honest repo
	evil edit details jq -c '.versions = []'
	verify_names "index/root.json: user 1.0.0 has no details, only a planning row"
	for one in '.versions[0].archive |= sub("^.{4}"; "beef")' '.versions[0].archive |= sub("[0-9]+$"; "9")' \
		'.versions[0].scripts = ["install"]' 'del(.versions[0].signed) | .versions[0].signed = true'; do
		rm -rf repo && cp -a honest repo
		evil edit planning jq -c "$one"
		verify_names "archive of user 1.0.0: the planning layer of the index says other things of it"
	done
	rm -rf repo && cp -a honest repo
	evil edit planning jq -c '.owner = {}'
	verify_names "archive of user 1.0.0: the planning layer of the index names another owner than the details"
}

@test "verify with another repository's key refuses" {
	make_repo
	make_repo other
	run plugpkg-repo verify repo/public --key other/public/metadata/1.root.json
	assert_status 6
	assert_has "[wrong-key]"
}

@test "a mirror is byte for byte the repository, and a second run fetches only what is new" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	run plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror --json
	assert_status 0
	assert_part_of mirror repo/public
	run plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror --json
	assert_equal "$(json_get 'select(.type == "mirrored") | .files')" 0
	publish "$(build_plugin user 1.1.0)"
	run plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror --json
	# archive, three shards, index root, index role, snapshot, timestamp
	assert_equal "$(json_get 'select(.type == "mirrored") | .files')" 8
	run plugpkg-repo verify mirror
	assert_status 0
}

@test "verify and mirror tell the fingerprint that users of the repository have to know" {
	make_repo
	local fingerprint
	fingerprint=sha256:$(sha256sum <repo/public/metadata/1.root.json | cut -d" " -f1)
	grep -qxF "Root key:  $fingerprint" repo.init
	run -0 plugpkg-repo --repo repo verify
	assert_has "Root key: $fingerprint"
	run -0 plugpkg-repo mirror "file://$SCRATCH/repo/public" copy --json
	assert_equal "$(json_get 'select(.type == "mirrored").fingerprint')" "$fingerprint"
	run -0 plugpkg-repo verify copy --key "$fingerprint" --json
	assert_equal "$(json_get 'select(.type == "verified").fingerprint')" "$fingerprint"
}

@test "an empty repository has a mirror too" {
	make_repo
	run -0 plugpkg-repo mirror "file://$SCRATCH/repo/public" copy
	run -0 plugpkg-repo verify copy
	diff -r repo/public/metadata copy/metadata
}

@test "a plain copy is a mirror" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	cp -R repo/public copy
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	plugpkg source add copy "file://$SCRATCH/copy" --key repo/public/metadata/1.root.json
	plugpkg install user -y
	assert_installed user 1.0.0
}

@test "a mirror does not follow a repository whose key changed, nor one that went back in time" {
	make_repo
	cp -R repo/public old
	publish "$(build_plugin user 1.0.0)"
	plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror >/dev/null
	run plugpkg-repo mirror "file://$SCRATCH/old" mirror
	assert_status 6
	assert_has "[metadata-older]"
	make_repo other
	run plugpkg-repo mirror "file://$SCRATCH/other/public" mirror
	assert_status 6
	assert_has "[wrong-key]"
	assert_part_of mirror repo/public
}

@test "a mirror of damaged bytes is refused and the old state stays" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror >/dev/null
	cp -R mirror before
	publish "$(build_plugin animal 1.0.0)"
	archive=$(find repo/public/targets/pool/animal -name '*.plug')
	printf x | dd of="$archive" bs=1 seek=10 conv=notrunc status=none
	run plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror
	assert_status 6
	assert_has "[digest-mismatch]" "animal 1.0.0"
	diff -r before mirror -x .mirror
	run plugpkg-repo verify mirror
	assert_status 0
}

@test "outside of a publisher's directory the way to make one is told" {
	unset PLUGPKG_REPO
	run plugpkg-repo list
	assert_status 1
	assert_has "[no-root]" "plugpkg-repo init"
}

@test "a virtual name lists its providers and forgets those that leave" {
	make_repo
	publish "$(build_plugin species-latin 1.0.0 '"provides": {"species-list": "1.0"}')" \
		"$(build_plugin species-english 1.0.0 '"provides": {"species-list": "1.0"}')"
	planning() {
		local metadata=repo/public/metadata targets=repo/public/targets n root shard
		n=$(jq '.signed.meta."snapshot.json".version' $metadata/timestamp.json)
		n=$(jq '.signed.meta."index.json".version' "$metadata/$n.snapshot.json")
		root=$(jq -r '.signed.targets."index/root.json".hashes.sha256' "$metadata/$n.index.json")
		shard=$(jq -r '.planning[0].sha256' "$targets/index/$root.root.json")
		zstd -dcq "$targets/index/$shard.planning.zst"
	}
	assert_equal "$(planning | jq -c 'select(.name == "species-list") | .providers')" \
		'["species-english","species-latin"]'
	plugpkg-repo remove species-latin@1.0.0 >/dev/null
	plugpkg-repo publish >/dev/null
	assert_equal "$(planning | jq -c 'select(.name == "species-list") | .providers')" '["species-english"]'
}

@test "init refuses a name that a source cannot have, and makes nothing" {
	run plugpkg-repo init other --name 'Bad Name'
	assert_status 2
	assert_has "'Bad Name' is no repository name" "hint: lower-case letters, digits and '-', at most 64"
	assert_missing other
}

@test "a repository.json that holds no settings is named" {
	local damage
	make_repo
	for damage in '[]' '[1' ''; do
		echo "$damage" >repo/repository.json
		run plugpkg-repo --repo repo list
		assert_status 1
		assert_has "repository.json: " "[bad-config]"
	done
}

@test "init takes the name of the directory, in the characters that a name may have" {
	unset PLUGPKG_REPO
	run plugpkg-repo init "My Plugins" --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "initialised") | .name')" my-plugins
}

@test "verify takes a publisher's directory for what it serves" {
	unset PLUGPKG_REPO
	make_repo
	run plugpkg-repo verify repo
	assert_status 0
	run plugpkg-repo verify repo/public
	assert_status 0
	cd repo || return 1
	run plugpkg-repo verify
	assert_status 0
}

@test "details that grow are cut into shards, and clients and mirrors find every plugin in them" {
	local i archives=() text
	make_repo
	text=$(head -c 60000 /dev/zero | tr '\0' x)
	for i in $(seq 40); do
		archives+=("$(build_plugin "p$i" 1.0.0 "\"description\": \"$text\"")")
	done
	publish "${archives[@]}"
	publish "$(build_plugin last 1.0.0 '"requires": {"p1": "*", "p40": "*"}')"
	[ "$(find repo/public/targets/index -name '*.details.zst' | wc -l)" -ge 4 ]
	run plugpkg-repo verify repo
	assert_status 0
	plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror >/dev/null
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	plugpkg source add test "file://$SCRATCH/mirror" --key repo/public/metadata/1.root.json
	run plugpkg list --available --json
	assert_equal "$(grep -c '"type":"plugin"' <<<"$output")" 41
	plugpkg install last -y
	assert_installed p1 1.0.0
	assert_installed p40 1.0.0
	for i in 7 23 39; do
		run plugpkg show "p$i"
		assert_status 0
	done
}
