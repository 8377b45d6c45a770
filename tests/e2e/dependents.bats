#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Dependents decide: who is asked before a dependency leaves or is upgraded, and what follows.
# shellcheck disable=SC2016 # handlers' bodies expand in the handlers

setup() {
	load ../helpers
	setup_scratch
	make_repo
	export PLUGPKG_NOW=2026-11-21T12:00:00Z
}

# voter NAME VERSION REQUIRED BODY [EVENT]: a plugin that needs REQUIRED and answers EVENT
# (uninstall-before) as BODY says; each call of a handler or script is noted in SCRATCH/calls.
voter() {
	local dir event=${5:-uninstall-before}
	dir=$(make_plugin "$1" "$2" "\"requires\": {\"$3\": \"*\"}, \"on\": {\"$event\": \"scripts/handler.sh\"},
		\"scripts\": {\"uninstall\": \"scripts/uninstall.sh\"}, \"timeout\": 2")
	add_script "$dir" handler "echo \"\$PLUGPKG_EVENT_PHASE \$PLUGPKG_NAME \$PLUGPKG_EVENT_PLUGIN\${PLUGPKG_EVENT_ANSWER:+ \$PLUGPKG_EVENT_ANSWER}\" >>'$SCRATCH/calls'
$4"
	add_script "$dir" uninstall
	build_plugin "$1" "$2"
}

# plain NAME VERSION [MEMBERS]: a plugin without a handler that notes its uninstall.
plain() {
	local dir
	dir=$(make_plugin "$1" "$2" "\"scripts\": {\"uninstall\": \"scripts/uninstall.sh\"}${3:+, $3}")
	add_script "$dir" uninstall
	build_plugin "$1" "$2"
}

asks() {
	echo '[ "$PLUGPKG_EVENT_PHASE" = do ] || '"$1"
}

calls() {
	cat "$SCRATCH/calls" 2>/dev/null || true
}

votes() {
	json_get 'select(.type == "vote") | .name + " " + .plugin + " " + .answer' | paste -sd,
}

detached() {
	plugpkg list --json | jq -r 'select(.type == "plugin" and .detached) | .name + ":" + (.detached | join("+"))' | paste -sd,
}

# how many upgrades are on record as put off
delays() {
	need sqlite3
	sqlite3 "$PLUGPKG_ROOT/var/state.db" 'SELECT count(*) FROM delays'
}

@test "one goes, one stays and detaches: asked first, told before the first script" {
	publish "$(plain base 1.0.0)" "$(voter d1 1.0.0 base 'exit 0')" \
		"$(voter d2 1.0.0 base "$(asks 'exit 10')")"
	make_root
	run plugpkg install d1 d2 -y
	assert_status 0
	run plugpkg remove base --allow-remove -y
	assert_status 0
	assert_has "d1  goes with base" "d2  stays without base"
	assert_equal "$(calls)" "ask d2 base
ask d1 base
do d2 base stay
do d1 base go
uninstall d1 1.0.0
uninstall base 1.0.0"
	assert_not_installed base d1
	assert_installed d2 1.0.0
	assert_equal "$(detached)" d2:base
	run plugpkg check
	assert_status 0
	run plugpkg history show 2 --json
	assert_has "stays without base"
}

@test "a veto stops the whole removal, names its author and his reason, and changes nothing" {
	publish "$(plain base 1.0.0)" "$(voter d1 1.0.0 base 'exit 0')" \
		"$(voter d2 1.0.0 base 'exit 10')" \
		"$(voter d3 1.0.0 base 'echo "invoices are open" >&2; exit 20')"
	make_root
	run plugpkg install d1 d2 d3 -y
	assert_status 0
	before=$(tree_state "$PLUGPKG_ROOT")
	database=$(sha256sum <"$PLUGPKG_ROOT/var/state.db")
	run plugpkg remove base --allow-remove -y
	assert_status 9
	assert_has "d3 1.0.0 does not let base go: invoices are open" "--force"
	run plugpkg remove base --allow-remove -y --json
	assert_status 9
	assert_has '"refused"' '"type":"result"'
	assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
	assert_equal "$(sha256sum <"$PLUGPKG_ROOT/var/state.db")" "$database"
	assert_installed base 1.0.0
	run grep -c '^do\|^uninstall' "$SCRATCH/calls"
	assert_equal "$output" 0
}

