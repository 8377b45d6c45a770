# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2016 # the $ in single quotes are those of nginx, jq and awk
# Downloads from a real nginx: TLS and HTTP/2 from a private authority, ranges, logins, limits, a
# proxy, and the ways of object stores. Two of them where the order of mirrors matters.

setup() {
	load ../helpers
	load servers
	setup_scratch
	need nginx python3 openssl jq
	export PLUGPKG_FETCH_PATIENCE=2
	unset NETRC SSL_CERT_DIR all_proxy no_proxy
}

teardown() {
	stop_servers
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# make_authority: SCRATCH/ca.pem, and server.pem and server.key for 127.0.0.1 that it signed.
make_authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=Test authority" -keyout "$SCRATCH/ca.key" -out "$SCRATCH/ca.pem" 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
		-keyout "$SCRATCH/server.key" -out "$SCRATCH/server.csr" 2>/dev/null
	openssl x509 -req -in "$SCRATCH/server.csr" -CA "$SCRATCH/ca.pem" -CAkey "$SCRATCH/ca.key" \
		-CAcreateserial -days 2 -extfile <(echo "subjectAltName=IP:127.0.0.1") \
		-out "$SCRATCH/server.pem" 2>/dev/null
}

# nginx_start NAME [LISTEN-WORDS [SERVER-LINES [HTTP-LINES]]]: serves SCRATCH/repo/public; sets URL
# (http), PORT and NGINX (its process). SCRATCH/NAME.log has a line of blank-separated fields for each
# request: protocol, status, connection, bytes sent, range, login, proxy login, URI as it was sent.
nginx_start() {
	local dir=$SCRATCH/$1.nginx i
	mkdir -p "$dir"
	PORT=$(free_port)
	cat >"$dir/nginx.conf" <<-END
		daemon off;
		master_process off;
		worker_rlimit_nofile 1024;
		pid $dir/pid;
		error_log $dir/error.log;
		events { worker_connections 256; }
		http {
			log_format ours '\$server_protocol \$status \$connection \$body_bytes_sent '
				'"\$http_range" "\$http_authorization" "\$http_proxy_authorization" \$request_uri';
			access_log $SCRATCH/$1.log ours;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			types { }
			default_type application/octet-stream;
			${4-}
			server {
				listen 127.0.0.1:$PORT ${2-};
				root $SCRATCH/repo/public;
				${3-}
			}
		}
	END
	nginx -c "$dir/nginx.conf" >/dev/null 2>&1 3>&- &
	NGINX=$!
	# shellcheck disable=SC2034 # of servers.bash
	SERVERS[$1]=$NGINX
	for ((i = 0; i < 250; i++)); do
		(: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && break
		sleep 0.02
	done
	URL=http://127.0.0.1:$PORT/
}

# A repository with `one` to `N`, each some random bytes, and `all` that requires them.
# make_many_repo N BYTES
make_many_repo() {
	local i dir requires=()
	make_repo
	for ((i = 1; i <= $1; i++)); do
		dir=$(make_plugin "p$i" 1.0.0)
		head -c "$2" /dev/urandom >"$dir/noise.bin"
		requires+=("\"p$i\": \"*\"")
		build_plugin "p$i" 1.0.0 >>archives
	done
	build_plugin all 1.0.0 "\"requires\": {$(
		IFS=,
		echo "${requires[*]}"
	)}" >>archives
	# shellcheck disable=SC2046 # the list is words
	publish $(cat archives)
}

add_source() {
	plugpkg init "$PLUGPKG_ROOT" >/dev/null &&
		plugpkg source add test "$@" --key "$SCRATCH/repo/public/metadata/1.root.json" >/dev/null
}

# requests NAME PATTERN: lines of its log whose URI matches.
requests() {
	awk -v p="$2" '$NF ~ p' "$SCRATCH/$1.log"
}

