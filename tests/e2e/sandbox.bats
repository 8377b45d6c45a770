#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What scripts of plugins may do, and what a hostile one would like to.

setup() {
	load ../helpers
	load servers
	setup_scratch
	unset PLUGPKG_WRITABLE
	OUTSIDE=$SCRATCH/outside
	mkdir "$OUTSIDE"
}

teardown() {
	stop_servers
}

# script BODY [MEMBERS]: a root, and a plugin "x" in its source whose install script is BODY.
script() {
	local dir
	make_repo
	dir=$(make_plugin x 1.0.0 "\"scripts\": {\"install\": \"scripts/install.sh\"}${2:+, $2}")
	add_script "$dir" install "$1"
	publish "$(build_plugin x 1.0.0)"
	make_root
}

# host EXPRESSION: an edit of plugpkg.json.
host() {
	jq "$1" "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/edited"
	cp "$SCRATCH/edited" "$PLUGPKG_ROOT/plugpkg.json"
}

# listen: a TCP server; its port is PORT.
listen() {
	python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(120)' >"$SCRATCH/silent.port" 3>&- &
	started silent
}

connects() {
	# shellcheck disable=SC2016 # Python's
	echo "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", $PORT), 5)'"
}

# has_sandbox: the kernel keeps scripts from all that they should not do.
has_sandbox() {
	run plugpkg check
	[[ $output != *"exposed: "* ]] || skip "$output"
}