@test "the chain: dependents of dependents are asked first, and the veto of the top blocks everything" {
	publish "$(plain base 1.0.0)" "$(voter mid 1.0.0 base 'exit 0')" \
		"$(voter top 1.0.0 mid 'echo "not without me" >&2; exit 20')"
	make_root
	run plugpkg install top -y
	assert_status 0
	run plugpkg remove base --allow-remove -y
	assert_status 9
	assert_has "top 1.0.0 does not let mid go: not without me"
	assert_equal "$(calls)" "ask top mid
ask mid base"
	assert_installed base 1.0.0
	assert_installed top 1.0.0
}

@test "who stays keeps his own dependents, whatever they said" {
	publish "$(plain base 1.0.0)" "$(voter mid 1.0.0 base "$(asks 'exit 10')")" \
		"$(voter top 1.0.0 mid 'exit 20')" "$(voter top2 1.0.0 mid 'exit 10')"
	make_root
	run plugpkg install top top2 -y
	assert_status 0
	run plugpkg remove base -y --json
	assert_status 0
	assert_equal "$(votes)" "mid base stay"
	assert_installed mid 1.0.0
	assert_installed top 1.0.0
	assert_equal "$(detached)" mid:base
}

@test "S56: no answer is a veto: a crash, the time limit, an unknown code, a handler that cannot run" {
	local n body
	publish "$(plain base 1.0.0)" "$(voter a 1.0.0 base 'kill -9 $$')" "$(voter b 1.0.0 base 'sleep 60')" \
		"$(voter c 1.0.0 base 'exit 3')" "$(voter d 1.0.0 base 'plugpkg() { :; }; exit 127')"
	make_root
	for n in a:"killed by signal 9" b:"time limit of 2 s" c:"unknown exit status 3" d:"unknown exit status 127"; do
		body=${n#*:}
		run plugpkg install "${n%%:*}" -y
		assert_status 0
		run plugpkg remove base --allow-remove -y
		assert_status 9
		assert_has "${n%%:*} 1.0.0 does not let base go" "$body"
		run plugpkg remove "${n%%:*}" -y
		assert_status 0
	done
}

@test "S56: --force still asks, takes the vetoer along, and the history keeps what it said" {
	publish "$(plain base 1.0.0)" "$(voter d3 1.0.0 base "$(asks '{ echo "no, never" >&2; exit 20; }')")"
	make_root
	run plugpkg install d3 -y
	assert_status 0
	run plugpkg remove base --force --allow-remove -y
	assert_status 0
	assert_has "does not let base go, overridden" "no, never"
	assert_equal "$(calls)" "ask d3 base
do d3 base go
uninstall d3 1.0.0
uninstall base 1.0.0"
	assert_not_installed base d3
	run plugpkg history show 2
	assert_has "its veto to the removal of base was overridden: no, never"
}

@test "a dependent without a handler goes along, and the plan says so" {
	publish "$(plain base 1.0.0)" "$(plain quiet 1.0.0 '"requires": {"base": "*"}')" \
		"$(voter d1 1.0.0 base 'exit 0')"
	make_root
	run plugpkg install quiet d1 -y
	assert_status 0
	run plugpkg remove base --dry-run
	assert_status 0
	assert_has "quiet  goes with base; it has no handler to ask"
	run plugpkg remove base --dry-run --json
	assert_equal "$(votes)" "quiet base none,d1 base go"
}

@test "a dry run asks as well, and the handler gets the event with the whole list" {
	publish "$(plain base 1.0.0)" "$(voter d1 1.0.0 base "cat >'$SCRATCH/event'; env | grep ^PLUGPKG_ | sort >'$SCRATCH/env'")"
	make_root
	run plugpkg install d1 -y
	assert_status 0
	run plugpkg purge base --dry-run
	assert_status 0
	assert_equal "$(jq -c '[.v, .event, .phase, .plugin, .version, .requirement, .reason, (.steps | map(.action + " " + .key))]' "$SCRATCH/event")" \
		'[1,"uninstall-before","ask","base","1.0.0","base","purge",["remove d1","remove base"]]'
	output=$(cat "$SCRATCH/env")
	assert_has PLUGPKG_EVENT=uninstall-before PLUGPKG_EVENT_PHASE=ask PLUGPKG_EVENT_PLUGIN=base \
		PLUGPKG_EVENT_VERSION=1.0.0 PLUGPKG_PHASE=event PLUGPKG_REASON=purge PLUGPKG_TRANSACTION=0
	assert_installed base 1.0.0
}

@test "who is named is not asked: its user has decided" {
	publish "$(plain base 1.0.0)" "$(voter d3 1.0.0 base 'exit 20')"
	make_root
	run plugpkg install d3 -y
	assert_status 0
	run plugpkg remove base d3 -y
	assert_status 0
	assert_equal "$(calls)" "uninstall d3 1.0.0
uninstall base 1.0.0"
}

@test "a handler that calls a mutating plugpkg is refused at once" {
	publish "$(plain base 1.0.0)" "$(voter d1 1.0.0 base "'$PLUGPKG_PROGRAM' hold base; '$PLUGPKG_PROGRAM' remove base -y; exit 0")"
	make_root
	run plugpkg install d1 base -y
	assert_status 0
	SECONDS=0
	run plugpkg remove base --dry-run
	assert_status 9
	assert_has "called from a"
	[ "$SECONDS" -lt 20 ]
	assert_installed base 1.0.0
}

@test "detached it stays through installs, upgrades and autoremove, until its dependency is back" {
	publish "$(plain base 1.0.0)" "$(voter d2 1.0.0 base "$(asks 'exit 10')")" "$(plain other 1.0.0)"
	make_root
	run plugpkg install d2 -y
	assert_status 0
	run plugpkg remove base -y
	assert_status 0
	publish "$(plain other 1.1.0)"
	run plugpkg update
	run plugpkg install other@1.0.0 -y
	assert_status 0
	assert_equal "$(detached)" d2:base
	run plugpkg upgrade -y
	assert_status 0
	assert_not_installed base
	run plugpkg autoremove -y
	assert_status 0
	assert_installed d2 1.0.0
	run plugpkg check
	assert_status 0
	run plugpkg install base -y
	assert_status 0
	assert_equal "$(detached)" ''
	run plugpkg rdepends base
	assert_has d2
	run plugpkg remove base --dry-run --json
	assert_equal "$(votes)" "d2 base stay"
}

@test "an upgrade of a detached plugin asks anew for what its new version needs" {
	publish "$(plain base 1.0.0)" "$(voter d2 1.0.0 base "$(asks 'exit 10')")"
	make_root
	run plugpkg install d2 -y
	run plugpkg remove base -y
	assert_status 0
	publish "$(voter d2 1.1.0 base 'exit 0')"
	run plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_installed d2 1.1.0
	assert_installed base 1.0.0
	assert_equal "$(detached)" ''
}

@test "a handler that fails in its part stops the removal: everybody is there again" {
	publish "$(plain base 1.0.0)" "$(voter d2 1.0.0 base '[ "$PLUGPKG_EVENT_PHASE" = ask ] && exit 10; exit 1')"
	make_root
	run plugpkg install d2 -y
	assert_status 0
	run plugpkg remove base -y
	assert_status 7
	assert_installed base 1.0.0
	assert_installed d2 1.0.0
	assert_equal "$(detached)" ''
}

@test "S56: with --force also a handler that fails in its part cannot stop it, and the history says so" {
	publish "$(plain base 1.0.0)" "$(voter d3 1.0.0 base 'echo "broken" >&2; exit 1')"
	make_root
	plugpkg install d3 -y
	run plugpkg remove base --force --allow-remove -y
	assert_status 0
	assert_has "base goes although the uninstall-before handler of d3 failed"
	assert_equal "$(calls)" "ask d3 base
do d3 base go
uninstall d3 1.0.0
uninstall base 1.0.0"
	assert_not_installed base d3
	run plugpkg history show 2
	assert_has "its uninstall-before handler failed, and --force removed base all the same"
	run plugpkg log
	assert_has "base goes although the uninstall-before handler of d3 failed"
}

@test "what an install removes is voted on too" {
	publish "$(plain base 1.0.0)" "$(voter d2 1.0.0 base 'echo "stays" >&2; exit 20')" "$(plain foe 1.0.0 '"conflicts": {"base": "*"}')"
	make_root
	run plugpkg install d2 base -y
	assert_status 0
	run plugpkg install foe base- --allow-remove -y
	assert_status 9
	assert_has "d2 1.0.0 does not let base go: stays"
	assert_installed base 1.0.0
	assert_not_installed foe
}

@test "an upgrade is put off until a date that cannot extend itself" {
	publish "$(plain base 1.0.0)" "$(voter d1 1.0.0 base "echo until \"\$(cat '$SCRATCH/date')\"; echo 'season' >&2; exit 20" upgrade-before)"
	make_root
	run plugpkg install d1 -y
	assert_status 0
	publish "$(plain base 2.0.0)"
	run plugpkg update
	echo 2026-12-01 >"$SCRATCH/date"
	run plugpkg upgrade -y
	assert_status 0
	assert_has "d1 delays it until 2026-12-01T00:00:00Z: season" "1 kept back"
	assert_installed base 1.0.0
	run plugpkg upgrade base -y
	assert_status 9
	assert_has "base stays at 1.0.0 instead of 2.0.0" "until 2026-12-01"
	echo 2026-12-15 >"$SCRATCH/date"
	run plugpkg upgrade --dry-run --json
	assert_equal "$(json_get 'select(.type == "vote") | .until | todate')" 2026-12-01T00:00:00Z
	assert_equal "$(delays)" 1
	export PLUGPKG_NOW=2026-12-02T00:00:00Z
	rm "$SCRATCH/calls"
	plugpkg-repo --repo "$SCRATCH/repo" refresh >/dev/null
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_installed base 2.0.0
	assert_equal "$(calls)" ''
	assert_equal "$(delays)" 0
}