@test "HTTP/2 with TLS from a private authority: all archives come over one connection" {
	make_many_repo 30 2000
	make_authority
	nginx_start one "ssl http2" "ssl_certificate $SCRATCH/server.pem;
		ssl_certificate_key $SCRATCH/server.key;"
	export SSL_CERT_FILE=$SCRATCH/ca.pem
	add_source "https://127.0.0.1:$PORT/"
	run -0 plugpkg install all -y
	assert_installed p30 1.0.0
	requests one /pool/ >pool
	assert_equal "$(wc -l <pool)" 31
	assert_equal "$(cut -d' ' -f1 pool | sort -u)" HTTP/2.0
	assert_equal "$(cut -d' ' -f3 pool | sort -u | wc -l)" 1
}

@test "a certificate nobody trusts, and a machine without certificates, are told with what to do" {
	make_many_repo 1 100
	make_authority
	nginx_start one "ssl http2" "ssl_certificate $SCRATCH/server.pem;
		ssl_certificate_key $SCRATCH/server.key;"
	run --separate-stderr add_source "https://127.0.0.1:$PORT/"
	assert_status 5
	assert_has "its certificate is not trusted" "hint: " "SSL_CERT_FILE"
	rm -rf "$PLUGPKG_ROOT"
	SSL_CERT_FILE=/nonexistent/ca.pem run --separate-stderr add_source "https://127.0.0.1:$PORT/"
	assert_status 5
	assert_has "no certificates to trust it by" "/nonexistent/ca.pem" "hint: " "ca-certificates"
	: >empty.pem
	rm -rf "$PLUGPKG_ROOT"
	SSL_CERT_FILE=$SCRATCH/empty.pem run --separate-stderr add_source "https://127.0.0.1:$PORT/"
	assert_status 5
	assert_has "certificate" "hint: "
}

@test "over HTTP/1.1 six downloads go on at one mirror; --jobs and plugpkg.json say otherwise" {
	make_many_repo 24 300000
	nginx_start one "" "location /targets/pool/ { limit_rate 1500k; }"
	add_source "$URL"
	plugpkg update
	rm -f one.log
	kill -USR1 "$NGINX"
	run -0 plugpkg install all -y
	assert_equal "$(requests one /pool/ | cut -d' ' -f3 | sort -u | wc -l)" 6
	plugpkg remove --all -y
	plugpkg clean --cache
	: >one.log
	run -0 plugpkg install p1 p2 p3 p4 -y --jobs 2
	assert_equal "$(requests one /pool/ | cut -d' ' -f3 | sort -u | wc -l)" 2
	plugpkg remove --all -y
	plugpkg clean --cache
	: >one.log
	jq '.network = {"jobs": 1}' root/plugpkg.json >new && mv new root/plugpkg.json
	run -0 plugpkg install p1 p2 p3 p4 -y
	assert_equal "$(requests one /pool/ | cut -d' ' -f3 | sort -u | wc -l)" 1
	run -2 plugpkg list --jobs 0
	run -2 plugpkg list --jobs 33
}

@test "connections wait for a plugpkg that has no time for what came, and serve what is left" {
	make_many_repo 24 300000
	nginx_start one "" "location /targets/pool/ { limit_rate 1500k; }"
	add_source "$URL"
	rm -f one.log
	kill -USR1 "$NGINX"
	plugpkg install all -y >out 2>&1 3>&- &
	local pid=$! i
	for ((i = 0; i < 500; i++)); do
		[ "$(requests one /pool/ 2>/dev/null | wc -l)" -lt 3 ] || break
		sleep 0.02
	done
	kill -STOP "$pid"
	sleep 1
	kill -CONT "$pid"
	wait "$pid"
	assert_equal "$(requests one /pool/ | wc -l)" 25
	assert_equal "$(requests one /pool/ | cut -d' ' -f3 | sort -u | wc -l)" 6
}

