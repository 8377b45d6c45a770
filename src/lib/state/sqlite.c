/* SPDX-License-Identifier: MIT */
/*
 * Each function of SQLite that is called anywhere here, under its own name: the first call loads
 * the library, which takes as long as all else that `plugpkg update` does before it starts its
 * download helper.
 */
#include <stdarg.h>

#include "base/library.h"
#include "lib/state/state_db.h"

#define SONAME "libsqlite3.so.0"
PP_LIBRARY_NOTE(SONAME, "state", "required", "The state of a root");

/* clang-format off */
#define FUNCTIONS(_)                                                                               \
	_(int, sqlite3_backup_finish, (sqlite3_backup *b), (b))                                    \
	_(sqlite3_backup *, sqlite3_backup_init,                                                   \
	    (sqlite3 *to, const char *name, sqlite3 *from, const char *other),                     \
	    (to, name, from, other))                                                               \
	_(int, sqlite3_backup_step, (sqlite3_backup *b, int n), (b, n))                            \
	_(int, sqlite3_bind_int, (sqlite3_stmt *s, int i, int v), (s, i, v))                       \
	_(int, sqlite3_bind_int64, (sqlite3_stmt *s, int i, sqlite3_int64 v), (s, i, v))           \
	_(int, sqlite3_bind_parameter_count, (sqlite3_stmt *s), (s))                               \
	_(int, sqlite3_bind_text,                                                                  \
	    (sqlite3_stmt *s, int i, const char *p, int n, void (*fn)(void *)),                    \
	    (s, i, p, n, fn))                                                                      \
	_(int, sqlite3_busy_timeout, (sqlite3 *db, int ms), (db, ms))                              \
	_(int, sqlite3_changes, (sqlite3 *db), (db))                                               \
	_(int, sqlite3_close, (sqlite3 *db), (db))                                                 \
	_(int, sqlite3_close_v2, (sqlite3 *db), (db))                                              \
	_(int, sqlite3_column_bytes, (sqlite3_stmt *s, int i), (s, i))                             \
	_(int, sqlite3_column_int, (sqlite3_stmt *s, int i), (s, i))                               \
	_(sqlite3_int64, sqlite3_column_int64, (sqlite3_stmt *s, int i), (s, i))                   \
	_(const unsigned char *, sqlite3_column_text, (sqlite3_stmt *s, int i), (s, i))            \
	_(int, sqlite3_column_type, (sqlite3_stmt *s, int i), (s, i))                              \
	_(const char *, sqlite3_db_filename, (sqlite3 *db, const char *name), (db, name))      \
	_(int, sqlite3_db_readonly, (sqlite3 *db, const char *name), (db, name))                   \
	_(int, sqlite3_errcode, (sqlite3 *db), (db))                                               \
	_(const char *, sqlite3_errmsg, (sqlite3 *db), (db))                                       \
	_(const char *, sqlite3_errstr, (int r), (r))                                              \
	_(int, sqlite3_exec, (sqlite3 *db, const char *sql,                                        \
	    int (*fn)(void *, int, char **, char **), void *user, char **out),                     \
	    (db, sql, fn, user, out))                                                              \
	_(int, sqlite3_extended_errcode, (sqlite3 *db), (db))                                      \
	_(int, sqlite3_extended_result_codes, (sqlite3 *db, int on), (db, on))                     \
	_(int, sqlite3_file_control, (sqlite3 *db, const char *name, int op, void *p),             \
	    (db, name, op, p))                                                                     \
	_(int, sqlite3_finalize, (sqlite3_stmt *s), (s))                                           \
	_(int, sqlite3_get_autocommit, (sqlite3 *db), (db))                                        \
	_(sqlite3_int64, sqlite3_last_insert_rowid, (sqlite3 *db), (db))                           \
	_(int, sqlite3_open_v2, (const char *path, sqlite3 **out, int flags, const char *vfs),     \
	    (path, out, flags, vfs))                                                               \
	_(int, sqlite3_prepare_v2,                                                                 \
	    (sqlite3 *db, const char *sql, int n, sqlite3_stmt **out, const char **tail),          \
	    (db, sql, n, out, tail))                                                               \
	_(int, sqlite3_reset, (sqlite3_stmt *s), (s))                                              \
	_(int, sqlite3_step, (sqlite3_stmt *s), (s))                                               \
	_(int, sqlite3_system_errno, (sqlite3 *db), (db))                                          \
	_(sqlite3_vfs *, sqlite3_vfs_find, (const char *name), (name))                             \
	_(int, sqlite3_vfs_register, (sqlite3_vfs *vfs, int is_default), (vfs, is_default))        \
	_(int, sqlite3_vfs_unregister, (sqlite3_vfs *vfs), (vfs))
#define PROCEDURES(_)
/* clang-format on */

PP_LIBRARY_DOOR(pp_sqlite_is_there, SONAME, FUNCTIONS, PROCEDURES)

/* What is asked of it here: a switch that is set, and where to say how it stood. */
int
sqlite3_db_config(sqlite3 *db, int op, ...)
{
	static const struct pp_library_call row = { "sqlite3_db_config", 0 };
	static _Atomic(void *) found;
	__typeof__(sqlite3_db_config) *const *fn =
	    pp_library_need(&found, sizeof(*fn), SONAME, &row, 1);
	va_list args;

	va_start(args, op);
	int is_on = va_arg(args, int);
	int *out = va_arg(args, int *);
	va_end(args);
	return (*fn)(db, op, is_on, out);
}
