#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The example plugins in repo-format/examples/databases, on SQLite and on PostgreSQL: bindings in every
# order of install, owners and dependents tied by foreign keys, upgrades that fail and that go back.

examples=$BATS_TEST_DIRNAME/../../repo-format/examples/databases

setup_file() {
	load ../helpers
	need sqlite3 jq
	export TEMPLATE=$BATS_FILE_TMPDIR/template PLUGPKG_REPO=$BATS_FILE_TMPDIR/repo
	cd "$BATS_FILE_TMPDIR" || return 1
	plugpkg-repo init repo --name databases >/dev/null
	for plugin in "$examples"/plugins/*/; do
		plugpkg build "$plugin" >/dev/null
	done
	plugpkg-repo add --quiet ./*.plug
	plugpkg-repo publish >/dev/null
	cp -R "$examples/application" "$TEMPLATE"
	plugpkg init "$TEMPLATE" >/dev/null
	plugpkg --root "$TEMPLATE" source add databases "file://$BATS_FILE_TMPDIR/repo/public" \
		--key repo/public/metadata/1.root.json >/dev/null
	plugpkg --root "$TEMPLATE" update >/dev/null
	start_postgres
}

# A server of our own, in a directory of its own, on a socket and no port; gone with the shell that
# started it. It never runs as root, and nobody else may enter directories of tests.
start_postgres() {
	local bin postgres=(setpriv --pdeathsig INT)
	bin=$(find /usr/lib/postgresql -name initdb 2>/dev/null | sort -V | tail -n 1)
	[ -n "$bin" ] || return 0
	bin=$(dirname "$bin")
	PG=$(mktemp -d /tmp/plugpkg-pg-XXXXXX)
	export PG
	if [ "$(id -u)" -eq 0 ]; then
		chown nobody "$PG"
		postgres=(setpriv --reuid nobody --regid nogroup --clear-groups --pdeathsig INT)
	fi
	(cd / && "${postgres[@]}" "$bin/initdb" -A trust -U demo --no-sync -D "$PG/data" >"$PG.log")
	"${postgres[@]}" "$bin/postgres" -D "$PG/data" -k "$PG" -c listen_addresses= -c fsync=off \
		-c max_connections=10 -c shared_buffers=1MB >>"$PG.log" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/postgres.pid"
	for ((i = 0; i < 200; i++)); do
		psql -X -q -c 'SELECT 1' "$(address postgres)" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	cat "$PG.log"
	return 1
}

teardown_file() {
	[ -e "$BATS_FILE_TMPDIR/postgres.pid" ] || return 0
	kill -INT "$(cat "$BATS_FILE_TMPDIR/postgres.pid")"
	wait "$(cat "$BATS_FILE_TMPDIR/postgres.pid")" || true
	rm -rf "$PG" "$PG.log"
}

setup() {
	load ../helpers
	setup_scratch
	PLUGPKG_REPO=$BATS_FILE_TMPDIR/repo
}

# address DATABASE
address() {
	echo "postgresql://demo@/$1?host=$PG"
}

# fresh [sqlite | postgresql]: an application without plugins, and its database without tables.
fresh() {
	rm -rf "$PLUGPKG_ROOT"
	cp -a "$TEMPLATE" "$PLUGPKG_ROOT"
	DATABASE=application.db
	if [ "$1" = postgresql ]; then
		[ -n "${PG-}" ] || need initdb
		DATABASE=$(address demo)
		psql -X -q "$(address postgres)" -c 'DROP DATABASE IF EXISTS demo' -c 'CREATE DATABASE demo' 2>/dev/null
		jq --arg address "$DATABASE" '.settings.DATABASE = $address' "$TEMPLATE/plugpkg.json" >"$PLUGPKG_ROOT/plugpkg.json"
	fi
	export DATABASE
}

sql() {
	"$PLUGPKG_ROOT/bin/sql" <<<"$1"
}

# rows COLUMNS TABLE: as one line.
rows() {
	sql "SELECT $1 FROM $2 ORDER BY 1;" | paste -sd' '
}

# ---- bindings ----

bound='admin chief editor editor guest'

# orders: all orders of the four, one a line.
orders() {
	printf '%s\n' group-{admin,editor,guest,options}\ group-{admin,editor,guest,options}\ \
group-{admin,editor,guest,options}\ group-{admin,editor,guest,options} |
		awk '{ delete seen; for (i = 1; i <= 4; i++) seen[$i] = 1; if (length(seen) == 4) print }'
}

# in_one_transaction DATABASE, one_by_one DATABASE: read orders. Bindings equal the groups after each.
in_one_transaction() {
	while read -r -a order; do
		fresh "$1"
		plugpkg install -q -y "${order[@]}"
		assert_bound "${order[*]}"
	done
}

one_by_one() {
	while read -r -a order; do
		fresh "$1"
		for plugin in "${order[@]}"; do
			plugpkg install -q -y "$plugin"
		done
		assert_bound "${order[*]}"
	done
}

assert_bound() {
	assert_equal "$1: $(rows name user_group)" "$1: $bound"
	assert_equal "$1: $(rows user_group user_group_option)" "$1: $bound"
}

@test "there are 24 orders" {
	assert_equal "$(orders | sort -u | wc -l)" 24
}

@test "SQLite: every group has the option in all 24 orders of one transaction" {
	orders | in_one_transaction sqlite
}

@test "SQLite: every group has the option in all 24 orders of single installs" {
	orders | one_by_one sqlite
}

@test "PostgreSQL: every group has the option, whether the option comes first, between or last" {
	orders | sed -n '1p; 12p; 24p' >few
	in_one_transaction postgresql <few
	one_by_one postgresql <few
}

@test "a group that leaves takes its bindings along, and leaves the others" {
	for database in sqlite postgresql; do
		fresh "$database"
		plugpkg install -q -y group-options group-admin group-editor
		plugpkg remove -q -y group-editor
		assert_equal "$(rows name user_group)" admin
		assert_equal "$(rows user_group user_group_option)" admin
	done
}

# ---- upgrades ----

people='1 ada 2 grace 3 edsger'

# old_rows: the people, and nothing that 1.0.0 does not know.
assert_old_schema() {
	assert_equal "$(rows '*' '"user"' | tr '|' ' ')" "$people"
	assert_installed user 1.0.0
	run -0 plugpkg check
}

# breaking_upgrade: user 1.2.0, whose upgrade does real work before the rows of this application break it.
breaking_upgrade() {
	cp -R "$examples/plugins/user-1.1.0" "$SCRATCH/user-1.2.0"
	jq '.version = "1.2.0"' "$examples/plugins/user-1.1.0/plugin.json" >"$SCRATCH/user-1.2.0/plugin.json"
	cat >"$SCRATCH/user-1.2.0/up.sql" <<-'END'
		ALTER TABLE "user" ADD COLUMN age INTEGER;
		DELETE FROM "user" WHERE id = 3;
		CREATE UNIQUE INDEX one_of_each_length ON "user" (length(name));
		INSERT INTO "user" (id, name) VALUES (4, 'bob'), (5, 'eve');
	END
	# shellcheck disable=SC2016 # expands in the script
	add_script "$SCRATCH/user-1.2.0" upgrade '"$PLUGPKG_ROOT/bin/sql" <up.sql'
}

@test "an upgrade that the database refuses leaves the old version running with its rows" {
	breaking_upgrade
	for database in sqlite postgresql; do
		fresh "$database"
		plugpkg install -q -y user@1.0 animal
		run plugpkg install -y --allow-unsigned "$SCRATCH/user-1.2.0"
		assert_status 7
		assert_has "script 'upgrade' of user 1.2.0" "everything was undone"
		assert_old_schema
		assert_equal "$(rows name animal)" "Rex Tom"
	done
}

@test "an upgrade that worked goes back when a later plugin of the same change fails" {
	dir=$(make_plugin late 1.0.0 '"requires": {"user": ">=1.1"}, "scripts": {"install": "scripts/install.sh"}')
	# shellcheck disable=SC2016 # expands in the script
	add_script "$dir" install 'echo "SELECT email FROM \"user\";" | "$PLUGPKG_ROOT/bin/sql" && exit 1'
	for database in sqlite postgresql; do
		fresh "$database"
		plugpkg install -q -y user@1.0
		run plugpkg install -y --allow-unsigned user@1.1 "$dir"
		assert_status 7
		assert_has "grace@example.org" "everything was undone"
		assert_old_schema
	done
}

@test "rollback after an upgrade that worked gives the old schema and its rows back" {
	for database in sqlite postgresql; do
		fresh "$database"
		plugpkg install -q -y user@1.0 animal
		plugpkg install -q -y user@1.1
		assert_equal "$(rows email '"user"')" "ada@example.org edsger@example.org grace@example.org"
		run -0 plugpkg rollback -y
		assert_old_schema
		assert_equal "$(rows name animal)" "Rex Tom"
	done
}

# ---- owners and dependents ----

everybody="$people, Rex Tom, New cakes We are open, 990 1250"

# all_rows: of user, animal, news and invoice.
all_rows() {
	echo "$(rows '*' '"user"' | tr '|' ' '), $(rows name animal), $(rows text news), $(rows cents invoice)"
}

@test "user leaves: what has its rows by cascade goes along, what can do without stays and keeps its rows" {
	for database in sqlite postgresql; do
		fresh "$database"
		plugpkg install -q -y user@1.0 animal news
		run plugpkg remove -y --allow-remove user
		assert_status 0
		assert_not_installed user animal
		assert_installed news 1.0.0
		assert_equal "$(rows 'id, text' news)" "1|We are open 2|New cakes"
		assert_equal "$(sql 'SELECT count(*) FROM news WHERE user_id IS NULL;')" 2
		run ! sql 'SELECT * FROM animal;'
		run ! sql 'SELECT * FROM "user";'
		run -0 plugpkg check
		sql "INSERT INTO news (id, text) VALUES (3, 'Still here');"
	done
}

@test "the database refuses to let user go while a row refers to it: user stays with all rows nobody gave away" {
	for database in sqlite postgresql; do
		fresh "$database"
		plugpkg install -q -y user@1.0 animal news invoice
		assert_equal "$(all_rows)" "$everybody"
		run plugpkg remove -y --allow-remove user
		assert_status 7
		assert_has "script 'uninstall' of user 1.0.0" "stays installed: user"
		assert_installed user 1.0.0
		assert_installed news 1.0.0
		assert_installed invoice 1.0.0
		assert_equal "$(rows '*' '"user"' | tr '|' ' ')" "$people"
		assert_equal "$(rows text news)" "New cakes We are open"
		assert_equal "$(rows user_id invoice)" "2 3"
		assert_not_installed animal
		run -0 plugpkg check
		# It is of use: people can be added, and owe something.
		sql "INSERT INTO \"user\" (id, name) VALUES (4, 'barbara');
			INSERT INTO invoice (id, cents, user_id) VALUES (3, 5, 4);"
		run -0 plugpkg install -y user@1.1
		assert_equal "$(rows email '"user"' | wc -w)" 4
	done
}

@test "one veto, and nothing at all is changed" {
	for database in sqlite postgresql; do
		fresh "$database"
		plugpkg install -q -y user@1.0 animal news invoice court
		tree_state "$PLUGPKG_ROOT" | grep -v application.db >before
		run plugpkg remove -y --allow-remove user
		assert_status 9
		assert_has court "a case is open; close it first"
		tree_state "$PLUGPKG_ROOT" | grep -v application.db | diff before -
		assert_equal "$(all_rows)" "$everybody"
		assert_equal "$(sql 'SELECT user_id FROM news WHERE id = 1;')" 1
	done
}
