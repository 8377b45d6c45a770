/* SPDX-License-Identifier: MIT */
/*
 * What happened to a root, and what each generation of it held. Enough is kept of each plugin to
 * make its generation current again without a repository.
 */
#include "lib/state/history.h"

#include "lib/state/state_db.h"

#include <stdlib.h>
#include <string.h>

static const char what[] = "write the history";
static const char what_read[] = "read the history";

/* ---- generations ---- */

static enum plugpkg_code
run(struct pp_state *s, sqlite3_stmt *st, plugpkg_error **err)
{
	int step = sqlite3_step(st);

	(void)sqlite3_reset(st); /* repeats the result of the step */
	return step == SQLITE_DONE ? PLUGPKG_OK : pp_db_fail(s->db, err, what);
}

struct recording {
	struct pp_state *s;
	int64_t transaction;
	sqlite3_stmt *find, *add, *put;
};

static void
recording_fini(struct recording *r)
{
	(void)sqlite3_finalize(r->find);
	(void)sqlite3_finalize(r->add);
	(void)sqlite3_finalize(r->put);
}

/* Equal text among the newest entries of a key: its id; 0: none. */
static enum plugpkg_code
find_equal(
    struct recording *r, const char *key, const char *text, int64_t *out, plugpkg_error **err)
{
	int step = SQLITE_DONE;

	pp_db_bind_text(r->find, 1, key);
	while (*out == 0 && (step = sqlite3_step(r->find)) == SQLITE_ROW) {
		const char *entry = (const char *)sqlite3_column_text(r->find, 1);
		if (entry != NULL && strcmp(entry, text) == 0)
			*out = sqlite3_column_int64(r->find, 0);
	}
	(void)sqlite3_reset(r->find);
	return step == SQLITE_ROW || step == SQLITE_DONE ? PLUGPKG_OK
							 : pp_db_fail(r->s->db, err, what);
}

/*
 * The entry's number; an equal one of an earlier generation serves again. An entry says of which
 * transaction it is: of what this one brought there is none, and only marks and switches lead back
 * to an equal one, which is a new one.
 */
static enum plugpkg_code
entry_id(struct recording *r, const struct pp_installed *p, int64_t *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *text = pp_installed_text(r->s, p);
	enum plugpkg_code rc = PLUGPKG_OK;

	*out = 0;
	if (p->transaction != r->transaction)
		rc = find_equal(r, p->key, text, out, err);
	if (rc != PLUGPKG_OK || *out != 0)
		return rc;
	pp_db_bind_text(r->add, 1, p->key);
	pp_db_bind_text(r->add, 2, text);
	rc = run(r->s, r->add, err);
	*out = sqlite3_last_insert_rowid(r->s->db);
	return rc;
}

static enum plugpkg_code
prepare(struct recording *r, plugpkg_error **err)
{
	sqlite3 *db = r->s->db;
	enum plugpkg_code rc = pp_db_prepare(db,
	    "SELECT id, entry FROM history_entries WHERE key = ?1 ORDER BY id DESC LIMIT 8",
	    &r->find, err, what);

	if (rc == PLUGPKG_OK)
		rc = pp_db_prepare(db, "INSERT INTO history_entries(key, entry) VALUES(?1, ?2)",
		    &r->add, err, what);
	if (rc == PLUGPKG_OK)
		rc = pp_db_prepare(db, "INSERT INTO history_sets(generation, entry) VALUES(?1, ?2)",
		    &r->put, err, what);
	return rc;
}

/* Bound to one number or two; done at once. */
static enum plugpkg_code
run_with(struct pp_state *s, const char *sql, int64_t one, int64_t two, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db, sql, &st, err, what);

	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, one);
	if (sqlite3_bind_parameter_count(st) > 1)
		(void)sqlite3_bind_int64(st, 2, two);
	return run(s, st, err);
}

enum plugpkg_code
pp_history_record(struct pp_state *s, const struct pp_installeds *set, int64_t generation,
    int64_t transaction, plugpkg_error **err)
{
	PP_CLEANUP(recording_fini) struct recording r = { .s = s, .transaction = transaction };
	enum plugpkg_code rc =
	    run_with(s, "DELETE FROM history_sets WHERE generation = ?1", generation, 0, err);

	if (rc == PLUGPKG_OK)
		rc = run_with(s,
		    "INSERT INTO history_generations(generation, txn) VALUES(?1, ?2)"
		    " ON CONFLICT(generation) DO UPDATE SET txn = ?2",
		    generation, transaction, err);
	if (rc == PLUGPKG_OK)
		rc = prepare(&r, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < set->n; i++) {
		int64_t id = 0;
		if (strcmp(set->at[i]->state, "leftover") == 0)
			continue;
		rc = entry_id(&r, set->at[i], &id, err);
		if (rc != PLUGPKG_OK)
			break;
		(void)sqlite3_bind_int64(r.put, 1, generation);
		(void)sqlite3_bind_int64(r.put, 2, id);
		rc = run(s, r.put, err);
	}
	return rc;
}

