/* SPDX-License-Identifier: MIT */
/*
 * The tables of var/state.db, which formats of it this plugpkg knows, and the steps that lead from
 * each of them to the next. Who takes them, and when, is in state_lift.c.
 */
#include "lib/state/state_db.h"

#include <stdio.h>

static const char tables[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE plugins("
    "  key TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, source TEXT NOT NULL,"
    "  state TEXT NOT NULL,"
    "  manual INTEGER NOT NULL, hold INTEGER NOT NULL, hold_until INTEGER NOT NULL,"
    "  disabled INTEGER NOT NULL, blocked_by TEXT,"
    "  sha256 TEXT NOT NULL, tree_sha256 TEXT NOT NULL, link_dir TEXT, manifest TEXT NOT NULL,"
    "  bytes INTEGER NOT NULL, files INTEGER NOT NULL, installed_at INTEGER NOT NULL,"
    "  txn INTEGER NOT NULL, detached TEXT, skipped TEXT) WITHOUT ROWID;"
    /* Until when a dependent put an upgrade off; the first answer to a version counts. */
    "CREATE TABLE delays("
    "  dependent TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, until INTEGER NOT NULL,"
    "  PRIMARY KEY(dependent, key, version)) WITHOUT ROWID;"
    /* Which key the owner of a plugin has to sign with; stays when the plugin leaves. */
    "CREATE TABLE owners("
    "  name TEXT PRIMARY KEY, key_id TEXT NOT NULL, since INTEGER NOT NULL,"
    "  how TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE transactions("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, started INTEGER NOT NULL,"
    "  ended INTEGER, status TEXT NOT NULL, generation INTEGER, intent TEXT,"
    "  base INTEGER, wanted TEXT);"
    /* Each lock looks for one that was cut off, however many there were before. */
    "CREATE INDEX transactions_running ON transactions(id) WHERE status = 'running';"
    "CREATE TABLE steps("
    "  txn INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, plugin TEXT,"
    "  level INTEGER NOT NULL, status TEXT NOT NULL, PRIMARY KEY(txn, seq)) WITHOUT ROWID;"
    /* What each generation held; one entry serves all the generations that have it alike. */
    "CREATE TABLE history_entries("
    "  id INTEGER PRIMARY KEY, key TEXT NOT NULL, entry TEXT NOT NULL);"
    "CREATE INDEX history_entries_key ON history_entries(key);"
    "CREATE TABLE history_generations(generation INTEGER PRIMARY KEY, txn INTEGER NOT NULL);"
    "CREATE TABLE history_sets("
    "  generation INTEGER NOT NULL, entry INTEGER NOT NULL,"
    "  PRIMARY KEY(generation, entry)) WITHOUT ROWID;"
    "CREATE TABLE history_notes("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT, txn INTEGER NOT NULL, at INTEGER NOT NULL,"
    "  command TEXT, plugin TEXT, text TEXT NOT NULL);"
    "CREATE INDEX history_notes_txn ON history_notes(txn);"
    "INSERT INTO meta(key, value) VALUES('generation', 0);";

/*
 * What makes format N + 1 of format N, at place N - 1. A step that was released never changes, and
 * counts on no table of today. The format itself is raised by who takes the step.
 */
static const char *const steps[] = {
	/* A root of format 1 may have been made by a plugpkg that had the index already. */
	"ALTER TABLE plugins ADD COLUMN skipped TEXT;"
	"CREATE INDEX IF NOT EXISTS transactions_running ON transactions(id)"
	"  WHERE status = 'running';"
	"DELETE FROM steps WHERE txn NOT IN"
	"  (SELECT id FROM transactions WHERE status = 'running');",
};
_Static_assert(PP_LEN(steps) == PP_STATE_FORMAT - 1, "each older format has its step");

const struct pp_state_steps pp_state_steps = { steps, PP_STATE_FORMAT };

/* In its header, where it can be read before anything else, and in meta. */
static enum plugpkg_code
set_format(sqlite3 *db, int64_t format, plugpkg_error **err, const char *what)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql),
	    "PRAGMA user_version=%lld;"
	    "INSERT INTO meta(key, value) VALUES('format', %lld)"
	    " ON CONFLICT(key) DO UPDATE SET value = excluded.value",
	    (long long)format, (long long)format);
	return pp_db_exec(db, sql, err, what);
}

enum plugpkg_code
pp_state_take_steps(
    sqlite3 *db, const struct pp_state_steps *all, int64_t from, plugpkg_error **err)
{
	char what[80];
	enum plugpkg_code rc = PLUGPKG_OK;

	for (int64_t format = from; rc == PLUGPKG_OK && format < all->to; format++) {
		(void)snprintf(what, sizeof(what), "take the step from format %lld to %lld",
		    (long long)format, (long long)format + 1);
		rc = pp_db_exec(db, all->sql[format - 1], err, what);
	}
	return rc == PLUGPKG_OK ? set_format(db, all->to, err, "record the format") : rc;
}

enum plugpkg_code
pp_state_make_tables(sqlite3 *db, plugpkg_error **err)
{
	const char *what = "make var/state.db";
	enum plugpkg_code rc = pp_db_exec(db, tables, err, what);

	return rc == PLUGPKG_OK ? set_format(db, PP_STATE_FORMAT, err, what) : rc;
}

enum plugpkg_code
pp_state_check_format(sqlite3 *db, int64_t *out, plugpkg_error **err)
{
	const char *what = "read var/state.db";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc =
	    pp_db_prepare(db, "SELECT value FROM meta WHERE key = 'format'", &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	int step = sqlite3_step(st);
	if (step == SQLITE_DONE)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "var/state.db does not say its format");
	if (step != SQLITE_ROW)
		return pp_db_fail(db, err, what);

	int64_t format = sqlite3_column_int64(st, 0);
	*out = format;
	if (format > PP_STATE_FORMAT) {
		(void)pp_fail(err, PLUGPKG_E_NEWER_ROOT, 0,
		    "made by a newer plugpkg (root format %lld; this one knows %d)",
		    (long long)format, PP_STATE_FORMAT);
		return pp_hint(err, PLUGPKG_E_NEWER_ROOT, "use that plugpkg, or a newer one");
	}
	if (format < 1)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
		    "var/state.db has an impossible format %lld", (long long)format);
	return PLUGPKG_OK;
}
