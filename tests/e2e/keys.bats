# SPDX-License-Identifier: MIT
# Keys of a repository: drills with stolen, lost and rotated ones, by the commands that people have.
# shellcheck disable=SC2317 # functions are called by bats

setup() {
	load ../helpers
	setup_scratch
	export PLUGPKG_REPO=$SCRATCH/repo
}

# rotate NAME...: another key in the place of each, signed by all that are here, published.
rotate() {
	local name
	for name; do
		plugpkg-repo key rotate "$name" >/dev/null
	done
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
}

# offline DIR: the offline keys leave the publisher's directory, as they should.
offline() {
	mkdir -p "$1"
	mv repo/keys/root-*.key repo/keys/targets*.key "$1"
}

# What a client of the repository has seen last, of one role.
seen() {
	jq .signed.version "$PLUGPKG_ROOT/var/trust/test/$1.json"
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

@test "what is signed is carried to the offline keys and back" {
	make_repo
	make_root
	offline "$SCRATCH/safe"
	plugpkg-repo key rotate online >/dev/null
	run plugpkg-repo sign
	assert_has "still needs 2 signatures of: root-1, root-2, root-3"
	run plugpkg-repo sign --export carried.json
	assert_status 0
	# There, no publisher's directory is needed.
	unset PLUGPKG_REPO
	mkdir airgap
	cd airgap || return 1
	run plugpkg-repo sign ../carried.json
	assert_has "New root (version 2" "timestamp: without key online" "with key online-2" "New targets (version 2"
	cp ../carried.json one.json
	cp ../carried.json two.json
	run plugpkg-repo sign one.json --key "$SCRATCH/safe/root-1.key" --key "$SCRATCH/safe/targets.key"
	assert_status 0
	run plugpkg-repo sign two.json --key "$SCRATCH/safe/root-3.key"
	assert_status 0
	cd .. || return 1
	export PLUGPKG_REPO=$SCRATCH/repo
	run plugpkg-repo sign --import airgap/one.json
	assert_has "signed by root-1" "still needs 1 signature of: root-2, root-3"
	run plugpkg-repo sign --import airgap/two.json
	assert_has "All signatures are there"
	run plugpkg-repo publish
	assert_has "Published: a new root." "Published: a new targets."
	run plugpkg update
	assert_status 0
	assert_equal "$(seen root) $(seen targets)" "2 2"
}

@test "what comes back is only taken when it is what waits, and signed well" {
	make_repo
	plugpkg-repo key rotate online >/dev/null
	plugpkg-repo sign --export carried.json >/dev/null
	cp carried.json changed.json
	run plugpkg-repo sign --import carried.json
	assert_status 6
	assert_has "holds no good signature"
	# Signed, then changed on the way.
	plugpkg-repo sign changed.json --key repo/keys/root-1.key >/dev/null
	jq '.root.signed.roles.root.threshold = 1' changed.json >evil.json
	run plugpkg-repo sign --import evil.json
	assert_status 6
	assert_has "[digest-mismatch]" "not the root that waits here"
	# A signature of another body.
	jq --slurpfile a changed.json '.root.signatures = ($a[0].root.signatures | map(.sig |= ((if .[0:1] == "0" then "1" else "0" end) + .[1:])))' \
		carried.json >flipped.json
	run plugpkg-repo sign --import flipped.json
	assert_status 6
	echo '{}' >nothing.json
	run plugpkg-repo sign --import nothing.json
	assert_status 6
	assert_has "not what plugpkg-repo sign --export writes"
	run plugpkg-repo sign nothing.json
	assert_status 6
	run plugpkg-repo sign --import changed.json
	assert_status 0
	# The same a second time brings nothing.
	run plugpkg-repo sign --import changed.json
	assert_status 6
}

# external TYPE: a key pair of openssl as TYPE.pem and TYPE.pub, and in SIGN the command that signs with it.
external() {
	need openssl
	case $1 in
	ed25519)
		openssl genpkey -algorithm ed25519 -out "$1.pem"
		SIGN="cat >$SCRATCH/in.\$\$ && openssl pkeyutl -sign -rawin -inkey $SCRATCH/$1.pem -in $SCRATCH/in.\$\$"
		;;
	ecdsa)
		openssl ecparam -name prime256v1 -genkey -noout -out "$1.pem"
		SIGN="openssl dgst -sha256 -sign $SCRATCH/$1.pem"
		;;
	rsa)
		openssl genrsa -out "$1.pem" 2048 2>/dev/null
		SIGN="openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sign $SCRATCH/$1.pem"
		;;
	esac
	openssl pkey -in "$1.pem" -pubout -out "$1.pub"
}

