/* SPDX-License-Identifier: MIT */
/*
 * Deletes what can be had again or is no longer needed: cached archives, old generations, store
 * versions that neither a kept generation nor the state names. Never the data of plugins.
 */
#include "lib/api/api.h"

#include "base/fd.h"
#include "base/map.h"
#include "base/path.h"
#include "base/rm_each.h"
#include "base/sys.h"
#include "lib/index/kept.h"
#include "lib/model/log_time.h"
#include "lib/net/cache.h"
#include "lib/state/history.h"
#include "lib/store/generation.h"
#include "lib/store/snapshot.h"
#include "lib/store/store.h"
#include "lib/txn/keeper.h"
#include "lib/txn/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STATE_FILE "var/state.db"
#define LOG_FILE   "var/log.db"

struct cleaning {
	plugpkg_context *ctx;
	const struct plugpkg_clean_spec *spec;
	struct pp_map kept; /* cache files, or "NAME VERSION" of the store: borrowed marks */
	int64_t files, generations, versions, transactions;
	int64_t before_ms; /* history and log before that go, too */
	uint64_t snapshots;
	uint64_t bytes;
};

static void
keep(struct cleaning *c, const char *what)
{
	*pp_map_put(&c->kept, what) = c;
}

/* ---- cache ---- */

static enum plugpkg_code
clean_cache(struct cleaning *c, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 }, gone = { 0 };
	PP_AUTO_FD int cache_fd = pp_opendir_at(c->ctx->root_fd, "var/cache");
	const char *failed = NULL;
	if (cache_fd == -ENOENT)
		return PLUGPKG_OK;
	int r = cache_fd < 0 ? cache_fd : pp_list_dir(cache_fd, ".", &names);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot list '%s/var/cache'", c->ctx->root);
	pp_index_kept(c->ctx, &c->kept);

	pp_vec_foreach (name, &names) {
		bool is_whole = pp_cache_is_whole(*name);
		if (!is_whole || (c->spec->keep_cache == 0 && !pp_map_has(&c->kept, *name)))
			pp_strs_add(&gone, *name);
	}
	r = pp_rm_each_at(cache_fd, &gone, &c->bytes, &failed);
	if (r < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -r, "cannot delete '%s/var/cache/%s'", c->ctx->root, failed);
	c->files = (int64_t)gone.n;
	return PLUGPKG_OK;
}

/* ---- generations and store ---- */

static enum plugpkg_code
keep_members(struct cleaning *c, int64_t generation, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs members = { 0 };
	enum plugpkg_code rc = pp_generation_members(c->ctx, generation, &members, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < members.n; i++)
		keep(c, members.at[i]);
	return rc;
}

/*
 * The current one stays, and the newest others: after a rollback those above it too. What a cut-off
 * transaction needed was settled when the lock was taken.
 */
static enum plugpkg_code
clean_generations(struct cleaning *c, plugpkg_error **err)
{
	PP_AUTO_FREE int64_t *all = NULL;
	size_t n = 0, n_gone = 0;
	int64_t current = 0;
	unsigned others = 0;
	enum plugpkg_code rc = pp_generation_current(c->ctx, &current, err);

	if (rc == PLUGPKG_OK)
		rc = pp_generation_list(c->ctx, &all, &n, err);
	PP_AUTO_FREE int64_t *gone = pp_xcalloc(n + 1, sizeof(*gone));
	for (size_t i = n; rc == PLUGPKG_OK && i-- > 0;) {
		bool stays = all[i] == current || others < c->spec->keep_generations;
		others += all[i] != current;
		if (stays)
			rc = keep_members(c, all[i], err);
		else
			gone[n_gone++] = all[i];
	}
	return rc == PLUGPKG_OK ? pp_generation_drop(c->ctx, gone, n_gone, &c->generations, err)
				: rc;
}

/*
 * What the state calls installed is kept whatever links there are: a leftover still needs its
 * uninstall.
 */
