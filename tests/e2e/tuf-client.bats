# SPDX-License-Identifier: MIT
# The TUF client through its test program, against a repository that plugpkg-repo made, on a server that
# misbehaves: whatever goes wrong, the status is 1 and what was trusted stays as it was.

setup() {
	load ../helpers
	setup_scratch
	client=$top_builddir/tests/tuf-client
	export PLUGPKG_FETCH_PATIENCE=1
	make_repo
	"$client" --metadata-dir trusted init repo/public/metadata/1.root.json
}

teardown() {
	[ -z "${SERVER-}" ] || kill "$SERVER" 2>/dev/null || true
}

serve() {
	python3 "$top_srcdir/tests/e2e/misbehaving-server.py" repo/public --port-file port \
		--control order --log log 3>&- &
	SERVER=$!
	for _ in $(seq 100); do [ -s port ] || sleep 0.1; done
	url=http://127.0.0.1:$(cat port)
}

refresh() {
	run timeout 60 "$client" --metadata-dir trusted --metadata-url "${1:-$url/metadata}" refresh
}

download() {
	run timeout 60 "$client" --metadata-dir trusted --metadata-url "$url/metadata" \
		--target-base-url "$url/targets" --target-dir targets --target-name index/root.json download
}

state() {
	(cd trusted && sha256sum -- *)
}

requests() {
	jq -r .path log | tr '\n' ' '
}

@test "a refresh makes four requests, the next one two, and files are kept as served" {
	serve
	refresh
	assert_status 0
	assert_equal "$(requests)" \
		"/metadata/2.root.json /metadata/timestamp.json /metadata/1.snapshot.json /metadata/1.targets.json "
	for role in root targets snapshot; do cmp "trusted/$role.json" "repo/public/metadata/1.$role.json"; done
	cmp trusted/timestamp.json repo/public/metadata/timestamp.json
	rm log
	refresh
	assert_status 0
	assert_equal "$(requests)" "/metadata/2.root.json /metadata/timestamp.json "
}

@test "a target of a delegated role is downloaded once, over http and as a file" {
	serve
	download
	assert_status 0
	cmp targets/index%2Froot.json repo/public/targets/index/*.root.json
	rm log
	download
	assert_status 0
	assert_equal "$(requests)" "/metadata/2.root.json /metadata/timestamp.json "
	refresh "file://$SCRATCH/repo/public/metadata/"
	assert_status 0
}

@test "a failure that is not 403 or 404 does not end the walk of roots, it ends the refresh" {
	serve
	before=$(state)
	for order in status-500 status-503 status-429 status-400 stall garbage endless endless-error \
		headers loop to-file to-ftp; do
		echo "$order@*/2.root.json" >order
		rm -f log
		refresh
		assert_status 1
		assert_has "[network]"
		assert_lacks "signature"
		run ! grep -q timestamp log
	done
	assert_equal "$(state)" "$before"
	echo "status-403@*/2.root.json" >order
	refresh
	assert_status 0
}

@test "a damaged, endless, cut or missing file is refused and leaves what was trusted" {
	serve
	for file in timestamp.json 1.snapshot.json 1.targets.json 1.index.json '*.root.json'; do
		for order in status-404 status-500 flip other long endless cut-always stall-body gzip bomb; do
			rm -rf trusted targets
			"$client" --metadata-dir trusted init repo/public/metadata/1.root.json
			echo "status-404@*/2.root.json,$order@*/$file" >order
			download
			assert_status 1
			run ! grep -rq "" targets
			echo ok >order
			download
			assert_status 0
		done
	done
}

@test "old files are refused after new ones were seen" {
	serve
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
	serve
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
