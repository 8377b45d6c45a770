/* SPDX-License-Identifier: MIT */
/*
 * A state of an older format: steps are taken all or not at all, and who only reads sees it lifted.
 */
#include "lib/state/state.h"

#include "base/path.h"
#include "lib/state/state_db.h"
#include "root_make.h"
#include "tap.h"

static struct pp_state *
state_of(struct root *r)
{
	struct pp_state *s = NULL;

	CHECK_INT(pp_state_get(r->ctx, &s, NULL), PLUGPKG_OK);
	return s;
}

static void
run_sql(sqlite3 *db, const char *sql)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (!CHECK_INT(pp_db_exec(db, sql, &err, "test"), PLUGPKG_OK))
		tap_value("error", plugpkg_error_message(err));
}

static int64_t
number(sqlite3 *db, const char *sql)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		return -1;
	return sqlite3_column_int64(st, 0);
}

#define FORMAT "SELECT value FROM meta WHERE key = 'format'"
#define HEADER "PRAGMA user_version"

/* Of format 1, with a transaction that ended and one that did not. */
#define AGE                                                                                        \
	"UPDATE meta SET value = 1 WHERE key = 'format'; PRAGMA user_version = 0;"                 \
	"ALTER TABLE plugins DROP COLUMN skipped; DROP INDEX transactions_running;"                \
	"INSERT INTO transactions(id, command, started, status)"                                   \
	"  VALUES(1, 'install a', 1, 'done'), (2, 'install b', 2, 'running');"                     \
	"INSERT INTO steps(txn, seq, kind, level, status)"                                         \
	"  VALUES(1, 0, 'core', 0, 'done'), (2, 0, 'core', 0, 'planned');"

static bool
old_root_init(struct root *r)
{
	if (!root_init(r))
		return false;
	run_sql(state_of(r)->db, AGE);
	plugpkg_close(r->ctx);
	r->ctx = NULL;
	if (!CHECK_INT(plugpkg_open(r->path, &r->ctx, NULL), PLUGPKG_OK))
		return false;
	plugpkg_set_event_fn(r->ctx, root_event, r);
	return true;
}

static void
steps_are_taken_in_order_and_the_format_is_recorded_twice(void)
{
	static const char *const sql[] = {
		"CREATE TABLE first(a)",
		"ALTER TABLE first ADD COLUMN b",
		"INSERT INTO first(a, b) VALUES(3, 4)",
	};
	const struct pp_state_steps steps = { sql, 4 };
	struct root r;

	if (root_init(&r)) {
		sqlite3 *db = state_of(&r)->db;
		run_sql(db, "CREATE TABLE first(a)");
		CHECK_INT(pp_state_take_steps(db, &steps, 2, NULL), PLUGPKG_OK);
		CHECK_INT(number(db, "SELECT a + b FROM first"), 7);
		CHECK_INT(number(db, FORMAT), 4);
		CHECK_INT(number(db, HEADER), 4);
	}
	root_fini(&r);
}

static void
a_step_that_fails_takes_those_before_it_back(void)
{
	static const char *const sql[] = {
		"CREATE TABLE first(a); DELETE FROM steps",
		"INSERT INTO first(no_such_column) VALUES(1)",
	};
	const struct pp_state_steps steps = { sql, 3 };
	struct root r;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (root_init(&r)) {
		struct pp_state *s = state_of(&r);
		run_sql(s->db, AGE);
		CHECK_INT(pp_state_lift_file(s, &steps, 1, &err), PLUGPKG_E_BAD_STATE);
		CHECK_HAS(plugpkg_error_message(err),
		    "the root stays of format 1 (var/state.db.format-1 is a copy of its state)");
		CHECK_HAS(plugpkg_error_message(err), "take the step from format 2 to 3");
		CHECK_INT(number(s->db, FORMAT), 1);
		CHECK_INT(number(s->db, HEADER), 0);
		CHECK_INT(number(s->db, "SELECT count(*) FROM steps"), 2);
		CHECK_INT(number(s->db, "SELECT count(*) FROM first"), -1);
		CHECK_INT(pp_exists_at(r.ctx->root_fd, "var/state.db.format-1"), 1);
		CHECK_INT(pp_exists_at(r.ctx->root_fd, "var/state.db.format-1.new"), 0);
	}
	root_fini(&r);
}