@test "openssl signs as root with Ed25519, ECDSA and RSA-PSS keys, and clients verify" {
	make_repo
	make_root
	external ed25519
	ed=$SIGN
	external ecdsa
	ec=$SIGN
	external rsa
	rsa=$SIGN
	plugpkg-repo key rotate root-1 --public ed25519.pub --as hsm-ed >/dev/null
	plugpkg-repo key rotate root-2 --public ecdsa.pub --as hsm-ec >/dev/null
	plugpkg-repo key new hsm-rsa --role root --public rsa.pub --threshold 3 >/dev/null
	plugpkg-repo sign >/dev/null
	run plugpkg-repo sign --key hsm-ed --signer "$ed"
	assert_status 0
	run plugpkg-repo sign --key hsm-ec --signer "$ec"
	assert_status 0
	run plugpkg-repo sign --key hsm-rsa --signer "$rsa"
	assert_status 0
	plugpkg-repo publish >/dev/null
	assert_equal "$(jq -r '[.signed.keys[].keytype] | sort | unique | join(" ")' repo/public/metadata/2.root.json)" \
		"ecdsa ed25519 rsa"
	run plugpkg update
	assert_status 0
	assert_equal "$(seen root)" 2
	# From now on these three alone can renew it.
	rm repo/keys/root-3.key
	plugpkg-repo sign --renew root --key hsm-ed --signer "$ed" >/dev/null
	plugpkg-repo sign --key hsm-ec --signer "$ec" >/dev/null
	plugpkg-repo sign --key hsm-rsa --signer "$rsa | od -An -v -tx1 | tr -d ' \n'" >/dev/null
	plugpkg-repo publish >/dev/null
	run plugpkg update
	assert_status 0
	assert_equal "$(seen root)" 3
}

@test "a command signs every publication, and the private half is never here" {
	make_repo
	make_root
	external ecdsa
	plugpkg-repo key rotate online --public ecdsa.pub --signer "$SIGN" --as hsm >/dev/null
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
	publish "$(build_plugin user 1.0.0)"
	plugpkg-repo refresh >/dev/null
	run plugpkg update
	assert_status 0
	plugpkg install user -y
	run ! grep -q seed repo/keys/hsm.key
	run plugpkg-repo key list
	assert_has "hsm" "signer"
	# A module that is out of reach: a clear message, and nothing of it is visible.
	mv ecdsa.pem away.pem
	cp repo/public/metadata/timestamp.json before
	run plugpkg-repo refresh
	assert_status 6
	assert_has "the signer" "failed with exit status" "[wrong-key]"
	cmp before repo/public/metadata/timestamp.json
	run plugpkg update
	assert_status 0
}

@test "what a signer gives is verified before it is used" {
	make_repo
	external ecdsa
	plugpkg-repo key rotate root-1 --public ecdsa.pub --as hsm >/dev/null
	openssl ecparam -name prime256v1 -genkey -noout -out other.pem
	run plugpkg-repo sign --key hsm --signer "openssl dgst -sha256 -sign other.pem"
	assert_status 6
	assert_has "does not verify with key 'hsm'" "[signature-invalid]"
	run plugpkg-repo sign --key hsm --signer true
	assert_status 6
	assert_has "gave no signature"
	run plugpkg-repo sign --key hsm --signer "head -c 100000 /dev/zero"
	assert_status 6
	assert_has "more than any signature is"
	run plugpkg-repo sign --key hsm --signer "kill -9 \$\$"
	assert_status 6
	assert_has "killed by signal 9"
	run plugpkg-repo sign --signer true
	assert_status 2
	assert_equal "$(jq '.signatures | length' repo/pending/root.json)" 0
}

@test "public keys that cannot sign here are refused, and a key does not come twice" {
	make_repo
	need openssl
	openssl genrsa -out small.pem 1024 2>/dev/null
	openssl pkey -in small.pem -pubout -out small.pub
	openssl ecparam -name secp384r1 -genkey -noout -out p384.pem
	openssl pkey -in p384.pem -pubout -out p384.pub
	echo nonsense >text.pub
	for file in small.pub p384.pub text.pub small.pem; do
		run plugpkg-repo key new another --role root --public "$file"
		assert_status 6
		assert_has "no public key that can sign here" "[wrong-key]"
	done
	run plugpkg-repo key new another --role root --public missing.pub
	assert_status 4
	run plugpkg-repo key new another --role root --public repo/keys/root-1.key
	assert_status 1
	assert_has "that key is here already, as 'root-1'"
	run plugpkg-repo key new Root --role root
	assert_status 2
	run plugpkg-repo key new root-1 --role root
	assert_status 1
	assert_has "[exists]"
	run plugpkg-repo key new another --role online
	assert_status 2
	assert_has "key rotate online"
	assert_missing repo/pending/root.json
}

