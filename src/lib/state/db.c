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
#define PIECE   126976 /* its unix files are asked for less than 128 KiB at once */

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

static int
file_of(sqlite3 *db, sqlite3_file **out)
{
	*out = NULL;
	int r = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, out);
	return r == SQLITE_OK && (*out == NULL || (*out)->pMethods == NULL) ? SQLITE_CANTOPEN : r;
}

int
pp_db_read(sqlite3 *db, void *out, size_t n, size_t at)
{
	sqlite3_file *file;
	int r = file_of(db, &file);

	for (size_t done = 0; r == SQLITE_OK && done < n;) {
		size_t piece = n - done < PIECE ? n - done : PIECE;
		r = file->pMethods->xRead(
		    file, (char *)out + done, (int)piece, (sqlite3_int64)(at + done));
		done += piece;
	}
	return r;
}

/* The bytes of the file in memory of SQLite; NULL: too many, or they cannot be read. */
static unsigned char *
read_whole(sqlite3 *db, size_t limit, size_t *out_n)
{
	sqlite3_file *file;
	sqlite3_int64 size = 0;

	if (file_of(db, &file) != SQLITE_OK ||
	    file->pMethods->xFileSize(file, &size) != SQLITE_OK || size <= 0 ||
	    (uint64_t)size > limit)
		return NULL;
	unsigned char *bytes = sqlite3_malloc64((sqlite3_uint64)size);
	*out_n = (size_t)size;
	if (bytes != NULL && pp_db_read(db, bytes, *out_n, 0) == SQLITE_OK)
		return bytes;
	sqlite3_free(bytes);
	return NULL;
}

sqlite3 *
pp_db_copy(sqlite3 *db, size_t limit)
{
	const unsigned flags = SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY;
	PP_CLEANUP(pp_db_close) sqlite3 *copy = NULL;
	size_t n = 0;
	unsigned char *bytes = read_whole(db, limit, &n);
	if (bytes == NULL)
		return NULL;
	if (sqlite3_open_v2(":memory:", &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK) {
		sqlite3_free(bytes);
		return NULL;
	}
	set_up(copy);
	/* The bytes are the copy's from here on, also where this fails. */
	if (sqlite3_deserialize(copy, "main", bytes, (sqlite3_int64)n, (sqlite3_int64)n, flags) !=
	    SQLITE_OK)
		return NULL;
	return pp_steal(&copy);
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
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		(void)pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "cannot %s: var/state.db is damaged: %s",
		    what, text);
		return pp_hint(err, PLUGPKG_E_BAD_STATE, "restore var/state.db from a backup");
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

	return text != NULL ? pp_xstrdup((const char *)text) : NULL;
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
