#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scripts of plugins in transactions: order, environment, limits, and what happens when one fails.

setup() {
	load ../helpers
	setup_scratch
	make_repo
}

# scripted NAME VERSION [MEMBERS]: a plugin whose install, upgrade and uninstall note that they ran.
scripted() {
	local dir kind
	dir=$(make_plugin "$1" "$2" "\"scripts\": {\"install\": \"scripts/install.sh\",
		\"upgrade\": \"scripts/upgrade.sh\", \"uninstall\": \"scripts/uninstall.sh\"}${3:+, $3}")
	for kind in install upgrade uninstall; do
		add_script "$dir" "$kind" "echo \"$kind \$PLUGPKG_NAME \$PLUGPKG_VERSION\
 reason=\$PLUGPKG_REASON old=\$PLUGPKG_OLD_VERSION\" >>'$SCRATCH/calls'"
	done
	echo "$dir"
}

calls() {
	cat "$SCRATCH/calls" 2>/dev/null || true
}

# chain VERSION: c needs b needs a, all scripted, all published.
chain() {
	scripted a "$1" >/dev/null
	scripted b "$1" '"requires": {"a": "*"}' >/dev/null
	scripted c "$1" '"requires": {"b": "*"}' >/dev/null
}
publish_chain() {
	publish "$(build_plugin a "$1")" "$(build_plugin b "$1")" "$(build_plugin c "$1")"
}

@test "install scripts run dependencies first, uninstall scripts dependents first" {
	chain 1.0.0
	publish_chain 1.0.0
	make_root
	run plugpkg install c -y
	assert_status 0
	assert_equal "$(calls)" "install a 1.0.0 reason=install old=
install b 1.0.0 reason=install old=
install c 1.0.0 reason=install old="
	rm calls
	run plugpkg remove a -y --allow-remove
	assert_status 0
	assert_equal "$(calls)" "uninstall c 1.0.0 reason=remove old=
uninstall b 1.0.0 reason=remove old=
uninstall a 1.0.0 reason=remove old="
	assert_not_installed a b c
}

@test "an upgrade runs the new version's upgrade script with the old version" {
	chain 1.0.0
	publish_chain 1.0.0
	make_root
	plugpkg install c -y
	chain 2.0.0
	publish_chain 2.0.0
	plugpkg update
	rm calls
	run plugpkg upgrade -y
	assert_status 0
	assert_equal "$(calls)" "upgrade a 2.0.0 reason=upgrade old=1.0.0
upgrade b 2.0.0 reason=upgrade old=1.0.0
upgrade c 2.0.0 reason=upgrade old=1.0.0"
	assert_installed c 2.0.0
}

@test "purge says so to the script and takes the data directory" {
	dir=$(scripted @acme/a 1.0.0)
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'echo kept >"$PLUGPKG_DATA/file"'
	publish "$(build_plugin @acme/a 1.0.0)"
	make_root
	plugpkg install @acme/a -y
	assert_exists "$PLUGPKG_ROOT/data/@acme/a/file"
	run plugpkg remove @acme/a -y
	assert_status 0
	assert_exists "$PLUGPKG_ROOT/data/@acme/a/file"
	plugpkg install @acme/a -y
	rm -f calls
	run plugpkg purge @acme/a -y
	assert_status 0
	assert_equal "$(calls)" "uninstall @acme/a 1.0.0 reason=purge old="
	assert_missing "$PLUGPKG_ROOT/data/@acme"
}

