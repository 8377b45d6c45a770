/* SPDX-License-Identifier: MIT */
/*
 * The one SQL transaction that makes a set of plugins the installed one. Only rows that differ are
 * written: what a small change costs does not grow with the root.
 */
#include "lib/state/state_db.h"

#include <string.h>

static const char what[] = "record the installed plugins";

/* Only until the statement was stepped. */
static void
bind_view(sqlite3_stmt *st, int i, const char *text)
{
	(void)sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

static int
write_plugin(struct pp_state *s, sqlite3_stmt *st, const struct pp_installed *p)
{
	PP_AUTO_FREE char *detached = pp_installed_detached_text(p);

	bind_view(st, 1, p->name);
	bind_view(st, 2, p->version);
	bind_view(st, 3, p->source);
	bind_view(st, 4, p->state);
	(void)sqlite3_bind_int(st, 5, p->manual);
	(void)sqlite3_bind_int(st, 6, p->hold);
	(void)sqlite3_bind_int64(st, 7, p->hold_until);
	bind_view(st, 8, p->sha256);
	bind_view(st, 9, p->tree_sha256);
	bind_view(st, 10, p->link_dir);
	bind_view(st, 11, pp_manifests_text(s, p->key, p->manifest));
	(void)sqlite3_bind_int64(st, 12, (sqlite3_int64)p->bytes);
	(void)sqlite3_bind_int64(st, 13, (sqlite3_int64)p->files);
	(void)sqlite3_bind_int64(st, 14, p->installed_at);
	(void)sqlite3_bind_int64(st, 15, p->transaction);
	bind_view(st, 16, p->key);
	bind_view(st, 17, detached);
	(void)sqlite3_bind_int(st, 18, p->is_disabled);
	bind_view(st, 19, p->blocked_by);
	bind_view(st, 20, p->skipped);
	int r = sqlite3_step(st);
	(void)sqlite3_reset(st); /* repeats the result of the step */
	return r;
}

static enum plugpkg_code
write_plugins(struct pp_state *s, const struct pp_installeds *set, plugpkg_error **err)
{
	static const char sql[] =
	    "INSERT INTO plugins(" PP_PLUGIN_COLUMNS ")"
	    " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
	    " ON CONFLICT(key) DO UPDATE SET name = excluded.name, version = excluded.version,"
	    " source = excluded.source, state = excluded.state, manual = excluded.manual,"
	    " hold = excluded.hold, hold_until = excluded.hold_until, sha256 = excluded.sha256,"
	    " tree_sha256 = excluded.tree_sha256, link_dir = excluded.link_dir,"
	    " manifest = excluded.manifest, bytes = excluded.bytes, files = excluded.files,"
	    " installed_at = excluded.installed_at, txn = excluded.txn,"
	    " detached = excluded.detached, disabled = excluded.disabled,"
	    " blocked_by = excluded.blocked_by, skipped = excluded.skipped"
	    " WHERE (" PP_PLUGIN_COLUMNS ") IS NOT (excluded.name, excluded.version,"
	    " excluded.source, excluded.state, excluded.manual, excluded.hold,"
	    " excluded.hold_until, excluded.sha256, excluded.tree_sha256, excluded.link_dir,"
	    " excluded.manifest, excluded.bytes, excluded.files, excluded.installed_at,"
	    " excluded.txn, excluded.key, excluded.detached, excluded.disabled,"
	    " excluded.blocked_by, excluded.skipped)";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db, sql, &st, err, what);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (p, set)
		if (write_plugin(s, st, *p) != SQLITE_DONE)
			return pp_db_fail(s->db, err, what);
	return PLUGPKG_OK;
}

/* Who is on record and not in the set. */
static enum plugpkg_code
find_gone(
    struct pp_state *s, const struct pp_installeds *set, struct pp_strs *out, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db, "SELECT key FROM plugins", &st, err, what);
	int step = SQLITE_DONE;

	while (rc == PLUGPKG_OK && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(st, 0);
		if (key != NULL && pp_installeds_get(set, key) == NULL)
			pp_strs_add(out, key);
	}
	return rc != PLUGPKG_OK || step == SQLITE_DONE ? rc : pp_db_fail(s->db, err, what);
}

enum plugpkg_code
pp_plugins_delete(struct pp_state *s, const struct pp_strs *keys, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	if (keys->n == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc =
	    pp_db_prepare(s->db, "DELETE FROM plugins WHERE key = ?1", &st, err, what);

	for (size_t i = 0; rc == PLUGPKG_OK && i < keys->n; i++) {
		bind_view(st, 1, keys->at[i]);
		int step = sqlite3_step(st);
		(void)sqlite3_reset(st); /* repeats the result of the step */
		if (step != SQLITE_DONE)
			return pp_db_fail(s->db, err, what);
	}
	return rc;
}

/* In this order, so that the pages of what left serve what came. */
static enum plugpkg_code
write_set(struct pp_state *s, const struct pp_installeds *set, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs gone = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	if (set->n == 0)
		return pp_db_exec(s->db, "DELETE FROM plugins", err, what);
	rc = find_gone(s, set, &gone, err);
	if (rc == PLUGPKG_OK)
		rc = pp_plugins_delete(s, &gone, err);
	return rc == PLUGPKG_OK ? write_plugins(s, set, err) : rc;
}

static enum plugpkg_code
set_generation(struct pp_state *s, int64_t generation, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(
	    s->db, "UPDATE meta SET value = ?1 WHERE key = 'generation'", &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, generation);
	return sqlite3_step(st) == SQLITE_DONE ? PLUGPKG_OK : pp_db_fail(s->db, err, what);
}

enum plugpkg_code
pp_state_commit_set(struct pp_state *s, const struct pp_installeds *set, int64_t generation,
    int64_t transaction, const struct pp_pins *pins, plugpkg_error **err)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);

	if (rc == PLUGPKG_OK)
		rc = write_set(s, set, err);
	if (rc == PLUGPKG_OK)
		rc = set_generation(s, generation, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_note_generation(s, generation, err);
	/* Without a transaction, a generation that was recorded before got other states. */
	if (rc == PLUGPKG_OK && transaction != 0)
		rc = pp_history_record(s, set, generation, transaction, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_drop_delays(s, err);
	if (rc == PLUGPKG_OK && pins != NULL)
		rc = pp_state_write_pins(s, pins, err);
	/* In the same SQL transaction: facts and the journal's word that they hold. */
	if (rc == PLUGPKG_OK)
		rc = pp_journal_mark_commit(s, transaction, err);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}
