# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2016 # much here is not to expand
# The attack list, scripts and output: S49 to S53 and S57. Runaway scripts (S54) are in script-faults.bats, a
# stolen author's account (S55) in owner.bats, vetoes (S56) in dependents.bats.

setup_file() {
	load ../helpers
	load attacks
	need python3 jq openssl sqlite3 zstd strace
	make_world
	keep_world
}

setup() {
	load ../helpers
	load attacks
	enter_world
}

# script NAME BODY [MEMBERS]: plugin NAME 1.0.0 with this install script, published and seen.
script() {
	local dir
	dir=$(make_plugin "$1" 1.0.0 "\"scripts\": {\"install\": \"scripts/install.sh\"}${3:+, $3}")
	add_script "$dir" install "$2"
	publish "$(build_plugin "$1" 1.0.0)"
	plugpkg update >/dev/null
}

no_controls() {
	run ! grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]' <<<"$1"
}

@test "S49: nothing of a hostile caller's environment and none of his descriptors reach a script" {
	local plugpkg
	plugpkg=$(command -v plugpkg)
	script env 'env >"$PLUGPKG_DATA/env"; ls /proc/self/fd | tr "\n" " " >"$PLUGPKG_DATA/fds"; umask >"$PLUGPKG_DATA/umask"'
	echo "touch '$SCRATCH/evil-sourced'" >sourced
	mkdir bin
	printf '#!/bin/sh\ntouch %q\n' "$SCRATCH/evil-path" >bin/env
	chmod 755 bin/env
	(
		umask 0
		exec 7<repo/keys/online.key 8<repo/keys
		env "PATH=$SCRATCH/bin:/usr/bin:/bin" BASH_ENV="$SCRATCH/sourced" ENV="$SCRATCH/sourced" IFS=/ \
			PS4='$(touch evil-ps4)' PERL5OPT=-Mevil PYTHONSTARTUP="$SCRATCH/sourced" \
			NODE_OPTIONS='--require evil' LD_BIND_NOW=1 GLIBC_TUNABLES=x=y CDPATH=/ \
			'BASH_FUNC_env%%=() { touch evil-function; }' '_x=() { :; }; touch evil-shock' \
			"$plugpkg" install env -y
	)
	run cat root/data/env/env
	assert_lacks "$SCRATCH/bin" sourced IFS= PS4 PERL NODE $'\nLD_' GLIBC CDPATH BASH_FUNC _x= evil
	assert_equal "$(cat root/data/env/fds)" "0 1 2 3 " # 3 is the directory that ls reads
	assert_equal "$(cat root/data/env/umask)" 0022
	assert_equal "$(loose_ends)" ""
	honest_run_works
}

@test "S50: names, versions, files and settings that are shell code are never run as such" {
	local word
	for word in '$(touch evil)' 'a;touch evil' '`touch evil`' "a'b" 'a|b' '-rf' $'a\ntouch evil'; do
		refused_with 2 "is no plugin name" "[bad-name]" -- plugpkg install -y -- "$word"
		refused_with 2 "is no plugin name" "[bad-name]" -- plugpkg remove -y -- "$word"
		refused_with 2 "is no range" "[bad-range]" -- plugpkg install -y -- "honest@$word"
	done
	script settings 'printf %s "$WORD" >"$PLUGPKG_DATA/word"'
	jq '.settings = {"WORD": "$(touch evil); `touch evil`"}' root/plugpkg.json >new
	cp new root/plugpkg.json
	mkdir 'di;touch evil $(touch evil)'
	mv settings-1.0.0.plug 'di;touch evil $(touch evil)'
	plugpkg install './di;touch evil $(touch evil)/settings-1.0.0.plug' -y --allow-unsigned
	assert_equal "$(cat root/data/settings/word)" '$(touch evil); `touch evil`'
	assert_missing evil root/evil root/store/settings/1.0.0/evil
	honest_run_works
}

