/* SPDX-License-Identifier: MIT */
/* `clean --before`: transactions that ended long ago leave the history, with all that is theirs. */
#include "lib/state/history.h"

#include "lib/state/state_db.h"

#include <inttypes.h>
#include <stdlib.h>

static const char what[] = "forget old transactions";

static const char delete_transactions[] =
    "DELETE FROM transactions WHERE id IN (SELECT id FROM forgotten)";

/*
 * In this order: each names its rows by what is left. What was there before a transaction stays as
 * long as that one does: the difference of the two is what it did.
 */
static const char *const deletes[] = {
	"DELETE FROM history_notes WHERE txn IN (SELECT id FROM forgotten)",
	("DELETE FROM history_generations WHERE txn NOT IN (SELECT id FROM transactions)"
	 "  AND generation NOT IN (SELECT base FROM transactions WHERE base IS NOT NULL)"),
	("DELETE FROM history_sets WHERE generation NOT IN"
	 "  (SELECT generation FROM history_generations)"),
	"DELETE FROM history_entries WHERE id NOT IN (SELECT entry FROM history_sets)",
	"DROP TABLE forgotten",
};

/*
 * The newest transaction and those that made a generation which is still there stay, so that there
 * is a way back.
 */
static enum plugpkg_code
choose(struct pp_state *s, int64_t before, const int64_t *kept, size_t n, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf sql = PP_BUF_INIT(SIZE_MAX / 2);

	pp_buf_addf(&sql,
	    "CREATE TEMP TABLE forgotten AS SELECT id FROM main.transactions"
	    " WHERE status <> 'running' AND ended < %" PRId64
	    " AND id < (SELECT max(id) FROM main.transactions)"
	    " AND (generation IS NULL OR generation NOT IN (",
	    before);
	for (size_t i = 0; i < n; i++)
		pp_buf_addf(&sql, "%s%" PRId64, i > 0 ? "," : "", kept[i]);
	pp_buf_adds(&sql, "))");
	return pp_db_exec(s->db, pp_buf_cstr(&sql), err, what);
}

enum plugpkg_code
pp_history_forget(struct pp_state *s, int64_t before, const int64_t *kept, size_t n, int64_t *out_n,
    plugpkg_error **err)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);

	*out_n = 0;
	if (rc == PLUGPKG_OK)
		rc = choose(s, before, kept, n, err);
	if (rc == PLUGPKG_OK)
		rc = pp_db_exec(s->db, delete_transactions, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	*out_n = sqlite3_changes(s->db);
	for (size_t i = 0; rc == PLUGPKG_OK && i < PP_LEN(deletes); i++)
		rc = pp_db_exec(s->db, deletes[i], err, what);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}