@test "S49: a script sees the documented environment, its directory, no input and no stray descriptor" {
	dir=$(scripted a 1.0.0)
	add_script "$dir" install "env | grep -v ^PWD= | LC_ALL=C sort >'$SCRATCH/env'
pwd >'$SCRATCH/pwd'; wc -c </dev/stdin >'$SCRATCH/in'; umask >'$SCRATCH/umask'
ls -l \"\$PLUGPKG_NEXT/a/\" >/dev/null
ls /proc/self/fd | tr '\\n' ' ' >'$SCRATCH/fds'"
	publish "$(build_plugin a 1.0.0)"
	make_root
	jq '.settings = {"DATABASE": "/srv/x.db"}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	umask 077
	LD_LIBRARY_PATH_X=evil BASH_ENV=/evil IFS_X=1 run plugpkg install a -y 7</dev/null <<<input
	assert_status 0
	temp=$(sed -n 's/^TMPDIR=//p' env)
	assert_equal "$(dirname "$temp")" "${TMPDIR:-/tmp}"
	assert_missing "$temp"
	assert_equal "$(cat env)" "DATABASE=/srv/x.db
HOME=$PLUGPKG_ROOT/data/a
LANG=C.UTF-8
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PLUGPKG_DATA=$PLUGPKG_ROOT/data/a
PLUGPKG_KEY=a
PLUGPKG_LEVEL=
PLUGPKG_LOG_LEVEL=info
PLUGPKG_NAME=a
PLUGPKG_NEXT=$PLUGPKG_ROOT/generations/1
PLUGPKG_OLD_VERSION=
PLUGPKG_PHASE=core
PLUGPKG_REASON=install
PLUGPKG_ROOT=$PLUGPKG_ROOT
PLUGPKG_TRANSACTION=1
PLUGPKG_VERSION=1.0.0
TMPDIR=$temp"
	assert_equal "$(cat pwd)" "$PLUGPKG_ROOT/store/a/1.0.0"
	assert_equal "$(cat in)" 0
	assert_equal "$(cat umask)" 0022
	assert_equal "$(cat fds)" "0 1 2 3 " # 3 is the directory that ls reads
}

@test "settings that would steer loaders are refused before anything happens" {
	scripted a 1.0.0 >/dev/null
	publish "$(build_plugin a 1.0.0)"
	make_root
	jq '.settings = {"LD_PRELOAD": "x.so"}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg install a -y
	assert_status 1
	assert_has "LD_PRELOAD" "[bad-config]"
	assert_not_installed a
	assert_missing calls
}

@test "a failing install script undoes the others in reverse and leaves the root as it was" {
	chain 1.0.0
	add_script "$(plugin_dir c 1.0.0)" install 'echo "2 tables to install"; echo "no such table" >&2; exit 3'
	publish_chain 1.0.0
	make_root
	tree_state "$PLUGPKG_ROOT" >before
	run plugpkg install c -y
	assert_status 7
	assert_has "everything was undone" "script 'install' of c 1.0.0 failed with exit status 3" \
		"no such table" "[script-failed]"
	assert_equal "$(calls)" "install a 1.0.0 reason=install old=
install b 1.0.0 reason=install old=
uninstall b 1.0.0 reason=rollback old=
uninstall a 1.0.0 reason=rollback old="
	tree_state "$PLUGPKG_ROOT" | diff before -
	assert_equal "$(plugpkg list)" ""
	run plugpkg check
	assert_status 0
	# The next one is not held up by it.
	add_script "$(plugin_dir c 1.0.0)" install true
	run plugpkg install b -y
	assert_status 0
}

@test "a failing upgrade runs the old versions' upgrade scripts back" {
	chain 1.0.0
	publish_chain 1.0.0
	make_root
	plugpkg install c -y
	chain 2.0.0
	add_script "$(plugin_dir b 2.0.0)" upgrade 'exit 1'
	publish_chain 2.0.0
	plugpkg update
	tree_state "$PLUGPKG_ROOT" >before
	rm calls
	run plugpkg upgrade -y
	assert_status 7
	assert_has "everything was undone" "script 'upgrade' of b 2.0.0"
	assert_equal "$(calls)" "upgrade a 2.0.0 reason=upgrade old=1.0.0
upgrade a 1.0.0 reason=rollback old=2.0.0"
	tree_state "$PLUGPKG_ROOT" | diff before -
	assert_installed a 1.0.0
	assert_installed c 1.0.0
}

@test "an undo that fails is told, not hidden" {
	chain 1.0.0
	add_script "$(plugin_dir a 1.0.0)" uninstall 'echo "cannot drop" ; exit 9'
	add_script "$(plugin_dir c 1.0.0)" install 'exit 3'
	publish_chain 1.0.0
	make_root
	run plugpkg install c -y
	assert_status 7
	assert_has "not everything could be undone (uninstall of a 1.0.0)" "cannot drop"
	assert_not_installed a b c
}

