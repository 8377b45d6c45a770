# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What a root makes of its sources: which view of a repository counts, whose names are whose, and when
# metadata is too old.

setup() {
	load ../helpers
	load servers
	setup_scratch
	need python3 jq
	export PLUGPKG_FETCH_PATIENCE=1
}

teardown() {
	stop_servers
}

# serve_repo: SCRATCH/repo with user 1.0.0 behind server `web`; a root that knows it.
serve_repo() {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	serve web repo/public
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	plugpkg source add test "$URL/" --key repo/public/metadata/1.root.json >/dev/null
}

# ---- an update that was cut off --------------------------------------------------------------

@test "S02 S16: an update that stops at any file leaves the view before it to install from" {
	serve_repo
	publish "$(build_plugin user 1.1.0)"
	cp -a "$PLUGPKG_ROOT" before
	for file in '*.snapshot.json' '*.index.json' '*.root.json' '*.planning.zst' '*.search.zst'; do
		rm -rf "$PLUGPKG_ROOT"
		cp -a before "$PLUGPKG_ROOT"
		rm -rf "$PLUGPKG_ROOT/var/mirrors.json"
		order web "status-404@*/2.root.json,status-404@$file"
		run plugpkg update
		assert_status 5
		run plugpkg show user --json
		assert_has '"version":"1.0.0"'
		run plugpkg install user -y
		assert_status 0
		assert_installed user 1.0.0
		order web ok
		run plugpkg update --json
		assert_status 0
		assert_has '"changed":true'
		run plugpkg upgrade -y
		assert_status 0
		assert_installed user 1.1.0
	done
}

@test "a view that is damaged is replaced by its original, silently" {
	serve_repo
	local file
	for file in timestamp snapshot targets index; do
		echo garbage >"$PLUGPKG_ROOT/var/trust/test/view/$file.json"
		run plugpkg install user -y --dry-run
		assert_status 0
		assert_lacks warning
		run plugpkg update
		assert_status 0
		cmp "$PLUGPKG_ROOT/var/trust/test/$file.json" "$PLUGPKG_ROOT/var/trust/test/view/$file.json"
	done
}

@test "S03: the view before a cut-off update expires as ever" {
	serve_repo
	publish "$(build_plugin user 1.1.0)"
	order web "status-404@*/2.root.json,status-500@*.snapshot.json"
	run plugpkg update
	assert_status 5
	PLUGPKG_NOW=$(($(date +%s) + 20 * 86400)) run plugpkg install user -y
	assert_status 6
	assert_has "[metadata-expired]" "timestamp expired on" "run plugpkg update"
}

@test "the view before a cut-off update does not outlive the keys that signed it" {
	serve_repo
	plugpkg-repo --repo repo key rotate online >/dev/null
	plugpkg-repo --repo repo sign >/dev/null
	publish "$(build_plugin user 1.1.0)"
	order web "status-500@*/timestamp.json"
	run plugpkg update
	assert_status 5
	run plugpkg install user -y
	assert_status 6
	assert_has "[signature-invalid]" "root version 2"
	order web ok
	plugpkg update >/dev/null
	plugpkg install user -y >/dev/null
	assert_installed user 1.1.0
}

# ---- whose names are whose -------------------------------------------------------------------

# repository NAME ARCHIVE...: a repository in SCRATCH/NAME.
repository() {
	make_repo "$SCRATCH/$1" "$1"
	plugpkg-repo --repo "$SCRATCH/$1" add "${@:2}" >/dev/null
	plugpkg-repo --repo "$SCRATCH/$1" publish >/dev/null
}

# add NAME [OPTION...]: it as a source of the root.
add() {
	[ -e "$PLUGPKG_ROOT" ] || plugpkg init "$PLUGPKG_ROOT" >/dev/null
	plugpkg source add "$1" "file://$SCRATCH/$1/public" \
		--key "$SCRATCH/$1/public/metadata/1.root.json" "${@:2}" >/dev/null
}