@test "S55: a script writes to its data and its temporary directory, and nowhere else" {
	script "echo kept >\"\$PLUGPKG_DATA/kept\"; mv \"\$PLUGPKG_DATA/kept\" \"\$PLUGPKG_DATA/moved\"
		echo x >\"\$TMPDIR/x\"; echo x >/dev/null; stat -c %a \"\$TMPDIR\"
		for f in '$OUTSIDE/new' \"\$PLUGPKG_ROOT/plugpkg.json\" \"\$PLUGPKG_ROOT/var/state.db\" payload.txt; do
			if (: >>\"\$f\") 2>/dev/null; then echo \"wrote \$f\"; fi
		done
		cat '$OUTSIDE/there'
		if rm -f '$OUTSIDE/there' 2>/dev/null; then echo 'gone: it'; fi"
	has_sandbox
	echo "can be read" >"$OUTSIDE/there"
	run plugpkg install x -y
	assert_status 0
	assert_has "can be read" "700"
	assert_lacks "wrote" "gone"
	assert_equal "$(cat "$PLUGPKG_ROOT/data/x/moved")" kept
	assert_equal "$(ls "$OUTSIDE")" there
}

@test "a script that calls plugpkg to change its own root is refused, not denied a file" {
	# shellcheck disable=SC2016 # expands in the script
	script "export PATH='$PATH' LD_LIBRARY_PATH='${LD_LIBRARY_PATH:-}' PLUGPKG_LIBEXEC='$PLUGPKG_LIBEXEC'"'
for what in "install x -y" "mark auto x" update; do
	rc=0
	plugpkg --root "$PLUGPKG_ROOT" $what || rc=$?
	echo "$what: $rc" >>"$PLUGPKG_DATA/codes"
done'
	run plugpkg install x -y
	assert_status 0
	assert_has "called from a script of transaction 1 on this root [refused]"
	assert_equal "$(cat "$PLUGPKG_ROOT/data/x/codes")" "install x -y: 9
mark auto x: 9
update: 9"
}

@test "where TMPDIR cannot be used, scripts get their temporary directory elsewhere" {
	local dir
	make_repo
	dir=$(make_plugin x 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh"}')
	# shellcheck disable=SC2016 # the scripts'
	add_script "$dir" install 'echo x >"$TMPDIR/x"; echo "in $TMPDIR"'
	# shellcheck disable=SC2016
	add_script "$dir" uninstall 'echo x >"$TMPDIR/x"; echo "in $TMPDIR"'
	publish "$(build_plugin x 1.0.0)"
	make_root
	TMPDIR=$SCRATCH/outside run plugpkg install x -y
	assert_status 0
	assert_has "in $SCRATCH/outside/plugpkg-"
	for dir in nowhere root/plugpkg.json; do
		TMPDIR=$SCRATCH/$dir run plugpkg install x -y --reinstall
		assert_status 0
		assert_has "in /tmp/plugpkg-"
	done
	TMPDIR=$SCRATCH/nowhere run plugpkg remove x -y
	assert_status 0
	assert_has "in /tmp/plugpkg-"
	assert_not_installed x
	assert_equal "$(ls -A outside)" ""
}

@test "where TMPDIR is full, scripts get their temporary directory elsewhere" {
	local dir
	unshare -m true 2>/dev/null || skip "cannot make a namespace here"
	make_repo
	dir=$(make_plugin x 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh"}')
	# shellcheck disable=SC2016 # the scripts'
	add_script "$dir" install 'echo "in $TMPDIR"'
	# shellcheck disable=SC2016
	add_script "$dir" uninstall 'echo "in $TMPDIR"'
	publish "$(build_plugin x 1.0.0)"
	make_root
	mkdir small
	for command in "install x -y" "remove x -y" "install x --dry-run"; do
		run unshare -m sh -c "mount -t tmpfs -o nr_inodes=1 none small 2>/dev/null || exit 77
			TMPDIR=$SCRATCH/small exec plugpkg $command"
		[ "$status" != 77 ] || skip "cannot mount here"
		assert_status 0
		[[ $command == *--dry-run ]] || assert_has "in /tmp/plugpkg-"
	done
}

@test "S55: a script that needs more than it may is undone, and says what was refused" {
	script "echo x >'$OUTSIDE/new'"
	has_sandbox
	run plugpkg install x -y
	assert_status 7
	assert_has "script 'install' of x 1.0.0" "Permission denied"
	assert_not_installed x
	assert_missing "$OUTSIDE/new"
	host ".sandbox = {writable: [\"$OUTSIDE\"]}"
	plugpkg install x -y
	assert_exists "$OUTSIDE/new"
}

@test "S55: a script reaches no network, unless its manifest says that it needs it" {
	listen
	script "$(connects)"
	has_sandbox
	run plugpkg install x -y
	assert_status 7
	dir=$(make_plugin y 1.0.0 '"scripts": {"install": "scripts/install.sh"}, "network": true')
	add_script "$dir" install "$(connects)"
	publish "$(build_plugin y 1.0.0)"
	plugpkg update
	run plugpkg install y -y
	assert_status 0
}

@test "S55: a port that the application grants can be connected to, another one and UDP cannot" {
	listen
	script "$(connects)
		python3 -c 'import socket
for kind in ((socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_INET, socket.SOCK_RAW), (socket.AF_NETLINK, socket.SOCK_RAW)):
	try:
		socket.socket(*kind)
		print(\"opened\", kind)
	except PermissionError:
		pass'"
	has_sandbox
	host '.sandbox = {connect: [1]}'
	run plugpkg install x -y
	assert_status 7
	host ".sandbox = {connect: [$PORT]}"
	run plugpkg install x -y
	assert_status 0
	assert_lacks opened
}

@test "S55: a script can neither kill nor trace who is not its own" {
	script "if kill -0 \$PPID 2>/dev/null; then echo reached; fi
		sleep 60 & kill \$!
		python3 -c 'import ctypes, sys; print(\"trace\", ctypes.CDLL(None).ptrace(16, int(sys.argv[1]), 0, 0))' \$PPID"
	has_sandbox
	run plugpkg install x -y
	assert_status 0
	assert_lacks reached
	assert_has "trace -1"
}

# A call that would be let through fails for its arguments, so that nothing changes here.
@test "a script of root can neither set the clock nor the host name, mount, chroot nor look into the kernel" {
	script "python3 -c '
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
none = ctypes.c_void_p()
wrong = ctypes.c_void_p(1)
many = ctypes.c_size_t(-1)
for name, arguments in {
    \"acct\": (wrong,), \"adjtimex\": (none,), \"chroot\": (wrong,), \"clock_adjtime\": (9999, none),
    \"clock_settime\": (9999, (ctypes.c_long * 2)()), \"fanotify_init\": (-1, 0), \"fsconfig\": (-1, 99, none, none, 0),
    \"fsmount\": (-1, -1, -1), \"fsopen\": (wrong, -1), \"fspick\": (-1, wrong, -1), \"klogctl\": (-1, none, -1),
    \"mount\": (wrong, wrong, wrong, 0, wrong), \"open_tree\": (-1, wrong, -1), \"quotactl\": (-1, wrong, -1, none),
    \"setdomainname\": (none, many), \"sethostname\": (none, many), \"setns\": (-1, -1),
    \"settimeofday\": (none, wrong), \"umount2\": (wrong, -1),
}.items():
    if not hasattr(libc, name):
        continue
    ctypes.set_errno(0)
    answer = getattr(libc, name)(*arguments)
    if answer != -1 or ctypes.get_errno() != errno.EPERM:
        print(\"let through:\", name, answer, ctypes.get_errno())
print(\"asked all\")'"
	has_sandbox
	run plugpkg install x -y
	assert_status 0
	assert_has "asked all"
	assert_lacks "let through"
}

@test "S54: what a script leaves as a daemon ends with it" {
	# shellcheck disable=SC2016 # the script's
	script '(setsid sh -c "echo \$\$ >\"$PLUGPKG_DATA/pid\"; exec sleep 7777" </dev/null >/dev/null 2>&1 &)
		until [ -s "$PLUGPKG_DATA/pid" ]; do sleep 0.05; done'
	has_sandbox
	run -0 plugpkg install x -y
	run ! kill -0 "$(cat "$PLUGPKG_ROOT/data/x/pid")"
}

@test "the sandbox is switched off by an option or by the application, and that is said" {
	script "echo x >>'$OUTSIDE/new'"
	run plugpkg install x -y --no-sandbox
	assert_status 0
	assert_has "scripts of plugins run without a sandbox, as --no-sandbox asks"
	host '.sandbox = false'
	run plugpkg install x -y --reinstall
	assert_status 0
	assert_has "without a sandbox, as \"sandbox\" of plugpkg.json asks"
	assert_exists "$OUTSIDE/new"
}

@test "where the kernel lacks Landlock, check and the first script say so" {
	script "echo ran"
	export PLUGPKG_LANDLOCK_ABI=0
	run plugpkg check
	assert_status 0
	assert_has "exposed: the kernel has no Landlock"
	run plugpkg check --json
	assert_has '"type":"exposure","kind":"landlock"'
	run plugpkg install x -y
	assert_status 0
	assert_has "ran" "warning: the kernel has no Landlock" "scripts can write, and helpers read and write"
	PLUGPKG_NO_SECCOMP=1 run plugpkg check --json
	assert_has '"kind":"landlock"' '"kind":"seccomp"'
}

@test "a sandbox that makes no sense is refused with its field" {
	script "true"
	for rule in '"x"' '{"writeable": []}' '{"writable": "x"}' '{"connect": [0]}' '{"connect": [70000]}'; do
		host ".sandbox = $rule"
		run plugpkg list
		assert_status 1
		assert_has "sandbox"
	done
}

# serve_and_tell: serves the repository at PORT; the user of each connection goes to users.
serve_and_tell() {
	python3 -c '
import functools, http.server, sys
class Server(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def setup(self):
        # Both ends: connections to other servers may have the same port here.
        ends = ["0100007F:%04X" % end[1] for end in (self.client_address, self.server.server_address)]
        rows = [line.split() for line in open("/proc/net/tcp")]
        print(*[row[7] for row in rows if row[1:3] == ends], file=sys.stderr, flush=True)
        super().setup()
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=sys.argv[1]))
print(server.server_port, flush=True)
server.serve_forever()' "$SCRATCH/repo/public" >"$SCRATCH/telling.port" 2>"$SCRATCH/users" 3>&- &
	started telling
}

@test "downloads run as the user that plugpkg.json names, when root asks" {
	[ "$(id -u)" -eq 0 ] || skip "needs another user"
	script "true"
	serve_and_tell
	host ".sources[0].urls = [\"http://127.0.0.1:$PORT\"]"
	run -0 plugpkg update
	assert_equal "$(sort -u users)" 0
	: >users
	host '.network.user = "nobody"'
	run -0 plugpkg install x -y
	assert_installed x 1.0.0
	assert_equal "$(sort -u users)" "$(id -u nobody)"
	assert_equal "$(stat -c %u "$PLUGPKG_ROOT/store/x/1.0.0/payload.txt")" 0
}

@test "a user for downloads that is none is refused, and nothing is asked" {
	[ "$(id -u)" -eq 0 ] || skip "needs another user"
	script "true"
	serve_and_tell
	host ".sources[0].urls = [\"http://127.0.0.1:$PORT\"] | .network.user = \"no-such-user\""
	run plugpkg update
	assert_status 1
	assert_has "there is no user 'no-such-user'" '"network" in plugpkg.json'
	assert_equal "$(cat users)" ""
	host '.network.user = 7'
	run plugpkg list
	assert_status 1
	assert_has "network.user" "the name of a user"
}
