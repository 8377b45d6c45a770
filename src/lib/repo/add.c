/* SPDX-License-Identifier: MIT */
/*
 * `add`: archives are unpacked, linted and compared with what is published before they are staged.
 */
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/model/context.h"
#include "lib/model/manifest.h"
#include "lib/model/name.h"
#include "lib/model/tables.h"
#include "lib/repo/book.h"
#include "lib/repo/lint.h"
#include "lib/repo/metadata.h"
#include "lib/repo/owners.h"
#include "lib/repo/pool.h"
#include "lib/repo/staged.h"
#include "lib/store/archive.h"
#include "lib/trust/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNPACK_DIR "staged/.unpacked"
#define ARRIVING   "staged/.arriving"

/* One archive on its way from a path to staged/. */
struct arrival {
	const char *path;
	int fd; /* of the copy, which nobody else changes between two readings */
	uint64_t size;
	char sha256[65];
	struct pp_unpacked unpacked;
	struct pp_manifest *manifest;
	struct pp_admission admission;
};

static void
arrival_fini(struct arrival *a)
{
	pp_auto_fd(&a->fd);
	pp_manifest_free(a->manifest);
	pp_admission_fini(&a->admission);
}

static enum plugpkg_code
open_archive(const char *path, int *out_fd, plugpkg_error **err)
{
	struct stat st;

	PP_AUTO_FD int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return pp_fail(err, errno == ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, errno,
		    "cannot open '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, 0, "'%s' is no regular file", path);
	*out_fd = pp_fd_steal(&fd);
	return PLUGPKG_OK;
}

/* All that follows reads the copy: what is hashed is what is linted is what is served. */
static enum plugpkg_code
copy_archive(plugpkg_repo *repo, struct arrival *a, plugpkg_error **err)
{
	PP_AUTO_FD int from = -1;

	enum plugpkg_code rc = open_archive(a->path, &from, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_rm_rf_at(repo->dir_fd, ARRIVING);
	if (r == 0)
		a->fd = pp_openat_create(repo->dir_fd, ARRIVING, O_RDWR | O_EXCL, 0644);
	if (r == 0)
		r = a->fd < 0 ? -errno : pp_fd_copy(from, a->fd, NULL);
	if (r == 0)
		r = lseek(a->fd, 0, SEEK_SET) < 0 ? -errno
						  : pp_sha256_fd(a->fd, a->sha256, &a->size);
	if (r == 0 && (pp_fsync(a->fd) < 0 || lseek(a->fd, 0, SEEK_SET) < 0))
		r = -errno;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot copy '%s'", a->path);
	return PLUGPKG_OK;
}

/* What lint finds goes out as rows; an error among it refuses the archive. */
static enum plugpkg_code
lint(const struct arrival *a, int dir_fd, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	size_t n_errors = 0, n_warnings = 0;

	enum plugpkg_code rc = pp_lint_dir(dir_fd, a->path, &n_errors, &n_warnings, row, user, err);
	if (rc != PLUGPKG_OK || n_errors == 0)
		return rc;
	pp_fail(err, PLUGPKG_E_BAD_MANIFEST, 0, "'%s' fails lint with %zu error%s", a->path,
	    n_errors, n_errors == 1 ? "" : "s");
	return pp_hint(err, PLUGPKG_E_BAD_MANIFEST, "the author finds them with: plugpkg lint DIR");
}

static enum plugpkg_code
read_manifest(struct arrival *a, int dir_fd, plugpkg_error **err)
{
	PP_AUTO_FREE char *where = pp_asprintf("%s: plugin.json", a->path);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);

	int r = pp_read_file_at(dir_fd, "plugin.json", &text);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, -r, "%s", where);
	return pp_manifest_parse((struct pp_str){ text.s, text.n }, where, &a->manifest, err);
}

static enum plugpkg_code
inspect(plugpkg_repo *repo, struct arrival *a, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	const struct pp_unpack_limits limits = { PP_UNPACK_MAX_BYTES, PP_UNPACK_MAX_FILES, false };

	int r = pp_rm_rf_at(repo->dir_fd, UNPACK_DIR);
	if (r == 0)
		r = pp_mkdirat(repo->dir_fd, UNPACK_DIR, 0700) < 0 ? -errno : 0;
	PP_AUTO_FD int dir_fd = r < 0 ? r : pp_opendir_at(repo->dir_fd, UNPACK_DIR);
	if (dir_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -dir_fd, "cannot make '" UNPACK_DIR "'");
	enum plugpkg_code rc =
	    pp_unpack_scratch(NULL, a->fd, dir_fd, a->path, &limits, &a->unpacked, err);
	if (rc == PLUGPKG_OK)
		rc = lint(a, dir_fd, row, user, err);
	if (rc == PLUGPKG_OK)
		rc = read_manifest(a, dir_fd, err);
	r = pp_rm_rf_at(repo->dir_fd, UNPACK_DIR);
	if (rc == PLUGPKG_OK && r < 0)
		rc = pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove '" UNPACK_DIR "'");
	return rc;
}

