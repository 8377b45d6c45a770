# SPDX-License-Identifier: MIT
# Another public/ than the one that was signed here: older, of somebody else, without its root.

setup() {
	load ../helpers
	load keys
	setup_scratch
	export PLUGPKG_REPO=$SCRATCH/repo
}

@test "an older public/ that was put back is not published over, and what to do is said" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	cp -R repo/public backup
	publish "$(build_plugin animal 1.0.0)"
	make_root
	plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror >/dev/null
	rm -rf repo/public
	cp -R backup repo/public
	plugpkg-repo add -q "$(build_plugin tree 1.0.0)"
	for command in publish refresh; do
		run plugpkg-repo $command
		assert_status 6
		assert_has "[metadata-older]" "public/ is older than what was signed here" "from a mirror" \
			"--accept-public"
	done
	cmp backup/metadata/timestamp.json repo/public/metadata/timestamp.json
	# Back from a mirror, it goes on as if nothing had been.
	cp -R mirror/. repo/public/
	run plugpkg-repo publish
	assert_status 0
	run plugpkg update
	assert_status 0
	run plugpkg list --available
	assert_has user animal tree
}

@test "where nobody has the newer files, publishing goes on from the older ones above all old numbers" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	cp -R repo/public backup
	publish "$(build_plugin animal 1.0.0)"
	plugpkg-repo refresh >/dev/null
	make_root
	before=$(seen timestamp)
	rm -rf repo/public
	cp -R backup repo/public
	run plugpkg-repo refresh --accept-public
	assert_status 0
	run plugpkg update
	assert_status 0
	[ "$(seen timestamp)" -gt "$before" ]
	run plugpkg list --available
	assert_has user
	assert_lacks animal
	publish animal-1.0.0.plug
	run plugpkg update
	assert_status 0
	run plugpkg list --available
	assert_has animal
}

@test "a second directory that publishes with the same key is noticed" {
	make_repo
	cp -R repo other
	plugpkg-repo --repo other refresh >/dev/null
	cp -R other/public/. repo/public/
	run plugpkg-repo refresh
	assert_status 1
	assert_has "[bad-state]" "not from here" "--accept-public" "stolen"
	run plugpkg-repo refresh --accept-public
	assert_status 0
	run plugpkg-repo refresh
	assert_status 0
}

@test "a root that went missing is asked for" {
	make_repo
	rotate root-1
	mv repo/public/metadata/2.root.json kept
	run plugpkg-repo refresh
	assert_status 6
	assert_has "newest root is 1, published was 2" "copy public/metadata/2.root.json back"
	mv kept repo/public/metadata/2.root.json
	run plugpkg-repo refresh
	assert_status 0
}

@test "a damaged record of what was signed is named" {
	make_repo
	echo '{' >repo/signed.json
	run plugpkg-repo refresh
	assert_status 1
	assert_has "signed.json" "[bad-state]"
	rm repo/signed.json
	run plugpkg-repo refresh
	assert_status 0
	assert_exists repo/signed.json
}

@test "damaged metadata in public/ is named, with where to get it, and nothing is signed over it" {
	local file damage
	make_repo
	cp -a repo/public before
	for file in timestamp 1.root; do
		for damage in '[1' '{"signed": []}' ''; do
			echo "$damage" >"repo/public/metadata/$file.json"
			run plugpkg-repo --repo repo refresh
			assert_status 6
			assert_has "'public/metadata/$file.json' is damaged: " "hint: copy it back from a mirror" "[bad-metadata]"
			cp "before/metadata/$file.json" "repo/public/metadata/$file.json"
			diff -r before repo/public
		done
	done
	jq -c '.signed._type = "snapshot"' before/metadata/timestamp.json >repo/public/metadata/timestamp.json
	run plugpkg-repo --repo repo refresh
	assert_status 6
	assert_has "'public/metadata/timestamp.json' is damaged: it is no timestamp"
	cp before/metadata/timestamp.json repo/public/metadata/timestamp.json
	run -0 plugpkg-repo --repo repo refresh
}