@test "S50: a script's path may hold blanks and shell characters, and is one word" {
	local dir
	dir=$(make_plugin odd 1.0.0 '"scripts": {"install": "it; touch evil $(touch evil)"}')
	printf '#!/bin/sh\ntouch "$PLUGPKG_DATA/ran"\n' >"$dir/it; touch evil \$(touch evil)"
	chmod 755 "$dir/it; touch evil \$(touch evil)"
	run plugpkg install "$dir" -y --allow-unsigned
	if [ "$status" -eq 0 ]; then
		assert_exists root/data/odd/ran
	else
		assert_has "[bad-manifest]"
	fi
	run find "$SCRATCH" -name 'evil*'
	assert_equal "$output" ""
	honest_run_works
}

@test "S51: a manifest whose name or version has more than one line, or code, makes no plugin" {
	local text field
	for text in 'x\nend; system(1)' 'x\u0000y' "x'); drop table plugins; --" '<script>' '../x'; do
		for field in name version; do
			make_plugin odd 1.0.0 >/dev/null
			jq --argjson t "\"$text\"" ".$field = \$t" "$(plugin_dir odd 1.0.0)/plugin.json" >new
			cp new "$(plugin_dir odd 1.0.0)/plugin.json"
			root_before
			run plugpkg install "$(plugin_dir odd 1.0.0)" -y --allow-unsigned
			[ "$status" -ne 0 ] || fail "taken: $field $text"
			assert_has "[bad-manifest]"
			no_controls "$output"
			nothing_changed
		done
	done 2>/dev/null
	honest_run_works
}

@test "S52: no control character of metadata or a script is printed by any command, and --json escapes them" {
	local evil=$'gr\u009b31m \u202erotsac\u2066 end' command
	script loud 'printf "x\033]0;title\007 \033[2J\302\233m \342\200\256 y\n" | tee /dev/stderr' \
		"\"description\": \"$evil\", \"keywords\": [\"$evil\"], \"authors\": [\"$evil\"]"
	for command in "install loud -y" "show loud" "search loud" "list" "list --available" "why loud" \
		"why-not loud@9" "policy loud" "depends loud" "history" "history 2" "log" \
		"install loud@$evil -y" "check" "remove loud -y"; do
		# shellcheck disable=SC2086 # words
		run plugpkg $command
		no_controls "$output"
		# shellcheck disable=SC2086 # words
		run plugpkg $command --json
		no_controls "$output"
	done
	honest_run_works
}

@test "S53: HTML in metadata stays text; there is no dashboard, and no command listens anywhere" {
	local html='<script>alert(1)</script><img src=x onerror=alert(1)>'
	local traced=(strace -f -qq -e "trace=bind,listen" -e signal=none -o trace)
	is_plain_build || traced=() # nobody is traced by two at once
	: >trace
	make_plugin page 1.0.0 "\"description\": \"$html\", \"keywords\": [\"$html\"]" >/dev/null
	publish "$(build_plugin page 1.0.0)"
	plugpkg update
	run -0 "${traced[@]}" plugpkg install page -y
	assert_equal "$(grep -E 'bind|listen' trace || true)" ""
	run -0 plugpkg show page --json
	assert_equal "$(json_get 'select(.type == "show").description')" "$html"
	honest_run_works
}

@test "S57: what a script prints forges neither a line of the log nor one of the history" {
	script liar 'printf "x\ntransaction 1: done\r2026-01-01 honest: removed\n\0transaction 9: undone\n"'
	plugpkg install liar -y
	run -0 plugpkg log --json
	# The words are there, but as what they are: three lines of the plugin, each whole.
	assert_equal "$(json_get 'select(.channel == "install" and (.text | test("^install ") | not)).text')" \
		'x
transaction 1: done\x0d2026-01-01 honest: removed
\x00transaction 9: undone'
	assert_equal "$(json_get 'select(.channel == "transaction").text' | grep -cE 'transaction .: (un)?done')" 2
	run -0 plugpkg log
	no_controls "$output"
	assert_equal "$(grep -E '9: undone|honest: removed' <<<"$output" | grep -vc liar)" 0
	refused_with 2 "[bad-name]" -- plugpkg install $'a\ntransaction 3: done' -y
	run plugpkg history
	assert_lacks "transaction 3: done"
	honest_run_works
}
