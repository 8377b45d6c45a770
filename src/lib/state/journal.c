/* SPDX-License-Identifier: MIT */
/*
 * Transactions and their steps, durable before the step that they announce. Recovery reads them; it
 * does not live here.
 */
#include "lib/state/state_db.h"

#include "base/sys.h"

static const char what[] = "write the journal";

/* The one place that runs a writing statement of its own, outside of a guarded transaction. */
static enum plugpkg_code
run(struct pp_state *s, sqlite3_stmt *st, plugpkg_error **err)
{
	if (sqlite3_get_autocommit(s->db) != 0)
		pp_failpoint();
	return sqlite3_step(st) == SQLITE_DONE ? PLUGPKG_OK : pp_db_fail(s->db, err, what);
}

enum plugpkg_code
pp_journal_begin(
    struct pp_state *s, const char *command, int64_t now, int64_t *out_txn, plugpkg_error **err)
{
	/*
	 * What was cut off before stays visible in the history; from here on it is no longer open.
	 */
	enum plugpkg_code rc = pp_db_exec(s->db,
	    "UPDATE transactions SET status = 'abandoned' WHERE status = 'running'", err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	rc = pp_db_prepare(s->db,
	    "INSERT INTO transactions(command, started, status) VALUES(?1, ?2, 'running')", &st,
	    err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_db_bind_text(st, 1, command);
	(void)sqlite3_bind_int64(st, 2, now);
	rc = run(s, st, err);
	*out_txn = rc == PLUGPKG_OK ? sqlite3_last_insert_rowid(s->db) : 0;
	return rc;
}

enum plugpkg_code
pp_journal_step(struct pp_state *s, int64_t txn, const char *kind, const char *plugin,
    const char *version, const char *status, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "INSERT INTO journal(txn, kind, plugin, version, status) VALUES(?1, ?2, ?3, ?4, ?5)",
	    &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, txn);
	pp_db_bind_text(st, 2, kind);
	pp_db_bind_text(st, 3, plugin);
	pp_db_bind_text(st, 4, version);
	pp_db_bind_text(st, 5, status);
	return run(s, st, err);
}

enum plugpkg_code
pp_journal_steps(struct pp_state *s, int64_t txn, const struct pp_journal_entry *entries, size_t n,
    plugpkg_error **err)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);

	for (size_t i = 0; rc == PLUGPKG_OK && i < n; i++) {
		const struct pp_journal_entry *e = &entries[i];
		rc = pp_journal_step(s, txn, e->kind, e->plugin, e->version, e->status, err);
	}
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}

enum plugpkg_code
pp_journal_end(struct pp_state *s, int64_t txn, const char *status, int64_t generation, int64_t now,
    plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "UPDATE transactions SET status = ?1, ended = ?2, generation = ?3 WHERE id = ?4", &st,
	    err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_db_bind_text(st, 1, status);
	(void)sqlite3_bind_int64(st, 2, now);
	(void)sqlite3_bind_int64(st, 3, generation);
	(void)sqlite3_bind_int64(st, 4, txn);
	return run(s, st, err);
}

enum plugpkg_code
pp_journal_open_transaction(
    struct pp_state *s, int64_t *out_txn, char **out_command, plugpkg_error **err)
{
	*out_txn = 0;
	*out_command = NULL;
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT id, command FROM transactions WHERE status = 'running' ORDER BY id DESC LIMIT "
	    "1",
	    &st, err, "read the journal");
	if (rc != PLUGPKG_OK)
		return rc;
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW) {
		*out_txn = sqlite3_column_int64(st, 0);
		*out_command = pp_db_text(st, 1);
	}
	return step == SQLITE_ROW || step == SQLITE_DONE
		   ? PLUGPKG_OK
		   : pp_db_fail(s->db, err, "read the journal");
}
