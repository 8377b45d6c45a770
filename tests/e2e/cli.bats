# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The command line itself: help, usage errors, exit statuses, --json, terminals, hostile text.

setup() {
	load ../helpers
	setup_scratch
}

commands() {
	plugpkg --help | sed -nE 's/^  ([a-z]+) +.*/\1/p'
}

# on_terminal INPUT COMMAND...: runs the command on a pseudo terminal and types INPUT.
on_terminal() {
	local input=$1 line
	shift
	need script
	printf -v line '%q ' "$@"
	# The input stays open until the command has ended: its end would be one more answer.
	run script -qec "$line" /dev/null < <(printf %b "$input" && exec sleep 30)
	kill $! 2>/dev/null || true
}

# every_row JQ-CONDITION: holds for each line of the output.
every_row() {
	jq -es "length > 0 and all($1)" <<<"$output" >/dev/null || {
		show_run
		fail "not every row: $1"
	}
}

last_row() {
	tail -n 1 <<<"$output" | jq -r "$1"
}

# ---- help ------------------------------------------------------------------------------------

@test "plugpkg --help lists the commands and the common options" {
	run -0 plugpkg --help
	assert_has "Usage: plugpkg COMMAND" "  install " "  source " "--root DIR" "--json"
	assert_lacks "completion"
}

@test "every command has help, by --help, -h and plugpkg help" {
	local command
	for command in $(commands); do
		run -0 plugpkg "$command" --help
		assert_has "Usage: plugpkg $command" "--root DIR" "Manual: plugpkg-$command(1)"
		local long=$output
		run -0 plugpkg help "$command"
		assert_equal "$output" "$long"
		run -0 plugpkg "$command" -h
		assert_equal "$output" "$long"
	done
	[ "$(commands | wc -l)" -gt 15 ]
}

@test "a subcommand has help of its own" {
	run -0 plugpkg help source add
	assert_has "Usage: plugpkg source add" "--key KEY"
	run -0 plugpkg source add --help
	assert_has "--priority N"
	run -2 plugpkg help source ad
	assert_has "unknown command 'source ad'" "did you mean 'add'?"
	run -2 plugpkg help list x
	assert_has "no commands of its own"
	run -2 plugpkg help frobnicate
	assert_has "plugpkg --help lists the commands"
}

@test "help names a manual page that there is" {
	run -0 plugpkg help source add
	assert_has "Manual: plugpkg-source(1)"
	run -0 plugpkg-repo add --help
	assert_has "Manual: plugpkg-repo(1)"
}

@test "the version is told by --version and plugpkg version" {
	run -0 plugpkg --version
	[[ $output =~ ^plugpkg\ [0-9]+\.[0-9]+ ]]
	local line=$output
	run -0 plugpkg version
	assert_equal "$output" "$line"
	run -0 plugpkg list --version
	assert_equal "$output" "$line"
}

# ---- usage errors ----------------------------------------------------------------------------

@test "without a command it says where the commands are listed" {
	run -2 --separate-stderr plugpkg
	assert_equal "$output" ""
	assert_has "error: no command given [usage]" "hint: plugpkg --help"
}

@test "an unknown command is answered with near names" {
	run -2 plugpkg instal x
	assert_has "unknown command 'instal' [usage]" "did you mean 'install'?"
	run -2 plugpkg up
	assert_has "'update'" "'upgrade'"
	run -2 plugpkg frobnicate
	assert_has "plugpkg --help lists the commands"
	assert_lacks "did you mean"
	run -2 plugpkg source lst
	assert_has "did you mean 'list'?"
}

@test "a command that has another name elsewhere is answered with its name here" {
	local word
	for word in uninstall delete rm erase unlink; do
		run -2 plugpkg "$word" x
		assert_has "hint: did you mean 'remove'?"
	done
	run -2 plugpkg ls
	assert_has "did you mean 'list'?"
	run -2 plugpkg outdated
	assert_has "did you mean 'list --upgradable'?"
	run -2 plugpkg publish x.plug
	assert_has "did you mean 'plugpkg-repo publish'?"
	run -2 plugpkg help uninstall
	assert_has "did you mean 'remove'?"
	run -2 plugpkg source rm x
	assert_has "did you mean 'remove'?"
	run -2 plugpkg source uninstal x
	assert_lacks "did you mean"
	run -2 plugpkg-repo unpublish x@1
	assert_has "did you mean 'remove'?"
	run -2 plugpkg-repo build x
	assert_has "did you mean 'plugpkg build'?"
}

