# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Helpers that an archive or a server took over: what they say is checked outside of them.

setup() {
	load ../helpers
	setup_scratch
	need python3
	make_repo
	publish "$(build_plugin photos 1.0.0)"
	make_root
	mkdir libexec
	ln -s "$PLUGPKG_LIBEXEC"/plugpkg-fetch "$PLUGPKG_LIBEXEC"/plugpkg-unpack libexec/
	tree_state "$PLUGPKG_ROOT" >before
}

# taken_over HELPER ANSWER: from now on it says that to everything. "ID" is the request's number; an
# empty answer ends it.
taken_over() {
	printf '%s' "$2" >"libexec/$1.answer"
	rm -f "libexec/$1"
	cat >"libexec/$1" <<-END
		#!$(command -v python3)
		import json, socket
		answer = open("$SCRATCH/libexec/$1.answer").read()
		plugpkg = socket.socket(fileno=3)
		while answer:
		    request = plugpkg.recv(65536)
		    if not request:
		        break
		    if b'"landlock"' in request:
		        continue
		    number = str(json.loads(request).get("id", 0))
		    plugpkg.send(answer.replace("ID", number).encode())
	END
	chmod 755 "libexec/$1"
}

# refuses HELPER ANSWER WORDS COMMAND...: plugpkg fails with these words, and changes nothing.
refuses() {
	taken_over "$1" "$2"
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run plugpkg "${@:4}"
	echo "to '$2': status $status, $output"
	[ "$status" -ne 0 ] || fail "it was believed"
	[ "$status" -lt 125 ] || fail "it crashed"
	assert_has "$3"
	tree_state "$PLUGPKG_ROOT" | diff before -
}

@test "an unpack helper that gives no reason, no totals or other totals installs nothing" {
	local whole="archive of photos 1.0.0: "
	while IFS='|' read -r answer words; do
		refuses plugpkg-unpack "$answer" "$words" install photos -y
	done <<-END
		{"type":"failed","id":ID}|${whole}the archive helper gave no reason
		{"type":"failed","id":ID,"errno":99999,"text":"no luck"}|${whole}no luck
		{"type":"done","id":ID}|gave no totals
		{"type":"done","id":ID,"bytes":-1,"files":1}|gave no totals
		{"type":"done","id":ID,"bytes":9,"files":9}|came out, not what was reported
	END
	run -0 plugpkg install photos -y
	assert_installed photos 1.0.0
}

@test "what an unpack helper says of an archive is shown without its control characters" {
	refuses plugpkg-unpack '{"type":"failed","id":ID,"kind":"archive","entry":"a\u001b[2Jb","text":"is\u0007 bad"}' \
		"archive of photos 1.0.0: 'a" install photos -y
	[[ $output != *$'\e'* ]]
	[[ $output != *$'\a'* ]]
}

@test "an unpack helper that answers something else, or nothing, broke down" {
	local answer
	for answer in '' '[]' 'no json' '{"type":"done"}' '{"type":"begin","id":ID}' \
		'{"type":"done","id":4711,"bytes":1,"files":1}'; do
		refuses plugpkg-unpack "$answer" "the archive helper 'plugpkg-unpack' broke down" \
			install photos -y
	done
	run -0 plugpkg install photos -y
	assert_installed photos 1.0.0
}

@test "an archive that an unpack helper comes to no end with is refused, as soon as its time is up" {
	rm libexec/plugpkg-unpack
	cat >libexec/plugpkg-unpack <<-'END'
		#!/bin/sh
		head -c 1 <&3 >/dev/null
		kill -s XCPU $$
	END
	chmod 755 libexec/plugpkg-unpack
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run -6 plugpkg install photos -y
	assert_has "archive of photos 1.0.0: 'plugpkg-unpack' came to no end with it and was stopped"
	assert_missing "$PLUGPKG_ROOT/store/photos"
}

@test "an unpack helper gives itself two minutes for a small archive" {
	plain_build
	strace -f -qq -o trace -e trace=prlimit64 plugpkg install photos -y >/dev/null
	grep -E 'prlimit64\(0, RLIMIT_CPU, \{rlim_cur=12[0-9], ' trace
	assert_installed photos 1.0.0
}

