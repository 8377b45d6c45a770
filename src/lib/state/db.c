/* SPDX-License-Identifier: MIT */
/*
 * What every file of lib/state does with SQLite: opening, failing, binding, guarded transactions.
 */
#include "lib/state/state_db.h"

#include "base/fd.h"
#include "base/library.h"
#include "base/path.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 30000

/*
 * To close a descriptor of a file ends all POSIX locks that the process has on it (fcntl(2)): once
 * SQLite may have some, nobody else opens its files. Who is at it at that moment is waited for.
 */
static _Atomic(unsigned) n_peeking;
static _Atomic(bool) is_sqlite_in;

bool
pp_db_peek(int root_fd, const char *path, void *out, size_t n)
{
	bool is_read = false;

	atomic_fetch_add(&n_peeking, 1);
	if (!atomic_load(&is_sqlite_in)) {
		PP_AUTO_FD int fd =
		    openat(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		is_read = fd >= 0 && pread(fd, out, n, 0) == (ssize_t)n;
	}
	atomic_fetch_sub(&n_peeking, 1);
	return is_read;
}

static void
let_sqlite_in(void)
{
	atomic_store(&is_sqlite_in, true);
	while (atomic_load(&n_peeking) > 0)
		(void)sched_yield();
}

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

/* Why there is no such file where one was to be made: the try to read it told that only. */
static int
errno_of_making(const char *path)
{
	PP_AUTO_FD int fd = openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	return fd < 0 ? errno : EIO;
}

/*
 * What cannot be written SQLite opens for reading. With a database that is as it shall be; a
 * journal of that kind would fail at its first write only, without the reason.
 */
static int
open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags)
{
	struct pp_db_way *way = (struct pp_db_way *)vfs; /* its first member */
	int got = 0;

	errno = 0;
	int r = way->usual->xOpen(vfs, path, file, flags, &got);
	int errnum = errno;

	if (out_flags != NULL)
		*out_flags = got;
	if (r == SQLITE_OK && (flags & SQLITE_OPEN_READWRITE) != 0 &&
	    (got & SQLITE_OPEN_READONLY) != 0) {
		if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
			way->readonly_errnum = errnum;
			return r;
		}
		(void)file->pMethods->xClose(file); /* nothing was written */
		file->pMethods = NULL;
		r = SQLITE_CANTOPEN;
	}
	if (r != SQLITE_OK)
		way->errnum = errnum == ENOENT && (flags & SQLITE_OPEN_CREATE) != 0
				  ? errno_of_making(path)
				  : errnum;
	return r;
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
	way->vfs.xOpen = open_file;
	way->usual = usual;
	(void)snprintf(way->name, sizeof(way->name), "plugpkg-%p", (void *)way);
	int r = sqlite3_vfs_register(&way->vfs, 0);
	if (r == SQLITE_OK)
		r = sqlite3_open_v2(path, out, flags, way->name);
	(void)sqlite3_vfs_unregister(&way->vfs); /* it was there, or it does not matter */
	way->vfs.zName = usual->zName; /* VACUUM asks by this name for where its copy goes */
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

	*out = NULL;
	if (!pp_sqlite_is_there())
		return SQLITE_CANTOPEN;
	/* By the descriptor, so that a root that was moved meanwhile is still the same root. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/var/%s", root_fd, name);
	let_sqlite_in();
	int r = open_by_way(path, flags | SQLITE_OPEN_NOMUTEX, way, out);
	if (r == SQLITE_OK)
		set_up(*out);
	return r;
}

void
pp_db_close(sqlite3 **db)
{
	if (*db != NULL)
		(void)sqlite3_close(*db); /* every statement has its own cleanup: it is not busy */
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

/* NULL: it has the usual one. */
static const struct pp_db_way *
way_of(sqlite3 *db)
{
	sqlite3_vfs *vfs = NULL;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) != SQLITE_OK ||
	    vfs == NULL || vfs->xOpen != open_file)
		return NULL;
	return (const struct pp_db_way *)vfs;
}

/* The system's reason behind a result. */
static int
errno_of(sqlite3 *db, int result)
{
	const struct pp_db_way *way = way_of(db);
	int errnum = sqlite3_system_errno(db);

	/* SQLite asks for it when others have had their own failures since. */
	if ((result & 0xff) == SQLITE_CANTOPEN && way != NULL && way->errnum != 0)
		return way->errnum;
	return errnum != 0 ? errnum : EIO;
}