@test "an unknown option is answered with near names" {
	run -2 plugpkg install --dryrun x
	assert_has "unknown option '--dryrun' [usage]" "did you mean '--dry-run'?"
	run -2 plugpkg list -z
	assert_has "unknown option '-z'"
	run -2 plugpkg --keep 3 clean
	assert_has "unknown option '--keep'"
}

@test "options with and without values are told apart" {
	run -2 plugpkg list --root
	assert_has "option '--root' needs a value: DIR"
	run -2 plugpkg build -o
	assert_has "option '-o' needs a value: DIR"
	run -2 plugpkg list --json=yes
	assert_has "option '--json' takes no value"
}

@test "numbers are numbers in their range" {
	plugpkg init "$PLUGPKG_ROOT"
	local bad
	for bad in -1 1.5 x "" 99999999999999999999; do
		run -2 plugpkg clean "--keep=$bad"
		assert_has "option '--keep' is '$bad', which is no number from 0 to"
		run -2 plugpkg check "--wait=$bad"
		assert_has "option '--wait' is '$bad'"
	done
	run -2 plugpkg source add x file:///x --priority high
	assert_has "option '--priority' is 'high'"
	run -2 plugpkg list --jobs 0
	assert_has "option '--jobs' is '0', which is no number from 1 to 32"
	run -2 plugpkg log --transaction 0
	assert_has "option '--transaction' is '0', which is no number from 1 to"
	run -2 plugpkg-repo init repo --threshold 0
	assert_has "option '--threshold' is '0', which is no number from 1 to"
}

@test "too few and too many operands are refused" {
	plugpkg init "$PLUGPKG_ROOT"
	local command
	for command in install show search depends rdepends why hold unhold link new "source add" \
		"source remove" "mark auto" "mark manual"; do
		# shellcheck disable=SC2086 # a command may be two words
		run -2 plugpkg $command
		assert_has "needs more: "
	done
	for command in "show a b" "update x" "autoremove x" "new a b" "check x" "list a b" "init a b" \
		"source list x" "version x" "source add x" "why a b"; do
		# shellcheck disable=SC2086
		run -2 plugpkg $command
		assert_has "[usage]"
	done
	run -2 plugpkg source
	assert_has "needs one of: add | list | remove"
	run -2 plugpkg remove
	assert_has "NAME... or --all"
	run -2 plugpkg purge --all x
	assert_has "exclude each other"
}

@test "choices that exclude each other are refused" {
	plugpkg init "$PLUGPKG_ROOT"
	run -2 plugpkg list --manual --auto
	assert_has "exclude each other"
	run -2 plugpkg list --check
	assert_has "goes with '--upgradable'"
	run -2 plugpkg list --available --manual
	assert_has "exclude each other"
	run -2 plugpkg list --wait=1 --no-wait
	assert_has "exclude each other"
}

@test "an empty --root is refused, not looked for further up" {
	plugpkg init "$PLUGPKG_ROOT"
	cd "$PLUGPKG_ROOT"
	run -2 plugpkg list --root ""
	assert_has "option '--root' needs a directory [usage]"
	PLUGPKG_ROOT="" run -0 plugpkg list
}

@test "options stand before or after operands, -- ends them, letters are bundled" {
	plugpkg init "$PLUGPKG_ROOT"
	unset PLUGPKG_ROOT
	run -0 plugpkg --root root list
	run -0 plugpkg list --root root
	run -0 plugpkg list --root=root
	run -0 plugpkg --root=/nowhere list --root root '*'
	run -0 plugpkg -qyv list --root root
	run -0 plugpkg list --root root -- -x
	assert_equal "$output" ""
	run -2 plugpkg list --root root -x
}

