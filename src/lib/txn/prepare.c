/* SPDX-License-Identifier: MIT */
/*
 * Fetching and unpacking: archives into the cache, trees into private staging directories, checked
 * against the signed index, then renamed into the store, where nobody links to them yet.
 */
#include "lib/txn/steps.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/index/index.h"
#include "lib/net/fetch.h"
#include "lib/store/archive.h"
#include "lib/store/generation.h"
#include "lib/store/place.h"
#include "lib/store/store.h"
#include "lib/txn/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

static bool
needs_archive(const struct pp_task *task)
{
	return !pp_task_is_removal(task) && task->step->link_dir == NULL && !task->step->is_stored;
}

/* ---- fetch ---- */

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
		if (needs_archive(task))
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

static int
open_cache(const struct pp_txn *t)
{
	return pp_opendir_at(t->ctx->root_fd, "var/cache");
}

struct order {
	struct pp_vec(struct pp_want) wants;
	struct pp_strs texts;    /* paths and labels of the wants */
	struct pp_proof *proofs; /* of signatures: room for one a task */
	size_t n_proofs;
};

static void
order_fini(struct order *o)
{
	pp_vec_free(&o->wants);
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

enum plugpkg_code
pp_txn_fetch(struct pp_txn *t, plugpkg_error **err)
{
	PP_CLEANUP(order_fini)
	struct order o = { .proofs = pp_xcalloc(t->tasks.n + 1, sizeof(*o.proofs)) };
	enum plugpkg_code rc = check_space(t, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->tasks.n; i++)
		if (needs_archive(&t->tasks.at[i]) && t->tasks.at[i].step->file == NULL &&
		    !t->tasks.at[i].step->is_cached)
			rc = add_want(t, t->tasks.at[i].step, &o, err);
	if (rc != PLUGPKG_OK || o.wants.n == 0)
		return rc;
	PP_AUTO_FD int cache_fd = open_cache(t);
	if (cache_fd < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -cache_fd, "cannot open '%s/var/cache'", t->ctx->root);
	PP_AUTO(net) struct pp_net *net = pp_net_new(t->ctx, cache_fd);
	return pp_net_fetch(net, o.wants.at, o.wants.n, err);
}

/* ---- the manifest, and whether it is the signed one ---- */

static pp_json *
comparable(const pp_json *row)
{
	pp_json *copy = pp_json_copy(row);

	pp_json_del(copy, "published"); /* the repository's word, not the author's */
	pp_json_del(copy, "name");
	return copy;
}

static enum plugpkg_code
not_as_signed(const struct pp_step *step, const char *what, plugpkg_error **err)
{
	(void)pp_fail(
	    err, PLUGPKG_E_BAD_ARCHIVE, 0, "archive of %s %s: %s", step->name, step->version, what);
	(void)pp_hint(err, PLUGPKG_E_BAD_ARCHIVE, "tell the publisher of source '%s'",
	    step->source != NULL ? step->source : "?");
	return pp_subject(err, PLUGPKG_E_BAD_ARCHIVE, step->name);
}

/* What is not listed no plan could have shown; what is listed has to be there. */
static bool
has_listed_scripts(const struct pp_step *step, const struct pp_manifest *m)
{
	const pp_json *mine = pp_json_get(m->json, "scripts");

	if (step->scripts == NULL)
		return true;
	for (void *it = pp_json_iter(mine); it != NULL; it = pp_json_next(mine, it))
		if (pp_json_find_str(step->scripts, pp_json_iter_key(it)) < 0)
			return false;
	return pp_json_len(mine) == pp_json_len(step->scripts);
}

enum plugpkg_code
pp_txn_check_manifest(const struct pp_step *step, const struct pp_buf *text,
    struct pp_manifest **out, plugpkg_error **err)
{
	bool is_signed = step->link_dir == NULL;
	PP_AUTO_FREE char *file = pp_asprintf("%s %s: plugin.json", step->name, step->version);
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	enum plugpkg_code rc =
	    pp_manifest_parse((struct pp_str){ pp_buf_cstr(text), text->n }, file, &m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FREE char *inside =
	    pp_asprintf("it holds %s %s", m->release->name, m->release->version.text);
	if (strcmp(m->release->name, step->name) != 0 ||
	    strcmp(m->release->version.text, step->version) != 0)
		return not_as_signed(step, inside, err);

	PP_AUTO_JSON pp_json *row = pp_release_row(m->json);
	PP_AUTO_JSON pp_json *mine = comparable(row);
	PP_AUTO_JSON pp_json *theirs = is_signed ? comparable(step->row) : pp_json_ref(mine);
	if (!pp_json_equal(mine, theirs))
		return not_as_signed(
		    step, "its plugin.json asks for other things than the signed index says", err);
	if (is_signed && !has_listed_scripts(step, m))
		return not_as_signed(
		    step, "its plugin.json has other scripts than the signed index lists", err);
	*out = pp_steal(&m);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_manifest(struct pp_task *task, int dir_fd, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);
	int r = pp_read_file_at(dir_fd, "plugin.json", &text);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, -r, "cannot read plugin.json of %s %s",
		    task->step->name, task->step->version);
	return pp_txn_check_manifest(task->step, &text, &task->manifest, err);
}

static enum plugpkg_code
prepare_link(struct pp_task *task, plugpkg_error **err)
{
	const char *dir = task->step->link_dir;
	PP_AUTO_FD int fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '%s'", dir);
	return read_manifest(task, fd, err);
}

/* It was installed before, so its manifest is known; that it is still there was seen by is_new. */
static enum plugpkg_code
prepare_stored(struct pp_task *task, plugpkg_error **err)
{
	const struct pp_step *s = task->step;
	PP_AUTO_FREE char *file = pp_asprintf("%s %s: plugin.json", s->name, s->version);

	if (task->is_new) {
		(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "store/%s/%s was deleted after the plan was made", s->name, s->version);
		return pp_hint(err, PLUGPKG_E_REFUSED, "run the command again");
	}
	memcpy(task->tree_sha256, s->tree_sha256, sizeof(task->tree_sha256));
	task->bytes = s->unpacked_bytes;
	task->files = s->files;
	return pp_manifest_of(s->manifest, file, &task->manifest, err);
}

/* ---- unpack ---- */

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
 * else refused, because a running application would see the change.
 */
static enum plugpkg_code
settle_existing(struct pp_txn *t, const struct pp_task *task, plugpkg_error **err)
{
	const struct pp_step *s = task->step;
	int there = pp_store_has(t->ctx, s->name, s->version);
	if (there < 0)
		return pp_fail(err, PLUGPKG_E_IO, -there, "cannot look into 'store/%s'", s->name);
	if (there == 0)
		return PLUGPKG_OK;

	char sha256[65];
	enum plugpkg_code rc = tree_digest_of_stored(t, s, sha256, err);
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

/* All tasks, of which some have an archive. */
struct unpacking {
	struct pp_txn *t;
	struct pp_net *net;
	struct pp_unpack_job *jobs; /* of the tasks by their places; owned, with what they borrow */
	size_t next;
};

static void
unpacking_fini(struct unpacking *u)
{
	for (size_t i = 0; i < u->next; i++) {
		pp_auto_fd(&u->jobs[i].archive_fd);
		free((char *)(uintptr_t)u->jobs[i].what);
	}
	free(u->jobs);
	pp_net_free(u->net);
}

static enum plugpkg_code
begin_job(struct unpacking *u, struct pp_task *task, struct pp_unpack_job *job, plugpkg_error **err)
{
	const struct pp_step *s = task->step;

	job->what = pp_asprintf("%s %s", s->name, s->version);
	job->limits = (struct pp_unpack_limits){ s->unpacked_bytes, s->files, .exact = true };
	job->is_digested = true;
	enum plugpkg_code rc =
	    pp_net_open_cached(u->net, s->sha256, s->size_bytes, &job->archive_fd, err);
	if (rc == PLUGPKG_OK)
		rc = pp_staging_new(u->t->ctx, s->name, &task->staging, &task->staging_fd, err);
	job->dir_fd = task->staging_fd;
	if (rc == PLUGPKG_OK)
		pp_txn_step(u->t, s, "unpack");
	return rc;
}

static enum plugpkg_code
next_job(void *user, struct pp_unpack_job **out, plugpkg_error **err)
{
	struct unpacking *u = user;

	while (u->next < u->t->tasks.n) {
		struct pp_task *task = &u->t->tasks.at[u->next];
		struct pp_unpack_job *job = &u->jobs[u->next++];
		job->archive_fd = job->dir_fd = -1;
		if (!needs_archive(task))
			continue;
		*out = job;
		return begin_job(u, task, job, err);
	}
	return PLUGPKG_OK;
}

/*
 * Into the store, where nobody leads to it yet. It becomes durable, by one sync of all, with the
 * generation that does; until then the journal's first record says what is new, and recovery takes
 * it out again.
 */
static enum plugpkg_code
put(void *user, struct pp_unpack_job *job, plugpkg_error **err)
{
	struct unpacking *u = user;
	struct pp_task *task = &u->t->tasks.at[job - u->jobs];
	const struct pp_step *s = task->step;

	pp_auto_fd(&job->archive_fd);
	task->bytes = job->result.bytes;
	task->files = job->result.files;
	memcpy(task->tree_sha256, job->tree_sha256, sizeof(task->tree_sha256));
	enum plugpkg_code rc = read_manifest(task, task->staging_fd, err);
	if (rc == PLUGPKG_OK)
		rc = settle_existing(u->t, task, err);
	if (rc != PLUGPKG_OK)
		return rc;
	rc = pp_store_put(u->t->ctx, task->staging, s->name, s->version, err);
	pp_auto_fd(&task->staging_fd);
	return rc;
}

bool
pp_txn_unpacks(const struct pp_txn *t)
{
	pp_vec_foreach (task, &t->tasks)
		if (needs_archive(task))
			return true;
	return false;
}

/* Before anything is unpacked, which takes longer. */
static enum plugpkg_code
prepare_others(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->tasks.n; i++) {
		struct pp_task *task = &t->tasks.at[i];
		if (pp_task_is_removal(task) || needs_archive(task))
			continue;
		rc = task->step->link_dir != NULL ? prepare_link(task, err)
						  : prepare_stored(task, err);
	}
	return rc;
}

enum plugpkg_code
pp_txn_unpack(struct pp_txn *t, plugpkg_error **err)
{
	if (!pp_txn_unpacks(t))
		return prepare_others(t, err);
	PP_AUTO_FD int cache_fd = open_cache(t);
	if (cache_fd < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -cache_fd, "cannot open '%s/var/cache'", t->ctx->root);
	PP_CLEANUP(unpacking_fini)
	struct unpacking u = {
		.t = t,
		.net = pp_net_new(t->ctx, cache_fd),
		.jobs = pp_xcalloc(t->tasks.n + 1, sizeof(*u.jobs)),
	};
	PP_AUTO_FD int staging_fd = -1; /* where the helpers may write */
	enum plugpkg_code rc = prepare_others(t, err);

	if (rc == PLUGPKG_OK)
		rc = pp_place_make(t->ctx, PP_STAGING_DIR, &staging_fd, err);
	const struct pp_unpack_queue queue = { next_job, put, &u, staging_fd };
	if (rc == PLUGPKG_OK)
		rc = pp_unpack_queue(t->ctx, &queue, err);
	return rc;
}

/* A plugin that could not be undone needs its files still. */
static bool
is_installed(const struct pp_installeds *set, const struct pp_step *s)
{
	const struct pp_installed *p = pp_installeds_get(set, s->key);

	return p != NULL && strcmp(p->version, s->version) == 0;
}

enum plugpkg_code
pp_txn_unprepare(struct pp_txn *t, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	enum plugpkg_code rc = pp_state_installed(t->state, &set, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->tasks.n; i++) {
		struct pp_task *task = &t->tasks.at[i];
		pp_auto_fd(&task->staging_fd);
		if (task->is_new && !is_installed(&set, task->step))
			rc = pp_store_remove(t->ctx, task->step->name, task->step->version, err);
	}
	return rc == PLUGPKG_OK ? pp_staging_clear(t->ctx, err) : rc;
}
