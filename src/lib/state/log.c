/* SPDX-License-Identifier: MIT */
/*
 * var/log.db, written: one record a line. It never fails a transaction and never waits for the
 * disk; lines are collected for a moment and written together, so that a script that floods its
 * output does not pay for each of them, and nobody holds the database while a script runs.
 */
#include "lib/state/state_db.h"

#include "base/path.h"
#include "base/sys.h"
#include "base/time.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_LINES  256
#define FLUSH_MS     200
#define BUSY_MS      1000
#define SHRINK_TIMES 8
#define KEPT_LINES   8192 /* waiting for a database that others keep busy */

static int64_t
number(sqlite3 *db, const char *sql)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		return 0;
	return sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
}

int
pp_log_make_tables(sqlite3 *log)
{
	/* Setting what is set already would write, and sync, each time that the log is opened. */
	const char *vacuum =
	    number(log, "PRAGMA auto_vacuum") == 2 ? "" : "PRAGMA auto_vacuum=INCREMENTAL";
	int r = sqlite3_exec(
	    log, "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=OFF", NULL, NULL, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_exec(log, vacuum, NULL, NULL, NULL);
	if (r != SQLITE_OK)
		return r;
	return sqlite3_exec(log,
	    "CREATE TABLE IF NOT EXISTS log("
	    "  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, txn INTEGER NOT NULL,"
	    "  plugin TEXT, level INTEGER NOT NULL, channel TEXT NOT NULL, text TEXT NOT NULL);"
	    "CREATE INDEX IF NOT EXISTS log_at ON log(at);"
	    "CREATE INDEX IF NOT EXISTS log_txn ON log(txn);"
	    "CREATE INDEX IF NOT EXISTS log_plugin ON log(plugin, at);",
	    NULL, NULL, NULL);
}

void
pp_log_lines_fini(struct pp_log_lines *v)
{
	pp_vec_foreach (line, v) {
		free(line->plugin);
		free(line->channel);
		free(line->text);
	}
	pp_vec_free(v);
}

/* ---- opening ---- */

static bool
is_damaged(int result)
{
	return (result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB;
}

/* Moved aside, not deleted: somebody may still want to read it. */
static bool
set_aside(struct pp_state *s)
{
	PP_AUTO_FREE char *name = pp_asprintf("var/log.db.damaged-%lld", (long long)pp_time_now());
	PP_AUTO_FREE char *journal = pp_asprintf("%s-journal", name);

	pp_db_close(&s->log);
	/* Its journal first: left behind it would be played back into the new database. */
	if (pp_renameat(s->root_fd, "var/log.db-journal", s->root_fd, journal) < 0 &&
	    errno != ENOENT)
		return false;
	if (pp_renameat(s->root_fd, "var/log.db", s->root_fd, name) < 0)
		return false;
	if (s->ctx != NULL)
		pp_warn(s->ctx, NULL, "var/log.db is damaged; it is now %s, and a new one begins",
		    name);
	return true;
}

static int
open_once(struct pp_state *s)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int r = pp_db_open(s->root_fd, "log.db", flags, &s->log_way, &s->log);

	if (r == SQLITE_OK)
		(void)sqlite3_busy_timeout(s->log, BUSY_MS);
	return r == SQLITE_OK ? pp_log_make_tables(s->log) : r;
}

/* The log is made anew when somebody deleted it: it holds no facts. */
static bool
is_open(struct pp_state *s)
{
	if (s->log != NULL)
		return true;
	if (s->log_is_dead)
		return false;
	s->log_is_dead = true; /* also for what is said on the way */
	int r = open_once(s);
	if (is_damaged(r) && set_aside(s))
		r = open_once(s);
	if (r != SQLITE_OK)
		pp_db_close(&s->log);
	s->log_is_dead = r != SQLITE_OK;
	return r == SQLITE_OK;
}

void
pp_log_mend(struct pp_state *s)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	if (pp_log_check(s, &why) == PLUGPKG_E_BAD_STATE)
		(void)set_aside(s); /* check says so when it could not */
}

/* ---- writing ---- */

static int64_t
now_ms(const struct pp_state *s)
{
	return pp_time_now_ms() + (s->ctx != NULL ? s->ctx->clock_skew_s * 1000 : 0);
}

