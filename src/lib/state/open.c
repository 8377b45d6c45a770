/* SPDX-License-Identifier: MIT */
/* How var/state.db is opened, made ready for writing, and looked at: at one moment, and quickly. */
#include "lib/state/state_db.h"

#include "base/path.h"

#include <string.h>

static const char opening[] = "open var/state.db";

static void
close_state(struct pp_state **s)
{
	pp_state_close(*s);
}

static enum plugpkg_code
cannot_open(plugpkg_context *ctx, struct pp_state *s, plugpkg_error **err)
{
	int there = pp_exists_at(ctx->root_fd, "var/state.db");

	if (there == 0) {
		(void)pp_fail(err, PLUGPKG_E_NO_ROOT, 0, "'%s' is not a plugpkg root", ctx->root);
		return pp_hint(err, PLUGPKG_E_NO_ROOT, PP_NO_ROOT_HINT);
	}
	return there < 0 ? pp_fail(err, PLUGPKG_E_IO, -there, "cannot %s", opening)
			 : pp_db_fail(s->db, err, opening);
}

#define HEADER_BYTES  100
#define FORMAT_OFFSET 60 /* of `user_version` in a header */

/*
 * The header says the format as well: read without a lock, it spares a look at the schema until
 * somebody reads more, who is sure of it. False: it is not known.
 */
static bool
is_of_own_format(const uint8_t header[HEADER_BYTES])
{
	const uint8_t *at = header + FORMAT_OFFSET;

	return memcmp(header, "SQLite format 3", 16) == 0 && at[0] == 0 && at[1] == 0 &&
	       at[2] == 0 && at[3] == PP_STATE_FORMAT;
}

static bool
has_own_format(sqlite3 *db)
{
	uint8_t header[HEADER_BYTES];

	return pp_db_read(db, header, sizeof(header)) == SQLITE_OK && is_of_own_format(header);
}

bool
pp_state_expect(plugpkg_context *ctx)
{
	uint8_t header[HEADER_BYTES];

	ctx->has_state = pp_db_peek(ctx->root_fd, "var/state.db", header, sizeof(header)) &&
			 is_of_own_format(header);
	if (ctx->has_state)
		ctx->log_fn = pp_log_event;
	return ctx->has_state;
}

/*
 * From here on nobody writes, until the transaction ends. What is no database at all fails here,
 * and what a writer that was killed left half written is put back.
 */
static enum plugpkg_code
begin(struct pp_state *s, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_db_exec(s->db, "BEGIN; PRAGMA schema_version", err, opening);

	return rc == PLUGPKG_OK ? rc : pp_subject(err, rc, s->ctx->root);
}

/* Nothing was written, so there is nothing to lose. */
static void
end(sqlite3 *db)
{
	(void)sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
}

static enum plugpkg_code
check_format(struct pp_state *s, int64_t *out, plugpkg_error **err)
{
	*out = PP_STATE_FORMAT;
	enum plugpkg_code rc = s->is_known ? PLUGPKG_OK : pp_state_check_format(s->db, out, err);

	s->is_known = rc == PLUGPKG_OK;
	return s->is_known ? rc : pp_subject(err, rc, s->ctx->root);
}

/* What only writers need, and waits for the schema. */
static enum plugpkg_code
make_writable(struct pp_state *s, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	if (sqlite3_db_readonly(s->db, "main") != 1)
		rc = pp_db_exec(
		    s->db, "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL", err, opening);
	s->is_ready = rc == PLUGPKG_OK;
	return rc;
}