@test "what was put off is forgotten when the dependent leaves" {
	publish "$(plain base 1.0.0)" "$(voter d1 1.0.0 base 'exit 20' upgrade-before)"
	make_root
	plugpkg install d1 -y
	publish "$(plain base 2.0.0)"
	plugpkg update
	plugpkg upgrade -y
	assert_equal "$(delays)" 1
	plugpkg remove d1 -y
	assert_installed base 1.0.0
	plugpkg upgrade -y
	assert_installed base 2.0.0
	assert_equal "$(delays)" 0
}

@test "a delay has an end: 30 days at most, 7 for who names none; --force overrides and is recorded" {
	publish "$(plain base 1.0.0)" "$(voter d1 1.0.0 base "echo '{\"until\": \"2030-01-01\"}'; exit 20" upgrade-before)" \
		"$(plain lib 1.0.0)" "$(voter d2 1.0.0 lib 'exit 1' upgrade-before)"
	make_root
	run plugpkg install d1 d2 -y
	assert_status 0
	publish "$(plain base 2.0.0)" "$(plain lib 2.0.0)"
	run plugpkg update
	run plugpkg upgrade --dry-run --json
	assert_equal "$(json_get 'select(.type == "vote") | .plugin + " " + (.until | todate)' | paste -sd,)" \
		"base 2026-12-21T12:00:00Z,lib 2026-11-28T12:00:00Z"
	run plugpkg upgrade --force -y
	assert_status 0
	assert_installed base 2.0.0
	assert_installed lib 2.0.0
	run plugpkg history show 2
	assert_has "its delay of the upgrade of base to 2.0.0 was overridden"
}