@test "build with an unpack helper that lies leaves no archive" {
	rm -f photos-1.0.0.plug
	refuses plugpkg-unpack '{"type":"failed","id":ID}' "gave no reason" build plugins/photos-1.0.0
	assert_missing photos-1.0.0.plug
	refuses plugpkg-unpack '{"type":"done","id":ID}' "gave no totals" build plugins/photos-1.0.0
	assert_missing photos-1.0.0.plug
}

@test "what the system does not send to a helper is nobody's fault" {
	local fault=sendmsg:error=ENOBUFS:when=1
	plain_build
	run -1 strace -qq -o trace -e trace=sendmsg -e inject="$fault" \
		plugpkg source add web http://127.0.0.1:1/ --key repo/public/metadata/1.root.json
	assert_has "cannot speak with 'plugpkg-fetch': no buffer space available [io]"
	run -1 strace -qq -o trace -e trace=sendmsg -e inject="$fault" plugpkg install photos -y
	assert_has "cannot speak with 'plugpkg-unpack': no buffer space available [io]"
	build_plugin other 1.0.0
	run -1 strace -qq -o trace -e trace=sendmsg -e inject="$fault" \
		plugpkg-repo --repo repo add other-1.0.0.plug
	assert_has "cannot speak with 'plugpkg-unpack': no buffer space available [io]"
	run -1 strace -qq -o trace -e trace=sendmsg -e inject="${fault/ENOBUFS/EPIPE}" \
		plugpkg install photos -y
	assert_has "the archive helper 'plugpkg-unpack' broke down"
}

@test "a download helper that answers something else, or nothing, broke down" {
	local answer
	for answer in '' '[]' 'no json' '{"type":"done"}' '{"type":"burn","id":ID}' \
		'{"type":"failed","id":ID,"status":1000}'; do
		refuses plugpkg-fetch "$answer" "the download helper 'plugpkg-fetch' broke down" \
			source add far http://127.0.0.1:1/ --key repo/public/metadata/1.root.json
		[[ $output != *"no repository"* ]] || fail "to '$answer': $output"
	done
}

# reaches_for PATH: from now on the unpack helper puts a file there, seen from the directory that it is
# walled into, and then finds the plugin.json of photos in whatever archive it gets.
reaches_for() {
	rm -f libexec/plugpkg-unpack
	cat >libexec/plugpkg-unpack <<-END
		#!$(command -v python3)
		import json, os, socket
		manifest = open("$SCRATCH/plugins/photos-1.0.0/plugin.json", "rb").read()
		plugpkg = socket.socket(fileno=3)
		while True:
		    request, fds, _, _ = socket.recv_fds(plugpkg, 65536, 4)
		    if not request:
		        break
		    request = json.loads(request)
		    try:
		        os.open("$1", os.O_WRONLY | os.O_CREAT, dir_fd=fds[1])
		    except FileNotFoundError:
		        pass
		    os.mkdir(request["dir"], 0o700, dir_fd=fds[1])
		    os.write(os.open(request["dir"] + "/plugin.json", os.O_WRONLY | os.O_CREAT, 0o444, dir_fd=fds[1]), manifest)
		    plugpkg.send(json.dumps({"type": "done", "id": request["id"],
		                             "bytes": len(manifest), "files": 1}).encode())
		    for fd in fds:
		        os.close(fd)
	END
	chmod 755 libexec/plugpkg-unpack
}

@test "an unpack helper of repo add does not reach what waits to be staged" {
	export PLUGPKG_REPO=$SCRATCH/repo
	reaches_for ready/planted@1.0.0.json
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run -0 plugpkg-repo add photos-1.0.0.plug
	assert_missing repo/staged/planted@1.0.0.json
	reaches_for planted
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run -0 plugpkg-repo add photos-1.0.0.plug
	assert_missing repo/staged/.arriving
}

