/* SPDX-License-Identifier: MIT */
/* Inside lib/state only: the open databases and the few idioms all its files share. */
#ifndef PP_STATE_STATE_DB_H
#define PP_STATE_STATE_DB_H

#include "base/map.h"
#include "base/mem.h"
#include "lib/state/log.h"
#include "lib/state/state.h"

#include <sqlite3.h>

/*
 * How SQLite gets at the files of an open database: as it always does, but by our path as it is,
 * and why it could not open one is remembered.
 */
struct pp_db_way {
	sqlite3_vfs vfs;
	const sqlite3_vfs *usual;
	char name[32];
	int errnum;          /* of the last file that could not be opened; 0: none */
	int readonly_errnum; /* why the database can only be read; 0: it was not tried, or can */
};

struct pp_state {
	int root_fd;              /* borrowed from the context */
	sqlite3 *db;              /* var/state.db, or a copy in memory of one of an older format */
	sqlite3 *older;           /* var/state.db while db is a lifted copy of it; otherwise NULL */
	int64_t older_version;    /* of its data, when it was copied */
	struct pp_db_way way;     /* to var/state.db */
	plugpkg_context *ctx;     /* borrowed; NULL in a state that is only being made */
	struct pp_map manifests;  /* pp_manifests_get() */
	bool is_known;            /* its format */
	bool is_ready;            /* for writing */
	bool is_looked_at;        /* within pp_state_look() */
	sqlite3 *log;             /* var/log.db; NULL: not opened yet, or cannot be written */
	struct pp_db_way log_way; /* to it */
	bool log_is_dead;         /* opening failed once: do not try for every line */
	bool log_is_written;      /* since the last pp_log_end() */
	struct pp_log_lines log_pending;
	int64_t log_since_ms; /* monotonic; when the first pending line came */
};

/* Columns of whole rows of plugins, in the order of read_plugin() and of commit.c. */
#define PP_PLUGIN_COLUMNS                                                                          \
	"name, version, source, state, manual, hold, hold_until, sha256, tree_sha256, link_dir, "  \
	"manifest, bytes, files, installed_at, txn, key, detached, disabled, blocked_by, skipped"

/* Loads SQLite. False: pp_library_error() tells why not. */
bool pp_sqlite_is_there(void);
/*
 * Opens ROOT/var/NAME. The result of SQLite; *out must be closed in any case. way: lives as long as
 * *out, asks the system less, and knows no limit of the root's path; a NAME that is a symbolic link
 * is refused then. NULL: the usual.
 */
int pp_db_open(int root_fd, const char *name, int flags, struct pp_db_way *way, sqlite3 **out);
void pp_db_close(sqlite3 **db);
/* The first bytes of its file, by SQLite's own descriptor: to close another ends its locks. */
int pp_db_read(sqlite3 *db, void *out, int n);
/* The first bytes of a database, while this process has opened none. False: it has, or no luck. */
bool pp_db_peek(int root_fd, const char *path, void *out, size_t n);
/* Turns what SQLite says into a code: PERMISSION, NO_SPACE, LOCKED, BAD_STATE or IO. */
enum plugpkg_code pp_db_fail(sqlite3 *db, plugpkg_error **err, const char *what);
enum plugpkg_code pp_db_exec(sqlite3 *db, const char *sql, plugpkg_error **err, const char *what);
enum plugpkg_code pp_db_prepare(
    sqlite3 *db, const char *sql, sqlite3_stmt **out, plugpkg_error **err, const char *what);
/* NULL text binds NULL. */
void pp_db_bind_text(sqlite3_stmt *st, int i, const char *text);
char *pp_db_text(sqlite3_stmt *st, int col); /* owned; NULL for NULL */

static inline void
pp_auto_stmt(sqlite3_stmt **st)
{
	sqlite3_finalize(*st);
}
#define PP_AUTO_STMT PP_CLEANUP(pp_auto_stmt)

/* A transaction that is rolled back unless pp_db_commit() was reached. */
struct pp_db_guard {
	sqlite3 *db; /* NULL: nothing to roll back */
};
enum plugpkg_code pp_db_begin(
    sqlite3 *db, struct pp_db_guard *out, plugpkg_error **err, const char *what);