static void
who_has_no_lock_reads_a_lifted_copy(void)
{
	struct root r;

	if (old_root_init(&r)) {
		struct pp_state *s = state_of(&r);
		CHECK(s->older != NULL);
		CHECK_INT(number(s->db, FORMAT), PP_STATE_FORMAT);
		CHECK_INT(number(s->db, "SELECT count(*) FROM steps"), 1);
		CHECK_INT(number(s->older, FORMAT), 1);
		CHECK_INT(number(s->older, "SELECT count(*) FROM steps"), 2);
		CHECK_INT(pp_exists_at(r.ctx->root_fd, "var/state.db.format-1"), 0);
	}
	root_fini(&r);
}

static void
the_copy_follows_what_others_write(void)
{
	struct root r;
	sqlite3 *other = NULL;

	if (old_root_init(&r)) {
		CHECK_INT(number(state_of(&r)->db, "SELECT count(*) FROM delays"), 0);
		CHECK_INT(
		    pp_db_open(r.ctx->root_fd, "state.db", SQLITE_OPEN_READWRITE, NULL, &other),
		    SQLITE_OK);
		run_sql(other, "INSERT INTO delays VALUES('a', 'b', '1.0.0', 5)");
		CHECK_INT(number(state_of(&r)->db, "SELECT count(*) FROM delays"), 1);
		/* Also when it is another plugpkg that lifts it. */
		CHECK_INT(pp_state_take_steps(other, &pp_state_steps, 1, NULL), PLUGPKG_OK);
		CHECK(state_of(&r)->older == NULL);
		CHECK_INT(number(state_of(&r)->db, FORMAT), PP_STATE_FORMAT);
	}
	(void)sqlite3_close(other);
	root_fini(&r);
}

static void
who_has_the_lock_lifts_the_file_once(void)
{
	struct root r;

	if (old_root_init(&r)) {
		CHECK(state_of(&r)->older != NULL);
		CHECK_INT(pp_state_lift(r.ctx, NULL), PLUGPKG_OK);
		CHECK(state_of(&r)->older == NULL);
		CHECK_INT(number(state_of(&r)->db, FORMAT), PP_STATE_FORMAT);
		CHECK_HAS(
		    pp_buf_cstr(&r.events), "what its state was before is var/state.db.format-1");
		r.events.n = 0;
		CHECK_INT(pp_state_lift(r.ctx, NULL), PLUGPKG_OK);
		CHECK_INT(r.events.n, 0);
	}
	root_fini(&r);
}

static void
a_root_that_a_newer_plugpkg_lifted_meanwhile_is_refused_with_the_lock(void)
{
	struct root r;
	sqlite3 *other = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (root_init(&r)) {
		(void)state_of(&r);
		CHECK_INT(
		    pp_db_open(r.ctx->root_fd, "state.db", SQLITE_OPEN_READWRITE, NULL, &other),
		    SQLITE_OK);
		run_sql(other, "UPDATE meta SET value = 99 WHERE key = 'format'");
		CHECK_INT(pp_state_lift(r.ctx, &err), PLUGPKG_E_NEWER_ROOT);
	}
	(void)sqlite3_close(other);
	root_fini(&r);
}

TAP_MAIN(CASE(steps_are_taken_in_order_and_the_format_is_recorded_twice)
	CASE(a_step_that_fails_takes_those_before_it_back) CASE(who_has_no_lock_reads_a_lifted_copy)
	    CASE(the_copy_follows_what_others_write) CASE(who_has_the_lock_lifts_the_file_once)
		CASE(a_root_that_a_newer_plugpkg_lifted_meanwhile_is_refused_with_the_lock))
