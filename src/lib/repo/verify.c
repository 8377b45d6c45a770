/* SPDX-License-Identifier: MIT */
/* `verify`: every byte of a served directory against the signatures above it, archives inside. */
#include "base/errno_text.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/temp.h"
#include "lib/index/brief.h"
#include "lib/model/as_signed.h"
#include "lib/model/context.h"
#include "lib/repo/inside.h"
#include "lib/repo/layers.h"
#include "lib/repo/repo.h"
#include "lib/repo/staged.h"
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
	char *missing; /* the last file of the metadata that was asked for and is not there */
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
	if (r == -ENOENT) {
		free(v->missing);
		v->missing = pp_steal(&full);
		return PLUGPKG_OK;
	}
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
read_target(void *user, const char *path, struct pp_buf *out, plugpkg_error **err)
{
	const struct verifying *v = user;
	PP_AUTO_FREE char *full = pp_asprintf("targets/%s", path);

	int r = pp_read_file_at(v->public_fd, full, out);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", full);
	return PLUGPKG_OK;
}

/* ---- a block of the index: what both layers say, and the archives ---- */

/* Beside each archive, in the same order. */
struct release {
	char *name;
	pp_json *planned, *detailed; /* planned: NULL where that layer does not have it */
};
struct checking {
	struct verifying *v;
	struct pp_layer_block block;
	struct pp_walk_files archives;
	struct releases pp_vec(struct release) releases;
};

static void
checking_fini(struct checking *c)
{
	pp_vec_foreach (r, &c->releases) {
		free(r->name);
		pp_json_free(r->planned);
		pp_json_free(r->detailed);
	}
	pp_vec_free(&c->releases);
	pp_walk_files_fini(&c->archives);
	pp_layer_block_fini(&c->block);
}

static void
problem_inside(void *user, const struct pp_walk_file *file, const char *text)
{
	const struct checking *c = user;
	PP_AUTO_FREE char *path = pp_asprintf("targets/%s", file->path);

	problem(c->v, path, text);
}

static void
problem_of(const struct checking *c, const struct pp_walk_file *file, const char *what)
{
	PP_AUTO_FREE char *text = pp_asprintf("archive of %s: %s", file->what, what);
	PP_AUTO_FREE char *path = pp_asprintf("targets/%s", file->path);

	problem(c->v, path, text);
}

/* Else it is counted as a problem. */
static bool
is_archive_sound(void *user, const struct pp_walk_file *file)
{
	const struct checking *c = user;
	bool is_sound = check_file(c->v, file);

	if (file->sig.path != NULL)
		check_signature(c->v, file);
	return is_sound;
}

static void
judge_manifest(void *user, const struct pp_walk_file *file, struct pp_str text)
{
	const struct checking *c = user;
	const struct release *r = &c->releases.at[file - c->archives.at];
	const pp_json *scripts = pp_json_get(r->detailed, "scripts");
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	if (r->planned == NULL)
		return; /* there is nothing to compare with, which is told already */
	if (pp_manifest_parse(text, "plugin.json", &m, &why) != PLUGPKG_OK) {
		problem_of(c, file, plugpkg_error_message(why));
		return;
	}
	PP_AUTO_JSON pp_json *row = pp_json_copy(r->planned);
	PP_AUTO_JSON pp_json *none = pp_json_array();
	const struct pp_signed_release want = {
		.name = r->name,
		.version = pp_json_get_str(r->detailed, "version"),
		.is_signed = true,
		.row = row,
		.scripts = scripts != NULL ? scripts : none,
	};
	pp_brief_strip(row);
	PP_AUTO_FREE char *unlike = pp_unlike_signed(m, &want);
	if (unlike != NULL)
		problem_of(c, file, unlike);
}

static enum plugpkg_code
look_inside(struct checking *c, plugpkg_error **err)
{
	PP_AUTO_FD int targets_fd = pp_opendir_at(c->v->public_fd, "targets");
	const struct pp_inside inside = {
		.ctx = &c->v->repo->ctx,
		.targets_fd = targets_fd,
		.work_fd = c->v->work_fd,
		.is_sound = is_archive_sound,
		.judge = judge_manifest,
		.problem = problem_inside,
		.user = c,
	};

	if (targets_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -targets_fd, "cannot open 'targets'");
	return pp_inside_check(&inside, &c->archives, err);
}

/* The rows of both layers stand in the same order, unless one has more. */
static const pp_json *
row_of(const pp_json *line, size_t likely, const char *version)
{
	const pp_json *rows = pp_json_get(line, "versions"), *row = pp_json_at(rows, likely);
	const char *its = pp_json_get_str(row, "version");

	if (version == NULL)
		return NULL;
	if (its != NULL && strcmp(its, version) == 0)
		return row;
	ptrdiff_t i = pp_rows_find(line, version);
	return i < 0 ? NULL : pp_json_at(rows, (size_t)i);
}

