/* SPDX-License-Identifier: MIT */
/* From the root key to the list of all files. */
#include "lib/repo/walk.h"

#include "base/mem.h"
#include "base/path.h"
#include "lib/index/zstd.h"
#include "lib/model/name.h"
#include "lib/model/semver.h"
#include "lib/repo/repo.h"
#include "lib/trust/first_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
file_fini(struct pp_walk_file *f)
{
	free(f->path);
	free(f->url);
	free(f->what);
	free(f->sig.path);
	free(f->sig.url);
	free((char *)(uintptr_t)f->sig.archive.name);
	free((char *)(uintptr_t)f->sig.archive.version);
}

void
pp_walk_files_fini(struct pp_walk_files *v)
{
	pp_vec_foreach (f, v)
		file_fini(f);
	pp_vec_free(v);
}

static void
free_received(void *p)
{
	pp_buf_fini(p);
	free(p);
}

void
pp_walk_fini(struct pp_walk *w)
{
	if (w->updater != NULL)
		pp_updater_free(w->updater);
	pp_map_fini(&w->received, free_received);
	file_fini(&w->index_root);
}

/* Remembers what came under which name; the last answer to a name is the one that was judged. */
static enum plugpkg_code
get_and_keep(void *user, size_t mirror, const char *path, size_t max_bytes, struct pp_buf *out,
    int *out_status, plugpkg_error **err)
{
	struct pp_walk *w = user;

	enum plugpkg_code rc = w->get(w->user, mirror, path, max_bytes, out, out_status, err);
	if (rc != PLUGPKG_OK || *out_status != 200)
		return rc;
	struct pp_buf *copy = pp_xcalloc(1, sizeof(*copy));
	copy->limit = out->n;
	pp_buf_add(copy, pp_buf_cstr(out), out->n);
	void **place = pp_map_put(&w->received, path);
	if (*place != NULL)
		free_received(*place);
	*place = copy;
	return PLUGPKG_OK;
}

