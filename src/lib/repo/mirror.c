/* SPDX-License-Identifier: MIT */
/*
 * `mirror`: copies a repository, verified, without a key. Everything is fetched beside the served
 * files and put in place so that what is visible is one consistent state at any time: archives,
 * shards, index root, role files, timestamp.json, and new roots last.
 */
#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/model/context.h"
#include "lib/net/cache.h"
#include "lib/net/fetch.h"
#include "lib/repo/repo.h"
#include "lib/repo/walk.h"
#include "lib/trust/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORK_DIR  ".mirror"
#define BATCH     256 /* archives that lie in WORK_DIR before they are put in place */
#define TIMESTAMP "timestamp.json"

struct mirroring {
	plugpkg_repo *repo;
	int dir_fd, work_fd;
	struct pp_net *net;
	struct pp_strs urls;         /* one */
	struct pp_strs targets_urls; /* one */
	uint64_t files, bytes;       /* fetched */
	char fingerprint[72];        /* of 1.root.json */
};

static void
mirroring_fini(struct mirroring *m)
{
	if (m->net != NULL)
		pp_net_free(m->net);
	pp_strs_fini(&m->urls);
	pp_strs_fini(&m->targets_urls);
	pp_fd_unlock(&m->dir_fd);
	pp_auto_fd(&m->work_fd);
}

static enum plugpkg_code
get_remote(void *user, size_t mirror, const char *path, size_t max_bytes, struct pp_buf *out,
    int *out_status, plugpkg_error **err)
{
	struct mirroring *m = user;
	PP_AUTO_FREE char *full = pp_asprintf("metadata/%s", path);

	return pp_net_get(m->net, m->urls.at[mirror], full, max_bytes, out, out_status, err);
}

static bool
is_there(struct mirroring *m, const struct pp_walk_file *f)
{
	PP_AUTO_FREE char *path = pp_asprintf("targets/%s", f->path);
	struct stat st;

	/*
	 * The name holds the digest and was given by a rename after verification: the size is
	 * enough.
	 */
	return fstatat(m->dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == f->size;
}

static bool
is_signature_there(struct mirroring *m, const struct pp_walk_file *f)
{
	PP_AUTO_FREE char *path = pp_asprintf("targets/%s", f->sig.path);

	return pp_exists_at(m->dir_fd, path) == 1;
}

/* path  below targets/, for what has that name in the work directory */
static enum plugpkg_code
place(struct mirroring *m, const char *name, const char *path, plugpkg_error **err)
{
	PP_AUTO_FREE char *full = pp_asprintf("targets/%s", path);
	PP_AUTO_FREE char *dir = pp_xstrndup(full, (size_t)(strrchr(full, '/') - full));
	struct stat st = { 0 };

	int r = pp_mkdirs_at(m->dir_fd, dir, 0755);
	PP_AUTO_FD int fd = r < 0 ? r : openat(m->work_fd, name, O_RDONLY | O_CLOEXEC);
	if (r == 0 && (fd < 0 || fstat(fd, &st) < 0 || pp_fchmod(fd, 0644) < 0 ||
			  pp_fsync(fd) < 0 || pp_renameat(m->work_fd, name, m->dir_fd, full) < 0))
		r = -errno;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot put '%s' in place", full);
	m->files++;
	m->bytes += (uint64_t)st.st_size;
	return PLUGPKG_OK;
}

/* ---- downloads ---- */

struct order {
	struct pp_vec(struct pp_want) wants;
	struct pp_proof *proofs; /* of signatures */
	size_t n_proofs;
	struct pp_strs texts;
};

static void
order_fini(struct order *o)
{
	pp_vec_free(&o->wants);
	free(o->proofs);
	pp_strs_fini(&o->texts);
}

static void
want_file(struct mirroring *m, const struct pp_walk_file *f, struct order *o)
{
	struct pp_want want = { .mirrors = &m->targets_urls, .path = f->url, .label = f->what };

	if (is_there(m, f))
		return;
	want.sha256 = f->sha256;
	want.size = f->size;
	pp_vec_push(&o->wants, want);
}

/* No digest of it is known: the key of the owner tells whether it is the right one. */
static enum plugpkg_code
check_signature(const void *user, struct pp_str bytes, plugpkg_error **err)
{
	return pp_walk_check_signature(user, bytes, err);
}

static void
want_signature(struct mirroring *m, const struct pp_walk_file *f, struct order *o)
{
	if (f->sig.path == NULL || is_signature_there(m, f))
		return;
	char *name = pp_cache_signature_name(f->sha256, f->sig.key_id);
	char *label = pp_asprintf("signature of %s", f->what);
	struct pp_proof *proof = &o->proofs[o->n_proofs++];
	struct pp_want want = { .mirrors = &m->targets_urls, .path = f->sig.url, .label = label };

	pp_strs_take(&o->texts, name);
	pp_strs_take(&o->texts, label);
	*proof = (struct pp_proof){
		.name = name,
		.check = check_signature,
		.user = f,
		.code = PLUGPKG_E_OWNER,
		.subject = f->sig.archive.name,
		.hint = "tell the publisher of the repository",
	};
	want.proof = proof;
	want.size = PP_SIG_MAX_BYTES;
	pp_vec_push(&o->wants, want);
}

/*
 * Fetches those files that are missing here into the work directory, and the signatures that are
 * missing beside them, all at once.
 */
static enum plugpkg_code
fetch(struct mirroring *m, const struct pp_walk_file *files, size_t n, plugpkg_error **err)
{
	PP_CLEANUP(order_fini)
	struct order o = { .proofs = pp_xcalloc(n + 1, sizeof(*o.proofs)) };

	for (size_t i = 0; i < n; i++) {
		want_file(m, &files[i], &o);
		want_signature(m, &files[i], &o);
	}
	return o.wants.n == 0 ? PLUGPKG_OK : pp_net_fetch(m->net, o.wants.at, o.wants.n, err);
}

static enum plugpkg_code
place_both(struct mirroring *m, const struct pp_walk_file *f, plugpkg_error **err)
{
	bool has_signature = f->sig.path == NULL || is_signature_there(m, f);
	PP_AUTO_FREE char *sig = pp_cache_signature_name(f->sha256, f->sig.key_id);
	enum plugpkg_code rc = PLUGPKG_OK;

	/* Files of the same bytes, such as empty shards: the first took the download. */
	if ((!is_there(m, f) && pp_exists_at(m->work_fd, f->sha256) == 0) ||
	    (!has_signature && pp_exists_at(m->work_fd, sig) == 0))
		rc = fetch(m, f, 1, err);
	if (rc == PLUGPKG_OK && !is_there(m, f))
		rc = place(m, f->sha256, f->path, err);
	if (rc == PLUGPKG_OK && !has_signature)
		rc = place(m, sig, f->sig.path, err);
	return rc;
}

static enum plugpkg_code
place_all(struct mirroring *m, const struct pp_walk_file *files, size_t n, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < n; i++)
		rc = place_both(m, &files[i], err);
	return rc;
}