static int
insert(sqlite3_stmt *st, const struct pp_log_line *line)
{
	(void)sqlite3_bind_int64(st, 1, line->at_ms);
	(void)sqlite3_bind_int64(st, 2, line->transaction);
	pp_db_bind_text(st, 3, line->plugin);
	(void)sqlite3_bind_int(st, 4, (int)line->level);
	pp_db_bind_text(st, 5, line->channel);
	pp_db_bind_text(st, 6, line->text);
	int r = sqlite3_step(st);
	(void)sqlite3_reset(st); /* repeats the result of the step */
	return r;
}

static int
insert_all(struct pp_state *s, const struct pp_log_line *lines, size_t n)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	int r = sqlite3_exec(s->log, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (r != SQLITE_OK)
		return r;
	guard.db = s->log;
	r = sqlite3_prepare_v2(s->log,
	    "INSERT INTO log(at, txn, plugin, level, channel, text) VALUES(?,?,?,?,?,?)", -1, &st,
	    NULL);
	for (size_t i = 0; r == SQLITE_OK && i < n; i++)
		r = insert(st, &lines[i]) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(s->log);
	if (r == SQLITE_OK)
		r = sqlite3_exec(s->log, "COMMIT", NULL, NULL, NULL);
	if (r == SQLITE_OK)
		guard.db = NULL;
	return r;
}

static int
write_lines(struct pp_state *s, const struct pp_log_line *lines, size_t n)
{
	if (!is_open(s))
		return SQLITE_CANTOPEN;
	int r = insert_all(s, lines, n);
	/* Damaged beyond its first page: only writing notices. */
	if (is_damaged(r)) {
		s->log_is_dead = true;
		s->log_is_dead = !set_aside(s);
		r = is_open(s) ? insert_all(s, lines, n) : SQLITE_CANTOPEN;
	}
	s->log_is_written = s->log_is_written || r == SQLITE_OK;
	return r;
}

void
pp_log_flush(struct pp_state *s)
{
	if (s->log_pending.n == 0)
		return;
	/* What is said while this writes belongs to the next time. */
	struct pp_log_lines lines = s->log_pending;
	s->log_pending = (struct pp_log_lines){ 0 };
	int r = write_lines(s, lines.at, lines.n);
	if ((r & 0xff) == SQLITE_BUSY && lines.n < KEPT_LINES && s->log_pending.n == 0) {
		s->log_pending = lines;
		s->log_since_ms = pp_time_mono_ms();
		return;
	}
	pp_log_lines_fini(&lines); /* lines lost are better than a transaction lost */
}

void
pp_log_write(struct pp_state *s, int64_t txn, const char *plugin, const char *level,
    const char *channel, const char *text)
{
	int n = pp_log_level_of(level);

	assert(n >= 0);
	if (s->log_is_dead || n < (int)pp_log_least(s->ctx))
		return;
	if (s->log_pending.n == 0)
		s->log_since_ms = pp_time_mono_ms();
	struct pp_log_line *line = pp_vec_new(&s->log_pending);
	line->at_ms = now_ms(s);
	line->transaction = txn;
	line->plugin = pp_xstrdup(plugin);
	line->level = (enum pp_log_level)n;
	line->channel = pp_xstrdup(channel);
	line->text = pp_xstrdup(text);
	if (s->log_pending.n >= FLUSH_LINES || pp_time_mono_ms() - s->log_since_ms > FLUSH_MS)
		pp_log_flush(s);
}

void
pp_log_step(
    struct pp_state *s, int64_t txn, const char *plugin, const char *what, const char *version)
{
	static const char *const words[][2] = {
		{ "configure", "configuring" },
		{ "disable", "disabling" },
		{ "downgrade", "downgrading" },
		{ "enable", "enabling" },
		{ "install", "installing" },
		{ "reinstall", "reinstalling" },
		{ "remove", "removing" },
		{ "uninstall", "uninstalling" },
		{ "unpack", "unpacking" },
		{ "upgrade", "upgrading" },
	};
	const char *doing = what;