@test "afterwards who wants to hear is told; what fails then is a warning" {
	local dir
	dir=$(make_plugin ear 1.0.0 '"on": {"install-after": "scripts/hear.sh", "upgrade-after": "scripts/hear.sh",
		"uninstall-after": "scripts/hear.sh"}')
	add_script "$dir" hear "echo \"\$PLUGPKG_EVENT \$PLUGPKG_EVENT_PHASE \$PLUGPKG_EVENT_PLUGIN \$(jq -c '.plugins | map(.key + \" \" + .version)')\" >>'$SCRATCH/calls'
[ ! -e '$SCRATCH/fail' ]"
	publish "$(build_plugin ear 1.0.0)" "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)"
	make_root
	PATH=$PATH run plugpkg install ear -y
	assert_status 0
	run plugpkg install a b -y
	assert_status 0
	publish "$(build_plugin a 1.1.0)"
	run plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	touch "$SCRATCH/fail"
	run plugpkg remove a -y
	assert_status 0
	assert_has "uninstall-after"
	assert_equal "$(calls)" 'install-after after a b ["a 1.0.0","b 1.0.0"]
upgrade-after after a ["a 1.1.0"]
uninstall-after after a ["a 1.1.0"]'
	assert_not_installed a
}

@test "killed in the middle of its part, it is called again by recovery, and all comes to its end" {
	publish "$(plain base 1.0.0)" \
		"$(voter d2 1.0.0 base "$(asks 'exit 10'); [ -e '$SCRATCH/killed' ] || { touch '$SCRATCH/killed'; kill -9 \$PPID; sleep 1; }")"
	make_root
	run plugpkg install d2 -y
	assert_status 0
	run plugpkg remove base -y --no-sandbox # which keeps a script from killing
	assert_status 137
	run plugpkg recover
	assert_status 0
	assert_equal "$(calls)" "ask d2 base
do d2 base stay
do d2 base stay
uninstall base 1.0.0"
	assert_not_installed base
	assert_equal "$(detached)" d2:base
	run plugpkg check
	assert_status 0
}