@test "a download that was killed goes on where it stopped, and says so in its progress" {
	make_many_repo 1 3000000
	nginx_start one "" "location /targets/pool/ { limit_rate_after 1000k; limit_rate 100k; }"
	add_source "$URL"
	plugpkg install p1 -y >out 2>&1 3>&- &
	local pid=$! i part size
	for ((i = 0; i < 500; i++)); do
		part=$(find root/var/cache -name '*.part')
		[ -z "$part" ] || [ "$(stat -c %s "$part")" -lt 1000000 ] || break
		sleep 0.02
	done
	kill -KILL "$pid"
	wait "$pid" || :
	size=$(stat -c %s "$part")
	((size >= 1000000)) || fail "$size bytes"
	kill "$NGINX"
	nginx_start two ""
	jq --arg u "$URL" '.sources[0].urls = [$u]' root/plugpkg.json >new && mv new root/plugpkg.json
	run -0 plugpkg install p1 -y -v
	assert_installed p1 1.0.0
	requests two /pool/p1/ >pool
	assert_equal "$(cut -d' ' -f2,5 pool)" "206 \"bytes=$size-\""
	(($(cut -d' ' -f4 pool) < 3000000 - size + 10000)) || fail "$(cat pool)"
}

@test "a part that is longer than the file, or the whole of another, is dropped" {
	make_many_repo 1 5000
	nginx_start one
	add_source "$URL"
	local archive digest n
	archive=$(find repo/public/targets/pool/p1 -name '*.plug')
	digest=$(basename "$archive" .plug)
	for n in 1 2 3; do
		plugpkg clean --cache
		case $n in
		1) head -c 1000000 /dev/zero >"root/var/cache/$digest.part" ;;
		2) head -c "$(stat -c %s "$archive")" /dev/zero >"root/var/cache/$digest.part" ;;
		3) head -c 4000 /dev/zero >"root/var/cache/$digest.part" ;;
		esac
		run -0 plugpkg install p1 -y
		assert_installed p1 1.0.0
		run -0 plugpkg remove p1 -y
		assert_equal "$(find root/var/cache -name '*.part')" ""
	done
}

# ---- logins ----------------------------------------------------------------------------------

# nginx_with_login NAME: user me, password geheim#1; over TLS, trusted.
nginx_with_login() {
	make_authority
	printf 'me:%s\n' "$(openssl passwd -apr1 'geheim#1')" >"$SCRATCH/htpasswd"
	nginx_start "$1" "ssl" "ssl_certificate $SCRATCH/server.pem;
		ssl_certificate_key $SCRATCH/server.key;
		auth_basic test; auth_basic_user_file $SCRATCH/htpasswd;"
	URL=https://127.0.0.1:$PORT/
	export SSL_CERT_FILE=$SCRATCH/ca.pem
}

# Neither in what was printed nor anywhere in the root but plugpkg.json.
assert_secret_kept() {
	assert_lacks 'geheim#1' "$(printf 'me:geheim#1' | base64)"
	run grep -rlaF -e 'geheim#1' -e "$(printf 'me:geheim#1' | base64)" "$PLUGPKG_ROOT" \
		--exclude plugpkg.json
	assert_equal "$output" ""
}

@test "S13: a login stands in plugpkg.json, in a file it names, in NETRC or in ~/.netrc" {
	make_many_repo 1 100
	nginx_with_login one
	run --separate-stderr add_source "$URL"
	assert_status 5
	assert_has "HTTP status 401" "hint: " ".netrc"
	assert_missing "$PLUGPKG_ROOT/var/trust/test/root.json"

	local way edit
	echo 'geheim#1' >secret.txt
	for way in config file netrc home; do
		rm -rf "$PLUGPKG_ROOT" "$HOME/.netrc"
		unset NETRC
		plugpkg init "$PLUGPKG_ROOT" >/dev/null
		case $way in
		config) edit='{"user": "me", "password": "geheim#1"}' ;;
		file) edit="{\"user\": \"me\", \"password-file\": \"$SCRATCH/secret.txt\"}" ;;
		netrc)
			edit=null
			printf 'default login no password no\nmachine 127.0.0.1 login me\n password "geheim#1"\n' \
				>"$SCRATCH/netrc"
			export NETRC=$SCRATCH/netrc
			;;
		home)
			edit=null
			echo "machine 127.0.0.1:$PORT login me password geheim#1" >"$HOME/.netrc"
			;;
		esac
		[ "$edit" = null ] || {
			jq --arg u "${URL%/}" ".network.login[\$u] = $edit" root/plugpkg.json >new
			mv new root/plugpkg.json
		}
		plugpkg source add test "$URL" --key "$SCRATCH/repo/public/metadata/1.root.json"
		run --separate-stderr plugpkg install p1 -y -v --debug
		assert_status 0
		assert_installed p1 1.0.0
		assert_secret_kept
		run --separate-stderr plugpkg log --json
		assert_secret_kept
	done
}

