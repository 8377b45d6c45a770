# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # expands in scripts and in jq; read by loop.sh
# What loop.sh breaks: plugins with scripts in all phases, of which one binds itself to whatever comes
# and one keeps data, an application with hooks, and the changes that they go through.

# Of whole transactions, and of commands that change one thing only.
transactions="install upgrade downgrade reinstall remove purge replace rekey rollback undo disable enable
	data data-rollback hooks unhealthy failing-upgrade failing-removal forced-removal
	plain-removal plain-return"
commands="hold unhold mark source-add source-remove update lock configure link autoremove sync clean repair"

# ---- plugins: tables, groups, bindings in a real database ----------------------------------------

# sql DIR KIND BEFORE [AFTER]: a script that does one thing, says so, and does another. With a file
# no-KIND-NAME-VERSION beside the database it fails before it has done anything.
sql() {
	add_script "$1" "$2" "[ ! -e \"\${DATABASE%/*}/no-$2-\$PLUGPKG_NAME-\$PLUGPKG_VERSION\" ]
db() { sqlite3 -cmd '.timeout 5000' \"\$DATABASE\" \"PRAGMA foreign_keys=ON; \$1\" >/dev/null; }
has() { [ \"\$(sqlite3 \"\$DATABASE\" \"SELECT count(*) FROM pragma_table_info('\$1') WHERE name = '\$2'\")\" = 1 ]; }
$3
echo \"\$PLUGPKG_NAME: $2\"; sleep 0.01
${4-}"
}

all_scripts='"scripts": {"install": "scripts/install.sh", "verify": "scripts/verify.sh",
	"upgrade": "scripts/upgrade.sh", "uninstall": "scripts/uninstall.sh",
	"post-install": [{"level": 0, "run": "scripts/bind.sh"}, {"level": 2, "run": "scripts/late.sh"}],
	"post-uninstall": [{"level": 2, "run": "scripts/unlate.sh"}, {"level": 0, "run": "scripts/unbind.sh"}]},
	"on": {"disable": "scripts/off.sh", "enable": "scripts/on.sh"}'

# tabled NAME VERSION REQUIRES [MEMBERS]: version 2 has one column more.
tabled() {
	local dir name=$1 add drop to want
	add="has $name extra || db 'ALTER TABLE $name ADD COLUMN extra DEFAULT 7'"
	drop="! has $name extra || db 'ALTER TABLE $name DROP COLUMN extra'"
	dir=$(make_plugin "$name" "$2" "$all_scripts, \"requires\": {$3}${4-}")
	if [ "$2" = 1.0.0 ]; then to=$drop want="! has $name extra"; else to=$add want="has $name extra"; fi
	sql "$dir" install "db 'CREATE TABLE IF NOT EXISTS $name(id INTEGER PRIMARY KEY, name TEXT)'" \
		"db \"INSERT OR IGNORE INTO $name(id, name) VALUES(1, 'one'); INSERT OR IGNORE INTO groups VALUES('$name')\"
$to"
	sql "$dir" upgrade "$to" "db \"UPDATE $name SET name = 'one' WHERE id = 1\""
	sql "$dir" uninstall "db \"DELETE FROM bindings WHERE grp = '$name'; DELETE FROM groups WHERE name = '$name'\"" \
		"db 'DROP TABLE IF EXISTS $name'"
	sql "$dir" verify "has $name name" "$want"
	sql "$dir" bind "db \"INSERT OR IGNORE INTO bindings VALUES('$name 0', '$name')\""
	sql "$dir" unbind "db \"DELETE FROM bindings WHERE what = '$name 0'\""
	sql "$dir" late "db \"INSERT OR IGNORE INTO bindings VALUES('$name 2', '$name')\""
	sql "$dir" unlate "db \"DELETE FROM bindings WHERE what = '$name 2'\""
	sql "$dir" off "db \"INSERT OR IGNORE INTO off VALUES('$name')\""
	sql "$dir" on "db \"DELETE FROM off WHERE name = '$name'\""
}

# binder VERSION: binds itself to all groups, whoever brings them, whenever.
binder() {
	local dir
	dir=$(make_plugin options "$1" '"scripts": {
		"post-install": [{"level": 1, "run": "scripts/bind.sh", "always": true}],
		"post-uninstall": [{"level": 1, "run": "scripts/unbind.sh"}]}')
	sql "$dir" bind "db \"INSERT OR IGNORE INTO bindings SELECT 'options', name FROM groups\""
	sql "$dir" unbind "db \"DELETE FROM bindings WHERE what = 'options'\""
}

# keeper VERSION: its data follows its version. In the middle of a script the layout is of no version.
keeper() {
	local dir add=''
	dir=$(make_plugin keeper "$1" '"data": {"snapshot": true}, "scripts": {
		"install": "scripts/install.sh", "upgrade": "scripts/upgrade.sh", "uninstall": "scripts/uninstall.sh"}')
	[ "$1" = 1.0.0 ] || add='[ -e "$PLUGPKG_DATA/sub/new" ] || { mkdir -p "$PLUGPKG_DATA/sub"; echo new >"$PLUGPKG_DATA/sub/new"; }'
	sql "$dir" install 'echo half >"$PLUGPKG_DATA/layout"' "$add
echo $1 >\"\$PLUGPKG_DATA/layout\""
	sql "$dir" upgrade 'echo half >>"$PLUGPKG_DATA/layout"' "$add
echo $1 >\"\$PLUGPKG_DATA/layout\""
	sql "$dir" uninstall ':'
}

# reef VERSION [MORE]: begins to declare parallel majors, so that its data gets another name.
reef() {
	local dir
	dir=$(make_plugin reef "$1" "\"scripts\": {\"install\": \"scripts/install.sh\", \"upgrade\": \"scripts/upgrade.sh\"}${2-}")
	sql "$dir" install 'echo fish >"$PLUGPKG_DATA/water"'
	sql "$dir" upgrade 'grep -q fish "$PLUGPKG_DATA/water"' 'grep -q fish "$PLUGPKG_DATA/water"'
}

make_plugins() {
	local v
	for v in 1.0.0 2.0.0; do
		tabled base "$v" ''
		tabled mid "$v" '"base": "*"'
		tabled top "$v" '"mid": "*"'
		tabled side "$v" '"base": "*"'
		binder "$v"
		keeper "$v"
	done
	reef 1.0.0
	reef 2.0.0 ', "parallel": "major", "data": {"snapshot": true}'
	tabled both 1.0.0 '"top": "*", "side": "*"'
	make_repo
	for p in base mid top side options keeper; do
		build_plugin "$p" 1.0.0
		build_plugin "$p" 2.0.0
	done
	build_plugin both 1.0.0
	build_plugin reef 1.0.0
	build_plugin reef 2.0.0
	build_plugin plain 1.0.0
	build_plugin plain 1.1.0
	build_plugin leaf 1.0.0 '"requires": {"plain": "*"}'
	build_plugin @acme/leaf 1.0.0
	publish "$SCRATCH"/*.plug
}

# A plugin that goes on under another name.
make_successor() {
	tabled middle 2.0.0 '"base": "*"' ', "replaces": {"mid": "*"}, "provides": {"mid": "2.0.0"}'
	publish "$(build_plugin middle 2.0.0)"
	plugpkg -q update
}

# ---- the application -----------------------------------------------------------------------------

# edit FILTER: plugpkg.json through jq.
edit() {
	jq --arg app "$APP" --arg hook "$SCRATCH/hook.sh" "$1" "$PLUGPKG_ROOT/plugpkg.json" >new.json
	cp new.json "$PLUGPKG_ROOT/plugpkg.json"
}

# Which generation it reads, whether it waits for the end of a change; not well in generation 2, if
# there is a file that says so.
set_hooks() {
	cat >"$SCRATCH/hook.sh" <<-'END'
		#!/bin/sh
		db() { sqlite3 -cmd '.timeout 5000' "$DATABASE" "$1" >/dev/null; }
		case $PLUGPKG_HOOK in
		pre-transaction) db "INSERT OR IGNORE INTO app VALUES('waits', '')" ;;
		activate) db "DELETE FROM app WHERE what = 'reads'; INSERT INTO app VALUES('reads', '$(readlink "$PLUGPKG_ROOT/current")')" ;;
		rollback | post-transaction) db "DELETE FROM app WHERE what = 'waits'" ;;
		esac
		echo "$PLUGPKG_HOOK"
		sleep 0.01
		[ "$PLUGPKG_HOOK" != health ] || [ ! -e "${DATABASE%/*}/unwell" ]
	END
	chmod 755 "$SCRATCH/hook.sh"
	edit '.hooks = (["pre-transaction", "activate", "health", "rollback", "post-transaction"]
		| map({ (.): { run: $hook, retries: 0 } }) | add)'
}

# ---- scenarios -----------------------------------------------------------------------------------

install_all() {
	plugpkg -q install base@1 mid@1 top@1 side@1 options@1 -y
	edit '.plugins |= map_values("*")'
}

# The root that it starts from. Sets command; status where it is not to be 0; goes_on where a change is
# not taken back, but ended by doing it once more.
begin_transaction() {
	case $1 in
	install)
		plugpkg -q install options@1 side@1 -y
		command="install top@1 -y"
		;;
	upgrade | failing-upgrade)
		install_all
		command="upgrade -y"
		[ "$1" = upgrade ] || { touch no-late-side-2.0.0; status=7; }
		;;
	downgrade)
		plugpkg -q install base mid top side options -y
		command="install base@1 mid@1 top@1 side@1 options@1 --downgrade -y"
		;;
	reinstall)
		plugpkg -q install top@1 options@1 -y
		command="install base mid options --reinstall -y"
		;;
	replace)
		plugpkg -q install mid@1 top@1 options@1 -y
		edit '.plugins |= map_values("*")'
		make_successor
		echo kept >"$PLUGPKG_ROOT/data/mid/file"
		command="install middle -y --allow-remove"
		;;
	rekey)
		plugpkg -q install reef@1 -y
		edit '.plugins |= map_values("*")'
		command="upgrade -y"
		;;
	remove | purge)
		install_all
		command="$1 base mid top side options -y"
		;;
	failing-removal | forced-removal)
		set_hooks
		install_all
		touch no-uninstall-side-1.0.0
		command="remove base mid top side options -y" status=7
		[ "$1" = failing-removal ] || { command+=" --force"; status=0; }
		;;
	rollback)
		plugpkg -q install base@1 mid@1 side@1 options@1 -y
		plugpkg -q install top@1 -y
		edit '.plugins |= map_values("*")'
		plugpkg -q upgrade -y
		command="rollback 1 -y"
		;;
	undo)
		plugpkg -q install mid@1 side@1 options@1 -y
		plugpkg -q remove side -y
		command="undo -y"
		;;
	# Without scripts: recorded at once, and gone with the commit.
	plain-install) command="install leaf -y" ;;
	plain-upgrade)
		plugpkg -q install leaf plain@1.0.0 -y
		edit '.plugins |= map_values("*")'
		command="upgrade -y"
		;;
	plain-removal | plain-return)
		plugpkg -q install options@1 leaf -y
		command="remove plain leaf -y"
		[ "$1" = plain-removal ] || { plugpkg -q remove plain leaf -y; command="rollback -y"; }
		;;
	disable | enable)
		plugpkg -q install both@1 options@1 -y
		plugpkg -q disable mid -y
		command="disable base -y"
		[ "$1" = disable ] || { plugpkg -q disable base -y; command="enable base -y"; }
		;;
	data | data-rollback)
		plugpkg -q install keeper@1 side@1 -y
		edit '.plugins |= map_values("*")'
		echo mine >"$PLUGPKG_ROOT/data/keeper/file"
		command="upgrade -y"
		[ "$1" = data ] || { plugpkg -q upgrade -y; rm "$PLUGPKG_ROOT/data/keeper/file"; command="rollback -y"; }
		;;
	hooks | unhealthy)
		set_hooks
		plugpkg -q install mid@1 options@1 -y
		edit '.plugins |= map_values("*")'
		command="install mid@2 side@2 options- -y --allow-remove"
		[ "$1" = hooks ] || { touch unwell; status=7; }
		;;
	*) return 1 ;;
	esac
}

begin_command() {
	plugpkg -q install mid@1 options@1 -y
	case $1 in
	hold | unhold)
		[ "$1" = hold ] || plugpkg -q hold base mid
		command="$1 base mid"
		;;
	mark) command="mark auto mid options" goes_on=yes ;;
	source-add) command="source add more file://$SCRATCH/repo/public --key $SCRATCH/repo/public/metadata/1.root.json" ;;
	source-remove) command="source remove test" ;;
	update)
		make_plugin later 1.0.0
		publish "$(build_plugin later 1.0.0)"
		command=update goes_on=yes
		;;
	lock)
		rm "$PLUGPKG_ROOT/plugpkg.lock"
		command=lock
		;;
	configure)
		# As after a way back on which no post-install script could run.
		sqlite3 "$PLUGPKG_ROOT/var/state.db" "UPDATE plugins SET state = 'core-installed'"
		sqlite3 "$APP" "DELETE FROM bindings"
		command="configure --pending" goes_on=yes
		;;
	link) command="link $(make_plugin linked 1.0.0) -y" ;;
	autoremove)
		plugpkg -q mark auto mid
		command="autoremove -y"
		;;
	sync)
		edit '.plugins = {"options": "*"}'
		command="sync -y"
		;;
	clean)
		plugpkg -q install @acme/leaf keeper@1 -y
		plugpkg -q remove @acme/leaf keeper -y
		command=clean goes_on=yes
		;;
	repair)
		chmod -R u+w "$PLUGPKG_ROOT/store/base/1.0.0"
		echo spoilt >"$PLUGPKG_ROOT/store/base/1.0.0/payload.txt"
		rm "$PLUGPKG_ROOT/store/mid/1.0.0/payload.txt"
		command="repair -y" goes_on=yes
		;;
	*) return 1 ;;
	esac
}

# begin SCENARIO: prints nothing.
begin() {
	rm -rf "$PLUGPKG_ROOT" "$APP" unwell no-*
	status=0 goes_on=no program=plugpkg subject='' ready=: is_question=no
	sqlite3 "$APP" 'CREATE TABLE groups(name TEXT PRIMARY KEY);
		CREATE TABLE bindings(what TEXT, grp TEXT REFERENCES groups(name), PRIMARY KEY(what, grp));
		CREATE TABLE off(name TEXT PRIMARY KEY);
		CREATE TABLE app(what TEXT PRIMARY KEY, value TEXT);'
	make_root
	edit '.settings = {"DATABASE": $app}'
	# shellcheck disable=SC2154 # set in places.bash and questions.bash
	if [[ " $places " == *" $1 "* ]]; then
		begin_place "$1"
	elif [[ " $questions " == *" $1 "* ]]; then
		begin_question "$1"
	elif [[ " $remembered " == *" $1 "* ]]; then
		begin_remembered "$1"
	elif [[ " $web " == *" $1 "* ]]; then
		begin_web "$1"
	elif [[ " ${commands//$'\n'/ } " == *" $1 "* ]]; then
		begin_command "$1"
	else
		begin_transaction "$1"
	fi || { echo "cannot begin $1" >&2; return 1; }
	[ ! -e "$PLUGPKG_ROOT/current/side" ] ||
		sqlite3 "$APP" "INSERT OR IGNORE INTO side(id, name) VALUES(2, 'row of the user')"
}