static pp_json *
details_row(const struct arrival *a)
{
	static const char *const taken[] = {
		"summary",
		"description",
		"license",
		"homepage",
		"authors",
		"keywords",
		"type",
	};
	const pp_json *manifest = a->manifest->json, *scripts = pp_json_get(manifest, "scripts");
	pp_json *row = pp_json_object(), *kinds = pp_json_array();

	pp_json_set_str(row, "version", a->manifest->release->version.text);
	pp_json_set_str(row, "sha256", a->sha256);
	pp_json_set_int(row, "size", (int64_t)a->size);
	pp_json_set_int(row, "unpacked", (int64_t)a->unpacked.bytes);
	pp_json_set_int(row, "files", (int64_t)a->unpacked.files);
	for (size_t i = 0; i < PP_LEN(taken); i++)
		if (pp_json_get(manifest, taken[i]) != NULL)
			pp_json_set(row, taken[i], pp_json_ref(pp_json_get(manifest, taken[i])));
	if (scripts != NULL)
		for (void *it = pp_json_iter(scripts); it != NULL; it = pp_json_next(scripts, it))
			pp_json_push_str(kinds, pp_json_iter_key(it));
	if (pp_json_len(kinds) > 0)
		pp_json_set(row, "scripts", kinds);
	else
		pp_json_free(kinds);
	if (pp_json_len(pp_tables_of(manifest)) > 0)
		pp_json_set(row, "tables", pp_json_copy(pp_tables_of(manifest)));
	return row;
}

/* ---- Has this version been published, staged, or removed before? A version never changes. ---- */

static enum plugpkg_code
refuse_other_content(const struct arrival *a, const char *where, plugpkg_error **err)
{
	pp_fail(err, PLUGPKG_E_EXISTS, 0, "%s %s is %s with other content; '%s' is not added",
	    a->manifest->release->name, a->manifest->release->version.text, where, a->path);
	return pp_hint(
	    err, PLUGPKG_E_EXISTS, "a published version never changes: raise the version");
}

static enum plugpkg_code
check_row(const struct arrival *a, const pp_json *row, const char *where, bool *out_known,
    plugpkg_error **err)
{
	const char *sha256 = pp_json_get_str(row, "sha256");
	const char *version = pp_json_get_str(row, "version");

	if (row == NULL)
		return PLUGPKG_OK;
	if (sha256 == NULL || strcmp(sha256, a->sha256) != 0 || version == NULL ||
	    strcmp(version, a->manifest->release->version.text) != 0)
		return refuse_other_content(a, where, err);
	*out_known = true;
	return PLUGPKG_OK;
}

static enum plugpkg_code
check_published(struct pp_book *book, const struct arrival *a, bool *out_known, plugpkg_error **err)
{
	const struct pp_release *rel = a->manifest->release;
	PP_AUTO_JSON pp_json *line = NULL;

	enum plugpkg_code rc = pp_book_line(book, PP_LAYER_DETAILS, rel->name, &line, err);
	if (rc != PLUGPKG_OK)
		return rc;
	ptrdiff_t at = pp_rows_find(line, rel->version.text);
	const pp_json *row = at < 0 ? NULL : pp_json_at(pp_json_get(line, "versions"), (size_t)at);
	return check_row(a, row, "published", out_known, err);
}

static struct pp_pool_file
pool_file(const struct arrival *a)
{
	return (struct pp_pool_file){
		.name = a->manifest->release->name,
		.version = a->manifest->release->version.text,
		.sha256 = a->sha256,
		.size = a->size,
	};
}

/* The archive of a removed version stays in the pool, and with it the knowledge of what it was. */
static enum plugpkg_code
check_pool(plugpkg_repo *repo, const struct arrival *a, plugpkg_error **err)
{
	const struct pp_pool_file f = pool_file(a);
	bool has_other = false;

	enum plugpkg_code rc = pp_pool_has_other(repo, &f, &has_other, err);
	if (rc != PLUGPKG_OK || !has_other)
		return rc;
	return refuse_other_content(a, "in the pool", err);
}

/* The copy becomes the staged archive. */
static enum plugpkg_code
keep_copy(plugpkg_repo *repo, const struct arrival *a, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_pool_staged_path(a->sha256);

	int r = pp_renameat(repo->dir_fd, ARRIVING, repo->dir_fd, path) < 0 ? -errno : 0;
	if (r == 0)
		r = pp_sync_dir_at(repo->dir_fd, "staged");
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", path);
	return PLUGPKG_OK;
}

