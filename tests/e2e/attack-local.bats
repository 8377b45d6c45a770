# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The attack list, the machine itself: S43 to S45, S47, S48 and S58, and what else happens below a root that
# is in use. Descriptors and umask (S59) are in cli.bats, blow-ups (S60) in bounds.bats.

setup_file() {
	load ../helpers
	load attacks
	need python3 jq openssl sqlite3 zstd strace
	make_world
	keep_world
}

setup() {
	load ../helpers
	load attacks
	enter_world
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 # nobody is traced by two at once
	export ASAN_OPTIONS
}

teardown() {
	[ -z "${RACER-}" ] || kill "$RACER" 2>/dev/null || true
}

# many_files NAME: a plugin with so many of them that unpacking takes a while.
many_files() {
	local dir i
	dir=$(make_plugin "$1" 1.0.0)
	mkdir "$dir/d"
	for ((i = 0; i < 400; i++)); do
		echo "$i" >"$dir/d/$i"
	done
	publish "$(build_plugin "$1" 1.0.0)"
	plugpkg update >/dev/null
}

@test "S43: staging is private, and who exchanges its directories for links while it unpacks gets no file outside" {
	local n=0
	many_files many
	assert_equal "$(stat -c %a root/var/staging)" 700
	mkdir target
	cat >racer.py <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None)
		staging, target = sys.argv[1:]
		open("racing", "w").close()
		while True:
		    for name in os.listdir(staging):
		        place = os.path.join(staging, name)
		        try:
		            os.symlink(target, place + "/link")
		        except OSError:
		            continue
		        for i in range(100):
		            # renameat2(RENAME_EXCHANGE)
		            libc.renameat2(-100, (place + "/d").encode(), -100, (place + "/link").encode(), 2)
	END
	python3 racer.py root/var/staging "$SCRATCH/target" 3>&- &
	RACER=$!
	for _ in $(seq 200); do [ -e racing ] || sleep 0.02; done
	for ((n = 0; n < 6; n++)); do
		run timeout 60 plugpkg install many -y
		[ "$status" -ne 124 ] || fail "hangs"
		run plugpkg remove many -y
		run plugpkg clean
	done
	kill "$RACER"
	wait "$RACER" 2>/dev/null || true
	assert_equal "$(ls -A target)" ""
	# The last removal may have failed under its hands: what it made of the plugin is put right.
	run -0 plugpkg repair -y
	honest_run_works
}

