# SPDX-License-Identifier: MIT
# Signals end what a publisher does, and leave what is served as it was.

setup() {
	load ../helpers
	load keys
	setup_scratch
	export PLUGPKG_REPO=$SCRATCH/repo
}

# interrupted: the last row of the last `run` says so, and so does the status.
interrupted() {
	assert_status 130
	assert_equal "$(tail -n 1 <<<"$output" | jq -c '[.type, .ok, .code, .exit]')" \
		'["result",false,"interrupted",130]'
}

@test "a publish that a signal ends while it signs shows nothing of it, and says so in its last row" {
	make_repo
	make_root
	external ecdsa
	plugpkg-repo key rotate online --public ecdsa.pub --as hsm --signer "
		if [ -s $SCRATCH/signal ]; then
			kill -\$(cat $SCRATCH/signal) \$PPID
			sleep 600
		fi
		$SIGN" >/dev/null
	plugpkg-repo sign >/dev/null
	plugpkg-repo publish >/dev/null
	plugpkg-repo add -q "$(build_plugin user 1.0.0)"
	cp repo/public/metadata/timestamp.json before
	for signal in INT TERM HUP; do
		echo $signal >signal
		for command in publish refresh; do
			run plugpkg-repo $command --json
			interrupted
			cmp before repo/public/metadata/timestamp.json
			plugpkg-repo verify >/dev/null
		done
	done
	rm signal
	run plugpkg-repo publish
	assert_has "1 added"
	run plugpkg update
	assert_status 0
}

@test "a mirror that a signal ends while it waits for a server says so in its last row" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	plugpkg-repo mirror "file://$SCRATCH/repo/public" copy >/dev/null
	python3 -c 'import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(5)
open("port.new", "w").write(str(s.getsockname()[1]))
import os; os.rename("port.new", "port")
c = s.accept()
open("asked", "w").close()
time.sleep(600)' 3>&- &
	silent=$!
	until [ -s port ]; do sleep 0.1; done
	plugpkg-repo mirror "http://127.0.0.1:$(cat port)/" copy --json >out 3>&- &
	pid=$!
	until [ -e asked ]; do sleep 0.1; done
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	kill "$silent"
	output=$(cat out)
	interrupted
	plugpkg-repo verify copy >/dev/null
}

@test "waiting for another publisher ends with a signal" {
	need flock
	make_repo
	flock --no-fork repo sleep 600 3>&- &
	holder=$!
	until grep -q " FLOCK .* $holder " /proc/locks; do sleep 0.1; done
	plugpkg-repo refresh --json >out 3>&- &
	pid=$!
	until grep -q '"event":"lock-wait"' out; do sleep 0.1; done
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	kill "$holder"
	output=$(cat out)
	interrupted
}

@test "who waits for another publisher, or for another mirror, says so once and then does its work" {
	need flock
	make_repo
	plugpkg-repo mirror "file://$SCRATCH/repo/public" copy >/dev/null
	for command in "refresh" "mirror file://$SCRATCH/repo/public copy"; do
		exec 9<"$([ "$command" = refresh ] && echo repo || echo copy)"
		flock 9
		# shellcheck disable=SC2086 # several words
		plugpkg-repo $command >out 2>&1 3>&- 9<&- &
		pid=$!
		for ((i = 0; i < 100; i++)); do
			if grep -q waiting out; then break; fi
			sleep 0.05
		done
		flock -u 9
		wait "$pid"
		assert_equal "$(grep -c "^waiting for another plugpkg-repo, which works on " out)" 1
	done
}

# ignoring_children COMMAND...: as some supervisors start programs: they ignore SIGCHLD, which exec keeps.
ignoring_children() {
	python3 -c '
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}

@test "who is started with SIGCHLD ignored installs, and knows how scripts and hooks end" {
	local dir
	need python3
	make_repo
	dir=$(make_plugin x 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh"}')
	add_script "$dir" install
	add_script "$dir" uninstall "exit 3"
	publish "$(build_plugin x 1.0.0)"
	make_root
	export PLUGPKG_WRITABLE=$SCRATCH
	run ignoring_children plugpkg install x -y
	assert_status 0
	assert_installed x 1.0.0
	assert_equal "$(cat calls)" "install x 1.0.0"
	run ignoring_children plugpkg remove x -y
	assert_status 7
	assert_has "failed with exit status 3"
}