@test "a plugin whose uninstall fails stays usable; what left before it stays gone" {
	chain 1.0.0
	add_script "$(plugin_dir b 1.0.0)" uninstall 'echo "rows of others need me"; exit 5'
	publish_chain 1.0.0
	make_root
	plugpkg install c -y
	run plugpkg remove --all -y
	assert_status 7
	assert_has "stays installed: a, b" "script 'uninstall' of b 1.0.0 failed with exit status 5" \
		"rows of others need me"
	assert_not_installed c
	assert_installed a 1.0.0
	assert_installed b 1.0.0
	assert_equal "$(plugpkg list --json | jq -r 'select(.type == "plugin") | .name + " " + .state')" \
		"a installed
b installed"
	assert_equal "$(jq -c '.plugins' "$PLUGPKG_ROOT/plugpkg.json")" '{}'
	assert_equal "$(jq -r '.plugins | keys[]' "$PLUGPKG_ROOT/plugpkg.lock")" "a
b"
	run plugpkg check
	assert_status 0
}

@test "what cannot come back is a leftover: named by check, removed by another try" {
	scripted a 1.0.0 >/dev/null
	dir=$(scripted b 1.0.0 '"requires": {"a": "<2"}')
	add_script "$dir" uninstall "[ -e '$SCRATCH/go' ]"
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)"
	make_root
	plugpkg install a b -y
	scripted a 2.0.0 >/dev/null
	publish "$(build_plugin a 2.0.0)"
	plugpkg update
	run plugpkg install a@2 b- -y
	assert_status 7
	assert_has "left over: b"
	assert_installed a 2.0.0
	assert_not_installed b
	assert_equal "$(plugpkg list --json | jq -r 'select(.name == "b").state')" leftover
	run plugpkg check
	assert_status 1
	assert_has "is a leftover"
	touch go
	plugpkg clean
	run plugpkg remove b -y
	assert_status 0
	assert_equal "$(plugpkg list --json | jq -r 'select(.type == "plugin").name')" a
	run plugpkg check
	assert_status 0
}

@test "a linked plugin whose directory is gone can still be removed" {
	dir=$(scripted a 1.0.0)
	plugpkg init "$PLUGPKG_ROOT"
	plugpkg link "$dir" -y
	rm -r "$dir"
	run plugpkg check
	assert_status 1
	assert_has "is gone"
	run plugpkg remove a -y
	assert_status 0
	assert_has "is gone, and its uninstall script with it"
	assert_not_installed a
}

@test "a script that hangs is killed after the plugin's time limit" {
	dir=$(make_plugin slow 1.0.0 '"scripts": {"install": "scripts/install.sh"}, "timeout": 1')
	add_script "$dir" install "trap '' TERM; sleep 300 & while :; do sleep 1; done"
	publish "$(build_plugin slow 1.0.0)"
	make_root
	run timeout 60 plugpkg install slow -y
	assert_status 7
	assert_has "ran longer than its time limit of 1 s"
	assert_not_installed slow
}

@test "a script that leaves a process behind does not hold plugpkg up" {
	dir=$(scripted a 1.0.0)
	add_script "$dir" install "sleep 300 & echo \$! >'$SCRATCH/child'"
	publish "$(build_plugin a 1.0.0)"
	make_root
	run timeout 30 plugpkg install a -y
	assert_status 0
	sleep 0.2
	# Dead, or a corpse where nobody reaps.
	state=$(awk '{ print $3 }' "/proc/$(cat child)/stat" 2>/dev/null || echo gone)
	[[ $state == gone || $state == Z ]]
}

@test "a script that floods its output is cut off and does not fill anything" {
	dir=$(scripted a 1.0.0)
	add_script "$dir" install "yes 'a line of no use at all' | head -c 200000000"
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install a -y >flood.out 2>&1
	grep -q 'output truncated' flood.out
	[ "$(stat -c %s flood.out)" -lt 8000000 ]
	[ "$(stat -c %s "$PLUGPKG_ROOT/var/log.db")" -lt 16000000 ]
}

@test "no control character of a script reaches the terminal" {
	dir=$(scripted a 1.0.0)
	add_script "$dir" install "printf 'title \\033]0;x\\007 \\302\\233 \\342\\200\\256 end\\n'"
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install a -y >out 2>&1
	grep -q 'title ' out
	LC_ALL=C run ! grep -P '\x1b|\x07|\xc2\x9b|\xe2\x80\xae' out
}

@test "a script that is not executable, or has no interpreter, is explained and undone" {
	dir=$(make_plugin a 1.0.0 '"scripts": {"install": "install.sh"}')
	printf '#!/no/such/interpreter\n' >"$dir/install.sh"
	chmod 755 "$dir/install.sh"
	publish "$(build_plugin a 1.0.0)"
	make_root
	run plugpkg install a -y
	assert_status 7
	assert_has "cannot run script 'install.sh' of a 1.0.0" "interpreter"
	assert_not_installed a
}