/* An archive that the pool has lost since it was published comes back this way. */
static enum plugpkg_code
restore(plugpkg_repo *repo, const struct arrival *a, plugpkg_error **err)
{
	const struct pp_pool_file f = pool_file(a);

	if (pp_pool_has(repo, &f))
		return PLUGPKG_OK;
	enum plugpkg_code rc = keep_copy(repo, a, err);
	return rc == PLUGPKG_OK ? pp_pool_place(repo, &f, err) : rc;
}

static void
send_staged(const struct arrival *a, const char *status, plugpkg_row_fn row, void *user)
{
	pp_json *j = pp_row_new("staged");

	pp_json_set_str(j, "action", "add");
	pp_json_set_str(j, "name", a->manifest->release->name);
	pp_json_set_str(j, "version", a->manifest->release->version.text);
	pp_json_set_str(j, "status", status); /* "staged", "staged already", "published already" */
	pp_json_set_str(j, "sha256", a->sha256);
	pp_json_set_int(j, "size", (int64_t)a->size);
	pp_json_set_str(j, "owner", pp_admission_names[a->admission.as]);
	if (a->admission.sig != NULL)
		pp_json_set_str(j, "owner_key", a->admission.sig->id);
	pp_row(row, user, j);
}

struct adding {
	plugpkg_repo *repo;
	const struct plugpkg_repo_add_spec *spec;
	struct pp_book *book;
	struct pp_staged_list staged;
	plugpkg_row_fn row;
	void *user;
};

/* The archive first: an entry without one could not be published. */
static enum plugpkg_code
stage(struct adding *adding, const struct arrival *a, plugpkg_error **err)
{
	const struct pp_release *rel = a->manifest->release;
	struct pp_staged entry = {
		.file = NULL,
		.name = pp_xstrdup(rel->name),
		.version = pp_xstrdup(rel->version.text),
		.planning = pp_release_row(a->manifest->json),
		.details = details_row(a),
	};

	/* Listed at once: the next archive of this command may be of the same version. */
	pp_vec_push(&adding->staged, entry);
	enum plugpkg_code rc = keep_copy(adding->repo, a, err);
	return rc == PLUGPKG_OK ? pp_staged_write(adding->repo, &entry, err) : rc;
}

/* What to do about an archive that passed: `earlier` is what is staged of its version. */
static enum plugpkg_code
take_in(struct adding *adding, const struct arrival *a, const struct pp_staged *earlier,
    bool published, plugpkg_error **err)
{
	bool staged = false;
	enum plugpkg_code rc = PLUGPKG_OK;

	if (earlier != NULL && !earlier->is_removal)
		rc = check_row(a, earlier->details, "staged", &staged, err);
	if (rc == PLUGPKG_OK)
		rc = check_pool(adding->repo, a, err);
	/* A signature that is new is published along with its archive once more. */
	bool is_resigned = published && a->admission.is_lacking;
	if (rc == PLUGPKG_OK && published && !is_resigned)
		rc = restore(adding->repo, a, err);
	/* Adding what is published takes a removal back. */
	if (rc == PLUGPKG_OK && published && earlier != NULL)
		rc = pp_staged_delete(adding->repo, earlier, err);
	if (rc == PLUGPKG_OK && !staged && (!published || is_resigned))
		rc = stage(adding, a, err);
	const struct pp_pool_file f = pool_file(a);
	if (rc == PLUGPKG_OK && (!published || is_resigned))
		rc = pp_owner_stage(adding->repo, &a->admission, &f, err);
	if (rc == PLUGPKG_OK)
		send_staged(a,
		    is_resigned ? "signature staged"
		    : published ? "published already"
		    : staged    ? "staged already"
				: "staged",
		    adding->row, adding->user);
	return rc;
}

static enum plugpkg_code
admit(struct adding *adding, struct arrival *a, plugpkg_error **err)
{
	const struct pp_pool_file f = pool_file(a);
	const struct pp_handed_in in = {
		.path = a->path,
		.rotation = adding->spec->rotation,
		.accepts = adding->spec->accept_owner != 0,
	};
	enum plugpkg_code rc = pp_owner_admit(adding->book, &in, &f, &a->admission, err);

	return rc == PLUGPKG_OK ? rc : pp_subject(err, rc, f.name);
}

