/* SPDX-License-Identifier: MIT */
/*
 * var/log.db: one record a line. It never fails a transaction and never waits for the disk; lines
 * are collected for a moment, so that a script that floods its output does not pay for each of
 * them.
 */
#include "lib/state/state_db.h"

#include "base/time.h"

#define FLUSH_LINES 256
#define FLUSH_MS    200

int
pp_log_make_tables(sqlite3 *log)
{
	return sqlite3_exec(log,
	    "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=OFF;"
	    "CREATE TABLE IF NOT EXISTS log("
	    "  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, txn INTEGER NOT NULL,"
	    "  plugin TEXT, level TEXT NOT NULL, channel TEXT NOT NULL, text TEXT NOT NULL);"
	    "CREATE INDEX IF NOT EXISTS log_txn ON log(txn);"
	    "CREATE INDEX IF NOT EXISTS log_plugin ON log(plugin, at);",
	    NULL, NULL, NULL);
}

/* The log is made anew when somebody deleted it: it holds no facts. */
static bool
is_open(struct pp_state *s)
{
	if (s->log != NULL)
		return true;
	if (s->log_is_dead)
		return false;
	int r =
	    pp_db_open(s->root_fd, "log.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &s->log);
	if (r == SQLITE_OK)
		(void)sqlite3_busy_timeout(s->log, 1000);
	if (r == SQLITE_OK && pp_log_make_tables(s->log) == SQLITE_OK)
		return true;
	(void)sqlite3_close(s->log);
	s->log = NULL;
	s->log_is_dead = true;
	return false;
}

static void
begin(struct pp_state *s)
{
	if (s->log_pending == 0) {
		(void)sqlite3_exec(
		    s->log, "BEGIN", NULL, NULL, NULL); /* else each line by itself */
		s->log_since_ms = pp_time_mono_ms();
	}
	s->log_pending++;
}

void
pp_log_write(struct pp_state *s, int64_t txn, const char *plugin, const char *level,
    const char *channel, const char *text)
{
	if (!is_open(s))
		return;
	begin(s);
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(s->log,
		"INSERT INTO log(at, txn, plugin, level, channel, text) VALUES(?,?,?,?,?,?)", -1,
		&st, NULL) != SQLITE_OK)
		return;
	(void)sqlite3_bind_int64(st, 1, pp_time_now());
	(void)sqlite3_bind_int64(st, 2, txn);
	pp_db_bind_text(st, 3, plugin);
	pp_db_bind_text(st, 4, level);
	pp_db_bind_text(st, 5, channel);
	pp_db_bind_text(st, 6, text);
	(void)sqlite3_step(st); /* a line lost is better than a transaction lost */
	if (s->log_pending >= FLUSH_LINES || pp_time_mono_ms() - s->log_since_ms > FLUSH_MS)
		pp_log_flush(s);
}

void
pp_log_flush(struct pp_state *s)
{
	if (s->log == NULL || s->log_pending == 0)
		return;
	s->log_pending = 0;
	if (sqlite3_get_autocommit(s->log) == 0 &&
	    sqlite3_exec(s->log, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		(void)sqlite3_exec(
		    s->log, "ROLLBACK", NULL, NULL, NULL); /* lines lost, see above */
}

void
pp_log_close(struct pp_state *s)
{
	pp_log_flush(s);
	(void)sqlite3_close(s->log);
	s->log = NULL;
}