/* An older format is read in a lifted copy; its file is ready for the lift. */
static enum plugpkg_code
look_at_format(struct pp_state *s, plugpkg_error **err)
{
	int64_t format = PP_STATE_FORMAT;
	enum plugpkg_code rc = begin(s, err);

	if (rc == PLUGPKG_OK)
		rc = check_format(s, &format, err);
	end(s->db);
	if (rc != PLUGPKG_OK || format >= PP_STATE_FORMAT)
		return rc;
	rc = make_writable(s, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_copy_older(s, format, err);
	return pp_subject(err, rc, s->ctx->root);
}

enum plugpkg_code
pp_state_open(plugpkg_context *ctx, plugpkg_error **err)
{
	const int flags = SQLITE_OPEN_READWRITE;
	PP_CLEANUP(close_state) struct pp_state *s = pp_xcalloc(1, sizeof(*s));

	s->root_fd = ctx->root_fd;
	s->ctx = ctx;
	/* Falls back to reading by itself where the file or its file system cannot be written. */
	if (pp_db_open(ctx->root_fd, "state.db", flags, &s->way, &s->db) != SQLITE_OK)
		return cannot_open(ctx, s, err);
	enum plugpkg_code rc =
	    ctx->has_state || has_own_format(s->db) ? PLUGPKG_OK : look_at_format(s, err);
	if (rc != PLUGPKG_OK)
		return rc;
	ctx->state = pp_steal(&s);
	ctx->log_fn = pp_log_event;
	return PLUGPKG_OK;
}

struct pp_state *
pp_state_of(plugpkg_context *ctx)
{
	if (ctx->state == NULL && ctx->has_state)
		(void)pp_state_open(ctx, NULL); /* who needs it asks again, and is told */
	return ctx->state;
}

static enum plugpkg_code
make_ready(struct pp_state *s, plugpkg_error **err)
{
	enum plugpkg_code rc = look_at_format(s, err);

	return rc == PLUGPKG_OK && !s->is_ready ? make_writable(s, err) : rc;
}

/* The state, opened; its copy in memory is of today where it is one of an older format. */
static enum plugpkg_code
open_or_renew(plugpkg_context *ctx, plugpkg_error **err)
{
	struct pp_state *s = ctx->state;

	if (s == NULL)
		return pp_state_open(ctx, err);
	if (s->is_looked_at || !pp_state_is_copy_outdated(s))
		return PLUGPKG_OK;
	pp_state_drop_copy(s);
	s->is_known = false;
	return look_at_format(s, err);
}

enum plugpkg_code
pp_state_get(plugpkg_context *ctx, struct pp_state **out, plugpkg_error **err)
{
	enum plugpkg_code rc = open_or_renew(ctx, err);

	if (rc == PLUGPKG_OK && !ctx->state->is_ready && !ctx->state->is_looked_at)
		rc = make_ready(ctx->state, err);
	*out = rc == PLUGPKG_OK ? ctx->state : NULL;
	return rc;
}

/*
 * Within a look the file is mapped: what is read is neither copied nor asked for page by page. Its
 * transaction keeps writers from making the file shorter. Outside of looks a disk that fails has to
 * be an error that is said, and no signal.
 */
static void
map_file(struct pp_state *s, bool is_on)
{
	/* Where nothing can be mapped, it is read. */
	(void)sqlite3_exec(
	    s->db, is_on ? "PRAGMA mmap_size=1073741824" : "PRAGMA mmap_size=0", NULL, NULL, NULL);
}

enum plugpkg_code
pp_state_glance(plugpkg_context *ctx, struct pp_state **out, plugpkg_error **err)
{
	enum plugpkg_code rc = open_or_renew(ctx, err);

	*out = NULL;
	if (rc != PLUGPKG_OK || ctx->state->is_looked_at)
		return rc;
	rc = begin(ctx->state, err);
	*out = ctx->state; /* to be ended in any case */
	ctx->state->is_looked_at = true;
	return rc;
}

enum plugpkg_code
pp_state_look(plugpkg_context *ctx, struct pp_state **out, plugpkg_error **err)
{
	int64_t format = PP_STATE_FORMAT;
	enum plugpkg_code rc = pp_state_glance(ctx, out, err);

	if (rc != PLUGPKG_OK || *out == NULL)
		return rc;
	map_file(ctx->state, true);
	rc = check_format(ctx->state, &format, err);
	if (rc != PLUGPKG_OK || format >= PP_STATE_FORMAT)
		return rc;
	/* The header was of a lift that was cut off, and begin() took it back. */
	pp_state_look_end(out);
	ctx->state->is_known = false;
	rc = look_at_format(ctx->state, err);
	return rc == PLUGPKG_OK ? pp_state_look(ctx, out, err) : rc;
}

bool
pp_state_is_copy(const plugpkg_context *ctx)
{
	return ctx->state != NULL && ctx->state->older != NULL;
}

void
pp_state_look_end(struct pp_state **look)
{
	struct pp_state *s = pp_steal(look);

	if (s == NULL)
		return;
	end(s->db);
	map_file(s, false);
	s->is_looked_at = false;
}

void
pp_state_close(struct pp_state *s)
{
	if (s == NULL)
		return;
	pp_log_close(s);
	pp_manifests_fini(s);
	pp_state_drop_copy(s);
	pp_db_close(&s->db);
	free(s);
}