@test "a lock and a rollback keep to what is detached" {
	publish "$(plain base 1.0.0)" "$(voter d2 1.0.0 base "$(asks 'exit 10')")"
	make_root
	run plugpkg install d2 -y
	assert_status 0
	run plugpkg remove base -y
	assert_status 0
	run plugpkg sync --check
	assert_status 0
	run plugpkg sync --locked -y
	assert_status 0
	assert_not_installed base
	run plugpkg install base -y
	assert_status 0
	assert_equal "$(detached)" ''
	run plugpkg rollback 2 -y
	assert_status 0
	assert_not_installed base
	assert_equal "$(detached)" d2:base
	run plugpkg rollback 1 -y
	assert_status 0
	assert_installed base 1.0.0
	assert_equal "$(detached)" ''
}

# obedient NAME [STATUS]: a dependent of base that answers with STATUS, or forbids it while SCRATCH/veto
# is there
obedient() {
	voter "$1" 1.0.0 base "$(asks "{ [ -e '$SCRATCH/veto' ] || exit ${2:-0}; echo 'invoices are open' >&2; exit 20; }")"
}

@test "rollback and undo ask like remove does: a veto refuses them, --force overrides it and is recorded" {
	publish "$(plain base 1.0.0)" "$(obedient d1)"
	make_root
	plugpkg install d1 -y
	touch "$SCRATCH/veto"
	rm -r "$SCRATCH/repo"
	before=$(tree_state "$PLUGPKG_ROOT")
	for command in undo "rollback 0"; do
		# shellcheck disable=SC2086 # words
		run plugpkg $command -y
		assert_status 9
		assert_has "d1 1.0.0 does not let base go: invoices are open" "--force"
	done
	assert_equal "$(tree_state "$PLUGPKG_ROOT")" "$before"
	run plugpkg undo --dry-run --force
	assert_status 0
	assert_has "d1  does not let base go, overridden" "invoices are open"
	run plugpkg undo --force -y
	assert_status 0
	assert_equal "$(calls)" "ask d1 base
ask d1 base
ask d1 base
ask d1 base
do d1 base go
uninstall d1 1.0.0
uninstall base 1.0.0"
	assert_not_installed base d1
	run plugpkg history show 2
	assert_has "its veto to the removal of base was overridden: invoices are open"
}

@test "a rollback to a later version asks who can delay an upgrade, and is refused until then" {
	publish "$(plain base 1.0.0)" "$(voter d1 1.0.0 base "[ ! -e '$SCRATCH/season' ] || { echo season >&2; exit 20; }" upgrade-before)"
	make_root
	plugpkg install d1 -y
	publish "$(plain base 1.1.0)"
	plugpkg update
	plugpkg upgrade -y
	plugpkg rollback -y
	assert_installed base 1.0.0
	rm "$SCRATCH/calls"
	touch "$SCRATCH/season"
	run plugpkg rollback 2 --dry-run
	assert_status 9
	assert_equal "$(delays)" 0
	run plugpkg undo -y
	assert_status 9
	assert_has "base stays at 1.0.0 instead of 1.1.0" "d1 delays it until 2026-11-28" "season" "--force"
	assert_equal "$(calls)" "ask d1 base
ask d1 base"
	assert_equal "$(delays)" 1
	assert_installed base 1.0.0
	run plugpkg undo --force -y
	assert_status 0
	assert_installed base 1.1.0
	run plugpkg history show 4
	assert_has "its delay of the upgrade of base to 1.1.0 was overridden: season"
}

