# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The author's tools: new makes a working skeleton, lint finds what is wrong and what could be better,
# build packs the same input into the same bytes.

setup() {
	load ../helpers
	setup_scratch
}

# ---- new -------------------------------------------------------------------------------------

@test "new makes a skeleton that lints without a word and builds" {
	run -0 plugpkg new gallery
	assert_has "gallery/plugin.json" "gallery/scripts/install.sh"
	assert_exists gallery/README.md gallery/.plugignore
	[ -x gallery/scripts/install.sh ]
	run -0 plugpkg lint gallery
	assert_lacks "error" "warning"
	run -0 plugpkg build gallery
	assert_has "gallery-0.1.0.plug"
	assert_exists gallery-0.1.0.plug
}

@test "new makes a flat directory for a scoped name" {
	run -0 plugpkg new @acme/animal
	assert_exists acme-animal/plugin.json
	grep -q '"@acme/animal"' acme-animal/plugin.json
	run -0 plugpkg build acme-animal
	assert_exists acme-animal-0.1.0.plug
}

@test "new leaves alone what is there" {
	mkdir gallery
	echo mine >gallery/plugin.json
	run -1 plugpkg new gallery
	assert_has "'gallery' is there already" "[exists]" "hint: "
	assert_equal "$(cat gallery/plugin.json)" mine
}

@test "new refuses a bad name, says why and how, and makes nothing" {
	run -2 plugpkg new Gallery
	assert_has "'Gallery' is no plugin name" "[bad-name]" "hint: "
	assert_missing Gallery gallery
}

