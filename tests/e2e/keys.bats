# SPDX-License-Identifier: MIT
# Keys of a repository: drills with stolen, lost and rotated ones, by the commands that people have.
# shellcheck disable=SC2317 # functions are called by bats

setup() {
	load ../helpers
	load keys
	setup_scratch
	export PLUGPKG_REPO=$SCRATCH/repo
}

# A thief who has the online key and writes what is served: other content, and version numbers that nobody
# can go beyond. steal: takes the key as it is now; publish_evil: serves `evil 6.6.6` in every client's way.
steal() {
	cp -R repo thief
	rm -f thief/keys/root-*.key thief/keys/targets*.key
}
count_from() {
	jq ".now |= (.index.version = $1 | .snapshot.version = $1 | .timestamp.version = $1)" \
		thief/signed.json >thief/signed.new
	mv thief/signed.new thief/signed.json
}
publish_evil() {
	count_from 4000000000
	plugpkg-repo --repo thief add -q "$(build_plugin evil 6.6.6)"
	plugpkg-repo --repo thief publish --accept-public >/dev/null
	cp -R thief/public/. repo/public/
}

@test "S05 S17: a stolen online key: evil is published, the key is rotated, and clients recover by update alone" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	steal
	publish_evil
	plugpkg update
	run plugpkg list --available
	assert_has evil
	[ "$(seen timestamp)" -gt 1000000000 ]
	[ "$(seen snapshot)" -gt 1000000000 ]

	# Whoever publishes next is told.
	plugpkg-repo add -q "$(build_plugin animal 1.0.0)"
	run plugpkg-repo publish
	assert_status 1
	assert_has "[bad-state]" "not from here" "key rotate"

	rotate online
	run plugpkg-repo verify
	assert_status 0
	run plugpkg update
	assert_status 0
	run plugpkg list --available
	assert_has user animal
	assert_lacks evil
	[ "$(seen timestamp)" -lt 100 ]
	plugpkg install user -y

	# And what the thief signs from now on is refused.
	cp -R repo/public good
	plugpkg-repo --repo thief add -q "$(build_plugin worse 6.6.6)"
	plugpkg-repo --repo thief publish --accept-public >/dev/null
	cp thief/public/metadata/timestamp.json repo/public/metadata/
	run plugpkg update
	assert_status 6
	assert_has "[signature-invalid]"
	cp good/metadata/timestamp.json repo/public/metadata/
	run plugpkg update
	assert_status 0
}

@test "a stolen online key that was only used elsewhere: clients that saw the thief's mirror recover too" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	steal
	count_from 4000000000
	plugpkg-repo --repo thief refresh --accept-public >/dev/null
	cp -R repo/public honest
	cp -R thief/public/. repo/public/
	plugpkg update
	rm -rf repo/public
	mv honest repo/public
	run plugpkg update
	assert_status 6
	assert_has "[metadata-older]"
	rotate online
	run plugpkg update
	assert_status 0
	[ "$(seen timestamp)" -lt 100 ]
}

@test "root keys are rotated step by step, and clients that missed some steps follow" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	cp -R root missed-all
	rotate root-1
	plugpkg update
	cp -R root missed-some
	rotate root-2
	rotate root-3 targets
	rotate online
	publish "$(build_plugin animal 1.0.0)"
	run plugpkg-repo verify
	assert_status 0
	for root in root missed-some missed-all; do
		export PLUGPKG_ROOT=$SCRATCH/$root
		run plugpkg update
		assert_status 0
		assert_equal "$(seen root)" 5
		run plugpkg list --available
		assert_has animal
	done
	run plugpkg-repo key list --json
	assert_equal "$(json_get 'select(.type == "key" and .status == "active").name' | sort | tr '\n' ' ')" \
		"online-2 root-4 root-5 root-6 targets-2 "
	assert_equal "$(json_get 'select(.type == "key" and .status == "gone").name' | sort | tr '\n' ' ')" \
		"online root-1 root-2 root-3 targets "
}

@test "a new root has to be signed by the keys before it, and by itself" {
	make_repo
	make_root
	plugpkg-repo key rotate root-1 >/dev/null
	plugpkg-repo key rotate root-2 >/dev/null
	# root-3 is in both; one more of the old ones and one more of the new ones are due.
	run plugpkg-repo sign --key root-3 --json
	assert_equal "$(json_get 'select(.type == "signing").missing')" 1
	run plugpkg-repo sign --key root-4 --json
	assert_equal "$(json_get 'select(.type == "signing").missing')" 1
	run plugpkg-repo publish
	assert_has "still needs 1 signature of: root-1, root-2"
	assert_missing repo/public/metadata/2.root.json
	run plugpkg-repo sign --key root-1 --json
	assert_equal "$(json_get 'select(.type == "signing").missing')" 0
	run plugpkg-repo publish
	assert_has "Published: a new root"
	run plugpkg update
	assert_status 0
	assert_equal "$(seen root)" 2
}