@test "S44: no file is made outside of the root, so no name there can be foreseen" {
	local made
	plain_build
	mkdir shared calls
	# A file for each process: no call stands in two lines.
	TMPDIR=$SCRATCH/shared run -0 strace -ff -y -qq -e signal=none -o calls/of \
		-e trace=open,openat,openat2,creat,mkdir,mkdirat,symlink,symlinkat,link,linkat,rename,renameat,renameat2,mknod,mknodat,bind \
		plugpkg install honest@1.1.0 -y
	cat calls/* >trace
	made=$(grep -vE 'openat?2?\(' trace; grep -E 'O_CREAT|O_TMPFILE' trace)
	[ "$(wc -l <<<"$made")" -gt 10 ] || fail "traced too little: $made"
	assert_equal "$(grep -vF "<$SCRATCH/root" <<<"$made" | grep -vF "\"$SCRATCH/root" | grep -v '/dev/null' ||
		true)" ""
	# In the root a name is only made where nothing is, or beside and renamed.
	assert_equal "$(grep -E 'O_CREAT' trace | grep -E '/var/staging' | grep -v O_EXCL || true)" ""
	assert_equal "$(ls -A shared)" ""
}

@test "S45: a pointer that is a directory is refused before anything begins, with the way out" {
	rm root/current
	mkdir root/current
	echo mine >root/current/file
	refused_with 1 "root/current' is no link" "[bad-state]" "move it away" -- plugpkg install honest@1.1.0 -y
	refused_with 1 "is no link" "plugpkg repair" -- plugpkg remove honest -y
	assert_equal "$(cat root/current/file)" mine
	mv root/current away
	run -0 plugpkg repair
	honest_run_works
}

@test "S45: a pointer that leads elsewhere is refused, repair replaces it, and nothing is written through it" {
	mkdir -p elsewhere/honest
	local before
	before=$(tree_state elsewhere)
	for target in "$SCRATCH/elsewhere" ../elsewhere generations/../../elsewhere; do
		ln -sfn "$target" root/current
		run plugpkg check
		assert_status 1
		assert_has "leads elsewhere"
		refused_with 1 "root/current' leads elsewhere" "[bad-state]" "plugpkg repair" -- \
			plugpkg install honest@1.1.0 -y
		run -0 plugpkg repair
		assert_link root/current "generations/$(sqlite3 root/var/state.db "select value from meta where key = 'generation'")"
	done
	assert_equal "$(tree_state elsewhere)" "$before"
	honest_run_works
}

@test "a root without its generations says so, and repair makes them anew" {
	rm -rf root/generations
	refused_with 4 "$SCRATCH/root/generations' is missing" "plugpkg repair" -- plugpkg install honest@1.1.0 -y
	run -0 plugpkg repair
	honest_run_works
}

@test "S47: a plugin that puts a link in the place of its own directory takes nothing else with it" {
	local how
	mkdir -p precious/1.0.0
	echo dear >precious/1.0.0/file
	make_plugin other 1.0.0 >/dev/null
	publish "$(build_plugin other 1.0.0)"
	plugpkg update
	plugpkg install other -y
	for how in store/honest/1.0.0 store/honest data/honest; do
		mkdir -p "root/$how"
		chmod -R u+w "root/$how"
		rm -rf "root/${how:?}"
		ln -s "$SCRATCH/precious" "root/$how"
		run plugpkg remove honest -y
		run plugpkg purge honest -y
		run plugpkg clean
		assert_equal "$(cat precious/1.0.0/file)" dear
		assert_installed other 1.0.0
		[ ! -L "root/$how" ] || rm "root/$how"
		run -0 plugpkg repair
		plugpkg install honest@1.0.0 -y
	done
	ln -sfn ../other/1.0.0 root/store/honest/link
	honest_run_works
	assert_installed other 1.0.0
}

@test "S47: a script that puts a link in the place of its plugin's directories takes nothing else with it" {
	local dir
	mkdir precious
	echo dear >precious/file
	dir=$(make_plugin sly 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "ln -s '$SCRATCH/precious' \"\$PLUGPKG_DATA/link\"
		rm -rf \"\$PLUGPKG_DATA\" && ln -s '$SCRATCH/precious' \"\$PLUGPKG_DATA\"
		chmod u+w .. . && rm -rf \"\$PWD\" && ln -s '$SCRATCH/precious' \"\$PWD\"
		true"
	publish "$(build_plugin sly 1.0.0)"
	plugpkg update
	for how in --sandbox --no-sandbox; do
		[ "$how" = --no-sandbox ] || how=
		run plugpkg install sly -y $how
		run plugpkg purge sly -y --force
		run plugpkg clean
		assert_equal "$(cat precious/file)" dear
		rm -rf root/store/sly root/data/sly
		run plugpkg repair
	done
	honest_run_works
}

@test "S48: killed at any of its calls, an upgrade is whole or not there, and the next run works" {
	local n call
	for call in fdatasync renameat,renameat2 linkat,symlinkat pwrite64 mkdirat; do
		for n in 1 2 4; do
			strace -f -qq -o /dev/null -e signal=none -e "trace=$call" \
				-e "inject=$call:signal=SIGKILL:when=$n" plugpkg install honest@1.1.0 -y >/dev/null 2>&1 || true
			run -0 plugpkg recover
			[ -f root/current/honest/plugin.json ] || fail "$call $n: lost"
			run plugpkg check
			assert_status 0
			assert_equal "$(loose_ends | grep -v '/var/cache/[0-9a-f]*\.part$' || true)" "" # that goes on
			plugpkg install honest@1.0.0 --downgrade -y >/dev/null
		done
	done
	honest_run_works
}

@test "S58: private keys are for their owner alone, whatever the umask, and no passphrase is on a command line" {
	(
		umask 0
		strace -f -qq -s 1000 -e signal=none -e trace=execve -o trace \
			plugpkg-repo init keys --name k --encrypt --passphrase-fd 3 3<<<"correct horse" >/dev/null
	)
	assert_equal "$(stat -c %a keys/keys)" 700
	assert_equal "$(stat -c %a keys/keys/*.key | sort -u)" 600
	run grep -rl -e "correct horse" trace keys
	assert_equal "$output" ""
	run grep -L ciphertext keys/keys/*.key
	assert_lacks seed
	run grep -l '"seed"' keys/keys/*.key
	assert_equal "$output" ""
	run plugpkg-repo init more --passphrase "correct horse"
	assert_status 2
	assert_has "unknown option"
	assert_missing more
	chmod 640 keys/keys/online.key
	run plugpkg-repo --repo keys refresh --passphrase-fd 3 3<<<"correct horse"
	[ "$status" -ne 0 ]
	assert_has "keys/online.key' is open to other users (mode 0640)"
	chmod 600 keys/keys/online.key
	run -0 plugpkg-repo --repo keys refresh --passphrase-fd 3 3<<<"correct horse"
}

# ---- many at once, and what is left ----------------------------------------------------------

@test "fifty at once on one root: each does its work in its turn, or says who holds the lock" {
	local n
	for ((n = 0; n < 50; n++)); do
		case $((n % 5)) in
		0) set -- install honest@1.1.0 -y ;;
		1) set -- install honest@1.0.0 --downgrade -y ;;
		2) set -- hold honest ;;
		3) set -- unhold honest ;;
		4) set -- install honest@1.1.0 -y --no-wait ;;
		esac
		{
			status=0
			timeout 120 plugpkg "$@" >"out.$n" 2>&1 3>&- || status=$?
			echo "$status $*" >"status.$n"
		} &
	done
	wait
	for ((n = 0; n < 50; n++)); do
		case $(cat "status.$n") in
		"0 "*) ;;
		"8 "*--no-wait) grep -q 'is locked by process [0-9]* (plugpkg ' "out.$n" || fail "$(cat "out.$n")" ;;
		"3 install"* | "9 install"*) grep -qE 'is held|was held|run the command again' "out.$n" || fail "$(cat "out.$n")" ;;
		*) fail "$(cat "status.$n" "out.$n")" ;;
		esac
	done
	plugpkg unhold honest
	run plugpkg check
	assert_status 0
	honest_run_works
}

@test "a refusal leaves no process, no descriptor's file and no temporary file behind" {
	local archive
	archive=$(echo repo/public/targets/pool/honest/1.1.0/*.plug)
	printf '\377' | dd of="$archive" bs=1 seek=100 conv=notrunc status=none
	mkdir shared
	TMPDIR=$SCRATCH/shared run plugpkg install honest@1.1.0 -y
	assert_status 6
	assert_equal "$(ls -A shared)" ""
	assert_equal "$(loose_ends)" ""
	run pgrep -f "$SCRATCH"
	assert_equal "$output" ""
}