/* Bytes of a fetched or mirrored file, compared with its digest by whoever parses them next. */
static enum plugpkg_code
read_either(
    struct mirroring *m, const struct pp_walk_file *f, struct pp_buf *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("targets/%s", f->path);
	char sha256[65];

	int r = pp_read_file_at(m->work_fd, f->sha256, out);
	if (r == -ENOENT)
		r = pp_read_file_at(m->dir_fd, path, out);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", path);
	pp_sha256_hex(pp_buf_cstr(out), out->n, sha256);
	if (strcmp(sha256, f->sha256) == 0)
		return PLUGPKG_OK;
	pp_fail(err, PLUGPKG_E_DIGEST, 0, "'%s' of this mirror is damaged", path);
	return pp_hint(err, PLUGPKG_E_DIGEST, "remove the file and mirror again");
}

static enum plugpkg_code
copy_archives(struct mirroring *m, const struct pp_index_root *root, plugpkg_error **err)
{
	PP_CLEANUP(pp_walk_files_fini) struct pp_walk_files archives = { 0 };
	PP_CLEANUP(pp_walk_files_fini) struct pp_walk_files shards = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_walk_shards(root, &shards);
	for (size_t i = 0; rc == PLUGPKG_OK && i < root->details.n; i++) {
		PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(PP_INDEX_MAX_SHARD_BYTES);
		const struct pp_walk_file *f = &shards.at[root->planning.n + i];
		rc = read_either(m, f, &packed, err);
		if (rc == PLUGPKG_OK)
			rc = pp_walk_archives(
			    &packed, root->details.at[i].unpacked, f->path, &archives, err);
	}
	for (size_t i = 0; rc == PLUGPKG_OK && i < archives.n; i += BATCH) {
		size_t n = archives.n - i < BATCH ? archives.n - i : BATCH;
		rc = fetch(m, &archives.at[i], n, err);
		if (rc == PLUGPKG_OK)
			rc = place_all(m, &archives.at[i], n, err);
	}
	return rc;
}

