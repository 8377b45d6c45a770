/* SPDX-License-Identifier: MIT */
/* Makes a root what its state says: files first, then links, then what scripts have to do. */
#include "lib/api/api.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/index/index.h"
#include "lib/model/name.h"
#include "lib/net/fetch.h"
#include "lib/state/history.h"
#include "lib/store/archive.h"
#include "lib/store/store.h"
#include "lib/txn/inventory.h"
#include "lib/txn/lock.h"
#include "lib/txn/marks.h"
#include "lib/txn/mend.h"
#include "lib/txn/root.h"
#include "lib/txn/skip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct repairing {
	plugpkg_context *ctx;
	const char *const *names;
	size_t n_names;
	struct pp_state *state;
	struct pp_inventory inv;
	struct pp_ranks order; /* of inv.set: dependencies first */
	struct pp_sources_open open;
	bool is_open, is_loaded;
	struct pp_notes notes;
	plugpkg_error *failed; /* of the first leftover that does not go */
	plugpkg_row_fn row;
	void *user;
};

static void
repairing_fini(struct repairing *r)
{
	pp_inventory_fini(&r->inv);
	pp_vec_free(&r->order);
	plugpkg_error_free(r->failed);
	pp_notes_fini(&r->notes);
	if (r->is_open)
		pp_sources_open_fini(&r->open);
}

static void PP_PRINTF(4, 5)
    repaired(struct repairing *r, const char *kind, const char *key, const char *fmt, ...)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(65536);
	pp_json *row = pp_row_new("repaired");
	va_list ap;

	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	pp_notes_add(&r->notes, key, "%s", pp_buf_cstr(&text));
	pp_json_set_str(row, "kind", kind);
	pp_json_set_str(row, "name", key);
	pp_json_set_str(row, "text", pp_buf_cstr(&text));
	pp_row(r->row, r->user, row);
}

static bool
is_meant(const struct repairing *r, const struct pp_installed *p)
{
	for (size_t i = 0; i < r->n_names; i++)
		if (strcmp(r->names[i], p->name) == 0 || strcmp(r->names[i], p->key) == 0)
			return true;
	return r->n_names == 0;
}

/* ---- files ---- */

static bool
is_damaged(plugpkg_context *ctx, const struct pp_installed *p)
{
	PP_AUTO_FD int fd = -1;
	char sha256[65];

	return pp_store_open(ctx, p->name, p->version, &fd, NULL) != PLUGPKG_OK ||
	       pp_store_tree_digest(fd, sha256, NULL) != PLUGPKG_OK ||
	       strcmp(sha256, p->tree_sha256) != 0;
}

static enum plugpkg_code
open_net(struct repairing *r, bool with_index, plugpkg_error **err)
{
	if (r->is_open && (r->is_loaded || !with_index))
		return PLUGPKG_OK;
	if (r->is_open)
		pp_sources_open_fini(&r->open);
	r->open = (struct pp_sources_open)PP_SOURCES_OPEN_INIT;
	r->is_open = true;
	r->is_loaded = with_index;
	/* What is fetched has a digest on record, so the age of the index does not matter. */
	return with_index ? pp_sources_load(r->ctx, true, &r->open, err)
			  : pp_sources_net(r->ctx, &r->open, err);
}

static enum plugpkg_code
size_in_index(struct repairing *r, const struct pp_installed *p, uint64_t *out, plugpkg_error **err)
{
	enum plugpkg_code rc = open_net(r, true, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (c, &r->open.catalogs) {
		PP_AUTO_JSON pp_json *details = NULL;
		if (strcmp(pp_catalog_source(*c)->name, p->source) != 0)
			continue;
		rc = pp_catalog_rows(*c, p->name, p->version, NULL, &details, err);
		const char *sha256 = pp_json_get_str(details, "sha256");
		if (rc != PLUGPKG_OK)
			return rc;
		if (sha256 == NULL || strcmp(sha256, p->sha256) != 0)
			return pp_fail(err, PLUGPKG_E_DIGEST, 0,
			    "source '%s' offers other content as %s %s than was installed from it",
			    p->source, p->name, p->version);
		*out = (uint64_t)pp_json_get_int(details, "size", 0);
		return PLUGPKG_OK;
	}
	return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "source '%s', where %s %s came from, is gone",
	    p->source, p->name, p->version);
}

