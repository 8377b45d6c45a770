# SPDX-License-Identifier: MIT
# An independent reader: tuf-js, a TUF client that nobody here wrote, refreshes against a repository that
# plugpkg-repo made and downloads its index root.

setup_file() {
	bats_require_minimum_version 1.5.0
	load ../helpers
	cd "$BATS_FILE_TMPDIR" || return 1
	for _ in 1 2 3; do
		timeout 120 npm install --no-audit --no-fund --ignore-scripts tuf-js@3 >npm.log 2>&1 && break
	done
	if [ ! -d node_modules/tuf-js ]; then
		[ -z "${CI:-}" ] || fail "the npm registry does not answer, and this is CI"
		export NO_REGISTRY=1
	fi
}

setup() {
	load ../helpers
	load servers
	setup_scratch
	[ -z "${NO_REGISTRY-}" ] || skip "the npm registry does not answer"
}

teardown() {
	stop_servers
}

@test "tuf-js refreshes against our repository, before and after a publish, and downloads the index root" {
	make_repo
	serve web repo/public
	mkdir trusted targets
	cp repo/public/metadata/1.root.json trusted/root.json
	export NODE_PATH=$BATS_FILE_TMPDIR/node_modules
	run node "$top_srcdir/tests/e2e/tuf-js-client.js" trusted targets "$URL"
	assert_status 0
	before=$output
	publish "$(build_plugin user 1.0.0)"
	run node "$top_srcdir/tests/e2e/tuf-js-client.js" trusted targets "$URL"
	assert_status 0
	[ "$output" != "$before" ]
	assert_has '"_type":"plugpkg-index"'
}

@test "tuf-js follows when every key is rotated, to Ed25519, ECDSA and RSA keys, from the first root on" {
	need openssl
	make_repo
	publish "$(build_plugin user 1.0.0)"
	serve web repo/public
	mkdir trusted targets
	cp repo/public/metadata/1.root.json trusted/root.json
	export NODE_PATH=$BATS_FILE_TMPDIR/node_modules PLUGPKG_REPO=$SCRATCH/repo
	openssl ecparam -name prime256v1 -genkey -noout -out ec.pem
	openssl pkey -in ec.pem -pubout -out ec.pub
	openssl genrsa -out rsa.pem 2048 2>/dev/null
	openssl pkey -in rsa.pem -pubout -out rsa.pub
	plugpkg-repo key rotate root-1 --as root-ec --public ec.pub \
		--signer "openssl dgst -sha256 -sign $SCRATCH/ec.pem" >/dev/null
	plugpkg-repo key rotate targets --as targets-rsa --public rsa.pub --signer "openssl dgst -sha256 \
		-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sign $SCRATCH/rsa.pem" >/dev/null
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
	for name in online root-2 root-3; do
		plugpkg-repo key rotate $name >/dev/null
		plugpkg-repo sign >/dev/null
		plugpkg-repo publish >/dev/null
	done
	# Made now by the keys of openssl and one of the new ones alone.
	rm repo/keys/root-5.key
	plugpkg-repo sign --renew root >/dev/null
	plugpkg-repo publish >/dev/null
	run node "$top_srcdir/tests/e2e/tuf-js-client.js" trusted targets "$URL"
	assert_status 0
	assert_has '"_type":"plugpkg-index"'
	assert_equal "$(jq .signed.version trusted/root.json)" 6
}

@test "tuf-js refuses our repository with another root key" {
	make_repo
	make_repo "$SCRATCH/other"
	serve web repo/public
	mkdir trusted targets
	cp other/public/metadata/1.root.json trusted/root.json
	export NODE_PATH=$BATS_FILE_TMPDIR/node_modules
	run node "$top_srcdir/tests/e2e/tuf-js-client.js" trusted targets "$URL"
	assert_status 1
}
