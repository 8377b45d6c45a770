# SPDX-License-Identifier: MIT
# plugpkg-repo where things go wrong at the publisher's: crashes, damage, foreign hands, full disks.

setup() {
	load ../helpers
	setup_scratch
	export PLUGPKG_REPO=$SCRATCH/repo
}

# What a failed case left mounted could not be removed.
teardown() {
	while mountpoint -q "$SCRATCH/repo/public" 2>/dev/null; do
		umount "$SCRATCH/repo/public" || break
	done
}

@test "what is not an archive is refused by what it is" {
	make_repo
	: >empty.plug
	mkdir dir.plug
	echo text >text.plug
	run plugpkg-repo add empty.plug
	assert_status 6
	assert_has "empty.plug" "[bad-archive]"
	run plugpkg-repo add dir.plug
	assert_status 6
	assert_has "'dir.plug' is no regular file" "[bad-archive]"
	run plugpkg-repo add text.plug
	assert_status 6
	assert_has "text.plug" "[bad-archive]"
	run plugpkg-repo add missing.plug
	assert_status 4
	assert_has "missing.plug" "[not-found]"
	assert_equal "$(ls -A repo/staged)" ""
}

@test "nothing is served before it is published" {
	make_repo
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	assert_equal "$(find repo/public/targets/pool -type f)" ""
	plugpkg-repo publish >/dev/null
	assert_equal "$(find repo/public/targets/pool -name '*.plug' | wc -l)" 1
	assert_equal "$(ls -A repo/staged)" ""
}

@test "other content of what is only staged is refused with the way to take it; of what is published, never" {
	make_repo
	plugpkg-repo add -q "$(build_plugin wiki 1.0.0)"
	echo other >plugins/wiki-1.0.0/payload.txt
	plugpkg build plugins/wiki-1.0.0 >/dev/null
	run -1 plugpkg-repo add wiki-1.0.0.plug
	assert_has "wiki 1.0.0 is staged with other content; 'wiki-1.0.0.plug' is not added" \
		"hint: to publish this content: plugpkg-repo remove wiki@1.0.0, then add it again"
	plugpkg-repo remove -q wiki@1.0.0
	run -0 plugpkg-repo add wiki-1.0.0.plug
	run -0 plugpkg-repo publish
	echo third >plugins/wiki-1.0.0/payload.txt
	plugpkg build plugins/wiki-1.0.0 >/dev/null
	run -1 plugpkg-repo add wiki-1.0.0.plug
	assert_has "is published with other content" "hint: a published version never changes: raise the version"
}

@test "a version that was taken back before it was published may come with other content" {
	make_repo
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	run plugpkg-repo remove user@1.0.0
	assert_has "taken back"
	assert_equal "$(ls -A repo/staged)" ""
	echo other >plugins/user-1.0.0/payload.txt
	plugpkg build plugins/user-1.0.0 >/dev/null
	run plugpkg-repo add user-1.0.0.plug
	assert_status 0
	run plugpkg-repo publish
	assert_status 0
}

@test "two archives of one version in one command are refused, also when the versions are written differently" {
	make_repo
	run plugpkg-repo add "$(build_plugin user 1.2)" "$(build_plugin user 1.2.0)"
	assert_status 1
	assert_has "[exists]" "staged with other content"
	run plugpkg-repo publish
	assert_has "1 added"
	run plugpkg-repo verify
	assert_status 0
}

@test "adding what is published takes a removal back, and brings back an archive that the pool lost" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	plugpkg-repo remove user@1.0.0 >/dev/null
	plugpkg-repo add -q user-1.0.0.plug
	run plugpkg-repo publish
	assert_has "Nothing is staged"
	rm "$(find repo/public/targets/pool -name '*.plug')"
	run plugpkg-repo verify
	assert_status 6
	plugpkg-repo add -q user-1.0.0.plug
	run plugpkg-repo verify
	assert_status 0
}

@test "an archive that was spoiled in the pool comes back when it is added again" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	local file
	file=$(find repo/public/targets/pool -name '*.plug')
	cp "$file" good.plug
	printf X | dd of="$file" bs=1 seek=40 conv=notrunc status=none
	run plugpkg-repo verify
	assert_status 6
	assert_has "has other content than signed: user 1.0.0"
	run plugpkg-repo add good.plug
	assert_status 0
	assert_has "published already"
	cmp "$file" good.plug
	run plugpkg-repo verify
	assert_status 0
}