enum plugpkg_code pp_db_commit(struct pp_db_guard *g, plugpkg_error **err, const char *what);
void pp_db_guard_fini(struct pp_db_guard *g);
#define PP_AUTO_DB_GUARD PP_CLEANUP(pp_db_guard_fini)

/* lib/state/state_migrate.c: the tables, and the steps from older formats. */
enum plugpkg_code pp_state_make_tables(sqlite3 *db, plugpkg_error **err);
/* *out: 1 to PP_STATE_FORMAT. Errors: NEWER_ROOT BAD_STATE … */
enum plugpkg_code pp_state_check_format(sqlite3 *db, int64_t *out, plugpkg_error **err);
struct pp_state_steps {
	const char *const *sql; /* from format N to N + 1, at place N - 1 */
	int64_t to;             /* the format that the last one leads to */
};
extern const struct pp_state_steps pp_state_steps;
/* All steps that are left, within the caller's SQL transaction. */
enum plugpkg_code pp_state_take_steps(
    sqlite3 *db, const struct pp_state_steps *all, int64_t from, plugpkg_error **err);
/*
 * lib/state/state_lift.c: s->db is of an older format; from now on it is a copy in memory, lifted.
 */
enum plugpkg_code pp_state_copy_older(struct pp_state *s, int64_t format, plugpkg_error **err);
bool pp_state_is_copy_outdated(struct pp_state *s); /* false where there is none */
void pp_state_drop_copy(struct pp_state *s);        /* back to the file */
/* A copy beside the file, durable on return; and the file lifted. */
enum plugpkg_code pp_state_lift_file(
    struct pp_state *s, const struct pp_state_steps *all, int64_t from, plugpkg_error **err);
/* lib/state/commit.c: within the caller's SQL transaction. */
enum plugpkg_code pp_plugins_delete(
    struct pp_state *s, const struct pp_strs *keys, plugpkg_error **err);
/* lib/state/state.c: pp_state_take_generation() within the caller's SQL transaction. */
enum plugpkg_code pp_state_note_generation(
    struct pp_state *s, int64_t generation, plugpkg_error **err);
/* lib/state/delays.c: those that mean nothing any more, within the caller's SQL transaction. */
enum plugpkg_code pp_state_drop_delays(struct pp_state *s, plugpkg_error **err);
/* lib/state/history.c: inside the SQL transaction that makes the set a fact. */
enum plugpkg_code pp_history_record(struct pp_state *s, const struct pp_installeds *set,
    int64_t generation, int64_t transaction, plugpkg_error **err);
/* lib/state/owners.c: within the caller's SQL transaction. */
struct pp_pins;
enum plugpkg_code pp_state_write_pins(
    struct pp_state *s, const struct pp_pins *pins, plugpkg_error **err);
/* lib/state/journal.c: within the caller's SQL transaction; transaction 0: nothing. */
enum plugpkg_code pp_journal_mark_commit(
    struct pp_state *s, int64_t transaction, plugpkg_error **err);
/*
 * lib/state/manifests.c: plugin.json of an installed plugin, parsed once for each text of it that
 * was read. Owned; NULL: it is damaged, and *out_why says how.
 */
pp_json *pp_manifests_get(
    struct pp_state *s, const char *key, const char *text, struct pp_json_error *out_why);
/* Its text; a view until the next one of the key. */
const char *pp_manifests_text(struct pp_state *s, const char *key, const pp_json *manifest);
void pp_manifests_fini(struct pp_state *s);
/* lib/state/installed_json.c: the column `detached`; NULL for none. */
char *pp_installed_detached_text(const struct pp_installed *p);
void pp_installed_read_detached(struct pp_installed *p, const char *text);
/* lib/state/log.c */
int pp_log_make_tables(sqlite3 *log);
void pp_log_close(struct pp_state *s);
void pp_log_event(
    plugpkg_context *ctx, enum pp_log_level level, const char *plugin, const char *text);

#endif
