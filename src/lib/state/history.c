/* SPDX-License-Identifier: MIT */
/* What happened to a root: transactions, and what each generation of it held. */
#include "lib/state/state_db.h"

enum plugpkg_code
pp_journal_status(struct pp_state *s, int64_t *txn, char **out_status, plugpkg_error **err)
{
	const char *what = "read the history";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT id, status FROM transactions WHERE ?1 < 0 OR id = ?1 ORDER BY id DESC LIMIT 1",
	    &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, *txn);
	int step = sqlite3_step(st);
	*out_status = NULL;
	if (step == SQLITE_ROW) {
		*txn = sqlite3_column_int64(st, 0);
		*out_status = pp_db_text(st, 1);
	}
	return step == SQLITE_ROW || step == SQLITE_DONE ? PLUGPKG_OK
							 : pp_db_fail(s->db, err, what);
}
