/* SPDX-License-Identifier: MIT */
/*
 * Fetching and unpacking, both at once: archives into the cache, each one that is there whole and
 * verified, its signature with it, from there into a private staging directory, and, checked
 * against the signed index, by a rename into the store, where nobody links to it yet.
 */
#include "lib/txn/steps.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/index/index.h"
#include "lib/net/fetch.h"
#include "lib/store/archive.h"
#include "lib/store/generation.h"
#include "lib/store/place.h"
#include "lib/store/store.h"
#include "lib/txn/signature.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

/* ---- what is to be fetched ---- */

/*
 * Better said before the first byte than in the middle; the writers still notice a disk that fills
 * up.
 */
static enum plugpkg_code
check_space(const struct pp_txn *t, plugpkg_error **err)
{
	struct statvfs fs;
	uint64_t need = 0;

	pp_vec_foreach (task, &t->tasks)
		if (pp_task_needs_archive(task))
			need += task->step->unpacked_bytes;
	if (fstatvfs(t->ctx->root_fd, &fs) < 0)
		return PLUGPKG_OK;
	uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (need <= free_bytes)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_NO_SPACE, 0,
	    "no space for the new plugins: they need %llu bytes, '%s' has %llu free",
	    (unsigned long long)need, t->ctx->root, (unsigned long long)free_bytes);
	return pp_hint(err, PLUGPKG_E_NO_SPACE, "plugpkg clean deletes what is no longer needed");
}

struct order {
	struct pp_vec(struct pp_want) wants;
	struct pp_vec(size_t) tasks; /* of each want: whose it is */
	struct pp_strs texts;        /* paths and labels of the wants */
	struct pp_proof *proofs;     /* of signatures: room for one a task */
	size_t n_proofs;
};

static void
order_fini(struct order *o)
{
	pp_vec_free(&o->wants);
	pp_vec_free(&o->tasks);
	free(o->proofs);
	pp_strs_fini(&o->texts);
}

static void
add_file(struct order *o, const struct pp_source *source, char *path, char *label,
    const struct pp_want *what)
{
	struct pp_want want = *what;

	want.mirrors = &source->urls;
	want.path = pp_asprintf("targets/%s", path);
	want.label = label;
	free(path);
	pp_strs_take(&o->texts, (char *)(uintptr_t)want.path);
	pp_strs_take(&o->texts, label);
	pp_vec_push(&o->wants, want);
}

/* The archive, and beside it what its owner signed. */
static enum plugpkg_code
add_want(const struct pp_txn *t, const struct pp_step *step, struct order *o, plugpkg_error **err)
{
	const struct pp_source *source = pp_config_source(t->ctx->config, step->source);
	if (source == NULL) {
		(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "source '%s' was removed since the plan was made", step->source);
		return pp_hint(err, PLUGPKG_E_REFUSED, "run the command again");
	}
	add_file(o, source, pp_index_archive_path(step->name, step->version, step->sha256),
	    pp_asprintf("%s %s", step->name, step->version),
	    &(struct pp_want){ .sha256 = step->sha256, .size = step->size_bytes });
	if (!pp_txn_needs_signature(step))
		return PLUGPKG_OK;
	struct pp_proof *proof = &o->proofs[o->n_proofs++];
	pp_txn_signature_proof(step, &o->texts, proof);
	add_file(o, source,
	    pp_index_signature_path(step->name, step->version, step->sha256, step->owner.key_id),
	    pp_asprintf("signature of %s %s", step->name, step->version),
	    &(struct pp_want){ .size = PP_PROOF_MAX_BYTES, .proof = proof });
	return PLUGPKG_OK;
}

static bool
is_fetched(const struct pp_step *s)
{
	return s->action != PP_REMOVE && s->link_dir == NULL && !s->is_stored && s->file == NULL &&
	       !s->is_cached;
}

static enum plugpkg_code
add_wants(const struct pp_txn *t, struct order *o, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->tasks.n; i++) {
		const struct pp_step *step = t->tasks.at[i].step;
		if (!is_fetched(step))
			continue;
		rc = add_want(t, step, o, err);
		while (o->tasks.n < o->wants.n)
			pp_vec_push(&o->tasks, i);
	}
	return rc;
}

/* ---- who fetches it ---- */

