#!/bin/bash
# SPDX-License-Identifier: MIT
# Very many clients, each with a root of its own, that update and install from one nginx, while what
# it serves is published (in one directory) and mirrored (into the one that is served) again and
# again. What is published is always a pair, `left` and `right` of one number, the right one requiring
# its left one exactly: a client that sees one without the other sees a mixture.
#
#	tests/load/clients.sh [--clients N] [--at_once N]
#
# Each updates, installs the pair, updates and upgrades. A step that fails may be tried again, where it
# says network or that the mirror is half written, and has to succeed within some tries.
set -u
clients=1000
at_once=32
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
read_options clients at_once -- "$@"

REPO=$SCRATCH/repo
SERVED=$SCRATCH/served
TRIES=20
export PLUGPKG_FETCH_PATIENCE=5

# ---- what is served ------------------------------------------------------------------------------

# pair N: what is published at once.
pair() {
	plugpkg-repo --repo "$REPO" add "$(build_plugin left "$1.0.0")" \
		"$(build_plugin right "$1.0.0" "\"requires\": {\"left\": \"=$1.0.0\"}")" &&
		plugpkg-repo --repo "$REPO" publish
}

# publisher: until SCRATCH/stop exists; the number of the last pair is in SCRATCH/published.
publisher() {
	local n
	for ((n = 2; ; n++)); do
		[ ! -e stop ] || return 0
		pair "$n" >publish.out 2>&1 || {
			mv publish.out publish.failed
			return
		}
		echo "$n" >published
		rm -rf plugins/*-"$n".0.0 ./*-"$n".0.0.plug
	done
}

# mirrorer: the same of copies.
mirrorer() {
	local n
	for ((n = 1; ; n++)); do
		[ ! -e stop ] || return 0
		plugpkg-repo mirror "file://$REPO/public" "$SERVED" >mirror.out 2>&1 || {
			mv mirror.out mirror.failed
			return
		}
		echo "$n" >mirrored
		sleep 0.1
	done
}

serve() {
	local dir=$SCRATCH/nginx i
	mkdir "$dir"
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cat >"$dir/nginx.conf" <<-CONF
		daemon off;
		master_process off;
		worker_rlimit_nofile 4096;
		pid $dir/pid;
		error_log $dir/error.log;
		events { worker_connections 1024; }
		http {
			access_log $dir/access.log;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			types { }
			default_type application/octet-stream;
			server { listen 127.0.0.1:$port; root $SERVED; }
		}
	CONF
	nginx -c "$dir/nginx.conf" >/dev/null 2>&1 &
	server=$!
	for ((i = 0; i < 250; i++)); do
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
		sleep 0.02
	done
	echo "nginx does not start"
	exit 1
}

# ---- clients -------------------------------------------------------------------------------------

# told TEXT: in the file of this client.
told() {
	echo "$1" >>"$PLUGPKG_ROOT.said"
}

# insist COMMAND...: until it succeeds. Only what says that it will pass may pass.
insist() {
	local i rc
	for ((i = 1; i <= TRIES; i++)); do
		"$@" >"$PLUGPKG_ROOT.out" 2>&1
		rc=$?
		[ "$rc" != 0 ] || return 0
		told "retry: $rc $(grep -o '\[[a-z-]*\]' "$PLUGPKG_ROOT.out" | head -n 1)"
		[ "$rc" = 5 ] || grep -q 'try again later' "$PLUGPKG_ROOT.out" || {
			told "failed: $* leaves with $rc: $(grep '^error' "$PLUGPKG_ROOT.out" | head -n 3)"
			return 1
		}
	done
	told "failed: $* fails $TRIES times: $(grep '^error' "$PLUGPKG_ROOT.out" | head -n 3)"
	return 1
}

# look: what it knows is one published state whole, by the index of what is newest and by the one of
# all versions: both have both, of the same number, and all that came before.
look() {
	local newest left right
	newest=$(plugpkg list --available --json | jq -r 'select(.type == "plugin") | .name + " " + .version' | sort)
	left=$(plugpkg show left --json | jq -c 'select(.type == "show") | .versions')
	right=$(plugpkg show right --json | jq -c 'select(.type == "show") | .versions')
	[ "$left" = "$right" ] || told "failed: a mixture: left $left, right $right"
	[ "$newest" = "$(jq -r '"left \(.[0])\nright \(.[0])"' <<<"$left")" ] ||
		told "failed: a mixture: newest ${newest//$'\n'/, } of $left"
	jq -e '[.[] | split(".")[0] | tonumber] == [range(length; 0; -1)]' <<<"$left" >/dev/null ||
		told "failed: it lacks something: $left"
}

# installed: the pair that its root has.
installed() {
	local left right
	left=$(jq -r .version "$PLUGPKG_ROOT/current/left/plugin.json")
	right=$(jq -r .version "$PLUGPKG_ROOT/current/right/plugin.json")
	[ -n "$left" ] || told "failed: nothing is installed"
	[ "$left" = "$right" ] || told "failed: left $left and right $right are installed"
	echo "${left%%.*}"
}

# client N
client() {
	local first second
	export PLUGPKG_ROOT=$SCRATCH/clients/$1
	: >"$PLUGPKG_ROOT.said"
	plugpkg -q init "$PLUGPKG_ROOT" >/dev/null
	insist plugpkg source add test "http://127.0.0.1:$port/" --key "$SCRATCH/first.root.json" || return
	insist plugpkg update || return
	look
	insist plugpkg install right -y || return
	first=$(installed)
	insist plugpkg update || return
	look
	insist plugpkg upgrade -y || return
	second=$(installed)
	[ "$second" -ge "$first" ] || told "failed: it went back from $first to $second"
	plugpkg check >"$PLUGPKG_ROOT.out" 2>&1 || told "failed: check: $(cat "$PLUGPKG_ROOT.out")"
	told "done $first $second"
	rm -rf "$PLUGPKG_ROOT"
}

# ---- all of it -----------------------------------------------------------------------------------

need_programs() {
	local program
	for program in nginx jq python3; do
		command -v "$program" >/dev/null || {
			echo "$program is not installed"
			exit 1
		}
	done
}

need_programs
make_repo "$REPO"
pair 1 >/dev/null || exit 1
cp "$REPO/public/metadata/1.root.json" first.root.json
plugpkg-repo mirror "file://$REPO/public" "$SERVED" >/dev/null || exit 1
echo 1 | tee published >mirrored
mkdir clients
serve
trap 'touch stop; kill "$server"; wait; rm -rf "$BATS_TEST_TMPDIR"' EXIT
publisher &
mirrorer &
for ((n = 1; n <= clients; n++)); do
	while [ "$(jobs -rp | wc -l)" -ge $((at_once + 3)) ]; do wait -n; done
	client "$n" &
	clients_pids[n]=$!
done
wait "${clients_pids[@]}" 2>/dev/null
touch stop

for failed in publish mirror; do
	[ ! -e "$failed.failed" ] || complain "$failed" "$failed.failed"
done
for ((n = 1; n <= clients; n++)); do
	[[ $(grep -E '^(done|failed)' "clients/$n.said") == done*([^$'\n']) ]] ||
		complain "client $n" "clients/$n.said" "clients/$n.out"
done
plugpkg-repo verify "$SERVED" >out 2>&1 || complain "what is served does not verify" out
cat clients/*.said | grep '^retry' | sort | uniq -c | sed 's/^ */tried again: /'
finish "$clients clients, $(cat published) states published, $(cat mirrored) copies, $(wc -l <nginx/access.log) requests, clients saw $(cat clients/*.said | awk '/^done/ { print $2; print $3 }' | sort -un | wc -l) states"
