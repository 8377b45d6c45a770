# SPDX-License-Identifier: MIT
# repo-format/vectors: a repository made once and for all is read as its README says.

setup() {
	load ../helpers
	setup_scratch
	cp -R "$top_srcdir/repo-format/vectors/public" public
	chmod -R u+w public
	KEY=$(grep -o 'sha256:[0-9a-f]\{64\}' "$top_srcdir/repo-format/vectors/README.md")
	export PLUGPKG_NOW=2026-01-07T23:59:59Z
}

@test "the test vectors verify with their fingerprint until they expire" {
	run plugpkg-repo verify public --key "$KEY"
	assert_status 0
	assert_has "11 files" "0 problems"
	PLUGPKG_NOW=2026-01-08T00:00:00Z run plugpkg-repo verify public --key "$KEY"
	assert_status 6
	assert_has "[metadata-expired]"
}

@test "the test vectors with any file that counts changed by one bit are refused" {
	need python3
	local file n=0
	while read -r file; do
		cp "$file" kept
		python3 -c 'import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[len(b) // 2] ^= 1
open(sys.argv[1], "wb").write(b)' "$file"
		run plugpkg-repo verify public --key "$KEY"
		echo "$file" >&2
		assert_status 6
		cp kept "$file"
		n=$((n + 1))
	done < <(find public -type f ! \( -name '1.snapshot.json' -o -name '1.index.json' -o \
		-name '6fb8543883da*' -o -name '2d28170e62f4*' \))
	assert_equal "$n" 11
	cp public/metadata/1.snapshot.json public/metadata/2.snapshot.json
	run plugpkg-repo verify public --key "$KEY"
	assert_status 6
}

@test "a client installs from the test vectors" {
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	plugpkg source add vectors "file://$SCRATCH/public" --key "$KEY"
	run plugpkg install @acme/animal -y
	assert_status 0
	assert_installed @acme/animal 1.4.0+b.7
	assert_installed user 2.3.1
}