@test "an addition without its archive is not published" {
	make_repo
	plugpkg-repo add -q "$(build_plugin user 1.0.0)" "$(build_plugin animal 1.0.0)"
	archive=$(find repo/staged -name "*.plug" | sort | head -n 1)
	cp repo/public/metadata/timestamp.json before
	echo x >>"$archive"
	run plugpkg-repo publish
	assert_status 1
	assert_has "[bad-state]" "not what was staged" "add it once more"
	rm "$archive"
	run plugpkg-repo publish
	assert_status 1
	assert_has "neither staged nor in the pool"
	cmp before repo/public/metadata/timestamp.json
}

@test "an add that was cut off leaves an archive, which goes with the next add" {
	make_repo
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	waiting=$(find repo/staged -name "*.plug")
	stray=repo/staged/$(sha256sum <repo/repository.json | cut -d " " -f 1).plug
	echo x >"$stray"
	mkdir -p repo/staged/.arriving/ready
	plugpkg-repo add -q "$(build_plugin animal 1.0.0)"
	assert_missing "$stray"
	assert_exists "$waiting"
	plugpkg-repo publish
	plugpkg-repo verify
}

@test "what lies in the place of a staged archive is published only when its bytes are the same" {
	make_repo
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	archive=$(find repo/staged -name "*.plug")
	cp -p "$archive" good
	added=$(stat -c %.Z "$archive")
	# one byte of a file that stays what it is, whose time is set back; clocks of files tick slowly
	while [ "$(stat -c %.Z "$archive")" = "$added" ]; do
		printf x | dd of="$archive" bs=1 seek=20 conv=notrunc status=none
		touch -r good "$archive"
	done
	run plugpkg-repo publish
	assert_status 1
	assert_has "not what was staged"
	# then another file of its size and time
	cp -p "$archive" other
	touch -r good other
	mv other "$archive"
	run plugpkg-repo publish
	assert_status 1
	assert_has "not what was staged"
	mv good "$archive"
	plugpkg-repo publish
	plugpkg-repo verify
}

@test "nonsense in staged/ is named, and nothing of it is signed" {
	make_repo
	cp repo/public/metadata/timestamp.json before
	echo '{"action":"add","name":"user","version":"1","planning":[],"details":"x"}' >repo/staged/x.json
	for command in publish list 'remove user@1'; do
		# shellcheck disable=SC2086 # words on purpose
		run plugpkg-repo $command
		assert_status 1
		assert_has "staged/x.json" "[bad-state]"
	done
	rm repo/staged/x.json
	ln -s /etc/passwd repo/staged/y.json
	run plugpkg-repo publish
	assert_status 1
	assert_has "staged/y.json"
	cmp before repo/public/metadata/timestamp.json
}

@test "the newest release is what search shows, also when its build metadata has a dash" {
	make_repo
	publish "$(build_plugin user 1.0.0+a-b)" "$(build_plugin user 0.9.0)" "$(build_plugin user 2.0.0-rc.1)"
	make_root
	run plugpkg search user --json
	assert_equal "$(json_get 'select(.type == "found").version')" "1.0.0+a-b"
}

@test "a missing signing key is asked for from where it is kept" {
	make_repo
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	mv repo/keys/online.key kept
	for command in publish refresh; do
		run plugpkg-repo $command
		assert_status 4
		assert_has "keys/online.key" "bring it from where you keep a copy" \
			"if it is lost: plugpkg-repo key rotate online" "[not-found]"
	done
	mv kept repo/keys/online.key
	run plugpkg-repo publish
	assert_status 0
}

@test "a key of another repository signs nothing" {
	make_repo
	make_repo other
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	cp other/keys/online.key repo/keys/
	for command in publish refresh; do
		run plugpkg-repo $command
		assert_status 6
		assert_has "[signature-invalid]" "another repository's"
	done
	run plugpkg-repo verify
	assert_status 0
}

@test "what others put into public/ is never signed" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	cp -R repo/public kept
	plugpkg-repo add -q "$(build_plugin animal 1.0.0)"
	sed -i 's/"length":[0-9]*/"length":1/' repo/public/metadata/2.index.json
	for command in publish refresh list; do
		run plugpkg-repo $command
		assert_status 6
		assert_has "2.index.json' is not what was signed" "[digest-mismatch]"
	done
	cp kept/metadata/2.index.json repo/public/metadata/
	sed -i 's/"version":2}/"version":1}/' repo/public/metadata/timestamp.json
	run plugpkg-repo refresh
	assert_status 6
	assert_has "[signature-invalid]"
	rm repo/public/metadata/timestamp.json
	run plugpkg-repo publish
	assert_status 1
	assert_has "timestamp.json" "from a mirror"
	cp kept/metadata/timestamp.json repo/public/metadata/
	run plugpkg-repo publish
	assert_status 0
}

