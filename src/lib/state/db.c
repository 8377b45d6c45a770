/* SPDX-License-Identifier: MIT */
/*
 * What every file of lib/state does with SQLite: opening, failing, binding, guarded transactions.
 */
#include "lib/state/state_db.h"

#include "base/sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BUSY_MS 30000

/* A path that begins with a descriptor is full: SQLite would look at each of its parts. */
static int
keep_path(PP_UNUSED sqlite3_vfs *vfs, const char *path, int size, char *out)
{
	size_t n = strlen(path) + 1;

	if (n > (size_t)size)
		return SQLITE_CANTOPEN;
	memcpy(out, path, n);
	return SQLITE_OK;
}

/*
 * SQLite knows a way by its name, for as long as it takes to open: a library that is unloaded must
 * leave nothing behind in the lists of another.
 */
static int
open_by_way(const char *path, int flags, struct pp_db_way *way, sqlite3 **out)
{
	const sqlite3_vfs *usual = sqlite3_vfs_find("unix");

	if (way == NULL || usual == NULL)
		return sqlite3_open_v2(path, out, flags, NULL);
	way->vfs = *usual;
	way->vfs.pNext = NULL;
	way->vfs.zName = way->name;
	way->vfs.xFullPathname = keep_path;
	(void)snprintf(way->name, sizeof(way->name), "plugpkg-%p", (void *)way);
	int r = sqlite3_vfs_register(&way->vfs, 0);
	if (r == SQLITE_OK)
		r = sqlite3_open_v2(path, out, flags, way->name);
	(void)sqlite3_vfs_unregister(&way->vfs); /* it was there, or it does not matter */
	return r;
}

static void
set_up(sqlite3 *db)
{
	(void)sqlite3_extended_result_codes(db, 1);
	(void)sqlite3_busy_timeout(db, BUSY_MS);
	/* A database from elsewhere must not run functions of its own choosing. */
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
}

int
pp_db_open(int root_fd, const char *name, int flags, struct pp_db_way *way, sqlite3 **out)
{
	char path[64];

	/* By the descriptor, so that a root that was moved meanwhile is still the same root. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/var/%s", root_fd, name);
	int r = open_by_way(path, flags | SQLITE_OPEN_NOMUTEX, way, out);
	if (r == SQLITE_OK)
		set_up(*out);
	return r;
}

void
pp_db_close(sqlite3 **db)
{
	(void)sqlite3_close(*db); /* every statement has its own cleanup, so this cannot be busy */
	*db = NULL;
}

int
pp_db_read(sqlite3 *db, void *out, int n)
{
	sqlite3_file *file = NULL;
	int r = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);

	if (r != SQLITE_OK || file == NULL || file->pMethods == NULL)
		return SQLITE_CANTOPEN;
	return file->pMethods->xRead(file, out, n, 0);
}

/* The system's reason behind a result, 0 when SQLite knows none. */
static int
errno_of(sqlite3 *db, int result)
{
	int errnum = db != NULL ? sqlite3_system_errno(db) : 0;

	if (errnum != 0)
		return errnum;
	return result == SQLITE_FULL ? ENOSPC : EIO;
}

enum plugpkg_code
pp_db_fail(sqlite3 *db, plugpkg_error **err, const char *what)
{
	int result = db != NULL ? sqlite3_errcode(db) : SQLITE_NOMEM;
	const char *text = db != NULL ? sqlite3_errmsg(db) : "out of memory";

	switch (result & 0xff) {
	case SQLITE_FULL:
		return pp_fail(err, PLUGPKG_E_IO, ENOSPC, "cannot %s", what);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return pp_fail(
		    err, PLUGPKG_E_PERMISSION, 0, "cannot %s: the root is not writable", what);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return pp_fail(err, PLUGPKG_E_LOCKED, 0,
		    "cannot %s: another process keeps var/state.db busy", what);
	/* SQLite also calls damaged what the disk does not give back. */
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		(void)pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "cannot %s: var/state.db is damaged: %s",
		    what, text);
		return pp_hint(err, PLUGPKG_E_BAD_STATE,
		    "if the disk is sound, restore var/state.db from a backup");
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return pp_fail(err, PLUGPKG_E_IO, errno_of(db, result), "cannot %s", what);
	default:
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "cannot %s: %s", what, text);
	}
}

enum plugpkg_code
pp_db_exec(sqlite3 *db, const char *sql, plugpkg_error **err, const char *what)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return pp_db_fail(db, err, what);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_db_prepare(
    sqlite3 *db, const char *sql, sqlite3_stmt **out, plugpkg_error **err, const char *what)
{
	if (sqlite3_prepare_v2(db, sql, -1, out, NULL) != SQLITE_OK)
		return pp_db_fail(db, err, what);
	return PLUGPKG_OK;
}

void
pp_db_bind_text(sqlite3_stmt *st, int i, const char *text)
{
	(void)sqlite3_bind_text(st, i, text, -1, SQLITE_TRANSIENT);
}

char *
pp_db_text(sqlite3_stmt *st, int col)
{
	const unsigned char *text = sqlite3_column_text(st, col);

	return text != NULL ? pp_xstrndup((const char *)text, (size_t)sqlite3_column_bytes(st, col))
			    : NULL;
}

enum plugpkg_code
pp_db_begin(sqlite3 *db, struct pp_db_guard *out, plugpkg_error **err, const char *what)
{
	enum plugpkg_code rc = pp_db_exec(db, "BEGIN IMMEDIATE", err, what);

	out->db = rc == PLUGPKG_OK ? db : NULL;
	return rc;
}

enum plugpkg_code
pp_db_commit(struct pp_db_guard *g, plugpkg_error **err, const char *what)
{
	if (pp_failpoint() < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot %s", what);
	enum plugpkg_code rc = pp_db_exec(g->db, "COMMIT", err, what);
	pp_failpoint_passed();
	if (rc == PLUGPKG_OK)
		g->db = NULL;
	return rc;
}

void
pp_db_guard_fini(struct pp_db_guard *g)
{
	int saved = errno;

	if (g->db != NULL)
		(void)sqlite3_exec(
		    g->db, "ROLLBACK", NULL, NULL, NULL); /* nothing left to do about it */
	errno = saved;
}
