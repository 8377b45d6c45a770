/* SPDX-License-Identifier: MIT */
/* Looks at the state: of one moment, whoever writes meanwhile and whatever became of the file. */
#include "base/fd.h"
#include "base/path.h"
#include "lib/state/state_db.h"
#include "root_make.h"
#include "tap.h"

#include <fcntl.h>
#include <unistd.h>

#define FILE_MAX (1 << 24)

static struct pp_installed *
plugin(const char *name, const char *version, const char *summary)
{
	PP_AUTO_FREE char *manifest = pp_asprintf(
	    "{\"name\":\"%s\",\"version\":\"%s\",\"summary\":\"%s\"}", name, version, summary);
	struct pp_installed *p = pp_xcalloc(1, sizeof(*p));

	p->key = pp_xstrdup(name);
	p->name = pp_xstrdup(name);
	p->version = pp_xstrdup(version);
	p->source = pp_xstrdup("main");
	p->state = pp_xstrdup("installed");
	p->sha256 = pp_xstrdup("");
	p->tree_sha256 = pp_xstrdup("");
	p->manifest = pp_json_parse(manifest, strlen(manifest), NULL);
	return p;
}

static struct pp_state *
state_of(plugpkg_context *ctx)
{
	struct pp_state *s = NULL;

	CHECK_INT(pp_state_get(ctx, &s, NULL), PLUGPKG_OK);
	return s;
}

/* A set of n plugins in this version. */
static enum plugpkg_code
commit(plugpkg_context *ctx, size_t n, const char *version, const char *summary)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };

	for (size_t i = 0; i < n; i++) {
		PP_AUTO_FREE char *name = pp_asprintf("p%04zu", i);
		pp_vec_push(&set, plugin(name, version, summary));
	}
	return pp_state_commit_set(state_of(ctx), &set, 1, 1, NULL, NULL);
}

/* The version that all have; "mixed" where they differ. */
static char *
version_of(struct pp_state *s)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };

	CHECK_INT(pp_state_installed(s, &set, NULL), PLUGPKG_OK);
	pp_vec_foreach (p, &set)
		if (strcmp((*p)->version, set.at[0]->version) != 0)
			return pp_xstrdup("mixed");
	return pp_xstrdup(set.n > 0 ? set.at[0]->version : "none");
}

static void
check_version(struct pp_state *s, const char *want)
{
	PP_AUTO_FREE char *version = version_of(s);

	CHECK_STR(version, want);
}

static void
a_look_is_of_one_moment_and_writers_wait(void)
{
	struct root r;
	PP_AUTO_LOOK struct pp_state *look = NULL;
	plugpkg_context *other = NULL;
	char summary[3001];

	memset(summary, 'x', sizeof(summary) - 1);
	summary[sizeof(summary) - 1] = '\0';
	if (root_init(&r) && CHECK_INT(plugpkg_open(r.path, &other, NULL), PLUGPKG_OK)) {
		CHECK_INT(commit(other, 500, "1.0.0", summary), PLUGPKG_OK);
		CHECK_INT(pp_state_look(r.ctx, &look, NULL), PLUGPKG_OK);
		check_version(look, "1.0.0");
		(void)sqlite3_busy_timeout(other->state->db, 0);
		CHECK_INT(commit(other, 500, "2.0.0", summary), PLUGPKG_E_LOCKED);
		check_version(look, "1.0.0");
		pp_state_look_end(&look);
		CHECK_INT(commit(other, 500, "2.0.0", summary), PLUGPKG_OK);
		check_version(state_of(r.ctx), "2.0.0");
	}
	plugpkg_close(other);
	root_fini(&r);
}

static void
a_look_within_a_look_is_part_of_it(void)
{
	struct root r;
	PP_AUTO_LOOK struct pp_state *look = NULL;

	if (root_init(&r)) {
		CHECK_INT(pp_state_look(r.ctx, &look, NULL), PLUGPKG_OK);
		struct pp_state *inner = look;
		CHECK_INT(pp_state_look(r.ctx, &inner, NULL), PLUGPKG_OK);
		pp_state_look_end(&inner);
		CHECK(look->is_looked_at);
		/* What is looked at cannot be changed on the way. */
		CHECK_INT(commit(r.ctx, 1, "1.0.0", ""), PLUGPKG_E_BAD_STATE);
	}
	pp_state_look_end(&look);
	CHECK_INT(commit(r.ctx, 1, "1.0.0", ""), PLUGPKG_OK);
	root_fini(&r);
}