static enum plugpkg_code
copy_targets(struct mirroring *m, const struct pp_walk *w, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_INDEX_MAX_ROOT_BYTES);
	PP_CLEANUP(pp_walk_files_fini) struct pp_walk_files shards = { 0 };
	struct pp_index_root *root = NULL;

	enum plugpkg_code rc = fetch(m, &w->index_root, 1, err);
	if (rc == PLUGPKG_OK)
		rc = read_either(m, &w->index_root, &text, err);
	if (rc == PLUGPKG_OK)
		rc = pp_index_root_parse(
		    (struct pp_str){ text.s, text.n }, w->index_root.what, &root, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_walk_shards(root, &shards);
	rc = fetch(m, shards.at, shards.n, err);
	if (rc == PLUGPKG_OK)
		rc = copy_archives(m, root, err);
	if (rc == PLUGPKG_OK)
		rc = place_all(m, shards.at, shards.n, err);
	if (rc == PLUGPKG_OK)
		rc = place_all(m, &w->index_root, 1, err);
	pp_index_root_free(root);
	return rc;
}

static enum plugpkg_code
copy_metadata_file(
    struct mirroring *m, const char *name, const struct pp_buf *bytes, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("metadata/%s", name);
	PP_AUTO_BUF struct pp_buf here = PP_BUF_INIT(bytes->n);

	if (pp_read_file_at(m->dir_fd, path, &here) == 0 && here.n == bytes->n &&
	    memcmp(here.s, bytes->s, here.n) == 0)
		return PLUGPKG_OK;
	int r = pp_write_file_at(m->dir_fd, path, bytes->s, bytes->n, 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", path);
	m->files++;
	m->bytes += bytes->n;
	return PLUGPKG_OK;
}

static bool
is_root(const struct pp_map_entry *e)
{
	return pp_ends_with(e->key, ".root.json");
}

/*
 * Received in the order in which a client asks; here the timestamp when what it leads to is
 * durable, and new roots after it. A client that comes between refuses a timestamp by a new key,
 * stores nothing, and goes on with what it has; with the new root it would have nothing that
 * holds. The newest root first: whoever walks from the one before finds all or none of them.
 */
static enum plugpkg_code
copy_metadata(struct mirroring *m, const struct pp_walk *w, plugpkg_error **err)
{
	const struct pp_buf *timestamp = pp_map_get(&w->received, TIMESTAMP);
	bool is_first = pp_exists_at(m->dir_fd, "metadata/" TIMESTAMP) == 0;
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_map_foreach (e, &w->received) {
		if (rc == PLUGPKG_OK && e->value != timestamp && (is_first || !is_root(e)))
			rc = copy_metadata_file(m, e->key, e->value, err);
	}
	int r = rc == PLUGPKG_OK ? pp_sync_tree_at(m->dir_fd, ".") : 0;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make the mirror durable");
	if (rc == PLUGPKG_OK && timestamp != NULL)
		rc = copy_metadata_file(m, TIMESTAMP, timestamp, err);
	for (size_t i = w->received.n; rc == PLUGPKG_OK && i-- > 0;)
		if (is_root(&w->received.at[i]))
			rc = copy_metadata_file(
			    m, w->received.at[i].key, w->received.at[i].value, err);
	return rc;
}

/* One at a time: a second would take this one's work, or put older files over newer. */
static enum plugpkg_code
lock_dir(struct mirroring *m, const char *dir, plugpkg_error **err)
{
	PP_AUTO_FREE char *what = pp_asprintf("'%s'", dir);

	return pp_repo_lock_dir(m->repo, m->dir_fd, what, err);
}

/* What is served must not lie among what is not: keys, or the data of plugins. */
static enum plugpkg_code
check_is_no_other(const struct mirroring *m, const char *dir, plugpkg_error **err)
{
	static const struct {
		const char *file, *what;
	} others[] = {
		{ "plugpkg.json", "a root with plugins" },
		{ "repository.json", "a publisher's directory" },
	};

	for (size_t i = 0; i < PP_LEN(others); i++)
		if (pp_exists_at(m->dir_fd, others[i].file) == 1) {
			pp_fail(err, PLUGPKG_E_EXISTS, 0, "'%s' is %s, and no place for a mirror",
			    dir, others[i].what);
			return pp_hint(err, PLUGPKG_E_EXISTS, "choose a new directory");
		}
	return PLUGPKG_OK;
}

static enum plugpkg_code
open_dirs(struct mirroring *m, const char *dir, plugpkg_error **err)
{
	int r = pp_mkdirs_at(AT_FDCWD, dir, 0755);
	if (r == 0) {
		m->dir_fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = m->dir_fd < 0 ? -errno : 0;
	}
	enum plugpkg_code rc = r < 0 ? PLUGPKG_OK : check_is_no_other(m, dir, err);
	if (rc == PLUGPKG_OK && r == 0)
		rc = lock_dir(m, dir, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (r == 0)
		r = pp_mkdirs_at(m->dir_fd, "metadata", 0755);
	if (r == 0)
		r = pp_mkdirs_at(m->dir_fd, WORK_DIR, 0700);
	/* Trusted metadata of a run that was cut off: this run starts from the first root again. */
	if (r == 0)
		r = pp_rm_rf_at(m->dir_fd, WORK_DIR "/trust");
	if (r == 0)
		r = pp_mkdirs_at(m->dir_fd, WORK_DIR "/trust", 0700);
	if (r == 0)
		r = m->work_fd = pp_opendir_at(m->dir_fd, WORK_DIR);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write to '%s'", dir);
	return PLUGPKG_OK;
}

/*
 * What this mirror showed before must never be followed by something older: it is the trusted past.
 */
static enum plugpkg_code
take_up_past(struct mirroring *m, int trust_fd, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf timestamp = PP_BUF_INIT(PP_TUF_MAX_TIMESTAMP_BYTES);

	int r = pp_read_file_at(m->dir_fd, "metadata/" TIMESTAMP, &timestamp);
	if (r == 0)
		r = pp_write_file_at(trust_fd, TIMESTAMP, timestamp.s, timestamp.n, 0644);
	if (r < 0 && r != -ENOENT)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read 'metadata/" TIMESTAMP "'");
	return PLUGPKG_OK;
}

static enum plugpkg_code
mirror_all(struct mirroring *m, const char *url, const char *key, plugpkg_error **err)
{
	PP_CLEANUP(pp_walk_fini) struct pp_walk w = { 0 };
	PP_AUTO_FREE char *shown = pp_url_redacted(url);
	PP_AUTO_FREE char *label = pp_asprintf("repository '%s'", shown);
	PP_AUTO_FD int trust_fd = pp_opendir_at(m->work_fd, "trust");
	const struct pp_walk_spec spec = {
		.work_fd = trust_fd,
		.get = get_remote,
		.user = m,
		.key = key,
		.label = label,
		.now = m->repo->now,
	};

	if (trust_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -trust_fd, "cannot open the work directory");
	enum plugpkg_code rc = take_up_past(m, trust_fd, err);
	if (rc == PLUGPKG_OK)
		rc = pp_walk_metadata(&w, &spec, err);
	if (rc == PLUGPKG_OK)
		rc = copy_targets(m, &w, err);
	if (rc == PLUGPKG_OK)
		rc = copy_metadata(m, &w, err);
	memcpy(m->fingerprint, w.fingerprint, sizeof(m->fingerprint));
	return rc;
}

enum plugpkg_code
plugpkg_repo_mirror(plugpkg_repo *repo, const char *url, const char *dir, const char *key,
    plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(mirroring_fini)
	struct mirroring m = { .repo = repo, .dir_fd = -1, .work_fd = -1 };

	if (!pp_url_valid(url)) {
		pp_fail(err, PLUGPKG_E_USAGE, 0, "'%s' is no URL of a repository", url);
		return pp_hint(err, PLUGPKG_E_USAGE, PP_URL_HINT);
	}
	bool has_slash = pp_ends_with(url, "/");
	pp_strs_take(&m.urls, pp_asprintf("%s%s", url, has_slash ? "" : "/"));
	pp_strs_take(&m.targets_urls, pp_asprintf("%s%stargets/", url, has_slash ? "" : "/"));
	enum plugpkg_code rc = open_dirs(&m, dir, err);
	if (rc != PLUGPKG_OK)
		return rc;
	/* The root that this mirror began with stays its key. */
	PP_AUTO_FREE char *first_root = pp_asprintf("%s/metadata/1.root.json", dir);
	if (key == NULL && pp_exists_at(m.dir_fd, "metadata/1.root.json") == 1)
		key = first_root;
	m.net = pp_net_new(&repo->ctx, m.work_fd);
	rc = mirror_all(&m, url, key, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_rm_rf_at(m.dir_fd, WORK_DIR);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove '%s/" WORK_DIR "'", dir);
	pp_json *j = pp_row_new("mirrored");
	pp_json_set_str(j, "directory", dir);
	pp_json_set_int(j, "files", (int64_t)m.files);
	pp_json_set_int(j, "bytes", (int64_t)m.bytes);
	pp_json_set_str(j, "fingerprint", m.fingerprint);
	pp_row(row, user, j);
	return PLUGPKG_OK;
}