@test "who would stay leaves where the generation is without it, and the plan says so" {
	publish "$(plain base 1.0.0)" "$(voter d2 1.0.0 base "cat >'$SCRATCH/event'; $(asks 'exit 10')")"
	make_root
	plugpkg install d2 -y
	run plugpkg rollback 0 --dry-run
	assert_status 0
	assert_has "d2  goes with base" "it would stay, but generation 0 is without it"
	assert_equal "$(jq -r .reason "$SCRATCH/event")" rollback
	run plugpkg rollback 0 -y
	assert_status 0
	assert_equal "$(calls | tail -n 3)" "do d2 base go
uninstall d2 1.0.0
uninstall base 1.0.0"
}

@test "a dependent that a rollback detaches again is asked, and can forbid it now" {
	publish "$(plain base 1.0.0)" "$(obedient d2 10)"
	make_root
	plugpkg install d2 -y
	plugpkg remove base -y
	plugpkg install base -y
	touch "$SCRATCH/veto"
	run plugpkg rollback 2 -y
	assert_status 9
	assert_has "d2 1.0.0 does not let base go: invoices are open"
	assert_installed base 1.0.0
	run plugpkg rollback 2 --force -y
	assert_status 0
	assert_has "d2  does not let base go, overridden: stays without it"
	assert_not_installed base
	assert_equal "$(detached)" d2:base
	run plugpkg history show 4
	assert_has "its veto to the removal of base was overridden" "stays without base"
	rm "$SCRATCH/veto"
	plugpkg install base -y
	run plugpkg undo -y --json
	assert_status 0
	assert_equal "$(votes)" "d2 base stay"
	assert_equal "$(detached)" d2:base
}

@test "sync --locked asks what leaves, and --force overrides a veto" {
	publish "$(plain base 1.0.0)" "$(obedient d1)" "$(plain other 1.0.0)"
	make_root
	plugpkg install other -y
	cp "$PLUGPKG_ROOT/plugpkg.json" "$PLUGPKG_ROOT/plugpkg.lock" "$SCRATCH"
	plugpkg install d1 -y
	cp "$SCRATCH/plugpkg.json" "$SCRATCH/plugpkg.lock" "$PLUGPKG_ROOT"
	touch "$SCRATCH/veto"
	run plugpkg sync --locked -y
	assert_status 9
	assert_has "d1 1.0.0 does not let base go: invoices are open" "--force"
	assert_installed base 1.0.0
	run plugpkg sync --locked --force -y --json
	assert_status 0
	assert_equal "$(votes)" "d1 base veto"
	assert_not_installed base d1
	run plugpkg history show 3
	assert_has "its veto to the removal of base was overridden"
}

@test "sync and link override a delay with --force" {
	publish "$(plain base 1.0.0)" "$(voter d1 1.0.0 base 'exit 20' upgrade-before)"
	make_root
	plugpkg install d1 -y
	publish "$(plain base 2.0.0)"
	plugpkg update
	jq '.plugins.base = "^2"' "$PLUGPKG_ROOT/plugpkg.json" >"$SCRATCH/new"
	cp "$SCRATCH/new" "$PLUGPKG_ROOT/plugpkg.json"
	run plugpkg sync --dry-run
	assert_status 9
	assert_equal "$(delays)" 0
	run plugpkg sync -y
	assert_status 9
	run plugpkg sync --force -y
	assert_status 0
	assert_installed base 2.0.0
	run plugpkg history show 2
	assert_has "its delay of the upgrade of base to 2.0.0 was overridden"
	make_plugin base 3.0.0 >/dev/null
	run plugpkg link "$(plugin_dir base 3.0.0)" -y
	assert_status 9
	run plugpkg link "$(plugin_dir base 3.0.0)" --force -y
	assert_status 0
	assert_has "Done: generation"
}