static enum plugpkg_code
check_generation(struct pp_state *s, int64_t generation, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(
	    s->db, "SELECT 1 FROM history_generations WHERE generation = ?1", &st, err, what_read);

	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, generation);
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW || (step == SQLITE_DONE && generation == 0))
		return PLUGPKG_OK; /* a root begins with an empty generation 0 */
	if (step != SQLITE_DONE)
		return pp_db_fail(s->db, err, what_read);
	(void)pp_fail(
	    err, PLUGPKG_E_NOT_FOUND, 0, "there is no generation %lld", (long long)generation);
	return pp_hint(err, PLUGPKG_E_NOT_FOUND, "plugpkg history lists what there was");
}

struct pp_history_sets {
	struct pp_state *s;
	sqlite3_stmt *difference;
};

enum plugpkg_code
pp_history_sets_open(struct pp_state *s, struct pp_history_sets **out, plugpkg_error **err)
{
	PP_AUTO(history_sets) struct pp_history_sets *sets = pp_xcalloc(1, sizeof(*sets));
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT e.entry FROM history_sets AS h JOIN history_entries AS e"
	    " ON e.id = h.entry WHERE h.generation = ?1 AND h.entry NOT IN"
	    " (SELECT entry FROM history_sets WHERE generation = ?2) ORDER BY e.key",
	    &sets->difference, err, what_read);

	sets->s = s;
	if (rc == PLUGPKG_OK)
		*out = pp_steal(&sets);
	return rc;
}

void
pp_history_sets_free(struct pp_history_sets *sets)
{
	if (sets == NULL)
		return;
	(void)sqlite3_finalize(sets->difference);
	free(sets);
}

static enum plugpkg_code
read_set(struct pp_state *s, sqlite3_stmt *st, struct pp_installeds *out, plugpkg_error **err)
{
	int step;

	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		PP_AUTO_FREE char *text = pp_db_text(st, 0);
		PP_AUTO_JSON pp_json *entry =
		    text != NULL ? pp_json_parse(text, strlen(text), NULL) : NULL;
		struct pp_installed *p = NULL;
		enum plugpkg_code rc = pp_installed_from_json(entry, &p, err);
		if (rc != PLUGPKG_OK)
			return rc;
		pp_vec_push(out, p);
	}
	return step == SQLITE_DONE ? PLUGPKG_OK : pp_db_fail(s->db, err, what_read);
}

enum plugpkg_code
pp_history_difference(struct pp_history_sets *sets, int64_t generation, int64_t other,
    struct pp_installeds *out, plugpkg_error **err)
{
	(void)sqlite3_bind_int64(sets->difference, 1, generation);
	(void)sqlite3_bind_int64(sets->difference, 2, other);
	enum plugpkg_code rc = read_set(sets->s, sets->difference, out, err);
	(void)sqlite3_reset(sets->difference); /* repeats the result of the last step */
	return rc;
}

enum plugpkg_code
pp_history_set(
    struct pp_state *s, int64_t generation, struct pp_installeds *out, plugpkg_error **err)
{
	PP_AUTO(history_sets) struct pp_history_sets *sets = NULL;
	enum plugpkg_code rc = check_generation(s, generation, err);

	if (rc == PLUGPKG_OK)
		rc = pp_history_sets_open(s, &sets, err);
	return rc == PLUGPKG_OK ? pp_history_difference(sets, generation, -1, out, err) : rc;
}

/* ---- transactions ---- */

/* What a transaction began with; of old ones only the one before them knows. */
#define BEFORE                                                                                     \
	"coalesce(nullif(base, -1), (SELECT b.generation FROM transactions AS b WHERE b.id < t.id" \
	"  AND b.generation IS NOT NULL ORDER BY b.id DESC LIMIT 1), 0)"

void
pp_pasts_fini(struct pp_pasts *v)
{
	pp_vec_foreach (p, v) {
		free(p->command);
		free(p->status);
	}
	pp_vec_free(v);
}

enum plugpkg_code
pp_history_list(struct pp_state *s, int64_t id, struct pp_pasts *out, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT id, command, started, ended, status, generation, " BEFORE
	    " FROM transactions AS t WHERE ?1 = 0 OR id = ?1 ORDER BY id",
	    &st, err, what_read);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, id);
	int step;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct pp_past *p = pp_vec_new(out);
		bool has_after = sqlite3_column_type(st, 5) != SQLITE_NULL;
		p->id = sqlite3_column_int64(st, 0);
		p->command = pp_db_text(st, 1);
		p->started = sqlite3_column_int64(st, 2);
		p->ended = sqlite3_column_int64(st, 3);
		p->status = pp_db_text(st, 4);
		p->after = has_after ? sqlite3_column_int64(st, 5) : -1;
		p->before = sqlite3_column_int64(st, 6);
	}
	return step == SQLITE_DONE ? PLUGPKG_OK : pp_db_fail(s->db, err, what_read);
}