@test "a key that was made on another machine becomes a root key by its public half" {
	make_repo
	make_root
	mkdir airgap
	run plugpkg-repo key new airgap/mine.key --file --encrypt --passphrase-fd 3 3<<<"correct horse"
	assert_status 0
	assert_equal "$(stat -c %a airgap/mine.key)" 600
	run ! grep -q '"seed"' airgap/mine.key
	run plugpkg-repo key new airgap/mine.key --file
	assert_status 1
	assert_has "[exists]"
	plugpkg-repo key rotate root-1 --as mine --public airgap/mine.key.pub >/dev/null
	plugpkg-repo sign --key root-2 --key root-1 >/dev/null
	plugpkg-repo sign --export carried.json >/dev/null
	run plugpkg-repo sign carried.json --key airgap/mine.key --passphrase-fd 3 3<<<"wrong"
	assert_status 6
	assert_has "wrong passphrase"
	run plugpkg-repo sign carried.json --key airgap/mine.key --passphrase-fd 3 3<<<"correct horse"
	assert_status 0
	plugpkg-repo sign --import carried.json >/dev/null
	run plugpkg-repo publish
	assert_has "a new root"
	run plugpkg update
	assert_status 0
}

@test "key files that are damaged, foreign or unreadable are named" {
	make_repo
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	cp repo/keys/online.key kept
	refused() {
		run plugpkg-repo publish
		[ "$status" -ne 0 ]
		assert_has "keys/online.key" "$@"
		run ! grep -q user <(plugpkg-repo list --json | jq 'select(.status == "published")')
	}
	: >repo/keys/online.key
	refused "no key file"
	head -c 40 kept >repo/keys/online.key
	refused "no key file"
	echo '{"hello": "world"}' >repo/keys/online.key
	refused "no key file"
	jq '.seed |= "00" + .[2:]' kept >repo/keys/online.key
	refused "its two halves do not belong together"
	jq 'del(.seed)' kept >repo/keys/online.key
	refused "no 'seed'"
	rm repo/keys/online.key
	mkdir -m 700 repo/keys/online.key
	refused "cannot read"
	rmdir repo/keys/online.key
	cp kept repo/keys/online.key
	run plugpkg-repo publish
	assert_status 0
}

@test "init --threshold makes one root key more than have to agree" {
	run plugpkg-repo init repo --name main --threshold 3
	assert_status 0
	assert_has "Any 3 of the 4 root keys"
	assert_equal "$(jq -c '[.signed.roles.root.threshold, (.signed.roles.root.keyids | length)]' \
		repo/public/metadata/1.root.json)" "[3,4]"
	run plugpkg-repo init other --threshold 1
	assert_status 2
	run plugpkg-repo init other --threshold 10
	assert_status 2
}

@test "keyids in what is made here are digests of the canonical keys" {
	make_repo
	external rsa
	plugpkg-repo key new hsm --role root --public rsa.pub >/dev/null
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
	python3 - repo/public/metadata/2.root.json <<-'END'
		import hashlib, json, sys
		keys = json.load(open(sys.argv[1]))["signed"]["keys"]
		assert len(keys) == 6
		for keyid, key in keys.items():
		    text = json.dumps(key, sort_keys=True, separators=(",", ":")).replace("\\n", "\n")
		    assert hashlib.sha256(text.encode()).hexdigest() == keyid, key
	END
}