static enum plugpkg_code
add_one(struct adding *adding, const char *path, plugpkg_error **err)
{
	PP_CLEANUP(arrival_fini) struct arrival a = { .path = path, .fd = -1 };
	bool published = false;

	enum plugpkg_code rc = copy_archive(adding->repo, &a, err);
	if (rc == PLUGPKG_OK)
		rc = inspect(adding->repo, &a, adding->row, adding->user, err);
	if (rc == PLUGPKG_OK)
		rc = check_published(adding->book, &a, &published, err);
	if (rc == PLUGPKG_OK)
		rc = admit(adding, &a, err);
	if (rc == PLUGPKG_OK)
		rc = take_in(adding, &a,
		    pp_staged_find(&adding->staged, a.manifest->release->name,
			a.manifest->release->version.text),
		    published, err);
	/* Left behind by what was refused or known; the next add would remove it too. */
	PP_IGNORE(pp_rm_rf_at(adding->repo->dir_fd, ARRIVING));
	return rc;
}

static enum plugpkg_code
adding_open(struct adding *adding, plugpkg_error **err)
{
	struct pp_published was;

	enum plugpkg_code rc = pp_repo_lock(adding->repo, err);
	if (rc == PLUGPKG_OK)
		rc = pp_published_read(adding->repo, NULL, &was, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_open(adding->repo, &was, &adding->book, err);
	if (rc == PLUGPKG_OK)
		rc = pp_staged_read(adding->repo, &adding->staged, err);
	return rc;
}

static void
adding_fini(struct adding *adding)
{
	if (adding->book != NULL)
		pp_book_free(adding->book);
	pp_staged_list_fini(&adding->staged);
}

enum plugpkg_code
plugpkg_repo_add(plugpkg_repo *repo, const struct plugpkg_repo_add_spec *spec, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(adding_fini)
	struct adding adding = { .repo = repo, .spec = spec, .row = row, .user = user };

	enum plugpkg_code rc = adding_open(&adding, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < spec->n_archives; i++) {
		rc = pp_check_cancel(&repo->ctx, err);
		if (rc == PLUGPKG_OK)
			rc = add_one(&adding, spec->archives[i], err);
	}
	return rc;
}

/* ---- remove ---- */

static size_t
count_staged(const struct adding *adding, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < adding->staged.n; i++)
		n += strcmp(adding->staged.at[i].name, name) == 0;
	return n;
}

static enum plugpkg_code
stage_removal(
    struct adding *adding, const struct pp_target *t, bool *out_leaves, plugpkg_error **err)
{
	const struct pp_staged *earlier = pp_staged_find(&adding->staged, t->name, t->range);
	PP_AUTO_JSON pp_json *line = NULL;

	enum plugpkg_code rc = pp_book_line(adding->book, PP_LAYER_PLANNING, t->name, &line, err);
	if (rc != PLUGPKG_OK)
		return rc;
	ptrdiff_t at = pp_rows_find(line, t->range);
	if (at < 0 && earlier == NULL)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "%s %s is neither published nor staged",
		    t->name, t->range);
	/* An addition that nobody has seen is simply taken back, and the owner that it brought. */
	if (earlier != NULL)
		rc = pp_staged_delete(adding->repo, earlier, err);
	if (rc == PLUGPKG_OK && earlier != NULL && count_staged(adding, t->name) == 1)
		rc = pp_owner_unstage(adding->repo, t->name, err);
	*out_leaves = at >= 0;
	if (rc != PLUGPKG_OK || at < 0)
		return rc;
	const struct pp_staged entry = { .name = t->name, .version = t->range, .is_removal = true };
	return pp_staged_write(adding->repo, &entry, err);
}

enum plugpkg_code
plugpkg_repo_remove(
    plugpkg_repo *repo, const char *target, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(adding_fini) struct adding adding = { .repo = repo, .row = row, .user = user };
	PP_CLEANUP(pp_target_fini) struct pp_target t = { 0 };
	PP_CLEANUP(pp_version_fini) struct pp_version version = { 0 };
	bool leaves = false;

	enum plugpkg_code rc = pp_target_parse(target, &t, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (t.range == NULL)
		return pp_fail(
		    err, PLUGPKG_E_USAGE, 0, "'%s': say which version: %s@VERSION", target, t.name);
	rc = pp_version_parse(pp_str_of(t.range), &version, err);
	if (rc == PLUGPKG_OK)
		rc = adding_open(&adding, err);
	if (rc == PLUGPKG_OK)
		rc = stage_removal(&adding, &t, &leaves, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json *j = pp_row_new("staged");
	pp_json_set_str(j, "action", "remove");
	pp_json_set_str(j, "name", t.name);
	pp_json_set_str(j, "version", t.range);
	pp_json_set_str(j, "status", leaves ? "leaves" : "taken back");
	pp_row(row, user, j);
	return PLUGPKG_OK;
}
