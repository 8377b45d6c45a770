/* SPDX-License-Identifier: MIT */
/* Transactions and their steps, durable before the step that they announce. */
#include "lib/state/journal.h"

#include "base/sys.h"
#include "lib/state/state_db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char what[] = "write the journal";
static const char what_read[] = "read the journal";

const char *const pp_step_status_names[PP_N_STEP_STATUSES] = {
	[PP_STEP_PLANNED] = "planned",
	[PP_STEP_BEGUN] = "begun",
	[PP_STEP_DONE] = "done",
	[PP_STEP_FAILED] = "failed",
	[PP_STEP_UNDOING] = "undoing",
	[PP_STEP_UNDONE] = "undone",
	[PP_STEP_STUCK] = "stuck",
};

void
pp_journal_steps_fini(struct pp_journal_steps *v)
{
	pp_vec_foreach (step, v) {
		free(step->kind);
		free(step->plugin);
	}
	pp_vec_free(v);
}

void
pp_journal_open_fini(struct pp_journal_open *o)
{
	free(o->command);
	pp_json_free(o->intent);
	pp_journal_steps_fini(&o->steps);
}

/* The one place that runs a writing statement of its own, outside of a guarded transaction. */
static enum plugpkg_code
run(struct pp_state *s, sqlite3_stmt *st, plugpkg_error **err)
{
	if (sqlite3_get_autocommit(s->db) != 0 && pp_failpoint() < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot %s", what);
	int step = sqlite3_step(st);
	pp_failpoint_passed();
	return step == SQLITE_DONE ? PLUGPKG_OK : pp_db_fail(s->db, err, what);
}

enum plugpkg_code
pp_journal_next(struct pp_state *s, int64_t *out_txn, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'transactions'",
	    &st, err, what_read);
	if (rc != PLUGPKG_OK)
		return rc;
	if (sqlite3_step(st) != SQLITE_ROW)
		return pp_db_fail(s->db, err, what_read);
	*out_txn = sqlite3_column_int64(st, 0);
	return PLUGPKG_OK;
}

static char *
intent_text(struct pp_state *s, const struct pp_journal_armed *armed)
{
	char *line = pp_json_line(armed->intent);
	struct pp_buf out = PP_BUF_INIT(SIZE_MAX / 2);
	if (armed->coming == NULL)
		return line;

	pp_buf_add(&out, line, strlen(line) - 1);
	pp_buf_adds(&out, strlen(line) > strlen("{}") ? ",\"coming\":[" : "\"coming\":[");
	for (size_t i = 0; i < armed->coming->n; i++) {
		PP_AUTO_FREE char *one = pp_installed_text(s, armed->coming->at[i]);
		pp_buf_adds(&out, i > 0 ? "," : "");
		pp_buf_adds(&out, one);
	}
	pp_buf_adds(&out, "]}");
	free(line);
	return pp_buf_steal(&out);
}

/* begun->id 0: the next one. */
static enum plugpkg_code
write_begin(struct pp_state *s, const struct pp_journal_new *begun,
    const struct pp_journal_armed *armed, plugpkg_error **err)
{
	PP_AUTO_FREE char *text = intent_text(s, armed);
	const pp_json *wanted_json = pp_json_get(armed->intent, "wanted");
	PP_AUTO_FREE char *wanted = wanted_json != NULL ? pp_json_line(wanted_json) : NULL;
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "INSERT INTO transactions(id, command, started, status, intent, base, wanted)"
	    " VALUES(nullif(?6, 0), ?1, ?2, 'running', ?3, ?4, ?5)",
	    &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_db_bind_text(st, 1, begun->command);
	(void)sqlite3_bind_int64(st, 2, begun->now);
	pp_db_bind_text(st, 3, text);
	(void)sqlite3_bind_int64(st, 4, pp_json_get_int(armed->intent, "from", -1));
	pp_db_bind_text(st, 5, wanted);
	(void)sqlite3_bind_int64(st, 6, begun->id);
	return run(s, st, err);
}

enum plugpkg_code
pp_journal_begin(struct pp_state *s, const char *command, const pp_json *intent, int64_t now,
    int64_t *out_txn, plugpkg_error **err)
{
	const struct pp_journal_new begun = { .command = command, .now = now };
	const struct pp_journal_armed first = { .intent = intent };
	enum plugpkg_code rc = write_begin(s, &begun, &first, err);

	*out_txn = rc == PLUGPKG_OK ? sqlite3_last_insert_rowid(s->db) : 0;
	return rc;
}