@test "a number that a publish which was cut off has used is left out" {
	make_repo
	echo half >repo/public/metadata/2.index.json
	echo half >repo/public/metadata/2.snapshot.json
	echo half >repo/public/metadata/3.snapshot.json
	publish "$(build_plugin user 1.0.0)"
	assert_equal "$(cat repo/public/metadata/2.index.json repo/public/metadata/[23].snapshot.json)" \
		$'half\nhalf\nhalf'
	assert_exists repo/public/metadata/3.index.json repo/public/metadata/4.snapshot.json
	run plugpkg-repo verify
	assert_status 0
	make_root
	run plugpkg list --available
	assert_has user
}

@test "init that was cut off says what to do, and deletes no key" {
	make_repo
	rm repo/repository.json
	run plugpkg-repo init repo
	assert_status 1
	assert_has "[exists]" "no 'repository.json'" "delete keys/ and public/"
	assert_exists repo/keys/root-1.key
	rm -r repo/keys
	run plugpkg-repo init repo
	assert_status 1
	assert_has "public/metadata"
	rm -r repo/public
	run plugpkg-repo init repo
	assert_status 0
}

@test "two publishes and adds at once both succeed, one after the other" {
	make_repo
	for i in 1 2 3 4; do
		build_plugin "user$i" 1.0.0 >/dev/null
	done
	for i in 1 2 3 4; do
		(plugpkg-repo add -q "user$i-1.0.0.plug" && plugpkg-repo publish) >"out$i" 2>&1 3>&- &
		pids+=" $!"
	done
	for pid in $pids; do
		wait "$pid" || fail "$(cat out?)"
	done
	run plugpkg-repo list --json
	assert_equal "$(json_get 'select(.status == "published").name' | tr '\n' ' ')" \
		"user1 user2 user3 user4 "
	run plugpkg-repo verify
	assert_status 0
}

@test "killed at any change of the disk, publish leaves a repository that verifies and is repeated" {
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	cp -R repo fresh
	for ((n = 1; n < 500; n++)); do
		rm -rf repo
		cp -R fresh repo
		plugpkg-repo add -q "$(build_plugin user 1.0.0)"
		PLUGPKG_CRASH_AT=$n run plugpkg-repo publish
		[ "$status" -eq 137 ] || break
		plugpkg-repo verify >/dev/null
		# What was written meanwhile keeps its bytes, whatever is published next.
		(cd repo/public && find . -type f ! -name timestamp.json ! -name '.*' -exec sha256sum {} +) >before
		plugpkg-repo add -q "$(build_plugin animal 1.0.0)"
		plugpkg-repo publish >/dev/null
		(cd repo/public && sha256sum --quiet -c "$SCRATCH/before")
		plugpkg-repo verify >/dev/null
		run plugpkg-repo list --json
		assert_equal "$(json_get 'select(.status == "published").name' | tr '\n' ' ')" "animal user "
	done
	assert_status 0
	[ "$n" -gt 20 ] || fail "only $n changes"
}

@test "killed at any change of the disk, add is repeated" {
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	archive=$(build_plugin user 1.0.0)
	for ((n = 1; n < 500; n++)); do
		rm -rf repo/staged
		PLUGPKG_CRASH_AT=$n run plugpkg-repo add "$archive"
		[ "$status" -eq 137 ] || break
		run plugpkg-repo add "$archive"
		assert_status 0
		run plugpkg-repo list --json
		assert_equal "$(json_get 'select(.status == "staged").name')" user
	done
	assert_status 0
	[ "$n" -gt 5 ] || fail "only $n changes"
}