static enum plugpkg_code
fetch(struct repairing *r, const struct pp_installed *p, uint64_t size, plugpkg_error **err)
{
	const struct pp_source *source = pp_config_source(r->ctx->config, p->source);
	PP_AUTO_FREE char *path = pp_index_archive_path(p->name, p->version, p->sha256);
	PP_AUTO_FREE char *full = pp_asprintf("targets/%s", path);
	PP_AUTO_FREE char *label = pp_asprintf("%s %s", p->name, p->version);
	if (source == NULL)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "there is no source '%s'", p->source);
	struct pp_want want = {
		.mirrors = &source->urls,
		.path = full,
		.label = label,
		.sha256 = p->sha256,
		.size = size,
	};
	return pp_net_fetch(r->open.net, &want, 1, err);
}

/* The archive by its digest: from the cache, else from where it came. */
static enum plugpkg_code
open_archive(struct repairing *r, const struct pp_installed *p, int *out_fd, plugpkg_error **err)
{
	struct stat st = { 0 };
	enum plugpkg_code rc = open_net(r, false, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (fstatat(r->open.cache_fd, p->sha256, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    pp_net_open_cached(r->open.net, p->sha256, (uint64_t)st.st_size, out_fd, NULL) ==
		PLUGPKG_OK)
		return PLUGPKG_OK;
	uint64_t size = 0;
	rc = size_in_index(r, p, &size, err);
	if (rc == PLUGPKG_OK)
		rc = fetch(r, p, size, err);
	return rc == PLUGPKG_OK ? pp_net_open_cached(r->open.net, p->sha256, size, out_fd, err)
				: rc;
}

/*
 * It has to be the tree on record. Where that digest is only the archive's word, and a false one,
 * it is still what the archive holds that was installed: then its own digest goes on record.
 */
static enum plugpkg_code
check_tree(const struct pp_installed *p, const struct pp_unpack_job *job, const char *sha256,
    plugpkg_error **err)
{
	if (strcmp(sha256, p->tree_sha256) == 0 || strcmp(job->tree_sha256, p->tree_sha256) == 0)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_DIGEST, 0,
	    "the archive of %s %s gives other files than were installed from it", p->name,
	    p->version);
}

/* out_sha256: of the tree that is in the store then, and durable. */
static enum plugpkg_code
unpack(struct repairing *r, const struct pp_installed *p, int archive_fd, char out_sha256[65],
    plugpkg_error **err)
{
	PP_AUTO_FREE char *staging = NULL;
	PP_AUTO_FREE char *what = pp_asprintf("%s %s", p->name, p->version);
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = pp_staging_new(r->ctx, "repair", &staging, &fd, err);
	struct pp_unpack_job job = {
		.archive_fd = archive_fd,
		.dir_fd = fd,
		.what = what,
		.limits = { p->bytes, p->files, .exact = true },
	};

	if (rc == PLUGPKG_OK)
		rc = pp_unpack_one(r->ctx, &job, err);
	if (rc == PLUGPKG_OK)
		rc = pp_store_tree_digest(fd, out_sha256, err);
	if (rc == PLUGPKG_OK)
		rc = check_tree(p, &job, out_sha256, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int synced = pp_sync_tree_at(fd, ".");
	if (synced < 0)
		return pp_fail(err, PLUGPKG_E_IO, -synced, "cannot make what was unpacked durable");
	return pp_store_replace(r->ctx, staging, p->name, p->version, err);
}

static enum plugpkg_code
repair_files(struct repairing *r, const struct pp_installed *p, plugpkg_error **err)
{
	PP_AUTO_FD int archive_fd = -1;
	char sha256[65];

	if (p->link_dir != NULL || !is_damaged(r->ctx, p))
		return PLUGPKG_OK;
	enum plugpkg_code rc = open_archive(r, p, &archive_fd, err);
	if (rc == PLUGPKG_OK)
		rc = unpack(r, p, archive_fd, sha256, err);
	bool is_misstated = rc == PLUGPKG_OK && strcmp(sha256, p->tree_sha256) != 0;
	if (is_misstated)
		rc = pp_state_set_tree(r->state, p->key, sha256, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "cannot repair the files of %s %s", p->name, p->version);
	repaired(r, "store", p->key, "the files of %s are whole again%s", p->version,
	    is_misstated ? "; its archive states another digest of its tree, now the one that it "
			   "has is on record"
			 : "");
	return PLUGPKG_OK;
}

static enum plugpkg_code
repair_data(struct repairing *r, const struct pp_installed *p, plugpkg_error **err)
{
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", p->key);

	if (pp_json_len(pp_json_get(p->manifest, "scripts")) == 0 ||
	    pp_exists_at(r->ctx->root_fd, dir) != 0)
		return PLUGPKG_OK;
	int made = pp_mkdirs_at(r->ctx->root_fd, dir, 0755);
	if (made < 0)
		return pp_fail(err, PLUGPKG_E_IO, -made, "cannot make '%s/%s'", r->ctx->root, dir);
	repaired(r, "data", p->key, "%s is there again, without what was in it", dir);
	return PLUGPKG_OK;
}

/* ---- links ---- */

static enum plugpkg_code
repair_links(struct repairing *r, plugpkg_error **err)
{
	size_t problems = 0;
	int64_t generation = 0;
	enum plugpkg_code rc = pp_check_generation(r->ctx, &problems, err);

	if (rc != PLUGPKG_OK || problems == 0)
		return rc;
	rc = pp_mend_generation(r->ctx, &r->inv.set, &generation, err);
	if (rc == PLUGPKG_OK)
		repaired(r, "generation", NULL, "generation %lld shows what is installed",
		    (long long)generation);
	return rc;
}

static enum plugpkg_code
repair_lock_file(struct repairing *r, plugpkg_error **err)
{
	struct pp_installeds usable = { 0 }; /* of borrowed elements */

	pp_vec_foreach (p, &r->inv.set)
		if (pp_installed_is_usable(*p))
			pp_vec_push(&usable, *p);
	enum plugpkg_code rc = pp_root_write_lockfile(r->ctx, &usable, err);
	pp_vec_free(&usable);
	return rc;
}

/* ---- scripts ---- */

/* Its database may be down, or its script broken; that is nothing to install it again for. */
static enum plugpkg_code
cannot_tell(const struct pp_installed *p, const char *why, plugpkg_error **err)
{
	(void)pp_fail(err, PLUGPKG_E_SCRIPT, 0, "%s %s cannot tell whether it is installed: %s",
	    p->key, p->version, why);
	(void)pp_subject(err, PLUGPKG_E_SCRIPT, p->key);
	return pp_hint(err, PLUGPKG_E_SCRIPT,
	    "after plugpkg mark --not-installed %s it is installed again without being asked",
	    p->key);
}

static enum plugpkg_code
repair_effects(struct repairing *r, const struct pp_installed *p, plugpkg_error **err)
{
	enum pp_mend_answer answer = PP_MEND_NOT_ASKED;
	PP_AUTO_FREE char *why = NULL;
	bool is_denied = strcmp(p->state, PP_STATE_NOT_INSTALLED) == 0;
	enum plugpkg_code rc = PLUGPKG_OK;

	if (!pp_installed_is_usable(p) || (p->skipped != NULL && !is_denied))
		return PLUGPKG_OK;
	if (!is_denied)
		rc = pp_mend_ask(r->ctx, p, &answer, &why, err);
	if (rc == PLUGPKG_OK && answer == PP_MEND_UNKNOWN)
		return cannot_tell(p, why, err);
	if (rc != PLUGPKG_OK || (!is_denied && answer != PP_MEND_NO))
		return rc;
	rc = pp_mend_install(r->ctx, p, err);
	if (rc == PLUGPKG_OK)
		repaired(r, "verify", p->key, "%s is installed again", p->version);
	return rc;
}

/* What came with --no-scripts. */
static enum plugpkg_code
repair_skipped(struct repairing *r, plugpkg_error **err)
{
	struct pp_installeds skipped = { 0 }; /* of borrowed elements */

	pp_vec_foreach (rank, &r->order) {
		struct pp_installed *p = r->inv.set.at[rank->index];
		if (p->skipped != NULL && pp_installed_is_usable(p) && is_meant(r, p))
			pp_vec_push(&skipped, p);
	}
	enum plugpkg_code rc = skipped.n > 0 ? pp_skip_run(r->ctx, &skipped, err) : PLUGPKG_OK;
	pp_vec_foreach (p, &skipped)
		if (rc == PLUGPKG_OK)
			repaired(
			    r, "scripts", (*p)->key, "the scripts of %s have run", (*p)->version);
	pp_vec_free(&skipped);
	return rc;
}

/* One that does not go keeps nobody else from going. */
static enum plugpkg_code
repair_leftover(struct repairing *r, const struct pp_installed *p, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	if (pp_installed_is_usable(p))
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_mend_leftover(r->ctx, p, &why);
	if (rc == PLUGPKG_OK) {
		repaired(r, "leftover", p->key, "%s is uninstalled at last", p->version);
		return rc;
	}
	(void)pp_wrap(&why, rc, "%s %s is still left over", p->key, p->version);
	if (rc != PLUGPKG_E_SCRIPT) {
		if (err != NULL)
			*err = pp_steal(&why);
		return rc;
	}
	(void)pp_subject(&why, rc, p->key);
	(void)pp_hint(&why, rc, "plugpkg remove --force %s gives it up", p->key);
	if (r->failed == NULL)
		r->failed = pp_steal(&why);
	else
		pp_warn(r->ctx, p->key, "%s", plugpkg_error_message(why));
	return PLUGPKG_OK;
}

typedef enum plugpkg_code (*repair_fn)(
    struct repairing *r, const struct pp_installed *p, plugpkg_error **err);

static enum plugpkg_code
repair_at(struct repairing *r, size_t i, repair_fn one, plugpkg_error **err)
{
	const struct pp_installed *p = r->inv.set.at[r->order.at[i].index];

	if (!is_meant(r, p))
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_check_cancel(r->ctx, err);
	return rc == PLUGPKG_OK ? one(r, p, err) : rc;
}

/* Dependencies first, as everything that comes. */
static enum plugpkg_code
each(struct repairing *r, repair_fn one, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < r->order.n; i++)
		rc = repair_at(r, i, one, err);
	return rc;
}

/* Dependents first, as everything that leaves; what their scripts need is whole by then. */
static enum plugpkg_code
each_leftover(struct repairing *r, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = r->order.n; rc == PLUGPKG_OK && i-- > 0;)
		rc = repair_at(r, i, repair_leftover, err);
	return rc;
}