static enum plugpkg_code
open_supply(plugpkg_context *ctx, struct pp_supply *s, plugpkg_error **err)
{
	if (s->net != NULL)
		return PLUGPKG_OK;
	PP_AUTO_FD int fd = pp_opendir_at(ctx->root_fd, "var/cache");
	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -fd, "cannot open '%s/var/cache'", ctx->root);
	s->cache_fd = pp_fd_steal(&fd);
	s->net = pp_net_new(ctx, s->cache_fd);
	return PLUGPKG_OK;
}

void
pp_supply_expect(plugpkg_context *ctx, const struct pp_plan *plan, struct pp_supply *s)
{
	pp_vec_foreach (step, &plan->steps) {
		const struct pp_source *source =
		    is_fetched(step) ? pp_config_source(ctx->config, step->source) : NULL;
		/* Who cannot open the cache is told why when it is needed. */
		if (source == NULL || open_supply(ctx, s, NULL) != PLUGPKG_OK)
			continue;
		pp_vec_foreach (url, &source->urls)
			pp_net_expect(s->net, *url);
	}
}

void
pp_supply_fini(struct pp_supply *s)
{
	pp_net_free(s->net);
	s->net = NULL;
	pp_auto_fd(&s->cache_fd);
	s->cache_fd = -1;
}

/* ---- into the store ---- */

static enum plugpkg_code
tree_digest_of_stored(struct pp_txn *t, const struct pp_step *s, char out[65], plugpkg_error **err)
{
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = pp_store_open(t->ctx, s->name, s->version, &fd, err);

	return rc == PLUGPKG_OK ? pp_store_tree_digest(fd, out, err) : rc;
}

/* Does any generation that could still be switched to link to this stored version? */
static enum plugpkg_code
is_linked(struct pp_txn *t, const struct pp_step *s, bool *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *wanted = pp_asprintf("%s %s", s->name, s->version);
	PP_AUTO_FREE int64_t *all = NULL;
	size_t n = 0;
	enum plugpkg_code rc = pp_generation_list(t->ctx, &all, &n, err);

	*out = false;
	for (size_t i = 0; rc == PLUGPKG_OK && !*out && i < n; i++) {
		PP_CLEANUP(pp_strs_fini) struct pp_strs members = { 0 };
		rc = pp_generation_members(t->ctx, all[i], &members, err);
		*out = rc == PLUGPKG_OK && pp_strs_has(&members, wanted);
	}
	return rc;
}

/* The journal does not call it new, so recovery leaves it: it is made durable before. */
static enum plugpkg_code
replace(struct pp_txn *t, const struct pp_task *task, plugpkg_error **err)
{
	int r = pp_sync_tree_at(task->staging_fd, ".");

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make what was unpacked durable");
	return pp_store_remove(t->ctx, task->step->name, task->step->version, err);
}

/*
 * The store has this version already: kept when it is the same, replaced when nobody links to it,
 * else refused, because a running application would see the change. Both are read: what an archive
 * says of its tree makes no other tree its own.
 */
static enum plugpkg_code
settle_existing(struct pp_txn *t, struct pp_task *task, plugpkg_error **err)
{
	const struct pp_step *s = task->step;
	if (task->is_new)
		return PLUGPKG_OK;
	int there = pp_store_has(t->ctx, s->name, s->version);
	if (there < 0)
		return pp_fail(err, PLUGPKG_E_IO, -there, "cannot look into 'store/%s'", s->name);
	if (there == 0)
		return PLUGPKG_OK;

	char sha256[65];
	enum plugpkg_code rc = tree_digest_of_stored(t, s, sha256, err);
	if (rc == PLUGPKG_OK)
		rc = pp_store_tree_digest(task->staging_fd, task->tree_sha256, err);
	if (rc == PLUGPKG_OK && strcmp(sha256, task->tree_sha256) == 0)
		return PLUGPKG_OK;
	bool linked = false;
	if (rc == PLUGPKG_OK)
		rc = is_linked(t, s, &linked, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (!linked)
		return replace(t, task, err);
	(void)pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
	    "store/%s/%s is in use and differs from the signed archive", s->name, s->version);
	return pp_hint(err, PLUGPKG_E_BAD_STATE,
	    "remove the plugin, run plugpkg clean --keep 0, and install it again");
}

/* ---- all of it ---- */

