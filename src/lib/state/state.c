/* SPDX-License-Identifier: MIT */
/*
 * var/state.db: the installed plugins and the current generation. A rollback journal, not WAL: a
 * root on a read-only file system must be readable, and each commit is durable when it returns.
 */
#include "lib/state/state_db.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
free_texts(struct pp_installed *p)
{
	free(p->key);
	free(p->name);
	free(p->version);
	free(p->source);
	free(p->sha256);
	free(p->tree_sha256);
	free(p->link_dir);
}

void
pp_installed_free(struct pp_installed *p)
{
	if (p == NULL)
		return;
	if (!p->is_row)
		free_texts(p);
	free(p->state);
	free(p->blocked_by);
	free(p->skipped);
	pp_strs_fini(&p->detached);
	pp_json_free(p->manifest);
	free(p);
}

void
pp_installeds_fini(struct pp_installeds *v)
{
	pp_vec_foreach (p, v)
		pp_installed_free(*p);
	pp_vec_free(v);
}

struct pp_installed *
pp_installed_copy(const struct pp_installed *p)
{
	struct pp_installed *c = pp_xcalloc(1, sizeof(*c));

	*c = *p;
	c->is_row = false;
	c->key = pp_xstrdup(p->key);
	c->name = pp_xstrdup(p->name);
	c->version = pp_xstrdup(p->version);
	c->source = pp_xstrdup(p->source);
	c->state = pp_xstrdup(p->state);
	c->blocked_by = pp_xstrdup(p->blocked_by);
	c->skipped = pp_xstrdup(p->skipped);
	c->sha256 = pp_xstrdup(p->sha256);
	c->tree_sha256 = pp_xstrdup(p->tree_sha256);
	c->link_dir = pp_xstrdup(p->link_dir);
	c->detached = (struct pp_strs){ 0 };
	pp_vec_foreach (name, &p->detached)
		pp_strs_add(&c->detached, *name);
	c->manifest = p->manifest != NULL ? pp_json_ref(p->manifest) : NULL;
	return c;
}

size_t
pp_installeds_index(const struct pp_installeds *v, const char *key)
{
	size_t low = 0, high = v->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int cmp = strcmp(v->at[mid]->key, key);
		if (cmp == 0)
			return mid;
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return SIZE_MAX;
}

const struct pp_installed *
pp_installeds_get(const struct pp_installeds *v, const char *key)
{
	size_t i = pp_installeds_index(v, key);

	return i != SIZE_MAX ? v->at[i] : NULL;
}

const struct pp_installed *
pp_installeds_highest(const struct pp_installeds *v, const char *name)
{
	const struct pp_installed *best = NULL;

	pp_vec_foreach (p, v)
		if (strcmp((*p)->name, name) == 0 &&
		    (best == NULL || pp_version_cmp_text((*p)->version, best->version) > 0))
			best = *p;
	return best;
}

static bool
is_wanted_by(const struct pp_dep *plain, const struct pp_installed *p)
{
	struct pp_version version = { 0 };
	bool fits = plain->range == NULL ||
		    (pp_version_parse(pp_str_of(p->version), &version, NULL) == PLUGPKG_OK &&
			pp_range_match(plain->range, &version, true));

	pp_version_fini(&version);
	return fits;
}

const struct pp_dep *
pp_installed_wish(
    const struct pp_installeds *v, const struct pp_installed *p, const struct pp_deps *wanted)
{
	const struct pp_dep *own = pp_deps_get(wanted, p->key);

	if (own != NULL || strcmp(p->key, p->name) == 0)
		return own;
	const struct pp_dep *plain = pp_deps_get(wanted, p->name);
	if (plain == NULL || !is_wanted_by(plain, p))
		return NULL;
	pp_vec_foreach (q, v)
		if (strcmp((*q)->name, p->name) == 0 &&
		    pp_version_cmp_text((*q)->version, p->version) > 0 && is_wanted_by(plain, *q))
			return NULL;
	return plain;
}

bool
pp_installed_is_held(const struct pp_installed *p, int64_t now)
{
	return p->hold && (p->hold_until == 0 || p->hold_until > now);
}

bool
pp_installed_is_usable(const struct pp_installed *p)
{
	return strcmp(p->state, "leftover") != 0;
}

