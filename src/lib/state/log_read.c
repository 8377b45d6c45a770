/* SPDX-License-Identifier: MIT */
/* var/log.db, read: by a connection of its own that is closed after each piece. */
#include "lib/state/state_db.h"

#include "base/path.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_LINES 500
#define BUSY_MS     10000
#define SQL_MAX     65536

static void
close_reader(sqlite3 **db)
{
	(void)sqlite3_close(*db);
}
#define PP_AUTO_READER PP_CLEANUP(close_reader)

static enum plugpkg_code
fail(sqlite3 *db, plugpkg_error **err)
{
	int result = db != NULL ? sqlite3_errcode(db) : SQLITE_NOMEM;
	const char *text = db != NULL ? sqlite3_errmsg(db) : "out of memory";

	switch (result & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* tables of another kind */
		(void)pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "var/log.db is damaged: %s", text);
		return pp_hint(err, PLUGPKG_E_BAD_STATE,
		    "it holds no facts: move it away, and a new one begins");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return pp_fail(err, PLUGPKG_E_LOCKED, 0, "another process keeps var/log.db busy");
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return pp_fail(err, PLUGPKG_E_PERMISSION, 0, "cannot read var/log.db");
	default:
		return pp_db_fail(db, err, "read var/log.db");
	}
}

/* *out NULL: there is no log. */
static enum plugpkg_code
open_reader(struct pp_state *s, struct pp_db_way *way, sqlite3 **out, plugpkg_error **err)
{
	pp_log_flush(s);
	if (pp_exists_at(s->root_fd, "var/log.db") == 0)
		return PLUGPKG_OK;
	/* Who may write plays back a journal that a crash left; the others get to read as well. */
	if (pp_db_open(s->root_fd, "log.db", SQLITE_OPEN_READWRITE, way, out) != SQLITE_OK)
		return fail(*out, err);
	(void)sqlite3_busy_timeout(*out, BUSY_MS);
	return PLUGPKG_OK;
}

/* Of the parameters that bind() fills with names. */
static void
add_numbers(const struct pp_log_query *q, struct pp_buf *sql)
{
	for (size_t i = 0; i < q->n_plugins; i++)
		pp_buf_addf(sql, "%s?%zu", i == 0 ? "" : ", ", 7 + i);
}

static void
write_sql(const struct pp_log_query *q, const struct pp_log_cursor *c, struct pp_buf *sql)
{
	pp_buf_adds(sql, "SELECT id, at, txn, plugin, level, channel, text FROM log"
			 " WHERE at >= ?1 AND at < ?2 AND level >= ?3 AND (?4 = 0 OR txn = ?4)");
	pp_buf_adds(sql, c->is_by_id ? " AND id > ?6" : " AND (at, id) > (?5, ?6)");
	if (q->n_plugins > 0) {
		pp_buf_adds(sql, " AND (plugin IN (");
		add_numbers(q, sql);
		/* A name means all of its majors, whose lines are tagged NAME@MAJOR. */
		pp_buf_adds(sql, ") OR substr(plugin, 1, instr(substr(plugin, 2), '@')) IN (");
		add_numbers(q, sql);
		pp_buf_adds(sql, "))");
	}
	pp_buf_addf(sql, " ORDER BY %s LIMIT %d", c->is_by_id ? "id" : "at, id", PIECE_LINES);
}

static void
bind(sqlite3_stmt *st, const struct pp_log_query *q, const struct pp_log_cursor *c)
{
	bool is_begun = c->is_begun;

	(void)sqlite3_bind_int64(st, 1, q->since_ms);
	(void)sqlite3_bind_int64(st, 2, q->until_ms);
	(void)sqlite3_bind_int(st, 3, (int)q->level);
	(void)sqlite3_bind_int64(st, 4, q->transaction);
	(void)sqlite3_bind_int64(st, 5, is_begun ? c->at_ms : INT64_MIN);
	(void)sqlite3_bind_int64(st, 6, is_begun ? c->id : INT64_MIN);
	for (size_t i = 0; i < q->n_plugins; i++)
		pp_db_bind_text(st, 7 + (int)i, q->plugins[i]);
}

static char *
text_of(sqlite3_stmt *st, int col)
{
	char *text = pp_db_text(st, col);

	return text != NULL ? text : pp_xstrdup("");
}

static void
read_line(sqlite3_stmt *st, struct pp_log_line *line)
{
	int level = sqlite3_column_int(st, 4);

	line->id = sqlite3_column_int64(st, 0);
	line->at_ms = sqlite3_column_int64(st, 1);
	line->transaction = sqlite3_column_int64(st, 2);
	line->plugin = pp_db_text(st, 3);
	line->level =
	    level >= 0 && level < PP_N_LOG_LEVELS ? (enum pp_log_level)level : PP_LOG_ERROR;
	line->channel = text_of(st, 5);
	line->text = text_of(st, 6);
}

enum plugpkg_code
pp_log_read(struct pp_state *s, const struct pp_log_query *q, struct pp_log_cursor *c,
    struct pp_log_lines *out, plugpkg_error **err)
{
	struct pp_db_way way = { 0 };
	PP_AUTO_READER sqlite3 *db = NULL;
	PP_AUTO_BUF struct pp_buf sql = PP_BUF_INIT(SQL_MAX);
	enum plugpkg_code rc = open_reader(s, &way, &db, err);
	if (rc != PLUGPKG_OK || db == NULL)
		return rc;
	write_sql(q, c, &sql);
	if (sql.overflow)
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "%zu names are too many", q->n_plugins);
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(db, pp_buf_cstr(&sql), -1, &st, NULL) != SQLITE_OK)
		return fail(db, err);
	bind(st, q, c);
	int step;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct pp_log_line *line = pp_vec_new(out);
		read_line(st, line);
		c->is_begun = true;
		c->at_ms = line->at_ms;
		c->id = line->id;
	}
	return step == SQLITE_DONE ? PLUGPKG_OK : fail(db, err);
}

enum plugpkg_code
pp_log_seek_end(struct pp_state *s, int64_t n, struct pp_log_cursor *c, plugpkg_error **err)
{
	struct pp_db_way way = { 0 };
	PP_AUTO_READER sqlite3 *db = NULL;
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = open_reader(s, &way, &db, err);

	*c = (struct pp_log_cursor){ .is_by_id = true };
	if (rc != PLUGPKG_OK || db == NULL)
		return rc;
	if (sqlite3_prepare_v2(db, "SELECT id FROM log ORDER BY id DESC LIMIT 1 OFFSET ?1", -1, &st,
		NULL) != SQLITE_OK)
		return fail(db, err);
	(void)sqlite3_bind_int64(st, 1, n);
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW) {
		c->id = sqlite3_column_int64(st, 0);
		c->is_begun = true;
	}
	return step == SQLITE_ROW || step == SQLITE_DONE ? PLUGPKG_OK : fail(db, err);
}

enum plugpkg_code
pp_log_check(struct pp_state *s, plugpkg_error **err)
{
	struct pp_db_way way = { 0 };
	PP_AUTO_READER sqlite3 *db = NULL;
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = open_reader(s, &way, &db, err);

	if (rc != PLUGPKG_OK || db == NULL)
		return rc;
	if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		return fail(db, err);
	const char *text = (const char *)sqlite3_column_text(st, 0);
	if (text != NULL && strcmp(text, "ok") == 0)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "var/log.db is damaged: %s", text);
}