@test "the scripts of a skeleton are sound shell" {
	plugpkg new gallery >/dev/null
	local script
	for script in gallery/scripts/*.sh; do
		sh -n "$script"
	done
	mkdir data
	run -0 env -i PATH="$PATH" PLUGPKG_NAME=gallery PLUGPKG_VERSION=0.1.0 PLUGPKG_DATA="$SCRATCH/data" \
		gallery/scripts/install.sh
	run -0 env -i PATH="$PATH" PLUGPKG_NAME=gallery PLUGPKG_VERSION=0.1.0 PLUGPKG_DATA="$SCRATCH/data" \
		gallery/scripts/install.sh
}

# ---- lint ------------------------------------------------------------------------------------

@test "lint works on the directory one is in" {
	plugpkg new gallery >/dev/null
	cd gallery
	run -0 plugpkg lint
	echo '{' >plugin.json
	run -1 plugpkg lint .
	assert_has "error: plugin.json: no valid JSON"
}

@test "lint of a directory that is not there is not found" {
	run -4 plugpkg lint nowhere
	assert_has "nowhere" "[not-found]"
}

@test "a script has to be there, executable, a file, a program, and inside" {
	local dir
	dir=$(make_plugin a 1.0.0 '"scripts": {"install": "s/install.sh"}')
	run -1 plugpkg lint "$dir"
	assert_has "field 'scripts.install': 's/install.sh' is missing from the plugin's directory"
	mkdir -p "$dir/s/install.sh"
	run -1 plugpkg lint "$dir"
	assert_has "'s/install.sh' is no regular file"
	rmdir "$dir/s/install.sh"
	printf '#!/bin/sh\n' >"$dir/s/install.sh"
	run -1 plugpkg lint "$dir"
	assert_has "'s/install.sh' is not executable; run: chmod +x s/install.sh"
	chmod 755 "$dir/s/install.sh"
	run -0 plugpkg lint "$dir"
	echo 'echo hello' >"$dir/s/install.sh"
	run -1 plugpkg lint "$dir"
	assert_has "does not start with '#!'"
	printf '#!/bin/sh\r\necho\r\n' >"$dir/s/install.sh"
	run -1 plugpkg lint "$dir"
	assert_has "ends in a carriage return"
	rm "$dir/s/install.sh"
	ln -s /bin/sh "$dir/s/install.sh"
	run -1 plugpkg lint "$dir"
	assert_has "'s/install.sh' leads out of the plugin's directory"
}

@test "post scripts and event scripts are looked at as well" {
	local dir
	dir=$(make_plugin a 1.0.0 '"scripts": {"post-install": [{"level": 0, "run": "p.sh"}]}, "on": {"uninstall-before": "e.sh"}')
	run -1 plugpkg lint "$dir"
	assert_has "field 'scripts.post-install': 'p.sh' is missing" "field 'on.uninstall-before': 'e.sh' is missing"
}

@test "members that nobody reads are warnings with near ones" {
	local dir
	dir=$(make_plugin a 1.0.0 '"sumary": "x", "dependencies": {}, "whatever": 1, "scripts": {"preinstall": "x", "instal": "x"}')
	run -0 plugpkg lint "$dir"
	assert_has "warning: " "field 'sumary' is not known and has no effect; did you mean 'summary'?" \
		"field 'dependencies' is not known and has no effect; did you mean 'requires'?" \
		"field 'whatever' is not known and has no effect; members of your own go into 'extra'" \
		"field 'scripts.instal' is not known and has no effect; did you mean 'scripts.install'?"
}

@test "a missing summary, a missing license and a version that is no Semantic Version are warnings" {
	mkdir a
	echo '{"name": "a", "version": "1.2"}' >a/plugin.json
	run -0 plugpkg lint a
	assert_has "field 'summary' is missing" "field 'license' is missing" "'1.2' is no Semantic Version"
	run -0 plugpkg build a
	assert_exists a-1.2.plug
}

@test "a schema named for editors is no unknown member" {
	local dir
	# shellcheck disable=SC2016 # a member's name
	dir=$(make_plugin a 1.0.0 '"$schema": "plugin.schema.json"')
	run -0 plugpkg lint "$dir"
	assert_lacks "warning"
}

@test "lint finds what no archive may hold" {
	local dir
	dir=$(make_plugin a 1.0.0)
	ln -s ../../../etc/passwd "$dir/out"
	run -1 plugpkg lint "$dir"
	assert_has "error: " "'out'" "leaves the plugin"
	rm "$dir/out"
	mkfifo "$dir/pipe"
	run -1 plugpkg lint "$dir"
	assert_has "'pipe'" "FIFO"
	rm "$dir/pipe"
	touch "$dir/File" "$dir/file"
	run -1 plugpkg lint "$dir"
	assert_has "only in case"
	rm "$dir/File"
	touch "$dir/new"$'\n'"line"
	run -1 plugpkg lint "$dir"
	assert_has "control"
}

@test "what .plugignore leaves out is not linted" {
	local dir
	dir=$(make_plugin a 1.0.0)
	mkfifo "$dir/pipe"
	echo pipe >"$dir/.plugignore"
	run -0 plugpkg lint "$dir"
}

# ---- build -----------------------------------------------------------------------------------

@test "build gives the same bytes for the same input, whenever and wherever" {
	local dir
	dir=$(make_plugin @acme/animal 1.4.0)
	add_script "$dir" install
	run -0 plugpkg build "$dir"
	mkdir out
	cp -r "$dir" elsewhere
	touch -d 2001-01-01 elsewhere/plugin.json
	(umask 077 && touch elsewhere/scripts)
	run -0 plugpkg build elsewhere -o out
	assert_has "out/acme-animal-1.4.0.plug"
	cmp acme-animal-1.4.0.plug out/acme-animal-1.4.0.plug
}

@test "build honours SOURCE_DATE_EPOCH and refuses nonsense in it" {
	local dir
	dir=$(make_plugin a 1.0.0)
	plugpkg build "$dir" >/dev/null
	mkdir out
	SOURCE_DATE_EPOCH=1000000000 run -0 plugpkg build "$dir" -o out
	run ! cmp -s a-1.0.0.plug out/a-1.0.0.plug
	tar --zstd -tvf out/a-1.0.0.plug --utc | grep -q '2001-09-09'
	SOURCE_DATE_EPOCH=yesterday run -2 plugpkg build "$dir" -o out
	assert_has "SOURCE_DATE_EPOCH"
}

@test "an archive starts with its manifest and owns nothing of the machine" {
	local dir list
	dir=$(make_plugin a 1.0.0)
	add_script "$dir" install
	plugpkg build "$dir" >/dev/null
	list=$(tar --zstd -tvf a-1.0.0.plug --numeric-owner --utc)
	[[ $(head -n 1 <<<"$list") == *plugin.json ]]
	assert_equal "$(awk '{ print $2 }' <<<"$list" | sort -u)" 0/0
	assert_equal "$(awk '{ print $1 }' <<<"$list" | sort -u | tr '\n' ' ')" "-rw-r--r-- -rwxr-xr-x drwxr-xr-x "
}

@test "a small directory is packed with small tables, a large one better" {
	local dir
	dir=$(make_plugin a 1.0.0)
	head -c 900000 /dev/urandom >"$dir/one"
	run -0 plugpkg build "$dir"
	run -0 zstd -lv a-1.0.0.plug
	assert_has "Window Size: 2.00 MiB"
	cp "$dir/one" "$dir/two"
	run -0 plugpkg build "$dir"
	run -0 zstd -lv a-1.0.0.plug
	assert_has "Window Size: 4.00 MiB"
}

@test "build refuses what lint refuses, and leaves no file behind" {
	local dir
	dir=$(make_plugin a 1.0.0 '"requires": {"user": "^^2"}')
	run -1 plugpkg build "$dir"
	assert_has "[bad-manifest]" "plugpkg lint"
	assert_missing a-1.0.0.plug
	dir=$(make_plugin b 1.0.0)
	ln -s /etc/passwd "$dir/link"
	run -6 plugpkg build "$dir"
	assert_has "'link'" "[bad-archive]"
	assert_equal "$(find . -maxdepth 1 -name '*.plug*')" ""
}

@test "build into a directory that is not there is not found" {
	local dir
	dir=$(make_plugin a 1.0.0)
	run -4 plugpkg build "$dir" -o nowhere
	assert_has "nowhere" "[not-found]"
}

@test "the scripts of a skeleton do no harm when they run twice" {
	local dir=$SCRATCH/mine
	plugpkg new mine
	plugpkg init "$SCRATCH/root" >/dev/null
	export PLUGPKG_NAME=mine PLUGPKG_VERSION=0.1.0 PLUGPKG_OLD_VERSION=0.0.9 PLUGPKG_DATA=$SCRATCH/data
	for script in install upgrade uninstall; do
		run -0 "$dir/scripts/$script.sh"
		first=$output
		find data >"$script.first"
		run -0 "$dir/scripts/$script.sh"
		assert_equal "$output" "$first"
		find data | diff "$script.first" -
	done
}