	for (size_t i = 0; i < PP_LEN(words); i++)
		if (strcmp(words[i][0], what) == 0)
			doing = words[i][1];
	PP_AUTO_FREE char *text = pp_asprintf("%s %s %s", doing, plugin, version);
	bool is_detail = strcmp(what, "unpack") == 0;
	pp_log_write(s, txn, plugin, is_detail ? "debug" : "info", "transaction", text);
}

void
pp_log_event(plugpkg_context *ctx, enum pp_log_level level, const char *plugin, const char *text)
{
	struct pp_state *s = pp_state_of(ctx);

	if (s != NULL)
		pp_log_write(
		    s, ctx->transaction, plugin, pp_log_level_names[level], "plugpkg", text);
}

enum plugpkg_code
pp_log_write_now(struct pp_state *s, const struct pp_log_line *line, plugpkg_error **err)
{
	if (line->level < pp_log_least(s->ctx))
		return PLUGPKG_OK;
	struct pp_log_line stamped = *line;
	stamped.at_ms = now_ms(s);
	int r = write_lines(s, &stamped, 1);
	if (r == SQLITE_OK)
		return PLUGPKG_OK;
	if ((r & 0xff) == SQLITE_FULL)
		return pp_fail(err, PLUGPKG_E_NO_SPACE, 0, "cannot write to var/log.db");
	if ((r & 0xff) == SQLITE_READONLY || (r & 0xff) == SQLITE_CANTOPEN)
		return pp_fail(err, PLUGPKG_E_PERMISSION, 0, "cannot write to var/log.db");
	return pp_fail(err, PLUGPKG_E_IO, 0, "cannot write to var/log.db: %s", sqlite3_errstr(r));
}

void
pp_log_close(struct pp_state *s)
{
	pp_log_flush(s);
	pp_log_lines_fini(&s->log_pending);
	pp_db_close(&s->log);
}

/* ---- keeping it small ---- */

static void
delete_lines(sqlite3 *db, const char *sql, int64_t limit)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		return;
	(void)sqlite3_bind_int64(st, 1, limit);
	(void)sqlite3_step(st); /* the next command tries again */
}

/*
 * Deletes the oldest part, so that a tenth of the room is free afterwards. False when nothing was
 * to do. Pages are not filled evenly, so once may not be enough.
 */
static bool
shrink_to(sqlite3 *db, int64_t max_bytes)
{
	int64_t pages = number(db, "PRAGMA page_count") - number(db, "PRAGMA freelist_count");
	int64_t used = pages * number(db, "PRAGMA page_size");
	int64_t lines = number(db, "SELECT count(*) FROM log");

	if (used <= max_bytes || lines == 0)
		return false;
	int64_t keep = (int64_t)((double)lines * 0.9 * (double)max_bytes / (double)used);
	delete_lines(db,
	    "DELETE FROM log WHERE id <= (SELECT id FROM log ORDER BY id DESC LIMIT 1 OFFSET ?1)",
	    keep);
	return true;
}

enum plugpkg_code
pp_log_forget(struct pp_state *s, int64_t before_ms, plugpkg_error **err)
{
	static const char what[] = "delete lines of var/log.db";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;

	if (!is_open(s))
		return pp_fail(err, PLUGPKG_E_IO, 0, "cannot open 'var/log.db'");
	enum plugpkg_code rc =
	    pp_db_prepare(s->log, "DELETE FROM log WHERE at < ?1", &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, before_ms);
	if (sqlite3_step(st) != SQLITE_DONE)
		return pp_db_fail(s->log, err, what);
	return pp_db_exec(s->log, "PRAGMA incremental_vacuum", err, what);
}

void
pp_log_end(struct pp_state *s)
{
	pp_log_flush(s);
	if (!s->log_is_written || s->log == NULL || s->ctx == NULL || s->ctx->config == NULL)
		return;
	const struct pp_log_rules *rules = &s->ctx->config->log;
	delete_lines(s->log, "DELETE FROM log WHERE at < ?1", now_ms(s) - rules->max_age_s * 1000);
	for (int i = 0; i < SHRINK_TIMES && shrink_to(s->log, (int64_t)rules->max_bytes); i++)
		;
	if (number(s->log, "PRAGMA freelist_count") > 0)
		(void)sqlite3_exec(s->log, "PRAGMA incremental_vacuum", NULL, NULL, NULL);
	s->log_is_written = false;
}