struct bringing {
	struct pp_txn *t;
	struct order order;
	struct pp_net *net; /* of t->supply */
	struct pp_unpack_pool *pool;
	struct pp_unpack_queue queue;
	char *work;              /* in staging: where the helpers are at work */
	struct pp_store_fds fds; /* owned */
	/* The rest is owned, each with room for all tasks. */
	struct pp_unpack_job *jobs; /* by the places of the tasks, with what they borrow */
	size_t *n_missing;          /* files of a task that are not there yet */
	size_t *due;                /* tasks that can be unpacked, in the order they could */
	size_t n_due, n_begun;
};

static void
bringing_fini(struct bringing *b)
{
	pp_unpack_pool_free(b->pool);
	pp_auto_fd(&b->queue.within_fd);
	pp_auto_fd(&b->fds.staging);
	pp_auto_fd(&b->fds.store);
	free(b->work);
	for (size_t i = 0; i < b->n_begun; i++) {
		struct pp_unpack_job *job = &b->jobs[b->due[i]];
		pp_auto_fd(&job->archive_fd);
		free((char *)(uintptr_t)job->what);
	}
	free(b->jobs);
	free(b->n_missing);
	free(b->due);
	pp_supply_fini(b->t->supply); /* with its work it ends its helper */
	order_fini(&b->order);
}

/* By its number no transaction meets what an earlier one left that nobody could delete. */
static enum plugpkg_code
make_work(struct bringing *b, plugpkg_error **err)
{
	PP_AUTO_FREE char *what = pp_asprintf("unpack-%" PRId64, b->t->id);

	return pp_staging_new_at(
	    b->t->ctx, b->fds.staging, what, &b->work, &b->queue.within_fd, err);
}

/* Nobody else's name in staging begins like this and ends without "-N". */
static enum plugpkg_code
make_dir(struct bringing *b, size_t i, plugpkg_error **err)
{
	struct pp_task *task = &b->t->tasks.at[i];

	task->staging = pp_asprintf("%s.%zu", b->work, i);
	int r = pp_mkdirat(b->queue.within_fd, task->staging, 0700) < 0 ? -errno : 0;
	if (r == 0)
		r = task->staging_fd = pp_opendir_at(b->queue.within_fd, task->staging);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot make a directory in '%s/%s/%s'",
			   b->t->ctx->root, PP_STAGING_DIR, b->work)
		     : PLUGPKG_OK;
}

static enum plugpkg_code
next_job(void *user, struct pp_unpack_job **out, plugpkg_error **err)
{
	struct bringing *b = user;
	if (b->n_begun == b->n_due)
		return PLUGPKG_OK;

	size_t i = b->due[b->n_begun++];
	struct pp_task *task = &b->t->tasks.at[i];
	struct pp_unpack_job *job = *out = &b->jobs[i];
	const struct pp_step *s = task->step;
	*job = (struct pp_unpack_job){
		.archive_fd = -1,
		.what = pp_asprintf("%s %s", s->name, s->version),
		.limits = { s->unpacked_bytes, s->files, .exact = true },
		.is_digested = true,
		.is_short = s->size_bytes <= PP_UNPACK_SHORT_BYTES,
	};
	enum plugpkg_code rc =
	    pp_net_open_cached(b->net, s->sha256, s->size_bytes, &job->archive_fd, err);
	if (rc == PLUGPKG_OK)
		rc = make_dir(b, i, err);
	job->name = task->staging;
	job->dir_fd = task->staging_fd;
	if (rc == PLUGPKG_OK)
		pp_txn_step(b->t, s, "unpack");
	return rc;
}

/*
 * Into the store, where nobody leads to it yet. It becomes durable, by one sync of all, with the
 * generation that does; until then the journal's first record says what is new, and recovery takes
 * it out again.
 */
static enum plugpkg_code
put(void *user, struct pp_unpack_job *job, plugpkg_error **err)
{
	struct bringing *b = user;
	struct pp_task *task = &b->t->tasks.at[job - b->jobs];
	const struct pp_step *s = task->step;

	pp_auto_fd(&job->archive_fd);
	task->bytes = job->result.bytes;
	task->files = job->result.files;
	memcpy(task->tree_sha256, job->tree_sha256, sizeof(task->tree_sha256));
	enum plugpkg_code rc = pp_task_read_manifest(task, task->staging_fd, err);
	if (rc == PLUGPKG_OK)
		rc = settle_existing(b->t, task, err);
	if (rc != PLUGPKG_OK)
		return rc;
	rc = pp_store_put_at(b->t->ctx, &b->fds, task->staging, s->name, s->version, err);
	pp_auto_fd(&task->staging_fd);
	return rc;
}