@test "S13: a login for another scheme, host or port is not sent" {
	make_many_repo 1 100
	nginx_start one
	cat >netrc <<-END
		machine 127.0.0.1 login me password geheim#1
		machine 127.0.0.1:1 login me password geheim#1
		machine https://127.0.0.1:$PORT login me password geheim#1
		machine http://127.0.0.1:1 login me password geheim#1
		default login me password geheim#1
	END
	NETRC=$SCRATCH/netrc add_source "$URL"
	run grep -c '"Basic' one.log
	assert_equal "$output" 0
	echo "machine http://127.0.0.1:$PORT login me password geheim#1" >netrc
	NETRC=$SCRATCH/netrc run -0 plugpkg update
	run grep -c '"Basic' one.log
	[ "$output" -gt 0 ] || fail "nothing sent"
}

@test "S13: a login is not sent after a redirect to another port" {
	make_many_repo 1 100
	nginx_start two
	local second=${URL%/}
	nginx_start one "" "location /targets/ { return 302 $second\$request_uri; }"
	echo "machine ${URL%/} login me password geheim#1" >netrc
	export NETRC=$SCRATCH/netrc
	add_source "$URL"
	run -0 plugpkg install p1 -y
	run grep -c '"Basic' one.log
	[ "$output" -gt 0 ] || fail "nothing sent"
	run grep -c '"Basic' two.log
	assert_equal "$output" 0
	run grep -c "GET\|pool" two.log
	[ "$output" -gt 0 ] || fail "the redirect was not followed"
}

@test "an unreadable netrc or password file is told with what to do, and nothing is lost" {
	make_many_repo 1 100
	nginx_start one
	add_source "$URL"
	mkdir secret.d
	NETRC=$SCRATCH/secret.d run --separate-stderr plugpkg update
	[ "$status" -ne 0 ] || fail "went on"
	assert_has "secret.d', which NETRC names" "hint: " "unset NETRC"
	mkdir "$HOME/.netrc"
	run -0 --separate-stderr plugpkg update
	assert_has "warning: " ".netrc" "make it readable"
	rmdir "$HOME/.netrc"
	jq --arg u "${URL%/}" '.network.login[$u] = {"user": "me", "password-file": "var/none"}' \
		root/plugpkg.json >new
	mv new root/plugpkg.json
	run --separate-stderr plugpkg install p1 -y
	[ "$status" -ne 0 ] || fail "went on"
	assert_has "var/none" "plugpkg.json" "hint: "
	rm root/var/none 2>/dev/null || :
	jq 'del(.network)' root/plugpkg.json >new && mv new root/plugpkg.json
	run -0 plugpkg install p1 -y
}

@test "a login that makes no sense is refused without its secret" {
	local login
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	for login in '{"https://a/path": {"user": "u", "password": "geheim#1"}}' \
		'{"https://me:geheim#1@a": {"token": "geheim#1"}}' '{"ftp://a": {"token": "geheim#1"}}' \
		'{"https://a": {"user": "geheim#1"}}' '{"https://a": {"token": 7, "x": "geheim#1"}}' \
		'{"https://a": {"user": "u", "password": "geheim#1", "token": "t"}}' \
		'{"https://a": "geheim#1"}' '["geheim#1"]'; do
		jq --argjson l "$login" '.network = {"login": $l}' root/plugpkg.json >new
		cp new root/plugpkg.json
		run --separate-stderr plugpkg list
		[ "$status" -ne 0 ] || fail "$login was taken"
		assert_has "network.login" "[bad-config]"
		assert_lacks 'geheim#1'
	done
}