@test "times from the environment are checked" {
	plugpkg init "$PLUGPKG_ROOT"
	PLUGPKG_NOW=yesterday run -2 plugpkg list
	assert_has "PLUGPKG_NOW is 'yesterday'"
	PLUGPKG_NOW=2026-11-21T14:00:00Z run -0 plugpkg list
	PLUGPKG_NOW=1795269600 run -0 plugpkg list
	SOURCE_DATE_EPOCH=now run -2 plugpkg build "$(make_plugin a 1.0.0)"
	assert_has "SOURCE_DATE_EPOCH is 'now'"
}

# ---- exit statuses ---------------------------------------------------------------------------

@test "no root at all is told with the way to make one" {
	unset PLUGPKG_ROOT
	run -1 plugpkg list
	assert_has "[no-root]" "hint: name the root with --root, or make one with plugpkg init"
	run -1 plugpkg --root "$SCRATCH/home" list
	assert_has "[no-root]"
}

@test "exit statuses: done, not found, no solution, refused without a terminal, upgrades exist" {
	make_repo
	publish "$(build_plugin a 1.0.0)" \
		"$(build_plugin b 1.0.0 '"requires": {"host:nowhere": "*"}')"
	make_root
	run -4 plugpkg install -y nothing
	assert_has "[not-found]"
	run -3 plugpkg install -y b
	assert_has "[no-solution]"
	run -11 plugpkg install a
	assert_has "[needs-confirmation]" "hint: add -y"
	assert_not_installed a
	run -0 plugpkg install -y a
	assert_installed a 1.0.0
	run -0 plugpkg install -y a
	assert_has "Nothing to do."
	run -0 plugpkg list --upgradable --check
	publish "$(build_plugin a 1.1.0)"
	plugpkg update
	run -100 plugpkg list --upgradable --check
	assert_has "1.0.0 -> 1.1.0"
	run -0 plugpkg list --upgradable
}