/* An archive and its signature are two files. */
static enum plugpkg_code
on_ready(void *user, size_t want, plugpkg_error **err)
{
	struct bringing *b = user;
	size_t i = b->order.tasks.at[want];

	if (--b->n_missing[i] > 0)
		return PLUGPKG_OK;
	b->due[b->n_due++] = i;
	return pp_unpack_pool_feed(b->pool, err);
}

static size_t
on_fds(void *user, int *out)
{
	const struct bringing *b = user;

	return pp_unpack_pool_fds(b->pool, out);
}

static enum plugpkg_code
on_turn(void *user, plugpkg_error **err)
{
	struct bringing *b = user;

	return pp_unpack_pool_turn(b->pool, err);
}

/* What needs no download begins at once. */
static void
find_due(struct bringing *b)
{
	pp_vec_foreach (i, &b->order.tasks)
		b->n_missing[*i]++;
	for (size_t i = 0; i < b->t->tasks.n; i++)
		if (pp_task_needs_archive(&b->t->tasks.at[i]) && b->n_missing[i] == 0)
			b->due[b->n_due++] = i;
}

/* Two tasks that want the same bytes were told of once. */
static void
find_left(struct bringing *b)
{
	for (size_t i = 0; i < b->t->tasks.n; i++)
		if (b->n_missing[i] > 0)
			b->due[b->n_due++] = i;
}

static enum plugpkg_code
run(struct bringing *b, plugpkg_error **err)
{
	const struct pp_fetch_guest guest = { on_ready, on_fds, on_turn, b };
	enum plugpkg_code rc = PLUGPKG_OK;

	find_due(b);
	if (b->order.wants.n > 0) {
		rc = pp_unpack_pool_start(b->pool, b->n_due + b->order.wants.n, err);
		if (rc == PLUGPKG_OK)
			rc = pp_unpack_pool_feed(b->pool, err);
		if (rc == PLUGPKG_OK)
			rc = pp_net_fetch_with(
			    b->net, b->order.wants.at, b->order.wants.n, &guest, err);
		pp_net_rest(b->net);
	}
	if (rc != PLUGPKG_OK)
		return rc;
	find_left(b);
	rc = pp_unpack_pool_finish(b->t->ctx, b->pool, err);
	return rc == PLUGPKG_OK ? pp_unpack_pool_end(b->pool, err) : rc;
}

enum plugpkg_code
pp_txn_bring(struct pp_txn *t, plugpkg_error **err)
{
	if (!pp_txn_unpacks(t))
		return pp_txn_prepare_others(t, err);
	enum plugpkg_code rc = open_supply(t->ctx, t->supply, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_CLEANUP(bringing_fini)
	struct bringing b = {
		.t = t,
		.order.proofs = pp_xcalloc(t->tasks.n + 1, sizeof(*b.order.proofs)),
		.net = t->supply->net,
		.queue = { next_job, put, &b, -1, -1 },
		.fds = { -1, -1 },
		.pool = pp_unpack_pool_new(&b.queue),
		.jobs = pp_xcalloc(t->tasks.n + 1, sizeof(*b.jobs)),
		.n_missing = pp_xcalloc(t->tasks.n + 1, sizeof(*b.n_missing)),
		.due = pp_xcalloc(t->tasks.n + 1, sizeof(*b.due)),
	};
	rc = check_space(t, err);
	if (rc == PLUGPKG_OK)
		rc = add_wants(t, &b.order, err);
	if (rc == PLUGPKG_OK)
		rc = pp_txn_prepare_others(t, err);
	if (rc == PLUGPKG_OK)
		rc = pp_place_make(t->ctx, PP_STAGING_DIR, &b.fds.staging, err);
	if (rc == PLUGPKG_OK)
		rc = make_work(&b, err);
	b.queue.beyond_fd = b.fds.staging;
	if (rc == PLUGPKG_OK)
		rc = pp_place_make(t->ctx, PP_STORE_DIR, &b.fds.store, err);
	return rc == PLUGPKG_OK ? run(&b, err) : rc;
}
