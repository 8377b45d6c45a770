/* SPDX-License-Identifier: MIT */
/*
 * Roots of an older plugpkg. Whoever has the lock lifts var/state.db to the present format, once,
 * when a copy of it is durable beside it. Whoever has not reads a copy in memory, lifted by the
 * same steps: a root that cannot be written can be read, and no reader knows of older tables.
 */
#include "lib/state/state_db.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define STATE_FILE "var/state.db"

static void
close_db(sqlite3 **db)
{
	(void)sqlite3_close(*db); /* nothing is prepared on a copy that is being made */
}

/* Every page, within one look at the source. */
static int
copy_pages(sqlite3 *to, sqlite3 *from)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
	if (copy == NULL)
		return sqlite3_errcode(to);
	int step = sqlite3_backup_step(copy, -1);
	int r = sqlite3_backup_finish(copy);
	return r == SQLITE_OK && step != SQLITE_DONE ? step : r;
}

/* ---- for who only reads ---- */

/* Moves with each commit of others. */
static int64_t
data_version(sqlite3 *db)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, "PRAGMA data_version", -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		return -1;
	return sqlite3_column_int64(st, 0);
}

enum plugpkg_code
pp_state_copy_older(struct pp_state *s, int64_t format, plugpkg_error **err)
{
	const char *what = "read " STATE_FILE;
	PP_CLEANUP(close_db) sqlite3 *copy = NULL;

	if (sqlite3_open_v2(":memory:", &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return pp_db_fail(copy, err, what);
	int64_t version = data_version(s->db);
	if (copy_pages(copy, s->db) != SQLITE_OK)
		return pp_db_fail(copy, err, what);
	enum plugpkg_code rc = pp_db_exec(copy, "BEGIN", err, what);
	if (rc == PLUGPKG_OK)
		rc = pp_state_take_steps(copy, &pp_state_steps, format, err);
	if (rc == PLUGPKG_OK)
		rc = pp_db_exec(copy, "COMMIT", err, what);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "cannot read a state of format %lld", (long long)format);
	s->older = s->db;
	s->older_version = version;
	s->db = pp_steal(&copy);
	return PLUGPKG_OK;
}

void
pp_state_drop_copy(struct pp_state *s)
{
	if (s->older == NULL)
		return;
	(void)sqlite3_close_v2(s->db); /* somebody may be in the middle of reading it */
	s->db = s->older;
	s->older = NULL;
}

bool
pp_state_is_copy_outdated(struct pp_state *s)
{
	return s->older != NULL && data_version(s->older) != s->older_version;
}

/* ---- for who has the lock ---- */

static enum plugpkg_code
write_backup(struct pp_state *s, const char *name, plugpkg_error **err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	const char *what = "copy " STATE_FILE;
	struct pp_db_way way = { 0 };
	PP_CLEANUP(close_db) sqlite3 *copy = NULL;

	if (pp_failpoint() < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot %s", what);
	if (pp_db_open(s->root_fd, name, flags, &way, &copy) != SQLITE_OK)
		return pp_db_fail(copy, err, what);
	/* It gets its name when it is whole, and until then it needs no way back. */
	enum plugpkg_code rc =
	    pp_db_exec(copy, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", err, what);
	if (rc == PLUGPKG_OK && copy_pages(copy, s->db) != SQLITE_OK)
		rc = pp_db_fail(copy, err, what);
	pp_failpoint_passed();
	return rc;
}

/* As private as the state itself, and on the disk. */
static int
settle_backup(int root_fd, const char *path)
{
	struct stat st;
	PP_AUTO_FD int fd = pp_open_beneath(root_fd, path, O_RDWR | O_NOFOLLOW, 0, PP_NO_SYMLINKS);

	if (fd < 0)
		return fd;
	if (fstatat(root_fd, STATE_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    pp_fchmod(fd, st.st_mode & 0777) < 0 || pp_fsync(fd) < 0)
		return -errno;
	return 0;
}

/* var/state.db.format-N, whole or not at all. */
static enum plugpkg_code
back_up(struct pp_state *s, const char *path, plugpkg_error **err)
{
	PP_AUTO_FREE char *unfinished = pp_asprintf("%s.new", path);
	int r = pp_rm_rf_at(s->root_fd, unfinished);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot delete '%s'", unfinished);
	enum plugpkg_code rc = write_backup(s, unfinished + sizeof("var/") - 1, err);
	if (rc != PLUGPKG_OK)
		return rc;
	r = settle_backup(s->root_fd, unfinished);
	if (r == 0 && pp_renameat(s->root_fd, unfinished, s->root_fd, path) < 0)
		r = -errno;
	if (r == 0)
		r = pp_sync_dir_at(s->root_fd, "var");
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", path) : PLUGPKG_OK;
}

static void
tell_lifted(struct pp_state *s, const char *path, int64_t to)
{
	PP_AUTO_FREE char *text = pp_asprintf(
	    "the root has format %lld now; what its state was before is %s", (long long)to, path);
	struct plugpkg_event ev = { .type = PLUGPKG_EVENT_INFO, .text = text };

	pp_event(s->ctx, &ev);
	pp_log_write(s, 0, NULL, "info", "plugpkg", text);
}

static enum plugpkg_code
take_steps(struct pp_state *s, const struct pp_state_steps *all, int64_t from, plugpkg_error **err)
{
	const char *what = "write the new format";
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);

	if (rc == PLUGPKG_OK)
		rc = pp_state_take_steps(s->db, all, from, err);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}

enum plugpkg_code
pp_state_lift_file(
    struct pp_state *s, const struct pp_state_steps *all, int64_t from, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf(STATE_FILE ".format-%lld", (long long)from);
	enum plugpkg_code rc = pp_db_exec(s->db,
	    "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL", err, "open " STATE_FILE);

	if (rc == PLUGPKG_OK)
		rc = back_up(s, path, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc,
		    "the root stays of format %lld, as its state cannot be copied first",
		    (long long)from);
	rc = take_steps(s, all, from, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "the root stays of format %lld (%s is a copy of its state)",
		    (long long)from, path);
	tell_lifted(s, path, all->to);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_state_lift(plugpkg_context *ctx, plugpkg_error **err)
{
	struct pp_state *s = NULL;
	int64_t format = 0;

	if (ctx->state == NULL && ctx->has_state) {
		enum plugpkg_code rc = pp_state_open(ctx, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	/* Without one, the root is being made. */
	if (ctx->state == NULL)
		return PLUGPKG_OK;
	/* Another plugpkg, also a newer one, may have been here since it was read. */
	pp_state_drop_copy(ctx->state);
	enum plugpkg_code rc = pp_state_check_format(ctx->state->db, &format, err);
	if (rc != PLUGPKG_OK)
		return pp_subject(err, rc, ctx->root);
	if (format < PP_STATE_FORMAT)
		rc = pp_state_lift_file(ctx->state, &pp_state_steps, format, err);
	return rc == PLUGPKG_OK ? pp_state_get(ctx, &s, err) : pp_subject(err, rc, ctx->root);
}