@test "the schema of a publisher's files accepts every form of them" {
	need python3
	python3 -c 'import jsonschema' 2>/dev/null || skip "no jsonschema for python3"
	plugpkg-repo init repo --name main --encrypt --passphrase-fd 3 3<<<"correct horse" >/dev/null
	external rsa
	plugpkg-repo key rotate root-1 --as hsm --public rsa.pub --signer "$SIGN" >/dev/null
	plugpkg-repo key new plain --role targets >/dev/null
	plugpkg-repo sign --passphrase-fd 3 3<<<"correct horse" >/dev/null
	plugpkg-repo sign --export carried.json >/dev/null
	cp -R repo/pending waits
	plugpkg-repo publish --passphrase-fd 3 3<<<"correct horse" >/dev/null
	python3 - "$top_srcdir/repo-format/publisher.schema.json" repo/signed.json repo/keyring.json repo/keys/*.key \
		waits/*.json carried.json <<-'END'
		import json, sys, jsonschema
		schema = json.load(open(sys.argv[1]))
		for path in sys.argv[2:]:
		    jsonschema.validate(json.load(open(path)), schema)
		assert len(sys.argv) > 12
	END
}

# ---- time ------------------------------------------------------------------------------------

@test "expire-check tells what is due and what renews it, and ends with a status for monitoring" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	run plugpkg-repo expire-check
	assert_status 0
	assert_has "root" "timestamp" "days left"
	now=$(date +%s)
	PLUGPKG_NOW=$((now + 5 * 86400)) run plugpkg-repo expire-check
	assert_status 100
	assert_has "plugpkg-repo refresh"
	PLUGPKG_NOW=$((now + 8 * 86400)) run plugpkg-repo expire-check --json
	assert_status 6
	assert_equal "$(json_get 'select(.type == "expiry" and .role == "timestamp").status')" expired
	assert_equal "$(json_get 'select(.type == "result").code')" metadata-expired
	run plugpkg-repo expire-check --within 400
	assert_status 100
	run plugpkg-repo expire-check --within x
	assert_status 2
}

@test "root and targets are renewed before their year ends, and publish and refresh warn in time" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	now=$(date +%s)
	export PLUGPKG_NOW=$((now + 340 * 86400))
	run plugpkg-repo refresh
	assert_status 0
	assert_has "warning: root expires on" "plugpkg-repo sign --renew root" "warning: targets expires on"
	run plugpkg-repo expire-check
	assert_status 100
	plugpkg-repo sign --renew root >/dev/null
	plugpkg-repo sign --renew targets >/dev/null
	run plugpkg-repo publish
	assert_has "a new root" "a new targets"
	run plugpkg-repo expire-check
	assert_status 0
	export PLUGPKG_NOW=$((now + 400 * 86400))
	plugpkg-repo refresh >/dev/null
	run plugpkg update
	assert_status 0
	run plugpkg-repo sign --renew index
	assert_status 2
	run plugpkg-repo sign
	assert_status 4
	assert_has "nothing waits for a signature"
}

@test "an expired root is renewed too, and its clients follow" {
	make_repo
	make_root
	export PLUGPKG_NOW=$(($(date +%s) + 400 * 86400))
	run plugpkg update
	assert_status 6
	run plugpkg-repo expire-check
	assert_status 6
	assert_has "sign --renew"
	plugpkg-repo sign --renew root >/dev/null
	plugpkg-repo sign --renew targets >/dev/null
	plugpkg-repo publish >/dev/null
	run plugpkg update
	assert_status 0
}

# ---- another public/ than the one that was signed here -----------------------------------------

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

# ---- signals -----------------------------------------------------------------------------------

# interrupted: the last row of the last `run` says so, and so does the status.
interrupted() {
	assert_status 130
	assert_equal "$(tail -n 1 <<<"$output" | jq -c '[.type, .ok, .code, .exit]')" \
		'["result",false,"interrupted",130]'
}

@test "a publish that a signal ends while it signs shows nothing of it, and says so in its last row" {
	make_repo
	make_root
	external ecdsa
	plugpkg-repo key rotate online --public ecdsa.pub --as hsm --signer "
		if [ -s $SCRATCH/signal ]; then
			kill -\$(cat $SCRATCH/signal) \$PPID
			sleep 600
		fi
		$SIGN" >/dev/null
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	cp repo/public/metadata/timestamp.json before
	for signal in INT TERM HUP; do
		echo $signal >signal
		for command in publish refresh; do
			run plugpkg-repo $command --json
			interrupted
			cmp before repo/public/metadata/timestamp.json
			plugpkg-repo verify >/dev/null
		done
	done
	rm signal
	run plugpkg-repo publish
	assert_has "1 added"
	run plugpkg update
	assert_status 0
}

@test "a mirror that a signal ends while it waits for a server says so in its last row" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	plugpkg-repo mirror "file://$SCRATCH/repo/public" copy >/dev/null
	python3 -c 'import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(5)
open("port.new", "w").write(str(s.getsockname()[1]))
import os; os.rename("port.new", "port")
c = s.accept()
open("asked", "w").close()
time.sleep(600)' 3>&- &
	silent=$!
	until [ -s port ]; do sleep 0.1; done
	plugpkg-repo mirror "http://127.0.0.1:$(cat port)/" copy --json >out 3>&- &
	pid=$!
	until [ -e asked ]; do sleep 0.1; done
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	kill "$silent"
	output=$(cat out)
	interrupted
	plugpkg-repo verify copy >/dev/null
}

@test "waiting for another publisher ends with a signal" {
	need flock
	make_repo
	flock --no-fork repo sleep 600 3>&- &
	holder=$!
	until grep -q " FLOCK .* $holder " /proc/locks; do sleep 0.1; done
	plugpkg-repo refresh --json >out 3>&- &
	pid=$!
	until grep -q -- "-> FLOCK .* $pid " /proc/locks; do sleep 0.1; done
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	kill "$holder"
	output=$(cat out)
	interrupted
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