static enum plugpkg_code
write_intent(
    struct pp_state *s, int64_t txn, const struct pp_journal_armed *armed, plugpkg_error **err)
{
	PP_AUTO_FREE char *text = intent_text(s, armed);
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(
	    s->db, "UPDATE transactions SET intent = ?1 WHERE id = ?2", &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_db_bind_text(st, 1, text);
	(void)sqlite3_bind_int64(st, 2, txn);
	return run(s, st, err);
}

static enum plugpkg_code
write_steps(
    struct pp_state *s, int64_t txn, const struct pp_journal_steps *steps, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "INSERT INTO steps(txn, seq, kind, plugin, level, status) VALUES(?,?,?,?,?,?)", &st,
	    err, what);

	for (size_t i = 0; rc == PLUGPKG_OK && i < steps->n; i++) {
		const struct pp_journal_step *step = &steps->at[i];
		(void)sqlite3_bind_int64(st, 1, txn);
		(void)sqlite3_bind_int64(st, 2, (sqlite3_int64)i);
		pp_db_bind_text(st, 3, step->kind);
		pp_db_bind_text(st, 4, step->plugin);
		(void)sqlite3_bind_int64(st, 5, step->level);
		pp_db_bind_text(st, 6, pp_step_status_names[step->status]);
		rc = run(s, st, err);
		(void)sqlite3_reset(st); /* repeats the result of the step */
	}
	return rc;
}

enum plugpkg_code
pp_journal_arm(
    struct pp_state *s, int64_t txn, const struct pp_journal_armed *armed, plugpkg_error **err)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);

	if (rc == PLUGPKG_OK)
		rc = write_intent(s, txn, armed, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_note_generation(s, pp_json_get_int(armed->intent, "to", 0), err);
	if (rc == PLUGPKG_OK)
		rc = write_steps(s, txn, armed->steps, err);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}

enum plugpkg_code
pp_journal_begin_armed(struct pp_state *s, const struct pp_journal_new *begun,
    const struct pp_journal_armed *armed, plugpkg_error **err)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);

	if (rc == PLUGPKG_OK)
		rc = write_begin(s, begun, armed, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_note_generation(s, pp_json_get_int(armed->intent, "to", 0), err);
	if (rc == PLUGPKG_OK)
		rc = write_steps(s, begun->id, armed->steps, err);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}

enum plugpkg_code
pp_journal_mark(
    struct pp_state *s, int64_t txn, size_t seq, enum pp_step_status status, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(
	    s->db, "UPDATE steps SET status = ?1 WHERE txn = ?2 AND seq = ?3", &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_db_bind_text(st, 1, pp_step_status_names[status]);
	(void)sqlite3_bind_int64(st, 2, txn);
	(void)sqlite3_bind_int64(st, 3, (sqlite3_int64)seq);
	return run(s, st, err);
}

enum plugpkg_code
pp_journal_mark_gone(
    struct pp_state *s, int64_t txn, size_t seq, const char *key, plugpkg_error **err)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);
	if (rc == PLUGPKG_OK)
		rc = pp_journal_mark(s, txn, seq, PP_STEP_DONE, err);
	if (rc == PLUGPKG_OK)
		rc = pp_db_prepare(s->db, "DELETE FROM plugins WHERE key = ?1", &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_db_bind_text(st, 1, key);
	rc = run(s, st, err);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}

enum plugpkg_code
pp_journal_mark_commit(struct pp_state *s, int64_t transaction, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	if (transaction == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "UPDATE steps SET status = 'done' WHERE txn = ?1 AND kind = '" PP_STEP_COMMIT "'", &st,
	    err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, transaction);
	return run(s, st, err);
}

static enum plugpkg_code
write_end(struct pp_state *s, int64_t txn, const char *status, int64_t generation, int64_t now,
    plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "UPDATE transactions SET status = ?1, ended = ?2, generation = ?3, intent = NULL"
	    " WHERE id = ?4",
	    &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_db_bind_text(st, 1, status);
	(void)sqlite3_bind_int64(st, 2, now);
	(void)sqlite3_bind_int64(st, 3, generation);
	(void)sqlite3_bind_int64(st, 4, txn);
	return run(s, st, err);
}

