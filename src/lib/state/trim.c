/* SPDX-License-Identifier: MIT */
/* What `clean` lets go of var/state.db. The history itself stays: it says what happened. */
#include "lib/state/history.h"

#include "lib/state/state_db.h"

#include <inttypes.h>
#include <stdlib.h>

static const char what[] = "clean var/state.db";

/* A quarter of the file, and more than a few pages: then copying the rest is worth it. */
#define FREE_SHARE 4
#define FREE_PAGES 64

static enum plugpkg_code
number(struct pp_state *s, const char *sql, int64_t *out, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db, sql, &st, err, what);

	if (rc != PLUGPKG_OK)
		return rc;
	if (sqlite3_step(st) != SQLITE_ROW)
		return pp_db_fail(s->db, err, what);
	*out = sqlite3_column_int64(st, 0);
	return PLUGPKG_OK;
}

/*
 * Wishes that plugpkg.json would get back on the way to a generation that is no more. *out_bytes:
 * what they took; it is still in the file, in pages that are half empty now.
 */
static enum plugpkg_code
forget_wanted(
    struct pp_state *s, const int64_t *kept, size_t n, int64_t *out_bytes, plugpkg_error **err)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	PP_AUTO_BUF struct pp_buf which = PP_BUF_INIT(SIZE_MAX / 2);

	pp_buf_adds(&which, "wanted IS NOT NULL AND status <> 'running' AND base NOT IN (");
	for (size_t i = 0; i < n; i++)
		pp_buf_addf(&which, "%s%" PRId64, i > 0 ? "," : "", kept[i]);
	pp_buf_adds(&which, ")");
	PP_AUTO_FREE char *sum =
	    pp_asprintf("SELECT coalesce(sum(length(wanted)), 0) FROM transactions WHERE %s",
		pp_buf_cstr(&which));
	PP_AUTO_FREE char *update =
	    pp_asprintf("UPDATE transactions SET wanted = NULL WHERE %s", pp_buf_cstr(&which));
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);
	if (rc == PLUGPKG_OK)
		rc = number(s, sum, out_bytes, err);
	if (rc == PLUGPKG_OK && *out_bytes > 0)
		rc = pp_db_exec(s->db, update, err, what);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}

enum plugpkg_code
pp_history_trim(struct pp_state *s, const int64_t *kept, size_t n, plugpkg_error **err)
{
	int64_t bytes = 0, pages = 0, free_pages = 0, page = 0;
	enum plugpkg_code rc = forget_wanted(s, kept, n, &bytes, err);

	if (rc == PLUGPKG_OK)
		rc = number(s, "PRAGMA page_count", &pages, err);
	if (rc == PLUGPKG_OK)
		rc = number(s, "PRAGMA freelist_count", &free_pages, err);
	if (rc == PLUGPKG_OK)
		rc = number(s, "PRAGMA page_size", &page, err);
	if (rc != PLUGPKG_OK)
		return rc;
	free_pages += page > 0 ? bytes / page : 0;
	if (free_pages < FREE_PAGES || free_pages < pages / FREE_SHARE)
		return PLUGPKG_OK;
	return pp_db_exec(s->db, "VACUUM", err, what);
}