enum plugpkg_code
pp_history_last_change(struct pp_state *s, int64_t *out_before, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT " BEFORE " AS before FROM transactions AS t"
	    " WHERE generation IS NOT NULL AND generation <> before"
	    " ORDER BY id DESC LIMIT 1",
	    &st, err, what_read);
	*out_before = -1;
	if (rc != PLUGPKG_OK)
		return rc;
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW)
		*out_before = sqlite3_column_int64(st, 0);
	return step == SQLITE_ROW || step == SQLITE_DONE ? PLUGPKG_OK
							 : pp_db_fail(s->db, err, what_read);
}

enum plugpkg_code
pp_journal_status(struct pp_state *s, int64_t *txn, char **out_status, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT id, status FROM transactions WHERE ?1 < 0 OR id = ?1 ORDER BY id DESC LIMIT 1",
	    &st, err, what_read);
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
							 : pp_db_fail(s->db, err, what_read);
}

enum plugpkg_code
pp_history_wanted(struct pp_state *s, int64_t generation, pp_json **out, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT wanted FROM transactions WHERE base = ?1 AND wanted IS NOT NULL"
	    " AND generation <> base ORDER BY id DESC LIMIT 1",
	    &st, err, what_read);
	*out = NULL;
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, generation);
	int step = sqlite3_step(st);
	PP_AUTO_FREE char *text = step == SQLITE_ROW ? pp_db_text(st, 0) : NULL;
	if (text != NULL)
		*out = pp_json_parse(text, strlen(text), NULL);
	return step == SQLITE_ROW || step == SQLITE_DONE ? PLUGPKG_OK
							 : pp_db_fail(s->db, err, what_read);
}

/* ---- notes ---- */

void
pp_notes_fini(struct pp_notes *v)
{
	pp_vec_foreach (note, v) {
		free(note->command);
		free(note->plugin);
		free(note->text);
	}
	pp_vec_free(v);
}

void
pp_notes_add(struct pp_notes *v, const char *plugin, const char *fmt, ...)
{
	struct pp_buf text = PP_BUF_INIT(65536);
	struct pp_note *note = pp_vec_new(v);
	va_list ap;

	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	note->plugin = pp_xstrdup(plugin);
	note->text = pp_buf_steal(&text);
}

enum plugpkg_code
pp_history_notes(struct pp_state *s, int64_t id, struct pp_notes *out, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT txn, at, command, plugin, text FROM history_notes"
	    " WHERE ?1 = 0 OR (txn = ?1 AND command IS NULL) ORDER BY seq",
	    &st, err, what_read);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, id);
	int step;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct pp_note *note = pp_vec_new(out);
		note->transaction = sqlite3_column_int64(st, 0);
		note->at = sqlite3_column_int64(st, 1);
		note->command = pp_db_text(st, 2);
		note->plugin = pp_db_text(st, 3);
		note->text = pp_db_text(st, 4);
	}
	return step == SQLITE_DONE ? PLUGPKG_OK : pp_db_fail(s->db, err, what_read);
}

enum plugpkg_code
pp_history_note(struct pp_state *s, int64_t id, const char *command, int64_t now,
    const struct pp_notes *notes, plugpkg_error **err)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	if (notes->n == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);
	if (rc == PLUGPKG_OK)
		rc = pp_db_prepare(s->db,
		    "INSERT INTO history_notes(txn, at, command, plugin, text) SELECT"
		    " CASE ?1 WHEN 0 THEN (SELECT coalesce(max(id), 0) FROM transactions)"
		    " ELSE ?1 END, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM history_notes"
		    " WHERE txn = ?1 AND command IS NULL AND plugin IS ?4 AND text = ?5)",
		    &st, err, what);
	for (size_t i = 0; rc == PLUGPKG_OK && i < notes->n; i++) {
		(void)sqlite3_bind_int64(st, 1, id);
		(void)sqlite3_bind_int64(st, 2, now);
		pp_db_bind_text(st, 3, id == 0 ? command : NULL);
		pp_db_bind_text(st, 4, notes->at[i].plugin);
		pp_db_bind_text(st, 5, notes->at[i].text);
		rc = run(s, st, err);
	}
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}

void
pp_history_note_done(plugpkg_context *ctx, const char *command, const struct pp_notes *notes)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(ctx, &state, &why);

	if (rc == PLUGPKG_OK)
		rc = pp_history_note(state, 0, command, ctx->now, notes, &why);
	if (rc != PLUGPKG_OK)
		pp_warn(ctx, NULL, "%s", plugpkg_error_message(why));
}