/* What it was about to do, and how far it came, is of no more use. */
static enum plugpkg_code
drop_steps(struct pp_state *s, int64_t txn, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc =
	    pp_db_prepare(s->db, "DELETE FROM steps WHERE txn = ?1", &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, txn);
	return run(s, st, err);
}

/*
 * Whole or not at all, but not waited for until it cannot be lost: recovery would only find that
 * everything is done already. What it counts on was durable before.
 */
enum plugpkg_code
pp_journal_end(struct pp_state *s, int64_t txn, const char *status, int64_t generation, int64_t now,
    plugpkg_error **err)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	enum plugpkg_code rc = pp_db_exec(s->db, "PRAGMA synchronous=NORMAL", err, what);

	if (rc == PLUGPKG_OK)
		rc = pp_db_begin(s->db, &guard, err, what);
	if (rc == PLUGPKG_OK)
		rc = write_end(s, txn, status, generation, now, err);
	if (rc == PLUGPKG_OK)
		rc = drop_steps(s, txn, err);
	if (rc == PLUGPKG_OK)
		rc = pp_db_commit(&guard, err, what);
	pp_db_guard_fini(&guard);
	guard.db = NULL;
	enum plugpkg_code full = pp_db_exec(s->db, "PRAGMA synchronous=FULL", NULL, what);
	return rc != PLUGPKG_OK || full == PLUGPKG_OK ? rc : pp_db_fail(s->db, err, what);
}

/* ---- reading ---- */

enum plugpkg_code
pp_journal_open_transaction(
    struct pp_state *s, int64_t *out_txn, char **out_command, plugpkg_error **err)
{
	*out_txn = 0;
	*out_command = NULL;
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT id, command FROM transactions WHERE status = 'running' ORDER BY id LIMIT 1",
	    &st, err, what_read);
	if (rc != PLUGPKG_OK)
		return rc;
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW) {
		*out_txn = sqlite3_column_int64(st, 0);
		*out_command = pp_db_text(st, 1);
	}
	return step == SQLITE_ROW || step == SQLITE_DONE ? PLUGPKG_OK
							 : pp_db_fail(s->db, err, what_read);
}

static enum plugpkg_code
damaged(int64_t txn, plugpkg_error **err)
{
	return pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
	    "var/state.db holds a damaged record of transaction %lld", (long long)txn);
}

static enum plugpkg_code
read_intent(struct pp_state *s, struct pp_journal_open *out, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(
	    s->db, "SELECT intent FROM transactions WHERE id = ?1", &st, err, what_read);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, out->id);
	if (sqlite3_step(st) != SQLITE_ROW)
		return pp_db_fail(s->db, err, what_read);
	PP_AUTO_FREE char *text = pp_db_text(st, 0);
	struct pp_json_error why;
	out->intent = text != NULL ? pp_json_parse(text, strlen(text), &why) : NULL;
	return PLUGPKG_OK;
}

static bool
status_of(const char *text, enum pp_step_status *out)
{
	for (int i = 0; text != NULL && i < PP_N_STEP_STATUSES; i++)
		if (strcmp(text, pp_step_status_names[i]) == 0) {
			*out = (enum pp_step_status)i;
			return true;
		}
	return false;
}

static enum plugpkg_code
read_steps(struct pp_state *s, struct pp_journal_open *out, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT kind, plugin, level, status FROM steps WHERE txn = ?1 ORDER BY seq", &st, err,
	    what_read);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, out->id);
	int row;
	while ((row = sqlite3_step(st)) == SQLITE_ROW) {
		struct pp_journal_step *step = pp_vec_new(&out->steps);
		PP_AUTO_FREE char *status = pp_db_text(st, 3);
		step->kind = pp_db_text(st, 0);
		step->plugin = pp_db_text(st, 1);
		step->level = (uint32_t)sqlite3_column_int64(st, 2);
		if (step->kind == NULL || !status_of(status, &step->status))
			return damaged(out->id, err);
	}
	return row == SQLITE_DONE ? PLUGPKG_OK : pp_db_fail(s->db, err, what_read);
}

enum plugpkg_code
pp_journal_read_open(struct pp_state *s, struct pp_journal_open *out, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_journal_open_transaction(s, &out->id, &out->command, err);

	if (rc == PLUGPKG_OK && out->id != 0)
		rc = read_intent(s, out, err);
	if (rc == PLUGPKG_OK && out->id != 0)
		rc = read_steps(s, out, err);
	return rc;
}
