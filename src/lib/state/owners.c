/* SPDX-License-Identifier: MIT */
/* The owners' keys in var/state.db. They outlive the plugins: who comes back is still known. */
#include "lib/state/owners.h"

#include "lib/state/state_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
pp_pins_fini(struct pp_pins *v)
{
	pp_vec_foreach (p, v) {
		free(p->name);
		free(p->how);
	}
	pp_vec_free(v);
}

void
pp_pins_add(struct pp_pins *v, const char *name, const char *key_id, int64_t since, const char *how)
{
	struct pp_pin *p = pp_vec_new(v);

	p->name = pp_xstrdup(name);
	(void)snprintf(p->key_id, sizeof(p->key_id), "%s", key_id); /* 64 digits */
	p->since = since;
	p->how = pp_xstrdup(how);
}

const struct pp_pin *
pp_pins_get(const struct pp_pins *v, const char *name)
{
	pp_vec_foreach (p, v)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

enum plugpkg_code
pp_state_pins(struct pp_state *s, struct pp_pins *out, plugpkg_error **err)
{
	const char *what = "read the keys of owners";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(
	    s->db, "SELECT name, key_id, since, how FROM owners ORDER BY name", &st, err, what);
	int step = SQLITE_DONE;

	while (rc == PLUGPKG_OK && (step = sqlite3_step(st)) == SQLITE_ROW) {
		PP_AUTO_FREE char *name = pp_db_text(st, 0);
		PP_AUTO_FREE char *key_id = pp_db_text(st, 1);
		PP_AUTO_FREE char *how = pp_db_text(st, 3);
		pp_pins_add(out, name, key_id, sqlite3_column_int64(st, 2), how);
	}
	return rc != PLUGPKG_OK || step == SQLITE_DONE ? rc : pp_db_fail(s->db, err, what);
}

enum plugpkg_code
pp_state_write_pins(struct pp_state *s, const struct pp_pins *pins, plugpkg_error **err)
{
	const char *what = "record the keys of owners";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "INSERT OR REPLACE INTO owners(name, key_id, since, how) VALUES(?1, ?2, ?3, ?4)", &st,
	    err, what);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (p, pins) {
		pp_db_bind_text(st, 1, p->name);
		pp_db_bind_text(st, 2, p->key_id);
		(void)sqlite3_bind_int64(st, 3, p->since);
		pp_db_bind_text(st, 4, p->how);
		int step = sqlite3_step(st);
		(void)sqlite3_reset(st); /* repeats the result of the step */
		if (step != SQLITE_DONE)
			return pp_db_fail(s->db, err, what);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_state_pin(struct pp_state *s, const struct pp_pins *pins, plugpkg_error **err)
{
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, "record the keys of owners");

	if (rc == PLUGPKG_OK)
		rc = pp_state_write_pins(s, pins, err);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, "record the keys of owners") : rc;
}

enum plugpkg_code
pp_state_unpin(struct pp_state *s, const char *name, plugpkg_error **err)
{
	const char *what = "forget the key of an owner";
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);

	if (rc == PLUGPKG_OK)
		rc = pp_db_prepare(s->db, "DELETE FROM owners WHERE name = ?1", &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_db_bind_text(st, 1, name);
	if (sqlite3_step(st) != SQLITE_DONE)
		return pp_db_fail(s->db, err, what);
	return pp_db_commit(&guard, err, what);
}