/* The first root, found to be the expected one, becomes root.json of the work directory. */
static enum plugpkg_code
trust_first_root(struct pp_walk *w, const struct pp_walk_spec *spec, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf root = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);
	PP_AUTO_BUF struct pp_buf key = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);
	int status = 0;

	enum plugpkg_code rc =
	    get_and_keep(w, 0, "1.root.json", PP_TUF_MAX_ROOT_BYTES, &root, &status, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (status != 200) {
		rc = pp_fail(err, PLUGPKG_E_NETWORK, 0,
		    "%s is no repository: no metadata/1.root.json", spec->label);
		return pp_hint(err, rc, PP_ADDRESS_HINT);
	}
	pp_root_fingerprint(root.s, root.n, w->fingerprint);
	if (spec->key != NULL && !pp_starts_with(spec->key, "sha256:")) {
		rc = pp_root_read_key_file(spec->key, &key, err);
		if (rc == PLUGPKG_OK && (key.n != root.n || memcmp(key.s, root.s, root.n) != 0))
			rc = pp_fail(err, PLUGPKG_E_KEY, 0, "root of %s is not the one in '%s'",
			    spec->label, spec->key);
	} else if (spec->key != NULL && strcmp(spec->key, w->fingerprint) != 0) {
		rc = pp_fail(err, PLUGPKG_E_KEY, 0, "root of %s is %s, expected %s", spec->label,
		    w->fingerprint, spec->key);
	}
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_write_file_at(w->work_fd, "root.json", root.s, root.n, 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write a working copy of the root");
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_walk_metadata(struct pp_walk *w, const struct pp_walk_spec *spec, plugpkg_error **err)
{
	struct pp_tuf_target target;

	*w = (struct pp_walk){ .work_fd = spec->work_fd, .get = spec->get, .user = spec->user };
	const struct pp_updater_spec updater = {
		.dir_fd = spec->work_fd,
		.now = spec->now,
		.get = get_and_keep,
		.user = w,
		.n_mirrors = 1,
		.label = spec->label,
	};
	enum plugpkg_code rc = trust_first_root(w, spec, err);
	if (rc == PLUGPKG_OK)
		rc = pp_updater_new(&updater, &w->updater, err);
	if (rc == PLUGPKG_OK)
		rc = pp_updater_refresh(w->updater, err);
	if (rc == PLUGPKG_OK)
		rc = pp_updater_target(w->updater, PP_INDEX_TARGET, &target, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (!pp_is_sha256(target.sha256))
		return pp_fail(
		    err, PLUGPKG_E_BAD_METADATA, 0, "%s: the index has no sha256", spec->label);
	(void)snprintf(
	    w->index_root.sha256, sizeof(w->index_root.sha256), "%s", target.sha256); /* fits */
	w->index_root.size = target.length;
	w->index_root.path = pp_asprintf("index/%s.root.json", target.sha256);
	w->index_root.url = pp_xstrdup(w->index_root.path);
	w->index_root.what = pp_asprintf("index of %s", spec->label);
	return PLUGPKG_OK;
}

static void
add_shard(enum pp_layer layer, const struct pp_shard_ref *ref, struct pp_walk_files *out)
{
	struct pp_walk_file *f = pp_vec_new(out);

	memcpy(f->sha256, ref->sha256, sizeof(f->sha256));
	f->size = ref->size;
	f->path = pp_index_shard_path(layer, ref);
	f->url = pp_xstrdup(f->path);
	f->what = pp_asprintf("index shard %.12s", ref->sha256);
}

void
pp_walk_shards(const struct pp_index_root *root, struct pp_walk_files *out)
{
	pp_vec_foreach (ref, &root->planning)
		add_shard(PP_LAYER_PLANNING, ref, out);
	pp_vec_foreach (ref, &root->details)
		add_shard(PP_LAYER_DETAILS, ref, out);
	add_shard(PP_LAYER_SEARCH, &root->search, out);
}

static void
add_signature(struct pp_walk_file *f, const char *name, const char *version, const char *key_id)
{
	(void)snprintf(f->sig.key_id, sizeof(f->sig.key_id), "%s", key_id); /* 64 digits */
	f->sig.path = pp_asprintf("pool/%s/%s/%s.%s.sig", name, version, f->sha256, key_id);
	f->sig.url = pp_index_signature_path(name, version, f->sha256, key_id);
	f->sig.archive.name = pp_xstrdup(name);
	f->sig.archive.version = pp_xstrdup(version);
	f->sig.archive.size = f->size;
}

enum plugpkg_code
pp_walk_check_signature(const struct pp_walk_file *file, struct pp_str text, plugpkg_error **err)
{
	struct pp_signed_archive want = file->sig.archive;
	PP_AUTO(sig) struct pp_sig *sig = NULL;

	want.sha256 = file->sha256;
	enum plugpkg_code rc = pp_sig_parse(text, file->sig.path, &sig, err);
	return rc == PLUGPKG_OK
		   ? pp_sig_check_archive(sig, &want, file->sig.key_id, file->sig.path, err)
		   : rc;
}

/* owner_id: NULL, where nobody owns the plugin. */
static enum plugpkg_code
add_archive(const char *name, const char *owner_id, const pp_json *row, const char *where,
    struct pp_walk_files *out, plugpkg_error **err)
{
	const char *version = pp_json_get_str(row, "version");
	const char *sha256 = pp_json_get_str(row, "sha256");
	int64_t size = pp_json_get_int(row, "size", -1);
	int64_t unpacked = pp_json_get_int(row, "unpacked", -1);
	int64_t n_files = pp_json_get_int(row, "files", -1);
	PP_CLEANUP(pp_version_fini) struct pp_version parsed = { 0 };

	if (!pp_is_sha256(sha256) || size < 0 || unpacked < 0 || n_files < 0 || version == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: a version of '%s' has no version, sizes or sha256", where, name);
	/* The version becomes part of a path: only what parses as one may. */
	enum plugpkg_code rc = pp_version_parse(pp_str_of(version), &parsed, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, PLUGPKG_E_BAD_METADATA, "%s: '%s'", where, name);
	struct pp_walk_file *f = pp_vec_new(out);
	memcpy(f->sha256, sha256, sizeof(f->sha256));
	f->size = (uint64_t)size;
	f->unpacked = (uint64_t)unpacked;
	f->n_files = (uint64_t)n_files;
	f->path = pp_asprintf("pool/%s/%s/%s.plug", name, version, sha256);
	f->url = pp_index_archive_path(name, version, sha256);
	f->what = pp_asprintf("%s %s", name, version);
	if (owner_id != NULL && pp_json_get_bool(row, "signed"))
		add_signature(f, name, version, owner_id);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_walk_line(const char *name, const pp_json *line, const char *where, struct pp_walk_files *out,
    plugpkg_error **err)
{
	const pp_json *rows = pp_json_get(line, "versions"), *j = pp_json_get(line, "owner");
	PP_AUTO(owner) struct pp_owner *owner = NULL;
	enum plugpkg_code rc = j != NULL ? pp_owner_parse(j, name, where, &owner, err) : PLUGPKG_OK;

	for (size_t k = 0; rc == PLUGPKG_OK && k < pp_json_len(rows); k++)
		rc = add_archive(
		    name, owner != NULL ? owner->id : NULL, pp_json_at(rows, k), where, out, err);
	return rc;
}

enum plugpkg_code
pp_walk_archives(const struct pp_buf *packed, uint64_t unpacked, const char *where,
    struct pp_walk_files *out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_INDEX_MAX_SHARD_BYTES);
	PP_CLEANUP(pp_shard_fini) struct pp_shard shard = { 0 };

	int r = pp_zstd_unpack(packed->s, packed->n, unpacked, &text);
	if (r < 0)
		return pp_zstd_fail(r, err, "%s does not unpack to %llu bytes", where,
		    (unsigned long long)unpacked);
	enum plugpkg_code rc = pp_shard_open((struct pp_str){ text.s, text.n }, where, &shard, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < shard.lines.n; i++) {
		PP_AUTO_FREE char *name = pp_shard_line_name(shard.lines.at[i]);
		PP_AUTO_JSON pp_json *line = NULL;
		rc = pp_shard_line(&shard, name, &line, err);
		if (rc == PLUGPKG_OK)
			rc = pp_walk_line(name, line, where, out, err);
	}
	return rc;
}
