/* SPDX-License-Identifier: MIT */
/*
 * Upgrades that a dependent put off. One row for each dependent and version, never changed: an end
 * date cannot extend itself. It goes when the version has come, or one of the two has left.
 */
#include "lib/state/state_db.h"

static void
bind(sqlite3_stmt *st, const struct pp_state_put_off *what)
{
	pp_db_bind_text(st, 1, what->dependent);
	pp_db_bind_text(st, 2, what->key);
	pp_db_bind_text(st, 3, what->version);
}

int64_t
pp_state_delayed(struct pp_state *s, const struct pp_state_put_off *what)
{
	static const char sql[] =
	    "SELECT until FROM delays WHERE dependent = ?1 AND key = ?2 AND version = ?3";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;

	if (pp_db_prepare(s->db, sql, &st, NULL, "read delays") != PLUGPKG_OK)
		return 0;
	bind(st, what);
	return sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
}

void
pp_state_delay(
    struct pp_state *s, const struct pp_state_put_off *what, bool is_look, int64_t *until)
{
	static const char sql[] = "INSERT OR IGNORE INTO delays(dependent, key, version, until)"
				  " VALUES(?1, ?2, ?3, ?4)";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	int64_t first = pp_state_delayed(s, what);

	if (first != 0 && first < *until)
		*until = first;
	if (first != 0 || is_look ||
	    pp_db_prepare(s->db, sql, &st, NULL, "record a delay") != PLUGPKG_OK)
		return;
	bind(st, what);
	(void)sqlite3_bind_int64(st, 4, *until);
	/* A root that cannot be written to cannot be upgraded either. */
	if (sqlite3_step(st) != SQLITE_DONE)
		pp_debug(s->ctx, what->dependent, "its delay cannot be recorded");
}

enum plugpkg_code
pp_state_drop_delays(struct pp_state *s, plugpkg_error **err)
{
	return pp_db_exec(s->db,
	    "DELETE FROM delays WHERE dependent NOT IN (SELECT key FROM plugins)"
	    " OR NOT EXISTS (SELECT 1 FROM plugins AS p"
	    "  WHERE p.key = delays.key AND p.version != delays.version)",
	    err, "forget delays that are over");
}
