#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Nothing stopped: the example application answers requests all the time while its plugins change. No
# request fails, and every answer is of one whole generation.

examples=$BATS_TEST_DIRNAME/../../repo-format/examples/databases

setup() {
	load ../helpers
	setup_scratch
	need python3 sqlite3 jq
	export DATABASE=application.db
	cp -R "$examples/application" "$PLUGPKG_ROOT"
	plugpkg init "$PLUGPKG_ROOT" >/dev/null
	make_repo
	for plugin in user-1.0.0 user-1.1.0 animal; do
		plugpkg build "$examples/plugins/$plugin" >/dev/null
	done
	publish ./*.plug
	plugpkg source add test "file://$SCRATCH/repo/public" --key "$SCRATCH/repo/public/metadata/1.root.json" >/dev/null
	plugpkg update >/dev/null
	"$PLUGPKG_ROOT/bin/serve" 0 >port 2>serve.log 3>&- &
	echo $! >serve.pid
	until [ -s port ]; do sleep 0.05; done
	url=http://127.0.0.1:$(cut -d' ' -f2 port)
	health /
}

teardown() {
	touch "$SCRATCH/stop"
	[ ! -e "$SCRATCH/serve.pid" ] || kill "$(cat "$SCRATCH/serve.pid")"
	wait
	cat "$SCRATCH/serve.log" 2>/dev/null
}

# health PLACE: what tells whether the application is well.
health() {
	jq --arg url "$url" --arg place "$1" '.hooks = {"activate": ($url + "/activate"),
		"health": {"url": ($url + $place), "retries": 0}}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
}

start_asking() {
	"$BATS_TEST_DIRNAME/request-loop.py" "$url/" stop >asked 2>asked.err 3>&- &
	asking=$!
	sleep 0.3
}

# change STATUS COMMAND...: a change of plugins, and time for requests after it.
change() {
	run -"$1" plugpkg "${@:2}"
	sleep 0.3
}

# stop_asking STATE...: no request failed, and the answers were of these and no others, at one time
# or another; those with a ? were current for so short that perhaps nobody asked.
stop_asking() {
	touch stop
	wait "$asking"
	cat asked asked.err
	echo "# $(jq -r '"\(.requests) requests, \(.rate) a second, \(.failed) failed, slowest \(.slowest_ms) ms"' asked)" >&3
	assert_equal "$(jq -c .reasons asked)" '[]'
	assert_equal "$(jq .failed asked)" 0
	[ "$(jq .rate asked)" -ge 100 ]
	jq -r '.seen[]' asked | sort >seen
	printf '%s\n' "${@%\?}" | sort >allowed
	printf '%s\n' "$@" | grep -v '?$' | sort >must
	assert_equal "$(comm -13 allowed seen)" ''
	assert_equal "$(comm -13 seen must)" ''
}

# breaking: user 1.2.0, whose tables are upgraded before another script of it fails.
breaking() {
	cp -R "$examples/plugins/user-1.1.0" breaking
	jq '.version = "1.2.0" | .scripts["post-install"] = [{"level": 0, "run": "scripts/post.sh"}]' \
		"$examples/plugins/user-1.1.0/plugin.json" >breaking/plugin.json
	add_script breaking post 'sleep 0.3; exit 1'
}

@test "install, upgrade, failing upgrades, rollback, disable, enable, remove" {
	breaking
	start_asking
	change 0 install -y user@1.0
	change 0 install -y animal
	change 7 install -y --allow-unsigned "$SCRATCH/breaking"
	health /nowhere
	change 7 remove -y animal
	change 7 install -y user@1.1
	health /
	change 0 install -y user@1.1
	change 0 rollback -y
	change 0 disable -y animal
	change 0 enable -y animal
	change 0 install -y user@1.1
	change 0 remove -y --allow-remove user
	# 3 was never current; 4 and 5 were until they were found unhealthy. No number comes twice.
	stop_asking '0: ?' '1: user 1.0.0' '2: animal 1.0.0, user 1.0.0' '4: user 1.0.0?' \
		'5: animal 1.0.0, user 1.1.0?' '6: animal 1.0.0, user 1.1.0' \
		'7: animal 1.0.0, user 1.0.0' '8: user 1.0.0' '9: animal 1.0.0, user 1.0.0' \
		'10: animal 1.0.0, user 1.1.0' '11: '
}

@test "a request at work when plugins leave gets all of its pages; uninstall scripts wait for it" {
	mkdir lingering
	echo '{"name": "lingering", "version": "1.0.0"}' >lingering/plugin.json
	echo 'WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 1000000)
		SELECT max(n) FROM t' >lingering/page.sql
	jq --arg url "$url" '.hooks = {"activate": ($url + "/activate")}' "$PLUGPKG_ROOT/plugpkg.json" >new
	cp new "$PLUGPKG_ROOT/plugpkg.json"
	plugpkg install -q -y --allow-unsigned user@1.0 ./lingering
	curl -s -m 60 "$url/" >answer 3>&- &
	asking=$!
	sleep 0.1
	plugpkg remove -q -y user
	wait "$asking"
	assert_equal "$(jq -c .plugins.user.page answer)" '[["ada"],["grace"],["edsger"]]'
	run -0 curl -s -m 60 "$url/"
	assert_equal "$(json_get '.plugins | keys[]')" lingering
}
