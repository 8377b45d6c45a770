# SPDX-License-Identifier: MIT
# Signing with keys that are elsewhere: carried to them, by commands, and by their public halves.

setup() {
	load ../helpers
	load keys
	load terminal
	setup_scratch
	export PLUGPKG_REPO=$SCRATCH/repo
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
	assert_has "Carry 'carried.json' to the keys: plugpkg-repo sign FILE --key KEYFILE"
	# There, no publisher's directory is needed.
	unset PLUGPKG_REPO
	mkdir airgap
	cd airgap || return 1
	run plugpkg-repo sign ../carried.json
	assert_has "New root (version 2" "timestamp: without key online" "with key online-2" "New targets (version 2" \
		"Sign it: plugpkg-repo sign ../carried.json --key KEYFILE"
	cp ../carried.json one.json
	cp ../carried.json two.json
	run plugpkg-repo sign one.json --key "$SCRATCH/safe/root-1.key" --key "$SCRATCH/safe/targets.key"
	assert_status 0
	assert_has "These signatures are in it: carry the file to the publisher, plugpkg-repo sign --import FILE"
	run plugpkg-repo sign two.json --key "$SCRATCH/safe/root-3.key"
	assert_status 0
	cp one.json all.json
	run -0 plugpkg-repo sign all.json --key "$SCRATCH/safe/root-3.key"
	assert_has "All signatures are there: carry the file to the publisher, plugpkg-repo sign --import FILE"
	cd .. || return 1
	export PLUGPKG_REPO=$SCRATCH/repo
	run plugpkg-repo sign --import airgap/one.json
	assert_has "signed by root-1" "still needs 1 signature of: root-2, root-3"
	run plugpkg-repo sign --import airgap/two.json
	assert_has "All signatures are there: plugpkg-repo publish"
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

@test "a signer asks for its PIN on the terminal, and there is none where plugpkg-repo has none" {
	need python3 setsid
	make_repo
	external ecdsa
	signer="{ printf 'PIN: ' && read -r pin; } </dev/tty >/dev/tty && [ \"\$pin\" = 1234 ] && $SIGN"
	plugpkg-repo key rotate root-1 --public ecdsa.pub --as hsm >/dev/null
	sign() {
		run "$@" plugpkg-repo sign --key hsm --signer "$signer"
	}
	sign setsid --wait
	assert_status 6
	assert_has "the signer" "failed with exit status" "[wrong-key]"
	sign typed 4321 --
	assert_has "PIN: " "failed with exit status 1" "[wrong-key]"
	sign typed 1234 --
	assert_has "PIN: " "still needs 2 signatures of: root-1, root-2, root-3, hsm"
	assert_lacks "[wrong-key]"
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
	plugpkg-repo verify >/dev/null
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
	jq '.seed |= (if startswith("00") then "11" else "00" end) + .[2:]' kept >repo/keys/online.key
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