@test "killed at any change of the disk, an add of many stages all of them or none" {
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	plugpkg owner new a.key
	for name in user animal reef; do
		plugpkg sign "$(build_plugin "$name" 1.0.0)" --key a.key
	done
	for ((n = 1; n < 500; n++)); do
		rm -rf repo/staged
		PLUGPKG_CRASH_AT=$n run plugpkg-repo add user-1.0.0.plug animal-1.0.0.plug reef-1.0.0.plug
		[ "$status" -eq 137 ] || break
		# Entries are named last: one that is there has its archive, signature and owner.
		for entry in repo/staged/*@*.json; do
			[ -e "$entry" ] || continue
			sha256=$(jq -r .details.sha256 "$entry")
			assert_exists "repo/staged/$sha256.plug" "repo/staged/$sha256".*.sig
			assert_exists "repo/staged/$(jq -r .name "$entry").owner"
		done
		run plugpkg-repo add user-1.0.0.plug animal-1.0.0.plug reef-1.0.0.plug
		assert_status 0
		run plugpkg-repo list --json
		assert_equal "$(json_get 'select(.status == "staged").name' | tr '\n' ' ')" "animal reef user "
	done
	assert_status 0
	[ "$n" -gt 20 ] || fail "only $n changes"
}

@test "whatever an add cannot write, an entry that it stages has its archive, signature and owner" {
	make_repo
	run env PLUGPKG_CRASH_AT=1 plugpkg-repo refresh
	[ "$status" -eq 137 ] || skip "built without failpoints"
	plugpkg owner new a.key
	plugpkg sign "$(build_plugin user 1.0.0)" --key a.key
	for ((n = 1; n < 500; n++)); do
		rm -rf repo/staged
		mkdir repo/staged
		PLUGPKG_FAIL_AT=$n:ENOSPC run plugpkg-repo add user-1.0.0.plug
		[ "$status" -ne 0 ] || break
		[ -e repo/staged/user@1.0.0.json ] || continue
		assert_exists repo/staged/*.plug repo/staged/*.sig repo/staged/user.owner
	done
	assert_status 0
	[ "$n" -gt 5 ] || fail "only $n changes"
}

@test "of many archives the first that is refused ends the add, whoever was read first" {
	make_repo
	dir=$(make_plugin large 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install
	head -c 3000000 /dev/urandom >"$dir/blob"
	build_plugin large 1.0.0 >/dev/null
	archive=$(build_plugin user 1.0.0)
	build_plugin animal 1.0.0 >/dev/null
	# Damage behind the manifest of the large one is found long after that of the small one.
	truncate -s -1000 large-1.0.0.plug
	head -c 100 animal-1.0.0.plug >broken.plug
	run plugpkg-repo add "$archive" large-1.0.0.plug broken.plug animal-1.0.0.plug
	assert_status 6
	assert_has "large-1.0.0.plug"
	assert_lacks "broken.plug"
	run plugpkg-repo list --json
	assert_equal "$(json_get 'select(.status == "staged").name')" user
	[ ! -e repo/staged/.arriving ]
}

@test "what add looks at in an archive: its manifest, and the scripts that this names" {
	make_repo
	dir=$(make_plugin user 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/bye"}')
	add_script "$dir" install
	add_script "$dir" really
	ln -s really.sh "$dir/scripts/bye"
	build_plugin user 1.0.0 >/dev/null
	run plugpkg-repo add user-1.0.0.plug
	assert_status 0
	chmod 644 "$dir/scripts/install.sh"
	tar -C "$dir" --sort=name --owner=0 --group=0 --format=pax -cf - plugin.json payload.txt scripts/install.sh \
		scripts/really.sh scripts/bye | zstd -q >other.plug
	run plugpkg-repo add other.plug
	assert_status 1
	assert_has "'scripts/install.sh' is not executable"
	assert_lacks "missing"
}

@test "what one archive holds is not there when the next one is looked at" {
	make_repo
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		dir=$(make_plugin "user$i" 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
		add_script "$dir" install
		build_plugin "user$i" 1.0.0 >/dev/null
	done
	dir=$(make_plugin zoo 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	tar -C "$dir" --owner=0 --group=0 --format=pax -cf - plugin.json payload.txt | zstd -q >zoo.plug
	run plugpkg-repo add user*.plug zoo.plug
	assert_status 1
	assert_has "'scripts/install.sh' is missing"
	run plugpkg-repo list --json
	assert_equal "$(json_get 'select(.status == "staged").name' | wc -l)" 12
	[ ! -e repo/staged/.arriving ]
}

@test "an add of many makes as many syncs as an add of one" {
	need strace
	strace -o /dev/null true || skip "no process may be traced here"
	make_repo
	for i in 1 2 3 4 5; do
		build_plugin "user$i" 1.0.0 >/dev/null
	done
	counted() {
		rm -rf calls
		mkdir calls
		ASAN_OPTIONS=detect_leaks=0 strace -ff -e trace=fsync,fdatasync,syncfs -o calls/of plugpkg-repo "$@" >/dev/null
		cat calls/* | grep -c 'sync'
	}
	one=$(counted add user1-1.0.0.plug)
	assert_equal "$(counted add user2-1.0.0.plug user3-1.0.0.plug user4-1.0.0.plug user5-1.0.0.plug)" "$one"
	[ "$one" -gt 0 ] || fail "nothing is durable"
}

@test "what an archive has not beside it is not asked for in staged/, archive by archive" {
	need strace
	strace -o /dev/null true || skip "no process may be traced here"
	make_repo
	for i in 1 2 3 4 5; do
		build_plugin "user$i" 1.0.0 >/dev/null
	done
	missed() {
		ASAN_OPTIONS=detect_leaks=0 strace -o calls -e trace=openat,openat2,unlinkat plugpkg-repo "$@" >/dev/null
		grep -c '"staged/.*ENOENT' calls || true
	}
	one=$(missed add user1-1.0.0.plug)
	one_published=$(missed publish)
	assert_equal "$(missed add user2-1.0.0.plug user3-1.0.0.plug user4-1.0.0.plug user5-1.0.0.plug)" "$one"
	assert_equal "$(missed publish)" "$one_published"
}

@test "a served directory on another file system is published into" {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	make_repo
	cp -R repo/public kept
	mount -t tmpfs -o size=2m tmpfs repo/public 2>/dev/null || skip "cannot mount here"
	cp -R kept/. repo/public/
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	run plugpkg-repo publish
	published=$status
	run plugpkg-repo verify
	verified=$status
	left=$(ls -A repo/staged)
	umount repo/public
	assert_equal "$published $verified $left" "0 0 "
}

@test "no space: a clear error, the old state verifies, and with room it goes on" {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	make_repo
	dir=$(make_plugin big 1.0.0)
	head -c 1500000 /dev/urandom >"$dir/blob"
	archive=$(build_plugin big 1.0.0)
	cp -R repo/public kept
	mount -t tmpfs -o size=2m tmpfs repo/public 2>/dev/null || skip "cannot mount here"
	cp -R kept/. repo/public/
	plugpkg-repo add -q "$archive"
	head -c 1000000 /dev/urandom >repo/public/ballast
	run plugpkg-repo publish
	full="$status ${output##*\[}"
	run plugpkg-repo verify
	verified=$status
	rm repo/public/ballast
	run plugpkg-repo publish
	again=$status
	run plugpkg-repo verify
	verified+=$status
	umount repo/public
	assert_equal "$full" "1 no-space]"
	assert_equal "$verified $again" "00 0"
}

@test "a read-only served directory can be listed and verified, and refuses publishing clearly" {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	make_repo
	publish "$(build_plugin user 1.0.0)"
	plugpkg-repo add -q "$(build_plugin animal 1.0.0)"
	mount --bind repo/public repo/public 2>/dev/null || skip "cannot mount here"
	mount -o remount,ro,bind repo/public || {
		umount repo/public
		skip "cannot mount here"
	}
	results=
	for command in list verify publish refresh; do
		run plugpkg-repo $command
		[[ $output == *"read-only"* || $status = 0 ]] || status=unclear
		results+="$command $status "
	done
	umount repo/public
	assert_equal "$results" "list 0 verify 0 publish 1 refresh 1 "
	run plugpkg-repo publish
	assert_status 0
}

@test "links that somebody planted are not followed out of the served directory" {
	make_repo
	mkdir outside
	mkdir -p repo/public/targets/pool/user
	ln -s "$SCRATCH/outside" repo/public/targets/pool/user/1.0.0
	ln -s "$SCRATCH/outside/x" repo/staged/.arriving
	ln -s "$SCRATCH/outside" repo/staged/.unpacked
	plugpkg-repo add -q "$(build_plugin animal 1.0.0)"
	run plugpkg-repo add "$(build_plugin user 1.0.0)"
	[ "$status" -ne 0 ] || run plugpkg-repo publish
	[ "$status" -ne 0 ] || fail "published through a link"
	assert_equal "$(ls -A outside)" ""
}

@test "modes of what is served do not depend on the caller's umask" {
	(
		umask 077
		make_repo
		publish "$(build_plugin user 1.0.0)"
	) || fail "not made"
	assert_equal "$(find repo/public -type f ! -perm 644)" ""
	assert_equal "$(find repo/public -type d ! -perm 755)" ""
	(
		umask 000
		make_repo other
	)
	assert_equal "$(find other/keys -type f ! -perm 600)" ""
	assert_equal "$(find other -perm /022 ! -type l)" ""
}

@test "a passphrase for new keys is typed twice, is not shown, and opens them" {
	load terminal
	need python3
	run typed a b a c a d -- plugpkg-repo init repo --name main --encrypt
	assert_has "[wrong-key]" "echo True"
	run typed "correct horse" "correct mule" "correct horse" "correct horse" -- \
		plugpkg-repo init repo --name main --encrypt
	assert_has "once more: " "these two differ; passphrase for the new keys: " \
		"Repository 'main' is made" "echo True"
	assert_lacks "correct"
	run typed "correct horse" -- plugpkg-repo refresh
	assert_has "passphrase of key 'online'" "Signed anew"
	run typed "correct mule" -- plugpkg-repo refresh
	assert_has "[wrong-key]"
}