# ---- limits and proxies ----------------------------------------------------------------------

@test "a server that limits the rate and says when to come back is obeyed" {
	make_many_repo 8 100
	nginx_start one "" "location /targets/pool/ { limit_req zone=z burst=1 nodelay;
		limit_req_status 429; add_header Retry-After 1 always; }" \
		'limit_req_zone $binary_remote_addr zone=z:64k rate=3r/s;'
	add_source "$URL"
	run -0 plugpkg install all -y
	assert_installed p8 1.0.0
	[ -n "$(awk '$2 == 429' one.log)" ] || fail "nginx never limited"
	assert_has "is busy and asks to come back in 1 s"
}

@test "an http proxy is used with its login, which no message shows" {
	make_many_repo 1 100
	nginx_start one
	local origin=$URL
	nginx_start proxy "" 'location / { proxy_pass http://$http_host$request_uri;
		if ($http_proxy_authorization = "") { return 407; } }'
	export http_proxy=http://me:geheim%231@127.0.0.1:$PORT
	add_source "$origin"
	run -0 plugpkg install p1 -y --debug -v
	assert_secret_kept
	run awk '{ print $7 }' proxy.log
	[[ $output == *Basic* || $(cat proxy.log) == *"Basic $(printf 'me:geheim#1' | base64)"* ]] ||
		fail "$(cat proxy.log)"
	http_proxy=http://127.0.0.1:$PORT run --separate-stderr plugpkg update
	assert_status 5
	assert_has "407" "hint: " "http_proxy"
	export https_proxy=$http_proxy
	rm -rf "$PLUGPKG_ROOT"
	run --separate-stderr add_source "https://127.0.0.1:1/"
	assert_status 5
	assert_has "the proxy answers with HTTP status" "hint: " "https_proxy"
	assert_lacks 'geheim'
}

# ---- mirrors ---------------------------------------------------------------------------------

@test "the order of mirrors follows their measured speed, which is kept between runs" {
	make_many_repo 12 400000
	nginx_start slow "" "location /targets/pool/ { limit_rate 400k; }"
	local slow=$URL
	nginx_start fast
	add_source "$slow" "$URL"
	# More files than one mirror gets at once: the second is asked as well, and measured.
	run -0 plugpkg install p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 -y
	run jq -r '.mirrors[] | select(.speed > 0) | .url' root/var/mirrors.json
	assert_has "$slow" "$URL"
	: >slow.log
	: >fast.log
	run -0 plugpkg install p11 p12 -y
	assert_equal "$(requests slow /pool/ | wc -l)" 0
	assert_equal "$(requests fast /pool/ | wc -l)" 2
	# It can be lost or damaged without harm.
	echo '{"mirrors": [{"url": 7}, {"url": "x", "speed": -1}, 3]' >root/var/mirrors.json
	run -0 plugpkg remove --all -y
	run -0 plugpkg clean --cache
	run -0 plugpkg install p1 -y
	assert_installed p1 1.0.0
}

# ---- object stores ---------------------------------------------------------------------------

@test "an object store: encoded names, 403 for what is missing, nothing is listed" {
	make_repo
	publish "$(build_plugin @acme/x 1.0.0-rc.1+b.1)" "$(build_plugin @acme/x 1.0.0+b.2)"
	nginx_start one "" "autoindex off; error_page 404 =403 /403; location = /403 { internal; return 403; }"
	add_source "$URL"
	run -0 plugpkg update
	run -0 plugpkg install @acme/x -y
	assert_installed @acme/x 1.0.0+b.2
	run requests one /pool/
	# A + would be a blank to many of them; @ is itself in a path.
	assert_has " /targets/pool/@acme/x/1.0.0%2Bb.2/"
	run awk '$2 != 200 && $2 != 403' one.log
	assert_equal "$output" ""
	rm -rf repo/public/targets/pool
	plugpkg remove --all -y
	plugpkg clean --cache
	run --separate-stderr plugpkg install @acme/x -y
	assert_status 5
	assert_has "HTTP status 403" "hint: "
}
