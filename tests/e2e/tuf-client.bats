# SPDX-License-Identifier: MIT
# The TUF client through its test program, against a repository that plugpkg-repo made, on a server that
# misbehaves: whatever goes wrong, the status is 1 and what was trusted stays as it was.

setup() {
	load ../helpers
	load servers
	setup_scratch
	client=$top_builddir/tests/tuf-client
	export PLUGPKG_FETCH_PATIENCE=1
	make_repo
	"$client" --metadata-dir trusted init repo/public/metadata/1.root.json
}

teardown() {
	stop_servers
}

refresh() {
	run timeout 60 "$client" --metadata-dir trusted --metadata-url "${1:-$URL/metadata}" refresh
}

download() {
	run timeout 60 "$client" --metadata-dir trusted --metadata-url "$URL/metadata" \
		--target-base-url "$URL/targets" --target-dir targets --target-name index/root.json download
}

state() {
	(cd trusted && sha256sum -- *)
}

requests() {
	jq -r .path web.log | tr '\n' ' '
}

@test "a refresh makes four requests, the next one two, and files are kept as served" {
	serve web repo/public
	refresh
	assert_status 0
	assert_equal "$(requests)" \
		"/metadata/2.root.json /metadata/timestamp.json /metadata/1.snapshot.json /metadata/1.targets.json "
	for role in root targets snapshot; do cmp "trusted/$role.json" "repo/public/metadata/1.$role.json"; done
	cmp trusted/timestamp.json repo/public/metadata/timestamp.json
	rm web.log
	refresh
	assert_status 0
	assert_equal "$(requests)" "/metadata/2.root.json /metadata/timestamp.json "
}

@test "a target of a delegated role is downloaded once, over http and as a file" {
	serve web repo/public
	download
	assert_status 0
	cmp targets/index%2Froot.json repo/public/targets/index/*.root.json
	rm web.log
	download
	assert_status 0
	assert_equal "$(requests)" "/metadata/2.root.json /metadata/timestamp.json "
	refresh "file://$SCRATCH/repo/public/metadata/"
	assert_status 0
}

@test "a failure that is not 403 or 404 does not end the walk of roots, it ends the refresh" {
	serve web repo/public
	before=$(state)
	for order in status-500 status-503 status-429 status-400 stall garbage endless endless-error \
		headers loop to-file to-ftp; do
		order web "$order@*/2.root.json"
		rm -f web.log
		refresh
		assert_status 1
		assert_has "[network]"
		assert_lacks "signature"
		run ! grep -q timestamp web.log
	done
	assert_equal "$(state)" "$before"
	order web "status-403@*/2.root.json"
	refresh
	assert_status 0
}

@test "a damaged, endless, cut or missing file is refused and leaves what was trusted" {
	serve web repo/public
	for file in timestamp.json 1.snapshot.json 1.targets.json 1.index.json '*.root.json'; do
		for order in status-404 status-500 flip other long endless cut-always stall-body gzip bomb; do
			rm -rf trusted targets
			"$client" --metadata-dir trusted init repo/public/metadata/1.root.json
			order web "status-404@*/2.root.json,$order@*/$file"
			download
			assert_status 1
			run ! grep -rq "" targets
			order web ok
			download
			assert_status 0
		done
	done
}

@test "old files are refused after new ones were seen" {
	serve web repo/public
	cp -r repo/public/metadata old
	publish "$(build_plugin user 1.0.0)"
	refresh
	assert_status 0
	before=$(state)
	cp old/timestamp.json repo/public/metadata/
	refresh
	assert_status 1
	assert_has "[metadata-older]" "older than 2 seen before"
	assert_equal "$(state)" "$before"
}

@test "a root of another repository is refused before any request" {
	serve web repo/public
	make_repo "$SCRATCH/other"
	sed 's/"sig":"./"sig":"x/g' repo/public/metadata/1.root.json >forged.json
	run "$client" --metadata-dir forged init forged.json
	assert_status 1
	assert_has "[signature-invalid]"
	rm -rf trusted
	"$client" --metadata-dir trusted init other/public/metadata/1.root.json
	refresh
	assert_status 1
	assert_has "[signature-invalid]" "timestamp has 0 valid signatures of the 1"
	assert_missing trusted/timestamp.json
}