bool
pp_installed_is_active(const struct pp_installed *p)
{
	return pp_installed_is_usable(p) && !p->is_disabled && p->blocked_by == NULL;
}

const char *
pp_installed_state(const struct pp_installed *p)
{
	bool is_there =
	    strcmp(p->state, "installed") == 0 || strcmp(p->state, "core-installed") == 0;

	if (!is_there || (!p->is_disabled && p->blocked_by == NULL))
		return p->state;
	return p->is_disabled ? "disabled" : "blocked";
}

static enum plugpkg_code
make_state(int root_fd, const char *name, plugpkg_error **err)
{
	const char *what = "make var/state.db";
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	struct pp_db_way way = { 0 };
	PP_CLEANUP(pp_db_close) sqlite3 *db = NULL;

	if (pp_db_open(root_fd, name, flags, &way, &db) != SQLITE_OK)
		return pp_db_fail(db, err, what);
	/* A journal that is deleted: what is renamed leaves none behind. */
	enum plugpkg_code rc =
	    pp_db_exec(db, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL", err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	rc = pp_db_begin(db, &guard, err, what);
	if (rc == PLUGPKG_OK)
		rc = pp_state_make_tables(db, err);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}

enum plugpkg_code
pp_state_create(int root_fd, plugpkg_error **err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	struct pp_db_way way = { 0 };
	PP_CLEANUP(pp_db_close) sqlite3 *log = NULL;

	if (pp_failpoint() < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make var/state.db");
	if (pp_db_open(root_fd, "log.db", flags, &way, &log) != SQLITE_OK ||
	    pp_log_make_tables(log) != SQLITE_OK)
		return pp_db_fail(log, err, "make var/log.db");
	/* The state comes last and whole, by a rename: a root without it is no root. */
	int r = pp_rm_rf_at(root_fd, "var/state.db.new");
	if (r == 0)
		r = pp_rm_rf_at(root_fd, "var/state.db.new-journal");
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make var/state.db");
	enum plugpkg_code rc = make_state(root_fd, "state.db.new", err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (pp_renameat(root_fd, "var/state.db.new", root_fd, "var/state.db") < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make var/state.db");
	r = pp_sync_dir_at(root_fd, "var");
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot make 'var' durable") : PLUGPKG_OK;
}

static const char reading[] = "read the installed plugins";

/* Which of PP_PLUGIN_COLUMNS lie behind a row, and where it says so. */
static const struct {
	int column;
	size_t offset;
} row_texts[] = {
	{ 0, offsetof(struct pp_installed, name) },
	{ 1, offsetof(struct pp_installed, version) },
	{ 2, offsetof(struct pp_installed, source) },
	{ 7, offsetof(struct pp_installed, sha256) },
	{ 8, offsetof(struct pp_installed, tree_sha256) },
	{ 9, offsetof(struct pp_installed, link_dir) },
	{ 15, offsetof(struct pp_installed, key) },
};

/* One piece of memory: of a few hundred rows, thousands of texts would be asked for singly. */
static struct pp_installed *
new_row(sqlite3_stmt *st)
{
	struct pp_str texts[PP_LEN(row_texts)];
	size_t n = 0;

	for (size_t i = 0; i < PP_LEN(texts); i++) {
		texts[i].p = (const char *)sqlite3_column_text(st, row_texts[i].column);
		texts[i].n = (size_t)sqlite3_column_bytes(st, row_texts[i].column);
		n += texts[i].n + 1;
	}
	struct pp_installed *p = pp_xcalloc(1, sizeof(*p) + n);
	char *to = (char *)(p + 1);
	for (size_t i = 0; i < PP_LEN(texts); i++) {
		if (texts[i].p == NULL)
			continue;
		memcpy(to, texts[i].p, texts[i].n);
		memcpy((char *)p + row_texts[i].offset, &to, sizeof(to));
		to += texts[i].n + 1;
	}
	p->is_row = true;
	return p;
}

static enum plugpkg_code
read_plugin(struct pp_state *s, sqlite3_stmt *st, struct pp_installed *p, plugpkg_error **err)
{
	p->state = pp_db_text(st, 3);
	p->manual = sqlite3_column_int(st, 4) != 0;
	p->hold = sqlite3_column_int(st, 5) != 0;
	p->hold_until = sqlite3_column_int64(st, 6);
	p->bytes = (uint64_t)sqlite3_column_int64(st, 11);
	p->files = (uint64_t)sqlite3_column_int64(st, 12);
	p->installed_at = sqlite3_column_int64(st, 13);
	p->transaction = sqlite3_column_int64(st, 14);
	pp_installed_read_detached(p, (const char *)sqlite3_column_text(st, 16));
	p->is_disabled = sqlite3_column_int(st, 17) != 0;
	p->blocked_by = pp_db_text(st, 18);
	p->skipped = pp_db_text(st, 19);

	const char *text = (const char *)sqlite3_column_text(st, 10);
	struct pp_json_error why = { 0 };
	p->manifest = text != NULL ? pp_manifests_get(s, p->key, text, &why) : NULL;
	if (p->manifest == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
		    "var/state.db holds a damaged manifest of '%s': %s", p->name, why.text);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_plugins(struct pp_state *s, sqlite3_stmt *st, struct pp_installeds *out, plugpkg_error **err)
{
	int step = SQLITE_ROW;

	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct pp_installed *p = new_row(st);
		pp_vec_push(out, p);
		enum plugpkg_code rc = read_plugin(s, st, p, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	return step == SQLITE_DONE ? PLUGPKG_OK : pp_db_fail(s->db, err, reading);
}

enum plugpkg_code
pp_state_installed(struct pp_state *s, struct pp_installeds *out, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(
	    s->db, "SELECT " PP_PLUGIN_COLUMNS " FROM plugins ORDER BY key", &st, err, reading);

	return rc == PLUGPKG_OK ? read_plugins(s, st, out, err) : rc;
}

static int
by_key(const void *a, const void *b)
{
	const struct pp_installed *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

enum plugpkg_code
pp_state_installed_named(
    struct pp_state *s, const struct pp_strs *names, struct pp_installeds *out, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	/* NAME and NAME@MAJOR; 'A' comes after '@'. */
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT " PP_PLUGIN_COLUMNS " FROM plugins"
	    " WHERE key >= ?1 AND key < ?1 || 'A' AND name = ?1",
	    &st, err, reading);

	pp_vec_foreach (name, names) {
		if (rc != PLUGPKG_OK)
			return rc;
		pp_db_bind_text(st, 1, *name);
		rc = read_plugins(s, st, out, err);
		(void)sqlite3_reset(st); /* repeats the result of the step */
	}
	pp_vec_sort(out, by_key);
	return rc;
}

enum plugpkg_code
pp_state_scopes(struct pp_state *s, struct pp_strs *out, plugpkg_error **err)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "SELECT DISTINCT substr(key, 1, instr(key, '/') - 1) FROM plugins"
	    " WHERE key >= '@' AND key < 'A' ORDER BY 1",
	    &st, err, reading);
	int step = SQLITE_DONE;

	if (rc != PLUGPKG_OK)
		return rc;
	while ((step = sqlite3_step(st)) == SQLITE_ROW)
		pp_strs_take(out, pp_db_text(st, 0));
	return step == SQLITE_DONE ? rc : pp_db_fail(s->db, err, reading);
}

enum plugpkg_code
pp_state_note_generation(struct pp_state *s, int64_t generation, plugpkg_error **err)
{
	const char *what = "record the number of a generation";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db,
	    "INSERT INTO meta(key, value) VALUES('last_generation', ?1)"
	    " ON CONFLICT(key) DO UPDATE SET value = max(value, ?1)",
	    &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)sqlite3_bind_int64(st, 1, generation);
	return sqlite3_step(st) == SQLITE_DONE ? PLUGPKG_OK : pp_db_fail(s->db, err, what);
}

enum plugpkg_code
pp_state_take_generation(struct pp_state *s, int64_t generation, plugpkg_error **err)
{
	const char *what = "record the number of a generation";
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);

	if (rc == PLUGPKG_OK)
		rc = pp_state_note_generation(s, generation, err);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}

enum plugpkg_code
pp_state_set_marks(struct pp_state *s, const struct pp_installeds *set, plugpkg_error **err)
{
	const char *what = "record the marks of plugins";
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	if (rc == PLUGPKG_OK)
		rc = pp_db_prepare(s->db,
		    "UPDATE plugins SET manual = ?1, hold = ?2, hold_until = ?3 WHERE key = ?4",
		    &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;

	pp_vec_foreach (p, set) {
		(void)sqlite3_bind_int(st, 1, (*p)->manual);
		(void)sqlite3_bind_int(st, 2, (*p)->hold);
		(void)sqlite3_bind_int64(st, 3, (*p)->hold_until);
		pp_db_bind_text(st, 4, (*p)->key);
		int step = sqlite3_step(st);
		(void)sqlite3_reset(st); /* repeats the result of the step */
		if (step != SQLITE_DONE)
			return pp_db_fail(s->db, err, what);
	}
	return pp_db_commit(&guard, err, what);
}

static enum plugpkg_code
read_number(struct pp_state *s, const char *sql, int64_t *out, plugpkg_error **err)
{
	const char *what = "read the current generation";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db, sql, &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	if (sqlite3_step(st) != SQLITE_ROW)
		return pp_db_fail(s->db, err, what);
	*out = sqlite3_column_int64(st, 0);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_state_generation(struct pp_state *s, int64_t *out, plugpkg_error **err)
{
	return read_number(s, "SELECT value FROM meta WHERE key = 'generation'", out, err);
}

enum plugpkg_code
pp_state_last_generation(struct pp_state *s, int64_t *out, plugpkg_error **err)
{
	static const char sql[] =
	    "SELECT max(value) FROM meta WHERE key IN ('generation', 'last_generation')";

	return read_number(s, sql, out, err);
}

/* ?1: the key, ?2: the text where there is one. */
static enum plugpkg_code
change_one(
    struct pp_state *s, const char *sql, const char *key, const char *text, plugpkg_error **err)
{
	const char *what = "record the state of a plugin";
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);
	if (rc == PLUGPKG_OK)
		rc = pp_db_prepare(s->db, sql, &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_db_bind_text(st, 1, key);
	if (text != NULL)
		pp_db_bind_text(st, 2, text);
	if (sqlite3_step(st) != SQLITE_DONE)
		return pp_db_fail(s->db, err, what);
	return pp_db_commit(&guard, err, what);
}

enum plugpkg_code
pp_state_set_state(struct pp_state *s, const char *key, const char *state, plugpkg_error **err)
{
	return change_one(s, "UPDATE plugins SET state = ?2 WHERE key = ?1", key, state, err);
}

enum plugpkg_code
pp_state_set_tree(struct pp_state *s, const char *key, const char *tree_sha256, plugpkg_error **err)
{
	return change_one(
	    s, "UPDATE plugins SET tree_sha256 = ?2 WHERE key = ?1", key, tree_sha256, err);
}

enum plugpkg_code
pp_state_forget_skipped(struct pp_state *s, const char *key, plugpkg_error **err)
{
	return change_one(s, "UPDATE plugins SET skipped = NULL WHERE key = ?1", key, NULL, err);
}

enum plugpkg_code
pp_state_drop(struct pp_state *s, const char *key, plugpkg_error **err)
{
	return change_one(s, "DELETE FROM plugins WHERE key = ?1", key, NULL, err);
}

enum plugpkg_code
pp_state_drop_all(struct pp_state *s, const struct pp_strs *keys, plugpkg_error **err)
{
	const char *what = "record the plugins that left";
	PP_AUTO_DB_GUARD struct pp_db_guard guard = { NULL };
	if (keys->n == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_db_begin(s->db, &guard, err, what);
	if (rc == PLUGPKG_OK)
		rc = pp_plugins_delete(s, keys, err);
	return rc == PLUGPKG_OK ? pp_db_commit(&guard, err, what) : rc;
}

enum plugpkg_code
pp_state_check(struct pp_state *s, plugpkg_error **err)
{
	const char *what = "check var/state.db";
	PP_AUTO_STMT sqlite3_stmt *st = NULL;
	enum plugpkg_code rc = pp_db_prepare(s->db, "PRAGMA quick_check(1)", &st, err, what);
	if (rc != PLUGPKG_OK)
		return rc;
	if (sqlite3_step(st) != SQLITE_ROW)
		return pp_db_fail(s->db, err, what);
	const char *text = (const char *)sqlite3_column_text(st, 0);
	if (text != NULL && strcmp(text, "ok") == 0)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "var/state.db is damaged: %s", text);
}