@test "the threshold of the root is raised and lowered, and clients follow" {
	make_repo
	make_root
	plugpkg-repo key new root-4 --role root --threshold 3 >/dev/null
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
	run plugpkg update
	assert_status 0
	run plugpkg-repo key list
	assert_has "root: 3 of 4 keys sign"
	# Two are no longer enough.
	plugpkg-repo key rotate targets >/dev/null
	run plugpkg-repo sign --key root-1 --key root-2
	assert_has "still needs 1 signature of: root-3, root-4"
	run plugpkg-repo publish
	assert_missing repo/public/metadata/3.root.json
	plugpkg-repo key threshold root 2 >/dev/null
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
	run plugpkg update
	assert_status 0
	assert_equal "$(seen root)" 3
}

@test "with fewer root keys left than have to agree, what is missing is named and clients go on" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	rm repo/keys/root-1.key repo/keys/root-2.key
	plugpkg-repo key rotate online >/dev/null
	run plugpkg-repo sign
	assert_status 0
	assert_has "signed by root-3" "still needs 1 signature of: root-1, root-2"
	run plugpkg-repo sign --key root-1
	assert_status 4
	assert_has "keys/root-1.key" "bring it from where you keep it offline"
	# Publishing goes on with the old online key meanwhile.
	publish "$(build_plugin animal 1.0.0)"
	run plugpkg update
	assert_status 0
	plugpkg install animal -y
}

@test "one lost root key is replaced by the other two" {
	make_repo
	make_root
	rm repo/keys/root-2.key
	rotate root-2
	run plugpkg update
	assert_status 0
	run plugpkg-repo key list --json
	assert_equal "$(json_get 'select(.name == "root-4").status')" active
}

@test "a key is revoked only while enough stay" {
	make_repo
	make_root
	run plugpkg-repo key revoke root-1
	assert_status 0
	run plugpkg-repo key revoke root-2
	assert_status 9
	assert_has "root would have 1 key, and 2 have to agree" "key rotate"
	run plugpkg-repo key revoke online
	assert_status 9
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
	run plugpkg update
	assert_status 0
	assert_equal "$(jq -c '[.signed.roles.root.threshold, (.signed.roles.root.keyids | length)]' \
		repo/public/metadata/2.root.json)" "[2,2]"
}

@test "killed at any change of the disk, a rotation leaves a repository that is finished by publish" {
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	publish "$(build_plugin user 1.0.0)"
	make_root
	plugpkg-repo key rotate online >/dev/null
	plugpkg-repo key rotate root-1 >/dev/null
	plugpkg-repo sign >/dev/null
	cp -R repo fresh
	cp -R root client
	for ((n = 1; n < 500; n++)); do
		rm -rf repo root
		cp -R fresh repo
		cp -R client root
		PLUGPKG_CRASH_AT=$n run plugpkg-repo publish
		[ "$status" -eq 137 ] || break
		plugpkg-repo publish >/dev/null
		plugpkg-repo verify >/dev/null
		plugpkg update
		assert_equal "$(seen root)" 2
		plugpkg-repo refresh >/dev/null
	done
	assert_status 0
	[ "$n" -gt 15 ] || fail "only $n changes"
}

@test "a key that is none, or counts no more, is neither changed nor used" {
	make_repo
	run plugpkg-repo key rotate nokey
	assert_status 4
	assert_has "there is no key 'nokey'" "hint: plugpkg-repo key list names them"
	plugpkg-repo key rotate online >/dev/null
	for change in revoke rotate; do
		run -4 plugpkg-repo key "$change" online
		assert_has "key 'online' leaves already, with the root that waits for signatures" \
			"hint: plugpkg-repo sign says which keys can sign"
	done
	run plugpkg-repo sign --key online
	assert_status 6
	assert_has "key 'online'" "counts for nothing that waits" "hint: plugpkg-repo sign says which keys can sign"
	rm -rf repo/pending
	run plugpkg-repo sign --export carried.json
	assert_status 4
	assert_has "nothing waits for a signature"
	assert_missing carried.json
	plugpkg-repo key rotate online >/dev/null
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
	run -4 plugpkg-repo key rotate online
	assert_has "key 'online' counts nowhere any more" "hint: plugpkg-repo key list names them"
}