@test "exit statuses: network, wrong key, script, not installed" {
	make_repo
	local dir
	dir=$(make_plugin a 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install 'echo "out of order"; exit 3'
	publish "$(build_plugin a 1.0.0)"
	make_root
	run -7 plugpkg install -y a
	assert_has "[script-failed]" "  | a: out of order"
	assert_not_installed a
	run -4 plugpkg remove -y a
	run -5 plugpkg source add away "file://$SCRATCH/away" --key "sha256:$(printf '%064d' 0)"
	assert_has "[network]"
	run -6 plugpkg source add other "file://$SCRATCH/repo/public" \
		--key "sha256:$(printf '%064d' 0)"
	assert_has "[wrong-key]"
	run -2 plugpkg install -y 'A B'
	assert_has "[bad-name]"
}

@test "a locked root is waited for, not at all, or for some seconds" {
	need flock
	plugpkg init "$PLUGPKG_ROOT"
	flock --no-fork "$PLUGPKG_ROOT/var/lock" sleep 30 3>&- &
	local holder=$! before=$SECONDS
	while flock -n "$PLUGPKG_ROOT/var/lock" true; do sleep 0.1; done
	run -8 plugpkg clean --no-wait
	assert_has "[locked]"
	run -8 plugpkg clean --wait=1
	assert_has "[locked]"
	[ $((SECONDS - before)) -lt 20 ]
	run -0 plugpkg list
	kill "$holder"
}

# ---- --json ----------------------------------------------------------------------------------

@test "with --json the last line is the result, also of a usage error" {
	plugpkg init "$PLUGPKG_ROOT"
	local arguments
	for arguments in "" "nonsense" "--nonsense" "list --nonsense" "install" "list --manual --auto"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr plugpkg $arguments --json
		every_row '.v == 1 and .type == "result"'
		assert_equal "$(last_row '[.ok, .code, .exit] | @csv')" 'false,"usage",2'
		[ -n "$(last_row '.message')" ]
		[ -n "$(last_row '.hint')" ]
		assert_equal "${stderr-}" ""
	done
	run -0 --separate-stderr plugpkg --help --json
	assert_equal "$(last_row .ok)" true
}

@test "with --json nothing but rows is on standard output, of every kind of command" {
	run -0 --separate-stderr plugpkg init --json "$PLUGPKG_ROOT"
	every_row '.v == 1 and has("type")'
	assert_equal "$(json_get 'select(.type == "initialised").directory')" "$PLUGPKG_ROOT"
	run -0 --separate-stderr plugpkg completion bash --json
	every_row '.v == 1 and has("type")'
	assert_equal "$(json_get 'select(.type == "completion").text')" "$(plugpkg completion bash)"
	run -0 --separate-stderr plugpkg help install --json
	every_row '.v == 1 and .type == "result"'
	[[ $stderr == *"Usage: plugpkg install"* ]]
}

@test "--json rows have version and type; the plan, the transaction and the answer are there" {
	make_repo
	publish "$(build_plugin user 2.1.0)" \
		"$(build_plugin animal 1.4.0 '"requires": {"user": "^2"}, "keywords": ["zoo"]')"
	make_root
	run -0 --separate-stderr plugpkg install --json --dry-run animal
	every_row '.v == 1 and (.type | type) == "string"'
	assert_equal "$(json_get 'select(.type == "step") | .name + " " + .why')" \
		"user required
animal requested"
	assert_equal "$(json_get 'select(.type == "summary").install')" 2
	run -11 --separate-stderr plugpkg install --json animal
	assert_equal "$(last_row .code)" needs-confirmation
	assert_not_installed animal

	run -0 --separate-stderr plugpkg install --json -y animal
	every_row '.v == 1 and (.type | type) == "string"'
	assert_equal "$(json_get 'select(.type == "transaction").generation')" 1
	assert_equal "$(last_row '[.type, .ok, .code, .exit] | @csv')" '"result",true,"ok",0'
	assert_equal "${stderr-}" ""

	local question
	for question in list "list --available" "show animal" "search zoo" "depends animal" \
		"rdepends user" "why user" "hold user" "unhold user" "mark manual user" "source list" \
		update check clean version; do
		# shellcheck disable=SC2086
		run -0 --separate-stderr plugpkg $question --json
		every_row '.v == 1 and (.type | type) == "string"'
		assert_equal "$(last_row '[.type, .ok] | @csv')" '"result",true'
	done
	run -4 --separate-stderr plugpkg show nothing --json
	assert_equal "$(last_row '[.ok, .code, .exit] | @csv')" 'false,"not-found",4'
}

@test "with --json what scripts print is an event" {
	make_repo
	local dir
	dir=$(make_plugin a 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install 'echo hello'
	publish "$(build_plugin a 1.0.0)"
	make_root
	run -0 --separate-stderr plugpkg install -y --json a
	assert_equal "$(json_get 'select(.event == "script-output") | .plugin + ": " + .text')" "a: hello"
}

# ---- what is said and where ------------------------------------------------------------------

@test "standard output has the answer, standard error the talk" {
	make_repo
	publish "$(build_plugin a 1.0.0)"
	make_root
	run -0 --separate-stderr plugpkg install -y a
	[[ $output == *"The following NEW plugins"* ]]
	[[ $stderr == *"install a 1.0.0"* ]]
	run -0 --separate-stderr plugpkg list
	[[ $output == "a  1.0.0  test  manual"* ]]
	assert_equal "$stderr" ""
}

@test "-q says nothing when all goes well, and errors when not" {
	make_repo
	publish "$(build_plugin a 1.0.0)"
	make_root
	run -0 plugpkg update -q
	assert_equal "$output" ""
	run -0 plugpkg install -q -y a
	assert_equal "$output" ""
	run -0 plugpkg list -q
	assert_has "a  1.0.0"
	run -0 plugpkg disable -qy a
	assert_equal "$output" ""
	run -0 plugpkg remove -qy a
	assert_equal "$output" ""
	run -0 plugpkg rollback -qy
	assert_equal "$output" ""
	run -4 plugpkg install -qy nothing
	assert_has "error: "
}

@test "-q takes no row of a plan from --json, and no plan from a dry run" {
	make_repo
	publish "$(build_plugin a 1.0.0)"
	make_root
	run -0 plugpkg install -q -y --json --dry-run a
	local rows=$output
	assert_has '"summary"'
	assert_equal "$(plugpkg install -y --json --dry-run a)" "$rows"
	run -0 plugpkg install -q -y --dry-run a
	assert_has "The following NEW plugins"
	run -0 plugpkg install -q -y --json a
	assert_has '"summary"' '"transaction"'
}

@test "the plan names dangerous groups first, reasons, counts and bytes" {
	make_repo
	publish "$(build_plugin user 2.1.0)" \
		"$(build_plugin animal 1.4.0 '"requires": {"user": "^2"}, "recommends": {"photos": "*"}')" \
		"$(build_plugin photos 1.2.0)"
	make_root
	run -0 plugpkg install -y animal
	assert_has "The following NEW plugins will be installed:" "required by animal" \
		"recommended by animal" "3 new, 0 upgraded, 0 removed, 0 kept back." "To fetch: "
	run -0 plugpkg remove --dry-run user
	assert_has "The following plugins will be REMOVED:" "needs user, which goes" "dry run"
	assert_installed user 2.1.0
}

@test "standard output that cannot be written is an error; a reader that went away is none" {
	make_repo
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg install -y a
	[ -w /dev/full ] || skip "no /dev/full"
	run -1 bash -c 'plugpkg list >/dev/full'
	assert_has "cannot write to standard output: no space left on the device [io]"
	run -0 bash -c 'set -o pipefail; plugpkg list --available | true'
	assert_equal "$output" ""
	run bash -c 'plugpkg remove -y a 2>/dev/null | true; plugpkg list'
	assert_equal "$output" ""
}

# ---- descriptors -----------------------------------------------------------------------------

@test "S59: closed standard descriptors harm nothing" {
	make_repo
	publish "$(build_plugin a 1.0.0)"
	make_root
	plugpkg list <&-
	plugpkg list >&-
	plugpkg list 2>&-
	plugpkg install -y a <&- >&- 2>&-
	assert_installed a 1.0.0
	jq -e '.plugins.a == "*"' "$PLUGPKG_ROOT/plugpkg.json"
	run -11 bash -c 'plugpkg remove a <&-'
	run -0 plugpkg check
}

@test "S59: an odd umask does not reach the store" {
	make_repo
	publish "$(build_plugin a 1.0.0)"
	(umask 077 && make_root && plugpkg install -y a)
	assert_equal "$(stat -c %a "$PLUGPKG_ROOT/store/a/1.0.0/payload.txt")" 444
	(umask 0 && plugpkg install -y --reinstall a)
	assert_equal "$(stat -c %a "$PLUGPKG_ROOT/plugpkg.json")" 644
}

# ---- hostile text ----------------------------------------------------------------------------

# no_controls: the last run's output holds nothing that could steer a terminal.
no_controls() {
	if LC_ALL=C.UTF-8 grep -nP '[\x00-\x08\x0b-\x1f\x7f\x{80}-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}]' \
		<<<"$output"; then
		fail "control characters in the output"
	fi
}

@test "S52: control and bidirectional characters of a repository never reach the terminal" {
	make_repo
	local evil=$'gr\u009b31mn \u202erotsac\u2066 \u2028error: gone'
	publish "$(build_plugin a 1.0.0 "\"description\": \"${evil}\\\\nerror: forged\",
		\"authors\": [\"$evil\"], \"keywords\": [\"$evil\"], \"homepage\": \"https://example.org/$evil\"")"
	make_root
	local question
	for question in "show a" "list --available" "search a" "install -y a" "list" "show a" \
		"depends a" "remove -y a"; do
		# shellcheck disable=SC2086
		run -0 plugpkg $question
		no_controls
	done
	run -0 plugpkg show a
	assert_has '\u{202e}'
	run ! grep -q '^error' <<<"$output"
}

@test "S52: what scripts print reaches the terminal without control characters, one line a line" {
	make_repo
	local dir
	dir=$(make_plugin a 1.0.0 '"scripts": {"install": "scripts/install.sh"}')
	add_script "$dir" install "printf 'x\\033]0;title\\007\\033[2Jy\\rerror: z\\n\\302\\233m\\n'"
	publish "$(build_plugin a 1.0.0)"
	make_root
	run -0 plugpkg install -y a
	no_controls
	assert_has "  | a: x"
}

@test "words of the command line come back without control characters" {
	plugpkg init "$PLUGPKG_ROOT"
	run plugpkg install -y $'x\033[31m\nerror: y'
	no_controls
	run ! grep -q '^error: y' <<<"$output"
	run -2 plugpkg $'\033[31m'
	no_controls
	run -2 plugpkg $'--\033[31m'
	no_controls
}

# ---- terminals -------------------------------------------------------------------------------

@test "colours and progress only on a terminal that wants them" {
	make_repo
	publish "$(build_plugin a 1.0.0)"
	make_root
	TERM=xterm on_terminal "" plugpkg install --dry-run a
	[[ $output == *$'\033[1m'* ]]
	TERM=xterm NO_COLOR=1 on_terminal "" plugpkg install --dry-run a
	[[ $output != *$'\033[1m'* ]]
	TERM=dumb on_terminal "" plugpkg update
	[[ $output != *$'\033'* ]]
	TERM=xterm run -0 plugpkg install --dry-run a
	[[ $output != *$'\033'* ]]
}

@test "the prompt: return is yes for a harmless plan, no for a dangerous one" {
	make_repo
	publish "$(build_plugin user 2.1.0)" \
		"$(build_plugin animal 1.4.0 '"requires": {"user": "^2"}')"
	make_root
	on_terminal 'n\n' plugpkg install animal
	assert_status 1
	assert_has "Continue? [Y/n]" "[declined]"
	assert_not_installed animal
	on_terminal '\n' plugpkg install animal
	assert_status 0
	assert_installed animal 1.4.0
	on_terminal '\n' plugpkg remove user
	assert_status 1
	assert_has "Continue? [y/N]"
	assert_installed user 2.1.0
	on_terminal '\n' plugpkg purge animal
	assert_status 1
	assert_has "Continue? [y/N]"
	assert_installed animal 1.4.0
	on_terminal 'what\nyes\n' plugpkg remove user
	assert_status 0
	assert_not_installed user animal
}

@test "a narrow terminal cuts no reason of a plan and no fingerprint" {
	local long=a-plugin-whose-name-alone-fills-a-good-part-of-the-line fingerprint
	make_repo
	publish "$(build_plugin "$long" 1.0.0)" \
		"$(build_plugin "top-$long" 1.0.0 "\"requires\": {\"$long\": \"*\"}")"
	make_root
	plugpkg install "top-$long" -y
	fingerprint=sha256:$(sha256sum <repo/public/metadata/1.root.json | cut -d" " -f1)
	on_terminal 'n\n' env COLUMNS=90 plugpkg remove "$long"
	assert_has "1.0.0  needs $long, which goes"
	on_terminal '' env COLUMNS=60 plugpkg source list
	assert_has "key $fingerprint"
}

@test "ctrl-C at the prompt ends with 130 and changes nothing" {
	make_repo
	publish "$(build_plugin a 1.0.0)"
	make_root
	need script
	run script -qec "plugpkg install a" /dev/null < <(sleep 1 && printf '\003' && sleep 2)
	assert_status 130
	assert_has "[interrupted]"
	assert_not_installed a
}

@test "a new key is never accepted by -y, only by the word yes at a terminal" {
	make_repo
	plugpkg init "$PLUGPKG_ROOT"
	run -11 plugpkg source add -y test "file://$SCRATCH/repo/public"
	assert_has "[needs-confirmation]" "--key sha256:" '"root" of the source in plugpkg.json'
	run -2 plugpkg source add test "file://$SCRATCH/a b"
	assert_has "is no URL of a repository [usage]" "a blank is written %20"
	on_terminal 'y\n' plugpkg source add -y test "file://$SCRATCH/repo/public"
	assert_status 1
	assert_has "sha256:" "Type 'yes' to trust it"
	run -0 plugpkg source list
	assert_equal "$output" ""
	on_terminal 'yes\n' plugpkg source add test "file://$SCRATCH/repo/public"
	assert_status 0
	run -0 plugpkg source list
	assert_has "test  500  file://" "key sha256:"
}