/* What a read of the file failed with, if one did. */
static int
read_errno(sqlite3 *db)
{
	int errnum = 0;

	(void)sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &errnum);
	return errnum;
}

/* "var/log.db"; a view. What is not open, or is a copy in memory, is of the other one. */
static const char *
file_of(sqlite3 *db)
{
	const char *path = sqlite3_db_filename(db, "main");
	const char *var = path != NULL ? strstr(path, "/var/") : NULL;

	return var != NULL ? var + 1 : "var/state.db";
}

static enum plugpkg_code
fail_io(sqlite3 *db, plugpkg_error **err, const char *what, int errnum)
{
	const char *file = file_of(db);

	if (strstr(what, file) != NULL)
		return pp_fail(err, PLUGPKG_E_IO, errnum, "cannot %s", what);
	return pp_fail(err, PLUGPKG_E_IO, errnum, "cannot %s: %s", what, file);
}

/* SQLite takes a file that it cannot look at for one that left its place. */
static enum plugpkg_code
fail_moved(sqlite3 *db, plugpkg_error **err, const char *what)
{
	struct stat st;
	int is_moved = 0;
	bool is_hidden = fstatat(AT_FDCWD, sqlite3_db_filename(db, "main"), &st, 0) < 0;
	int errnum = is_hidden && errno != ENOENT ? errno : 0;

	(void)sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &is_moved);
	if (errnum != 0 || is_moved == 0)
		return fail_io(db, err, what, errnum != 0 ? errnum : EIO);
	return pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
	    "cannot %s: somebody moved or replaced %s meanwhile", what, file_of(db));
}

static enum plugpkg_code
fail_readonly(sqlite3 *db, plugpkg_error **err, const char *what)
{
	const struct pp_db_way *way = way_of(db);
	int errnum = way != NULL ? way->readonly_errnum : 0;

	if (errnum != 0 && errnum != EACCES && errnum != EPERM && errnum != EROFS)
		return fail_io(db, err, what, errnum);
	return pp_fail(err, PLUGPKG_E_PERMISSION, 0, "cannot %s: the root is not writable", what);
}

/* SQLite also calls damaged what the disk does not give back. */
static enum plugpkg_code
fail_damaged(sqlite3 *db, plugpkg_error **err, const char *what, const char *text)
{
	int errnum = read_errno(db);

	if (errnum != 0)
		return fail_io(db, err, what, errnum);
	(void)pp_fail(
	    err, PLUGPKG_E_BAD_STATE, 0, "cannot %s: %s is damaged: %s", what, file_of(db), text);
	return pp_hint(err, PLUGPKG_E_BAD_STATE, "restore %s from a backup", file_of(db));
}

enum plugpkg_code
pp_state_check_proc(plugpkg_error **err)
{
	if (pp_exists_at(AT_FDCWD, "/proc/self/fd") != 0)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_IO, 0, "/proc is not mounted");
	return pp_hint(err, PLUGPKG_E_IO,
	    "roots are worked on by way of /proc/self/fd: mount -t proc proc /proc");
}

enum plugpkg_code
pp_db_fail(sqlite3 *db, plugpkg_error **err, const char *what)
{
	if (!pp_sqlite_is_there())
		return pp_fail(err, PLUGPKG_E_IO, 0, "cannot %s: %s", what, pp_library_error());
	if (db == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "cannot %s: out of memory", what);
	int result = sqlite3_extended_errcode(db);
	const char *text = sqlite3_errmsg(db);

	if (result == SQLITE_READONLY_DBMOVED)
		return fail_moved(db, err, what);
	switch (result & 0xff) {
	case SQLITE_FULL:
		return pp_fail(err, PLUGPKG_E_IO, ENOSPC, "cannot %s", what);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return fail_readonly(db, err, what);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return pp_fail(err, PLUGPKG_E_LOCKED, 0, "cannot %s: another process keeps %s busy",
		    what, file_of(db));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return fail_damaged(db, err, what, text);
	case SQLITE_CANTOPEN:
		if (pp_state_check_proc(err) != PLUGPKG_OK)
			return pp_wrap(err, PLUGPKG_E_IO, "cannot %s", what);
		return fail_io(db, err, what, errno_of(db, result));
	case SQLITE_IOERR:
		return fail_io(db, err, what, errno_of(db, result));
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