static enum plugpkg_code
check_names(const struct repairing *r, plugpkg_error **err)
{
	for (size_t i = 0; i < r->n_names; i++) {
		bool is_known = false;
		pp_vec_foreach (p, &r->inv.set)
			is_known = is_known || strcmp((*p)->name, r->names[i]) == 0 ||
				   strcmp((*p)->key, r->names[i]) == 0;
		if (!is_known)
			return pp_marks_not_installed(&r->inv.set, r->names[i], err);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
repair(struct repairing *r, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_state_get(r->ctx, &r->state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(r->ctx, &r->inv, err);
	if (rc == PLUGPKG_OK)
		rc = check_names(r, err);
	if (rc == PLUGPKG_OK)
		rc = pp_staging_clear(r->ctx, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_inventory_order(&r->inv, &r->order);
	rc = each(r, repair_files, err);
	if (rc == PLUGPKG_OK)
		rc = each(r, repair_data, err);
	if (rc == PLUGPKG_OK)
		rc = repair_links(r, err);
	if (rc == PLUGPKG_OK)
		rc = repair_skipped(r, err);
	if (rc == PLUGPKG_OK)
		rc = each(r, repair_effects, err);
	if (rc == PLUGPKG_OK)
		rc = each_leftover(r, err);
	if (rc == PLUGPKG_OK)
		rc = repair_lock_file(r, err);
	if (rc != PLUGPKG_OK || r->failed == NULL)
		return rc;
	rc = plugpkg_error_code(r->failed);
	if (err != NULL)
		*err = pp_steal(&r->failed);
	return rc;
}

enum plugpkg_code
plugpkg_repair(plugpkg_context *ctx, const char *const *names, size_t n_names, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(repairing_fini)
	struct repairing r = {
		.ctx = ctx,
		.names = names,
		.n_names = n_names,
		.row = row,
		.user = user,
	};
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < n_names; i++)
		if (!pp_key_valid(pp_str_of(names[i])))
			rc = pp_name_check(pp_str_of(names[i]), err);
	if (rc == PLUGPKG_OK)
		rc = pp_lock(ctx, "repair", err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	rc = repair(&r, err);
	/* What was done stays done, also when the rest failed. */
	enum plugpkg_code noted = pp_history_note(
	    r.state, 0, "repair", ctx->now, &r.notes, rc == PLUGPKG_OK ? err : NULL);
	return rc == PLUGPKG_OK ? noted : rc;
}
