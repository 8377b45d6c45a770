/* SPDX-License-Identifier: MIT */
/* `verify`: every byte of a served directory against the signatures above it, archives inside. */
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "lib/model/context.h"
#include "lib/repo/inside.h"
#include "lib/repo/repo.h"
#include "lib/repo/walk.h"
#include "lib/trust/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct verifying {
	plugpkg_repo *repo;
	int public_fd, work_fd;
	plugpkg_row_fn row;
	void *user;
	uint64_t files, bytes;
	size_t problems;
	char fingerprint[72];
};

static void
problem(struct verifying *v, const char *file, const char *text)
{
	pp_json *j = pp_row_new("problem");

	pp_json_set_str(j, "file", file);
	pp_json_set_str(j, "text", text);
	pp_row(v->row, v->user, j);
	v->problems++;
}

static enum plugpkg_code
get_local(void *user, size_t mirror, const char *path, size_t max_bytes, struct pp_buf *out,
    int *out_status, plugpkg_error **err)
{
	struct verifying *v = user;
	PP_AUTO_FREE char *full = pp_asprintf("metadata/%s", path);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(max_bytes);

	(void)mirror; /* there is one */
	int r = pp_read_file_at(v->public_fd, full, &text);
	*out_status = r == -ENOENT ? 404 : 200;
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", full);
	pp_buf_add(out, pp_buf_cstr(&text), text.n);
	return PLUGPKG_OK;
}

/* True when the file is there, of that size and digest; a problem row when not. */
static bool
check_file(struct verifying *v, const struct pp_walk_file *f)
{
	PP_AUTO_FREE char *path = pp_asprintf("targets/%s", f->path);
	PP_AUTO_FD int fd = openat(v->public_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	PP_AUTO_FREE char *text = NULL;
	char sha256[65] = "";
	uint64_t bytes = 0;
	struct stat st = { 0 };

	/* Of another size, it is not worth reading: it may be endless. */
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0)
		bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	if (r == 0 && bytes == f->size)
		r = pp_sha256_fd(fd, sha256, &bytes);
	if (r == -ENOENT)
		text = pp_asprintf("missing: %s", f->what);
	else if (r < 0)
		text = pp_asprintf("cannot be read (%s): %s", pp_errno_text(-r), f->what);
	else if (bytes != f->size)
		text = pp_asprintf(
		    "has %" PRIu64 " bytes, signed are %" PRIu64 ": %s", bytes, f->size, f->what);
	else if (strcmp(sha256, f->sha256) != 0)
		text = pp_asprintf("has other content than signed: %s", f->what);
	if (text != NULL) {
		problem(v, path, text);
		return false;
	}
	v->files++;
	v->bytes += bytes;
	return true;
}

static void
check_signature(struct verifying *v, const struct pp_walk_file *f)
{
	PP_AUTO_FREE char *path = pp_asprintf("targets/%s", f->sig.path);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_SIG_MAX_BYTES);
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	int r = pp_read_file_at(v->public_fd, path, &text);
	PP_AUTO_FREE char *what = r < 0 ? pp_asprintf("%s: signature of %s",
					      r == -ENOENT ? "missing" : pp_errno_text(-r), f->what)
					: NULL;
	if (r == 0 && pp_walk_check_signature(
			  f, (struct pp_str){ pp_buf_cstr(&text), text.n }, &why) != PLUGPKG_OK)
		what = pp_xstrdup(plugpkg_error_message(why));
	if (what != NULL) {
		problem(v, path, what);
		return;
	}
	v->files++;
	v->bytes += text.n;
}

static enum plugpkg_code
read_target(struct verifying *v, const char *path, struct pp_buf *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *full = pp_asprintf("targets/%s", path);

	int r = pp_read_file_at(v->public_fd, full, out);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", full);
	return PLUGPKG_OK;
}

static void
problem_inside(void *user, const struct pp_walk_file *file, const char *text)
{
	PP_AUTO_FREE char *path = pp_asprintf("targets/%s", file->path);

	problem(user, path, text);
}

/* Else it is counted as a problem. */
static bool
is_archive_sound(void *user, const struct pp_walk_file *file)
{
	bool is_sound = check_file(user, file);

	if (file->sig.path != NULL)
		check_signature(user, file);
	return is_sound;
}

static enum plugpkg_code
look_inside(struct verifying *v, const struct pp_walk_files *archives, plugpkg_error **err)
{
	PP_AUTO_FD int targets_fd = pp_opendir_at(v->public_fd, "targets");
	const struct pp_inside inside = {
		.ctx = &v->repo->ctx,
		.targets_fd = targets_fd,
		.work_fd = v->work_fd,
		.is_sound = is_archive_sound,
		.problem = problem_inside,
		.user = v,
	};

	if (targets_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -targets_fd, "cannot open 'targets'");
	return pp_inside_check(&inside, archives, err);
}