static enum plugpkg_code
keep_installed(struct cleaning *c, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(c->ctx, &state, err);

	if (rc == PLUGPKG_OK)
		rc = pp_state_installed(state, &set, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (p, &set) {
		PP_AUTO_FREE char *member = pp_asprintf("%s %s", (*p)->name, (*p)->version);
		keep(c, member);
	}
	return PLUGPKG_OK;
}

static uint64_t
file_size(const struct cleaning *c, const char *path)
{
	struct stat st;

	return fstatat(c->ctx->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)st.st_size
									     : 0;
}

/* The log may be as old as the history, or else its lines would name transactions of nobody. */
static enum plugpkg_code
forget_old(struct cleaning *c, struct pp_state *state, const int64_t *generations, size_t n,
    plugpkg_error **err)
{
	enum plugpkg_code rc =
	    pp_history_forget(state, c->before_ms / 1000, generations, n, &c->transactions, err);

	return rc == PLUGPKG_OK ? pp_log_forget(state, c->before_ms, err) : rc;
}

static enum plugpkg_code
clean_state(struct cleaning *c, const int64_t *generations, size_t n, plugpkg_error **err)
{
	struct pp_state *state = NULL;
	uint64_t before = file_size(c, STATE_FILE) + file_size(c, LOG_FILE);
	enum plugpkg_code rc = pp_state_get(c->ctx, &state, err);

	if (rc == PLUGPKG_OK && c->spec->before != NULL)
		rc = forget_old(c, state, generations, n, err);
	if (rc == PLUGPKG_OK)
		rc = pp_history_trim(state, generations, n, err);
	uint64_t after = file_size(c, STATE_FILE) + file_size(c, LOG_FILE);
	c->bytes += after < before ? before - after : 0;
	return rc;
}

/* Data and wishes go back along with the plugins of their generation, or not at all. */
static enum plugpkg_code
clean_histories(struct cleaning *c, plugpkg_error **err)
{
	PP_AUTO_FREE int64_t *all = NULL;
	size_t n = 0;
	enum plugpkg_code rc = pp_generation_list(c->ctx, &all, &n, err);

	if (rc == PLUGPKG_OK)
		rc = pp_snapshots_clean(c->ctx, all, n, &c->snapshots, err);
	return rc == PLUGPKG_OK ? clean_state(c, all, n, err) : rc;
}

static enum plugpkg_code
clean_store(struct cleaning *c, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs stored = { 0 }, bare = { 0 }, gone = { 0 };
	enum plugpkg_code rc = keep_installed(c, err);
	if (rc == PLUGPKG_OK)
		rc = pp_store_list(c->ctx, &stored, &bare, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < bare.n; i++)
		rc = pp_store_prune(c->ctx, bare.at[i], err);

	pp_vec_foreach (member, &stored)
		if (!pp_map_has(&c->kept, *member))
			pp_strs_add(&gone, *member);
	return rc == PLUGPKG_OK ? pp_store_drop(c->ctx, &gone, &c->versions, &c->bytes, err) : rc;
}

static enum plugpkg_code
clean_rest(struct cleaning *c, plugpkg_error **err)
{
	enum plugpkg_code rc = clean_generations(c, err);

	if (rc == PLUGPKG_OK)
		rc = clean_histories(c, err);
	return rc == PLUGPKG_OK ? clean_store(c, err) : rc;
}

enum plugpkg_code
plugpkg_clean(plugpkg_context *ctx, const struct plugpkg_clean_spec *spec, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	struct cleaning c = { .ctx = ctx, .spec = spec };
	enum plugpkg_code rc = PLUGPKG_OK;

	if (spec->before != NULL)
		rc = pp_log_time_point(spec->before, ctx->now, &c.before_ms, err);
	if (rc == PLUGPKG_OK)
		rc = pp_lock(ctx, "clean", err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	rc = pp_staging_clear(ctx, err);
	if (rc == PLUGPKG_OK)
		rc = clean_cache(&c, err);
	if (rc == PLUGPKG_OK && spec->only_cache == 0)
		rc = clean_rest(&c, err);
	pp_map_fini(&c.kept, NULL);
	if (rc != PLUGPKG_OK)
		return pp_keeper_hint(ctx, rc, err);
	pp_json *one = pp_row_new("cleaned");
	pp_json_set_int(one, "files", c.files);
	pp_json_set_int(one, "generations", c.generations);
	pp_json_set_int(one, "snapshots", (int64_t)c.snapshots);
	pp_json_set_int(one, "versions", c.versions);
	pp_json_set_int(one, "transactions", c.transactions);
	pp_json_set_int(one, "bytes", (int64_t)c.bytes);
	pp_row(row, user, one);
	return PLUGPKG_OK;
}
