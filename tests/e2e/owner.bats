#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Authors sign too: keys, signatures beside archives, and roots that expect the key they saw first.

setup() {
	load ../helpers
	load servers
	setup_scratch
	load terminal
}

teardown() {
	stop_servers
}

# key NAME: SCRATCH/NAME.key, and its id in KEY_NAME.
key() {
	plugpkg owner new "$SCRATCH/$1.key" >/dev/null
	printf -v "KEY_$1" '%s' "$(jq -r .id "$SCRATCH/$1.key")"
}

# signed NAME VERSION KEY: an archive with its signature; prints its path.
signed() {
	local archive
	archive=$(build_plugin "$1" "$2")
	plugpkg sign "$archive" --key "$SCRATCH/$3.key" >/dev/null
	echo "$archive"
}

# A repository whose photos 1.0.0 is signed by key a, and a root that has it.
owned_photos() {
	key a
	make_repo
	publish "$(signed photos 1.0.0 a)"
	make_root
	plugpkg install -y photos >/dev/null
}

# The repository of somebody who has the index key, and nobody's word but his own: what he publishes
# is newer than all that is there.
evil_repo() {
	cp -a "$SCRATCH/repo" "$SCRATCH/evil"
	plugpkg-repo --repo "$SCRATCH/evil" refresh >/dev/null
}

# switch_to DIR: from now on this publisher's files are what the root's source has.
switch_to() {
	rm -rf "$SCRATCH/repo/public"
	cp -a "$SCRATCH/$1/public" "$SCRATCH/repo/public"
	plugpkg update >/dev/null
}

# unhex: the bytes of the hex digits on standard input.
unhex() {
	# shellcheck disable=SC2059 # the escapes are the message
	printf "$(sed 's/../\\x&/g')"
}

assert_photos() {
	run plugpkg list --json
	assert_has "\"name\":\"photos\",\"version\":\"$1\""
}

# ---- authors -----------------------------------------------------------------------------------

@test "an author's key is a file for him alone, and his signature says which bytes it is about" {
	key a
	[ "$(stat -c %a a.key)" = 600 ]
	archive=$(build_plugin photos 1.0.0)
	run plugpkg sign "$archive" --key a.key
	assert_status 0
	assert_has "photos-1.0.0.plug.sig"
	[ "$(jq -r .signed.sha256 "$archive.sig")" = "$(sha256sum <"$archive" | cut -d ' ' -f 1)" ]
	[ "$(jq -r .signed.size "$archive.sig")" = "$(stat -c %s "$archive")" ]
	[ "$(jq -r '.signed.name + " " + .signed.version' "$archive.sig")" = "photos 1.0.0" ]
}

@test "the same key signs the same archive with the same bytes" {
	key a
	archive=$(signed photos 1.0.0 a)
	cp "$archive.sig" first
	signed photos 1.0.0 a
	cmp first "$archive.sig"
}

@test "a signature is Ed25519 over canonical JSON: other programs can compare it" {
	key a
	archive=$(signed photos 1.0.0 a)
	{
		echo 302a300506032b6570032100 | unhex
		jq -r .key.keyval.public "$archive.sig" | unhex
	} >public.der
	jq -cSj .signed "$archive.sig" >message
	jq -r .signature "$archive.sig" | unhex >signature
	run openssl pkeyutl -verify -pubin -keyform DER -inkey public.der -rawin -in message -sigfile signature
	assert_status 0
}

@test "the published vectors of signatures are read, and made again byte for byte" {
	vectors=$top_srcdir/repo-format/vectors/owner
	jq -n --arg id bfe1a83869e5bf574e3ff3acbb83f840de84a990d10059f3096f0bf4f2b90c10 \
		'{_type: "plugpkg-key", $id, seed: ("07" * 32)}' >seven.key
	jq -n --slurpfile o "$vectors/owner.json" '{_type: "plugpkg-key", public: $o[0].key}' >eight.key
	chmod 600 seven.key eight.key
	plugpkg owner rotate photos --from seven.key --to eight.key
	cmp photos.rotation "$vectors/photos.rotation"
}