static enum plugpkg_code
check_archives(struct verifying *v, const struct pp_shard_ref *ref, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_index_shard_path(PP_LAYER_DETAILS, ref);
	PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(PP_INDEX_MAX_SHARD_BYTES);
	PP_CLEANUP(pp_walk_files_fini) struct pp_walk_files archives = { 0 };

	enum plugpkg_code rc = read_target(v, path, &packed, err);
	if (rc == PLUGPKG_OK)
		rc = pp_walk_archives(&packed, ref->unpacked, path, &archives, err);
	return rc == PLUGPKG_OK ? look_inside(v, &archives, err) : rc;
}

static enum plugpkg_code
check_index(struct verifying *v, const struct pp_walk *w, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_INDEX_MAX_ROOT_BYTES);
	PP_CLEANUP(pp_walk_files_fini) struct pp_walk_files shards = { 0 };
	struct pp_index_root *root = NULL;
	size_t n_bad = 0;

	if (!check_file(v, &w->index_root))
		return PLUGPKG_OK;
	enum plugpkg_code rc = read_target(v, w->index_root.path, &text, err);
	if (rc == PLUGPKG_OK)
		rc = pp_index_root_parse(
		    (struct pp_str){ text.s, text.n }, w->index_root.path, &root, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_walk_shards(root, &shards);
	for (size_t i = 0; i < shards.n; i++)
		n_bad += !check_file(v, &shards.at[i]);
	for (size_t i = 0; rc == PLUGPKG_OK && n_bad == 0 && i < root->details.n; i++)
		rc = check_archives(v, &root->details.at[i], err);
	pp_index_root_free(root);
	return rc;
}

/* A private directory outside the served one, which may be read-only. */
static int
open_work_dir(char **out_path)
{
	const char *tmp = secure_getenv("TMPDIR");

	*out_path =
	    pp_asprintf("%s/plugpkg-verify-XXXXXX", tmp != NULL && *tmp == '/' ? tmp : "/tmp");
	if (mkdtemp(*out_path) == NULL)
		return -errno;
	return pp_opendir_at(AT_FDCWD, *out_path);
}

static enum plugpkg_code
verify_in(struct verifying *v, int work_fd, const char *dir, const char *key, plugpkg_error **err)
{
	PP_CLEANUP(pp_walk_fini) struct pp_walk w = { 0 };
	PP_AUTO_FREE char *label = pp_asprintf("repository '%s'", dir);
	const struct pp_walk_spec spec = {
		.work_fd = work_fd,
		.get = get_local,
		.user = v,
		.key = key,
		.label = label,
		.now = v->repo->now,
	};

	enum plugpkg_code rc = pp_walk_metadata(&w, &spec, err);
	if (rc == PLUGPKG_OK)
		rc = check_index(v, &w, err);
	if (rc == PLUGPKG_OK) {
		memcpy(v->fingerprint, w.fingerprint, sizeof(v->fingerprint));
		v->files += w.received.n;
		pp_map_foreach (e, &w.received)
			v->bytes += ((struct pp_buf *)e->value)->n;
	}
	return rc;
}

enum plugpkg_code
plugpkg_repo_verify(plugpkg_repo *repo, const char *public_dir, const char *key,
    size_t *out_problems, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	struct verifying v = { .repo = repo, .row = row, .user = user };
	PP_AUTO_FREE char *work = NULL;
	PP_AUTO_FD int public_fd = openat(AT_FDCWD, public_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (public_fd < 0)
		return pp_fail(err, errno == ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, errno,
		    "cannot open '%s'", public_dir);
	PP_AUTO_FD int work_fd = open_work_dir(&work);
	if (work_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -work_fd, "cannot make '%s'", work);
	v.public_fd = public_fd;
	v.work_fd = work_fd;
	enum plugpkg_code rc = verify_in(&v, work_fd, public_dir, key, err);
	PP_IGNORE(pp_rm_rf_at(AT_FDCWD, work)); /* copies of public files */
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json *j = pp_row_new("verified");
	pp_json_set_int(j, "files", (int64_t)v.files);
	pp_json_set_int(j, "bytes", (int64_t)v.bytes);
	pp_json_set_int(j, "problems", (int64_t)v.problems);
	pp_json_set_str(j, "fingerprint", v.fingerprint);
	pp_row(row, user, j);
	*out_problems = v.problems;
	return PLUGPKG_OK;
}
