#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# plugpkg.lock: written, compared, damaged.

setup() {
	load ../helpers
	setup_scratch
	make_repo
	for name in solo user; do
		make_plugin "$name" 1.0.0 >/dev/null
	done
	publish "$(build_plugin solo 1.0.0)" "$(build_plugin user 1.0.0)"
	make_root
	jq '.provides = {"host:cms": "1.2.0"}' "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
	lock=$PLUGPKG_ROOT/plugpkg.lock
}

@test "the lock has versions, sources, digests and what the application was" {
	plugpkg install solo -y
	sha=$(sha256sum solo-1.0.0.plug | cut -d' ' -f1)
	cat >want <<-END
		{
		  "format": 1,
		  "host": {
		    "host:cms": "1.2.0"
		  },
		  "plugins": {
		    "solo": {
		      "version": "1.0.0",
		      "source": "test",
		      "sha256": "$sha"
		    }
		  }
		}
	END
	cmp want "$lock"
}

@test "the same set gives the same bytes, whatever the way to it" {
	plugpkg install solo user -y
	cp "$lock" one
	plugpkg remove user solo -y
	plugpkg install user -y
	plugpkg install solo -y
	cmp one "$lock"
	run plugpkg lock --print
	assert_status 0
	assert_equal "$output" "$(cat one)"
}

@test "its schema accepts it" {
	need python3
	python3 -c 'import jsonschema' 2>/dev/null || skip "no jsonschema for python3"
	plugpkg install solo -y
	plugpkg link "$(make_plugin mine 0.1.0)" -y
	python3 -c 'import json, sys, jsonschema
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))' \
		"$top_srcdir/repo-format/plugpkg.lock.schema.json" "$lock"
}

@test "lock writes what is installed, and leaves a right file alone" {
	plugpkg install solo -y
	cp "$lock" one
	rm "$lock"
	run plugpkg lock --check
	assert_status 3
	assert_has "there is no '$lock'" "plugpkg lock writes it"
	run plugpkg lock
	assert_status 0
	assert_has "was written"
	cmp one "$lock"
	stat -c '%i %Y' "$lock" >before
	run plugpkg lock
	assert_status 0
	assert_has "says that already"
	stat -c '%i %Y' "$lock" | diff before -
}

@test "lock --check says what differs" {
	plugpkg install solo user -y
	run plugpkg lock --check
	assert_status 0
	jq '.host["host:cms"] = "1.1.0" | .plugins.solo.version = "1.0.1" |
		.plugins.user.sha256 |= (if startswith("00") then "11" else "00" end) + .[2:] |
		.plugins.extra = .plugins.solo' "$lock" >new.lock
	cp new.lock "$lock"
	run plugpkg lock --check
	assert_status 1
	assert_equal "$output" "plugpkg.lock is for host:cms 1.1.0; this application has 1.2.0
extra 1.0.1 is missing
solo is 1.0.0, not 1.0.1
user 1.0.0 has another digest in plugpkg.lock"
	run --separate-stderr plugpkg lock --check --json
	assert_status 1
	assert_equal "$(json_get 'select(.type == "difference").kind' | xargs)" \
		"host missing version content"
	cmp new.lock "$lock"
}

@test "a damaged lock names its line or field; only sync minds, and says how to go on" {
	plugpkg install solo -y
	good=$(cat "$lock")
	sed 's/"sha256": ".*"/"sha256": "abc"/' "$lock" >new.lock
	cp new.lock "$lock"
	for command in "sync" "sync --locked" "sync --check" "lock --check"; do
		# shellcheck disable=SC2086 # words
		run plugpkg $command
		assert_status 1
		assert_has "plugpkg.lock: line 10" "field 'plugins.solo.sha256'" "[bad-lock]" "plugpkg lock"
	done
	run plugpkg list
	assert_status 0
	run plugpkg check
	assert_status 0
	run plugpkg upgrade -y
	assert_status 0
	cmp new.lock "$lock"
	run plugpkg lock
	assert_status 0
	assert_equal "$(cat "$lock")" "$good"
}

@test "a conflict that version control left is called that, and the next change writes the file anew" {
	plugpkg install solo -y
	{
		head -n 3 "$lock"
		echo '<<<<<<< ours'
		tail -n +4 "$lock"
	} >new.lock
	cp new.lock "$lock"
	run plugpkg sync
	assert_status 1
	assert_has "line 4: two versions of the file were merged" "version control"
	run plugpkg install user -y
	assert_status 0
	run plugpkg lock --check
	assert_status 0
}

@test "a lock of a newer format is not guessed at" {
	plugpkg install solo -y
	jq '.format = 2 | .shiny = true' "$lock" >new.lock
	cp new.lock "$lock"
	run plugpkg sync
	assert_status 1
	assert_has "format 2 is of a newer plugpkg"
}

@test "hostile locks end at once" {
	plugpkg install solo -y
	python3 -c 'print("[" * 1000000)' >"$lock"
	run timeout 5 plugpkg sync
	assert_status 1
	assert_has "[bad-lock]"
	python3 -c 'print("{\"format\": 1, \"host\": {}, \"plugins\": {\"a\": {\"version\": \"" + "1" * 1000000 + "\"}}}")' >"$lock"
	run timeout 5 plugpkg sync
	assert_status 1
	assert_has "[bad-lock]"
	[ "${#output}" -lt 1000 ]
	rm "$lock"
	mkdir "$lock"
	run plugpkg sync
	assert_status 1
	assert_has "[io]"
	rmdir "$lock"
	head -c 17000000 /dev/zero | tr '\0' ' ' >"$lock"
	run timeout 5 plugpkg sync
	assert_status 1
}
