# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # helpers.bash comes first; SIGN is for the tests
# What the tests of a repository's keys share. PLUGPKG_REPO is repo/ there.

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