@test "a change of keys that is damaged is named, and is given again without it" {
	local command
	make_repo
	plugpkg-repo key rotate root-1 >/dev/null
	echo '{"signatures": []}' >repo/pending/root.json
	for command in sign publish "key rotate root-2"; do
		# shellcheck disable=SC2086 # words on purpose
		run plugpkg-repo $command
		assert_status 1
		assert_has "'pending/root.json' is damaged: no 'signed' object" "hint: delete pending/"
	done
	rm -rf repo/pending
	rotate root-2
	run -0 plugpkg-repo verify
}

@test "while a new root is published in part, keys do not change again; publish ends it" {
	local n refused=0
	make_repo
	plugpkg-repo key rotate root-1 >/dev/null
	plugpkg-repo sign >/dev/null
	cp -a repo before
	for ((n = 1; n < 200; n++)); do
		rm -rf repo
		cp -a before repo
		PLUGPKG_CRASH_AT=$n run plugpkg-repo publish
		[ "$status" -eq 137 ] || break
		[ -e repo/public/metadata/2.root.json ] || continue
		cp -a repo/pending kept
		run plugpkg-repo key rotate targets
		[ "$status" -ne 0 ] || break
		assert_has "the root that waits is published in part already" "hint: finish it first: plugpkg-repo publish"
		diff -r kept repo/pending
		rm -rf kept
		refused=$((refused + 1))
		run -0 plugpkg-repo publish
		run -0 plugpkg-repo verify
	done
	[ "$refused" -gt 0 ]
}

# cut_off HOW N NAME: `key rotate NAME`, killed before the N-th change of the disk, or that one fails.
cut_off() {
	rm -rf repo root
	cp -R fresh repo
	cp -R client root
	case $1 in
	killed) PLUGPKG_CRASH_AT=$2 run plugpkg-repo key rotate "$3" ;;
	full) PLUGPKG_FAIL_AT=$2:ENOSPC run plugpkg-repo key rotate "$3" ;;
	esac
}
# ends_well NAME: the rotation is there as a whole, or is simply given again.
ends_well() {
	if ! plugpkg-repo sign >/dev/null 2>&1; then
		plugpkg-repo key rotate "$1" >/dev/null
		plugpkg-repo sign >/dev/null
	fi
	plugpkg-repo publish >/dev/null
	plugpkg update
	assert_equal "$(seen root)" 2
	assert_equal "$(ls -A repo/pending)" ""
}

@test "cut off at any change of the disk, a new key for root and targets comes into both or neither" {
	local name n last
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	publish "$(build_plugin user 1.0.0)"
	make_root
	cp -R repo fresh
	cp -R root client
	for name in online targets; do
		for ((n = 1; n < 200; n++)); do
			cut_off killed "$n" "$name"
			[ "$status" -eq 137 ] || break
			ends_well "$name"
		done
		assert_status 0
		last=$n
		[ "$last" -gt 20 ] || fail "only $last changes"
		for ((n = 1; n < last; n++)); do
			cut_off full "$n" "$name"
			ends_well "$name"
		done
	done
	plugpkg install user -y
}

@test "signatures that are cut off at any change of the disk take nothing back" {
	local n
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	plugpkg-repo key rotate online >/dev/null
	cp -R repo fresh
	for ((n = 1; n < 200; n++)); do
		rm -rf repo
		cp -R fresh repo
		PLUGPKG_CRASH_AT=$n run plugpkg-repo sign
		[ "$status" -eq 137 ] || break
		plugpkg-repo key rotate root-1 >/dev/null
		plugpkg-repo sign >/dev/null
		plugpkg-repo publish >/dev/null
		run -0 plugpkg-repo verify
	done
	assert_status 0
	[ "$n" -gt 5 ] || fail "only $n changes"
}

@test "half a rotation is not published, and what is said leads out of it" {
	local half name file command
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	cp -R repo fresh
	cp -R root client
	for half in "online targets" "online root" "targets targets"; do
		read -r name file <<<"$half"
		rm -rf repo root
		cp -R fresh repo
		cp -R client root
		plugpkg-repo key rotate "$name" >/dev/null
		rm "repo/pending/$file.json"
		plugpkg-repo sign >/dev/null
		run -1 plugpkg-repo publish
		assert_has "[bad-state]" "clients with the" "would refuse" "hint: a change of keys was cut off"
		diff -r fresh/public repo/public
		command=$(sed -n 's/.*: plugpkg-repo \(key rotate [a-z0-9-]*\), then .*/\1/p' <<<"$output")
		# shellcheck disable=SC2086 # words on purpose
		plugpkg-repo $command >/dev/null
		plugpkg-repo sign >/dev/null
		plugpkg-repo publish >/dev/null
		publish "$(build_plugin animal 1.0.0)"
		plugpkg update
		plugpkg install animal -y
		# Nobody else signs the index.
		assert_equal "$(jq '.signed.delegations.roles[0].keyids | length' \
			"repo/public/metadata/$(seen targets).targets.json")" 1
	done
}