/* Clients take from the planning layer what it tells of archives and owners. */
static const char *
unlike_details(const pp_json *planning, const pp_json *planned, const pp_json *details,
    const pp_json *detailed)
{
	const pp_json *owner = pp_json_get(planning, PP_BRIEF_OWNER);
	const pp_json *theirs = pp_json_get(details, PP_BRIEF_OWNER);

	if (planned == NULL)
		return "the planning layer of the index does not have it";
	if (!pp_layer_rows_agree(planned, detailed))
		return "the planning layer of the index says other things of it than the details";
	if (pp_json_get(planned, PP_BRIEF_MEMBER) != NULL && (owner != NULL || theirs != NULL) &&
	    !pp_json_equal(owner, theirs))
		return "the planning layer of the index names another owner than the details";
	return NULL;
}

static enum plugpkg_code
check_line(struct checking *c, const char *name, const pp_json *details, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *planning = NULL;
	const pp_json *rows = pp_json_get(details, "versions");
	size_t first = c->archives.n;

	enum plugpkg_code rc = pp_layer_line(&c->block.planning, name, &planning, err);
	if (rc == PLUGPKG_OK)
		rc = pp_walk_line(name, details, "details", &c->archives, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < pp_json_len(rows); i++) {
		pp_json *detailed = pp_json_at(rows, i);
		const pp_json *planned = row_of(planning, i, pp_json_get_str(detailed, "version"));
		const char *what = unlike_details(planning, planned, details, detailed);
		struct release *r = pp_vec_new(&c->releases);
		*r = (struct release){ .name = pp_xstrdup(name) };
		r->planned = planned != NULL ? pp_json_copy(planned) : NULL;
		r->detailed = pp_json_ref(detailed);
		if (what != NULL)
			problem_of(c, &c->archives.at[first + i], what);
	}
	return rc;
}

/* What is planned with and has no details is installed by its brief, and looked at by nobody. */
static enum plugpkg_code
check_planned(struct checking *c, const char *name, const pp_json *planning, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *details = NULL;
	const pp_json *rows = pp_json_get(planning, "versions");

	enum plugpkg_code rc = pp_layer_line(&c->block.details, name, &details, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < pp_json_len(rows); i++) {
		const char *version = pp_json_get_str(pp_json_at(rows, i), "version");
		if (row_of(details, i, version) != NULL)
			continue;
		PP_AUTO_FREE char *text = pp_asprintf("%s %s has no details, only a planning row",
		    name, version != NULL ? version : "?");
		problem(c->v, "targets/" PP_INDEX_TARGET, text);
	}
	return rc;
}

static enum plugpkg_code
each_line(struct checking *c, const struct pp_layer_part *part,
    enum plugpkg_code (*check)(struct checking *, const char *, const pp_json *, plugpkg_error **),
    plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < part->n; i++) {
		const struct pp_shard *lines = &part->shards[i].lines;
		for (size_t k = 0; rc == PLUGPKG_OK && k < lines->lines.n; k++) {
			PP_AUTO_FREE char *name = pp_shard_line_name(lines->lines.at[k]);
			PP_AUTO_JSON pp_json *line = NULL;
			rc = pp_shard_parse(lines->lines.at[k], name, &line, err);
			if (rc == PLUGPKG_OK)
				rc = check(c, name, line, err);
		}
	}
	return rc;
}

static enum plugpkg_code
check_block(struct verifying *v, const struct pp_index_root *root, size_t i, plugpkg_error **err)
{
	PP_CLEANUP(checking_fini) struct checking c = { .v = v };

	enum plugpkg_code rc = pp_layer_block_open(root, i, read_target, v, &c.block, err);
	if (rc == PLUGPKG_OK)
		rc = each_line(&c, &c.block.planning, check_planned, err);
	if (rc == PLUGPKG_OK)
		rc = each_line(&c, &c.block.details, check_line, err);
	return rc == PLUGPKG_OK ? look_inside(&c, err) : rc;
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
	for (size_t i = 0; rc == PLUGPKG_OK && n_bad == 0 && i < pp_layer_n_blocks(root); i++)
		rc = check_block(v, root, i, err);
	pp_index_root_free(root);
	return rc;
}

/* A server would be asked again; a directory does not have it. */
static enum plugpkg_code
fail_missing(const struct verifying *v, const char *dir, plugpkg_error **err)
{
	if (strcmp(v->missing, "metadata/1.root.json") == 0) {
		pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "'%s' is no repository: it has no %s", dir,
		    v->missing);
		return pp_hint(err, PLUGPKG_E_NOT_FOUND,
		    "it would be the directory that metadata/ and targets/ are in");
	}
	pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "repository '%s' lacks '%s'", dir, v->missing);
	return pp_hint(err, PLUGPKG_E_BAD_METADATA,
	    "copy it back from a mirror; a mirror gets it when it is mirrored again");
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
	if (rc == PLUGPKG_E_NETWORK && v->missing != NULL)
		return fail_missing(v, dir, err);
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
	/* Outside the served one, which may be read-only. */
	int r = pp_temp_make("plugpkg-verify-", NULL, NULL, &work);
	if (r < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -r, "cannot make a temporary directory in %s", work);
	PP_AUTO_FD int work_fd = pp_opendir_at(AT_FDCWD, work);
	if (work_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -work_fd, "cannot open '%s'", work);
	v.public_fd = public_fd;
	v.work_fd = work_fd;
	enum plugpkg_code rc = verify_in(&v, work_fd, public_dir, key, err);
	PP_IGNORE(pp_rm_rf_at(AT_FDCWD, work)); /* copies of public files */
	free(v.missing);
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