/* Its state as it lies on the disk in the middle of a commit: file and journal. */
static void
read_half_written(struct root *r, struct pp_buf *state, struct pp_buf *journal)
{
	sqlite3 *db = state_of(r->ctx)->db;

	CHECK_INT(pp_db_exec(db, "BEGIN IMMEDIATE; UPDATE plugins SET version = '6.6.6'", NULL, ""),
	    PLUGPKG_OK);
	CHECK_INT(sqlite3_db_cacheflush(db), SQLITE_OK);
	CHECK_INT(pp_read_file_at(r->ctx->root_fd, "var/state.db", state), 0);
	CHECK_INT(pp_read_file_at(r->ctx->root_fd, "var/state.db-journal", journal), 0);
	CHECK_INT(pp_db_exec(db, "ROLLBACK", NULL, ""), PLUGPKG_OK);
}

static void
what_a_killed_writer_left_half_written_is_put_back_before_a_look(void)
{
	struct root r;
	PP_AUTO_LOOK struct pp_state *look = NULL;
	PP_AUTO_BUF struct pp_buf state = PP_BUF_INIT(FILE_MAX);
	PP_AUTO_BUF struct pp_buf journal = PP_BUF_INIT(FILE_MAX);
	PP_AUTO_FD int root = -1;

	if (root_init(&r)) {
		CHECK_INT(commit(r.ctx, 20, "1.0.0", "text"), PLUGPKG_OK);
		read_half_written(&r, &state, &journal);
		CHECK(memmem(state.s, state.n, "6.6.6", 5) != NULL);
		root = fcntl(r.ctx->root_fd, F_DUPFD_CLOEXEC, 3);
		plugpkg_close(r.ctx);
		r.ctx = NULL;
		CHECK_INT(pp_write_file_at(root, "var/state.db", state.s, state.n, 0644), 0);
		CHECK_INT(
		    pp_write_file_at(root, "var/state.db-journal", journal.s, journal.n, 0644), 0);
		CHECK_INT(plugpkg_open(r.path, &r.ctx, NULL), PLUGPKG_OK);
		CHECK_INT(pp_state_look(r.ctx, &look, NULL), PLUGPKG_OK);
		check_version(look, "1.0.0");
	}
	pp_state_look_end(&look);
	root_fini(&r);
}

static void
a_file_that_was_cut_short_is_an_error_and_nothing_worse(void)
{
	struct root r;
	PP_AUTO_LOOK struct pp_state *look = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	PP_AUTO_FD int fd = -1;

	if (root_init(&r)) {
		CHECK_INT(commit(r.ctx, 200, "1.0.0", "text"), PLUGPKG_OK);
		fd = openat(r.ctx->root_fd, "var/state.db", O_WRONLY | O_CLOEXEC);
		CHECK_INT(ftruncate(fd, 20000), 0);
		plugpkg_close(r.ctx);
		r.ctx = NULL;
		CHECK_INT(plugpkg_open(r.path, &r.ctx, NULL), PLUGPKG_OK);
		CHECK_INT(pp_state_look(r.ctx, &look, &err), PLUGPKG_E_BAD_STATE);
		CHECK_HAS(plugpkg_error_message(err), "var/state.db is damaged");
	}
	pp_state_look_end(&look);
	root_fini(&r);
}

static void
an_open_state_leaves_nothing_in_the_lists_of_sqlite(void)
{
	struct root r;

	if (root_init(&r)) {
		(void)state_of(r.ctx);
		for (const sqlite3_vfs *v = sqlite3_vfs_find(NULL); v != NULL; v = v->pNext)
			CHECK(strncmp(v->zName, "plugpkg", 7) != 0);
	}
	root_fini(&r);
}

TAP_MAIN(CASE(a_look_is_of_one_moment_and_writers_wait) CASE(a_look_within_a_look_is_part_of_it)
	CASE(what_a_killed_writer_left_half_written_is_put_back_before_a_look)
	    CASE(a_file_that_was_cut_short_is_an_error_and_nothing_worse)
		CASE(an_open_state_leaves_nothing_in_the_lists_of_sqlite))