# goes_on SERVED COMMAND...: wherever COMMAND is cut off that shows a rotation in SERVED, from what is in before/
# on, a client can use what it knows, though it may fail to update; and COMMAND given again ends it.
goes_on() {
	local n refused=0 roots served=$1/metadata
	shift
	cp -R root client
	roots=$(find "$served" -name '*.root.json' | wc -l)
	for ((n = 1; n < 500; n++)); do
		rm -rf repo mirror root
		cp -R before/. .
		cp -R client root
		PLUGPKG_CRASH_AT=$n run "$@"
		[ "$status" -eq 137 ] || break
		if [ "$(find "$served" -name '*.root.json' | wc -l)" -eq "$roots" ] &&
			cmp -s "$served/timestamp.json" "before/$served/timestamp.json"; then continue; fi
		plugpkg update 2>/dev/null || refused=$((refused + 1))
		run -0 plugpkg search user
		run -0 plugpkg install user -y
		"$@" >/dev/null
		plugpkg update
		assert_equal "$(seen root)" 4
		run -0 plugpkg install animal -y
	done
	assert_status 0
	[ "$n" -gt 15 ] || fail "only $n changes"
	[ "$refused" -gt 0 ] || fail "there was no moment between timestamp and root"
}

@test "whatever moment of a rotation a client comes in, it goes on with what it knows" {
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	publish "$(build_plugin user 1.0.0)"
	rotate root-1 root-2
	make_root
	rotate root-3
	plugpkg update
	plugpkg-repo key rotate online >/dev/null
	plugpkg-repo sign >/dev/null
	plugpkg-repo add -q "$(build_plugin animal 1.0.0)"
	mkdir before
	cp -R repo before
	goes_on repo/public plugpkg-repo publish
}

@test "whatever moment a mirror follows rotations in, its clients go on with what they know" {
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	publish "$(build_plugin user 1.0.0)"
	plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror >/dev/null
	plugpkg init root >/dev/null
	plugpkg source add test "file://$SCRATCH/mirror" --key mirror/metadata/1.root.json >/dev/null
	plugpkg update
	rotate root-1
	rotate online
	plugpkg-repo add -q "$(build_plugin animal 1.0.0)"
	rotate online-2
	mkdir before
	cp -R repo mirror before
	goes_on mirror plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror
}

@test "a first mirror of a repository with rotated keys, cut off at any change, shows nothing that does not verify" {
	local n
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	publish "$(build_plugin user 1.0.0)"
	rotate online
	for ((n = 1; n < 500; n++)); do
		rm -rf mirror
		PLUGPKG_CRASH_AT=$n run plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror
		[ "$status" -eq 137 ] || break
		[ ! -e mirror/metadata/timestamp.json ] || run -0 plugpkg-repo verify mirror
		plugpkg-repo mirror "file://$SCRATCH/repo/public" mirror >/dev/null
		run -0 plugpkg-repo verify mirror
	done
	assert_status 0
	[ "$n" -gt 20 ] || fail "only $n changes"
}

@test "keys do not change between a timestamp by the new key and its root" {
	local n between=0
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	plugpkg-repo key rotate online >/dev/null
	plugpkg-repo sign >/dev/null
	cp -R repo fresh
	for ((n = 1; n < 500; n++)); do
		rm -rf repo
		cp -R fresh repo
		PLUGPKG_CRASH_AT=$n run plugpkg-repo publish
		[ "$status" -eq 137 ] || break
		[ ! -e repo/public/metadata/2.root.json ] || break
		cmp -s {repo,fresh}/public/metadata/timestamp.json && continue
		between=$((between + 1))
		run -1 plugpkg-repo key rotate root-1
		assert_has "the root that waits is published in part already" "hint: finish it first: plugpkg-repo publish"
		plugpkg-repo publish >/dev/null
		run -0 plugpkg-repo verify
	done
	[ "$between" -gt 0 ]
}