@test "an unpack helper that tells repo add nothing, or puts something else in place, stages nothing" {
	export PLUGPKG_REPO=$SCRATCH/repo
	local done='"type":"done","id":ID,"bytes":99,"files":9'
	while IFS='|' read -r answer words; do
		taken_over plugpkg-unpack "$answer"
		PLUGPKG_LIBEXEC=$SCRATCH/libexec run plugpkg-repo add photos-1.0.0.plug
		echo "to '$answer': status $status, $output"
		[ "$status" -eq 1 ]
		assert_has "$words"
		assert_equal "$(ls -A repo/staged)" ""
	done <<-END
		{$done}|archive of photos-1.0.0.plug: cannot move what was unpacked
		{$done,"manifest":7}|cannot move what was unpacked
		{$done,"manifest":""}|fails lint with 1 error
		{$done,"manifest":"{\"name\": \"photos\"}"}|field 'version' is missing
		{$done,"manifest":"{\"name\": \"photos\", \"version\": \"1.0.0\", \"scripts\": {\"install\": \"a.sh\"}}"}|'a.sh' is missing
		{"type":"done","id":ID,"bytes":99,"manifest":"{}"}|gave no totals
	END
	rm -f libexec/plugpkg-unpack
	cat >libexec/plugpkg-unpack <<-END
		#!$(command -v python3)
		import json, os, socket
		plugpkg = socket.socket(fileno=3)
		request, fds, _, _ = socket.recv_fds(plugpkg, 65536, 4)
		request = json.loads(request)
		os.symlink("$SCRATCH/plugins/photos-1.0.0", request["dir"], dir_fd=fds[1])
		plugpkg.send(json.dumps({"type": "done", "id": request["id"], "bytes": 99, "files": 9}).encode())
	END
	chmod 755 libexec/plugpkg-unpack
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run plugpkg-repo add photos-1.0.0.plug
	[ "$status" -eq 1 ]
	assert_has "archive of photos-1.0.0.plug: the archive helper made no directory"
	assert_equal "$(ls -A repo/staged)" ""
}

@test "an unpack helper of repo add cannot write the archive that it looks into" {
	export PLUGPKG_REPO=$SCRATCH/repo
	rm -f libexec/plugpkg-unpack
	cat >libexec/plugpkg-unpack <<-END
		#!$(command -v python3)
		import json, os, socket
		plugpkg = socket.socket(fileno=3)
		while True:
		    request, fds, _, _ = socket.recv_fds(plugpkg, 65536, 4)
		    if not request:
		        break
		    try:
		        os.pwrite(fds[0], b"spoiled", 0)
		        text = "it wrote"
		    except OSError as e:
		        text = "it could not: " + os.strerror(e.errno)
		    plugpkg.send(json.dumps({"type": "failed", "id": json.loads(request)["id"], "errno": 5,
		                             "text": text}).encode())
	END
	chmod 755 libexec/plugpkg-unpack
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run plugpkg-repo add photos-1.0.0.plug
	[ "$status" -ne 0 ]
	assert_has "it could not: Bad file descriptor"
}

# sees_other_totals [CODE]: from now on the unpack helper finds the plugin.json of photos and nothing
# else in whatever archive it gets, and then does CODE.
sees_other_totals() {
	rm -f libexec/plugpkg-unpack
	cat >libexec/plugpkg-unpack <<-END
		#!$(command -v python3)
		import json, os, socket
		manifest = open("$SCRATCH/plugins/photos-1.0.0/plugin.json").read().replace("1.0.0", "1.1.0")
		plugpkg = socket.socket(fileno=3)
		while True:
		    request = plugpkg.recv(65536)
		    if not request:
		        break
		    plugpkg.send(json.dumps({"type": "done", "id": json.loads(request)["id"], "bytes": len(manifest),
		                             "files": 1, "manifest": manifest}).encode())
		    ${1:-pass}
	END
	chmod 755 libexec/plugpkg-unpack
}

@test "what an unpack helper of repo add told falsely is found by verify, before anybody installs it" {
	export PLUGPKG_REPO=$SCRATCH/repo
	build_plugin photos 1.1.0
	sees_other_totals
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run -0 plugpkg-repo add photos-1.1.0.plug
	plugpkg-repo publish
	run -6 plugpkg-repo verify
	assert_has "archive of photos 1.1.0: " "is one more than the 1 files"
	plugpkg update
	run -6 plugpkg install photos -y
	assert_has "archive of photos 1.1.0: " "is one more than the 1 files"
}

@test "an unpack helper of repo add that ends badly after its answers is told, and what came of them" {
	export PLUGPKG_REPO=$SCRATCH/repo
	build_plugin photos 1.1.0
	sees_other_totals "os.kill(os.getpid(), 9)"
	PLUGPKG_LIBEXEC=$SCRATCH/libexec run -1 plugpkg-repo add photos-1.1.0.plug
	assert_has "photos 1.1.0: staged" "the archive helper 'plugpkg-unpack' broke down" \
		"hint: what was added is staged"
	run -0 plugpkg-repo list
	assert_has "staged"
}