@test "S23: a name of a source of higher priority is never taken from a lower one" {
	repository own "$(build_plugin user 1.0.0)" "$(build_plugin animal 1.0.0 '"requires": {"user": "*"}')"
	repository public "$(build_plugin user 9.0.0)" "$(build_plugin extra 1.0.0 '"requires": {"user": "^9"}')"
	add public --priority 100
	add own --priority 900
	run plugpkg install animal -y
	assert_status 0
	assert_installed user 1.0.0
	run plugpkg upgrade -y
	assert_installed user 1.0.0
	run plugpkg install extra -y
	assert_status 3
	run plugpkg install user@^9 -y
	assert_status 3
	assert_installed user 1.0.0
}

@test "S23: a name that belongs to a source is never taken from another one, whatever its version and priority" {
	repository own "$(build_plugin @acme/user 1.0.0)"
	rm -rf plugins/*
	repository public "$(build_plugin @acme/user 9.0.0)" "$(build_plugin @acme/other 1.0.0)" \
		"$(build_plugin animal 1.0.0 '"requires": {"@acme/user": "*"}')"
	add public --priority 900
	add own --priority 100 --names '@acme/*'
	run plugpkg source list
	assert_has "names @acme/*"
	run plugpkg list --available --json
	assert_equal "$(json_get 'select(.type == "plugin") | "\(.name) \(.version) \(.source)"')" \
		$'@acme/user 1.0.0 own\nanimal 1.0.0 public'
	run plugpkg search acme
	assert_has @acme/user
	assert_lacks @acme/other 9.0.0
	for name in @acme/other @acme/user@9.0.0 @acme/user/public; do
		run plugpkg install "$name" -y
		[ "$status" -ne 0 ]
		assert_missing root/current/@acme
	done
	run plugpkg install animal -y
	assert_status 0
	assert_installed @acme/user 1.0.0
	run plugpkg upgrade -y
	assert_installed @acme/user 1.0.0
}

@test "S23: nor while the source that it belongs to cannot be reached, is expired, or lost its trust" {
	repository own "$(build_plugin mine 1.0.0)"
	rm -rf plugins/*
	repository public "$(build_plugin @acme/user 9.0.0)"
	add own --names '@acme/*' --names acme-tool
	add public
	mv own elsewhere
	run plugpkg update
	assert_status 5
	run plugpkg install @acme/user -y
	assert_status 4
	rm -r root/var/trust/own/view root/var/trust/own/timestamp.json
	run plugpkg install @acme/user -y
	assert_status 4
	assert_has "run plugpkg update"
	rm -r root/var/trust/own
	run plugpkg install @acme/user -y
	assert_status 4
	assert_missing root/current/@acme
	# A source with names of its own has no others.
	mv elsewhere own
	plugpkg update >/dev/null
	run plugpkg install mine -y
	assert_status 4
}

@test "what others provide or replace of a name that belongs to a source does not count" {
	repository own "$(build_plugin @acme/db 1.0.0)"
	rm -rf plugins/*
	repository public \
		"$(build_plugin evil 9.0.0 '"provides": {"@acme/db": "9.0.0", "@acme/lib": "1.0.0"}, "replaces": {"@acme/db": "*"}')" \
		"$(build_plugin needs-db 1.0.0 '"requires": {"@acme/db": "*"}')" \
		"$(build_plugin needs-lib 1.0.0 '"requires": {"@acme/lib": "*"}')"
	add public --priority 900
	add own --names '@acme/*'
	run plugpkg install evil -y
	assert_status 0
	run plugpkg install needs-db -y
	assert_status 0
	assert_installed @acme/db 1.0.0
	run plugpkg install needs-lib -y
	assert_status 3
	run plugpkg upgrade -y
	assert_installed @acme/db 1.0.0
	run plugpkg install @acme/lib -y
	[ "$status" -ne 0 ]
}

@test "names of a source that make no sense are refused with their place" {
	make_repo
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	for names in '*' '@acme' '@acme/*x' 'Acme-*' '' 'a b' '../*'; do
		run plugpkg source add test "file://$SCRATCH/repo/public" --key repo/public/metadata/1.root.json \
			--names "$names"
		assert_status 2
		assert_has "neither a name nor a beginning of names" "@acme/*"
	done
	echo '{"name": "demo", "sources": [{"name": "x", "urls": ["file:///x"], "names": ["@acme/*", "*"]}]}' \
		>root/plugpkg.json
	run plugpkg list
	assert_status 1
	assert_has "[bad-config]" "sources[0].names[1]"
}

# ---- metadata that gets old ------------------------------------------------------------------

# later HOURS: and a half, so that what is left is no matter of a second.
later() {
	PLUGPKG_NOW=$(($(date +%s) + $1 * 3600 + 1800))
	export PLUGPKG_NOW
}

# a_root: user 1.0.0 and 1.1.0 in a repository; a root that went from one to the other.
a_root() {
	make_repo
	publish "$(build_plugin user 1.0.0)" "$(build_plugin animal 1.0.0 '"requires": {"user": "*"}')"
	make_root
	plugpkg install animal -y >/dev/null
	publish "$(build_plugin user 1.1.0)"
	plugpkg update >/dev/null
	plugpkg upgrade -y >/dev/null
}

@test "update and plans warn before metadata expires, and only then" {
	a_root
	run plugpkg update
	assert_lacks warning
	run plugpkg upgrade -y
	assert_lacks warning
	later $((7 * 24 - 6))
	run plugpkg upgrade -y
	assert_status 0
	assert_has "warning: source 'test': metadata expires in 5 hours: run plugpkg update"
	run plugpkg update
	assert_status 0
	assert_has "warning: source 'test': metadata expires in 5 hours: its publisher has to renew it"
	run plugpkg list --available
	assert_lacks warning
	plugpkg-repo --repo repo refresh >/dev/null
	run plugpkg update
	assert_lacks warning
	later $((28 * 24))
	PLUGPKG_NOW=$(($(date +%s) + 24 * 86400)) plugpkg-repo --repo repo refresh >/dev/null
	run plugpkg update
	assert_lacks warning
}

@test "expired metadata blocks update, install and upgrade, never list, remove, rollback, why" {
	a_root
	later $((20 * 24))
	local command
	for command in update "install user" "install user@1.0.0" upgrade; do
		# shellcheck disable=SC2086 # words of a command
		run plugpkg $command -y
		assert_status 6
		assert_has "[metadata-expired]" "expired on" "your clock is wrong (it says 20"
	done
	for command in list "list --available" "search user" "show user" "why user" "rdepends user" history \
		check "remove animal -y" "rollback -y" "remove animal user -y"; do
		# shellcheck disable=SC2086 # the same
		run plugpkg $command
		assert_status 0
	done
}

@test "an expired root without a successor says who has to do what" {
	a_root
	later $((3 * 366 * 24))
	run plugpkg update
	assert_status 6
	assert_has "[metadata-expired]" "root expired on" "no mirror has a newer root" "sign --renew root" \
		"clock is wrong"
}

@test "S03: a clock that is behind the last update is told" {
	a_root
	touch -d "3 days" root/var/trust/test/view/timestamp.json
	for command in update "install user -y"; do
		# shellcheck disable=SC2086 # words of a command
		run plugpkg $command
		assert_status 0
		assert_has "warning: the clock says 20" "by this clock old metadata does not expire"
	done
}

@test "a trusted root that is damaged says how to get it back" {
	a_root
	local damage
	cp root/var/trust/test/root.json whole
	for damage in 's/"version":1/"version":2/' 's/{/[/' d; do
		sed "$damage" whole >root/var/trust/test/root.json
		run plugpkg update
		assert_status 6
		assert_has "the trusted 'root.json' is damaged" "add it again with its key"
		run plugpkg list
		assert_status 0
	done
	cp whole root/var/trust/test/root.json
	plugpkg update
}

@test "an address where no repository is, beside a root key of our own, is told with what belongs there" {
	make_repo
	plugpkg init "$PLUGPKG_ROOT"
	run plugpkg source add astray "file://$SCRATCH/nowhere" --key "$SCRATCH/repo/public/metadata/1.root.json"
	assert_status 5
	assert_has "source 'astray': mirror 1 has no 'metadata/timestamp.json'" \
		"hint: the address of a source is the directory that metadata/ and targets/ are in"
	run plugpkg source list
	assert_lacks astray
}

@test "source add says what is in the way of the first question, and what to do about it" {
	make_repo
	plugpkg init other
	local key
	key=sha256:$(sha256sum repo/public/metadata/1.root.json | cut -d' ' -f1)
	run -5 plugpkg --root other --offline source add far http://127.0.0.1:1/ --key "$key"
	assert_has "no repository at 'http://127.0.0.1:1/': " "hint: run the command again without --offline"
	mkdir none
	PLUGPKG_LIBEXEC=$SCRATCH/none run -1 plugpkg --root other source add far http://127.0.0.1:1/ \
		"file://$SCRATCH/repo/public" --key "$key"
	assert_has "error: cannot start '$SCRATCH/none/plugpkg-fetch': no such file" \
		"hint: the installation of plugpkg is incomplete"
	run -0 plugpkg --root other source list
	assert_lacks far
	run -0 plugpkg --root other source add far http://127.0.0.1:1/ "file://$SCRATCH/repo/public" --key "$key"
}

@test "a login in a plugpkg.json that others can read is warned of" {
	serve_repo
	local key=repo/public/metadata/1.root.json
	run -0 plugpkg source add open "http://me:secret@${URL#http://}" --key "$key"
	assert_has "warning: the login for '$URL" "chmod 600"
	assert_lacks secret
	chmod 600 root/plugpkg.json
	run -0 plugpkg source add closed "http://me:secret@${URL#http://}" --key "$key"
	assert_lacks warning
}

@test "plugpkg.json and plugpkg.lock keep their modes, and under root their owner" {
	local file owner
	serve_repo
	run -0 plugpkg update
	run -0 plugpkg install user -y
	for file in plugpkg.json plugpkg.lock; do
		chmod 660 "root/$file"
		[ "$(id -u)" != 0 ] || chown 65534:65534 "root/$file"
	done
	owner=$(stat -c %u:%g root/plugpkg.json)
	run -0 plugpkg remove user -y
	run -0 plugpkg source add other "$URL/" --key repo/public/metadata/1.root.json
	for file in plugpkg.json plugpkg.lock; do
		assert_equal "$(stat -c '%a %u:%g' "root/$file")" "660 $owner"
	done
}

@test "a publisher's directory instead of its public/, and a fingerprint without its beginning, are told" {
	local key
	make_repo
	key=$(sha256sum repo/public/metadata/1.root.json | cut -d' ' -f1)
	plugpkg init other
	run -5 plugpkg --root other source add main "file://$SCRATCH/repo" --key "sha256:$key"
	assert_has "it has no metadata/1.root.json" "are in: public/ of a publisher's directory"
	run -5 plugpkg-repo mirror "file://$SCRATCH/repo" copy
	assert_has "are in: public/ of a publisher's directory"
	run -4 plugpkg --root other source add main "file://$SCRATCH/repo/public" --key "$key"
	assert_has "cannot read key file" "hint: did you mean 'sha256:$key'?"
	run -4 plugpkg-repo mirror "file://$SCRATCH/repo/public" copy --key "$key"
	assert_has "hint: did you mean 'sha256:$key'?"
	run -0 plugpkg --root other source add main "file://$SCRATCH/repo/public" --key "sha256:$key"
}