@test "the order of a removal is that of what is installed now" {
	scripted a 1.0.0 >/dev/null
	scripted b 1.0.0 '"requires": {"a": "^1"}' >/dev/null
	publish "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)"
	make_root
	plugpkg install a b -y
	scripted a 2.0.0 '"requires": {"b": "^2"}' >/dev/null
	scripted b 2.0.0 >/dev/null
	publish "$(build_plugin a 2.0.0)" "$(build_plugin b 2.0.0)"
	plugpkg update
	plugpkg upgrade -y
	rm calls
	plugpkg remove --all -y
	assert_equal "$(calls)" "uninstall a 2.0.0 reason=remove old=
uninstall b 2.0.0 reason=remove old="
}

@test "who leaves runs only scripts of his own; those of what he required do not" {
	chain 1.0.0
	publish_chain 1.0.0
	make_root
	plugpkg install c -y
	rm calls
	plugpkg remove c -y
	assert_equal "$(calls)" "uninstall c 1.0.0 reason=remove old="
	assert_installed b 1.0.0
}

@test "a script or a hook on a file system that lets nothing run is told so" {
	[ "$(id -u)" = 0 ] || skip "needs to mount"
	need unshare
	dir=$(make_plugin still 1.0.0 '"scripts": {"install": "install.sh"}')
	printf '#!/bin/sh\n' >"$dir/install.sh"
	chmod 755 "$dir/install.sh"
	mkdir disk
	# shellcheck disable=SC2016 # expands there
	run unshare -m bash -c '
		mount -t tmpfs -o noexec tmpfs disk 2>/dev/null || exit 77
		plugpkg init disk/app
		plugpkg --root disk/app install -y --allow-unsigned "$1"
		cp "$1/install.sh" disk/app/hook
		jq ".hooks = {\"pre-transaction\": \"./hook\"}" disk/app/plugpkg.json >new
		cp new disk/app/plugpkg.json
		plugpkg --root disk/app install -y --allow-unsigned "$1"' - "$dir"
	[ "$status" -ne 77 ] || skip "cannot mount here"
	assert_status 7
	assert_has "cannot run script 'install.sh' of still 1.0.0: permission denied" "cannot run './hook'"
	assert_equal "$(grep -c "^hint: its file system is mounted noexec" <<<"$output")" 2
	assert_lacks "interpreter"
}

@test "a script is any program: of a shell, of another interpreter, or machine code" {
	need python3
	local dir
	dir=$(make_plugin a 1.0.0 '"scripts": {"install": "s/shell", "verify": "s/machine", "uninstall": "s/python"}')
	mkdir "$dir/s"
	printf '#!/bin/sh -eu\necho shell >>"%s"\n' "$SCRATCH/calls" >"$dir/s/shell"
	printf '#!/usr/bin/env python3\nopen("%s", "a").write("python\\n")\n' "$SCRATCH/calls" >"$dir/s/python"
	cp "$(type -P true)" "$dir/s/machine"
	chmod 755 "$dir/s/"*
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install a -y
	plugpkg is-installed --ask a
	plugpkg remove a -y
	assert_equal "$(calls)" "shell
python"
}

@test "a plugin whose files are gone is not removed without its script, and --force says so" {
	scripted a 1.0.0 >/dev/null
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install a -y
	rm calls
	chmod -R u+w "$PLUGPKG_ROOT/store/a"
	rm -r "$PLUGPKG_ROOT/store/a/1.0.0"
	run plugpkg remove a -y
	assert_status 9
	assert_has "the files of a 1.0.0 are gone" "nothing was changed" "plugpkg repair a" "--force"
	run plugpkg is-installed a
	assert_status 0
	cp -a "$PLUGPKG_ROOT" "$SCRATCH/other"
	PLUGPKG_ROOT=$SCRATCH/other plugpkg repair -y
	PLUGPKG_ROOT=$SCRATCH/other plugpkg remove a -y
	assert_equal "$(calls)" "uninstall a 1.0.0 reason=remove old="
	rm calls
	run plugpkg remove a -y --force
	assert_status 0
	assert_has "is gone, and its uninstall script with it"
	assert_missing calls
	run plugpkg is-installed a
	assert_status 1
	plugpkg check
}
