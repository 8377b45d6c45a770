# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What a client reads is half written, damaged or absurd: each time a message says which file and what
# to do, and the root is as before. Certificates: nginx.bats; full disks: net.bats; members that are
# signed and wrong: trust.bats; keys: keys.bats and owner.bats.

setup() {
	load ../helpers
	setup_scratch
	need jq
}

# two_releases: photos 1.0.0 in a root that is up to date with it; 1.1.0 is published since, GOOD has it.
two_releases() {
	make_repo
	publish "$(build_plugin photos 1.0.0)"
	make_root
	publish "$(build_plugin photos 1.1.0)"
	cp -a repo/public good
	cp -a root before
}

again() {
	rm -rf repo/public root
	cp -a good repo/public
	cp -a before root
}

# names FILE TEXT: the last update or install failed, named the file and told what to do.
names() {
	[ "$status" -ne 0 ] || fail "taken: $1"
	assert_has "$1" "hint: "
	run -0 plugpkg list --available --json
	assert_has '"version":"1.0.0"'
	assert_lacks '"version":"1.1.0"'
}

@test "half-written metadata of a mirror is named, changes nothing, and is gone with the next update" {
	local one file
	two_releases
	for one in "metadata/timestamp.json timestamp" "metadata/3.snapshot.json snapshot" \
		"metadata/3.index.json index" "targets/index/*.root.json index of 'test'" \
		"targets/index/*.planning.zst planning index" "targets/index/*.search.zst search index"; do
		again
		file=${one%% *}
		# The newest of that name.
		# shellcheck disable=SC2012,SC2086 # file is a pattern, names are digests
		file=$(cd repo/public && ls -t $file | head -n 1)
		truncate -s "$(($(stat -c %s "repo/public/$file") / 2))" "repo/public/$file"
		run --separate-stderr plugpkg update
		output+=$stderr
		names "${one#* }"
		rm -rf repo/public
		cp -a good repo/public
		run -0 plugpkg update
	done
}

@test "members that stand twice, fractions, bad UTF-8 and huge numbers in metadata are named" {
	local edit
	two_releases
	for edit in 's/"version": *3/"version":3,"version":3/' 's/"version": *3/"version":3.0/' \
		's/"_type": *"timestamp"/"_type":"time\xff"/' \
		's/"version": *3/"version":99999999999999999999/'; do
		again
		LC_ALL=C sed -i "$edit" repo/public/metadata/timestamp.json
		run ! cmp -s good/metadata/timestamp.json repo/public/metadata/timestamp.json
		run plugpkg update
		assert_status 6
		assert_has "source 'test': "
		names "timestamp: "
	done
}

@test "half-written files of the root's own trust are put right, but for the key itself, which is named" {
	local file
	two_releases
	for file in timestamp snapshot index targets; do
		again
		truncate -s 100 "root/var/trust/test/$file.json"
		run -0 plugpkg update
		run -0 plugpkg install photos -y
		assert_installed photos 1.1.0
	done
	again
	truncate -s 100 root/var/trust/test/root.json
	run plugpkg update
	assert_status 6
	assert_has "source 'test': " "root.json" "is damaged" "hint: " "add it again"
	again
	truncate -s 100 root/var/trust/test/first.root.json
	run plugpkg update
	assert_status 6
	assert_has "var/trust/test/first.root.json' is damaged" "hint: " "add it again" "[bad-metadata]"
}

@test "sizes that no disk and no number holds are refused before anything is fetched" {
	local edit n=1
	two_releases
	again
	for edit in '.details.unpacked = 9e18' '.details.files = 1e300' '.details.unpacked = -1' \
		'.details.unpacked = 100000000000000'; do
		n=$((n + 1))
		plugpkg-repo --repo repo add "$(build_plugin photos "1.$n.0")" >/dev/null
		jq "$edit" "repo/staged/photos@1.$n.0.json" >new
		cat new >"repo/staged/photos@1.$n.0.json"
		plugpkg-repo --repo repo publish
		plugpkg update
		run plugpkg install -y "photos@1.$n.0"
		[ "$status" -ne 0 ] || fail "taken: $edit"
		assert_has "hint: "
		assert_missing root/current/photos
		assert_equal "$(find root/var/cache -name '*.part')" ""
	done
	assert_has "no space" "100000000000000 bytes"
}

@test "a --passphrase-fd that is no number or not open is told as that, and keeps no directory busy" {
	local fd
	for fd in abc -1 "" 1024 77; do
		run -2 plugpkg-repo init repo --name main --encrypt --passphrase-fd "$fd" 77>&-
		assert_has "option '--passphrase-fd'"
		run -2 plugpkg owner new --encrypt --passphrase-fd "$fd" a.key 77>&-
		assert_has "option '--passphrase-fd'"
	done
	assert_missing a.key
	run -6 plugpkg-repo init repo --name main --encrypt --passphrase-fd 3 3</dev/null
	assert_has "needs a passphrase and nobody gave one"
	run -0 plugpkg-repo init repo --name main --encrypt --passphrase-fd 3 3<<<"correct horse"
}

@test "a wrong passphrase and a key that cannot be read are told, and nothing is published" {
	plugpkg-repo init repo --name main --encrypt --passphrase-fd 3 3<<<"correct horse" >/dev/null
	plugpkg-repo --repo repo add "$(build_plugin photos 1.0.0)"
	cp -a repo/public before
	run plugpkg-repo --repo repo publish --passphrase-fd 3 3<<<"wrong"
	assert_status 6
	assert_has "key 'online'" "wrong passphrase" "hint: try again; when the passphrase is lost"
	diff -r before repo/public
	mv repo/keys/online.key away
	mkdir repo/keys/online.key
	run plugpkg-repo --repo repo publish --passphrase-fd 3 3<<<"correct horse"
	[ "$status" -ne 0 ]
	assert_has "online"
	rmdir repo/keys/online.key
	head -c 50 away >repo/keys/online.key
	chmod 600 repo/keys/online.key
	run plugpkg-repo --repo repo publish --passphrase-fd 3 3<<<"correct horse"
	[ "$status" -ne 0 ]
	assert_has "online.key"
	diff -r before repo/public
	rm repo/keys/online.key
	mv away repo/keys/online.key
	run -0 plugpkg-repo --repo repo publish --passphrase-fd 3 3<<<"correct horse"
}
