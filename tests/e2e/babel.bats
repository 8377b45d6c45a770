# SPDX-License-Identifier: MIT
# The main job on other people's software: the packages behind Babel as plugins, from their source
# directories through a signed repository and two nginx mirrors to a working compiler, and away again.

PACKAGES=(@babel/core@7 @babel/preset-env@7 @babel/preset-typescript@7 @babel/preset-react@7)
PLUGINS=(@babel/preset-env @babel/preset-typescript @babel/preset-react @babel/core)

# One answer in three tries: a network that stutters is no reason to leave the main job untested.
registry_answers() {
	for _ in 1 2 3; do
		timeout 30 npm view semver version >/dev/null 2>&1 && return 0
	done
	return 1
}

# free_port: a port on loopback that nobody listened to a moment ago.
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_nginx NAME PORT CONFIG: a server of our own; CONFIG goes into its location block.
start_nginx() {
	local dir=$BATS_FILE_TMPDIR/$1
	mkdir -p "$dir"
	cat >"$dir/nginx.conf" <<-END
		daemon on;
		pid $dir/pid;
		error_log $dir/error.log;
		worker_processes 1;
		$([ "$(id -u)" -ne 0 ] || echo "user root;")
		events {}
		http {
			access_log $dir/access.log;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			server {
				listen 127.0.0.1:$2;
				location / { $3 }
			}
		}
	END
	nginx -c "$dir/nginx.conf" -e "$dir/error.log"
}

stop_nginx() {
	local dir=$BATS_FILE_TMPDIR/$1 pid
	pid=$(cat "$dir/pid" 2>/dev/null) || return 0
	kill "$pid"
	while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}

setup_file() {
	bats_require_minimum_version 1.5.0
	load ../helpers
	if ! registry_answers; then
		[ -z "${CI:-}" ] || fail "the npm registry does not answer, and this is CI"
		export NO_REGISTRY=1
		return 0
	fi
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir npm plugins archives
	(cd npm && npm install --no-audit --no-fund --ignore-scripts "${PACKAGES[@]}") >npm.log 2>&1
	node "$top_srcdir/tests/e2e/npm-to-plugins.js" npm/node_modules plugins >count
	for dir in plugins/*; do
		plugpkg build "$dir" -o archives >/dev/null
	done
	plugpkg-repo init repo --name babel >/dev/null
	plugpkg-repo --repo repo add -q archives/*.plug
	plugpkg-repo --repo repo publish >/dev/null
	PORT_1=$(free_port)
	PORT_2=$(free_port)
	export PORT_1 PORT_2
	start_nginx first "$PORT_1" "root $PWD/repo/public;"
	plugpkg-repo mirror "http://127.0.0.1:$PORT_1" mirror >/dev/null
	start_nginx second "$PORT_2" "root $PWD/mirror;"
	(cd npm && node "$top_srcdir/tests/data/babel/compile.js" "$top_srcdir/tests/data/babel/modern.tsx") >npm.out
}

teardown_file() {
	stop_nginx first
	stop_nginx second
}

setup() {
	load ../helpers
	load servers
	setup_scratch
	[ -z "${NO_REGISTRY-}" ] || skip "the npm registry does not answer"
}

teardown() {
	stop_servers
}

make_babel_root() {
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	plugpkg source add babel "http://127.0.0.1:$PORT_1" "http://127.0.0.1:$PORT_2" \
		--key "$BATS_FILE_TMPDIR/repo/public/metadata/1.root.json"
	ln -s current "$PLUGPKG_ROOT/node_modules"
}

# The compiler from the root gives the same bytes as npm's own tree.
assert_compiles_alike() {
	(cd "$PLUGPKG_ROOT" && node "$top_srcdir/tests/data/babel/compile.js" \
		"$top_srcdir/tests/data/babel/modern.tsx") >plugpkg.out
	[ -s plugpkg.out ]
	cmp plugpkg.out "$BATS_FILE_TMPDIR/npm.out"
}

@test "Babel's packages resolve, install from nginx and compile TypeScript and JSX to the same bytes as under npm" {
	make_babel_root
	begin=$(date +%s%N)
	run --separate-stderr plugpkg install "${PLUGINS[@]}" -y --json
	end=$(date +%s%N)
	assert_status 0
	run plugpkg list --json
	assert_equal "$(grep -c '"type":"plugin"' <<<"$output")" "$(cat "$BATS_FILE_TMPDIR/count")"
	assert_compiles_alike
	echo "# plugins: $(cat "$BATS_FILE_TMPDIR/count")" \
		"bytes: $(find "$PLUGPKG_ROOT/store" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')" \
		"files: $(find "$PLUGPKG_ROOT/store" -type f | wc -l)" \
		"seconds: $(awk "BEGIN { printf \"%.2f\", ($end - $begin) / 1e9 }")" >&3
	echo "# compiled by npm's tree: $(sha256sum <"$BATS_FILE_TMPDIR/npm.out")" >&3
	echo "# compiled by plugpkg's:  $(sha256sum <plugpkg.out)" >&3
}

@test "the mirror holds the same bytes and verifies" {
	cd "$BATS_FILE_TMPDIR/mirror" || return 1
	find . -type f -exec sh -c 'for f; do cmp "$f" "../repo/public/$f" || exit 1; done' sh {} +
	run plugpkg-repo verify "$BATS_FILE_TMPDIR/mirror"
	assert_status 0
}

# with_first_mirror CONFIG: everything installs all the same, from the second.
with_first_mirror() {
	make_babel_root
	stop_nginx first
	[ "$1" = stopped ] || start_nginx first "$PORT_1" "$1"
	run --separate-stderr plugpkg install "${PLUGINS[@]}" -y
	stop_nginx first
	start_nginx first "$PORT_1" "root $BATS_FILE_TMPDIR/repo/public;"
	assert_status 0
	assert_compiles_alike
}

@test "with the first mirror stopped the second delivers everything" {
	with_first_mirror stopped
}

@test "with the first mirror answering 404 the second delivers everything" {
	with_first_mirror "return 404;"
}

@test "with the first mirror answering 500 the second delivers everything" {
	with_first_mirror "return 500;"
}

@test "with the first mirror delivering other bytes the second delivers everything" {
	cp -R "$BATS_FILE_TMPDIR/repo/public" other
	find other/targets -name '*.plug' -exec sh -c \
		'for f; do n=$(stat -c %s "$f"); head -c "$n" /dev/zero >"$f"; done' sh {} +
	with_first_mirror "root $SCRATCH/other;"
}

@test "with the first mirror cutting every body off the second delivers everything" {
	# A server behind nginx that promises a length and closes half-way.
	serve web "$BATS_FILE_TMPDIR/repo/public"
	order web 'cut-always@*.plug'
	with_first_mirror "proxy_pass $URL;"
}

@test "removing one plugin names everything that goes with it and why, and removing all leaves nothing" {
	make_babel_root
	plugpkg install "${PLUGINS[@]}" -y >/dev/null
	run --separate-stderr plugpkg remove @babel/traverse --dry-run
	assert_status 0
	assert_has "@babel/core" "@babel/preset-env" "@babel/helper-module-transforms" "needs @babel/traverse"
	run plugpkg remove --all -y
	assert_status 0
	run --separate-stderr plugpkg list
	assert_status 0
	assert_equal "$output" ""
	plugpkg clean --keep 0 >/dev/null
	assert_equal "$(find "$PLUGPKG_ROOT/store" -mindepth 1)" ""
}