@test "a handler runs only while its plugin is whole: after its own install, and not when it has gone" {
	local dir
	dir=$(make_plugin ear 1.0.0 '"scripts": {"install": "scripts/install.sh", "uninstall": "scripts/uninstall.sh"},
		"on": {"install-after": "scripts/hear.sh", "uninstall-after": "scripts/hear.sh"}')
	add_script "$dir" install "touch '$SCRATCH/table'"
	add_script "$dir" uninstall "rm '$SCRATCH/table'"
	add_script "$dir" hear "[ -e '$SCRATCH/table' ] || echo 'no table' >>'$SCRATCH/calls'
echo \"\$PLUGPKG_EVENT \$PLUGPKG_EVENT_PLUGIN\" >>'$SCRATCH/calls'"
	publish "$(build_plugin ear 1.0.0)" "$(build_plugin a 1.0.0)" "$(build_plugin b 1.0.0)"
	make_root
	plugpkg install a ear -y
	assert_equal "$(calls)" "install-after a"
	plugpkg install b -y
	plugpkg remove a ear -y
	assert_equal "$(calls)" "install-after a
install-after b"
	assert_missing table
}

@test "sync makes another machine that goes without it as well, with --locked or without" {
	publish "$(plain base 1.0.0)" "$(voter d2 1.0.0 base "$(asks 'exit 10')")"
	make_root
	plugpkg install d2 -y
	plugpkg remove base -y
	assert_equal "$(jq -c '.plugins.d2.detached' "$PLUGPKG_ROOT/plugpkg.lock")" '["base"]'
	rm "$SCRATCH/calls"
	here=$PLUGPKG_ROOT
	export PLUGPKG_ROOT=$SCRATCH/there
	mkdir "$PLUGPKG_ROOT"
	cp "$here/plugpkg.json" "$here/plugpkg.lock" "$PLUGPKG_ROOT/"
	run plugpkg sync --locked -y
	assert_status 0
	assert_installed d2 1.0.0
	assert_not_installed base
	assert_equal "$(detached)" d2:base
	assert_equal "$(calls)" ''
	cmp "$here/plugpkg.lock" "$PLUGPKG_ROOT/plugpkg.lock"
	plugpkg check
	run plugpkg sync --check --locked
	assert_status 0
	# Without --locked the lock is heard as well, as long as its version of d2 is the one that comes.
	export PLUGPKG_ROOT=$SCRATCH/fresh
	mkdir "$PLUGPKG_ROOT"
	cp "$here/plugpkg.json" "$here/plugpkg.lock" "$PLUGPKG_ROOT/"
	run plugpkg sync -y
	assert_status 0
	assert_not_installed base
	assert_equal "$(detached)" d2:base
	assert_equal "$(calls)" ''
	cmp "$here/plugpkg.lock" "$PLUGPKG_ROOT/plugpkg.lock"
	run plugpkg sync
	assert_has "Nothing to do."
	plugpkg check
	plugpkg install base -y
	assert_equal "$(detached)" ''
	# Where it is still there it leaves, and the handler is asked before it does its part.
	export PLUGPKG_ROOT=$SCRATCH/third
	mkdir "$PLUGPKG_ROOT"
	cp "$here/plugpkg.json" "$PLUGPKG_ROOT/"
	plugpkg sync -y
	assert_installed base 1.0.0
	cp "$here/plugpkg.lock" "$PLUGPKG_ROOT/"
	run plugpkg sync --locked -y
	assert_status 0
	assert_not_installed base
	assert_equal "$(detached)" d2:base
	assert_equal "$(calls)" "ask d2 base
do d2 base stay
uninstall base 1.0.0"
}

@test "a delay whose time is over already is none" {
	publish "$(plain base 1.0.0)" "$(voter d1 1.0.0 base "echo until 2001-01-01; exit 20" upgrade-before)"
	make_root
	plugpkg install d1 -y
	publish "$(plain base 2.0.0)"
	plugpkg update
	run plugpkg upgrade -y
	assert_status 0
	assert_lacks "delays"
	assert_installed base 2.0.0
}