@test "the schema takes the published vectors and what is signed here, and nothing more than the program" {
	need python3
	python3 -c 'import jsonschema' 2>/dev/null || skip "no jsonschema for python3"
	key a
	key b
	archive=$(signed photos 1.0.0 a)
	plugpkg owner rotate photos --from a.key --to b.key
	vectors=$top_srcdir/repo-format/vectors/owner
	valid() {
		python3 -c 'import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
for path in sys.argv[2:]:
    jsonschema.validate(json.load(open(path)), schema)' \
			"$top_srcdir/repo-format/signature.schema.json" "$@"
	}
	valid "$vectors"/*.sig "$vectors"/*.rotation "$archive.sig" photos.rotation
	make_repo
	cp "$archive.sig" good
	for edit in '.more = 1' '.signed.more = 1' '.signed.size = -1' '.signed.size = 1.5' \
		'.signed.name = "../photos"' '.signed.sha256 |= ascii_upcase' '.signature += "00"' \
		'del(.key)' '.key.keytype = "rsa"' '._type = "plugpkg-archive"' '.signed._type = "x"'; do
		jq -c "$edit" good >"$archive.sig"
		run valid "$archive.sig"
		[ "$status" -ne 0 ] || fail "the schema takes: $edit"
		run plugpkg-repo --repo repo add "$archive"
		assert_status 6
		assert_has "[owner-key]"
	done
}

@test "build --sign builds and signs" {
	key a
	dir=$(make_plugin @acme/photos 1.0.0)
	run plugpkg build "$dir" --sign a.key
	assert_status 0
	[ "$(jq -r .signed.name acme-photos-1.0.0.plug.sig)" = @acme/photos ]
}

@test "a key with a passphrase signs for who knows it" {
	archive=$(build_plugin photos 1.0.0)
	plugpkg owner new --encrypt --passphrase-fd 3 a.key 3<<<"correct horse"
	run plugpkg sign "$archive" --key a.key --passphrase-fd 3 3<<<"correct mule"
	assert_status 6
	assert_has "[wrong-key]"
	[ ! -e "$archive.sig" ]
	run plugpkg sign "$archive" --key a.key --passphrase-fd 3 3<<<"correct horse"
	assert_status 0
	[ -e "$archive.sig" ]
}

@test "a key that others can read is not used" {
	key a
	archive=$(build_plugin photos 1.0.0)
	chmod 644 a.key
	run plugpkg sign "$archive" --key a.key
	assert_status 1
	assert_has "[permission]" "open to other users"
}

@test "a new key never takes the place of a file" {
	key a
	run plugpkg owner new a.key
	assert_status 1
	assert_has "[exists]"
}

@test "only archives are signed" {
	key a
	echo garbage >x.plug
	run plugpkg sign x.plug --key a.key
	assert_status 6
	assert_has "[bad-archive]"
	run plugpkg sign . --key a.key
	assert_status 6
	[ ! -e x.plug.sig ]
}

@test "where TMPDIR cannot be used, archives are signed and repositories verified all the same" {
	key a
	make_repo
	build_plugin x 1.0.0
	TMPDIR=$SCRATCH/nowhere run plugpkg sign x-1.0.0.plug --key a.key
	assert_status 0
	TMPDIR=$SCRATCH/nowhere run plugpkg-repo verify repo/public
	assert_status 0
}

# ---- publishers --------------------------------------------------------------------------------

@test "a signature beside an archive is published with it, verified, and copied by mirrors" {
	owned_photos
	[ "$(find repo/public -name "*.$KEY_a.sig" | wc -l)" -eq 1 ]
	run plugpkg-repo mirror "file://$SCRATCH/repo/public" copy
	assert_status 0
	[ "$(find copy -name "*.$KEY_a.sig" | wc -l)" -eq 1 ]
	run plugpkg-repo verify copy
	assert_status 0
	echo garbage >"$(find copy -name '*.sig')"
	run plugpkg-repo verify copy
	assert_status 6
	assert_has ".sig"
	rm "$(find copy -name '*.sig')"
	run plugpkg-repo verify copy
	assert_status 6
	assert_has "missing: signature of photos 1.0.0"
}

@test "an archive that the owner did not sign is not added" {
	owned_photos
	run plugpkg-repo --repo repo add "$(build_plugin photos 1.1.0)"
	assert_status 6
	assert_has "[owner-key]" "photos 1.1.0 is not signed" "${KEY_a:0:16}"
	key b
	run plugpkg-repo --repo repo add "$(signed photos 1.1.0 b)"
	assert_status 6
	assert_has "${KEY_a:0:16}" "${KEY_b:0:16}" "plugpkg owner rotate"
	run plugpkg-repo --repo repo list
	assert_lacks 1.1.0
}

@test "a signature that is not right is worse than none" {
	key a
	make_repo
	archive=$(signed photos 1.0.0 a)
	cp "$archive.sig" good
	other=$(signed photos 1.1.0 a)

	add_wrong() {
		run plugpkg-repo --repo repo add "$archive"
		assert_status 6
		assert_has "[owner-key]" "$@"
		run plugpkg-repo --repo repo list
		assert_lacks photos
	}
	echo garbage >"$archive.sig"
	add_wrong "line 1"
	head -c 100 good >"$archive.sig"
	add_wrong "line 1"
	: >"$archive.sig"
	add_wrong
	truncate -s 1G "$archive.sig"
	add_wrong "too large"
	cp "$other.sig" "$archive.sig"
	add_wrong "it signs photos 1.1.0, not photos 1.0.0"
	jq -c '.signed.size += 1' good >"$archive.sig"
	add_wrong "the signature is not by the key that it names"
	jq -c '.more = 1' good >"$archive.sig"
	add_wrong
	ln -sf good "$archive.sig"
	add_wrong "symbolic link"
	rm "$archive.sig"
	mkdir "$archive.sig"
	add_wrong
	rmdir "$archive.sig"
	mkfifo "$archive.sig"
	add_wrong
	rm "$archive.sig"
	cp good "$archive.sig"
	run plugpkg-repo --repo repo add "$archive"
	assert_status 0
	assert_has "signed by its owner from now on"
}

@test "the owner passes on his key by a statement that the old one signed" {
	owned_photos
	key b
	key c
	archive=$(signed photos 1.1.0 b)
	plugpkg owner rotate photos --from c.key --to b.key -o wrong
	run plugpkg-repo --repo repo add "$archive" --rotation wrong
	assert_status 6
	assert_has "[owner-key]" "${KEY_c:0:16}"
	plugpkg owner rotate videos --from a.key --to b.key -o wrong
	run plugpkg-repo --repo repo add "$archive" --rotation wrong
	assert_status 6
	plugpkg owner rotate photos --from a.key --to b.key
	run plugpkg-repo --repo repo add "$archive" --rotation photos.rotation
	assert_status 0
	plugpkg-repo --repo repo publish
	run plugpkg-repo verify repo/public
	assert_status 0
}

@test "a key is not passed on to itself, nor back to one that was given up" {
	owned_photos
	key b
	run plugpkg owner rotate photos --from a.key --to a.key
	assert_status 6
	[ ! -e photos.rotation ]
	plugpkg owner rotate photos --from a.key --to b.key
	plugpkg-repo --repo repo add "$(signed photos 1.1.0 b)" --rotation photos.rotation
	plugpkg owner rotate photos --from b.key --to a.key -o back
	run plugpkg-repo --repo repo add "$(signed photos 1.2.0 a)" --rotation back
	assert_status 6
}

@test "a name stays its owner's when the last version goes" {
	owned_photos
	plugpkg-repo --repo repo remove photos@1.0.0
	plugpkg-repo --repo repo publish
	key b
	run plugpkg-repo --repo repo add "$(signed photos 2.0.0 b)"
	assert_status 6
	run plugpkg-repo --repo repo add "$(signed photos 2.0.0 a)"
	assert_status 0
	run plugpkg-repo --repo repo check
	assert_status 0
}

@test "an owner whose only addition is taken back is none" {
	key a
	key b
	make_repo
	plugpkg-repo --repo repo add "$(signed photos 1.0.0 a)"
	plugpkg-repo --repo repo remove photos@1.0.0
	[ -z "$(find repo/staged -type f)" ]
	rm photos-1.0.0.plug.sig
	run plugpkg-repo --repo repo add "$(signed photos 1.0.0 b)"
	assert_status 0
}

# ---- roots -------------------------------------------------------------------------------------

@test "the first install keeps the owner's key, and what he signs later comes without a word" {
	key a
	make_repo
	publish "$(signed photos 1.0.0 a)"
	make_root
	run plugpkg install -y photos
	assert_status 0
	assert_has "Owner keys: 1 new."
	run plugpkg owner list
	assert_has "photos" "${KEY_a:0:16}" "install"
	[ "$(jq -r .plugins.photos.owner root/plugpkg.lock)" = "$KEY_a" ]
	publish "$(signed photos 1.1.0 a)"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_has "Owner keys: 1 unchanged."
}

@test "S17 S55: who has the index key and publishes an evil version of a signed plugin is refused" {
	owned_photos
	evil_repo
	key b
	plugpkg-repo --repo evil add --accept-owner "$(signed photos 6.6.6 b)"
	plugpkg-repo --repo evil publish
	switch_to evil
	run plugpkg upgrade -y photos
	assert_status 6
	assert_has "[owner-key]" "the owner's key of 'photos' has changed" "${KEY_a:0:16}" \
		"${KEY_b:0:16}" "plugpkg owner accept photos" "1 CHANGED"
	assert_photos 1.0.0
	run plugpkg upgrade --dry-run photos
	assert_status 6
	run plugpkg upgrade -y --json photos
	assert_status 6
	assert_has '"owner":"changed"' '"code":"owner-key"'
	run -0 plugpkg why-not --json photos@6.6.6
	assert_has '"possible":false' '"code":"owner-key"'
	run -0 plugpkg why-not photos@6.6.6
	assert_has "the owner's key of 'photos' has changed" "hint: " "plugpkg owner accept photos"
	assert_lacks "Nothing stands in the way"
}

@test "an upgrade of everything goes on without a plugin whose owner's key has changed" {
	owned_photos
	key b
	publish "$(build_plugin other 1.0.0)" "$(build_plugin album 1.0.0)"
	plugpkg update
	plugpkg install -y other album
	plugpkg-repo --repo repo add --accept-owner "$(signed photos 2.0.0 b)"
	publish "$(build_plugin other 1.1.0)" "$(build_plugin album 1.1.0 '"requires": {"photos": "^2"}')"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_has "Kept back:" "photos" "1.0.0, not 2.0.0" \
		"owner key changed, see plugpkg owner show photos" "warning: photos: kept back at 1.0.0"
	assert_lacks "CHANGED"
	assert_photos 1.0.0
	run plugpkg list --json
	assert_has '"name":"other","version":"1.1.0"' '"name":"album","version":"1.0.0"'
	run plugpkg upgrade -y --json
	assert_status 0
	assert_has '"type":"kept"' '"name":"photos"' '"candidate":"2.0.0"'
	run plugpkg upgrade -y photos
	assert_status 6
	assert_has "[owner-key]" "plugpkg owner accept photos"
	run plugpkg upgrade -y album
	assert_status 6
	plugpkg owner accept photos --key "$KEY_b"
	run plugpkg upgrade -y
	assert_status 0
	assert_lacks "Kept back"
	assert_photos 2.0.0
}

@test "an upgrade that would bring a new plugin of another key than the expected one stays out" {
	owned_photos
	key b
	publish "$(build_plugin album 1.0.0)"
	plugpkg update
	plugpkg install -y album
	plugpkg remove -y photos
	plugpkg-repo --repo repo add --accept-owner "$(signed photos 2.0.0 b)"
	publish "$(build_plugin album 1.1.0 '"requires": {"photos": "^2"}')"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_has "album" "needs photos, whose owner key changed"
	run plugpkg list --json
	assert_has '"name":"album","version":"1.0.0"'
}

@test "what was signed does not come unsigned" {
	key a
	make_repo
	cp -a repo evil
	publish "$(signed photos 1.0.0 a)"
	make_root
	plugpkg install -y photos
	plugpkg-repo --repo evil refresh
	plugpkg-repo --repo evil refresh
	rm -f photos-6.6.6.plug.sig
	plugpkg-repo --repo evil add "$(build_plugin photos 6.6.6)"
	plugpkg-repo --repo evil publish
	switch_to evil
	run plugpkg upgrade -y photos
	assert_status 6
	assert_has "[owner-key]" "is not signed by its owner" "plugpkg owner forget photos"
	assert_photos 1.0.0
	plugpkg owner forget photos
	run plugpkg upgrade -y
	assert_status 0
	assert_photos 6.6.6
}

@test "an index that names the owner and has no signature of his gets nothing in" {
	owned_photos
	evil_repo
	key b
	plugpkg-repo --repo evil add --accept-owner "$(signed photos 6.6.6 b)"
	plugpkg-repo --repo evil publish
	switch_to evil
	plugpkg owner accept photos --key "$KEY_b"
	rm "$(find repo/public -name "*.$KEY_b.sig")"
	run plugpkg upgrade -y photos
	assert_status 6
	assert_has "[owner-key]" "no mirror has the right signature of photos 6.6.6" "no such file"
	assert_photos 1.0.0
}

@test "who never had the plugin trusts the index, and keeps the key from then on" {
	owned_photos
	evil_repo
	key b
	plugpkg-repo --repo evil add --accept-owner "$(signed photos 6.6.6 b)"
	plugpkg-repo --repo evil publish
	switch_to evil
	PLUGPKG_ROOT=$SCRATCH/fresh
	make_root
	run plugpkg install -y photos
	assert_status 0
	assert_has "1 new"
	run plugpkg owner list
	assert_has "${KEY_b:0:16}"
}

@test "who names the key before the first install does not trust the index for it" {
	key a
	key b
	make_repo
	publish "$(signed photos 1.0.0 b)"
	make_root
	plugpkg owner accept photos --key "$KEY_a"
	run plugpkg install -y photos
	assert_status 6
	assert_has "[owner-key]" "${KEY_a:0:16}" "${KEY_b:0:16}"
	[ ! -e root/current/photos ]
}

@test "a changed key is accepted by a person who is there, or by its id, never by -y" {
	owned_photos
	key b
	plugpkg-repo --repo repo add --accept-owner "$(signed photos 2.0.0 b)"
	plugpkg-repo --repo repo publish
	plugpkg update
	run plugpkg owner accept photos -y
	assert_status 11
	assert_has "[needs-confirmation]" "$KEY_b"
	run plugpkg owner show photos
	assert_has "$KEY_a" "$KEY_b" "ANOTHER"
	run plugpkg owner accept photos --key 1234
	assert_status 2
	run plugpkg owner accept photos --key "$KEY_b"
	assert_status 0
	run plugpkg upgrade -y
	assert_status 0
	assert_photos 2.0.0
}

@test "who is asked about a changed key sees both, and may say no" {
	owned_photos
	key b
	plugpkg-repo --repo repo add --accept-owner "$(signed photos 2.0.0 b)"
	plugpkg-repo --repo repo publish
	plugpkg update
	run typed no -- plugpkg owner accept photos
	assert_has "expected so far: $KEY_a" "of the source:   $KEY_b" \
		"the owner's key of 'photos' stays what it was" "[declined]"
	run plugpkg owner show photos --json
	assert_equal "$(json_get 'select(.type == "owner").key')" "$KEY_a"
	run typed yes -- plugpkg owner accept photos
	assert_lacks "error: "
	run plugpkg owner show photos --json
	assert_equal "$(json_get 'select(.type == "owner").key')" "$KEY_b"
}

@test "a plugin without an owner has no key that could be accepted" {
	make_repo
	publish "$(build_plugin photos 1.0.0)"
	make_root
	run plugpkg owner accept photos
	assert_status 4
	assert_has "no source names a key of the owner of 'photos'" "hint: to take it unsigned from now on"
	run plugpkg owner show photos --json
	assert_equal "$(json_get 'select(.type == "owner").state')" none
}

@test "a key that is expected of what no source knows any more is shown as such" {
	owned_photos
	plugpkg source remove test
	rm -rf repo
	make_repo
	publish "$(build_plugin other 1.0.0)"
	plugpkg source add test "file://$SCRATCH/repo/public" --key repo/public/metadata/1.root.json
	plugpkg update
	run plugpkg owner show photos --json
	assert_status 0
	assert_equal "$(json_get 'select(.type == "owner") | .state + " " + .key')" "unknown $KEY_a"
}

@test "a key that its owner passed on is followed, over several steps" {
	owned_photos
	key b
	key c
	plugpkg owner rotate photos --from a.key --to b.key -o ab
	plugpkg owner rotate photos --from b.key --to c.key -o bc
	plugpkg-repo --repo repo add "$(signed photos 1.1.0 b)" --rotation ab
	plugpkg-repo --repo repo add "$(signed photos 1.2.0 c)" --rotation bc
	plugpkg-repo --repo repo publish
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_has "1 passed on"
	assert_photos 1.2.0
	run plugpkg owner list --json
	assert_has "\"key\":\"$KEY_c\"" '"how":"rotation"'
	run plugpkg install -y --downgrade photos@1.1.0
	assert_status 6
	assert_has "is not signed by its owner"
}

@test "old versions that the new key signed as well can be had again" {
	owned_photos
	key b
	plugpkg owner rotate photos --from a.key --to b.key
	plugpkg-repo --repo repo add "$(signed photos 1.1.0 b)" --rotation photos.rotation
	plugpkg-repo --repo repo publish
	plugpkg update
	plugpkg upgrade -y
	run plugpkg-repo --repo repo add "$(signed photos 1.0.0 b)"
	assert_status 0
	assert_has "signature staged"
	plugpkg-repo --repo repo publish
	plugpkg update
	run plugpkg install -y --downgrade photos@1.0.0
	assert_status 0
}

@test "the expected key outlives remove and rollback, and goes with purge" {
	owned_photos
	publish "$(signed photos 1.1.0 a)"
	plugpkg update
	plugpkg upgrade -y
	plugpkg rollback -y
	run plugpkg owner list
	assert_has "${KEY_a:0:16}"
	plugpkg remove -y photos
	run plugpkg owner list
	assert_has "${KEY_a:0:16}"
	plugpkg install -y photos
	plugpkg purge -y photos
	run plugpkg owner list
	assert_lacks photos
	plugpkg install -y photos
	plugpkg remove -y photos
	mkdir -p root/data/photos
	plugpkg purge -y photos
	run plugpkg owner list
	assert_lacks photos
}

@test "purge takes what a removed plugin left: the key of its owner, where there is nothing else" {
	owned_photos
	publish "$(build_plugin other 1.0.0)"
	plugpkg update
	plugpkg install -y other
	plugpkg remove -y photos
	[ ! -e root/data/photos ]
	run plugpkg purge --dry-run photos --json
	assert_status 0
	assert_has '"type":"purge","name":"photos","what":"owner-key"'
	run plugpkg owner list
	assert_has photos
	run plugpkg purge -y photos other
	assert_status 0
	assert_has "owner keys of these plugins, removed before, will be FORGOTTEN"
	run plugpkg owner list
	assert_lacks photos
	run plugpkg purge -y photos
	assert_status 4
	plugpkg install -y photos
	plugpkg remove -y photos
	run plugpkg purge -y photos
	assert_status 0
	run plugpkg owner list
	assert_lacks photos
}

@test "a mirror with a wrong signature is passed over, and refused when it is the only one" {
	key a
	make_repo
	publish "$(signed photos 1.0.0 a)"
	cp -a repo/public bad
	sig=$(find bad -name '*.sig')
	plugpkg init "$PLUGPKG_ROOT"
	plugpkg source add test "file://$SCRATCH/bad" "file://$SCRATCH/repo/public" \
		--key repo/public/metadata/1.root.json
	plugpkg update
	echo garbage >"$sig"
	run plugpkg install -y photos
	assert_status 0
	plugpkg purge -y photos
	plugpkg clean --cache
	truncate -s 1G "$(find repo/public -name '*.sig')"
	run plugpkg install -y photos
	assert_status 6
	assert_has "[owner-key]" "signature of photos 1.0.0"
	[ ! -e root/current/photos ]
}

@test "signatures are fetched beside each other and beside the archives" {
	need python3
	key a
	make_repo
	# shellcheck disable=SC2046 # the list is words
	publish $(for i in 1 2 3 4; do signed "p$i" 1.0.0 a; done)
	serve web repo/public
	plugpkg init "$PLUGPKG_ROOT"
	plugpkg source add test "$URL" --key repo/public/metadata/1.root.json
	plugpkg update
	order web "together-4@*.sig"
	run plugpkg install -y p1 p2 p3 p4
	assert_status 0
	assert_has "Owner keys: 4 new."
}

@test "a mirror fetches signatures beside each other, and has all of them or none of that state" {
	need python3
	key a
	make_repo
	# shellcheck disable=SC2046 # the list is words
	publish $(for i in 1 2 3 4; do signed "p$i" 1.0.0 a; done)
	serve web repo/public
	refused_mirror() {
		order web "$1"
		run plugpkg-repo mirror "$URL" copy
		assert_status 6
		assert_has "[owner-key]" "no mirror has the right signature of p" "${@:2}"
		[ ! -e copy/metadata/timestamp.json ]
	}
	refused_mirror "status-404@*.sig" "HTTP status 404"
	refused_mirror "other@*.sig" "line 1"
	refused_mirror "endless@*.sig" "more than 4096 bytes"
	order web "together-4@*.sig"
	run plugpkg-repo mirror "$URL" copy
	assert_status 0
	[ "$(find copy -name "*.$KEY_a.sig" -perm 644 | wc -l)" -eq 4 ]
	run plugpkg-repo verify copy
	assert_status 0
}

@test "what was verified once is there offline as well, and looked at again" {
	owned_photos
	plugpkg remove -y photos
	mv repo/public gone
	run plugpkg install -y --offline photos
	assert_status 0
	plugpkg remove -y photos
	sig=$(echo root/var/cache/*."$KEY_a".sig)
	echo garbage >"$sig"
	run plugpkg install -y --offline photos
	assert_status 5
	assert_has "signature of photos 1.0.0 was not downloaded before" "without --offline"
	mv gone repo/public
	run plugpkg install -y photos
	assert_status 0
	[ "$(jq -r .signed.name "$sig")" = photos ]
}

@test "in the cache a signature goes with its archive, not before and not after" {
	owned_photos
	archive=$(basename "$(find repo/public/targets/pool -name '*.plug')" .plug)
	plugpkg clean --keep-cache
	[ -e "root/var/cache/$archive.$KEY_a.sig" ]
	# Only one of the two has to go. The signature seems to be unused for longer.
	size=$(cat root/var/cache/* | wc -c)
	jq --argjson n "$((size + 20))" '.cache = {"max-size": $n}' root/plugpkg.json >new
	mv new root/plugpkg.json
	touch -d "-30 minutes" "root/var/cache/$archive.$KEY_a.sig"
	touch -d "-20 minutes" "root/var/cache/$archive"
	publish "$(build_plugin other 1.0.0)"
	plugpkg update
	plugpkg install -y other
	[ ! -e "root/var/cache/$archive" ]
	plugpkg clean --cache
	[ -z "$(find root/var/cache -name '*.sig')" ]
	run plugpkg list --available --offline
	assert_has photos
}

@test "another machine takes the key of plugpkg.lock, not that of the index" {
	owned_photos
	cp root/plugpkg.json root/plugpkg.lock .
	evil_repo
	key b
	plugpkg-repo --repo evil remove photos@1.0.0
	plugpkg-repo --repo evil publish
	plugpkg sign photos-1.0.0.plug --key b.key
	plugpkg-repo --repo evil add --accept-owner photos-1.0.0.plug
	plugpkg-repo --repo evil publish

	PLUGPKG_ROOT=$SCRATCH/second
	make_root
	cp plugpkg.json plugpkg.lock second/
	run plugpkg sync --locked -y
	assert_status 0
	run plugpkg owner list
	assert_has "${KEY_a:0:16}" "lock"

	PLUGPKG_ROOT=$SCRATCH/third
	make_root
	cp plugpkg.json plugpkg.lock third/
	switch_to evil
	run plugpkg sync --locked -y
	assert_status 6
	assert_has "[owner-key]" "${KEY_a:0:16}" "${KEY_b:0:16}"
	[ ! -e third/current/photos ]
}

@test "plugins that nobody signs stay as they are" {
	make_repo
	publish "$(build_plugin photos 1.0.0)"
	make_root
	run plugpkg install -y photos
	assert_status 0
	assert_lacks "wner"
	run plugpkg show photos
	assert_has "Owner:         none"
	publish "$(build_plugin photos 1.1.0)"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	run plugpkg owner list
	[ -z "$output" ]
}

@test "a plugin whose author begins to sign is expected to be signed from then on" {
	make_repo
	publish "$(build_plugin photos 1.0.0)"
	make_root
	plugpkg install -y photos
	key a
	publish "$(signed photos 1.1.0 a)"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_has "Owner keys: 1 new."
	run plugpkg install -y --downgrade photos@1.0.0
	assert_status 6
}

# ---- local archives ----------------------------------------------------------------------------

@test "a local archive that the known owner signed needs no other word" {
	owned_photos
	run plugpkg install -y "$(signed photos 1.1.0 a)"
	assert_status 0
	assert_photos 1.1.0
}

@test "a local archive that somebody else signed is refused, and one with a wrong signature too" {
	owned_photos
	key b
	run plugpkg install -y --allow-unsigned "$(signed photos 1.1.0 b)"
	assert_status 6
	assert_has "[owner-key]" "${KEY_a:0:16}" "${KEY_b:0:16}" "plugpkg owner accept photos --key $KEY_b"
	cp photos-1.0.0.plug.sig photos-1.1.0.plug.sig
	run plugpkg install -y --allow-unsigned ./photos-1.1.0.plug
	assert_status 6
	assert_has "it signs photos 1.0.0, not photos 1.1.0"
	rm photos-1.1.0.plug.sig
	run plugpkg install -y ./photos-1.1.0.plug
	assert_status 11
	run plugpkg install -y --allow-unsigned ./photos-1.1.0.plug
	assert_status 0
}

# ---- the commands ------------------------------------------------------------------------------

@test "owner says what it does not know" {
	owned_photos
	run plugpkg owner show nothing
	assert_status 4
	run plugpkg owner forget nothing
	assert_status 4
	run plugpkg owner accept nothing
	assert_status 4
	run plugpkg owner show Photos
	assert_status 2
	run plugpkg owner show photos --json
	assert_has '"type":"owner"' "\"key\":\"$KEY_a\"" '"state":"unchanged"' "\"offered\":\"$KEY_a\""
}
